/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One CPU's tables and switches: GDT, TSS, IDT, control registers, system call
 * MSRs, FPU state.  Intel SDM volume 3, chapters 2, 6, 7, 13.
 */
#include "arch/x86_64/cpu.h"

#include "abi/image.h"
#include "arch/x86_64/io.h"
#include "diag/diag.h"
#include "lib/string.h"
#include "sched/thread.h"

const unsigned arch_image = IMAGE_X86_64;
uint64_t arch_hwcap;                    /* CPUID 1 EDX */
uint32_t arch_signal_frame_size = 1024; /* beside the FPU state: frame, red zone, alignment */
uint32_t fpu_size = 512;
uint64_t fpu_mask;

bool smp_on, cpu_traced;

static uint32_t features; /* CPUID 1 ECX */

extern char boot_stack_top[], trap_stack_top[], fault_stack_top[];

struct tss tss = {.ist = {(uint64_t)trap_stack_top, (uint64_t)fault_stack_top},
                  .iomap = sizeof(struct tss)};

void arch_init(void) {
    struct thread *t = &thread_first;
    thread_begin(t);
    t->kstack_top = (uint64_t)boot_stack_top;
    wrmsr_address(MSR_GS_BASE, t);

    __asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS));

    /* The 8259s' lines would arrive as exceptions: firmware may have left them
     * open, and nobody here uses them. */
    outb(0x21, 0xff);
    outb(0xa1, 0xff);

    wrmsr(MSR_STAR, (uint64_t)SELECTOR_CODE << 32);
    wrmsr_address(MSR_LSTAR, syscall_entry);
    wrmsr(MSR_SFMASK, 0x47700); /* TF IF DF OF IOPL NT AC */

    struct cpuid one = cpuid(1, 0);
    arch_hwcap = one.d;
    features = one.c;
    if (features & 1u << 26) { /* XSAVE */
        write_cr4(read_cr4() | 1u << 18);
        struct cpuid x = cpuid(13, 0);
        /* x87, SSE, AVX, AVX-512: what a signal frame can describe. */
        fpu_mask = x.a & 0xe7;
        xsetbv(0, fpu_mask);
        fpu_size = cpuid(13, 0).b;
    }
    arch_signal_frame_size += fpu_size;
}

void fpu_save(void *area) {
    if (fpu_mask) {
        memset((char *)area + 512, 0, 64);
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    } else {
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
    }
}

void fpu_load(const void *area) {
    if (fpu_mask)
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

void arch_set_tls(uint64_t base) {
    thread_current()->arch.tls = base;
    wrmsr(MSR_FS_BASE, base);
}

uint64_t arch_get_tls(void) {
    return rdmsr(MSR_FS_BASE);
}

/* Where the app's GS is while the kernel runs. */
bool arch_set_gs(uint64_t base) {
    if (isolated)
        wrmsr(MSR_KERNEL_GS_BASE, base);
    return isolated;
}

bool arch_get_gs(uint64_t *base) {
    if (isolated)
        *base = rdmsr(MSR_KERNEL_GS_BASE);
    return isolated;
}

struct thread *arch_thread_current(void) {
    struct thread *t;
    __asm__("movq %%gs:%c1, %0" : "=r"(t) : "i"(THREAD_SELF));
    return t;
}

void arch_trace(void) {
    cpu_traced = true;
    wrmsr(MSR_LSTAR, (uint64_t)(isolated ? syscall_entry_isolated_traced : syscall_entry_traced));
}

void arch_idle(void) {
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

void arch_irq_poll(void) {
    struct thread *t = thread_current();
    t->arch.polls = true;
    __asm__ volatile("sti; nop; cli" : : : "memory");
    t->arch.polls = false;
}

bool arch_random(uint64_t *out) {
    if (!(features & 1u << 30))
        return false;
    for (unsigned i = 0; i < 10; i++) {
        bool ok;
        __asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
        if (ok)
            return true;
    }
    return false;
}
