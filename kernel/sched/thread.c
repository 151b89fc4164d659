/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The run queue, waiting, waking.  Round robin; the kernel is not preempted,
 * so the queues need no lock on one CPU.
 */
#include "sched/thread.h"

#include "clock/clock.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "lib/errno.h"

struct thread thread_first;
struct list thread_all = {&thread_all, &thread_all};
uint64_t signal_shared;
void (*sched_deadlock)(void);
uint64_t sched_idle_ns;
unsigned sched_external_waits;
void (*sched_contended)(void);

static struct list run_queue = {&run_queue, &run_queue};

void thread_init_first(void) {
    struct thread *t = &thread_first;
    t->id = 1;
    list_init(&t->run);
    list_push_back(&thread_all, &t->all);
}

bool thread_resched_wanted(void) {
    return !list_empty(&run_queue);
}

/* Gives the CPU to the next runnable thread; waits for one when there is none. */
static void schedule(void) {
    struct thread *self = thread_current();
    /* Not asked again below: an interrupt may wake this thread while it idles
     * here, and then it stands in the run queue already. */
    bool yields = self->state == THREAD_RUNNABLE;
    while (list_empty(&run_queue)) {
        if (yields)
            return;
        if (!timer_pending() && !sched_external_waits) {
            if (sched_deadlock)
                sched_deadlock();
            panic("deadlock: no runnable thread and no deadline");
        }
        uint64_t since = clock_monotonic();
        arch_idle();
        sched_idle_ns += clock_monotonic() - since;
    }
    struct thread *next = list_entry(list_pop_front(&run_queue), struct thread, run);
    next->state = THREAD_RUNNABLE;
    if (next == self)
        return;
    if (yields)
        list_push_back(&run_queue, &self->run);
    arch_thread_switch(self, next);
}

void thread_yield(void) {
    if (!list_empty(&run_queue))
        schedule();
}

void thread_start(struct thread *t) {
    t->state = THREAD_RUNNABLE;
    list_push_back(&run_queue, &t->run);
    if (sched_contended)
        sched_contended();
}

void thread_stop(void) {
    thread_current()->state = THREAD_DEAD;
    schedule();
    panic("a dead thread runs");
}

void thread_wake(struct thread *t) {
    if (t->state != THREAD_WAITING)
        return;
    list_remove(&t->run);
    thread_start(t);
}

static void notify(struct wait_queue *q) {
    if (!q->watchers.next)
        return;
    list_for_each_safe (node, &q->watchers) {
        struct watcher *w = list_entry(node, struct watcher, node);
        w->notify(w);
    }
}

static bool wake_first(struct wait_queue *q) {
    struct list *node = list_first(&q->head);
    if (node)
        thread_wake(list_entry(node, struct thread, run));
    return node;
}

void wake_one(struct wait_queue *q) {
    notify(q);
    wake_first(q);
}

void wake_all(struct wait_queue *q) {
    notify(q);
    while (wake_first(q))
        ;
}

struct sleep {
    struct timer timer;
    struct thread *thread;
    bool expired;
};

static void sleep_over(struct timer *t) {
    struct sleep *s = container_of(t, struct sleep, timer);
    s->expired = true;
    thread_wake(s->thread);
}

bool thread_signal_due(const struct thread *t) {
    return (t->signal_pending | signal_shared) & (~t->signal_mask | t->wait_set);
}

int wait_on(struct wait_queue *q, uint64_t deadline) {
    struct thread *self = thread_current();
    if (thread_signal_due(self))
        return -EINTR;
    struct sleep s = {.timer = {.fn = sleep_over}, .thread = self};
    if (deadline != UINT64_MAX)
        timer_arm(&s.timer, deadline);
    self->state = THREAD_WAITING;
    list_push_back(&q->head, &self->run);
    sched_external_waits += q->external;
    schedule();
    sched_external_waits -= q->external;
    if (deadline != UINT64_MAX)
        timer_cancel(&s.timer);
    if (s.expired)
        return -ETIMEDOUT;
    return thread_signal_due(self) ? -EINTR : 0;
}
