/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The PVH boot protocol: struct hvm_start_info (Xen,
 * include/public/arch-x86/hvm/start_info.h) -> bootinfo.
 *
 * The loader's structures lie in low memory and are read where they are: the
 * memory map when somebody needs RAM; the command line is kept, in place.
 */
#include "boot/bootinfo.h"

#include "arch/arch.h"
#include "diag/diag.h"
#include "lib/align.h"

struct hvm_start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, cmdline, rsdp, memmap; /* physical addresses */
    uint32_t memmap_entries, reserved;
};

struct hvm_module {
    uint64_t paddr, size, cmdline, reserved;
};

struct hvm_memmap_entry {
    uint64_t addr, size;
    uint32_t type, reserved;
};

#define HVM_MAGIC 0x336ec578u
#define HVM_RAM 1u
#define RAM_BITS 45 /* of an address and a size: the direct map has room for 46 */

struct bootinfo bootinfo;

static bool in_reach(uint64_t addr, uint64_t size) {
    return !((addr | size) >> RAM_BITS);
}

static void add_ram(uint64_t start, uint64_t end) {
    start = ALIGN_UP(start, PAGE_SIZE);
    end = ALIGN_DOWN(end, PAGE_SIZE);
    if (start >= end || bootinfo.ram_count == BOOT_RAM_MAX)
        return;
    unsigned i = bootinfo.ram_count++;
    for (; i > 0 && bootinfo.ram[i - 1].start > start; i--)
        bootinfo.ram[i] = bootinfo.ram[i - 1];
    bootinfo.ram[i] = (struct ram_range){start, end};
}

static const struct hvm_start_info *info;

void bootinfo_find_ram(void) {
    if (info->version < 1 || info->memmap_entries > 256)
        panic("boot: the PVH start info has no list of memory, or a damaged one");
    const struct hvm_memmap_entry *map =
        arch_boot_map(info->memmap, info->memmap_entries * sizeof *map);
    for (unsigned i = 0; i < info->memmap_entries; i++) {
        if (map[i].type == HVM_RAM && in_reach(map[i].addr, map[i].size))
            add_ram(map[i].addr, map[i].addr + map[i].size);
    }
}

void boot_start(uint64_t start_info);

void boot_start(uint64_t start_info) {
    info = arch_boot_map(start_info, sizeof *info);
    if (info->magic != HVM_MAGIC)
        panic("boot: not a PVH start info");
    bootinfo.cmdline_paddr = info->cmdline;
    bootinfo.cmdline = info->cmdline ? arch_boot_map(info->cmdline, PAGE_SIZE) : "";
    if (info->module_count) {
        const struct hvm_module *module = arch_boot_map(info->modules, sizeof *module);
        if (in_reach(module->paddr, module->size)) {
            bootinfo.module_paddr = ALIGN_DOWN(module->paddr, PAGE_SIZE);
            bootinfo.module_end = ALIGN_UP(module->paddr + module->size, PAGE_SIZE);
            bootinfo.module = phys_to_virt(module->paddr);
            bootinfo.module_size = module->size;
        }
    }
    kernel_main();
}
