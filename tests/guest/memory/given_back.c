/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory that is unmapped or DONTNEEDed is free again: many times
 * 16 MiB pass through a machine of 64 MiB; page tables are not lost either.
 * zuk: -m 64M
 * timeout: 60
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "check.h"

enum { SIZE = 16 << 20, RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };

int main(void) {
    for (int i = 0; i < 20; i++) {
        char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
        CHECK(p != MAP_FAILED);
        for (int j = 0; j < SIZE; j += 4096) {
            p[j] = 1;
        }
        CHECK_EQ(munmap(p, SIZE), 0);
    }
    char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
    for (int i = 0; i < 20; i++) {
        for (int j = 0; j < SIZE; j += 4096) {
            CHECK_EQ(p[j], 0);
            p[j] = 1;
        }
        CHECK_EQ(madvise(p, SIZE, MADV_DONTNEED), 0);
    }
    /* one page in each of 3,000 far places: tables come back with munmap */
    for (int round = 0; round < 3; round++) {
        for (unsigned long i = 0; i < 3000; i++) {
            char *far = (char *)(0x100000000000 + i * (2UL << 30) % (1UL << 44) + round * 4096UL);
            char *q = mmap(far, 4096, RW, ANON | MAP_FIXED, -1, 0);
            CHECK(q == far);
            *q = 1;
            CHECK_EQ(munmap(q, 4096), 0);
        }
    }
    for (int i = 0; i < 200; i++) {
        void *q = malloc(SIZE);
        CHECK(q != NULL);
        memset(q, 1, 1 << 16);
        free(q);
    }
    return check_done();
}
