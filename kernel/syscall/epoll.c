/* SPDX-License-Identifier: BSD-3-Clause
 *
 * epoll(7).
 *
 * An item stands for one descriptor of one file in one epoll: it is found by
 * both, and lives until it is removed or the file, not the descriptor, is
 * closed.  It watches the file's wait queue; a wake that concerns it puts it on
 * the list of what may be ready, and epoll_wait asks the file again.
 *
 * An epoll is a file that can be watched too; loops and long chains of epolls
 * are refused when they would be made.
 */
#include "lib/align.h"
#include "lib/tree.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "sched/thread.h"
#include "syscall/linux.h"
#include "syscall/poll.h"
#include "syscall/syscall.h"
#include "syscall/time.h"
#include "vfs/file.h"

#define FOREVER UINT64_MAX
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
#define PRIVATE (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)
#define WITH_EXCLUSIVE (POLLIN | POLLOUT | ALWAYS | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define ALWAYS (POLLERR | POLLHUP)
#define NESTS_MAX 4u /* epolls that watch epolls */
enum { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL, EPOLL_CTL_MOD };

struct linux_epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed)); /* on x86_64 */
_Static_assert(sizeof(struct linux_epoll_event) == 12, "struct epoll_event is an ABI");

struct epoll {
    struct wait_queue queue; /* of those who wait for events, and of what watches it */
    struct list ready;       /* items that may be ready, oldest first */
    struct list items;
    struct file *file;
};

struct epoll_item {
    struct watcher watcher;
    struct list all;   /* in items */
    struct list ready; /* in ready, or by itself */
    struct epoll *epoll;
    struct file *file; /* no reference: epoll_forget() */
    int fd;
    uint32_t events; /* none but PRIVATE ones: fired once, off until it is changed */
    uint64_t data;
    struct epoll_item *next; /* of those that watch the file */
};

/* ---- readiness ------------------------------------------------------------------------ */

static unsigned item_events(const struct epoll_item *i) {
    return i->file->ops->poll(i->file) & i->events;
}

static void make_ready(struct epoll_item *i) {
    if (!list_linked(&i->ready))
        list_push_back(&i->epoll->ready, &i->ready);
    wake_events(&i->epoll->queue, POLLIN | POLLRDNORM);
}

static void notify(struct watcher *w) {
    struct epoll_item *i = container_of(w, struct epoll_item, watcher);
    if (i->events & ~PRIVATE && watcher_concerned(w, i->events))
        make_ready(i);
}

/* Is any item ready?  Those that are not leave the list. */
static bool any_ready(struct epoll *e) {
    list_for_each_safe (node, &e->ready) {
        if (item_events(list_entry(node, struct epoll_item, ready)))
            return true;
        list_remove(node);
    }
    return false;
}

/* ---- items ----------------------------------------------------------------------------- */

static struct epoll_item *find(struct epoll *e, struct file *f, int fd) {
    struct epoll_item *i = f->watched;
    while (i && (i->epoll != e || i->fd != fd))
        i = i->next;
    return i;
}

/* Takes the item off its epoll; it is still in the file's chain. */
static void item_free(struct epoll_item *i) {
    if (i->watcher.queue)
        wait_unwatch(&i->watcher);
    list_remove(&i->all);
    list_remove(&i->ready);
    heap_free(i, sizeof *i);
}

static void item_remove(struct epoll_item *i) {
    struct epoll_item **at = &i->file->watched;
    while (*at != i)
        at = &(*at)->next;
    *at = i->next;
    item_free(i);
}

void epoll_forget(struct file *f) {
    while (f->watched) {
        struct epoll_item *i = f->watched;
        f->watched = i->next;
        item_free(i);
    }
}

static void set(struct epoll_item *i, const struct linux_epoll_event *event) {
    i->events = event->events | ALWAYS;
    i->data = event->data;
    if (item_events(i))
        make_ready(i);
}

