/* SPDX-License-Identifier: BSD-3-Clause
 *
 * AF_UNIX datagrams: addresses, connecting and leaving, full queues, credentials.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "scratch.h"

static int events(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static struct sockaddr_un name_of(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, path);
    return a;
}

static int make(const char *path) {
    int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un a = name_of(path);
    CHECK_EQ(bind(s, (struct sockaddr *)&a, sizeof a), 0);
    return s;
}

static int to(int s, const char *path) {
    struct sockaddr_un a = name_of(path);
    return (int)sendto(s, path, strlen(path), 0, (struct sockaddr *)&a, sizeof a);
}

static int join(int s, const char *path) {
    struct sockaddr_un a = name_of(path);
    return connect(s, (struct sockaddr *)&a, sizeof a);
}

int main(void) {
    char b[64];
    static char big[300000];
    struct sockaddr_un from;
    socklen_t size = sizeof from;
    int n = 0;
    scratch_enter();
    int x = make("x"), y = make("yy"), z = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    printf("idle: %x\n", events(x));
    CHECK_ERRNO(recv(x, b, 64, 0), EAGAIN);
    CHECK_ERRNO(send(x, "a", 1, 0), ENOTCONN);
    CHECK_ERRNO(to(x, "zzz"), ENOENT);
    CHECK_EQ(to(x, "yy"), 2);
    CHECK_EQ(to(z, "yy"), 2);
    CHECK_EQ(ioctl(y, FIONREAD, &n), 0);
    CHECK_EQ(n, 2);                                                     /* of the first one */
    CHECK_EQ(recvfrom(y, b, 1, 0, (struct sockaddr *)&from, &size), 1); /* the rest is lost */
    CHECK(size == 2 + 2 && strcmp(from.sun_path, "x") == 0);
    size = sizeof from;
    CHECK_EQ(recvfrom(y, b, 64, MSG_TRUNC, (struct sockaddr *)&from, &size), 2);
    CHECK_EQ(size, 0); /* without a name */
    /* Connected: others may not send. */
    CHECK_EQ(join(x, "yy"), 0);
    CHECK_EQ(send(x, "hello", 5, 0), 5);
    CHECK_EQ(join(y, "x"), 0);
    CHECK_ERRNO(to(z, "x"), EPERM);
    CHECK_ERRNO(join(z, "x"), EPERM);
    size = sizeof from;
    CHECK_EQ(getpeername(x, (struct sockaddr *)&from, &size), 0);
    CHECK_EQ(size, 5);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    CHECK_EQ(connect(y, &none, sizeof none), 0);
    CHECK_EQ(connect(x, &none, sizeof none), 0);
    CHECK_ERRNO(getpeername(x, (struct sockaddr *)&from, &size), ENOTCONN);
    while (recv(x, b, 64, 0) >= 0)
        continue;
    /* A queue has an end. */
    for (n = 0; to(z, "x") > 0 && n < 1000; n++)
        continue;
    CHECK(n >= 10 && n < 1000);
    CHECK_ERRNO(to(z, "x"), EAGAIN);
    CHECK_EQ(join(z, "x"), 0);
    printf("full: %x\n", events(z) & POLLOUT);
    CHECK_EQ(recv(x, b, 64, 0), 1);
    printf("not full: %x\n", events(z) & POLLOUT);
    CHECK_ERRNO(send(z, big, sizeof big, 0), EMSGSIZE);
    /* Who is connected sees the other go. */
    close(x);
    CHECK_ERRNO(send(z, "a", 1, 0), ECONNREFUSED);
    CHECK_ERRNO(send(z, "a", 1, 0), ENOTCONN);
    CHECK_ERRNO(to(z, "x"), ECONNREFUSED);
    close(y);
    close(z);
    /* The name of who sent it outlives who sent it; one's own peer is oneself. */
    y = make("y2");
    x = make("x2");
    CHECK_EQ(to(x, "y2"), 2);
    close(x);
    size = sizeof from;
    CHECK_EQ(recvfrom(y, b, 64, 0, (struct sockaddr *)&from, &size), 2);
    CHECK(size == 2 + 3 && strcmp(from.sun_path, "x2") == 0);
    CHECK_EQ(join(y, "y2"), 0);
    CHECK_EQ(send(y, "self", 4, 0), 4);
    CHECK_EQ(connect(y, &none, sizeof none), 0);
    CHECK_ERRNO(recv(y, b, 64, 0), EAGAIN); /* lost, and no error */
    close(y);

    int p[2], on = 1;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, p), 0);
    CHECK_EQ(setsockopt(p[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    CHECK_EQ(send(p[0], "", 0, 0), 0);
    CHECK_EQ(send(p[0], "cred", 4, 0), 4);
    CHECK_EQ(recv(p[1], b, 64, 0), 0);
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } c;
    struct iovec v = {b, sizeof b};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
    CHECK_EQ(recvmsg(p[1], &m, 0), 4);
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    struct ucred u = {0, 0, 0};
    CHECK(h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_CREDENTIALS);
    CHECK_EQ(h->cmsg_len, CMSG_LEN(sizeof u));
    memcpy(&u, CMSG_DATA(h), sizeof u);
    CHECK(u.pid == getpid() && u.uid == getuid() && u.gid == getgid());
    CHECK_EQ(shutdown(p[0], SHUT_RD), 0);
    CHECK_ERRNO(send(p[1], "a", 1, 0), EPIPE);
    close(p[0]);
    CHECK_ERRNO(send(p[1], "a", 1, 0), ECONNREFUSED);
    printf("alone: %x\n", events(p[1]));
    close(p[1]);
    scratch_leave();
    return check_done();
}
