/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Endless recursion: the report says stack overflow, not just a fault.
 * tier: quick
 * modes: O0 O1
 * cflags: -fno-omit-frame-pointer -fno-sanitize=all
 * machines: microvm q35 pc
 * timeout: 40
 * zuk: -m 128M
 * expect-status: 139
 * expect-stdout: before
 * expect-stderr-contains: stack overflow
 * expect-stderr-contains: descend
 * isolate: test
 */
#include <stdio.h>

__attribute__((noinline)) static int descend(volatile int *depth) {
    volatile char frame[200];
    frame[0] = (char)++*depth;
    return descend(depth) + frame[0];
}

int main(void) {
    puts("before");
    fflush(stdout);
    volatile int depth = 0;
    return descend(&depth);
}
