/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The roof: what happens, in which order, from the boot protocol's last
 * instruction to the app's first.
 */
#include "abi/image.h"
#include "abi/rootfs.h"
#include "app/app.h"
#include "arch/arch.h"
#include "boot/bootinfo.h"
#include "diag/diag.h"

extern char kernel_end[];

/* The manifest stands right behind the kernel, which ends with a page (abi/image.h). */
static void manifest_init(void) {
    const struct image_manifest *m = phys_to_virt(kernel_phys(kernel_end));
    if (m->magic != IMAGE_MAGIC || m->version != IMAGE_VERSION)
        panic("there is no manifest behind the kernel: this is not an image that zuk made");
    bootinfo.manifest = m;
}

/* A module that is a tree of files holds the command line's text within. */
static void module_init(void) {
    arch_map_module();
    const struct rootfs_header *h = (const void *)bootinfo.module;
    uint64_t size = bootinfo.module_size;
    if (size < sizeof *h || h->magic != ROOTFS_MAGIC)
        return;
    bool inside = h->text <= size && h->text_size <= size - h->text;
    bootinfo.files = h;
    bootinfo.files_size = size;
    bootinfo.module += inside ? h->text : 0;
    bootinfo.module_size = inside ? h->text_size : 0;
}

void kernel_main(void) {
    timeline_mark(TIMELINE_LOADER);
    manifest_init();  /* what zuk put into the image */
    arch_map_image(); /* the direct map; RAM follows when somebody needs it */
    if (bootinfo.module)
        module_init();
    timeline_mark(TIMELINE_MEMORY);
    thread_init_first(); /* this is thread 1 from here on */
    crash_init();        /* from here on a panic can be told */
    app_start();         /* load the app and enter it; devices are found when used */
}
