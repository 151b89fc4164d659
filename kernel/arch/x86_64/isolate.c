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

bool isolated, smap, calls_fault;
size_t (*arch_copy_user)(void *dst, const void *src, size_t size) = copy_user;

void arch_isolate(void) {
    uint32_t structured = cpuid(0, 0).a >= 7 ? cpuid(7, 0).b : 0;
    isolated = true;
    struct cpuid hypervisor = cpuid(0x40000000, 0);
    calls_fault = hypervisor.b == 0x4b4d564b; /* "KVMK" */
    app_cs = SELECTOR_APP_CODE;
    app_ss = SELECTOR_APP_DATA;
    wrmsr(MSR_STAR, UINT64_C(SELECTOR_SYSRET) << 48 | (uint64_t)SELECTOR_CODE << 32);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_entry_isolated);
    if (structured & STRUCTURED_SMEP)
        write_cr4(read_cr4() | CR4_SMEP);
    if (structured & STRUCTURED_SMAP) {
        smap = true;
        arch_copy_user = copy_user_smap;
        write_cr4(read_cr4() | CR4_SMAP);
    }
}
