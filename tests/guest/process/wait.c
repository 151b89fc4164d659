/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Waiting without children: what is wrong with the arguments comes first, then
 * ECHILD; waitid clears what it would have filled in.
 * expect-stdout: ok
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define P_PIDFD_ 3

int main(void) {
    int status = 77;
    CHECK_ERRNO(wait(&status), ECHILD);
    CHECK_ERRNO(waitpid(-1, NULL, WNOHANG), ECHILD);
    CHECK_ERRNO(waitpid(1234567, &status, 0), ECHILD);
    CHECK_ERRNO(waitpid(getpid(), &status, 0), ECHILD);
    CHECK(status == 77);
    CHECK_ERRNO(syscall(SYS_wait4, INT_MIN, NULL, 0, NULL), ESRCH);
    CHECK_ERRNO(syscall(SYS_wait4, -1, NULL, 0x10, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_wait4, -1, (void *)1, 0, (void *)1), ECHILD);

    siginfo_t info;
    memset(&info, 0xaa, sizeof info);
    CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
    CHECK(info.si_signo == 0 && info.si_errno == 0 && info.si_code == 0);
    CHECK(info.si_pid == 0 && info.si_uid == 0 && info.si_status == 0);
    memset(&info, 0xaa, sizeof info);
    CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
    CHECK(info.si_signo == 0);
    CHECK_ERRNO(waitid(P_PID, 1234567, NULL, WEXITED | WNOHANG), ECHILD);
    CHECK_ERRNO(waitid(P_PID, 0, NULL, WEXITED), EINVAL);
    CHECK_ERRNO(syscall(SYS_waitid, P_PGID, -1, NULL, WEXITED, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_waitid, P_PIDFD_, 77, NULL, WEXITED, NULL), EBADF);
    CHECK_ERRNO(syscall(SYS_waitid, P_PIDFD_, -1, NULL, WEXITED, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_waitid, 9, 0, NULL, WEXITED, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_waitid, P_ALL, 0, NULL, WEXITED | 0x40, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_waitid, P_ALL, 0, (void *)8, WEXITED, NULL), EFAULT);
    return check_done();
}
