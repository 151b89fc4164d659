/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Physical page frames.  Never sleeps.  A frame has one owner; there is no
 * per-frame metadata: free frames hold the free list themselves.
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include <stdbool.h>

#include "arch/arch.h"
#include "boot/bootinfo.h"

paddr_t frame_alloc(void);      /* contents undefined; 0 when none is left */
paddr_t frame_alloc_zero(void); /* cleared; 0 when none is left */
void frame_free(paddr_t frame);
uint64_t frame_total(void); /* frames of RAM, the image's and unused odd ends included */
uint64_t frame_free_count(void);

/* The last few frames are for what the kernel cannot do without: devices, the
 * mounts, reports.  Others are refused them, but between these two calls, which
 * may be nested. */
void frame_reserve_open(void);
void frame_reserve_close(void);
bool frame_reserve_is_open(void);

/* `count` neighbouring frames, for what devices see; 0 when there is no such
 * run.  Given back one by one with frame_free. */
paddr_t frame_alloc_run(size_t count);
/* The same, also when all RAM has been in use: then it takes its time; mm/run.c. */
paddr_t frame_find_run(size_t count);
/* Two of them, also when they have to be looked for; mm/pair.c. */
paddr_t frame_alloc_pair(void) __attribute__((weak));

#endif
