/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/page_table.c: what it stores is followed as a CPU would (Intel SDM volume 3,
 * 4.5), for areas of every kind, and until the pool is used up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "abi/pte.h"
#include "zuk/page_table.h"

#define POOL 0x200000u /* physical address; the top-level table stands before it */
#define APP 0x300000u
#define FRAME UINT64_C(0xffffffffff000)

/* Table and pool, as the kernel finds them. */
static uint64_t memory[1 + IMAGE_POOL_PAGES][512];

static void store(const struct page_table *t) {
    memset(memory, 0, sizeof memory);
    for (size_t i = 0; i < t->fills.len; i++) {
        const struct image_fill *f = &t->fills.data[i];
        assert_true(f->count > 0 && f->at % 8 == 0);
        for (uint32_t n = 0; n < f->count; n++) {
            uint64_t at = f->at + n * 8u - (POOL - IMAGE_PAGE);
            assert_true(at < sizeof memory);
            uint64_t *entry = &memory[at / IMAGE_PAGE][at % IMAGE_PAGE / 8];
            assert_int_equal(*entry, 0); /* nothing is stored twice */
            *entry = f->value + (uint64_t)n * IMAGE_PAGE;
        }
    }
}

/* The last entry for an address; 0: nothing is mapped there. */
static uint64_t entry_of(uint64_t address) {
    uint64_t at = POOL - IMAGE_PAGE;
    for (int shift = 39; shift > 12; shift -= 9) {
        uint64_t entry = memory[(at - (POOL - IMAGE_PAGE)) / IMAGE_PAGE][address >> shift & 511];
        if (entry == 0) {
            return 0;
        }
        assert_int_equal(entry % IMAGE_PAGE, PTE_X86_TABLE);
        at = entry & -(uint64_t)IMAGE_PAGE;
        assert_true(at >= POOL && at < POOL + IMAGE_POOL_LINKED * IMAGE_PAGE);
    }
    return memory[(at - (POOL - IMAGE_PAGE)) / IMAGE_PAGE][address >> 12 & 511];
}

static bool in_pool(uint64_t entry) {
    uint64_t frame = entry & FRAME;
    return frame >= POOL && frame < POOL + IMAGE_POOL_LINKED * IMAGE_PAGE;
}

static void test_kinds(void **state) {
    (void)state;
    const struct image_area areas[] = {
        {0x400000, 0x402000, 0, 0, PROT_READ, IMAGE_AREA_FILE},
        {0x402000, 0x420000, 2, 0, PROT_READ | PROT_EXEC, IMAGE_AREA_FILE},
        {0x420000, 0x421000, 32, 0x300, PROT_READ | PROT_WRITE, IMAGE_AREA_FILE},
        {0x421000, 0x430000, 0, 0, PROT_READ | PROT_WRITE, IMAGE_AREA_ZERO},
        {0x430000, 0x431000, 33, 0x10, PROT_READ, IMAGE_AREA_FILE},
        {0x431000, 0x432000, 34, 0, PROT_READ | PROT_WRITE | PROT_EXEC, IMAGE_AREA_FILE},
        {0x432000, 0x433000, 35, 0, PROT_NONE, IMAGE_AREA_FILE},
        {0x7ff000000000, 0x7ff000001000, 0, 0, PROT_NONE, IMAGE_AREA_GUARD},
        {0x7ff000001000, 0x7ffffffff000, 0, 0, PROT_READ | PROT_WRITE, IMAGE_AREA_STACK},
    };
    struct page_table t;
    page_table_make(&t, areas, sizeof areas / sizeof *areas, APP, POOL);
    store(&t);
    const uint64_t seen = PTE_X86_PRESENT | PTE_X86_USER;
    assert_int_equal(entry_of(0x400000), APP | seen | PTE_X86_NOEXEC);
    assert_int_equal(entry_of(0x401000), (APP + 0x1000) | seen | PTE_X86_NOEXEC);
    for (unsigned i = 0; i < 30; i++) { /* the first eight pages */
        assert_int_equal(entry_of(0x402000 + i * 0x1000),
                         i < 8 ? (APP + 0x2000 + i * 0x1000) | seen : 0);
    }
    const uint64_t own = seen | PTE_X86_WRITE | PTE_X86_OWNED | PTE_X86_NOEXEC;
    uint64_t data = entry_of(0x420000), stack = entry_of(0x7fffffffe000);
    assert_true(in_pool(data) && in_pool(stack) && data != stack);
    assert_int_equal(data & ~FRAME, own);
    assert_int_equal(stack & ~FRAME, own);
    const uint64_t absent[] = {0x421000, 0x430000,       0x431000,
                               0x432000, 0x7ff000000000, 0x7ff000001000};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_int_equal(entry_of(absent[i]), 0);
    }
    assert_int_equal(t.copies.len, 1);
    assert_true(t.copies.data[0].from == APP + 0x20000 && t.copies.data[0].size == 0xd00 &&
                t.copies.data[0].to == (data & FRAME));
    assert_true(t.tables == 6 && t.pages == 2); /* three levels each, low and high */
    /* Neighbours are one fill: 6 tables, two pages and eight, two of its own. */
    assert_int_equal(t.fills.len, 10);
}

/* Regions far from each other need three tables each: those that do not fit are
 * left out, whole, and nothing beyond the pool is touched. */
static void test_pool_used_up(void **state) {
    (void)state;
    struct image_area areas[12];
    for (unsigned i = 0; i < 12; i++) {
        areas[i] = (struct image_area){.start = (i + 1) * (UINT64_C(1) << 40),
                                       .end = (i + 1) * (UINT64_C(1) << 40) + 0x2000,
                                       .page = i,
                                       .prot = PROT_READ | (i % 2 ? PROT_WRITE : 0),
                                       .kind = IMAGE_AREA_FILE};
    }
    struct page_table t;
    page_table_make(&t, areas, 12, APP, POOL);
    store(&t);
    assert_true(t.tables + t.pages <= IMAGE_POOL_LINKED);
    unsigned mapped = 0;
    for (unsigned i = 0; i < 12; i++) {
        mapped += entry_of(areas[i].start) != 0;
    }
    assert_true(mapped >= 4 && mapped < 12);
    assert_true(entry_of(areas[0].start) != 0 && entry_of(areas[1].start) != 0);
    struct page_table elsewhere; /* as many of each, wherever the app lies */
    page_table_make(&elsewhere, areas, 12, 0, POOL);
    assert_true(elsewhere.fills.len == t.fills.len && elsewhere.copies.len == t.copies.len &&
                elsewhere.tables == t.tables && elsewhere.pages == t.pages);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_pool_used_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
