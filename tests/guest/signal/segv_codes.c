/* SPDX-License-Identifier: BSD-3-Clause
 *
 * si_code and si_addr by kind of fault: unmapped, not permitted, fetch,
 * non-canonical, division, the x87's exceptions, illegal instruction, breakpoint,
 * single steps.
 * cflags: -fno-sanitize=all
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "check.h"

static sigjmp_buf back;
static volatile int sig_seen, code_seen, error_seen;
static void *volatile address_seen;

static void seen(int sig, siginfo_t *info, void *context) {
    error_seen = (int)((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR];
    sig_seen = sig;
    code_seen = info->si_code;
    address_seen = info->si_addr;
    siglongjmp(back, 1);
}

#define TRY(statement)                                                                             \
    do {                                                                                           \
        sig_seen = 0;                                                                              \
        if (sigsetjmp(back, 1) == 0) {                                                             \
            statement;                                                                             \
        }                                                                                          \
    } while (0)

extern char ud_here[];

/* The si_code of a division or product with that exception open. */
static int x87(unsigned short open, double a, double b, int divides) {
    unsigned short control = 0x37f & (unsigned short)~open;
    float f;
    code_seen = 0;
    TRY({
        __asm__ volatile("fninit; fldcw %0; fldl %1; fldl %2" : : "m"(control), "m"(a), "m"(b));
        if (divides)
            __asm__ volatile("fdivrp; fwait");
        else
            __asm__ volatile("fmulp; fstps %0; fwait" : "=m"(f));
    });
    __asm__ volatile("fninit");
    return sig_seen == SIGFPE ? code_seen : -1;
}

int main(void) {
    struct sigaction a = {.sa_sigaction = seen, .sa_flags = SA_SIGINFO};
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(sigaction(signals[i], &a, NULL), 0);
    }
    char *none = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(none + 4096, 4096);
    volatile int sum = 0;

    TRY(sum += *(volatile char *)24);
    CHECK_EQ(sig_seen, SIGSEGV);
    CHECK_EQ(code_seen, SEGV_MAPERR);
    CHECK_EQ((uintptr_t)address_seen, 24);
    CHECK_EQ(error_seen, 4); /* the app's */

    TRY(sum += *(volatile char *)(none + 5));
    CHECK_EQ(sig_seen, SIGSEGV);
    CHECK_EQ(code_seen, SEGV_ACCERR);
    CHECK(address_seen == none + 5);

    TRY(((void (*)(void))(void *)none)());
    CHECK_EQ(sig_seen, SIGSEGV);
    CHECK_EQ(code_seen, SEGV_ACCERR);
    CHECK(address_seen == none);

    TRY(sum += *(volatile char *)0x8123456789abcdef);
    CHECK_EQ(sig_seen, SIGSEGV);
    CHECK_EQ(code_seen, SI_KERNEL);
    CHECK(address_seen == NULL);

    volatile int zero = 0;
    TRY(sum += 5 / zero);
    CHECK_EQ(sig_seen, SIGFPE);
    CHECK_EQ(code_seen, FPE_INTDIV);

    CHECK_EQ(x87(1, 0, 0, 1), FPE_FLTINV);
    CHECK_EQ(x87(4, 1, 0, 1), FPE_FLTDIV);
    CHECK_EQ(x87(8, 1e300, 1e300, 0), FPE_FLTOVF);
    CHECK_EQ(x87(16, 1e-300, 1e-300, 0), FPE_FLTUND);
    CHECK_EQ(x87(32, 1, 3, 1), FPE_FLTRES);

    TRY(__asm__ volatile(".globl ud_here\nud_here: ud2"));
    CHECK_EQ(sig_seen, SIGILL);
    CHECK_EQ(code_seen, ILL_ILLOPN);
    CHECK(address_seen == ud_here);

    TRY(__asm__ volatile("int3"));
    CHECK_EQ(sig_seen, SIGTRAP);
    CHECK_EQ(code_seen, SI_KERNEL);

    TRY(__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop" : : : "memory", "cc"));
    __asm__ volatile("pushfq; andl $~0x100, (%%rsp); popfq" : : : "memory", "cc");
    CHECK_EQ(sig_seen, SIGTRAP);
    CHECK_EQ(code_seen, TRAP_TRACE);
    return check_done();
}
