/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The app of the table: what "hello" means there.
 */
#include <stdio.h>

int main(void) {
    puts("hello, world");
    return 0;
}
