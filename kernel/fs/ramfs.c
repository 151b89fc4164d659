/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files in memory, and the root directory.
 *
 * A directory is a tree of entries by the hash of their names, which is also
 * the position that getdents gives out: entries may come and go during a
 * listing.  A file's pages hang in a radix tree of frames (fs/pages.h); the
 * program itself lies in the image and is read there.
 *
 * A run or an image may bring a tree of files (fs/rootfs.c, which is not in
 * every kernel): the base.  It is read in place; nodes are made for what is
 * looked at, and forgotten again, unless they changed.  A folder's own entries
 * lie over those of the base; one without a node hides the base's.  A file's
 * own pages lie over those of the base in the same way.
 */
#include "fs/ramfs.h"

#include "boot/bootinfo.h"
#include "clock/clock.h"
#include "fs/pages.h"
#include "fs/pipe.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/tree.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/user.h"

/* Only for what is of a base: without the option ROOTFS there is none. */
__attribute__((weak)) __typeof__(rootfs_node) rootfs_node;
__attribute__((weak)) __typeof__(rootfs_content) rootfs_content;
__attribute__((weak)) __typeof__(rootfs_next) rootfs_next;
__attribute__((weak)) __typeof__(rootfs_name) rootfs_name;
__attribute__((weak)) __typeof__(rootfs_find) rootfs_find;

#define BASE_NUMBERS 0x1000000ull /* inode numbers of what is of a base begin here */

struct node {
    struct inode inode;
    uint32_t links, uid, gid;
    uint64_t atime, mtime, ctime; /* ns since 1970; 0: when the machine started */
    uint64_t size;
    uint64_t rdev;
    struct tree entries;  /* directories */
    char *target;         /* links: `size` bytes and a NUL */
    struct pages pages;   /* files */
    const uint8_t *image; /* content that lies in the image, page-aligned, or NULL */
    uint64_t image_size;  /* bytes of it that still count */
    bool is_program;      /* nobody writes to it */
    bool linkable;        /* without a name, and may get one */
    bool kept;            /* of the base, and changed: has a reference of its own */
    struct area_source source;
    uint32_t mappings; /* areas that use the source */
    struct pipe *pipe; /* FIFOs that are open */
    uint8_t seals;     /* files without a name (ramfs_unnamed) */
    bool unnamed;
    /* Of the base: where in it, and the place among its nodes that are in use. */
    struct ramfs_base *base;
    uint32_t base_number; /* 0: not of a base */
    const struct rootfs_node *base_node;
    struct tree_node in_use;
};

struct entry {
    struct tree_node tree;
    uint64_t key;
    struct node *node; /* counted in its links, and with a reference; NULL: there is none */
    size_t length;
    char name[]; /* NUL-terminated */
};

static const struct inode_ops ops, read_only_ops;
static const struct file_ops file_ops;
static uint64_t next_number = 1;
static struct node *program;

static struct node *node_of(struct inode *i) {
    return container_of(i, struct node, inode);
}

static uint64_t entry_key(const struct tree_node *t) {
    return container_of(t, struct entry, tree)->key;
}

static uint64_t hash(struct name name) {
    return rootfs_key(name.text, name.length);
}

static size_t entry_size(size_t length) {
    return sizeof(struct entry) + length + 1;
}

static struct entry *find_key(struct node *dir, struct name name, uint64_t key) {
    struct tree_node *t = tree_at_or_after(&dir->entries, key);
    for (; t && entry_key(t) == key; t = tree_next(t)) {
        struct entry *e = container_of(t, struct entry, tree);
        if (e->length == name.length && memcmp(e->name, name.text, name.length) == 0)
            return e;
    }
    return NULL;
}

static struct entry *find(struct node *dir, struct name name) {
    return find_key(dir, name, hash(name));
}

/* ---- nodes --------------------------------------------------------------- */

/* What is of the base and changes is not forgotten when nobody looks at it. */
static void keep(struct node *n) {
    if (n->base_number && !n->kept) {
        n->kept = true;
        inode_get(&n->inode);
    }
}

static void keep_no_longer(struct node *n) {
    if (n->kept) {
        n->kept = false;
        inode_put(&n->inode);
    }
}

