/* SPDX-License-Identifier: BSD-3-Clause
 *
 * clone(2) for threads, and the end of one.
 *
 * There is one process: without CLONE_VM and CLONE_THREAD the call is what
 * fork would be, and answered as an absent call is.
 */
#include "app/app.h"
#include "mm/user.h"
#include "syscall/futex.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

#define CLONE_VM 0x100u
#define CLONE_THREAD 0x10000u
#define CLONE_SETTLS 0x80000u
#define CLONE_PARENT_SETTID 0x100000u
#define CLONE_CHILD_CLEARTID 0x200000u
#define CLONE_CHILD_SETTID 0x1000000u

long absent_frame(struct trap_frame *frame, struct report_call *call);
long clone_frame(struct trap_frame *frame, struct report_call *call);

/* Reached through arch/: the child starts with the caller's registers. */
long clone_frame(struct trap_frame *frame, struct report_call *call) {
    unsigned long flags = call->args[0];
    struct clone_order order = arch_clone_order(call);
    if (!(flags & CLONE_THREAD))
        return absent_frame(frame, call);
    if (!(flags & CLONE_VM) || !order.stack)
        return -EINVAL;
    if (flags & CLONE_SETTLS && order.tls >= APP_END)
        return -EPERM;
    struct thread *t = thread_create(frame, order.stack);
    if (!t)
        return -EAGAIN;
    t->arch.tls = flags & CLONE_SETTLS ? order.tls : arch_get_tls();
    if (flags & CLONE_CHILD_CLEARTID)
        t->clear_tid = order.child_tid;
    /* As on Linux, a bad address here is not told. */
    if (flags & CLONE_PARENT_SETTID)
        user_write(order.parent_tid, &t->id, sizeof t->id);
    if (flags & CLONE_CHILD_SETTID)
        user_write(order.child_tid, &t->id, sizeof t->id);
    uint32_t id = t->id;
    thread_start(t);
    return id;
}

/* exit(2) of one thread of several; returns when the caller is the last. */
void thread_leave(void) {
    struct thread *t = thread_current();
    if (thread_all.next->next == &thread_all)
        return;
    list_remove(&t->all);
    if (signal_thread_leaves)
        signal_thread_leaves(t);
    if (t->clear_tid) {
        static const uint32_t zero;
        if (!user_write(t->clear_tid, &zero, sizeof zero))
            futex_between_threads(t->clear_tid, FUTEX_WAKE, 1, 0, 0, 0);
    }
    if (t != &thread_first)
        thread_bury(t);
    thread_stop();
}
