/* SPDX-License-Identifier: BSD-3-Clause
 *
 * epoll: level and edge triggered, one shot, exclusive, what closing and
 * duplicating descriptors does, several events, refusals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int ep;

static int control(int op, int fd, uint32_t events) {
    struct epoll_event e = {.events = events, .data.u64 = (uint64_t)fd << 32 | 7};
    return epoll_ctl(ep, op, fd, &e);
}

/* "3:1 5:4": descriptors, less `base`, and their events. */
static void show(const char *what, int base, int room) {
    struct epoll_event e[8];
    int n = epoll_wait(ep, e, room, 0);
    printf("%s:", what);
    for (int i = 0; i < n; i++)
        printf(" %d:%x", (int)(e[i].data.u64 >> 32) - base, e[i].events);
    printf(n < 0 ? " error\n" : "\n");
}

static void put(int fd) {
    CHECK_EQ(write(fd, "x", 1), 1);
}

static void take(int fd) {
    char b[8];
    CHECK(read(fd, b, sizeof b) > 0);
}

static void triggers(void) {
    int p[2];
    CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
    CHECK_EQ(control(EPOLL_CTL_ADD, p[0], EPOLLIN), 0);
    CHECK_EQ(control(EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLET), 0);
    show("start", p[0], 8);
    show("no edge", p[0], 8);
    put(p[1]);
    show("level", p[0], 8);
    show("level again", p[0], 8);
    take(p[0]);
    show("taken", p[0], 8);
    CHECK_EQ(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET), 0);
    put(p[1]);
    show("edge", p[0], 8);
    show("edge over", p[0], 8);
    put(p[1]);
    show("another edge", p[0], 8);
    take(p[0]);
    CHECK_EQ(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT), 0);
    put(p[1]);
    show("one shot", p[0], 8);
    put(p[1]);
    show("shot", p[0], 8);
    CHECK_EQ(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT), 0);
    show("armed again", p[0], 8);
    close(p[1]);
    show("writer gone, off", p[0], 8);
    CHECK_EQ(control(EPOLL_CTL_MOD, p[0], 0), 0);
    show("only hang-up", p[0], 8);
    CHECK_EQ(control(EPOLL_CTL_DEL, p[0], 0), 0);
    show("deleted", p[0], 8);
    CHECK_ERRNO(control(EPOLL_CTL_DEL, p[0], 0), ENOENT);
    CHECK_ERRNO(control(EPOLL_CTL_MOD, p[0], 0), ENOENT);
    close(p[0]);
    CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
    CHECK_EQ(control(EPOLL_CTL_ADD, p[1], EPOLLOUT), 0);
    close(p[0]);
    show("reader gone", p[0], 8);
    close(p[1]);
    show("closed", p[0], 8);
}

static void several(void) {
    int fd[4];
    for (int i = 0; i < 4; i++) {
        fd[i] = eventfd(1, EFD_NONBLOCK);
        CHECK_EQ(control(EPOLL_CTL_ADD, fd[i], EPOLLIN), 0);
    }
    CHECK_ERRNO(control(EPOLL_CTL_ADD, fd[0], EPOLLIN), EEXIST);
    show("two of four", fd[0], 2); /* they take turns */
    show("the other two", fd[0], 2);
    show("three", fd[0], 3);
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    show("none", fd[0], 4);
}

/* An entry is of a descriptor and its file, and goes with the file. */
static void copies(void) {
    uint64_t one = 1;
    int fd = eventfd(0, EFD_NONBLOCK);
    CHECK_EQ(control(EPOLL_CTL_ADD, fd, EPOLLIN), 0);
    int copy = dup(fd);
    CHECK_EQ(control(EPOLL_CTL_ADD, copy, EPOLLIN), 0); /* another one */
    CHECK_EQ(write(fd, &one, 8), 8);
    show("both", fd, 8);
    close(fd);
    show("still both", fd, 8);
    CHECK_ERRNO(control(EPOLL_CTL_DEL, fd, 0), EBADF);
    int other = eventfd(0, EFD_NONBLOCK);
    CHECK_EQ(other, fd);
    CHECK_EQ(control(EPOLL_CTL_ADD, other, EPOLLIN), 0); /* of another file */
    show("other is empty", fd, 8);
    CHECK_EQ(control(EPOLL_CTL_DEL, copy, 0), 0);
    show("the closed one", fd, 8);
    close(copy);
    show("gone", fd, 8);
    close(other);
}

