/* SPDX-License-Identifier: BSD-3-Clause
 *
 * futex(2) with one thread: what it refuses, time-outs on both clocks, and a
 * wake that finds nobody.
 */
#include <limits.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum {
    WAIT,
    WAKE,
    REQUEUE = 3,
    CMP_REQUEUE,
    WAIT_BITSET = 9,
    WAKE_BITSET,
    PRIVATE = 128,
    REALTIME = 256
};

static uint32_t words[4] = {5, 6};

static long futex(void *word, int op, unsigned value, const void *timeout, void *word2,
                  unsigned value3) {
    return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static long ms_between(const struct timespec *a, const struct timespec *b) {
    return (b->tv_sec - a->tv_sec) * 1000 + (b->tv_nsec - a->tv_nsec) / 1000000;
}

/* Sleeps 30 ms on words[0] by a point in time of that clock. */
static void until(clockid_t clock, int op) {
    struct timespec start, end, deadline;
    CHECK_EQ(clock_gettime(clock, &deadline), 0);
    deadline.tv_nsec += 30000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &start), 0);
    CHECK_ERRNO(futex(words, op, 5, &deadline, NULL, UINT_MAX), ETIMEDOUT);
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &end), 0);
    CHECK(ms_between(&start, &end) >= 29);
}

int main(void) {
    struct timespec shortly = {0, 20000000}, wrong = {0, 1000000000}, past = {0, 2};
    /* the word has another value */
    CHECK_ERRNO(futex(words, WAIT, 4, NULL, NULL, 0), EAGAIN);
    CHECK_ERRNO(futex(words, WAIT | PRIVATE, 6, NULL, NULL, 0), EAGAIN);
    CHECK_ERRNO(futex(words, WAIT_BITSET, 4, NULL, NULL, 1), EAGAIN);
    /* what cannot be */
    CHECK_ERRNO(futex((char *)words + 1, WAIT, 5, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex((char *)words + 2, WAKE, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(words, WAIT_BITSET, 5, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(words, WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(words, WAIT, 5, &wrong, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(words, 77, 5, NULL, NULL, 0), ENOSYS);
    void *gone = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_ERRNO(futex(gone, WAIT, 0, NULL, NULL, 0), EFAULT);
    CHECK_ERRNO(futex(words, WAIT, 5, gone, NULL, 0), EFAULT);
    CHECK_ERRNO(futex(words, CMP_REQUEUE, 1, (void *)1, &words[1], 4), EAGAIN);
    /* time-outs */
    struct timespec start, end;
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &start), 0);
    CHECK_ERRNO(futex(words, WAIT | PRIVATE, 5, &shortly, NULL, 0), ETIMEDOUT);
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &end), 0);
    CHECK(ms_between(&start, &end) >= 19);
    CHECK_ERRNO(futex(words, WAIT_BITSET, 5, &past, NULL, UINT_MAX), ETIMEDOUT);
    CHECK_ERRNO(futex(words, WAIT_BITSET | REALTIME, 5, &past, NULL, UINT_MAX), ETIMEDOUT);
    until(CLOCK_MONOTONIC, WAIT_BITSET | PRIVATE);
    until(CLOCK_REALTIME, WAIT_BITSET | REALTIME);
    /* nobody to wake */
    CHECK_EQ(futex(words, WAKE, INT_MAX, NULL, NULL, 0), 0);
    CHECK_EQ(futex(words, WAKE_BITSET | PRIVATE, 1, NULL, NULL, 1), 0);
    CHECK_EQ(futex(words, REQUEUE, 1, (void *)1, &words[1], 0), 0);
    CHECK_EQ(futex(words, CMP_REQUEUE, 1, (void *)1, &words[1], 5), 0);
    return 0;
}
