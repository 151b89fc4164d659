/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What both futex(2) handlers share.
 */
#ifndef SYSCALL_FUTEX_H
#define SYSCALL_FUTEX_H

#include "syscall/time.h"

enum {
    FUTEX_WAIT,
    FUTEX_WAKE,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE,
    FUTEX_WAKE_OP,
    FUTEX_LOCK_PI,
    FUTEX_UNLOCK_PI,
    FUTEX_TRYLOCK_PI,
    FUTEX_WAIT_BITSET,
    FUTEX_WAKE_BITSET,
    FUTEX_WAIT_REQUEUE_PI,
    FUTEX_CMP_REQUEUE_PI,
    FUTEX_LOCK_PI2,
};
#define FUTEX_PRIVATE 128u
#define FUTEX_CLOCK_REALTIME 256u
#define FUTEX_FLAGS (FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME)

/* futex(2) in full; weak, NULL where THREADS is not linked. */
__attribute__((weak)) long futex_between_threads(unsigned long a, unsigned long b, unsigned long c,
                                                 unsigned long d, unsigned long e, unsigned long f);

/* When a sleep is over, in ns. */
struct futex_end {
    uint64_t at;   /* monotonic; UINT64_MAX: never */
    uint64_t wall; /* not 0: when the wall clock shows that, which may be set meanwhile */
};
#define FUTEX_NEVER ((struct futex_end){UINT64_MAX, 0})

/* The timeout of FUTEX_WAIT (from now) or another operation (a point in time,
 * on the monotonic or, by flag, the realtime clock). */
static inline long futex_end_of(unsigned long op, vaddr_t timeout, struct futex_end *end) {
    uint64_t ns, now = 0;
    long error = time_read(timeout, &ns);
    if (error)
        return error;
    bool absolute = (op & ~(unsigned long)FUTEX_FLAGS) != FUTEX_WAIT;
    if (absolute)
        now = op & FUTEX_CLOCK_REALTIME ? clock_realtime() : clock_monotonic();
    end->at = time_deadline(ns > now ? ns - now : 0);
    end->wall = absolute && op & FUTEX_CLOCK_REALTIME ? ns : 0;
    return 0;
}

#endif
