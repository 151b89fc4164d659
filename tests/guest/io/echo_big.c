/* SPDX-License-Identifier: BSD-3-Clause
 *
 * 300 KB through stdin to stdout while both pipes are slow; a sum at the end.
 * stdin-from: seq 1 50000
 * timeout: 40
 */
#include <stdint.h>
#include <stdio.h>

int main(void) {
    uint32_t sum = 1;
    int c;
    while ((c = getchar()) != EOF) {
        sum = sum * 31 + (unsigned)c;
        putchar(c);
    }
    printf("sum %u\n", sum);
    return 0;
}
