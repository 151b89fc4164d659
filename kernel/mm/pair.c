/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Two neighbouring frames when no range of RAM is untouched any more: looked for
 * among the free ones.
 */
#include "lib/align.h"
#include "mm/frame.h"

#define TRIES 65536u
#define SLOTS (PAGE_SIZE / sizeof(paddr_t))

static paddr_t *next_of(paddr_t frame) {
    return phys_to_virt(frame);
}

/* Takes `frame` out of the chain. */
static void unchain(paddr_t *chain, paddr_t frame) {
    while (*chain != frame)
        chain = next_of(*chain);
    *chain = *next_of(frame);
}

paddr_t frame_alloc_pair(void) {
    paddr_t table = frame_alloc_zero(), chain = 0, found = 0, frame;
    if (!table)
        return 0;
    paddr_t *seen = phys_to_virt(table); /* the latest of each slot; all of them are in the chain */
    for (unsigned i = 0; i < TRIES && !found && (frame = frame_alloc()); i++) {
        paddr_t *slot = &seen[(frame >> PAGE_SHIFT) / 2 % SLOTS], other = frame ^ PAGE_SIZE;
        if (other && *slot == other) {
            unchain(&chain, other);
            found = MIN(frame, other);
        } else {
            *slot = frame;
            *next_of(frame) = chain;
            chain = frame;
        }
    }
    while ((frame = chain)) { /* back in the order in which they came */
        chain = *next_of(frame);
        frame_free(frame);
    }
    frame_free(table);
    return found;
}
