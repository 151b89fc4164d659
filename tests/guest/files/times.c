/* SPDX-License-Identifier: BSD-3-Clause
 *
 * utimensat, utimes, futimesat, utime; and which times change by themselves.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <utime.h>

#include "check.h"
#include "scratch.h"

#define UTIME_NOW_NS 0x3fffffff
#define UTIME_OMIT_NS 0x3ffffffe

static long long accessed(const char *name) {
    struct stat s;
    return lstat(name, &s) ? -1 : s.st_atim.tv_sec * 1000000000ll + s.st_atim.tv_nsec;
}

static long long modified(const char *name) {
    struct stat s;
    return lstat(name, &s) ? -1 : s.st_mtim.tv_sec * 1000000000ll + s.st_mtim.tv_nsec;
}

static long set(int dir, const char *path, const struct timespec *times, int flags) {
    return syscall(SYS_utimensat, dir, path, times, flags);
}

static void nanoseconds(void) {
    struct timespec t[2] = {{1000, 5}, {2000, 7}};
    CHECK_EQ(set(AT_FDCWD, "file", t, 0), 0);
    CHECK_EQ(accessed("file"), 1000000000005);
    CHECK_EQ(modified("file"), 2000000000007);
    t[0] = (struct timespec){9, UTIME_OMIT_NS};
    t[1] = (struct timespec){3000, 0};
    CHECK_EQ(set(AT_FDCWD, "file", t, 0), 0);
    CHECK_EQ(accessed("file"), 1000000000005);
    CHECK_EQ(modified("file"), 3000000000000);
    t[0].tv_nsec = 1000000000;
    CHECK_ERRNO(set(AT_FDCWD, "file", t, 0), EINVAL);
    t[0].tv_nsec = -1;
    CHECK_ERRNO(set(AT_FDCWD, "file", t, 0), EINVAL);
    CHECK_EQ(modified("file"), 3000000000000);
    t[0].tv_nsec = t[1].tv_nsec = UTIME_OMIT_NS; /* nothing to do: not even a look */
    CHECK_EQ(set(AT_FDCWD, "nope", t, 0), 0);
}

static void now(void) {
    time_t before = time(NULL) - 1;
    struct timespec t[2] = {{0, UTIME_NOW_NS}, {4000, 0}};
    CHECK_EQ(set(AT_FDCWD, "file", t, 0), 0);
    CHECK(accessed("file") / 1000000000 >= before);
    CHECK_EQ(modified("file"), 4000000000000);
    CHECK_EQ(set(AT_FDCWD, "file", NULL, 0), 0);
    CHECK(modified("file") / 1000000000 >= before);
    CHECK(modified("file") / 1000000000 <= time(NULL) + 1);
}

