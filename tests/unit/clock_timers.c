/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/clock/: the order of timers, what the hardware is armed for, early
 * interrupts, handlers that arm again; cycles to nanoseconds; wall clocks.
 *
 * links: kernel/clock/clock.c kernel/clock/realtime.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "clock/clock.h"
#include "drivers/driver.h"

static uint64_t cycles, paravirtual, wall, armed_for;
static unsigned rtc_reads;
static bool rtc_works;

bool arch_clock_paravirtual(uint64_t *monotonic, uint64_t *offset) {
    *monotonic = paravirtual;
    if (offset)
        *offset = wall;
    return paravirtual != 0;
}
uint64_t arch_cycles(void) {
    return cycles;
}
uint64_t arch_cycles_hz(void) {
    return 2500000000;
}
void arch_timer_set(uint64_t delta) {
    armed_for = delta;
}

static bool no_clock(uint64_t *ns) {
    (void)ns;
    return false;
}
static bool read_rtc(uint64_t *ns) {
    rtc_reads++;
    *ns = UINT64_C(1800000000) * 1000000000;
    return rtc_works;
}
static const struct rtc none = {no_clock}, some = {read_rtc};
/* The linker script's table. */
__asm__(".section .data.rtcs, \"aw\"\n .globl rtcs_start, rtcs_end\n"
        "rtcs_start: .quad rtc_none, rtc_some\n rtcs_end:\n .text\n");
extern const struct rtc rtc_none __attribute__((alias("none")));
extern const struct rtc rtc_some __attribute__((alias("some")));

static void set_now(uint64_t ns) {
    cycles = ns * 5 / 2;
}

static void scale(void **state) {
    (void)state;
    set_now(0);
    assert_int_equal(clock_monotonic(), 0);
    uint64_t before = 0;
    for (cycles = 1; cycles < UINT64_C(1) << 60; cycles += cycles / 3 + 1) {
        uint64_t ns = clock_monotonic(), exact = cycles / 5 * 2;
        assert_true(ns >= before);
        assert_true(ns + 1 + exact / 1000000000 >= exact);
        assert_in_range(ns, 0, exact + exact / 1000000000 + 2);
        before = ns;
    }
}

enum { TIMERS = 40 };
static struct timer timers[TIMERS];
static uint64_t fired[4 * TIMERS];
static unsigned fired_count;
static void note(struct timer *t) {
    assert_false(t->armed);
    fired[fired_count++] = t->deadline;
}

static void order(void **state) {
    (void)state;
    set_now(1000000);
    fired_count = 0;
    for (unsigned i = 0; i < TIMERS; i++) {
        timers[i].fn = note;
        timer_arm(&timers[i], 2000000 + i * 7919 % TIMERS * 100000);
    }
    assert_true(timer_pending());
    assert_in_range(armed_for, 999990, 1000010);
    for (unsigned i = 0; i < TIMERS; i += 4)
        timer_cancel(&timers[i]);
    timer_cancel(&timers[0]);       /* twice does no harm */
    timer_arm(&timers[1], 9000000); /* moves */
    set_now(1500000);
    armed_for = 0;
    timer_entry(); /* too early: nothing fires, it is armed again */
    assert_int_equal(fired_count, 0);
    assert_true(armed_for > 0 && armed_for < 700000);
    set_now(4000000);
    timer_entry();
    assert_true(fired_count > 5 && fired_count < TIMERS / 2 + 5);
    assert_true(armed_for <= 200010);
    set_now(10000000);
    armed_for = 42;
    timer_entry();
    assert_int_equal(fired_count, TIMERS - TIMERS / 4);
    for (unsigned i = 1; i < fired_count; i++)
        assert_true(fired[i - 1] <= fired[i]);
    assert_int_equal(fired[fired_count - 1], 9000000);
    assert_false(timer_pending());
    assert_int_equal(armed_for, 42); /* nothing left: the hardware rests */
}

static void past(void **state) {
    (void)state;
    set_now(5000000);
    timers[0].fn = note;
    timer_arm(&timers[0], 1);
    assert_int_equal(armed_for, 0); /* as soon as can be */
    timer_entry();
    assert_false(timer_pending());
}

static unsigned again_count;
static void again(struct timer *t) {
    if (++again_count < 3)
        timer_arm(t, t->deadline + 100000);
}
static void rearm(void **state) {
    (void)state;
    set_now(1000000);
    timers[0].fn = again;
    timer_arm(&timers[0], 1100000);
    set_now(1250000);
    timer_entry();
    assert_int_equal(again_count, 2); /* 1.1 and 1.2 ms */
    assert_true(timer_pending());
    set_now(1400000);
    timer_entry();
    assert_int_equal(again_count, 3);
    assert_false(timer_pending());
}

static void realtime(void **state) {
    (void)state;
    set_now(1000000000);
    rtc_works = true;
    uint64_t now = clock_realtime(),
             base = UINT64_C(1800000000500000000); /* the middle of the second */
    assert_in_range(now, base, base + 10);
    assert_int_equal(rtc_reads, 1);
    set_now(3000000000);
    assert_in_range(clock_realtime(), base + 2000000000 - 10, base + 2000000000 + 10);
    assert_int_equal(rtc_reads, 1); /* once is enough */
    clock_set_realtime(77);
    set_now(3000000100);
    assert_in_range(clock_realtime(), 77 + 99, 77 + 102);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale), cmocka_unit_test(order),    cmocka_unit_test(past),
        cmocka_unit_test(rearm), cmocka_unit_test(realtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
