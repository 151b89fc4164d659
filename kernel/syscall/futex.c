/* SPDX-License-Identifier: BSD-3-Clause
 *
 * futex(2): sleeping on a word of memory.
 *
 * One process, private memory: a word is known by its address.  The kernel is
 * not preempted, so nothing comes between the look at the word and the sleep.
 */
#include "syscall/futex.h"
#include "lib/align.h"
#include "mm/user.h"
#include "sched/thread.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

#define FUTEX_ALL UINT32_MAX

#define BUCKETS 64

/* A sleeper, on its own kernel stack. */
struct waiter {
    struct list node; /* in its bucket, oldest first */
    vaddr_t word;
    uint32_t bits;
    bool woken;
    struct wait_queue queue; /* nobody but this thread */
};

static struct list buckets[BUCKETS];

static struct list *bucket_of(vaddr_t word) {
    struct list *b = &buckets[(word >> 2 ^ word >> 8) % BUCKETS];
    if (!b->next)
        list_init(b);
    return b;
}

static long futex_sleep(vaddr_t word, uint32_t expected, uint32_t bits, uint64_t deadline) {
    uint32_t now;
    if (!bits)
        return -EINVAL;
    if (user_read(&now, word, sizeof now))
        return -EFAULT;
    if (now != expected)
        return -EAGAIN;
    struct waiter w = {.word = word, .bits = bits};
    list_init(&w.queue.head);
    list_push_back(bucket_of(word), &w.node);
    int error = wait_on(&w.queue, deadline);
    if (w.woken)
        return 0;
    list_remove(&w.node);
    return error;
}

static void wake(struct waiter *w) {
    list_remove(&w->node);
    w->woken = true;
    wake_all(&w->queue);
}

/* Wakes up to `most` sleepers on the word whose bits match. */
static long futex_wake(vaddr_t word, int most, uint32_t bits) {
    long count = 0;
    if (!bits)
        return -EINVAL;
    list_for_each_safe (node, bucket_of(word)) {
        struct waiter *w = list_entry(node, struct waiter, node);
        if (count >= most)
            break;
        if (w->word == word && w->bits & bits) {
            wake(w);
            count++;
        }
    }
    return count;
}

static long futex_requeue(vaddr_t word, int wake_most, int move_most, vaddr_t target) {
    if (wake_most < 0 || move_most < 0)
        return -EINVAL;
    long count = futex_wake(word, wake_most, FUTEX_ALL), moved = 0;
    list_for_each_safe (node, bucket_of(word)) {
        struct waiter *w = list_entry(node, struct waiter, node);
        if (moved >= move_most)
            break;
        if (w->word == word) {
            list_remove(&w->node);
            w->word = target;
            list_push_back(bucket_of(target), &w->node);
            moved++;
        }
    }
    return count + moved;
}

long futex_between_threads(unsigned long a, unsigned long b, unsigned long c, unsigned long d,
                           unsigned long e, unsigned long f) {
    unsigned op = b & ~FUTEX_FLAGS;
    uint64_t deadline = UINT64_MAX;
    uint32_t now;
    if (a % 4)
        return -EINVAL;
    if ((op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET) && d) {
        long error = futex_deadline(b, d, &deadline);
        if (error)
            return error;
    }
    switch (op) {
    case FUTEX_WAIT:
        return futex_sleep(a, (uint32_t)c, FUTEX_ALL, deadline);
    case FUTEX_WAIT_BITSET:
        return futex_sleep(a, (uint32_t)c, (uint32_t)f, deadline);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        if (!user_range(a, 4))
            return -EFAULT;
        return futex_wake(a, (int)c, op == FUTEX_WAKE ? FUTEX_ALL : (uint32_t)f);
    case FUTEX_CMP_REQUEUE:
        if (user_read(&now, a, sizeof now))
            return -EFAULT;
        if (now != (uint32_t)f)
            return -EAGAIN;
        return futex_requeue(a, (int)c, (int)d, e);
    case FUTEX_REQUEUE:
        return futex_requeue(a, (int)c, (int)d, e);
    default:
        return -ENOSYS;
    }
}
