/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The environment is what -e gave and nothing else, values byte for byte.
 * env: A=1 EMPTY= 'SPACES=a b  c' 'EQUALS=a=b' 'PERCENT=%41%' "BYTES=$(printf '\001\377')"
 */
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

int main(void) {
    static const char *const names[] = {"A",       "EMPTY", "SPACES", "EQUALS",
                                        "PERCENT", "BYTES", "PATH"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        const char *v = getenv(names[i]);
        printf("%s %s %s\n", names[i], v == NULL ? "-" : "is", v == NULL ? "" : v);
    }
    int n = 0;
    while (environ[n] != NULL) {
        n++;
    }
    printf("%d\n", n);
    return 0;
}
