/* SPDX-License-Identifier: BSD-3-Clause
 *
 * 100 KB of arguments in few and in many: longer than any command line of a
 * kernel.
 * args: "$(printf %050000d 1)" $(seq 1 9000) "$(printf %020000d 1 | tr 0 %)"
 * timeout: 40
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    uint32_t sum = 1;
    size_t total = 0;
    for (int i = 1; i < argc; i++) {
        for (char *s = argv[i]; *s != 0; s++) {
            sum = sum * 31 + (unsigned char)*s;
        }
        sum = sum * 31;
        total += strlen(argv[i]) + 1;
    }
    printf("%d arguments, %zu bytes, sum %u\n", argc - 1, total, sum);
    return 0;
}
