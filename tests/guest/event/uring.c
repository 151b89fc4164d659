/* SPDX-License-Identifier: BSD-3-Clause
 *
 * io_uring by its system calls: requests that go at once and that wait, links,
 * draining, timeouts, cancelling, fixed files and buffers, buffers that are
 * chosen, several completions of one request, what the kernel refuses.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "asleep.h"
#include "check.h"
#include "ring.h"
#include "scratch.h"

static void files(struct ring *r) {
    char b[32] = "";
    int fd, p[2];
    add(r, OPENAT, AT_FDCWD, "f", 0644, 0)->op_flags = O_RDWR | O_CREAT;
    fd = one(r, 1);
    CHECK(fd > r->fd);
    add(r, WRITE, fd, "hello", 5, 2);
    CHECK_EQ(one(r, 1), 5);
    struct iovec v[2] = {{b, 3}, {b + 3, 10}};
    add(r, READV, fd, v, 2, 1);
    CHECK_EQ(one(r, 1), 6);
    CHECK(memcmp(b, "\0hello", 6) == 0);
    add(r, READ, fd, b, 3, (uint64_t)-1); /* the file's position */
    CHECK_EQ(one(r, 1), 3);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
    add(r, FSYNC, fd, NULL, 0, 0);
    CHECK_EQ(one(r, 1), 0);
    struct statx sx;
    add(r, STATX, AT_FDCWD, "f", STATX_SIZE, (uintptr_t)&sx);
    CHECK_EQ(one(r, 1), 0);
    CHECK_EQ(sx.stx_size, 7);
    CHECK_EQ(pipe(p), 0);
    struct sqe *s = add(r, SPLICE, p[1], NULL, 5, (uint64_t)-1);
    s->addr = 2;
    s->file_index = (uint32_t)fd;
    CHECK_EQ(one(r, 1), 5);
    CHECK_EQ(read(p[0], b, 9), 5);
    CHECK(memcmp(b, "hello", 5) == 0);
    add(r, MKDIRAT, AT_FDCWD, "d", 0755, 0);
    CHECK_EQ(one(r, 1), 0);
    add(r, UNLINKAT, AT_FDCWD, "d", 0, 0)->op_flags = AT_REMOVEDIR;
    CHECK_EQ(one(r, 1), 0);
    CHECK_EQ(scratch_mode("d"), 0);
    add(r, CLOSE, fd, NULL, 0, 0);
    CHECK_EQ(one(r, 1), 0);
    CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
    add(r, READ, fd, b, 3, 0);
    CHECK_EQ(one(r, 1), -EBADF);
    add(r, 200, 0, NULL, 0, 0);
    CHECK_EQ(one(r, 1), -EINVAL);
    close(p[0]);
    close(p[1]);
}

static int late_fd;
static void *late(void *arg) {
    (void)arg;
    usleep(10000);
    CHECK_EQ(write(late_fd, "late", 4), 4);
    return NULL;
}

static void waiting(struct ring *r) {
    char b[8];
    int p[2];
    pthread_t t;
    CHECK_EQ(pipe(p), 0);
    late_fd = p[1];
    add(r, READ, p[0], b, 8, 0);
    CHECK_EQ(enter(r, 1, 0), 1);
    CHECK_EQ(available(r), 0);
    pthread_create(&t, NULL, late, NULL);
    CHECK_EQ(next(r).res, 4); /* waits */
    pthread_join(t, NULL);
    /* A poll of the ring sees it, and an event descriptor is told. */
    int e = eventfd(0, EFD_NONBLOCK);
    uint64_t n = 0;
    CHECK_EQ(syscall(SYS_io_uring_register, r->fd, 4, &e, 1), 0);
    CHECK_ERRNO(syscall(SYS_io_uring_register, r->fd, 4, &e, 1), EBUSY);
    add(r, READ, p[0], b, 8, 0);
    CHECK_EQ(enter(r, 1, 0), 1);
    struct pollfd pf = {r->fd, POLLIN, 0};
    CHECK_EQ(poll(&pf, 1, 0), 0);
    pthread_create(&t, NULL, late, NULL);
    CHECK_EQ(poll(&pf, 1, -1), 1);
    pthread_join(t, NULL);
    CHECK_EQ(next(r).res, 4);
    CHECK_EQ(read(e, &n, 8), 8);
    CHECK(n >= 1);
    CHECK_EQ(syscall(SYS_io_uring_register, r->fd, 5, NULL, 0), 0);
    /* Without a call that waits: what the same thread does lets it go on. */
    add(r, READ, p[0], b, 8, 0);
    CHECK_EQ(enter(r, 1, 0), 1);
    CHECK_EQ(write(p[1], "now", 3), 3);
    CHECK_EQ(available(r), 1);
    CHECK_EQ(next(r).res, 3);
    /* A request waits even for a file that does not. */
    CHECK_EQ(fcntl(p[0], F_SETFL, O_NONBLOCK), 0);
    add(r, READ, p[0], b, 8, 0);
    CHECK_EQ(enter(r, 1, 0), 1);
    CHECK_EQ(write(p[1], "now", 3), 3);
    CHECK_EQ(next(r).res, 3);
    CHECK_EQ(fcntl(p[0], F_GETFL), O_NONBLOCK);
    add(r, READ, p[0], b, 8, 0)->op_flags = RWF_NOWAIT;
    CHECK_EQ(one(r, 1), -EAGAIN);
    close(e);
    close(p[0]);
    close(p[1]);
}

