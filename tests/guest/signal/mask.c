/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Blocked signals stay pending, come once, and come when unblocked.
 */
#include <signal.h>
#include <unistd.h>

#include "check.h"

static volatile int got[65];

static void handler(int sig) {
    got[sig]++;
}

int main(void) {
    signal(SIGUSR1, handler);
    signal(SIGUSR2, handler);
    sigset_t set, old, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
    CHECK_EQ(sigismember(&old, SIGUSR1), 0);
    raise(SIGUSR1);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(got[SIGUSR1], 0);
    CHECK_EQ(sigpending(&pending), 0);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
    CHECK_EQ(sigismember(&pending, SIGUSR2), 0);
    raise(SIGUSR2);
    CHECK_EQ(got[SIGUSR2], 1);
    CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
    CHECK(got[SIGUSR1] >= 1);
    CHECK_EQ(sigpending(&pending), 0);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 0);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &old, &set), 0);
    CHECK_ERRNO(sigprocmask(42, &set, NULL), EINVAL);
    /* SIGKILL and SIGSTOP cannot be blocked */
    sigfillset(&set);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &set, NULL), 0);
    CHECK_EQ(sigprocmask(SIG_SETMASK, NULL, &set), 0);
    CHECK_EQ(sigismember(&set, SIGKILL), 0);
    CHECK_EQ(sigismember(&set, SIGSTOP), 0);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    CHECK_EQ(kill(getpid(), 0), 0);
    CHECK_ERRNO(kill(getpid(), 99), EINVAL);
    return check_done();
}
