/* SPDX-License-Identifier: BSD-3-Clause
 *
 * futex(2): sleeping on a word of memory.
 */
#include "syscall/futex.h"
#include "lib/align.h"
#include "mm/area.h"
#include "mm/user.h"
#include "sched/thread.h"
#include "syscall/futex_queue.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

#define BUCKETS 64

static struct list buckets[BUCKETS];

static struct list *bucket(unsigned n) {
    struct list *b = &buckets[n];
    if (!b->next)
        list_init(b);
    return b;
}

struct list *futex_bucket_nth(unsigned n) {
    return n < BUCKETS ? bucket(n) : NULL;
}

struct list *futex_bucket(const struct futex_key *key) {
    return bucket((key->at >> 2 ^ key->at >> 8 ^ key->at >> 12) % BUCKETS);
}

long futex_key_of(vaddr_t word, bool private, struct futex_key *key) {
    *key = (struct futex_key){NULL, word};
    if (word % 4)
        return -EINVAL;
    if (!user_range(word, 4))
        return -EFAULT;
    const struct area *a = private ? NULL : area_find(word);
    if (!private && !a)
        return -EFAULT;
    /* Linux shares no word of the process's own memory that cannot be written. */
    if (a && !(a->flags & (AREA_SHARED | AREA_IMAGE)) && !a->source && !(a->prot & PROT_WRITE))
        return -EFAULT;
    if (a && a->flags & AREA_SHARED && a->source)
        *key = (struct futex_key){a->source, a->offset + (word - a->start)};
    return 0;
}

uint32_t *futex_word(vaddr_t word) {
    struct page_entry e;
    paddr_t frame = user_page(word, PROT_READ | PROT_WRITE);
    /* The kernel's own map of code is not writable. */
    if (!frame || !arch_page_lookup(ALIGN_DOWN(word, PAGE_SIZE), &e) || e.prot & PROT_EXEC)
        return NULL;
    return (uint32_t *)((char *)phys_to_virt(frame) + word % PAGE_SIZE);
}

void futex_sleep_init(struct futex_sleep *s) {
    s->thread = thread_current();
    s->woken = 0;
    wait_queue_init(&s->queue, false);
}

void futex_enqueue(struct futex_waiter *w) {
    list_push_back(futex_bucket(&w->key), &w->node);
    w->queued = true;
}

void futex_dequeue(struct futex_waiter *w) {
    if (w->queued)
        list_remove(&w->node);
    w->queued = false;
}

void futex_wake_waiter(struct futex_waiter *w) {
    futex_dequeue(w);
    if (!w->sleep->woken)
        w->sleep->woken = w->index + 1u;
    wake_all(&w->sleep->queue);
}

long futex_sleep(struct futex_sleep *s, struct futex_end end) {
    long error = 0;
    s->thread->wall = end.wall != 0;
    while (!s->woken && !error)
        error = wait_on(&s->queue, end.wall ? time_of_wall(end.wall) : end.at);
    s->thread->wall = false;
    return s->woken ? 0 : error;
}

long futex_wait(vaddr_t word, bool private, uint32_t expected, uint32_t bits,
                struct futex_end end) {
    struct futex_sleep s;
    struct futex_waiter w = {.sleep = &s, .word = word, .bits = bits};
    uint32_t now;
    if (!bits)
        return -EINVAL;
    long error = futex_key_of(word, private, &w.key);
    if (error)
        return error;
    if (user_read(&now, word, sizeof now))
        return -EFAULT;
    if (now != expected)
        return -EAGAIN;
    futex_sleep_init(&s);
    futex_enqueue(&w);
    error = futex_sleep(&s, end);
    futex_dequeue(&w);
    return error;
}

long futex_wake(const struct futex_key *key, int most, uint32_t bits) {
    long count = 0;
    if (!bits)
        return -EINVAL;
    list_for_each_safe (node, futex_bucket(key)) {
        struct futex_waiter *w = list_entry(node, struct futex_waiter, node);
        if (count >= most)
            break;
        if (!futex_same(&w->key, key))
            continue;
        if (w->kind != FUTEX_PLAIN)
            return -EINVAL;
        if (w->bits & bits) {
            futex_wake_waiter(w);
            count++;
        }
    }
    return count;
}

long futex_requeue(const struct futex_key *key, int wake_most, int move_most,
                   const struct futex_key *target) {
    if (wake_most < 0 || move_most < 0)
        return -EINVAL;
    long count = futex_wake(key, wake_most, FUTEX_ALL), moved = 0;
    if (count < 0)
        return count;
    list_for_each_safe (node, futex_bucket(key)) {
        struct futex_waiter *w = list_entry(node, struct futex_waiter, node);
        if (moved >= move_most)
            break;
        if (!futex_same(&w->key, key))
            continue;
        if (w->kind != FUTEX_PLAIN)
            return -EINVAL;
        moved++;
        if (futex_same(key, target))
            continue; /* it stays where it is */
        futex_dequeue(w);
        w->key = *target;
        futex_enqueue(w);
    }
    return count + moved;
}