static void chains(struct ring *r) {
    char b[8];
    int fd = open("f", O_RDWR), p[2];
    CHECK_EQ(pipe(p), 0);
    /* One after the other, though the first has to wait. */
    uint64_t first = add(r, READ, p[0], b, 3, 0)->user_data;
    r->sqes[(r->tail - 1) & (r->p.sq_entries - 1)].flags = LINK;
    add(r, WRITE, fd, "xyz", 3, 0);
    CHECK_EQ(enter(r, 2, 0), 2);
    CHECK_EQ(available(r), 0);
    CHECK_EQ(write(p[1], "abc", 3), 3);
    struct cqe c = next(r);
    CHECK(c.user_data == first && c.res == 3);
    c = next(r);
    CHECK(c.user_data == first + 1 && c.res == 3);
    /* One that fails takes the rest along, one that is short, too. */
    add(r, READ, -1, b, 3, 0)->flags = LINK;
    add(r, NOP, 0, NULL, 0, 0)->flags = LINK;
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 3, 3), 3);
    CHECK_EQ(next(r).res, -EBADF);
    CHECK_EQ(next(r).res, -ECANCELED);
    CHECK_EQ(next(r).res, -ECANCELED);
    add(r, READ, fd, b, 8, 4)->flags = LINK;
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 2, 2), 2);
    CHECK_EQ(next(r).res, 3);
    CHECK_EQ(next(r).res, -ECANCELED);
    add(r, READ, -1, b, 3, 0)->flags = HARDLINK;
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 2, 2), 2);
    CHECK_EQ(next(r).res, -EBADF);
    CHECK_EQ(next(r).res, 0);
    /* What drains waits for all before it. */
    uint64_t slow = add(r, READ, p[0], b, 3, 0)->user_data;
    add(r, NOP, 0, NULL, 0, 0)->flags = DRAIN;
    CHECK_EQ(enter(r, 2, 0), 2);
    CHECK_EQ(available(r), 0);
    CHECK_EQ(write(p[1], "abc", 3), 3);
    CHECK_EQ(next(r).user_data, slow);
    CHECK_EQ(next(r).user_data, slow + 1);
    /* In a chain it drains for all of that, and for what comes behind. */
    slow = add(r, READ, p[0], b, 3, 0)->user_data;
    add(r, NOP, 0, NULL, 0, 0)->flags = LINK;
    add(r, NOP, 0, NULL, 0, 0)->flags = DRAIN;
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 4, 0), 4);
    CHECK_EQ(available(r), 0);
    CHECK_EQ(write(p[1], "abc", 3), 3);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(next(r).user_data, slow + i);
    /* No word of success. */
    add(r, NOP, 0, NULL, 0, 0)->flags = SKIP;
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 2, 1), 2);
    next(r);
    CHECK_EQ(available(r), 0);
    /* Nor, behind one that fails, of what is given up. */
    add(r, READ, -1, b, 3, 0)->flags = SKIP | LINK;
    add(r, NOP, 0, NULL, 0, 0);
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 3, 2), 3);
    CHECK_EQ(next(r).res, -EBADF);
    CHECK_EQ(next(r).res, 0);
    CHECK_EQ(available(r), 0);
    /* Nor of a limit, kept or not. */
    struct timespec soon = {0, 1000000};
    for (int i = 0; i < 2; i++) {
        add(r, i ? READ : NOP, i ? p[0] : 0, b, i ? 3 : 0, 0)->flags = LINK;
        add(r, LINK_TIMEOUT, -1, &soon, 1, 0)->flags = SKIP;
        CHECK_EQ(enter(r, 2, 1), 2);
        CHECK_EQ(next(r).res, i ? -ECANCELED : 0);
        CHECK_EQ(enter(r, 0, 0), 0);
        CHECK_EQ(available(r), 0);
    }
    close(fd);
    close(p[0]);
    close(p[1]);
}

