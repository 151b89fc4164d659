/* SPDX-License-Identifier: BSD-3-Clause
 *
 * link, linkat, symlink, symlinkat, readlink, readlinkat: counts, following
 * and not following, loops.
 */
#define _GNU_SOURCE
#include "check.h"
#include "scratch.h"

static void hard_links(void) {
    scratch_file("file", "shared");
    CHECK_EQ(link("file", "second"), 0);
    CHECK_EQ(scratch_links("file"), 2);
    CHECK(scratch_holds("second", "shared"));
    struct stat a, b;
    CHECK_EQ(stat("file", &a), 0);
    CHECK_EQ(stat("second", &b), 0);
    CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    CHECK_ERRNO(link("file", "second"), EEXIST);
    CHECK_ERRNO(link("nope", "third"), ENOENT);
    CHECK_ERRNO(link("file", "nope/third"), ENOENT);
    CHECK_ERRNO(link("file", "third/"), ENOENT);
    CHECK_EQ(mkdir("dir", 0755), 0);
    CHECK_ERRNO(link("dir", "dir2"), EPERM);
    CHECK_ERRNO(link("file", "dir"), EEXIST);
    CHECK_ERRNO(link("/proc/self/status", "status"), EXDEV);
    CHECK_EQ(unlink("file"), 0);
    CHECK_EQ(scratch_links("second"), 1);
    CHECK(scratch_holds("second", "shared"));
}

static void symbolic_links(void) {
    CHECK_EQ(symlink("second", "link"), 0);
    CHECK_EQ(scratch_mode("link"), S_IFLNK | 0777);
    CHECK_EQ(scratch_size("link"), 6); /* the length of the target's name */
    CHECK(scratch_holds("link", "shared"));
    CHECK_ERRNO(symlink("x", "second"), EEXIST);
    CHECK_ERRNO(symlink("x", "link"), EEXIST);
    CHECK_ERRNO(symlink("", "empty"), ENOENT);
    CHECK_ERRNO(symlink("x", ""), ENOENT);
    CHECK_ERRNO(symlink("x", "nope/link"), ENOENT);
    CHECK_ERRNO(symlink((const char *)8, "bad"), EFAULT);
    int dir = open("dir", O_RDONLY);
    CHECK_EQ(symlinkat("../second", dir, "up"), 0);
    CHECK(scratch_holds("dir/up", "shared"));
    CHECK_ERRNO(symlinkat("x", 99, "y"), EBADF);
    CHECK_EQ(close(dir), 0);
    CHECK_EQ(symlink("dir", "dirlink"), 0);
    CHECK_EQ(scratch_mode("dirlink"), S_IFLNK | 0777);
    CHECK_EQ(scratch_mode("dirlink/"), S_IFDIR | 0755); /* the slash follows */
    CHECK(scratch_holds("dirlink/up", "shared"));
    CHECK_ERRNO(open("link/", O_RDONLY), ENOTDIR);
    /* What works on names does not follow the last one, slash or not. */
    CHECK_ERRNO(mkdir("dirlink/", 0700), EEXIST);
    CHECK_ERRNO(mkdir("link/", 0700), EEXIST);
    CHECK_EQ(symlink("nowhere", "dangling"), 0);
    CHECK_ERRNO(mkdir("dangling/", 0700), EEXIST);
    CHECK_ERRNO(rmdir("dirlink/"), ENOTDIR);
    CHECK_ERRNO(unlink("dirlink/"), ENOTDIR);
    CHECK_ERRNO(rename("dirlink/", "moved"), ENOTDIR);
    CHECK_ERRNO(rename("dir", "dirlink/"), ENOTDIR);
    CHECK_ERRNO(link("second", "dirlink/"), EEXIST);
}

static void reading_links(void) {
    char text[32];
    memset(text, '-', sizeof text);
    CHECK_EQ(readlink("link", text, sizeof text), 6);
    CHECK(memcmp(text, "second-", 7) == 0); /* no NUL is added */
    memset(text, '-', sizeof text);
    CHECK_EQ(readlink("link", text, 3), 3);
    CHECK(memcmp(text, "sec-", 4) == 0);
    CHECK_ERRNO(readlink("second", text, sizeof text), EINVAL);
    CHECK_ERRNO(readlink("dir", text, sizeof text), EINVAL);
    CHECK_ERRNO(readlink("nope", text, sizeof text), ENOENT);
    CHECK_ERRNO(readlink("", text, sizeof text), ENOENT);
    CHECK_ERRNO(readlink("link", (char *)8, 8), EFAULT);
    int dir = open("dir", O_RDONLY);
    CHECK_EQ(readlinkat(dir, "up", text, sizeof text), 9);
    CHECK(memcmp(text, "../second", 9) == 0);
    CHECK_ERRNO(readlinkat(99, "up", text, sizeof text), EBADF);
    CHECK_ERRNO(readlinkat(dir, "", text, sizeof text), ENOENT); /* no link */
    CHECK_EQ(close(dir), 0);
    int link = open("link", O_PATH | O_NOFOLLOW);
    CHECK_EQ(readlinkat(link, "", text, sizeof text), 6); /* the link itself */
    CHECK_EQ(close(link), 0);
}

static void linkat_follows_when_told(void) {
    CHECK_EQ(linkat(AT_FDCWD, "link", AT_FDCWD, "link2", 0), 0);
    CHECK_EQ(scratch_mode("link2") & S_IFMT, S_IFLNK);
    CHECK_EQ(scratch_links("link"), 2);
    CHECK_EQ(linkat(AT_FDCWD, "link", AT_FDCWD, "second2", AT_SYMLINK_FOLLOW), 0);
    CHECK_EQ(scratch_mode("second2"), S_IFREG | 0644);
    CHECK_EQ(scratch_links("second"), 2);
    CHECK_ERRNO(linkat(AT_FDCWD, "link", AT_FDCWD, "x", 1), EINVAL);
    CHECK_ERRNO(linkat(99, "link", AT_FDCWD, "x", 0), EBADF);
    CHECK_ERRNO(linkat(AT_FDCWD, "link", 99, "x", 0), EBADF);
}

static void loops_and_depth(void) {
    CHECK_EQ(symlink("loop2", "loop1"), 0);
    CHECK_EQ(symlink("loop1", "loop2"), 0);
    CHECK_ERRNO(open("loop1", O_RDONLY), ELOOP);
    CHECK_ERRNO(chdir("loop1"), ELOOP);
    CHECK_ERRNO(mkdir("loop1/x", 0700), ELOOP);
    CHECK_EQ(scratch_mode("loop1"), S_IFLNK | 0777);
    char from[16], to[16];
    for (int i = 0; i < 41; i++) { /* c0 -> c1 -> ... -> c40 -> second */
        snprintf(from, sizeof from, "c%d", i);
        snprintf(to, sizeof to, i == 40 ? "second" : "c%d", i + 1);
        CHECK_EQ(symlink(to, from), 0);
    }
    CHECK(scratch_holds("c1", "shared")); /* 40 links are followed */
    CHECK_ERRNO(open("c0", O_RDONLY), ELOOP);
}

int main(void) {
    scratch_enter();
    hard_links();
    symbolic_links();
    reading_links();
    linkat_follows_when_told();
    loops_and_depth();
    scratch_leave();
    return check_done();
}
