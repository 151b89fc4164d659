/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --missing fork=trap: the stack of the one that forked, and the end.
 * native: skip Linux has more than one process
 * zuk: --missing fork=trap
 * cflags: -fno-omit-frame-pointer
 * expect-status: 3
 * expect-stderr-contains: system call fork (57) is not provided
 * expect-stderr-contains: trapped.c:@LINE:here@
 */
#include <unistd.h>

int main(void) {
    return fork() == 0; // here
}
