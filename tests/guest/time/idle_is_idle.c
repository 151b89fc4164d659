/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A sleeping guest uses no host time worth speaking of: the process clock does
 * not run while it sleeps.
 */
#include <time.h>
#include <unistd.h>

#include "check.h"

static long long now(clockid_t c) {
    struct timespec t;
    clock_gettime(c, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
    long long wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    usleep(300000);
    wall = now(CLOCK_MONOTONIC) - wall;
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    CHECK(wall >= 300000000);
    CHECK(cpu >= 0 && cpu < wall / 2);
    return check_done();
}
