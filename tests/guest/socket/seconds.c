/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A program with sockets lives longer than the stack's slowest usual timers: one
 * second (reassembly of fragments, neighbours), and still passes a datagram.
 * expect-stdout: ok
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof to;
    CHECK(bind(fd, (struct sockaddr *)&to, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&to, &size) == 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (int i = 0; i < 2; i++) {
        CHECK(poll(&p, 1, 1300) == 0);
        CHECK(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, size) == 1);
        CHECK(poll(&p, 1, 1000) == 1);
        char c;
        CHECK(recv(fd, &c, 1, 0) == 1 && c == 'x');
    }
    close(fd);
    return check_done();
}
