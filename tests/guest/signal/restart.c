/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which blocking calls a handler with SA_RESTART lets go on, and which end in
 * EINTR all the same (signal(7)); without SA_RESTART all end.
 * timeout: 40
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "asleep.h"
#include "check.h"
#include "scratch.h"

static int in, out, full, full_end, event, locked, lock_fd, pair[2], listener, dgram, timed;
static uint32_t word;
static sem_t sem;
static pthread_t caller;
static volatile int blocking, handled, flags;

static void handler(int number) {
    (void)number;
    handled = 1;
}

/* ---- the calls, and what ends each of them -------------------------------- */

static char bytes[70000];

static long do_read(void) {
    return read(in, bytes, 1);
}
static long do_readv(void) {
    struct iovec v = {bytes, 1};
    return readv(in, &v, 1);
}
static void end_read(void) {
    write(out, "x", 1);
}
static long do_write(void) {
    return write(full, bytes, 4096);
}
static long do_writev(void) {
    struct iovec v = {bytes, 4096};
    return writev(full, &v, 1);
}
static void end_write(void) {
    read(full_end, bytes, 4096); /* room for the one that waits */
}
static long do_event(void) {
    uint64_t n;
    return read(event, &n, 8);
}
static void end_event(void) {
    uint64_t n = 1;
    write(event, &n, 8);
}
static long do_timerfd(void) {
    uint64_t n;
    struct itimerspec s = {{0, 0}, {0, 250000000}};
    if (!handled)
        timerfd_settime(timed, 0, &s, NULL);
    return read(timed, &n, 8);
}
static void nothing(void) {}
static long do_flock(void) {
    return flock(lock_fd, LOCK_EX);
}
static void end_flock(void) {
    flock(locked, LOCK_UN);
}
static long do_setlkw(void) {
    struct flock l = {.l_type = F_WRLCK};
    return fcntl(lock_fd, F_OFD_SETLKW, &l);
}
static void end_setlkw(void) {
    struct flock l = {.l_type = F_UNLCK};
    fcntl(locked, F_OFD_SETLK, &l);
}
static long do_recv(void) {
    return recv(pair[0], bytes, 1, 0);
}
static long do_recvmsg(void) {
    struct iovec v = {bytes, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    return recvmsg(pair[0], &m, 0);
}
static long do_recvmmsg(void) {
    struct iovec v = {bytes, 1};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    return recvmmsg(pair[0], &m, 1, 0, NULL);
}
static void end_recv(void) {
    send(pair[1], "x", 1, 0);
}
static long do_recv_timed(void) {
    return recv(dgram, bytes, 1, 0);
}
static long do_accept(void) {
    int fd = accept(listener, NULL, NULL);
    return fd < 0 ? fd : close(fd);
}
static void end_accept(void) {
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    getsockname(listener, (struct sockaddr *)&a, &size);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect(fd, (struct sockaddr *)&a, size);
    close(fd);
}
static long futex(int op, const struct timespec *t) {
    return syscall(SYS_futex, &word, op, 0, t, NULL, 0xffffffffu);
}
static long do_futex(void) {
    return futex(0, NULL);
}
static void end_futex(void) {
    futex(1, NULL);
}
static const struct timespec soon = {0, 300000000};
static long do_futex_timed(void) {
    return futex(0, &soon);
}
static long do_nanosleep(void) {
    return nanosleep(&soon, NULL);
}
static long do_clock_nanosleep(void) {
    return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &soon, NULL);
}
static long do_poll(void) {
    struct pollfd p = {in, POLLIN, 0};
    return poll(&p, 1, 300);
}
static long do_ppoll(void) {
    struct pollfd p = {in, POLLIN, 0};
    return ppoll(&p, 1, &soon, NULL);
}
static long do_select(void) {
    struct timeval t = {0, 300000};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(in, &set);
    return select(in + 1, &set, NULL, NULL, &t);
}
static long do_epoll(void) {
    static int fd = -1;
    struct epoll_event e = {.events = EPOLLIN};
    if (fd < 0) {
        fd = epoll_create1(0);
        epoll_ctl(fd, EPOLL_CTL_ADD, in, &e);
    }
    return epoll_wait(fd, &e, 1, 300);
}
static long do_pause(void) {
    return pause();
}
static long do_sigsuspend(void) {
    sigset_t none;
    sigemptyset(&none);
    return sigsuspend(&none);
}
static long do_sigtimedwait(void) {
    sigset_t other;
    sigemptyset(&other);
    sigaddset(&other, SIGUSR2);
    return sigtimedwait(&other, NULL, &soon);
}
static long do_sem(void) {
    return sem_wait(&sem);
}
static void end_sem(void) {
    sem_post(&sem);
}
static long do_fifo(void) {
    int fd = open("fifo", O_RDONLY);
    return fd < 0 ? fd : close(fd);
}
static void end_fifo(void) {
    close(open("fifo", O_WRONLY));
}

