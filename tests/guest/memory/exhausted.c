/* SPDX-License-Identifier: BSD-3-Clause
 *
 * All memory taken by one kind of thing after the other: each is refused with
 * Linux's errno in the end, nothing hangs, what was there before still works, and
 * once all is given back the memory is free and as many can be made again.
 * The argument: one kind only.
 * native: skip the host has more memory
 * zuk: -m 24M
 * timeout: 60
 * expect-stdout: ok
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };

static char page[PAGE];

static long free_pages(void) {
    struct sysinfo s;
    return sysinfo(&s) == 0 ? (long)(s.freeram / PAGE) : -1;
}

/* ---- each kind: one more (false: errno), and all away ---- */

#define PIECE (64 * PAGE)
static char *region;
enum { REGION = 1 << 30 };

static bool more_pages(long n) {
    return madvise(region + n * PIECE, PIECE, 23 /* MADV_POPULATE_WRITE */) == 0;
}

static void no_pages(long n) {
    CHECK_EQ(madvise(region, (size_t)(n + 1) * PIECE, MADV_DONTNEED), 0);
}

/* Every other page has other rights: an area each. */
static bool more_areas(long n) {
    return mprotect(region + n * 2 * PAGE, PAGE, PROT_READ) == 0;
}

static void no_areas(long n) {
    (void)n;
    CHECK_EQ(mprotect(region, REGION, RW), 0);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_t threads[20000];

static void *wait_at_gate(void *unused) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return unused;
}

static bool more_threads(long n) {
    pthread_attr_t a;
    if (n == 0)
        pthread_mutex_lock(&gate);
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 4 * PAGE);
    errno = pthread_create(&threads[n], &a, wait_at_gate, NULL);
    return errno == 0;
}

static void no_threads(long n) {
    pthread_mutex_unlock(&gate);
    for (long i = 0; i < n; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

static void close_all(long n) {
    (void)n;
    CHECK_EQ(syscall(SYS_close_range, 10, ~0u, 0), 0);
}

/* Moves it to `lowest` or above. */
static int high(int fd, int lowest) {
    if (fd < 0)
        return -1;
    int to = fcntl(fd, F_DUPFD, lowest), e = errno;
    close(fd);
    errno = e;
    return to;
}

static bool more_pipes(long n) {
    int p[2];
    (void)n;
    if (pipe2(p, O_NONBLOCK) != 0)
        return false;
    fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
    while (write(p[1], page, PAGE) == PAGE) {
    }
    int e = errno;
    high(p[0], 10);
    high(p[1], 10);
    errno = e;
    return e == EAGAIN;
}

static bool more_sockets(long n) {
    int p[2];
    (void)n;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p) != 0)
        return false;
    while (write(p[1], page, PAGE) > 0) {
    }
    int e = errno;
    high(p[0], 10);
    high(p[1], 10);
    errno = e;
    return e == EAGAIN;
}

/* Each epoll watches as many counters as there are epolls before it. */
static bool more_entries(long n) {
    int e = high(epoll_create1(0), 10);
    (void)n;
    if (e < 0)
        return false;
    for (int fd = 10; fd < e; fd++) {
        struct epoll_event event = {.events = EPOLLIN};
        int to = high(eventfd(0, 0), 600);
        bool good = to >= 0 && epoll_ctl(e, EPOLL_CTL_ADD, to, &event) == 0;
        if (!good)
            return false;
    }
    return true;
}

static bool more_files(long n) {
    char name[40];
    snprintf(name, sizeof name, "/tmp/x/%ld", n);
    int fd = open(name, O_CREAT | O_WRONLY, 0644);
    if (fd < 0)
        return false;
    ssize_t done = write(fd, page, n % 2 ? 1 : PAGE);
    int e = errno;
    close(fd);
    errno = e;
    return done > 0;
}

