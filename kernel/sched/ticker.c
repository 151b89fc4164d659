/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers with an interval, on any clock.  A CPU clock stands still while the
 * machine idles: its timer looks again when the rest could have passed.
 */
#include "sched/ticker.h"

#include "lib/list.h"
#include "sched/thread.h"

#define LEAST_CPU_NS 1000000u /* between two looks at a CPU clock */
#define LEAST_NS 20000u       /* between two expiries */

static struct list by_wall = LIST_INIT(by_wall);

uint64_t ticker_now(const struct ticker *t) {
    if (t->clock == TICKER_REALTIME)
        return clock_realtime();
    if (t->clock == TICKER_THREAD) {
        const struct thread *thread = thread_of(t->thread);
        return thread ? thread_busy_ns(thread) : 0;
    }
    return t->clock == TICKER_CPU ? sched_busy_ns() : clock_monotonic();
}

static void fired(struct timer *timer);

static void arm(struct ticker *t, uint64_t least) {
    uint64_t now = ticker_now(t), left = t->next > now ? t->next - now : 0;
    t->timer.fn = fired;
    if (t->fn && (t->clock != TICKER_THREAD || thread_of(t->thread)))
        timer_arm(&t->timer, clock_monotonic() + (left > least ? left : least));
}

static void fired(struct timer *timer) {
    struct ticker *t = container_of(timer, struct ticker, timer);
    if (ticker_now(t) < t->next)
        arm(t, t->clock >= TICKER_CPU ? LEAST_CPU_NS : 0);
    else
        t->fn(t);
}

void ticker_end(struct ticker *t) {
    timer_cancel(&t->timer);
    if (t->wall.next)
        list_remove(&t->wall);
    t->wall.next = NULL;
}

void ticker_set(struct ticker *t, uint64_t next, uint64_t interval) {
    ticker_end(t);
    if (t->clock == TICKER_REALTIME)
        list_push_back(&by_wall, &t->wall);
    t->next = next;
    t->interval = interval;
    if (next)
        arm(t, 0);
}

uint64_t ticker_collect(struct ticker *t) {
    uint64_t now = ticker_now(t), count = 1;
    if (!t->next || now < t->next)
        return 0;
    if (!t->interval) {
        timer_cancel(&t->timer);
        t->next = 0;
        return 1;
    }
    count += (now - t->next) / t->interval;
    t->next += count * t->interval;
    arm(t, LEAST_NS);
    return count;
}

void ticker_wall_set(void) {
    list_for_each (node, &by_wall) {
        struct ticker *t = list_entry(node, struct ticker, wall);
        if (t->timer.armed)
            arm(t, 0);
        if (t->moved)
            t->moved(t);
    }
}

uint64_t ticker_left(const struct ticker *t) {
    if (!t->next)
        return 0;
    uint64_t now = ticker_now(t), next = t->next;
    if (next <= now && t->interval)
        next += ((now - next) / t->interval + 1) * t->interval;
    if (next > now)
        return next - now;
    return t->fn ? 1 : 0; /* about to expire; nobody is told of the other */
}
