/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sockets and data in pieces: readv and writev make one message, however many pieces;
 * what met a page that is not there is neither sent nor taken.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

enum { MANY = 100 };
static char b[16384];
static char *hole; /* a page, and none behind it */

static void await(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    CHECK_EQ(poll(&p, 1, 5000), 1);
}

static void udp_pair(int s[2]) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof a;
    s[0] = socket(AF_INET, SOCK_DGRAM, 0);
    s[1] = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(bind(s[1], (struct sockaddr *)&a, size), 0);
    CHECK_EQ(getsockname(s[1], (struct sockaddr *)&a, &size), 0);
    CHECK_EQ(connect(s[0], (struct sockaddr *)&a, size), 0);
}

static void tcp_pair(int s[2]) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof a;
    int l = socket(AF_INET, SOCK_STREAM, 0);
    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(l, (struct sockaddr *)&a, size), 0);
    CHECK_EQ(listen(l, 1), 0);
    CHECK_EQ(getsockname(l, (struct sockaddr *)&a, &size), 0);
    CHECK_EQ(connect(s[0], (struct sockaddr *)&a, size), 0);
    s[1] = accept(l, NULL, NULL);
    close(l);
}

static void messages(int s[2]) {
    char x[6] = "", y[9] = "";
    struct iovec two[2] = {{x, 5}, {y, 8}}, many[MANY], none[2] = {{x, 0}, {y, 0}};
    CHECK_EQ(send(s[0], "0123456789", 10, 0), 10);
    CHECK_EQ(send(s[0], "abcde", 5, 0), 5);
    await(s[1]);
    CHECK_EQ(readv(s[1], two, 2), 10);
    CHECK(strcmp(x, "01234") == 0 && strcmp(y, "56789") == 0);
    await(s[1]);
    CHECK_EQ(readv(s[1], two, 2), 5); /* not with the first */
    CHECK(strcmp(x, "abcde") == 0);
    for (int i = 0; i < MANY; i++)
        many[i] = (struct iovec){i % 3 ? "wxyz" + i % 4 : "", i % 3 ? 1 : 0};
    CHECK_EQ(writev(s[0], many, MANY), 66);
    CHECK_EQ(writev(s[0], many, 17), 11);
    await(s[1]);
    CHECK_EQ(recv(s[1], b, sizeof b, 0), 66);
    CHECK(memcmp(b, "xywxzw", 6) == 0);
    for (int i = 0; i < MANY; i++)
        many[i] = (struct iovec){b + i, 1};
    await(s[1]);
    CHECK_EQ(readv(s[1], many, MANY), 11);
    CHECK_EQ(send(s[0], "0123456789abcdef", 16, 0), 16); /* as much as in the first pieces */
    CHECK_EQ(send(s[0], "another", 7, 0), 7);
    await(s[1]);
    CHECK_EQ(readv(s[1], many, MANY), 16);
    await(s[1]);
    CHECK_EQ(readv(s[1], none, 2), 0); /* takes nothing */
    CHECK_EQ(read(s[1], x, 0), 0);
    CHECK_EQ(recv(s[1], b, sizeof b, 0), 7);
    CHECK_EQ(writev(s[0], none, 2), 0); /* and gives nothing */
    CHECK_ERRNO(recv(s[1], b, 1, MSG_DONTWAIT), EAGAIN);
    close(s[0]);
    close(s[1]);
}

static void bytes(int s[2]) {
    struct iovec many[MANY];
    for (int i = 0; i < MANY; i++)
        many[i] = (struct iovec){b + 3 * i, 3};
    CHECK_EQ(writev(s[0], many, MANY), 3 * MANY);
    for (int left = 3 * MANY - 4; left > 0; left -= (int)recv(s[1], b, (size_t)left, 0))
        continue;
    CHECK_EQ(readv(s[1], many, MANY), 4); /* and does not wait */
    close(s[0]);
    close(s[1]);
}

static void bad_pages(void) {
    int s[2];
    struct iovec three[3] = {{b, 5000}, {b + 5000, 100}, {hole + 4096, 3000}};
    struct msghdr m = {.msg_iov = three, .msg_iovlen = 3};
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_ERRNO(send(s[0], hole, 4096 + 4096, 0), EFAULT);
    CHECK_ERRNO(sendmsg(s[0], &m, 0), EFAULT);
    CHECK_ERRNO(recv(s[1], b, 1, MSG_DONTWAIT), EAGAIN); /* not a byte of it went */
    close(s[0]);
    close(s[1]);
    tcp_pair(s);
    CHECK_EQ(send(s[0], b, 9000, 0), 9000);
    int queued = 0;
    while (queued < 9000) {
        await(s[1]);
        queued = (int)recv(s[1], b, sizeof b, MSG_PEEK);
    }
    ssize_t got = recvmsg(s[1], &m, 0);
    CHECK(got < 5100);
    CHECK_EQ((got < 0 ? 0 : got) + recv(s[1], b, sizeof b, 0), 9000); /* each byte once */
    close(s[0]);
    close(s[1]);
}

/* The size of a name that nobody asks for says nothing. */
static void no_name(void) {
    int s[2];
    char c;
    struct iovec one = {&c, 1};
    struct msghdr m = {.msg_iov = &one, .msg_iovlen = 1, .msg_namelen = (socklen_t)-1};
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
    CHECK_EQ(sendmsg(s[0], &m, 0), 1);
    CHECK_EQ(recvmsg(s[1], &m, 0), 1);
    m.msg_namelen = (socklen_t)-1;
    m.msg_name = b;
    CHECK_ERRNO(sendmsg(s[0], &m, 0), EINVAL);
    CHECK_ERRNO(recvmsg(s[1], &m, MSG_DONTWAIT), EINVAL);
    close(s[0]);
    close(s[1]);
}

int main(void) {
    int s[2];
    hole = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(hole + 4096, 4096);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
    messages(s);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
    messages(s);
    udp_pair(s);
    messages(s);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    bytes(s);
    tcp_pair(s);
    bytes(s);
    bad_pages();
    no_name();
    return check_done();
}
