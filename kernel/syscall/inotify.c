/* SPDX-License-Identifier: BSD-3-Clause
 *
 * inotify(7).
 *
 * A watch is of an inode, and keeps it.  A directory's watch also tells of the
 * files in it: those that are opened are found by the path that they were opened
 * with.
 */
#include "lib/align.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "sched/thread.h"
#include "syscall/linux.h"
#include "syscall/path.h"
#include "syscall/syscall.h"
#include "vfs/notify.h"

#define IN_ALL 0xfffu
#define IN_UNMOUNT 0x2000u
#define IN_Q_OVERFLOW 0x4000u
#define IN_IGNORED 0x8000u
#define IN_ONLYDIR 0x01000000u
#define IN_DONT_FOLLOW 0x02000000u
#define IN_EXCL_UNLINK 0x04000000u
#define IN_MASK_CREATE 0x10000000u
#define IN_MASK_ADD 0x20000000u
#define IN_ISDIR 0x40000000u
#define IN_ONESHOT 0x80000000u
#define EVENTS_MAX 16384u /* fs.inotify.max_queued_events */
#define NAMES                                                                                      \
    (NOTIFY_CREATE | NOTIFY_DELETE | NOTIFY_MOVED_FROM | NOTIFY_MOVED_TO) /* of a directory's own  \
                                                                           */
#define SELF (NOTIFY_DELETE_SELF | NOTIFY_MOVE_SELF)

struct linux_inotify_event {
    int32_t wd;
    uint32_t mask, cookie, size; /* of the name, with its NULs */
};

struct event {
    struct list node;
    struct linux_inotify_event e;
    size_t length; /* of name */
    char name[];
};

struct inotify {
    struct wait_queue queue;
    struct list events; /* not read yet */
    uint32_t count;
    int32_t last; /* watch descriptor */
};

struct watch {
    struct list node; /* among all */
    struct inotify *owner;
    struct inode *inode; /* with a reference */
    uint32_t mask;
    int32_t wd;
};

static struct list watches = LIST_INIT(watches);

/* ---- events -------------------------------------------------------------------------------- */

static size_t event_size(size_t length) {
    return sizeof(struct event) + length + 1;
}

static void drop(struct inotify *n, struct event *e) {
    list_remove(&e->node);
    n->count--;
    heap_free(e, event_size(e->length));
}

static bool same(const struct event *e, int32_t wd, uint32_t mask, uint32_t cookie,
                 struct name name) {
    return e->e.wd == wd && e->e.mask == mask && e->e.cookie == cookie &&
           e->length == name.length && memcmp(e->name, name.text, name.length) == 0;
}

static void queue(struct inotify *n, int32_t wd, uint32_t mask, uint32_t cookie, struct name name) {
    struct list *last = list_last(&n->events);
    if (n->count > EVENTS_MAX)
        return;
    if (n->count == EVENTS_MAX) {
        wd = -1;
        mask = IN_Q_OVERFLOW;
        cookie = 0;
        name.length = 0;
    }
    /* What was just told is not told again. */
    if (last && same(list_entry(last, struct event, node), wd, mask, cookie, name))
        return;
    struct event *e = heap_alloc(event_size(name.length));
    if (!e)
        return;
    e->length = name.length;
    if (name.length)
        memcpy(e->name, name.text, name.length);
    size_t room = name.length ? ALIGN_UP(name.length + 1, sizeof e->e) : 0;
    e->e = (struct linux_inotify_event){wd, mask, cookie, (uint32_t)room};
    list_push_back(&n->events, &e->node);
    n->count++;
    wake_events(&n->queue, POLLIN | POLLRDNORM);
}

static void watch_free(struct watch *w) {
    list_remove(&w->node);
    inode_put(w->inode);
    heap_free(w, sizeof *w);
}

static const struct name nameless = {NULL, 0};

static void ignore(struct watch *w) {
    queue(w->owner, w->wd, IN_IGNORED, 0, nameless);
    watch_free(w);
}

/* Tells the watches of one inode. */
static void tell(const struct inode *i, uint32_t what, uint32_t cookie, struct name name,
                 bool dir) {
    list_for_each_safe (node, &watches) {
        struct watch *w = list_entry(node, struct watch, node);
        if (w->inode != i || !(w->mask & what))
            continue;
        queue(w->owner, w->wd, what | (dir ? IN_ISDIR : 0), cookie, name);
        if (w->mask & IN_ONESHOT)
            ignore(w);
    }
}

