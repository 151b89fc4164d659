/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Two threads wait for each other's lock: every one of them is in the report.
 * cpus: 1 4
 * native: skip it would never end
 * expect-status: 4
 * expect-stdout: both wait
 * expect-stderr-contains: deadlock
 * expect-stderr-contains: thread 1
 * expect-stderr-contains: thread 2
 * expect-stderr-contains: take_both
 * isolate: test
 */
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t locks[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

static pthread_barrier_t both;

__attribute__((noinline)) static void *take_both(void *arg) {
    int first = arg != NULL;
    pthread_mutex_lock(&locks[first]);
    pthread_barrier_wait(&both); /* each holds one now */
    if (first) {
        puts("both wait");
        fflush(stdout);
    }
    pthread_mutex_lock(&locks[!first]);
    pthread_mutex_unlock(&locks[!first]);
    pthread_mutex_unlock(&locks[first]);
    return NULL;
}

int main(void) {
    pthread_t t;
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&t, NULL, take_both, &t);
    take_both(NULL);
    pthread_join(t, NULL);
    return 0;
}
