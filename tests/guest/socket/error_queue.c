/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The queue of errors (ip(7), IP_RECVERR): what became of packets that nobody
 * wanted, of connected and of other sockets, IPv4, IPv6 and both; who told; what
 * is cut off; how it goes together with SO_ERROR, poll and plain receives.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

struct extended_error { /* linux/errqueue.h */
    uint32_t error;
    uint8_t origin, type, code, pad;
    uint32_t info, data;
};
enum { LOCAL = 1, ICMP, ICMP6 };

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* One reading of the queue. */
struct told {
    ssize_t size;
    int flags;
    char data[2048];
    union address to;
    socklen_t to_size;
    int level, type; /* of the control message */
    size_t control_size;
    struct extended_error error;
    union address offender;
    int ttl; /* -1: none came */
};

static struct told read_queue(int fd, size_t room, size_t control_room) {
    static struct told t;
    char control[256];
    struct iovec v = {t.data, room};
    struct msghdr m = {.msg_name = &t.to,
                       .msg_namelen = sizeof t.to,
                       .msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = control_room};
    memset(&t, 0, sizeof t);
    t.ttl = -1;
    t.size = recvmsg(fd, &m, MSG_ERRQUEUE);
    t.flags = m.msg_flags;
    t.to_size = m.msg_namelen;
    for (struct cmsghdr *c = t.size < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) {
            memcpy(&t.ttl, CMSG_DATA(c), sizeof t.ttl);
            continue;
        }
        t.level = c->cmsg_level;
        t.type = c->cmsg_type;
        t.control_size = c->cmsg_len - CMSG_LEN(0);
        memcpy(&t.error, CMSG_DATA(c), sizeof t.error);
        memcpy(&t.offender, CMSG_DATA(c) + sizeof t.error, t.control_size - sizeof t.error);
    }
    return t;
}

static unsigned events(int fd, int ms) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    poll(&p, 1, 0);
    for (; ms > 0 && !(p.revents & POLLERR); ms -= 10) {
        struct pollfd error = {.fd = fd};
        poll(&error, 1, 10);
        poll(&p, 1, 0);
    }
    return (unsigned)p.revents;
}

static int pending(int fd) {
    int error = -1;
    socklen_t size = sizeof error;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
    return error;
}

/* Takes the next error, which may be on its way. */
static int await_pending(int fd) {
    int error = 0;
    for (int ms = 0; !error && ms < 3000; ms++, usleep(1000))
        error = pending(fd);
    return error;
}

/* An address of the loopback that is ours alone, and a port that nobody has. */
static union address nobody(int family, const char *text) {
    union address a = {.any.sa_family = (sa_family_t)family};
    socklen_t size = family == AF_INET ? sizeof a.four : sizeof a.six;
    int fd = socket(family, SOCK_DGRAM, 0);
    CHECK_EQ(bind(fd, &a.any, size), 0);
    CHECK_EQ(getsockname(fd, &a.any, &size), 0);
    if (family == AF_INET)
        inet_pton(AF_INET, text, &a.four.sin_addr);
    else
        inet_pton(AF_INET6, text, &a.six.sin6_addr);
    close(fd);
    return a;
}

static int asking(int family, int level, int name) {
    int on = 1, fd = socket(family, SOCK_DGRAM, 0);
    socklen_t size = sizeof on;
    CHECK_EQ(setsockopt(fd, level, name, &on, sizeof on), 0);
    on = 0;
    CHECK_EQ(getsockopt(fd, level, name, &on, &size), 0);
    CHECK_EQ(on, 1);
    return fd;
}

