/* SPDX-License-Identifier: BSD-3-Clause
 *
 * When mprotect, munmap or madvise has returned, no thread on any CPU writes
 * through what they took away: not to the page itself, not to the one that is
 * mapped there instead, not to what its memory is used for next.
 * cpus: 1 4
 * timeout: 60
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

enum { WRITERS = 3, ROUNDS = 20, PAGE = 4096, PAGES = 20 };

static atomic_int over;
static atomic_ulong writes, faults;
static _Atomic(volatile uint32_t *) target;
static _Thread_local sigjmp_buf back;
static _Thread_local volatile int armed;

static void on_fault(int n) {
    if (!armed) {
        signal(n, SIG_DFL);
        return;
    }
    faults++;
    siglongjmp(back, 1);
}

static void *write_on(void *arg) {
    while (!over) {
        if (sigsetjmp(back, 1) == 0) {
            armed = 1;
            for (int i = 0; i < 200; i++) {
                volatile uint32_t *p = target;
                for (int k = 0; k < PAGES; k++) {
                    p[k * (PAGE / 4)]++;
                }
                writes++;
            }
        } else {
            sched_yield();
        }
        armed = 0;
    }
    return arg;
}

/* Does it hold still for a while? */
static int still(const volatile uint32_t *p, uint32_t value) {
    for (int i = 0; i < 300; i++) {
        for (int k = 0; k < PAGES; k++) {
            uint32_t now = p[k * (PAGE / 4)];
            if (value == UINT32_MAX) {
                continue;
            }
            if (now != value) {
                return 0;
            }
        }
    }
    return 1;
}

static void wait_for_writes(void) {
    unsigned long seen = writes;
    while (writes < seen + 2) {
        sched_yield();
    }
}

static uint32_t *map(void *where) {
    uint32_t *p = mmap(where, PAGES * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | (where ? MAP_FIXED : 0), -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

int main(void) {
    pthread_t t[WRITERS];
    struct sigaction sa = {.sa_handler = on_fault};
    uint32_t *p = map(NULL);
    target = p;
    CHECK_EQ(sigaction(SIGSEGV, &sa, NULL), 0);
    for (int i = 0; i < WRITERS; i++) {
        CHECK_EQ(pthread_create(&t[i], NULL, write_on, NULL), 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        wait_for_writes();
        /* Read-only: whatever stands there stays. */
        CHECK_EQ(mprotect(p, PAGES * PAGE, PROT_READ), 0);
        uint32_t copy[PAGES], again[PAGES];
        for (int k = 0; k < PAGES; k++) {
            copy[k] = p[k * (PAGE / 4)];
        }
        sched_yield(); /* on one CPU: let them fault */
        for (int n = 0; n < 300; n++) {
            for (int k = 0; k < PAGES; k++) {
                again[k] = p[k * (PAGE / 4)];
            }
        }
        CHECK(memcmp(copy, again, sizeof copy) == 0);
        CHECK_EQ(mprotect(p, PAGES * PAGE, PROT_READ | PROT_WRITE), 0);
        wait_for_writes();
        /* Gone, and read-only zeroes in its place. */
        CHECK_EQ(munmap(p, PAGES * PAGE), 0);
        uint32_t *q =
            mmap(p, PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        CHECK(q == p);
        CHECK(still(q, 0));
        CHECK_EQ(mprotect(p, PAGES * PAGE, PROT_READ | PROT_WRITE), 0);
        wait_for_writes();
        /* Given back: the memory serves others. */
        CHECK_EQ(madvise(p, PAGES * PAGE, MADV_DONTNEED), 0);
        uint32_t *other = map(NULL);
        for (int k = 0; k < PAGES; k++) {
            other[k * (PAGE / 4)] = 7;
        }
        CHECK(still(other, 7));
        CHECK_EQ(munmap(other, PAGES * PAGE), 0);
    }
    over = 1;
    for (int i = 0; i < WRITERS; i++) {
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    }
    CHECK(faults > 0);
    return check_done();
}