void notify_name(struct inode *dir, struct name name, struct inode *i, uint32_t what,
                 uint32_t cookie) {
    if (list_empty(&watches))
        return;
    bool is_dir = i && inode_is(i, S_IFDIR);
    if (dir && !(what & SELF))
        tell(dir, what, cookie, name, is_dir);
    if (i && !(what & NAMES))
        tell(i, what, cookie, nameless, is_dir && !(what & SELF));
}

/* Does the path lie right in that directory? *name is what it is called there. */
static bool lies_in(const char *path, struct inode *dir, char *text, struct name *name) {
    long n = path_text(dir, NULL, text, FS_PATH_MAX);
    if (n < 0)
        return false;
    n = n == 1 ? 0 : n; /* the root */
    if (strncmp(path, text, (size_t)n) != 0 || path[n] != '/' || !path[n + 1])
        return false;
    *name = (struct name){path + n + 1, strlen(path + n + 1)};
    return !memchr(name->text, '/', name->length);
}

void notify_file(const struct file *f, uint32_t what) {
    if (list_empty(&watches) || !f->inode || f->flags & O_PATH)
        return;
    bool is_dir = inode_is(f->inode, S_IFDIR);
    char *text = f->path ? heap_alloc(FS_PATH_MAX) : NULL;
    struct name name;
    list_for_each_safe (node, &watches) {
        struct watch *w = list_entry(node, struct watch, node);
        if (text && w->mask & what && inode_is(w->inode, S_IFDIR) && w->inode != f->inode &&
            lies_in(f->path, w->inode, text, &name)) {
            queue(w->owner, w->wd, what | (is_dir ? IN_ISDIR : 0), 0, name);
            if (w->mask & IN_ONESHOT)
                ignore(w);
        }
    }
    heap_free(text, FS_PATH_MAX);
    tell(f->inode, what, 0, nameless, is_dir);
    if (what & (NOTIFY_CLOSE_WRITE | NOTIFY_CLOSE_NOWRITE))
        notify_unlinked(f->inode, 1);
}

/* Nothing leads to it any more, and nobody else has it: it is deleted. */
void notify_unlinked(struct inode *i, uint32_t held) {
    struct file_info info;
    list_for_each (node, &watches)
        held += list_entry(node, struct watch, node)->inode == i;
    bool gone = inode_is(i, S_IFDIR) ? inode_is_removed(i) : !inode_info(i, &info) && !info.links;
    if (list_empty(&watches) || !gone || i->refs > held)
        return;
    tell(i, NOTIFY_DELETE_SELF, 0, nameless, false);
    list_for_each_safe (node, &watches) {
        struct watch *w = list_entry(node, struct watch, node);
        if (w->inode == i)
            ignore(w);
    }
}

uint32_t notify_cookie(void) {
    static uint32_t last;
    return ++last;
}

/* ---- as a file --------------------------------------------------------------------------------
 */

/* Writes one event; -EFAULT. */
static int give(vaddr_t to, const struct event *e) {
    if (user_write(to, &e->e, sizeof e->e) || user_write(to + sizeof e->e, e->name, e->length))
        return -EFAULT;
    return user_clear(to + sizeof e->e + e->length, e->e.size - e->length);
}

static long inotify_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct inotify *n = f->data;
    size_t done = 0;
    (void)pos;
    while (list_empty(&n->events)) {
        int error = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(&n->queue, UINT64_MAX);
        if (error)
            return error;
    }
    for (struct list *node; (node = list_first(&n->events));) {
        struct event *e = list_entry(node, struct event, node);
        if (size - done < sizeof e->e + e->e.size)
            return done ? (long)done : -EINVAL;
        if (give(buf + done, e))
            return done ? (long)done : -EFAULT;
        done += sizeof e->e + e->e.size;
        drop(n, e);
    }
    return (long)done;
}

static long inotify_readable(struct file *f) {
    const struct inotify *n = f->data;
    long sum = 0;
    list_for_each (node, &n->events) {
        const struct event *e = list_entry(node, struct event, node);
        sum += (long)(sizeof e->e + e->e.size);
    }
    return sum;
}

