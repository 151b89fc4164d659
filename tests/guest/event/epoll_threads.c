/* SPDX-License-Identifier: BSD-3-Clause
 *
 * epoll between threads: several that wait, a descriptor added and closed
 * during a wait, signals and the mask of epoll_pwait.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "asleep.h"
#include "check.h"

static int ep, fd;
static atomic_int taken, stop;
static volatile sig_atomic_t signals;

static int add(int what, uint32_t events) {
    struct epoll_event e = {.events = events, .data.fd = what};
    return epoll_ctl(ep, EPOLL_CTL_ADD, what, &e);
}

static void *worker(void *arg) {
    struct epoll_event e;
    uint64_t n;
    (void)arg;
    while (!stop) {
        if (epoll_wait(ep, &e, 1, -1) == 1 && e.data.fd == fd && read(fd, &n, 8) == 8)
            taken++;
    }
    return NULL;
}

static void *add_later(void *arg) {
    until_asleep(getpid());
    CHECK_EQ(add(*(int *)arg, EPOLLIN), 0);
    return NULL;
}

static void on_usr1(int n) {
    (void)n;
    signals++;
}

static void *poke(void *arg) {
    until_asleep(getpid());
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    return NULL;
}

int main(void) {
    uint64_t one = 1;
    pthread_t t[3], self = pthread_self();
    struct epoll_event e;
    ep = epoll_create1(0);
    fd = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
    int end = eventfd(0, EFD_NONBLOCK);
    CHECK_EQ(add(fd, EPOLLIN), 0);
    CHECK_EQ(add(end, EPOLLIN), 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, worker, NULL);
    for (int i = 0; i < 200; i++)
        CHECK_EQ(write(fd, &one, 8), 8);
    while (taken < 200)
        usleep(1000);
    stop = 1;
    CHECK_EQ(write(end, &one, 8), 8);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    CHECK_EQ(taken, 200);
    close(end);

    int late = eventfd(1, 0);
    pthread_create(&t[0], NULL, add_later, &late);
    CHECK_EQ(epoll_wait(ep, &e, 1, -1), 1); /* sees what is added meanwhile */
    CHECK_EQ(e.data.fd, late);
    pthread_join(t[0], NULL);
    close(late);

    struct sigaction a = {.sa_handler = on_usr1, .sa_flags = SA_RESTART};
    sigset_t set, none;
    sigaction(SIGUSR1, &a, NULL);
    pthread_create(&t[0], NULL, poke, &self);
    CHECK_ERRNO(epoll_wait(ep, &e, 1, -1), EINTR); /* never goes on */
    pthread_join(t[0], NULL);
    CHECK_EQ(signals, 1);
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_kill(self, SIGUSR1);
    CHECK_EQ(epoll_wait(ep, &e, 1, 5), 0);
    CHECK_EQ(signals, 1);
    CHECK_ERRNO(epoll_pwait(ep, &e, 1, -1, &none), EINTR);
    CHECK_EQ(signals, 2);
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR1)); /* the old mask is back */
    CHECK_EQ(write(fd, &one, 8), 8);
    CHECK_EQ(epoll_pwait(ep, &e, 1, -1, &none), 1);
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR1));
    return check_done();
}
