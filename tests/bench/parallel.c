/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Two threads compute; prints the milliseconds from before the first to after
 * the last.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { THREADS = 2, STEPS = 60000000 };

static void *compute(void *arg) {
    uint64_t x = (uintptr_t)arg;
    for (int i = 0; i < STEPS; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        __asm__ volatile("" : "+r"(x));
    }
    return (void *)(uintptr_t)x;
}

int main(void) {
    pthread_t t[THREADS];
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (uintptr_t i = 0; i < THREADS; i++) {
        pthread_create(&t[i], NULL, compute, (void *)i);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%.1f\n", (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6);
    return 0;
}
