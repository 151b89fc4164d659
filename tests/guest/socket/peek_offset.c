/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SO_PEEK_OFF (socket(7)): where MSG_PEEK looks, how it goes on and back, over
 * the borders of messages and packets; sockets of AF_UNIX, UDP and TCP; refusals.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF 42
#endif

static void set(int fd, int offset) {
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset), 0);
}

static int get(int fd) {
    int offset = -77;
    socklen_t size = sizeof offset;
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, &size), 0);
    CHECK_EQ(size, sizeof offset);
    return offset;
}

/* What a receive of at most `room` bytes gives; "!" and an error's number. */
static const char *take(int fd, size_t room, int flags) {
    static char b[64];
    memset(b, 0, sizeof b);
    ssize_t n = recv(fd, b, room, flags | MSG_DONTWAIT);
    if (n < 0)
        snprintf(b, sizeof b, "!%d", errno);
    return b;
}
#define TAKE(fd, room, flags, text)                                                                \
    do {                                                                                           \
        const char *t_ = take(fd, room, flags);                                                    \
        if (strcmp(t_, text) != 0) {                                                               \
            check_failures++;                                                                      \
            printf("line %d: '%s', not '%s'\n", __LINE__, t_, text);                               \
        }                                                                                          \
    } while (0)
#define NOTHING "!11" /* EAGAIN */

/* A pipe of bytes, in which "abc" and "defg" wait. */
static void bytes(int in, int out) {
    CHECK_EQ(get(out), -1);
    TAKE(out, 2, MSG_PEEK, "ab");
    TAKE(out, 2, MSG_PEEK, "ab"); /* it is off: the start, and no step */
    CHECK_EQ(get(out), -1);
    set(out, 0);
    TAKE(out, 2, MSG_PEEK, "ab");
    CHECK_EQ(get(out), 2);
    TAKE(out, 3, MSG_PEEK, "cde"); /* over the border */
    TAKE(out, 10, MSG_PEEK, "fg");
    TAKE(out, 10, MSG_PEEK, NOTHING);
    CHECK_EQ(get(out), 7);
    TAKE(out, 2, 0, "ab"); /* taken from the start, and the place goes back */
    CHECK_EQ(get(out), 5);
    CHECK_EQ(send(in, "hi", 2, 0), 2);
    struct pollfd p = {.fd = out, .events = POLLIN};
    CHECK_EQ(poll(&p, 1, 3000), 1);
    for (int ms = 0; ms < 3000 && *take(out, 1, MSG_PEEK) == '!'; ms++) /* on its way */
        usleep(1000);
    CHECK_EQ(get(out), 6);
    TAKE(out, 10, MSG_PEEK, "i");
    set(out, 3);
    TAKE(out, 2, MSG_PEEK, "fg");
    CHECK_EQ(get(out), 5);
    TAKE(out, 4, 0, "cdef");
    CHECK_EQ(get(out), 1);
    TAKE(out, 1, 0, "g");
    TAKE(out, 1, 0, "h");
    CHECK_EQ(get(out), 0); /* no further */
    TAKE(out, 10, MSG_PEEK, "i");
    set(out, -5);
    CHECK_EQ(get(out), -5);
    TAKE(out, 10, MSG_PEEK, "i");
    TAKE(out, 10, 0, "i");
    CHECK_EQ(get(out), -5);
}

