/* SPDX-License-Identifier: BSD-3-Clause
 *
 * AF_UNIX streams and packets: names, listening, connecting, what each side
 * sees of the other, refusals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "none_left.h"
#include "scratch.h"

static struct sockaddr_un name_of(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, path);
    return a;
}

static int events(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static socklen_t own_size(int fd) {
    struct sockaddr_un a;
    socklen_t size = sizeof a;
    return getsockname(fd, (struct sockaddr *)&a, &size) ? 0 : size;
}

static int do_bind(int fd, const char *path) {
    struct sockaddr_un a = name_of(path);
    return bind(fd, (struct sockaddr *)&a, sizeof a);
}

static int do_connect(int fd, const char *path) {
    struct sockaddr_un a = name_of(path);
    return connect(fd, (struct sockaddr *)&a, sizeof a);
}

static void named(int type) {
    struct sockaddr_un a;
    socklen_t size = sizeof a;
    struct stat s;
    char b[64];
    int l = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(l >= 3);
    printf("idle: %x\n", events(l));
    CHECK_ERRNO(listen(l, 1), EINVAL); /* no name */
    CHECK_ERRNO(accept(l, NULL, NULL), EINVAL);
    CHECK_EQ(own_size(l), 2);
    CHECK_EQ(do_bind(l, "sock"), 0);
    CHECK_EQ(own_size(l), 2 + 5);
    CHECK_ERRNO(do_bind(l, "other"), EINVAL);
    CHECK_EQ(stat("sock", &s), 0);
    CHECK_EQ(s.st_mode, S_IFSOCK | 0755);
    CHECK_ERRNO(open("sock", O_RDWR), ENXIO);
    int c = socket(AF_UNIX, type, 0);
    CHECK_ERRNO(do_bind(c, "sock"), EADDRINUSE);
    CHECK_ERRNO(do_connect(c, "sock"), ECONNREFUSED); /* nobody listens */
    CHECK_ERRNO(do_connect(c, "none"), ENOENT);
    scratch_file("file", "");
    CHECK_ERRNO(do_connect(c, "file"), ECONNREFUSED);
    CHECK_ERRNO(do_connect(c, "file/x"), ENOTDIR);
    CHECK_ERRNO(getpeername(c, (struct sockaddr *)&a, &size), ENOTCONN);
    CHECK_EQ(listen(l, 1), 0);
    printf("listening: %x\n", events(l));
    CHECK_ERRNO(accept(l, NULL, NULL), EAGAIN);
    CHECK_EQ(do_connect(c, "sock"), 0);
    CHECK_ERRNO(do_connect(c, "sock"), EISCONN);
    printf("asked: %x %x\n", events(l), events(c));
    CHECK_EQ(write(c, "early", 5), 5); /* before it is accepted */
    int s1 = accept4(l, (struct sockaddr *)&a, &size, SOCK_NONBLOCK);
    CHECK(s1 >= 3);
    CHECK_EQ(size, 2); /* the other side has no name */
    CHECK_EQ(own_size(s1), 2 + 5);
    size = sizeof a;
    CHECK_EQ(getpeername(c, (struct sockaddr *)&a, &size), 0);
    CHECK(size == 7 && strcmp(a.sun_path, "sock") == 0);
    CHECK_EQ(read(s1, b, sizeof b), 5);
    CHECK_ERRNO(read(s1, b, sizeof b), EAGAIN);
    printf("connected: %x %x\n", events(s1), events(c));
    CHECK_EQ(send(s1, "answer", 6, 0), 6);
    size = sizeof a;
    CHECK_EQ(recvfrom(c, b, sizeof b, 0, (struct sockaddr *)&a, &size), 6);
    CHECK_EQ(size, 7); /* who sent it has a name */
    int on = -1;
    size = sizeof on;
    CHECK_EQ(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, &on, &size), 0);
    CHECK_EQ(on, 1);
    struct ucred cred;
    size = sizeof cred;
    CHECK_EQ(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &size), 0);
    CHECK(cred.pid == getpid() && cred.uid == getuid() && cred.gid == getgid());
    /* One more than the backlog, and no more. */
    int w[3];
    for (int i = 0; i < 3; i++)
        w[i] = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    CHECK_EQ(do_connect(w[0], "sock"), 0);
    CHECK_EQ(do_connect(w[1], "sock"), 0);
    CHECK_ERRNO(do_connect(w[2], "sock"), EAGAIN);
    close(l);
    printf("never accepted: %x\n", events(w[0]));
    CHECK_ERRNO(read(w[0], b, 1), ECONNRESET);
    CHECK_EQ(read(w[0], b, 1), 0);
    CHECK_ERRNO(do_connect(w[2], "sock"), ECONNREFUSED); /* the name is still there */
    for (int i = 0; i < 3; i++)
        close(w[i]);
    /* The end. */
    CHECK_EQ(write(c, "last", 4), 4);
    close(c);
    printf("left: %x\n", events(s1));
    CHECK_EQ(read(s1, b, sizeof b), 4);
    CHECK_EQ(read(s1, b, sizeof b), 0);
    CHECK_ERRNO(send(s1, "x", 1, MSG_NOSIGNAL), EPIPE);
    close(s1);
    unlink("sock");
    /* Who is gone keeps its name, and who listens no longer has nobody waiting. */
    l = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    c = socket(AF_UNIX, type, 0);
    CHECK_EQ(do_bind(l, "sock"), 0);
    CHECK_EQ(do_bind(c, "client"), 0);
    CHECK_EQ(listen(l, 1), 0);
    CHECK_EQ(do_connect(c, "sock"), 0);
    s1 = accept(l, NULL, NULL);
    close(c);
    size = sizeof a;
    CHECK_EQ(getpeername(s1, (struct sockaddr *)&a, &size), 0);
    CHECK(size == 2 + 7 && strcmp(a.sun_path, "client") == 0);
    CHECK_EQ(shutdown(l, SHUT_RD), 0);
    CHECK_ERRNO(accept(l, NULL, NULL), EAGAIN);
    CHECK_EQ(fcntl(l, F_SETFL, 0), 0);
    CHECK_ERRNO(accept(l, NULL, NULL), EINVAL);
    close(s1);
    close(l);
    unlink("sock");
    unlink("client");
}

