/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An undefined data symbol: its first touch reports its name and the line.
 * input: archive
 * native: skip it does not link
 * modes: O0 O1
 * expect-status: 3
 * expect-stdout: before
 * expect-stderr-contains: shared_counter
 * expect-stderr-contains: data.c:@LINE:here@
 */
#include <stdio.h>

extern volatile int shared_counter;

int main(void) {
    puts("before");
    fflush(stdout);
    int n = shared_counter; // here
    printf("%d\n", n);
    return 0;
}
