/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hello from C: compiled to an archive (see the Makefile), booted by
 *
 *     make -C examples/hello-c
 *     build/zuk run examples/hello-c/libhello.a -- one two
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    printf("Hello from C!\n");
    for (int i = 1; i < argc; i++) {
        printf("  argument %d is '%s'\n", i, argv[i]);
    }
    const char *user = getenv("USER");
    fflush(stdout);
    fprintf(stderr, "USER is %s (give one with -e USER=you)\n", user == NULL ? "not set" : user);
    return 0;
}
