/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mkdir, mknod and their removal: rmdir, unlink, unlinkat; link counts of
 * directories; the errors of paths that are no names.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "check.h"
#include "scratch.h"

static void directories_are_made(void) {
    CHECK_EQ(mkdir("dir", 0777), 0);
    CHECK_EQ(scratch_mode("dir"), S_IFDIR | 0755);
    CHECK_EQ(scratch_links("dir"), 2);
    CHECK_ERRNO(mkdir("dir", 0777), EEXIST);
    CHECK_ERRNO(mkdir("dir/below/this", 0777), ENOENT);
    CHECK_EQ(mkdir("dir/below/", 0700), 0); /* a slash at the end is fine */
    CHECK_EQ(scratch_mode("dir/below"), S_IFDIR | 0700);
    CHECK_EQ(scratch_links("dir"), 3);
    CHECK_ERRNO(mkdir(".", 0777), EEXIST);
    CHECK_ERRNO(mkdir("..", 0777), EEXIST);
    CHECK_ERRNO(mkdir("/", 0777), EEXIST);
    CHECK_ERRNO(mkdir("", 0777), ENOENT);
    CHECK_ERRNO(mkdir((const char *)8, 0777), EFAULT);
    CHECK_EQ(mkdir("sticky", 01777), 0);
    CHECK_EQ(scratch_mode("sticky"), S_IFDIR | 01755);
    int dir = open("dir", O_RDONLY);
    CHECK_EQ(mkdirat(dir, "at", 0711), 0);
    CHECK_EQ(scratch_mode("dir/at"), S_IFDIR | 0711);
    CHECK_ERRNO(mkdirat(99, "at", 0711), EBADF);
    CHECK_EQ(syscall(SYS_unlinkat, dir, "at", AT_REMOVEDIR), 0);
    CHECK_EQ(close(dir), 0);
}

static void files_stand_in_the_way(void) {
    scratch_file("file", "text");
    CHECK_ERRNO(mkdir("file", 0777), EEXIST);
    CHECK_ERRNO(mkdir("file/", 0777), EEXIST);
    CHECK_ERRNO(mkdir("file/below", 0777), ENOTDIR);
    CHECK_ERRNO(rmdir("file"), ENOTDIR);
    CHECK_ERRNO(unlink("file/"), ENOTDIR);
    CHECK_ERRNO(unlink("file/below"), ENOTDIR);
    int file = open("file", O_RDONLY);
    CHECK_ERRNO(mkdirat(file, "x", 0700), ENOTDIR);
    CHECK_ERRNO(unlinkat(file, "x", 0), ENOTDIR);
    CHECK_EQ(close(file), 0);
}

static void rmdir_refuses(void) {
    CHECK_ERRNO(rmdir("dir"), ENOTEMPTY);
    CHECK_ERRNO(rmdir("nope"), ENOENT);
    CHECK_ERRNO(rmdir("dir/."), EINVAL);
    CHECK_ERRNO(rmdir("dir/below/.."), ENOTEMPTY);
    CHECK_ERRNO(rmdir("/"), EBUSY);
    CHECK_ERRNO(rmdir(""), ENOENT);
    CHECK_EQ(symlink("dir/below", "link"), 0);
    CHECK_ERRNO(rmdir("link"), ENOTDIR);
    CHECK_EQ(unlink("link"), 0);
    CHECK_EQ(rmdir("dir/below"), 0);
    CHECK_EQ(scratch_links("dir"), 2);
    CHECK_EQ(rmdir("sticky/"), 0);
    CHECK_ERRNO(rmdir("sticky"), ENOENT);
}

static void unlink_refuses(void) {
    CHECK_ERRNO(unlink("dir"), EISDIR);
    CHECK_ERRNO(unlink("dir/"), EISDIR);
    CHECK_ERRNO(unlink("."), EISDIR);
    CHECK_ERRNO(unlink("/"), EISDIR);
    CHECK_ERRNO(unlink("nope"), ENOENT);
    CHECK_ERRNO(unlink("nope/below"), ENOENT);
    CHECK_ERRNO(unlink(""), ENOENT);
    CHECK_ERRNO(unlinkat(AT_FDCWD, "dir", 0), EISDIR);
    CHECK_ERRNO(unlinkat(AT_FDCWD, "file", AT_REMOVEDIR), ENOTDIR);
    CHECK_ERRNO(unlinkat(AT_FDCWD, "file", 1), EINVAL);
    CHECK_ERRNO(unlinkat(99, "file", 0), EBADF);
    CHECK_EQ(unlinkat(AT_FDCWD, "file", 0), 0);
    CHECK_ERRNO(unlink("file"), ENOENT);
}

static void special_files(void) {
    CHECK_EQ(mknod("fifo", S_IFIFO | 0666, 0), 0);
    CHECK_EQ(scratch_mode("fifo"), S_IFIFO | 0644);
    CHECK_ERRNO(mknod("fifo", S_IFIFO | 0666, 0), EEXIST);
    CHECK_EQ(syscall(SYS_mknod, "plain", 0600, 0), 0); /* no type: a regular file */
    CHECK_EQ(scratch_mode("plain"), S_IFREG | 0600);
    CHECK_EQ(mknod("socket", S_IFSOCK | 0600, 0), 0);
    CHECK_EQ(scratch_mode("socket"), S_IFSOCK | 0600);
    CHECK_ERRNO(mknod("dir2", S_IFDIR | 0700, 0), EPERM);
    CHECK_ERRNO(syscall(SYS_mknod, "link", S_IFLNK | 0700, 0), EINVAL);
    CHECK_ERRNO(mknod("nope/fifo", S_IFIFO, 0), ENOENT);
    int dir = open("dir", O_RDONLY);
    CHECK_EQ(mknodat(dir, "fifo", S_IFIFO | 0600, 0), 0);
    CHECK_EQ(scratch_mode("dir/fifo"), S_IFIFO | 0600);
    CHECK_ERRNO(mknodat(99, "fifo", S_IFIFO | 0600, 0), EBADF);
    CHECK_EQ(close(dir), 0);
    CHECK_EQ(unlink("dir/fifo"), 0);
    CHECK_EQ(rmdir("dir"), 0);
}

static void long_names(void) {
    char name[258];
    memset(name, 'n', sizeof name);
    name[256] = 0;
    CHECK_ERRNO(mkdir(name, 0700), ENAMETOOLONG);
    CHECK_ERRNO(rmdir(name), ENAMETOOLONG);
    name[255] = 0;
    CHECK_EQ(mkdir(name, 0700), 0);
    CHECK_EQ(rmdir(name), 0);
}

int main(void) {
    scratch_enter();
    directories_are_made();
    files_stand_in_the_way();
    rmdir_refuses();
    unlink_refuses();
    special_files();
    long_names();
    scratch_leave();
    return check_done();
}
