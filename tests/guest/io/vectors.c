/* SPDX-License-Identifier: BSD-3-Clause
 *
 * readv, writev, preadv, pwritev, preadv2, pwritev2: several buffers, given
 * positions, flags; what is refused and in which order.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"
#include "scratch.h"

static int file;

static long preadv_(const struct iovec *v, long count, long at) {
    return syscall(SYS_preadv, file, v, count, at, 0L);
}

static long pwritev_(const struct iovec *v, long count, long at) {
    return syscall(SYS_pwritev, file, v, count, at, 0L);
}

static long preadv2_(const struct iovec *v, long count, long at, long flags) {
    return syscall(SYS_preadv2, file, v, count, at, 0L, flags);
}

static long pwritev2_(const struct iovec *v, long count, long at, long flags) {
    return syscall(SYS_pwritev2, file, v, count, at, 0L, flags);
}

static void at_the_position(void) {
    char a[3], b[10];
    struct iovec out[3] = {{"abc", 3}, {"", 0}, {"defgh", 5}}, in[2] = {{a, 3}, {b, 10}};
    CHECK_EQ(syscall(SYS_writev, file, out, 3L), 8);
    CHECK(scratch_holds("file", "abcdefgh"));
    CHECK_EQ(lseek(file, 1, SEEK_SET), 1);
    CHECK_EQ(syscall(SYS_readv, file, in, 2L), 7); /* the second is not filled */
    CHECK(memcmp(a, "bcd", 3) == 0 && memcmp(b, "efgh", 4) == 0);
    CHECK_EQ(lseek(file, 0, SEEK_CUR), 8);
    CHECK_EQ(syscall(SYS_readv, file, in, 2L), 0);
    CHECK_EQ(syscall(SYS_readv, file, in, 0L), 0);
    CHECK_EQ(syscall(SYS_writev, file, NULL, 0L), 0);
}

static void at_a_given_place(void) {
    char a[2], b[2];
    struct iovec out[2] = {{"12", 2}, {"34", 2}}, in[2] = {{a, 2}, {b, 2}};
    CHECK_EQ(lseek(file, 5, SEEK_SET), 5);
    CHECK_EQ(pwritev_(out, 2, 6), 4);
    CHECK(scratch_holds("file", "abcdef1234"));
    CHECK_EQ(preadv_(in, 2, 4), 4);
    CHECK(memcmp(a, "ef", 2) == 0 && memcmp(b, "12", 2) == 0);
    CHECK_EQ(preadv_(in, 2, 9), 1);
    CHECK_EQ(preadv_(in, 2, 100), 0);
    CHECK_EQ(lseek(file, 0, SEEK_CUR), 5); /* the position stays */
    CHECK_ERRNO(preadv_(in, 2, -1), EINVAL);
    CHECK_ERRNO(pwritev_(out, 2, -1), EINVAL);
}

static void with_flags(void) {
    char a[4];
    struct iovec out = {"XY", 2}, in = {a, 4};
    CHECK_EQ(pwritev2_(&out, 1, -1, 0), 2); /* -1: the file's own position */
    CHECK_EQ(lseek(file, 0, SEEK_CUR), 7);
    CHECK(scratch_holds("file", "abcdeXY234"));
    CHECK_EQ(preadv2_(&in, 1, -1, 0), 3);
    CHECK_EQ(lseek(file, 0, SEEK_CUR), 10);
    CHECK_EQ(preadv2_(&in, 1, 0, 0), 4);
    CHECK(memcmp(a, "abcd", 4) == 0);
    CHECK_EQ(pwritev2_(&out, 1, 0, RWF_SYNC | RWF_DSYNC), 2);
    CHECK(scratch_holds("file", "XYcdeXY234"));
    CHECK_ERRNO(preadv2_(&in, 1, 0, 0x8000), EOPNOTSUPP);
    CHECK_ERRNO(pwritev2_(&out, 1, 0, 0x8000), EOPNOTSUPP);
    CHECK_ERRNO(preadv2_(&in, 1, -2, 0), EINVAL);
    CHECK_ERRNO(pwritev2_(&out, 1, -2, 0), EINVAL);
}

static void errors(void) {
    struct iovec v[2] = {{"ab", 2}, {"x", (size_t)-1}};
    CHECK_ERRNO(syscall(SYS_writev, file, v, 2L), EINVAL); /* a negative length */
    CHECK_ERRNO(syscall(SYS_writev, file, v, 1025L), EINVAL);
    CHECK_ERRNO(syscall(SYS_writev, file, v, -1L), EINVAL);
    CHECK_ERRNO(syscall(SYS_writev, file, 8, 1L), EFAULT);
    CHECK_ERRNO(syscall(SYS_readv, file, 8, 1L), EFAULT);
    CHECK_ERRNO(syscall(SYS_writev, 99, v, 1L), EBADF);
    CHECK_ERRNO(syscall(SYS_preadv, 99, v, 1L, 0L, 0L), EBADF);
    CHECK_ERRNO(syscall(SYS_pwritev, 99, v, 1L, 0L, 0L), EBADF);
    CHECK_ERRNO(syscall(SYS_preadv2, 99, v, 1L, 0L, 0L, 0L), EBADF);
    CHECK_ERRNO(syscall(SYS_pwritev2, 99, v, 1L, 0L, 0L, 0L), EBADF);
    int only_read = open("file", O_RDONLY);
    CHECK_ERRNO(syscall(SYS_pwritev, only_read, v, 1L, 0L, 0L), EBADF);
    CHECK_EQ(close(only_read), 0);
    CHECK(scratch_holds("file", "XYcdeXY234")); /* nothing of all that was written */
}

static void bad_pages(void) {
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(munmap(page + 4096, 4096), 0);
    struct iovec v[2] = {{"ab", 2}, {page + 4096, 4}};
    CHECK_EQ(pwritev_(v, 2, 0), 2); /* what could be written */
    CHECK(scratch_holds("file", "abcdeXY234"));
    CHECK_ERRNO(pwritev_(v + 1, 1, 0), EFAULT);
    CHECK_ERRNO(preadv_(v + 1, 1, 0), EFAULT);
    CHECK_EQ(munmap(page, 4096), 0);
}

static void many(void) {
    static char bytes[1024];
    static struct iovec v[1024];
    for (int i = 0; i < 1024; i++) {
        bytes[i] = (char)('a' + i % 26);
        v[i] = (struct iovec){bytes + i, 1};
    }
    CHECK_EQ(ftruncate(file, 0), 0);
    CHECK_EQ(pwritev_(v, 1024, 0), 1024);
    CHECK_EQ(scratch_size("file"), 1024);
    memset(bytes, 0, sizeof bytes);
    CHECK_EQ(preadv_(v, 1024, 0), 1024);
    int wrong = 0;
    for (int i = 0; i < 1024; i++) {
        wrong += bytes[i] != (char)('a' + i % 26);
    }
    CHECK_EQ(wrong, 0);
}

int main(void) {
    scratch_enter();
    file = open("file", O_RDWR | O_CREAT, 0644);
    at_the_position();
    at_a_given_place();
    with_flags();
    errors();
    bad_pages();
    many();
    scratch_leave();
    return check_done();
}
