/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a thread's end does to locks: its robust list (set_robust_list(2);
 * Linux, Documentation/locking/robust-futex-ABI.rst) and those that others wait
 * to own.
 */
#include "lib/align.h"
#include "mm/user.h"
#include "syscall/futex_queue.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

#define ENTRIES_MAX 2048 /* a list may be a circle */

struct robust_list {
    uint64_t next;    /* the first entry; bit 0: the lock is one of FUTEX_LOCK_PI */
    int64_t offset;   /* from an entry to its word */
    uint64_t pending; /* being taken or given back */
};
_Static_assert(sizeof(struct robust_list) == 24, "Linux's struct robust_list_head");

static void wake_one_waiter(vaddr_t at) {
    struct futex_key key;
    if (!futex_key_of(at, false, &key))
        futex_wake(&key, 1, FUTEX_ALL);
}

/* false: the list is broken. */
static bool lock_dies(const struct thread *t, vaddr_t at, bool pi, bool pending) {
    for (;;) {
        uint32_t *word = at % 4 ? NULL : futex_word(at);
        if (!word)
            return false;
        uint32_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
        /* Given back already, but the wake may be missing. */
        if (pending && !pi && !old)
            wake_one_waiter(at);
        if ((old & FUTEX_OWNER) != t->id)
            return true;
        if (!futex_exchange(word, old, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED))
            continue;
        if (!pi && old & FUTEX_WAITERS)
            wake_one_waiter(at);
        return true;
    }
}

static void walk(const struct thread *t) {
    struct robust_list list;
    if (!t->robust_list || user_read(&list, t->robust_list, sizeof list))
        return;
    uint64_t entry = list.next, next;
    for (unsigned i = 0; i < ENTRIES_MAX && (entry & ~1ull) != t->robust_list; i++, entry = next) {
        /* First the next one: the lock may be freed once it is given up. */
        bool more = !user_read(&next, entry & ~1ull, sizeof next);
        if ((entry & ~1ull) != (list.pending & ~1ull) &&
            !lock_dies(t, (entry & ~1ull) + (uint64_t)list.offset, entry & 1, false))
            return;
        if (!more)
            return;
    }
    if (list.pending)
        lock_dies(t, (list.pending & ~1ull) + (uint64_t)list.offset, list.pending & 1, true);
}

void futex_thread_leaves(struct thread *t) {
    walk(t);
    futex_owner_leaves(t);
}
