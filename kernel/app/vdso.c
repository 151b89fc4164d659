/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The vDSO: where an app that looks it up (AT_SYSINFO_EHDR) finds functions that
 * tell the time without a system call.  Three pages: the hypervisor's clock, ours,
 * and the functions (arch/<a>/vdso.S), which read the two.  They come at the first
 * touch, which is when the clocks are calibrated.
 *
 * Linked where the app has the name of such a function (zuk/scan.c); then the
 * linker puts these functions in the place of the others (--wrap, zuk/kernel.c), so
 * that no other kernel is larger.
 */
#include "app/app.h"
#include "clock/clock.h"
#include "diag/diag.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/frame.h"
#include "mm/user.h"

#define AT_SYSINFO_EHDR 33

void __real_arch_app_enter(vaddr_t ip, vaddr_t sp) __attribute__((noreturn));
void __wrap_arch_app_enter(vaddr_t ip, vaddr_t sp) __attribute__((noreturn));
void __real_clock_set_realtime(uint64_t ns);
void __wrap_clock_set_realtime(uint64_t ns);

enum { PAGE_PARAVIRTUAL, PAGE_CLOCK, PAGE_FUNCTIONS, PAGES };

static struct vdso_clock *clock; /* a frame, since it was touched */

static void fence(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* An odd version while it is written: who reads it then tries again. */
static void clock_write(void) {
    clock->version++;
    fence();
    clock->paravirtual = arch_clock_page && arch_clock_page();
    clock->mult = clock_mult;
    clock->shift = clock_shift;
    clock->offset = clock_offset;
    fence();
    clock->version++;
}

static paddr_t clock_frame(void) {
    paddr_t p = clock ? virt_to_phys(clock) : frame_alloc_zero();
    if (p && !clock) {
        clock = phys_to_virt(p);
        clock_realtime();
        clock_of_cycles(0);
        clock_write();
    }
    return p;
}

static paddr_t vdso_get(struct area_source *s, uint64_t index, enum area_use use, bool *owned) {
    (void)s, (void)use;
    paddr_t p = index == PAGE_PARAVIRTUAL && arch_clock_page ? arch_clock_page() : 0;
    *owned = index == PAGE_FUNCTIONS;
    if (!*owned)
        return p ? p : clock_frame();
    p = frame_alloc_zero();
    if (p)
        memcpy(phys_to_virt(p), arch_vdso, (size_t)(arch_vdso_end - arch_vdso));
    return p;
}

static void vdso_count(struct area_source *s) {
    (void)s;
}

static uint64_t vdso_size(struct area_source *s) {
    (void)s;
    return PAGES * PAGE_SIZE;
}

struct area_source area_vdso = {vdso_get, vdso_count, vdso_count, vdso_size};

void __wrap_clock_set_realtime(uint64_t ns) {
    __real_clock_set_realtime(ns);
    if (clock)
        clock_write();
}

/* One more entry before the auxiliary vector: argc, arguments, NULL, environment and
 * NULL move down.  The new stack pointer, as much of a multiple of 16 as the old. */
static vaddr_t add_entry(vaddr_t sp, uint64_t type, uint64_t value) {
    uint64_t entry[2] = {type, value}, word;
    vaddr_t at = sp;
    unsigned ends = 0;
    for (; ends < 2; at += sizeof word) {
        int error = user_read(&word, at, sizeof word);
        if (!error)
            error = user_write(at - sizeof entry, &word, sizeof word);
        assert(!error); /* a stack half full at most */
        ends += !word && at != sp;
    }
    int error = user_write(at - sizeof entry, entry, sizeof entry);
    assert(!error);
    return sp - sizeof entry;
}

void __wrap_arch_app_enter(vaddr_t ip, vaddr_t sp) {
    long low = area_map(0, PAGE_FUNCTIONS * PAGE_SIZE, PROT_READ, AREA_READ_ONLY, &area_vdso, 0);
    long at = low < 0 ? low
                      : area_map((vaddr_t)low + PAGE_FUNCTIONS * PAGE_SIZE, PAGE_SIZE,
                                 PROT_READ | PROT_EXEC, AREA_NOREPLACE, &area_vdso,
                                 PAGE_FUNCTIONS * PAGE_SIZE);
    if (at >= 0)
        sp = add_entry(sp, AT_SYSINFO_EHDR, (uint64_t)at);
    __real_arch_app_enter(ip, sp);
}
