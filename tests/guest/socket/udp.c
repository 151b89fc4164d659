/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UDP over the loopback: datagrams of all sizes, names, what is cut off,
 * control data, connected sockets and their errors, shared ports, groups.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static struct sockaddr_in at(uint32_t ip, int port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(ip), .sin_port = htons((uint16_t)port)};
}

static int bound(uint32_t ip, int *port) {
    struct sockaddr_in a = at(ip, 0);
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static unsigned events(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
    poll(&p, 1, 0);
    return (unsigned)p.revents;
}

static unsigned await(int fd, short what) {
    struct pollfd p = {.fd = fd, .events = what};
    return poll(&p, 1, 5000) == 1 ? (unsigned)p.revents : 0;
}

static void sizes(void) {
    static char out[70000], in[70000];
    int port, n;
    int a = bound(INADDR_LOOPBACK, &port), b = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    struct sockaddr_in to = at(INADDR_LOOPBACK, port), from;
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (char)(i * 7 + (i >> 8));
    CHECK_EQ(events(a), POLLOUT);
    CHECK_ERRNO(send(b, "x", 1, 0), EDESTADDRREQ);
    static const int lengths[] = {0, 1, 100, 1472, 1473, 4000, 9000, 65507};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        socklen_t size = sizeof from;
        CHECK_EQ(sendto(b, out, (size_t)lengths[i], 0, (struct sockaddr *)&to, sizeof to),
                 lengths[i]);
        CHECK_EQ(await(a, POLLIN), POLLIN);
        CHECK_EQ(ioctl(a, FIONREAD, &n), 0);
        CHECK_EQ(n, lengths[i]);
        memset(in, 0, sizeof in);
        CHECK_EQ(recvfrom(a, in, sizeof in, 0, (struct sockaddr *)&from, &size), lengths[i]);
        CHECK(memcmp(in, out, (size_t)lengths[i]) == 0);
        CHECK_EQ(size, sizeof from);
        CHECK_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    }
    CHECK_ERRNO(sendto(b, out, 65508, 0, (struct sockaddr *)&to, sizeof to), EMSGSIZE);
    /* The answer finds its way back. */
    CHECK_EQ(sendto(a, "pong", 4, 0, (struct sockaddr *)&from, sizeof from), 4);
    CHECK_EQ(recv(b, in, sizeof in, 0), 4);
    /* Cut off, told and looked at before. */
    CHECK_EQ(sendto(b, out, 100, 0, (struct sockaddr *)&to, sizeof to), 100);
    CHECK_EQ(sendto(b, out, 50, 0, (struct sockaddr *)&to, sizeof to), 50);
    CHECK_EQ(recv(a, in, 10, MSG_PEEK), 10);
    CHECK_EQ(recv(a, in, 10, MSG_PEEK | MSG_TRUNC), 100);
    struct iovec v[2] = {{in, 20}, {in + 30, 20}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    CHECK_EQ(recvmsg(a, &m, 0), 40);
    CHECK_EQ(m.msg_flags, MSG_TRUNC);
    CHECK(memcmp(in, out, 20) == 0 && memcmp(in + 30, out + 20, 20) == 0);
    CHECK_EQ(recv(a, in, sizeof in, 0), 50);
    CHECK_ERRNO(recv(a, in, sizeof in, MSG_DONTWAIT), EAGAIN);
    to.sin_port = 0;
    CHECK_ERRNO(sendto(b, out, 1, 0, (struct sockaddr *)&to, sizeof to), EINVAL);
    CHECK_ERRNO(sendto(b, out, 1, 0, (struct sockaddr *)&to, 8), EINVAL);
    to.sin_family = AF_UNIX;
    CHECK_ERRNO(sendto(b, out, 1, 0, (struct sockaddr *)&to, sizeof to), EAFNOSUPPORT);
    CHECK_ERRNO(listen(a, 1), EOPNOTSUPP);
    CHECK_ERRNO(accept(a, NULL, NULL), EOPNOTSUPP);
    close(a), close(b);
}

static void connected(void) {
    char in[16];
    int port, other;
    int a = bound(INADDR_LOOPBACK, &port), stranger = bound(INADDR_LOOPBACK, &other);
    int b = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = at(INADDR_LOOPBACK, port), own;
    socklen_t size = sizeof own;
    CHECK_ERRNO(getpeername(b, (struct sockaddr *)&own, &size), ENOTCONN);
    CHECK_ERRNO(shutdown(stranger, SHUT_RD), ENOTCONN);
    CHECK_EQ(connect(b, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_EQ(getpeername(b, (struct sockaddr *)&own, &size), 0);
    CHECK_EQ(own.sin_port, htons((uint16_t)port));
    CHECK_EQ(getsockname(b, (struct sockaddr *)&own, &size), 0);
    CHECK_EQ(own.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK(own.sin_port != 0);
    CHECK_EQ(send(b, "one", 3, 0), 3);
    CHECK_EQ(recv(a, in, sizeof in, 0), 3);
    /* Others are not heard. */
    CHECK_EQ(sendto(stranger, "no", 2, 0, (struct sockaddr *)&own, sizeof own), 2);
    CHECK_EQ(sendto(a, "yes", 3, 0, (struct sockaddr *)&own, sizeof own), 3);
    CHECK_EQ(recv(b, in, sizeof in, 0), 3);
    CHECK_ERRNO(recv(b, in, sizeof in, MSG_DONTWAIT), EAGAIN);
    /* Nobody is there: the next call is told. */
    close(a);
    CHECK_EQ(send(b, "gone", 4, 0), 4);
    CHECK_EQ(await(b, POLLIN) & POLLERR, POLLERR);
    CHECK_ERRNO(recv(b, in, sizeof in, 0), ECONNREFUSED);
    CHECK_ERRNO(recv(b, in, sizeof in, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send(b, "gone", 4, 0), 4);
    CHECK(await(b, POLLIN) & POLLERR);
    CHECK_ERRNO(send(b, "gone", 4, 0), ECONNREFUSED);
    /* One direction. */
    CHECK_EQ(shutdown(b, SHUT_RD), 0);
    CHECK_EQ(recv(b, in, sizeof in, 0), 0);
    CHECK_ERRNO(recv(b, in, sizeof in, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(events(b) & (POLLIN | POLLOUT | POLLRDHUP | POLLHUP), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(shutdown(b, SHUT_WR), 0);
    CHECK_ERRNO(send(b, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK(events(b) & POLLHUP);
    /* Not connected any more. */
    to.sin_family = AF_UNSPEC;
    CHECK_EQ(connect(stranger, (struct sockaddr *)&to, sizeof to), 0);
    /* It hears all the same, and what is wrong with the address is told first. */
    int c = socket(AF_INET, SOCK_DGRAM, 0), d = bound(INADDR_LOOPBACK, &other);
    to = at(INADDR_LOOPBACK, other);
    CHECK_ERRNO(shutdown(d, SHUT_RD), ENOTCONN);
    CHECK_EQ(sendto(c, "heard", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    CHECK_EQ(recv(d, in, sizeof in, 0), 5);
    CHECK_ERRNO(shutdown(c, SHUT_WR), ENOTCONN);
    CHECK_ERRNO(send(c, "x", 1, MSG_NOSIGNAL), EDESTADDRREQ);
    close(b), close(c), close(d), close(stranger);
}

static void control(void) {
    char in[16], room[256];
    int port, on = 1;
    int a = bound(INADDR_ANY, &port), b = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = at(INADDR_LOOPBACK, port), from;
    CHECK_EQ(setsockopt(a, IPPROTO_IP, IP_PKTINFO, &on, sizeof on), 0);
    CHECK_EQ(setsockopt(a, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
    CHECK_EQ(setsockopt(a, IPPROTO_IP, IP_RECVTOS, &on, sizeof on), 0);
    int ttl = 17, tos = IPTOS_LOWDELAY;
    CHECK_EQ(setsockopt(b, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl), 0);
    CHECK_EQ(setsockopt(b, IPPROTO_IP, IP_TOS, &tos, sizeof tos), 0);
    CHECK_EQ(sendto(b, "data", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
    struct iovec v = {in, sizeof in};
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = room,
                       .msg_controllen = sizeof room};
    CHECK_EQ(recvmsg(a, &m, 0), 4);
    CHECK_EQ(m.msg_flags, 0);
    int seen = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        CHECK_EQ(c->cmsg_level, IPPROTO_IP);
        if (c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            CHECK_EQ(info.ipi_ifindex, 1);
            CHECK_EQ(info.ipi_addr.s_addr, htonl(INADDR_LOOPBACK));
            CHECK_EQ(info.ipi_spec_dst.s_addr, htonl(INADDR_LOOPBACK));
            seen |= 1;
        } else if (c->cmsg_type == IP_TTL) {
            memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
            CHECK_EQ(ttl, 17);
            seen |= 2;
        } else if (c->cmsg_type == IP_TOS) {
            CHECK_EQ(*CMSG_DATA(c), IPTOS_LOWDELAY);
            seen |= 4;
        }
    }
    CHECK_EQ(seen, 7);
    /* The answer from the address it was sent to. */
    struct in_pktinfo source = {.ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK)};
    memset(room, 0, sizeof room);
    m.msg_controllen = CMSG_SPACE(sizeof source);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = IPPROTO_IP, c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof source);
    memcpy(CMSG_DATA(c), &source, sizeof source);
    v.iov_len = 4;
    CHECK_EQ(sendmsg(a, &m, 0), 4);
    CHECK_EQ(recv(b, in, sizeof in, 0), 4);
    c->cmsg_len = 3;
    CHECK_ERRNO(sendmsg(a, &m, 0), EINVAL);
    /* No room for control data. */
    CHECK_EQ(sendto(b, "data", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
    m.msg_controllen = 8;
    CHECK_EQ(recvmsg(a, &m, 0), 4);
    CHECK_EQ(m.msg_flags, MSG_CTRUNC);
    close(a), close(b);
}

static struct sockaddr_in name_of(int fd) {
    struct sockaddr_in a = at(INADDR_NONE, 1);
    socklen_t size = sizeof a;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    return a;
}

/* A port is taken by who sends, whatever comes of it, and given back by who does not
 * want to be connected any more, unless bind() asked for it. */
static void given_back(void) {
    char in[8];
    int port;
    int a = bound(INADDR_LOOPBACK, &port), b = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = at(INADDR_LOOPBACK, port), any = at(INADDR_ANY, 0), asked;
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    CHECK_ERRNO(send(b, "x", 1, 0), EDESTADDRREQ);
    CHECK(name_of(b).sin_port != 0);
    CHECK_ERRNO(bind(b, (struct sockaddr *)&any, sizeof any), EINVAL);
    close(b);

    b = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(connect(b, (struct sockaddr *)&to, sizeof to), 0);
    asked = name_of(b);
    CHECK(asked.sin_port != 0);
    CHECK_EQ(connect(b, &none, sizeof none), 0);
    CHECK_EQ(name_of(b).sin_port, 0);
    CHECK_EQ(name_of(b).sin_addr.s_addr, htonl(INADDR_ANY));
    CHECK_EQ(sendto(b, "new", 3, 0, (struct sockaddr *)&to, sizeof to), 3);
    CHECK_EQ(recv(a, in, sizeof in, 0), 3);
    asked = name_of(b);
    CHECK(asked.sin_port != 0);
    asked.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(sendto(a, "back", 4, 0, (struct sockaddr *)&asked, sizeof asked), 4);
    CHECK_EQ(recv(b, in, sizeof in, 0), 4);
    CHECK_EQ(connect(b, &none, sizeof none), 0);
    CHECK_EQ(bind(b, (struct sockaddr *)&to, sizeof to) == -1 ? errno : 0, EADDRINUSE);
    CHECK_EQ(bind(b, (struct sockaddr *)&any, sizeof any), 0); /* some port: goes again */
    CHECK_EQ(connect(b, &none, sizeof none), 0);
    CHECK_EQ(name_of(b).sin_port, 0);
    close(b);

    close(a); /* and its port is free, and asked for by name */
    b = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(bind(b, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_EQ(connect(b, (struct sockaddr *)&to, sizeof to), 0);
    CHECK_EQ(connect(b, &none, sizeof none), 0);
    CHECK_EQ(name_of(b).sin_port, to.sin_port);
    CHECK_EQ(name_of(b).sin_addr.s_addr, to.sin_addr.s_addr);
    CHECK_ERRNO(bind(b, (struct sockaddr *)&any, sizeof any), EINVAL);
    close(b);
}

static void ports(void) {
    int port, on = 1;
    int a = bound(INADDR_LOOPBACK, &port), b = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in same = at(INADDR_LOOPBACK, port), any = at(INADDR_ANY, port);
    struct sockaddr_in elsewhere = at(0xc6336401, port); /* 198.51.100.1 */
    CHECK_ERRNO(bind(b, (struct sockaddr *)&same, sizeof same), EADDRINUSE);
    CHECK_ERRNO(bind(b, (struct sockaddr *)&any, sizeof any), EADDRINUSE);
    CHECK_EQ(setsockopt(b, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    CHECK_ERRNO(bind(b, (struct sockaddr *)&same, sizeof same), EADDRINUSE);
    CHECK_EQ(setsockopt(a, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    CHECK_EQ(bind(b, (struct sockaddr *)&same, sizeof same), 0);
    CHECK_ERRNO(bind(b, (struct sockaddr *)&same, sizeof same), EINVAL);
    close(b);
    b = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    CHECK_ERRNO(bind(b, (struct sockaddr *)&any6, sizeof any6), EADDRINUSE);
    CHECK_EQ(setsockopt(b, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
    CHECK_EQ(bind(b, (struct sockaddr *)&any6, sizeof any6), 0);
    CHECK_ERRNO(setsockopt(b, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), EINVAL);
    CHECK_ERRNO(bind(b, (struct sockaddr *)&same, sizeof same), EINVAL);
    close(a), close(b);
    (void)elsewhere;
}

/* One socket, both families. */
static void both(void) {
    char in[16], text[64];
    int six = socket(AF_INET6, SOCK_DGRAM, 0), four = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6}, from;
    socklen_t size = sizeof any6;
    CHECK_EQ(bind(six, (struct sockaddr *)&any6, sizeof any6), 0);
    CHECK_EQ(getsockname(six, (struct sockaddr *)&any6, &size), 0);
    struct sockaddr_in to = at(INADDR_LOOPBACK, ntohs(any6.sin6_port));
    CHECK_EQ(sendto(four, "four", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
    size = sizeof from;
    CHECK_EQ(recvfrom(six, in, sizeof in, 0, (struct sockaddr *)&from, &size), 4);
    printf("%s\n", inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text));
    CHECK_EQ(sendto(six, "back", 4, 0, (struct sockaddr *)&from, size), 4);
    CHECK_EQ(recv(four, in, sizeof in, 0), 4);
    CHECK_EQ(setsockopt(six, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on), 0);
    any6.sin6_addr = in6addr_loopback;
    CHECK_EQ(sendto(six, "self", 4, 0, (struct sockaddr *)&any6, sizeof any6), 4);
    char room[64];
    struct iovec v = {in, sizeof in};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    CHECK_EQ(recvmsg(six, &m, 0), 4);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    CHECK(c && c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO);
    struct in6_pktinfo info;
    if (c) {
        memcpy(&info, CMSG_DATA(c), sizeof info);
        CHECK(memcmp(&info.ipi6_addr, &in6addr_loopback, 16) == 0);
        CHECK_EQ(info.ipi6_ifindex, 1);
    }
    close(six), close(four);
}

static void several(void) {
    static char in[4][8];
    int port;
    int a = bound(INADDR_LOOPBACK, &port), b = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = at(INADDR_LOOPBACK, port);
    struct iovec v[4];
    struct mmsghdr m[4];
    memset(m, 0, sizeof m);
    for (int i = 0; i < 4; i++) {
        v[i] = (struct iovec){"message", (size_t)i + 1};
        m[i].msg_hdr = (struct msghdr){
            .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &v[i], .msg_iovlen = 1};
    }
    CHECK_EQ(sendmmsg(b, m, 4, 0), 4);
    CHECK_EQ(m[2].msg_len, 3);
    for (int i = 0; i < 4; i++) {
        v[i] = (struct iovec){in[i], sizeof in[i]};
        m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
    }
    CHECK_EQ(recvmmsg(a, m, 2, 0, NULL), 2);
    CHECK_EQ(m[1].msg_len, 2);
    CHECK_EQ(recvmmsg(a, m, 4, MSG_WAITFORONE, NULL), 2);
    CHECK_EQ(m[0].msg_len, 3);
    CHECK_ERRNO(recvmmsg(a, m, 4, MSG_DONTWAIT, NULL), EAGAIN);
    close(a), close(b);
}

static void groups(void) {
    char in[16];
    int port;
    int a = bound(INADDR_ANY, &port), b = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = at(0xe9fc0037, port); /* 233.252.0.55 */
    struct ip_mreq r = {.imr_multiaddr.s_addr = htonl(0xe9fc0037),
                        .imr_interface.s_addr = htonl(INADDR_LOOPBACK)};
    struct in_addr lo = {htonl(INADDR_LOOPBACK)}, got = {0};
    socklen_t size = sizeof got;
    CHECK_EQ(setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), 0);
    CHECK_ERRNO(setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), EADDRINUSE);
    CHECK_EQ(setsockopt(b, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof lo), 0);
    CHECK_EQ(getsockopt(b, IPPROTO_IP, IP_MULTICAST_IF, &got, &size), 0);
    CHECK_EQ(got.s_addr, lo.s_addr);
    CHECK_EQ(sendto(b, "group", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    CHECK_EQ(await(a, POLLIN), POLLIN);
    CHECK_EQ(recv(a, in, sizeof in, MSG_DONTWAIT), 5);
    CHECK_EQ(setsockopt(a, IPPROTO_IP, IP_DROP_MEMBERSHIP, &r, sizeof r), 0);
    CHECK_ERRNO(setsockopt(a, IPPROTO_IP, IP_DROP_MEMBERSHIP, &r, sizeof r), EADDRNOTAVAIL);
    r.imr_multiaddr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_ERRNO(setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof r), EINVAL);
    CHECK_ERRNO(setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, 4), EINVAL);
    close(a), close(b);
}

int main(void) {
    sizes();
    connected();
    control();
    given_back();
    ports();
    both();
    several();
    groups();
    return check_done();
}
