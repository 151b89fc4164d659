/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Areas, in a tree by their start; pages at first touch.
 *
 * Neighbours that could be one are merged, so that programs which map page by
 * page do not end up with a tree of pages.
 */
#include "mm/area.h"

#include "diag/diag.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"

#include "abi/image.h"
#include "boot/bootinfo.h"

#define MMAP_TOP 0x7ffff7fff000ul /* new mappings go below, downwards */
#define STUB_END (IMAGE_STUB_BASE + IMAGE_STUB_MAX * PAGE_SIZE)

static uint64_t area_key(const struct tree_node *node) {
    return container_of(node, struct area, node)->start;
}

static struct tree areas = TREE_INIT(area_key);
static uint64_t owned_pages;    /* beside those that it began with */
static vaddr_t brk_now;         /* 0: where it starts */
static struct area *last_found; /* most look-ups ask for the area of the one before */

static struct area *of(struct tree_node *node) {
    return node ? container_of(node, struct area, node) : NULL;
}

/* The last that starts there or before, or NULL. */
static __attribute__((noinline)) struct area *at_or_before(vaddr_t va) {
    if (!areas.root)
        image_areas();
    return of(tree_at_or_before(&areas, va));
}

struct area *area_find(vaddr_t va) {
    struct area *a = last_found;
    if (a && va >= a->start && va < a->end)
        return a;
    a = at_or_before(va);
    if (!a || va >= a->end)
        return NULL;
    return last_found = a;
}

struct area *area_find_after(vaddr_t va) {
    struct area *a = at_or_before(va);
    if (a && va < a->end)
        return a;
    return of(a ? tree_next(&a->node) : tree_first(&areas));
}

static struct area *area_next(struct area *a) {
    return of(tree_next(&a->node));
}

bool area_covers(vaddr_t start, size_t size) {
    for (vaddr_t at = start; at < start + size;) {
        struct area *a = area_find(at);
        if (!a)
            return false;
        at = a->end;
    }
    return true;
}

/* ---- pages ---- */

uint64_t area_pages(void) {
    return bootinfo.manifest->pages + owned_pages;
}

/* Frames that no page of the app has any more, but maybe another CPU's TLB. */
static paddr_t released[64];
static unsigned released_count;

static void settle(void) {
    arch_pages_settle();
    while (released_count)
        frame_free(released[--released_count]);
}

static void release(const struct page_entry *e) {
    if (e->owned) {
        if (released_count == ARRAY_LEN(released))
            settle();
        released[released_count++] = e->frame;
        owned_pages--;
    }
}

static void drop_page(vaddr_t va, const struct page_entry *entry, void *arg) {
    (void)entry;
    (void)arg;
    struct page_entry e;
    if (arch_page_unmap(va, &e))
        release(&e);
}

static void drop_pages(vaddr_t start, vaddr_t end) {
    arch_page_walk(start, end, drop_page, NULL);
    settle();
}

struct protect {
    unsigned prot;
    bool shared;
    int error;
};

static void protect_page(vaddr_t va, const struct page_entry *e, void *arg) {
    struct protect *p = arg;
    /* A page that is not ours never becomes writable: the next touch copies. */
    if (p->prot & PROT_WRITE && !e->owned && !p->shared) {
        drop_page(va, e, NULL);
        return;
    }
    int error = arch_page_protect(va, p->prot);
    if (error)
        p->error = error;
}

/* ---- the set of areas ---- */

static struct area *area_new(vaddr_t start, vaddr_t end, const struct area *like) {
    struct area *a = heap_alloc(sizeof *a);
    if (!a)
        return NULL;
    *a = *like;
    a->start = start;
    a->end = end;
    a->offset += start - like->start;
    if (a->source)
        a->source->ref(a->source);
    tree_insert(&areas, &a->node);
    return a;
}

struct area *area_begin(vaddr_t start, vaddr_t end, unsigned prot, unsigned flags) {
    static struct area first[10]; /* cleared */
    static unsigned count;
    static struct area *last;
    assert((!last || start >= last->end) && end <= APP_END);
    struct area *a = count < ARRAY_LEN(first) ? &first[count++] : heap_alloc(sizeof *a);
    assert(a);
    a->start = start;
    a->end = end;
    a->prot = prot;
    a->flags = flags;
    a->zero_from = UINT64_MAX;
    tree_append(&areas, &a->node, last ? &last->node : NULL);
    return last = a;
}

static void area_delete(struct area *a) {
    tree_remove(&areas, &a->node);
    if (last_found == a)
        last_found = NULL;
    if (a->source)
        a->source->unref(a->source);
    heap_free(a, sizeof *a);
}

