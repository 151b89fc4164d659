/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --timeout ends a program that never ends: status 6 and a sentence; what it
 * wrote before is there.
 * native: skip it never ends
 * zuk: --timeout 2
 * expect-status: 6
 * expect-stdout: spinning
 * expect-stderr-contains: 2
 */
#include <stdio.h>

int main(void) {
    puts("spinning");
    fflush(stdout);
    for (;;) {
        __asm__ volatile("");
    }
}
