/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small objects: powers of two from 32 bytes to a page, a free list each, and
 * one page that objects are cut from.  Pages are not given back: that is for
 * slab.c, which takes the place of this where it is linked.
 */
#include "mm/heap.h"

#include "arch/arch.h"
#include "diag/diag.h"
#include "lib/string.h"
#include "mm/frame.h"

#define SMALLEST 5 /* log2 */
#define LARGEST PAGE_SHIFT

static void *lists[LARGEST + 1];
static char *fresh; /* cleared, never used */
static unsigned fresh_left;

static unsigned class_of(size_t size) {
    unsigned c = SMALLEST;
    while ((1ul << c) < size)
        c++;
    return c;
}

__attribute__((weak)) void *heap_alloc(size_t size) {
    assert(size <= PAGE_SIZE);
    unsigned c = class_of(size);
    void *p = lists[c];
    if (p) {
        lists[c] = *(void **)p;
        return memset(p, 0, size);
    }
    if (fresh_left < 1u << c) {
        /* What is left of the old page is smaller than this object: lost. */
        paddr_t frame = frame_alloc_zero();
        if (!frame)
            return NULL;
        fresh = phys_to_virt(frame);
        fresh_left = PAGE_SIZE;
    }
    p = fresh;
    fresh += 1u << c;
    fresh_left -= 1u << c;
    return p;
}

__attribute__((weak)) void *heap_alloc_dirty(size_t size) {
    return heap_alloc(size);
}

__attribute__((weak)) void heap_free(void *p, size_t size) {
    if (!p)
        return;
    unsigned c = class_of(size);
    *(void **)p = lists[c];
    lists[c] = p;
}
