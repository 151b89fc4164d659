/* SPDX-License-Identifier: BSD-3-Clause
 *
 * futex(2)'s locks that hand themselves over: FUTEX_LOCK_PI and its kind.
 *
 * The word says who owns the lock; with waiters, the owner gives it back through
 * the kernel, which gives it to the one that waits for the longest.  All threads
 * have one priority, so there is nothing to inherit.
 */
#include "lib/align.h"
#include "mm/user.h"
#include "syscall/futex_queue.h"
#include "syscall/linux.h"
#include "syscall/process.h"
#include "syscall/syscall.h"

static unsigned waiting; /* FUTEX_LOCK waiters */

static struct futex_waiter *first_waiter(const struct futex_key *key, uint8_t kind) {
    list_for_each (node, futex_bucket(key)) {
        struct futex_waiter *w = list_entry(node, struct futex_waiter, node);
        if (w->kind == kind && futex_same(&w->key, key))
            return w;
    }
    return NULL;
}

/* Takes the word for a thread, or marks that somebody waits: 0, -EBUSY, or what
 * FUTEX_LOCK_PI answers. */
static long take(vaddr_t at, const struct futex_key *key, const struct thread *t, bool mark) {
    for (;;) {
        uint32_t *word = futex_word(at);
        if (!word)
            return -EFAULT;
        uint32_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST), owner = old & FUTEX_OWNER;
        if (owner == t->id)
            return -EDEADLK;
        if (!owner) {
            uint32_t new = t->id | (old & FUTEX_OWNER_DIED) |
                           (first_waiter(key, FUTEX_LOCK) ? FUTEX_WAITERS : 0);
            if (futex_exchange(word, old, new))
                return 0;
            continue;
        }
        if (!mark)
            return -EBUSY;
        if (!thread_of((long)owner))
            return -ESRCH;
        if (old & FUTEX_WAITERS || futex_exchange(word, old, old | FUTEX_WAITERS))
            return -EBUSY;
    }
}

static long sleep_for_lock(struct futex_waiter *w, struct futex_end end) {
    waiting++;
    long error = futex_sleep(w->sleep, end);
    futex_dequeue(w);
    waiting--;
    return error;
}

long futex_lock(vaddr_t at, bool private, struct futex_end end, bool try) {
    struct futex_sleep s;
    struct futex_waiter w = {.sleep = &s, .word = at, .kind = FUTEX_LOCK};
    long error = futex_key_of(at, private, &w.key);
    if (error)
        return error;
    error = take(at, &w.key, thread_current(), !try);
    if (error != -EBUSY)
        return error;
    if (try)
        return -EAGAIN;
    futex_sleep_init(&s);
    futex_enqueue(&w);
    return sleep_for_lock(&w, end);
}

/* Gives the word, whose value is `old`, to its oldest waiter. */
static bool hand_over(uint32_t *word, uint32_t old, struct futex_waiter *w, uint32_t more) {
    if (!futex_exchange(word, old, w->sleep->thread->id | FUTEX_WAITERS | more))
        return false;
    futex_wake_waiter(w);
    return true;
}

long futex_unlock(vaddr_t at, bool private) {
    struct futex_key key;
    long error = futex_key_of(at, private, &key);
    if (error)
        return error;
    for (;;) {
        uint32_t *word = futex_word(at);
        if (!word)
            return -EFAULT;
        uint32_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
        if ((old & FUTEX_OWNER) != thread_current()->id)
            return -EPERM;
        struct futex_waiter *w = first_waiter(&key, FUTEX_LOCK);
        if (w ? hand_over(word, old, w, 0) : futex_exchange(word, old, 0))
            return 0;
    }
}

void futex_owner_leaves(const struct thread *t) {
    struct list *bucket;
    for (unsigned n = 0; waiting && (bucket = futex_bucket_nth(n)); n++) {
        list_for_each_safe (node, bucket) {
            struct futex_waiter *w = list_entry(node, struct futex_waiter, node);
            uint32_t *word = w->kind == FUTEX_LOCK ? futex_word(w->word) : NULL;
            if (!word)
                continue;
            uint32_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST), owner = old & FUTEX_OWNER;
            if (!owner || owner == t->id)
                hand_over(word, old, w, FUTEX_OWNER_DIED);
        }
    }
}

/* ---- from a condition to its lock ------------------------------------------- */

long futex_wait_moves(vaddr_t at, bool private, uint32_t expected, struct futex_end end,
                      vaddr_t target) {
    struct futex_sleep s;
    struct futex_waiter w = {.sleep = &s, .word = at, .bits = FUTEX_ALL, .kind = FUTEX_MOVES};
    uint32_t now;
    if (at == target)
        return -EINVAL;
    long error = futex_key_of(target, private, &s.target);
    if (!error)
        error = futex_key_of(at, private, &w.key);
    if (error)
        return error;
    if (user_read(&now, at, sizeof now))
        return -EFAULT;
    if (now != expected)
        return -EAGAIN;
    futex_sleep_init(&s);
    futex_enqueue(&w);
    error = sleep_for_lock(&w, end);
    /* Once moved it cannot begin anew. */
    return error == -EINTR && w.kind == FUTEX_LOCK ? -EAGAIN : error;
}

long futex_requeue_lock(vaddr_t at, bool private, int wake_most, int move_most, vaddr_t target,
                        uint32_t expected) {
    struct futex_key one, two;
    uint32_t now;
    if (wake_most != 1 || move_most < 0 || at == target)
        return -EINVAL;
    long error = futex_key_of(at, private, &one);
    if (!error)
        error = futex_key_of(target, private, &two);
    if (error)
        return error;
    if (user_read(&now, at, sizeof now))
        return -EFAULT;
    if (now != expected)
        return -EAGAIN;
    long count = 0;
    list_for_each_safe (node, futex_bucket(&one)) {
        struct futex_waiter *w = list_entry(node, struct futex_waiter, node);
        if (count > move_most)
            break;
        if (!futex_same(&w->key, &one))
            continue;
        if (w->kind != FUTEX_MOVES || !futex_same(&w->sleep->target, &two))
            return -EINVAL;
        error = take(target, &two, w->sleep->thread, true);
        if (error && error != -EBUSY)
            return count ? count : error;
        count++;
        if (!error) {
            futex_wake_waiter(w); /* it owns the lock */
            continue;
        }
        futex_dequeue(w);
        w->key = two;
        w->word = target;
        w->kind = FUTEX_LOCK;
        futex_enqueue(w);
    }
    return count;
}
