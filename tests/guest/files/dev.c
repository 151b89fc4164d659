/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /dev: null, zero, full, random, urandom, the streams.
 */
#define _GNU_SOURCE
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "check.h"
#include "scratch.h"

static void null(void) {
    char byte;
    int fd = open("/dev/null", O_RDWR);
    CHECK_EQ(write(fd, "abc", 3), 3);
    CHECK_EQ(read(fd, &byte, 1), 0);
    CHECK_EQ(lseek(fd, 5, SEEK_SET), 0); /* the position does not move */
    CHECK_EQ(pwrite(fd, "abc", 3, 100), 3);
    CHECK_EQ(isatty(fd), 0);
    CHECK_ERRNO(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600), fd); /* as shells do */
    CHECK_EQ(close(fd), 0);
}

static void zero(void) {
    char bytes[5000];
    int fd = open("/dev/zero", O_RDWR);
    memset(bytes, 9, sizeof bytes);
    CHECK_EQ(read(fd, bytes, 4999), 4999);
    int other = 0;
    for (int i = 0; i < 4999; i++) {
        other += bytes[i] != 0;
    }
    CHECK_EQ(other, 0);
    CHECK_EQ(bytes[4999], 9);
    CHECK_EQ(write(fd, "abc", 3), 3);
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    CHECK_EQ(p[4096], 0);
    p[4096] = 1;
    CHECK_EQ(munmap(p, 8192), 0);
    CHECK_EQ(close(fd), 0);
}

static void full(void) {
    char bytes[2] = {1, 1};
    int fd = open("/dev/full", O_RDWR);
    CHECK_ERRNO(write(fd, "a", 1), ENOSPC);
    CHECK_EQ(read(fd, bytes, 2), 2);
    CHECK(bytes[0] == 0 && bytes[1] == 0);
    CHECK_EQ(close(fd), 0);
}

static void randomness(const char *name) {
    static unsigned char a[300], b[300];
    int fd = open(name, O_RDONLY);
    CHECK_EQ(read(fd, a, sizeof a), sizeof a);
    CHECK_EQ(read(fd, b, sizeof b), sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK_EQ(close(fd), 0);
}

static void numbers(void) {
    static const struct {
        const char *name;
        unsigned minor;
    } devices[] = {{"/dev/null", 3},
                   {"/dev/zero", 5},
                   {"/dev/full", 7},
                   {"/dev/random", 8},
                   {"/dev/urandom", 9}};
    struct stat s;
    for (unsigned i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        CHECK_EQ(stat(devices[i].name, &s), 0);
        CHECK_EQ(s.st_mode, S_IFCHR | 0666);
        CHECK_EQ(major(s.st_rdev), 1);
        CHECK_EQ(minor(s.st_rdev), devices[i].minor);
        CHECK_EQ(s.st_size, 0);
    }
    CHECK_ERRNO(open("/dev/nope", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/dev/null/below", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(open("/dev/null", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERRNO(link("/dev/null", "null"), EXDEV);
}

static void streams(void) {
    fflush(stdout);
    int fd = open("/dev/stdout", O_WRONLY);
    CHECK_EQ(write(fd, "by its name\n", 12), 12);
    CHECK_EQ(close(fd), 0);
    fd = open("/proc/self/fd/1", O_WRONLY);
    CHECK_EQ(write(fd, "by its number\n", 14), 14);
    CHECK_EQ(close(fd), 0);
    fd = open("/dev/fd/1", O_WRONLY);
    CHECK_EQ(write(fd, "by its other name\n", 18), 18);
    CHECK_EQ(close(fd), 0);
    char byte;
    fd = open("/dev/stdin", O_RDONLY);
    CHECK_EQ(read(fd, &byte, 1), 0); /* here /dev/null */
    CHECK_EQ(close(fd), 0);
}

int main(void) {
    scratch_enter();
    null();
    zero();
    full();
    randomness("/dev/random");
    randomness("/dev/urandom");
    numbers();
    streams();
    scratch_leave();
    return check_done();
}