static void touch(struct node *n) {
    keep(n);
    n->mtime = n->ctime = clock_realtime();
}

static const struct rootfs_entry *base_find(struct node *dir, struct name name);
static void base_forget(struct node *n);
static paddr_t source_get(struct area_source *s, uint64_t index, enum area_use use, bool *owned);
static void source_ref(struct area_source *s);
static void source_unref(struct area_source *s);
static uint64_t source_size(struct area_source *s);

static struct node *node_new(uint32_t mode, uint32_t device) {
    struct node *n = heap_alloc(sizeof(*n));
    if (!n)
        return NULL;
    n->inode.ops = &ops;
    n->inode.refs = 1;
    n->inode.mode = mode;
    n->inode.number = next_number++;
    n->inode.device = device;
    n->entries = (struct tree)TREE_INIT(entry_key);
    n->source = (struct area_source){source_get, source_ref, source_unref, source_size};
    return n;
}

static void ramfs_release(struct inode *i) {
    struct node *n = node_of(i);
    pages_cut(&n->pages, 0);
    if (n->base_number)
        tree_remove(&n->base->in_use, &n->in_use);
    else if (n->target)
        heap_free(n->target, n->size + 1);
    while (n->entries.root) { /* what hid entries of the base */
        struct entry *e = container_of(n->entries.root, struct entry, tree);
        tree_remove(&n->entries, &e->tree);
        heap_free(e, entry_size(e->length));
    }
    heap_free(n, sizeof(*n));
}

/* An entry of that name without a node: the one that hides the base's, or a new
 * one; NULL: no memory. */
static struct entry *entry_new(struct node *dir, struct name name) {
    struct entry *e = find(dir, name);
    if (e && !e->node)
        return e;
    e = heap_alloc(entry_size(name.length));
    if (!e)
        return NULL;
    e->key = hash(name);
    e->length = name.length;
    memcpy(e->name, name.text, name.length);
    tree_insert(&dir->entries, &e->tree);
    keep(dir);
    return e;
}

/* Puts an entry into a directory, with a reference of the node; NULL: no memory. */
static struct entry *enter(struct node *dir, struct name name, struct node *n) {
    struct entry *e = entry_new(dir, name);
    if (!e)
        return NULL;
    e->node = n;
    inode_get(&n->inode);
    keep(n);
    n->links++;
    if (inode_is(&n->inode, S_IFDIR)) {
        n->inode.parent = inode_get(&dir->inode);
        n->inode.name = e->name;
        dir->links++;
    }
    return e;
}

/* Takes an entry out, and its references.  A directory that has another entry
 * by now (a rename) keeps that one's place; one that has none still knows what
 * its ".." is. */
static void leave(struct node *dir, struct entry *e) {
    struct node *n = e->node;
    struct name name = {e->name, e->length};
    tree_remove(&dir->entries, &e->tree);
    keep(n);
    n->links--;
    if (inode_is(&n->inode, S_IFDIR)) {
        if (n->inode.name == e->name)
            n->inode.name = NULL;
        else
            inode_put(&dir->inode);
        dir->links--;
    }
    if (!n->links) {
        keep_no_longer(n);
        if (n->base_number)
            base_forget(n);
    }
    inode_put(&n->inode);
    if (base_find(dir, name) && !find(dir, name)) {
        e->node = NULL;
        tree_insert(&dir->entries, &e->tree);
    } else {
        heap_free(e, entry_size(e->length));
    }
}

/* ---- the base ---------------------------------------------------------------- */

static uint64_t base_key(const struct tree_node *t) {
    return container_of(t, struct node, in_use)->base_number;
}

/* The node for one of the base's, with a reference; NULL: no memory, or it is
 * damaged.  Of a folder also where it stands. */
