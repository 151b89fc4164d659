/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linux's signal frame on x86_64: arch/x86/include/uapi/asm/sigcontext.h and
 * ucontext.h, psABI (red zone, alignment).
 */
#include "app/signal.h"
#include "arch/x86_64/cpu.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/user.h"
#include "syscall/linux.h"

#define RED_ZONE 128
#define UC_FLAGS 7 /* FP_XSTATE, SIGCONTEXT_SS, STRICT_RESTORE_SS */
#define XSTATE_MAGIC1 0x46505853u
#define XSTATE_MAGIC2 0x46505845u

struct sigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2;
    uint64_t fpstate; /* app address */
    uint64_t reserved[8];
};

struct ucontext {
    uint64_t flags, link;
    struct {
        uint64_t base;
        uint32_t flags, pad;
        uint64_t size;
    } stack;
    struct sigcontext mcontext;
    uint64_t sigmask;
};

struct sigframe {
    uint64_t restorer; /* the handler returns there */
    struct ucontext uc;
    struct signal_info info;
};
_Static_assert(sizeof(struct sigcontext) == 256 && sizeof(struct ucontext) == 304,
               "Linux's layout");

struct fpx_sw {
    uint32_t magic1, extended_size;
    uint64_t xfeatures;
    uint32_t xstate_size, pad[7];
};
#define FPX_SW_OFFSET 464
#define XSTATE_HEADER 512
#define MXCSR_OFFSET 24

/* Every page of [start, end) present and writable? */
static bool writable(vaddr_t start, vaddr_t end) {
    for (vaddr_t at = ALIGN_DOWN(start, PAGE_SIZE); at < end; at += PAGE_SIZE) {
        if (!user_page(at, PROT_WRITE))
            return false;
    }
    return true;
}

/* At CPL 0 a jump there would succeed.  Where no code can be, the CPU faults. */
static bool is_kernels(vaddr_t ip) {
    return !isolated && ip >= DIRECT_MAP;
}

#define PAGE_FAULT_USER 4 /* of the error code */
#define VECTOR_X87 16
#define VECTOR_SIMD 19

/* What the FPU refused, as si_code; the CPU's order (Linux's fpu__exception_code). */
static int fpu_code(uint64_t vector) {
    enum { INVALID = 1, DENORMAL = 2, ZERO = 4, OVERFLOW = 8, UNDERFLOW = 16, INEXACT = 32 };
    enum { FPE_FLTDIV = 3, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV };
    uint32_t mxcsr;
    uint16_t status, control;
    __asm__ volatile("stmxcsr %0; fnstsw %1; fnstcw %2" : "=m"(mxcsr), "=m"(status), "=m"(control));
    uint32_t met = vector == VECTOR_SIMD ? mxcsr & ~(mxcsr >> 7) : status & ~(uint32_t)control;
    return met & INVALID                  ? FPE_FLTINV
           : met & ZERO                   ? FPE_FLTDIV
           : met & OVERFLOW               ? FPE_FLTOVF
           : met & (DENORMAL | UNDERFLOW) ? FPE_FLTUND
           : met & INEXACT                ? FPE_FLTRES
                                          : 0;
}

