/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading through NULL: SIGSEGV, reported with the address, the function and
 * the line.
 * tier: quick
 * machines: microvm q35 pc
 * modes: O0 O1
 * cflags: -fno-omit-frame-pointer -fno-sanitize=all
 * expect-status: 139
 * expect-stdout: before
 * expect-stderr-contains: null_read.c:@LINE:here@
 * expect-stderr-contains: read_through
 * expect-stderr-contains: segmentation fault
 */
#include <stdio.h>

__attribute__((noinline)) static int read_through(volatile int *p) {
    return *p; // here
}

int main(void) {
    puts("before");
    fflush(stdout);
    int r = read_through(NULL);
    return r + 1;
}
