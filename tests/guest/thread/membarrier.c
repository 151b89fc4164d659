/* SPDX-License-Identifier: BSD-3-Clause
 *
 * membarrier: what is refused, and Dekker's algorithm with all of the cost on one
 * side: never do both see the other's flag down.
 * cpus: 1 4
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { PRIVATE_EXPEDITED = 8, REGISTER = 16, SYNC_CORE = 32, REGISTER_SYNC_CORE = 64, ROUNDS = 60 };

static atomic_int fast, slow, round_now, over;
static atomic_int fast_saw, answered;

static long membarrier(int command, unsigned flags) {
    return syscall(SYS_membarrier, command, flags, 0);
}

static void *fast_side(void *arg) {
    for (int n = 1; !over;) {
        if (round_now < n) {
            sched_yield();
            continue;
        }
        atomic_store_explicit(&fast, 1, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst); /* for the compiler alone */
        fast_saw = atomic_load_explicit(&slow, memory_order_relaxed);
        answered = n++;
    }
    return arg;
}

int main(void) {
    pthread_t t;
    long commands = membarrier(0, 0);
    CHECK(commands > 0 && commands & PRIVATE_EXPEDITED && commands & REGISTER);
    CHECK_ERRNO(membarrier(PRIVATE_EXPEDITED, 0), EPERM);
    CHECK_ERRNO(membarrier(0, 1), EINVAL);
    CHECK_ERRNO(membarrier(1 << 20, 0), EINVAL);
    CHECK_ERRNO(membarrier(3, 0), EINVAL);
    CHECK_EQ(membarrier(REGISTER, 0), 0);
    CHECK_ERRNO(membarrier(SYNC_CORE, 0), EPERM);
    CHECK_EQ(membarrier(REGISTER_SYNC_CORE, 0), 0);
    CHECK_EQ(membarrier(SYNC_CORE, 0), 0);
    CHECK_EQ(pthread_create(&t, NULL, fast_side, NULL), 0);
    int both_down = 0;
    for (int n = 1; n <= ROUNDS; n++) {
        fast = slow = 0;
        round_now = n;
        atomic_store_explicit(&slow, 1, memory_order_relaxed);
        CHECK_EQ(membarrier(PRIVATE_EXPEDITED, 0), 0);
        int saw = atomic_load_explicit(&fast, memory_order_relaxed);
        while (answered < n) {
            sched_yield();
        }
        both_down += !saw && !fast_saw;
    }
    over = 1;
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(both_down, 0);
    return check_done();
}
