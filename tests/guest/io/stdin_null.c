/* SPDX-License-Identifier: BSD-3-Clause
 *
 * stdin is /dev/null: the end comes at once.
 * expect-stdout: 0
 */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    char c;
    printf("%ld\n", (long)read(0, &c, 1));
    return 0;
}
