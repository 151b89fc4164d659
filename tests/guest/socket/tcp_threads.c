/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Threads that sleep in accept, connect, send and recv: an echo server with a
 * thread for each connection, clients that send and receive at once, 1 MiB
 * each way and each intact; a signal ends a wait.
 *
 *   timeout: 60
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

enum { CLIENTS = 4, AMOUNT = 1 << 20 };

static struct sockaddr_in6 address = {.sin6_family = AF_INET6};
static int listening;

static void *echo(void *arg) {
    int fd = (int)(intptr_t)arg;
    char b[5000];
    ssize_t n;
    while ((n = read(fd, b, sizeof b)) > 0)
        for (ssize_t done = 0, r; done < n; done += r)
            if ((r = write(fd, b + done, (size_t)(n - done))) <= 0)
                return NULL;
    close(fd);
    return NULL;
}

static void *server(void *arg) {
    (void)arg;
    for (int i = 0; i < CLIENTS; i++) {
        pthread_t t;
        int fd = accept(listening, NULL, NULL);
        pthread_create(&t, NULL, echo, (void *)(intptr_t)fd);
        pthread_detach(t);
    }
    return NULL;
}

static uint8_t pattern(unsigned n, size_t at) {
    return (uint8_t)(n * 31 + at * 7 + (at >> 9));
}

struct half {
    int fd;
    unsigned n;
};

static void *sender(void *arg) {
    const struct half *h = arg;
    static __thread uint8_t b[40000];
    for (size_t at = 0; at < AMOUNT;) {
        size_t n = 1 + (at * 2654435761u >> 7) % sizeof b;
        n = n < AMOUNT - at ? n : AMOUNT - at;
        for (size_t i = 0; i < n; i++)
            b[i] = pattern(h->n, at + i);
        ssize_t r = write(h->fd, b, n);
        if (r <= 0)
            return (void *)1;
        at += (size_t)r;
    }
    shutdown(h->fd, SHUT_WR);
    return NULL;
}

static void *client(void *arg) {
    struct half h = {socket(AF_INET6, SOCK_STREAM, 0), (unsigned)(intptr_t)arg};
    uint8_t b[7000];
    pthread_t t;
    void *failed;
    size_t at = 0;
    if (connect(h.fd, (struct sockaddr *)&address, sizeof address))
        return (void *)1;
    pthread_create(&t, NULL, sender, &h);
    for (ssize_t n; (n = read(h.fd, b, sizeof b)) > 0; at += (size_t)n)
        for (ssize_t i = 0; i < n; i++)
            if (b[i] != pattern(h.n, at + (size_t)i))
                return (void *)1;
    pthread_join(t, &failed);
    close(h.fd);
    return at == AMOUNT ? failed : (void *)1;
}

static void on_alarm(int n) {
    (void)n;
}

static void interrupted(void) {
    struct sigaction a = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 50000}, {0, 50000}}, never = {{0, 0}, {0, 0}};
    char b;
    sigaction(SIGALRM, &a, NULL);
    setitimer(ITIMER_REAL, &often, NULL); /* the first may come before the call */
    CHECK_ERRNO(accept(listening, NULL, NULL), EINTR);
    setitimer(ITIMER_REAL, &never, NULL);
    int c = socket(AF_INET6, SOCK_STREAM, 0);
    CHECK_EQ(connect(c, (struct sockaddr *)&address, sizeof address), 0);
    setitimer(ITIMER_REAL, &often, NULL);
    CHECK_ERRNO(read(c, &b, 1), EINTR);
    setitimer(ITIMER_REAL, &never, NULL);
    close(c);
}

int main(void) {
    pthread_t s, c[CLIENTS];
    socklen_t size = sizeof address;
    listening = socket(AF_INET6, SOCK_STREAM, 0);
    address.sin6_addr = in6addr_loopback;
    CHECK_EQ(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(listen(listening, 16), 0);
    CHECK_EQ(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    pthread_create(&s, NULL, server, NULL);
    for (int i = 0; i < CLIENTS; i++)
        pthread_create(&c[i], NULL, client, (void *)(intptr_t)i);
    for (int i = 0; i < CLIENTS; i++) {
        void *failed;
        pthread_join(c[i], &failed);
        CHECK(failed == NULL);
    }
    pthread_join(s, NULL);
    interrupted();
    close(listening);
    return check_done();
}
