/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The machine's part of a new thread.
 */
#include "abi/report.h"
#include "arch/x86_64/cpu.h"
#include "sched/thread.h"

extern char clone_return[];
void clone_begins(struct trap_frame *frame);

/* What came before its first instruction: a signal, another CPU to run on. */
void clone_begins(struct trap_frame *frame) {
    if (thread_current()->work & ~(uint64_t)THREAD_WORK_TRACE)
        app_work(frame);
}

/* Its first switch_stacks ends in clone_return, with the frame on the stack. */
void arch_thread_fork(struct thread *child, const struct trap_frame *frame, vaddr_t sp) {
    struct trap_frame *copy = (struct trap_frame *)child->kstack_top - 1;
    *copy = *frame;
    copy->rax = 0;
    copy->vector = VECTOR_CALL; /* it has made no call */
    copy->rsp = sp;
    uint64_t *stack = (uint64_t *)copy;
    *--stack = (uint64_t)clone_return;
    for (unsigned i = 0; i < 6; i++) /* what switch_stacks pops */
        *--stack = 0;
    child->arch.sp = (uint64_t)stack;
    arch_get_gs(&child->arch.gs);
    fpu_save(child->arch.fpu);
}

static uint64_t stack_pages;

uint64_t arch_kstack_new(void) {
    uint64_t top = map_stack(KSTACK_PAGES);
    stack_pages += top ? KSTACK_PAGES : 0;
    return top;
}

void arch_kstack_free(uint64_t top) {
    unmap_stack(top);
    stack_pages -= KSTACK_PAGES;
}

uint64_t arch_kstack_pages(void) {
    return stack_pages;
}

struct clone_order arch_clone_order(const struct report_call *call) {
    return (struct clone_order){.stack = call->args[1],
                                .parent_tid = call->args[2],
                                .child_tid = call->args[3],
                                .tls = call->args[4]};
}
