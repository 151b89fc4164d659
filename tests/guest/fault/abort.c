/* SPDX-License-Identifier: BSD-3-Clause
 *
 * abort: status 134, and the report names the caller.
 * cflags: -fno-omit-frame-pointer
 * expect-status: 134
 * expect-stderr-contains: abort
 * expect-stdout: before
 */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    puts("before");
    fflush(stdout);
    abort();
}
