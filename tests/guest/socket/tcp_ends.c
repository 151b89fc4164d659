/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How TCP connections fail to begin, and how they end: refused, reset by
 * either side, closed with data unread, SO_LINGER, connect without waiting, taken
 * back, shut before they begin; and one that is with itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
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

static unsigned now(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
    poll(&p, 1, 0);
    return (unsigned)p.revents;
}

static struct sockaddr_in name_of(int fd) {
    struct sockaddr_in a = {.sin_port = 0};
    socklen_t size = sizeof a;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    return a;
}

/* After a refusal, told or not, a port that nobody asked for can be chosen anew. */
static void bound_again(void) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    close(open_listening());
    int c = dial(SOCK_NONBLOCK);
    CHECK(await(c, POLLOUT) & POLLERR);
    CHECK_EQ(bind(c, (struct sockaddr *)&own, sizeof own), 0);
    CHECK_EQ(now(c), POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP);
    CHECK_ERRNO(connect(c, (struct sockaddr *)&address, sizeof address), ECONNREFUSED);
    CHECK_ERRNO(bind(c, (struct sockaddr *)&own, sizeof own), EINVAL);
    CHECK_EQ(name_of(c).sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    own = name_of(c); /* asked for, it stays */
    close(c);
    c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(c, (struct sockaddr *)&own, sizeof own), 0);
    CHECK_ERRNO(connect(c, (struct sockaddr *)&address, sizeof address), ECONNREFUSED);
    CHECK_ERRNO(bind(c, (struct sockaddr *)&own, sizeof own), EINVAL);
    close(c);

    c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(connect(c, (struct sockaddr *)&address, sizeof address), ECONNREFUSED);
    CHECK_EQ(name_of(c).sin_addr.s_addr, htonl(INADDR_ANY));
    CHECK_EQ(listen(c, 1), 0);
    CHECK(name_of(c).sin_port != 0);
    CHECK_EQ(now(c), 0);
    close(c);
}

/* connect() to nowhere, and shutdown() during an attempt. */
static void taken_back(void) {
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof own;
    char b;
    int l = open_listening(), c = dial(0), s = accept(l, NULL, NULL);
    CHECK_EQ(connect(c, &none, sizeof none), 0);
    CHECK_EQ(now(c), POLLOUT | POLLERR | POLLHUP);
    CHECK_EQ(name_of(c).sin_addr.s_addr, htonl(INADDR_ANY));
    CHECK_ERRNO(send(c, "x", 1, MSG_NOSIGNAL), ECONNRESET);
    CHECK_ERRNO(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_ERRNO(recv(c, &b, 1, 0), ENOTCONN);
    CHECK(await(s, POLLIN) & POLLERR);
    CHECK_ERRNO(getpeername(s, (struct sockaddr *)&own, &size), ENOTCONN);
    CHECK_ERRNO(recv(s, &b, 1, 0), ECONNRESET);
    close(s);
    /* an error that nobody took does not outlive the next attempt */
    CHECK_EQ(connect(c, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(connect(c, &none, sizeof none), 0);
    CHECK_EQ(connect(c, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(error_of(c), 0);
    CHECK_EQ(now(c), POLLOUT);
    close(c);
    close(accept(l, NULL, NULL));
    close(accept(l, NULL, NULL));
    close(l);

    /* An address that was bound to stays, and what is bound and idle keeps its port. */
    c = socket(AF_INET, SOCK_STREAM, 0);
    own.sin_port = 0;
    CHECK_EQ(bind(c, (struct sockaddr *)&own, sizeof own), 0);
    own = name_of(c);
    CHECK_EQ(connect(c, &none, sizeof none), 0);
    CHECK_EQ(name_of(c).sin_port, own.sin_port);
    s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(bind(s, (struct sockaddr *)&own, sizeof own), EADDRINUSE);
    close(s), close(c);

    /* Nobody answers: there is no room for more than one. */
    for (int how = -1; how <= SHUT_RDWR; how++) {
        l = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(listen(l, 0), 0);
        address.sin_port = name_of(l).sin_port;
        int full = dial(0);
        CHECK_EQ(await(l, POLLIN), POLLIN);
        c = dial(SOCK_NONBLOCK);
        CHECK_EQ(now(c), 0);
        CHECK_EQ(how < 0 ? connect(c, &none, sizeof none) : shutdown(c, how), 0);
        CHECK_EQ(now(c), POLLOUT | POLLERR | POLLHUP);
        CHECK_EQ(name_of(c).sin_addr.s_addr, htonl(INADDR_ANY));
        CHECK_EQ(error_of(c), ECONNRESET);
        CHECK_EQ(now(c), POLLOUT | POLLHUP);
        CHECK_ERRNO(recv(c, &b, 1, 0), ENOTCONN);
        close(c), close(full), close(l);
    }
}

/* shutdown() of what is not connected fails, and holds for the connection to come. */
static void shut_early(void) {
    int l = open_listening();
    char b;
    for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
        unsigned reads = how == SHUT_WR ? 0 : POLLIN | POLLRDHUP;
        int c = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_ERRNO(shutdown(c, how), ENOTCONN);
        CHECK_EQ(now(c), POLLOUT | POLLHUP | reads);
        if (reads)
            CHECK_EQ(recv(c, &b, 1, 0), 0);
        else
            CHECK_ERRNO(recv(c, &b, 1, 0), ENOTCONN);
        CHECK_EQ(connect(c, (struct sockaddr *)&address, sizeof address), 0);
        CHECK_EQ(now(c), POLLOUT | reads | (how == SHUT_RDWR ? POLLHUP : 0));
        if (how == SHUT_RD)
            CHECK_EQ(send(c, "x", 1, 0), 1);
        else
            CHECK_ERRNO(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
        int s = accept(l, NULL, NULL);
        CHECK_EQ(shutdown(c, SHUT_WR), 0); /* and now the other side is told */
        CHECK_EQ(recv(s, &b, 1, 0), how == SHUT_RD);
        CHECK_EQ(recv(s, &b, 1, 0), 0);
        close(c), close(s);
    }
    close(l);
}

/* A socket that connects to where it is bound. */
static void itself(void) {
    static char out[20000], in[sizeof out];
    const struct timeval limit = {5, 0};
    int c = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                       peer;
    socklen_t size = sizeof peer;
    CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    CHECK_EQ(bind(c, (struct sockaddr *)&own, sizeof own), 0);
    own = name_of(c);
    CHECK_EQ(connect(c, (struct sockaddr *)&own, sizeof own), 0);
    CHECK_EQ(getpeername(c, (struct sockaddr *)&peer, &size), 0);
    CHECK(peer.sin_port == own.sin_port && peer.sin_addr.s_addr == own.sin_addr.s_addr);
    CHECK_EQ(now(c), POLLOUT);
    for (int round = 1; round <= 10; round++) {
        memset(out, round, sizeof out);
        CHECK_EQ(send(c, out, sizeof out, 0), sizeof out);
        CHECK_EQ(recv(c, in, sizeof in, MSG_WAITALL), sizeof in);
        CHECK(memcmp(in, out, sizeof in) == 0);
    }
    CHECK_EQ(shutdown(c, SHUT_WR), 0);
    CHECK_EQ(recv(c, in, sizeof in, 0), 0);
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
    bound_again();
    taken_back();
    shut_early();
    itself();
    broken_pipe();
    timeouts();
    lingers();
    return check_done();
}