static void links_and_descriptors(void) {
    struct timespec t[2] = {{11, 0}, {12, 0}};
    CHECK_EQ(set(AT_FDCWD, "link", t, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(modified("link"), 12000000000);
    CHECK(modified("file") != 12000000000);
    CHECK_EQ(set(AT_FDCWD, "link", t, 0), 0);
    CHECK_EQ(modified("file"), 12000000000);
    t[1].tv_sec = 13;
    int fd = open("file", O_RDONLY);
    CHECK_EQ(set(fd, NULL, t, 0), 0); /* futimens */
    CHECK_EQ(modified("file"), 13000000000);
    CHECK_ERRNO(set(fd, NULL, t, AT_SYMLINK_NOFOLLOW), EINVAL);
    CHECK_EQ(close(fd), 0);
    CHECK_ERRNO(set(99, NULL, t, 0), EBADF);
    CHECK_ERRNO(set(99, "file", t, 0), EBADF);
    CHECK_ERRNO(set(AT_FDCWD, "nope", t, 0), ENOENT);
    CHECK_ERRNO(set(AT_FDCWD, "file", t, 1), EINVAL);
    CHECK_ERRNO(set(AT_FDCWD, "file", (void *)8, 0), EFAULT);
    CHECK_ERRNO(set(AT_FDCWD, NULL, t, 0), EFAULT);
    int dir = open(".", O_RDONLY);
    t[1].tv_sec = 14;
    CHECK_EQ(set(dir, "file", t, 0), 0);
    CHECK_EQ(modified("file"), 14000000000);
    CHECK_EQ(close(dir), 0);
}

static void microseconds(void) {
    struct timeval t[2] = {{100, 1}, {200, 999999}};
    CHECK_EQ(syscall(SYS_utimes, "file", t), 0);
    CHECK_EQ(accessed("file"), 100000001000);
    CHECK_EQ(modified("file"), 200999999000);
    t[0].tv_sec = 300;
    CHECK_EQ(syscall(SYS_futimesat, AT_FDCWD, "file", t), 0);
    CHECK_EQ(accessed("file"), 300000001000);
    int fd = open("file", O_RDONLY);
    t[0].tv_sec = 400;
    CHECK_EQ(syscall(SYS_futimesat, fd, NULL, t), 0);
    CHECK_EQ(accessed("file"), 400000001000);
    CHECK_EQ(close(fd), 0);
    t[0].tv_usec = 1000000;
    CHECK_ERRNO(syscall(SYS_utimes, "file", t), EINVAL);
    CHECK_ERRNO(syscall(SYS_futimesat, AT_FDCWD, "file", t), EINVAL);
    CHECK_ERRNO(syscall(SYS_utimes, "nope", NULL), ENOENT);
    CHECK_ERRNO(syscall(SYS_utimes, NULL, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_utimes, "file", (void *)8), EFAULT);
    CHECK_EQ(syscall(SYS_utimes, "file", NULL), 0);
    CHECK(modified("file") > 1000000000000000000);
}

static void seconds(void) {
    struct utimbuf t = {50, 60};
    CHECK_EQ(syscall(SYS_utime, "file", &t), 0);
    CHECK_EQ(accessed("file"), 50000000000);
    CHECK_EQ(modified("file"), 60000000000);
    CHECK_ERRNO(syscall(SYS_utime, "nope", &t), ENOENT);
    CHECK_ERRNO(syscall(SYS_utime, "file", (void *)8), EFAULT);
    CHECK_EQ(syscall(SYS_utime, "file", NULL), 0);
    CHECK(modified("file") > 1000000000000000000);
}

static void by_themselves(void) {
    struct timespec past[2] = {{1000, 0}, {1000, 0}};
    CHECK_EQ(set(AT_FDCWD, "file", past, 0), 0);
    int fd = open("file", O_RDWR);
    CHECK_EQ(modified("file"), 1000000000000); /* opening changes nothing */
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK(modified("file") > 1000000000000000000);
    CHECK_EQ(set(AT_FDCWD, "file", past, 0), 0);
    CHECK_EQ(ftruncate(fd, 100), 0);
    CHECK(modified("file") > 1000000000000000000);
    CHECK_EQ(set(AT_FDCWD, "file", past, 0), 0);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(modified("file"), 1000000000000); /* the mode is no content */
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(mkdir("dir", 0755), 0);
    CHECK_EQ(set(AT_FDCWD, "dir", past, 0), 0);
    CHECK_EQ(close(creat("dir/new", 0600)), 0);
    CHECK(modified("dir") > 1000000000000000000);
    CHECK_EQ(set(AT_FDCWD, "dir", past, 0), 0);
    CHECK_EQ(unlink("dir/new"), 0);
    CHECK(modified("dir") > 1000000000000000000);
}

int main(void) {
    scratch_enter();
    scratch_file("file", "text");
    CHECK_EQ(symlink("file", "link"), 0);
    nanoseconds();
    now();
    links_and_descriptors();
    microseconds();
    seconds();
    by_themselves();
    scratch_leave();
    return check_done();
}
