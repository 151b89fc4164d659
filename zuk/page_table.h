/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Page tables linked in advance: the pages that an app touches first are mapped
 * by storing a few words (abi/image.h) before it starts, not by faults.
 */
#ifndef ZUK_PAGE_TABLE_H
#define ZUK_PAGE_TABLE_H

#include "abi/image.h"
#include "zuk/util.h"

struct page_table {
    VEC(struct image_fill) fills;
    VEC(struct image_copy) copies;
    uint16_t tables, pages; /* of the pool: used as tables; the app's own */
};

/* For x86_64: areas with the app's file at app_paddr, tables in the pool at
 * pool_paddr, behind the top-level one.  How many of each depends on the areas
 * alone.  What does not fit the pool is left to faults. */
void page_table_make(struct page_table *t, const struct image_area *areas, size_t count,
                     uint64_t app_paddr, uint64_t pool_paddr);

#endif
