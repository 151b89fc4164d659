/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Seven megabytes of stack are there without asking: Linux gives eight.
 * cflags: -fno-sanitize=all
 * isolate: test
 */
#include <stdio.h>

__attribute__((noinline)) static long descend(int depth) {
    volatile char frame[1000];
    frame[500] = (char)depth;
    long r = depth == 0 ? 0 : descend(depth - 1);
    return r + (frame[500] == (char)depth);
}

int main(void) {
    printf("%ld\n", descend(7000));
    return 0;
}
