/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Neighbouring frames when no range of RAM is untouched any more: all free frames
 * are sorted, and the first run that is long enough is taken.  The others go back
 * in order, so that the next time there is little to sort.
 */
#include "mm/frame.h"

#define LEVELS 40u

static paddr_t *next_of(paddr_t frame) {
    return phys_to_virt(frame);
}

/* Two chains with the highest frame first become one. */
static paddr_t merge(paddr_t a, paddr_t b) {
    paddr_t whole = 0, *end = &whole;
    while (a && b) {
        paddr_t *from = a > b ? &a : &b;
        *end = *from;
        end = next_of(*from);
        *from = *end;
    }
    *end = a ? a : b;
    return whole;
}

/* A piece of the chain that is in order already, or in the reverse order. */
static paddr_t take_sorted(paddr_t *chain) {
    paddr_t first = *chain, last = first, next = *next_of(first);
    if (next > first) {
        for (*next_of(first) = 0; next > first; next = *chain) {
            *chain = *next_of(next);
            *next_of(next) = first;
            first = next;
        }
        return first;
    }
    for (; next && next < last; next = *next_of(next))
        last = next;
    *next_of(last) = 0;
    *chain = next;
    return first;
}

/* The highest first. */
static paddr_t sort(paddr_t chain) {
    paddr_t sorted[LEVELS] = {0}, whole = 0;
    while (chain) {
        paddr_t piece = take_sorted(&chain);
        unsigned i = 0;
        for (; i < LEVELS - 1 && sorted[i]; i++) {
            piece = merge(sorted[i], piece);
            sorted[i] = 0;
        }
        sorted[i] = merge(sorted[i], piece);
    }
    for (unsigned i = 0; i < LEVELS; i++)
        whole = merge(sorted[i], whole);
    return whole;
}

/* Takes a run out of a sorted chain: its lowest frame, or 0. */
static paddr_t take_run(paddr_t *chain, size_t count) {
    paddr_t *before = chain, last = 0;
    size_t length = 0;
    for (paddr_t *link = chain, frame; (frame = *link); link = next_of(frame)) {
        if (length && frame + PAGE_SIZE != last)
            length = 0;
        if (!length++)
            before = link;
        last = frame;
        if (length == count) {
            *before = *next_of(frame);
            return frame;
        }
    }
    return 0;
}

paddr_t frame_find_run(size_t count) {
    paddr_t found = frame_alloc_run(count), chain = 0, frame;
    if (found || frame_free_count() < count)
        return found;
    while ((frame = frame_alloc())) {
        *next_of(frame) = chain;
        chain = frame;
    }
    chain = sort(chain);
    found = take_run(&chain, count);
    while ((frame = chain)) {
        chain = *next_of(frame);
        frame_free(frame);
    }
    return found;
}
