/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ten thousand threads at once, all asleep, in less than 40 KiB each, woken
 * together; and the memory serves the next ten thousand.
 * zuk: -m 512
 * timeout: 60
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 10000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t go = PTHREAD_COND_INITIALIZER;
static pthread_t threads[THREADS];
static int asleep, turn;

static void *wait_for_turn(void *arg) {
    pthread_mutex_lock(&lock);
    int mine = turn;
    asleep++;
    while (turn == mine) {
        pthread_cond_wait(&go, &lock);
    }
    asleep--;
    pthread_mutex_unlock(&lock);
    return arg;
}

static unsigned long free_kib(void) {
    struct sysinfo s;
    CHECK_EQ(sysinfo(&s), 0);
    return s.freeram * s.mem_unit / 1024;
}

static void once(void) {
    pthread_attr_t a;
    CHECK_EQ(pthread_attr_init(&a), 0);
    CHECK_EQ(pthread_attr_setstacksize(&a, 32768), 0);
    for (int i = 0; i < THREADS; i++) {
        int r = pthread_create(&threads[i], &a, wait_for_turn, &threads[i]);
        if (r != 0) {
            CHECK_EQ(r, 0);
            exit(1);
        }
    }
    for (int now = 0; now < THREADS;) {
        usleep(1000);
        pthread_mutex_lock(&lock);
        now = asleep;
        pthread_mutex_unlock(&lock);
    }
}

static void end(void) {
    pthread_mutex_lock(&lock);
    turn++;
    pthread_cond_broadcast(&go);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        CHECK_EQ(pthread_join(threads[i], &result), 0);
        CHECK(result == &threads[i]);
    }
    CHECK_EQ(asleep, 0);
}

int main(void) {
    int guest = access("/proc/sys/kernel/osrelease", R_OK) == 0 && getpid() == 1;
    unsigned long before = free_kib();
    once();
    unsigned long each = (before - free_kib()) / THREADS;
    CHECK(!guest || each < 40);
    end();
    once();
    CHECK(!guest || (before - free_kib()) / THREADS <= each + 1);
    end();
    return check_done();
}
