/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SO_SNDBUF and SO_RCVBUF of TCP: how much a connection holds that nobody reads,
 * with small buffers and large ones, set before and after it was made; what goes
 * through small ones arrives whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static int make(int send_size, int receive_size, int *other) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
    if (receive_size)
        CHECK(setsockopt(l, SOL_SOCKET, SO_RCVBUF, &receive_size, sizeof receive_size) == 0);
    if (send_size)
        CHECK(setsockopt(c, SOL_SOCKET, SO_SNDBUF, &send_size, sizeof send_size) == 0);
    CHECK(bind(l, (void *)&a, sizeof a) == 0 && listen(l, 1) == 0);
    CHECK(getsockname(l, (void *)&a, &size) == 0);
    CHECK(connect(c, (void *)&a, sizeof a) == 0);
    *other = accept(l, NULL, NULL);
    CHECK(*other >= 0);
    close(l);
    CHECK(fcntl(c, F_SETFL, O_NONBLOCK) == 0 && fcntl(*other, F_SETFL, O_NONBLOCK) == 0);
    return c;
}

static unsigned char byte_at(size_t n) {
    return (unsigned char)(n * 31 + (n >> 8) * 7 + (n >> 16));
}

/* Sends until there is no room for a while; how much there was. */
static size_t fill(int fd, size_t done, size_t most) {
    static unsigned char b[4096];
    for (int tries = 0; done < most && tries < 20;) {
        size_t n = most - done < sizeof b ? most - done : sizeof b;
        for (size_t i = 0; i < n; i++)
            b[i] = byte_at(done + i);
        ssize_t r = send(fd, b, n, MSG_NOSIGNAL);
        if (r < 0) {
            int error = errno; /* CHECK clears it */
            CHECK(error == EAGAIN);
            usleep(5000);
            tries++;
            continue;
        }
        done += (size_t)r;
    }
    return done;
}

/* Reads what there is; all of it as it was sent? */
static size_t empty(int fd, size_t done, int *sound) {
    static unsigned char b[10000];
    for (ssize_t n; (n = read(fd, b, sizeof b)) > 0;)
        for (ssize_t i = 0; i < n; i++)
            *sound = *sound && b[i] == byte_at(done++);
    return done;
}

#define PLENTY (8u << 20)
#define WHOLE (600u << 10)

int main(void) {
    int other, sound = 1, fd = make(16384, 16384, &other);
    size_t small = fill(fd, 0, PLENTY);
    CHECK(small >= 16384 && small < 200 << 10);
    CHECK(empty(other, 0, &sound) > 0);
    CHECK(sound);
    close(fd), close(other);

    fd = make(0, 0, &other);
    size_t large = fill(fd, 0, PLENTY);
    CHECK(large > 2 * small);
    close(fd), close(other);

    /* Through small ones, to and fro. */
    fd = make(4096, 4096, &other);
    size_t sent = 0, got = 0;
    for (int turns = 0; got < WHOLE && turns < 20000; turns++) {
        unsigned char b[3000];
        size_t n = WHOLE - sent < sizeof b ? WHOLE - sent : sizeof b;
        for (size_t i = 0; i < n; i++)
            b[i] = byte_at(sent + i);
        ssize_t r = n ? send(fd, b, n, MSG_NOSIGNAL) : 0;
        sent += r > 0 ? (size_t)r : 0;
        got = empty(other, got, &sound);
        if (r <= 0)
            usleep(200);
    }
    CHECK(sent == WHOLE && got == WHOLE && sound);
    close(fd), close(other);

    /* Made smaller and larger while it lives: it goes on. */
    fd = make(0, 0, &other);
    sent = fill(fd, 0, WHOLE);
    got = 0;
    static const int sizes[] = {65536, 262144, 100000};
    int size;
    for (int i = 0; i < 3; i++) {
        size = sizes[i];
        CHECK(setsockopt(other, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
        for (int turns = 0; turns < 2000 && got < sent; turns++) {
            got = empty(other, got, &sound);
            usleep(1000);
        }
        CHECK(got == sent && sound);
        sent = fill(fd, sent, sent + 100000);
    }
    CHECK(sent > WHOLE / 4);
    empty(other, got, &sound);

    size = 1;
    socklen_t length = sizeof size;
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    CHECK(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0 && size > 1000);
    CHECK(size < 10000);
    close(fd), close(other);
    return check_done();
}
