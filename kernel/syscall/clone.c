/* SPDX-License-Identifier: BSD-3-Clause
 *
 * clone(2) for threads, and the end of one.
 *
 * There is one process: without CLONE_VM and CLONE_THREAD the call is what
 * fork would be, and answered as an absent call is.
 */
#include "app/app.h"
#include "lib/align.h"
#include "mm/user.h"
#include "syscall/futex.h"
#include "syscall/futex_queue.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

#define CSIGNAL 0xffu
#define CLONE_VM 0x100u
#define CLONE_SIGHAND 0x800u
#define CLONE_THREAD 0x10000u
#define CLONE_SETTLS 0x80000u
#define CLONE_PARENT_SETTID 0x100000u
#define CLONE_CHILD_CLEARTID 0x200000u
#define CLONE_DETACHED 0x400000u
#define CLONE_CHILD_SETTID 0x1000000u

long absent_frame(struct trap_frame *frame, struct report_call *call);
long clone_frame(struct trap_frame *frame, struct report_call *call);
long clone3_frame(struct trap_frame *frame, struct report_call *call);

static long clone_thread(struct trap_frame *frame, struct report_call *call, uint64_t flags,
                         const struct clone_order *order) {
    if (!(flags & CLONE_THREAD))
        return absent_frame(frame, call);
    if (!(flags & CLONE_VM) || !(flags & CLONE_SIGHAND) || !order->stack)
        return -EINVAL;
    if (flags & CLONE_SETTLS && order->tls >= APP_END)
        return -EPERM;
    struct thread *t = thread_create(frame, order->stack);
    if (!t)
        return -EAGAIN;
    t->arch.tls = flags & CLONE_SETTLS ? order->tls : arch_get_tls();
    if (flags & CLONE_CHILD_CLEARTID)
        t->clear_tid = order->child_tid;
    /* As on Linux, a bad address here is not told. */
    if (flags & CLONE_PARENT_SETTID)
        user_write(order->parent_tid, &t->id, sizeof t->id);
    if (flags & CLONE_CHILD_SETTID)
        user_write(order->child_tid, &t->id, sizeof t->id);
    uint32_t id = t->id;
    thread_start(t);
    return id;
}

/* Reached through arch/, as the next: the child starts with the caller's
 * registers. */
long clone_frame(struct trap_frame *frame, struct report_call *call) {
    struct clone_order order = arch_clone_order(call);
    return clone_thread(frame, call, call->args[0], &order);
}

struct clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size, cgroup;
};

/* What this does not know (a pidfd, ids to choose, a cgroup) belongs to
 * processes. */
long clone3_frame(struct trap_frame *frame, struct report_call *call) {
    struct clone_args args = {0};
    uint64_t size = call->args[1], more;
    if (size < 64)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (user_read(&args, call->args[0], MIN(size, sizeof args)))
        return -EFAULT;
    for (uint64_t at = sizeof args; at < size; at += sizeof more) {
        more = 0;
        if (user_read(&more, call->args[0] + at, MIN(size - at, sizeof more)))
            return -EFAULT;
        if (more)
            return -E2BIG;
    }
    if (args.flags & (CLONE_DETACHED | CSIGNAL) || args.set_tid || args.set_tid_size ||
        (args.flags & CLONE_THREAD && args.exit_signal) || !args.stack != !args.stack_size)
        return -EINVAL;
    struct clone_order order = {.stack = args.stack + args.stack_size,
                                .parent_tid = args.parent_tid,
                                .child_tid = args.child_tid,
                                .tls = args.tls};
    return clone_thread(frame, call, args.flags, &order);
}

/* exit(2) of one thread of several; returns when the caller is the last. */
void thread_leave(void) {
    struct thread *t = thread_current();
    if (thread_all.next->next == &thread_all)
        return;
    futex_thread_leaves(t);
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