static void timeouts(struct ring *r) {
    struct timespec soon = {0, 3000000}, never = {100, 0};
    char b[8];
    int p[2];
    CHECK_EQ(pipe(p), 0);
    add(r, TIMEOUT, -1, &soon, 1, 0);
    CHECK_EQ(one(r, 1), -ETIME);
    uint64_t first, t = add(r, TIMEOUT, -1, &never, 1, 1)->user_data; /* or one completion */
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 2, 2), 2);
    CHECK_EQ(next(r).user_data, t + 1);
    struct cqe c = next(r);
    CHECK(c.user_data == t && c.res == 0);
    t = add(r, TIMEOUT, -1, &never, 1, 0)->user_data;
    add(r, TIMEOUT_REMOVE, -1, (void *)(uintptr_t)t, 0, 0);
    CHECK_EQ(enter(r, 2, 2), 2);
    c = next(r);
    struct cqe d = next(r);
    CHECK(c.res + d.res == -ECANCELED && (c.user_data == t ? c.res : d.res) == -ECANCELED);
    add(r, TIMEOUT_REMOVE, -1, (void *)77, 0, 0);
    CHECK_EQ(one(r, 1), -ENOENT);
    uint64_t read = add(r, READ, p[0], b, 8, 0)->user_data;
    r->sqes[(r->tail - 1) & (r->p.sq_entries - 1)].flags = LINK;
    add(r, LINK_TIMEOUT, -1, &soon, 1, 0);
    CHECK_EQ(enter(r, 2, 2), 2);
    c = next(r);
    d = next(r);
    CHECK_EQ(c.user_data == read ? c.res : d.res, -ECANCELED);
    CHECK_EQ(c.user_data == read ? d.res : c.res, -ETIME);
    CHECK_EQ(write(p[1], "there", 5), 5);
    add(r, READ, p[0], b, 8, 0)->flags = LINK;
    add(r, LINK_TIMEOUT, -1, &never, 1, 0);
    CHECK_EQ(enter(r, 2, 2), 2);
    c = next(r);
    d = next(r);
    CHECK_EQ(c.res + d.res, 5 - ECANCELED);
    add(r, LINK_TIMEOUT, -1, &never, 1, 0); /* of nothing */
    CHECK_EQ(one(r, 1), -EINVAL);
    first = add(r, READ, p[0], b, 8, 0)->user_data; /* or a second one */
    r->sqes[(r->tail - 1) & (r->p.sq_entries - 1)].flags = LINK;
    add(r, LINK_TIMEOUT, -1, &never, 1, 0)->flags = LINK;
    add(r, LINK_TIMEOUT, -1, &never, 1, 0);
    CHECK_EQ(enter(r, 3, 0), 3);
    for (int i = 0; i < 3; i++) {
        c = next(r);
        CHECK_EQ(c.res, c.user_data == first + 2 ? -EINVAL : -ECANCELED);
    }
    /* The wait itself has a limit. */
    struct {
        uint64_t mask;
        uint32_t size, pad;
        uint64_t ts;
    } arg = {0, 0, 0, (uintptr_t)&soon};
    CHECK_ERRNO(syscall(SYS_io_uring_enter, r->fd, 0, 1, 1 | 8, &arg, sizeof arg), ETIME);
    close(p[0]);
    close(p[1]);
}

static void cancelling(struct ring *r) {
    char b[8];
    int p[2];
    CHECK_EQ(pipe(p), 0);
    uint64_t first = add(r, READ, p[0], b, 8, 0)->user_data;
    CHECK_EQ(enter(r, 1, 0), 1);
    add(r, ASYNC_CANCEL, -1, (void *)(uintptr_t)first, 0, 0);
    CHECK_EQ(enter(r, 1, 2), 1);
    struct cqe c = next(r), d = next(r);
    CHECK_EQ(c.user_data == first ? c.res : d.res, -ECANCELED);
    CHECK_EQ(c.user_data == first ? d.res : c.res, 0);
    add(r, ASYNC_CANCEL, -1, (void *)77, 0, 0);
    CHECK_EQ(one(r, 1), -ENOENT);
    struct {
        uint64_t key;
        int32_t fd;
        uint32_t flags;
        int64_t seconds, ns;
        uint8_t op, pad[31];
    } now = {.flags = 32, .op = READ, .seconds = -1, .ns = -1}; /* at once, by its kind */
    add(r, READ, p[0], b, 8, 0);
    CHECK_EQ(enter(r, 1, 0), 1);
    CHECK_EQ(syscall(SYS_io_uring_register, r->fd, 24, &now, 1), 0);
    CHECK_EQ(next(r).res, -ECANCELED);
    CHECK_ERRNO(syscall(SYS_io_uring_register, r->fd, 24, &now, 1), ENOENT);
    add(r, READ, p[0], b, 8, 0);
    add(r, POLL_ADD, p[0], NULL, 0, 0)->op_flags = POLLIN;
    CHECK_EQ(enter(r, 2, 0), 2);
    add(r, ASYNC_CANCEL, p[0], NULL, 0, 0)->op_flags = 1 | 2; /* all, of the descriptor */
    CHECK_EQ(enter(r, 1, 3), 1);
    int sum = 0;
    for (int i = 0; i < 3; i++)
        sum += next(r).res;
    CHECK_EQ(sum, 2 - 2 * ECANCELED);
    const struct {
        int fd, result;
        unsigned flags;
    } refused[] = {{-1, -EBADF, 2}, {p[0], -EINVAL, 2 | 4}, {p[0], -EINVAL, 1u << 10}};
    for (unsigned i = 0; i < 3; i++) {
        add(r, ASYNC_CANCEL, refused[i].fd, NULL, 0, 0)->op_flags = refused[i].flags;
        CHECK_EQ(one(r, 1), refused[i].result);
    }
    /* Polls. */
    first = add(r, POLL_ADD, p[0], NULL, 0, 0)->user_data;
    r->sqes[(r->tail - 1) & (r->p.sq_entries - 1)].op_flags = POLLIN;
    CHECK_EQ(enter(r, 1, 0), 1);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(next(r).res, POLLIN);
    add(r, POLL_ADD, p[1], NULL, 0, 0)->op_flags = POLLOUT;
    CHECK_EQ(one(r, 1), POLLOUT);
    CHECK_EQ(read(p[0], b, 8), 1);
    first = add(r, POLL_ADD, p[0], NULL, 1, 0)->user_data; /* goes on */
    r->sqes[(r->tail - 1) & (r->p.sq_entries - 1)].op_flags = POLLIN;
    CHECK_EQ(enter(r, 1, 0), 1);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(write(p[1], "x", 1), 1);
        c = next(r);
        CHECK(c.user_data == first && c.res == POLLIN && c.flags == 2);
        CHECK_EQ(read(p[0], b, 8), 1);
    }
    add(r, POLL_REMOVE, -1, (void *)(uintptr_t)first, 0, 0);
    CHECK_EQ(enter(r, 1, 2), 1);
    c = next(r);
    d = next(r);
    CHECK_EQ(c.res + d.res, -ECANCELED);
    close(p[0]);
    close(p[1]);
}

