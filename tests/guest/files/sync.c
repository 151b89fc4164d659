/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fsync, fdatasync, sync, syncfs, flock, statfs, fstatfs: what concerns a
 * file system or a whole file.
 */
#define _GNU_SOURCE
#include <sys/file.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "check.h"
#include "scratch.h"

static void syncing(void) {
    int fd = open("file", O_RDWR), dir = open(".", O_RDONLY), path = open("file", O_PATH);
    int null = open("/dev/null", O_WRONLY);
    CHECK_EQ(fsync(fd), 0);
    CHECK_EQ(fdatasync(fd), 0);
    CHECK_EQ(fsync(dir), 0);
    CHECK_ERRNO(fsync(null), EINVAL);
    CHECK_ERRNO(fdatasync(null), EINVAL);
    CHECK_ERRNO(fsync(path), EBADF);
    CHECK_ERRNO(fsync(99), EBADF);
    CHECK_ERRNO(fdatasync(99), EBADF);
    CHECK_EQ(syncfs(fd), 0);
    CHECK_EQ(syncfs(dir), 0);
    CHECK_ERRNO(syncfs(path), EBADF);
    CHECK_ERRNO(syncfs(99), EBADF);
    CHECK_EQ(syscall(SYS_sync), 0);
    CHECK_EQ(close(null), 0);
    CHECK_EQ(close(path), 0);
    CHECK_EQ(close(dir), 0);
    CHECK_EQ(close(fd), 0);
}

static void locking(void) {
    int fd = open("file", O_RDONLY), path = open("file", O_PATH);
    CHECK_EQ(flock(fd, LOCK_SH), 0);
    CHECK_EQ(flock(fd, LOCK_EX), 0); /* one owner may change its kind */
    CHECK_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
    CHECK_EQ(flock(fd, LOCK_UN), 0);
    CHECK_ERRNO(flock(fd, 0), EINVAL);
    CHECK_ERRNO(flock(fd, LOCK_SH | LOCK_EX), EINVAL);
    CHECK_ERRNO(flock(99, LOCK_SH), EBADF);
    CHECK_ERRNO(flock(path, LOCK_SH), EBADF);
    CHECK_EQ(close(path), 0);
    CHECK_EQ(close(fd), 0);
}

static void sizes(void) {
    struct statfs by_name, by_fd;
    int fd = open("file", O_RDONLY);
    CHECK_EQ(statfs("file", &by_name), 0);
    CHECK_EQ(fstatfs(fd, &by_fd), 0);
    CHECK_EQ(by_name.f_type, by_fd.f_type);
    CHECK_EQ(by_name.f_bsize, 4096);
    CHECK_EQ(by_name.f_namelen, 255);
    CHECK(by_name.f_blocks > 0);
    CHECK(by_name.f_bfree <= by_name.f_blocks);
    CHECK(by_name.f_bavail <= by_name.f_bfree);
    CHECK_EQ(statfs("/proc", &by_name), 0);
    CHECK_EQ(by_name.f_type, 0x9fa0);
    CHECK_EQ(by_name.f_blocks, 0);
    CHECK_ERRNO(statfs("nope", &by_name), ENOENT);
    CHECK_ERRNO(statfs("file/x", &by_name), ENOTDIR);
    CHECK_ERRNO(syscall(SYS_statfs, "file", (void *)8), EFAULT);
    CHECK_ERRNO(syscall(SYS_statfs, (void *)8, &by_name), EFAULT);
    CHECK_ERRNO(fstatfs(99, &by_name), EBADF);
    CHECK_ERRNO(syscall(SYS_fstatfs, fd, (void *)8), EFAULT);
    CHECK_EQ(close(fd), 0);
}

int main(void) {
    scratch_enter();
    scratch_file("file", "text");
    syncing();
    locking();
    sizes();
    scratch_leave();
    return check_done();
}