static void refusals(void) {
    struct epoll_event e[2], *bad = (void *)8;
    int fd = eventfd(0, 0), null = open("/dev/null", O_RDONLY), dir = open("/", O_RDONLY);
    int path = open("/", O_PATH);
    CHECK_ERRNO(epoll_create(0), EINVAL);
    CHECK_ERRNO(epoll_create1(1), EINVAL);
    CHECK_ERRNO(epoll_ctl(ep, 9, fd, e), EINVAL);
    CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fd, bad), EFAULT);
    CHECK_ERRNO(epoll_ctl(-1, EPOLL_CTL_ADD, fd, e), EBADF);
    CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, -1, e), EBADF);
    CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, path, e), EBADF);
    CHECK_ERRNO(epoll_ctl(fd, EPOLL_CTL_ADD, fd, e), EINVAL);
    CHECK_ERRNO(epoll_ctl(fd, EPOLL_CTL_ADD, ep, e), EINVAL);
    CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, ep, e), EINVAL);
    CHECK_ERRNO(control(EPOLL_CTL_ADD, null, EPOLLIN), EPERM);
    CHECK_ERRNO(control(EPOLL_CTL_ADD, dir, EPOLLIN), EPERM);
    CHECK_ERRNO(epoll_wait(ep, e, 0, 0), EINVAL);
    CHECK_ERRNO(epoll_wait(ep, e, -1, 0), EINVAL);
    CHECK_ERRNO(epoll_wait(ep, (void *)-4096l, 1, 0), EFAULT);
    CHECK_ERRNO(epoll_wait(-1, e, 1, 0), EBADF);
    CHECK_ERRNO(epoll_wait(fd, e, 1, 0), EINVAL);
    CHECK_ERRNO(control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL);
    CHECK_ERRNO(control(EPOLL_CTL_ADD, fd, EPOLLRDHUP | EPOLLEXCLUSIVE), EINVAL);
    CHECK_EQ(control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLEXCLUSIVE), 0);
    CHECK_ERRNO(control(EPOLL_CTL_MOD, fd, EPOLLIN), EINVAL);
    CHECK_ERRNO(control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
    CHECK_ERRNO(epoll_wait(ep, bad, 1, 0), EFAULT);
    show("exclusive", fd, 1); /* was not lost */
    CHECK_ERRNO(read(ep, e, 8), EINVAL);
    CHECK_ERRNO(write(ep, e, 8), EINVAL);
    CHECK_EQ(lseek(ep, 0, SEEK_SET), 0);
    CHECK_ERRNO(syscall(SYS_epoll_pwait, ep, e, 1, 0, e, 4l), EINVAL);
    close(fd);
    close(null);
    close(dir);
    close(path);
}

static void times(void) {
    struct epoll_event e;
    struct timespec soon = {0, 2000000}, bad = {0, 1000000000}, start, end;
    sigset_t none;
    sigemptyset(&none);
    clock_gettime(CLOCK_MONOTONIC, &start);
    CHECK_EQ(epoll_wait(ep, &e, 1, 3), 0);
    CHECK_EQ(syscall(SYS_epoll_pwait2, ep, &e, 1, &soon, &none, 8l), 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK((end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec >= 5000000);
    CHECK_ERRNO(syscall(SYS_epoll_pwait2, ep, &e, 1, &bad, NULL, 8l), EINVAL);
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec in = {{0, 0}, {0, 3000000}};
    CHECK_EQ(control(EPOLL_CTL_ADD, timer, EPOLLIN), 0);
    CHECK_EQ(timerfd_settime(timer, 0, &in, NULL), 0);
    CHECK_EQ(epoll_pwait(ep, &e, 1, -1, NULL), 1);
    CHECK(e.data.u64 == ((uint64_t)timer << 32 | 7) && e.events == EPOLLIN);
    close(timer);
}

int main(void) {
    ep = epoll_create1(EPOLL_CLOEXEC);
    CHECK(ep >= 3);
    CHECK_EQ(fcntl(ep, F_GETFD), FD_CLOEXEC);
    triggers();
    several();
    copies();
    refusals();
    times();
    close(ep);
    ep = epoll_create(1);
    CHECK_EQ(fcntl(ep, F_GETFD), 0);
    return check_done();
}
