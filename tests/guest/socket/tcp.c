/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP over the loopback, IPv4, IPv6 and both with one socket: connections,
 * names, transfers, peeking, closing one direction and the other.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"
#include "none_left.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t loopback(union address *a, int family, int port) {
    memset(a, 0, sizeof *a);
    a->any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        a->v4.sin_port = htons((uint16_t)port);
        return sizeof a->v4;
    }
    a->v6.sin6_addr = in6addr_loopback;
    a->v6.sin6_port = htons((uint16_t)port);
    return sizeof a->v6;
}

static int port_of(int fd) {
    union address a;
    socklen_t size = sizeof a;
    CHECK_EQ(getsockname(fd, &a.any, &size), 0);
    return ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

static void say(const char *what, int fd, int (*name)(int, struct sockaddr *, socklen_t *)) {
    union address a;
    char text[64] = "?";
    socklen_t size = sizeof a;
    if (name(fd, &a.any, &size) < 0) {
        printf("%s: %s\n", what, strerror(errno));
        return;
    }
    if (a.any.sa_family == AF_INET)
        inet_ntop(AF_INET, &a.v4.sin_addr, text, sizeof text);
    else
        inet_ntop(AF_INET6, &a.v6.sin6_addr, text, sizeof text);
    printf("%s: family %d, size %u, %s, %s\n", what, a.any.sa_family, size, text,
           a.v4.sin_port ? "a port" : "no port");
}

static unsigned events(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};
    poll(&p, 1, 0);
    return (unsigned)p.revents;
}

/* A listening socket of one family and a connection of another to it. */
static void transfers(int listens, int connects) {
    union address a;
    char b[32];
    int value = 1, n;
    printf("%d listens, %d connects\n", listens, connects);
    int l = socket(listens, SOCK_STREAM, 0);
    CHECK_EQ(events(l), POLLOUT | POLLHUP);
    CHECK_EQ(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value), 0);
    socklen_t size = loopback(&a, listens, 0);
    if (listens != connects)
        a.v6.sin6_addr = in6addr_any;
    CHECK_EQ(bind(l, &a.any, size), 0);
    CHECK_ERRNO(bind(l, &a.any, size), EINVAL);
    CHECK_ERRNO(accept(l, NULL, NULL), EINVAL);
    CHECK_EQ(listen(l, 8), 0);
    CHECK_EQ(listen(l, 4), 0);
    CHECK_EQ(events(l), 0);
    say("listening", l, getsockname);
    say("its peer", l, getpeername);
    int c = socket(connects, SOCK_STREAM, IPPROTO_TCP);
    CHECK_ERRNO(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_ERRNO(recv(c, b, 1, 0), ENOTCONN);
    CHECK_ERRNO(shutdown(l, 3), EINVAL);
    say("not connected", c, getsockname);
    size = loopback(&a, connects, port_of(l));
    CHECK_EQ(connect(c, &a.any, size), 0);
    CHECK_ERRNO(connect(c, &a.any, size), EISCONN);
    CHECK_ERRNO(connect(l, &a.any, size), EISCONN);
    CHECK_EQ(events(l), POLLIN);
    union address peer;
    size = sizeof peer;
    int s = accept(l, &peer.any, &size);
    CHECK_EQ(peer.any.sa_family, listens);
    CHECK_EQ(events(l), 0);
    say("client", c, getsockname);
    say("its peer", c, getpeername);
    say("server", s, getsockname);
    say("its peer", s, getpeername);
    CHECK_EQ(events(c), POLLOUT);

    CHECK_EQ(send(c, "hello, ", 7, 0), 7);
    struct iovec v[2] = {{"wor", 3}, {"ld", 2}};
    CHECK_EQ(writev(c, v, 2), 5);
    struct pollfd p = {.fd = s, .events = POLLIN};
    CHECK_EQ(poll(&p, 1, 5000), 1);
    CHECK_EQ(recv(s, b, 5, MSG_PEEK), 5);
    CHECK(memcmp(b, "hello", 5) == 0);
    CHECK_EQ(recv(s, b, 12, MSG_WAITALL), 12);
    CHECK(memcmp(b, "hello, world", 12) == 0);
    CHECK_ERRNO(recv(s, b, 5, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(events(s), POLLOUT);
    CHECK_EQ(ioctl(s, FIONREAD, &n), 0);
    CHECK_EQ(n, 0);

    /* What is thrown away by MSG_TRUNC. */
    CHECK_EQ(send(s, "abcdef", 6, 0), 6);
    CHECK_EQ(recv(c, b, 3, MSG_TRUNC | MSG_WAITALL), 3);
    CHECK_EQ(read(c, b, 3), 3);
    CHECK(memcmp(b, "def", 3) == 0);

    /* Half-closed: the other direction goes on. */
    CHECK_EQ(send(c, "end", 3, 0), 3);
    CHECK_EQ(shutdown(c, SHUT_WR), 0);
    CHECK_ERRNO(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(recv(s, b, sizeof b, MSG_WAITALL), 3);
    CHECK_EQ(recv(s, b, sizeof b, 0), 0);
    CHECK_EQ(recv(s, b, sizeof b, 0), 0);
    CHECK_EQ(events(s), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(send(s, "still here", 10, 0), 10);
    CHECK_EQ(recv(c, b, 10, MSG_WAITALL), 10);
    CHECK_EQ(send(s, "bye", 3, 0), 3);
    CHECK_EQ(shutdown(s, SHUT_WR), 0);
    CHECK_EQ(recv(c, b, sizeof b, MSG_WAITALL), 3);
    CHECK_EQ(recv(c, b, sizeof b, 0), 0);
    CHECK_EQ(events(c), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    close(c);
    close(s);
    close(l);
}

/* SHUT_RD is our affair alone. */
static void read_side(void) {
    union address a;
    char b[8];
    int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(listen(l, 1), 0); /* without a name: any address, some port */
    CHECK_EQ(connect(c, &a.any, loopback(&a, AF_INET, port_of(l))), 0);
    int s = accept(l, NULL, NULL);
    CHECK_EQ(shutdown(c, SHUT_RD), 0);
    CHECK_EQ(recv(c, b, sizeof b, 0), 0);
    CHECK_EQ(events(c), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(send(s, "more", 4, 0), 4);
    CHECK_EQ(recv(c, b, 4, MSG_WAITALL), 4);
    CHECK_EQ(send(c, "ok", 2, 0), 2);
    CHECK_EQ(recv(s, b, 2, MSG_WAITALL), 2);
    close(c);
    close(s);
    c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_ERRNO(shutdown(c, SHUT_WR), ENOTCONN);
    close(c);
    /* Who waits for a connection is told when there will be none. */
    CHECK_EQ(shutdown(l, SHUT_RD), 0);
    CHECK_ERRNO(accept(l, NULL, NULL), EINVAL);
    close(l);
}

/* Without a descriptor for it a connection stays for a later accept. */
static void none_is_left(void) {
    union address a;
    int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(listen(l, 1), 0);
    CHECK_EQ(connect(c, &a.any, loopback(&a, AF_INET, port_of(l))), 0);
    check_none_left(l, c);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    transfers(AF_INET, AF_INET);
    transfers(AF_INET6, AF_INET6);
    transfers(AF_INET6, AF_INET);
    read_side();
    none_is_left();
    return check_done();
}