static const struct {
    const char *name;
    long (*call)(void);
    void (*end)(void);
} calls[] = {
    {"read", do_read, end_read},
    {"readv", do_readv, end_read},
    {"write", do_write, end_write},
    {"writev", do_writev, end_write},
    {"open of a FIFO", do_fifo, end_fifo},
    {"read of an eventfd", do_event, end_event},
    {"read of a timerfd", do_timerfd, nothing},
    {"flock", do_flock, end_flock},
    {"F_OFD_SETLKW", do_setlkw, end_setlkw},
    {"recv", do_recv, end_recv},
    {"recvmsg", do_recvmsg, end_recv},
    {"recvmmsg", do_recvmmsg, end_recv},
    {"recv with SO_RCVTIMEO", do_recv_timed, nothing},
    {"accept", do_accept, end_accept},
    {"futex", do_futex, end_futex},
    {"futex with a timeout", do_futex_timed, nothing},
    {"sem_wait", do_sem, end_sem},
    {"nanosleep", do_nanosleep, nothing},
    {"clock_nanosleep", do_clock_nanosleep, nothing},
    {"poll", do_poll, nothing},
    {"ppoll", do_ppoll, nothing},
    {"select", do_select, nothing},
    {"epoll_wait", do_epoll, nothing},
    {"pause", do_pause, nothing},
    {"sigsuspend", do_sigsuspend, nothing},
    {"sigtimedwait", do_sigtimedwait, nothing},
};

/* Sends the signal while the call blocks; ends the call if that did not. */
static void *disturber(void *arg) {
    void (*end)(void) = (void (*)(void))(uintptr_t)arg;
    until_asleep(getpid());
    pthread_kill(caller, SIGUSR1);
    usleep(30000);
    if (blocking)
        end();
    return NULL;
}

static void nonblocking_rest(void) {
    char rest[64];
    fcntl(in, F_SETFL, O_NONBLOCK);
    while (read(in, rest, sizeof rest) > 0)
        ;
    fcntl(in, F_SETFL, 0);
}

int main(void) {
    int p[2];
    scratch_enter();
    setbuf(stdout, NULL);
    pipe(p), in = p[0], out = p[1];
    pipe(p), full_end = p[0], full = p[1];
    fcntl(full, F_SETFL, O_NONBLOCK);
    while (write(full, bytes, 4096) > 0)
        ;
    fcntl(full, F_SETFL, 0);
    event = eventfd(0, 0);
    timed = timerfd_create(CLOCK_MONOTONIC, 0);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bind(listener, (struct sockaddr *)&any, sizeof any);
    listen(listener, 4);
    dgram = socket(AF_INET, SOCK_DGRAM, 0);
    struct timeval t = {0, 300000};
    setsockopt(dgram, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    sem_init(&sem, 0, 0);
    mkfifo("fifo", 0600);
    caller = pthread_self();
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
            struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
            sigaction(SIGUSR1, &sa, NULL);
            locked = open("lock", O_RDWR | O_CREAT, 0600), lock_fd = open("lock", O_RDWR);
            struct flock l = {.l_type = F_WRLCK};
            flock(locked, LOCK_EX), fcntl(locked, F_OFD_SETLK, &l);
            handled = 0, blocking = 1;
            pthread_t other;
            pthread_create(&other, NULL, disturber, (void *)(uintptr_t)calls[i].end);
            errno = 0;
            long r = calls[i].call();
            int error = errno;
            blocking = 0;
            pthread_join(other, NULL);
            printf("%-22s %-10s %s%s\n", calls[i].name, flags ? "SA_RESTART" : "",
                   r >= 0 ? "goes on" : strerror(error), handled ? "" : " (no signal)");
            close(locked), close(lock_fd);
            nonblocking_rest();
        }
    }
    scratch_leave();
    return 0;
}
