/* SPDX-License-Identifier: BSD-3-Clause
 *
 * rename, renameat, renameat2: what replaces what, and what is refused.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "check.h"
#include "scratch.h"

enum { NOREPLACE = 1, EXCHANGE = 2 };

static long rename2(const char *from, const char *to, unsigned flags) {
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void files(void) {
    scratch_file("a", "A");
    CHECK_EQ(rename("a", "b"), 0);
    CHECK_EQ(scratch_mode("a"), 0);
    CHECK(scratch_holds("b", "A"));
    scratch_file("c", "C");
    CHECK_EQ(rename("c", "b"), 0); /* replaces */
    CHECK(scratch_holds("b", "C"));
    CHECK_EQ(rename("b", "b"), 0);
    CHECK_EQ(link("b", "same"), 0);
    CHECK_EQ(rename("b", "same"), 0); /* two names of one file: both stay */
    CHECK_EQ(scratch_links("b"), 2);
    CHECK_EQ(unlink("same"), 0);
    CHECK_ERRNO(rename("nope", "x"), ENOENT);
    CHECK_ERRNO(rename("b", "nope/x"), ENOENT);
    CHECK_ERRNO(rename("b", "x/"), ENOTDIR);
    CHECK_ERRNO(rename("b/", "x"), ENOTDIR);
    CHECK_ERRNO(rename("", "x"), ENOENT);
    CHECK_ERRNO(rename("b", ""), ENOENT);
    CHECK_ERRNO(rename((const char *)8, "x"), EFAULT);
    CHECK_ERRNO(rename("b", "/proc/x"), EXDEV);
}

static void replaced_files_live_on(void) {
    scratch_file("old", "old");
    scratch_file("new", "new");
    int fd = open("old", O_RDONLY);
    CHECK_EQ(rename("new", "old"), 0);
    struct stat s;
    CHECK_EQ(fstat(fd, &s), 0);
    CHECK_EQ(s.st_nlink, 0);
    char text[4] = "";
    CHECK_EQ(read(fd, text, sizeof text), 3);
    CHECK(memcmp(text, "old", 3) == 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink("old"), 0);
}

static void directories(void) {
    CHECK_EQ(mkdir("dir", 0755), 0);
    CHECK_EQ(mkdir("dir/in", 0755), 0);
    CHECK_ERRNO(rename("b", "dir"), EISDIR);
    CHECK_ERRNO(rename("dir", "b"), ENOTDIR);
    CHECK_ERRNO(rename("dir", "dir/in/x"), EINVAL); /* below itself */
    CHECK_ERRNO(rename("dir/in", "dir"), ENOTEMPTY);
    CHECK_ERRNO(rename(".", "x"), EBUSY);
    CHECK_ERRNO(rename("dir/..", "x"), EBUSY);
    CHECK_ERRNO(rename("/", "x"), EBUSY);
    CHECK_EQ(mkdir("empty", 0755), 0);
    CHECK_EQ(rename("dir", "empty"), 0); /* an empty directory is replaced */
    CHECK_EQ(scratch_mode("dir"), 0);
    CHECK_EQ(scratch_links("empty"), 3);
    CHECK_EQ(rename("empty/in", "out"), 0);
    CHECK_EQ(scratch_links("empty"), 2);
    CHECK_EQ(scratch_links("out"), 2);
    CHECK_EQ(mkdir("full", 0755), 0);
    CHECK_EQ(mkdir("full/x", 0755), 0);
    CHECK_ERRNO(rename("out", "full"), ENOTEMPTY);
    CHECK_EQ(rename("full", "out/"), 0);
    CHECK_EQ(scratch_mode("out/x"), S_IFDIR | 0755);
    /* ".." of a directory that moved */
    CHECK_EQ(rename("out/x", "empty/x"), 0);
    CHECK_EQ(chdir("empty/x"), 0);
    CHECK_EQ(chdir(".."), 0);
    CHECK_EQ(scratch_mode("x"), S_IFDIR | 0755);
    CHECK_EQ(chdir(".."), 0);
}

static void at_directories(void) {
    int from = open("empty", O_RDONLY), to = open("out", O_RDONLY);
    CHECK_EQ(renameat(from, "x", to, "y"), 0);
    CHECK_EQ(scratch_mode("out/y"), S_IFDIR | 0755);
    CHECK_ERRNO(renameat(99, "x", to, "y"), EBADF);
    CHECK_ERRNO(renameat(to, "y", 99, "x"), EBADF);
    CHECK_EQ(close(from), 0);
    CHECK_EQ(close(to), 0);
}

static void flags(void) {
    scratch_file("one", "1");
    scratch_file("two", "2");
    CHECK_ERRNO(rename2("one", "two", NOREPLACE), EEXIST);
    CHECK_EQ(rename2("one", "three", NOREPLACE), 0);
    CHECK_EQ(rename2("three", "two", EXCHANGE), 0);
    CHECK(scratch_holds("three", "2"));
    CHECK(scratch_holds("two", "1"));
    CHECK_EQ(rename2("out", "two", EXCHANGE), 0); /* of any two types */
    CHECK_EQ(scratch_mode("two/y"), S_IFDIR | 0755);
    CHECK(scratch_holds("out", "1"));
    CHECK_ERRNO(rename2("out", "nope", EXCHANGE), ENOENT);
    CHECK_ERRNO(rename2("two", "two/y", EXCHANGE), EINVAL);
    CHECK_ERRNO(rename2("out", "three", NOREPLACE | EXCHANGE), EINVAL);
    CHECK_ERRNO(rename2("out", "three", 8), EINVAL);
}

int main(void) {
    scratch_enter();
    files();
    replaced_files_live_on();
    directories();
    at_directories();
    flags();
    scratch_leave();
    return check_done();
}