static void fixed(struct ring *r) {
    static char area[8192];
    char b[8];
    int fds[3] = {open("f", O_RDWR), -1, open("/dev/zero", O_RDONLY)};
    struct iovec v = {area, sizeof area};
    CHECK_EQ(syscall(SYS_io_uring_register, r->fd, 2, fds, 3), 0);
    CHECK_ERRNO(syscall(SYS_io_uring_register, r->fd, 2, fds, 3), EBUSY);
    close(fds[0]);
    close(fds[2]);
    add(r, READ, 0, b, 3, 0)->flags = FIXED_FILE;
    CHECK_EQ(one(r, 1), 3);
    CHECK(memcmp(b, "xyz", 3) == 0);
    add(r, READ, 1, b, 3, 0)->flags = FIXED_FILE;
    CHECK_EQ(one(r, 1), -EBADF);
    add(r, READ, 3, b, 3, 0)->flags = FIXED_FILE;
    CHECK_EQ(one(r, 1), -EBADF);
    struct ring other;
    ring_open(&other, 1, 0);
    fds[1] = -2; /* to be left as it is, but nothing is there */
    CHECK_ERRNO(syscall(SYS_io_uring_register, other.fd, 2, fds + 1, 1), EBADF);
    close(other.fd);
    CHECK_EQ(syscall(SYS_io_uring_register, r->fd, 0, &v, 1), 0);
    add(r, READ_FIXED, 0, area + 8000, 3, 0)->flags = FIXED_FILE;
    CHECK_EQ(one(r, 1), 3);
    CHECK(memcmp(area + 8000, "xyz", 3) == 0);
    add(r, READ_FIXED, 0, area + 8190, 3, 0)->flags = FIXED_FILE;
    CHECK_EQ(one(r, 1), -EFAULT);
    add(r, READ_FIXED, 0, area, 3, 0)->buffer = 1;
    CHECK_EQ(one(r, 1) < 0, 1);
    CHECK_EQ(syscall(SYS_io_uring_register, r->fd, 1, NULL, 0), 0);
    CHECK_ERRNO(syscall(SYS_io_uring_register, r->fd, 1, NULL, 0), ENXIO);
    /* A new file goes straight to a place. */
    struct sqe *s = add(r, OPENAT, AT_FDCWD, "f", 0, 0);
    s->op_flags = O_RDONLY;
    s->file_index = 2; /* the second */
    CHECK_EQ(one(r, 1), 0);
    s = add(r, OPENAT, AT_FDCWD, "f", 0, 0);
    s->op_flags = O_RDONLY;
    s->file_index = UINT32_MAX; /* any */
    CHECK_EQ(one(r, 1), -ENFILE);
    add(r, CLOSE, 0, NULL, 0, 0)->file_index = 2;
    CHECK_EQ(one(r, 1), 0);
    s = add(r, OPENAT, AT_FDCWD, "f", 0, 0);
    s->op_flags = O_RDONLY;
    s->file_index = UINT32_MAX;
    CHECK_EQ(one(r, 1), 1);
    CHECK_EQ(syscall(SYS_io_uring_register, r->fd, 3, NULL, 0), 0);
    CHECK_ERRNO(syscall(SYS_io_uring_register, r->fd, 3, NULL, 0), ENXIO);
}

static void chosen(struct ring *r) {
    static char buffers[4][16];
    int s[2];
    struct cqe c;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    add(r, PROVIDE_BUFFERS, 3, buffers, 16, 5)->buffer = 9; /* 3 buffers from number 5 on */
    CHECK_EQ(one(r, 1), 0);
    CHECK_EQ(write(s[0], "first", 5), 5);
    struct sqe *q = add(r, RECV, s[1], NULL, 16, 0);
    q->flags = SELECT;
    q->buffer = 9;
    CHECK_EQ(enter(r, 1, 1), 1);
    c = next(r);
    CHECK_EQ(c.res, 5);
    CHECK_EQ(c.flags & 1, 1);
    CHECK_EQ(c.flags >> 16, 5);
    CHECK(memcmp(buffers[0], "first", 5) == 0);
    /* Again and again, until the buffers are used up. */
    q = add(r, RECV, s[1], NULL, 0, 0);
    q->flags = SELECT;
    q->buffer = 9;
    q->ioprio = 2;
    CHECK_EQ(enter(r, 1, 0), 1);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(write(s[0], "more", 4), 4);
        c = next(r);
        CHECK_EQ(c.res, 4);
        CHECK_EQ(c.flags & 3, 3);
    }
    CHECK_EQ(enter(r, 0, 0), 0);
    CHECK_EQ(available(r), 0); /* until there is something again */
    CHECK_EQ(write(s[0], "last", 4), 4);
    c = next(r);
    CHECK_EQ(c.res, -ENOBUFS);
    CHECK_EQ(c.flags & 2, 0);
    add(r, WRITE, s[1], "no", 2, 0)->flags = SELECT;
    CHECK_EQ(one(r, 1), -EOPNOTSUPP);
    add(r, SEND, s[1], "back", 4, 0);
    CHECK_EQ(one(r, 1), 4);
    CHECK_EQ(read(s[0], buffers, 16), 4);
    close(s[0]);
    close(s[1]);
}