static struct node *base_get(struct ramfs_base *base, uint32_t number, struct node *dir,
                             const char *name) {
    struct tree_node *t = tree_at_or_after(&base->in_use, number);
    if (t && base_key(t) == number) {
        struct node *n = container_of(t, struct node, in_use);
        inode_get(&n->inode);
        return n;
    }
    const struct rootfs_node *from = rootfs_node(&base->tree, number);
    struct node *n = from ? node_new(from->mode, base->device) : NULL;
    if (!n)
        return NULL;
    next_number--;
    if (base->read_only)
        n->inode.ops = &read_only_ops;
    n->inode.number = BASE_NUMBERS + number;
    n->links = from->links;
    n->uid = from->uid;
    n->gid = from->gid;
    n->atime = n->mtime = n->ctime = MAX(from->mtime_ns, (uint64_t)1);
    n->base = base;
    n->base_number = number;
    n->base_node = from;
    if (inode_is(&n->inode, S_IFLNK)) {
        n->size = from->size;
        n->target = (char *)(uintptr_t)rootfs_content(&base->tree, from);
    } else if (inode_is(&n->inode, S_IFREG)) {
        n->size = n->image_size = from->size;
        n->image = rootfs_content(&base->tree, from);
    } else if (dir) {
        n->inode.parent = inode_get(&dir->inode);
        n->inode.name = name;
    }
    tree_insert(&base->in_use, &n->in_use);
    return n;
}

static struct ramfs_found *found_slot(struct ramfs_base *base, uint32_t dir, uint64_t key) {
    return &base->found[(key ^ key >> 32 ^ dir) % ARRAY_LEN(base->found)];
}

/* The node for what the base has of that name, as base_get; -ENOENT. */
static int base_look(struct node *dir, struct name name, uint64_t key, struct node **out) {
    struct ramfs_base *base = dir->base;
    struct ramfs_found *f = found_slot(base, dir->base_number, key);
    if (f->node && f->key == key && f->dir == dir->base_number && f->entry->length == name.length &&
        memcmp(rootfs_name(&base->tree, f->entry), name.text, name.length) == 0) {
        inode_get(&f->node->inode);
        *out = f->node;
        return 0;
    }
    const struct rootfs_entry *e = rootfs_find(&base->tree, dir->base_node, name.text, name.length);
    if (!e)
        return -ENOENT;
    struct node *n = base_get(base, e->node, dir, rootfs_name(&base->tree, e)), *old = f->node;
    if (!n)
        return -ENOMEM;
    inode_get(&n->inode);
    *f = (struct ramfs_found){key, dir->base_number, n, e};
    if (old)
        inode_put(&old->inode);
    *out = n;
    return 0;
}

/* The node has no name any more: nobody looks it up. */
static void base_forget(struct node *n) {
    for (unsigned i = 0; i < ARRAY_LEN(n->base->found); i++) {
        struct ramfs_found *f = &n->base->found[i];
        if (f->node == n) {
            f->node = NULL;
            inode_put(&n->inode);
        }
    }
}

/* The base's entry of that name, whatever lies over it; NULL: there is none. */
static const struct rootfs_entry *base_find(struct node *dir, struct name name) {
    return dir->base_number ? rootfs_find(&dir->base->tree, dir->base_node, name.text, name.length)
                            : NULL;
}

/* The entry of a node that the caller looked up, made if it is the base's;
 * NULL: no memory. */
static struct entry *own(struct node *dir, struct name name, struct node *n) {
    struct entry *e = find(dir, name);
    if (e || !base_find(dir, name))
        return e;
    e = entry_new(dir, name);
    if (!e)
        return NULL;
    e->node = n;
    inode_get(&n->inode);
    if (inode_is(&n->inode, S_IFDIR))
        n->inode.name = e->name;
    return e;
}

struct inode *ramfs_mount(struct ramfs_base *base, uint32_t number) {
    base->in_use = (struct tree)TREE_INIT(base_key);
    struct node *n = base_get(base, number, NULL, NULL);
    return n ? &n->inode : NULL;
}

/* ---- directories ----------------------------------------------------------- */

static int ramfs_lookup(struct inode *dir, struct name name, struct inode **out) {
    struct node *d = node_of(dir), *n;
    uint64_t key = hash(name);
    struct entry *e = find_key(d, name, key);
    if (!e && d->base_number) {
        int error = base_look(d, name, key, &n);
        if (!error)
            *out = &n->inode;
        return error;
    }
    if (!e || !e->node)
        return -ENOENT;
    *out = inode_get(&e->node->inode);
    return 0;
}

struct listed {
    struct name name;
    uint64_t key, number;
    uint32_t mode;
};

/* The first entry with a key >= key, the folder's own or the base's; false:
 * there is none. */
