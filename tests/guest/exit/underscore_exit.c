/* SPDX-License-Identifier: BSD-3-Clause
 *
 * _exit leaves buffered output unwritten.
 * expect-status: 9
 * expect-stdout: written
 */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    write(1, "written\n", 8);
    setvbuf(stdout, NULL, _IOFBF, 1024);
    printf("never seen");
    _exit(9);
}
