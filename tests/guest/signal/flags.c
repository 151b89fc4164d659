/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SA_RESETHAND, SA_NODEFER, sa_mask, what sigaction gives back.
 */
#include <signal.h>

#include "check.h"

static volatile int depth, most, count, masked;

static void handler(int sig) {
    count++;
    depth++;
    if (depth > most) {
        most = depth;
    }
    if (depth < 3 && count < 5) {
        raise(sig);
    }
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    masked = sigismember(&now, sig) + 2 * sigismember(&now, SIGUSR2);
    depth--;
}

int main(void) {
    struct sigaction a = {.sa_handler = handler}, old;
    CHECK_EQ(sigaction(SIGUSR1, &a, NULL), 0);
    raise(SIGUSR1); /* inside, SIGUSR1 is blocked: the raised one comes after */
    CHECK_EQ(most, 1);
    CHECK(count > 1);
    CHECK_EQ(masked & 1, 1);
    depth = most = count = 0;
    a.sa_flags = SA_NODEFER;
    sigaddset(&a.sa_mask, SIGUSR2);
    CHECK_EQ(sigaction(SIGUSR1, &a, &old), 0);
    CHECK(old.sa_handler == handler);
    CHECK_EQ(old.sa_flags & SA_NODEFER, 0);
    raise(SIGUSR1);
    CHECK_EQ(most, 3);
    CHECK_EQ(count, 3);
    CHECK_EQ(masked, 2);
    a.sa_flags = SA_RESETHAND;
    CHECK_EQ(sigaction(SIGUSR1, &a, NULL), 0);
    depth = 5; /* no raise inside */
    raise(SIGUSR1);
    CHECK_EQ(sigaction(SIGUSR1, NULL, &old), 0);
    CHECK(old.sa_handler == SIG_DFL);
    a.sa_flags = 0;
    CHECK_ERRNO(sigaction(SIGKILL, &a, NULL), EINVAL);
    CHECK_ERRNO(sigaction(SIGSTOP, &a, NULL), EINVAL);
    CHECK_ERRNO(sigaction(65, &a, NULL), EINVAL);
    CHECK(signal(SIGUSR1, SIG_IGN) == SIG_DFL);
    raise(SIGUSR1);
    raise(SIGCHLD); /* ignored by default */
    return check_done();
}
