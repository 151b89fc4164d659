/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A fault in a thread that is not the first ends the app, and the report says
 * whose it was.
 * cpus: 1 4
 * native: status 139
 * expect-status: 139
 * expect-stderr-contains: null pointer
 * expect-stderr-contains: crash.c:@LINE:here@
 * expect-stderr-contains: thread 2
 * isolate: test
 */
#include <pthread.h>
#include <stdio.h>

static void *fail(void *arg) {
    *(volatile int *)arg = 1; // here
    return NULL;
}

int main(void) {
    pthread_t t;
    puts("before");
    fflush(stdout);
    pthread_create(&t, NULL, fail, NULL);
    pthread_join(t, NULL);
    return 0;
}
