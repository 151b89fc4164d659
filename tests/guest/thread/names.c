/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A thread names another by /proc/self/task/ID/comm, and reads what it says of
 * itself there; the folders of task/ are the threads that live.
 * cpus: 1 4
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 3 };
static atomic_int ids[THREADS], stage;

static void *named(void *arg) {
    char name[16] = "";
    int i = (int)(long)arg;
    CHECK_EQ(prctl(PR_SET_NAME, "before"), 0);
    ids[i] = gettid();
    while (!stage) {
        usleep(1000);
    }
    CHECK_EQ(prctl(PR_GET_NAME, name), 0);
    char want[16];
    snprintf(want, sizeof want, "worker-%d", i);
    CHECK(strcmp(name, want) == 0);
    while (stage == 1) {
        usleep(1000);
    }
    return arg;
}

static int task_count(void) {
    DIR *d = opendir("/proc/self/task");
    int n = 0;
    struct dirent *e;
    while (d && (e = readdir(d))) {
        n += e->d_name[0] != '.';
    }
    closedir(d);
    return n;
}

static int read_all(const char *path, char *buf, int size) {
    int fd = open(path, O_RDONLY), n = fd < 0 ? -1 : (int)read(fd, buf, (size_t)size - 1);
    buf[n < 0 ? 0 : n] = 0;
    close(fd);
    return n;
}

int main(void) {
    pthread_t t[THREADS];
    char path[64], text[2048], want[64];
    for (long i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_create(&t[i], NULL, named, (void *)i), 0);
        while (!ids[i]) {
            usleep(1000);
        }
    }
    CHECK_EQ(task_count(), THREADS + 1);
    for (int i = 0; i < THREADS; i++) {
        snprintf(path, sizeof path, "/proc/self/task/%d/comm", ids[i]);
        CHECK(read_all(path, text, sizeof text) == 7 && strcmp(text, "before\n") == 0);
        int fd = open(path, O_WRONLY);
        int n = snprintf(text, sizeof text, "worker-%d", i);
        CHECK_EQ(write(fd, text, (size_t)n), n);
        close(fd);
        snprintf(path, sizeof path, "/proc/self/task/%d/status", ids[i]);
        CHECK(read_all(path, text, sizeof text) > 0);
        snprintf(want, sizeof want, "Name:\tworker-%d\n", i);
        CHECK(strncmp(text, want, strlen(want)) == 0);
        snprintf(want, sizeof want, "\nPid:\t%d\n", ids[i]);
        CHECK(strstr(text, want) != NULL);
        CHECK(strstr(text, "\nThreads:\t4\n") != NULL);
        snprintf(path, sizeof path, "/proc/self/task/%d/stat", ids[i]);
        CHECK(read_all(path, text, sizeof text) > 0);
        CHECK_EQ(atoi(text), ids[i]);
    }
    stage = 1;
    usleep(20000);
    stage = 2;
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    }
    for (int i = 0; i < 1000 && task_count() > 1; i++) {
        usleep(1000);
    }
    CHECK_EQ(task_count(), 1);
    CHECK_EQ(access(path, F_OK), -1);
    return check_done();
}
