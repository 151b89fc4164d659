/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk's stdin is closed: the app sees the end of input, no hang.  (Natively
 * the descriptor would be bad.)
 * stdin: closed
 * native: skip a closed descriptor stays closed there
 * expect-stdout: 0
 */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    char c;
    printf("%ld\n", (long)read(0, &c, 1));
    return 0;
}
