/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Locks of FUTEX_LOCK_PI: mutexes with PTHREAD_PRIO_INHERIT under contention, the
 * word itself, time-outs on both clocks, a signal that does not end the wait, an
 * owner that dies, waiting for a condition that becomes the lock.
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

#include "asleep.h"
#include "check.h"

enum {
    LOCK_PI = 6,
    UNLOCK_PI,
    TRYLOCK_PI,
    WAIT_REQUEUE_PI = 11,
    CMP_REQUEUE_PI,
    LOCK_PI2,
    WAKE = 1,
    PRIVATE = 128,
    REALTIME = 256
};
#define WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u

static long futex(void *word, int op, unsigned value, const void *timeout, void *word2,
                  unsigned value3) {
    return syscall(SYS_futex, word, op | PRIVATE, value, timeout, word2, value3);
}

static uint32_t lock, cond;
static atomic_int stage, handled;
static atomic_uint id;

static void *hold(void *arg) {
    id = (unsigned)gettid();
    CHECK_EQ(futex(&lock, LOCK_PI, 0, NULL, NULL, 0), 0);
    CHECK_EQ(lock, id);
    stage = 1;
    while (stage == 1) {
        usleep(1000);
    }
    if (arg) {
        return arg; /* with the lock */
    }
    CHECK_EQ(futex(&lock, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    return arg;
}

static pthread_t holder(void *dies) {
    pthread_t t;
    lock = 0;
    stage = 0;
    CHECK_EQ(pthread_create(&t, NULL, hold, dies), 0);
    while (!stage) {
        usleep(1000);
    }
    return t;
}

static void *release_later(void *arg) {
    usleep(50000);
    stage = 2;
    return arg;
}

static struct timespec soon(clockid_t clock, long ms) {
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void words(void) {
    unsigned me = (unsigned)gettid();
    lock = 0;
    CHECK_EQ(futex(&lock, LOCK_PI, 0, NULL, NULL, 0), 0);
    CHECK_EQ(lock, me);
    CHECK_ERRNO(futex(&lock, LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    CHECK_ERRNO(futex(&lock, TRYLOCK_PI, 0, NULL, NULL, 0), EDEADLK);
    CHECK_EQ(futex(&lock, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    CHECK_EQ(lock, 0);
    CHECK_ERRNO(futex(&lock, UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
    CHECK_EQ(futex(&lock, TRYLOCK_PI, 0, NULL, NULL, 0), 0);
    lock = 0x3ffffff0; /* nobody */
    CHECK_ERRNO(futex(&lock, LOCK_PI, 0, NULL, NULL, 0), ESRCH);
    CHECK_ERRNO(futex((char *)&lock + 2, LOCK_PI, 0, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(NULL, LOCK_PI, 0, NULL, NULL, 0), EFAULT);
    struct timespec wrong = {0, 1000000000};
    CHECK_ERRNO(futex(&lock, LOCK_PI, 0, &wrong, NULL, 0), EINVAL);
}

static void times(void) {
    pthread_t t = holder(NULL);
    struct timespec now = soon(CLOCK_REALTIME, 30);
    CHECK_ERRNO(futex(&lock, TRYLOCK_PI, 0, NULL, NULL, 0), EAGAIN);
    CHECK_ERRNO(futex(&lock, LOCK_PI, 0, &now, NULL, 0), ETIMEDOUT);
    CHECK_EQ(lock, id | WAITERS);
    now = soon(CLOCK_MONOTONIC, 30);
    CHECK_ERRNO(futex(&lock, LOCK_PI2, 0, &now, NULL, 0), ETIMEDOUT);
    now = soon(CLOCK_REALTIME, 30);
    CHECK_ERRNO(futex(&lock, LOCK_PI2 | REALTIME, 0, &now, NULL, 0), ETIMEDOUT);
    stage = 2;
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(lock, 0);
}

static void on_signal(int n) {
    (void)n;
    handled++;
}

/* The signal's handler runs, and the wait goes on: no EINTR. */
static void *wait_through(void *arg) {
    *(atomic_int *)arg = gettid();
    CHECK_EQ(futex(&lock, LOCK_PI, 0, NULL, NULL, 0), 0);
    CHECK_EQ(lock & ~WAITERS, gettid());
    CHECK_EQ(futex(&lock, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    return arg;
}

static void signalled(void) {
    atomic_int there = 0;
    struct sigaction sa = {.sa_handler = on_signal}; /* no SA_RESTART */
    CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
    pthread_t t = holder(NULL), w;
    CHECK_EQ(pthread_create(&w, NULL, wait_through, &there), 0);
    while (!there || !(lock & WAITERS)) {
        usleep(1000);
    }
    until_asleep(there);
    CHECK_EQ(pthread_kill(w, SIGUSR1), 0);
    usleep(30000);
    CHECK_EQ(handled, 1);
    stage = 2;
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(pthread_join(w, NULL), 0);
    CHECK_EQ(lock, 0);
}

static void dies(void) {
    pthread_t later, t = holder(&lock);
    CHECK_EQ(pthread_create(&later, NULL, release_later, NULL), 0);
    CHECK_EQ(futex(&lock, LOCK_PI, 0, NULL, NULL, 0), 0); /* from the dead */
    CHECK_EQ(lock & ~WAITERS, (unsigned)gettid() | OWNER_DIED);
    CHECK_EQ(futex(&lock, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(pthread_join(later, NULL), 0);
}

static atomic_int moved;

static void *wait_for_condition(void *arg) {
    stage++;
    CHECK_EQ(futex(&cond, WAIT_REQUEUE_PI, 5, NULL, &lock, UINT_MAX), 0);
    CHECK_EQ(lock & ~WAITERS, gettid());
    moved++;
    CHECK_EQ(futex(&lock, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    return arg;
}

static void moves(void) {
    pthread_t t[3];
    cond = 5;
    lock = 0;
    stage = 0;
    CHECK_EQ(futex(&lock, LOCK_PI, 0, NULL, NULL, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_create(&t[i], NULL, wait_for_condition, NULL), 0);
    }
    while (stage < 3) {
        usleep(1000);
    }
    usleep(30000);
    CHECK_ERRNO(futex(&cond, WAKE, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(&cond, CMP_REQUEUE_PI, 1, (void *)1, &lock, 6), EAGAIN);
    CHECK_ERRNO(futex(&cond, CMP_REQUEUE_PI, 2, (void *)1, &lock, 5), EINVAL);
    CHECK_ERRNO(futex(&cond, CMP_REQUEUE_PI, 1, (void *)1, &cond, 5), EINVAL);
    CHECK_EQ(futex(&cond, CMP_REQUEUE_PI, 1, (void *)INT_MAX, &lock, 5), 3);
    usleep(10000);
    CHECK_EQ(moved, 0);
    CHECK_EQ(futex(&lock, UNLOCK_PI, 0, NULL, NULL, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    }
    CHECK_EQ(moved, 3);
    struct timespec now = soon(CLOCK_MONOTONIC, 20);
    CHECK_ERRNO(futex(&cond, WAIT_REQUEUE_PI, 5, &now, &lock, UINT_MAX), ETIMEDOUT);
    CHECK_ERRNO(futex(&cond, WAIT_REQUEUE_PI, 4, NULL, &lock, UINT_MAX), EAGAIN);
    CHECK_ERRNO(futex(&cond, WAIT_REQUEUE_PI, 5, NULL, &cond, UINT_MAX), EINVAL);
    CHECK_EQ(futex(&cond, CMP_REQUEUE_PI, 1, 0, &lock, 5), 0);
}

enum { THREADS = 8, ROUNDS = 2000 };
static pthread_mutex_t mutex;
static int counter;

static void *count(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQ(pthread_mutex_lock(&mutex), 0);
        counter++;
        if (i % 64 == 0) {
            sched_yield();
        }
        CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    }
    return arg;
}

static void mutexes(void) {
    pthread_mutexattr_t a;
    pthread_t t[THREADS];
    CHECK_EQ(pthread_mutexattr_init(&a), 0);
    CHECK_EQ(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT), 0);
    CHECK_EQ(pthread_mutex_init(&mutex, &a), 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_create(&t[i], NULL, count, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    }
    CHECK_EQ(counter, THREADS * ROUNDS);
}

int main(void) {
    words();
    times();
    signalled();
    dies();
    moves();
    mutexes();
    return check_done();
}
