/* SPDX-License-Identifier: BSD-3-Clause
 *
 * AF_UNIX between threads: a server with epoll and several clients, waiting to
 * connect, to send, to receive all, and timeouts.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0guest-threads"};
#define SIZE (2 + 14)

static void *client(void *arg) {
    char b[16];
    int id = *(int *)arg, s = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(connect(s, (const struct sockaddr *)&address, SIZE), 0); /* may have to wait */
    for (int i = 0; i < 20; i++) {
        char out[16];
        int n = snprintf(out, sizeof out, "%d-%03d!", id, i);
        CHECK_EQ(send(s, out, (size_t)n, 0), n);
        CHECK_EQ(recv(s, b, (size_t)n, MSG_WAITALL), n);
        CHECK(memcmp(b, out, (size_t)n) == 0);
    }
    close(s);
    return NULL;
}

static void serve(void) {
    pthread_t t[4];
    int ids[4], l = socket(AF_UNIX, SOCK_STREAM, 0), ep = epoll_create1(0), open = 0, echoed = 0;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = l};
    CHECK_EQ(bind(l, (const struct sockaddr *)&address, SIZE), 0);
    CHECK_EQ(listen(l, 0), 0);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, l, &e), 0);
    for (int i = 0; i < 4; i++) {
        ids[i] = i;
        pthread_create(&t[i], NULL, client, &ids[i]);
    }
    int accepted = 0;
    while (accepted < 4 || open) {
        char b[4]; /* smaller than a message: several reads */
        CHECK_EQ(epoll_wait(ep, &e, 1, -1), 1);
        if (e.data.fd == l) {
            int s = accept(l, NULL, NULL);
            CHECK(s >= 0);
            e = (struct epoll_event){.events = EPOLLIN | EPOLLRDHUP, .data.fd = s};
            CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, s, &e), 0);
            accepted++;
            open++;
            continue;
        }
        ssize_t n = read(e.data.fd, b, sizeof b);
        if (n <= 0) {
            CHECK_EQ(n, 0);
            close(e.data.fd);
            open--;
            continue;
        }
        echoed += (int)n;
        CHECK_EQ(write(e.data.fd, b, (size_t)n), n);
    }
    CHECK_EQ(echoed, 4 * 20 * 6);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    close(l);
    close(ep);
}

static char big[500000];

static void *writer(void *arg) {
    CHECK_EQ(write(*(int *)arg, big, sizeof big), sizeof big);
    return NULL;
}

static void waiting(void) {
    int p[2];
    pthread_t t;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i % 251);
    pthread_create(&t, NULL, writer, &p[0]);
    static char back[sizeof big];
    CHECK_EQ(recv(p[1], back, sizeof back, MSG_WAITALL), sizeof back);
    CHECK(memcmp(big, back, sizeof big) == 0);
    pthread_join(t, NULL);
    struct timeval soon = {0, 5000};
    CHECK_EQ(setsockopt(p[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon), 0);
    CHECK_ERRNO(recv(p[1], back, 1, 0), EAGAIN);
    CHECK_EQ(setsockopt(p[0], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon), 0);
    ssize_t sent = 0, n;
    while ((n = send(p[0], big, 100000, MSG_NOSIGNAL)) > 0)
        sent += n;
    CHECK(sent > 100000);
    CHECK_EQ(n, -1);
    close(p[0]);
    close(p[1]);
}

static void *poke(void *arg) {
    usleep(10000);
    CHECK_EQ(shutdown(*(int *)arg, SHUT_RD), 0);
    return NULL;
}

static void shut(void) {
    int p[2];
    char c;
    pthread_t t;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, p), 0);
    pthread_create(&t, NULL, poke, &p[1]);
    CHECK_EQ(read(p[1], &c, 1), 0);
    pthread_join(t, NULL);
    close(p[0]);
    close(p[1]);
}

int main(void) {
    serve();
    waiting();
    shut();
    return check_done();
}
