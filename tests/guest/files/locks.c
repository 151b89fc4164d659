/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Locks: flock, and fcntl's of the process and of open files: who is in whose
 * way, ranges that are cut and joined, what closing does, waiting.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "asleep.h"
#include "check.h"
#include "scratch.h"

static int set(int fd, int command, short type, long start, long len) {
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, command, &l);
}

/* "w 10+5" and so on. */
static void show(const char *what, int fd, int command, long start, long len) {
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    int r = fcntl(fd, command, &l);
    printf("%s: %s", what,
           r                     ? "error"
           : l.l_type == F_UNLCK ? "free"
           : l.l_type == F_RDLCK ? "r"
                                 : "w");
    if (!r && l.l_type != F_UNLCK)
        printf(" %ld+%ld of %s", (long)l.l_start, (long)l.l_len,
               l.l_pid == -1         ? "a file"
               : l.l_pid == getpid() ? "us"
                                     : "?");
    printf("\n");
}

static void whole(void) {
    int a = open("f", O_RDWR), b = open("f", O_RDONLY), c = dup(a);
    CHECK_EQ(flock(a, LOCK_EX | LOCK_NB), 0);
    CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK_EQ(flock(c, LOCK_EX | LOCK_NB), 0); /* the same open file */
    CHECK_EQ(flock(c, LOCK_SH | LOCK_NB), 0);
    CHECK_EQ(flock(b, LOCK_SH | LOCK_NB), 0);
    CHECK_ERRNO(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    close(a);
    CHECK_EQ(flock(b, LOCK_EX | LOCK_NB), 0); /* the failed change has lost it */
    CHECK_ERRNO(flock(c, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK_EQ(flock(b, LOCK_UN), 0);
    CHECK_EQ(flock(c, LOCK_EX), 0);
    close(c); /* the last descriptor */
    CHECK_EQ(flock(b, LOCK_EX | LOCK_NB), 0);
    CHECK_EQ(set(b, F_SETLK, F_RDLCK, 0, 0), 0); /* the two kinds do not meet */
    CHECK_ERRNO(flock(b, 0), EINVAL);
    CHECK_ERRNO(flock(b, LOCK_SH | LOCK_EX), EINVAL);
    CHECK_ERRNO(flock(99, LOCK_SH), EBADF);
    close(b);
    int path = open("f", O_PATH);
    CHECK_ERRNO(flock(path, LOCK_SH), EBADF);
    close(path);
    int dir = open(".", O_RDONLY);
    CHECK_EQ(flock(dir, LOCK_EX | LOCK_NB), 0);
    close(dir);
}

static void ranges(void) {
    int a = open("f", O_RDWR), b = open("f", O_RDWR);
    CHECK_EQ(set(a, F_OFD_SETLK, F_WRLCK, 10, 10), 0);
    CHECK_EQ(set(a, F_OFD_SETLK, F_WRLCK, 20, 10), 0);
    show("joined", b, F_OFD_GETLK, 0, 0);
    show("of its own", a, F_OFD_GETLK, 0, 0);
    show("process", b, F_GETLK, 0, 0);
    CHECK_ERRNO(set(b, F_OFD_SETLK, F_RDLCK, 29, 1), EAGAIN);
    CHECK_ERRNO(set(b, F_SETLK, F_RDLCK, 0, 11), EAGAIN);
    CHECK_EQ(set(b, F_OFD_SETLK, F_WRLCK, 30, 1), 0);
    CHECK_EQ(set(a, F_OFD_SETLK, F_UNLCK, 15, 5), 0); /* in the middle */
    show("first part", b, F_OFD_GETLK, 0, 15);
    show("hole", b, F_OFD_GETLK, 15, 5);
    show("second part", b, F_OFD_GETLK, 16, 0);
    CHECK_EQ(set(a, F_OFD_SETLK, F_RDLCK, 10, 3), 0);
    show("changed", b, F_OFD_GETLK, 0, 12);
    show("rest", b, F_OFD_GETLK, 13, 1);
    CHECK_EQ(set(b, F_OFD_SETLK, F_RDLCK, 12, 1), 0);
    CHECK_EQ(set(a, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
    CHECK_EQ(set(b, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
    /* The process's do not meet each other, and go with any descriptor. */
    CHECK_EQ(set(a, F_SETLK, F_WRLCK, 0, 5), 0);
    CHECK_EQ(set(b, F_SETLK, F_WRLCK, 0, 5), 0);
    show("own", b, F_GETLK, 0, 0);
    show("seen by a file", b, F_OFD_GETLK, 0, 0);
    int c = open("f", O_RDONLY);
    close(c);
    show("all gone", b, F_OFD_GETLK, 0, 0);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -2, .l_len = -3};
    CHECK_EQ(fcntl(a, F_OFD_SETLK, &l), 0); /* "text" is 4 bytes + */
    show("from the end", b, F_OFD_GETLK, 0, 0);
    close(a);
    show("closed", b, F_OFD_GETLK, 0, 0);
    l = (struct flock){.l_type = 7};
    CHECK_ERRNO(fcntl(b, F_SETLK, &l), EINVAL);
    l = (struct flock){.l_type = F_RDLCK, .l_whence = 9};
    CHECK_ERRNO(fcntl(b, F_SETLK, &l), EINVAL);
    l = (struct flock){.l_type = F_RDLCK, .l_start = -1};
    CHECK_ERRNO(fcntl(b, F_SETLK, &l), EINVAL);
    l = (struct flock){.l_type = F_RDLCK, .l_pid = 1};
    CHECK_ERRNO(fcntl(b, F_OFD_SETLK, &l), EINVAL);
    l = (struct flock){.l_type = F_UNLCK};
    CHECK_ERRNO(fcntl(b, F_GETLK, &l), EINVAL);
    CHECK_ERRNO(fcntl(b, F_SETLK, 8), EFAULT);
    c = open("f", O_RDONLY);
    CHECK_ERRNO(set(c, F_SETLK, F_WRLCK, 0, 0), EBADF);
    CHECK_EQ(set(c, F_SETLK, F_RDLCK, 0, 0), 0);
    close(c);
    close(b);
}

static int held;

static void *release(void *arg) {
    (void)arg;
    usleep(10000);
    CHECK_EQ(flock(held, LOCK_UN), 0);
    usleep(10000);
    CHECK_EQ(set(held, F_OFD_SETLK, F_UNLCK, 0, 0), 0);
    return NULL;
}

static void on_usr1(int n) {
    (void)n;
}

static void *poke(void *arg) {
    until_asleep(getpid());
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    return NULL;
}

static void waiting(void) {
    pthread_t t, self = pthread_self();
    int b = open("f", O_RDWR);
    held = open("f", O_RDWR);
    CHECK_EQ(flock(held, LOCK_EX), 0);
    CHECK_EQ(set(held, F_OFD_SETLK, F_WRLCK, 3, 3), 0);
    struct sigaction a = {.sa_handler = on_usr1};
    sigaction(SIGUSR1, &a, NULL);
    pthread_create(&t, NULL, poke, &self);
    CHECK_ERRNO(flock(b, LOCK_EX), EINTR);
    pthread_join(t, NULL);
    pthread_create(&t, NULL, release, NULL);
    CHECK_EQ(flock(b, LOCK_EX), 0);
    CHECK_EQ(set(b, F_OFD_SETLKW, F_WRLCK, 0, 5), 0);
    pthread_join(t, NULL);
    close(b);
    close(held);
}

int main(void) {
    scratch_enter();
    scratch_file("f", "0123456789");
    whole();
    ranges();
    waiting();
    scratch_leave();
    return check_done();
}
