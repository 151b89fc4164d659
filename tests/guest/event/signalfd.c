/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Signal descriptors: order, values, the set and its change, poll and epoll,
 * waiting, refusals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static int events(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void *later(void *arg) {
    (void)arg;
    usleep(10000);
    kill(getpid(), SIGUSR2);
    return NULL;
}

int main(void) {
    struct signalfd_siginfo s[4];
    sigset_t set, two, none;
    pthread_t t;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK(fd >= 3);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_ERRNO(read(fd, s, sizeof s), EAGAIN);
    CHECK_EQ(events(fd), 0);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    CHECK_EQ(events(fd), POLLIN);
    CHECK_ERRNO(read(fd, s, 127), EINVAL);
    CHECK_EQ(read(fd, s, sizeof s), 2 * sizeof s[0]);
    CHECK(s[0].ssi_signo == SIGUSR1 && s[0].ssi_code == SI_USER);
    CHECK(s[0].ssi_pid == (unsigned)getpid() && s[0].ssi_uid == getuid());
    CHECK_EQ(s[1].ssi_signo, SIGUSR2);
    CHECK_EQ(events(fd), 0);
    union sigval v = {.sival_int = 77};
    sigqueue(getpid(), SIGRTMIN, v);
    v.sival_int = 78;
    sigqueue(getpid(), SIGRTMIN, v);
    CHECK_EQ(read(fd, s, sizeof s[0] + 1), sizeof s[0]);
    CHECK(s[0].ssi_int == 77 && s[0].ssi_code == SI_QUEUE);
    CHECK_EQ(read(fd, s, sizeof s[0]), sizeof s[0]);
    CHECK_EQ(s[0].ssi_int, 78);
    pthread_kill(pthread_self(), SIGUSR1);
    CHECK_ERRNO(read(fd, (void *)8, sizeof s), EFAULT);
    /* The set is changed. */
    sigemptyset(&two);
    sigaddset(&two, SIGUSR2);
    raise(SIGUSR1);
    CHECK_EQ(signalfd(fd, &two, 0), fd);
    CHECK_EQ(events(fd), 0);
    CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
    pthread_create(&t, NULL, later, NULL);
    CHECK_EQ(read(fd, s, sizeof s), sizeof s[0]); /* waits */
    CHECK_EQ(s[0].ssi_signo, SIGUSR2);
    pthread_join(t, NULL);
    int ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN};
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0);
    CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
    pthread_create(&t, NULL, later, NULL);
    CHECK_EQ(epoll_wait(ep, &e, 1, -1), 1);
    pthread_join(t, NULL);
    CHECK_EQ(signalfd(fd, &set, 0), fd); /* SIGUSR1 is still there */
    CHECK_EQ(read(fd, s, sizeof s), 2 * sizeof s[0]);
    CHECK_EQ(s[0].ssi_signo, SIGUSR1);
    CHECK_ERRNO(write(fd, s, sizeof s), EINVAL);
    CHECK_ERRNO(signalfd(0, &set, 0), EINVAL);
    CHECK_ERRNO(signalfd(99, &set, 0), EBADF);
    CHECK_ERRNO(signalfd(-1, &set, 1), EINVAL);
    CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 16, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_signalfd, -1, 8, 8), EFAULT);
    int old = (int)syscall(SYS_signalfd, -1, &none, 8);
    CHECK(old > fd);
    CHECK_EQ(events(old), 0);
    return check_done();
}
