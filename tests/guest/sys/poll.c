/* SPDX-License-Identifier: BSD-3-Clause
 *
 * poll and ppoll: what is ready, what is waited for, the signal mask during
 * the wait.
 * stdin-from: printf 0123456789
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static volatile int caught;

static void handler(int sig) {
    (void)sig;
    caught++;
}

static long long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static void what_is_ready(void) {
    int null = open("/dev/null", O_RDWR);
    struct pollfd f[4] = {
        {1, POLLOUT, 7}, {99, POLLIN, 7}, {-1, POLLIN, 7}, {null, POLLIN | POLLOUT, 7}};
    CHECK_EQ(syscall(SYS_poll, f, 4, 0), 3);
    CHECK_EQ(f[0].revents, POLLOUT);
    CHECK_EQ(f[1].revents, POLLNVAL); /* no such descriptor */
    CHECK_EQ(f[2].revents, 0);        /* left out */
    CHECK_EQ(f[3].revents, POLLIN | POLLOUT);
    f[3].events = 0;
    CHECK_EQ(syscall(SYS_poll, f + 3, 1, 0), 0);
    CHECK_EQ(f[3].revents, 0);
    int path = open("/dev/null", O_PATH);
    f[0] = (struct pollfd){path, POLLIN, 0};
    CHECK_EQ(syscall(SYS_poll, f, 1, 0), 1);
    CHECK_EQ(f[0].revents, POLLNVAL);
    CHECK_EQ(close(path), 0);
    CHECK_EQ(close(null), 0);
}

static void standard_input(void) {
    struct pollfd in = {0, POLLIN, 0};
    char text[16];
    CHECK_EQ(syscall(SYS_poll, &in, 1, -1), 1);
    CHECK_EQ(in.revents & POLLIN, POLLIN);
    CHECK_EQ(read(0, text, 3), 3);
    in.revents = 0;
    CHECK_EQ(syscall(SYS_poll, &in, 1, 1000), 1); /* more is there */
    CHECK_EQ(in.revents & POLLIN, POLLIN);
    CHECK_EQ(read(0, text, sizeof text), 7);
    CHECK_EQ(syscall(SYS_poll, &in, 1, -1), 1); /* the end is an event too */
    CHECK_EQ(in.revents & (POLLIN | POLLHUP) & ~POLLIN, POLLHUP);
    CHECK_EQ(read(0, text, sizeof text), 0);
}

static void waiting(void) {
    struct timespec t = {0, 20000000};
    long long start = now_ms();
    CHECK_EQ(syscall(SYS_poll, NULL, 0, 20), 0);
    CHECK(now_ms() - start >= 19);
    start = now_ms();
    CHECK_EQ(syscall(SYS_ppoll, NULL, 0, &t, NULL, 8), 0);
    CHECK(now_ms() - start >= 19);
    CHECK_EQ(t.tv_sec, 0);
    CHECK_EQ(t.tv_nsec, 0); /* the rest of the time */
    CHECK(now_ms() - start < 5000);
}

static void errors(void) {
    struct pollfd out = {1, POLLOUT, 0};
    struct timespec t = {0, -1};
    sigset_t set;
    sigemptyset(&set);
    CHECK_ERRNO(syscall(SYS_poll, 8, 1, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_poll, NULL, 100000000, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_ppoll, &out, 1, &t, NULL, 8), EINVAL);
    t = (struct timespec){-1, 0};
    CHECK_ERRNO(syscall(SYS_ppoll, &out, 1, &t, NULL, 8), EINVAL);
    t = (struct timespec){1, 0};
    CHECK_ERRNO(syscall(SYS_ppoll, &out, 1, &t, &set, 4), EINVAL);
    CHECK_ERRNO(syscall(SYS_ppoll, &out, 1, &t, 8, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_ppoll, &out, 1, 8, NULL, 8), EFAULT);
    CHECK_EQ(syscall(SYS_ppoll, &out, 1, &t, &set, 8), 1);
    CHECK_EQ(t.tv_sec == 1 || t.tv_nsec > 900000000, 1); /* nearly all is left */
}

static void masks(void) {
    struct pollfd out = {1, POLLOUT, 0};
    struct timespec t = {5, 0};
    sigset_t usr1, none, now;
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    signal(SIGUSR1, handler);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    raise(SIGUSR1);
    CHECK_EQ(caught, 0);
    CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, &t, &none, 8), EINTR);
    CHECK_EQ(caught, 1);
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK_EQ(sigismember(&now, SIGUSR1), 1); /* the mask is back */
    raise(SIGUSR1);
    t = (struct timespec){5, 0};
    CHECK_EQ(syscall(SYS_ppoll, &out, 1, &t, &none, 8), 1); /* ready: no waiting */
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK_EQ(sigismember(&now, SIGUSR1), 1);
    printf("caught with a ready descriptor: %d\n", caught);
}

int main(void) {
    what_is_ready();
    standard_input();
    waiting();
    errors();
    masks();
    return check_done();
}
