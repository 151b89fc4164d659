/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is made and taken away again leaves no frame behind: files, descriptors,
 * mappings, threads, pipes, sockets, timers, signals.  Only the guest is judged:
 * on Linux others use memory too.
 * timeout: 60
 */
#define _GNU_SOURCE
#include "check.h"
#include "scratch.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

static int in_guest;

static long free_frames(void) {
    struct sysinfo s;
    sysinfo(&s);
    return (long)(s.freeram / 4096);
}

static void files(void) {
    char page[9000] = "";
    struct stat s;
    CHECK(mkdir("dir", 0755) == 0);
    int fd = open("dir/file", O_RDWR | O_CREAT, 0644);
    CHECK(write(fd, page, sizeof page) == sizeof page);
    CHECK(pwrite(fd, page, 10, 5 << 20) == 10); /* a tree of two levels */
    CHECK(symlink("file", "dir/link") == 0 && stat("dir/link", &s) == 0);
    CHECK(rename("dir/file", "dir/other") == 0);
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    p[1] = p[5000] = 1;
    CHECK(unlink("dir/other") == 0 && munmap(p, 8192) == 0 && close(fd) == 0);
    CHECK(unlink("dir/link") == 0 && rmdir("dir") == 0);
    fd = open("/proc/self/maps", O_RDONLY);
    CHECK(read(fd, page, sizeof page) > 0 && close(fd) == 0);
    fd = open("gone", O_RDWR | O_CREAT | O_EXCL, 0600); /* the last close frees it */
    CHECK(unlink("gone") == 0 && write(fd, page, sizeof page) == sizeof page && close(fd) == 0);
}

static void mappings(void) {
    char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < 1 << 20; i += 4096)
        p[i] = 1;
    p = mremap(p, 1 << 20, 2 << 20, MREMAP_MAYMOVE);
    CHECK(mprotect(p + 8192, 4096, PROT_READ) == 0);
    CHECK(p != MAP_FAILED && munmap(p + (4096 * 3), 4096) == 0);
    CHECK(madvise(p, 8192, MADV_DONTNEED) == 0 && munmap(p, 2 << 20) == 0);
    /* Far away: page tables of its own. */
    char *far = mmap((void *)0x123400000000, 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *far = 1;
    CHECK(munmap(far, 4096) == 0);
}

static void descriptors(void) {
    int ends[2], copies[60];
    char data[6000] = "";
    CHECK(pipe(ends) == 0 && write(ends[1], data, sizeof data) == sizeof data);
    struct epoll_event event = {.events = EPOLLIN};
    int e = epoll_create1(0), counter = eventfd(1, 0);
    CHECK(epoll_ctl(e, EPOLL_CTL_ADD, ends[0], &event) == 0);
    CHECK(epoll_ctl(e, EPOLL_CTL_ADD, counter, &event) == 0);
    CHECK(epoll_wait(e, &event, 1, 0) == 1);
    struct pollfd p[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
    CHECK(poll(p, 2, 0) == 2);
    for (unsigned i = 0; i < 60; i++)
        copies[i] = dup(ends[0]);
    for (unsigned i = 0; i < 60; i++)
        CHECK(close(copies[i]) == 0);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && close(counter) == 0 && close(e) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK(write(ends[0], data, 3000) == 3000 && close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void *thread(void *arg) {
    return arg;
}

static void threads(void) {
    pthread_t ids[3];
    for (unsigned i = 0; i < 3; i++)
        CHECK(pthread_create(&ids[i], NULL, thread, NULL) == 0);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(ids[i], NULL);
}

static void on_signal(int number) {
    (void)number;
}

static void signals(void) {
    sigset_t set;
    timer_t timer;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    signal(SIGRTMIN, on_signal);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (unsigned i = 0; i < 20; i++)
        CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1}) == 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0 && timer_delete(timer) == 0);
}

static void loop(const char *name, void (*fn)(void)) {
    for (unsigned i = 0; i < 5; i++)
        fn();
    long before = free_frames();
    for (unsigned i = 0; i < 100; i++)
        fn();
    long lost = before - free_frames();
    if (in_guest && lost)
        printf("%s: %ld frames are lost\n", name, lost);
    else
        printf("%s\n", name);
    fflush(stdout);
}

int main(void) {
    struct utsname u;
    uname(&u);
    in_guest = strstr(u.release, "zuk") != NULL;
    scratch_enter();
    loop("files", files);
    loop("mappings", mappings);
    loop("descriptors", descriptors);
    loop("threads", threads);
    loop("signals", signals);
    scratch_leave();
    return check_done();
}
