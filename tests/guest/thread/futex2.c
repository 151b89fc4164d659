/* SPDX-License-Identifier: BSD-3-Clause
 *
 * futex_wait, futex_wake, futex_requeue and futex_waitv: one word, many words,
 * which of them was woken, time-outs, signals, and what is refused.
 * cpus: 1 4
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#ifndef SYS_futex_wake /* musl's headers are older */
enum { SYS_futex_wake = 454, SYS_futex_wait, SYS_futex_requeue };
#endif
enum { U32 = 2, PRIVATE = 128, MOST = 128 };

struct waitv {
    uint64_t value, word;
    uint32_t flags, reserved;
};

static uint32_t words[MOST + 1];
static struct waitv list[MOST + 1];
static atomic_int ready, handled;

static struct timespec soon(clockid_t clock, long ms) {
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void *wait_one(void *arg) {
    ready++;
    CHECK_EQ(syscall(SYS_futex_wait, arg, 0ul, 3ul, U32 | PRIVATE, NULL, 0), 0);
    return NULL;
}

static void *wait_many(void *arg) {
    ready++;
    return (void *)syscall(SYS_futex_waitv, list, (long)arg, 0, NULL, 0);
}

static pthread_t start(void *fn(void *), void *arg) {
    pthread_t t;
    int before = ready;
    CHECK_EQ(pthread_create(&t, NULL, fn, arg), 0);
    while (ready == before) {
        sched_yield();
    }
    usleep(20000);
    return t;
}

static void one_word(void) {
    pthread_t t = start(wait_one, &words[0]);
    CHECK_EQ(syscall(SYS_futex_wake, &words[0], 4ul, 1, U32 | PRIVATE), 0);
    CHECK_EQ(syscall(SYS_futex_wake, &words[0], 1ul, 0, U32 | PRIVATE), 0);
    CHECK_EQ(syscall(SYS_futex_wake, &words[0], 2ul, 5, U32 | PRIVATE), 1);
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_ERRNO(syscall(SYS_futex_wait, words, 1ul, 1ul, U32 | PRIVATE, NULL, 0), EAGAIN);
    CHECK_ERRNO(syscall(SYS_futex_wait, words, 0ul, 0ul, U32 | PRIVATE, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_wait, words, 1ul << 32, 1ul, U32, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_wait, words, 0ul, 1ul, 0, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_wait, words, 0ul, 1ul, U32 | 512, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_wait, (char *)words + 1, 0ul, 1ul, U32, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_wake, words, 0ul, 1, U32), EINVAL);
    struct timespec t1 = soon(CLOCK_MONOTONIC, 20), t2 = soon(CLOCK_REALTIME, 20);
    CHECK_ERRNO(syscall(SYS_futex_wait, words, 0ul, 1ul, U32, &t1, CLOCK_MONOTONIC), ETIMEDOUT);
    CHECK_ERRNO(syscall(SYS_futex_wait, words, 0ul, 1ul, U32, &t2, CLOCK_REALTIME), ETIMEDOUT);
    CHECK_ERRNO(syscall(SYS_futex_wait, words, 0ul, 1ul, U32, &t2, CLOCK_BOOTTIME), EINVAL);
}

static void requeue(void) {
    struct waitv two[2] = {{0, (uintptr_t)&words[0], U32 | PRIVATE, 0},
                           {0, (uintptr_t)&words[1], U32 | PRIVATE, 0}};
    pthread_t t[3];
    for (int i = 0; i < 3; i++) {
        t[i] = start(wait_one, &words[0]);
    }
    CHECK_EQ(syscall(SYS_futex_requeue, two, 0, 1, 1), 2);
    CHECK_EQ(syscall(SYS_futex_wake, &words[1], 3ul, INT_MAX, U32 | PRIVATE), 1);
    CHECK_EQ(syscall(SYS_futex_wake, &words[0], 3ul, INT_MAX, U32 | PRIVATE), 1);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    }
    CHECK_ERRNO(syscall(SYS_futex_requeue, two, 1, 1, 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_requeue, NULL, 0, 1, 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_requeue, two, 0, -1, 1), EINVAL);
    two[0].value = 1;
    CHECK_ERRNO(syscall(SYS_futex_requeue, two, 0, 1, 1), EAGAIN);
    two[0].reserved = 1;
    CHECK_ERRNO(syscall(SYS_futex_requeue, two, 0, 1, 1), EINVAL);
}

static void on_signal(int n) {
    (void)n;
    handled++;
}

static void many_words(void) {
    void *result;
    for (int i = 0; i <= MOST; i++) {
        list[i] = (struct waitv){0, (uintptr_t)&words[i], U32 | PRIVATE, 0};
    }
    for (int i = 0; i < MOST; i += 63) {
        pthread_t t = start(wait_many, (void *)MOST);
        CHECK_EQ(syscall(SYS_futex_wake, &words[i], 1ul, 1, U32 | PRIVATE), 1);
        CHECK_EQ(pthread_join(t, &result), 0);
        CHECK_EQ((long)result, i);
        for (int k = 0; k < MOST; k++) { /* nobody is left behind */
            CHECK_EQ(syscall(SYS_futex_wake, &words[k], 1ul, 1, U32 | PRIVATE), 0);
        }
    }
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, MOST + 1, 0, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, 0, 0, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, 1, 1, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_waitv, NULL, 1, 0, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_futex_waitv, (void *)16, 1, 0, NULL, 0), EFAULT);
    struct timespec t1 = soon(CLOCK_MONOTONIC, 20);
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, 3, 0, &t1, CLOCK_MONOTONIC), ETIMEDOUT);
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, 3, 0, &t1, CLOCK_TAI), EINVAL);
    list[2].value = 1;
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, 3, 0, NULL, 0), EAGAIN);
    list[2].flags = 0;
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, 3, 0, NULL, 0), EINVAL);
    list[2].flags = U32;
    list[1].word = 4097;
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, 3, 0, NULL, 0), EINVAL);
    list[1].word = 4096;
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, 3, 0, NULL, 0), EFAULT);
}

int main(void) {
    one_word();
    requeue();
    many_words();
    /* a signal's handler ends the wait; with SA_RESTART it goes on */
    struct sigaction sa = {.sa_handler = on_signal};
    struct itimerspec it = {{0, 0}, {0, 30000000}};
    timer_t timer;
    CHECK_EQ(sigaction(SIGALRM, &sa, NULL), 0);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &it, NULL), 0);
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, 1, 0, NULL, 0), EINTR);
    sa.sa_flags = SA_RESTART;
    CHECK_EQ(sigaction(SIGALRM, &sa, NULL), 0);
    CHECK_EQ(timer_settime(timer, 0, &it, NULL), 0);
    struct timespec t = soon(CLOCK_MONOTONIC, 60);
    CHECK_ERRNO(syscall(SYS_futex_waitv, list, 1, 0, &t, CLOCK_MONOTONIC), ETIMEDOUT);
    CHECK_EQ(handled, 2);
    return check_done();
}
