/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The first thread may leave before the others: the process ends with the last
 * one, here by exit().
 * cpus: 1 4
 * expect-status: 7
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *late(void *arg) {
    (void)arg;
    usleep(50000);
    puts("the other thread ends it");
    exit(7);
}

int main(void) {
    pthread_t t;
    if (pthread_create(&t, NULL, late, NULL)) {
        return 1;
    }
    puts("the first thread leaves");
    fflush(stdout);
    pthread_exit(NULL);
}
