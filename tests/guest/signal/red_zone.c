/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The 128 bytes below the stack pointer survive a signal's frame.
 * cflags: -fno-sanitize=all
 * isolate: test
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#include "check.h"

static void handler(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)info;
    volatile char use[2000];
    for (unsigned i = 0; i < sizeof use; i++) {
        use[i] = 0x55;
    }
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

int main(void) {
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(SIGILL, &a, NULL), 0);
    uint64_t low, high;
    __asm__ volatile("sub $256, %%rsp\n\t"
                     "movabs $0x1122334455667788, %%rax\n\t"
                     "mov %%rax, -8(%%rsp); mov %%rax, -128(%%rsp)\n\t"
                     "ud2\n\t"
                     "mov -8(%%rsp), %0; mov -128(%%rsp), %1\n\t"
                     "add $256, %%rsp"
                     : "=&r"(high), "=&r"(low)
                     :
                     : "rax", "memory");
    CHECK_EQ(high, 0x1122334455667788);
    CHECK_EQ(low, 0x1122334455667788);
    return check_done();
}
