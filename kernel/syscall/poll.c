/* SPDX-License-Identifier: BSD-3-Clause
 *
 * poll, ppoll, select, pselect6.
 *
 * Each descriptor asked about has an entry, a few on the stack and the rest in
 * frames.  The first look watches the files' wait queues as long as nothing is
 * ready; a wake that concerns an entry makes the thread look at all of them
 * again.  A signal mask given to ppoll and pselect6 stands during the wait.
 */
#include "syscall/poll.h"

#include "app/signal.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/user.h"
#include "sched/thread.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"
#include "syscall/time.h"
#include "vfs/file.h"

#define FOREVER UINT64_MAX
#define SET_SIZE 8u /* of a signal set */
#define ALWAYS (POLLERR | POLLHUP | POLLNVAL)

/* Without signals there is no mask to change. */
extern void signal_set_mask(uint64_t mask) __attribute__((weak));

/* ---- waiting ------------------------------------------------------------------- */

struct entry {
    struct watcher watcher;
    struct poller *poller;
    struct file *watched; /* with a reference; NULL: watches nothing */
    int32_t fd;
    uint16_t events, revents;
};

struct chunk { /* a frame */
    struct chunk *next;
    struct entry entries[(PAGE_SIZE - sizeof(void *)) / sizeof(struct entry)];
};
#define FEW 6u
#define MANY ((unsigned)ARRAY_LEN(((struct chunk *)NULL)->entries))

struct poller {
    uint64_t deadline; /* monotonic; 0: do not wait; FOREVER */
    struct wait_queue queue;
    bool woken;     /* since the last look began */
    unsigned count; /* of entries */
    struct entry few[FEW];
    struct chunk *first, **last;
};

static void poller_init(struct poller *p, uint64_t deadline) {
    p->deadline = deadline;
    wait_queue_init(&p->queue, false);
    p->count = 0;
    p->first = NULL;
    p->last = &p->first;
}

/* The next entry; NULL: no memory. */
static struct entry *entry_add(struct poller *p, struct chunk **at) {
    unsigned n = p->count;
    struct entry *e;
    if (n < FEW) {
        e = &p->few[n];
    } else {
        if ((n - FEW) % MANY == 0) {
            paddr_t frame = frame_alloc();
            if (!frame)
                return NULL;
            *at = phys_to_virt(frame);
            (*at)->next = NULL;
            *p->last = *at;
            p->last = &(*at)->next;
        }
        e = &(*at)->entries[(n - FEW) % MANY];
    }
    p->count++;
    e->poller = p;
    e->watched = NULL;
    return e;
}

/* Goes through the entries in order: begin with NULL; NULL at the end. */
struct cursor {
    unsigned index;
    struct chunk *chunk;
};
static struct entry *entry_next(struct poller *p, struct cursor *c) {
    unsigned n = c->index;
    if (n == p->count)
        return NULL;
    c->index++;
    if (n < FEW)
        return &p->few[n];
    if ((n - FEW) % MANY == 0)
        c->chunk = n == FEW ? p->first : c->chunk->next;
    return &c->chunk->entries[(n - FEW) % MANY];
}

static void poller_end(struct poller *p) {
    struct cursor c = {0, NULL};
    for (struct entry *e; (e = entry_next(p, &c));) {
        if (e->watched) {
            wait_unwatch(&e->watcher);
            file_put(e->watched);
        }
    }
    for (struct chunk *at = p->first, *next; at; at = next) {
        next = at->next;
        frame_free(virt_to_phys(at));
    }
}

static void notify(struct watcher *w) {
    struct entry *e = container_of(w, struct entry, watcher);
    if (!watcher_concerned(w, e->events | ALWAYS))
        return;
    e->poller->woken = true;
    wake_all(&e->poller->queue);
}

