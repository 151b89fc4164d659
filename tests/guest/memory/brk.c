/* SPDX-License-Identifier: BSD-3-Clause
 *
 * brk: grows, shrinks, zeros what comes back, refuses nonsense.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static char *raw_brk(void *p) {
    return (char *)syscall(SYS_brk, p);
}

int main(void) {
    char *start = raw_brk(0);
    CHECK(start != NULL);
    CHECK(raw_brk(start + 100000) == start + 100000);
    for (int i = 0; i < 100000; i++) {
        CHECK_EQ(start[i], 0);
        start[i] = 'x';
    }
    CHECK(raw_brk(start + 10) == start + 10);
    CHECK_EQ(start[5], 'x');
    CHECK(raw_brk(start + 100000) == start + 100000);
    CHECK_EQ(start[99999], 0);
    CHECK(raw_brk((void *)8) == start + 100000);
    CHECK(raw_brk((void *)-4096) == start + 100000);
    CHECK(raw_brk(start) == start);
    CHECK(raw_brk(start - 1) == start);
    return check_done();
}
