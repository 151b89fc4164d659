/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Exceptions and interrupts, decoded: Intel SDM volume 3, chapter 6; what
 * Linux sends for each is in arch/x86/kernel/traps.c.
 */
#include "abi/image.h"
#include "arch/x86_64/cpu.h"
#include "diag/diag.h"
#include "lib/string.h"
#include "mm/user.h"
#include "sched/thread.h"

_Static_assert(offsetof(struct thread, self) == THREAD_SELF, "offsets.h");
_Static_assert(offsetof(struct thread, kstack_top) == THREAD_KSTACK_TOP, "offsets.h");
_Static_assert(offsetof(struct thread, app_sp) == THREAD_APP_SP, "offsets.h");
_Static_assert(offsetof(struct thread, call) == THREAD_CALL, "offsets.h");
_Static_assert(offsetof(struct thread, work) == THREAD_WORK, "offsets.h");
_Static_assert(offsetof(struct thread, scratch) == THREAD_SCRATCH, "offsets.h");
_Static_assert(offsetof(struct thread, entered) == THREAD_ENTERED, "offsets.h");
_Static_assert(offsetof(struct thread, calls) == 0, "offsets.h");
_Static_assert(sizeof thread_first.calls == CALLS_SIZE, "offsets.h");
_Static_assert(sizeof(struct thread) <= THREAD_ALIGN && THREAD_ALIGN % (2 * CALLS_SIZE) == 0, "");
_Static_assert(offsetof(struct report_call, number) == CALL_NUMBER, "offsets.h");
_Static_assert(offsetof(struct report_call, args) == CALL_ARGS, "offsets.h");
_Static_assert(offsetof(struct report_call, result) == CALL_RESULT, "offsets.h");
_Static_assert(offsetof(struct trap_frame, rax) == FRAME_RAX, "offsets.h");
_Static_assert(offsetof(struct trap_frame, vector) == FRAME_VECTOR, "offsets.h");
_Static_assert(offsetof(struct trap_frame, rip) == FRAME_RIP, "offsets.h");
_Static_assert(offsetof(struct trap_frame, cs) == FRAME_CS, "offsets.h");
_Static_assert(offsetof(struct trap_frame, rflags) == FRAME_RFLAGS, "offsets.h");
_Static_assert(offsetof(struct trap_frame, rsp) == FRAME_RSP, "offsets.h");

_Static_assert(offsetof(struct image_manifest, end_paddr) == MANIFEST_END, "offsets.h");
_Static_assert(IMAGE_POOL_PAGES == POOL_PAGES, "offsets.h");
_Static_assert(offsetof(struct vdso_clock, version) == VDSO_VERSION, "offsets.h");
_Static_assert(offsetof(struct vdso_clock, paravirtual) == VDSO_PARAVIRTUAL, "offsets.h");
_Static_assert(offsetof(struct vdso_clock, mult) == VDSO_MULT, "offsets.h");
_Static_assert(offsetof(struct vdso_clock, shift) == VDSO_SHIFT, "offsets.h");
_Static_assert(offsetof(struct vdso_clock, offset) == VDSO_OFFSET, "offsets.h");

enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_FPE = 8, SIG_SEGV = 11 };
#define SI_KERNEL 0x80

/* vector -> signal, si_code; the rest is a general protection fault to the app */
static const struct {
    uint8_t signal, code;
} exceptions[] = {
    [0] = {SIG_FPE, 1 /* FPE_INTDIV */},
    [1] = {SIG_TRAP, 2 /* TRAP_TRACE */},
    [3] = {SIG_TRAP, SI_KERNEL},
    [4] = {SIG_SEGV, SI_KERNEL},
    [5] = {SIG_SEGV, SI_KERNEL},
    [6] = {SIG_ILL, 2 /* ILL_ILLOPN */},
    [12] = {SIG_BUS, SI_KERNEL},
    [13] = {SIG_SEGV, SI_KERNEL},
    [16] = {SIG_FPE, 3 /* a handler is told what of (signal.c) */},
    [17] = {SIG_BUS, 1 /* BUS_ADRALN */},
    [19] = {SIG_FPE, 3},
};

/* Is the invalid instruction a trap stub (abi/image.h)? */
static long stub_at(vaddr_t ip) {
    struct {
        uint32_t magic, index;
    } stub;
    if (user_read(&stub, ip + 2, sizeof stub) || stub.magic != IMAGE_STUB_MAGIC)
        return -1;
    return (long)stub.index;
}

bool trap_from_app(const struct trap_frame *frame) {
    return isolated ? frame->cs & 3 : frame->rip < DIRECT_MAP;
}

/* A fault that no page can help: the kernel went astray into the app's half. */
static bool astray(const struct fault *fault, const struct trap_frame *frame) {
    return isolated && fault->in_kernel && fault->address < APP_END &&
           (fault->access == PROT_EXEC || (smap && !(frame->rflags & RFLAGS_AC)));
}

/* An interpreter of CPL 0 goes to the system call entry still at CPL 3. */
static bool is_system_call(const struct trap_frame *frame) {
    return interpreted && frame->vector == 14 && frame->cs & 3 && frame->rip == rdmsr(MSR_LSTAR);
}

