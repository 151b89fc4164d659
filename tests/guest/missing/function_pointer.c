/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The missing function's address is taken and called through a pointer.
 * input: archive
 * native: skip it does not link
 * expect-status: 3
 * expect-stdout: before
 * expect-stderr-contains: handler_from_afar
 */
#include <stdio.h>

void handler_from_afar(int);

static void (*volatile table[2])(int) = {NULL, handler_from_afar};

int main(int argc, char **argv) {
    (void)argv;
    puts("before");
    fflush(stdout);
    table[argc](5);
    return 0;
}
