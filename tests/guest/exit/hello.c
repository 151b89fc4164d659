/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The smallest program that people try first, on every machine.
 * tier: quick
 * machines: microvm q35 pc
 * modes: O0 O2 Os
 * expect-stdout: hello, world
 * expect-stderr-lacks: zuk:
 * isolate: test
 */
#include <stdio.h>

int main(void) {
    printf("hello, world\n");
    return 0;
}
