/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Flags that an app may set and that a kernel must not be surprised by: AC
 * (which opens the app's pages under SMAP), NT, DF and TF over system calls and
 * faults.
 * cflags: -fno-sanitize=all -D_GNU_SOURCE
 * isolate: test
 */
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

static volatile int traps, traps_in_call;

static void on_trap(int n, siginfo_t *info, void *context) {
    (void)n, (void)info;
    ucontext_t *uc = context;
    traps++;
    if (traps > 3) {
        uc->uc_mcontext.gregs[REG_EFL] &= ~0x100;
    }
}

static uint64_t with_flag(uint64_t flag, volatile char *touch, long number) {
    uint64_t flags;
    long r = number;
    __asm__ volatile("pushfq; or %2, (%%rsp); popfq\n\t"
                     "movb $1, (%3)\n\t" /* a fault */
                     "syscall\n\t"
                     "pushfq; pop %0\n\t"
                     "pushfq; andq $~0x44400, (%%rsp); popfq"
                     : "=&r"(flags), "+a"(r)
                     : "r"(flag), "r"(touch), "D"(0), "S"(0)
                     : "rcx", "r11", "memory", "cc");
    CHECK(r > 0);
    return flags & flag;
}

int main(void) {
    volatile char *fresh =
        mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_EQ(with_flag(0x40000, fresh, SYS_getpid), 0x40000);        /* AC */
    CHECK_EQ(with_flag(0x4000, fresh + 4096, SYS_getpid), 0x4000);   /* NT */
    CHECK_EQ(with_flag(0x400, fresh + 2 * 4096, SYS_getpid), 0x400); /* DF */
    struct sigaction act = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &act, NULL);
    long r;
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq\n\t"
                     "nop\n\t"
                     "syscall\n\t"
                     "nop; nop; nop; nop"
                     : "=a"(r)
                     : "a"(SYS_getpid)
                     : "rcx", "r11", "memory", "cc");
    CHECK(r > 0);
    CHECK(traps >= 3);
    return check_done();
}
