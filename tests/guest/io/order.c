/* SPDX-License-Identifier: BSD-3-Clause
 *
 * stdout and stderr unbuffered, in turns: each stream's bytes in order.
 * expect-stdout: out 0
 * expect-stdout: out 1
 * expect-stdout: out 2
 * expect-stderr-contains: err 0
 * expect-stderr-contains: err 2
 */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    for (int i = 0; i < 3; i++) {
        dprintf(1, "out %d\n", i);
        dprintf(2, "err %d\n", i);
    }
    return 0;
}
