/* SPDX-License-Identifier: BSD-3-Clause
 *
 * futex(2) between threads: bit sets, requeueing, FUTEX_WAKE_OP with all its
 * operations and comparisons, private and shared words, what is refused.
 * cpus: 1 4
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
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
    WAKE_OP,
    WAIT_BITSET = 9,
    WAKE_BITSET,
    PRIVATE = 128,
    REALTIME = 256
};

static long futex(void *word, int op, unsigned value, unsigned long value2, void *word2,
                  unsigned value3) {
    return syscall(SYS_futex, word, op, value, value2, word2, value3);
}

struct sleeper {
    pthread_t thread;
    uint32_t *word;
    unsigned bits;
    int flags;
    long result;
};
static atomic_int ready, woken;

static void *sleep_on(void *arg) {
    struct sleeper *s = arg;
    ready++;
    s->result = futex(s->word, WAIT_BITSET | s->flags, *s->word, 0, NULL, s->bits);
    woken++;
    return arg;
}

static void start(struct sleeper *s, uint32_t *word, unsigned bits, int flags) {
    *s = (struct sleeper){.word = word, .bits = bits, .flags = flags, .result = -2};
    int before = ready;
    CHECK_EQ(pthread_create(&s->thread, NULL, sleep_on, s), 0);
    while (ready == before) {
        sched_yield();
    }
    usleep(20000); /* asleep by now */
}

static void ended(struct sleeper *s) {
    CHECK_EQ(pthread_join(s->thread, NULL), 0);
    CHECK_EQ(s->result, 0);
}

static uint32_t one = 1, two = 2;

static void bits(void) {
    struct sleeper s[3];
    start(&s[0], &one, 1, PRIVATE);
    start(&s[1], &one, 2, PRIVATE);
    start(&s[2], &one, 6, PRIVATE);
    CHECK_EQ(futex(&one, WAKE_BITSET | PRIVATE, INT_MAX, 0, NULL, 8), 0);
    CHECK_EQ(futex(&one, WAKE_BITSET | PRIVATE, INT_MAX, 0, NULL, 4), 1);
    ended(&s[2]);
    CHECK_EQ(futex(&one, WAKE_BITSET | PRIVATE, 1, 0, NULL, 3), 1); /* the oldest */
    ended(&s[0]);
    CHECK_EQ(futex(&one, WAKE | PRIVATE, 5, 0, NULL, 0), 1);
    ended(&s[1]);
}

static void requeue(void) {
    struct sleeper s[4];
    for (int i = 0; i < 4; i++) {
        start(&s[i], &one, 1, PRIVATE);
    }
    CHECK_ERRNO(futex(&one, CMP_REQUEUE | PRIVATE, 1, 1, &two, 99), EAGAIN);
    CHECK_ERRNO(futex(&one, CMP_REQUEUE | PRIVATE, -1, 1, &two, 1), EINVAL);
    CHECK_ERRNO(futex(&one, REQUEUE | PRIVATE, 1, -1ul, &two, 1), EINVAL);
    CHECK_EQ(futex(&one, CMP_REQUEUE | PRIVATE, 1, 2, &two, 1), 3);
    ended(&s[0]);
    CHECK_EQ(futex(&one, WAKE | PRIVATE, INT_MAX, 0, NULL, 0), 1); /* the last one stayed */
    ended(&s[3]);
    CHECK_EQ(futex(&two, REQUEUE | PRIVATE, 0, 5, &two, 0), 2);
    CHECK_EQ(futex(&two, WAKE | PRIVATE, INT_MAX, 0, NULL, 0), 2);
    ended(&s[1]);
    ended(&s[2]);
}

enum { SET, ADD, OR, ANDN, XOR, SHIFT = 8 };
enum { EQ, NE, LT, LE, GT, GE };
#define HOW(op, arg, cmp, against)                                                                 \
    ((unsigned)(op) << 28 | (unsigned)(cmp) << 24 | ((arg)&0xfffu) << 12 | ((against)&0xfffu))

/* Does the comparison wake the sleeper on `two`? */
static void wake_op(uint32_t old, unsigned how, uint32_t new, int met) {
    struct sleeper s;
    two = old;
    start(&s, &two, 1, PRIVATE);
    CHECK_EQ(futex(&one, WAKE_OP | PRIVATE, 1, 1, &two, how), met);
    CHECK_EQ(two, new);
    CHECK_EQ(futex(&two, WAKE | PRIVATE, 1, 0, NULL, 0), !met);
    ended(&s);
}

static void wake_ops(void) {
    wake_op(5, HOW(SET, 7, EQ, 5), 7, 1);
    wake_op(5, HOW(SET, -1, EQ, 6), UINT_MAX, 0);
    wake_op(5, HOW(ADD, -6, NE, 5), UINT_MAX, 0);
    wake_op(5, HOW(ADD, 2047, NE, 6), 2052, 1);
    wake_op(-3u, HOW(OR, 2, LT, -2), -1u, 1);
    wake_op(5, HOW(ANDN, 4, LE, 5), 1, 1);
    wake_op(5, HOW(XOR, 1, GT, 5), 4, 0);
    wake_op(5, HOW(OR | SHIFT, 31, GE, 5), 5 | 1u << 31, 1);
    CHECK_ERRNO(futex(&one, WAKE_OP | PRIVATE, 1, 1, &two, HOW(7, 0, EQ, 0)), ENOSYS);
    CHECK_ERRNO(futex(&one, WAKE_OP | PRIVATE, 1, 1, (char *)&two + 1, HOW(SET, 0, EQ, 0)), EINVAL);
    void *gone = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_ERRNO(futex(&one, WAKE_OP | PRIVATE, 1, 1, gone, HOW(SET, 0, EQ, 0)), EFAULT);
    /* both words at once */
    struct sleeper s[2];
    two = 0;
    start(&s[0], &one, 1, PRIVATE);
    start(&s[1], &two, 1, PRIVATE);
    CHECK_EQ(futex(&one, WAKE_OP | PRIVATE, 1, 1, &two, HOW(ADD, 1, EQ, 0)), 2);
    ended(&s[0]);
    ended(&s[1]);
    CHECK_EQ(two, 1);
}

/* One word of a file at two addresses. */
static void shared(void) {
    struct sleeper s;
    char name[] = "/tmp/futex_ops.XXXXXX";
    int fd = mkstemp(name);
    CHECK(fd >= 0);
    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(ftruncate(fd, 8192), 0);
    uint32_t *a = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint32_t *b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    CHECK(a != MAP_FAILED && b != MAP_FAILED);
    a[1025] = 3;
    start(&s, &a[1025], 1, 0);
    CHECK_EQ(futex(&b[1], WAKE | PRIVATE, 1, 0, NULL, 0), 0);
    CHECK_EQ(futex(&b[2], WAKE, 1, 0, NULL, 0), 0);
    CHECK_EQ(futex(&b[1], WAKE, 1, 0, NULL, 0), 1);
    ended(&s);
}

int main(void) {
    bits();
    requeue();
    wake_ops();
    shared();
    CHECK_ERRNO(futex(&one, WAKE_BITSET, 1, 0, NULL, 0), EINVAL);
    CHECK_ERRNO(futex(&one, WAKE | REALTIME, 1, 0, NULL, 0), ENOSYS);
    CHECK_ERRNO(futex((void *)-4096ul, WAKE, 1, 0, NULL, 0), EFAULT);
    CHECK_EQ(woken, ready);
    return check_done();
}
