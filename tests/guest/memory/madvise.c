/* SPDX-License-Identifier: BSD-3-Clause
 *
 * madvise(DONTNEED) gives zeros again and the memory back; msync and mincore
 * know what is mapped (Zig's stack traces depend on it).
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

enum { RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };

int main(void) {
    char *p = mmap(NULL, 4 * 4096, RW, ANON, -1, 0);
    memset(p, 5, 4 * 4096);
    CHECK_EQ(madvise(p + 4096, 2 * 4096, MADV_DONTNEED), 0);
    CHECK_EQ(p[0], 5);
    CHECK_EQ(p[4096], 0);
    CHECK_EQ(p[3 * 4096 - 1], 0);
    CHECK_EQ(p[3 * 4096], 5);
    CHECK_EQ(madvise(p, 4096, MADV_FREE), 0);
    CHECK_EQ(madvise(p, 4 * 4096, MADV_WILLNEED), 0);
    CHECK_EQ(madvise(p, 4 * 4096, MADV_NORMAL), 0);
    CHECK_EQ(madvise(p, 4 * 4096, MADV_RANDOM), 0);
    CHECK_EQ(madvise(p, 4 * 4096, MADV_SEQUENTIAL), 0);
    CHECK_EQ(madvise(p, 0, MADV_DONTNEED), 0);
    CHECK_ERRNO(madvise(p, 4096, 9999), EINVAL);
    CHECK_ERRNO(madvise(p + 1, 4096, MADV_DONTNEED), EINVAL);
    CHECK_EQ(msync(p, 4096, MS_ASYNC), 0);
    CHECK_EQ(msync(p, 4 * 4096, MS_SYNC), 0);
    CHECK_ERRNO(msync(p + 1, 4096, MS_ASYNC), EINVAL);
    CHECK_ERRNO(msync(p, 4096, MS_ASYNC | MS_SYNC), EINVAL);
    CHECK_ERRNO(msync(p, 4096, 64), EINVAL);
    CHECK_EQ(munmap(p + 4096, 4096), 0);
    CHECK_ERRNO(msync(p, 4 * 4096, MS_ASYNC), ENOMEM);
    CHECK_ERRNO(msync(p + 4096, 4096, MS_ASYNC), ENOMEM);
    CHECK_ERRNO(msync((void *)0x12345000, 4096, MS_ASYNC), ENOMEM);
    CHECK_ERRNO(msync(NULL, 4096, MS_ASYNC), ENOMEM);
    CHECK_ERRNO(madvise(p, 4 * 4096, MADV_DONTNEED), ENOMEM);
    /* Shared memory is what it is; what is private is a file's again, or stays. */
    char *shared = mmap(NULL, 2 * 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(shared, 6, 2 * 4096);
    CHECK_EQ(madvise(shared, 2 * 4096, MADV_DONTNEED), 0);
    CHECK_EQ(shared[0], 6);
    CHECK_ERRNO(madvise(shared, 4096, MADV_FREE), EINVAL);
    CHECK_EQ(shared[4096], 6);
    int fd = memfd_create("file", 0);
    CHECK_EQ(write(fd, "file", 4), 4);
    char *private = mmap(NULL, 4096, RW, MAP_PRIVATE, fd, 0);
    private[0] = 'm';
    CHECK_ERRNO(madvise(private, 4096, MADV_FREE), EINVAL);
    CHECK_EQ(private[0], 'm');
    CHECK_EQ(madvise(private, 4096, MADV_DONTNEED), 0);
    CHECK_EQ(private[0], 'f');
    /* Bringing pages in stops at what comes first: a hole, or a page without the right. */
    enum { POPULATE_READ = 22, POPULATE_WRITE };
    p = mmap(NULL, 4 * 4096, PROT_READ, ANON, -1, 0);
    CHECK_EQ(munmap(p + 4096, 4096), 0);
    CHECK_ERRNO(madvise(p, 3 * 4096, POPULATE_WRITE), EINVAL);
    CHECK_ERRNO(madvise(p + 4096, 2 * 4096, POPULATE_WRITE), ENOMEM);
    CHECK_ERRNO(madvise(p, 3 * 4096, POPULATE_READ), ENOMEM);
    CHECK_EQ(madvise(p + 2 * 4096, 2 * 4096, POPULATE_READ), 0);
    unsigned char vec[4] = {9, 9, 9, 9};
    p = mmap(NULL, 3 * 4096, RW, ANON, -1, 0);
    p[4096] = 1;
    CHECK_EQ(mincore(p, 3 * 4096, vec), 0);
    CHECK_EQ(vec[0] & 1, 0);
    CHECK_EQ(vec[1] & 1, 1);
    CHECK_EQ(vec[2] & 1, 0);
    CHECK_EQ(vec[3], 9);
    CHECK_ERRNO(mincore(p + 1, 4096, vec), EINVAL);
    CHECK_ERRNO(mincore(p, 4096, (void *)8), EFAULT);
    return check_done();
}
