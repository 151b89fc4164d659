/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A handler without an alternate stack cannot take a stack overflow: the
 * signal kills, and the report still says stack overflow.
 * cflags: -fno-sanitize=all -fno-omit-frame-pointer
 * timeout: 40
 * zuk: -m 128M
 * expect-status: 139
 * expect-stdout: before
 * expect-stderr-contains: stack overflow
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void handler(int sig) {
    (void)sig;
    write(1, "handler\n", 8);
    _exit(1);
}

__attribute__((noinline)) static int descend(volatile int *depth) {
    volatile char frame[500];
    frame[0] = (char)++*depth;
    return descend(depth) + frame[0];
}

int main(void) {
    puts("before");
    fflush(stdout);
    signal(SIGSEGV, handler);
    volatile int depth = 0;
    return descend(&depth);
}
