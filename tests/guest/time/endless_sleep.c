/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The same for a program that only sleeps.
 * native: skip it takes an hour
 * zuk: --timeout 2
 * expect-status: 6
 * expect-stdout: sleeping
 */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    puts("sleeping");
    fflush(stdout);
    sleep(3600);
    return 0;
}
