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

SYSCALL_HANDLER(futex) {
    static WAIT_QUEUE(nobody);
    if (futex_between_threads)
        return futex_between_threads(a, b, c, d, e, f);
    unsigned op = (unsigned)b & ~FUTEX_FLAGS;
    uint32_t now, self = thread_current()->id;
    if (a % 4)
        return -EINVAL;
    if (user_read(&now, a, sizeof now))
        return -EFAULT;
    if ((op == FUTEX_WAIT_BITSET || op == FUTEX_WAKE_BITSET) && !(uint32_t)f)
        return -EINVAL;
    if (op == FUTEX_WAKE || op == FUTEX_REQUEUE || op == FUTEX_WAKE_BITSET)
        return 0;
    if (op == FUTEX_CMP_REQUEUE)
        return now == (uint32_t)f ? 0 : -EAGAIN;
    if (op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2 || op == FUTEX_TRYLOCK_PI) {
        if (now & FUTEX_OWNER)
            return (now & FUTEX_OWNER) == self ? -EDEADLK
                   : op == FUTEX_TRYLOCK_PI    ? -EAGAIN
                                               : -ESRCH;
        now |= self;
        return user_write(a, &now, sizeof now);
    }
    if (op == FUTEX_UNLOCK_PI)
        return (now & FUTEX_OWNER) == self ? user_clear(a, sizeof now) : -EPERM;
    if (op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET)
        return -ENOSYS;
    if (now != (uint32_t)c)
        return -EAGAIN;
    uint64_t deadline = UINT64_MAX;
    long error = d ? futex_deadline(b, d, &deadline) : 0;
    return error ? error : wait_on(&nobody, deadline);
}
