/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options of TCP and IP sockets: what is set is told back, what does not exist
 * or does not fit is refused; who may have a port; addresses that are not ours.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static int set(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value);
}

static int get(int fd, int level, int name) {
    int value = -4711;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, name, &value, &size) ? -errno : value;
}

#define TOLD(fd, level, name, value)                                                               \
    do {                                                                                           \
        CHECK_EQ(set(fd, level, name, value), 0);                                                  \
        CHECK_EQ(get(fd, level, name), value);                                                     \
    } while (0)

static void options(void) {
    int t = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0);
    int six = socket(AF_INET6, SOCK_STREAM, 0), six_u = socket(AF_INET6, SOCK_DGRAM, 0);
    CHECK_EQ(get(t, SOL_SOCKET, SO_DOMAIN), AF_INET);
    CHECK_EQ(get(six, SOL_SOCKET, SO_DOMAIN), AF_INET6);
    CHECK_EQ(get(t, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    CHECK_EQ(get(u, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    CHECK_EQ(get(t, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_EQ(listen(t, 1), 0);
    CHECK_EQ(get(t, SOL_SOCKET, SO_ACCEPTCONN), 1);
    close(t);
    t = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQ(get(t, IPPROTO_TCP, TCP_NODELAY), 0);
    TOLD(t, IPPROTO_TCP, TCP_NODELAY, 1);
    TOLD(t, IPPROTO_TCP, TCP_NODELAY, 0);
    CHECK_EQ(get(t, IPPROTO_TCP, TCP_KEEPIDLE), 7200);
    CHECK_EQ(get(t, IPPROTO_TCP, TCP_KEEPINTVL), 75);
    CHECK_EQ(get(t, IPPROTO_TCP, TCP_KEEPCNT), 9);
    TOLD(t, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    TOLD(t, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    TOLD(t, IPPROTO_TCP, TCP_KEEPCNT, 3);
    CHECK_ERRNO(set(t, IPPROTO_TCP, TCP_KEEPIDLE, 0), EINVAL);
    CHECK_ERRNO(set(t, IPPROTO_TCP, TCP_KEEPINTVL, 40000), EINVAL);
    CHECK_ERRNO(set(t, IPPROTO_TCP, TCP_KEEPCNT, 128), EINVAL);
    TOLD(t, SOL_SOCKET, SO_KEEPALIVE, 1);
    TOLD(t, IPPROTO_TCP, TCP_CORK, 1);
    TOLD(t, IPPROTO_TCP, TCP_CORK, 0);
    TOLD(t, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
    CHECK_EQ(get(t, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 0);
    CHECK_EQ(set(t, IPPROTO_TCP, TCP_NOTSENT_LOWAT, -1), 0);
    int n = 0;
    socklen_t size = sizeof n;
    CHECK_EQ(getsockopt(t, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &n, &size), 0);
    CHECK_EQ(n, -1); /* 0xffffffff: no limit */
    TOLD(t, IPPROTO_TCP, TCP_LINGER2, 30);
    CHECK_EQ(set(t, IPPROTO_TCP, TCP_LINGER2, 500), 0);
    CHECK_EQ(get(t, IPPROTO_TCP, TCP_LINGER2), 120);
    CHECK_EQ(set(t, IPPROTO_TCP, TCP_LINGER2, -5), 0);
    CHECK_EQ(getsockopt(t, IPPROTO_TCP, TCP_LINGER2, &n, &size), 0);
    CHECK_EQ(n, -1);
    TOLD(t, IPPROTO_TCP, TCP_SYNCNT, 4);
    CHECK_EQ(set(t, IPPROTO_TCP, TCP_QUICKACK, 1), 0);
    CHECK_EQ(set(t, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1), 0);
    CHECK_ERRNO(set(t, IPPROTO_TCP, 4711, 1), ENOPROTOOPT);
    CHECK_EQ(get(t, IPPROTO_TCP, 4711), -ENOPROTOOPT);
    CHECK_ERRNO(set(u, IPPROTO_TCP, TCP_NODELAY, 1), ENOPROTOOPT);
    CHECK_ERRNO(setsockopt(t, IPPROTO_TCP, TCP_NODELAY, "", 1), EINVAL);
    CHECK_ERRNO(setsockopt(t, IPPROTO_TCP, TCP_CONGESTION, "no such", 7), ENOENT);
    CHECK_EQ(setsockopt(t, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
    struct tcp_info info;
    size = sizeof info;
    CHECK_EQ(getsockopt(t, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    CHECK(size >= offsetof(struct tcp_info, tcpi_total_retrans) + 4);
    CHECK_EQ(info.tcpi_state, 7);

    CHECK_EQ(get(u, IPPROTO_IP, IP_TTL), 64);
    TOLD(u, IPPROTO_IP, IP_TTL, 5);
    CHECK_ERRNO(set(u, IPPROTO_IP, IP_TTL, 0), EINVAL);
    CHECK_ERRNO(set(u, IPPROTO_IP, IP_TTL, 256), EINVAL);
    TOLD(u, IPPROTO_IP, IP_TOS, 0x13);
    CHECK_EQ(set(t, IPPROTO_IP, IP_TOS, 0x13), 0); /* ECN is TCP's own affair */
    CHECK_EQ(get(t, IPPROTO_IP, IP_TOS), 0x10);
    TOLD(u, IPPROTO_IP, IP_PKTINFO, 1);
    TOLD(u, IPPROTO_IP, IP_RECVERR, 1);
    TOLD(u, IPPROTO_IP, IP_MTU_DISCOVER, 0);
    CHECK_ERRNO(set(u, IPPROTO_IP, IP_MTU_DISCOVER, 9), EINVAL);
    CHECK_EQ(get(u, IPPROTO_IP, IP_MULTICAST_TTL), 1);
    TOLD(u, IPPROTO_IP, IP_MULTICAST_TTL, 3);
    CHECK_EQ(get(u, IPPROTO_IP, IP_MULTICAST_LOOP), 1);
    TOLD(u, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    CHECK_EQ(setsockopt(u, IPPROTO_IP, IP_MULTICAST_TTL, "\7", 1), 0);
    CHECK_EQ(get(u, IPPROTO_IP, IP_MULTICAST_TTL), 7);
    CHECK_EQ(get(u, IPPROTO_IP, IP_MTU), -ENOTCONN);
    CHECK_ERRNO(set(u, IPPROTO_IP, 4711, 1), ENOPROTOOPT);
    CHECK_ERRNO(set(u, IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);

    CHECK_EQ(get(six, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    TOLD(six, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    CHECK_EQ(get(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
    TOLD(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9);
    CHECK_ERRNO(set(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL);
    TOLD(six_u, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 4);
    TOLD(six_u, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    TOLD(six_u, IPPROTO_IPV6, IPV6_TCLASS, 35);
    CHECK_EQ(set(six, IPPROTO_IPV6, IPV6_TCLASS, 35), 0);
    CHECK_EQ(get(six, IPPROTO_IPV6, IPV6_TCLASS), 32);
    TOLD(six_u, IPPROTO_IPV6, IPV6_MULTICAST_IF, 1);
    CHECK_ERRNO(set(six_u, IPPROTO_IPV6, IPV6_MULTICAST_IF, 4711), ENODEV);
    close(t), close(u), close(six), close(six_u);
}

static int bind_to(int fd, uint32_t ip, int port) {
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(ip), .sin_port = htons((uint16_t)port)};
    return bind(fd, (struct sockaddr *)&a, sizeof a);
}

static int port_of(int fd) {
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    return ntohs(a.sin_port);
}

static int stream(int option) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (option)
        CHECK_EQ(set(fd, SOL_SOCKET, option, 1), 0);
    return fd;
}

static void dial(int fd, int port, int expected) {
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)port)};
    CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof a) ? errno : 0, expected);
}

static void ports(void) {
    int a = stream(0), b = stream(0);
    CHECK_EQ(bind_to(a, INADDR_LOOPBACK, 0), 0);
    int port = port_of(a);
    CHECK_ERRNO(bind_to(b, INADDR_LOOPBACK, port), EADDRINUSE);
    CHECK_ERRNO(bind_to(b, INADDR_ANY, port), EADDRINUSE);
    CHECK_EQ(listen(a, 4), 0);
    CHECK_EQ(set(b, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(set(a, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_ERRNO(bind_to(b, INADDR_LOOPBACK, port), EADDRINUSE);
    close(b);
    /* A server that is started again: its old connections linger. */
    int c = stream(0);
    dial(c, port, 0);
    int s = accept(a, NULL, NULL);
    close(a), close(s);
    char byte;
    CHECK_EQ(read(c, &byte, 1), 0);
    close(c);
    a = stream(0);
    CHECK_ERRNO(bind_to(a, INADDR_LOOPBACK, port), EADDRINUSE);
    CHECK_EQ(set(a, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(bind_to(a, INADDR_LOOPBACK, port), 0);
    CHECK_EQ(listen(a, 4), 0);
    close(a);
    /* Both may have it, until one listens. */
    a = stream(SO_REUSEADDR), b = stream(SO_REUSEADDR);
    CHECK_EQ(bind_to(a, INADDR_LOOPBACK, 0), 0);
    CHECK_EQ(bind_to(b, INADDR_LOOPBACK, port_of(a)), 0);
    CHECK_EQ(listen(a, 4), 0);
    CHECK_ERRNO(listen(b, 4), EADDRINUSE);
    close(a), close(b);
    /* Not ours, not possible. */
    a = stream(0);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    CHECK_ERRNO(bind(a, (struct sockaddr *)&six, sizeof six), EAFNOSUPPORT);
    CHECK_ERRNO(bind(a, (struct sockaddr *)&six, 8), EINVAL);
    CHECK_ERRNO(bind(a, (struct sockaddr *)&six, 4711), EINVAL);
    CHECK_ERRNO(connect(a, (struct sockaddr *)&six, sizeof six), EAFNOSUPPORT);
    CHECK_ERRNO(connect(a, (struct sockaddr *)&six, 1), EINVAL);
    close(a);
    CHECK_ERRNO(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_INET6, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
    int pair[2] = {-1, -1};
    CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, pair), EOPNOTSUPP);
    CHECK(pair[0] >= 0 && pair[1] > pair[0]); /* what they would have been is told all the same */
}

/* Several listen at one port, and connections are spread over them. */
static void shared(void) {
    enum { SERVERS = 3, CLIENTS = 48 };
    int l[SERVERS], c[CLIENTS], port = 0, seen = 0;
    for (int i = 0; i < SERVERS; i++) {
        l[i] = stream(SO_REUSEPORT);
        CHECK_EQ(bind_to(l[i], INADDR_LOOPBACK, port), 0);
        CHECK_EQ(listen(l[i], 64), 0);
        port = port_of(l[i]);
        CHECK_EQ(set(l[i], SOL_SOCKET, SO_KEEPALIVE, 1), 0);
    }
    int alone = stream(0);
    CHECK_ERRNO(bind_to(alone, INADDR_LOOPBACK, port), EADDRINUSE);
    close(alone);
    for (int i = 0; i < CLIENTS; i++) {
        c[i] = stream(0);
        dial(c[i], port, 0);
    }
    for (int i = 0; i < SERVERS; i++) {
        int n = 0, s;
        CHECK_EQ(ioctl(l[i], FIONBIO, &(int){1}), 0);
        while ((s = accept(l[i], NULL, NULL)) >= 0) {
            CHECK_EQ(get(s, SOL_SOCKET, SO_KEEPALIVE), 1);
            close(s);
            n++;
        }
        CHECK(n > 0);
        seen += n;
    }
    CHECK_EQ(seen, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        close(c[i]);
    /* The one that came first leaves: the others go on. */
    close(l[0]);
    for (int i = 0; i < 4; i++) {
        c[i] = stream(0);
        dial(c[i], port, 0);
    }
    seen = 0;
    for (int i = 1; i < SERVERS; i++)
        for (int s; (s = accept(l[i], NULL, NULL)) >= 0; close(s))
            seen++;
    CHECK_EQ(seen, 4);
    for (int i = 0; i < 4; i++)
        close(c[i]);
    close(l[1]), close(l[2]);
    int last = stream(0);
    dial(last, port, ECONNREFUSED);
    close(last);
}

int main(void) {
    options();
    ports();
    shared();
    return check_done();
}
