/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pipes between threads: waiting for bytes, for room, for the other end; small
 * writes of several threads stay whole; a signal ends a wait.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asleep.h"
#include "check.h"
#include "scratch.h"

static int p[2];
#define TOTAL (1 << 20)

static void *feed(void *arg) {
    static uint8_t b[100000];
    size_t done = 0;
    (void)arg;
    for (size_t i = 0; i < sizeof b; i++)
        b[i] = (uint8_t)(i * 7);
    while (done < TOTAL) {
        size_t n = TOTAL - done < sizeof b ? TOTAL - done : sizeof b;
        CHECK_EQ(write(p[1], b, n), n);
        done += n;
    }
    close(p[1]);
    return NULL;
}

static void stream(void) {
    static uint8_t b[30000];
    pthread_t t;
    size_t done = 0;
    ssize_t n;
    int wrong = 0;
    CHECK_EQ(pipe(p), 0);
    pthread_create(&t, NULL, feed, NULL);
    while ((n = read(p[0], b, sizeof b)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            wrong += b[i] != (uint8_t)((done + (size_t)i) % 100000 * 7);
        done += (size_t)n;
    }
    CHECK_EQ(n, 0);
    CHECK_EQ(done, TOTAL);
    CHECK_EQ(wrong, 0);
    pthread_join(t, NULL);
    close(p[0]);
}

#define LINE 1500
static void *lines(void *arg) {
    char line[LINE];
    memset(line, *(char *)arg, LINE);
    for (int i = 0; i < 60; i++)
        CHECK_EQ(write(p[1], line, LINE), LINE);
    return NULL;
}

static void whole(void) {
    static char b[LINE];
    static char letters[] = "abc";
    pthread_t t[3];
    int counts[3] = {0, 0, 0}, mixed = 0;
    CHECK_EQ(pipe(p), 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, lines, &letters[i]);
    for (int i = 0; i < 180; i++) {
        size_t got = 0;
        while (got < LINE) {
            ssize_t n = read(p[0], b + got, LINE - got);
            if (n <= 0)
                break;
            got += (size_t)n;
        }
        for (int k = 1; k < LINE; k++)
            mixed += b[k] != b[0];
        counts[b[0] - 'a']++;
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
        CHECK_EQ(counts[i], 60);
    }
    CHECK_EQ(mixed, 0);
    close(p[0]);
    close(p[1]);
}

static void on_usr1(int n) {
    (void)n;
}

static void *poke(void *arg) {
    until_asleep(getpid());
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    return NULL;
}

static void interrupted(void) {
    pthread_t self = pthread_self(), t;
    struct sigaction a = {.sa_handler = on_usr1};
    char c;
    sigaction(SIGUSR1, &a, NULL);
    CHECK_EQ(pipe(p), 0);
    pthread_create(&t, NULL, poke, &self);
    CHECK_ERRNO(read(p[0], &c, 1), EINTR);
    pthread_join(t, NULL);
    static char big[70000];
    pthread_create(&t, NULL, poke, &self);
    CHECK_EQ(write(p[1], big, sizeof big), 65536); /* what went before the signal */
    pthread_join(t, NULL);
    pthread_create(&t, NULL, poke, &self);
    CHECK_ERRNO(write(p[1], big, 1), EINTR);
    pthread_join(t, NULL);
    close(p[0]);
    close(p[1]);
    pthread_create(&t, NULL, poke, &self);
    CHECK_ERRNO(open("fifo", O_RDONLY), EINTR);
    pthread_join(t, NULL);
}

static void *open_writer(void *arg) {
    (void)arg;
    usleep(10000);
    int fd = open("fifo", O_WRONLY);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "through", 7), 7);
    close(fd);
    return NULL;
}

static void fifo(void) {
    pthread_t t;
    char b[16];
    struct stat s;
    pthread_create(&t, NULL, open_writer, NULL);
    int fd = open("fifo", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQ(read(fd, b, sizeof b), 7);
    CHECK_EQ(read(fd, b, sizeof b), 0);
    pthread_join(t, NULL);
    CHECK_EQ(fstat(fd, &s), 0);
    CHECK(S_ISFIFO(s.st_mode) && (s.st_mode & 0777) == 0640);
    close(fd);
}

int main(void) {
    scratch_enter();
    CHECK_EQ(mkfifo("fifo", 0640), 0);
    stream();
    whole();
    interrupted();
    fifo();
    scratch_leave();
    return check_done();
}
