/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A little of everything that the kernel takes memory for, three times over.
 * Each step succeeds or says that there is no memory; then what it took is
 * given back.  tests/conform/refused runs it with one allocation after the
 * other refused: the last round must end with the frames it began with.
 *
 * Prints "refused" when a step was told so, and "leak N" or "ok".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static volatile bool refused;
static volatile int wrong;

/* True when the call did what it should; else memory must be the reason. */
static bool done(bool success, const char *what) {
    if (success)
        return true;
    int e = errno;
    refused = true;
    if (e != ENOMEM && e != ENOSPC && e != EAGAIN && e != ENOBUFS && e != ENFILE) {
        printf("%s: errno %d\n", what, e);
        wrong++;
    }
    return false;
}
#define DONE(call) done(call, #call)

/* Taking a piece out of a mapping may need memory: it is asked for once. */
static void unmap(void *p, size_t size) {
    for (unsigned tries = 0; tries < 2 && munmap(p, size); tries++)
        done(false, "munmap");
}

static void files(void) {
    char page[5000];
    struct stat s;
    memset(page, 'p', sizeof page);
    if (DONE(mkdir("/tmp/d", 0755) == 0)) {
        int fd = open("/tmp/d/file", O_RDWR | O_CREAT, 0644);
        if (DONE(fd >= 0)) {
            DONE(write(fd, page, sizeof page) > 0);
            DONE(pwrite(fd, page, 100, 3 << 20) > 0);
            DONE(ftruncate(fd, 4000) == 0);
            void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
            if (DONE(p != MAP_FAILED))
                unmap(p, 4096);
            close(fd);
        }
        if (DONE(symlink("file", "/tmp/d/link") == 0))
            DONE(stat("/tmp/d/link", &s) == 0 || errno == ENOENT);
        DONE(link("/tmp/d/file", "/tmp/d/second") == 0 || errno == ENOENT);
        DONE(rename("/tmp/d/link", "/tmp/d/renamed") == 0 || errno == ENOENT);
        DIR *d = opendir("/tmp/d");
        if (DONE(d != NULL)) {
            while (readdir(d) != NULL) {
            }
            closedir(d);
        }
        DONE(getcwd(page, sizeof page) != NULL);
        static const char *const names[] = {"file", "link", "second", "renamed"};
        for (unsigned i = 0; i < 4; i++) {
            char path[64];
            snprintf(path, sizeof path, "/tmp/d/%s", names[i]);
            for (unsigned tries = 0; unlink(path) && errno != ENOENT && tries < 2; tries++)
                DONE(false);
        }
        if (rmdir("/tmp/d") && DONE(false) == false)
            rmdir("/tmp/d");
    }
    int proc = open("/proc/self/maps", O_RDONLY);
    if (DONE(proc >= 0)) {
        DONE(read(proc, page, sizeof page) >= 0);
        close(proc);
    }
}

static void descriptors(void) {
    int pair[2], many[40], count = 0;
    char byte = 1;
    if (DONE(pipe(pair) == 0)) {
        DONE(write(pair[1], &byte, 1) == 1);
        struct pollfd p[2] = {{pair[0], POLLIN, 0}, {pair[1], POLLOUT, 0}};
        DONE(poll(p, 2, 0) >= 0);
        int e = epoll_create1(0);
        if (DONE(e >= 0)) {
            struct epoll_event event = {.events = EPOLLIN};
            DONE(epoll_ctl(e, EPOLL_CTL_ADD, pair[0], &event) == 0);
            DONE(epoll_wait(e, &event, 1, 0) >= 0);
            close(e);
        }
        for (; count < 40; count++) {
            many[count] = dup(pair[0]);
            if (!DONE(many[count] >= 0))
                break;
        }
        while (count)
            close(many[--count]);
        close(pair[0]);
        close(pair[1]);
    }
    if (DONE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)) {
        DONE(write(pair[0], "hello", 5) == 5);
        close(pair[0]);
        close(pair[1]);
    }
    int fd = eventfd(1, 0);
    if (DONE(fd >= 0))
        close(fd);
    fd = timerfd_create(CLOCK_MONOTONIC, 0);
    if (DONE(fd >= 0))
        close(fd);
    timer_t timer;
    if (DONE(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0))
        timer_delete(timer);
}

static void memory(void) {
    char *p = mmap(NULL, 64 << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!DONE(p != MAP_FAILED))
        return;
    /* Pages by calls that may fail, not by touches, which end the program. */
    DONE(madvise(p, 64 << 12, 23 /* MADV_POPULATE_WRITE */) == 0);
    DONE(mprotect(p + 4096, 4096, PROT_READ) == 0);
    DONE(munmap(p + (10 << 12), 4096) == 0);
    char *moved = mremap(p + (20 << 12), 4 << 12, 90 << 12, MREMAP_MAYMOVE);
    if (DONE(moved != MAP_FAILED))
        unmap(moved, 90 << 12);
    unmap(p, 64 << 12);
    char *far = mmap((void *)0x300000000000, 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (DONE(far != MAP_FAILED))
        unmap(far, 4096);
}

static void *thread(void *arg) {
    return arg;
}

static void on_signal(int number) {
    (void)number;
}

static void threads(void) {
    static char stack[4][65536] __attribute__((aligned(4096)));
    for (unsigned i = 0; i < 4; i++) {
        pthread_t id;
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        pthread_attr_setstack(&attr, stack[i], sizeof stack[i]);
        errno = pthread_create(&id, &attr, thread, NULL);
        if (DONE(errno == 0))
            pthread_join(id, NULL);
    }
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    signal(SIGRTMIN, on_signal);
    sigprocmask(SIG_BLOCK, &set, &old);
    for (unsigned i = 0; i < 3; i++)
        DONE(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1}) == 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static long free_frames(void) {
    struct sysinfo s;
    sysinfo(&s);
    return (long)(s.freeram / 4096);
}

int main(void) {
    static char out[4096], touched[1 << 18];
    setvbuf(stdout, out, _IOFBF, sizeof out);
    memset(touched, 1, sizeof touched);
    long before = 0;
    puts("begin"); /* the channel takes what it needs */
    fflush(stdout);
    refused = wrong = 0; /* what is told of a failure lies in pages that are there */
    if (!done(open("/absent", O_RDONLY) < 0, "open"))
        return 1;
    for (unsigned round = 0; round < 3; round++) {
        before = free_frames();
        files();
        descriptors();
        memory();
        threads();
    }
    long lost = before - free_frames();
    if (refused)
        puts("refused");
    if (lost)
        printf("leak %ld\n", lost);
    puts(lost || wrong ? "wrong" : "ok");
    return lost || wrong;
}
