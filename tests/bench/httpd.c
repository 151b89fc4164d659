/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Answers every request with 612 bytes, one connection after the other.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    static char in[4096], out[1024];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80)};
    int l = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    const char *head = "HTTP/1.1 200 OK\r\nContent-Length: 612\r\n\r\n";
    size_t size = strlen(head) + 612;
    memset(out, 'x', sizeof out);
    memcpy(out, head, strlen(head));
    if (bind(l, (struct sockaddr *)&a, sizeof a) || listen(l, 64))
        return 1;
    for (;;) {
        int fd = accept(l, NULL, NULL);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        while (read(fd, in, sizeof in) > 0 && write(fd, out, size) == (ssize_t)size) {
        }
        close(fd);
    }
}
