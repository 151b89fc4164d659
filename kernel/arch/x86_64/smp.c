/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Several CPUs: starting them (Intel SDM volume 3, 8.4), the kernel's lock,
 * pages that all must forget.  Promises: arch/smp.h.
 *
 * Bit 0 of the lock's word is set while somebody has it, bit 1 while some CPU may
 * sleep until it can have it: who gives it back wakes one then.  A CPU looks at
 * the word for a moment before it sleeps, since the host may have fewer CPUs than
 * this machine.  Who looks does so with interrupts closed and serves what
 * VECTOR_STALE would ask for: the lock's holder waits for all CPUs to forget a
 * page.  A CPU that is away (it sleeps, for the lock or for work) is not waited
 * for; it forgets everything when it has the lock again.
 */
#include "arch/smp.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/io.h"
#include "boot/bootinfo.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "sched/thread.h"

#define START_PAGE 0x8000u /* where the others begin; put back afterwards */
#define LOOKS 300u         /* at the lock's word before the CPU sleeps */
#define HELD 1u
#define SLEEPERS 2u
#define FW_CFG 0x510 /* QEMU, docs/specs/fw_cfg */
#define FW_CFG_SIGNATURE 0
#define FW_CFG_CPUS 5

struct cpu {
    uint64_t gdt[16];
    struct tss tss;
    uint32_t apic_id;
    bool away;           /* sleeps without the lock, may know old pages */
    bool sleeping;       /* until it is woken for the lock; or may not do so */
    uint32_t forget;     /* asked by the lock's holder, answered by 0 */
    uint64_t generation; /* of pages, that it knows */
    bool stopped;
};

static struct cpu *cpus[CPU_MAX];
static unsigned cpu_count;    /* that run */
static unsigned machine_cpus; /* that there are */
static uint64_t generation;   /* counts what had to be forgotten; lock */
static bool stopping;

uint32_t smp_lock_word;
static uint64_t sleepers;                         /* CPUs that may sleep for the lock, a bit each */
unsigned smp_number = 1, smp_wanted, smp_surplus; /* smp_entry.S */
uint64_t smp_stacks[CPU_MAX];
static unsigned arrived; /* they have left the start page */
static struct thread *const *idle_threads;
static void (*idle_loop)(void);
static struct {
    uint64_t star, lstar, sfmask;
    uint8_t idt_pointer[10];
    uint8_t gdt_pointer[10];
} shared;

extern char smp_start[], smp_start_end[], smp_start_words[], smp_fix_1[], smp_fix_2[], smp_fix_3[];
extern char smp_syscall_entry[], smp_syscall_entry_traced[];
extern char smp_syscall_entry_isolated[], smp_syscall_entry_isolated_traced[];

void smp_arrived(unsigned number) __attribute__((noreturn));
void smp_lock_wait(void);
void smp_unlock(void);
void smp_wake(void);

static struct cpu *here(void) {
    return cpus[thread_current()->cpu];
}

static void forget_everything(void) {
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" : : : "rax", "memory");
}

static void relax(void) {
    __asm__ volatile("pause" : : : "memory");
}

/* ---- the lock -------------------------------------------------------------- */

/* What another CPU wants of this one, whether it holds the lock or not. */
static void serve(struct cpu *c) {
    if (__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
        __atomic_store_n(&c->stopped, true, __ATOMIC_RELEASE);
        for (;;)
            __asm__ volatile("cli; hlt");
    }
    if (!__atomic_load_n(&c->forget, __ATOMIC_ACQUIRE))
        return;
    if (stale.count > STALE_PAGES) {
        forget_everything();
    } else {
        for (unsigned i = 0; i < stale.count; i++)
            tlb_flush_page(stale.pages[i]);
    }
    c->generation = generation;
    __atomic_store_n(&c->forget, 0, __ATOMIC_RELEASE);
}

