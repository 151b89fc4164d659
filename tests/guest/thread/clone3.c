/* SPDX-License-Identifier: BSD-3-Clause
 *
 * clone3: glibc starts its threads with it; what is refused.
 * cc: gcc -static
 * needs: gcc
 * cpus: 1 4
 */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 50 };
static _Thread_local int own = 7;
static int sum;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *add(void *arg) {
    CHECK_EQ(own, 7);
    own = (int)(long)arg;
    pthread_mutex_lock(&lock);
    sum += own;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static long clone3(struct clone_args *args, size_t size) {
    return syscall(SYS_clone3, args, size);
}

int main(void) {
    pthread_t t[THREADS];
    for (long i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_create(&t[i], NULL, add, (void *)i), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    }
    CHECK_EQ(sum, THREADS * (THREADS - 1) / 2);

    static char stack[4096];
    const unsigned long flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    const struct clone_args good = {
        .flags = flags, .stack = (unsigned long)stack, .stack_size = sizeof stack};
    struct clone_args bad = good;
    CHECK_ERRNO(clone3(&bad, 63), EINVAL);
    CHECK_ERRNO(clone3(&bad, 1 << 20), E2BIG);
    CHECK_ERRNO(clone3((void *)8, sizeof bad), EFAULT);
    bad.stack_size = 0;
    CHECK_ERRNO(clone3(&bad, sizeof bad), EINVAL);
    bad = good;
    bad.stack = 0;
    CHECK_ERRNO(clone3(&bad, sizeof bad), EINVAL);
    bad = good;
    bad.flags = CLONE_VM | CLONE_THREAD;
    CHECK_ERRNO(clone3(&bad, sizeof bad), EINVAL);
    bad.flags = CLONE_SIGHAND | CLONE_THREAD;
    CHECK_ERRNO(clone3(&bad, sizeof bad), EINVAL);
    bad = good;
    bad.exit_signal = 17;
    CHECK_ERRNO(clone3(&bad, sizeof bad), EINVAL);
    bad = good;
    bad.flags |= 17;
    CHECK_ERRNO(clone3(&bad, sizeof bad), EINVAL);
    struct {
        struct clone_args args;
        unsigned long more[2];
    } longer = {.args = good, .more = {0, 1}};
    CHECK_ERRNO(clone3(&longer.args, sizeof longer), E2BIG);
    return check_done();
}
