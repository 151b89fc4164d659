/* SPDX-License-Identifier: BSD-3-Clause
 *
 * setitimer(2), alarm(2), timer_create(2) and their kind: signals by time.
 *
 * A POSIX timer's signal is pending once; what expires until it is taken is
 * its overrun.
 */
#include "app/signal.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "sched/ticker.h"
#include "syscall/linux.h"
#include "syscall/process.h"
#include "syscall/syscall.h"
#include "syscall/time.h"

/* ---- interval timers ----------------------------------------------------- */

#define ITIMERS 3

static void itimer_expired(struct ticker *t);

static struct ticker itimers[ITIMERS] = {
    {.clock = TICKER_MONOTONIC, .fn = itimer_expired},
    {.clock = TICKER_CPU, .fn = itimer_expired},
    {.clock = TICKER_CPU, .fn = itimer_expired},
};

static void itimer_expired(struct ticker *t) {
    static const uint8_t signals[ITIMERS] = {SIGALRM, SIGVTALRM, SIGPROF};
    const struct signal_info info = {.signo = signals[t - itimers], .code = SI_KERNEL};
    ticker_collect(t);
    signal_send(NULL, &info);
}

struct linux_itimerval {
    struct linux_timeval interval, value;
};

static struct linux_timeval timeval_of(uint64_t ns) {
    uint64_t us = (ns + 999) / 1000;
    return (struct linux_timeval){(int64_t)(us / 1000000), (int64_t)(us % 1000000)};
}

static bool timeval_ns(const struct linux_timeval *tv, uint64_t *ns) {
    if (tv->seconds < 0 || (uint64_t)tv->microseconds >= 1000000)
        return false;
    uint64_t s = (uint64_t)tv->seconds, most = INT64_MAX / TIME_SECOND / 4;
    *ns = (s < most ? s : most) * TIME_SECOND + (uint64_t)tv->microseconds * 1000;
    return true;
}

static struct linux_itimerval itimer_get(const struct ticker *t) {
    return (struct linux_itimerval){timeval_of(t->interval), timeval_of(ticker_left(t))};
}

SYSCALL_HANDLER(getitimer) {
    if (a >= ITIMERS)
        return -EINVAL;
    struct linux_itimerval v = itimer_get(&itimers[a]);
    return user_write(b, &v, sizeof v);
}

SYSCALL_HANDLER(setitimer) {
    struct linux_itimerval v = {{0, 0}, {0, 0}};
    uint64_t value, interval;
    if (b && user_read(&v, b, sizeof v))
        return -EFAULT;
    if (!timeval_ns(&v.value, &value) || !timeval_ns(&v.interval, &interval) || a >= ITIMERS)
        return -EINVAL;
    struct ticker *t = &itimers[a];
    struct linux_itimerval old = itimer_get(t);
    ticker_set(t, value ? ticker_now(t) + value : 0, value ? interval : 0);
    return c ? user_write(c, &old, sizeof old) : 0;
}

SYSCALL_HANDLER(alarm) {
    struct ticker *t = &itimers[0];
    uint64_t left = ticker_left(t), seconds = (uint32_t)a;
    ticker_set(t, seconds ? ticker_now(t) + seconds * TIME_SECOND : 0, 0);
    if (!left)
        return 0;
    uint64_t rounded = (left + TIME_SECOND / 2) / TIME_SECOND;
    return (long)(rounded ? rounded : 1);
}

/* ---- POSIX timers --------------------------------------------------------- */

#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2 /* the C library makes the thread; here it is a signal */
#define SIGEV_THREAD_ID 4

struct linux_sigevent {
    uint64_t value;
    int32_t signo, notify, tid, pad[11];
};
_Static_assert(sizeof(struct linux_sigevent) == 64, "struct sigevent is an ABI");

struct posix_timer {
    struct ticker ticker;
    struct list node;
    int32_t id;
    bool wall;    /* made for the wall clock */
    uint32_t tid; /* 0: for the process */
    int32_t overrun;
    struct signal_info info;
};

static struct list timers = LIST_INIT(timers);
static int32_t next_id;

static struct posix_timer *timer_of(int id) {
    list_for_each (node, &timers) {
        struct posix_timer *t = list_entry(node, struct posix_timer, node);
        if (t->id == id)
            return t;
    }
    return NULL;
}

static void expired(struct ticker *ticker) {
    struct posix_timer *t = container_of(ticker, struct posix_timer, ticker);
    struct thread *target = t->tid ? thread_of(t->tid) : NULL;
    if ((t->tid && !target) || signal_send(target, &t->info))
        ticker_collect(ticker); /* nobody takes it: on to the next one */
}

void signal_timer_taken(struct signal_info *info) {
    struct posix_timer *t = timer_of(info->pid);
    if (!t)
        return;
    uint64_t count = ticker_collect(&t->ticker);
    t->overrun = count > INT32_MAX ? INT32_MAX : count ? (int32_t)count - 1 : 0;
    info->uid = t->overrun; /* si_overrun */
}

