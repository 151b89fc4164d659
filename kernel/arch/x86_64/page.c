/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Page tables: the app's half, page by page; the direct map of RAM in the
 * largest pages; device registers.  Intel SDM volume 3, chapter 4.
 *
 * W^X holds for frames, not only for addresses: the direct map is never
 * executable, read-only over the kernel's text and the whole image, and made
 * read-only over every other frame that the app may execute.
 */
#include "abi/image.h"
#include "abi/pte.h"
#include "arch/x86_64/cpu.h"
#include "boot/bootinfo.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "mm/frame.h"

#define P PTE_X86_PRESENT
#define W PTE_X86_WRITE
#define U PTE_X86_USER
#define NOCACHE 0x18ull
#define LARGE 0x80ull
#define OWNED PTE_X86_OWNED
#define HELD PTE_X86_HELD
#define NX PTE_X86_NOEXEC
#define FRAME 0x000ffffffffff000ull

#define LARGE_2M (1ull << 21)
#define LARGE_1G (1ull << 30)

static uint64_t table_pages; /* beside those that zuk made */
static uint64_t device_next = KERNEL_MAP;

static uint64_t *table_at(uint64_t entry) {
    return phys_to_virt(entry & FRAME);
}

/* The entry that leads to a new table for va; 0 when memory is out. */
static uint64_t table_new(uint64_t va) {
    paddr_t p = frame_alloc_zero();
    if (!p)
        return 0;
    table_pages++;
    return p | P | W | (~va >> 61 & U); /* the lower half is the app's */
}

uint64_t arch_table_pages(void) {
    return bootinfo.manifest->tables + table_pages;
}

static unsigned index_of(uint64_t va, unsigned level) {
    return va >> (12 + 9 * level) & 511;
}

/* The entry for va at `level` (0: 4 KiB, 1: 2 MiB, 2: 1 GiB), making the
 * tables above it; NULL when memory is out. */
static uint64_t *entry_make(uint64_t va, unsigned level) {
    uint64_t *table = kernel_pml4;
    for (unsigned l = 3; l > level; l--) {
        uint64_t *e = &table[index_of(va, l)];
        if (!*e && !(*e = table_new(va)))
            return NULL;
        table = table_at(*e);
    }
    return &table[index_of(va, level)];
}

/* The 4 KiB entry for va, or NULL; *next is the first address worth asking
 * for after va. */
static uint64_t *entry_find(uint64_t va, uint64_t *next) {
    uint64_t *table = kernel_pml4;
    for (unsigned l = 3; l > 0; l--) {
        uint64_t e = table[index_of(va, l)];
        if (!(e & P)) {
            *next = ALIGN_DOWN(va, 1ull << (12 + 9 * l)) + (1ull << (12 + 9 * l));
            return NULL;
        }
        table = table_at(e);
    }
    *next = va + PAGE_SIZE;
    return &table[index_of(va, 0)];
}

struct stale stale;

static void forget_page(uint64_t va) {
    tlb_flush_page(va);
    if (smp_on && stale.count++ < STALE_PAGES)
        stale.pages[stale.count - 1] = va;
}

static void forget_all(void) {
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" : : : "rax", "memory");
    if (smp_on)
        stale.count = STALE_PAGES + 1;
}

void arch_pages_settle(void) {
    if (stale.count)
        smp_settle();
}

/* ---- the direct map ---- */

static bool large_1g;

static void map_direct(paddr_t p, paddr_t end, uint64_t flags) {
    while (p < end) {
        uint64_t va = DIRECT_MAP + p;
        uint64_t left = end - p, step;
        unsigned level = 0;
        if (large_1g && !(p & (LARGE_1G - 1)) && left >= LARGE_1G)
            level = 2;
        else if (!(p & (LARGE_2M - 1)) && left >= LARGE_2M)
            level = 1;
        uint64_t *e = entry_make(va, level);
        if (!e)
            panic("out of memory for the direct map");
        /* Fill this table to its end or ours. */
        step = 1ull << (12 + 9 * level);
        unsigned n = 512 - index_of(va, level);
        uint64_t value = p | flags | (level ? LARGE : 0);
        if (n > left / step)
            n = (unsigned)(left / step);
        p += n * step;
        for (; n; n--, value += step)
            *e++ = value;
    }
}

void arch_map_image(void) {
    paddr_t end = bootinfo.manifest->end_paddr;
    if (end > KERNEL_PT_END)
        map_direct(KERNEL_PT_END, ALIGN_UP(end, PAGE_SIZE), P | NX);
}

void arch_map_module(void) {
    map_direct(bootinfo.module_paddr, bootinfo.module_end, P | NX);
}

