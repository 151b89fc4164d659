/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The monotonic clock moves forwards, in small steps, and never back.
 */
#include <time.h>

#include "check.h"

static long long now(clockid_t c) {
    struct timespec t;
    if (clock_gettime(c, &t) != 0 || t.tv_nsec < 0 || t.tv_nsec >= 1000000000) {
        return -1;
    }
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
    static const clockid_t clocks[] = {CLOCK_MONOTONIC,          CLOCK_REALTIME,
                                       CLOCK_BOOTTIME,           CLOCK_MONOTONIC_RAW,
                                       CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
                                       CLOCK_MONOTONIC_COARSE,   CLOCK_REALTIME_COARSE};
    for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        long long last = now(clocks[i]), first = last;
        CHECK(first >= 0);
        for (int j = 0; j < 20000; j++) {
            long long t = now(clocks[i]);
            CHECK(t >= last);
            last = t;
        }
        struct timespec r;
        CHECK_EQ(clock_getres(clocks[i], &r), 0);
        CHECK(r.tv_sec == 0 && r.tv_nsec >= 1 && r.tv_nsec <= 10000000);
    }
    long long t = now(CLOCK_MONOTONIC);
    for (int j = 0; j < 1000000 && now(CLOCK_MONOTONIC) == t; j++) {
    }
    CHECK(now(CLOCK_MONOTONIC) > t);
    struct timespec r;
    CHECK_ERRNO(clock_gettime(77, &r), EINVAL);
    CHECK_ERRNO(clock_getres(77, &r), EINVAL);
    CHECK_EQ(clock_getres(CLOCK_REALTIME, NULL), 0);
    return check_done();
}
