/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads and wait queues.
 *
 * Kernel code is not preempted: it gives the CPU away only in wait_on(),
 * thread_yield() and thread_stop().  On several CPUs it runs on one at a time
 * (arch/arch.h), so what holds on one CPU holds there too; a thread that comes
 * back from one of the three may be on another CPU.  Each thread has a kernel
 * stack of its own, with an unmapped page below.
 */
#ifndef SCHED_THREAD_H
#define SCHED_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/report.h"
#include "arch/arch.h"
#include "lib/list.h"

enum thread_state { THREAD_RUNNABLE, THREAD_WAITING, THREAD_DEAD };

struct signal_state; /* owned by app/ */

#define THREAD_CALLS 16 /* remembered */

struct thread {
    /* Assembly knows these down to `entered` (arch/<a>/offsets.h), and that the
     * address has zeroes where the ring's size has its bit. */
    struct report_call calls[THREAD_CALLS]; /* ring of the last system calls */
    struct thread *self;
    uint64_t kstack_top;      /* kernel stack pointer at system call entry */
    uint64_t app_sp;          /* the app's stack pointer while in the kernel */
    struct report_call *call; /* the newest in calls[] */
    uint64_t work;            /* not 0: something to do before returning to the app */
    uint64_t scratch[2];      /* for assembly */
    uint64_t entered;         /* cycles at the system call's entry, when traced */

    struct arch_thread arch;
    struct list run; /* in the run queue or a wait queue */
    struct list all; /* in thread_all */
    enum thread_state state;
    bool running;                         /* some CPU runs it */
    uint32_t cpu;                         /* which; or which did last */
    uint64_t cpus;                        /* those it may run on, a bit each; 0: all */
    uint64_t cycles, since;               /* CPU time used up to then, both in cycles */
    uint32_t id;                          /* Linux thread id; the first is 1 */
    uint64_t signal_mask, signal_pending; /* bit N-1: signal N */
    uint64_t saved_mask;                  /* what sigsuspend and its kind replaced */
    uint64_t wait_set;                    /* blocked signals that sigtimedwait waits for */
    bool restore_mask;                    /* saved_mask is to be restored on the way out */
    bool timed;                           /* its last wait_on had a deadline */
    bool wall;                            /* ... which moves with the wall clock */
    struct {
        uint64_t base, size;
        uint32_t flags;
    } altstack;
    vaddr_t clear_tid; /* CLEAR_CHILD_TID, 0 for none */
    vaddr_t robust_list;
    char name[16];
    uint8_t policy; /* of sched_setscheduler; changes nothing */
};
#define THREAD_ALIGN 2048

/* What assembly needs of a cleared structure. */
static inline void thread_begin(struct thread *t) {
    t->self = t;
    t->call = &t->calls[THREAD_CALLS - 1];
}

#define THREAD_WORK_SIGNAL 1u
#define THREAD_WORK_RESCHED 2u
#define THREAD_WORK_TRACE 4u /* stays set: every system call is traced */
#define THREAD_WORK_RING 8u  /* requests of its io_uring can go on */
/* 16 is the architecture's: the way out loads all registers. */

/* Threads that sleep until something happens, and watchers that want to know
 * of it.  `external`: something outside (a device) wakes it, so a thread that
 * waits there for ever is no deadlock. */
struct wait_queue {
    struct list head;     /* of threads, by run */
    struct list watchers; /* zero: none */
    bool external;
    uint32_t events; /* during wake_events(): what happened, for watchers */
};
#define WAIT_QUEUE_INIT(name, external)                                                            \
    { {&(name).head, &(name).head}, {NULL, NULL}, external, 0 }
#define WAIT_QUEUE(name) struct wait_queue name = WAIT_QUEUE_INIT(name, false)
#define WAIT_QUEUE_EXTERNAL(name) struct wait_queue name = WAIT_QUEUE_INIT(name, true)

/* Told of every wake of a queue, as long as it watches; takes no thread's
 * turn.  A thread watches several queues (poll), or something that is no
 * thread watches one (epoll).  sched/watch.c. */
