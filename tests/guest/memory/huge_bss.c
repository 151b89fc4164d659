/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A gigabyte of untouched .bss costs nothing: it runs in 64 MiB.
 * zuk: -m 64M
 */
#include "check.h"

static char big[1UL << 30];

int main(int argc, char **argv) {
    (void)argv;
    volatile char *p = big;
    CHECK_EQ(p[0] | p[(1UL << 29) * argc] | p[sizeof big - 1], 0);
    p[12345678] = 4;
    CHECK_EQ(p[12345678], 4);
    return check_done();
}