static void unconnected(void) {
    union address to = nobody(AF_INET, "127.0.77.1");
    int fd = asking(AF_INET, IPPROTO_IP, IP_RECVERR), on = 1;
    char b[16];
    struct told t;
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
    CHECK_ERRNO(recv(fd, b, sizeof b, MSG_ERRQUEUE), EAGAIN); /* never waits */
    CHECK_EQ(sendto(fd, "hello", 5, 0, &to.any, sizeof to.four), 5);
    CHECK_EQ(events(fd, 3000), POLLOUT | POLLERR);
    t = read_queue(fd, sizeof t.data, 256);
    CHECK_EQ(t.size, 5);
    CHECK(memcmp(t.data, "hello", 5) == 0);
    CHECK_EQ(t.flags, MSG_ERRQUEUE);
    CHECK_EQ(t.to_size, sizeof t.to.four);
    CHECK_EQ(t.to.four.sin_family, AF_INET);
    CHECK_EQ(t.to.four.sin_addr.s_addr, to.four.sin_addr.s_addr);
    CHECK_EQ(t.to.four.sin_port, to.four.sin_port);
    CHECK(t.level == IPPROTO_IP && t.type == IP_RECVERR);
    CHECK_EQ(t.control_size, 32);
    CHECK_EQ(t.error.error, ECONNREFUSED);
    CHECK(t.error.origin == ICMP && t.error.type == ICMP_DEST_UNREACH &&
          t.error.code == ICMP_PORT_UNREACH);
    CHECK(t.error.pad == 0 && t.error.info == 0 && t.error.data == 0);
    CHECK_EQ(t.offender.four.sin_family, AF_INET);
    CHECK_EQ(t.offender.four.sin_addr.s_addr, to.four.sin_addr.s_addr);
    CHECK_EQ(t.offender.four.sin_port, 0);
    CHECK(t.ttl > 0);
    /* That was all, of SO_ERROR too. */
    CHECK_EQ(events(fd, 0), POLLOUT);
    CHECK_EQ(pending(fd), 0);
    CHECK_ERRNO(recv(fd, b, sizeof b, MSG_DONTWAIT), EAGAIN);
    CHECK_ERRNO(recv(fd, b, sizeof b, MSG_ERRQUEUE), EAGAIN);
    /* A receive is told first, and the queue is as it was. */
    CHECK_EQ(sendto(fd, "again", 5, 0, &to.any, sizeof to.four), 5);
    CHECK(events(fd, 3000) & POLLERR);
    CHECK_ERRNO(recv(fd, b, sizeof b, MSG_DONTWAIT), ECONNREFUSED);
    CHECK_EQ(pending(fd), 0);
    CHECK_EQ(events(fd, 0), POLLOUT | POLLERR);
    CHECK_EQ(recv(fd, b, sizeof b, MSG_ERRQUEUE | MSG_PEEK), 5); /* and is gone */
    CHECK_EQ(events(fd, 0), POLLOUT);
    /* Nobody asked. */
    int off = 0;
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &off, sizeof off), 0);
    CHECK_EQ(sendto(fd, "never", 5, 0, &to.any, sizeof to.four), 5);
    CHECK_EQ(events(fd, 100), POLLOUT);
    close(fd);
}

static void several(void) {
    union address to = nobody(AF_INET, "127.0.77.2");
    int fd = asking(AF_INET, IPPROTO_IP, IP_RECVERR), off = 0;
    char b[2][16];
    CHECK_EQ(connect(fd, &to.any, sizeof to.four), 0);
    CHECK_EQ(send(fd, "one", 3, 0), 3);
    CHECK(events(fd, 3000) & POLLERR);
    CHECK_ERRNO(send(fd, "lost", 4, 0), ECONNREFUSED);
    CHECK_EQ(send(fd, "three", 5, 0), 5);
    CHECK_EQ(await_pending(fd), ECONNREFUSED);
    /* The next error counts as soon as the one before it is read. */
    CHECK_EQ(recv(fd, b[0], sizeof b[0], MSG_ERRQUEUE), 3);
    CHECK_EQ(pending(fd), ECONNREFUSED);
    CHECK_EQ(recv(fd, b[0], sizeof b[0], MSG_ERRQUEUE), 5);
    CHECK_EQ(pending(fd), 0);
    /* Both in one call, though an error is pending. */
    CHECK_EQ(send(fd, "one", 3, 0), 3);
    CHECK_EQ(await_pending(fd), ECONNREFUSED);
    CHECK_EQ(send(fd, "three", 5, 0), 5);
    CHECK_EQ(await_pending(fd), ECONNREFUSED);
    CHECK_EQ(send(fd, "x", 1, 0), 1);
    usleep(20000);
    struct iovec v[2] = {{b[0], sizeof b[0]}, {b[1], sizeof b[1]}};
    struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = &v[0], .msg_iovlen = 1}},
                           {.msg_hdr = {.msg_iov = &v[1], .msg_iovlen = 1}}};
    CHECK_EQ(recvmmsg(fd, m, 2, MSG_ERRQUEUE, NULL), 2);
    CHECK(m[0].msg_len == 3 && m[1].msg_len == 5 && memcmp(b[1], "three", 5) == 0);
    CHECK_EQ(m[1].msg_hdr.msg_flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
    /* Turned off: what waits is gone. */
    CHECK_EQ(await_pending(fd), ECONNREFUSED);
    CHECK_EQ(send(fd, "four", 4, 0), 4);
    CHECK_EQ(await_pending(fd), ECONNREFUSED);
    CHECK_EQ(events(fd, 0), POLLOUT | POLLERR);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &off, sizeof off), 0);
    CHECK_EQ(events(fd, 0), POLLOUT);
    CHECK_ERRNO(recv(fd, b[0], sizeof b[0], MSG_ERRQUEUE), EAGAIN);
    close(fd);
}

