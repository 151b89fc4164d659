/* SPDX-License-Identifier: BSD-3-Clause
 *
 * truncate, ftruncate, fallocate, lseek (with holes), fadvise64.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/syscall.h>

#include "check.h"
#include "scratch.h"

static int all_zero(int fd, long long from, size_t size) {
    char bytes[4096];
    CHECK_EQ(pread(fd, bytes, size, from), size);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i]) {
            return 0;
        }
    }
    return 1;
}

static void shorter_and_longer(void) {
    scratch_file("file", "0123456789");
    int fd = open("file", O_RDWR);
    CHECK_EQ(lseek(fd, 8, SEEK_SET), 8);
    CHECK_EQ(syscall(SYS_ftruncate, fd, 3), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 8); /* the position stays */
    CHECK(scratch_holds("file", "012"));
    CHECK_EQ(syscall(SYS_ftruncate, fd, 8192), 0);
    CHECK_EQ(scratch_size("file"), 8192);
    CHECK(all_zero(fd, 3, 4096)); /* what was cut does not come back */
    CHECK_EQ(syscall(SYS_truncate, "file", 5), 0);
    CHECK_EQ(scratch_size("file"), 5);
    CHECK_EQ(write(fd, "end", 3), 3); /* at 8: behind the end */
    CHECK_EQ(scratch_size("file"), 11);
    CHECK(all_zero(fd, 3, 5));
    CHECK_EQ(close(fd), 0);
}

static void truncation_errors(void) {
    int fd = open("file", O_RDONLY), null = open("/dev/null", O_RDWR);
    CHECK_EQ(mkdir("dir", 0755), 0);
    CHECK_ERRNO(syscall(SYS_truncate, "file", -1L), EINVAL);
    CHECK_ERRNO(syscall(SYS_truncate, "nope", 1), ENOENT);
    CHECK_ERRNO(syscall(SYS_truncate, "dir", 1), EISDIR);
    CHECK_ERRNO(syscall(SYS_truncate, "file/x", 1), ENOTDIR);
    CHECK_ERRNO(syscall(SYS_truncate, (void *)8, 1), EFAULT);
    CHECK_ERRNO(syscall(SYS_truncate, "/dev/null", 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_ftruncate, fd, 1), EINVAL); /* not open for writing */
    CHECK_ERRNO(syscall(SYS_ftruncate, fd, -1L), EINVAL);
    CHECK_ERRNO(syscall(SYS_ftruncate, null, 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_ftruncate, 99, 1), EBADF);
    CHECK_EQ(scratch_size("file"), 11);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(close(null), 0);
}

static void positions(void) {
    int fd = open("file", O_RDWR);
    CHECK_EQ(lseek(fd, -2, SEEK_END), 9);
    CHECK_EQ(lseek(fd, 5, SEEK_CUR), 14);
    CHECK_ERRNO(lseek(fd, -15, SEEK_CUR), EINVAL);
    CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERRNO(lseek(fd, -12, SEEK_END), EINVAL);
    CHECK_ERRNO(lseek(fd, 0, 77), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 14); /* as it was */
    char byte;
    CHECK_EQ(read(fd, &byte, 1), 0);
    CHECK_ERRNO(lseek(99, 0, SEEK_SET), EBADF);
    int copy = dup(fd); /* copies share the position */
    CHECK_EQ(lseek(copy, 4, SEEK_SET), 4);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
    CHECK_EQ(close(copy), 0);
    CHECK_EQ(close(fd), 0);
}

static void holes(void) {
    int fd = open("sparse", O_RDWR | O_CREAT, 0644);
    CHECK_EQ(pwrite(fd, "data", 4, 1 << 20), 4); /* nothing stands before */
    CHECK_EQ(lseek(fd, 0, SEEK_DATA), 1 << 20);
    CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
    CHECK_EQ(lseek(fd, 1 << 20, SEEK_HOLE), (1 << 20) + 4);
    CHECK_EQ(lseek(fd, (1 << 20) + 2, SEEK_DATA), (1 << 20) + 2);
    CHECK_ERRNO(lseek(fd, (1 << 20) + 4, SEEK_DATA), ENXIO);
    CHECK_ERRNO(lseek(fd, (1 << 20) + 4, SEEK_HOLE), ENXIO);
    CHECK_ERRNO(lseek(fd, 2 << 20, SEEK_DATA), ENXIO);
    CHECK_ERRNO(lseek(fd, -1, SEEK_DATA), ENXIO);
    struct stat s;
    CHECK_EQ(fstat(fd, &s), 0);
    CHECK_EQ(s.st_size, (1 << 20) + 4);
    CHECK(s.st_blocks < 64); /* of 512 bytes: the hole takes no room */
    CHECK(all_zero(fd, 4096, 4096));
    CHECK_EQ(close(fd), 0);
}

static void preallocation(void) {
    int fd = open("room", O_RDWR | O_CREAT, 0644), only = open("room", O_RDONLY);
    CHECK_EQ(syscall(SYS_fallocate, fd, 0, 100, 200), 0);
    CHECK_EQ(scratch_size("room"), 300);
    CHECK(all_zero(fd, 0, 300));
    CHECK_EQ(syscall(SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 8192), 0);
    CHECK_EQ(scratch_size("room"), 300);
    CHECK_EQ(syscall(SYS_fallocate, fd, 0, 0, 10), 0); /* never shorter */
    CHECK_EQ(scratch_size("room"), 300);
    CHECK_ERRNO(syscall(SYS_fallocate, fd, 0, -1L, 10L), EINVAL);
    CHECK_ERRNO(syscall(SYS_fallocate, fd, 0, 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_fallocate, fd, 0, 0L, -1L), EINVAL);
    CHECK_ERRNO(syscall(SYS_fallocate, fd, 0, INT64_MAX - 5, 10), EFBIG);
    CHECK_ERRNO(syscall(SYS_fallocate, only, 0, 0, 10), EBADF);
    CHECK_ERRNO(syscall(SYS_fallocate, 99, 0, 0, 10), EBADF);
    CHECK_ERRNO(syscall(SYS_fallocate, fd, 0x100000, 0, 10), EOPNOTSUPP);
    CHECK_EQ(close(only), 0);
    CHECK_EQ(close(fd), 0);
}

static void advice(void) {
    int fd = open("room", O_RDONLY);
    for (int kind = POSIX_FADV_NORMAL; kind <= POSIX_FADV_NOREUSE; kind++) {
        CHECK_EQ(syscall(SYS_fadvise64, fd, 0, 0, kind), 0);
    }
    CHECK_EQ(syscall(SYS_fadvise64, fd, 1000000, 4096, POSIX_FADV_WILLNEED), 0);
    CHECK_ERRNO(syscall(SYS_fadvise64, fd, 0, 0, 6), EINVAL);
    CHECK_ERRNO(syscall(SYS_fadvise64, fd, 0L, -1L, POSIX_FADV_NORMAL), EINVAL);
    CHECK_ERRNO(syscall(SYS_fadvise64, 99, 0, 0, POSIX_FADV_NORMAL), EBADF);
    CHECK_EQ(close(fd), 0);
}

int main(void) {
    scratch_enter();
    shorter_and_longer();
    truncation_errors();
    positions();
    holes();
    preallocation();
    advice();
    scratch_leave();
    return check_done();
}
