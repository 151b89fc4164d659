/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Descriptors: dup, dup2, close, fcntl and their errors, as Linux has them.
 */
#include <fcntl.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    int a = dup(1);
    CHECK_EQ(a, 3);
    CHECK_EQ(write(a, "through dup\n", 12), 12);
    CHECK_EQ(dup2(a, 7), 7);
    CHECK_EQ(close(a), 0);
    CHECK_EQ(write(7, "through dup2\n", 13), 13);
    CHECK_ERRNO(write(a, "x", 1), EBADF);
    CHECK_ERRNO(close(a), EBADF);
    CHECK_ERRNO(read(-1, &a, 1), EBADF);
    CHECK_EQ(dup2(7, 7), 7);
    CHECK_ERRNO(dup2(50, 51), EBADF);
    CHECK_EQ(fcntl(7, F_GETFD), 0);
    CHECK_EQ(fcntl(7, F_SETFD, FD_CLOEXEC), 0);
    CHECK_EQ(fcntl(7, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(7, F_DUPFD, 20), 20);
    CHECK_EQ(fcntl(7, F_DUPFD_CLOEXEC, 20), 21);
    CHECK_EQ(fcntl(21, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(20, F_GETFD), 0);
    CHECK_ERRNO(fcntl(22, F_GETFD), EBADF);
    CHECK_EQ(dup3(7, 30, O_CLOEXEC), 30);
    CHECK_ERRNO(dup3(7, 7, 0), EINVAL);
    CHECK_EQ(close(0), 0);
    CHECK_EQ(dup(1), 0); /* the lowest free number */
    CHECK_ERRNO(lseek(1, 0, SEEK_CUR), ESPIPE);
    return check_done();
}