void arch_map_ram(paddr_t start, paddr_t end) {
    large_1g = cpuid(0x80000001, 0).d & 1u << 26;
    map_direct(start, end, P | W | NX);
    forget_all(); /* start.S maps low memory for reading */
}

/* Changes the rights of one frame in the direct map, splitting a large page
 * when it must. */
static int direct_protect(paddr_t frame, bool writable) {
    uint64_t va = DIRECT_MAP + frame;
    uint64_t *table = kernel_pml4;
    for (unsigned l = 3; l > 0; l--) {
        uint64_t *e = &table[index_of(va, l)];
        if (l < 3 && *e & LARGE) {
            uint64_t new = table_new(va);
            if (!new)
                return -ENOMEM;
            uint64_t *small = table_at(new);
            uint64_t step = 1ull << (12 + 9 * (l - 1));
            uint64_t value = *e & ~(l == 1 ? LARGE : 0);
            for (unsigned i = 0; i < 512; i++, value += step)
                small[i] = value;
            *e = new;
        }
        table = table_at(*e);
    }
    uint64_t *e = &table[index_of(va, 0)];
    *e = writable ? *e | W : *e & ~W;
    forget_all();
    return 0;
}

/* ---- the app's pages ---- */

static uint64_t flags_of(unsigned prot) {
    static const uint64_t flags[8] = {
        [PROT_NONE] = HELD | NX,
        [PROT_READ] = P | U | NX,
        [PROT_WRITE] = P | U | W | NX,
        [PROT_WRITE | PROT_READ] = P | U | W | NX,
        [PROT_EXEC] = P | U,
        [PROT_EXEC | PROT_READ] = P | U,
        [PROT_EXEC | PROT_WRITE] = P | U | W,
        [PROT_EXEC | PROT_WRITE | PROT_READ] = P | U | W,
    };
    return flags[prot & 7];
}

static unsigned prot_of(uint64_t e) {
    if (!(e & P))
        return PROT_NONE;
    return PROT_READ | (e & W ? PROT_WRITE : 0) | (e & NX ? 0 : PROT_EXEC);
}

static void read_entry(uint64_t e, struct page_entry *out) {
    *out = (struct page_entry){e & FRAME, prot_of(e), e & OWNED};
}

int arch_page_map(vaddr_t va, paddr_t frame, unsigned prot, bool owned) {
    uint64_t value = frame | flags_of(prot) | (owned ? OWNED : 0);
    uint64_t *e = entry_make(va, 0);
    if (!e)
        return -ENOMEM;
    if (*e)
        return -EEXIST;
    if ((value & (OWNED | NX)) == OWNED && direct_protect(value & FRAME, false))
        return -ENOMEM;
    *e = value;
    return 0;
}

bool arch_page_lookup(vaddr_t va, struct page_entry *out) {
    uint64_t next;
    uint64_t *e = entry_find(va, &next);
    if (!e || !*e)
        return false;
    read_entry(*e, out);
    return true;
}

void arch_page_walk(vaddr_t start, vaddr_t end,
                    void (*fn)(vaddr_t va, const struct page_entry *entry, void *arg), void *arg) {
    for (vaddr_t va = start, next; va < end; va = next) {
        uint64_t *e = entry_find(va, &next);
        if (e && *e) {
            struct page_entry entry;
            read_entry(*e, &entry);
            fn(va, &entry, arg);
        }
    }
}

int arch_page_protect(vaddr_t va, unsigned prot) {
    uint64_t next;
    uint64_t *e = entry_find(va, &next);
    if (!e || !*e)
        return 0;
    bool was = *e & P && !(*e & NX);
    bool will = prot & PROT_EXEC;
    if (*e & OWNED && was != will && direct_protect(*e & FRAME, !will))
        return -ENOMEM;
    *e = (*e & (FRAME | OWNED)) | flags_of(prot);
    forget_page(va);
    return 0;
}

bool arch_page_unmap(vaddr_t va, struct page_entry *out) {
    uint64_t next;
    uint64_t *e = entry_find(va, &next);
    if (!e || !*e)
        return false;
    read_entry(*e, out);
    *e = 0;
    forget_page(va);
    if (out->owned && out->prot & PROT_EXEC)
        direct_protect(out->frame, true);
    return true;
}

/* ---- tables that nothing uses any more ---- */

/* Linked through their first entries, which are not present: other CPUs may look
 * into them until they have forgotten the way. */
static paddr_t retired;

/* The table that an entry of that level leads to, and those below it. */
static void retire(uint64_t entry, unsigned level) {
    uint64_t *table = table_at(entry);
    for (unsigned i = 0; level > 1 && i < 512; i++) {
        if (table[i])
            retire(table[i], level - 1);
    }
    table[0] = retired;
    retired = entry & FRAME;
    table_pages--;
}

