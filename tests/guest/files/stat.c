/* SPDX-License-Identifier: BSD-3-Clause
 *
 * stat, lstat, fstat, newfstatat, statx; access, faccessat, faccessat2.
 * The C library chooses among the calls, so that they are made directly.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "check.h"
#include "scratch.h"

/* struct statx as in linux/stat.h, whose own name the C library takes. */
struct statx_result {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad;
    uint64_t ino, size, blocks, attributes_mask;
    struct {
        int64_t seconds;
        uint32_t nanoseconds, pad;
    } atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t more[14];
};

enum { BASIC_STATS = 0x7ff, FORCE_SYNC = 0x2000, DONT_SYNC = 0x4000 };

static void the_same_by_all_calls(void) {
    struct stat by_name, by_link, by_fd, by_at;
    CHECK_EQ(syscall(SYS_stat, "link", &by_name), 0);
    CHECK_EQ(syscall(SYS_lstat, "link", &by_link), 0);
    int fd = open("file", O_RDONLY);
    CHECK_EQ(syscall(SYS_fstat, fd, &by_fd), 0);
    CHECK_EQ(syscall(SYS_newfstatat, AT_FDCWD, "file", &by_at, 0), 0);
    CHECK_EQ(by_name.st_mode, S_IFREG | 0644);
    CHECK_EQ(by_name.st_size, 5);
    CHECK_EQ(by_name.st_nlink, 1);
    CHECK(by_name.st_uid == geteuid());
    CHECK(by_name.st_gid == getegid());
    CHECK_EQ(by_name.st_rdev, 0);
    CHECK_EQ(by_name.st_blksize, 4096);
    CHECK(by_name.st_ino != 0);
    CHECK(memcmp(&by_name, &by_fd, sizeof by_name) == 0);
    CHECK(memcmp(&by_name, &by_at, sizeof by_name) == 0);
    CHECK_EQ(by_link.st_mode, S_IFLNK | 0777);
    CHECK_EQ(by_link.st_size, 4);
    CHECK(by_link.st_ino != by_name.st_ino);
    CHECK_EQ(syscall(SYS_newfstatat, AT_FDCWD, "link", &by_at, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(by_at.st_mode, S_IFLNK | 0777);
    CHECK_EQ(syscall(SYS_newfstatat, fd, "", &by_at, AT_EMPTY_PATH), 0);
    CHECK(memcmp(&by_fd, &by_at, sizeof by_fd) == 0);
    CHECK_EQ(close(fd), 0);
}

static void errors(void) {
    struct stat s;
    CHECK_ERRNO(syscall(SYS_stat, "nope", &s), ENOENT);
    CHECK_ERRNO(syscall(SYS_stat, "", &s), ENOENT);
    CHECK_ERRNO(syscall(SYS_stat, "file/x", &s), ENOTDIR);
    CHECK_ERRNO(syscall(SYS_stat, "file/.", &s), ENOTDIR);
    CHECK_ERRNO(syscall(SYS_stat, "dangling", &s), ENOENT);
    CHECK_EQ(syscall(SYS_lstat, "dangling", &s), 0);
    CHECK_ERRNO(syscall(SYS_stat, (void *)8, &s), EFAULT);
    CHECK_ERRNO(syscall(SYS_stat, "file", (void *)8), EFAULT);
    CHECK_ERRNO(syscall(SYS_lstat, "file", (void *)8), EFAULT);
    CHECK_ERRNO(syscall(SYS_fstat, 99, &s), EBADF);
    CHECK_ERRNO(syscall(SYS_newfstatat, 99, "file", &s, 0), EBADF);
    CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, "", &s, 0), ENOENT);
    CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, "file", &s, 1), EINVAL);
    CHECK_EQ(syscall(SYS_newfstatat, AT_FDCWD, "", &s, AT_EMPTY_PATH), 0); /* where we are */
    CHECK_EQ(s.st_mode & S_IFMT, S_IFDIR);
    CHECK_EQ(stat("/dev/null", &s), 0);
    CHECK_EQ(s.st_mode & S_IFMT, S_IFCHR);
    CHECK(major(s.st_rdev) == 1 && minor(s.st_rdev) == 3);
}

static long statx_at(int dir, const char *path, unsigned flags, unsigned mask, void *out) {
    return syscall(SYS_statx, dir, path, flags, mask, out);
}

