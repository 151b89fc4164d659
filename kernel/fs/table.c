/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Directories, links and texts from tables.  See table.h.
 */
#include "fs/table.h"

#include <stdarg.h>

#include "lib/align.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/user.h"

struct node {
    struct inode inode;
    const struct table_entry *entry;
    uint64_t arg;
    char name[24];
};

static const struct inode_ops table_ops;
static const struct file_ops text_ops;

static struct node *node_of(struct inode *i) {
    return container_of(i, struct node, inode);
}

/* The same every time: the table's place and the argument. */
static uint64_t number_of(const struct table_entry *e, uint64_t arg) {
    return ((uint64_t)e >> 3 & 0xffffff) | arg << 24;
}

static struct inode *node_new(const struct table_entry *e, uint64_t arg, struct inode *parent,
                              struct name name, uint32_t device) {
    struct node *n = heap_alloc(sizeof(*n));
    if (!n)
        return NULL;
    n->inode.ops = &table_ops;
    n->inode.refs = 1;
    n->inode.mode = e->mode;
    n->inode.number = number_of(e, arg);
    n->inode.device = device;
    n->entry = e;
    n->arg = arg;
    if (parent && inode_is(&n->inode, S_IFDIR)) {
        n->inode.parent = inode_get(parent);
        n->inode.mounted = e->mounted ? *e->mounted : NULL;
        memcpy(n->name, name.text, MIN(name.length, sizeof(n->name) - 1));
        n->inode.name = n->name;
    }
    return &n->inode;
}

struct inode *table_mount(const struct table_entry *root, uint32_t device) {
    return node_new(root, 0, NULL, (struct name){NULL, 0}, device);
}

static void table_release(struct inode *i) {
    heap_free(node_of(i), sizeof(struct node));
}

/* A name that is a number without a sign or leading zeros, or -1. */
static int64_t number_in(struct name name) {
    int64_t n = 0;
    if (name.length == 0 || name.length > 10 || (name.text[0] == '0' && name.length > 1))
        return -1;
    for (size_t i = 0; i < name.length; i++) {
        if (name.text[i] < '0' || name.text[i] > '9')
            return -1;
        n = n * 10 + (name.text[i] - '0');
    }
    return n;
}

static int table_lookup(struct inode *dir, struct name name, struct inode **out) {
    struct node *d = node_of(dir);
    for (const struct table_entry *e = d->entry->children; e && e->mode; e++) {
        uint64_t arg = d->arg;
        if (e->name) {
            if (strlen(e->name) != name.length || memcmp(e->name, name.text, name.length) != 0)
                continue;
        } else {
            int64_t number = number_in(name);
            if (number < 0 || e->next(arg, number) != number)
                continue;
            arg = (uint64_t)number;
        }
        *out = node_new(e, arg, dir, name, dir->device);
        return *out ? 0 : -ENOMEM;
    }
    return -ENOENT;
}

/* A position: the entry's index, and above it the next number. */
#define POSITION(index, number) ((uint64_t)(index) | (uint64_t)(number) << 16)

static int table_list(struct inode *dir, uint64_t *pos, struct dir_sink *sink) {
    struct node *d = node_of(dir);
    const struct table_entry *children = d->entry->children;
    uint64_t index = 0; /* *pos may be anything: walk there */
    while (children[index].mode && index < (*pos & 0xffff))
        index++;
    for (; children[index].mode; *pos = POSITION(++index, 0)) {
        const struct table_entry *e = &children[index];
        if (e->name) {
            if (!sink->put(sink, (struct name){e->name, strlen(e->name)}, number_of(e, d->arg),
                           e->mode, POSITION(index + 1, 0)))
                return 0;
            continue;
        }
        int64_t n = (int64_t)(*pos >> 16);
        while ((n = e->next(d->arg, n)) >= 0) {
            char text[24];
            struct name name = {text, format(text, sizeof(text), "%lu", (unsigned long)n)};
            if (!sink->put(sink, name, number_of(e, (uint64_t)n), e->mode, POSITION(index, n + 1)))
                return 0;
            *pos = POSITION(index, ++n);
        }
    }
    return 0;
}