struct span {
    vaddr_t start, end, low, high;
};

static void retire_within(uint64_t *table, unsigned level, vaddr_t base, const struct span *s) {
    uint64_t step = 1ull << (12 + 9 * level);
    for (unsigned i = s->start > base ? (unsigned)((s->start - base) / step) : 0; i < 512; i++) {
        vaddr_t va = base + i * step;
        if (va >= s->end)
            break;
        if (!table[i])
            continue;
        if (va >= s->low && va + step <= s->high) {
            retire(table[i], level);
            table[i] = 0;
        } else if (level > 1) {
            retire_within(table_at(table[i]), level - 1, va, s);
        }
    }
}

void arch_tables_free(vaddr_t start, vaddr_t end, vaddr_t low, vaddr_t high) {
    const struct span s = {start, end, low, high};
    retire_within(kernel_pml4, 3, 0, &s);
    if (!retired)
        return;
    forget_all();
    arch_pages_settle();
    for (paddr_t p; (p = retired);) {
        retired = *table_at(p);
        frame_free(p);
    }
}

/* ---- the kernel's ---- */

void *arch_map_device(paddr_t base, size_t size) {
    paddr_t p = ALIGN_DOWN(base, PAGE_SIZE);
    uint64_t va = device_next;
    frame_reserve_open();
    for (; p < base + size; p += PAGE_SIZE, device_next += PAGE_SIZE) {
        uint64_t *e = entry_make(device_next, 0);
        if (!e)
            panic("out of memory for device registers");
        *e = p | P | W | NX | NOCACHE;
    }
    frame_reserve_close();
    return (void *)(va + (base & (PAGE_SIZE - 1)));
}

void map_low(paddr_t page, unsigned prot) {
    static uint64_t before; /* the loader's tables may lie there */
    uint64_t *low = &kernel_pt[page >> PAGE_SHIFT], *e = entry_make(page, 0);
    if (!e)
        panic("out of memory for the other CPUs");
    if (prot == PROT_WRITE) {
        before = *low;
        *low = page | P | W | NX;
    } else {
        *low = before;
    }
    *e = prot == PROT_EXEC ? page | P : 0;
    tlb_flush_page(page);
    tlb_flush_page(KERNEL_BASE + page);
}

/* Places of stacks that are gone; linked through their lowest entries, which are
 * not present, as offsets into KERNEL_MAP. */
static uint64_t free_stacks;

uint64_t map_stack(unsigned pages) {
    bool again = pages == KSTACK_PAGES && free_stacks;
    /* Below it: the guard. */
    uint64_t va = again ? KERNEL_MAP + free_stacks : device_next + PAGE_SIZE;
    for (unsigned i = 0; i < pages; i++) {
        if (!entry_make(va + i * PAGE_SIZE, 0))
            return 0; /* the tables stay, for the next time */
    }
    paddr_t frames = frame_alloc_run(pages);
    if (!frames && pages == 2 && frame_alloc_pair)
        frames = frame_alloc_pair();
    if (!frames)
        return 0;
    if (again)
        free_stacks = *entry_make(va, 0);
    else
        device_next = va + pages * PAGE_SIZE;
    for (unsigned i = 0; i < pages; i++)
        *entry_make(va + i * PAGE_SIZE, 0) = (frames + i * PAGE_SIZE) | P | W | NX;
    return va + pages * PAGE_SIZE;
}

void unmap_stack(uint64_t top) {
    uint64_t va = top - KSTACK_PAGES * PAGE_SIZE;
    paddr_t frames = arch_mapped_phys((const void *)va); /* neighbours */
    for (unsigned i = 0; i < KSTACK_PAGES; i++) {
        *entry_make(va + i * PAGE_SIZE, 0) = 0;
        forget_page(va + i * PAGE_SIZE);
    }
    arch_pages_settle();
    for (unsigned i = 0; i < KSTACK_PAGES; i++)
        frame_free(frames + i * PAGE_SIZE);
    *entry_make(va, 0) = free_stacks;
    free_stacks = va - KERNEL_MAP;
}

paddr_t arch_mapped_phys(const void *v) {
    uint64_t next;
    const uint64_t *e = entry_find((uint64_t)v, &next);
    assert(e && *e & P);
    return (*e & FRAME) + (uint64_t)v % PAGE_SIZE;
}

void *arch_boot_map(paddr_t p, size_t size) {
    if (p > IMAGE_KERNEL_PADDR - size)
        panic("boot: the loader's tables are at %lx, out of reach", p);
    return (void *)(KERNEL_BASE + p);
}
