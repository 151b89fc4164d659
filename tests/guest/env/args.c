/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arguments arrive byte for byte: spaces, empty ones, quotes, control and high
 * bytes, percent signs, things that look like kernel options.
 * args: one '' 'two words' "it's" 'a"b' %20 % arg=x strace "$(printf '\1\177\200\377\n')x" -- -m ''
 */
#include <stdio.h>

int main(int argc, char **argv) {
    printf("%d\n", argc);
    for (int i = 1; i < argc; i++) {
        printf("%d:", i);
        for (unsigned char *s = (unsigned char *)argv[i]; *s != 0; s++) {
            printf(" %02x", *s);
        }
        printf("\n");
    }
    printf("%s\n", argv[argc] == NULL ? "NULL" : "more");
    return 0;
}