static void no_files(long n) {
    char name[40];
    for (long i = 0; i <= n; i++) {
        snprintf(name, sizeof name, "/tmp/x/%ld", i);
        CHECK(unlink(name) == 0 || errno == ENOENT);
    }
}

static bool more_names(long n) {
    char name[300];
    snprintf(name, sizeof name, "/tmp/x/%0200ld", n);
    return symlink(name, name) == 0;
}

static void no_names(long n) {
    char name[300];
    for (long i = 0; i < n; i++) {
        snprintf(name, sizeof name, "/tmp/x/%0200ld", i);
        CHECK_EQ(unlink(name), 0);
    }
}

static int32_t first_timer;

static bool more_timers(long n) {
    int32_t id;
    bool good = syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0;
    if (good && n == 0)
        first_timer = id;
    return good;
}

static void no_timers(long n) {
    for (long i = 0; i < n; i++)
        CHECK_EQ(syscall(SYS_timer_delete, first_timer + (int32_t)i), 0);
}

static bool more_signals(long n) {
    return sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = (int)n}) == 0;
}

static void no_signals(long n) {
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    for (long i = 0; i < n; i++) {
        CHECK_EQ(sigtimedwait(&set, &info, &(struct timespec){0, 0}), SIGRTMIN);
        CHECK_EQ(info.si_value.sival_int, i);
    }
    CHECK_ERRNO(sigtimedwait(&set, &info, &(struct timespec){0, 0}), EAGAIN);
}

static const struct kind {
    const char *name;
    bool (*more)(long n);
    void (*none)(long n);
    int errors[3];
} kinds[] = {
    {"pages", more_pages, no_pages, {ENOMEM, EFAULT}},
    {"areas", more_areas, no_areas, {ENOMEM}},
    {"pipes", more_pipes, close_all, {ENOMEM, EMFILE, ENFILE}},
    {"sockets", more_sockets, close_all, {ENOMEM, ENOBUFS, EMFILE}},
    {"epoll entries", more_entries, close_all, {ENOMEM, EMFILE, ENOSPC}},
    {"files", more_files, no_files, {ENOSPC, ENOMEM}},
    {"names", more_names, no_names, {ENOSPC, ENOMEM}},
    {"timers", more_timers, no_timers, {EAGAIN, ENOMEM}},
    {"signals", more_signals, no_signals, {EAGAIN}},
    {"threads", more_threads, no_threads, {EAGAIN, ENOMEM}},
};

static long take_all(const struct kind *k) {
    long n = 0;
    while (k->more(n))
        n++;
    int e = errno;
    bool known = false;
    for (int i = 0; i < 3; i++)
        known |= e && e == k->errors[i];
    if (!known) {
        check_failures++;
        printf("%s: number %ld is refused with errno %d\n", k->name, n, e);
    }
    return n;
}

/* Page tables, a few pages for calls, lists that are partly used, stacks for the
 * next few threads. */
enum { KEPT_PAGES = 96 };

static void exhaust(const struct kind *k) {
    long before = free_pages(), first = take_all(k);
    k->none(first);
    long missing = before - free_pages(), second = take_all(k);
    k->none(second);
    if (second < first - first / 100 || missing > KEPT_PAGES) {
        check_failures++;
        printf("%s: %ld, then %ld; %ld pages are missing\n", k->name, first, second, missing);
    }
}

int main(int argc, char **argv) {
    unsigned count = sizeof kinds / sizeof kinds[0];
    const struct rlimit all = {1 << 30, 1 << 30};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK_EQ(setrlimit(RLIMIT_SIGPENDING, &all), 0);
    CHECK_EQ(mkdir("/tmp/x", 0755), 0);
    region = mmap(NULL, REGION, RW, ANON | MAP_NORESERVE, -1, 0);
    CHECK(region != MAP_FAILED);
    for (unsigned i = 0; i < count; i++) {
        if (argc < 2 || strcmp(argv[1], kinds[i].name) == 0)
            exhaust(&kinds[i]);
    }
    return check_done();
}