static unsigned inotify_poll(struct file *f) {
    return list_empty(&((struct inotify *)f->data)->events) ? 0 : POLLIN | POLLRDNORM;
}

static struct wait_queue *inotify_wait(struct file *f) {
    return &((struct inotify *)f->data)->queue;
}

static int inotify_info(struct file *f, struct file_info *out) {
    (void)f;
    *out = (struct file_info){.mode = 0600, .links = 1};
    return 0;
}

static void inotify_close(struct file *f) {
    struct inotify *n = f->data;
    list_for_each_safe (node, &watches) {
        struct watch *w = list_entry(node, struct watch, node);
        if (w->owner == n)
            watch_free(w);
    }
    for (struct list *node; (node = list_first(&n->events));)
        drop(n, list_entry(node, struct event, node));
    heap_free(n, sizeof *n);
}

static const struct file_ops ops = {
    .read = inotify_read,
    .info = inotify_info,
    .seek = file_seek_nowhere,
    .poll = inotify_poll,
    .wait = inotify_wait,
    .readable = inotify_readable,
    .close = inotify_close,
    .name = "anon_inode:inotify",
};

/* ---- calls --------------------------------------------------------------------------------------
 */

static long create(uint32_t flags) {
    if (flags & ~(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    struct inotify *n = heap_alloc(sizeof *n);
    struct file *f = n ? file_new(&ops, O_RDONLY | (flags & O_NONBLOCK), n) : NULL;
    if (!f) {
        heap_free(n, sizeof *n);
        return -ENOMEM;
    }
    wait_queue_init(&n->queue, false);
    list_init(&n->events);
    int fd = fd_install(f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

SYSCALL_HANDLER(inotify_init) {
    return create(0);
}

SYSCALL_HANDLER(inotify_init1) {
    return create((uint32_t)a);
}

/* The inotify of a descriptor, with a reference to its file. */
static long get(int fd, struct file **f) {
    *f = fd_get(fd);
    if (!*f)
        return -EBADF;
    if ((*f)->ops == &ops)
        return 0;
    file_put(*f);
    return -EINVAL;
}

static long watch_inode(struct inotify *n, struct inode *i, uint32_t mask) {
    uint32_t keep = mask & (IN_ALL | IN_ONESHOT | IN_EXCL_UNLINK);
    list_for_each (node, &watches) {
        struct watch *w = list_entry(node, struct watch, node);
        if (w->owner != n || w->inode != i)
            continue;
        if (mask & IN_MASK_CREATE)
            return -EEXIST;
        w->mask = mask & IN_MASK_ADD ? w->mask | keep : keep;
        return w->wd;
    }
    struct watch *w = heap_alloc(sizeof *w);
    if (!w)
        return -ENOMEM;
    w->owner = n;
    w->inode = inode_get(i);
    w->mask = keep;
    w->wd = ++n->last;
    list_push_back(&watches, &w->node);
    return w->wd;
}

SYSCALL_HANDLER(inotify_add_watch) {
    uint32_t mask = (uint32_t)c;
    struct file *file;
    struct inode *i;
    if (!(mask & (IN_ALL | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED)))
        return -EINVAL;
    if (mask & IN_MASK_ADD && mask & IN_MASK_CREATE) {
        file = fd_get((int)a);
        if (file)
            file_put(file);
        return file ? -EINVAL : -EBADF;
    }
    long result = get((int)a, &file);
    if (result)
        return result;
    result = inode_at(AT_FDCWD, b, mask & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &i);
    if (!result) {
        result = mask & IN_ONLYDIR && !inode_is(i, S_IFDIR) ? -ENOTDIR
                                                            : watch_inode(file->data, i, mask);
        inode_put(i);
    }
    file_put(file);
    return result;
}

SYSCALL_HANDLER(inotify_rm_watch) {
    struct file *file;
    long result = get((int)a, &file);
    if (result)
        return result;
    result = -EINVAL;
    list_for_each_safe (node, &watches) {
        struct watch *w = list_entry(node, struct watch, node);
        if (w->owner == file->data && w->wd == (int)b) {
            ignore(w);
            result = 0;
        }
    }
    file_put(file);
    return result;
}