static bool next_entry(struct node *dir, uint64_t key, struct listed *out) {
    for (;;) {
        struct tree_node *t = tree_at_or_after(&dir->entries, key);
        const struct rootfs_entry *b =
            dir->base_number ? rootfs_next(&dir->base->tree, dir->base_node, key) : NULL;
        if (!t && !b)
            return false;
        if (!t || (b && b->key < entry_key(t))) {
            *out = (struct listed){{rootfs_name(&dir->base->tree, b), b->length},
                                   b->key,
                                   BASE_NUMBERS + b->node,
                                   rootfs_node(&dir->base->tree, b->node)->mode};
            return true;
        }
        struct entry *e = container_of(t, struct entry, tree);
        key = e->key + 1;
        if (!e->node)
            continue;
        *out = (struct listed){
            {e->name, e->length}, e->key, e->node->inode.number, e->node->inode.mode};
        return true;
    }
}

static int ramfs_list(struct inode *dir, uint64_t *pos, struct dir_sink *sink) {
    struct listed l;
    while (next_entry(node_of(dir), *pos, &l)) {
        if (!sink->put(sink, l.name, l.number, l.mode, l.key + 1))
            break;
        *pos = l.key + 1;
    }
    return 0;
}

static bool is_empty(struct node *dir) {
    struct listed l;
    return !next_entry(dir, 0, &l);
}

/* A directory that was removed takes no new entries. */
static bool is_removed(struct inode *dir) {
    return node_of(dir)->links == 0;
}

static int ramfs_create(struct inode *dir, struct name name, uint32_t mode, const char *target,
                        uint64_t rdev, struct inode **out) {
    if (is_removed(dir))
        return -ENOENT;
    struct node *n = node_new(mode, dir->device);
    if (!n)
        return -ENOMEM;
    if (target) {
        size_t length = strlen(target);
        n->target = heap_alloc(length + 1);
        if (n->target) {
            n->size = length;
            memcpy(n->target, target, length);
        }
    }
    n->rdev = rdev;
    n->links = inode_is(&n->inode, S_IFDIR); /* its own "." */
    if ((target && !n->target) || !enter(node_of(dir), name, n)) {
        inode_put(&n->inode);
        return -ENOSPC;
    }
    if (vfs_mounted) { /* what the start makes has the start's time */
        touch(n);
        n->atime = n->mtime;
        touch(node_of(dir));
    }
    *out = &n->inode;
    return 0;
}

static int make_unnamed(struct inode *dir, uint32_t mode, bool linkable, struct inode **out) {
    if (is_removed(dir))
        return -ENOENT;
    struct node *n = node_new(mode, dir->device);
    if (!n)
        return -ENOMEM;
    n->linkable = linkable;
    touch(n);
    n->atime = n->mtime;
    *out = &n->inode;
    return 0;
}

static int ramfs_link(struct inode *dir, struct name name, struct inode *target) {
    struct node *n = node_of(target);
    if (is_removed(dir) || (!n->links && !n->linkable))
        return -ENOENT;
    if (!enter(node_of(dir), name, n))
        return -ENOSPC;
    n->linkable = false;
    touch(node_of(dir));
    n->ctime = node_of(dir)->mtime;
    return 0;
}

static int ramfs_unlink(struct inode *dir, struct name name, struct inode *victim) {
    struct node *d = node_of(dir), *n = node_of(victim);
    if (inode_is(victim, S_IFDIR) && !is_empty(n))
        return -ENOTEMPTY;
    struct entry *e = own(d, name, n);
    if (!e)
        return -ENOSPC;
    if (e->node != n)
        return -ENOENT;
    n->links -= inode_is(victim, S_IFDIR);
    touch(d);
    n->ctime = d->mtime;
    leave(d, e);
    return 0;
}

