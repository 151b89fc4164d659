/* SPDX-License-Identifier: BSD-3-Clause
 *
 * open, openat, creat and openat2: what each flag creates, truncates and
 * refuses; O_PATH; the resolve flags of openat2.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"
#include "scratch.h"

static void flags_that_create(void) {
    CHECK_ERRNO(open("nope", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("nope/file", O_RDONLY | O_CREAT, 0644), ENOENT);
    int fd = open("file", O_WRONLY | O_CREAT, 0666);
    CHECK(fd >= 0);
    CHECK_EQ(scratch_mode("file"), S_IFREG | 0644); /* the umask is 022 */
    CHECK_EQ(write(fd, "hello", 5), 5);
    CHECK_ERRNO(read(fd, &fd, 1), EBADF);
    CHECK_EQ(close(fd), 0);
    CHECK_ERRNO(open("file", O_WRONLY | O_CREAT | O_EXCL, 0666), EEXIST);
    CHECK_ERRNO(open("file/", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(open("file/below", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(open("new/", O_CREAT | O_WRONLY, 0644), EISDIR);
    CHECK(scratch_holds("file", "hello"));
}

static void directories(void) {
    CHECK_ERRNO(open(".", O_WRONLY), EISDIR);
    CHECK_ERRNO(open(".", O_RDWR), EISDIR);
    CHECK_ERRNO(open(".", O_RDONLY | O_CREAT, 0644), EISDIR);
    CHECK_ERRNO(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
    int dir = open(".", O_RDONLY | O_DIRECTORY);
    char byte;
    CHECK_ERRNO(read(dir, &byte, 1), EISDIR);
    CHECK_ERRNO(write(dir, "x", 1), EBADF);
    CHECK_ERRNO(ftruncate(dir, 0), EINVAL);
    CHECK_EQ(close(dir), 0);
}

static void truncating_and_appending(void) {
    scratch_file("text", "0123456789");
    int append = open("text", O_WRONLY | O_APPEND);
    CHECK_EQ(lseek(append, 0, SEEK_CUR), 0);
    CHECK_EQ(write(append, "ab", 2), 2);
    CHECK_EQ(lseek(append, 0, SEEK_CUR), 12);
    CHECK_EQ(lseek(append, 3, SEEK_SET), 3);
    CHECK_EQ(write(append, "c", 1), 1); /* at the end all the same */
    CHECK(scratch_holds("text", "0123456789abc"));
    int read_write = open("text", O_RDWR);
    int truncate = open("text", O_WRONLY | O_TRUNC);
    CHECK_EQ(scratch_size("text"), 0);
    CHECK_EQ(write(read_write, "new", 3), 3);
    CHECK(scratch_holds("text", "new"));
    CHECK_EQ(close(truncate), 0);
    CHECK_EQ(close(read_write), 0);
    CHECK_EQ(close(append), 0);
    CHECK_EQ(open("text", O_RDONLY | O_CREAT | O_TRUNC, 0644) >= 0, 1);
    CHECK_EQ(scratch_size("text"), 0);
}

static void symlinks(void) {
    CHECK_EQ(symlink("file", "link"), 0);
    CHECK_EQ(symlink(".", "dirlink"), 0);
    CHECK_EQ(symlink("born", "dangling"), 0);
    CHECK_ERRNO(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERRNO(open("dirlink", O_RDONLY | O_DIRECTORY | O_NOFOLLOW), ENOTDIR);
    CHECK_ERRNO(open("dangling", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    int fd = open("dangling", O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(scratch_mode("born"), S_IFREG | 0600);
    CHECK_EQ(close(fd), 0);
}

static void creat_and_openat(void) {
    int fd = creat("made", 0640);
    CHECK_EQ(scratch_mode("made"), S_IFREG | 0640);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
    CHECK_EQ(write(fd, "abc", 3), 3);
    CHECK_EQ(syscall(SYS_creat, "made", 0777), fd + 1); /* there: truncated, its mode stays */
    CHECK_EQ(scratch_size("made"), 0);
    CHECK_EQ(scratch_mode("made"), S_IFREG | 0640);
    CHECK_EQ(mkdir("dir", 0755), 0);
    int dir = open("dir", O_RDONLY | O_DIRECTORY);
    int in = openat(dir, "in", O_CREAT | O_WRONLY, 0600);
    CHECK(in >= 0);
    CHECK_EQ(scratch_mode("dir/in"), S_IFREG | 0600);
    CHECK_ERRNO(openat(in, "x", O_RDONLY), ENOTDIR);
    CHECK_ERRNO(openat(99, "x", O_RDONLY), EBADF);
    int root = openat(99, "/", O_RDONLY); /* absolute: the descriptor does not count */
    CHECK(root >= 0);
    CHECK_EQ(syscall(SYS_close_range, fd, root, 0), 0);
}

static void names_too_long_or_bad(void) {
    static char path[5000];
    memset(path, 'a', sizeof path - 1);
    CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
    path[256] = 0;
    CHECK_ERRNO(open(path, O_RDONLY | O_CREAT, 0644), ENAMETOOLONG);
    path[255] = 0;
    int fd = open(path, O_RDONLY | O_CREAT, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(close(fd), 0);
    CHECK_ERRNO(open((const char *)8, O_RDONLY), EFAULT);
}

static void path_descriptors(void) {
    int fd = open("file", O_PATH);
    char byte;
    struct stat s;
    CHECK(fd >= 0);
    CHECK_ERRNO(read(fd, &byte, 1), EBADF);
    CHECK_ERRNO(write(fd, "x", 1), EBADF);
    struct iovec v = {&byte, 1};
    CHECK_ERRNO(readv(fd, &v, 1), EBADF);
    CHECK_ERRNO(writev(fd, &v, 1), EBADF);
    CHECK_ERRNO(pwritev(fd, &v, 1, 0), EBADF);
    CHECK_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
    struct winsize size;
    int count;
    CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, &size), EBADF);
    CHECK_ERRNO(ioctl(fd, FIONREAD, &count), EBADF);
    int stream = open("/proc/self/fd/1", O_PATH);
    CHECK(stream >= 0);
    CHECK_ERRNO(ioctl(stream, TIOCGWINSZ, &size), EBADF);
    CHECK_EQ(close(stream), 0);
    CHECK_ERRNO(ftruncate(fd, 0), EBADF);
    CHECK_ERRNO(syscall(SYS_fchmod, fd, 0), EBADF); /* musl's goes through /proc */
    CHECK_EQ(fstat(fd, &s), 0);
    CHECK_EQ(s.st_size, 5);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
    int copy = dup(fd);
    CHECK(copy > fd);
    CHECK_EQ(close(copy), 0);
    CHECK_EQ(close(fd), 0);
    int dir = open("dir", O_PATH | O_DIRECTORY);
    int in = openat(dir, "in", O_RDONLY);
    CHECK(in > dir);
    CHECK_EQ(close(in), 0);
    CHECK_EQ(close(dir), 0);
    int link = open("link", O_PATH | O_NOFOLLOW); /* the link itself */
    CHECK_EQ(fstat(link, &s), 0);
    CHECK_EQ(s.st_mode & S_IFMT, S_IFLNK);
    CHECK_EQ(close(link), 0);
}

struct how {
    uint64_t flags, mode, resolve;
};

enum { NO_XDEV = 1, NO_MAGICLINKS = 2, NO_SYMLINKS = 4, BENEATH = 8, IN_ROOT = 16 };

static long open2(const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct how how = {flags, mode, resolve};
    return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

static void openat2_resolve(void) {
    long fd = open2("dir/../file", O_RDONLY, 0, BENEATH);
    CHECK(fd >= 0);
    close((int)fd);
    CHECK_ERRNO(open2("../file", O_RDONLY, 0, BENEATH), EXDEV);
    CHECK_ERRNO(open2("/tmp", O_RDONLY, 0, BENEATH), EXDEV);
    CHECK_ERRNO(open2("link", O_RDONLY, 0, NO_SYMLINKS), ELOOP);
    CHECK_ERRNO(open2("dirlink/file", O_RDONLY, 0, NO_SYMLINKS), ELOOP);
    CHECK_ERRNO(open2("/proc/self/exe", O_RDONLY, 0, NO_MAGICLINKS), ELOOP);
    CHECK_ERRNO(open2("/proc/uptime", O_RDONLY, 0, NO_XDEV), EXDEV);
    fd = open2("/../../file", O_RDONLY, 0, IN_ROOT);
    CHECK(fd >= 0);
    close((int)fd);
    CHECK_ERRNO(open2("file", O_RDONLY, 0, BENEATH | IN_ROOT), EINVAL);
    CHECK_ERRNO(open2("file", O_RDONLY, 0, 0x40), EINVAL);
}

static void openat2_arguments(void) {
    struct {
        struct how how;
        uint64_t more;
    } big = {{O_RDONLY, 0, 0}, 0};
    CHECK_ERRNO(open2("file", O_RDONLY, 0644, 0), EINVAL); /* a mode, but nothing to create */
    CHECK_ERRNO(open2("file", 1ull << 40, 0, 0), EINVAL);
    CHECK_ERRNO(open2("file2", O_WRONLY | O_CREAT, 010000, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "file", &big, 23), EINVAL);
    CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "file", (void *)8, 24), EFAULT);
    long fd = syscall(SYS_openat2, AT_FDCWD, "file", &big, sizeof big);
    CHECK(fd >= 0);
    close((int)fd);
    big.more = 1;
    CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "file", &big, sizeof big), E2BIG);
    fd = open2("file2", O_WRONLY | O_CREAT | O_EXCL, 0600, 0);
    CHECK(fd >= 0);
    CHECK_EQ(scratch_mode("file2"), S_IFREG | 0600);
    close((int)fd);
}

static void unlinked_files_live_on(void) {
    char text[8];
    int fd = open("file", O_RDWR);
    struct stat s;
    CHECK_EQ(unlink("file"), 0);
    CHECK_EQ(fstat(fd, &s), 0);
    CHECK_EQ(s.st_nlink, 0);
    CHECK_EQ(read(fd, text, sizeof text), 5);
    CHECK_EQ(write(fd, "!", 1), 1);
    CHECK_EQ(pread(fd, text, sizeof text, 0), 6);
    CHECK(memcmp(text, "hello!", 6) == 0);
    CHECK_EQ(close(fd), 0);
    CHECK_ERRNO(open("file", O_RDONLY), ENOENT);
}

int main(void) {
    scratch_enter();
    flags_that_create();
    directories();
    truncating_and_appending();
    symlinks();
    creat_and_openat();
    names_too_long_or_bad();
    path_descriptors();
    openat2_resolve();
    openat2_arguments();
    unlinked_files_live_on();
    scratch_leave();
    return check_done();
}