static long item_add(struct epoll *e, struct file *f, int fd,
                     const struct linux_epoll_event *event) {
    struct epoll_item *i = heap_alloc(sizeof *i);
    if (!i)
        return -ENOMEM;
    i->epoll = e;
    i->file = f;
    i->fd = fd;
    list_init(&i->ready);
    list_push_back(&e->items, &i->all);
    i->next = f->watched;
    f->watched = i;
    struct wait_queue *q = f->ops->wait ? f->ops->wait(f) : NULL;
    if (q)
        wait_watch(q, &i->watcher, notify);
    set(i, event);
    return 0;
}

/* ---- as a file --------------------------------------------------------------------------- */

static unsigned epoll_poll(struct file *f) {
    return any_ready(f->data) ? POLLIN | POLLRDNORM : 0;
}

static struct wait_queue *epoll_queue(struct file *f) {
    return &((struct epoll *)f->data)->queue;
}

static int epoll_info(struct file *f, struct file_info *out) {
    (void)f;
    *out = (struct file_info){.mode = 0600, .links = 1};
    return 0;
}

static void epoll_close(struct file *f) {
    struct epoll *e = f->data;
    while (!list_empty(&e->items))
        item_remove(list_entry(e->items.next, struct epoll_item, all));
    heap_free(e, sizeof *e);
}

static const struct file_ops ops = {
    .info = epoll_info,
    .seek = file_seek_nowhere,
    .poll = epoll_poll,
    .wait = epoll_queue,
    .close = epoll_close,
    .name = "anon_inode:[eventpoll]",
};