static void closed_with_unread(void) {
    int p[2];
    char b[8];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    CHECK_EQ(write(p[0], "lost", 4), 4);
    close(p[1]);
    printf("reset: %x\n", events(p[0]));
    CHECK_ERRNO(read(p[0], b, 8), ECONNRESET);
    CHECK_EQ(read(p[0], b, 8), 0);
    close(p[0]);
}

static void stream(void) {
    int p[2], n = 0;
    char b[64];
    static char big[300000];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p), 0);
    CHECK_EQ(write(p[0], "abc", 3), 3);
    CHECK_EQ(write(p[0], "defg", 4), 4);
    CHECK_EQ(ioctl(p[1], FIONREAD, &n), 0);
    CHECK_EQ(n, 7);
    CHECK_EQ(recv(p[1], b, 2, MSG_PEEK), 2);
    CHECK_EQ(recv(p[1], b, sizeof b, MSG_PEEK), 7);
    CHECK_EQ(recv(p[1], b, 5, 0), 5); /* no borders */
    CHECK(memcmp(b, "abcde", 5) == 0);
    CHECK_EQ(recv(p[1], b, 0, 0), 0);
    CHECK_EQ(recv(p[1], b, 5, MSG_WAITALL), 2);
    CHECK_ERRNO(recv(p[1], b, 5, MSG_WAITALL), EAGAIN);
    CHECK_ERRNO(recv(p[1], b, 0, MSG_PEEK), EAGAIN); /* not the end */
    ssize_t sent = write(p[0], big, sizeof big), got = 0, r;
    CHECK(sent >= 100000 && sent < 300000);
    CHECK_ERRNO(write(p[0], big, 1), EAGAIN);
    printf("full: %x %x\n", events(p[0]), events(p[1]));
    while ((r = read(p[1], big, sizeof big)) > 0)
        got += r;
    CHECK_EQ(got, sent);
    printf("empty: %x %x\n", events(p[0]), events(p[1]));
    struct sockaddr_un a = name_of("x");
    CHECK_ERRNO(sendto(p[0], "x", 1, 0, (struct sockaddr *)&a, sizeof a), EISCONN);
    CHECK_EQ(shutdown(p[0], SHUT_WR), 0);
    printf("half closed: %x %x\n", events(p[0]), events(p[1]));
    CHECK_EQ(read(p[1], b, 1), 0);
    CHECK_ERRNO(write(p[0], "x", 1), EPIPE);
    CHECK_EQ(write(p[1], "back", 4), 4);
    CHECK_EQ(read(p[0], b, sizeof b), 4);
    CHECK_EQ(shutdown(p[1], SHUT_WR), 0);
    printf("closed: %x %x\n", events(p[0]), events(p[1]));
    CHECK_ERRNO(shutdown(p[0], 3), EINVAL);
    close(p[0]);
    close(p[1]);
}