static int ramfs_rename(struct inode *dir, struct name name, struct inode *moved,
                        struct inode *new_dir, struct name new_name, struct inode *victim,
                        bool exchange) {
    struct node *from = node_of(dir), *to = node_of(new_dir), *n = node_of(moved);
    if (is_removed(new_dir))
        return -ENOENT;
    if (victim && !exchange && inode_is(victim, S_IFDIR) && !is_empty(node_of(victim)))
        return -ENOTEMPTY;
    struct entry *e = own(from, name, n);
    struct entry *old = victim && e ? own(to, new_name, node_of(victim)) : NULL;
    if (!e || (victim && !old))
        return -ENOSPC;
    if (e->node != n)
        return -ENOENT;
    /* The new entries first: where memory is out, nothing has happened. */
    struct entry *placed = enter(to, new_name, n);
    if (!placed)
        return -ENOSPC;
    if (exchange && !enter(from, name, node_of(victim))) {
        leave(to, placed);
        if (inode_is(moved, S_IFDIR)) {
            inode_put(moved->parent);
            moved->parent = dir;
            moved->name = e->name;
        }
        return -ENOSPC;
    }
    touch(from);
    to->mtime = to->ctime = n->ctime = from->mtime;
    if (old) {
        node_of(victim)->ctime = from->mtime;
        if (!exchange && inode_is(victim, S_IFDIR))
            node_of(victim)->links--;
        leave(to, old);
    }
    leave(from, e);
    return 0;
}

/* ---- what a node is ---------------------------------------------------------- */

static long ramfs_readlink(struct inode *i, char *buf, size_t size) {
    struct node *n = node_of(i);
    size_t length = MIN((size_t)n->size, size);
    memcpy(buf, n->target, length);
    return (long)length;
}

static int ramfs_info(struct inode *i, struct file_info *out) {
    struct node *n = node_of(i);
    uint64_t start = 0;
    if (!n->atime || !n->mtime || !n->ctime)
        start = clock_realtime() - clock_monotonic();
    out->size = inode_is(i, S_IFDIR) ? PAGE_SIZE : n->size;
    out->blocks = (ALIGN_UP(n->image_size, PAGE_SIZE) + n->pages.frames * PAGE_SIZE) / 512;
    out->links = n->links;
    out->uid = n->uid;
    out->gid = n->gid;
    out->rdev_major = (uint32_t)(n->rdev >> 8) & 0xfff;
    out->rdev_minor = (n->rdev & 0xff) | ((n->rdev >> 12) & ~0xffu);
    out->atime_ns = n->atime ? n->atime : start;
    out->mtime_ns = n->mtime ? n->mtime : start;
    out->ctime_ns = n->ctime ? n->ctime : start;
    return 0;
}

/* Where file page `index` can be read; NULL: it is a hole. */
static const uint8_t *page_bytes(struct node *n, uint64_t index) {
    paddr_t frame = pages_find(&n->pages, index);
    if (frame)
        return phys_to_virt(frame);
    return index * PAGE_SIZE < n->image_size ? n->image + index * PAGE_SIZE : NULL;
}

/* File page `index` as a frame of the file's own; 0: no memory. */
static paddr_t page_own(struct node *n, uint64_t index) {
    paddr_t frame = pages_find(&n->pages, index);
    if (frame)
        return frame;
    frame = pages_make(&n->pages, index);
    if (frame && index * PAGE_SIZE < n->image_size) {
        memcpy(phys_to_virt(frame), n->image + index * PAGE_SIZE, PAGE_SIZE);
        if (n->mappings) /* who looks at the image sees this from now on */
            area_forget(&n->source, index, index + 1, false);
    }
    return frame;
}

static int resize(struct node *n, uint64_t size) {
    if (n->is_program)
        return -ETXTBSY;
    if ((size < n->size && n->seals & SEAL_SHRINK) || (size > n->size && n->seals & SEAL_GROW))
        return -EPERM;
    if (size > PAGES_MAX_SIZE)
        return -EFBIG;
    if (size < n->size) {
        if (size < n->image_size) {
            if (size % PAGE_SIZE && !page_own(n, size / PAGE_SIZE))
                return -ENOSPC;
            n->image_size = ALIGN_UP(size, PAGE_SIZE);
        }
        if (n->mappings)
            area_forget(&n->source, ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE, UINT64_MAX, true);
        pages_cut(&n->pages, size);
    }
    n->size = size;
    touch(n);
    return 0;
}

