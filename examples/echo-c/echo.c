/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An echo server in one thread: what a client sends comes back to it.  It
 * waits with epoll, and a client that does not read is not read from either.
 *
 *     echo [PORT]        7 if absent
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    int fd;
    size_t from, to; /* of buffer: what is to go back */
    char buffer[16384];
};

static int queue;

static void watch(struct client *c, int how) {
    struct epoll_event e = {.events = c->from < c->to ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    if (epoll_ctl(queue, how, c->fd, &e) < 0)
        perror("echo: epoll_ctl");
}

static void end(struct client *c) {
    close(c->fd);
    free(c);
}

/* One step: some bytes in, or some out. */
static void serve(struct client *c) {
    ssize_t n;
    if (c->from < c->to) {
        n = send(c->fd, c->buffer + c->from, c->to - c->from, MSG_NOSIGNAL);
        c->from += n > 0 ? (size_t)n : 0;
    } else {
        n = recv(c->fd, c->buffer, sizeof c->buffer, 0);
        c->from = 0;
        c->to = n > 0 ? (size_t)n : 0;
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        end(c);
    else
        watch(c, EPOLL_CTL_MOD);
}

static void welcome(int listening) {
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct client *c = fd < 0 ? NULL : calloc(1, sizeof *c);
    if (c == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    c->fd = fd;
    watch(c, EPOLL_CTL_ADD);
}

int main(int argc, char **argv) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    struct epoll_event events[64], e = {.events = EPOLLIN};
    int on = 1, listening = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a.sin6_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 7));
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    queue = epoll_create1(EPOLL_CLOEXEC);
    if (listening < 0 || bind(listening, (struct sockaddr *)&a, sizeof a) < 0 ||
        listen(listening, 512) < 0 || queue < 0 ||
        epoll_ctl(queue, EPOLL_CTL_ADD, listening, &e) < 0) {
        fprintf(stderr, "echo: %s\n", strerror(errno));
        return 1;
    }
    for (;;) {
        int n = epoll_wait(queue, events, 64, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL)
                welcome(listening);
            else
                serve(events[i].data.ptr);
        }
    }
}
