/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is done between the kernel and the app when there is something to do:
 * another thread's turn, signals.
 */
#include "app/app.h"

void app_work(struct trap_frame *frame) {
    struct thread *t = thread_current();
    if (t->work & THREAD_WORK_TRACE && arch_frame_is_call(frame))
        trace_call(true);
    if (t->work & THREAD_WORK_RESCHED)
        thread_yield(); /* which may bring more work */
    uint64_t work = t->work;
    t->work = work & THREAD_WORK_TRACE;
    if (work & THREAD_WORK_RING && uring_work)
        uring_work();
    if (signal_ops)
        signal_ops->deliver(frame);
}