/* Makes `at` a border between areas; -ENOMEM. */
static int split(vaddr_t at) {
    struct area *a = area_find(at);
    if (!a || a->start == at)
        return 0;
    if (!area_new(at, a->end, a))
        return -ENOMEM;
    a->end = at;
    return 0;
}

/* Joins a with the area before it when nothing tells them apart. */
static struct area *merge_back(struct area *a) {
    struct area *b = of(tree_prev(&a->node));
    if (!b || b->end != a->start || b->prot != a->prot || b->flags != a->flags ||
        b->source != a->source || b->zero_from != a->zero_from ||
        (a->source && b->offset + (b->end - b->start) != a->offset))
        return a;
    b->end = a->end;
    area_delete(a);
    return b;
}

/* The same where a border may be one no more. */
static void merge_at(vaddr_t at) {
    struct area *a = area_find(at);
    if (a && a->start == at)
        merge_back(a);
}

/* No free range of 2^n pages or more lies between free_below[n] (0: unknown) and
 * MMAP_TOP: thousands of areas, such as threads' stacks, are not searched from the
 * top every time. */
static vaddr_t free_below[20];

static unsigned class_of(size_t size) {
    unsigned class = 63u - (unsigned)__builtin_clzll(size >> PAGE_SHIFT | 1);
    return MIN(class, (unsigned)ARRAY_LEN(free_below) - 1);
}

/* `at` has become free. */
static void note_hole(vaddr_t at) {
    struct area *below = at_or_before(at), *above = area_find_after(at);
    vaddr_t from = below ? below->end : 0, to = above ? MIN(above->start, MMAP_TOP) : MMAP_TOP;
    for (unsigned i = 0; from < to && i <= class_of(to - from); i++) {
        if (free_below[i] && free_below[i] < to)
            free_below[i] = to;
    }
}

static int unmap_range(vaddr_t start, vaddr_t end) {
    struct area *first = area_find_after(start);
    if (!first || first->start >= end)
        return 0;
    if (split(start) || split(end))
        return -ENOMEM;
    for (struct area *a = area_find_after(start), *next; a && a->start < end; a = next) {
        next = area_next(a);
        drop_pages(a->start, a->end);
        area_delete(a);
    }
    note_hole(start);
    return 0;
}

#define TABLES_KEPT 16u /* small programs map and unmap the same places */

/* Gives back the page tables of what was unmapped, and of the hole around it. */
static void free_tables(vaddr_t start, vaddr_t end) {
    if (arch_table_pages() <= TABLES_KEPT)
        return;
    struct area *below = at_or_before(start), *above = area_find_after(start);
    if (!above || above->start >= end)
        arch_tables_free(start, end, below ? below->end : 0, above ? above->start : APP_END);
}

static bool bad_range(vaddr_t start, size_t size) {
    return start % PAGE_SIZE || !size || start >= APP_END || size > APP_END - start;
}

static bool taken(vaddr_t start, vaddr_t end) {
    struct area *a = area_find_after(start);
    return (a && a->start < end) || (start < STUB_END && end > IMAGE_STUB_BASE) ||
           start < APP_START;
}

/* Highest free range below MMAP_TOP; 0 when there is none. */
static vaddr_t find_free(size_t size) {
    unsigned class = class_of(size);
    vaddr_t end = free_below[class] ? free_below[class] : MMAP_TOP;
    bool marked = false;
    for (struct area *a = at_or_before(end - 1); a; a = of(tree_prev(&a->node))) {
        size_t hole = a->end <= end ? end - a->end : 0;
        if (!marked && hole >= PAGE_SIZE << class) {
            free_below[class] = end;
            marked = true;
        }
        if (hole >= size)
            break;
        end = MIN(end, a->start);
    }
    if (!marked)
        free_below[class] = end;
    return end >= size + APP_START && !taken(end - size, end) ? end - size : 0;
}

long area_map(vaddr_t hint, size_t size, unsigned prot, unsigned flags, struct area_source *source,
              uint64_t offset) {
    size = ALIGN_UP(size, PAGE_SIZE);
    long error = -ENOMEM;
    vaddr_t start = ALIGN_DOWN(hint, PAGE_SIZE);
    if (flags & (AREA_FIXED | AREA_NOREPLACE)) {
        error = bad_range(hint, size) ? (hint % PAGE_SIZE ? -EINVAL : -ENOMEM)
                : flags & AREA_NOREPLACE && taken(start, start + size) ? -EEXIST
                : start < APP_START                                    ? -EPERM
                : start < STUB_END && start + size > IMAGE_STUB_BASE   ? -ENOMEM
                                                                       : 0;
        if (!error && flags & AREA_FIXED)
            error = unmap_range(start, start + size);
    } else {
        if (!start || bad_range(start, size) || taken(start, start + size))
            start = size < APP_END ? find_free(size) : 0;
        error = start ? 0 : -ENOMEM;
    }
    struct area like = {.start = start,
                        .prot = prot,
                        .flags = flags & ~(unsigned)(AREA_FIXED | AREA_NOREPLACE),
                        .source = source,
                        .offset = offset,
                        .zero_from = UINT64_MAX};
    struct area *a = error ? NULL : area_new(start, start + size, &like);
    if (source)
        source->unref(source); /* area_new took its own */
    if (!a)
        return error ? error : -ENOMEM;
    struct area *next = area_next(a);
    if (next && next->start == a->end)
        merge_back(next);
    a = merge_back(a);
    return (long)start;
}

