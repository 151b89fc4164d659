/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An archive with everything in it, on every machine: the plain case.
 * tier: quick
 * input: archive
 * machines: microvm q35 pc
 * args: x 'y z'
 * expect-status: 3
 * expect-stdout: 3 y z
 * expect-stderr-lacks: zuk: warning
 */
#include <stdio.h>

int main(int argc, char **argv) {
    printf("%d %s\n", argc, argc == 3 ? argv[2] : "");
    return argc;
}
