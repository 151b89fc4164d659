/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a handler is told of a raised signal: number, code, sender.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <unistd.h>

#include "check.h"

static volatile int sig_seen, code_seen, pid_seen;

static void handler(int sig, siginfo_t *info, void *context) {
    (void)context;
    sig_seen = sig;
    code_seen = info->si_code;
    pid_seen = info->si_pid;
}

int main(void) {
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    for (int s = 1; s < 32; s++) {
        if (s == SIGKILL || s == SIGSTOP) {
            continue;
        }
        CHECK_EQ(sigaction(s, &a, NULL), 0);
        CHECK_EQ(raise(s), 0);
        CHECK_EQ(sig_seen, s);
        CHECK_EQ(code_seen, SI_TKILL);
        CHECK_EQ(pid_seen, getpid());
        CHECK_EQ(kill(getpid(), s), 0);
        CHECK_EQ(code_seen, SI_USER);
    }
    return check_done();
}
