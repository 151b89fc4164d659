/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Now, and call-me-later.  Tickless: the timer is armed for the nearest
 * deadline only; arch/ calls timer_entry() when it is due, or earlier.  All
 * times are nanoseconds.
 */
#ifndef CLOCK_CLOCK_H
#define CLOCK_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

uint64_t clock_monotonic(void);            /* since boot; calibrates on first use */
uint64_t clock_of_cycles(uint64_t cycles); /* their length in ns */
uint64_t clock_realtime(void);             /* since 1970-01-01 UTC; reads the RTC on first use */
void clock_set_realtime(uint64_t ns);

/* What they are made of, for who reads the counters himself (app/vdso.c): known
 * when the clock was read. */
extern uint32_t clock_mult; /* nanoseconds: cycles * mult >> shift */
extern unsigned clock_shift;
extern uint64_t clock_offset; /* realtime - monotonic */

struct timer {
    struct list node;
    uint64_t deadline;           /* monotonic */
    void (*fn)(struct timer *t); /* interrupts closed; may wake, not sleep */
    bool armed;
};
void timer_arm(struct timer *t, uint64_t deadline);
void timer_cancel(struct timer *t);
bool timer_pending(void); /* is any timer armed? */

#endif
