/* SPDX-License-Identifier: BSD-3-Clause
 *
 * flock and fcntl's locks between open files of one process: who is in the way of
 * whom, ranges that are split and joined, what a close gives up, waiting.
 * expect-stdout: ok
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "scratch.h"

static int open_file(void) {
    return open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static int lock(int fd, int command, short type, off_t start, off_t size) {
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = size};
    return fcntl(fd, command, &l);
}

/* "WR start len pid" of what is in the way of a write lock, or "-" */
static const char *in_the_way(int fd, int command, off_t start, off_t size) {
    static char text[64];
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = size};
    if (fcntl(fd, command, &l) < 0)
        return "error";
    if (l.l_type == F_UNLCK)
        return "-";
    snprintf(text, sizeof text, "%s %d %d %s", l.l_type == F_WRLCK ? "W" : "R", (int)l.l_start,
             (int)l.l_len,
             l.l_pid == -1         ? "file"
             : l.l_pid == getpid() ? "process"
                                   : "?");
    return text;
}

static void whole_files(void) {
    int a = open_file(), b = open_file(), c = dup(a);
    CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH | LOCK_NB) == 0);
    CHECK_ERRNO(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK(flock(b, LOCK_EX | LOCK_NB) == 0); /* a lost its own by trying */
    CHECK_ERRNO(flock(a, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK(flock(b, LOCK_UN) == 0 && flock(a, LOCK_EX | LOCK_NB) == 0);
    CHECK(flock(c, LOCK_EX | LOCK_NB) == 0); /* the same open file */
    close(a);
    CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK(lock(b, F_OFD_SETLK, F_WRLCK, 0, 0) == 0); /* the two kinds do not meet */
    close(c);
    CHECK(flock(b, LOCK_EX | LOCK_NB) == 0);
    CHECK_ERRNO(flock(b, 0), EINVAL);
    CHECK_ERRNO(flock(b, LOCK_NB), EINVAL);
    CHECK_ERRNO(flock(b, LOCK_SH | LOCK_EX), EINVAL);
    CHECK_ERRNO(flock(77, LOCK_SH), EBADF);
    int p = open("file", O_PATH);
    CHECK_ERRNO(flock(p, LOCK_SH), EBADF);
    int d = open(".", O_RDONLY | O_DIRECTORY), e = open(".", O_RDONLY | O_DIRECTORY);
    CHECK(flock(d, LOCK_EX) == 0);
    CHECK_ERRNO(flock(e, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    close(p), close(d), close(e), close(b);
}

static void ranges(void) {
    int a = open_file(), b = open_file();
    CHECK(lock(a, F_OFD_SETLK, F_WRLCK, 10, 10) == 0);
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 0, 10), "-"));
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 0, 11), "W 10 10 file"));
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 19, 1), "W 10 10 file"));
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 20, 0), "-"));
    CHECK(!strcmp(in_the_way(a, F_OFD_GETLK, 0, 0), "-"));
    CHECK(!strcmp(in_the_way(a, F_GETLK, 0, 0), "W 10 10 file"));
    CHECK_ERRNO(lock(b, F_OFD_SETLK, F_RDLCK, 15, 1), EAGAIN);
    CHECK_ERRNO(lock(b, F_SETLK, F_RDLCK, 15, 1), EAGAIN);
    CHECK(lock(a, F_OFD_SETLK, F_UNLCK, 13, 4) == 0); /* 10-12 and 17-19 stay */
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 0, 0), "W 10 3 file"));
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 13, 0), "W 17 3 file"));
    CHECK(lock(b, F_OFD_SETLK, F_WRLCK, 13, 4) == 0);
    CHECK(lock(b, F_OFD_SETLK, F_UNLCK, 0, 0) == 0);
    CHECK(lock(a, F_OFD_SETLK, F_WRLCK, 13, 4) == 0); /* one piece again */
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 0, 0), "W 10 10 file"));
    CHECK(lock(a, F_OFD_SETLK, F_RDLCK, 12, 2) == 0); /* three: 10-11 W, 12-13 R, 14-19 W */
    CHECK(lock(b, F_OFD_SETLK, F_RDLCK, 12, 2) == 0);
    CHECK_ERRNO(lock(a, F_OFD_SETLK, F_WRLCK, 10, 10), EAGAIN);
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 12, 1), "R 12 2 file"));
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 14, 0), "W 14 6 file"));
    /* from the end, backwards, to the end */
    CHECK(ftruncate(a, 100) == 0);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -10, .l_len = -5};
    CHECK(fcntl(a, F_OFD_SETLK, &l) == 0);
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 20, 0), "W 85 5 file"));
    CHECK(lseek(a, 200, SEEK_SET) == 200);
    l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 5};
    CHECK(fcntl(a, F_OFD_SETLK, &l) == 0);
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 1000, 1), "W 205 0 file"));
    close(a);
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 0, 0), "-"));
    close(b);
}

