/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small kernel objects, 16 bytes to one page, from size classes over frames.
 * Never sleeps.  Zeroed.  NULL when memory is out.
 */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include <stddef.h>
#include <stdint.h>

void *heap_alloc(size_t size);
void *heap_alloc_dirty(size_t size);             /* not zeroed */
void heap_free(void *p, size_t size);            /* the size it was asked for; p may be NULL */
uint64_t heap_pages(void) __attribute__((weak)); /* frames that objects lie in; mm/slab.c */

#endif
