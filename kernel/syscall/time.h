/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Times in the app's memory: struct timespec <-> nanoseconds.  Inline, because
 * several options need them and none may need the other.
 */
#ifndef SYSCALL_TIME_H
#define SYSCALL_TIME_H

#include <stdint.h>

#include "clock/clock.h"
#include "lib/errno.h"
#include "mm/user.h"
#include "syscall/linux.h"

#define TIME_SECOND 1000000000ull

/* Reads a struct timespec as nanoseconds, at most INT64_MAX: 0, -EFAULT,
 * -EINVAL. */
static inline long time_read(vaddr_t src, uint64_t *ns) {
    struct linux_timespec t;
    if (user_read(&t, src, sizeof(t)) < 0)
        return -EFAULT;
    if (t.seconds < 0 || (uint64_t)t.nanoseconds >= TIME_SECOND)
        return -EINVAL;
    *ns = (uint64_t)t.seconds >= INT64_MAX / TIME_SECOND
              ? INT64_MAX
              : (uint64_t)t.seconds * TIME_SECOND + (uint64_t)t.nanoseconds;
    return 0;
}

static inline long time_write(vaddr_t dst, uint64_t ns) {
    struct linux_timespec t = {(int64_t)(ns / TIME_SECOND), (int64_t)(ns % TIME_SECOND)};
    return user_write(dst, &t, sizeof(t));
}

/* The monotonic time that far from now; both are below 2^63. */
static inline uint64_t time_deadline(uint64_t from_now) {
    return clock_monotonic() + from_now;
}

/* The monotonic time when the wall clock will show `ns`, unless it is set: that
 * wakes a thread whose `wall` is true, which asks again. */
static inline uint64_t time_of_wall(uint64_t ns) {
    uint64_t now = clock_realtime();
    return time_deadline(ns > now ? ns - now : 0);
}

#endif
