/* SPDX-License-Identifier: BSD-3-Clause
 *
 * futex(2) for a program that cannot start a thread: nobody else waits,
 * nobody wakes.  Where THREADS is linked, syscall/futex.c does the work.
 */
#include "mm/user.h"
#include "sched/thread.h"
#include "syscall/futex.h"
#include "syscall/futex_queue.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

#define BIT(op) (1u << FUTEX_##op)
#define WAKES (BIT(WAKE) | BIT(REQUEUE) | BIT(WAKE_BITSET))
#define LOCKS (BIT(LOCK_PI) | BIT(LOCK_PI2) | BIT(TRYLOCK_PI))
#define KNOWN (WAKES | LOCKS | BIT(CMP_REQUEUE) | BIT(UNLOCK_PI) | BIT(WAIT) | BIT(WAIT_BITSET))

static bool is(unsigned op, unsigned set) {
    return op < 32 && set >> op & 1;
}

SYSCALL_HANDLER(futex) {
    static WAIT_QUEUE(nobody);
    if (futex_between_threads)
        return futex_between_threads(a, b, c, d, e, f);
    unsigned op = (unsigned)b & ~FUTEX_FLAGS;
    uint32_t now, self = thread_current()->id;
    if (!is(op, KNOWN))
        return -ENOSYS;
    if (a % 4)
        return -EINVAL;
    if (user_read(&now, a, sizeof now))
        return -EFAULT;
    if (is(op, BIT(WAIT_BITSET) | BIT(WAKE_BITSET)) && !(uint32_t)f)
        return -EINVAL;
    if (is(op, WAKES))
        return 0;
    if (op == FUTEX_CMP_REQUEUE)
        return now == (uint32_t)f ? 0 : -EAGAIN;
    if (op == FUTEX_UNLOCK_PI)
        return (now & FUTEX_OWNER) == self ? user_clear(a, sizeof now) : -EPERM;
    if (is(op, LOCKS)) {
        if (now & FUTEX_OWNER)
            return (now & FUTEX_OWNER) == self ? -EDEADLK
                   : op == FUTEX_TRYLOCK_PI    ? -EAGAIN
                                               : -ESRCH;
        now |= self;
        return user_write(a, &now, sizeof now);
    }
    if (now != (uint32_t)c)
        return -EAGAIN;
    struct futex_end end = FUTEX_NEVER;
    long error = d ? futex_end_of(b, d, &end) : 0;
    return error ? error : wait_on(&nobody, end.at);
}
