/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Monotonic time and timers.  The paravirtual clock is taken where there is
 * one, else the cycle counter, scaled; which, is found at the first question.
 *
 * Armed timers are a list by deadline: there are as many as sleeping threads.
 * A cancelled timer leaves the hardware as it is: the interrupt finds nothing
 * due and arms what is next.
 */
#include "clock/clock.h"

#include "arch/arch.h"
#include "lib/scale.h"

static struct list timers = LIST_INIT(timers);

uint32_t clock_mult;
unsigned clock_shift;

uint64_t clock_of_cycles(uint64_t cycles) {
    if (!clock_mult) {
        uint64_t hz = arch_cycles_hz();
        clock_mult = mul_shift_factor(hz ? hz : 1, UINT64_C(1000000000), &clock_shift);
    }
    return mul_shift(cycles, clock_mult, clock_shift);
}

uint64_t clock_monotonic(void) {
    static bool exact; /* the counter itself is the clock */
    uint64_t ns;
    if (!exact && arch_clock_paravirtual && arch_clock_paravirtual(&ns, NULL))
        return ns;
    exact = true;
    return clock_of_cycles(arch_cycles());
}

static struct timer *first(void) {
    return list_empty(&timers) ? NULL : list_entry(timers.next, struct timer, node);
}

static void set_hardware(uint64_t now) {
    struct timer *t = first();
    if (t)
        arch_timer_set(t->deadline > now ? t->deadline - now : 0);
}

void timer_cancel(struct timer *t) {
    if (t->armed)
        list_remove(&t->node);
    t->armed = false;
}

void timer_arm(struct timer *t, uint64_t deadline) {
    timer_cancel(t);
    t->deadline = deadline;
    t->armed = true;
    struct list *at = timers.next;
    if (at != &timers && list_entry(timers.prev, struct timer, node)->deadline <= deadline)
        at = &timers; /* thousands that sleep equally long */
    while (at != &timers && list_entry(at, struct timer, node)->deadline <= deadline)
        at = at->next;
    list_insert_before(at, &t->node);
    if (first() == t)
        set_hardware(clock_monotonic());
}

bool timer_pending(void) {
    return !list_empty(&timers);
}

void timer_entry(void) {
    uint64_t now = clock_monotonic();
    struct timer *t;
    while ((t = first()) && t->deadline <= now) {
        timer_cancel(t);
        t->fn(t);
    }
    set_hardware(now);
}
