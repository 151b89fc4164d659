/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The pages of a file in memory: a radix tree of frames, as high as the
 * largest page number needs; a one-page file is that page alone.
 */
#ifndef FS_PAGES_H
#define FS_PAGES_H

#include "arch/arch.h"

struct pages {
    paddr_t root; /* a frame of content (height 0) or of a node; 0: none */
    unsigned height;
    uint64_t frames; /* of content */
};
#define PAGES_MAX_SIZE ((uint64_t)INT64_MAX)

paddr_t pages_find(const struct pages *p, uint64_t index); /* 0: a hole */
/* The first page from `index` on that is no hole; UINT64_MAX: there is none. */
uint64_t pages_next(const struct pages *p, uint64_t index);
paddr_t pages_make(struct pages *p, uint64_t index); /* cleared when new; 0: no memory */
void pages_drop(struct pages *p, uint64_t index);    /* a hole from now on */
/* Gives back what lies behind `size` bytes and clears the rest of the page
 * that `size` cuts; the number of content frames given back. */
uint64_t pages_cut(struct pages *p, uint64_t size);
/* Clears what lies behind `size` and keeps the frames. */
void pages_clear(struct pages *p, uint64_t size);

#endif