/* How much of a packet comes back, and what there is no room for. */
static void cut(void) {
    union address to = nobody(AF_INET, "127.0.77.3"), six = nobody(AF_INET6, "::1");
    int fd = asking(AF_INET, IPPROTO_IP, IP_RECVERR);
    static char out[1500];
    struct told t;
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (char)(i * 7);
    CHECK_EQ(sendto(fd, out, sizeof out, 0, &to.any, sizeof to.four), sizeof out);
    CHECK(events(fd, 3000) & POLLERR);
    t = read_queue(fd, sizeof t.data, 256);
    CHECK_EQ(t.size, 576 - 20 - 8 - 20 - 8); /* of the ICMP message's 576 bytes */
    CHECK(memcmp(t.data, out, 520) == 0);
    CHECK_EQ(sendto(fd, out, 100, 0, &to.any, sizeof to.four), 100);
    CHECK(events(fd, 3000) & POLLERR);
    t = read_queue(fd, 10, 8);
    CHECK_EQ(t.size, 10);
    CHECK_EQ(t.flags, MSG_ERRQUEUE | MSG_TRUNC | MSG_CTRUNC);
    CHECK_EQ(sendto(fd, "", 0, 0, &to.any, sizeof to.four), 0);
    CHECK(events(fd, 3000) & POLLERR);
    t = read_queue(fd, 10, 256);
    CHECK_EQ(t.size, 0);
    CHECK_EQ(t.error.error, ECONNREFUSED);
    close(fd);
    fd = asking(AF_INET6, IPPROTO_IPV6, IPV6_RECVERR);
    CHECK_EQ(sendto(fd, out, sizeof out, 0, &six.any, sizeof six.six), sizeof out);
    CHECK(events(fd, 3000) & POLLERR);
    t = read_queue(fd, sizeof t.data, 256);
    CHECK_EQ(t.size, 1280 - 40 - 8 - 40 - 8);
    CHECK(memcmp(t.data, out, 1184) == 0);
    close(fd);
}

static void six(void) {
    union address to = nobody(AF_INET6, "::1");
    int fd = asking(AF_INET6, IPPROTO_IPV6, IPV6_RECVERR);
    char text[64];
    struct told t;
    CHECK_EQ(sendto(fd, "hello", 5, 0, &to.any, sizeof to.six), 5);
    CHECK_EQ(events(fd, 3000), POLLOUT | POLLERR);
    t = read_queue(fd, sizeof t.data, 256);
    CHECK_EQ(t.size, 5);
    CHECK_EQ(t.to.six.sin6_family, AF_INET6);
    CHECK_EQ(t.to.six.sin6_port, to.six.sin6_port);
    CHECK(memcmp(&t.to.six.sin6_addr, &in6addr_loopback, 16) == 0);
    CHECK(t.level == IPPROTO_IPV6 && t.type == IPV6_RECVERR);
    CHECK_EQ(t.control_size, 44);
    CHECK_EQ(t.error.error, ECONNREFUSED);
    CHECK(t.error.origin == ICMP6 && t.error.type == 1 && t.error.code == 4);
    CHECK_EQ(t.offender.six.sin6_family, AF_INET6);
    CHECK(memcmp(&t.offender.six.sin6_addr, &in6addr_loopback, 16) == 0);
    CHECK_EQ(events(fd, 0), POLLOUT);
    /* IPv4 in IPv6's clothes asks by IPv4's option, and is told by IPv6's. */
    int on = 1;
    union address four = nobody(AF_INET, "127.0.77.4"), mapped = {.six.sin6_family = AF_INET6};
    mapped.six.sin6_port = four.four.sin_port;
    inet_pton(AF_INET6, "::ffff:127.0.77.4", &mapped.six.sin6_addr);
    CHECK_EQ(sendto(fd, "never", 5, 0, &mapped.any, sizeof mapped.six), 5);
    CHECK_EQ(events(fd, 100), POLLOUT);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    CHECK_EQ(sendto(fd, "mapped", 6, 0, &mapped.any, sizeof mapped.six), 6);
    CHECK(events(fd, 3000) & POLLERR);
    t = read_queue(fd, sizeof t.data, 256);
    CHECK_EQ(t.size, 6);
    CHECK(t.level == IPPROTO_IPV6 && t.type == IPV6_RECVERR && t.error.origin == ICMP);
    puts(inet_ntop(AF_INET6, &t.to.six.sin6_addr, text, sizeof text));
    puts(inet_ntop(AF_INET6, &t.offender.six.sin6_addr, text, sizeof text));
    close(fd);
}

