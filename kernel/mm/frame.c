/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames: ranges of RAM never used yet, taken from the bottom, and a list of
 * frames given back, linked through the frames themselves.
 */
#include "mm/frame.h"

#include "boot/bootinfo.h"
#include "lib/align.h"
#include "lib/string.h"

#define RANGES (BOOT_RAM_MAX + 4)

static struct ram_range ranges[RANGES];
static unsigned range_count, range_now;
static uint64_t total, free_count;
static paddr_t free_list; /* first word of each: the next */

/* Takes [start, end) out of the ranges. */
static void reserve(uint64_t start, uint64_t end) {
    for (unsigned i = 0; i < range_count; i++) {
        struct ram_range *r = &ranges[i];
        if (start >= r->end || end <= r->start)
            continue;
        if (start > r->start && end < r->end && range_count < RANGES) {
            for (unsigned j = range_count++; j > i; j--)
                ranges[j] = ranges[j - 1];
            ranges[i].end = start;
            ranges[i + 1].start = end;
        } else if (start > r->start) {
            r->end = start;
        } else {
            r->start = end < r->end ? end : r->end;
        }
    }
}

void frame_init(void) {
    for (unsigned i = 0; i < bootinfo.ram_count; i++) {
        ranges[i] = bootinfo.ram[i];
        total += (ranges[i].end - ranges[i].start) / PAGE_SIZE;
    }
    range_count = bootinfo.ram_count;
    reserve(0, PAGE_SIZE);
    reserve(IMAGE_KERNEL_PADDR, ALIGN_UP(bootinfo.manifest->end_paddr, PAGE_SIZE));
    reserve(bootinfo.cmdline_paddr, bootinfo.cmdline_end);
    reserve(bootinfo.module_paddr, bootinfo.module_end);
    for (unsigned i = 0; i < range_count; i++)
        free_count += (ranges[i].end - ranges[i].start) / PAGE_SIZE;
}

paddr_t frame_alloc_run(size_t count) {
    for (; range_now < range_count; range_now++) {
        struct ram_range *r = &ranges[range_now];
        if (r->end - r->start >= count * PAGE_SIZE) {
            paddr_t p = r->start;
            r->start += count * PAGE_SIZE;
            free_count -= count;
            return p;
        }
        /* A run does not fit: its neighbours still serve single frames. */
        while (r->start < r->end) {
            frame_free(r->start);
            free_count--;
            r->start += PAGE_SIZE;
        }
    }
    return 0;
}

paddr_t frame_alloc(void) {
    paddr_t p = free_list;
    if (!p)
        return frame_alloc_run(1);
    free_list = *(paddr_t *)phys_to_virt(p);
    free_count--;
    return p;
}

paddr_t frame_alloc_zero(void) {
    paddr_t p = frame_alloc();
    if (p)
        memset(phys_to_virt(p), 0, PAGE_SIZE);
    return p;
}

void frame_free(paddr_t frame) {
    *(paddr_t *)phys_to_virt(frame) = free_list;
    free_list = frame;
    free_count++;
}

uint64_t frame_total(void) {
    return total;
}

uint64_t frame_free_count(void) {
    return free_count;
}