static long create(uint32_t flags) {
    if (flags & ~O_CLOEXEC)
        return -EINVAL;
    struct epoll *e = heap_alloc(sizeof *e);
    struct file *f = e ? file_new(&ops, O_RDWR, e) : NULL;
    if (!f) {
        heap_free(e, sizeof *e);
        return -ENOMEM;
    }
    wait_queue_init(&e->queue, false);
    list_init(&e->ready);
    list_init(&e->items);
    e->file = f;
    int fd = fd_install(f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

SYSCALL_HANDLER(epoll_create) {
    return (int)a <= 0 ? -EINVAL : create(0);
}

SYSCALL_HANDLER(epoll_create1) {
    return create((uint32_t)a);
}

/* ---- epoll_ctl ----------------------------------------------------------------------------- */

/* The longest chain of epolls below f, f not counted; more than NESTS_MAX: too
 * long, or `into` is one of them.  Recursion ends at that depth. */
static unsigned depth_below(struct file *f, struct epoll *into, unsigned depth) {
    struct epoll *e = f->data;
    unsigned most = 0;
    if (e == into || depth > NESTS_MAX)
        return NESTS_MAX + 1;
    list_for_each (node, &e->items) {
        struct file *below = list_entry(node, struct epoll_item, all)->file;
        if (below->ops == &ops)
            most = MAX(most, depth_below(below, into, depth + 1) + 1);
        if (most > NESTS_MAX)
            break;
    }
    return most;
}

static unsigned depth_above(const struct epoll *e, unsigned depth) {
    unsigned most = 0;
    if (depth > NESTS_MAX)
        return depth;
    for (const struct epoll_item *i = e->file->watched; i; i = i->next)
        most = MAX(most, depth_above(i->epoll, depth + 1) + 1);
    return most;
}

static long control(struct epoll *e, unsigned op, int fd, struct file *f,
                    const struct linux_epoll_event *event) {
    struct epoll_item *i = find(e, f, fd);
    bool nested = f->ops == &ops;
    if (op != EPOLL_CTL_DEL && event->events & EPOLLEXCLUSIVE &&
        (op == EPOLL_CTL_MOD || nested || event->events & ~WITH_EXCLUSIVE))
        return -EINVAL;
    if (op == EPOLL_CTL_ADD && nested && depth_below(f, e, 0) + 1 + depth_above(e, 0) > NESTS_MAX)
        return -ELOOP;
    switch (op) {
    case EPOLL_CTL_ADD:
        return i ? -EEXIST : item_add(e, f, fd, event);
    case EPOLL_CTL_DEL:
        if (i)
            item_remove(i);
        return i ? 0 : -ENOENT;
    case EPOLL_CTL_MOD:
        if (i && i->events & EPOLLEXCLUSIVE)
            return -EINVAL;
        if (i)
            set(i, event);
        return i ? 0 : -ENOENT;
    default:
        return -EINVAL;
    }
}

static struct file *get(int fd) {
    struct file *f = fd_get(fd);
    if (f && f->flags & O_PATH) {
        file_put(f);
        return NULL;
    }
    return f;
}

static long control_files(int epfd, unsigned op, int fd, const struct linux_epoll_event *event) {
    struct file *epoll = get(epfd), *f = epoll ? get(fd) : NULL;
    long error = !f                                 ? -EBADF
                 : !f->ops->poll                    ? -EPERM
                 : f == epoll || epoll->ops != &ops ? -EINVAL
                                                    : control(epoll->data, op, fd, f, event);
    if (f)
        file_put(f);
    if (epoll)
        file_put(epoll);
    return error;
}

SYSCALL_HANDLER(epoll_ctl) {
    struct linux_epoll_event event = {0, 0};
    if ((int)b != EPOLL_CTL_DEL && user_read(&event, d, sizeof event))
        return -EFAULT;
    return control_files((int)a, (unsigned)b, (int)c, &event);
}

/* ---- epoll_wait ---------------------------------------------------------------------------- */

/* Tells of what is ready, at most `room` events; -EFAULT when not even one
 * could be told. */
static long collect(struct epoll *e, vaddr_t out, unsigned room) {
    struct list again = LIST_INIT(again);
    unsigned told = 0;
    long error = 0;
    while (told < room && !list_empty(&e->ready)) {
        struct epoll_item *i = list_entry(e->ready.next, struct epoll_item, ready);
        struct linux_epoll_event event = {item_events(i), i->data};
        list_remove(&i->ready);
        if (!event.events)
            continue;
        if (user_write(out + told * sizeof event, &event, sizeof event)) {
            list_push_front(&e->ready, &i->ready);
            error = -EFAULT;
            break;
        }
        told++;
        if (i->events & EPOLLONESHOT)
            i->events &= PRIVATE;
        else if (!(i->events & EPOLLET))
            list_push_back(&again, &i->ready);
    }
    for (struct list *node; (node = list_pop_front(&again));)
        list_push_back(&e->ready, node);
    return told ? (long)told : error;
}

static long wait_for_events(int fd, vaddr_t out, int room, uint64_t deadline) {
    struct file *f = get(fd);
    if (!f)
        return -EBADF;
    struct epoll *e = f->data;
    long told = room <= 0 || (size_t)room > INT32_MAX / sizeof(struct linux_epoll_event) ? -EINVAL
                : !user_range(out, (size_t)room * sizeof(struct linux_epoll_event))      ? -EFAULT
                : f->ops != &ops                                                         ? -EINVAL
                                                                                         : 0;
    while (!told) {
        told = collect(e, out, (unsigned)room);
        if (told || !deadline)
            break;
        long error = wait_on(&e->queue, deadline);
        if (error == -ETIMEDOUT)
            deadline = 0;
        else if (error)
            told = error;
    }
    file_put(f);
    return told;
}

static uint64_t deadline_in_ms(int ms) {
    return ms < 0 ? FOREVER : ms ? time_deadline((uint64_t)ms * 1000000) : 0;
}

SYSCALL_HANDLER(epoll_wait) {
    return wait_for_events((int)a, b, (int)c, deadline_in_ms((int)d));
}

SYSCALL_HANDLER(epoll_pwait) {
    long result = poll_mask_set(e, f);
    if (result)
        return result;
    result = wait_for_events((int)a, b, (int)c, deadline_in_ms((int)d));
    poll_mask_back(result);
    return result;
}

SYSCALL_HANDLER(epoll_pwait2) {
    uint64_t ns = 0;
    long result = d ? time_read(d, &ns) : 0;
    if (!result)
        result = poll_mask_set(e, f);
    if (result)
        return result;
    uint64_t deadline = !d ? FOREVER : ns ? time_deadline(ns) : 0;
    result = wait_for_events((int)a, b, (int)c, deadline);
    poll_mask_back(result);
    return result;
}
