/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Setting the wall clock moves what was armed for a time that it shows
 * (clock_settime(2), timerfd_create(2), clock_nanosleep(2), futex(2)), forwards and
 * backwards, and nothing that was armed by a distance.  timerfd_create(2) says what
 * TFD_TIMER_CANCEL_ON_SET answers, under NOTES also to timerfd_settime.
 * native: skip it would set the host's clock
 * expect-stdout: ok
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "ring.h"

#define HOUR 3600

static struct timespec now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t;
}

static double seconds(clockid_t clock) {
    struct timespec t = now(clock);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct timespec wall_in(long s) {
    struct timespec t = now(CLOCK_REALTIME);
    t.tv_sec += s;
    return t;
}

static void move_wall(long s) {
    struct timespec t = wall_in(s);
    CHECK_EQ(syscall(SYS_clock_settime, CLOCK_REALTIME, &t), 0);
}

/* ---- descriptors ---- */

static int descriptor(long s, int flags) {
    struct itimerspec at = {{0, 0}, flags ? wall_in(s) : (struct timespec){s, 0}};
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    CHECK(fd >= 0);
    CHECK_EQ(timerfd_settime(fd, flags, &at, NULL), 0);
    return fd;
}

static int ready(int fd, int ms) {
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, ms);
}

static void descriptors(void) {
    uint64_t n = 0;
    struct itimerspec left;
    int absolute = descriptor(HOUR, TFD_TIMER_ABSTIME), relative = descriptor(HOUR, 0);
    CHECK_EQ(ready(absolute, 1), 0);
    move_wall(2 * HOUR);
    CHECK_EQ(ready(absolute, 5000), 1);
    CHECK_EQ(read(absolute, &n, 8), 8);
    CHECK_EQ(n, 1);
    CHECK_EQ(ready(relative, 5), 0);
    CHECK_EQ(timerfd_gettime(relative, &left), 0);
    CHECK(left.it_value.tv_sec > HOUR - 60 && left.it_value.tv_sec <= HOUR);
    close(absolute);
    close(relative);

    /* Backwards: it would have been over long ago. */
    struct timespec soon = now(CLOCK_REALTIME);
    soon.tv_nsec += 30000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_nsec -= 1000000000;
        soon.tv_sec++;
    }
    struct itimerspec at = {{0, 0}, soon};
    absolute = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    CHECK_EQ(timerfd_settime(absolute, TFD_TIMER_ABSTIME, &at, NULL), 0);
    move_wall(-HOUR);
    CHECK_EQ(ready(absolute, 120), 0);
    CHECK_EQ(timerfd_gettime(absolute, &left), 0);
    CHECK(left.it_value.tv_sec > HOUR - 60 && left.it_value.tv_sec <= HOUR);
    move_wall(HOUR);
    CHECK_EQ(ready(absolute, 5000), 1);
    /* It is over: going back does not make it come again. */
    move_wall(-HOUR);
    CHECK_EQ(read(absolute, &n, 8), 8);
    move_wall(HOUR);
    CHECK_EQ(ready(absolute, 5), 0);

    /* Intervals that were jumped over are counted. */
    at = (struct itimerspec){{60, 0}, wall_in(60)};
    CHECK_EQ(timerfd_settime(absolute, TFD_TIMER_ABSTIME, &at, NULL), 0);
    move_wall(HOUR);
    CHECK_EQ(ready(absolute, 5000), 1);
    CHECK_EQ(read(absolute, &n, 8), 8);
    CHECK_EQ(n, 60);
    CHECK_EQ(ready(absolute, 5), 0);
    move_wall(60);
    CHECK_EQ(ready(absolute, 5000), 1);
    close(absolute);
}

