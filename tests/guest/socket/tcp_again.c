/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One port connects to a server again and again, which closes first: what the
 * server still keeps of the connection before (TIME_WAIT) is in nobody's way.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static union address loopback(int family, in_port_t port) {
    union address a = {.any.sa_family = (sa_family_t)family};
    a.four.sin_port = port; /* in the same place */
    if (family == AF_INET)
        a.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        a.six.sin6_addr = in6addr_loopback;
    return a;
}

static socklen_t size_of(int family) {
    return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int made(int family, union address *a, in_port_t port) {
    socklen_t size = size_of(family);
    int on = 1, fd = socket(family, SOCK_STREAM, 0);
    *a = loopback(family, port);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    CHECK_EQ(bind(fd, &a->any, size), 0);
    CHECK_EQ(getsockname(fd, &a->any, &size), 0);
    return fd;
}

static void again(int family) {
    union address server, client;
    int l = made(family, &server, 0), rounds = 0;
    in_port_t port = 0;
    CHECK_EQ(listen(l, 4), 0);
    for (; rounds < 40; rounds++) {
        char b[8] = "";
        struct timeval limit = {5, 0};
        int c = made(family, &client, port), s;
        port = client.four.sin_port;
        CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
        if (connect(c, &server.any, size_of(family)) != 0) {
            printf("round %d: errno %d\n", rounds, errno);
            break;
        }
        s = accept(l, NULL, NULL);
        CHECK_EQ(write(s, "bye", 3), 3);
        CHECK_EQ(close(s), 0);
        CHECK_EQ(recv(c, b, sizeof b, MSG_WAITALL), 3);
        CHECK_EQ(close(c), 0);
    }
    CHECK_EQ(rounds, 40);
    close(l);
}

int main(void) {
    again(AF_INET);
    again(AF_INET6);
    return check_done();
}
