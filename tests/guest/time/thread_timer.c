/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers on the CPU clock of a thread: what other threads use does not count, and
 * another thread's clock can be asked for.
 * cpus: 1 2
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { MS = 1000000 };

static atomic_int over, id;

static uint64_t ns(clockid_t clock) {
    struct timespec t = {0, 0};
    CHECK(clock_gettime(clock, &t) == 0);
    return (uint64_t)t.tv_sec * 1000 * MS + (uint64_t)t.tv_nsec;
}

static void *burn(void *unused) {
    id = (int)syscall(SYS_gettid);
    while (!over) {
    }
    return unused;
}

/* 1: its signal came within so many ms. */
static int comes(int number, unsigned ms) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    struct timespec t = {ms / 1000, ms % 1000 * MS};
    return sigtimedwait(&set, NULL, &t) == number;
}

static timer_t timer(clockid_t clock, int number) {
    timer_t t = NULL;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = number};
    CHECK(timer_create(clock, &event, &t) == 0);
    return t;
}

static void arm(timer_t t, unsigned ms) {
    const struct itimerspec s = {{0, 0}, {0, ms * MS}};
    CHECK(timer_settime(t, 0, &s, NULL) == 0);
}

int main(void) {
    sigset_t set;
    pthread_t other;
    clockid_t clock;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    CHECK(pthread_create(&other, NULL, burn, NULL) == 0);
    CHECK(pthread_getcpuclockid(other, &clock) == 0);
    timer_t mine = timer(CLOCK_THREAD_CPUTIME_ID, SIGUSR1), its = timer(clock, SIGUSR2);
    timer_t whole = timer(CLOCK_PROCESS_CPUTIME_ID, SIGUSR2);

    /* The other thread works, this one sleeps. */
    uint64_t there = ns(clock);
    arm(mine, 40);
    arm(its, 20);
    CHECK(comes(SIGUSR2, 10000));
    CHECK(ns(clock) - there >= 20 * MS);
    arm(whole, 60);
    CHECK(comes(SIGUSR2, 10000));
    CHECK(!comes(SIGUSR1, 1)); /* 80 ms of the process */

    /* Not to the moment: Linux looks at its ticks, and misses some of them under load. */
    uint64_t here = ns(CLOCK_THREAD_CPUTIME_ID);
    arm(mine, 40);
    while (!comes(SIGUSR1, 0) && ns(CLOCK_THREAD_CPUTIME_ID) - here < 5000 * MS) {
    }
    here = ns(CLOCK_THREAD_CPUTIME_ID) - here;
    CHECK(here >= 40 * MS && here < 5000 * MS);
    arm(mine, 40);
    CHECK(timer_delete(mine) == 0 && timer_delete(whole) == 0);

    /* The clock of one that is gone: no timer of it expires, and no new one is made.
     * Linux wakes who joins before the thread has left the kernel. */
    over = 1;
    CHECK(pthread_join(other, NULL) == 0);
    while (syscall(SYS_tgkill, getpid(), id, 0) == 0) {
        sched_yield();
    }
    const struct itimerspec soon = {{0, 0}, {0, 1}};
    struct itimerspec left;
    CHECK_ERRNO(timer_settime(its, 0, &soon, NULL), ESRCH);
    CHECK(!comes(SIGUSR2, 30));
    CHECK(timer_gettime(its, &left) == 0);
    CHECK(timer_delete(its) == 0);
    CHECK_ERRNO(timer_create(clock, NULL, &its), EINVAL);
    CHECK_ERRNO(timer_create(-1, NULL, &its), EINVAL);
    return check_done();
}
