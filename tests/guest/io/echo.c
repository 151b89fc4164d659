/* SPDX-License-Identifier: BSD-3-Clause
 *
 * stdin arrives exactly and ends; read after the end gives 0 again.
 * tier: quick
 * machines: microvm q35 pc
 * stdin: first line\nsecond \001\000\377 line\nno newline
 * isolate: test
 */
#include <unistd.h>

#include "check.h"

int main(void) {
    char b[64];
    long n, total = 0;
    while ((n = read(0, b, sizeof b)) > 0) {
        write(1, b, n);
        total += n;
    }
    CHECK_EQ(n, 0);
    CHECK_EQ(read(0, b, sizeof b), 0);
    printf("\n%ld bytes\n", total);
    return check_done();
}
