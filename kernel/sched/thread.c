/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The run queue, waiting, waking.  Round robin; the kernel is not preempted
 * and runs on one CPU at a time, so the queues need no lock.
 */
#include "sched/sched_impl.h"

#include "clock/clock.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "lib/errno.h"

_Alignas(THREAD_ALIGN) struct thread thread_first;
struct list thread_all = {&thread_first.all, &thread_first.all};
uint64_t signal_shared;
void (*sched_deadlock)(void);
uint64_t sched_idle_ns;
unsigned sched_external_waits;
void (*sched_contended)(void);
const struct sched_cpus *sched_cpus;
unsigned sched_cpus_told;
uint64_t sched_cycles;

struct list run_queue = {&run_queue, &run_queue};

bool thread_resched_wanted(void) {
    return !list_empty(&run_queue);
}

void thread_account(struct thread *t) {
    uint64_t now = arch_cycles();
    t->cycles += now - t->since;
    sched_cycles += now - t->since;
    t->since = now;
}

uint64_t sched_busy_ns(void) {
    uint64_t spent = sched_cpus ? sched_cpus->spent() : arch_cycles() - thread_current()->since;
    return clock_of_cycles(sched_cycles + spent);
}

uint64_t thread_busy_ns(const struct thread *t) {
    return clock_of_cycles(t->cycles + (t->running ? arch_cycles() - t->since : 0));
}

/* The next runnable thread, taken out of the run queue, on the only CPU; waits
 * for one when there is none.  `self` goes on when it yields to nobody. */
static struct thread *next_alone(struct thread *self, bool yields) {
    while (list_empty(&run_queue)) {
        if (yields)
            return self;
        if (!timer_pending() && !sched_external_waits) {
            if (sched_deadlock)
                sched_deadlock();
            panic("deadlock: no runnable thread and no deadline");
        }
        thread_account(self);
        uint64_t since = clock_monotonic();
        arch_idle();
        sched_idle_ns += clock_monotonic() - since;
        self->since = arch_cycles();
    }
    struct thread *next = list_entry(list_pop_front(&run_queue), struct thread, run);
    if (yields)
        list_push_back(&run_queue, &self->run);
    return next;
}

/* Gives the CPU to the next runnable thread. */
static void schedule(void) {
    struct thread *self = thread_current();
    /* Not asked again below: an interrupt may wake this thread while it idles
     * in there, and then it stands in the run queue already. */
    bool yields = self->state == THREAD_RUNNABLE;
    struct thread *next = sched_cpus ? sched_cpus->next(self, yields) : next_alone(self, yields);
    if (next == self || !arch_thread_switch)
        return;
    thread_account(self);
    self->running = false;
    next->running = true;
    next->since = self->since;
    arch_thread_switch(self, next);
}

void thread_yield(void) {
    if (!list_empty(&run_queue) || thread_current()->cpus)
        schedule();
}

void thread_start(struct thread *t) {
    t->state = THREAD_RUNNABLE;
    list_push_back(&run_queue, &t->run);
    if (sched_cpus)
        sched_cpus->ready(t);
    else if (sched_contended)
        sched_contended();
}

void thread_stop(void) {
    thread_current()->state = THREAD_DEAD;
    schedule();
    panic("a dead thread runs");
}

void thread_wake(struct thread *t) {
    if (t->state != THREAD_WAITING) {
        if (sched_cpus)
            sched_cpus->poke(t);
        return;
    }
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
    self->timed = deadline != UINT64_MAX;
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
