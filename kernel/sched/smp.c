/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Several CPUs, one run queue.
 *
 * The others come up with the second thread.  Each CPU then has an idle thread
 * of its own, which no queue ever holds: a thread that sleeps leaves its stack
 * at once, since another CPU may go on with it.  Whoever makes a thread
 * runnable wakes an idle CPU for it; with none, time slices begin to run out.
 */
#include "sched/sched_impl.h"

#include "arch/smp.h"
#include "clock/clock.h"
#include "diag/diag.h"
#include "lib/align.h"

#define SLICE_NS 10000000u

static struct cpu {
    struct thread *idle, *current;
    struct timer slice;
    bool idling; /* sleeps, or is about to */
    bool called; /* an interrupt is on its way to it */
} cpus[CPU_MAX];
static unsigned cpu_count; /* that run */

unsigned sched_cpu_count(void) {
    static unsigned wanted;
    if (!cpu_count && !wanted)
        wanted = arch_cpu_count();
    return cpu_count ? cpu_count : wanted;
}

static unsigned here(void) {
    return thread_current()->cpu;
}

static bool may_run(const struct thread *t, unsigned cpu) {
    return !t->cpus || t->cpus >> cpu & 1;
}

static struct thread *pick(unsigned cpu) {
    list_for_each (node, &run_queue) {
        struct thread *t = list_entry(node, struct thread, run);
        if (may_run(t, cpu))
            return t;
    }
    return NULL;
}

/* An idle CPU that may run t and is not called yet: this one, the one where t
 * ran last, any; CPU_MAX: there is none. */
static unsigned find_idle(const struct thread *t) {
    const unsigned likely[] = {here(), t->cpu};
    for (unsigned i = 0; i < ARRAY_LEN(likely) + cpu_count; i++) {
        unsigned cpu = i < ARRAY_LEN(likely) ? likely[i] : i - ARRAY_LEN(likely);
        if (cpus[cpu].idling && !cpus[cpu].called && may_run(t, cpu))
            return cpu;
    }
    return CPU_MAX;
}

/* The thread there gives way at its next return to the app. */
static void preempt(unsigned cpu) {
    cpus[cpu].current->work |= THREAD_WORK_RESCHED;
    if (cpu != here())
        arch_cpu_call(cpu);
}

static void slice_over(struct timer *timer) {
    struct cpu *c = container_of(timer, struct cpu, slice);
    if (list_empty(&run_queue))
        return;
    if (!c->idling)
        preempt((unsigned)(c - cpus));
    timer_arm(timer, clock_monotonic() + SLICE_NS);
}

static void ready(struct thread *t) {
    unsigned cpu = find_idle(t);
    if (cpu != CPU_MAX) {
        cpus[cpu].called = true;
        if (cpu != here())
            arch_cpu_call(cpu);
        return;
    }
    uint64_t end = 0;
    for (unsigned i = 0; i < cpu_count; i++) {
        if (cpus[i].slice.armed)
            continue;
        if (!end)
            end = clock_monotonic() + SLICE_NS;
        timer_arm(&cpus[i].slice, end);
    }
}

static void poke(struct thread *t) {
    if (t->running && t != thread_current())
        arch_cpu_call(t->cpu);
}

static struct thread *next(struct thread *self, bool yields) {
    unsigned cpu = self->cpu;
    struct thread *t = pick(cpu);
    if (t)
        list_remove(&t->run);
    else if (yields && (self == cpus[cpu].idle || may_run(self, cpu)))
        return self;
    else
        t = cpus[cpu].idle;
    if (yields && self != cpus[cpu].idle) {
        list_push_back(&run_queue, &self->run);
        ready(self);
    }
    t->cpu = cpu;
    cpus[cpu].current = t;
    return t;
}

static uint64_t spent(void) {
    uint64_t now = arch_cycles(), sum = 0;
    for (unsigned i = 0; i < cpu_count; i++) {
        if (cpus[i].current != cpus[i].idle)
            sum += now - cpus[i].current->since;
    }
    return sum;
}

static bool all_idle(void) {
    for (unsigned i = 0; i < cpu_count; i++) {
        if (!cpus[i].idling)
            return false;
    }
    return list_empty(&run_queue);
}

/* What an idle thread does, for good. */
static void idle(void) {
    for (;;) {
        struct cpu *c = &cpus[here()];
        uint64_t since = clock_monotonic();
        while (!pick(here())) {
            c->idling = true;
            c->called = false;
            if (all_idle() && !timer_pending() && !sched_external_waits) {
                if (sched_deadlock)
                    sched_deadlock();
                panic("deadlock: no runnable thread and no deadline");
            }
            arch_cpu_idle();
        }
        c->idling = c->called = false;
        uint64_t now = clock_monotonic();
        sched_idle_ns += now > since ? now - since : 0;
        c->idle->since = arch_cycles(); /* idleness is nobody's */
        thread_yield();
    }
}

void sched_set_cpus(struct thread *t, uint64_t set) {
    uint64_t all = sched_cpu_set();
    t->cpus = (set & all) == all ? 0 : set & all;
    if (!sched_cpus || may_run(t, t->cpu))
        return;
    if (t->running)
        preempt(t->cpu);
    else if (t->state == THREAD_RUNNABLE)
        ready(t);
}

static const struct sched_cpus ops = {next, ready, poke, spent};

void sched_start_cpus(void) {
    static bool tried;
    struct thread *idles[CPU_MAX];
    unsigned count = tried ? 1 : sched_cpu_count(), have = 0;
    tried = true;
    if (count < 2)
        return;
    clock_monotonic(); /* calibrated by one CPU alone */
    for (; have < count && (idles[have] = thread_body()); have++) {
        struct thread *t = cpus[have].idle = cpus[have].current = idles[have];
        t->cpu = have;
        t->running = true;
        t->state = THREAD_RUNNABLE;
        list_init(&t->run);
        cpus[have].slice.fn = slice_over;
        cpus[have].idling = true;
    }
    cpu_count = have > 1 ? arch_cpus_start(idles, have, idle) : 1;
    while (have > MAX(cpu_count, 1u) || (have && cpu_count < 2))
        thread_bury(idles[--have]);
    if (cpu_count < 2)
        return;
    cpus[0].current = thread_current();
    cpus[0].idling = false;
    cpus[0].idle->running = false;
    sched_cpus = &ops;
}
