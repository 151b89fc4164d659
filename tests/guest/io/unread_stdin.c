/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An app that never reads its stdin ends all the same.
 * stdin-from: seq 1 200000
 * expect-stdout: done
 * native: skip the writer gets SIGPIPE there
 */
#include <stdio.h>

int main(void) {
    puts("done");
    return 0;
}