static void statx_agrees(void) {
    struct statx_result x;
    struct stat s;
    CHECK_EQ(stat("file", &s), 0);
    CHECK_EQ(statx_at(AT_FDCWD, "link", 0, BASIC_STATS, &x), 0);
    CHECK_EQ(x.mask & BASIC_STATS, BASIC_STATS);
    CHECK_EQ(x.mode, s.st_mode);
    CHECK_EQ(x.size, s.st_size);
    CHECK_EQ(x.nlink, s.st_nlink);
    CHECK(x.ino == s.st_ino);
    CHECK(x.uid == s.st_uid && x.gid == s.st_gid);
    CHECK(x.blocks == (uint64_t)s.st_blocks);
    CHECK(makedev(x.dev_major, x.dev_minor) == s.st_dev);
    CHECK(x.mtime.seconds == s.st_mtim.tv_sec && x.mtime.nanoseconds == s.st_mtim.tv_nsec);
    CHECK_EQ(statx_at(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, BASIC_STATS, &x), 0);
    CHECK_EQ(x.mode, S_IFLNK | 0777);
    CHECK_EQ(statx_at(1, "", AT_EMPTY_PATH, BASIC_STATS, &x), 0);
    CHECK_EQ(statx_at(AT_FDCWD, "/dev/zero", DONT_SYNC, BASIC_STATS, &x), 0);
    CHECK_EQ(x.mode & S_IFMT, S_IFCHR);
    CHECK(x.rdev_major == 1 && x.rdev_minor == 5);
    CHECK_ERRNO(statx_at(AT_FDCWD, "file", FORCE_SYNC | DONT_SYNC, BASIC_STATS, &x), EINVAL);
    CHECK_ERRNO(statx_at(AT_FDCWD, "file", 0, 0x80000000, &x), EINVAL);
    CHECK_ERRNO(statx_at(AT_FDCWD, "file", 1, BASIC_STATS, &x), EINVAL);
    CHECK_ERRNO(statx_at(AT_FDCWD, "nope", 0, BASIC_STATS, &x), ENOENT);
    CHECK_ERRNO(statx_at(99, "file", 0, BASIC_STATS, &x), EBADF);
    CHECK_ERRNO(statx_at(AT_FDCWD, "file", 0, BASIC_STATS, (void *)8), EFAULT);
}

static void what_may_be_done(void) {
    CHECK_EQ(syscall(SYS_access, "file", F_OK), 0);
    CHECK_EQ(syscall(SYS_access, "file", R_OK | W_OK), 0);
    CHECK_ERRNO(syscall(SYS_access, "file", X_OK), EACCES);
    CHECK_EQ(chmod("file", 0755), 0);
    CHECK_EQ(syscall(SYS_access, "file", X_OK), 0);
    CHECK_EQ(syscall(SYS_access, ".", R_OK | W_OK | X_OK), 0);
    CHECK_ERRNO(syscall(SYS_access, "file", 9), EINVAL);
    CHECK_ERRNO(syscall(SYS_access, "nope", F_OK), ENOENT);
    CHECK_ERRNO(syscall(SYS_access, "dangling", F_OK), ENOENT);
    CHECK_ERRNO(syscall(SYS_access, "file/x", F_OK), ENOTDIR);
    CHECK_ERRNO(syscall(SYS_access, (void *)8, F_OK), EFAULT);
    CHECK_EQ(syscall(SYS_faccessat, AT_FDCWD, "file", R_OK), 0);
    CHECK_ERRNO(syscall(SYS_faccessat, 99, "file", R_OK), EBADF);
    CHECK_EQ(syscall(SYS_faccessat, 99, "/tmp", R_OK), 0);
    CHECK_EQ(syscall(SYS_faccessat2, AT_FDCWD, "file", R_OK, AT_EACCESS), 0);
    CHECK_EQ(syscall(SYS_faccessat2, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "dangling", F_OK, 0), ENOENT);
    CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "file", F_OK, 1), EINVAL);
    int fd = open("file", O_RDONLY);
    CHECK_EQ(syscall(SYS_faccessat2, fd, "", X_OK, AT_EMPTY_PATH), 0);
    CHECK_EQ(close(fd), 0);
}

int main(void) {
    scratch_enter();
    scratch_file("file", "12345");
    CHECK_EQ(symlink("file", "link"), 0);
    CHECK_EQ(symlink("nowhere", "dangling"), 0);
    the_same_by_all_calls();
    errors();
    statx_agrees();
    what_may_be_done();
    scratch_leave();
    return check_done();
}