int arch_signal_setup(struct trap_frame *frame, const struct signal_info *info,
                      const struct signal_action *action, uint64_t mask, vaddr_t sp, vaddr_t low,
                      const struct fault *fault) {
    if (!sp)
        sp = frame->rsp - RED_ZONE;
    vaddr_t top = sp;
    vaddr_t fp = ALIGN_DOWN(sp - fpu_size - sizeof(uint32_t), 64);
    vaddr_t at = ALIGN_DOWN(fp - sizeof(struct sigframe), 16) - 8;
    if (at > top || at <= low || is_kernels(action->handler) || !writable(at, top))
        return -EFAULT;

    user_access(RFLAGS_AC);
    fpu_save((void *)fp);
    if (fpu_mask) {
        struct fpx_sw sw = {.magic1 = XSTATE_MAGIC1,
                            .extended_size = fpu_size + (uint32_t)sizeof(uint32_t),
                            .xfeatures = fpu_mask,
                            .xstate_size = fpu_size};
        memcpy((char *)fp + FPX_SW_OFFSET, &sw, sizeof sw);
        *(uint32_t *)(fp + fpu_size) = XSTATE_MAGIC2;
    }
    uint64_t user = fault && fault->access ? PAGE_FAULT_USER : 0; /* also at CPL 0 */
    struct sigframe *out = (struct sigframe *)at;
    const struct thread *t = thread_current();
    memset(&out->uc, 0, sizeof out->uc);
    out->restorer = action->restorer;
    out->info = *info;
    if (fault && (fault->vector == VECTOR_X87 || fault->vector == VECTOR_SIMD))
        out->info.code = fpu_code(fault->vector);
    out->uc.flags = fpu_mask ? UC_FLAGS : UC_FLAGS & ~1;
    out->uc.stack.base = t->altstack.base;
    out->uc.stack.size = t->altstack.size;
    out->uc.stack.flags = t->altstack.size ? t->altstack.flags : SS_DISABLE;
    out->uc.sigmask = mask;
    out->uc.mcontext = (struct sigcontext){.r8 = frame->r8,
                                           .r9 = frame->r9,
                                           .r10 = frame->r10,
                                           .r11 = frame->r11,
                                           .r12 = frame->r12,
                                           .r13 = frame->r13,
                                           .r14 = frame->r14,
                                           .r15 = frame->r15,
                                           .rdi = frame->rdi,
                                           .rsi = frame->rsi,
                                           .rbp = frame->rbp,
                                           .rbx = frame->rbx,
                                           .rdx = frame->rdx,
                                           .rax = frame->rax,
                                           .rcx = frame->rcx,
                                           .rsp = frame->rsp,
                                           .rip = frame->rip,
                                           .rflags = frame->rflags,
                                           .cs = 0x33,
                                           .ss = 0x2b,
                                           .err = fault ? fault->error | user : 0,
                                           .trapno = fault ? fault->vector : 0,
                                           .oldmask = mask,
                                           .cr2 = fault && fault->access ? fault->address : 0,
                                           .fpstate = fp};
    user_access(0);

    frame->rdi = (uint64_t)info->signo;
    frame->rsi = (uint64_t)&out->info;
    frame->rdx = (uint64_t)&out->uc;
    frame->rax = 0;
    frame->rip = action->handler;
    frame->rsp = at;
    frame->rflags &= ~0x10500ull; /* TF, DF, RF */
    return 0;
}

/* Loads FPU state that the app may have changed: nothing in it may fault. */
static int restore_fpu(vaddr_t fp) {
    paddr_t page = frame_alloc();
    if (!page)
        return -EFAULT;
    char *area = phys_to_virt(page);
    uint32_t magic2 = 0;
    int error = user_read(area, fp, fpu_size);
    if (!error && fpu_mask)
        user_read(&magic2, fp + fpu_size, sizeof magic2);
    if (!error) {
        uint32_t mxcsr;
        memcpy(&mxcsr, area + MXCSR_OFFSET, sizeof mxcsr);
        mxcsr &= 0xffff;
        memcpy(area + MXCSR_OFFSET, &mxcsr, sizeof mxcsr);
        if (fpu_mask) {
            uint64_t header[8] = {0};
            memcpy(header, area + XSTATE_HEADER, sizeof header[0]);
            header[0] = magic2 == XSTATE_MAGIC2 ? header[0] & fpu_mask : 3;
            memcpy(area + XSTATE_HEADER, header, sizeof header);
        }
        fpu_load(area);
    }
    frame_free(page);
    return error;
}

int arch_signal_return(struct trap_frame *frame, uint64_t *mask) {
    struct ucontext uc;
    /* The handler's `ret` took the restorer off the frame. */
    if (user_read(&uc, frame->rsp, sizeof uc))
        return -EFAULT;
    const struct sigcontext *c = &uc.mcontext;
    *mask = uc.sigmask;
    if (is_kernels(c->rip) || (c->fpstate && restore_fpu(c->fpstate)))
        return -EFAULT;
    uint64_t rflags = (frame->rflags & ~(uint64_t)RFLAGS_APP) | (c->rflags & RFLAGS_APP);
    *frame = (struct trap_frame){.r8 = c->r8,
                                 .r9 = c->r9,
                                 .r10 = c->r10,
                                 .r11 = c->r11,
                                 .r12 = c->r12,
                                 .r13 = c->r13,
                                 .r14 = c->r14,
                                 .r15 = c->r15,
                                 .rdi = c->rdi,
                                 .rsi = c->rsi,
                                 .rbp = c->rbp,
                                 .rbx = c->rbx,
                                 .rdx = c->rdx,
                                 .rax = c->rax,
                                 .rcx = c->rcx,
                                 .rsp = c->rsp,
                                 .rip = c->rip,
                                 .rflags = rflags | RFLAGS_IF,
                                 .cs = frame->cs,
                                 .ss = frame->ss};
    /* As on Linux, what the handler set is undone, and what cannot be is not told. */
    signal_set_altstack(c->rsp, uc.stack.base, uc.stack.size, uc.stack.flags);
    return 0;
}

bool arch_syscall_interrupted(const struct trap_frame *frame) {
    return frame->vector == FRAME_VECTOR_SYSCALL && frame->rax == (uint64_t)-EINTR;
}

void arch_syscall_restart(struct trap_frame *frame, uint64_t number) {
    frame->rax = number;
    frame->rip -= 2;
}
