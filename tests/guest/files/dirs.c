/* SPDX-License-Identifier: BSD-3-Clause
 *
 * getdents64, getdents, chdir, fchdir, getcwd.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "check.h"
#include "scratch.h"

struct entry64 {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

struct entry {
    uint64_t ino, off;
    uint16_t reclen;
    char name[]; /* the type is the entry's last byte */
};

/* Counts the entry when it is one of ours: of the right type, once. */
static void note(const char *name, int type, int seen[4]) {
    static const char *names[4] = {".", "dir", "file", "link"};
    static const int types[4] = {DT_DIR, DT_DIR, DT_REG, DT_LNK};
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) {
            CHECK_EQ(type, types[i]);
            seen[i]++;
        }
    }
}

static void entries_in_pieces(size_t room) {
    static _Alignas(8) char bytes[4096];
    int seen[4] = {0}, all = 0, fd = open(".", O_RDONLY);
    long size;
    while ((size = syscall(SYS_getdents64, fd, bytes, room)) > 0) {
        for (long at = 0; at < size;) {
            struct entry64 *e = (void *)(bytes + at);
            CHECK(e->ino != 0);
            CHECK_EQ(e->reclen % 8, 0);
            note(e->name, e->type, seen);
            all++;
            at += e->reclen;
        }
    }
    CHECK_EQ(size, 0);
    CHECK_EQ(all, 5); /* with ".." */
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(seen[i], 1);
    }
    CHECK_EQ(syscall(SYS_getdents64, fd, bytes, room), 0); /* the end stays the end */
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK(syscall(SYS_getdents64, fd, bytes, room) > 0);
    CHECK_EQ(close(fd), 0);
}

static void the_old_call(void) {
    static _Alignas(8) char bytes[4096];
    int seen[4] = {0}, fd = open(".", O_RDONLY);
    long size = syscall(SYS_getdents, fd, bytes, sizeof bytes);
    CHECK(size > 0);
    for (long at = 0; at < size;) {
        struct entry *e = (void *)(bytes + at);
        note(e->name, bytes[at + e->reclen - 1], seen);
        at += e->reclen;
    }
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(seen[i], 1);
    }
    CHECK_EQ(syscall(SYS_getdents, fd, bytes, sizeof bytes), 0);
    CHECK_EQ(close(fd), 0);
}

/* An entry's name and its zero have to fit memory, what fills it up has not. */
static void listing_to_the_end_of_memory(void) {
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open(".", O_RDONLY);
    CHECK_EQ(munmap(p + 4096, 4096), 0);
    CHECK(syscall(SYS_getdents64, fd, p, 4096) > 0);
    struct entry64 *first = (void *)p;
    long bytes = (long)(first->name - p) + (long)strlen(first->name) + 1, whole = first->reclen;
    CHECK(bytes <= whole);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_ERRNO(syscall(SYS_getdents64, fd, p + 4096 - bytes + 1, 4096), EFAULT);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(syscall(SYS_getdents64, fd, p + 4096 - bytes, 4096), whole);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(munmap(p, 4096), 0);
}

static void listing_errors(void) {
    char bytes[64];
    int dir = open(".", O_RDONLY), file = open("file", O_RDONLY);
    CHECK_ERRNO(syscall(SYS_getdents64, dir, bytes, 10), EINVAL); /* not one entry fits */
    CHECK_ERRNO(syscall(SYS_getdents, dir, bytes, 10), EINVAL);
    CHECK_ERRNO(syscall(SYS_getdents64, file, bytes, sizeof bytes), ENOTDIR);
    CHECK_ERRNO(syscall(SYS_getdents64, 99, bytes, sizeof bytes), EBADF);
    CHECK_ERRNO(syscall(SYS_getdents64, dir, (void *)8, sizeof bytes), EFAULT);
    CHECK_EQ(close(dir), 0);
    CHECK_EQ(close(file), 0);
}

static void emptying_while_listing(void) {
    CHECK_EQ(mkdir("many", 0755), 0);
    CHECK_EQ(chdir("many"), 0);
    char name[16];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "%d", i);
        CHECK_EQ(mknod(name, 0600, 0), 0);
    }
    scratch_empty();
    CHECK_EQ(chdir(".."), 0);
    CHECK_EQ(rmdir("many"), 0);
}

static void positions(void) {
    DIR *dir = opendir(".");
    CHECK(readdir(dir) != NULL);
    long at = telldir(dir);
    char third[256];
    struct dirent *e = readdir(dir);
    CHECK(e != NULL);
    snprintf(third, sizeof third, "%s", e->d_name);
    while (readdir(dir)) {
    }
    seekdir(dir, at);
    e = readdir(dir);
    CHECK(e != NULL && strcmp(e->d_name, third) == 0);
    CHECK_EQ(closedir(dir), 0);
}

