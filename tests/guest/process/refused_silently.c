/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The policy of a refused call can be changed as any other's.
 * native: skip Linux has more than one process
 * zuk: --missing fork=enosys --missing execve=ignore
 * expect-stdout: fork -1 38, execve 0
 * expect-stderr-lacks: warning
 */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    long pid = syscall(SYS_fork);
    int error = errno;
    printf("fork %ld %d, execve %ld\n", pid, error, syscall(SYS_execve, "/x", NULL, NULL));
    return 0;
}
