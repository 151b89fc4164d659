/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A radix tree of frames.  Nodes are frames of 512 physical addresses.
 */
#include "fs/pages.h"

#include "lib/string.h"
#include "mm/frame.h"

#define BITS 9
#define FANOUT (1u << BITS)

static bool in_reach(const struct pages *p, uint64_t index) {
    return index >> (BITS * p->height) == 0;
}

static unsigned slot_of(uint64_t index, unsigned level) {
    return (unsigned)(index >> (BITS * (level - 1))) % FANOUT;
}

paddr_t pages_find(const struct pages *p, uint64_t index) {
    paddr_t at = p->root;
    if (!in_reach(p, index))
        return 0;
    for (unsigned level = p->height; at && level; level--)
        at = ((paddr_t *)phys_to_virt(at))[slot_of(index, level)];
    return at;
}

/* The same in the subtree at `at`, which covers pages from `base`. */
static uint64_t next_in(paddr_t at, unsigned level, uint64_t base, uint64_t index) {
    if (level == 0)
        return base >= index ? base : UINT64_MAX;
    const paddr_t *slots = phys_to_virt(at);
    uint64_t span = UINT64_C(1) << (BITS * (level - 1));
    for (unsigned i = 0; i < FANOUT; i++) {
        uint64_t start = base + i * span, found = UINT64_MAX;
        if (slots[i] && start + span > index)
            found = next_in(slots[i], level - 1, start, index);
        if (found != UINT64_MAX)
            return found;
    }
    return UINT64_MAX;
}

uint64_t pages_next(const struct pages *p, uint64_t index) {
    return p->root ? next_in(p->root, p->height, 0, index) : UINT64_MAX;
}

/* One more level on top. */
static bool grow(struct pages *p) {
    if (p->root) {
        paddr_t node = frame_alloc_zero();
        if (!node)
            return false;
        *(paddr_t *)phys_to_virt(node) = p->root;
        p->root = node;
    }
    p->height++;
    return true;
}

paddr_t pages_make(struct pages *p, uint64_t index) {
    while (!in_reach(p, index)) {
        if (!grow(p))
            return 0;
    }
    paddr_t *at = &p->root;
    for (unsigned level = p->height;; level--) {
        if (!*at) {
            *at = frame_alloc_zero();
            if (!*at)
                return 0;
            p->frames += level == 0;
        }
        if (level == 0)
            return *at;
        at = &((paddr_t *)phys_to_virt(*at))[slot_of(index, level)];
    }
}

void pages_drop(struct pages *p, uint64_t index) {
    paddr_t *at = &p->root;
    if (!in_reach(p, index))
        return;
    for (unsigned level = p->height; *at && level; level--)
        at = &((paddr_t *)phys_to_virt(*at))[slot_of(index, level)];
    if (*at) {
        frame_free(*at);
        *at = 0;
        p->frames--;
    }
}

/* Visits content from page `from` on in the subtree at `at`, which covers
 * pages from `base`; frees or clears it.  True: the subtree is gone. */
static bool sweep(struct pages *p, paddr_t at, unsigned level, uint64_t base, uint64_t from,
                  bool keep) {
    if (level == 0) {
        if (base < from)
            return false;
        if (keep) {
            memset(phys_to_virt(at), 0, PAGE_SIZE);
            return false;
        }
        p->frames--;
        frame_free(at);
        return true;
    }
    paddr_t *slots = phys_to_virt(at);
    uint64_t span = UINT64_C(1) << (BITS * (level - 1));
    bool empty = true;
    for (unsigned i = 0; i < FANOUT; i++) {
        uint64_t start = base + i * span;
        if (slots[i] && start + span > from && sweep(p, slots[i], level - 1, start, from, keep))
            slots[i] = 0;
        empty = empty && !slots[i];
    }
    if (empty && !keep)
        frame_free(at);
    return empty && !keep;
}

static void clear_tail(struct pages *p, uint64_t size) {
    paddr_t last = size % PAGE_SIZE ? pages_find(p, size / PAGE_SIZE) : 0;
    if (last)
        memset((uint8_t *)phys_to_virt(last) + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
}

uint64_t pages_cut(struct pages *p, uint64_t size) {
    uint64_t before = p->frames, from = (size + PAGE_SIZE - 1) / PAGE_SIZE;
    clear_tail(p, size);
    if (p->root && sweep(p, p->root, p->height, 0, from, false)) {
        p->root = 0;
        p->height = 0;
    }
    return before - p->frames;
}

void pages_clear(struct pages *p, uint64_t size) {
    clear_tail(p, size);
    if (p->root)
        sweep(p, p->root, p->height, 0, (size + PAGE_SIZE - 1) / PAGE_SIZE, true);
}
