/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Epolls that watch epolls: events come through, loops and long chains are
 * refused, poll sees an epoll.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "check.h"

static int add(int ep, int fd, uint32_t events) {
    struct epoll_event e = {.events = events, .data.fd = fd};
    return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static int ready(int ep) {
    struct epoll_event e;
    int n = epoll_wait(ep, &e, 1, 0);
    return n == 1 ? e.data.fd : -n - 1;
}

static void *later(void *arg) {
    uint64_t one = 1;
    usleep(10000);
    CHECK_EQ(write(*(int *)arg, &one, 8), 8);
    return NULL;
}

int main(void) {
    uint64_t n;
    pthread_t t;
    struct epoll_event e;
    int ep[8], fd = eventfd(0, 0);
    for (int i = 0; i < 8; i++)
        ep[i] = epoll_create1(0);
    /* 0 watches 1, which watches 2, which watches fd. */
    CHECK_EQ(add(ep[0], ep[1], EPOLLIN), 0);
    CHECK_EQ(add(ep[1], ep[2], EPOLLIN), 0);
    CHECK_EQ(add(ep[2], fd, EPOLLIN), 0);
    CHECK_EQ(ready(ep[0]), -1);
    pthread_create(&t, NULL, later, &fd);
    CHECK_EQ(epoll_wait(ep[0], &e, 1, -1), 1);
    CHECK_EQ(e.data.fd, ep[1]);
    pthread_join(t, NULL);
    CHECK_EQ(ready(ep[1]), ep[2]);
    CHECK_EQ(ready(ep[2]), fd);
    struct pollfd p = {ep[0], POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLIN);
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK_EQ(ready(ep[0]), -1);
    CHECK_EQ(poll(&p, 1, 0), 0);
    pthread_create(&t, NULL, later, &fd);
    CHECK_EQ(poll(&p, 1, -1), 1); /* woken through three of them */
    pthread_join(t, NULL);
    /* Loops. */
    CHECK_ERRNO(add(ep[2], ep[0], EPOLLIN), ELOOP);
    CHECK_ERRNO(add(ep[1], ep[0], EPOLLIN), ELOOP);
    CHECK_ERRNO(add(ep[1], ep[1], EPOLLIN), EINVAL);
    CHECK_ERRNO(add(ep[0], ep[3], EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
    /* Chains. */
    CHECK_EQ(add(ep[3], ep[0], EPOLLIN), 0);
    CHECK_EQ(add(ep[4], ep[3], EPOLLIN), 0);
    CHECK_ERRNO(add(ep[5], ep[4], EPOLLIN), ELOOP);
    CHECK_ERRNO(add(ep[2], ep[5], EPOLLIN), ELOOP);
    CHECK_EQ(add(ep[0], ep[5], EPOLLIN), 0);
    CHECK_EQ(ready(ep[4]), ep[3]);
    close(ep[1]); /* in the middle */
    CHECK_EQ(ready(ep[4]), -1);
    CHECK_EQ(ready(ep[2]), fd);
    /* Edges come through once. */
    CHECK_EQ(add(ep[6], ep[2], EPOLLIN | EPOLLET), 0);
    CHECK_EQ(ready(ep[6]), ep[2]);
    CHECK_EQ(ready(ep[6]), -1);
    return check_done();
}
