/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sending and delivering signals.
 *
 * A signal is delivered on the way back to the app and nowhere else: after a
 * system call, a fault or an interrupt that came from app code.
 */
#include "app/signal.h"

#include "arch/number.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/heap.h"
#include "syscall/linux.h"

struct signal_action signal_actions[SIGNALS + 1];

uint32_t signal_limit = 4096;

/* One pending instance, oldest first.  A standard signal has at most one for
 * each target; one whose instance did not fit is pending all the same. */
struct instance {
    struct list node;
    struct thread *target; /* NULL: the process */
    struct signal_info info;
};
static struct list queue = LIST_INIT(queue);
static uint32_t queued;

#define BITS4(a, b, c, d) (SIGNAL_BIT(a) | SIGNAL_BIT(b) | SIGNAL_BIT(c) | SIGNAL_BIT(d))
#define IGNORED BITS4(SIGCHLD, SIGCONT, SIGURG, SIGWINCH)
#define DUMPS                                                                                      \
    (BITS4(SIGQUIT, SIGILL, SIGTRAP, SIGABRT) | BITS4(SIGBUS, SIGFPE, SIGSEGV, SIGXCPU) |          \
     BITS4(SIGXFSZ, SIGSYS, SIGSYS, SIGSYS))
#define STOPS BITS4(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU)

bool signal_ignored(unsigned n) {
    uint64_t handler = signal_actions[n].handler;
    return handler == SIG_IGN || (handler == SIG_DFL && (IGNORED | STOPS) & SIGNAL_BIT(n));
}

static uint64_t *pending(struct thread *target) {
    return target ? &target->signal_pending : &signal_shared;
}

static struct instance *find(const struct thread *target, unsigned n) {
    list_for_each (node, &queue) {
        struct instance *i = list_entry(node, struct instance, node);
        if (i->target == target && i->info.signo == (int)n)
            return i;
    }
    return NULL;
}

static void drop(struct instance *i) {
    list_remove(&i->node);
    heap_free(i, sizeof *i);
    queued--;
}

static void flush(struct thread *target, uint64_t set) {
    list_for_each_safe (node, &queue) {
        struct instance *i = list_entry(node, struct instance, node);
        if (i->target == target && set & SIGNAL_BIT(i->info.signo))
            drop(i);
    }
    *pending(target) &= ~set;
}

void signal_flush(uint64_t set) {
    flush(NULL, set);
    list_for_each (node, &thread_all)
        flush(list_entry(node, struct thread, all), set);
}

static bool wants(const struct thread *t, unsigned n) {
    return !(t->signal_mask & ~t->wait_set & SIGNAL_BIT(n));
}

/* The thread to bother with a signal for the process: the first one if it
 * will have it, else one that has nothing else to do, else any; or NULL. */
static struct thread *choose(unsigned n) {
    struct thread *busy = NULL;
    list_for_each (node, &thread_all) {
        struct thread *t = list_entry(node, struct thread, all);
        if (!wants(t, n))
            continue;
        if (t == thread_current() || !(t->work & THREAD_WORK_SIGNAL))
            return t;
        if (!busy)
            busy = t;
    }
    return busy;
}

static void bother(struct thread *t) {
    t->work |= THREAD_WORK_SIGNAL;
    thread_wake(t);
}

/* Signals for the process that one thread will not have go to others. */
static void hand_over(uint64_t set) {
    for (set &= signal_shared; set; set &= set - 1) {
        struct thread *t = choose((unsigned)__builtin_ctzll(set) + 1);
        if (t)
            bother(t);
    }
}

/* Signals that are let in and all ignored are gone, and interrupt nothing. */
static void drop_ignored(struct thread *t) {
    uint64_t due = (t->signal_pending | signal_shared) & ~t->signal_mask;
    for (uint64_t set = due; set; set &= set - 1) {
        if (!signal_ignored((unsigned)__builtin_ctzll(set) + 1))
            return; /* in their order, by deliver() */
    }
    if (due) {
        flush(t, due);
        flush(NULL, due);
    }
}

void signal_set_mask(uint64_t mask) {
    struct thread *t = thread_current();
    uint64_t old = t->signal_mask;
    t->signal_mask = mask & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    drop_ignored(t);
    if (thread_signal_due(t))
        t->work |= THREAD_WORK_SIGNAL;
    hand_over(t->signal_mask & ~old);
}

void signal_thread_leaves(struct thread *t) {
    flush(t, UINT64_MAX);
    hand_over(~t->signal_mask);
}