/* Files without positions take any. */
static void anywhere(struct ring *r) {
    int e = eventfd(0, EFD_NONBLOCK), t = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t n = 3, m = 0;
    struct iovec v = {&m, 8};
    add(r, WRITE, e, &n, 8, 0);
    CHECK_EQ(one(r, 1), 8);
    add(r, READ, e, &m, 8, 0);
    CHECK_EQ(one(r, 1), 8);
    CHECK_EQ(m, 3);
    add(r, READV, e, &v, 1, 77); /* waits */
    CHECK_EQ(enter(r, 1, 0), 1);
    CHECK_EQ(available(r), 0);
    CHECK_EQ(write(e, &n, 8), 8);
    CHECK_EQ(next(r).res, 8);
    struct itimerspec soon = {{0, 0}, {0, 1000000}};
    CHECK_EQ(timerfd_settime(t, 0, &soon, NULL), 0);
    add(r, READ, t, &m, 8, 0);
    CHECK_EQ(one(r, 1), 8);
    CHECK_EQ(m, 1);
    close(e);
    close(t);
}

/* Of two linked requests; true: the second was given up. */
static bool breaks(struct ring *r, int first) {
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 2, 2), 2);
    CHECK_EQ(next(r).res, first);
    int second = next(r).res;
    CHECK(second == 0 || second == -ECANCELED);
    return second != 0;
}

static void short_ones(struct ring *r) {
    char b[16];
    int fd = open("f", O_RDWR), s[2], p[2], q[2];
    struct iovec v[2] = {{b, 2}, {b + 2, 8}};
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(pipe(q), 0);
    CHECK_EQ(pwrite(fd, "abc", 3, 0), 3);
    CHECK_EQ(ftruncate(fd, 3), 0);
    add(r, READV, fd, v, 2, 0)->flags = LINK;
    CHECK(breaks(r, 3));
    add(r, READV, fd, v, 2, 0)->flags = HARDLINK;
    CHECK(!breaks(r, 3));
    v[1].iov_len = 1;
    add(r, READV, fd, v, 2, 0)->flags = LINK;
    CHECK(!breaks(r, 3));
    for (unsigned size = 3; size < 5; size++) {
        CHECK_EQ(write(p[1], "abc", 3), 3);
        struct sqe *splice = add(r, SPLICE, q[1], (void *)-1, size, (uint64_t)-1);
        splice->file_index = (uint32_t)p[0];
        splice->flags = LINK;
        CHECK_EQ(breaks(r, 3), size > 3);
    }
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(write(s[0], "abcabc", 6), 6);
    add(r, RECV, s[1], b, 3, 0)->flags = LINK;
    CHECK(!breaks(r, 3));
    add(r, RECV, s[1], b, 9, 0)->flags = LINK;
    CHECK(!breaks(r, 3)); /* what there is will do */
    CHECK_EQ(write(s[0], "abc", 3), 3);
    close(s[0]);
    struct sqe *all = add(r, RECV, s[1], b, 9, 0);
    all->op_flags = MSG_WAITALL;
    all->flags = LINK;
    CHECK(breaks(r, 3));
    close(s[1]);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
    CHECK_EQ(write(s[0], "abc", 3), 3);
    add(r, RECV, s[1], b, 9, 0)->op_flags = MSG_WAITALL; /* a datagram is all there is */
    CHECK_EQ(one(r, 1), 3);
    add(r, RECV, s[1], b, 9, 0)->ioprio = 1u << 15;
    CHECK_EQ(one(r, 1), -EINVAL);
    close(s[0]);
    close(s[1]);
    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    add(r, SEND_ZC, s[0], "abc", 3, 0)->flags = LINK;
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 2, 3), 2);
    struct cqe c = next(r);
    CHECK(c.res == -EPIPE && c.flags == 2);
    CHECK_EQ(next(r).res + next(r).res, -ECANCELED); /* and that the memory is free */
    close(s[0]);
    close(fd);
    for (int i = 0; i < 2; i++)
        close(p[i]), close(q[i]);
}

