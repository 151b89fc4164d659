/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small kernel objects, 16 bytes to one page, from size classes over frames.
 * Never sleeps.  Zeroed.  NULL when memory is out.
 */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include <stddef.h>

void *heap_alloc(size_t size);
void heap_free(void *p, size_t size); /* the size it was asked for; p may be NULL */

#endif
