/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the boot protocol told us, in our own words.  Filled once by
 * boot/<protocol>.c before anything else runs; constant afterwards.
 */
#ifndef BOOT_BOOTINFO_H
#define BOOT_BOOTINFO_H

#include <stddef.h>
#include <stdint.h>

#include "abi/image.h"

#define BOOT_RAM_MAX 16

struct ram_range {
    uint64_t start, end; /* physical, page-aligned inwards, end exclusive */
};

struct bootinfo {
    struct ram_range ram[BOOT_RAM_MAX]; /* sorted, disjoint; the image, modules and page 0 included;
                                         none before bootinfo_find_ram */
    unsigned ram_count;
    const char *cmdline;    /* NUL-terminated, kernel virtual address, never NULL */
    uint64_t cmdline_paddr; /* it ends in the next frame at the latest */
    const char *module;     /* more command line text, or NULL */
    size_t module_size;
    uint64_t module_paddr, module_end; /* physical, 0 when there is none */
    const void *files;                 /* the run's tree of files (abi/rootfs.h), or NULL */
    uint64_t files_size;
    const struct image_manifest *manifest;
};

extern struct bootinfo bootinfo;

/* Fills in the ranges of RAM; once, before a frame of it is handed out. */
void bootinfo_find_ram(void);

/* Called by boot/<protocol>.c, which arch/<a>/start.S calls: the roof. */
void kernel_main(void); /* does not return */

#endif
