/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mmap and munmap: zeroed pages, hints, MAP_FIXED and NOREPLACE, holes, errors.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

enum { RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

int main(void) {
    char *p = mmap(NULL, 10 * 4096, RW, ANON, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK_EQ((uintptr_t)p % 4096, 0);
    for (int i = 0; i < 10 * 4096; i++) {
        CHECK_EQ(p[i], 0);
    }
    memset(p, 7, 10 * 4096);
    CHECK_EQ(munmap(p + 4 * 4096, 2 * 4096), 0); /* a hole */
    CHECK_EQ(p[0], 7);
    CHECK_EQ(p[6 * 4096], 7);
    CHECK_EQ(munmap(p + 4 * 4096, 2 * 4096), 0); /* again: fine */
    /* a hint into the hole is taken */
    CHECK(mmap(p + 4 * 4096, 2 * 4096, RW, ANON, -1, 0) == p + 4 * 4096);
    CHECK_EQ(p[4 * 4096], 0);
    /* a hint at something used is not */
    char *q = mmap(p, 4096, RW, ANON, -1, 0);
    CHECK(q != MAP_FAILED && q != p);
    CHECK_EQ(p[0], 7);
    CHECK(mmap(p, 2 * 4096, RW, ANON | MAP_FIXED, -1, 0) == p);
    CHECK_EQ(p[0], 0);
    CHECK_EQ(p[2 * 4096], 7);
    CHECK_ERRNO(mmap(p, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    CHECK_EQ(munmap(q, 1), 0); /* lengths are rounded up */
    CHECK(mmap(q, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == q);
    CHECK_ERRNO(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
    CHECK_ERRNO(mmap(p + 1, 4096, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERRNO(mmap(NULL, 4096, RW, MAP_ANONYMOUS, -1, 0),
                EINVAL); /* neither private nor shared */
    CHECK_ERRNO(mmap(NULL, 4096, RW, MAP_PRIVATE, 99, 0), EBADF);
    CHECK_ERRNO(mmap(NULL, 4096, RW, MAP_PRIVATE, 1, 123), EINVAL);
    CHECK_ERRNO(mmap(NULL, (size_t)-1, RW, ANON, -1, 0), ENOMEM);
    CHECK_ERRNO(mmap(NULL, 1UL << 47, RW, ANON, -1, 0), ENOMEM);
    CHECK_ERRNO(mmap((void *)0x800000000000, 4096, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
    CHECK_ERRNO(munmap(p + 1, 4096), EINVAL);
    CHECK_ERRNO(munmap(p, 0), EINVAL);
    CHECK_ERRNO(munmap((void *)0x800000000000, 4096), EINVAL);
    CHECK_EQ(munmap((void *)0x12345000, 4096), 0); /* nothing there */
    char *shared = mmap(NULL, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    shared[5] = 1;
    CHECK_EQ(shared[5], 1);
    CHECK_EQ(munmap(p, 10 * 4096), 0); /* over several areas */
    return check_done();
}
