/* SPDX-License-Identifier: BSD-3-Clause
 *
 * All of 127.0.0.0/8 is this machine: bound to, connected to, each address apart;
 * and what no socket has is refused there too.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static struct sockaddr_in at(const char *ip, unsigned short port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, ip, &a.sin_addr);
    return a;
}

static struct sockaddr_in name(int fd) {
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    CHECK(getsockname(fd, (void *)&a, &size) == 0);
    return a;
}

static int served(const char *ip, unsigned short port) {
    struct sockaddr_in a = at(ip, port);
    int l = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(l, (void *)&a, sizeof a) == 0);
    CHECK(listen(l, 4) == 0);
    return l;
}

static void streams(void) {
    int one = served("127.0.0.1", 0);
    unsigned short port = ntohs(name(one).sin_port);
    int two = served("127.0.0.2", port), far = served("127.255.3.4", port);
    static const char *const where[] = {"127.0.0.1", "127.0.0.2", "127.255.3.4"};
    const int listening[] = {one, two, far};
    for (int i = 0; i < 3; i++) {
        struct sockaddr_in to = at(where[i], port), peer;
        socklen_t size = sizeof peer;
        int c = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(connect(c, (void *)&to, sizeof to) == 0);
        int s = accept(listening[i], (void *)&peer, &size);
        CHECK(s >= 0);
        CHECK(name(s).sin_addr.s_addr == to.sin_addr.s_addr);
        CHECK(peer.sin_addr.s_addr == name(c).sin_addr.s_addr);
        char text[32];
        printf("%s from %s\n", where[i], inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text));
        CHECK(write(c, "there", 5) == 5 && read(s, text, sizeof text) == 5);
        CHECK(write(s, "back", 4) == 4 && read(c, text, sizeof text) == 4);
        close(c);
        close(s);
    }
    struct sockaddr_in nobody = at("127.0.0.3", port);
    int c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(c, (void *)&nobody, sizeof nobody) == -1 && errno == ECONNREFUSED);
    close(c);
    for (int i = 0; i < 3; i++)
        close(listening[i]);
}

static void datagrams(void) {
    struct sockaddr_in a = at("127.0.0.5", 0), from;
    socklen_t size = sizeof from;
    char text[32];
    int u = socket(AF_INET, SOCK_DGRAM, 0), v = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(u, (void *)&a, sizeof a) == 0);
    a = name(u);
    CHECK(sendto(v, "hello", 5, 0, (void *)&a, sizeof a) == 5);
    CHECK(recvfrom(u, text, sizeof text, 0, (void *)&from, &size) == 5);
    CHECK(from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    CHECK(sendto(u, "again", 5, 0, (void *)&from, sizeof from) == 5);
    CHECK(recvfrom(v, text, sizeof text, 0, (void *)&from, &size) == 5);
    CHECK(from.sin_addr.s_addr == a.sin_addr.s_addr);
    /* Not the others' packets. */
    struct sockaddr_in other = a;
    inet_pton(AF_INET, "127.0.0.6", &other.sin_addr);
    CHECK(sendto(v, "lost", 4, 0, (void *)&other, sizeof other) == 4);
    CHECK(recv(u, text, sizeof text, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    close(u);
    close(v);
}

int main(void) {
    streams();
    datagrams();
    struct sockaddr_in foreign = at("126.0.0.1", 0);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(s, (void *)&foreign, sizeof foreign) == -1 && errno == EADDRNOTAVAIL);
    CHECK(shutdown(s, SHUT_RDWR) == -1 && errno == ENOTCONN);
    return check_done();
}
