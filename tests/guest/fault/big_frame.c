/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One frame of 4 MiB whose far end is touched first: the stack area counts,
 * not how near the last touch was.
 * cflags: -fno-sanitize=all -fno-stack-check
 */
#include <stdio.h>

int main(void) {
    volatile char frame[4 << 20];
    frame[0] = 1;
    frame[sizeof frame - 1] = 2;
    printf("%d\n", frame[0] + frame[sizeof frame - 1]);
    return 0;
}
