/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A static glibc program: IRELATIVE relocations choose AVX versions of the
 * string functions; stdio, locale and malloc start up.
 * tier: quick
 * cc: gcc -static
 * modes: O0 O2
 * machines: microvm q35 pc
 * needs: gcc
 * args: a 'b c'
 * isolate: test
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    char *copy = strdup(argv[argc - 1]);
    char buffer[1000];
    memset(buffer, 'x', sizeof buffer);
    buffer[999] = 0;
    printf("%d %s %zu %s\n", argc, copy, strlen(buffer),
           strchr(buffer, 'y') == NULL ? "no" : "yes");
    printf("%.3f %s\n", strtod("2.5", NULL) * 2, strstr("haystack", "st"));
    free(copy);
    return 7 - 7;
}
