/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A SIGSEGV handler with SA_SIGINFO reads si_addr and the context (rip, cr2,
 * error code), makes the page accessible and returns: the access succeeds.
 * modes: O0 O2
 * machines: microvm q35 pc
 * cflags: -fno-sanitize=all
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "check.h"

static char *page;
static volatile int calls;
static volatile uintptr_t address, cr2, rip, error, trap;
static volatile int code;

static void fix(int sig, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    calls++;
    address = (uintptr_t)info->si_addr;
    code = info->si_code;
    rip = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
    cr2 = (uintptr_t)u->uc_mcontext.gregs[REG_CR2];
    error = (uintptr_t)u->uc_mcontext.gregs[REG_ERR];
    trap = (uintptr_t)u->uc_mcontext.gregs[REG_TRAPNO];
    if (sig != SIGSEGV || mprotect(page, 4096, PROT_READ | PROT_WRITE) != 0) {
        _Exit(9);
    }
}

extern char write_start[], write_end[];

int main(void) {
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction a = {.sa_sigaction = fix, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(SIGSEGV, &a, NULL), 0);
    __asm__ volatile(".globl write_start, write_end\nwrite_start: movb $5, 100(%0)\nwrite_end:"
                     :
                     : "r"(page)
                     : "memory");
    CHECK_EQ(calls, 1);
    CHECK_EQ(page[100], 5);
    CHECK_EQ(address, (uintptr_t)page + 100);
    CHECK_EQ(cr2, (uintptr_t)page + 100);
    CHECK_EQ(rip, (uintptr_t)write_start);
    CHECK_EQ(trap, 14);
    CHECK((error & 2) != 0); /* a write */
    CHECK_EQ(code, SEGV_ACCERR);
    CHECK_EQ(mprotect(page, 4096, PROT_READ), 0);
    *(volatile char *)(page + 7) = 3;
    CHECK_EQ(calls, 2);
    CHECK_EQ(code, SEGV_ACCERR);
    return check_done();
}
