/* SPDX-License-Identifier: BSD-3-Clause
 *
 * io_uring by its system calls: requests that go at once and that wait, links,
 * draining, timeouts, cancelling, fixed files and buffers, buffers that are
 * chosen, several completions of one request, what the kernel refuses.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

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
    /* No word of success. */
    add(r, NOP, 0, NULL, 0, 0)->flags = SKIP;
    add(r, NOP, 0, NULL, 0, 0);
    CHECK_EQ(enter(r, 2, 1), 2);
    next(r);
    CHECK_EQ(available(r), 0);
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
    uint64_t t = add(r, TIMEOUT, -1, &never, 1, 1)->user_data; /* or one completion */
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
    add(r, READ, p[0], b, 8, 0);
    add(r, POLL_ADD, p[0], NULL, 0, 0)->op_flags = POLLIN;
    CHECK_EQ(enter(r, 2, 0), 2);
    add(r, ASYNC_CANCEL, p[0], NULL, 0, 0)->op_flags = 1 | 2; /* all, of the descriptor */
    CHECK_EQ(enter(r, 1, 3), 1);
    int sum = 0;
    for (int i = 0; i < 3; i++)
        sum += next(r).res;
    CHECK_EQ(sum, 2 - 2 * ECANCELED);
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
    CHECK_EQ(write(s[0], "last", 4), 4);
    c = next(r);
    CHECK_EQ(c.res, -ENOBUFS);
    CHECK_EQ(c.flags & 2, 0);
    add(r, SEND, s[1], "back", 4, 0);
    CHECK_EQ(one(r, 1), 4);
    CHECK_EQ(read(s[0], buffers, 16), 4);
    close(s[0]);
    close(s[1]);
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
    /* To another ring. */
    struct ring other;
    ring_open(&other, 2, 0);
    add(&r, MSG_RING, other.fd, NULL, 55, 66);
    CHECK_EQ(one(&r, 1), 0);
    struct cqe c = next(&other);
    CHECK(c.res == 55 && c.user_data == 66);
    close(other.fd);
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
