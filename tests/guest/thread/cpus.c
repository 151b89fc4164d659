/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How many CPUs there are, wherever a program may look, before and after the
 * second thread; and threads do run on all of them.
 * native: skip the host has another number
 * cpus: 3
 * expect-stdout: 3 3 cpuinfo 3 stat 3 online 0-2
 * expect-stdout: 3 3 cpuinfo 3 stat 3 online 0-2
 * expect-stdout: threads ran on 3
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_uint seen;

static int count(const char *path, const char *start) {
    char line[512];
    int n = 0;
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        n += strncmp(line, start, strlen(start)) == 0 && line[strlen(start)] != ' ';
    }
    return n;
}

static void tell(void) {
    char online[64] = "";
    FILE *f = fopen("/sys/devices/system/cpu/online", "r");
    fgets(online, sizeof online, f);
    printf("%ld %ld cpuinfo %d stat %d online %s", sysconf(_SC_NPROCESSORS_ONLN),
           sysconf(_SC_NPROCESSORS_CONF), count("/proc/cpuinfo", "processor"),
           count("/proc/stat", "cpu"), online);
}

static void *look(void *arg) {
    while (seen != 7) {
        seen |= 1u << sched_getcpu();
    }
    return arg;
}

int main(void) {
    pthread_t t[3];
    tell();
    for (int i = 0; i < 3; i++) {
        pthread_create(&t[i], NULL, look, NULL);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
    }
    tell();
    printf("threads ran on %d\n", __builtin_popcount(seen));
    return 0;
}
