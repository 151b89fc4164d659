/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Interval timers, alarm, POSIX timers: they fire, tell what is left, count
 * overruns, and refuse what Linux refuses.
 * isolate: test
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static volatile int alarms;

static void count(int sig) {
    (void)sig;
    alarms++;
}

int main(void) {
    struct itimerval v = {{0, 2000}, {0, 1000}}, old;
    signal(SIGALRM, count);
    CHECK_EQ(setitimer(ITIMER_REAL, &v, NULL), 0);
    while (alarms < 5)
        pause();
    v = (struct itimerval){{0, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_REAL, &v, &old), 0);
    CHECK_EQ(old.it_interval.tv_usec, 2000);
    CHECK_EQ(getitimer(ITIMER_REAL, &old), 0);
    CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
    CHECK_EQ(alarm(100), 0);
    CHECK_EQ(alarm(0), 100);
    CHECK_EQ(alarm(0), 0);
    alarms = 0;
    signal(SIGVTALRM, count);
    v.it_value.tv_usec = 20000;
    CHECK_EQ(setitimer(ITIMER_VIRTUAL, &v, NULL), 0);
    while (!alarms)
        ;
    /* one that comes while the call is not over yet, and no other call is made */
    for (int i = 0; i < 500; i++) {
        alarms = 0;
        v.it_value.tv_usec = 1 + i % 40;
        CHECK_EQ(setitimer(ITIMER_REAL, &v, NULL), 0);
        while (!alarms)
            ;
    }
    v.it_value.tv_usec = 1000000;
    CHECK_ERRNO(setitimer(ITIMER_REAL, &v, NULL), EINVAL);
    CHECK_ERRNO(setitimer(3, &old, NULL), EINVAL);

    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    e.sigev_value.sival_int = 77;
    timer_t t, none;
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &e, &t), 0);
    struct itimerspec s = {{0, 1000000}, {0, 1000000}}, now;
    CHECK_EQ(timer_settime(t, 0, &s, NULL), 0);
    usleep(20000);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQ(info.si_code, SI_TIMER);
    CHECK_EQ(info.si_value.sival_int, 77);
    CHECK(info.si_overrun >= 10);
    CHECK_EQ(timer_getoverrun(t), info.si_overrun);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQ(timer_gettime(t, &now), 0);
    CHECK_EQ(now.it_interval.tv_nsec, 1000000);
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0);
    CHECK_EQ(timer_delete(t), 0);
    CHECK_ERRNO(syscall(SYS_timer_delete, 12345), EINVAL);

    /* One in the past, by the wall clock, comes at once. */
    CHECK_EQ(timer_create(CLOCK_REALTIME, &e, &t), 0);
    s = (struct itimerspec){{0, 0}, {1, 0}};
    while (sigtimedwait(&set, &info, &(struct timespec){0, 0}) > 0)
        ;
    CHECK_EQ(timer_settime(t, TIMER_ABSTIME, &s, NULL), 0);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQ(timer_gettime(t, &now), 0);
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);

    e.sigev_notify = SIGEV_NONE;
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &e, &none), 0);
    s = (struct itimerspec){{0, 0}, {50, 0}};
    CHECK_EQ(timer_settime(none, 0, &s, NULL), 0);
    CHECK_EQ(timer_gettime(none, &now), 0);
    CHECK_EQ(now.it_value.tv_sec, 49);
    /* who is off has no interval */
    const struct itimerspec off = {{5, 0}, {0, 0}};
    CHECK_EQ(timer_settime(none, 0, &off, NULL), 0);
    CHECK_EQ(timer_gettime(none, &now), 0);
    CHECK_EQ(now.it_interval.tv_sec, 0);
    v = (struct itimerval){{5, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_REAL, &v, NULL), 0);
    CHECK_EQ(getitimer(ITIMER_REAL, &old), 0);
    CHECK_EQ(old.it_interval.tv_sec, 0);
    s.it_value.tv_nsec = 1000000000;
    CHECK_ERRNO(timer_settime(none, 0, &s, NULL), EINVAL);
    CHECK_ERRNO(timer_settime(none, 0, NULL, NULL), EINVAL);
    int id;
    CHECK_ERRNO(syscall(SYS_timer_create, 99, NULL, &id), EINVAL);
    CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC_RAW, NULL, &id), EOPNOTSUPP);
    e.sigev_notify = SIGEV_SIGNAL;
    e.sigev_signo = 65;
    CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
    CHECK_ERRNO(syscall(SYS_timer_getoverrun, 12345), EINVAL);
    return check_done();
}