/* Until somebody gives the lock back, or anything else happens: interrupts find
 * `sleeping`, and look for the lock without a sleep of their own. */
static void sleep_for_lock(struct cpu *c) {
    uint64_t bit = UINT64_C(1) << thread_current()->cpu;
    uint32_t word = HELD;
    __atomic_fetch_or(&sleepers, bit, __ATOMIC_SEQ_CST);
    bool held = __atomic_compare_exchange_n(&smp_lock_word, &word, HELD | SLEEPERS, false,
                                            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
                word == (HELD | SLEEPERS);
    if (held) {
        c->sleeping = true;
        __atomic_store_n(&c->away, true, __ATOMIC_RELEASE);
        __asm__ volatile("sti; hlt; cli" : : : "memory");
        c->sleeping = false;
    }
    __atomic_fetch_and(&sleepers, ~bit, __ATOMIC_SEQ_CST);
}

void smp_lock_wait(void) {
    struct cpu *c = here();
    for (unsigned looks = 0;; looks++) {
        uint32_t word = __atomic_load_n(&smp_lock_word, __ATOMIC_RELAXED);
        if (!(word & HELD)) {
            uint32_t more = __atomic_load_n(&sleepers, __ATOMIC_SEQ_CST) ? SLEEPERS : 0;
            if (__atomic_compare_exchange_n(&smp_lock_word, &word, HELD | more, false,
                                            __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
                break;
        } else if (looks > LOOKS && !c->sleeping) {
            sleep_for_lock(c);
            looks = 0;
        }
        serve(c);
        relax();
    }
    if (c->away && c->generation != generation) {
        forget_everything();
        c->generation = generation;
    }
    c->away = false;
}

/* The lock was given back, and somebody may sleep for it: the next one after this
 * CPU. */
void smp_wake(void) {
    unsigned self = thread_current()->cpu;
    uint64_t set = __atomic_load_n(&sleepers, __ATOMIC_SEQ_CST);
    for (unsigned i = 1; set && i < cpu_count; i++) {
        unsigned cpu = (self + i) % cpu_count;
        if (set >> cpu & 1) {
            apic_send(cpus[cpu]->apic_id, VECTOR_STALE);
            return;
        }
    }
}

void smp_unlock(void) {
    arch_pages_settle();
    if (__atomic_sub_fetch(&smp_lock_word, HELD, __ATOMIC_SEQ_CST))
        smp_wake();
}

void smp_settle(void) {
    struct cpu *self = here();
    self->generation = ++generation;
    for (unsigned i = 0; i < cpu_count; i++) {
        if (cpus[i] == self || __atomic_load_n(&cpus[i]->away, __ATOMIC_ACQUIRE))
            continue;
        __atomic_store_n(&cpus[i]->forget, 1, __ATOMIC_RELEASE);
        apic_send(cpus[i]->apic_id, VECTOR_STALE);
    }
    for (unsigned i = 0; i < cpu_count; i++) {
        while (__atomic_load_n(&cpus[i]->forget, __ATOMIC_ACQUIRE))
            relax();
    }
    stale.count = 0;
}

void arch_cpus_fence(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (smp_on)
        smp_settle();
}

/* A trap that did not find the kernel at work needs the lock; but for
 * VECTOR_STALE, since the lock's holder waits for us. */
void smp_trap(struct trap_frame *frame) {
    if (frame->vector == VECTOR_STALE) {
        apic_ack();
        serve(here());
        return;
    }
    bool open = trap_from_app(frame) || frame->rip == (uint64_t)trap_leave ||
                (frame->rflags & RFLAGS_IF && !thread_current()->arch.polls);
    if (open) {
        /* An interrupt that is not acknowledged yet keeps those out that wake. */
        struct cpu *c = here();
        bool sleeping = c->sleeping;
        c->sleeping |= frame->vector >= VECTOR_LINE;
        smp_lock_wait();
        c->sleeping = sleeping;
    }
    trap_serve(frame);
    if (open)
        smp_unlock();
}

void arch_cpu_idle(void) {
    struct cpu *c = here();
    arch_pages_settle();
    c->away = true;
    smp_unlock();
    __asm__ volatile("sti; hlt; cli" : : : "memory");
    smp_lock_wait();
}

void arch_cpu_call(unsigned cpu) {
    apic_send(cpus[cpu]->apic_id, VECTOR_CALL);
}

void arch_cpus_stop(void) {
    if (!smp_on)
        return;
    unsigned self = thread_current()->cpu;
    __atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < cpu_count; i++) {
        if (i != self)
            apic_send(cpus[i]->apic_id, VECTOR_STALE);
    }
    /* One that closed its interrupts by force is not waited for. */
    uint64_t end = arch_cycles() + arch_cycles_hz() / 10;
    for (unsigned i = 0; i < cpu_count; i++) {
        while (i != self && !__atomic_load_n(&cpus[i]->stopped, __ATOMIC_ACQUIRE) &&
               arch_cycles() < end)
            relax();
    }
}

/* ---- starting ---------------------------------------------------------------- */

static uint32_t fw_cfg(uint16_t key, unsigned bytes) {
    uint32_t v = 0;
    outw(FW_CFG, key);
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint32_t)inb(FW_CFG + 1) << 8 * i;
    return v;
}

unsigned arch_cpu_count(void) {
    machine_cpus = sched_cpus_told;
    if (!machine_cpus && fw_cfg(FW_CFG_SIGNATURE, 4) == 0x554d4551) /* "QEMU" */
        machine_cpus = fw_cfg(FW_CFG_CPUS, 2);
    return machine_cpus < 1 ? 1 : MIN(machine_cpus, CPU_MAX);
}

/* Tables and registers of this CPU, like the first one's. */
static void take_tables(struct cpu *c) {
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) gdt;
    memcpy(&gdt, shared.gdt_pointer, sizeof gdt);
    uint64_t base = (uint64_t)&c->tss;
    memcpy(c->gdt, (const void *)gdt.base, gdt.limit + 1u);
    c->gdt[SELECTOR_TSS / 8] = (sizeof c->tss - 1) | (base & 0xffffff) << 16 |
                               UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
    c->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
    c->tss.iomap = sizeof c->tss;
    gdt.base = (uint64_t)c->gdt;
    __asm__ volatile("lgdt %0; ltr %w1" : : "m"(gdt), "r"(SELECTOR_TSS));
    __asm__ volatile("lidt %0" : : "m"(shared.idt_pointer));
    wrmsr(MSR_STAR, shared.star);
    wrmsr(MSR_LSTAR, shared.lstar);
    wrmsr(MSR_SFMASK, shared.sfmask);
    if (fpu_mask)
        xsetbv(0, fpu_mask);
}

