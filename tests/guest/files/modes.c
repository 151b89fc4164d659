/* SPDX-License-Identifier: BSD-3-Clause
 *
 * umask, chmod, fchmod, fchmodat, fchmodat2; chown, lchown, fchown, fchownat.
 * Owners are changed only where the test runs as root.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "check.h"
#include "scratch.h"

static void masks(void) {
    CHECK_EQ(umask(077), 022);
    CHECK_EQ(close(creat("private", 0666)), 0);
    CHECK_EQ(scratch_mode("private"), S_IFREG | 0600);
    CHECK_EQ(mkdir("dir", 0777), 0);
    CHECK_EQ(scratch_mode("dir"), S_IFDIR | 0700);
    CHECK_EQ(umask(07022), 077);
    CHECK_EQ(umask(022), 022); /* only the nine bits count */
}

static void modes(void) {
    scratch_file("file", "text");
    CHECK_EQ(symlink("file", "link"), 0);
    CHECK_EQ(chmod("file", 04711), 0);
    CHECK_EQ(scratch_mode("file"), S_IFREG | 04711);
    CHECK_EQ(chmod("link", 0600), 0); /* what it leads to */
    CHECK_EQ(scratch_mode("file"), S_IFREG | 0600);
    CHECK_EQ(scratch_mode("link"), S_IFLNK | 0777);
    CHECK_EQ(chmod("dir", 0500), 0);
    CHECK_EQ(scratch_mode("dir"), S_IFDIR | 0500);
    CHECK_EQ(chmod("dir", 0755), 0);
    CHECK_ERRNO(chmod("nope", 0), ENOENT);
    CHECK_ERRNO(chmod("file/x", 0), ENOTDIR);
    CHECK_ERRNO(chmod((const char *)8, 0), EFAULT);
    int fd = open("file", O_RDONLY);
    CHECK_EQ(fchmod(fd, 0640), 0);
    CHECK_EQ(scratch_mode("file"), S_IFREG | 0640);
    CHECK_ERRNO(fchmod(99, 0), EBADF);
    CHECK_EQ(close(fd), 0);
    int dir = open(".", O_RDONLY);
    CHECK_EQ(fchmodat(dir, "file", 0444, 0), 0);
    CHECK_EQ(scratch_mode("file"), S_IFREG | 0444);
    CHECK_ERRNO(fchmodat(99, "file", 0444, 0), EBADF);
    CHECK_ERRNO(fchmodat(dir, "nope", 0444, 0), ENOENT);
    CHECK_EQ(close(dir), 0);
}

static long fchmodat2_(int dir, const char *path, unsigned mode, unsigned flags) {
    return syscall(SYS_fchmodat2, dir, path, mode, flags);
}

static void modes_with_flags(void) {
    CHECK_EQ(fchmodat2_(AT_FDCWD, "link", 0604, 0), 0);
    CHECK_EQ(scratch_mode("file"), S_IFREG | 0604);
    CHECK_EQ(fchmodat2_(AT_FDCWD, "file", 0600, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(scratch_mode("file"), S_IFREG | 0600);
    CHECK_ERRNO(fchmodat2_(AT_FDCWD, "link", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    CHECK_ERRNO(fchmodat2_(AT_FDCWD, "file", 0600, 1), EINVAL);
    int fd = open("file", O_RDONLY);
    CHECK_EQ(fchmodat2_(fd, "", 0644, AT_EMPTY_PATH), 0);
    CHECK_EQ(scratch_mode("file"), S_IFREG | 0644);
    CHECK_ERRNO(fchmodat2_(fd, "", 0644, 0), ENOENT);
    CHECK_EQ(close(fd), 0);
}

static long owner(const char *name) {
    struct stat s;
    return lstat(name, &s) == 0 ? (long)(s.st_uid * 1000 + s.st_gid) : -1;
}

static void owners_by_root(void) {
    CHECK_EQ(chown("file", 12, 13), 0);
    CHECK_EQ(owner("file"), 12013);
    CHECK_EQ(chown("file", -1, 14), 0); /* -1: as it was */
    CHECK_EQ(owner("file"), 12014);
    CHECK_EQ(chown("link", 15, -1), 0);
    CHECK_EQ(owner("file"), 15014);
    CHECK_EQ(lchown("link", 16, 17), 0);
    CHECK_EQ(owner("file"), 15014);
    CHECK_EQ(owner("link"), 16017);
    int fd = open("file", O_RDONLY);
    CHECK_EQ(fchown(fd, 18, 19), 0);
    CHECK_EQ(owner("file"), 18019);
    CHECK_EQ(fchownat(fd, "", 20, 21, AT_EMPTY_PATH), 0);
    CHECK_EQ(owner("file"), 20021);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(fchownat(AT_FDCWD, "link", 22, 23, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(owner("link"), 22023);
    CHECK_EQ(fchownat(AT_FDCWD, "link", 0, 0, 0), 0);
    CHECK_EQ(owner("file"), 0);
    CHECK_EQ(chmod("file", 06755), 0);
    CHECK_EQ(chown("file", 5, 5), 0); /* takes the bits that lend rights */
    CHECK_EQ(scratch_mode("file"), S_IFREG | 0755);
}

static void owners(void) {
    if (geteuid() == 0) {
        owners_by_root();
    }
    CHECK_EQ(chown("file", -1, -1), 0);
    CHECK_EQ(chown("dir", -1, -1), 0);
    CHECK_ERRNO(chown("nope", -1, -1), ENOENT);
    CHECK_ERRNO(lchown("nope", -1, -1), ENOENT);
    CHECK_ERRNO(fchown(99, -1, -1), EBADF);
    CHECK_ERRNO(fchownat(99, "file", -1, -1, 0), EBADF);
    CHECK_ERRNO(fchownat(AT_FDCWD, "file", -1, -1, 1), EINVAL);
}

int main(void) {
    scratch_enter();
    masks();
    modes();
    modes_with_flags();
    owners();
    scratch_leave();
    return check_done();
}
