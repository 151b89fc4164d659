/* SPDX-License-Identifier: BSD-3-Clause
 *
 * futex_wait, futex_wake, futex_requeue, futex_waitv: futex(2) with one call
 * each (Linux, Documentation/userspace-api/futex2.rst).  Words of 32 bits, which
 * is all that Linux has too; no NUMA nodes.
 */
#include "mm/heap.h"
#include "mm/user.h"
#include "syscall/futex.h"
#include "syscall/futex_queue.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

#define FUTEX2_SIZE 3u
#define FUTEX2_SIZE_U32 2u
#define WAITV_MAX 128u
#define HALF (WAITV_MAX / 2)

struct linux_waitv {
    uint64_t value, word;
    uint32_t flags, reserved;
};

static bool bad_flags(uint64_t flags) {
    return flags & ~(uint64_t)(FUTEX2_SIZE | FUTEX_PRIVATE) ||
           (flags & FUTEX2_SIZE) != FUTEX2_SIZE_U32;
}

static bool bad_value(uint64_t value) {
    return value > UINT32_MAX;
}

/* A point in time by that clock. */
static long end_of(vaddr_t timeout, int clock, struct futex_end *end) {
    *end = FUTEX_NEVER;
    if (!timeout)
        return 0;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return -EINVAL;
    unsigned long flag = clock == CLOCK_REALTIME ? FUTEX_CLOCK_REALTIME : 0;
    return futex_end_of(FUTEX_WAIT_BITSET | flag, timeout, end);
}

SYSCALL_HANDLER(futex_wait) {
    struct futex_end end;
    if (bad_flags(d) || bad_value(b) || bad_value(c))
        return -EINVAL;
    long error = end_of(e, (int)f, &end);
    return error ? error : futex_wait(a, d & FUTEX_PRIVATE, (uint32_t)b, (uint32_t)c, end);
}

SYSCALL_HANDLER(futex_wake) {
    struct futex_key key;
    if (bad_flags(d) || bad_value(b) || !b)
        return -EINVAL;
    long error = futex_key_of(a, d & FUTEX_PRIVATE, &key);
    return error ? error : futex_wake(&key, (int)c, (uint32_t)b);
}

static long read_waitv(vaddr_t at, struct linux_waitv *out) {
    if (user_read(out, at, sizeof *out))
        return -EFAULT;
    return bad_flags(out->flags) || out->reserved || bad_value(out->value) ? -EINVAL : 0;
}

SYSCALL_HANDLER(futex_requeue) {
    struct linux_waitv two[2];
    struct futex_key from, to;
    uint32_t now;
    if (b || !a)
        return -EINVAL;
    for (unsigned i = 0; i < 2; i++) {
        long error = read_waitv(a + i * sizeof two[0], &two[i]);
        if (error)
            return error;
    }
    if ((int)c < 0 || (int)d < 0)
        return -EINVAL;
    long error = futex_key_of(two[0].word, two[0].flags & FUTEX_PRIVATE, &from);
    if (!error)
        error = futex_key_of(two[1].word, two[1].flags & FUTEX_PRIVATE, &to);
    if (error)
        return error;
    if (user_read(&now, two[0].word, sizeof now))
        return -EFAULT;
    return now == (uint32_t)two[0].value ? futex_requeue(&from, (int)c, (int)d, &to) : -EAGAIN;
}

/* One sleep on all of them.  Waiters lie in two halves, since an object of the
 * heap is a page at most. */
static long wait_all(struct futex_waiter *half[2], unsigned count, vaddr_t list,
                     struct futex_end end) {
    struct futex_sleep s;
    struct linux_waitv v;
    long error = 0;
    unsigned queued = 0;
    futex_sleep_init(&s);
    for (unsigned i = 0; i < count && !error; i++) {
        struct futex_waiter *w = &half[i / HALF][i % HALF];
        error = read_waitv(list + i * sizeof v, &v);
        if (!error)
            error = futex_key_of(v.word, v.flags & FUTEX_PRIVATE, &w->key);
        w->sleep = &s;
        w->word = v.word;
        w->bits = (uint32_t)v.value; /* until it is queued: what is expected */
        w->index = (uint16_t)i;
    }
    for (; queued < count && !error; queued++) {
        struct futex_waiter *w = &half[queued / HALF][queued % HALF];
        uint32_t now;
        if (user_read(&now, w->word, sizeof now))
            error = -EFAULT;
        else if (now != w->bits)
            error = -EAGAIN;
        w->bits = FUTEX_ALL;
        if (error)
            break;
        futex_enqueue(w);
    }
    if (!error)
        error = futex_sleep(&s, end);
    for (unsigned i = 0; i < queued; i++)
        futex_dequeue(&half[i / HALF][i % HALF]);
    return error ? error : (long)s.woken - 1;
}

SYSCALL_HANDLER(futex_waitv) {
    struct futex_end end;
    if (c || !b || b > WAITV_MAX || !a)
        return -EINVAL;
    long error = end_of(d, (int)e, &end);
    if (error)
        return error;
    struct futex_waiter *half[2];
    size_t size = HALF * sizeof *half[0];
    _Static_assert(HALF * sizeof *half[0] <= PAGE_SIZE, "the heap's largest object");
    half[0] = heap_alloc(size);
    half[1] = half[0] && b > HALF ? heap_alloc(size) : NULL;
    error = half[0] && (half[1] || b <= HALF) ? wait_all(half, (unsigned)b, a, end) : -ENOMEM;
    heap_free(half[1], size);
    heap_free(half[0], size);
    return error;
}