/* A CPU clock of some process or thread (clock_getcpuclockid). */
static int cpu_clock(int id, enum ticker_clock *clock, uint32_t *thread) {
    int which = id & 7, pid = ~(id >> 3);
    if ((which & 3) == 3)
        return -EINVAL;
    *clock = which & 4 ? TICKER_THREAD : TICKER_CPU;
    *thread = pid ? (uint32_t)pid : thread_current()->id;
    return which & 4 ? (thread_of(pid) ? 0 : -EINVAL) : pid && pid != PROCESS_ID ? -EINVAL : 0;
}

/* 0 or -errno */
static int timer_clock(int id, enum ticker_clock *clock, uint32_t *thread) {
    if (id < 0)
        return cpu_clock(id, clock, thread);
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_TAI:
        *clock = TICKER_REALTIME;
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
        *clock = TICKER_MONOTONIC;
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        *clock = TICKER_CPU;
        return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        *clock = TICKER_THREAD;
        *thread = thread_current()->id;
        return 0;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
        return -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
}

SYSCALL_HANDLER(timer_create) {
    enum ticker_clock clock;
    uint32_t thread = 0;
    struct linux_sigevent event = {.signo = SIGALRM, .value = (uint64_t)next_id};
    if (b && user_read(&event, b, sizeof event))
        return -EFAULT;
    int error = timer_clock((int)a, &clock, &thread);
    if (error && (int)a >= 0)
        return error;
    bool tells = event.notify != SIGEV_NONE;
    bool one = event.notify == SIGEV_THREAD_ID;
    if (event.notify != SIGEV_SIGNAL && event.notify != SIGEV_THREAD && tells && !one)
        return -EINVAL;
    if ((tells && (event.signo <= 0 || event.signo > SIGNALS)) ||
        (one && (event.tid <= 0 || !thread_of(event.tid))))
        return -EINVAL;
    if (error) /* a CPU clock that is not ours: asked for last */
        return user_write(c, &next_id, sizeof next_id) ? -EFAULT : error;
    struct posix_timer *t = heap_alloc(sizeof *t);
    if (!t)
        return -EAGAIN;
    memset(t, 0, sizeof *t);
    t->ticker.clock = clock;
    t->wall = clock == TICKER_REALTIME;
    t->ticker.thread = thread;
    t->ticker.fn = tells ? expired : NULL;
    t->id = next_id;
    t->tid = one ? (uint32_t)event.tid : 0;
    t->info = (struct signal_info){
        .signo = event.signo, .code = SI_TIMER, .pid = t->id, .value = event.value};
    if (user_write(c, &t->id, sizeof t->id)) {
        heap_free(t, sizeof *t);
        return -EFAULT;
    }
    next_id = next_id == INT32_MAX ? 0 : next_id + 1;
    list_push_back(&timers, &t->node);
    return 0;
}

struct linux_itimerspec {
    struct linux_timespec interval, value;
};

static long write_setting(vaddr_t to, const struct ticker *t) {
    long error = time_write(to, t->interval);
    return error ? error : time_write(to + sizeof(struct linux_timespec), ticker_left(t));
}

SYSCALL_HANDLER(timer_settime) {
    uint64_t value, interval;
    if (!c)
        return -EINVAL;
    long error = time_read(c, &interval);
    long second = time_read(c + sizeof(struct linux_timespec), &value);
    if (error || second)
        return error == -EFAULT || !second ? error : second;
    struct posix_timer *t = timer_of((int)a);
    if (!t)
        return -EINVAL;
    if (t->ticker.clock == TICKER_THREAD && !thread_of(t->ticker.thread))
        return -ESRCH;
    struct ticker old = t->ticker;
    if (t->wall) /* time from now is no matter of the wall clock */
        t->ticker.clock = b & TIMER_ABSTIME ? TICKER_REALTIME : TICKER_MONOTONIC;
    if (value && !(b & TIMER_ABSTIME))
        value += ticker_now(&t->ticker);
    t->overrun = 0;
    ticker_set(&t->ticker, value, value ? interval : 0); /* off is off, with its interval */
    return d ? write_setting(d, &old) : 0;
}

SYSCALL_HANDLER(timer_gettime) {
    const struct posix_timer *t = timer_of((int)a);
    return t ? write_setting(b, &t->ticker) : -EINVAL;
}

SYSCALL_HANDLER(timer_getoverrun) {
    const struct posix_timer *t = timer_of((int)a);
    return t ? t->overrun : -EINVAL;
}

SYSCALL_HANDLER(timer_delete) {
    struct posix_timer *t = timer_of((int)a);
    if (!t)
        return -EINVAL;
    ticker_end(&t->ticker);
    list_remove(&t->node);
    heap_free(t, sizeof *t);
    return 0;
}
