/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The C program of the matrix, compiled by each Zig's `zig cc`.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local int counter = 40;

int main(int argc, char **argv) {
    counter += 2;
    char *copy = malloc(100000);
    volatile double x = 2;
    printf("c: %d %s %.3f %s\n", counter, argc > 1 ? argv[1] : "-", sqrt(x),
           copy != NULL ? "ok" : "no");
    fflush(stdout);
    fprintf(stderr, "to stderr: %d\n", counter);
    free(copy);
    return 17;
}
