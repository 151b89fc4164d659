/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A fault whose signal is blocked kills all the same: no endless loop.
 * cflags: -fno-sanitize=all
 * expect-status: 139
 * expect-stdout: before
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void handler(int sig) {
    (void)sig;
    _exit(1);
}

int main(void) {
    puts("before");
    fflush(stdout);
    signal(SIGSEGV, handler);
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    return *(volatile int *)8;
}
