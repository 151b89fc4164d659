/* SPDX-License-Identifier: BSD-3-Clause
 *
 * clock_gettime, clock_getres, clock_nanosleep, nanosleep, gettimeofday, time:
 * which clocks there are, how they go, what is refused.  Nothing here sets a
 * clock; what the setting calls refuse is tried.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define SECOND 1000000000ll

static long long now(int clock) {
    struct timespec t = {-1, -1};
    CHECK_EQ(syscall(SYS_clock_gettime, clock, &t), 0);
    CHECK(t.tv_nsec >= 0 && t.tv_nsec < SECOND);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static const int clocks[] = {CLOCK_REALTIME,          CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
                             CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                             CLOCK_MONOTONIC_COARSE,  CLOCK_BOOTTIME,      CLOCK_TAI};

static void reading(void) {
    struct timespec t;
    for (unsigned i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        long long first = now(clocks[i]);
        CHECK(now(clocks[i]) >= first);
        CHECK_EQ(syscall(SYS_clock_getres, clocks[i], NULL), 0);
        CHECK_EQ(syscall(SYS_clock_getres, clocks[i], &t), 0);
        CHECK(t.tv_sec == 0 && t.tv_nsec >= 1 && t.tv_nsec <= 10000000);
    }
    CHECK_ERRNO(syscall(SYS_clock_gettime, 10, &t), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_gettime, 77, &t), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_gettime, -1, &t), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_getres, 77, &t), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_clock_getres, CLOCK_MONOTONIC, 8), EFAULT);
    clockid_t own;
    CHECK_EQ(clock_getcpuclockid(0, &own), 0);
    CHECK(now(own) > 0);
}

static void wall_clock(void) {
    struct timeval tv;
    struct timezone zone = {99, 99};
    long seconds = 0;
    long long ns = now(CLOCK_REALTIME);
    CHECK(ns / SECOND > 1700000000);
    CHECK_EQ(syscall(SYS_gettimeofday, &tv, &zone), 0);
    CHECK_EQ(zone.tz_minuteswest, 0);
    CHECK(tv.tv_sec * SECOND + tv.tv_usec * 1000 >= ns - 1000);
    CHECK_EQ(syscall(SYS_gettimeofday, NULL, NULL), 0);
    CHECK_ERRNO(syscall(SYS_gettimeofday, 8, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_gettimeofday, NULL, 8), EFAULT);
    long told = syscall(SYS_time, &seconds);
    CHECK_EQ(told, seconds);
    CHECK(told >= tv.tv_sec - 1 && told <= tv.tv_sec + 60);
    CHECK_ERRNO(syscall(SYS_time, 8), EFAULT);
    CHECK(now(CLOCK_TAI) >= ns); /* UTC plus some seconds, where they are known */
}

static void sleeping(void) {
    static const int able[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
    for (unsigned i = 0; i < sizeof able / sizeof able[0]; i++) {
        struct timespec t = {0, 5000000};
        long long start = now(CLOCK_MONOTONIC);
        CHECK_EQ(syscall(SYS_clock_nanosleep, able[i], 0, &t, NULL), 0);
        CHECK(now(CLOCK_MONOTONIC) - start >= 5000000);
        long long until = now(able[i]) + 5000000;
        t = (struct timespec){until / SECOND, until % SECOND};
        CHECK_EQ(syscall(SYS_clock_nanosleep, able[i], TIMER_ABSTIME, &t, NULL), 0);
        CHECK(now(able[i]) >= until);
        t = (struct timespec){1, 0}; /* long past */
        CHECK_EQ(syscall(SYS_clock_nanosleep, able[i], TIMER_ABSTIME, &t, NULL), 0);
    }
    struct timespec t = {0, 20000000}, left = {9, 9};
    long long start = now(CLOCK_MONOTONIC);
    CHECK_EQ(syscall(SYS_nanosleep, &t, &left), 0);
    CHECK(now(CLOCK_MONOTONIC) - start >= 20000000);
    CHECK(left.tv_sec == 9 && left.tv_nsec == 9); /* told only after a signal */
}

static void sleeping_is_refused(void) {
    struct timespec t = {0, 1000000};
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &t, NULL), EOPNOTSUPP);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_REALTIME_COARSE, 0, &t, NULL), EOPNOTSUPP);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_COARSE, 0, &t, NULL), EOPNOTSUPP);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, 77, 0, &t, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, 8, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_nanosleep, 8, NULL), EFAULT);
    t = (struct timespec){-1, 0};
    CHECK_ERRNO(syscall(SYS_nanosleep, &t, NULL), EINVAL);
    t = (struct timespec){0, SECOND};
    CHECK_ERRNO(syscall(SYS_nanosleep, &t, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL), EINVAL);
}

static void setting_is_refused(void) {
    struct timespec t = {0, SECOND};
    struct timeval tv = {-1, 0};
    CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, &t), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &t), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_settime, 77, &t), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_settimeofday, 8, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_settimeofday, &tv, NULL), EINVAL);
    tv = (struct timeval){1000, 1000000};
    CHECK_ERRNO(syscall(SYS_settimeofday, &tv, NULL), EINVAL);
}

/* Last: there is no way back. */
static void only_root_sets(void) {
    struct timespec t = {1000, 0};
    struct timeval tv = {1000, 0};
    if (geteuid() == 0) {
        CHECK_EQ(syscall(SYS_setresuid, 5, 5, 5), 0);
    }
    if (geteuid() == 0) { /* never for real on the host */
        return;
    }
    CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, &t), EPERM);
    CHECK_ERRNO(syscall(SYS_settimeofday, &tv, NULL), EPERM);
}

int main(void) {
    reading();
    wall_clock();
    sleeping();
    sleeping_is_refused();
    setting_is_refused();
    only_root_sets();
    return check_done();
}