int area_unmap(vaddr_t start, size_t size) {
    if (bad_range(start, size))
        return -EINVAL;
    vaddr_t end = start + ALIGN_UP(size, PAGE_SIZE);
    int error = unmap_range(start, end);
    if (!error)
        free_tables(start, end);
    return error;
}

int area_protect(vaddr_t start, size_t size, unsigned prot) {
    size = ALIGN_UP(size, PAGE_SIZE);
    if (!size)
        return 0;
    if (start % PAGE_SIZE || start >= APP_END)
        return -ENOMEM;
    bool beyond = size > APP_END - start; /* told after what there is */
    vaddr_t end = beyond ? APP_END : start + size;
    if (split(start) || split(end))
        return -ENOMEM;
    int error = 0;
    struct area *a = area_find(start);
    vaddr_t at = start; /* as far as there is no hole, it is done */
    for (; a && a->start == at && at < end; a = area_next(a)) {
        if (prot & PROT_WRITE && a->flags & AREA_READ_ONLY) {
            error = -EACCES;
            break;
        }
        struct protect p = {prot, a->flags & AREA_SHARED, 0};
        at = a->end;
        a->prot = prot;
        arch_page_walk(a->start, a->end, protect_page, &p);
        settle();
        if (p.error)
            error = p.error;
        a = merge_back(a);
    }
    merge_at(start);
    merge_at(end);
    return error != -EACCES && (at < end || beyond) ? -ENOMEM : error;
}

void area_discard(vaddr_t start, size_t size) {
    vaddr_t end = start + size;
    for (struct area *a = area_find_after(start); a && a->start < end; a = area_next(a)) {
        if (!(a->flags & AREA_SHARED) || a->source) /* else these are the memory itself */
            drop_pages(MAX(a->start, start), MIN(a->end, end));
    }
}

struct move {
    vaddr_t from, to;
    int error;
};

static void move_page(vaddr_t va, const struct page_entry *entry, void *arg) {
    (void)entry;
    struct move *m = arg;
    struct page_entry e;
    if (m->error || !arch_page_unmap(va, &e))
        return;
    m->error = arch_page_map(va - m->from + m->to, e.frame, e.prot, e.owned);
    if (m->error) /* back to where it was: the tables are there */
        arch_page_map(va, e.frame, e.prot, e.owned);
}

long area_remap(vaddr_t old, size_t old_size, size_t new_size, bool may_move, bool fixed,
                vaddr_t target) {
    old_size = ALIGN_UP(old_size, PAGE_SIZE);
    new_size = ALIGN_UP(new_size, PAGE_SIZE);
    if (old % PAGE_SIZE || !new_size || new_size > APP_END)
        return -EINVAL;
    if (fixed &&
        (bad_range(target, new_size) || (target < old + old_size && old < target + new_size)))
        return -EINVAL;
    struct area *a = area_find(old);
    if (!a)
        return -EFAULT;
    if (fixed && new_size < old_size && bad_range(old + new_size, old_size - new_size))
        return -EINVAL;
    if (!old_size)
        return -EINVAL;
    if (!fixed && new_size <= old_size) {
        int error = new_size < old_size ? area_unmap(old + new_size, old_size - new_size) : 0;
        return error ? error : (long)old;
    }
    if (MIN(old_size, new_size) > a->end - old)
        return -EFAULT;
    if (fixed && target < APP_START)
        return -EPERM;
    if (!fixed && a->end == old + old_size && !bad_range(old, new_size) &&
        !taken(a->end, old + new_size)) {
        struct area like = *a;
        struct area *tail = area_new(a->end, old + new_size, &like);
        if (!tail)
            return -ENOMEM;
        merge_back(tail);
        merge_at(old + new_size);
        return (long)old;
    }
    if (!may_move && !fixed)
        return -ENOMEM;
    if (new_size < old_size) {
        int error = area_unmap(old + new_size, old_size - new_size);
        if (error)
            return error;
        old_size = new_size;
    }
    if (split(old) || split(old + old_size))
        return -ENOMEM;
    a = area_find(old);
    if (a->source)
        a->source->ref(a->source);
    long to = area_map(target, new_size, a->prot, a->flags | (fixed ? AREA_FIXED : 0), a->source,
                       a->offset);
    if (to < 0)
        return to;
    a = area_find(old); /* a merge may have moved it */
    area_find((vaddr_t)to)->zero_from =
        a->zero_from == UINT64_MAX ? UINT64_MAX : a->zero_from - old + (vaddr_t)to;
    struct move m = {old, (vaddr_t)to, 0};
    arch_page_walk(old, old + old_size, move_page, &m);
    if (m.error) { /* no memory for tables: all goes back */
        struct move back = {(vaddr_t)to, old, 0};
        arch_page_walk((vaddr_t)to, (vaddr_t)to + old_size, move_page, &back);
        unmap_range((vaddr_t)to, (vaddr_t)to + new_size);
        return m.error;
    }
    unmap_range(old, old + old_size);
    free_tables(old, old + old_size);
    return to;
}

