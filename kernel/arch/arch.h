/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What every architecture promises to the rest of the kernel.  Each
 * arch/<a>/ implements all of it, in files of the same names; arch/<a>/cpu.h
 * holds its inline parts.
 *
 * The kernel runs with interrupts off, but for arch_idle(), and on one CPU at a
 * time (arch/smp.h).  One app, one address space: the lower half is the app's, the
 * upper half the kernel's.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t; /* a physical address */
typedef uint64_t vaddr_t; /* a virtual address, the app's or the kernel's */

#define PAGE_SIZE 4096ul
#define PAGE_SHIFT 12
#define APP_START 0x10000ul              /* lowest mappable app address */
#define APP_END 0x7ffffffff000ul         /* first address past the app's */
#define DIRECT_MAP 0xffff800000000000ul  /* physical address p is at DIRECT_MAP + p */
#define KERNEL_MAP 0xffffff0000000000ul  /* devices and kernel stacks, page by page */
#define KERNEL_BASE 0xffffffff80000000ul /* the kernel image: KERNEL_BASE + physical address */

static inline void *phys_to_virt(paddr_t p) {
    return (void *)(DIRECT_MAP + p);
}

paddr_t arch_mapped_phys(const void *v); /* of a thread's kernel stack */

/* Physical address of something in the direct map, the kernel image or a
 * kernel stack; a stack's frames are neighbours. */
static inline paddr_t virt_to_phys(const void *v) {
    uint64_t a = (uint64_t)v;
    if (a >= KERNEL_BASE)
        return a - KERNEL_BASE;
    return a < KERNEL_MAP ? a - DIRECT_MAP : arch_mapped_phys(v);
}

/* Physical address of something in the kernel image. */
static inline paddr_t kernel_phys(const void *v) {
    return (uint64_t)v - KERNEL_BASE;
}

enum prot { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };

/* Pages of the app.  `owned`: the frame belongs to this mapping and
 * arch_page_unmap hands it back; not owned: it lies in the image. */
struct page_entry {
    paddr_t frame;
    unsigned prot;
    bool owned;
};
/* Maps one page; -ENOMEM when no page table can be had, -EEXIST when there is
 * an entry already.  Makes the frame read-only in the direct map while PROT_EXEC. */
int arch_page_map(vaddr_t va, paddr_t frame, unsigned prot, bool owned);
/* The entry of a mapped page; false when there is none. */
bool arch_page_lookup(vaddr_t va, struct page_entry *out);
/* Calls fn(va, entry, arg) for every mapped page in [start, end), skipping
 * holes in page-table-sized steps. */
void arch_page_walk(vaddr_t start, vaddr_t end,
                    void (*fn)(vaddr_t va, const struct page_entry *entry, void *arg), void *arg);
/* Changes the rights of one mapped page; 0 or -ENOMEM. */
int arch_page_protect(vaddr_t va, unsigned prot);
/* Unmaps one page; returns its entry; false when there was none. */
bool arch_page_unmap(vaddr_t va, struct page_entry *out);
/* Until this returns, other CPUs may still use what the three above took away:
 * before a frame of it is used for anything else. */
void arch_pages_settle(void);
/* Maps a kernel page of device registers, uncached; returns its address. */
void *arch_map_device(paddr_t base, size_t size);
uint64_t arch_table_pages(void); /* page-table frames in use */
/* Gives page tables back that [start, end) has used: those of [low, high), where
 * nothing is mapped any more. */
void arch_tables_free(vaddr_t start, vaddr_t end, vaddr_t low, vaddr_t high);

/* Copies between kernel and app memory; the number of bytes NOT copied (0:
 * all).  Faults on the app's side are resolved or end the copy. */
extern size_t (*arch_copy_user)(void *dst, const void *src, size_t size);

/* What the loader left in low memory; for reading, until RAM is mapped. */
void *arch_boot_map(paddr_t p, size_t size);
/* The CPU, its tables, the current thread: first of all. */
void arch_init(void);
/* The direct map of the image; of the loader's module; of RAM. */
void arch_map_image(void);
void arch_map_module(void);
void arch_map_ram(paddr_t start, paddr_t end);

/* A thread's machine state. */
struct arch_thread {
    uint64_t sp;  /* kernel stack pointer while switched out */
    uint64_t tls; /* the app's thread pointer (FS base) */
    uint64_t gs;  /* the app's GS base while switched out, where it has one */
    void *fpu;    /* save area, NULL until first switched away */
    bool idle;    /* never in the app: no state of its */
    bool polls;   /* takes interrupts in the middle of the kernel */
};
struct thread;
/* The child's machine state: the caller's registers, with result 0 and that
 * stack pointer; FPU state too. */