/* A further CPU, on the stack of its idle thread. */
void smp_arrived(unsigned number) {
    struct cpu *c = cpus[number];
    wrmsr(MSR_GS_BASE, (uint64_t)idle_threads[number]);
    take_tables(c);
    apic_init();
    c->apic_id = apic_id();
    c->away = true;
    __atomic_fetch_add(&arrived, 1, __ATOMIC_RELEASE);
    smp_lock_wait();
    idle_loop();
    panic("a CPU has nothing to do");
}

static bool make_cpu(struct cpu **out) {
    struct cpu *c = heap_alloc(sizeof *c);
    uint64_t top = c ? map_stack(1) : 0;
    if (!top)
        return false;
    c->tss.ist[0] = top;
    c->tss.ist[1] = top - PAGE_SIZE / 2;
    c->generation = generation;
    *out = c;
    return true;
}

/* The idle thread's first switch ends in its loop. */
static void make_idle(struct thread *t) {
    uint64_t *stack = (uint64_t *)t->kstack_top;
    *--stack = 0;
    *--stack = (uint64_t)idle_loop;
    for (unsigned i = 0; i < 6; i++) /* what switch_stacks pops */
        *--stack = 0;
    t->arch.sp = (uint64_t)stack;
    t->arch.idle = true;
}