static int ramfs_change(struct inode *i, const struct inode_change *c) {
    struct node *n = node_of(i);
    if (c->set_mode && n->seals & SEAL_EXEC && (i->mode ^ c->mode) & 0111)
        return -EPERM;
    int error = c->set_size ? resize(n, c->size) : 0;
    if (error)
        return error;
    if (c->set_mode)
        i->mode = (i->mode & S_IFMT) | c->mode;
    if (c->set_owner) {
        n->uid = c->uid == UINT32_MAX ? n->uid : c->uid;
        n->gid = c->gid == UINT32_MAX ? n->gid : c->gid;
        if (!inode_is(i, S_IFDIR)) /* a program given away is no longer set-uid */
            i->mode &= i->mode & 010 ? ~06000u : ~04000u;
    }
    keep(n);
    n->ctime = clock_realtime();
    if (c->set_atime)
        n->atime = c->atime_ns;
    if (c->set_mtime)
        n->mtime = c->mtime_ns;
    return 0;
}

static int ramfs_open(struct inode *i, struct file *f) {
    if (inode_is(i, S_IFIFO) && pipe_open_fifo)
        return pipe_open_fifo(&node_of(i)->pipe, f);
    if (!inode_is(i, S_IFREG))
        return -ENXIO;
    if ((f->flags & O_ACCMODE) != O_RDONLY) {
        if (node_of(i)->is_program)
            return -ETXTBSY;
        if (i->ops == &read_only_ops)
            return -EROFS;
    }
    f->ops = &file_ops;
    return 0;
}

#define FS_TYPE 0x858458f6u /* Linux's ramfs */

static const struct inode_ops ops = {
    .fs_type = FS_TYPE,
    .lookup = ramfs_lookup,
    .list = ramfs_list,
    .create = ramfs_create,
    .unnamed = make_unnamed,
    .link = ramfs_link,
    .unlink = ramfs_unlink,
    .rename = ramfs_rename,
    .readlink = ramfs_readlink,
    .info = ramfs_info,
    .change = ramfs_change,
    .open = ramfs_open,
    .release = ramfs_release,
};

static const struct inode_ops read_only_ops = {
    .fs_type = FS_TYPE,
    .lookup = ramfs_lookup,
    .list = ramfs_list,
    .readlink = ramfs_readlink,
    .info = ramfs_info,
    .open = ramfs_open,
    .release = ramfs_release,
};

/* ---- open files -------------------------------------------------------------- */

static const uint8_t zeroes[PAGE_SIZE];

static long file_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct node *n = node_of(f->inode);
    size_t done = 0;
    if (*pos >= n->size)
        return 0;
    size = MIN(size, (size_t)(n->size - *pos));
    while (done < size) {
        uint64_t at = *pos + done;
        size_t in_page = at % PAGE_SIZE, part = MIN(size - done, PAGE_SIZE - in_page);
        const uint8_t *bytes = page_bytes(n, at / PAGE_SIZE);
        size_t got = user_write_some(buf + done, bytes ? bytes + in_page : zeroes, part);
        done += got;
        if (got < part)
            break;
    }
    if (!done && size)
        return -EFAULT;
    *pos += done;
    if (!(f->flags & O_NOATIME) && n->atime)
        n->atime = n->atime < n->mtime ? n->mtime : n->atime; /* as relatime has it */
    return (long)done;
}

static long file_write(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct node *n = node_of(f->inode);
    uint64_t start = f->flags & O_APPEND ? n->size : *pos;
    size_t done = 0;
    int error = 0;
    if (start >= PAGES_MAX_SIZE && size)
        return -EFBIG;
    if (size && (n->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE) ||
                 (n->seals & SEAL_GROW && start + size > n->size)))
        return -EPERM;
    size = MIN(size, (size_t)(PAGES_MAX_SIZE - start));
    while (done < size) {
        uint64_t at = start + done;
        size_t in_page = at % PAGE_SIZE, part = MIN(size - done, PAGE_SIZE - in_page);
        paddr_t frame = page_own(n, at / PAGE_SIZE);
        size_t got = 0;
        if (frame)
            got = user_read_some((uint8_t *)phys_to_virt(frame) + in_page, buf + done, part);
        done += got;
        if (got < part) {
            error = frame ? -EFAULT : -ENOSPC;
            break;
        }
    }
    if (!done)
        return error;
    if (start + done > n->size)
        n->size = start + done;
    *pos = start + done;
    touch(n);
    return (long)done;
}

