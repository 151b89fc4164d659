/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Each thread has its own CPU clock, by pthread_getcpuclockid, getrusage and
 * CLOCK_THREAD_CPUTIME_ID; the process's is their sum.
 * cpus: 1 2
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static atomic_int done, over;

static long ms_of(clockid_t clock) {
    struct timespec t = {-1, 0};
    CHECK_EQ(clock_gettime(clock, &t), 0);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long ms_used(int who) {
    struct rusage r;
    CHECK_EQ(getrusage(who, &r), 0);
    return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 +
           (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000;
}

static void *works(void *arg) {
    while (ms_of(CLOCK_THREAD_CPUTIME_ID) < 100) {
    }
    CHECK(ms_used(RUSAGE_THREAD) >= 95);
    done++;
    while (!over) {
        usleep(1000);
    }
    return arg;
}

static void *sleeps(void *arg) {
    usleep(50000);
    CHECK(ms_of(CLOCK_THREAD_CPUTIME_ID) < 40);
    CHECK(ms_used(RUSAGE_THREAD) < 40);
    done++;
    while (!over) {
        usleep(1000);
    }
    return arg;
}

int main(void) {
    pthread_t worker[2], sleeper;
    clockid_t clock[3];
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&worker[i], NULL, works, NULL), 0);
        CHECK_EQ(pthread_getcpuclockid(worker[i], &clock[i]), 0);
    }
    CHECK_EQ(pthread_create(&sleeper, NULL, sleeps, NULL), 0);
    CHECK_EQ(pthread_getcpuclockid(sleeper, &clock[2]), 0);
    while (done < 3) {
        usleep(5000);
    }
    long a = ms_of(clock[0]), b = ms_of(clock[1]), c = ms_of(clock[2]);
    long all = ms_of(CLOCK_PROCESS_CPUTIME_ID);
    CHECK(a >= 100 && b >= 100);
    CHECK(c < 60);
    CHECK(all >= a + b);
    CHECK(ms_used(RUSAGE_SELF) >= 195);
    over = 1;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_join(worker[i], NULL), 0);
    }
    CHECK_EQ(pthread_join(sleeper, NULL), 0);
    CHECK(ms_of(CLOCK_PROCESS_CPUTIME_ID) >= all); /* the dead count */
    struct timespec t;
    CHECK_ERRNO(clock_gettime(clock[0], &t), EINVAL);
    return check_done();
}
