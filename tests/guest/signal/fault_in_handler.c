/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A fault inside the handler of the same fault kills.
 * cflags: -fno-sanitize=all
 * expect-status: 139
 * expect-stdout: in handler
 */
#include <signal.h>
#include <unistd.h>

static void handler(int sig) {
    (void)sig;
    write(1, "in handler\n", 11);
    *(volatile int *)16 = 1;
}

int main(void) {
    signal(SIGSEGV, handler);
    return *(volatile int *)8;
}
