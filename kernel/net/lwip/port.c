/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What lwIP needs of the kernel: memory, random numbers, the time, and to be
 * woken when one of its own timers is due.
 */
#include "net/lwip/stack.h"

#include <lwip/sys.h>
#include <lwip/timeouts.h>

#include "clock/clock.h"
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
        b = heap_alloc(whole);
    } else {
        paddr_t run = frame_alloc_run((whole + PAGE_SIZE - 1) / PAGE_SIZE);
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

uint32_t lwip_port_rand(void) {
    uint32_t n;
    random_bytes(&n, sizeof n);
    return n;
}

u32_t sys_now(void) {
    return (u32_t)(clock_monotonic() / NS_PER_MS);
}

static void due(struct timer *t) {
    (void)t;
    sys_check_timeouts();
    net_settle();
}

static struct timer timer = {.fn = due};

void net_arm(void) {
    u32_t ms = sys_timeouts_sleeptime();
    if (ms != SYS_TIMEOUTS_SLEEPTIME_INFINITE)
        timer_arm(&timer, clock_monotonic() + (uint64_t)ms * NS_PER_MS);
}
