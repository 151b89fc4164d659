/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The last instructions of a system call's way out, at CPL 0: interrupts are open
 * there, and what waited during the call comes between them.  The call is over then:
 * the app has left the kernel as far as its work is concerned.
 *
 * This takes the place of trap.c's entry where there can be work that an interrupt
 * brings (signals, another thread's turn, an io_uring), so that no other kernel is slower.
 */
#include "arch/x86_64/cpu.h"
#include "sched/thread.h"

void trap_entry(struct trap_frame *frame);

void trap_entry(struct trap_frame *frame) {
    const struct thread *t = thread_current();
    /* Nowhere else is the kernel stack empty, or left, with interrupts open. */
    if (frame->vector >= VECTOR_LINE && !trap_from_app(frame) &&
        (frame->rsp == t->kstack_top || frame->rsp < DIRECT_MAP)) {
        frame->rip = frame->rcx;
        frame->rsp = t->app_sp;
    }
    if (smp_on)
        smp_trap(frame);
    else
        trap_serve(frame);
}
