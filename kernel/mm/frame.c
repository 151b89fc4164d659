/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames: a few that the loader cleared, ranges of RAM never used yet, taken
 * from the bottom, and a list of frames given back, linked through the frames
 * themselves.
 *
 * The pool lies next to the image, where the host's memory is present already:
 * a small program needs no other frames: RAM is looked at when they are used up,
 * and the host clears no huge page before.  With plenty of RAM, what lies below the
 * first 2 MiB border after the image is left alone: to map it page by page would
 * cost more than it is worth.
 */
#include "mm/frame.h"

#include "boot/bootinfo.h"
#include "lib/align.h"

#define RANGES (BOOT_RAM_MAX + 4)
#define PLENTY (32ul << 20)
#define LARGE (2ul << 20)
#define KEPT (4 * PAGE_SIZE) /* of the pool, for the first tables of the direct map of RAM */

extern char zero_pool_start[], zero_pool_end[];

static struct ram_range ranges[RANGES];
static unsigned range_count, range_now;
static char *zero_pool;            /* NULL: only zuk has taken of it */
static uint64_t total, free_count; /* free_count: beside the pool's */
static paddr_t free_list;          /* first word of each: the next */

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

/* Finds the ranges, once. */
static void find_ram(void) {
    if (total)
        return;
    bootinfo_find_ram();
    for (unsigned i = 0; i < bootinfo.ram_count; i++) {
        ranges[i] = bootinfo.ram[i];
        total += (ranges[i].end - ranges[i].start) / PAGE_SIZE;
    }
    range_count = bootinfo.ram_count;
    paddr_t image_end = ALIGN_UP(bootinfo.manifest->end_paddr, PAGE_SIZE);
    reserve(0, total * PAGE_SIZE < PLENTY ? PAGE_SIZE : ALIGN_UP(image_end, LARGE));
    reserve(IMAGE_KERNEL_PADDR, image_end);
    paddr_t cmdline = ALIGN_DOWN(bootinfo.cmdline_paddr, PAGE_SIZE);
    reserve(cmdline, cmdline + 2 * PAGE_SIZE);
    reserve(bootinfo.module_paddr, bootinfo.module_end);
    for (unsigned i = 0; i < range_count; i++)
        free_count += (ranges[i].end - ranges[i].start) / PAGE_SIZE;
    for (unsigned i = 0; i < range_count; i++)
        arch_map_ram(ranges[i].start, ranges[i].end);
}

#define RESERVE 12u /* device registers' tables, the channel's queues and buffers */

static unsigned reserve_opened;

void frame_reserve_open(void) {
    reserve_opened++;
}

void frame_reserve_close(void) {
    reserve_opened--;
}

bool frame_reserve_is_open(void) {
    return reserve_opened;
}

static size_t pool_left(void) {
    if (!zero_pool)
        zero_pool =
            zero_pool_start + (bootinfo.manifest->tables + bootinfo.manifest->pages) * PAGE_SIZE;
    return (size_t)(zero_pool_end - zero_pool);
}

/* From the pool; 0 when it has not that many left. */
static paddr_t pool_take(size_t count) {
    if (pool_left() < count * PAGE_SIZE + (total ? 0 : KEPT))
        return 0;
    paddr_t p = kernel_phys(zero_pool);
    zero_pool += count * PAGE_SIZE;
    return p;
}

paddr_t frame_alloc_run(size_t count) {
    paddr_t p = pool_take(count);
    if (!p)
        find_ram();
    if (!p && free_count < count + RESERVE && !reserve_opened)
        return 0;
    for (; !p && range_now < range_count; range_now++) {
        struct ram_range *r = &ranges[range_now];
        if (r->end - r->start >= count * PAGE_SIZE) {
            p = r->start;
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
    return p;
}

paddr_t frame_alloc(void) {
    paddr_t p = free_list;
    if (!p || (free_count <= RESERVE && !reserve_opened))
        return frame_alloc_run(1); /* perhaps RAM was not looked for yet */
    free_list = *(paddr_t *)phys_to_virt(p);
    free_count--;
    return p;
}

static void clear(paddr_t frame) {
    uint64_t *p = phys_to_virt(frame);
    for (unsigned i = 0; i < PAGE_SIZE / 64; i++, p += 8)
        p[0] = p[1] = p[2] = p[3] = p[4] = p[5] = p[6] = p[7] = 0;
}

paddr_t frame_alloc_zero(void) {
    paddr_t p = pool_take(1);
    if (!p && (p = frame_alloc()) != 0)
        clear(p);
    return p;
}

void frame_free(paddr_t frame) {
    *(paddr_t *)phys_to_virt(frame) = free_list;
    free_list = frame;
    free_count++;
}

uint64_t frame_total(void) {
    find_ram();
    return total;
}

uint64_t frame_free_count(void) {
    find_ram();
    return free_count + pool_left() / PAGE_SIZE;
}
