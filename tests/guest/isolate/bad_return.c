/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernel is asked to return to where no app can be: a non-canonical
 * address or the kernel's half, through a handler's address, an edited
 * context, and a jump.  Each is the app's SIGSEGV.
 * cflags: -fno-sanitize=all -D_GNU_SOURCE
 * isolate: test
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

static sigjmp_buf back;
static volatile uint64_t target;

static void on_fault(int n, siginfo_t *info, void *context) {
    (void)info, (void)context;
    siglongjmp(back, n);
}

static void on_usr1(int n, siginfo_t *info, void *context) {
    (void)n, (void)info;
    ucontext_t *uc = context;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)target;
}

int main(void) {
    static const uint64_t bad[] = {0x8000000000000000, 0x0000800000000000, 0xfff0000000000000};
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    struct sigaction edit = {.sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &fault, NULL);
    sigaction(SIGBUS, &fault, NULL);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sigaction nowhere = {.sa_handler = (void (*)(int))bad[i]};
        sigaction(SIGUSR1, &nowhere, NULL);
        int n = sigsetjmp(back, 1);
        if (n == 0) {
            raise(SIGUSR1);
        }
        CHECK_EQ(n, SIGSEGV);

        target = bad[i];
        sigaction(SIGUSR1, &edit, NULL);
        n = sigsetjmp(back, 1);
        if (n == 0) {
            raise(SIGUSR1);
        }
        CHECK_EQ(n, SIGSEGV);

        n = sigsetjmp(back, 1);
        if (n == 0) {
            __asm__ volatile("jmp *%0" : : "r"(bad[i]));
        }
        CHECK_EQ(n, SIGSEGV);
    }
    return check_done();
}