static long table_readlink(struct inode *i, char *buf, size_t size) {
    struct node *n = node_of(i);
    long length = n->entry->link(n->arg, buf, size);
    return length > (long)size ? (long)size : length;
}

static struct inode *table_follow(struct inode *i) {
    struct node *n = node_of(i);
    return n->entry->follow ? n->entry->follow(n->arg) : NULL;
}

static int table_info(struct inode *i, struct file_info *out) {
    const struct table_entry *e = node_of(i)->entry;
    out->rdev_major = e->major;
    out->rdev_minor = e->minor;
    out->links = inode_is(i, S_IFDIR) ? 2 : 1;
    return 0;
}

/* Nothing in a table can be changed; a truncation of what is not a file does
 * nothing, as for a device on Linux. */
static int table_change(struct inode *i, const struct inode_change *c) {
    (void)i;
    return c->set_mode || c->set_owner ? -EPERM : 0;
}

static int table_open(struct inode *i, struct file *f) {
    const struct table_entry *e = node_of(i)->entry;
    bool text = inode_is(i, S_IFREG);
    f->ops = text ? &text_ops : e->ops;
    f->data = (void *)(uintptr_t)e->data;
    return text && !e->store && (f->flags & O_ACCMODE) != O_RDONLY ? -EACCES : 0;
}

static const struct inode_ops table_ops = {
    .lookup = table_lookup,
    .list = table_list,
    .readlink = table_readlink,
    .follow = table_follow,
    .info = table_info,
    .change = table_change,
    .open = table_open,
    .release = table_release,
};

/* ---- texts ----------------------------------------------------------------- */

void text_bytes(struct text *t, const char *bytes, size_t size) {
    uint64_t start = MAX(t->at, t->from), end = MIN(t->at + size, t->to);
    if (!t->error && start < end &&
        user_write(t->buf + (start - t->from), bytes + (start - t->at), end - start) < 0) {
        t->error = -EFAULT;
        t->to = t->from; /* nothing more */
    }
    t->at += size;
}

void text_format(struct text *t, const char *fmt, ...) {
    char line[256];
    va_list args;
    va_start(args, fmt);
    size_t n = format_va(line, sizeof(line), fmt, args);
    va_end(args);
    text_bytes(t, line, MIN(n, sizeof(line) - 1));
}

void text_set(struct text *t, uint64_t set) {
    const char *comma = "";
    for (unsigned i = 0, first; i < 64; i++) {
        if (!(set >> i & 1))
            continue;
        for (first = i; i < 63 && set >> (i + 1) & 1;)
            i++;
        text_format(t, first == i ? "%s%u" : "%s%u-%u", comma, first, i);
        comma = ",";
    }
    text_bytes(t, "\n", 1);
}

static long text_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct node *n = node_of(f->inode);
    struct text t = {.from = *pos, .to = *pos + size, .buf = buf};
    if (t.to < t.from)
        return -EINVAL;
    n->entry->text(&t, n->arg);
    if (t.error)
        return t.error;
    uint64_t end = MIN(t.at, t.to);
    long done = end > t.from ? (long)(end - t.from) : 0;
    *pos += (uint64_t)done;
    return done;
}

static long text_write(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct node *n = node_of(f->inode);
    char bytes[64];
    size_t taken = MIN(size, sizeof(bytes));
    if (!n->entry->store)
        return -EINVAL;
    if (user_read(bytes, buf, taken) < 0)
        return -EFAULT;
    int error = n->entry->store(n->arg, bytes, taken);
    if (error)
        return error;
    *pos += size;
    return (long)size;
}

static int text_info(struct file *f, struct file_info *out) {
    return inode_info(f->inode, out);
}

static long text_seek(struct file *f, int64_t offset, int whence) {
    if (whence == SEEK_CUR)
        offset += (int64_t)f->pos;
    else if (whence != SEEK_SET)
        return -EINVAL; /* the end is not known */
    if (offset < 0)
        return -EINVAL;
    f->pos = (uint64_t)offset;
    return offset;
}

static const struct file_ops text_ops = {
    .read = text_read,
    .write = text_write,
    .info = text_info,
    .seek = text_seek,
};