static void cancellation(void) {
    uint64_t n = 0;
    int both = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    struct itimerspec later = {{0, 0}, wall_in(24 * HOUR)}, old = {{7, 7}, {7, 7}};
    int fd = descriptor(24 * HOUR, both);
    CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
    move_wall(1);
    CHECK_EQ(ready(fd, 0), 1);
    CHECK_ERRNO(read(fd, &n, 8), ECANCELED);
    CHECK_EQ(ready(fd, 0), 0); /* told once, and still armed */
    CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
    move_wall(25 * HOUR);
    CHECK_ERRNO(read(fd, &n, 8), ECANCELED);

    /* The timer is set, though the call says ECANCELED. */
    later.it_value = wall_in(24 * HOUR);
    CHECK_EQ(timerfd_settime(fd, both, &later, NULL), 0);
    move_wall(-1);
    later.it_value = wall_in(48 * HOUR);
    CHECK_ERRNO(timerfd_settime(fd, both, &later, &old), ECANCELED);
    CHECK(old.it_value.tv_sec == 7 && old.it_interval.tv_sec == 7);
    CHECK_EQ(timerfd_gettime(fd, &old), 0);
    CHECK(old.it_value.tv_sec > 47 * HOUR && old.it_value.tv_sec <= 48 * HOUR);
    CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
    CHECK_EQ(timerfd_settime(fd, both, &later, &old), 0);

    /* It takes all three: the wall clock, a point in time, the flag. */
    int others[] = {timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK),
                    descriptor(24 * HOUR, TFD_TIMER_ABSTIME),
                    timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK)};
    struct itimerspec far = {{0, 0}, {1000000000, 0}};
    CHECK_EQ(timerfd_settime(others[0], both, &far, NULL), 0);
    CHECK_EQ(timerfd_settime(others[2], TFD_TIMER_CANCEL_ON_SET, &far, NULL), 0);
    CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &later, NULL), 0); /* no longer */
    move_wall(1);
    for (int i = 0; i < 3; i++) {
        CHECK_ERRNO(read(others[i], &n, 8), EAGAIN);
        close(others[i]);
    }
    CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
    close(fd); /* a set clock does not look for it any more */
    move_wall(-1);
}

/* ---- sleepers, woken by another thread's setting ---- */

static void *forwards(void *arg) {
    usleep(20000);
    move_wall(*(long *)arg);
    return NULL;
}

#define FUTEX_REAL(op) ((op) | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)
static uint32_t cell;

static long sleep_until(struct timespec t) {
    return clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL);
}

static long wait_bitset(struct timespec t) {
    return syscall(SYS_futex, &cell, FUTEX_REAL(FUTEX_WAIT_BITSET), 0, &t, NULL, ~0u);
}

static long lock_pi(struct timespec t) {
    return syscall(SYS_futex, &cell, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, &t, NULL, 0);
}

static long wait_v(struct timespec t) {
    struct {
        uint64_t value, address;
        uint32_t flags, reserved;
    } one = {0, (uintptr_t)&cell, 2 | FUTEX_PRIVATE_FLAG, 0};
    return syscall(449, &one, 1, 0, &t, CLOCK_REALTIME);
}

static void *expect_timeout(void *arg) {
    long (*wait)(struct timespec) = (long (*)(struct timespec))arg;
    if (wait == sleep_until)
        CHECK_EQ(wait(wall_in(HOUR)), 0);
    else
        CHECK_ERRNO(wait(wall_in(HOUR)), ETIMEDOUT);
    return NULL;
}

static void sleepers(void) {
    long (*const waits[])(struct timespec) = {sleep_until, wait_bitset, lock_pi, wait_v};
    for (unsigned i = 0; i < 4; i++) {
        long by = 2 * HOUR;
        pthread_t t;
        cell = waits[i] == lock_pi ? (uint32_t)gettid() : 0;
        CHECK_EQ(pthread_create(&t, NULL, expect_timeout, (void *)waits[i]), 0);
        forwards(&by);
        CHECK_EQ(pthread_join(t, NULL), 0);
    }
    cell = 0;
    /* Backwards by the time to wait: it takes that longer. */
    for (unsigned i = 0; i < 2; i++) {
        long back = -1;
        pthread_t t;
        double start = seconds(CLOCK_MONOTONIC);
        struct timespec end = wall_in(0);
        end.tv_nsec += 100000000;
        if (end.tv_nsec >= 1000000000) {
            end.tv_nsec -= 1000000000;
            end.tv_sec++;
        }
        CHECK_EQ(pthread_create(&t, NULL, forwards, &back), 0);
        waits[i](end);
        CHECK(seconds(CLOCK_MONOTONIC) - start > 1.05);
        CHECK_EQ(pthread_join(t, NULL), 0);
    }
    /* From now: no matter of the wall clock. */
    long by = HOUR;
    pthread_t t;
    double start = seconds(CLOCK_MONOTONIC);
    CHECK_EQ(pthread_create(&t, NULL, forwards, &by), 0);
    struct timespec some = {0, 100000000};
    CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, 0, &some, NULL), 0);
    CHECK(seconds(CLOCK_MONOTONIC) - start >= 0.1);
    CHECK_EQ(pthread_join(t, NULL), 0);
}

