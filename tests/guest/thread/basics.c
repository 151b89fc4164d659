/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads: results, mutual exclusion, thread-local data, FPU state, a spinning
 * thread that must be preempted, thousands one after the other, detached ones
 * that unmap their own stacks.
 * isolate: test
 * cpus: 1 4
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 20, ROUNDS = 1000, MANY = 2000, DETACHED = 100 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counter;
static _Thread_local long own;
static atomic_int go, ended;

static void *count(void *arg) {
    double x = (double)(intptr_t)arg;
    own = (intptr_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
        x += 0.5;
        if (i % 100 == 0) {
            usleep(100);
        }
    }
    CHECK(own == (intptr_t)arg);
    CHECK(x == (double)(intptr_t)arg + ROUNDS * 0.5);
    return (void *)(own + 1);
}

static void *spin(void *arg) {
    while (!go) {
    }
    return arg;
}

static void *detached(void *arg) {
    char big[20000];
    memset(big, (int)(intptr_t)arg, sizeof big);
    CHECK(big[1234] == (char)(intptr_t)arg);
    ended++;
    return NULL;
}

static void many_at_once(void) {
    pthread_t t[THREADS];
    long sum = 0;
    for (intptr_t i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_create(&t[i], NULL, count, (void *)i), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result;
        CHECK_EQ(pthread_join(t[i], &result), 0);
        sum += (intptr_t)result;
    }
    CHECK_EQ(counter, THREADS * ROUNDS);
    CHECK_EQ(sum, THREADS * (THREADS + 1) / 2);
}

static void preempted(void) {
    pthread_t t[2];
    void *result;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&t[i], NULL, spin, &go), 0);
    }
    usleep(30000);
    go = 1;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_join(t[i], &result), 0);
        CHECK(result == &go);
    }
}

static void one_after_the_other(void) {
    for (int i = 0; i < MANY; i++) {
        pthread_t t;
        CHECK_EQ(pthread_create(&t, NULL, spin, NULL), 0);
        CHECK_EQ(pthread_join(t, NULL), 0);
    }
}

static void alone(void) {
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    CHECK_EQ(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
    for (intptr_t i = 0; i < DETACHED; i++) {
        pthread_t t;
        CHECK_EQ(pthread_create(&t, &attr, detached, (void *)i), 0);
    }
    for (int i = 0; i < 1000 && ended < DETACHED; i++) {
        usleep(1000);
    }
    CHECK_EQ(ended, DETACHED);
}

int main(void) {
    long id = syscall(SYS_gettid);
    many_at_once();
    preempted();
    one_after_the_other();
    alone();
    CHECK_EQ(syscall(SYS_gettid), id);
    return 0;
}
