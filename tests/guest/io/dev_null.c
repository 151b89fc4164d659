/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /dev/null and its like.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    char b[8] = "abcdefg";
    int fd = open("/dev/null", O_RDWR);
    CHECK_EQ(fd, 3);
    CHECK_EQ(write(fd, b, 8), 8);
    CHECK_EQ(read(fd, b, 8), 0);
    struct stat st;
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(S_ISCHR(st.st_mode));
    CHECK_EQ(close(fd), 0);
    fd = open("/dev/zero", O_RDONLY);
    CHECK_EQ(fd, 3);
    CHECK_EQ(read(fd, b, 8), 8);
    CHECK_EQ(b[0] | b[7], 0);
    CHECK_EQ(close(fd), 0);
    CHECK_ERRNO(open("/no/such/file", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/dev/null/x", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(open((char *)8, O_RDONLY), EFAULT);
    return check_done();
}
