/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See page_table.h.  The kernel takes over what is made here as if it had done
 * so itself (kernel/arch/x86_64/page.c).
 */
#include "zuk/page_table.h"

#include <sys/mman.h>

#include "abi/pte.h"

enum {
    LEVELS = 4,
    PAGES_SOON = 8, /* of a read-only area: cheaper now than as faults */
};

struct builder {
    struct page_table *out;
    uint64_t pool; /* physical address */
    struct {
        unsigned level;
        uint64_t prefix, paddr;
    } tables[IMAGE_POOL_LINKED];
};

/* A page of the pool; 0 when zuk's share is used up. */
static uint64_t pool_take(struct builder *b) {
    unsigned used = b->out->tables + b->out->pages;
    return used < IMAGE_POOL_LINKED ? b->pool + (uint64_t)used * IMAGE_PAGE : 0;
}

/* Stores a word; one that goes on where the last ones end becomes theirs. */
static void fill(struct page_table *t, uint64_t at, uint64_t value) {
    struct image_fill *last = t->fills.len == 0 ? NULL : &t->fills.data[t->fills.len - 1];
    if (last != NULL && last->at + last->count * sizeof(uint64_t) == at &&
        last->value + (uint64_t)last->count * IMAGE_PAGE == value) {
        last->count++;
    } else {
        *vec_push(&t->fills) = (struct image_fill){value, (uint32_t)at, 1};
    }
}

/* Where the last entry for an address is, tables above it made; 0: no room. */
static uint64_t entry_for(struct builder *b, uint64_t address) {
    uint64_t table = b->pool - IMAGE_PAGE;
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t prefix = address >> (12 + 9 * level);
        unsigned i = 0;
        while (i < b->out->tables &&
               (b->tables[i].level != level || b->tables[i].prefix != prefix)) {
            i++;
        }
        if (i == b->out->tables) {
            uint64_t page = pool_take(b);
            if (page == 0) {
                return 0;
            }
            b->out->tables++;
            b->tables[i].level = level;
            b->tables[i].prefix = prefix;
            b->tables[i].paddr = page;
            fill(b->out, table + (prefix & 511) * sizeof(uint64_t), page | PTE_X86_TABLE);
        }
        table = b->tables[i].paddr;
    }
    return table + (address >> 12 & 511) * sizeof(uint64_t);
}

static uint64_t flags_of(const struct image_area *a) {
    return PTE_X86_PRESENT | PTE_X86_USER |
           (a->prot & PROT_WRITE ? PTE_X86_WRITE | PTE_X86_OWNED : 0) |
           (a->prot & PROT_EXEC ? 0 : PTE_X86_NOEXEC);
}

/* A page of the app's own, with `size` bytes from `from` at its beginning. */
static void own_page(struct builder *b, const struct image_area *a, uint64_t address, uint64_t from,
                     uint64_t size) {
    uint64_t entry = entry_for(b, address), page = pool_take(b);
    if (entry == 0 || page == 0) {
        return;
    }
    b->out->pages++;
    fill(b->out, entry, page | flags_of(a));
    if (size > 0) {
        *vec_push(&b->out->copies) = (struct image_copy){
            (uint32_t)from, (uint32_t)page, (uint32_t)(size < IMAGE_PAGE ? size : IMAGE_PAGE)};
    }
}

void page_table_make(struct page_table *t, const struct image_area *areas, size_t count,
                     uint64_t app_paddr, uint64_t pool_paddr) {
    *t = (struct page_table){0};
    struct builder b = {.out = t, .pool = pool_paddr};
    for (size_t i = 0; i < count; i++) {
        const struct image_area *a = &areas[i];
        uint64_t at = a->start, from = app_paddr + (uint64_t)a->page * IMAGE_PAGE;
        if ((a->prot & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC) || a->prot == 0) {
            continue; /* its frames' other rights change too: the kernel's business */
        }
        if (a->kind == IMAGE_AREA_STACK) {
            own_page(&b, a, a->end - IMAGE_PAGE, 0, 0);
        } else if (a->kind == IMAGE_AREA_FILE && a->prot & PROT_WRITE) {
            own_page(&b, a, at, from, a->end - at - a->zeroes);
        } else if (a->kind == IMAGE_AREA_FILE && a->zeroes == 0) {
            for (unsigned n = 0; n < PAGES_SOON && at < a->end; n++) {
                uint64_t entry = entry_for(&b, at);
                if (entry != 0) {
                    fill(t, entry, from | flags_of(a));
                }
                at += IMAGE_PAGE;
                from += IMAGE_PAGE;
            }
        }
    }
}
