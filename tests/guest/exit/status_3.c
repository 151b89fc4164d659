/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Exit status 3 arrives as it is, though zuk has a meaning of its own for it:
 * no report comes with it.
 * expect-status: 3
 * expect-stdout: leaving
 * expect-stderr-lacks: zuk:
 */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    puts("leaving");
    exit(3);
}