static void unix_stream(void) {
    int fd[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    CHECK_EQ(send(fd[0], "abc", 3, 0), 3);
    CHECK_EQ(send(fd[0], "defg", 4, 0), 4);
    bytes(fd[0], fd[1]);
    /* At the end of a stream there is nothing to look at. */
    set(fd[1], 1);
    CHECK_EQ(send(fd[0], "xyz", 3, 0), 3);
    close(fd[0]);
    TAKE(fd[1], 1, MSG_PEEK, "y");
    TAKE(fd[1], 9, MSG_PEEK, "z");
    TAKE(fd[1], 9, MSG_PEEK, "");
    close(fd[1]);
}

static void *send_later(void *fd) {
    usleep(30000);
    CHECK_EQ(send(*(int *)fd, "late", 4, 0), 4);
    return NULL;
}

/* Behind all that there is a look waits, as a receive does. */
static void waits(void) {
    int fd[2];
    char b[8] = "";
    pthread_t t;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
    CHECK_EQ(send(fd[0], "soon", 4, 0), 4);
    set(fd[1], 4);
    CHECK_EQ(pthread_create(&t, NULL, send_later, &fd[0]), 0);
    CHECK_EQ(recv(fd[1], b, sizeof b, MSG_PEEK), 4);
    CHECK(memcmp(b, "late", 4) == 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
    close(fd[0]), close(fd[1]);
}

/* Packets "abc", "" and "defg": a look gives what is left of one, and the next.  A
 * receive takes a whole one; by how much the place goes back is the protocol's
 * affair when it is cut off. */
static void packets(int in, int out, int cut) {
    char b[8];
    CHECK_EQ(get(out), -1);
    set(out, 0);
    CHECK_EQ(send(in, "abc", 3, 0), 3);
    CHECK_EQ(send(in, "", 0, 0), 0);
    CHECK_EQ(send(in, "defg", 4, 0), 4);
    TAKE(out, 2, MSG_PEEK, "ab");
    CHECK_EQ(get(out), 2);
    TAKE(out, 9, MSG_PEEK, "c");
    CHECK_EQ(get(out), 3);
    CHECK_EQ(recv(out, b, sizeof b, MSG_PEEK | MSG_DONTWAIT), 0); /* the empty one, once */
    CHECK_EQ(get(out), 3);
    TAKE(out, 9, MSG_PEEK, "defg");
    CHECK_EQ(get(out), 7);
    TAKE(out, 9, MSG_PEEK, NOTHING);
    TAKE(out, 9, 0, "abc");
    CHECK_EQ(get(out), 4);
    set(out, 0);
    TAKE(out, 2, MSG_PEEK, "de"); /* the empty one has been looked at */
    CHECK_EQ(get(out), 2);
    CHECK_EQ(recv(out, b, sizeof b, MSG_DONTWAIT), 0);
    CHECK_EQ(get(out), 2);
    TAKE(out, 1, 0, "d");
    CHECK_EQ(get(out), cut);
    CHECK_ERRNO(recv(out, b, sizeof b, MSG_DONTWAIT), EAGAIN);
    /* Cut off, as msg_flags tell it. */
    struct iovec v = {b, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    set(out, 1);
    CHECK_EQ(send(in, "klm", 3, 0), 3);
    CHECK_EQ(recvmsg(out, &m, MSG_PEEK | MSG_DONTWAIT), 1);
    CHECK(m.msg_flags == MSG_TRUNC && *b == 'l');
    v.iov_len = 2;
    CHECK_EQ(recvmsg(out, &m, MSG_PEEK | MSG_DONTWAIT), 1);
    CHECK(m.msg_flags == 0 && *b == 'm');
    set(out, 1);
    v.iov_len = 1;
    printf("%zd ", recvmsg(out, &m, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT));
    printf("at %d, ", get(out));
    set(out, 2);
    CHECK_EQ(recvmsg(out, &m, MSG_PEEK | MSG_DONTWAIT), 1);
    printf("%d\n", m.msg_flags);
    TAKE(out, 9, 0, "klm");
}

static void unix_packets(int type) {
    int fd[2];
    CHECK_EQ(socketpair(AF_UNIX, type, 0, fd), 0);
    packets(fd[0], fd[1], 0);
    close(fd[0]), close(fd[1]);
}

static void udp(int family) {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } a = {.any.sa_family = (sa_family_t)family};
    socklen_t size = sizeof a;
    int in = socket(family, SOCK_DGRAM, 0), out = socket(family, SOCK_DGRAM, 0);
    if (family == AF_INET)
        a.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        a.six.sin6_addr = in6addr_loopback;
    CHECK_EQ(bind(out, &a.any, family == AF_INET ? sizeof a.four : sizeof a.six), 0);
    CHECK_EQ(getsockname(out, &a.any, &size), 0);
    CHECK_EQ(connect(in, &a.any, size), 0);
    CHECK_EQ(getsockname(in, &a.any, &size), 0);
    CHECK_EQ(connect(out, &a.any, size), 0); /* no strangers */
    packets(in, out, 1);
    close(in), close(out);
}

/* Linux has it for TCP since 6.9. */
static void tcp(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int l = socket(AF_INET, SOCK_STREAM, 0), in = socket(AF_INET, SOCK_STREAM, 0), n = -1;
    CHECK_EQ(bind(l, (void *)&a, sizeof a), 0);
    CHECK_EQ(listen(l, 1), 0);
    CHECK_EQ(getsockname(l, (void *)&a, &size), 0);
    CHECK_EQ(connect(in, (void *)&a, sizeof a), 0);
    int out = accept(l, NULL, NULL);
    if (setsockopt(out, SOL_SOCKET, SO_PEEK_OFF, &n, sizeof n) == 0) {
        CHECK_EQ(send(in, "abc", 3, 0), 3);
        CHECK_EQ(send(in, "defg", 4, 0), 4);
        char b[8];
        CHECK_EQ(recv(out, b, 7, MSG_PEEK | MSG_WAITALL), 7);
        bytes(in, out);
    } else {
        CHECK_EQ(errno, EOPNOTSUPP);
    }
    close(l), close(in), close(out);
}

static void refusals(void) {
    int n = 0, s = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = sizeof n;
    CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &n, 2), EINVAL);
    CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_PEEK_OFF, (void *)8, sizeof n), EFAULT);
    CHECK_ERRNO(setsockopt(-1, SOL_SOCKET, SO_PEEK_OFF, &n, sizeof n), EBADF);
    close(s);
    s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (s >= 0) { /* not everybody may */
        CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &n, sizeof n), EOPNOTSUPP);
        CHECK_ERRNO(getsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &n, &size), EOPNOTSUPP);
        close(s);
    }
    s = socket(AF_NETLINK, SOCK_RAW, 0);
    CHECK_ERRNO(setsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &n, sizeof n), EOPNOTSUPP);
    CHECK_ERRNO(getsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &n, &size), EOPNOTSUPP);
    close(s);
}

int main(void) {
    unix_stream();
    waits();
    unix_packets(SOCK_DGRAM);
    unix_packets(SOCK_SEQPACKET);
    udp(AF_INET);
    udp(AF_INET6);
    tcp();
    refusals();
    return check_done();
}
