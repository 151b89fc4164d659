/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Exit status 1 arrives as it is.
 * expect-status: 1
 * expect-stdout: leaving
 * expect-stderr-lacks: zuk:
 */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    puts("leaving");
    exit(1);
}
