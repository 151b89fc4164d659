/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the app begins with, as the manifest lists it, and its file as a source of
 * pages: in place for readers, copied for writers.
 *
 * At boot there are only pages, those that are touched soon; areas are made when
 * somebody looks for one (area.c), which small programs never do.
 */
#include "abi/image.h"
#include "boot/bootinfo.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/frame.h"

static paddr_t image_get(struct area_source *s, uint64_t index, enum area_use use, bool *owned) {
    (void)s;
    paddr_t page = bootinfo.manifest->app_paddr + index * PAGE_SIZE;
    *owned = use == AREA_COPY;
    if (!*owned)
        return page;
    paddr_t copy = frame_alloc();
    if (copy)
        memcpy(phys_to_virt(copy), phys_to_virt(page), PAGE_SIZE);
    return copy;
}

static void image_count(struct area_source *s) {
    (void)s;
}

static uint64_t image_size(struct area_source *s) {
    (void)s;
    return bootinfo.manifest->app_size;
}

struct area_source area_image = {image_get, image_count, image_count, image_size};

static const void *listed(uint32_t offset) {
    return (const char *)bootinfo.manifest + offset;
}

void image_areas(void) {
    static const uint8_t flags[] = {
        [IMAGE_AREA_FILE] = AREA_IMAGE,
        [IMAGE_AREA_ZERO] = AREA_IMAGE,
        [IMAGE_AREA_STACK] = AREA_STACK,
        [IMAGE_AREA_GUARD] = AREA_GUARD,
    };
    static bool done;
    const struct image_area *it = listed(bootinfo.manifest->areas);
    const struct image_area *end = listed(bootinfo.manifest->fills);
    if (done)
        return;
    done = true; /* a report of what goes wrong here looks for areas */
    for (; it < end; it++) {
        struct area *a = area_begin(it->start, it->end, it->prot, flags[it->kind]);
        if (it->kind == IMAGE_AREA_FILE) {
            a->source = &area_image;
            a->offset = it->page * PAGE_SIZE;
            if (it->zeroes)
                a->zero_from = it->end - it->zeroes;
        }
    }
}
