/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who sleeps on which word, for the files that implement futex(2) and its kin.
 * Linked with THREADS.
 *
 * The kernel runs on one CPU at a time and is not preempted, so nothing of the
 * kernel comes between the look at a word and the sleep; the app's code may,
 * on another CPU: the kernel changes a word by atomic operations only.
 */
#ifndef SYSCALL_FUTEX_QUEUE_H
#define SYSCALL_FUTEX_QUEUE_H

#include "sched/thread.h"
#include "syscall/futex.h"

/* futex(2): a lock's word.  The rest of its bits is the owner's id. */
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_OWNER 0x3fffffffu

/* What a word is known by: its address, or, in shared memory, its place in what
 * is mapped. */
struct futex_key {
    const void *source; /* NULL: `at` is the address */
    uint64_t at;
};

enum futex_kind {
    FUTEX_PLAIN,
    FUTEX_LOCK,  /* waits to own the word */
    FUTEX_MOVES, /* plain, until FUTEX_CMP_REQUEUE_PI makes it wait to own another */
};

/* One thread's sleep, on its kernel stack: on one word or several. */
struct futex_sleep {
    struct thread *thread;
    struct wait_queue queue; /* nobody but this thread */
    unsigned woken;          /* 0, or 1 + the index of the waiter that was woken */
    struct futex_key target; /* where a FUTEX_MOVES waiter goes */
};

struct futex_waiter {
    struct list node; /* in its bucket, oldest first */
    struct futex_key key;
    struct futex_sleep *sleep;
    vaddr_t word;
    uint32_t bits;
    uint16_t index;
    uint8_t kind; /* enum futex_kind */
    bool queued;
};

#define FUTEX_ALL UINT32_MAX

/* 0 or -EFAULT. */
long futex_key_of(vaddr_t word, bool private, struct futex_key *key);
static inline bool futex_same(const struct futex_key *a, const struct futex_key *b) {
    return a->at == b->at && a->source == b->source;
}
struct list *futex_bucket(const struct futex_key *key);
/* Every bucket, for those who look for waiters of any word: NULL after the last. */
struct list *futex_bucket_nth(unsigned n);

void futex_sleep_init(struct futex_sleep *s);
void futex_enqueue(struct futex_waiter *w);
void futex_dequeue(struct futex_waiter *w); /* if it is queued */
void futex_wake_waiter(struct futex_waiter *w);
/* Until one of its waiters is woken: 0, -EINTR, -ETIMEDOUT. */
long futex_sleep(struct futex_sleep *s, struct futex_end end);
/* Wakes up to `most` plain waiters whose bits match: how many; -EINVAL when
 * another kind waits there. */
long futex_wake(const struct futex_key *key, int most, uint32_t bits);
long futex_requeue(const struct futex_key *key, int wake_most, int move_most,
                   const struct futex_key *target);
/* futex_wait with everything decoded. */
long futex_wait(vaddr_t word, bool private, uint32_t expected, uint32_t bits, struct futex_end end);

/* The word itself, writable, until the next sleep; NULL: -EFAULT. */
uint32_t *futex_word(vaddr_t word);
static inline bool futex_exchange(uint32_t *word, uint32_t old, uint32_t new) {
    return __atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* syscall/futex_pi.c */
long futex_lock(vaddr_t word, bool private, struct futex_end end, bool try);
long futex_unlock(vaddr_t word, bool private);
long futex_wait_moves(vaddr_t word, bool private, uint32_t expected, struct futex_end end,
                      vaddr_t target);
long futex_requeue_lock(vaddr_t word, bool private, int wake_most, int move_most, vaddr_t target,
                        uint32_t expected);
void futex_owner_leaves(const struct thread *t); /* who waits for its locks, gets them */
/* syscall/robust.c: marks the locks of t's robust list, as set_robust_list(2)
 * says, then futex_owner_leaves. */
void futex_thread_leaves(struct thread *t);

#endif
