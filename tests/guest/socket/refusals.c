/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Socket calls on what is no socket, and arguments that no family sees.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static const char *said(long r) {
    return r < 0 ? strerror(errno) : "worked";
}
#define SAY(call) printf("%s: %s\n", #call, said(call))

int main(void) {
    char b[16] = "text";
    int pair[2], value = 1, file = open("/dev/null", O_RDWR);
    socklen_t size = sizeof value;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct iovec v = {b, sizeof b};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    struct mmsghdr mm = {.msg_hdr = m};

    SAY(socket(99, SOCK_STREAM, 0));
    SAY(socket(-1, SOCK_STREAM, 0));
    SAY(socket(AF_UNIX, 99 & 0x7ff, 0));
    SAY(socket(AF_UNIX, SOCK_STREAM | 0x10, 0));
    SAY(syscall(SYS_socketpair, 45, SOCK_STREAM, 0, pair));
    SAY(syscall(SYS_socketpair, AF_UNIX, 15, 0, pair));
    for (int i = 0; i < 2; i++) {
        int fd = i ? -1 : file;
        SAY(bind(fd, (struct sockaddr *)&a, sizeof a));
        SAY(listen(fd, 1));
        SAY(accept(fd, NULL, NULL));
        SAY(accept4(fd, NULL, NULL, 1));
        SAY(connect(fd, (struct sockaddr *)&a, sizeof a));
        SAY(getsockname(fd, (struct sockaddr *)&a, &size));
        SAY(getpeername(fd, (struct sockaddr *)&a, &size));
        SAY(shutdown(fd, SHUT_RD));
        SAY(sendto(fd, b, 4, 0, NULL, 0));
        SAY(syscall(SYS_sendto, fd, -4096l, 4, 0, NULL, 0));
        SAY(recvfrom(fd, b, 4, 0, NULL, NULL));
        SAY(sendmsg(fd, &m, 0));
        SAY(recvmsg(fd, &m, 0));
        SAY(syscall(SYS_sendmmsg, fd, &mm, 1, 0));
        SAY(syscall(SYS_recvmmsg, fd, &mm, 1, 0, NULL));
        SAY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value));
        SAY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, -1));
        SAY(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size));
    }
    return 0;
}
