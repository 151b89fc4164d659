/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Locks on files: a list at the inode, in no order; whoever waits looks again
 * when any lock goes.
 */
#include "vfs/lock.h"

#include "lib/align.h"
#include "lib/errno.h"
#include "mm/heap.h"
#include "sched/thread.h"
#include "vfs/inode.h"

struct lock {
    struct lock *next;
    struct file *owner; /* NULL: the process */
    struct lock_request r;
};

static WAIT_QUEUE(changed);

static struct file *owner_of(struct file *f, enum lock_kind kind) {
    return kind == LOCK_PROCESS ? NULL : f;
}

static bool same_owner(const struct lock *l, struct file *f, enum lock_kind kind) {
    return l->r.kind == kind && l->owner == owner_of(f, kind);
}

static bool overlaps(const struct lock_request *a, const struct lock_request *b) {
    return a->start <= b->end && b->start <= a->end;
}

static bool in_the_way(const struct lock *l, struct file *f, const struct lock_request *r) {
    return (l->r.kind == LOCK_WHOLE) == (r->kind == LOCK_WHOLE) && !same_owner(l, f, r->kind) &&
           (l->r.type == LOCK_ALONE || r->type == LOCK_ALONE) && overlaps(&l->r, r);
}

bool lock_test(struct file *f, const struct lock_request *r, struct lock_request *who) {
    bool found = false; /* the first in the file is told */
    for (const struct lock *l = f->inode ? f->inode->locks : NULL; l; l = l->next) {
        if (r->type != LOCK_NONE && in_the_way(l, f, r) && (!found || l->r.start < who->start)) {
            *who = l->r;
            found = true;
        }
    }
    return found;
}

static void add(struct inode *i, struct lock *l) {
    l->next = i->locks;
    i->locks = l;
}

/* Takes the range away from the owner's locks; one in whose middle it lies
 * becomes two, for which `*spare` is used. */
static void cut(struct file *f, const struct lock_request *r, struct lock **spare) {
    struct lock **at = &f->inode->locks;
    for (struct lock *l; (l = *at);) {
        if (!same_owner(l, f, r->kind) || !overlaps(&l->r, r)) {
            at = &l->next;
            continue;
        }
        bool before = l->r.start<r->start, behind = l->r.end> r->end;
        if (before && behind) {
            **spare = *l;
            (*spare)->r.start = r->end + 1;
            l->r.end = r->start - 1;
            add(f->inode, *spare);
            *spare = NULL;
            return;
        }
        if (before) {
            l->r.end = r->start - 1;
        } else if (behind) {
            l->r.start = r->end + 1;
        } else {
            *at = l->next;
            heap_free(l, sizeof *l);
            continue;
        }
        at = &l->next;
    }
}

/* Neighbours of one owner and type become one. */
static void join(struct file *f, struct lock *l) {
    struct lock **at = &f->inode->locks;
    for (struct lock *o; (o = *at);) {
        bool near = o->r.start <= l->r.end + 1 && l->r.start <= o->r.end + 1;
        if (o == l || o->r.type != l->r.type || !same_owner(o, f, l->r.kind) || !near) {
            at = &o->next;
            continue;
        }
        l->r.start = MIN(l->r.start, o->r.start);
        l->r.end = MAX(l->r.end, o->r.end);
        *at = o->next;
        heap_free(o, sizeof *o);
    }
}

/* flock gives up what it has before it asks for the other kind. */
static void give_up_other(struct file *f, const struct lock_request *r) {
    for (const struct lock *l = f->inode->locks; l; l = l->next) {
        if (same_owner(l, f, LOCK_WHOLE) && l->r.type != r->type) {
            struct lock *none = NULL;
            cut(f, r, &none);
            wake_all(&changed);
            return;
        }
    }
}

int lock_set(struct file *f, const struct lock_request *r, bool wait) {
    struct lock_request who;
    if (!f->inode)
        return 0;
    struct lock *l = heap_alloc(sizeof *l), *spare = heap_alloc(sizeof *spare);
    int error = l && spare ? 0 : -ENOLCK;
    if (!error && r->kind == LOCK_WHOLE && r->type != LOCK_NONE)
        give_up_other(f, r);
    while (!error && lock_test(f, r, &who))
        error = wait ? wait_on(&changed, UINT64_MAX) : -EAGAIN;
    if (!error) {
        cut(f, r, &spare);
        if (r->type != LOCK_NONE) {
            *l = (struct lock){.owner = owner_of(f, r->kind), .r = *r};
            add(f->inode, l);
            join(f, l);
            l = NULL;
        }
        wake_all(&changed);
    }
    heap_free(l, sizeof *l);
    heap_free(spare, sizeof *spare);
    return error;
}

static void clear(struct file *f, enum lock_kind kind) {
    struct lock *none = NULL;
    const struct lock_request all = {kind, LOCK_NONE, 0, LOCK_END};
    cut(f, &all, &none);
}

void lock_closed(struct file *f, bool last) {
    if (!f->inode || !f->inode->locks)
        return;
    if (last) {
        clear(f, LOCK_FILE);
        clear(f, LOCK_WHOLE);
    } else {
        clear(f, LOCK_PROCESS);
    }
    wake_all(&changed);
}
