/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Condition variables, barriers, semaphores, time-outs, and a signal that ends
 * another thread's sleep.
 * cpus: 1 4
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "asleep.h"
#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *ping(void *arg) {
    int mine = arg != NULL;
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&lock);
        while (turn % 2 != mine) {
            pthread_cond_wait(&changed, &lock);
        }
        turn++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static pthread_barrier_t barrier;
static atomic_int arrived, leaders;

static void *meet(void *arg) {
    (void)arg;
    arrived++;
    int r = pthread_barrier_wait(&barrier);
    CHECK_EQ(arrived, 5);
    CHECK(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
    leaders += r == PTHREAD_BARRIER_SERIAL_THREAD;
    return NULL;
}

static volatile sig_atomic_t caught;

static void on_signal(int number) {
    caught = number;
}

static atomic_int asleep;

static void *sleeper(void *arg) {
    (void)arg;
    struct timespec long_time = {100, 0};
    asleep = (int)syscall(SYS_gettid);
    CHECK_ERRNO(nanosleep(&long_time, NULL), EINTR);
    CHECK_EQ(caught, SIGUSR1);
    return NULL;
}

static sem_t items;

static void *producer(void *arg) {
    for (int i = 0; i < 100; i++) {
        sem_post(&items);
        if (i % 10 == 0) {
            usleep(200);
        }
    }
    return arg;
}

int main(void) {
    pthread_t t[5];
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&t[i], NULL, ping, i ? &turn : NULL), 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    }
    CHECK_EQ(turn, 1000);

    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_sec++;
        soon.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&lock);
    CHECK_EQ(pthread_cond_timedwait(&changed, &lock, &soon), ETIMEDOUT);
    pthread_mutex_unlock(&lock);

    CHECK_EQ(pthread_barrier_init(&barrier, NULL, 5), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(pthread_create(&t[i], NULL, meet, NULL), 0);
    }
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    }
    CHECK_EQ(leaders, 1);

    CHECK_EQ(sem_init(&items, 0, 0), 0);
    CHECK_EQ(pthread_create(&t[0], NULL, producer, NULL), 0);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(sem_wait(&items), 0);
    }
    CHECK_EQ(pthread_join(t[0], NULL), 0);

    struct sigaction action = {.sa_handler = on_signal};
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQ(pthread_create(&t[0], NULL, sleeper, NULL), 0);
    while (!asleep) {
        usleep(1000);
    }
    until_asleep(asleep);
    CHECK_EQ(pthread_kill(t[0], SIGUSR1), 0);
    CHECK_EQ(pthread_join(t[0], NULL), 0);
    return 0;
}