/* The working directory is that below the test's own. */
static int is_at(const char *below) {
    char now[256], expected[256];
    snprintf(expected, sizeof expected, "%s%s", scratch_path, below);
    long length = syscall(SYS_getcwd, now, sizeof now);
    return length == (long)strlen(expected) + 1 && strcmp(now, expected) == 0;
}

static void moving_about(void) {
    char text[256];
    CHECK(is_at(""));
    CHECK_EQ(chdir("dir"), 0);
    CHECK(is_at("/dir"));
    CHECK_EQ(chdir(".."), 0);
    CHECK_EQ(chdir("link"), 0); /* a link leads there, it is not where we are */
    CHECK(is_at("/dir"));
    CHECK_EQ(chdir("../dir/./..//"), 0);
    CHECK(is_at(""));
    CHECK_ERRNO(chdir("file"), ENOTDIR);
    CHECK_ERRNO(chdir("nope"), ENOENT);
    CHECK_ERRNO(chdir(""), ENOENT);
    CHECK_ERRNO(chdir((void *)8), EFAULT);
    CHECK_ERRNO(syscall(SYS_getcwd, text, 3), ERANGE);
    CHECK_ERRNO(syscall(SYS_getcwd, text, 0), ERANGE);
    CHECK_ERRNO(syscall(SYS_getcwd, (void *)8, 256), EFAULT);
    int dir = open("dir", O_RDONLY), file = open("file", O_RDONLY);
    CHECK_EQ(fchdir(dir), 0);
    CHECK(is_at("/dir"));
    CHECK_ERRNO(fchdir(file), ENOTDIR);
    CHECK_ERRNO(fchdir(99), EBADF);
    CHECK_EQ(rename("../dir", "../moved"), 0); /* we move along */
    CHECK(is_at("/moved"));
    CHECK_EQ(rename("../moved", "../dir"), 0);
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(syscall(SYS_getcwd, text, sizeof text), 2);
    CHECK(strcmp(text, "/") == 0);
    CHECK_EQ(chdir("../.."), 0); /* above the root is the root */
    CHECK_EQ(syscall(SYS_getcwd, text, sizeof text), 2);
    CHECK_EQ(chdir(scratch_path), 0);
    CHECK_EQ(close(dir), 0);
    CHECK_EQ(close(file), 0);
}

static void in_a_removed_directory(void) {
    char text[256];
    CHECK_EQ(chdir("dir"), 0);
    CHECK_EQ(rmdir("../dir"), 0);
    CHECK_ERRNO(syscall(SYS_getcwd, text, sizeof text), ENOENT);
    CHECK_ERRNO(open("file", O_CREAT | O_WRONLY, 0600), ENOENT);
    CHECK_ERRNO(mkdir("below", 0700), ENOENT);
    CHECK_EQ(scratch_links("."), 0);
    int here = open(".", O_RDONLY);
    CHECK_ERRNO(syscall(SYS_getdents64, here, text, sizeof text), ENOENT);
    CHECK_EQ(close(here), 0);
    CHECK_EQ(chdir(".."), 0);
    CHECK(is_at(""));
}

/* A whole branch that is removed from its end, while its last one is open. */
static void in_a_removed_branch(void) {
    CHECK_EQ(chdir(scratch_path), 0);
    for (int i = 0; i < 500; i++) {
        CHECK_EQ(mkdir("down", 0755), 0);
        CHECK_EQ(chdir("down"), 0);
    }
    int end = open(".", O_RDONLY);
    for (int i = 0; i < 500; i++) {
        CHECK_EQ(chdir(".."), 0);
        CHECK_EQ(rmdir("down"), 0);
    }
    CHECK(is_at(""));
    CHECK_EQ(fchdir(end), 0);
    CHECK_EQ(chdir("../../.."), 0);
    CHECK_EQ(close(end), 0);
    CHECK_EQ(chdir(scratch_path), 0);
}

int main(void) {
    scratch_enter();
    scratch_file("file", "text");
    CHECK_EQ(mkdir("dir", 0755), 0);
    CHECK_EQ(symlink("dir", "link"), 0);
    entries_in_pieces(4096);
    entries_in_pieces(32);
    the_old_call();
    listing_errors();
    listing_to_the_end_of_memory();
    positions();
    emptying_while_listing();
    moving_about();
    in_a_removed_directory();
    in_a_removed_branch();
    scratch_leave();
    return check_done();
}
