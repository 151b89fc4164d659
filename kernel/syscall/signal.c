/* SPDX-License-Identifier: BSD-3-Clause
 *
 * sigaction(2), sigprocmask(2), sigaltstack(2), kill(2) and their kind.
 */
#include "app/signal.h"
#include "clock/clock.h"
#include "lib/string.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/process.h"
#include "syscall/syscall.h"
#include "syscall/time.h"

#define SET_SIZE 8
#define SA_FLAGS                                                                                   \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_ONSTACK |     \
     SA_RESTART | SA_NODEFER | SA_RESETHAND)

SYSCALL_HANDLER(rt_sigaction) {
    struct signal_action new;
    if (d != SET_SIZE)
        return -EINVAL;
    if (b && user_read(&new, b, sizeof new))
        return -EFAULT;
    if ((int)a < 1 || (int)a > SIGNALS || (b && ((int)a == SIGKILL || (int)a == SIGSTOP)))
        return -EINVAL;
    a = (unsigned)a;
    struct signal_action old = signal_actions[a];
    if (b) {
        if (a == SIGTERM && new.handler != SIG_DFL)
            signal_listen();
        new.flags &= SA_FLAGS;
        new.mask &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
        signal_actions[a] = new;
        if (signal_ignored((unsigned)a))
            signal_flush(SIGNAL_BIT(a));
    }
    return c && user_write(c, &old, sizeof old) ? -EFAULT : 0;
}

SYSCALL_HANDLER(rt_sigprocmask) {
    uint64_t old = thread_current()->signal_mask, set;
    if (d != SET_SIZE)
        return -EINVAL;
    if (b) {
        if (user_read(&set, b, sizeof set))
            return -EFAULT;
        /* To take it later; libc, which blocks all of them, does not. */
        if (set & SIGNAL_BIT(SIGTERM) && set < SIGNAL_BIT(SIGRTMIN))
            signal_listen();
        switch ((int)a) {
        case SIG_BLOCK:
            set |= old;
            break;
        case SIG_UNBLOCK:
            set = old & ~set;
            break;
        case SIG_SETMASK:
            break;
        default:
            return -EINVAL;
        }
        signal_set_mask(set);
    }
    return c && user_write(c, &old, sizeof old) ? -EFAULT : 0;
}

SYSCALL_HANDLER(rt_sigpending) {
    const struct thread *t = thread_current();
    uint64_t set = (t->signal_pending | signal_shared) & t->signal_mask;
    if (b > SET_SIZE)
        return -EINVAL;
    return user_write(a, &set, b);
}

struct stack {
    uint64_t base;
    uint32_t flags, pad;
    uint64_t size;
};

SYSCALL_HANDLER(sigaltstack) {
    const struct thread *t = thread_current();
    bool on = signal_on_altstack(t, t->app_sp);
    uint32_t state = !t->altstack.size ? SS_DISABLE : on ? SS_ONSTACK : 0;
    struct stack old = {.base = t->altstack.base,
                        .size = t->altstack.size,
                        .flags = state | (t->altstack.flags & SS_AUTODISARM)};
    struct stack new = {0};
    if (a) {
        if (user_read(&new, a, sizeof new))
            return -EFAULT;
        int error = signal_set_altstack(t->app_sp, new.base, new.size, new.flags);
        if (error)
            return error;
    }
    return b && user_write(b, &old, sizeof old) ? -EFAULT : 0;
}

/* ---- sending ---- */

static long send_info(struct thread *t, int number, struct signal_info *info) {
    if (number < 0 || number > SIGNALS)
        return -EINVAL;
    info->signo = number;
    int result = number ? signal_send(t, info) : 0;
    return result < 0 ? result : 0;
}

static long send(struct thread *t, int number, int code) {
    struct signal_info info = {
        .code = code, .pid = PROCESS_ID, .uid = process_user ? (int32_t)process_user() : 0};
    return send_info(t, number, &info);
}

static bool is_thread(int id) {
    return id == PROCESS_ID || (id > 0 && thread_of(id));
}

/* The id of any thread is the process's here; the process is its own group,
 * and number -1 is everybody else: nobody. */
SYSCALL_HANDLER(kill) {
    int pid = (int)a;
    return pid && !is_thread(pid) ? -ESRCH : send(NULL, (int)b, SI_USER);
}

