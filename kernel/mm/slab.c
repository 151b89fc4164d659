/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The heap of programs that make many objects of a kind, in place of heap.c's
 * simpler one: a frame whose objects are all free is given back.
 *
 * Each frame holds objects of one size behind a header; those that have room
 * are in a list by size.  Objects larger than a quarter of a frame have no
 * header: two of a half share a frame, the largest have one of their own.  A few
 * of those are kept: a call that gives memory back needs them for its path.
 */
#include "mm/heap.h"

#include "arch/arch.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "lib/list.h"
#include "lib/string.h"
#include "mm/frame.h"

#define SMALLEST 5 /* log2 */
#define HALF (PAGE_SIZE / 2)
#define CLASSES (PAGE_SHIFT - 1 - SMALLEST) /* below a half */
#define NEIGHBOURS 16
#define KEPT 4

struct slab {
    struct list node; /* in `partial`, while there is room */
    void *free;       /* objects given back, linked through their first word */
    uint16_t used;    /* objects that are taken */
    uint16_t fresh;   /* offset of the first that never was; PAGE_SIZE: none */
    uint8_t class;
};
_Static_assert(sizeof(struct slab) == 1 << SMALLEST, "objects begin at a multiple of the smallest");

static struct list partial[CLASSES]; /* zero: never used */
static struct list halves;           /* free ones, the latest first; zero: never used */
static void *kept[KEPT];
static unsigned kept_count;
static uint64_t pages;

uint64_t heap_pages(void) {
    return pages;
}

static unsigned class_of(size_t size) {
    unsigned c = 0;
    while ((1ul << (c + SMALLEST)) < size)
        c++;
    return c;
}

static void *page_take(void) {
    paddr_t frame = frame_alloc();
    pages += frame != 0;
    return frame ? phys_to_virt(frame) : NULL;
}

static void page_give(void *page) {
    pages--;
    frame_free(virt_to_phys(page));
}

static struct list *ready(struct list *l) {
    if (!l->next)
        list_init(l);
    return l;
}

static bool has_room(const struct slab *s) {
    return s->free || s->fresh + (1u << (s->class + SMALLEST)) <= PAGE_SIZE;
}

static void *small_alloc(unsigned class) {
    struct list *l = ready(&partial[class]);
    struct slab *s = list_empty(l) ? page_take() : list_entry(l->next, struct slab, node);
    if (!s)
        return NULL;
    if (list_empty(l)) {
        *s = (struct slab){.fresh = sizeof *s, .class = (uint8_t) class};
        list_push_front(l, &s->node);
    }
    void *p = s->free;
    if (p) {
        s->free = *(void **)p;
    } else {
        p = (char *)s + s->fresh;
        s->fresh = (uint16_t)(s->fresh + (1u << (class + SMALLEST)));
    }
    s->used++;
    if (!has_room(s))
        list_remove(&s->node);
    return p;
}

static void small_free(void *p) {
    struct slab *s = (struct slab *)ALIGN_DOWN((uintptr_t)p, PAGE_SIZE);
    assert(s->used && s->class < CLASSES);
    bool listed = has_room(s);
    *(void **)p = s->free;
    s->free = p;
    if (--s->used) {
        if (!listed)
            list_push_front(&partial[s->class], &s->node);
        return;
    }
    if (listed)
        list_remove(&s->node);
    page_give(s);
}

static void *half_alloc(void) {
    struct list *node = list_pop_front(ready(&halves));
    char *p = node ? (char *)node : page_take();
    if (p && !node)
        list_push_front(&halves, (struct list *)(p + HALF));
    return p;
}

/* The other half is looked for among the latest: most are freed in the order in
 * which they were made. */
static void half_free(void *p) {
    struct list *other = (struct list *)((uintptr_t)p ^ HALF);
    unsigned looks = 0;
    list_for_each (node, ready(&halves)) {
        if (node == other) {
            list_remove(other);
            page_give((void *)ALIGN_DOWN((uintptr_t)p, PAGE_SIZE));
            return;
        }
        if (++looks == NEIGHBOURS)
            break;
    }
    list_push_front(&halves, p);
}

static void *whole_alloc(void) {
    return kept_count ? kept[--kept_count] : page_take();
}

static void whole_free(void *p) {
    if (kept_count < KEPT)
        kept[kept_count++] = p;
    else
        page_give(p);
}

void *heap_alloc_dirty(size_t size) {
    assert(size <= PAGE_SIZE);
    return size <= HALF / 2 ? small_alloc(class_of(size))
           : size <= HALF   ? half_alloc()
                            : whole_alloc();
}

void *heap_alloc(size_t size) {
    void *p = heap_alloc_dirty(size);
    return p ? memset(p, 0, size) : NULL;
}

void heap_free(void *p, size_t size) {
    if (!p || (uintptr_t)p >= KERNEL_BASE) /* some begin in the kernel's own memory */
        return;
    if (size <= HALF / 2)
        small_free(p);
    else if (size <= HALF)
        half_free(p);
    else
        whole_free(p);
}
