/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A thread runs where sched_setaffinity says, itself, another, and one that is
 * made later; what cannot be is refused.
 * cpus: 1 4
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static cpu_set_t all;
static atomic_int go, id;

static int pin(pid_t who, int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(who, sizeof one, &one);
}

static int next_cpu(int cpu) {
    do {
        cpu = (cpu + 1) % CPU_SETSIZE;
    } while (!CPU_ISSET(cpu, &all));
    return cpu;
}

static void *is_here(void *arg) {
    CHECK_EQ(sched_getcpu(), *(int *)arg);
    cpu_set_t set;
    CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    CHECK_EQ(CPU_COUNT(&set), 1);
    CHECK(CPU_ISSET(*(int *)arg, &set));
    return NULL;
}

static void *goes(void *arg) {
    id = gettid();
    while (!go) {
        sched_yield();
    }
    return is_here(arg);
}

int main(void) {
    pthread_t t;
    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    CHECK_EQ(CPU_COUNT(&all), sysconf(_SC_NPROCESSORS_ONLN));
    int cpu = -1;
    for (int i = 0; i < 2 * CPU_COUNT(&all); i++) {
        cpu = next_cpu(cpu < 0 ? CPU_SETSIZE - 1 : cpu);
        CHECK_EQ(pin(0, cpu), 0);
        for (int k = 0; k < 100; k++) {
            CHECK_EQ(sched_getcpu(), cpu);
            if (k % 10 == 0) {
                usleep(100);
            }
        }
        CHECK_EQ(pthread_create(&t, NULL, is_here, &cpu), 0);
        CHECK_EQ(pthread_join(t, NULL), 0);
    }
    int other = next_cpu(cpu);
    CHECK_EQ(pthread_create(&t, NULL, goes, &other), 0);
    while (!id) {
        sched_yield();
    }
    CHECK_EQ(pin(id, other), 0);
    go = 1;
    CHECK_EQ(pthread_join(t, NULL), 0);

    CHECK_EQ(sched_setaffinity(0, sizeof all, &all), 0);
    cpu_set_t none, now;
    CPU_ZERO(&none);
    errno = 0;
    CHECK(sched_setaffinity(0, sizeof none, &none) == -1 && errno == EINVAL);
    errno = 0;
    CHECK(sched_setaffinity(999999, sizeof all, &all) == -1 && errno == ESRCH);
    errno = 0;
    CHECK(sched_getaffinity(0, 1, &now) == -1 && errno == EINVAL);
    errno = 0;
    CHECK(sched_getaffinity(999999, sizeof now, &now) == -1 && errno == ESRCH);
    CHECK_EQ(sched_getaffinity(0, sizeof now, &now), 0);
    CHECK(CPU_EQUAL(&now, &all));
    return check_done();
}
