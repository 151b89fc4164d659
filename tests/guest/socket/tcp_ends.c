/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How TCP connections fail to begin, and how they end: refused, reset by
 * either side, closed with data unread, SO_LINGER, connect without waiting.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

static struct sockaddr_in address;
static int listening;

static int open_listening(void) {
    socklen_t size = sizeof address;
    listening = socket(AF_INET, SOCK_STREAM, 0);
    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_EQ(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(listen(listening, 16), 0);
    CHECK_EQ(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    return listening;
}

static int dial(int flags) {
    int c = socket(AF_INET, SOCK_STREAM | flags, 0);
    int r = connect(c, (struct sockaddr *)&address, sizeof address);
    CHECK_EQ(r, flags ? -1 : 0);
    return c;
}

static int error_of(int fd) {
    int error = -1;
    socklen_t size = sizeof error;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
    return error;
}

static unsigned await(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, 5000) == 1 ? (unsigned)p.revents : 0;
}

static void refused(void) {
    /* A port that was somebody's a moment ago. */
    int l = open_listening();
    close(l);
    int c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(connect(c, (struct sockaddr *)&address, sizeof address), ECONNREFUSED);
    CHECK_EQ(error_of(c), 0);
    CHECK_ERRNO(connect(c, (struct sockaddr *)&address, sizeof address), ECONNREFUSED);
    close(c);

    c = dial(SOCK_NONBLOCK);
    CHECK_EQ(await(c, POLLOUT), POLLOUT | POLLERR | POLLHUP);
    CHECK_EQ(error_of(c), ECONNREFUSED);
    CHECK_EQ(error_of(c), 0);
    close(c);

    char b;
    c = dial(SOCK_NONBLOCK);
    CHECK(await(c, POLLOUT) & POLLERR);
    CHECK_ERRNO(listen(c, 1), EINVAL); /* not before connect has told */
    CHECK_ERRNO(connect(c, (struct sockaddr *)&address, sizeof address), ECONNREFUSED);
    CHECK_ERRNO(recv(c, &b, 1, 0), ENOTCONN);
    /* and the next attempt may succeed */
    l = open_listening();
    CHECK_ERRNO(connect(c, (struct sockaddr *)&address, sizeof address), EINPROGRESS);
    CHECK_EQ(await(c, POLLOUT), POLLOUT);
    CHECK_EQ(error_of(c), 0);
    CHECK_EQ(connect(c, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_ERRNO(connect(c, (struct sockaddr *)&address, sizeof address), EISCONN);
    close(c);
    close(accept(l, NULL, NULL));

    /* made, and reset before connect was asked again */
    const struct linger at_once = {1, 0};
    c = dial(SOCK_NONBLOCK);
    CHECK_EQ(await(c, POLLOUT), POLLOUT);
    int s = accept(l, NULL, NULL);
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(s);
    CHECK(await(c, POLLIN) & POLLERR);
    CHECK_ERRNO(connect(c, (struct sockaddr *)&address, sizeof address), ECONNRESET);
    CHECK_ERRNO(recv(c, &b, 1, 0), ENOTCONN);
    close(c);

    /* who listens can be made to stop, and begin again */
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    CHECK_EQ(connect(l, &none, sizeof none), 0);
    CHECK_ERRNO(accept(l, NULL, NULL), EINVAL);
    CHECK_EQ(listen(l, 1), 0);
    socklen_t size = sizeof address;
    CHECK_EQ(getsockname(l, (struct sockaddr *)&address, &size), 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c = dial(0);
    s = accept(l, NULL, NULL);
    CHECK(s >= 0);
    close(s);
    close(c);
    close(l);
}

static void resets(void) {
    char b[16];
    struct linger now = {1, 0};
    int l = open_listening();
    /* By SO_LINGER with no time. */
    int c = dial(0), s = accept(l, NULL, NULL);
    CHECK_EQ(write(c, "data", 4), 4);
    CHECK_EQ(await(s, POLLIN), POLLIN);
    CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(c);
    CHECK_EQ(await(s, POLLOUT | POLLRDHUP) & ~POLLOUT, POLLERR | POLLHUP | POLLRDHUP);
    CHECK_EQ(read(s, b, sizeof b), 4); /* what had come stays */
    CHECK_ERRNO(read(s, b, sizeof b), ECONNRESET);
    CHECK_EQ(read(s, b, sizeof b), 0);
    CHECK_ERRNO(send(s, "x", 1, MSG_NOSIGNAL), EPIPE);
    close(s);

    /* Closed with data unread. */
    c = dial(0), s = accept(l, NULL, NULL);
    CHECK_EQ(write(c, "data", 4), 4);
    CHECK_EQ(await(s, POLLIN), POLLIN);
    close(s);
    CHECK(await(c, POLLIN | POLLRDHUP) & POLLERR);
    CHECK_ERRNO(send(c, "x", 1, MSG_NOSIGNAL), ECONNRESET);
    CHECK_ERRNO(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
    close(c);

    /* Sent to who has closed: it answers with a reset. */
    c = dial(0), s = accept(l, NULL, NULL);
    close(s);
    CHECK_EQ(await(c, POLLIN), POLLIN);
    CHECK_EQ(read(c, b, sizeof b), 0);
    CHECK_EQ(write(c, "x", 1), 1);
    CHECK(await(c, POLLRDHUP) & POLLRDHUP);
    for (int i = 0; i < 100 && !(await(c, 0) & POLLERR); i++)
        usleep(10000);
    CHECK_ERRNO(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
    close(c);

    /* A connection that ended before it was accepted is accepted all the same. */
    c = dial(0);
    CHECK_EQ(write(c, "last words", 10), 10);
    close(c);
    CHECK_EQ(await(l, POLLIN), POLLIN);
    s = accept(l, NULL, NULL);
    CHECK_EQ(recv(s, b, sizeof b, MSG_WAITALL), 10);
    close(s);

    /* Those who wait to be accepted are reset when the listening one closes. */
    c = dial(0);
    close(l);
    CHECK(await(c, POLLIN) & POLLIN);
    CHECK_ERRNO(read(c, b, sizeof b), ECONNRESET);
    close(c);
}

static void broken_pipe(void) {
    int l = open_listening(), c = dial(0), s = accept(l, NULL, NULL);
    CHECK_EQ(shutdown(c, SHUT_WR), 0);
    CHECK_ERRNO(write(c, "x", 1), EPIPE); /* SIGPIPE is ignored */
    close(c), close(s), close(l);
}

static void timeouts(void) {
    char b[4];
    struct timeval t = {0, 50000};
    int l = open_listening(), c = dial(0);
    CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), 0);
    CHECK_ERRNO(read(c, b, sizeof b), EAGAIN);
    CHECK_EQ(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t), 0);
    int s = accept(l, NULL, NULL);
    CHECK_ERRNO(accept(l, NULL, NULL), EAGAIN);
    /* Nobody reads: sending stops, and goes on when somebody does. */
    CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t), 0);
    static char block[1 << 16];
    long sent = 0, n, got = 0;
    while ((n = write(c, block, sizeof block)) > 0)
        sent += n;
    int stopped = errno;
    CHECK_EQ(stopped, EAGAIN);
    CHECK(sent > 65536);
    CHECK_EQ(await(s, POLLIN), POLLIN);
    CHECK_EQ(shutdown(c, SHUT_WR), 0);
    while ((n = read(s, block, sizeof block)) > 0)
        got += n;
    CHECK_EQ(n, 0);
    CHECK_EQ(got, sent);
    fcntl(l, F_SETFL, O_NONBLOCK);
    CHECK_ERRNO(accept4(l, NULL, NULL, SOCK_CLOEXEC), EAGAIN);
    CHECK_ERRNO(accept4(l, NULL, NULL, 1), EINVAL);
    close(c), close(s), close(l);
}

/* SO_LINGER with time: close returns when all has arrived. */
static void lingers(void) {
    char b[16];
    struct linger some = {1, 5};
    int l = open_listening(), c = dial(0), s = accept(l, NULL, NULL);
    CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_LINGER, &some, sizeof some), 0);
    CHECK_EQ(write(c, "to the end", 10), 10);
    CHECK_EQ(close(c), 0);
    CHECK_EQ(recv(s, b, sizeof b, MSG_WAITALL), 10);
    CHECK_EQ(read(s, b, sizeof b), 0);
    close(s), close(l);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    refused();
    resets();
    broken_pipe();
    timeouts();
    lingers();
    return check_done();
}
