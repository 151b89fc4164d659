/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The crash report lists the last system calls with their results.
 * cflags: -fno-sanitize=all
 * expect-status: 139
 * expect-stderr-contains: getppid
 * expect-stderr-contains: EBADF
 */
#include <unistd.h>

int main(void) {
    getppid();
    close(77);
    return *(volatile int *)4;
}
