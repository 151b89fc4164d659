/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Extended attributes where there are none (/proc, as it is on Linux too):
 * what is said, and in which order arguments are checked.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check.h"

#define F "/proc/self/status"

int main(void) {
    char b[64], name[300];
    int fd = open(F, O_RDONLY), path = open(F, O_PATH);
    memset(name, 'n', sizeof name);
    memcpy(name, "user.", 5);
    name[256] = 0;
    CHECK_ERRNO(setxattr(F, "user.x", "v", 1, 0), EOPNOTSUPP);
    CHECK_ERRNO(lsetxattr(F, "user.x", "v", 1, 0), EOPNOTSUPP);
    CHECK_ERRNO(fsetxattr(fd, "user.x", "v", 1, 0), EOPNOTSUPP);
    CHECK_ERRNO(getxattr(F, "user.x", b, 64), EOPNOTSUPP);
    CHECK_ERRNO(lgetxattr(F, "user.x", b, 64), EOPNOTSUPP);
    CHECK_ERRNO(fgetxattr(fd, "user.x", b, 64), EOPNOTSUPP);
    CHECK_EQ(listxattr(F, b, 64), 0);
    CHECK_EQ(llistxattr(F, b, 64), 0);
    CHECK_EQ(flistxattr(fd, b, 64), 0);
    CHECK_ERRNO(removexattr(F, "user.x"), EOPNOTSUPP);
    CHECK_ERRNO(lremovexattr(F, "user.x"), EOPNOTSUPP);
    CHECK_ERRNO(fremovexattr(fd, "user.x"), EOPNOTSUPP);
    CHECK_ERRNO(setxattr(F, "", "v", 1, 0), ERANGE);
    CHECK_ERRNO(setxattr(F, name, "v", 1, 0), ERANGE);
    CHECK_ERRNO(setxattr(F, "user.x", "v", 65537, 0), E2BIG);
    CHECK_ERRNO(setxattr(F, "user.x", (void *)8, 1, 0), EFAULT);
    CHECK_ERRNO(setxattr(F, "user.x", "v", 1, 4), EINVAL);
    CHECK_ERRNO(setxattr("/none", "user.x", "v", 1, 0), ENOENT);
    CHECK_ERRNO(getxattr("/none", "user.x", b, 64), ENOENT);
    CHECK_ERRNO(getxattr(F, "", b, 64), ERANGE);
    CHECK_ERRNO(getxattr(F, (void *)8, b, 64), EFAULT);
    CHECK_ERRNO(listxattr("/none", b, 64), ENOENT);
    CHECK_ERRNO(removexattr("/none", "user.x"), ENOENT);
    CHECK_ERRNO(fgetxattr(-1, "user.x", b, 64), EBADF);
    CHECK_ERRNO(fgetxattr(path, "user.x", b, 64), EBADF);
    CHECK_ERRNO(flistxattr(-1, b, 64), EBADF);
    return check_done();
}