/* Others that have left the start page. */
static unsigned gone(void) {
    return __atomic_load_n(&arrived, __ATOMIC_ACQUIRE) +
           __atomic_load_n(&smp_surplus, __ATOMIC_ACQUIRE);
}

/* Waits until all others have gone, or so long. */
static void wait_us(uint64_t us) {
    uint64_t end = arch_cycles() + arch_cycles_hz() / 1000000 * us;
    while (gone() + 1 < machine_cpus && arch_cycles() < end)
        relax();
}

/* Everybody else begins at START_PAGE.  Startup is sent again to those who have
 * not come: one that was not in wait for it has missed it. */
static void call_all(void) {
    uint64_t efer = rdmsr(0xc0000080) & 0x901;
    uint64_t cr0, cr3;
    __asm__ volatile("movq %%cr0, %0; movq %%cr3, %1" : "=r"(cr0), "=r"(cr3));
    char saved[512];
    char *page = (char *)KERNEL_BASE + START_PAGE;
    size_t size = (size_t)(smp_start_end - smp_start);
    const uint32_t words[] = {START_PAGE, (uint32_t)read_cr4(), (uint32_t)cr3, (uint32_t)efer,
                              (uint32_t)cr0};
    assert(size <= sizeof saved);
    map_low(START_PAGE, PROT_WRITE);
    memcpy(saved, page, size);
    memcpy(page, smp_start, size);
    memcpy(page + (smp_start_words - smp_start), words, sizeof words);
    const char *const fixes[] = {smp_fix_1, smp_fix_2, smp_fix_3};
    for (unsigned i = 0; i < 3; i++) {
        uint32_t at;
        memcpy(&at, page + (fixes[i] - smp_start), sizeof at);
        at += START_PAGE;
        memcpy(page + (fixes[i] - smp_start), &at, sizeof at);
    }
    map_low(START_PAGE, PROT_EXEC);
    apic_send(0, APIC_INIT);
    wait_us(100);
    for (unsigned tries = 0; tries < 50 && gone() + 1 < machine_cpus; tries++) {
        apic_send(0, APIC_STARTUP | START_PAGE >> PAGE_SHIFT);
        wait_us(20000);
    }
    while (gone() + 1 < __atomic_load_n(&smp_number, __ATOMIC_ACQUIRE))
        relax(); /* who has a number is on the way */
    map_low(START_PAGE, PROT_WRITE);
    memcpy(page, saved, size);
    map_low(START_PAGE, 0);
}

unsigned arch_cpus_start(struct thread *const *idles, unsigned count, void (*idle)(void)) {
    idle_threads = idles;
    idle_loop = idle;
    unsigned have = 0;
    for (; have < count && make_cpu(&cpus[have]); have++) {
        make_idle(idles[have]);
        smp_stacks[have] = idles[have]->kstack_top;
    }
    if (have < 2)
        return 1;
    shared.star = rdmsr(MSR_STAR);
    shared.lstar = (uint64_t)(isolated     ? cpu_traced ? smp_syscall_entry_isolated_traced
                                                        : smp_syscall_entry_isolated
                              : cpu_traced ? smp_syscall_entry_traced
                                           : smp_syscall_entry);
    shared.sfmask = rdmsr(MSR_SFMASK);
    __asm__ volatile("sgdt %0; sidt %1" : "=m"(shared.gdt_pointer), "=m"(shared.idt_pointer));
    smp_wanted = have;
    smp_lock_word = HELD;
    cpus[0]->apic_id = apic_id();
    call_all();
    if (!arrived)
        return 1;
    cpu_count = arrived + 1;
    smp_on = true;
    take_tables(cpus[0]);
    return cpu_count;
}
