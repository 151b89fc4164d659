/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fgets and scanf read what is there; a read smaller than the input leaves the
 * rest.
 * stdin: 12 34\nrest of it\n
 */
#include <stdio.h>

int main(void) {
    int a, b;
    char line[100];
    if (scanf("%d %d\n", &a, &b) != 2) {
        return 1;
    }
    printf("%d\n", a + b);
    if (fgets(line, sizeof line, stdin) == NULL) {
        return 2;
    }
    printf("%s", line);
    printf("%s\n", fgets(line, sizeof line, stdin) == NULL && feof(stdin) ? "end" : "more");
    return 0;
}
