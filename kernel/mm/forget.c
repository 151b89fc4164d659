/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Takes pages of a source out of the areas that show them, because the source
 * has others now, or none.
 */
#include "lib/align.h"
#include "mm/area.h"

struct forget {
    bool copies;
};

static void forget_page(vaddr_t va, const struct page_entry *entry, void *arg) {
    const struct forget *f = arg;
    if (f->copies || !entry->owned)
        area_discard(va, PAGE_SIZE);
}

void area_forget(struct area_source *source, uint64_t from, uint64_t to, bool copies) {
    struct forget f = {copies};
    for (struct area *a = area_find_after(0); a; a = area_find_after(a->end)) {
        uint64_t first = a->offset >> PAGE_SHIFT, count = (a->end - a->start) >> PAGE_SHIFT;
        if (a->source != source || to <= first || from >= first + count)
            continue;
        vaddr_t start = a->start + ((from > first ? from - first : 0) << PAGE_SHIFT);
        vaddr_t end = a->start + (MIN(to - first, count) << PAGE_SHIFT);
        arch_page_walk(start, end, forget_page, &f);
    }
}