/* A submission that is less than was meant is told, and waits for nothing. */
static void batches(struct ring *r) {
    struct ring all;
    struct cqe c;
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 2, 2), 1);
    CHECK_EQ(enter(r, 1, 5), 0);
    CHECK_EQ(next(r).res, 0);
    /* What cannot be a request ends it; in a chain, with all of the chain. */
    add(r, 200, 0, NULL, 0, 0);
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 2, 0), 1);
    CHECK_EQ(available(r), 1);
    CHECK_EQ(next(r).res, -EINVAL);
    CHECK_EQ(one(r, 1), 0);
    uint64_t first = add(r, NOP, 0, NULL, 0, 0)->user_data;
    r->sqes[(r->tail - 1) & (r->p.sq_entries - 1)].flags = LINK;
    add(r, 200, 0, NULL, 0, 0)->flags = LINK;
    add(r, NOP, 0, NULL, 0, 0);
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 4, 4), 4);
    for (int i = 0; i < 4; i++) {
        static const int results[4] = {-ECANCELED, -EINVAL, -ECANCELED, 0};
        c = next(r);
        CHECK(c.user_data - first < 4);
        CHECK_EQ(c.res, results[(c.user_data - first) % 4]);
    }
    ring_open(&all, 4, 128); /* SUBMIT_ALL */
    add(&all, NOP, 0, NULL, 0, 0)->ioprio = 1;
    add(&all, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(&all, 2, 2), 2);
    CHECK_EQ(next(&all).res + next(&all).res, -EINVAL);
    /* No request ends a ring. */
    add(&all, CLOSE, all.fd, NULL, 0, 0);
    CHECK_EQ(one(&all, 1), -EBADF);
    close(all.fd);
}

static int taken[2]; /* a pipe's reading end, a socket */
static volatile pid_t taker;
static void *takes(void *arg) {
    (void)arg;
    taker = gettid();
    CHECK_EQ(splice(taken[0], NULL, taken[1], NULL, 2, 0), 2);
    return NULL;
}

/* What another takes, while that waits for room, is waited for as well. */
static void shared(struct ring *r) {
    static char full[65536];
    char b[8];
    int p[2], q[2], s[2];
    pthread_t t;
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(pipe(q), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(fcntl(s[0], F_SETFL, O_NONBLOCK), 0);
    for (size_t size = sizeof full; size; size /= 2) {
        while (write(s[0], full, size) > 0)
            ;
    }
    CHECK_EQ(fcntl(s[0], F_SETFL, 0), 0);
    CHECK_EQ(write(p[1], "abcd", 4), 4);
    taken[0] = p[0];
    taken[1] = s[0];
    pthread_create(&t, NULL, takes, NULL);
    while (!taker)
        usleep(1000);
    until_asleep(taker);
    add(r, SPLICE, q[1], (void *)-1, 8, (uint64_t)-1)->file_index = (uint32_t)p[0];
    CHECK_EQ(enter(r, 1, 0), 1);
    CHECK_EQ(available(r), 0);
    CHECK_EQ(fcntl(s[1], F_SETFL, O_NONBLOCK), 0);
    while (read(s[1], full, sizeof full) > 0)
        ;
    CHECK_EQ(next(r).res, 2);
    pthread_join(t, NULL);
    CHECK_EQ(read(q[0], b, 8), 2);
    CHECK(memcmp(b, "cd", 2) == 0);
    for (int i = 0; i < 2; i++)
        close(p[i]), close(q[i]), close(s[i]);
}

/* A splice that has to wait keeps nobody. */
static void splices(struct ring *r) {
    static char full[65536];
    char b[8];
    int p[2], q[2];
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(pipe(q), 0);
    for (int op = SPLICE; op <= TEE; op += TEE - SPLICE) {
        uint64_t at = op == SPLICE ? (uint64_t)-1 : 0;
        for (int i = 0; i < 2; i++) { /* for bytes, then for room */
            add(r, op, q[1], (void *)(uintptr_t)at, 8, at)->file_index = (uint32_t)p[0];
            if (i)
                CHECK_EQ(write(q[1], full, sizeof full), sizeof full);
            CHECK_EQ(enter(r, 1, 0), 1);
            CHECK_EQ(write(p[1], "abcd", 4), 4);
            if (i) {
                CHECK_EQ(available(r), 0);
                CHECK_EQ(read(q[0], full, sizeof full), sizeof full);
            }
            CHECK_EQ(next(r).res, 4);
            CHECK_EQ(read(q[0], b, 8), 4);
            CHECK(memcmp(b, "abcd", 4) == 0);
            if (op == TEE)
                CHECK_EQ(read(p[0], b, 8), 4);
        }
    }
    add(r, SPLICE, q[1], (void *)-1, 0, (uint64_t)-1)->file_index = (uint32_t)p[0];
    CHECK_EQ(one(r, 1), 0); /* nothing is asked for */
    add(r, TEE, q[1], (void *)-1, 8, 0)->file_index = (uint32_t)p[0];
    CHECK_EQ(one(r, 1), -EINVAL);
    add(r, SPLICE, q[1], (void *)-1, 8, (uint64_t)-1)->file_index = (uint32_t)p[0];
    r->sqes[(r->tail - 1) & (r->p.sq_entries - 1)].op_flags = SPLICE_F_NONBLOCK;
    CHECK_EQ(one(r, 1), -EAGAIN);
    CHECK_EQ(fcntl(p[0], F_GETFL), O_RDONLY);
    for (int i = 0; i < 2; i++)
        close(p[i]), close(q[i]);
}

static void meant(struct ring *r) {
    char b[8];
    int p[2], q[2], s[2], fd = open("f", O_RDWR);
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(pipe(q), 0);
    /* A poll is taken back, not another request of that name. */
    add(r, READ, p[0], b, 8, 0)->user_data = 5;
    struct sqe *poll = add(r, POLL_ADD, q[0], NULL, 0, 0);
    poll->user_data = 5;
    poll->op_flags = POLLIN;
    CHECK_EQ(enter(r, 2, 0), 2);
    add(r, POLL_REMOVE, -1, (void *)5, 0, 0);
    CHECK_EQ(enter(r, 1, 2), 1);
    CHECK_EQ(next(r).res + next(r).res, -ECANCELED);
    CHECK_EQ(write(p[1], "abc", 3), 3);
    CHECK_EQ(next(r).res, 3);
    /* One whose turn has not come cannot be found. */
    uint64_t first = add(r, READ, p[0], b, 8, 0)->user_data;
    r->sqes[(r->tail - 1) & (r->p.sq_entries - 1)].flags = LINK;
    r->sqes[(r->tail - 1) & (r->p.sq_entries - 1)].len = 3;
    add(r, NOP, 0, NULL, 0, 0);
    add(r, ASYNC_CANCEL, -1, (void *)(uintptr_t)(first + 1), 0, 0);
    CHECK_EQ(enter(r, 3, 1), 3);
    CHECK_EQ(next(r).res, -ENOENT);
    CHECK_EQ(write(p[1], "abc", 3), 3);
    CHECK_EQ(next(r).res, 3);
    CHECK_EQ(next(r).res, 0);
    /* What never changes is told of once. */
    add(r, POLL_ADD, fd, NULL, 1, 0)->op_flags = POLLIN;
    CHECK_EQ(enter(r, 1, 1), 1);
    struct cqe c = next(r);
    CHECK(c.res == POLLIN && c.flags == 0);
    add(r, POLL_ADD, fd, NULL, 0, 0)->op_flags = POLLPRI;
    CHECK_EQ(one(r, 1), -EINVAL);
    /* A refusal leaves the file as it was. */
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    struct sqe *accept = add(r, ACCEPT, s[0], NULL, 0, 0);
    accept->ioprio = 1;
    accept->file_index = 3;
    CHECK_EQ(one(r, 1), -EINVAL);
    CHECK_EQ(fcntl(s[0], F_GETFL), O_RDWR);
    for (int i = 0; i < 2; i++)
        close(p[i]), close(q[i]), close(s[i]);
    close(fd);
}

static void connects(struct ring *r) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof to;
    int l = socket(AF_INET, SOCK_STREAM, 0), s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(bind(l, (void *)&to, size), 0);
    CHECK_EQ(getsockname(l, (void *)&to, &size), 0);
    add(r, CONNECT, s, &to, 0, size); /* nobody listens: that is told, too */
    CHECK_EQ(one(r, 1), -ECONNREFUSED);
    CHECK_EQ(listen(l, 1), 0);
    add(r, CONNECT, s, &to, 0, size);
    CHECK_EQ(one(r, 1), 0);
    add(r, CONNECT, s, &to, 0, size);
    CHECK_EQ(one(r, 1), -EISCONN);
    add(r, POLL_ADD, s, NULL, 0, 0)->op_flags = POLLPRI;
    CHECK_EQ(enter(r, 1, 0), 1);
    int peer = accept(l, NULL, NULL);
    close(peer); /* always told */
    CHECK_EQ(next(r).res, POLLRDHUP);
    close(l);
    close(s);
}