/* The first place from `at` on that is data, or a hole; the size or more: none. */
static int64_t next_kind(struct node *n, int64_t at, bool data) {
    uint64_t index = (uint64_t)at / PAGE_SIZE;
    if (data && !page_bytes(n, index)) { /* behind the image's, holes are skipped */
        index = pages_next(&n->pages, index);
        return index >= n->size / PAGE_SIZE + 1 ? (int64_t)n->size : (int64_t)(index * PAGE_SIZE);
    }
    while (!data && (uint64_t)at < n->size && page_bytes(n, (uint64_t)at / PAGE_SIZE))
        at = (int64_t)ALIGN_UP((uint64_t)at + 1, PAGE_SIZE);
    return at;
}

static long file_seek(struct file *f, int64_t offset, int whence) {
    struct node *n = node_of(f->inode);
    int64_t size = (int64_t)n->size, target = offset;
    switch (whence) {
    case SEEK_CUR:
        if (__builtin_add_overflow(offset, (int64_t)f->pos, &target))
            return -EINVAL;
        break;
    case SEEK_END:
        if (__builtin_add_overflow(offset, size, &target))
            return -EINVAL;
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        if (offset < 0 || offset >= size)
            return -ENXIO;
        target = next_kind(n, offset, whence == SEEK_DATA);
        if (target >= size && whence == SEEK_DATA)
            return -ENXIO;
        target = MIN(target, size);
        break;
    }
    if (target < 0)
        return -EINVAL;
    f->pos = (uint64_t)target;
    return target;
}

static int file_stat(struct file *f, struct file_info *out) {
    return inode_info(f->inode, out);
}

static long file_readable(struct file *f) {
    struct node *n = node_of(f->inode);
    return f->pos < n->size ? (long)(n->size - f->pos) : 0;
}

static int file_truncate(struct file *f, uint64_t size) {
    return resize(node_of(f->inode), size);
}

/* Takes whole pages out, and clears what is cut of others. */
static int file_punch(struct file *f, uint64_t offset, uint64_t size) {
    struct node *n = node_of(f->inode);
    uint64_t end = MIN(offset + size, ALIGN_UP(n->size, PAGE_SIZE));
    if (n->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE))
        return -EPERM;
    for (uint64_t at = offset; at < end;) {
        size_t in_page = at % PAGE_SIZE, part = MIN((size_t)(end - at), PAGE_SIZE - in_page);
        bool whole = part == PAGE_SIZE && at >= n->image_size;
        paddr_t frame = whole || !page_bytes(n, at / PAGE_SIZE) ? 0 : page_own(n, at / PAGE_SIZE);
        if (whole) {
            if (n->mappings && page_bytes(n, at / PAGE_SIZE))
                area_forget(&n->source, at / PAGE_SIZE, at / PAGE_SIZE + 1, false);
            pages_drop(&n->pages, at / PAGE_SIZE);
        } else if (frame) {
            memset((uint8_t *)phys_to_virt(frame) + in_page, 0, part);
        } else if (page_bytes(n, at / PAGE_SIZE)) {
            return -ENOSPC;
        }
        at += part;
    }
    touch(n);
    return 0;
}

static struct area_source *file_source(struct file *f) {
    struct node *n = node_of(f->inode);
    source_ref(&n->source);
    return &n->source;
}

static const struct file_ops file_ops = {
    .read = file_read,
    .write = file_write,
    .info = file_stat,
    .seek = file_seek,
    .source = file_source,
    .readable = file_readable,
    .truncate = file_truncate,
    .punch = file_punch,
};

/* ---- files without a name ---------------------------------------------------------- */

struct inode *ramfs_unnamed(uint32_t mode, unsigned seals) {
    struct node *n = node_new(S_IFREG | mode, UNNAMED_DEVICE);
    if (!n)
        return NULL;
    n->seals = (uint8_t)seals;
    n->unnamed = true;
    touch(n);
    n->atime = n->mtime;
    return &n->inode;
}

static struct node *unnamed(const struct file *f) {
    return f->ops == &file_ops && node_of(f->inode)->unnamed ? node_of(f->inode) : NULL;
}

bool file_write_sealed(const struct file *f) {
    const struct node *n = unnamed(f);
    return n && n->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE);
}