long area_brk(vaddr_t brk) {
    vaddr_t brk_start = bootinfo.manifest->brk;
    if (!brk_now)
        brk_now = brk_start;
    vaddr_t from = ALIGN_UP(brk_now, PAGE_SIZE), to = ALIGN_UP(brk, PAGE_SIZE);
    if (brk < brk_start || brk > APP_END)
        return (long)brk_now;
    if (to > from) {
        if (taken(from, to) ||
            area_map(from, to - from, PROT_READ | PROT_WRITE, AREA_HEAP | AREA_FIXED, NULL, 0) < 0)
            return (long)brk_now;
    } else if (to < from && area_unmap(to, from - to)) {
        return (long)brk_now;
    }
    return (long)(brk_now = brk);
}

/* ---- faults ---- */

/* Private pages are copied when they are written; the executable's, which
 * mostly are, at the first touch: one fault, not two. */
static enum area_use use_of(const struct area *a, vaddr_t va, unsigned access) {
    if (a->flags & AREA_SHARED)
        return a->flags & AREA_READ_ONLY ? AREA_LOOK : AREA_SHARE;
    if (a->flags & AREA_IMAGE)
        access = a->prot;
    return access & PROT_WRITE || a->zero_from < va + PAGE_SIZE ? AREA_COPY : AREA_LOOK;
}

/* A page of a source for the area, ready to map. */
static int source_page(struct area *a, vaddr_t va, unsigned access, struct page_entry *out) {
    struct area_source *s = a->source;
    uint64_t offset = a->offset + (va - a->start);
    enum area_use use = use_of(a, va, access);
    if (offset >= ALIGN_UP(s->size(s), PAGE_SIZE))
        return -EIO;
    out->frame = s->get(s, offset >> PAGE_SHIFT, use, &out->owned);
    if (!out->frame)
        return -ENOMEM;
    if (use == AREA_LOOK && !out->owned)
        out->prot &= ~PROT_WRITE;
    if (use == AREA_COPY && a->zero_from < va + PAGE_SIZE) {
        vaddr_t from = a->zero_from > va ? a->zero_from : va;
        memset((char *)phys_to_virt(out->frame) + (from - va), 0, va + PAGE_SIZE - from);
    }
    return 0;
}

/* The area of a page that may be touched so, or NULL. */
static struct area *area_allows(vaddr_t va, unsigned access) {
    struct area *a = area_find(va);
    unsigned need = access == PROT_READ ? PROT_READ | PROT_WRITE | PROT_EXEC : access;
    return a && a->prot & need ? a : NULL;
}

static int bring(struct area *a, vaddr_t va, unsigned access) {
    struct page_entry e = {.owned = true, .prot = a->prot};
    if (a->source) {
        int error = source_page(a, va, access, &e);
        if (error)
            return error;
    } else {
        e.frame = frame_alloc_zero();
        if (!e.frame)
            return -ENOMEM;
    }
    int error = arch_page_map(va, e.frame, e.prot, e.owned);
    if (!error)
        owned_pages += e.owned;
    else if (e.owned)
        frame_free(e.frame);
    return error;
}

int area_fault_absent(vaddr_t va, unsigned access) {
    struct area *a = area_allows(va, access);
    int error = a ? bring(a, ALIGN_DOWN(va, PAGE_SIZE), access) : -EFAULT;
    return error == -EEXIST ? area_fault(va, access) : error;
}

int area_fault(vaddr_t va, unsigned access) {
    struct area *a = area_allows(va, access);
    if (!a)
        return -EFAULT;
    va = ALIGN_DOWN(va, PAGE_SIZE);
    struct page_entry e;
    if (arch_page_lookup(va, &e)) {
        if (!(access & ~e.prot))
            return 0;
        if (e.owned)
            return -EFAULT;
        arch_page_unmap(va, &e); /* a file's page that is to be copied now */
    }
    return bring(a, va, access);
}
