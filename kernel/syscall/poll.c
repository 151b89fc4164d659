/* SPDX-License-Identifier: BSD-3-Clause
 *
 * poll, ppoll, select, pselect6.
 *
 * A file is asked what holds now; where nothing holds, the thread sleeps in
 * the file's wait queue and asks again.  With files of several queues it also
 * looks again every few milliseconds: a thread sleeps in one queue only.
 * A signal mask given to ppoll and pselect6 stands during the wait.
 */
#include "app/signal.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/user.h"
#include "sched/thread.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"
#include "syscall/time.h"
#include "vfs/file.h"

#define LOOK_AGAIN 2000000ull /* ns, with several queues */
#define FOREVER UINT64_MAX
#define SET_SIZE 8u /* of a signal set */

/* Without signals there is no mask to change. */
extern void signal_set_mask(uint64_t mask) __attribute__((weak));

/* ---- waiting ------------------------------------------------------------------- */

struct poller {
    uint64_t deadline;        /* monotonic; 0: do not wait; FOREVER */
    struct wait_queue *queue; /* of the files asked; NULL: none has one */
    bool several;
};

/* What holds now, of `events` and of what is always told. */
static unsigned ask(struct poller *p, int fd, unsigned events) {
    struct file *f = fd_get(fd);
    if (!f)
        return POLLNVAL;
    unsigned now = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    if (f->flags & O_PATH)
        now = POLLNVAL;
    else if (f->ops->poll)
        now = f->ops->poll(f);
    struct wait_queue *q = f->ops->wait ? f->ops->wait(f) : NULL;
    p->several = p->several || (q && p->queue && q != p->queue);
    p->queue = q ? q : p->queue;
    file_put(f);
    return now & (events | POLLERR | POLLHUP | POLLNVAL);
}

/* 0: ask again; -ETIMEDOUT, -EINTR. */
static long sleep(struct poller *p) {
    WAIT_QUEUE(nobody);
    struct wait_queue *q = p->queue ? p->queue : &nobody;
    uint64_t deadline = p->deadline;
    if (deadline == 0)
        return -ETIMEDOUT;
    if (p->several)
        deadline = MIN(deadline, time_deadline(LOOK_AGAIN));
    long error = wait_on(q, deadline);
    if (error == -ETIMEDOUT && deadline != p->deadline)
        error = 0;
    p->queue = NULL;
    p->several = false;
    return error;
}

static uint64_t deadline_in(uint64_t ns) {
    return ns ? time_deadline(ns) : 0;
}

/* What is left until the deadline, for the calls that tell. */
static uint64_t left_until(uint64_t deadline) {
    uint64_t now = deadline ? clock_monotonic() : 0;
    return deadline > now ? deadline - now : 0;
}

static long mask_set(vaddr_t mask, uint64_t size) {
    uint64_t set;
    if (!mask)
        return 0;
    if (size != SET_SIZE)
        return -EINVAL;
    if (user_read(&set, mask, sizeof(set)) < 0)
        return -EFAULT;
    struct thread *t = thread_current();
    if (signal_set_mask) {
        t->saved_mask = t->signal_mask;
        t->restore_mask = true;
        signal_set_mask(set);
        t->work |= THREAD_WORK_SIGNAL; /* brings the mask back on the way out */
    }
    return 0;
}

/* Unless a signal is about to be delivered under it, the mask goes at once. */
static void mask_back(long result) {
    struct thread *t = thread_current();
    if (signal_set_mask && t->restore_mask && result != -EINTR) {
        t->restore_mask = false;
        signal_set_mask(t->saved_mask);
    }
}

/* ---- poll ---------------------------------------------------------------------- */

/* One look at all entries: how many are ready, or -EFAULT. */
static long poll_look(struct poller *p, vaddr_t fds, unsigned count) {
    long ready = 0;
    for (unsigned i = 0; i < count; i++) {
        vaddr_t at = fds + i * sizeof(struct linux_pollfd);
        struct linux_pollfd entry;
        if (user_read(&entry, at, sizeof(entry)) < 0)
            return -EFAULT;
        entry.revents = entry.fd < 0 ? 0 : (uint16_t)ask(p, entry.fd, entry.events);
        if (user_write(at + offsetof(struct linux_pollfd, revents), &entry.revents,
                       sizeof(entry.revents)) < 0)
            return -EFAULT;
        ready += entry.revents != 0;
    }
    return ready;
}

static long poll_until(vaddr_t fds, unsigned long count, uint64_t deadline) {
    struct poller p = {.deadline = deadline};
    if ((unsigned)count > fd_limit)
        return -EINVAL;
    for (;;) {
        long ready = poll_look(&p, fds, (unsigned)count);
        if (ready)
            return ready;
        long error = sleep(&p);
        if (error)
            return error == -ETIMEDOUT ? 0 : error;
    }
}

SYSCALL_HANDLER(poll) {
    int ms = (int)c;
    return poll_until(a, b, ms < 0 ? FOREVER : deadline_in((uint64_t)ms * 1000000));
}