int signal_send(struct thread *target, const struct signal_info *info) {
    unsigned n = (unsigned)info->signo;
    uint64_t bit = SIGNAL_BIT(n);
    const struct thread *judge = target ? target : &thread_first;
    struct thread *t = target ? target : choose(n);
    if (bit & STOPS)
        signal_flush(SIGNAL_BIT(SIGCONT));
    if (n == SIGCONT)
        signal_flush(STOPS);
    if (signal_ignored(n) && !(judge->signal_mask & (t ? t->signal_mask : bit) & bit))
        return 1;
    if (n < SIGRTMIN && *pending(target) & bit && info->code != SI_TIMER)
        return 0;
    bool timer = info->code == SI_TIMER;
    bool anyway = timer || (n < SIGRTMIN && info->code >= 0);
    struct instance *i = queued < signal_limit || anyway ? heap_alloc(sizeof *i) : NULL;
    if (!i && (timer || (n >= SIGRTMIN && info->code != SI_USER)))
        return -EAGAIN;
    if (i) {
        i->target = target;
        i->info = *info;
        list_push_back(&queue, &i->node);
        queued++;
    }
    *pending(target) |= bit;
    if (signal_arrived)
        signal_arrived();
    if (t && wants(t, n))
        bother(t);
    return 0;
}

static unsigned take(struct thread *target, uint64_t set, struct signal_info *info) {
    uint64_t due = *pending(target) & set;
    if (!due)
        return 0;
    /* Faults first: they belong to the instruction that was stopped. */
    uint64_t first = due & (DUMPS & ~SIGNAL_BIT(SIGABRT));
    unsigned n = (unsigned)__builtin_ctzll(first ? first : due) + 1;
    struct instance *i = find(target, n);
    *info = i ? i->info : (struct signal_info){.signo = (int)n};
    if (i)
        drop(i);
    if (!find(target, n))
        *pending(target) &= ~SIGNAL_BIT(n);
    if (info->code == SI_TIMER && signal_timer_taken)
        signal_timer_taken(info);
    return n;
}

unsigned signal_take(uint64_t set, struct signal_info *info) {
    unsigned n = take(thread_current(), set, info);
    return n ? n : take(NULL, set, info);
}

static void end_by(const struct signal_info *info, const struct trap_frame *frame)
    __attribute__((noreturn));
static void end_by(const struct signal_info *info, const struct trap_frame *frame) {
    unsigned n = (unsigned)info->signo;
    if (DUMPS & SIGNAL_BIT(n)) {
        const struct crash c = {.kind = CRASH_SIGNAL, .signal = (uint8_t)n, .frame = frame};
        crash(&c, REASON_SIGNAL);
    }
    app_die(REASON_SIGNAL, n);
}

/* Calls that go on after a handler with SA_RESTART (signal(7)). */
static bool restarts(const struct report_call *call) {
    uint64_t number = call->number;
    /* These do not when the socket has a timeout (SO_RCVTIMEO, SO_SNDTIMEO). */
    static const int16_t of_sockets[] = {
        ARCH_NUMBER(43, 202),  /* accept */
        ARCH_NUMBER(288, 242), /* accept4 */
        ARCH_NUMBER(42, 203),  /* connect */
        ARCH_NUMBER(45, 207),  /* recvfrom */
        ARCH_NUMBER(47, 212),  /* recvmsg */
        ARCH_NUMBER(299, 243), /* recvmmsg */
        ARCH_NUMBER(44, 206),  /* sendto */
        ARCH_NUMBER(46, 211),  /* sendmsg */
        ARCH_NUMBER(307, 269), /* sendmmsg */
        ARCH_NUMBER(0, 63),    /* read */
        ARCH_NUMBER(19, 65),   /* readv */
        ARCH_NUMBER(1, 64),    /* write */
        ARCH_NUMBER(20, 66),   /* writev */
    };
    static const int16_t numbers[] = {
        ARCH_NUMBER(16, 29),   /* ioctl */
        ARCH_NUMBER(2, -1),    /* open */
        ARCH_NUMBER(257, 56),  /* openat */
        ARCH_NUMBER(437, 437), /* openat2 */
        ARCH_NUMBER(327, 286), /* preadv2 */
        ARCH_NUMBER(328, 287), /* pwritev2 */
        ARCH_NUMBER(275, 76),  /* splice */
        ARCH_NUMBER(278, 75),  /* vmsplice */
        ARCH_NUMBER(276, 77),  /* tee */
        ARCH_NUMBER(40, 71),   /* sendfile */
        ARCH_NUMBER(61, 260),  /* wait4 */
        ARCH_NUMBER(247, 95),  /* waitid */
        ARCH_NUMBER(72, 25),   /* fcntl (F_SETLKW) */
        ARCH_NUMBER(73, 32),   /* flock */
        ARCH_NUMBER(202, 98),  /* futex (FUTEX_WAIT without a timeout) */
        ARCH_NUMBER(318, 278), /* getrandom */
        ARCH_NUMBER(449, 449), /* futex_waitv */
        ARCH_NUMBER(455, 455), /* futex_wait */
    };
    if (number == ARCH_NUMBER(202, 98) && call->args[3])
        return false; /* one with a timeout never does */
    for (unsigned i = 0; i < ARRAY_LEN(of_sockets); i++) {
        if (number == (uint64_t)of_sockets[i])
            return !thread_current()->timed;
    }
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        if (number == (uint64_t)numbers[i])
            return true;
    }
    return false;
}