/* ---- requests of a ring ---- */

#define REALTIME 9 /* IORING_TIMEOUT_ABS | IORING_TIMEOUT_REALTIME */

static void requests(void) {
    struct ring r;
    char byte;
    int p[2];
    ring_open(&r, 8, 0);
    CHECK_EQ(pipe(p), 0);
    struct timespec end = wall_in(HOUR);
    uint64_t t = add(&r, TIMEOUT, -1, &end, 1, 0)->user_data;
    r.sqes[0].op_flags = REALTIME;
    CHECK_EQ(enter(&r, 1, 0), 1);
    move_wall(2 * HOUR);
    struct cqe c = next(&r);
    CHECK(c.user_data == t && c.res == -ETIME);
    end = wall_in(HOUR);
    uint64_t read = add(&r, READ, p[0], &byte, 1, 0)->user_data;
    r.sqes[1].flags = LINK;
    add(&r, LINK_TIMEOUT, -1, &end, 1, 0)->op_flags = REALTIME;
    CHECK_EQ(enter(&r, 2, 0), 2);
    move_wall(2 * HOUR);
    for (int i = 0; i < 2; i++) {
        c = next(&r);
        CHECK_EQ(c.res, c.user_data == read ? -ECANCELED : -ETIME);
    }
    /* Long ago; and from now on, whatever the wall clock says. */
    end = (struct timespec){0, 0};
    add(&r, TIMEOUT, -1, &end, 1, 0)->op_flags = REALTIME;
    CHECK_EQ(one(&r, 1), -ETIME);
    end = (struct timespec){HOUR, 0};
    t = add(&r, TIMEOUT, -1, &end, 1, 0)->user_data;
    CHECK_EQ(enter(&r, 1, 0), 1);
    move_wall(2 * HOUR);
    usleep(5000);
    CHECK_EQ(enter(&r, 0, 0), 0);
    CHECK_EQ(available(&r), 0);
    add(&r, TIMEOUT_REMOVE, -1, (void *)(uintptr_t)t, 0, 0);
    CHECK_EQ(enter(&r, 1, 2), 1);
    CHECK_EQ(next(&r).res + next(&r).res, -ECANCELED);
    close(r.fd);
    close(p[0]);
    close(p[1]);
}

/* ---- signals ---- */

static void signals(void) {
    sigset_t set;
    siginfo_t info;
    timer_t absolute, relative;
    struct timespec most = {5, 0}, none = {0, 0};
    struct itimerspec at = {{0, 0}, wall_in(HOUR)}, in = {{0, 0}, {HOUR, 0}}, left;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGALRM);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_EQ(timer_create(CLOCK_REALTIME, &event, &absolute), 0);
    event.sigev_signo = SIGALRM;
    CHECK_EQ(timer_create(CLOCK_REALTIME, &event, &relative), 0);
    CHECK_EQ(timer_settime(absolute, TIMER_ABSTIME, &at, NULL), 0);
    CHECK_EQ(timer_settime(relative, 0, &in, NULL), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {HOUR, 0}}, NULL), 0);
    move_wall(2 * HOUR);
    CHECK_EQ(sigtimedwait(&set, &info, &most), SIGUSR1);
    CHECK_EQ(info.si_code, SI_TIMER);
    CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
    CHECK_EQ(timer_gettime(relative, &left), 0);
    CHECK(left.it_value.tv_sec > HOUR - 60 && left.it_value.tv_sec <= HOUR);
    CHECK(alarm(0) > HOUR - 60);
    CHECK_EQ(timer_delete(absolute), 0);
    CHECK_EQ(timer_delete(relative), 0);
    struct timeval tv = {2000000000, 0};
    CHECK_EQ(syscall(SYS_settimeofday, &tv, NULL), 0); /* they are gone */
}

int main(void) {
    descriptors();
    cancellation();
    sleepers();
    requests();
    signals();
    return check_done();
}
