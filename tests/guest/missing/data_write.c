/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The same by a write, at an offset into the missing array.
 * input: archive
 * native: skip it does not link
 * expect-status: 3
 * expect-stdout: before
 * expect-stderr-contains: shared_table
 */
#include <stdio.h>

extern volatile long shared_table[64];

int main(int argc, char **argv) {
    (void)argv;
    puts("before");
    fflush(stdout);
    shared_table[argc + 9] = 5;
    return 0;
}
