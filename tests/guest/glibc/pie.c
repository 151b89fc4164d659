/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A glibc static-PIE relocates itself at a load address that we choose.
 * cc: gcc -static-pie -fPIE
 * needs: gcc
 * modes: O0 O2
 * expect-stdout: relocated
 */
#include <stdio.h>

static int value = 5;
static int *pointer = &value;
static int (*function)(const char *) = puts;

int main(void) {
    *pointer = 6;
    return value == 6 ? function("relocated") < 0 : 1;
}
