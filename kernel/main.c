/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The roof: what happens, in which order, from the boot protocol's last
 * instruction to the app's first.
 */
#include "abi/image.h"
#include "app/app.h"
#include "arch/arch.h"
#include "boot/bootinfo.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "mm/frame.h"

extern char kernel_end[];

/* The manifest stands right behind the kernel (abi/image.h). */
static void manifest_init(void) {
    paddr_t p = ALIGN_UP(kernel_phys(kernel_end), PAGE_SIZE);
    const struct image_manifest *m = arch_boot_map(p, sizeof *m);
    if (m->magic != IMAGE_MAGIC || m->version != IMAGE_VERSION || m->arch != arch_image)
        panic("there is no manifest behind the kernel: this is not an image that zuk made");
    /* From arch_map_ram on it is read through the direct map. */
    bootinfo.manifest = m;
}

void kernel_main(void) {
    timeline_mark("loader");
    arch_init();     /* the CPU: tables for traps, system calls, the FPU */
    manifest_init(); /* what zuk put into the image */
    timeline_mark("CPU");
    frame_init();   /* physical memory, without what the image holds */
    arch_map_ram(); /* the direct map */
    bootinfo.manifest = phys_to_virt(kernel_phys(bootinfo.manifest));
    timeline_mark("memory");
    thread_init_first(); /* this is thread 1 from here on */
    crash_init();        /* from here on a panic can be told */
    app_start();         /* load the app and enter it; devices are found when used */
}