SYSCALL_HANDLER(ppoll) {
    uint64_t ns = 0, deadline = FOREVER;
    long error = c ? time_read(c, &ns) : 0;
    if (!error && c)
        deadline = deadline_in(ns);
    if (!error)
        error = mask_set(d, e);
    if (error)
        return error;
    long result = poll_until(a, b, deadline);
    mask_back(result);
    if (c)
        time_write(c, left_until(deadline)); /* a bad address is not told, as on Linux */
    return result;
}

/* ---- select -------------------------------------------------------------------- */

#define SET_WORDS (FD_MAX / 64)
#define READ_EVENTS (POLLRDNORM | POLLIN | POLLHUP | POLLERR)
#define WRITE_EVENTS (POLLWRNORM | POLLOUT | POLLERR)

enum { READ, WRITE, EXCEPT, SETS };

struct selection {
    unsigned count; /* descriptors below this */
    vaddr_t user[SETS];
    uint64_t in[SETS][SET_WORDS], out[SETS][SET_WORDS];
};

static size_t set_bytes(const struct selection *s) {
    return ALIGN_UP((size_t)s->count, 64) / 8;
}

static long select_start(struct selection *s, int count, vaddr_t r, vaddr_t w, vaddr_t x) {
    if (count < 0)
        return -EINVAL;
    memset(s->in, 0, sizeof(s->in));
    s->count = MIN((unsigned)count, (unsigned)FD_MAX);
    s->user[READ] = r;
    s->user[WRITE] = w;
    s->user[EXCEPT] = x;
    for (unsigned i = 0; i < SETS; i++) {
        if (s->user[i] && user_read(s->in[i], s->user[i], set_bytes(s)) < 0)
            return -EFAULT;
    }
    return 0;
}

/* One look: how many bits are set in out, or -EBADF. */
static long select_look(struct selection *s, struct poller *p) {
    static const unsigned events[SETS] = {READ_EVENTS, WRITE_EVENTS, POLLPRI};
    long ready = 0;
    memset(s->out, 0, sizeof(s->out));
    for (unsigned fd = 0; fd < s->count; fd++) {
        uint64_t bit = 1ull << (fd % 64);
        unsigned word = fd / 64, wanted = 0;
        for (unsigned i = 0; i < SETS; i++)
            wanted |= s->in[i][word] & bit ? events[i] : 0;
        if (!wanted)
            continue;
        unsigned now = ask(p, (int)fd, wanted);
        if (now & POLLNVAL)
            return -EBADF;
        for (unsigned i = 0; i < SETS; i++) {
            if (s->in[i][word] & bit && now & events[i]) {
                s->out[i][word] |= bit;
                ready++;
            }
        }
    }
    return ready;
}

static long select_until(struct selection *s, uint64_t deadline) {
    struct poller p = {.deadline = deadline};
    long ready;
    while (!(ready = select_look(s, &p))) {
        long error = sleep(&p);
        if (error == -ETIMEDOUT)
            break;
        if (error)
            return error;
    }
    for (unsigned i = 0; i < SETS && ready >= 0; i++) {
        if (s->user[i] && user_write(s->user[i], s->out[i], set_bytes(s)) < 0)
            return -EFAULT;
    }
    return ready;
}

SYSCALL_HANDLER(select) {
    struct selection s;
    struct linux_timeval tv = {0, 0};
    uint64_t deadline = FOREVER;
    if (e && user_read(&tv, e, sizeof(tv)) < 0)
        return -EFAULT;
    if (tv.seconds < 0 || tv.microseconds < 0)
        return -EINVAL;
    if (e) {
        uint64_t seconds = (uint64_t)tv.seconds + (uint64_t)tv.microseconds / 1000000;
        seconds = MIN(seconds, (uint64_t)INT64_MAX / TIME_SECOND - 1);
        deadline = deadline_in(seconds * TIME_SECOND + (uint64_t)tv.microseconds % 1000000 * 1000);
    }
    long result = select_start(&s, (int)a, b, c, d);
    if (!result)
        result = select_until(&s, deadline);
    if (e) {
        uint64_t us = left_until(deadline) / 1000;
        tv = (struct linux_timeval){(int64_t)(us / 1000000), (int64_t)(us % 1000000)};
        user_write(e, &tv, sizeof(tv));
    }
    return result;
}

SYSCALL_HANDLER(pselect6) {
    struct selection s;
    struct {
        uint64_t set, size;
    } mask = {0, 0};
    uint64_t ns = 0, deadline = FOREVER;
    if (f && user_read(&mask, f, sizeof(mask)) < 0)
        return -EFAULT;
    long result = e ? time_read(e, &ns) : 0;
    if (!result && e)
        deadline = deadline_in(ns);
    if (!result)
        result = mask_set(mask.set, mask.size);
    if (result)
        return result;
    result = select_start(&s, (int)a, b, c, d);
    if (!result)
        result = select_until(&s, deadline);
    mask_back(result);
    if (e)
        time_write(e, left_until(deadline));
    return result;
}
