/* SPDX-License-Identifier: BSD-3-Clause
 *
 * dup, dup2, dup3, close_range, and fcntl on descriptors: numbers, close on
 * exec, what copies share.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4 }; /* linux/close_range.h */

static void numbers(void) {
    int a = dup(1), b = dup(1);
    CHECK_EQ(a, 3); /* always the lowest that is free */
    CHECK_EQ(b, 4);
    CHECK_EQ(close(a), 0);
    CHECK_EQ(dup(1), a);
    CHECK_EQ(dup2(1, 20), 20);
    CHECK_EQ(dup2(1, 20), 20); /* replaces */
    CHECK_EQ(dup2(20, 20), 20);
    CHECK_EQ(close(20), 0);
    CHECK_ERRNO(close(20), EBADF);
    CHECK_ERRNO(dup2(20, 20), EBADF);
    CHECK_ERRNO(dup(20), EBADF);
    CHECK_ERRNO(dup2(20, 3), EBADF);
    CHECK_EQ(fcntl(3, F_GETFD), 0); /* 3 was not closed for nothing */
    CHECK_ERRNO(dup2(1, -1), EBADF);
    CHECK_ERRNO(dup2(1, 1 << 30), EBADF);
    CHECK_ERRNO(dup(-1), EBADF);
    CHECK_EQ(fcntl(1, F_DUPFD, 10), 10);
    CHECK_EQ(fcntl(1, F_DUPFD, 10), 11);
    CHECK_ERRNO(fcntl(1, F_DUPFD, -1), EINVAL);
    CHECK_ERRNO(fcntl(1, F_DUPFD, 1 << 30), EINVAL);
    CHECK_ERRNO(fcntl(20, F_DUPFD, 0), EBADF);
    CHECK_ERRNO(syscall(SYS_dup3, 1, 1, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_dup3, 1, 5, 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_dup3, 20, 5, 0), EBADF);
}

static void close_on_exec(void) {
    CHECK_EQ(syscall(SYS_dup3, 1, 30, O_CLOEXEC), 30);
    CHECK_EQ(fcntl(30, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(30, F_DUPFD_CLOEXEC, 31), 31);
    CHECK_EQ(fcntl(31, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(dup2(30, 32), 32);
    CHECK_EQ(fcntl(32, F_GETFD), 0); /* of the descriptor, not of the file */
    CHECK_EQ(fcntl(32, F_SETFD, FD_CLOEXEC), 0);
    CHECK_EQ(fcntl(32, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(ioctl(32, FIONCLEX), 0);
    CHECK_EQ(fcntl(32, F_GETFD), 0);
    CHECK_EQ(ioctl(32, FIOCLEX), 0);
    CHECK_EQ(fcntl(32, F_GETFD), FD_CLOEXEC);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_CLOEXEC, 0);
    CHECK_EQ(close(fd), 0);
    CHECK_ERRNO(fcntl(99, F_GETFD), EBADF);
    CHECK_ERRNO(fcntl(1, 999), EINVAL);
}

static void copies_share_flags(void) {
    int fd = open("/dev/null", O_RDWR), copy = dup(fd);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND | O_WRONLY), 0);
    CHECK_EQ(fcntl(copy, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_EQ(fcntl(copy, F_GETFL) & O_APPEND, O_APPEND);
    CHECK_EQ(fcntl(copy, F_GETFL) & O_ACCMODE, O_RDWR); /* the mode never changes */
    CHECK_EQ(fcntl(copy, F_SETFL, 0), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_APPEND), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(write(copy, "x", 1), 1); /* the copy stays open */
    CHECK_EQ(close(copy), 0);
}

static long range(unsigned first, unsigned last, unsigned flags) {
    return syscall(SYS_close_range, first, last, flags);
}

static void ranges(void) {
    CHECK_EQ(range(3, ~0u, 0), 0); /* all but the streams */
    CHECK_ERRNO(fcntl(3, F_GETFD), EBADF);
    CHECK_ERRNO(fcntl(32, F_GETFD), EBADF);
    CHECK_EQ(fcntl(1, F_GETFD), 0);
    for (int fd = 10; fd < 15; fd++) {
        CHECK_EQ(dup2(1, fd), fd);
    }
    CHECK_EQ(range(11, 12, 0), 0);
    CHECK_EQ(fcntl(10, F_GETFD), 0);
    CHECK_ERRNO(fcntl(11, F_GETFD), EBADF);
    CHECK_ERRNO(fcntl(12, F_GETFD), EBADF);
    CHECK_EQ(fcntl(13, F_GETFD), 0);
    CHECK_EQ(range(13, 13, CLOSE_RANGE_CLOEXEC), 0);
    CHECK_EQ(fcntl(13, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(14, F_GETFD), 0);
    CHECK_EQ(range(5000, 6000, 0), 0); /* where nothing is */
    CHECK_ERRNO(range(6, 5, 0), EINVAL);
    CHECK_ERRNO(range(3, 4, 1), EINVAL);
    CHECK_EQ(range(3, 1000, CLOSE_RANGE_UNSHARE), 0);
    CHECK_ERRNO(fcntl(14, F_GETFD), EBADF);
}

int main(void) {
    numbers();
    close_on_exec();
    copies_share_flags();
    ranges();
    return check_done();
}
