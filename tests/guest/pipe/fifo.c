/* SPDX-License-Identifier: BSD-3-Clause
 *
 * FIFOs without threads: what open says, what poll says before and after a
 * writer, what stays in one that nobody has open.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "scratch.h"

static int events(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

int main(void) {
    char b[16];
    signal(SIGPIPE, SIG_IGN);
    scratch_enter();
    CHECK_EQ(mkfifo("f", 0600), 0);
    CHECK_ERRNO(mkfifo("f", 0600), EEXIST);
    CHECK_ERRNO(open("f", O_WRONLY | O_NONBLOCK), ENXIO);
    int r = open("f", O_RDONLY | O_NONBLOCK);
    CHECK(r >= 0);
    CHECK_EQ(read(r, b, 1), 0); /* nobody writes */
    printf("before: %x\n", events(r));
    int w = open("f", O_WRONLY | O_NONBLOCK);
    CHECK(w >= 0);
    CHECK_ERRNO(read(r, b, 1), EAGAIN);
    printf("writer: %x %x\n", events(r), events(w));
    CHECK_EQ(write(w, "abc", 3), 3);
    close(w);
    printf("left: %x\n", events(r));
    CHECK_EQ(read(r, b, 16), 3);
    printf("after: %x\n", events(r));
    w = open("f", O_WRONLY);
    CHECK(w >= 0);
    printf("again: %x\n", events(r));
    close(r);
    printf("alone: %x\n", events(w));
    CHECK_ERRNO(write(w, "x", 1), EPIPE);
    close(w);
    int both = open("f", O_RDWR);
    CHECK(both >= 0);
    printf("both: %x\n", events(both));
    CHECK_EQ(write(both, "gone", 4), 4);
    printf("both, written: %x\n", events(both));
    close(both); /* and what it wrote */
    r = open("f", O_RDWR | O_NONBLOCK);
    CHECK_ERRNO(read(r, b, 16), EAGAIN);
    CHECK_ERRNO(lseek(r, 0, SEEK_SET), ESPIPE);
    int second = open("f", O_RDWR | O_NONBLOCK | O_TRUNC);
    CHECK_EQ(write(second, "same", 4), 4);
    CHECK_EQ(unlink("f"), 0);
    CHECK_EQ(read(r, b, 16), 4);
    CHECK_ERRNO(open("f", O_RDONLY), ENOENT);
    close(r);
    close(second);
    CHECK_EQ(mknod("g", S_IFIFO | 0644, 0), 0);
    CHECK_EQ(mknodat(AT_FDCWD, "h", S_IFIFO | 0644, 0), 0);
    CHECK_EQ(rename("g", "h"), 0);
    scratch_leave();
    return check_done();
}
