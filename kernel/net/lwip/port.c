/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What lwIP needs of the kernel: memory, random numbers, the time, and to be
 * woken when one of its own timers is due.
 */
#include "net/lwip/stack.h"

#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>

#include "clock/clock.h"
#include "diag/diag.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/random.h"

#define NS_PER_MS 1000000u

/* Each block is preceded by its size, which the heap wants back; one above a
 * page (a packet to ourselves, a long datagram) is a run of frames. */
union block {
    size_t size;
    uint64_t align[1];
};

void *lwip_port_malloc(size_t size) {
    size_t whole = size + sizeof(union block);
    union block *b = NULL;
    if (whole < size)
        return NULL;
    if (whole <= PAGE_SIZE) {
        b = heap_alloc_dirty(whole);
    } else {
        paddr_t run = frame_find_run((whole + PAGE_SIZE - 1) / PAGE_SIZE);
        b = run ? phys_to_virt(run) : NULL;
    }
    if (!b)
        return NULL;
    b->size = whole;
    return b + 1;
}

void *lwip_port_calloc(size_t count, size_t size) {
    size_t whole;
    void *p = __builtin_mul_overflow(count, size, &whole) ? NULL : lwip_port_malloc(whole);
    return p ? memset(p, 0, whole) : NULL;
}

void lwip_port_free(void *p) {
    if (!p)
        return;
    union block *b = (union block *)p - 1;
    size_t size = b->size;
    if (size <= PAGE_SIZE) {
        heap_free(b, size);
        return;
    }
    for (size_t at = 0; at < size; at += PAGE_SIZE)
        frame_free(virt_to_phys(b) + at);
}

/* A word that may alias anything and lie anywhere. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;

/* The sum of RFC 1071, not inverted, in the order of bytes that memory has. */
uint16_t lwip_port_sum(const void *data, int size) {
    const uint8_t *p = data;
    uint64_t sum = 0, last = 0;
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word = *(const word_t *)p;
        sum += (uint32_t)word + (word >> 32);
    }
    memcpy(&last, p, (size_t)size);
    sum += (uint32_t)last + (last >> 32);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* A few at once: the generator makes a block for the smallest wish.  One that was
 * given out is nowhere any more. */
uint32_t lwip_port_rand(void) {
    static uint32_t words[64];
    static unsigned left;
    if (!left) {
        random_bytes(words, sizeof words);
        left = ARRAY_LEN(words);
    }
    uint32_t n = words[--left];
    words[left] = 0;
    return n;
}

u32_t sys_now(void) {
    return (u32_t)(clock_monotonic() / NS_PER_MS);
}

/* lwIP's timers, in its stead: they take no memory that might not be there.  All
 * but the first, which is TCP's, always run; that one while there are connections,
 * as net_arm finds after whatever made one. */
#define CYCLIC_MOST 16
static u32_t due_at[CYCLIC_MOST]; /* ms */
static bool tcp_ticks_on;
static u32_t next_at; /* ms: the earliest of them, when it is known */
static bool next_known;

void sys_timeouts_init(void) {
    assert(lwip_num_cyclic_timers <= CYCLIC_MOST);
    for (int i = 1; i < lwip_num_cyclic_timers; i++)
        due_at[i] = sys_now() + lwip_cyclic_timers[i].interval_ms;
}

void sys_check_timeouts(void) {
    u32_t now = sys_now();
    for (int i = 0; i < lwip_num_cyclic_timers; i++) {
        const struct lwip_cyclic_timer *t = &lwip_cyclic_timers[i];
        if ((!i && !tcp_ticks_on) || (s32_t)(now - due_at[i]) < 0)
            continue;
        due_at[i] += t->interval_ms;
        if ((s32_t)(now - due_at[i]) >= 0) /* long late: once will do */
            due_at[i] = now + t->interval_ms;
        t->handler();
    }
    tcp_ticks_on = tcp_ticks_on && (tcp_active_pcbs || tcp_tw_pcbs);
    next_known = false;
}

u32_t sys_timeouts_sleeptime(void) {
    u32_t now = sys_now();
    if (!tcp_ticks_on && (tcp_active_pcbs || tcp_tw_pcbs)) {
        tcp_ticks_on = true;
        due_at[0] = now + TCP_TMR_INTERVAL;
        next_known = false;
    }
    for (int i = tcp_ticks_on ? 0 : 1; !next_known && i < lwip_num_cyclic_timers; i++) {
        if (i == !tcp_ticks_on || (s32_t)(due_at[i] - next_at) < 0)
            next_at = due_at[i];
    }
    next_known = true;
    return (s32_t)(next_at - now) < 0 ? 0 : next_at - now;
}

static void due(struct timer *t) {
    (void)t;
    net_look(); /* a segment that a card has sent is lwIP's alone, to be sent again */
    sys_check_timeouts();
    net_settle();
}

static struct timer timer = {.fn = due};

/* Asked for every packet: while the next timer is known and no other has begun, the
 * clock is not read. */
void net_arm(void) {
    if (timer.armed && next_known && (tcp_ticks_on || !(tcp_active_pcbs || tcp_tw_pcbs)))
        return;
    /* in lwIP's own milliseconds: the same from call to call, as long as its next timer is */
    uint64_t deadline = (clock_monotonic() / NS_PER_MS + sys_timeouts_sleeptime()) * NS_PER_MS;
    if (!timer.armed || timer.deadline != deadline)
        timer_arm(&timer, deadline);
}
