/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A handler may change the saved registers: execution goes on where and with
 * what it wrote.  What cannot be loaded is SIGSEGV, which has a handler too.
 * cflags: -fno-sanitize=all
 * isolate: test
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#include "check.h"

extern char resume_here[];

static void skip(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)info;
    ucontext_t *u = context;
    u->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)resume_here;
    u->uc_mcontext.gregs[REG_RAX] = 1111;
    u->uc_mcontext.gregs[REG_R15] = 2222;
    u->uc_mcontext.gregs[REG_EFL] |= 1; /* carry */
}

static sigjmp_buf back;
static volatile int code, blocked;

static void spoil(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)info;
    ((ucontext_t *)context)->uc_mcontext.fpregs = (void *)8;
}

static void refused(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)context;
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    code = info->si_code;
    blocked = sigismember(&now, SIGUSR1);
    siglongjmp(back, 1);
}

int main(void) {
    struct sigaction a = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(SIGILL, &a, NULL), 0);
    long rax, r15 = 0, keep = 0;
    unsigned char carry;
    __asm__ volatile(".globl resume_here\n"
                     "mov $77, %%r14\n"
                     "clc\n"
                     "ud2\n"
                     "hlt\n"
                     "resume_here:\n"
                     "setc %3\n"
                     "mov %%r15, %1; mov %%r14, %2"
                     : "=&a"(rax), "=&r"(r15), "=&r"(keep), "=&q"(carry)
                     :
                     : "r14", "r15", "cc", "memory");
    CHECK_EQ(rax, 1111);
    CHECK_EQ(r15, 2222);
    CHECK_EQ(keep, 77);
    CHECK_EQ(carry, 1);

    a.sa_sigaction = spoil;
    CHECK_EQ(sigaction(SIGUSR1, &a, NULL), 0);
    a.sa_sigaction = refused;
    CHECK_EQ(sigaction(SIGSEGV, &a, NULL), 0);
    blocked = 2;
    if (sigsetjmp(back, 1) == 0)
        raise(SIGUSR1);
    CHECK_EQ(code, 0x80 /* SI_KERNEL */);
    CHECK_EQ(blocked, 0);
    return check_done();
}
