/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The app's file as a source of pages: in place for readers, copied for
 * writers.
 */
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
