/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bad pointers in each family of calls give EFAULT; the app lives on.  The
 * pointers: null page, unmapped, kernel's half, across the end of a mapping.
 * isolate: test
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *readonly = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    void *bad[] = {NULL,
                   (void *)8,
                   page + 4096,
                   (void *)0xffffffff80100000,
                   (void *)0x800000000000,
                   (void *)-1,
                   (void *)0xffff800000000000};
    int zero = open("/dev/zero", O_RDONLY);
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *p = bad[i];
        CHECK_ERRNO(syscall(SYS_write, 1, p, 4), EFAULT);
        CHECK_ERRNO(syscall(SYS_read, zero, p, 4), EFAULT);
        CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p), EFAULT);
        CHECK_ERRNO(syscall(SYS_getrandom, p, 16, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_uname, p), EFAULT);
        CHECK_ERRNO(syscall(SYS_fstat, 1, p), EFAULT);
        CHECK_ERRNO(syscall(SYS_open, p, O_RDONLY), EFAULT);
        CHECK_ERRNO(syscall(SYS_nanosleep, p, NULL), EFAULT);
        if (p != NULL) {
            CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, p, NULL, 8), EFAULT);
            CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, p, 8), EFAULT);
            CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, p, NULL, 8), EFAULT);
            CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, p, 8), EFAULT);
            CHECK_ERRNO(syscall(SYS_sigaltstack, p, NULL), EFAULT);
            CHECK_ERRNO(syscall(SYS_sigaltstack, NULL, p), EFAULT);
        }
        struct iovec v = {p, 4};
        CHECK_ERRNO(writev(1, &v, 1), EFAULT);
        CHECK_ERRNO(readv(zero, &v, 1), EFAULT);
    }
    CHECK_ERRNO(read(zero, readonly, 16), EFAULT);
    CHECK_ERRNO(syscall(SYS_uname, readonly), EFAULT);
    /* A buffer that crosses into the unmapped page. */
    CHECK_ERRNO(syscall(SYS_uname, page + 4096 - 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_REALTIME, page + 4096 - 8), EFAULT);
    memset(page, 'x', 4096);
    CHECK_ERRNO(syscall(SYS_open, page + 4000, O_RDONLY), EFAULT); /* no NUL before the end */
    return check_done();
}