/* What holds now, of the events asked for and of what is always told. */
static unsigned ask(struct entry *e, bool watch) {
    struct file *f = fd_get(e->fd);
    if (!f)
        return POLLNVAL;
    unsigned now = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    if (f->flags & O_PATH)
        now = POLLNVAL;
    else if (f->ops->poll)
        now = f->ops->poll(f);
    now &= e->events | ALWAYS;
    struct wait_queue *q = watch && !now && f->ops->wait ? f->ops->wait(f) : NULL;
    if (q) {
        e->watched = file_get(f);
        wait_watch(q, &e->watcher, notify);
    }
    file_put(f);
    return now;
}

/* One look at all entries: how many are ready. */
static unsigned look(struct poller *p, bool watch) {
    unsigned ready = 0;
    struct cursor c = {0, NULL};
    p->woken = false;
    for (struct entry *e; (e = entry_next(p, &c));) {
        e->revents = e->fd < 0 ? 0 : (uint16_t)ask(e, watch && !ready);
        ready += e->revents != 0;
    }
    return ready;
}

/* How many entries are ready, or -EINTR, or 0 when the time is over: a signal that the
 * call's mask lets in comes also when there is no time at all. */
static long poller_wait(struct poller *p) {
    unsigned ready = look(p, p->deadline != 0);
    while (!ready && p->deadline) {
        long error = p->woken ? 0 : wait_on(&p->queue, p->deadline);
        if (error && error != -ETIMEDOUT)
            return error;
        ready = look(p, false);
        if (error)
            break;
    }
    if (!ready && thread_signal_due(thread_current()))
        return -EINTR;
    return ready;
}

static uint64_t deadline_in(uint64_t ns) {
    return ns ? time_deadline(ns) : 0;
}

/* What is left until the deadline, for the calls that tell. */
static uint64_t left_until(uint64_t deadline) {
    uint64_t now = deadline ? clock_monotonic() : 0;
    return deadline > now ? deadline - now : 0;
}

