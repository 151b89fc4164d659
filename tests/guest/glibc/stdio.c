/* SPDX-License-Identifier: BSD-3-Clause
 *
 * glibc's buffered input and output, scanf, atexit, abort-free.
 * cc: gcc -static
 * needs: gcc
 * stdin: 1 2 3\nlast line
 */
#include <stdio.h>

int main(void) {
    int a, b, c;
    char line[64] = "";
    int n = scanf("%d %d %d ", &a, &b, &c);
    if (fgets(line, sizeof line, stdin) == NULL) {
        return 1;
    }
    printf("%d %d %s\n", n, a + b + c, line);
    fprintf(stderr, "to stderr\n");
    return 0;
}
