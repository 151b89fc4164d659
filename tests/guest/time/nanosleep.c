/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sleeping takes at least the time asked for and not ten times as long; bad
 * values are refused.
 * machines: microvm q35 pc
 */
#include <time.h>
#include <unistd.h>

#include "check.h"

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
    static const long ns[] = {0, 1, 1000, 100000, 1000000, 20000000, 150000000};
    for (unsigned i = 0; i < sizeof ns / sizeof *ns; i++) {
        struct timespec t = {0, ns[i]};
        long long start = now();
        CHECK_EQ(nanosleep(&t, NULL), 0);
        long long took = now() - start;
        CHECK(took >= ns[i]);
        CHECK(took < ns[i] * 10 + 500000000);
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 30000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
    CHECK(now() >= until.tv_sec * 1000000000LL + until.tv_nsec);
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){0, 5}, NULL), 0);
    CHECK_ERRNO(nanosleep(&(struct timespec){0, 1000000000}, NULL), EINVAL);
    CHECK_ERRNO(nanosleep(&(struct timespec){-1, 0}, NULL), EINVAL);
    CHECK_ERRNO(nanosleep(&(struct timespec){0, -1}, NULL), EINVAL);
    CHECK_EQ(usleep(1000), 0);
    CHECK_EQ(sleep(0), 0);
    return check_done();
}