long poll_mask_set(vaddr_t mask, uint64_t size) {
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

void poll_mask_back(long result) {
    struct thread *t = thread_current();
    if (signal_set_mask && t->restore_mask && result != -EINTR) {
        t->restore_mask = false;
        signal_set_mask(t->saved_mask);
    }
}

/* ---- poll ---------------------------------------------------------------------- */

#define BATCH 16u /* entries that are read at once */

static long poll_start(struct poller *p, vaddr_t fds, unsigned count) {
    struct linux_pollfd batch[BATCH];
    struct chunk *at = NULL;
    for (unsigned i = 0; i < count; i++) {
        if (i % BATCH == 0 && user_read(batch, fds + i * sizeof(batch[0]),
                                        MIN(count - i, BATCH) * sizeof(batch[0])) < 0)
            return -EFAULT;
        struct entry *e = entry_add(p, &at);
        if (!e)
            return -ENOMEM;
        e->fd = batch[i % BATCH].fd;
        e->events = batch[i % BATCH].events;
    }
    return 0;
}

static long poll_end(struct poller *p, vaddr_t fds) {
    struct cursor c = {0, NULL};
    vaddr_t at = fds + offsetof(struct linux_pollfd, revents);
    for (struct entry *e; (e = entry_next(p, &c)); at += sizeof(struct linux_pollfd)) {
        if (user_write(at, &e->revents, sizeof(e->revents)) < 0)
            return -EFAULT;
    }
    return 0;
}

static long poll_until(vaddr_t fds, unsigned long count, uint64_t deadline) {
    struct poller p;
    if ((unsigned)count > fd_limit)
        return -EINVAL;
    poller_init(&p, deadline);
    long result = poll_start(&p, fds, (unsigned)count);
    if (!result) {
        result = poller_wait(&p);
        if (poll_end(&p, fds) < 0 || !user_range(fds, count * sizeof(struct linux_pollfd)))
            result = -EFAULT;
    }
    poller_end(&p);
    return result;
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
        error = poll_mask_set(d, e);
    if (error)
        return error;
    long result = poll_until(a, b, deadline);
    poll_mask_back(result);
    if (c)
        time_write(c, left_until(deadline)); /* a bad address is not told, as on Linux */
    return result;
}

/* ---- select -------------------------------------------------------------------- */

#define SET_WORDS (FD_MAX / 64)
#define READ_EVENTS (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL)
#define WRITE_EVENTS (POLLWRNORM | POLLWRBAND | POLLOUT | POLLERR | POLLNVAL)
#define EXCEPT_EVENTS (POLLPRI | POLLNVAL)

enum { READ, WRITE, EXCEPT, SETS };
static const uint16_t set_events[SETS] = {READ_EVENTS, WRITE_EVENTS, EXCEPT_EVENTS};

struct selection {
    unsigned count; /* descriptors below this */
    vaddr_t user[SETS];
    uint64_t sets[SETS][SET_WORDS]; /* what is asked, then what holds */
    struct poller poller;
};

static size_t set_bytes(const struct selection *s) {
    return ALIGN_UP((size_t)s->count, 64) / 8;
}

/* What is asked of a descriptor. */
static unsigned wanted(const struct selection *s, unsigned fd) {
    unsigned events = 0;
    for (unsigned i = 0; i < SETS; i++)
        events |= s->sets[i][fd / 64] >> (fd % 64) & 1 ? set_events[i] : 0;
    return events;
}

static long select_start(struct selection *s, int count, vaddr_t r, vaddr_t w, vaddr_t x) {
    struct chunk *at = NULL;
    if (count < 0)
        return -EINVAL;
    memset(s->sets, 0, sizeof(s->sets));
    s->count = MIN((unsigned)count, fd_table_size());
    s->user[READ] = r;
    s->user[WRITE] = w;
    s->user[EXCEPT] = x;
    for (unsigned i = 0; i < SETS; i++) {
        if (s->user[i] && user_read(s->sets[i], s->user[i], set_bytes(s)) < 0)
            return -EFAULT;
    }
    for (unsigned fd = 0; fd < s->count; fd++) {
        unsigned events = wanted(s, fd);
        if (!events)
            continue;
        struct file *f = fd_get((int)fd);
        if (!f)
            return -EBADF;
        file_put(f);
        struct entry *e = entry_add(&s->poller, &at);
        if (!e)
            return -ENOMEM;
        e->fd = (int32_t)fd;
        e->events = (uint16_t)events;
    }
    return 0;
}

/* Makes the sets what holds: how many bits are set. */
static long select_result(struct selection *s) {
    struct cursor c = {0, NULL};
    long ready = 0;
    for (struct entry *e; (e = entry_next(&s->poller, &c));) {
        uint64_t bit = 1ull << (e->fd % 64);
        for (unsigned i = 0; i < SETS; i++) {
            uint64_t *word = &s->sets[i][e->fd / 64];
            if (*word & bit && e->revents & set_events[i])
                ready++;
            else
                *word &= ~bit;
        }
    }
    return ready;
}

static long select_until(int count, vaddr_t r, vaddr_t w, vaddr_t x, uint64_t deadline) {
    struct selection s;
    poller_init(&s.poller, deadline);
    long result = select_start(&s, count, r, w, x);
    if (!result)
        result = poller_wait(&s.poller);
    if (result >= 0)
        result = select_result(&s);
    poller_end(&s.poller);
    for (unsigned i = 0; i < SETS && result >= 0; i++) {
        if (s.user[i] && user_write(s.user[i], s.sets[i], set_bytes(&s)) < 0)
            return -EFAULT;
    }
    return result;
}

SYSCALL_HANDLER(select) {
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
    long result = select_until((int)a, b, c, d, deadline);
    if (e) {
        uint64_t us = left_until(deadline) / 1000;
        tv = (struct linux_timeval){(int64_t)(us / 1000000), (int64_t)(us % 1000000)};
        user_write(e, &tv, sizeof(tv));
    }
    return result;
}

SYSCALL_HANDLER(pselect6) {
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
        result = poll_mask_set(mask.set, mask.size);
    if (result)
        return result;
    result = select_until((int)a, b, c, d, deadline);
    poll_mask_back(result);
    if (e)
        time_write(e, left_until(deadline));
    return result;
}
