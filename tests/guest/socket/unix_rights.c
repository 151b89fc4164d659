/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Descriptors in messages: that they arrive, where they end a read, what is
 * lost for want of room, refusals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

union control {
    char bytes[256];
    struct cmsghdr align;
};

static ssize_t give(int s, const char *text, const int *fds, int count) {
    union control c;
    memset(&c, 0, sizeof c);
    struct iovec v = {(void *)text, strlen(text)};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    if (count) {
        m.msg_control = &c;
        m.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(h), fds, (size_t)count * sizeof(int));
    }
    return sendmsg(s, &m, MSG_NOSIGNAL);
}

static int got[8], got_count, credentials, flags;

static ssize_t take(int s, size_t room, size_t control, int how) {
    static char b[64];
    union control c;
    struct iovec v = {b, room};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = control};
    ssize_t n = recvmsg(s, &m, how);
    got_count = credentials = 0;
    flags = m.msg_flags;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); n >= 0 && h; h = CMSG_NXTHDR(&m, h)) {
        credentials += h->cmsg_type == SCM_CREDENTIALS;
        if (h->cmsg_type == SCM_RIGHTS) {
            got_count = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(got, CMSG_DATA(h), (size_t)got_count * sizeof(int));
        }
    }
    return n;
}

static void drop(void) {
    for (int i = 0; i < got_count; i++)
        CHECK_EQ(close(got[i]), 0);
}

int main(void) {
    int p[2], q[2], fds[3];
    char b[16];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    CHECK_EQ(pipe(q), 0);
    CHECK_EQ(give(p[0], "take it", &q[0], 1), 7);
    close(q[0]); /* the message holds it */
    CHECK_EQ(write(q[1], "inside", 6), 6);
    CHECK_EQ(take(p[1], 64, 256, MSG_CMSG_CLOEXEC), 7);
    CHECK_EQ(got_count, 1);
    CHECK_EQ(flags, MSG_CMSG_CLOEXEC);
    CHECK_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(read(got[0], b, 16), 6);
    drop();
    CHECK_ERRNO(send(q[1], b, 1, 0), ENOTSOCK);
    /* A read of a stream goes up to the message with descriptors, and no further. */
    fds[0] = fds[1] = fds[2] = q[1];
    CHECK_EQ(give(p[0], "ab", NULL, 0), 2);
    CHECK_EQ(give(p[0], "cd", fds, 2), 2);
    CHECK_EQ(give(p[0], "ef", NULL, 0), 2);
    CHECK_EQ(take(p[1], 64, 256, MSG_PEEK), 4);
    CHECK_EQ(got_count, 2); /* copies */
    drop();
    CHECK_EQ(take(p[1], 64, 256, 0), 4);
    CHECK_EQ(got_count, 2);
    drop();
    CHECK_EQ(take(p[1], 64, 256, 0), 2);
    CHECK_EQ(got_count, 0);
    /* Who sent it is told once a read. */
    int on = 1;
    CHECK_EQ(setsockopt(p[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    CHECK_EQ(give(p[0], "ab", NULL, 0), 2);
    CHECK_EQ(give(p[0], "cd", fds, 1), 2);
    CHECK_EQ(take(p[1], 64, 256, 0), 4);
    CHECK(got_count == 1 && credentials == 1);
    drop();
    on = 0;
    CHECK_EQ(setsockopt(p[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on), 0);
    /* With the first byte. */
    CHECK_EQ(give(p[0], "gh", fds, 1), 2);
    CHECK_EQ(take(p[1], 1, 256, 0), 1);
    CHECK_EQ(got_count, 1);
    drop();
    CHECK_EQ(take(p[1], 64, 256, 0), 1);
    CHECK_EQ(got_count, 0);
    /* Without a byte. */
    CHECK_EQ(give(p[0], "gh", fds, 1), 2);
    CHECK_EQ(take(p[1], 0, 256, 0), 0);
    CHECK_EQ(got_count, 1);
    drop();
    CHECK_EQ(take(p[1], 64, 256, 0), 2);
    CHECK_EQ(got_count, 0);
    /* No room. */
    CHECK_EQ(give(p[0], "i", fds, 3), 1);
    CHECK_EQ(take(p[1], 64, CMSG_LEN(2 * sizeof(int)), 0), 1);
    CHECK_EQ(got_count, 2);
    CHECK_EQ(flags, MSG_CTRUNC);
    drop();
    CHECK_EQ(give(p[0], "j", fds, 3), 1);
    CHECK_EQ(take(p[1], 64, 8, 0), 1);
    CHECK_EQ(got_count, 0);
    CHECK_EQ(flags, MSG_CTRUNC);
    CHECK_EQ(give(p[0], "k", fds, 3), 1);
    CHECK_EQ(read(p[1], b, 16), 1); /* they are gone */
    /* Refusals. */
    fds[1] = 99;
    CHECK_ERRNO(give(p[0], "x", fds, 2), EBADF);
    fds[1] = -1;
    CHECK_ERRNO(give(p[0], "x", fds, 2), EBADF);
    /* In flight when both ends go: the writer learns that it is alone. */
    int r[2];
    CHECK_EQ(pipe(r), 0);
    CHECK_EQ(give(p[0], "x", &r[0], 1), 1);
    close(r[0]);
    close(p[0]);
    close(p[1]);
    close(r[1]);
    close(q[1]);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, p), 0);
    CHECK_EQ(give(p[0], "", &p[0], 1), 0);
    CHECK_EQ(take(p[1], 64, 256, 0), 0);
    CHECK_EQ(got_count, 1);
    CHECK_EQ(write(got[0], "through it", 10), 10);
    CHECK_EQ(read(p[1], b, 16), 10);
    drop();
    close(p[0]);
    close(p[1]);
    CHECK_EQ(dup(0), 3); /* nothing stayed open */
    return check_done();
}
