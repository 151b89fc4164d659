/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What POSIX timers, interval timers and timer descriptors have in common: a
 * first expiry, an interval, and a count of the expiries that nobody saw.
 */
#ifndef SCHED_TICKER_H
#define SCHED_TICKER_H

#include "clock/clock.h"

enum ticker_clock { TICKER_MONOTONIC, TICKER_REALTIME, TICKER_CPU, TICKER_THREAD };

struct ticker {
    struct timer timer;
    enum ticker_clock clock;
    struct list wall;  /* of TICKER_REALTIME, from ticker_set to ticker_end */
    uint32_t thread;   /* of TICKER_THREAD: whose CPU time; it stands still when that is gone */
    uint64_t next;     /* by its clock; 0: off */
    uint64_t interval; /* 0: once */
    /* At the first expiry since ticker_set or ticker_collect; interrupts are
     * closed, it must not sleep.  NULL: nobody is told, no interrupt comes. */
    void (*fn)(struct ticker *t);
    void (*moved)(struct ticker *t); /* the wall clock, which it goes by, was set; or NULL */
};

uint64_t ticker_now(const struct ticker *t);
/* The clock may be another than before. */
void ticker_set(struct ticker *t, uint64_t next, uint64_t interval);
void ticker_end(struct ticker *t); /* off, before it goes away */
/* Expiries up to now; the next one is armed. */
uint64_t ticker_collect(struct ticker *t);
uint64_t ticker_left(const struct ticker *t); /* to the next expiry; 0: off */
/* The wall clock was set; weak: there may be no tickers. */
void ticker_wall_set(void) __attribute__((weak));

#endif
