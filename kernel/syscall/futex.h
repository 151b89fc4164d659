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

/* The timeout of FUTEX_WAIT (from now) or another operation (a point in time,
 * on the monotonic or, by flag, the realtime clock) as monotonic ns. */
static inline long futex_deadline(unsigned long op, vaddr_t timeout, uint64_t *deadline) {
    uint64_t ns, now = 0;
    long error = time_read(timeout, &ns);
    if (error)
        return error;
    if ((op & ~(unsigned long)FUTEX_FLAGS) != FUTEX_WAIT)
        now = op & FUTEX_CLOCK_REALTIME ? clock_realtime() : clock_monotonic();
    *deadline = time_deadline(ns > now ? ns - now : 0);
    return 0;
}

#endif
