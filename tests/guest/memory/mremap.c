/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mremap: grows in place or moves, shrinks, keeps contents; errors.
 * isolate: test
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "check.h"

enum { RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };

int main(void) {
    char *p = mmap(NULL, 9 * 4096, RW, ANON, -1, 0);
    CHECK_EQ(munmap(p + 8 * 4096, 4096), 0);
    for (int i = 0; i < 8; i++) {
        p[i * 4096 + 9] = (char)(i + 1);
    }
    CHECK(mremap(p, 8 * 4096, 4 * 4096, 0) == p);
    CHECK(mremap(p, 4 * 4096, 8 * 4096, 0) == p); /* its old room is free */
    CHECK_EQ(p[3 * 4096 + 9], 4);
    CHECK_EQ(p[4 * 4096 + 9], 0);
    p[7 * 4096] = 'e';
    /* something behind it: it must move, or fail when it may not */
    char *wall = p + 8 * 4096;
    CHECK(mmap(wall, 4096, RW, ANON | MAP_FIXED, -1, 0) == wall);
    CHECK_ERRNO(mremap(p, 8 * 4096, 64 * 4096, 0), ENOMEM);
    char *q = mremap(p, 8 * 4096, 64 * 4096, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p);
    CHECK_EQ(q[9], 1);
    CHECK_EQ(q[7 * 4096], 'e');
    CHECK_EQ(q[63 * 4096], 0);
    unsigned char vec;
    CHECK_ERRNO(mincore(p, 4096, &vec), ENOMEM); /* the old place is free */
    char *target = mmap(NULL, 64 * 4096, RW, ANON, -1, 0);
    target[0] = 'x';
    CHECK(mremap(q, 64 * 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
    CHECK_EQ(target[9], 1);
    CHECK_ERRNO(mremap(q, 4096, 8192, MREMAP_MAYMOVE), EFAULT);
    CHECK_ERRNO(mremap(target + 1, 4096, 8192, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERRNO(mremap(target, 4096, 0, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERRNO(mremap(target, 4096, 4096, MREMAP_FIXED, wall), EINVAL);
    CHECK_ERRNO(mremap(target, 4096, 4096, 64), EINVAL);
    CHECK_ERRNO(mremap(target, 2 * 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, target + 4096),
                EINVAL);
    /* an mprotect that begins in a hole parts nothing */
    p = mmap(NULL, 8 * 4096, RW, ANON, -1, 0);
    CHECK_EQ(munmap(p, 4096), 0);
    CHECK_ERRNO(mprotect(p, 3 * 4096, PROT_READ), ENOMEM);
    CHECK(mremap(p + 4096, 7 * 4096, 16 * 4096, MREMAP_MAYMOVE) != MAP_FAILED);
    /* large: contents follow */
    char *big = mmap(NULL, 1 << 20, RW, ANON, -1, 0);
    memset(big, 'b', 1 << 20);
    for (size_t n = 1 << 20; n < 8 << 20; n *= 2) {
        big = mremap(big, n, 2 * n, MREMAP_MAYMOVE);
        CHECK(big != MAP_FAILED);
        CHECK_EQ(big[(1 << 20) - 1], 'b');
        CHECK_EQ(big[2 * n - 1], 0);
    }
    return check_done();
}
