/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernel's half is out of an isolated app's reach: read, written, executed
 * or given to a system call, in the image, the direct map and beyond.
 * cflags: -fno-sanitize=all
 * zuk: --isolate
 * isolate: no it is by itself
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static sigjmp_buf back;
static volatile int code;
static void *volatile where;

static void on_fault(int n, siginfo_t *info, void *context) {
    (void)context;
    code = info->si_code;
    where = info->si_addr;
    siglongjmp(back, n);
}

#define FAULTS(access, address)                                                                    \
    do {                                                                                           \
        int n_ = sigsetjmp(back, 1);                                                               \
        if (n_ == 0) {                                                                             \
            access;                                                                                \
        }                                                                                          \
        CHECK_EQ(n_, SIGSEGV);                                                                     \
        CHECK_EQ(code, 1 /* SEGV_MAPERR */);                                                       \
        CHECK_EQ((uint64_t)where, address);                                                        \
    } while (0)

int main(void) {
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &act, NULL);
    static const uint64_t addresses[] = {
        0xffffffff80100000,                                         /* the kernel's vectors */
        0xffffffff80101000, 0xffff800000000000, 0xffff800000100000, /* the direct map */
        0xffff800000200000, 0xffff800001000000, 0xffffff0000000000, /* devices */
        0xffffffffffffff00,
    };
    int file = open("/proc/self/exe", O_RDONLY);
    int null = open("/dev/null", O_WRONLY);
    int zero = open("/dev/zero", O_RDONLY);
    CHECK(file >= 0 && null >= 0 && zero >= 0);
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        volatile char *p = (volatile char *)addresses[i];
        FAULTS((void)*p, addresses[i]);
        FAULTS(*p = 1, addresses[i]);
        FAULTS(((void (*)(void))addresses[i])(), addresses[i]);
        CHECK_ERRNO(read(file, (void *)p, 16), EFAULT);
        CHECK_ERRNO(read(zero, (void *)p, 16), EFAULT);
        CHECK_ERRNO(write(1, (void *)p, 16), EFAULT);
        CHECK_ERRNO(open((char *)p, O_RDONLY), EFAULT);
        CHECK_ERRNO(syscall(SYS_uname, p), EFAULT);
        CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p), EFAULT);
        CHECK_ERRNO(syscall(SYS_futex, addresses[i] & ~3ul, 0 /* FUTEX_WAIT */, 0, NULL), EFAULT);
        CHECK_ERRNO(munmap((void *)(addresses[i] & ~4095ul), 4096), EINVAL);
        CHECK_ERRNO(mprotect((void *)(addresses[i] & ~4095ul), 4096, PROT_READ), ENOMEM);
        CHECK(mmap((void *)(addresses[i] & ~4095ul), 4096, PROT_READ,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    }
    return check_done();
}
