/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small objects: powers of two from 32 bytes to a page, a free list each; a
 * page is cut when its list is empty.  Pages are not given back.
 */
#include "mm/heap.h"

#include "arch/arch.h"
#include "diag/diag.h"
#include "lib/string.h"
#include "mm/frame.h"

#define SMALLEST 5 /* log2 */
#define LARGEST PAGE_SHIFT

static void *lists[LARGEST + 1];

static unsigned class_of(size_t size) {
    unsigned c = SMALLEST;
    while ((1ul << c) < size)
        c++;
    return c;
}

void *heap_alloc(size_t size) {
    assert(size <= PAGE_SIZE);
    unsigned c = class_of(size);
    if (!lists[c]) {
        paddr_t frame = frame_alloc();
        if (!frame)
            return NULL;
        char *page = phys_to_virt(frame);
        for (size_t at = 0; at < PAGE_SIZE; at += 1ul << c) {
            *(void **)(page + at) = lists[c];
            lists[c] = page + at;
        }
    }
    void *p = lists[c];
    lists[c] = *(void **)p;
    return memset(p, 0, size);
}

void heap_free(void *p, size_t size) {
    if (!p)
        return;
    unsigned c = class_of(size);
    *(void **)p = lists[c];
    lists[c] = p;
}
