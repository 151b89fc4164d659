/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Times that were over before the machine was started: waits for a condition, a
 * lock, a semaphore and a sleep end at once.
 * expect-stdout: ok
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void *body(void *arg) {
    const struct timespec *past = arg;
    CHECK_EQ(pthread_mutex_timedlock(&held, past), ETIMEDOUT);
    pthread_mutex_lock(&mutex);
    CHECK_EQ(pthread_cond_timedwait(&cond, &mutex, past), ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(void) {
    sem_t sem;
    sem_init(&sem, 0, 0);
    pthread_mutex_lock(&held);
    for (int second = 0; second < 2; second++) {
        struct timespec past = {second * 1000000000L, 2};
        CHECK_ERRNO(sem_timedwait(&sem, &past), ETIMEDOUT);
        CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL), 0);
        pthread_t t;
        CHECK_EQ(pthread_create(&t, NULL, body, &past), 0);
        pthread_join(t, NULL);
    }
    return check_done();
}