static void packets(void) {
    int p[2];
    char b[64];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, p), 0);
    CHECK_EQ(send(p[0], "one", 3, 0), 3);
    CHECK_EQ(send(p[0], "", 0, 0), 0);
    CHECK_EQ(send(p[0], "three", 5, MSG_EOR), 5);
    CHECK_EQ(recv(p[1], b, 2, MSG_PEEK | MSG_TRUNC), 3);
    CHECK_EQ(recv(p[1], b, 64, 0), 3);
    CHECK_EQ(recv(p[1], b, 64, 0), 0);
    struct iovec v = {b, 2};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    CHECK_EQ(recvmsg(p[1], &m, 0), 2);
    CHECK_EQ(m.msg_flags, MSG_TRUNC);
    CHECK_ERRNO(recv(p[1], b, 64, 0), EAGAIN);
    shutdown(p[0], SHUT_WR);
    CHECK_EQ(recv(p[1], b, 64, 0), 0);
    CHECK_ERRNO(send(p[0], "x", 1, 0), EPIPE); /* and no signal */
    close(p[0]);
    close(p[1]);
    int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK_ERRNO(send(s, "x", 1, 0), ENOTCONN);
    CHECK_ERRNO(recv(s, b, 1, 0), ENOTCONN);
    close(s);
}

static void abstract(void) {
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "\0guest-test"};
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + 11;
    int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_ERRNO(connect(c, (struct sockaddr *)&a, size), ECONNREFUSED);
    CHECK_EQ(bind(l, (struct sockaddr *)&a, size), 0);
    CHECK_ERRNO(bind(c, (struct sockaddr *)&a, size), EADDRINUSE);
    CHECK_EQ(bind(d, (struct sockaddr *)&a, size), 0); /* another type: another name */
    CHECK_EQ(own_size(l), size);
    CHECK_EQ(listen(l, 0), 0);
    CHECK_ERRNO(connect(c, (struct sockaddr *)&a, size - 1), ECONNREFUSED);
    CHECK_EQ(connect(c, (struct sockaddr *)&a, size), 0);
    close(l);
    close(c);
    close(d);
    /* A name of its own. */
    l = socket(AF_UNIX, SOCK_STREAM, 0);
    a.sun_path[0] = 'x';
    CHECK_EQ(bind(l, (struct sockaddr *)&a, 2), 0);
    CHECK_EQ(own_size(l), 8);
    size = sizeof a;
    CHECK_EQ(getsockname(l, (struct sockaddr *)&a, &size), 0);
    CHECK(a.sun_path[0] == 0 && strspn(a.sun_path + 1, "0123456789abcdef") >= 5);
    close(l);
}

static void refusals(void) {
    struct sockaddr_un a = name_of("x");
    int s = socket(AF_UNIX, SOCK_STREAM, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0), p[2];
    char b[8];
    CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 2), EPROTONOSUPPORT);
    CHECK_ERRNO(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8), EFAULT);
    CHECK_ERRNO(bind(s, (struct sockaddr *)&a, 1), EINVAL);
    CHECK_ERRNO(bind(s, (struct sockaddr *)&a, sizeof a + 1), EINVAL);
    CHECK_ERRNO(bind(s, (struct sockaddr *)8, sizeof a), EFAULT);
    a.sun_family = AF_INET;
    CHECK_ERRNO(bind(s, (struct sockaddr *)&a, sizeof a), EINVAL);
    CHECK_ERRNO(connect(s, (struct sockaddr *)&a, sizeof a), EINVAL);
    CHECK_ERRNO(do_bind(s, "no/where"), ENOENT);
    CHECK_ERRNO(do_bind(s, "/"), EADDRINUSE);
    CHECK_ERRNO(listen(d, 1), EOPNOTSUPP);
    CHECK_ERRNO(accept(d, NULL, NULL), EOPNOTSUPP);
    CHECK_ERRNO(read(s, b, 1), EINVAL);
    CHECK_ERRNO(send(s, "x", 1, MSG_NOSIGNAL), ENOTCONN);
    CHECK_EQ(shutdown(s, SHUT_RD), 0);
    CHECK_EQ(do_bind(d, "d"), 0);
    CHECK_ERRNO(do_connect(s, "d"), EPROTOTYPE);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_RAW, 0, p), 0); /* as datagrams */
    int type;
    socklen_t size = sizeof type;
    CHECK_EQ(getsockopt(p[0], SOL_SOCKET, SO_TYPE, &type, &size), 0);
    CHECK_EQ(type, SOCK_DGRAM);
    CHECK_ERRNO(setsockopt(s, 6, 1, &type, sizeof type), EOPNOTSUPP);
    CHECK_ERRNO(lseek(s, 0, SEEK_SET), ESPIPE);
    close(s);
    close(d);
    close(p[0]);
    close(p[1]);
}

/* Without a descriptor for it a connection stays for a later accept. */
static void none_is_left(void) {
    int l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(do_bind(l, "few"), 0);
    CHECK_EQ(listen(l, 1), 0);
    CHECK_EQ(do_connect(c, "few"), 0);
    check_none_left(l, c);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    scratch_enter();
    named(SOCK_STREAM);
    named(SOCK_SEQPACKET);
    closed_with_unread();
    stream();
    packets();
    abstract();
    refusals();
    none_is_left();
    scratch_leave();
    return check_done();
}