struct watcher {
    struct list node;
    struct wait_queue *queue;
    void (*notify)(struct watcher *w); /* must not sleep; may unwatch w, and no other */
};
void wait_watch(struct wait_queue *q, struct watcher *w, void (*notify)(struct watcher *w));
void wait_unwatch(struct watcher *w);
/* Is the wake that notify is told of about one of these poll bits? */
static inline bool watcher_concerned(const struct watcher *w, uint32_t events) {
    return !w->queue->events || w->queue->events & events;
}
extern unsigned sched_external_waits; /* sleepers and watchers in external queues */

extern uint64_t signal_shared; /* pending for the process, not for one thread */
/* A thread's signals go with it; app/signal.c, where signals are linked. */
void signal_thread_leaves(struct thread *t) __attribute__((weak));
/* SIGPIPE for the current thread; app/broken_pipe.c. */
void signal_broken_pipe(void);

extern struct list thread_all;
extern struct thread thread_first;

/* The boot thread becomes thread 1, which thread_all holds from the beginning. */
static inline void thread_init_first(void) {
    struct thread *t = &thread_first;
    t->id = 1;
    t->running = true;
    list_init(&t->run);
    t->all = (struct list){&thread_all, &thread_all};
}

/* Called when no thread can ever run again; an upper room reports it. */
extern void (*sched_deadlock)(void);
/* Called when a thread becomes runnable beside the current one: time slices
 * (sched/create.c, where there can be threads). */
extern void (*sched_contended)(void);
extern uint64_t sched_idle_ns; /* time without a runnable thread, of all CPUs together */
uint64_t sched_busy_ns(void);  /* the other time: what all threads used */
uint64_t thread_busy_ns(const struct thread *t);

extern unsigned sched_cpus_told; /* CPUs, by the command line; 0: it does not say */
/* sched/smp.c, where threads can run on several CPUs; weak. */
unsigned sched_cpu_count(void) __attribute__((weak));
/* Moves a thread to CPUs of that set, one of which exists. */
void sched_set_cpus(struct thread *t, uint64_t cpus) __attribute__((weak));
/* CPUs that threads can run on; they come up with the second thread. */
static inline unsigned sched_cpu_total(void) {
    return sched_cpu_count ? sched_cpu_count() : 1;
}
static inline uint64_t sched_cpu_set(void) {
    return UINT64_MAX >> (64 - sched_cpu_total());
}

static inline struct thread *thread_current(void) {
    return arch_thread_current();
}

/* The thread that a pid argument means (0: the caller); NULL: -ESRCH. */
static inline struct thread *thread_of(long id) {
    if (id == 0)
        return thread_current();
    list_for_each (node, &thread_all) {
        struct thread *t = list_entry(node, struct thread, all);
        if (t->id == (uint32_t)id)
            return t;
    }
    return 0;
}

/* Sleeps until woken: 0; -EINTR when a signal is to be delivered (or is
 * pending already); -ETIMEDOUT when `deadline` (monotonic ns, UINT64_MAX: none)
 * has passed.  The caller checks its condition before and after: interrupts
 * are closed, so nothing happens in between. */
int wait_on(struct wait_queue *q, uint64_t deadline);
void wake_all(struct wait_queue *q);
void wake_one(struct wait_queue *q);
/* wake_all, and watchers learn what it is about: POLLIN, POLLOUT and so on
 * (vfs/mode.h).  A plain wake may be about anything. */
static inline void wake_events(struct wait_queue *q, uint32_t events) {
    q->events = events;
    wake_all(q);
    q->events = 0;
}
static inline void wait_queue_init(struct wait_queue *q, bool external) {
    list_init(&q->head);
    list_init(&q->watchers);
    q->external = external;
    q->events = 0;
}
void thread_wake(struct thread *t); /* out of whatever it waits in, or the app's code */
void thread_yield(void);
void thread_start(struct thread *t);              /* runnable from now on */
void thread_stop(void) __attribute__((noreturn)); /* ends the current one */

/* sched/create.c: */
void thread_bury(struct thread *t); /* it will never run again; somebody may have its body */
/* A thread with the caller's machine state (arch_thread_fork) and the next
 * free id, not started yet; NULL: memory is out. */
struct thread *thread_create(const struct trap_frame *frame, vaddr_t sp);
bool thread_resched_wanted(void);               /* is another thread waiting for the CPU? */
bool thread_signal_due(const struct thread *t); /* pending and not blocked */

#endif