static bool mapped_for_writing(const struct node *n) {
    for (struct area *a = n->mappings ? area_find_after(0) : NULL; a; a = area_find_after(a->end)) {
        if (a->source == &n->source && a->flags & AREA_SHARED && !(a->flags & AREA_READ_ONLY))
            return true;
    }
    return false;
}

long file_seals(struct file *f, bool add, unsigned seals) {
    struct node *n = unnamed(f);
    if (add && n && (f->flags & O_ACCMODE) == O_RDONLY)
        return -EPERM;
    if (!n || (add && seals & ~SEALS_ALL))
        return -EINVAL;
    if (!add)
        return n->seals;
    if (n->seals & SEAL_SEAL)
        return -EPERM;
    if (seals & SEAL_WRITE && !(n->seals & SEAL_WRITE) && mapped_for_writing(n))
        return -EBUSY;
    if (seals & SEAL_EXEC && n->inode.mode & 0111)
        seals |= SEAL_SHRINK | SEAL_GROW | SEAL_WRITE | SEAL_FUTURE_WRITE;
    n->seals |= (uint8_t)seals;
    return 0;
}

/* ---- mappings ------------------------------------------------------------------ */

static struct node *source_node(struct area_source *s) {
    return container_of(s, struct node, source);
}

static void source_ref(struct area_source *s) {
    struct node *n = source_node(s);
    n->mappings++;
    inode_get(&n->inode);
}

static void source_unref(struct area_source *s) {
    struct node *n = source_node(s);
    n->mappings--;
    inode_put(&n->inode);
}

static uint64_t source_size(struct area_source *s) {
    return source_node(s)->size;
}

static paddr_t source_get(struct area_source *s, uint64_t index, enum area_use use, bool *owned) {
    struct node *n = source_node(s);
    const uint8_t *bytes = page_bytes(n, index);
    size_t valid = PAGE_SIZE;
    if (n->is_program) /* behind its end the image holds what is not its own */
        valid = MIN((size_t)(n->image_size - index * PAGE_SIZE), PAGE_SIZE);
    *owned = use == AREA_COPY || valid < PAGE_SIZE;
    if (!*owned) {
        bool in_place = n->is_program || (use == AREA_LOOK && bytes);
        return in_place ? virt_to_phys(bytes) : page_own(n, index);
    }
    paddr_t frame = frame_alloc_zero();
    if (frame && bytes)
        memcpy(phys_to_virt(frame), bytes, valid);
    return frame;
}

/* ---- the root -------------------------------------------------------------------- */

const char *ramfs_program_name(void) {
    const struct image_manifest *m = bootinfo.manifest;
    const char *name = m->name ? (const char *)m + m->name : "";
    return *name ? name : "app";
}

struct inode *ramfs_program(void) {
    vfs_root();
    return program ? &program->inode : NULL;
}

static struct inode *mount_root(void) {
    const struct image_manifest *m = bootinfo.manifest;
    struct inode *base = rootfs_root ? rootfs_root() : NULL, *i;
    struct node *top = base ? node_of(base) : node_new(S_IFDIR | 0755, RAMFS_DEVICE);
    if (!top)
        return NULL;
    if (!base)
        top->links = 2;
    /* Where the files that were brought have that name, it is theirs. */
    program = node_new(S_IFREG | 0755, RAMFS_DEVICE);
    if (program) {
        const char *text = ramfs_program_name();
        struct name name = {text, strlen(text)};
        program->is_program = true;
        program->image = phys_to_virt(m->app_paddr);
        program->size = program->image_size = m->app_size;
        if (!base_find(top, name))
            enter(top, name, program);
    }
    struct name tmp = {"tmp", 3};
    if (!base_find(top, tmp) && ramfs_create(&top->inode, tmp, S_IFDIR | 01777, NULL, 0, &i) == 0)
        inode_put(i);
    return &top->inode;
}

struct inode *ramfs_shm(void) {
    struct node *top = node_new(S_IFDIR | 01777, SHM_DEVICE);
    if (!top)
        return NULL;
    top->links = 2;
    return &top->inode;
}

static const struct filesystem ramfs = {"ramfs", "/", mount_root};
FILESYSTEM(ramfs);
