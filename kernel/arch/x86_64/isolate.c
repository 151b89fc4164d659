/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The app at CPL 3 (--isolate).  The page tables are the same in both modes:
 * the app's pages have the user bit, the kernel's have not.  What differs are
 * the selectors that the app runs with, the system call entry, and SMEP and
 * SMAP, which keep the kernel from running the app's pages, and from touching
 * them elsewhere than it means to.  Intel SDM volume 3, 4.6, 5.8.8.
 */
#include "arch/x86_64/cpu.h"

#define STRUCTURED_SMEP (1u << 7) /* CPUID 7 EBX */
#define STRUCTURED_SMAP (1u << 20)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)

/* Loops and what they take at most on a CPU that runs them. */
#define PROBE_LOOPS 64
#define PROBE_CYCLES 20000

bool isolated, smap, interpreted;
size_t (*arch_copy_user)(void *dst, const void *src, size_t size) = copy_user;

/* Does a KVM without hardware's help (kvm_pvm) interpret this? */
static bool is_interpreted(void) {
    uint64_t least = UINT64_MAX;
    if (cpuid(0x40000000, 0).b != 0x4b4d564b) /* "KVMK" */
        return false;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t start = rdtsc();
        for (unsigned n = PROBE_LOOPS; n; n--)
            __asm__ volatile("");
        uint64_t took = rdtsc() - start;
        least = took < least ? took : least;
    }
    return least > PROBE_CYCLES;
}

void arch_isolate(void) {
    uint32_t structured = cpuid(0, 0).a >= 7 ? cpuid(7, 0).b : 0;
    isolated = true;
    interpreted = is_interpreted();
    if (interpreted && fpu_mask) { /* FXSAVE it knows */
        fpu_mask = 0;
        fpu_size = 512;
        xsetbv(0, 3);
    }
    app_cs = SELECTOR_APP_CODE;
    app_ss = SELECTOR_APP_DATA;
    wrmsr(MSR_STAR, UINT64_C(SELECTOR_SYSRET) << 48 | (uint64_t)SELECTOR_CODE << 32);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_entry_isolated);
    if (structured & STRUCTURED_SMEP)
        write_cr4(read_cr4() | CR4_SMEP);
    if (structured & STRUCTURED_SMAP) {
        smap = true;
        arch_copy_user = interpreted ? copy_user_flags : copy_user_smap;
        write_cr4(read_cr4() | CR4_SMAP);
    }
}
