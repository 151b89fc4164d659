/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An app may close stdout and go on; its status still arrives.
 * expect-status: 6
 * expect-stdout: before
 */
#include <unistd.h>

int main(void) {
    write(1, "before\n", 7);
    close(1);
    close(2);
    write(1, "lost\n", 5);
    return 6;
}
