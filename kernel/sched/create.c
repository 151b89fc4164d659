/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads beyond the first: making them, taking them apart, time slices.
 *
 * A thread cannot free the stack that it ends on: the next one to be made takes it
 * over, or, when many have ended, one that ends later gives it back.
 */
#include "sched/sched_impl.h"

#include "clock/clock.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"

#define SLICE_NS 10000000u
#define DEAD_KEPT 16u

static uint32_t last_id = 1;
static struct list dead = {&dead, &dead}; /* by `all`, oldest first; with their stacks */
static unsigned dead_count;

static void slice_over(struct timer *t) {
    thread_current()->work |= THREAD_WORK_RESCHED;
    if (thread_resched_wanted())
        timer_arm(t, clock_monotonic() + SLICE_NS);
}

static struct timer slice = {.fn = slice_over};

static void contended(void) {
    if (!slice.armed)
        timer_arm(&slice, clock_monotonic() + SLICE_NS);
}

static void body_free(struct thread *t) {
    arch_kstack_free(t->kstack_top);
    frame_free(virt_to_phys(t->arch.fpu));
    heap_free(t, THREAD_ALIGN);
}

/* t may still be on its stack; those before it are not. */
void thread_bury(struct thread *t) {
    while (dead_count >= DEAD_KEPT) {
        dead_count--;
        body_free(list_entry(list_pop_front(&dead), struct thread, all));
    }
    list_push_back(&dead, &t->all);
    dead_count++;
}

/* A dead one's, or new. */
struct thread *thread_body(void) {
    struct list *node = list_pop_front(&dead);
    if (node) {
        struct thread *t = list_entry(node, struct thread, all);
        dead_count--;
        uint64_t top = t->kstack_top;
        void *fpu = t->arch.fpu;
        memset(t, 0, sizeof *t);
        t->kstack_top = top;
        t->arch.fpu = fpu;
        thread_begin(t);
        return t;
    }
    struct thread *t = heap_alloc(THREAD_ALIGN); /* half a frame: aligned as it must be */
    paddr_t fpu = t ? frame_alloc_zero() : 0;
    uint64_t top = fpu ? arch_kstack_new() : 0;
    if (!top) {
        if (fpu)
            frame_free(fpu);
        heap_free(t, THREAD_ALIGN);
        return NULL;
    }
    t->kstack_top = top;
    t->arch.fpu = phys_to_virt(fpu);
    thread_begin(t);
    return t;
}

struct thread *thread_create(const struct trap_frame *frame, vaddr_t sp) {
    struct thread *self = thread_current(), *t = thread_body();
    if (!t)
        return NULL;
    sched_contended = contended;
    if (sched_start_cpus)
        sched_start_cpus();
    t->id = ++last_id;
    t->state = THREAD_WAITING;
    t->signal_mask = self->signal_mask;
    t->cpus = self->cpus;
    t->work = self->work & THREAD_WORK_TRACE;
    memcpy(t->name, self->name, sizeof t->name);
    list_init(&t->run);
    arch_thread_fork(t, frame, sp);
    list_push_back(&thread_all, &t->all);
    return t;
}