/* Calls that go on after any handler: futex's that wait for a lock, until a
 * point in time. */
static bool always_restarts(const struct report_call *call) {
    uint64_t op = call->args[1] & 127;
    return call->number == ARCH_NUMBER(202, 98) && (op == 6 || op == 11 || op == 13);
}

bool signal_on_altstack(const struct thread *t, vaddr_t sp) {
    return !(t->altstack.flags & SS_AUTODISARM) && sp > t->altstack.base &&
           sp - t->altstack.base <= t->altstack.size;
}

#define MINSIGSTKSZ 2048u

int signal_set_altstack(vaddr_t sp, uint64_t base, uint64_t size, uint32_t flags) {
    struct thread *t = thread_current();
    uint32_t mode = flags & ~SS_AUTODISARM;
    if (signal_on_altstack(t, sp))
        return -EPERM;
    if (mode && mode != SS_DISABLE && mode != SS_ONSTACK)
        return -EINVAL;
    if (t->altstack.base == base && t->altstack.size == size && t->altstack.flags == flags)
        return 0;
    if (mode == SS_DISABLE)
        base = size = 0;
    else if (size < MINSIGSTKSZ)
        return -ENOMEM;
    t->altstack.base = base;
    t->altstack.size = size;
    t->altstack.flags = flags;
    return 0;
}

/* Sends the app into its handler; false when the stack cannot take the frame. */
static bool enter(const struct signal_info *info, struct trap_frame *frame,
                  const struct fault *fault) {
    struct thread *t = thread_current();
    unsigned n = (unsigned)info->signo;
    struct signal_action action = signal_actions[n]; /* before SA_RESETHAND clears it */
    uint64_t mask = t->restore_mask ? t->saved_mask : t->signal_mask;
    bool on = signal_on_altstack(t, arch_frame_sp(frame));
    vaddr_t sp = action.flags & SA_ONSTACK && t->altstack.size && !on
                     ? t->altstack.base + t->altstack.size
                     : 0;
    if (arch_signal_setup(frame, info, &action, mask, sp, sp || on ? t->altstack.base : 0, fault))
        return false;
    t->restore_mask = false;
    if (t->altstack.flags & SS_AUTODISARM) {
        t->altstack.base = t->altstack.size = 0;
        t->altstack.flags = SS_DISABLE;
    }
    if (action.flags & SA_RESETHAND)
        signal_actions[n].handler = SIG_DFL;
    signal_set_mask(t->signal_mask | action.mask | (action.flags & SA_NODEFER ? 0 : SIGNAL_BIT(n)));
    return true;
}

/* What a frame is that cannot be written. */
static const struct fault no_frame = {.signal = SIGSEGV, .code = SI_KERNEL};

static bool force(const struct fault *fault, struct trap_frame *frame) {
    unsigned n = (unsigned)fault->signal;
    uint64_t handler = signal_actions[n].handler;
    if (handler == SIG_DFL || handler == SIG_IGN || thread_current()->signal_mask & SIGNAL_BIT(n))
        return false;
    const struct signal_info info = {
        .signo = (int)n,
        .code = fault->code,
        .address = fault->code == SI_KERNEL ? 0 : fault->address, /* as Linux has it */
    };
    return enter(&info, frame, fault) || (n != SIGSEGV && force(&no_frame, frame));
}

static void deliver(struct trap_frame *frame) {
    struct thread *t = thread_current();
    struct signal_info info;
    bool interrupted = arch_syscall_interrupted(frame);
    const struct report_call *call = t->call;
    for (;;) {
        if (!signal_take(~t->signal_mask, &info)) {
            if (!t->restore_mask)
                break;
            t->restore_mask = false; /* which may let others in */
            signal_set_mask(t->saved_mask);
            continue;
        }
        unsigned n = (unsigned)info.signo;
        if (signal_ignored(n))
            continue;
        if (signal_actions[n].handler == SIG_DFL)
            end_by(&info, frame);
        bool asked = signal_actions[n].flags & SA_RESTART && restarts(call);
        if (interrupted && (asked || always_restarts(call)))
            arch_syscall_restart(frame, call->number);
        interrupted = false;
        if (!enter(&info, frame, NULL) && (n == SIGSEGV || !force(&no_frame, frame))) {
            info = (struct signal_info){.signo = SIGSEGV};
            end_by(&info, frame);
        }
    }
}

static const struct signal_ops ops = {force, deliver};
const struct signal_ops *const signal_ops = &ops;
