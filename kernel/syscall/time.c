/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Clocks and sleeping.  All clocks count nanoseconds; the coarse ones are as
 * fine as the others.  There is no difference between monotonic, raw and boot
 * time; the CPU clocks count the time that threads run.  The alarm clocks are
 * absent, as on a machine whose RTC cannot wake it.
 */
#include "syscall/time.h"

#include "clock/clock.h"
#include "mm/user.h"
#include "sched/thread.h"
#include "sched/ticker.h"
#include "syscall/linux.h"
#include "syscall/process.h"
#include "syscall/syscall.h"

/* A CPU clock of some process or thread (clock_getcpuclockid): ours or not. */
static bool cpu_clock(int id, uint64_t *ns) {
    int which = id & 7, pid = ~(id >> 3);
    const struct thread *t = which & 4 ? thread_of(pid) : NULL;
    if ((which & 3) == 3 || (which & 4 ? !t : pid != 0 && pid != PROCESS_ID))
        return false; /* of a descriptor, or of nobody here */
    *ns = t ? thread_busy_ns(t) : sched_busy_ns();
    return true;
}

static bool clock_now(int id, uint64_t *ns) {
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI: /* the offset to UTC is unknown, as on a fresh Linux */
        *ns = clock_realtime();
        return true;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *ns = clock_monotonic();
        return true;
    case CLOCK_PROCESS_CPUTIME_ID:
        *ns = sched_busy_ns();
        return true;
    case CLOCK_THREAD_CPUTIME_ID:
        *ns = thread_busy_ns(thread_current());
        return true;
    default:
        return id < 0 && cpu_clock(id, ns);
    }
}

SYSCALL_HANDLER(clock_gettime) {
    uint64_t ns;
    return clock_now((int)a, &ns) ? time_write(b, ns) : -EINVAL;
}

SYSCALL_HANDLER(clock_getres) {
    uint64_t ns;
    if (!clock_now((int)a, &ns))
        return -EINVAL;
    return b ? time_write(b, 1) : 0;
}

/* Who waits for a time that the wall clock shows, looks again. */
static void set_wall(uint64_t ns) {
    clock_set_realtime(ns);
    list_for_each (node, &thread_all) {
        struct thread *t = list_entry(node, struct thread, all);
        if (t->wall && t->state == THREAD_WAITING)
            thread_wake(t);
    }
    if (ticker_wall_set)
        ticker_wall_set();
}

SYSCALL_HANDLER(clock_settime) {
    uint64_t ns;
    long error = (int)a == CLOCK_REALTIME ? time_read(b, &ns) : -EINVAL;
    if (!error && process_is_root && !process_is_root())
        error = -EPERM;
    if (!error)
        set_wall(ns);
    return error;
}

SYSCALL_HANDLER(gettimeofday) {
    uint64_t us = clock_realtime() / 1000;
    struct linux_timeval tv = {(int64_t)(us / 1000000), (int64_t)(us % 1000000)};
    uint64_t zone = 0; /* struct timezone: UTC */
    if (a && user_write(a, &tv, sizeof(tv)) < 0)
        return -EFAULT;
    return b ? user_write(b, &zone, sizeof(zone)) : 0;
}

SYSCALL_HANDLER(settimeofday) {
    struct linux_timeval tv;
    if (!a)
        return 0;
    if (user_read(&tv, a, sizeof(tv)) < 0)
        return -EFAULT;
    if (tv.seconds < 0 || (uint64_t)tv.microseconds >= 1000000 ||
        (uint64_t)tv.seconds >= INT64_MAX / TIME_SECOND)
        return -EINVAL;
    if (process_is_root && !process_is_root())
        return -EPERM;
    set_wall((uint64_t)tv.seconds * TIME_SECOND + (uint64_t)tv.microseconds * 1000);
    return 0;
}

SYSCALL_HANDLER(time) {
    int64_t now = (int64_t)(clock_realtime() / TIME_SECOND);
    if (a && user_write(a, &now, sizeof(now)) < 0)
        return -EFAULT;
    return now;
}

/* Sleeps; on -EINTR tells how much is left, where that is wanted. */
static long sleep_until(uint64_t deadline, vaddr_t remaining) {
    WAIT_QUEUE(nobody);
    long error;
    do {
        error = wait_on(&nobody, deadline);
    } while (!error);
    if (error == -ETIMEDOUT)
        return 0;
    uint64_t now = clock_monotonic();
    if (remaining && time_write(remaining, deadline > now ? deadline - now : 0) < 0)
        return -EFAULT;
    return error;
}

static long sleep_until_wall(uint64_t ns) {
    struct thread *self = thread_current();
    WAIT_QUEUE(nobody);
    long error;
    self->wall = true;
    do {
        error = wait_on(&nobody, time_of_wall(ns));
    } while (!error);
    self->wall = false;
    return error == -ETIMEDOUT ? 0 : error;
}

SYSCALL_HANDLER(nanosleep) {
    uint64_t ns;
    long error = time_read(a, &ns);
    return error ? error : sleep_until(time_deadline(ns), b);
}

SYSCALL_HANDLER(clock_nanosleep) {
    int id = (int)a;
    bool absolute = b & TIMER_ABSTIME;
    uint64_t now, ns;
    bool known = clock_now(id, &now);
    if (!known && id >= 0)
        return -EINVAL;
    if (id < 0 && (id & 7) == 3) /* a descriptor's */
        return -EOPNOTSUPP;
    if (id == CLOCK_THREAD_CPUTIME_ID || id == CLOCK_MONOTONIC_RAW || id == CLOCK_REALTIME_COARSE ||
        id == CLOCK_MONOTONIC_COARSE)
        return -EOPNOTSUPP;
    long error = time_read(c, &ns);
    if (error || !known)
        return error ? error : -EINVAL;
    if (absolute && (id == CLOCK_REALTIME || id == CLOCK_TAI))
        return sleep_until_wall(ns);
    if (absolute)
        ns = ns > now ? ns - now : 0;
    return sleep_until(time_deadline(ns), absolute ? 0 : d);
}
