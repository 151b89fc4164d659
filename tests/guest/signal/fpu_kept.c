/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SSE, AVX and x87 state survive a signal whose handler uses them all, and the
 * saved copy in the context is at a 64-byte boundary.
 * modes: O0 O2
 * cflags: -fno-sanitize=all
 * isolate: test
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#include "check.h"

static volatile int aligned = 0;

static void handler(int sig, siginfo_t *info, void *context) {
    (void)sig, (void)info;
    ucontext_t *u = context;
    aligned = u->uc_mcontext.fpregs != NULL && (uintptr_t)u->uc_mcontext.fpregs % 64 == 0;
    u->uc_mcontext.gregs[REG_RIP] += 2; /* over the ud2 */
    __asm__ volatile("pcmpeqb %%xmm0, %%xmm0; movdqa %%xmm0, %%xmm5; movdqa %%xmm0, %%xmm15;"
                     "fninit; fldpi" ::
                         : "xmm0", "xmm5", "xmm15", "memory");
    if (__builtin_cpu_supports("avx")) {
        __asm__ volatile("vzeroall" ::: "memory");
    }
}

int main(void) {
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(SIGILL, &a, NULL), 0);
    __builtin_cpu_init();
    uint64_t in[8] __attribute__((aligned(32))) = {1, 2, 3, 4, 5, 6, 7, 8},
                   out[8] __attribute__((aligned(32))) = {0};
    double x87 = 0;
    unsigned mxcsr = 0x9fc0, mxcsr_out = 0; /* flush to zero, denormals are zero */
    if (__builtin_cpu_supports("avx")) {
        __asm__ volatile("ldmxcsr %3\n\t"
                         "vmovdqa (%4), %%ymm5; vmovdqa 32(%4), %%ymm15; fld1; fld1; faddp\n\t"
                         "ud2\n\t"
                         "fstpl %0; vmovdqa %%ymm5, (%5); vmovdqa %%ymm15, 32(%5)\n\t"
                         "stmxcsr %1"
                         : "=m"(x87), "=m"(mxcsr_out), "=m"(out)
                         : "m"(mxcsr), "r"(in), "r"(out)
                         : "xmm5", "xmm15", "memory");
    } else {
        __asm__ volatile("ldmxcsr %3\n\t"
                         "movdqa (%4), %%xmm5; movdqa 32(%4), %%xmm15; fld1; fld1; faddp\n\t"
                         "ud2\n\t"
                         "fstpl %0; movdqa %%xmm5, (%5); movdqa %%xmm15, 32(%5)\n\t"
                         "stmxcsr %1"
                         : "=m"(x87), "=m"(mxcsr_out), "=m"(out)
                         : "m"(mxcsr), "r"(in), "r"(out)
                         : "xmm5", "xmm15", "memory");
        in[2] = in[3] = in[6] = in[7] = 0;
    }
    CHECK(memcmp(in, out, sizeof in) == 0);
    CHECK(x87 == 2.0);
    CHECK_EQ(mxcsr_out, mxcsr);
    CHECK_EQ(aligned, 1);
    return check_done();
}
