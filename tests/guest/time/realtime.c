/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The wall clock is within five seconds of the host's, which comes as the
 * argument; time(), gettimeofday() and clock_gettime() agree.
 * args: "$(date +%s)"
 * machines: microvm q35 pc
 */
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "check.h"

int main(int argc, char **argv) {
    long host = argc > 1 ? atol(argv[1]) : 0;
    struct timespec t;
    struct timeval v;
    CHECK_EQ(clock_gettime(CLOCK_REALTIME, &t), 0);
    CHECK_EQ(gettimeofday(&v, NULL), 0);
    CHECK(v.tv_sec - t.tv_sec <= 1);
    CHECK(time(NULL) - t.tv_sec <= 1);
    long off = (long)t.tv_sec - host;
    if (off < -5 || off > 90) { /* the build of other tests may lie between */
        printf("off by %ld s\n", off);
        return 1;
    }
    return check_done();
}