struct trap_frame;
void arch_thread_fork(struct thread *child, const struct trap_frame *frame, vaddr_t sp);
uint64_t arch_kstack_new(void);      /* the top of a new kernel stack with a guard; 0: no memory */
void arch_kstack_free(uint64_t top); /* of a thread that will never run again */
/* Frames of the stacks made so; weak: defined where there are any. */
uint64_t arch_kstack_pages(void) __attribute__((weak));
/* clone(2)'s arguments, whose order is the architecture's. */
struct report_call;
struct clone_order {
    vaddr_t stack, parent_tid, child_tid, tls;
};
struct clone_order arch_clone_order(const struct report_call *call);
/* Weak: without THREADS there is nobody to switch to. */
void arch_thread_switch(struct thread *from, struct thread *to) __attribute__((weak));
struct thread *arch_thread_current(void);
void arch_set_tls(uint64_t base);
uint64_t arch_get_tls(void);
bool arch_set_gs(uint64_t base); /* x86's second thread pointer; false: not the app's to use */
bool arch_get_gs(uint64_t *base);

/* The app's registers at a trap; what is inside is the architecture's. */
struct trap_frame;
uint64_t arch_frame_ip(const struct trap_frame *frame);
uint64_t arch_frame_sp(const struct trap_frame *frame);
bool arch_frame_is_call(const struct trap_frame *frame); /* on the way out of a system call */
long arch_frame_result(const struct trap_frame *frame);  /* the register a call's result is in */
/* In the order of REPORT_REGS_<ARCH>. */
void arch_frame_regs(const struct trap_frame *frame, uint64_t *regs);
/* Registers of a thread that sleeps in a system call, as far as they are known. */
void arch_thread_regs(const struct thread *t, uint64_t *regs);
/* Enters the app for the first time with that instruction and stack pointer. */
void arch_app_enter(vaddr_t ip, vaddr_t sp) __attribute__((noreturn));
extern const unsigned arch_image;       /* enum image_arch */
extern uint64_t arch_hwcap;             /* AT_HWCAP */
extern uint32_t arch_signal_frame_size; /* AT_MINSIGSTKSZ: bytes of the largest signal frame */
/* The app is to run without the CPU's privileges.  Before arch_trace and
 * arch_app_enter; from then on the kernel touches the app's memory through
 * mm/user.h only. */
void arch_isolate(void);
void arch_trace(void); /* from now on thread.entered is set at every system call */

/* What a CPU exception means; arch/ decodes, fault_entry (app/) acts. */
struct fault {
    vaddr_t address;        /* what was touched, or where the instruction is */
    uint64_t error, vector; /* the hardware's words, for reports */
    unsigned access;        /* PROT_READ, PROT_WRITE, PROT_EXEC: a page fault; 0: not one */
    int signal, code;       /* what Linux would send: signal number, si_code */
    bool in_kernel;
    long stub; /* the instruction is stub number `stub`; -1: it is not */
};
/* Upward, by name.  Returns when the instruction can be tried again (or the
 * frame was sent elsewhere).  false: an unresolved fault in kernel code. */
bool fault_entry(const struct fault *fault, struct trap_frame *frame);
/* Shorter, for what nearly all faults are: no page was there.  False: it is for
 * fault_entry. */
bool page_entry(vaddr_t address, unsigned access);
void irq_entry(unsigned line);
/* Before a return to the app when thread.work is not 0. */
void app_work(struct trap_frame *frame);
void timer_entry(void);

/* Interrupts. */
void arch_idle(void);     /* opens interrupts, sleeps until one came, closes them */
void arch_irq_poll(void); /* opens and closes interrupts once */
void arch_irq_enable_line(unsigned line, unsigned vector); /* routes a device line to this CPU */
void arch_timer_set(uint64_t delta_ns); /* one shot; 0: as soon as can be; UINT64_MAX: none */

/* Time. */
uint64_t arch_cycles(void);    /* a counter since boot */
uint64_t arch_cycles_hz(void); /* its frequency; calibrates on first use */
/* A clock that the hypervisor keeps, if there is one; weak: it comes with TIME. */
bool arch_clock_paravirtual(uint64_t *monotonic_ns, uint64_t *realtime_offset_ns)
    __attribute__((weak));
/* The frame that holds it, when one serves all CPUs' readers; 0: there is none.  Weak too. */
paddr_t arch_clock_page(void) __attribute__((weak));
/* The app's functions that tell the time, a file of less than a page, which reads
 * two pages before it: the hypervisor's clock, and ours. */
struct vdso_clock {
    uint32_t version;     /* odd while the rest changes */
    uint32_t paravirtual; /* the hypervisor's counts */
    uint64_t mult;        /* else: ns since boot = cycles * mult >> shift */
    uint32_t shift, reserved;
    uint64_t offset; /* ns since 1970 at boot */
};
extern const char arch_vdso[], arch_vdso_end[];
bool arch_random(uint64_t *out); /* a hardware random number, if there is such an instruction */

/* The end. */
void arch_poweroff(unsigned status) __attribute__((noreturn));
void arch_halt(void) __attribute__((noreturn)); /* for a panic inside a panic */
/* Stops all other CPUs for good; arch/<a>/smp.c, weak. */
void arch_cpus_stop(void) __attribute__((weak));
/* When it returns, all other CPUs that run the app have seen what this one
 * wrote, and run no older code; arch/<a>/smp.c, weak. */
void arch_cpus_fence(void) __attribute__((weak));

#endif
