/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The CPU's registers and tables (Intel SDM, volume 3), private to
 * arch/x86_64.
 */
#ifndef ARCH_X86_64_CPU_H
#define ARCH_X86_64_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "arch/x86_64/offsets.h"

/* The app's registers, as entry.S lays them out. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "entry.S");

#define MSR_APIC_BASE 0x1b
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_KERNEL_GS_BASE 0xc0000102

static inline uint64_t rdmsr(uint32_t msr) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

/* An address of the kernel's image, in the last 2 GiB. */
static inline void wrmsr_address(uint32_t msr, const void *p) {
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)(uintptr_t)p), "d"(-1) : "memory");
}
static inline void wrmsr(uint32_t msr, uint64_t v) {
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

struct cpuid {
    uint32_t a, b, c, d;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t sub) {
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
    return r;
}

static inline uint64_t rdtsc(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline uint64_t read_cr2(void) {
    uint64_t v;
    __asm__ volatile("movq %%cr2, %0" : "=r"(v));
    return v;
}

static inline uint64_t read_cr4(void) {
    uint64_t v;
    __asm__ volatile("movq %%cr4, %0" : "=r"(v));
    return v;
}

static inline void write_cr4(uint64_t v) {
    __asm__ volatile("movq %0, %%cr4" : : "r"(v) : "memory");
}

static inline void xsetbv(uint32_t index, uint64_t v) {
    __asm__ volatile("xsetbv" : : "c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static inline void tlb_flush_page(uint64_t va) {
    __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

extern uint64_t kernel_pml4[512], kernel_pt[512];

/* Task state (SDM volume 3, 8.7): the stacks that traps begin on. */
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, iomap;
} __attribute__((packed, aligned(8)));

/* Several CPUs (smp.c).  While smp_on, every way in takes the kernel's lock and
 * every way out gives it back. */
extern bool smp_on, cpu_traced;
#define STALE_PAGES 8
/* Entries that were taken away and may live on in other CPUs' TLBs; count above
 * STALE_PAGES: any. */
extern struct stale {
    unsigned count;
    uint64_t pages[STALE_PAGES];
} stale;
void smp_settle(void) __attribute__((weak));
void smp_trap(struct trap_frame *frame) __attribute__((weak)); /* trap_serve, with the lock */
bool trap_from_app(const struct trap_frame *frame);
void trap_serve(struct trap_frame *frame);
/* One page below 1 MiB: at KERNEL_BASE + page to write, at its own address to
 * execute, 0: as before. */
void map_low(paddr_t page, unsigned prot);

void apic_init(void); /* of each further CPU */
uint32_t apic_id(void);
#define APIC_INIT 0xc4500u                     /* to all other CPUs */
#define APIC_STARTUP 0xc4600u                  /* + page number: they start there, in real mode */
void apic_send(uint32_t id, uint32_t command); /* the interrupt command register */
void apic_ack(void);
void apic_timer(uint64_t ticks); /* one shot at the APIC's 1 GHz / 1, 0: off */
uint64_t apic_timer_left(void);

#define KSTACK_PAGES 2u             /* of a thread */
uint64_t map_stack(unsigned pages); /* the top of new pages above a guard, 0: no memory */
void unmap_stack(uint64_t top);     /* a thread's */

/* The app at CPL 3; isolate.c. */
extern bool isolated;
extern bool interpreted; /* at CPL 0, which lacks stac, clac, xsave, sysretq */
extern bool smap;        /* the app's pages are shut to the kernel but in between these */
static inline __attribute__((always_inline)) void user_access(uint64_t flags) {
    if (smap)
        __asm__ volatile("pushq %0; popfq" : : "i"(RFLAGS_KERNEL | flags) : "memory", "cc");
}

/* FPU, SSE, AVX ... state of the app. */
extern uint32_t fpu_size; /* bytes of a save area */
extern uint64_t fpu_mask; /* XCR0, 0 without XSAVE */
/* The cycle counter's frequency as KVM says it, or 0; weak: it comes with TIME. */
uint64_t kvmclock_hz(void) __attribute__((weak));
void fpu_save(void *area); /* 64-byte aligned, fpu_size bytes */
void fpu_load(const void *area);

/* entry.S */
void syscall_emulated(struct trap_frame *frame) __attribute__((noreturn));
void switch_stacks(uint64_t *save, uint64_t load);
extern char syscall_entry[], syscall_entry_traced[], trap_leave[];
extern char syscall_entry_isolated[], syscall_entry_isolated_traced[];
extern uint64_t app_cs, app_ss;
size_t copy_user(void *dst, const void *src, size_t size);
size_t copy_user_smap(void *dst, const void *src, size_t size);
size_t copy_user_flags(void *dst, const void *src, size_t size);
extern char copy_user_words[], copy_user_bytes[], copy_user_words_fixup[], copy_user_bytes_fixup[];

#endif
