/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files without a name: contents, mappings, seals, holes, refusals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16
#endif

static void plain(void) {
    char b[64] = "", path[64];
    struct stat s;
    int fd = memfd_create("some name", MFD_CLOEXEC);
    CHECK(fd >= 3);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | 0100000);
    CHECK_EQ(fstat(fd, &s), 0);
    CHECK(s.st_mode == (S_IFREG | 0777) && s.st_nlink == 0 && s.st_size == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK(readlink(path, b, sizeof b - 1) > 0);
    printf("%s\n", b);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    CHECK_EQ(write(fd, "text", 4), 4);
    CHECK_EQ(ftruncate(fd, 10000), 0);
    char *m = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(m != MAP_FAILED && memcmp(m, "text", 5) == 0);
    m[9000] = 'x';
    CHECK_EQ(pread(fd, b, 1, 9000), 1);
    CHECK_EQ(b[0], 'x');
    int again = open(path, O_RDONLY); /* through /proc */
    CHECK(again >= 0);
    CHECK_EQ(read(again, b, 4), 4);
    CHECK_ERRNO(fcntl(again, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    close(again);
    close(fd);
    CHECK_EQ(m[0], 't'); /* the mapping keeps it */
    munmap(m, 10000);
}

static void seals(void) {
    int fd = memfd_create("", MFD_ALLOW_SEALING);
    char b[4] = "abc";
    CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
    CHECK_EQ(ftruncate(fd, 4096), 0);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    CHECK_ERRNO(ftruncate(fd, 100), EPERM);
    CHECK_EQ(ftruncate(fd, 8192), 0);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
    CHECK_ERRNO(ftruncate(fd, 8193), EPERM);
    CHECK_ERRNO(pwrite(fd, b, 3, 8192), EPERM);
    CHECK_EQ(pwrite(fd, b, 3, 8189), 3);
    char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
    CHECK_ERRNO(pwrite(fd, b, 3, 0), EPERM);
    m[0] = 'y'; /* this one may go on */
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    munmap(m, 4096);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    m = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(m != MAP_FAILED && m[0] == 'y');
    CHECK_ERRNO(mprotect(m, 4096, PROT_READ | PROT_WRITE), EACCES);
    munmap(m, 4096);
    m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(m != MAP_FAILED);
    m[0] = 'z';
    CHECK_EQ(pread(fd, b, 1, 0), 1);
    CHECK_EQ(b[0], 'y');
    CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 10), EPERM);
    CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, 0x100), EINVAL);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
    CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, 0), EPERM);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), 31);
    close(fd);
}

static void holes(void) {
    static char b[20000], c[20000];
    struct stat before, after;
    int fd = memfd_create("holes", 0);
    memset(b, 'a', sizeof b);
    CHECK_EQ(write(fd, b, sizeof b), sizeof b);
    CHECK_EQ(fstat(fd, &before), 0);
    char *m = mmap(NULL, sizeof b, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(m[5000] == 'a');
    CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 10000), 0);
    memset(b + 1000, 0, 10000);
    CHECK_EQ(pread(fd, c, sizeof c, 0), sizeof c);
    CHECK(memcmp(b, c, sizeof b) == 0);
    CHECK(m[5000] == 0 && m[999] == 'a' && m[11000] == 'a');
    CHECK_EQ(fstat(fd, &after), 0);
    CHECK_EQ(before.st_size, after.st_size);
    int wide = memfd_create("wide", 0);
    CHECK_EQ(pwrite(wide, b, 1, 3 << 20), 1);
    CHECK_EQ(pwrite(wide, b, 1, 5 << 20), 1);
    CHECK_EQ(fstat(wide, &before), 0);
    CHECK_EQ(fallocate(wide, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 << 20, 2 << 20), 0);
    CHECK_EQ(fstat(wide, &after), 0);
    CHECK(before.st_blocks - after.st_blocks >= 8); /* given back */
    CHECK(lseek(wide, 3 << 20, SEEK_DATA) >= 4 << 20);
    close(wide);
    CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 15000, 1 << 20), 0);
    CHECK_EQ(pread(fd, c, 10, 15000), 10);
    CHECK_EQ(c[0], 0);
    CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100000), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 20000);
    CHECK_EQ(fallocate(fd, 0, 0, 30000), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 30000);
    CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP);
    CHECK_ERRNO(fallocate(fd, 8, 0, 4096), EOPNOTSUPP);
    CHECK_ERRNO(fallocate(fd, 16, 0, 4096), EOPNOTSUPP);
    CHECK_ERRNO(fallocate(fd, 0, -1, 10), EINVAL);
    CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
    CHECK_ERRNO(fallocate(-1, 0, 0, 10), EBADF);
    CHECK_ERRNO(fallocate(fd, 0, 1l << 62, 1l << 62), EFBIG);
    int p[2], reads = open("/proc/self/exe", O_RDONLY);
    CHECK_ERRNO(fallocate(reads, 0, 0, 10), EBADF);
    CHECK_EQ(pipe(p), 0);
    CHECK_ERRNO(fallocate(p[1], 0, 0, 10), ESPIPE);
    close(fd);
}

int main(void) {
    char name[252];
    plain();
    seals();
    holes();
    memset(name, 'n', sizeof name);
    name[250] = 0;
    CHECK_ERRNO(memfd_create(name, 0), EINVAL);
    name[249] = 0;
    CHECK(memfd_create(name, 0) >= 0);
    CHECK_ERRNO(syscall(SYS_memfd_create, 8, 0), EFAULT);
    CHECK_ERRNO(memfd_create("", 0x40), EINVAL);
    CHECK_ERRNO(memfd_create("", 0x18), EINVAL);
    CHECK_ERRNO(fcntl(0, F_GET_SEALS), EINVAL);
    return check_done();
}
