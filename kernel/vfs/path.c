/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The walk along a path (path_resolution(7)).
 *
 * One loop, no recursion: a symbolic link's text takes the place of its name,
 * in a buffer that is made when the first link is met.  The current directory
 * `at` holds a reference all the way.  Pure: also tested on the host.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "vfs/inode.h"

#define LINKS_MAX 40

struct walk {
    struct inode *root, *start;
    struct inode *at; /* directory we stand in, with a reference */
    unsigned flags;
    unsigned links;    /* followed so far */
    const char *rest;  /* what is still to walk */
    char *buf, *spare; /* FS_PATH_MAX bytes each, for links; or NULL */
};

static void move_to(struct walk *w, struct inode *dir) {
    inode_get(dir);
    inode_put(w->at);
    w->at = dir;
}

/* ".." */
static int up(struct walk *w) {
    struct inode *i = w->at;
    if (w->flags & WALK_BENEATH && i == w->start)
        return -EXDEV;
    if (i == w->root)
        return 0;
    if (i->covers && w->flags & WALK_NO_MOUNTS)
        return -EXDEV;
    while (i->covers)
        i = i->covers;
    if (i->parent)
        move_to(w, i->parent);
    return 0;
}

static int to_root(struct walk *w) {
    if (w->flags & WALK_BENEATH)
        return -EXDEV;
    move_to(w, w->root);
    return 0;
}