/* A packet that never left. */
static void too_long(void) {
    static char out[65510];
    union address to = nobody(AF_INET, "127.0.77.5");
    int fd = asking(AF_INET, IPPROTO_IP, IP_RECVERR);
    struct told t;
    CHECK_EQ(connect(fd, &to.any, sizeof to.four), 0);
    CHECK_ERRNO(send(fd, out, sizeof out, 0), EMSGSIZE);
    CHECK_EQ(pending(fd), 0);
    CHECK_EQ(events(fd, 0), POLLOUT | POLLERR);
    t = read_queue(fd, sizeof t.data, 256);
    CHECK_EQ(t.size, 0);
    CHECK_EQ(t.error.error, EMSGSIZE);
    CHECK(t.error.origin == LOCAL && t.error.type == 0 && t.error.code == 0);
    CHECK(t.error.info >= 1280);
    CHECK_EQ(t.to.four.sin_addr.s_addr, to.four.sin_addr.s_addr);
    CHECK_EQ(t.to.four.sin_port, to.four.sin_port);
    CHECK_EQ(t.control_size, 32);
    CHECK_EQ(t.offender.any.sa_family, AF_UNSPEC);
    CHECK_EQ(events(fd, 0), POLLOUT);
    close(fd);
}

/* The queue is as long as SO_RCVBUF allows. */
static void bounded(void) {
    union address to = nobody(AF_INET, "127.0.77.6");
    int fd = asking(AF_INET, IPPROTO_IP, IP_RECVERR), size = 1, count = 0;
    char b[16];
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    for (int i = 0; i < 200; i++)
        sendto(fd, "x", 1, 0, &to.any, sizeof to.four);
    CHECK(events(fd, 3000) & POLLERR);
    while (recv(fd, b, sizeof b, MSG_ERRQUEUE) == 1)
        count++;
    CHECK(count >= 1 && count < 20);
    close(fd);
}

/* A raw socket: what followed the IP header comes back.  TCP has no such queue. */
static void others(void) {
    union address to = nobody(AF_INET, "127.0.77.7");
    int on = 1, fd = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
    char b[16];
    struct told t;
    if (fd >= 0) { /* not everybody may */
        struct {
            struct udphdr h;
            char data[4];
        } out = {.h = {htons(4711), to.four.sin_port, htons(sizeof out), 0}, .data = "raw"};
        CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
        CHECK_EQ(connect(fd, &to.any, sizeof to.four), 0);
        CHECK_EQ(send(fd, &out, sizeof out, 0), sizeof out);
        CHECK(events(fd, 3000) & POLLERR);
        t = read_queue(fd, sizeof t.data, 256);
        CHECK_EQ(t.size, sizeof out);
        CHECK(memcmp(t.data, &out, sizeof out) == 0);
        CHECK_EQ(t.error.error, ECONNREFUSED);
        CHECK_EQ(t.to.four.sin_addr.s_addr, to.four.sin_addr.s_addr);
        CHECK_EQ(t.to.four.sin_port, 0);
        close(fd);
    }
    fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    CHECK_ERRNO(recv(fd, b, sizeof b, MSG_ERRQUEUE), EAGAIN);
    close(fd);
}

int main(void) {
    unconnected();
    several();
    cut();
    six();
    too_long();
    bounded();
    others();
    return check_done();
}
