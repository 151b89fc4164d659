/* SPDX-License-Identifier: BSD-3-Clause
 *
 * clock_settime and settimeofday: the wall clock goes on from there, the
 * monotonic one does not notice.
 * native: skip it would set the host's clock
 * expect-stdout: ok
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static long long monotonic(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int main(void) {
    long long start = monotonic();
    struct timespec t = {1000000000, 123456789};
    CHECK_EQ(syscall(SYS_clock_settime, CLOCK_REALTIME, &t), 0);
    CHECK_EQ(syscall(SYS_clock_gettime, CLOCK_REALTIME, &t), 0);
    CHECK(t.tv_sec >= 1000000000 && t.tv_sec < 1000000010);
    CHECK(t.tv_sec > 1000000000 || t.tv_nsec >= 123456789);
    struct timeval tv = {2000000000, 999999};
    CHECK_EQ(syscall(SYS_settimeofday, &tv, NULL), 0);
    CHECK_EQ(syscall(SYS_gettimeofday, &tv, NULL), 0);
    CHECK(tv.tv_sec >= 2000000000 && tv.tv_sec < 2000000010);
    CHECK(time(NULL) >= 2000000000);
    CHECK(monotonic() >= start && monotonic() - start < 10000000000);
    t = (struct timespec){0, 5000000};
    CHECK_EQ(nanosleep(&t, NULL), 0); /* sleeping goes by the monotonic clock */
    CHECK(time(NULL) < 2000000010);
    return check_done();
}
