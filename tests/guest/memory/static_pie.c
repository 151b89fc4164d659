/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A musl static-PIE.
 * cflags: -fPIE -pie
 * modes: O0 O2
 * expect-stdout: relocated
 */
#include <stdio.h>

static int value = 5;
static int *pointer = &value;

int main(void) {
    *pointer = 6;
    puts(value == 6 ? "relocated" : "not relocated");
    return 0;
}
