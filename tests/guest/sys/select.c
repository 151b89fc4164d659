/* SPDX-License-Identifier: BSD-3-Clause
 *
 * select and pselect6: the sets, the time that is left, the signal mask.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static volatile int caught;

static void handler(int sig) {
    (void)sig;
    caught++;
}

static long select6(int count, fd_set *r, fd_set *w, fd_set *x, struct timespec *t,
                    const sigset_t *set) {
    struct {
        const sigset_t *set;
        size_t size;
    } mask = {set, 8};
    return syscall(SYS_pselect6, count, r, w, x, t, &mask);
}

static void sets(void) {
    fd_set r, w, x;
    struct timeval t = {0, 0};
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_ZERO(&x);
    int null = open("/dev/null", O_RDONLY);
    FD_SET(null, &r);
    FD_SET(1, &w);
    FD_SET(1, &x);
    CHECK_EQ(syscall(SYS_select, null + 1, &r, &w, &x, &t), 2);
    CHECK(FD_ISSET(null, &r) && !FD_ISSET(1, &r));
    CHECK_EQ(close(null), 0);
    CHECK(FD_ISSET(1, &w) && !FD_ISSET(0, &w));
    CHECK(!FD_ISSET(1, &x)); /* nothing exceptional */
    FD_ZERO(&r);
    FD_SET(0, &r); /* standard input, at its end */
    CHECK_EQ(syscall(SYS_select, 1, &r, NULL, NULL, NULL), 1);
    CHECK(FD_ISSET(0, &r));
    CHECK_EQ(dup2(1, 70), 70);
    FD_SET(70, &w); /* in the second word */
    CHECK_EQ(syscall(SYS_select, 71, NULL, &w, NULL, &t), 2);
    CHECK(FD_ISSET(70, &w) && FD_ISSET(1, &w));
    CHECK_EQ(syscall(SYS_select, 70, NULL, &w, NULL, &t), 1); /* below 70 only */
    CHECK(FD_ISSET(1, &w));
    CHECK_EQ(close(70), 0);
    FD_ZERO(&r);
    CHECK_EQ(syscall(SYS_select, 64, &r, NULL, NULL, &t), 0);
}

static void errors(void) {
    fd_set r;
    struct timeval t = {0, 0};
    FD_ZERO(&r);
    FD_SET(50, &r);
    CHECK_ERRNO(syscall(SYS_select, 51, &r, NULL, NULL, &t), EBADF);
    CHECK_ERRNO(syscall(SYS_select, -1, NULL, NULL, NULL, &t), EINVAL);
    CHECK_ERRNO(syscall(SYS_select, 8, 8, NULL, NULL, &t), EFAULT);
    CHECK_ERRNO(syscall(SYS_select, 0, NULL, NULL, NULL, 8), EFAULT);
    t.tv_sec = -1;
    CHECK_ERRNO(syscall(SYS_select, 0, NULL, NULL, NULL, &t), EINVAL);
    struct timespec bad = {0, 1000000000};
    sigset_t none;
    sigemptyset(&none);
    CHECK_ERRNO(select6(0, NULL, NULL, NULL, &bad, NULL), EINVAL);
    CHECK_ERRNO(select6(0, NULL, NULL, NULL, (void *)8, NULL), EFAULT);
    CHECK_ERRNO(select6(-1, NULL, NULL, NULL, NULL, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, 8), EFAULT);
}

static void waiting(void) {
    struct timeval t = {0, 20000};
    struct timespec before, after, p = {0, 10000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    CHECK_EQ(syscall(SYS_select, 0, NULL, NULL, NULL, &t), 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long long ns = (after.tv_sec - before.tv_sec) * 1000000000ll + after.tv_nsec - before.tv_nsec;
    CHECK(ns >= 20000000 && ns < 5000000000);
    CHECK(t.tv_sec == 0 && t.tv_usec == 0); /* nothing is left */
    CHECK_EQ(select6(0, NULL, NULL, NULL, &p, NULL), 0);
    CHECK(p.tv_sec == 0 && p.tv_nsec == 0);
    t.tv_sec = 100;
    fd_set w;
    FD_ZERO(&w);
    FD_SET(1, &w);
    CHECK_EQ(syscall(SYS_select, 2, NULL, &w, NULL, &t), 1);
    CHECK(t.tv_sec >= 90); /* what was not needed */
}

static void masks(void) {
    struct timespec t = {5, 0};
    sigset_t usr1, none, now;
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    signal(SIGUSR1, handler);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    raise(SIGUSR1);
    struct timeval short_time = {0, 1000};
    CHECK_EQ(syscall(SYS_select, 0, NULL, NULL, NULL, &short_time), 0); /* blocked all along */
    CHECK_EQ(caught, 0);
    CHECK_ERRNO(select6(0, NULL, NULL, NULL, &t, &none), EINTR);
    CHECK_EQ(caught, 1);
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK_EQ(sigismember(&now, SIGUSR1), 1);
}

int main(void) {
    sets();
    errors();
    waiting();
    masks();
    return check_done();
}
