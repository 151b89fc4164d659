/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A program of one thread that looks for completions without a system call: they
 * come, also those that are due while io_uring_enter is still on its way out.
 * isolate: test
 */
#include <errno.h>
#include <time.h>

#include "check.h"
#include "ring.h"

enum { ROUNDS = 500 };

int main(void) {
    struct ring r;
    ring_open(&r, 8, 0);
    for (int i = 0; i < ROUNDS && !check_failures; i++) {
        struct timespec soon = {0, 1000 + i % 40 * 1000};
        add(&r, TIMEOUT, -1, &soon, 1, 0);
        CHECK_EQ(enter(&r, 1, 0), 1);
        while (!available(&r))
            ;
        CHECK_EQ(next(&r).res, -ETIME);
    }
    return check_done();
}
