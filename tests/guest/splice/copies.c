/* SPDX-License-Identifier: BSD-3-Clause
 *
 * sendfile and copy_file_range: positions, ends, large files, refusals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "scratch.h"

static char b[100000], c[100000];

static void send_it(void) {
    int f = open("f", O_RDONLY), g = open("g", O_RDWR | O_CREAT, 0644), p[2], s[2];
    off_t at = 5;
    CHECK_EQ(sendfile(g, f, &at, 3), 3);
    CHECK_EQ(at, 8);
    CHECK_EQ(lseek(f, 0, SEEK_CUR), 0);
    CHECK_EQ(lseek(g, 0, SEEK_CUR), 3);
    CHECK_EQ(sendfile(g, f, NULL, 100), 10);
    CHECK_EQ(sendfile(g, f, NULL, 100), 0);
    CHECK_EQ(sendfile(g, f, NULL, 0), 0);
    CHECK(scratch_holds("g", "5670123456789"));
    CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
    at = 0;
    CHECK_EQ(sendfile(p[1], f, &at, 4), 4);
    CHECK_EQ(read(p[0], b, 10), 4);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s), 0);
    int big = open("big", O_RDWR | O_CREAT, 0644);
    for (size_t i = 0; i < sizeof b; i++)
        b[i] = (char)(i % 253);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(write(big, b, sizeof b), sizeof b);
    at = 0;
    ssize_t n = sendfile(s[0], big, &at, 5 * sizeof b); /* more than fits */
    CHECK(n > 50000 && n < (ssize_t)(5 * sizeof b));
    CHECK_EQ(at, n); /* nothing is lost */
    CHECK_ERRNO(sendfile(s[0], big, &at, 1), EAGAIN);
    CHECK_EQ(recv(s[1], c, 50000, MSG_WAITALL), 50000);
    CHECK(memcmp(b, c, 50000) == 0);
    CHECK_ERRNO(sendfile(g, p[0], NULL, 1), EINVAL);
    CHECK_ERRNO(sendfile(p[1], p[0], NULL, 1), EINVAL);
    CHECK_ERRNO(sendfile(g, s[1], NULL, 1), EINVAL);
    CHECK_ERRNO(sendfile(f, g, NULL, 1), EBADF);
    CHECK_ERRNO(sendfile(g, -1, NULL, 1), EBADF);
    CHECK_ERRNO(sendfile(g, f, (void *)8, 1), EFAULT);
    at = -1;
    CHECK_ERRNO(sendfile(g, f, &at, 1), EINVAL);
    at = 0;
    CHECK_ERRNO(sendfile(g, p[0], &at, 1), ESPIPE);
    int append = open("g", O_WRONLY | O_APPEND);
    CHECK_ERRNO(sendfile(append, f, NULL, 1), EINVAL);
    fflush(stdout);
    at = 2;
    CHECK_EQ(sendfile(1, f, &at, 4), 4); /* to the console */
    CHECK_EQ(write(1, "\n", 1), 1);
    close(append);
    close(f);
    close(g);
    close(big);
    for (int i = 0; i < 2; i++) {
        close(p[i]);
        close(s[i]);
    }
}

static void copy_it(void) {
    int f = open("f", O_RDWR), h = open("h", O_RDWR | O_CREAT, 0644), dir = open(".", O_RDONLY),
        p[2];
    loff_t from = 2, to = 5;
    CHECK_EQ(copy_file_range(f, &from, h, &to, 4, 0), 4);
    CHECK(from == 6 && to == 9);
    CHECK_EQ(copy_file_range(f, NULL, h, NULL, 3, 0), 3);
    CHECK_EQ(lseek(f, 0, SEEK_CUR), 3);
    CHECK_EQ(lseek(h, 0, SEEK_CUR), 3);
    CHECK_EQ(pread(h, c, 20, 0), 9);
    CHECK(memcmp(c, "012\0\0002345", 9) == 0);
    from = 8;
    CHECK_EQ(copy_file_range(f, &from, h, NULL, 100, 0), 2);
    CHECK_EQ(copy_file_range(f, &from, h, NULL, 100, 0), 0);
    from = 0, to = 10;
    CHECK_EQ(copy_file_range(f, &from, f, &to, 10, 0), 10);
    from = 0, to = 5;
    CHECK_ERRNO(copy_file_range(f, &from, f, &to, 10, 0), EINVAL); /* over itself */
    CHECK_ERRNO(copy_file_range(f, NULL, h, NULL, 1, 1), EINVAL);
    CHECK_ERRNO(copy_file_range(dir, NULL, h, NULL, 1, 0), EISDIR);
    CHECK_EQ(pipe(p), 0);
    CHECK_ERRNO(copy_file_range(p[0], NULL, h, NULL, 1, 0), EINVAL);
    int append = open("h", O_WRONLY | O_APPEND), reads = open("h", O_RDONLY);
    CHECK_ERRNO(copy_file_range(f, NULL, append, NULL, 1, 0), EBADF);
    CHECK_ERRNO(copy_file_range(f, NULL, reads, NULL, 1, 0), EBADF);
    CHECK_ERRNO(copy_file_range(-1, NULL, h, NULL, 1, 0), EBADF);
    int big = open("big", O_RDONLY), twin = open("twin", O_RDWR | O_CREAT, 0644);
    size_t done = 0;
    ssize_t n;
    while ((n = copy_file_range(big, NULL, twin, NULL, 1 << 30, 0)) > 0)
        done += (size_t)n;
    CHECK_EQ(done, 5 * sizeof b);
    CHECK_EQ(pread(twin, c, sizeof c, 400000), sizeof c);
    CHECK(memcmp(b, c, sizeof c) == 0);
}

int main(void) {
    scratch_enter();
    scratch_file("f", "0123456789");
    send_it();
    copy_it();
    scratch_leave();
    return check_done();
}
