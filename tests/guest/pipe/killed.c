/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who writes where nobody reads is ended by SIGPIPE.
 *
 *   expect-status: 141
 *   expect-stdout: before
 *   native: status 141
 */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    int p[2];
    if (pipe(p))
        return 1;
    close(p[0]);
    printf("before\n");
    fflush(stdout);
    write(p[1], "x", 1);
    printf("after\n");
    return 0;
}