static int32_t signed_12(uint32_t v) {
    return (int32_t)(v << 20) >> 20;
}

/* FUTEX_WAKE_OP's change of the second word; *met: was the old value as asked
 * for? */
static long change_word(vaddr_t at, uint32_t how, bool *met) {
    enum { SET, ADD, OR, ANDN, XOR };
    enum { EQ, NE, LT, LE, GT, GE };
    int32_t arg = signed_12(how >> 12), against = signed_12(how), was;
    unsigned op = how >> 28 & 7, compare = how >> 24 & 15;
    uint32_t *word, old, new;
    if (how >> 31)
        arg = (int32_t)(1u << (arg & 31));
    do {
        if (!(word = futex_word(at)))
            return -EFAULT;
        old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
        switch (op) {
        case SET:
            new = (uint32_t)arg;
            break;
        case ADD:
            new = old + (uint32_t)arg;
            break;
        case OR:
            new = old | (uint32_t)arg;
            break;
        case ANDN:
            new = old & ~(uint32_t)arg;
            break;
        case XOR:
            new = old ^ (uint32_t)arg;
            break;
        default:
            return -ENOSYS;
        }
    } while (!futex_exchange(word, old, new));
    was = (int32_t)old;
    switch (compare) {
    case EQ:
        *met = was == against;
        return 0;
    case NE:
        *met = was != against;
        return 0;
    case LT:
        *met = was < against;
        return 0;
    case LE:
        *met = was <= against;
        return 0;
    case GT:
        *met = was > against;
        return 0;
    case GE:
        *met = was >= against;
        return 0;
    default:
        return -ENOSYS;
    }
}

/* Two words: FUTEX_WAKE_OP and FUTEX_(CMP_)REQUEUE. */
static long two_words(unsigned op, bool private, vaddr_t a, int first, int second, vaddr_t b,
                      uint32_t arg) {
    struct futex_key one, two;
    long error = futex_key_of(a, private, &one);
    if (!error)
        error = futex_key_of(b, private, &two);
    if (error)
        return error;
    if (op == FUTEX_WAKE_OP) {
        bool met = false;
        error = change_word(b, arg, &met);
        if (error)
            return error;
        long count = futex_wake(&one, first < 1 ? 1 : first, FUTEX_ALL);
        long more = met && count >= 0 ? futex_wake(&two, second < 1 ? 1 : second, FUTEX_ALL) : 0;
        return more < 0 ? more : count + more;
    }
    if (first < 0 || second < 0)
        return -EINVAL;
    uint32_t now;
    if (op == FUTEX_CMP_REQUEUE && user_read(&now, a, sizeof now))
        return -EFAULT;
    if (op == FUTEX_CMP_REQUEUE && now != arg)
        return -EAGAIN;
    return futex_requeue(&one, first, second, &two);
}

static bool takes_time(unsigned op) {
    return op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI ||
           op == FUTEX_LOCK_PI2 || op == FUTEX_WAIT_REQUEUE_PI;
}

static bool takes_clock(unsigned op) {
    return op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI2 || op == FUTEX_WAIT_REQUEUE_PI;
}

long futex_between_threads(unsigned long a, unsigned long b, unsigned long c, unsigned long d,
                           unsigned long e, unsigned long f) {
    unsigned op = (unsigned)b & ~FUTEX_FLAGS;
    bool private = b & FUTEX_PRIVATE;
    struct futex_end end = FUTEX_NEVER;
    struct futex_key key;
    if (b & FUTEX_CLOCK_REALTIME && !takes_clock(op))
        return -ENOSYS;
    if (takes_time(op) && d) {
        long error = futex_end_of(op == FUTEX_LOCK_PI ? b | FUTEX_CLOCK_REALTIME : b, d, &end);
        if (error)
            return error;
    }
    switch (op) {
    case FUTEX_WAIT:
        return futex_wait(a, private, (uint32_t)c, FUTEX_ALL, end);
    case FUTEX_WAIT_BITSET:
        return futex_wait(a, private, (uint32_t)c, (uint32_t)f, end);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: {
        uint32_t bits = op == FUTEX_WAKE ? FUTEX_ALL : (uint32_t)f;
        if (!bits)
            return -EINVAL;
        long error = futex_key_of(a, private, &key);
        /* As on Linux, 0 wakes one. */
        return error ? error : futex_wake(&key, (int)c < 1 ? 1 : (int)c, bits);
    }
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_WAKE_OP:
        return two_words(op, private, a, (int)c, (int)d, e, (uint32_t)f);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return futex_lock(a, private, end, false);
    case FUTEX_TRYLOCK_PI:
        return futex_lock(a, private, end, true);
    case FUTEX_UNLOCK_PI:
        return futex_unlock(a, private);
    case FUTEX_WAIT_REQUEUE_PI:
        return (uint32_t)f ? futex_wait_moves(a, private, (uint32_t)c, end, e) : -EINVAL;
    case FUTEX_CMP_REQUEUE_PI:
        return futex_requeue_lock(a, private, (int)c, (int)d, e, (uint32_t)f);
    default:
        return -ENOSYS;
    }
}