static struct ring *watched;
static int told;
static void *watches(void *arg) {
    uint64_t n;
    (void)arg;
    while (!available(watched))
        CHECK_EQ(read(told, &n, 8), 8);
    return NULL;
}

/* Whoever submitted it sleeps: it goes on, and others are told. */
static void asleep(struct ring *r) {
    char b[8];
    int p[2];
    pthread_t t, u;
    CHECK_EQ(pipe(p), 0);
    late_fd = p[1];
    watched = r;
    told = eventfd(0, 0);
    CHECK_EQ(syscall(SYS_io_uring_register, r->fd, 4, &told, 1), 0);
    add(r, READ, p[0], b, 8, 0);
    CHECK_EQ(enter(r, 1, 0), 1);
    pthread_create(&t, NULL, watches, NULL);
    pthread_create(&u, NULL, late, NULL);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    CHECK_EQ(next(r).res, 4);
    CHECK_EQ(syscall(SYS_io_uring_register, r->fd, 5, NULL, 0), 0);
    close(told);
    close(p[0]);
    close(p[1]);
}

static void refusals(void) {
    struct params p;
    struct ring r;
    CHECK_ERRNO(syscall(SYS_io_uring_setup, 4, 8), EFAULT);
    memset(&p, 0, sizeof p);
    CHECK_ERRNO(syscall(SYS_io_uring_setup, 0, &p), EINVAL);
    CHECK_ERRNO(syscall(SYS_io_uring_setup, 100000, &p), EINVAL);
    p.resv[0] = 1;
    CHECK_ERRNO(syscall(SYS_io_uring_setup, 4, &p), EINVAL);
    memset(&p, 0, sizeof p);
    p.flags = 8; /* CQSIZE */
    p.cq_entries = 2;
    CHECK_ERRNO(syscall(SYS_io_uring_setup, 4, &p), EINVAL);
    CHECK_ERRNO(syscall(SYS_io_uring_enter, 0, 0, 0, 0, NULL, 0), EOPNOTSUPP);
    CHECK_ERRNO(syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0), EBADF);
    CHECK_ERRNO(syscall(SYS_io_uring_enter, 0, 0, 0, 1u << 30, NULL, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_io_uring_register, 99, 0, NULL, 0), EBADF);
    CHECK_ERRNO(syscall(SYS_io_uring_register, -1, 0, NULL, 0), EINVAL);
    ring_open(&r, 3, 64); /* disabled; rounded up */
    CHECK_EQ(r.p.sq_entries, 4);
    CHECK_EQ(r.p.cq_entries, 8);
    CHECK_ERRNO(enter(&r, 0, 0), EBADFD);
    CHECK_EQ(syscall(SYS_io_uring_register, r.fd, 12, NULL, 0), 0);
    CHECK_EQ(enter(&r, 0, 0), 0);
    CHECK_ERRNO(read(r.fd, &p, 1), EINVAL);
    /* More completions than there is room for: none is lost. */
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 4; k++)
            add(&r, NOP, 0, NULL, 0, 0);
        CHECK_EQ(enter(&r, 4, 0), 4);
    }
    CHECK_EQ(available(&r), 8);
    for (int i = 0; i < 20; i++)
        CHECK_EQ(next(&r).res, 0);
    /* What could go on for ever ends there. */
    int full[2];
    CHECK_EQ(pipe(full), 0);
    add(&r, POLL_ADD, full[0], NULL, 1, 0)->op_flags = POLLIN;
    CHECK_EQ(enter(&r, 1, 0), 1);
    for (int i = 0; i < 8; i++) {
        add(&r, NOP, 0, NULL, 0, 0);
        CHECK_EQ(enter(&r, 1, 0), 1);
    }
    CHECK_EQ(write(full[1], "x", 1), 1);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(next(&r).res, 0);
    struct cqe last = next(&r);
    CHECK(last.res == POLLIN && last.flags == 0);
    /* To another ring. */
    int e = eventfd(0, 0);
    uint64_t n = 1;
    struct ring other;
    ring_open(&other, 2, 0);
    add(&r, MSG_RING, other.fd, NULL, 55, 66);
    CHECK_EQ(one(&r, 1), 0);
    struct cqe c = next(&other);
    CHECK(c.res == 55 && c.user_data == 66);
    /* Rings that are polled by each other and by themselves. */
    for (int i = 0; i < 4; i++) {
        struct ring *by = i & 1 ? &r : &other;
        add(by, POLL_ADD, i & 2 ? r.fd : other.fd, NULL, (unsigned)i & 1, 0)->op_flags = POLLIN;
        add(by, POLL_ADD, i & 2 ? r.fd : other.fd, NULL, 0, 0)->op_flags = POLLIN;
        CHECK_EQ(enter(by, 2, 0), 2);
    }
    CHECK_EQ(available(&other) + available(&r), 0);
    add(&r, READ, e, &n, 8, 0);
    CHECK_EQ(enter(&r, 1, 0), 1);
    CHECK_EQ(write(e, &n, 8), 8);
    CHECK(next(&r).res > 0);
    CHECK(next(&other).res > 0);
    close(other.fd);
    close(r.fd);
    /* And what a completion wakes, an event descriptor and an epoll: once. */
    int ep = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    for (int i = 0; i < 2; i++) {
        ring_open(&r, 4, 0);
        if (i)
            CHECK_EQ(syscall(SYS_io_uring_register, r.fd, 4, &e, 1), 0);
        else
            CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, r.fd, &event), 0);
        add(&r, POLL_ADD, i ? e : ep, NULL, 1, 0)->op_flags = POLLIN;
        CHECK_EQ(enter(&r, 1, 0), 1);
        add(&r, NOP, 0, NULL, 0, 0);
        CHECK_EQ(enter(&r, 1, 2), 1);
        CHECK_EQ(next(&r).res + next(&r).res, POLLIN);
        CHECK_EQ(enter(&r, 0, 0), 0);
        CHECK_EQ(available(&r), 0);
        close(r.fd);
    }
    close(ep);
    close(e);
    close(r.fd);
}

int main(void) {
    struct ring r;
    setvbuf(stdout, NULL, _IOLBF, 0);
    scratch_enter();
    ring_open(&r, 8, 0);
    files(&r);
    waiting(&r);
    chains(&r);
    timeouts(&r);
    cancelling(&r);
    fixed(&r);
    chosen(&r);
    anywhere(&r);
    short_ones(&r);
    batches(&r);
    splices(&r);
    shared(&r);
    meant(&r);
    connects(&r);
    asleep(&r);
    CHECK_EQ(available(&r), 0);
    /* Requests that still wait end with the ring. */
    int p[2];
    char b[8];
    CHECK_EQ(pipe(p), 0);
    add(&r, READ, p[0], b, 8, 0);
    CHECK_EQ(enter(&r, 1, 0), 1);
    close(r.fd);
    refusals();
    scratch_leave();
    return check_done();
}
