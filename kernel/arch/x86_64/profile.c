/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the timer interrupted (arch/profile.h).  The linker puts this in front of
 * trap_entry (--wrap, zuk/kernel.c), so that no other kernel is slower.
 */
#include "arch/profile.h"

#include "arch/x86_64/cpu.h"
#include "sched/thread.h"

enum { REG_SP = 7, REG_IP = 16 };

static const struct trap_frame *interrupted; /* by the timer, last */
static bool begun;

void __wrap_trap_entry(struct trap_frame *frame);
void __real_trap_entry(struct trap_frame *frame);

void __wrap_trap_entry(struct trap_frame *frame) {
    if (frame->vector == VECTOR_TIMER)
        interrupted = frame;
    if (!begun && trap_from_app(frame)) {
        begun = true;
        profile_entry();
    }
    __real_trap_entry(frame);
}

bool arch_profile_regs(uint64_t *regs) {
    const struct trap_frame *f = interrupted;
    const struct thread *t = thread_current();
    arch_frame_regs(f, regs);
    /* Interrupts are closed during a call; what came then is served right behind
     * it, where rcx still holds what the instruction left there. */
    if (trap_from_app(f))
        return f->rip == f->rcx;
    bool on_kstack = f->rsp >= DIRECT_MAP;
    if (on_kstack && f->rsp < t->kstack_top - sizeof(uint64_t)) {
        arch_thread_regs(t, regs); /* in the middle of a call that looks for interrupts */
        return true;
    }
    /* The last instructions of the way out: the stack below is this frame's by now. */
    regs[REG_IP] = f->rcx;
    regs[REG_SP] = t->app_sp;
    return true;
}
