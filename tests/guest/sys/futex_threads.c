/* SPDX-License-Identifier: BSD-3-Clause
 *
 * futex.c again in a program that could start threads: then the full
 * implementation is linked, and must answer the same.
 * isolate: test
 * cpus: 1 4
 */
#include <pthread.h>

#define main without_threads
#include "futex.c"
#undef main

static volatile int never;

static void *idle(void *arg) {
    return arg;
}

int main(void) {
    pthread_t thread;
    if (never) {
        pthread_create(&thread, NULL, idle, NULL);
    }
    return without_threads();
}
