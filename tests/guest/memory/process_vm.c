/* SPDX-License-Identifier: BSD-3-Clause
 *
 * process_vm_readv and process_vm_writev on the process itself, as std.debug of
 * Zig reads memory that may not be there: whole pieces, pieces that end in a
 * hole, protections, refusals and their order.
 * expect-stdout: ok
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

static char from[3 * 4096], to[3 * 4096];

static long get(void *dst, size_t size, const void *src, size_t most) {
    struct iovec local = {dst, size}, remote = {(void *)(uintptr_t)src, most};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
}

static long put(const void *src, size_t size, void *dst) {
    struct iovec local = {(void *)(uintptr_t)src, size}, remote = {dst, size};
    return process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
}

int main(void) {
    for (unsigned i = 0; i < sizeof from; i++)
        from[i] = (char)(i * 7 + i / 256);
    CHECK(get(to, 8, from + 1, 8) == 8 && !memcmp(to, from + 1, 8));
    CHECK(get(to, sizeof to, from, sizeof from) == sizeof to && !memcmp(to, from, sizeof to));
    CHECK(get(to, 100, from, 5) == 5);
    CHECK(get(to, 5, from, 100) == 5);
    CHECK(get(to, 0, (void *)8, 100) == 0);
    CHECK(get(to, 100, (void *)8, 0) == 0);
    memset(to, 0, sizeof to);
    CHECK(put(from, 5000, to + 3) == 5000 && !memcmp(to + 3, from, 5000) && !to[2] && !to[5003]);

    /* several pieces that do not fit each other */
    struct iovec local[] = {{to, 3}, {to + 3, 0}, {to + 3, 5000}, {to + 5003, 100}};
    struct iovec remote[] = {{from, 4000}, {from + 4000, 1}, {from + 4001, 1000}};
    memset(to, 0, sizeof to);
    CHECK(process_vm_readv(getpid(), local, 4, remote, 3, 0) == 5001);
    CHECK(!memcmp(to, from, 5001) && to[5001] == 0);

    /* a hole, and memory that may not be read or written */
    char *m = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(m, 'x', 3 * 4096);
    munmap(m + 2 * 4096, 4096);
    CHECK(get(to, 100, m + 2 * 4096 - 10, 100) == 10);
    CHECK_ERRNO(get(to, 8, m + 2 * 4096, 8), EFAULT);
    CHECK_ERRNO(get(to, 8, (void *)8, 8), EFAULT);
    CHECK_ERRNO(get(to, 8, (void *)0xffff800000000000, 8), EFAULT);
    CHECK_ERRNO(get(to, 8, (void *)0x0000800000000000, 8), EFAULT);
    mprotect(m + 4096, 4096, PROT_NONE);
    CHECK(get(to, 100, m + 4096 - 10, 100) == 10);
    CHECK_ERRNO(get(to, 8, m + 4096, 8), EFAULT);
    mprotect(m + 4096, 4096, PROT_READ);
    CHECK(get(to, 8, m + 4096, 8) == 8);
    CHECK(put(to, 100, m + 4096 - 10) == 10);
    CHECK_ERRNO(put(to, 8, m + 4096), EFAULT);
    CHECK_ERRNO(put(to, 8, (void *)(uintptr_t)main), EFAULT);
    CHECK_ERRNO(get(m + 4096, 8, from, 8), EFAULT); /* the local side */

    /* refusals, in their order */
    struct iovec l = {to, 8}, r = {from, 8};
    CHECK_ERRNO(process_vm_readv(getpid(), &l, 1, &r, 1, 1), EINVAL);
    CHECK_ERRNO(process_vm_readv(getpid(), &l, 1025, &r, 1, 0), EINVAL);
    CHECK_ERRNO(process_vm_readv(getpid(), &l, 1, &r, 1025, 0), EINVAL);
    CHECK_ERRNO(process_vm_readv(getpid(), (void *)8, 1, &r, 1, 0), EFAULT);
    CHECK_ERRNO(process_vm_readv(getpid(), &l, 1, (void *)8, 1, 0), EFAULT);
    CHECK(process_vm_readv(0x7ffffff, NULL, 0, (void *)8, 1, 0) == 0);
    CHECK_ERRNO(process_vm_readv(0x7ffffff, &l, 1, &r, 1, 0), ESRCH);
    CHECK_ERRNO(process_vm_readv(-1, &l, 1, &r, 1, 0), ESRCH);
    l.iov_len = (size_t)-1;
    CHECK_ERRNO(process_vm_readv(getpid(), &l, 1, &r, 1, 0), EINVAL);
    CHECK(syscall(SYS_process_vm_readv, getpid(), &l, 0, &r, 1, 0) == 0);
    return check_done();
}