static unsigned access_of(const struct trap_frame *frame) {
    return frame->error & 16 ? PROT_EXEC : frame->error & 2 ? PROT_WRITE : PROT_READ;
}

/* The app, or the kernel for it, touched a page for the first time. */
static bool first_touch(const struct trap_frame *frame) {
    return frame->vector == 14 && !(frame->error & 1) && (!isolated || frame->cs & 3) &&
           page_entry(read_cr2(), access_of(frame));
}

static void exception(struct trap_frame *frame) {
    if (is_system_call(frame))
        syscall_emulated(frame);
    /* The iretq to the app refused an address: the app has jumped there. */
    bool not_left = frame->rip == (uint64_t)trap_leave;
    if (not_left)
        memcpy(&frame->rip, (const void *)frame->rsp, sizeof *frame - FRAME_RIP);
    struct fault fault = {
        .address = frame->rip,
        .error = frame->error,
        .vector = frame->vector,
        .in_kernel = !trap_from_app(frame) && !not_left,
        .signal = SIG_SEGV,
        .code = SI_KERNEL,
        .stub = -1,
    };
    if (frame->vector == 14) {
        fault.address = read_cr2();
        fault.access = access_of(frame);
        fault.code = 1; /* SEGV_MAPERR, until area_fault knows better */
    } else if (frame->vector < sizeof exceptions / sizeof exceptions[0] &&
               exceptions[frame->vector].signal) {
        fault.signal = exceptions[frame->vector].signal;
        fault.code = exceptions[frame->vector].code;
        if (frame->vector == 6 && !fault.in_kernel)
            fault.stub = stub_at(frame->rip);
    }
    if (frame->vector == 1 && fault.in_kernel)
        return; /* the app steps, and its flags are loaded just before it is */
    if (!(fault.access && astray(&fault, frame)) && fault_entry(&fault, frame))
        return;
    if (fault.in_kernel && frame->rip == (uint64_t)copy_user_words)
        frame->rip = (uint64_t)copy_user_words_fixup;
    else if (fault.in_kernel && frame->rip == (uint64_t)copy_user_bytes)
        frame->rip = (uint64_t)copy_user_bytes_fixup;
    else
        panic_frame(frame, "exception %lu (error %lx) in the kernel at %lx, address %lx",
                    frame->vector, frame->error, frame->rip, fault.address);
}

void trap_entry(struct trap_frame *frame);
void trap_fatal(struct trap_frame *frame);

void trap_serve(struct trap_frame *frame) {
    if (frame->vector < VECTOR_LINE) {
        if (!first_touch(frame) && frame->vector != 2)
            exception(frame);
    } else if (frame->vector == VECTOR_TIMER) {
        apic_ack();
        timer_entry();
    } else if (frame->vector != VECTOR_SPURIOUS) {
        /* A line that is still up when it is acknowledged interrupts once more. */
        irq_entry((unsigned)frame->vector - VECTOR_LINE);
        apic_ack();
    }
    if (trap_from_app(frame) && thread_current()->work)
        app_work(frame);
}

/* leaving.c has another. */
__attribute__((weak)) void trap_entry(struct trap_frame *frame) {
    if (smp_on)
        smp_trap(frame);
    else
        trap_serve(frame);
}

void trap_fatal(struct trap_frame *frame) {
    panic_frame(frame, "%s at %lx, stack %lx",
                frame->vector == 8 ? "double fault" : "machine check", frame->rip, frame->rsp);
}

uint64_t arch_frame_ip(const struct trap_frame *frame) {
    return frame->rip;
}

uint64_t arch_frame_sp(const struct trap_frame *frame) {
    return frame->rsp;
}

void arch_frame_regs(const struct trap_frame *f, uint64_t *regs) {
#define WORD(register) offsetof(struct trap_frame, register) / 8
    static const uint8_t words[REPORT_REGS_X86_64] = {
        WORD(rax), WORD(rbx), WORD(rcx), WORD(rdx), WORD(rsi), WORD(rdi),
        WORD(rbp), WORD(rsp), WORD(r8),  WORD(r9),  WORD(r10), WORD(r11),
        WORD(r12), WORD(r13), WORD(r14), WORD(r15), WORD(rip), WORD(rflags)};
    for (unsigned i = 0; i < REPORT_REGS_X86_64; i++)
        regs[i] = ((const uint64_t *)f)[words[i]];
}

bool arch_frame_is_call(const struct trap_frame *frame) {
    return frame->vector == FRAME_VECTOR_SYSCALL;
}

long arch_frame_result(const struct trap_frame *frame) {
    return (long)frame->rax;
}

/* The system call entry left rbp, rip and rflags at the stack's top. */
void arch_thread_regs(const struct thread *t, uint64_t *regs) {
    const uint64_t *saved = (const uint64_t *)t->kstack_top - 3;
    memset(regs, 0, REPORT_REGS_X86_64 * 8);
    regs[6] = saved[0];
    regs[7] = t->app_sp;
    regs[16] = saved[1];
    regs[17] = saved[2];
}
