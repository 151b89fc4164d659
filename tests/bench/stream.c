/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP throughput, the guest's side: port 5001 reads to the end of file and answers
 * with the count of bytes, port 5002 is told a count and writes as many.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SINK = 5001, SOURCE = 5002, BLOCK = 65536 };

static int listener(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int l = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(l, (struct sockaddr *)&a, sizeof a) || listen(l, 8) ? -1 : l;
}

static void *sink(void *unused) {
    static char block[BLOCK];
    int l = listener(SINK);
    for (int fd; (fd = accept(l, NULL, NULL)) >= 0; close(fd)) {
        uint64_t sum = 0;
        for (ssize_t n; (n = read(fd, block, sizeof block)) > 0;)
            sum += (uint64_t)n;
        if (write(fd, &sum, sizeof sum) != sizeof sum)
            break;
    }
    return unused;
}

static void *source(void *unused) {
    static char block[BLOCK];
    int l = listener(SOURCE);
    memset(block, 'x', sizeof block);
    for (int fd; (fd = accept(l, NULL, NULL)) >= 0; close(fd)) {
        uint64_t left;
        if (read(fd, &left, sizeof left) != sizeof left)
            continue;
        while (left > 0) {
            ssize_t n = write(fd, block, left < sizeof block ? left : sizeof block);
            if (n <= 0)
                break;
            left -= (uint64_t)n;
        }
    }
    return unused;
}

int main(void) {
    pthread_t t;
    if (pthread_create(&t, NULL, sink, NULL))
        return 1;
    source(NULL);
    return 1;
}
