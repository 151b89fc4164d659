/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pipes: ends, capacity, what merges, atomic writes, sizes, packets, refusals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

static int caught;
static char big[1 << 17];

static void on_pipe(int n) {
    caught += n == SIGPIPE;
}

static int events(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDHUP, 0};
    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static int unread(int fd) {
    int n = -1;
    return ioctl(fd, FIONREAD, &n) ? -1 : n;
}

static void ends(void) {
    int p[2];
    char b[16];
    struct stat s;
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(fcntl(p[0], F_GETFL), O_RDONLY);
    CHECK_EQ(fcntl(p[1], F_GETFL), O_WRONLY);
    CHECK_EQ(fcntl(p[0], F_GETFD), 0);
    CHECK_EQ(fstat(p[0], &s), 0);
    CHECK(S_ISFIFO(s.st_mode) && s.st_size == 0);
    CHECK_ERRNO(read(p[1], b, 1), EBADF);
    CHECK_ERRNO(write(p[0], b, 1), EBADF);
    CHECK_ERRNO(lseek(p[0], 0, SEEK_CUR), ESPIPE);
    CHECK_ERRNO(pread(p[0], b, 1, 0), ESPIPE);
    CHECK_ERRNO(fsync(p[0]), EINVAL);
    CHECK_ERRNO(ftruncate(p[1], 0), EINVAL);
    printf("empty: %x %x\n", events(p[0]), events(p[1]));
    CHECK_EQ(write(p[1], "hello", 5), 5);
    CHECK_EQ(write(p[1], "", 0), 0);
    printf("five: %x %x\n", events(p[0]), events(p[1]));
    CHECK_EQ(unread(p[0]), 5);
    CHECK_EQ(unread(p[1]), 5);
    CHECK_EQ(read(p[0], b, 0), 0);
    CHECK_EQ(read(p[0], b, 3), 3);
    CHECK_EQ(read(p[0], b + 3, 16), 2);
    CHECK(memcmp(b, "hello", 5) == 0);
    close(p[1]);
    printf("no writer: %x\n", events(p[0]));
    CHECK_EQ(read(p[0], b, 1), 0);
    close(p[0]);
}

static void broken(void) {
    int p[2];
    CHECK_EQ(pipe(p), 0);
    close(p[0]);
    printf("no reader: %x\n", events(p[1]));
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERRNO(write(p[1], "x", 1), EPIPE);
    signal(SIGPIPE, on_pipe);
    CHECK_ERRNO(write(p[1], "x", 1), EPIPE);
    CHECK_EQ(caught, 1);
    CHECK_EQ(write(p[1], "", 0), 0);
    CHECK_EQ(caught, 1);
    close(p[1]);
}

static void capacity(void) {
    int p[2], n = 0;
    CHECK_EQ(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
    CHECK_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(p[1], F_GETFL), O_WRONLY | O_NONBLOCK);
    CHECK_ERRNO(read(p[0], big, 1), EAGAIN);
    CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
    CHECK_EQ(write(p[1], big, sizeof big), 65536);
    printf("full: %x %x\n", events(p[0]), events(p[1]));
    CHECK_ERRNO(write(p[1], big, 1), EAGAIN);
    CHECK_EQ(read(p[0], big, 4095), 4095);
    CHECK_ERRNO(write(p[1], big, 1), EAGAIN);
    CHECK_EQ(read(p[0], big, 1), 1);
    CHECK_EQ(write(p[1], big, 4096), 4096);
    CHECK_EQ(read(p[0], big, sizeof big), 65536);
    /* What does not fit behind the last one takes a page of its own. */
    while (write(p[1], big, 3000) == 3000)
        n++;
    CHECK_EQ(n, 16);
    CHECK_EQ(unread(p[0]), 48000);
    CHECK_EQ(write(p[1], big, 1000), 1000); /* behind the last one */
    CHECK_ERRNO(write(p[1], big, 1000), EAGAIN);
    CHECK_EQ(write(p[1], big, 5000), -1);
    CHECK_ERRNO(fcntl(p[1], F_SETPIPE_SZ, 8192), EBUSY);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 100000), 131072);
    CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 131072);
    CHECK_EQ(unread(p[0]), 49000);
    CHECK_EQ(read(p[0], big, sizeof big), 49000);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 0), 4096);
    CHECK_EQ(write(p[1], big, 5000), 4096);
    CHECK_ERRNO(fcntl(p[1], F_SETPIPE_SZ, 0x80000001u), EINVAL);
    CHECK_ERRNO(fcntl(1, F_SETPIPE_SZ + 1000, 0), EINVAL);
    int null = open("/dev/null", O_RDWR);
    CHECK_ERRNO(fcntl(null, F_GETPIPE_SZ), EBADF);
    close(null);
    close(p[0]);
    close(p[1]);
}

static void packets(void) {
    int p[2];
    char b[8192];
    struct iovec v[2] = {{b, 3}, {b + 3, 10}};
    CHECK_EQ(pipe2(p, O_DIRECT), 0);
    CHECK_EQ(fcntl(p[1], F_GETFL), O_WRONLY | O_DIRECT);
    CHECK_EQ(write(p[1], "one", 3), 3);
    CHECK_EQ(write(p[1], "second", 6), 6);
    CHECK_EQ(write(p[1], "third", 5), 5);
    CHECK_EQ(write(p[1], big, 5000), 5000);
    CHECK_EQ(read(p[0], b, sizeof b), 3);
    CHECK_EQ(readv(p[0], v, 2), 6);
    CHECK(memcmp(b, "second", 6) == 0);
    CHECK_EQ(read(p[0], b, 2), 2);
    CHECK_EQ(read(p[0], b, sizeof b), 4096);
    CHECK_EQ(read(p[0], b, sizeof b), 904);
    close(p[0]);
    close(p[1]);
}

static void vectors(void) {
    int p[2];
    char b[16];
    struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cdef", 4}}, in[2] = {{b, 1}, {b + 1, 9}};
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(writev(p[1], out, 3), 6);
    CHECK_EQ(readv(p[0], in, 2), 6);
    CHECK(memcmp(b, "abcdef", 6) == 0);
    CHECK_ERRNO(write(p[1], (void *)8, 4), EFAULT);
    CHECK_EQ(write(p[1], "xy", 2), 2);
    CHECK_ERRNO(read(p[0], (void *)8, 4), EFAULT);
    CHECK_EQ(read(p[0], b, 16), 2);
    close(p[0]);
    close(p[1]);
}

int main(void) {
    int p[2];
    ends();
    broken();
    capacity();
    packets();
    vectors();
    CHECK_ERRNO(syscall(SYS_pipe2, p, 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_pipe2, 8, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_pipe, 8), EFAULT);
    int last = dup(0);
    close(last);
    CHECK_EQ(last, 3); /* nothing stayed open */
    return check_done();
}
