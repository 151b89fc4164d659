/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Robust mutexes: the next owner learns that the last one died, whether it
 * waited already or comes later; plain ones and those with
 * PTHREAD_PRIO_INHERIT; and get_robust_list.
 * cpus: 1 4
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { MANY = 5 };
static pthread_mutex_t mutex[MANY];
static atomic_int stage;

static void make(pthread_mutex_t *m, int protocol) {
    pthread_mutexattr_t a;
    CHECK_EQ(pthread_mutexattr_init(&a), 0);
    CHECK_EQ(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST), 0);
    CHECK_EQ(pthread_mutexattr_setprotocol(&a, protocol), 0);
    CHECK_EQ(pthread_mutex_init(m, &a), 0);
}

static void *die_with_all(void *arg) {
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(pthread_mutex_lock(&mutex[i]), 0);
    }
    CHECK_EQ(pthread_mutex_unlock(&mutex[3]), 0); /* not this one */
    stage = 1;
    while (stage == 1) {
        usleep(1000);
    }
    return arg;
}

static void *wait_for_one(void *arg) {
    int result = pthread_mutex_lock(arg);
    CHECK_EQ(result, EOWNERDEAD);
    CHECK_EQ(pthread_mutex_consistent(arg), 0);
    CHECK_EQ(pthread_mutex_unlock(arg), 0);
    return NULL;
}

static void with(int protocol) {
    pthread_t t, w[2];
    for (int i = 0; i < MANY; i++) {
        make(&mutex[i], protocol);
    }
    stage = 0;
    CHECK_EQ(pthread_create(&t, NULL, die_with_all, NULL), 0);
    while (!stage) {
        usleep(1000);
    }
    CHECK_EQ(pthread_mutex_trylock(&mutex[0]), EBUSY);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&w[i], NULL, wait_for_one, &mutex[i]), 0);
    }
    usleep(30000);
    stage = 2;
    CHECK_EQ(pthread_join(t, NULL), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_join(w[i], NULL), 0);
    }
    CHECK_EQ(pthread_mutex_lock(&mutex[0]), 0); /* consistent again */
    CHECK_EQ(pthread_mutex_unlock(&mutex[0]), 0);
    CHECK_EQ(pthread_mutex_lock(&mutex[3]), 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex[3]), 0);
    CHECK_EQ(pthread_mutex_trylock(&mutex[2]), EOWNERDEAD);
    CHECK_EQ(pthread_mutex_unlock(&mutex[2]), 0); /* not consistent: lost for good */
    CHECK_EQ(pthread_mutex_lock(&mutex[2]), ENOTRECOVERABLE);
    CHECK_EQ(pthread_mutex_lock(&mutex[4]), EOWNERDEAD);
    CHECK_EQ(pthread_mutex_consistent(&mutex[4]), 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex[4]), 0);
}

/* The raw interface: a circle and wild entries end, and harm nobody. */
static struct list {
    struct list *next;
    long offset;
    void *pending;
    unsigned word;
} circle[2], wild;

static void *die_in(void *arg) {
    struct list *head = arg;
    head->word = (unsigned)gettid();
    CHECK_EQ(syscall(SYS_set_robust_list, head, 24), 0);
    void *now = NULL;
    size_t size = 0;
    CHECK_EQ(syscall(SYS_get_robust_list, 0, &now, &size), 0);
    CHECK(now == head && size == 24);
    syscall(SYS_exit, 0);
    return NULL;
}

static void raw(void) {
    static char stack[2][65536] __attribute__((aligned(16)));
    pthread_attr_t a;
    pthread_t t;
    struct list *heads[] = {&circle[0], &wild};
    circle[0] = (struct list){&circle[1], __builtin_offsetof(struct list, word), NULL, 0};
    circle[1] = (struct list){&circle[1], 0, NULL, 0};
    wild = (struct list){(struct list *)0x7654321000, 0, &wild, 0};
    wild.offset = __builtin_offsetof(struct list, word);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_attr_init(&a), 0);
        CHECK_EQ(pthread_attr_setstack(&a, stack[i], sizeof stack[i]), 0);
        CHECK_EQ(pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED), 0);
        CHECK_EQ(pthread_create(&t, &a, die_in, heads[i]), 0);
        for (int k = 0; k < 1000 && (i || k < 20); k++) {
            usleep(1000);
            if (i && *(volatile unsigned *)&wild.word == 0x40000000) {
                break;
            }
        }
    }
    /* The wild list ends at its first entry, but what is pending is looked at. */
    CHECK_ERRNO(syscall(SYS_set_robust_list, &wild, 23), EINVAL);
    CHECK_ERRNO(syscall(SYS_get_robust_list, 999999, &t, &t), ESRCH);
}

int main(void) {
    with(PTHREAD_PRIO_NONE);
    with(PTHREAD_PRIO_INHERIT);
    raw();
    return check_done();
}
