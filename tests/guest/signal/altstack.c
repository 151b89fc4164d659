/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A stack overflow caught on the alternate stack; SA_ONSTACK and sigaltstack's
 * rules; a handler's return puts back the stack that there was; a signal whose frame
 * the stack cannot take is a SIGSEGV.
 * modes: O0 O1
 * cflags: -fno-sanitize=all
 * timeout: 40
 * zuk: -m 128M
 * isolate: test
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static char stack[65536];
static sigjmp_buf back;
static volatile int on_alternate, flags_inside, code;

static void overflow(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)context;
    char here;
    on_alternate = &here >= stack && &here < stack + sizeof stack;
    stack_t s;
    sigaltstack(NULL, &s);
    flags_inside = s.ss_flags;
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    if (sigaltstack(&other, NULL) != -1 || errno != EPERM) {
        on_alternate = -1;
    }
    code = info->si_code;
    siglongjmp(back, 1);
}

static char second[65536];
static int flags_saved;

/* On the other stack: what it sets holds until it returns. */
static void set(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)info;
    stack_t s = {.ss_sp = second, .ss_size = sizeof second};
    flags_saved = ((ucontext_t *)context)->uc_stack.ss_flags;
    CHECK_EQ(sigaltstack(&s, NULL), 0);
}

__attribute__((noinline)) static int descend(volatile int *depth) {
    volatile char frame[500];
    frame[0] = (char)++*depth;
    return descend(depth) + frame[0];
}

/* Sends itself SIGUSR2 with a stack that cannot take a frame. */
static void raise_without_stack(void) {
    static char no_stack[3 * 4096] __attribute__((aligned(4096)));
    CHECK_EQ(mprotect(no_stack, 2 * 4096, PROT_NONE), 0);
    long number = SYS_tkill, id = syscall(SYS_gettid);
    on_alternate = code = 0;
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("mov %%rsp, %%rbx; mov %1, %%rsp; syscall; mov %%rbx, %%rsp"
                         : "+a"(number)
                         : "r"(no_stack + 2 * 4096), "D"(id), "S"(SIGUSR2)
                         : "rbx", "rcx", "r11", "memory");
    CHECK_EQ(on_alternate, 1);
    CHECK_EQ(code, SI_KERNEL);
    CHECK_EQ(mprotect(no_stack, 2 * 4096, PROT_READ | PROT_WRITE), 0);
}

static void never(int sig) {
    (void)sig;
    CHECK(0);
}

int main(void) {
    struct sigaction setting = {.sa_sigaction = set, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(SIGUSR1, &setting, NULL), 0);
    stack_t s = {.ss_sp = stack, .ss_size = sizeof stack}, old;
    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    stack_t small = {.ss_sp = stack, .ss_size = 100};
    CHECK_ERRNO(sigaltstack(&small, NULL), ENOMEM);
    stack_t odd = {.ss_sp = stack, .ss_size = sizeof stack, .ss_flags = 99};
    CHECK_ERRNO(sigaltstack(&odd, NULL), EINVAL);
    CHECK_EQ(sigaltstack(&s, NULL), 0);
    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK_EQ(old.ss_flags, 0);
    CHECK(old.ss_sp == stack && old.ss_size == sizeof stack);
    raise(SIGUSR1);
    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK(old.ss_sp == stack && old.ss_size == sizeof stack);
    struct sigaction a = {.sa_sigaction = overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK_EQ(sigaction(SIGSEGV, &a, NULL), 0);
    for (int round = 0; round < 2; round++) {
        volatile int depth = 0;
        if (sigsetjmp(back, 1) == 0) {
            descend(&depth);
        }
        CHECK(depth > 1000);
        CHECK_EQ(on_alternate, 1);
        CHECK_EQ(flags_inside, SS_ONSTACK);
    }
    CHECK(signal(SIGUSR2, never) != SIG_ERR);
    raise_without_stack();
    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK_EQ(old.ss_flags, 0);
    stack_t off = {.ss_flags = SS_DISABLE};
    CHECK_EQ(sigaltstack(&off, NULL), 0);
    raise(SIGUSR1);
    CHECK_EQ(flags_saved, SS_DISABLE);
    CHECK_EQ(sigaltstack(NULL, &old), 0);
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    return check_done();
}