static void of_the_process(void) {
    int a = open_file(), b = open_file();
    CHECK(lock(a, F_SETLK, F_WRLCK, 0, 0) == 0);
    CHECK(lock(b, F_SETLK, F_WRLCK, 5, 5) == 0); /* the owner is the process */
    CHECK(!strcmp(in_the_way(b, F_GETLK, 0, 0), "-"));
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 0, 0), "W 0 0 process"));
    CHECK_ERRNO(lock(b, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
    int c = dup(b);
    close(c); /* any descriptor of the file: all are gone */
    CHECK(!strcmp(in_the_way(b, F_OFD_GETLK, 0, 0), "-"));
    close(a), close(b);
}

static void refusals(void) {
    int a = open_file(), r = open("file", O_RDONLY), w = open("file", O_WRONLY);
    CHECK_ERRNO(lock(r, F_SETLK, F_WRLCK, 0, 0), EBADF);
    CHECK_ERRNO(lock(w, F_OFD_SETLK, F_RDLCK, 0, 0), EBADF);
    CHECK(lock(r, F_OFD_SETLK, F_RDLCK, 0, 0) == 0);
    CHECK_ERRNO(lock(a, F_SETLK, 3, 0, 0), EINVAL);
    CHECK_ERRNO(lock(a, F_GETLK, F_UNLCK, 0, 0), EINVAL);
    CHECK_ERRNO(lock(a, F_SETLK, F_RDLCK, -1, 0), EINVAL);
    CHECK_ERRNO(lock(a, F_SETLK, F_RDLCK, 5, -6), EINVAL);
    CHECK_ERRNO(lock(a, F_SETLK, F_RDLCK, 2, 0x7fffffffffffffff), EOVERFLOW);
    CHECK(lock(a, F_SETLK, F_RDLCK, 1, 0x7fffffffffffffff) == 0);
    struct flock l = {.l_type = F_RDLCK, .l_whence = 3};
    CHECK_ERRNO(fcntl(a, F_SETLK, &l), EINVAL);
    l = (struct flock){.l_type = F_RDLCK, .l_pid = 1};
    CHECK_ERRNO(fcntl(a, F_OFD_SETLK, &l), EINVAL);
    CHECK_ERRNO(fcntl(a, F_OFD_GETLK, &l), EINVAL);
    CHECK_ERRNO(syscall(SYS_fcntl, a, F_SETLK, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_fcntl, a, F_GETLK, 8), EFAULT);
    CHECK_ERRNO(lock(77, F_SETLK, F_RDLCK, 0, 0), EBADF);
    close(a), close(r), close(w);
}

static int held, waiter;
static volatile int step;

static void *wait_for_flock(void *arg) {
    (void)arg;
    step = 1;
    CHECK(flock(waiter, LOCK_EX) == 0);
    CHECK(step == 2);
    CHECK(lock(waiter, F_OFD_SETLKW, F_WRLCK, 0, 0) == 0);
    CHECK(step == 3);
    return NULL;
}

static void nothing(int number) {
    (void)number;
}

static void *interrupted(void *arg) {
    (void)arg;
    step = 1;
    CHECK_ERRNO(flock(waiter, LOCK_EX), EINTR);
    CHECK_ERRNO(lock(waiter, F_OFD_SETLKW, F_WRLCK, 0, 0), EINTR);
    step = 2;
    return NULL;
}

static void waiting(void) {
    held = open_file(), waiter = open_file();
    CHECK(flock(held, LOCK_EX) == 0 && lock(held, F_OFD_SETLK, F_RDLCK, 3, 1) == 0);
    pthread_t t;
    pthread_create(&t, NULL, wait_for_flock, NULL);
    while (step != 1)
        usleep(1000);
    usleep(20000);
    step = 2;
    CHECK(flock(held, LOCK_UN) == 0);
    usleep(20000);
    step = 3;
    close(held); /* gives up the other */
    pthread_join(t, NULL);

    struct sigaction sa = {.sa_handler = nothing};
    sigaction(SIGUSR1, &sa, NULL);
    held = waiter;
    waiter = open_file();
    step = 0;
    pthread_create(&t, NULL, interrupted, NULL);
    while (step != 2) {
        usleep(5000);
        pthread_kill(t, SIGUSR1);
    }
    pthread_join(t, NULL);
    close(held), close(waiter);
}

int main(void) {
    scratch_enter();
    whole_files();
    ranges();
    of_the_process();
    refusals();
    waiting();
    scratch_leave();
    return check_done();
}
