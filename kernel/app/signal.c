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
#include "syscall/linux.h"

struct signal_action signal_actions[SIGNALS + 1];

static struct signal_info infos[SIGNALS + 1]; /* of what is pending */

#define BITS4(a, b, c, d) (SIGNAL_BIT(a) | SIGNAL_BIT(b) | SIGNAL_BIT(c) | SIGNAL_BIT(d))
#define IGNORED BITS4(SIGCHLD, SIGCONT, SIGURG, SIGWINCH)
#define DUMPS                                                                                      \
    (BITS4(SIGQUIT, SIGILL, SIGTRAP, SIGABRT) | BITS4(SIGBUS, SIGFPE, SIGSEGV, SIGXCPU) |          \
     BITS4(SIGXFSZ, SIGSYS, SIGSYS, SIGSYS))
#define STOPS BITS4(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU)

static bool ignored(unsigned n) {
    uint64_t handler = signal_actions[n].handler;
    return handler == SIG_IGN || (handler == SIG_DFL && (IGNORED | STOPS) & SIGNAL_BIT(n));
}

void signal_set_mask(uint64_t mask) {
    struct thread *t = thread_current();
    t->signal_mask = mask & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    if (thread_signal_due(t))
        t->work |= THREAD_WORK_SIGNAL;
}

/* The thread to bother with a signal for the process. */
static struct thread *choose(unsigned n) {
    list_for_each (node, &thread_all) {
        struct thread *t = list_entry(node, struct thread, all);
        if (!(t->signal_mask & SIGNAL_BIT(n)))
            return t;
    }
    return &thread_first;
}

void signal_send(struct thread *t, const struct signal_info *info) {
    unsigned n = (unsigned)info->signo;
    if (!t)
        t = choose(n);
    uint64_t bit = SIGNAL_BIT(n);
    if (ignored(n) && !(t->signal_mask & bit))
        return;
    if (!(t->signal_pending & bit))
        infos[n] = *info;
    t->signal_pending |= bit;
    if (t->signal_mask & bit && !t->wait_set)
        return;
    t->work |= THREAD_WORK_SIGNAL;
    thread_wake(t);
}

unsigned signal_take(uint64_t set, struct signal_info *info) {
    struct thread *t = thread_current();
    uint64_t due = t->signal_pending & set;
    if (!due)
        return 0;
    /* Faults first: they belong to the instruction that was stopped. */
    uint64_t first = due & (DUMPS & ~SIGNAL_BIT(SIGABRT));
    unsigned n = (unsigned)__builtin_ctzll(first ? first : due) + 1;
    t->signal_pending &= ~SIGNAL_BIT(n);
    *info = infos[n];
    return n;
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
static bool restarts(uint64_t number) {
    static const int16_t numbers[] = {
        ARCH_NUMBER(0, 63),    /* read */
        ARCH_NUMBER(19, 65),   /* readv */
        ARCH_NUMBER(1, 64),    /* write */
        ARCH_NUMBER(20, 66),   /* writev */
        ARCH_NUMBER(16, 29),   /* ioctl */
        ARCH_NUMBER(2, -1),    /* open */
        ARCH_NUMBER(257, 56),  /* openat */
        ARCH_NUMBER(61, 260),  /* wait4 */
        ARCH_NUMBER(247, 95),  /* waitid */
        ARCH_NUMBER(43, 202),  /* accept */
        ARCH_NUMBER(288, 242), /* accept4 */
        ARCH_NUMBER(42, 203),  /* connect */
        ARCH_NUMBER(45, 207),  /* recvfrom */
        ARCH_NUMBER(47, 212),  /* recvmsg */
        ARCH_NUMBER(44, 206),  /* sendto */
        ARCH_NUMBER(46, 211),  /* sendmsg */
        ARCH_NUMBER(73, 32),   /* flock */
        ARCH_NUMBER(202, 98),  /* futex (FUTEX_WAIT without a timeout) */
        ARCH_NUMBER(318, 278), /* getrandom */
    };
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        if (number == (uint64_t)numbers[i])
            return true;
    }
    return false;
}

static bool on_altstack(const struct thread *t, vaddr_t sp) {
    return t->altstack.size && sp - t->altstack.base <= t->altstack.size;
}

/* Sends the app into its handler; false when the stack cannot take the frame. */
static bool enter(const struct signal_info *info, struct trap_frame *frame,
                  const struct fault *fault) {
    struct thread *t = thread_current();
    unsigned n = (unsigned)info->signo;
    struct signal_action action = signal_actions[n]; /* before SA_RESETHAND clears it */
    uint64_t mask = t->restore_mask ? t->saved_mask : t->signal_mask;
    vaddr_t sp = 0;
    if (action.flags & SA_ONSTACK && t->altstack.size && !on_altstack(t, arch_frame_sp(frame)))
        sp = t->altstack.base + t->altstack.size;
    if (arch_signal_setup(frame, info, &action, mask, sp, fault))
        return false;
    t->restore_mask = false;
    if (action.flags & SA_RESETHAND)
        signal_actions[n].handler = SIG_DFL;
    signal_set_mask(t->signal_mask | action.mask | (action.flags & SA_NODEFER ? 0 : SIGNAL_BIT(n)));
    return true;
}

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
    return enter(&info, frame, fault);
}

static void deliver(struct trap_frame *frame) {
    struct thread *t = thread_current();
    struct signal_info info;
    bool interrupted = arch_syscall_interrupted(frame);
    unsigned slots = sizeof t->calls / sizeof t->calls[0];
    uint64_t number = t->calls[(t->calls_next / sizeof t->calls[0] + slots - 1) % slots].number;
    while (signal_take(~t->signal_mask, &info)) {
        unsigned n = (unsigned)info.signo;
        if (ignored(n))
            continue;
        if (signal_actions[n].handler == SIG_DFL)
            end_by(&info, frame);
        if (interrupted && signal_actions[n].flags & SA_RESTART && restarts(number))
            arch_syscall_restart(frame, number);
        interrupted = false;
        if (!enter(&info, frame, NULL)) {
            info = (struct signal_info){.signo = SIGSEGV};
            end_by(&info, frame);
        }
    }
    if (t->restore_mask) {
        t->restore_mask = false;
        signal_set_mask(t->saved_mask);
    }
}

static const struct signal_ops ops = {force, deliver};
const struct signal_ops *const signal_ops = &ops;