/* Puts a link's text before the rest. */
static int expand(struct walk *w, struct inode *link) {
    if (!w->buf && !(w->buf = heap_alloc(FS_PATH_MAX)))
        return -ENOMEM;
    if (!w->spare && !(w->spare = heap_alloc(FS_PATH_MAX)))
        return -ENOMEM;
    if (!link->ops->readlink)
        return -EINVAL;
    long n = link->ops->readlink(link, w->spare, FS_PATH_MAX);
    if (n < 0)
        return (int)n;
    if (n == 0)
        return -ENOENT;
    size_t rest = strlen(w->rest);
    if ((size_t)n + rest >= FS_PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(w->spare + n, w->rest, rest + 1);
    char *text = w->spare;
    w->spare = w->buf;
    w->buf = text;
    w->rest = text;
    return text[0] == '/' ? to_root(w) : 0;
}

/* What a name in the current directory leads to; NULL in *out: nothing. */
static int look(struct walk *w, struct name name, struct inode **out) {
    *out = NULL;
    if (!inode_is(w->at, S_IFDIR))
        return -ENOTDIR;
    if (name.length > FS_NAME_MAX)
        return -ENAMETOOLONG;
    int error = w->at->ops->lookup ? w->at->ops->lookup(w->at, name, out) : -ENOENT;
    if (error)
        return error == -ENOENT ? 0 : error;
    while ((*out)->mounted) {
        if (w->flags & WALK_NO_MOUNTS) {
            inode_put(*out);
            return -EXDEV;
        }
        struct inode *root = inode_get((*out)->mounted);
        inode_put(*out);
        *out = root;
    }
    return 0;
}

/* The next component, without the slashes before it. */
static struct name next_name(struct walk *w) {
    while (*w->rest == '/')
        w->rest++;
    struct name n = {w->rest, 0};
    while (n.text[n.length] && n.text[n.length] != '/')
        n.length++;
    w->rest += n.length;
    return n;
}

static bool only_slashes(const char *s) {
    while (*s == '/')
        s++;
    return !*s;
}

/* A link in `i`, whose reference this takes.  0: *to is set to what it leads
 * to (with a reference), or to NULL when its text is to be walked now. */
static int follow(struct walk *w, struct inode *i, struct inode **to) {
    int error = 0;
    *to = NULL;
    if (w->flags & WALK_NO_LINKS || ++w->links > LINKS_MAX)
        error = -ELOOP;
    if (!error && i->ops->follow) {
        *to = w->flags & WALK_NO_MAGIC ? ERR_PTR(-ELOOP) : i->ops->follow(i);
        if (IS_ERR(*to)) {
            error = (int)PTR_ERR(*to);
            *to = NULL;
        }
    }
    if (!error && !*to)
        error = expand(w, i);
    inode_put(i);
    return error;
}

/* The path ends in the directory itself: "/", "a/.", "..". */
static void end_in_dir(struct walk *w, enum path_last last, struct path *out) {
    out->dir = inode_get(w->at);
    out->inode = inode_get(w->at);
    out->is_name = false;
    out->last = last;
    out->length = 0;
}

static int end_in_name(struct walk *w, struct name name, struct inode *i, struct path *out) {
    if (!i && !(w->flags & WALK_NEW))
        return -ENOENT;
    if (i && out->slash && !inode_is(i, S_IFDIR) && !(w->flags & WALK_NAME)) {
        inode_put(i);
        return -ENOTDIR;
    }
    out->dir = inode_get(w->at);
    out->inode = i;
    out->is_name = true;
    out->last = LAST_NAME;
    out->length = name.length;
    memcpy(out->name, name.text, name.length);
    out->name[name.length] = 0;
    return 0;
}

static int walk(struct walk *w, struct path *out) {
    int error = 0;
    if (w->rest[0] == '/')
        error = to_root(w);
    out->slash = false;
    while (!error) {
        struct name name = next_name(w);
        bool last = only_slashes(w->rest);
        if (!inode_is(w->at, S_IFDIR))
            return -ENOTDIR;
        if (last)
            out->slash = out->slash || *w->rest || !name.length;
        if (name.length == 0) {
            end_in_dir(w, LAST_ROOT, out);
            return 0;
        }
        bool dot = name.length == 1 && name.text[0] == '.';
        bool dotdot = name.length == 2 && name.text[0] == '.' && name.text[1] == '.';
        if (dot || dotdot) {
            error = dotdot ? up(w) : 0;
            if (!error && last) {
                end_in_dir(w, dot ? LAST_DOT : LAST_DOTDOT, out);
                return 0;
            }
            continue;
        }
        if (last && out->slash && (w->flags & (WALK_NEW | WALK_NAME)) == WALK_NEW)
            return -EISDIR; /* no file can be made there */
        struct inode *i;
        error = look(w, name, &i);
        if (error)
            break;
        bool into = w->flags & WALK_FOLLOW || (out->slash && !(w->flags & WALK_NAME));
        if (i && inode_is(i, S_IFLNK) && (!last || into)) {
            error = follow(w, i, &i);
            if (error || !i)
                continue;
        }
        if (last)
            return end_in_name(w, name, i, out);
        if (!i)
            return -ENOENT;
        move_to(w, i);
        inode_put(i);
    }
    return error;
}

int path_walk(struct inode *start, const char *text, unsigned flags, struct path *out) {
    if (!text[0])
        return -ENOENT;
    struct walk w = {
        .root = flags & WALK_IN_ROOT ? start : vfs_root(),
        .start = start,
        .at = inode_get(start),
        .flags = flags,
        .rest = text,
    };
    int error = walk(&w, out);
    inode_put(w.at);
    heap_free(w.buf, FS_PATH_MAX);
    heap_free(w.spare, FS_PATH_MAX);
    return error;
}

void path_put(struct path *p) {
    inode_put(p->dir);
    inode_put(p->inode);
}

long path_text(struct inode *dir, const char *name, char *buf, size_t size) {
    size_t at = size; /* filled from the end */
    if (!size)
        return -ERANGE;
    buf[--at] = 0;
    for (;;) {
        if (name) {
            size_t n = strlen(name);
            if (n + 1 > at)
                return -ERANGE;
            at -= n;
            memcpy(buf + at, name, n);
            buf[--at] = '/';
        }
        while (dir->covers)
            dir = dir->covers;
        if (dir == vfs_root())
            break;
        name = dir->name;
        dir = dir->parent;
        if (!dir || !name)
            return -ENOENT;
    }
    if (!buf[at]) {
        if (!at)
            return -ERANGE;
        buf[--at] = '/';
    }
    memmove(buf, buf + at, size - at);
    return (long)(size - at - 1);
}
