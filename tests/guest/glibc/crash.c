/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A crash in a static-PIE: addresses in the report are translated back.
 * cc: gcc -static-pie -fPIE
 * needs: gcc
 * modes: O0
 * expect-status: 139
 * expect-stderr-contains: crash.c:@LINE:here@
 */
#include <stdlib.h>

int main(void) {
    volatile int *p = NULL;
    return *p; // here
}