SYSCALL_HANDLER(tkill) {
    if ((int)a <= 0)
        return -EINVAL;
    struct thread *t = thread_of((int)a);
    return !t ? -ESRCH : send(t, (int)b, SI_TKILL);
}

SYSCALL_HANDLER(tgkill) {
    if ((int)a <= 0 || (int)b <= 0)
        return -EINVAL;
    return (int)a != PROCESS_ID ? -ESRCH : sys_tkill(b, c, 0, 0, 0, 0);
}

/* Who else but the receiver itself may claim to be kill or the kernel? */
static bool may_claim(const struct signal_info *info, int id) {
    return (info->code < 0 && info->code != SI_TKILL) || (uint32_t)id == thread_current()->id;
}

/* What the kernel knows of it; the rest of the app's structure is room. */
#define INFO_SIZE 48

SYSCALL_HANDLER(rt_sigqueueinfo) {
    struct signal_info info = {0};
    if (user_read(&info, c, INFO_SIZE))
        return -EFAULT;
    if (!may_claim(&info, (int)a))
        return -EPERM;
    return is_thread((int)a) ? send_info(NULL, (int)b, &info) : -ESRCH;
}

SYSCALL_HANDLER(rt_tgsigqueueinfo) {
    struct signal_info info = {0};
    if (user_read(&info, d, INFO_SIZE))
        return -EFAULT;
    if ((int)a <= 0 || (int)b <= 0)
        return -EINVAL;
    if (!may_claim(&info, (int)b))
        return -EPERM;
    struct thread *t = thread_of((int)b);
    return (int)a != PROCESS_ID || !t ? -ESRCH : send_info(t, (int)c, &info);
}

/* ---- waiting ---- */

static WAIT_QUEUE(nobody); /* only signals and deadlines wake */

SYSCALL_HANDLER(pause) {
    int error;
    do
        error = wait_on(&nobody, UINT64_MAX);
    while (!error);
    return error;
}

SYSCALL_HANDLER(rt_sigsuspend) {
    uint64_t set;
    if (b != SET_SIZE)
        return -EINVAL;
    if (user_read(&set, a, sizeof set))
        return -EFAULT;
    struct thread *t = thread_current();
    t->saved_mask = t->signal_mask;
    t->restore_mask = true;
    signal_set_mask(set);
    t->work |= THREAD_WORK_SIGNAL; /* the mask comes back on the way out */
    int error;
    do
        error = wait_on(&nobody, UINT64_MAX);
    while (!error);
    return error;
}

SYSCALL_HANDLER(rt_sigtimedwait) {
    uint64_t set, deadline = UINT64_MAX;
    if (d != SET_SIZE)
        return -EINVAL;
    if (user_read(&set, a, sizeof set))
        return -EFAULT;
    if (c) {
        uint64_t timeout;
        long error = time_read(c, &timeout);
        if (error)
            return error;
        deadline = time_deadline(timeout);
    }
    struct thread *t = thread_current();
    struct signal_info info;
    unsigned n;
    int error = 0;
    set &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    if (set & SIGNAL_BIT(SIGTERM))
        signal_listen();
    while (!(n = signal_take(set, &info)) && !error) {
        t->wait_set = set;
        error = wait_on(&nobody, deadline);
        t->wait_set = 0;
    }
    if (!n && (n = signal_take(set, &info)) == 0)
        return error == -ETIMEDOUT ? -EAGAIN : error;
    if (b && user_write(b, &info, sizeof info))
        return -EFAULT;
    return n;
}

/* Reached through arch/: the frame goes back to what the handler interrupted. */
long rt_sigreturn_frame(struct trap_frame *frame, struct report_call *call);
long rt_sigreturn_frame(struct trap_frame *frame, struct report_call *call) {
    (void)call;
    uint64_t mask = thread_current()->signal_mask;
    int error = arch_signal_return(frame, &mask);
    signal_set_mask(mask);
    const struct fault fault = {.signal = SIGSEGV, .code = SI_KERNEL};
    if (error && !signal_ops->force(&fault, frame)) {
        const struct crash c = {.kind = CRASH_SIGNAL, .signal = SIGSEGV, .frame = frame};
        crash(&c, REASON_SIGNAL);
    }
    return arch_frame_result(frame);
}
