/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of this room share.
 */
#ifndef SCHED_SCHED_IMPL_H
#define SCHED_SCHED_IMPL_H

#include "sched/thread.h"

extern struct list run_queue; /* of runnable threads that no CPU runs */

/* How several CPUs share the run queue (sched/smp.c). */
struct sched_cpus {
    /* The thread that goes on here instead of self, taken out of the run
     * queue; self when there is none.  A self that yields is put there. */
    struct thread *(*next)(struct thread *self, bool yields);
    void (*ready)(struct thread *t); /* t stands in the run queue now */
    void (*poke)(struct thread *t);  /* t, if it runs elsewhere, looks at t->work */
    uint64_t (*spent)(void);         /* cycles since the last switch, on all CPUs together */
};
extern const struct sched_cpus *sched_cpus; /* NULL: one CPU runs */
extern uint64_t sched_cycles;               /* all threads', up to each one's last switch */

/* Cycles up to now are t's. */
void thread_account(struct thread *t);
/* Brings the other CPUs up, if there are any; sched/smp.c, weak. */
void sched_start_cpus(void) __attribute__((weak));
/* sched/create.c: a structure with a stack and an FPU area; NULL: memory is out. */
struct thread *thread_body(void);

#endif
