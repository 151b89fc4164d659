/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timer descriptors: read, poll, what is left, refusals.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    uint64_t n = 0;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    CHECK(fd > 2);
    struct itimerspec s = {{0, 1000000}, {0, 1000000}}, old;
    CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
    CHECK_EQ(timerfd_settime(fd, 0, &s, NULL), 0);
    struct pollfd p = {fd, POLLIN, 0};
    CHECK_EQ(poll(&p, 1, -1), 1);
    CHECK_EQ(p.revents, POLLIN);
    usleep(20000);
    CHECK_ERRNO(read(fd, &n, 7), EINVAL);
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK(n >= 10);
    CHECK_EQ(timerfd_gettime(fd, &old), 0);
    CHECK(old.it_interval.tv_nsec == 1000000 && old.it_value.tv_nsec > 0);
    s = (struct itimerspec){{0, 0}, {0, 0}};
    CHECK_EQ(timerfd_settime(fd, 0, &s, &old), 0);
    CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
    CHECK_EQ(poll(&p, 1, 5), 0);
    CHECK_ERRNO(write(fd, &n, 8), EINVAL);
    int blocking = timerfd_create(CLOCK_REALTIME, 0);
    s.it_value.tv_sec = 1; /* long ago */
    CHECK_EQ(timerfd_settime(blocking, TFD_TIMER_ABSTIME, &s, NULL), 0);
    CHECK_EQ(read(blocking, &n, 8), 8);
    CHECK_EQ(n, 1);
    s = (struct itimerspec){{0, 0}, {0, 3000000}};
    CHECK_EQ(timerfd_settime(blocking, 0, &s, NULL), 0);
    struct pollfd q = {blocking, POLLIN, 0};
    CHECK_EQ(poll(&q, 1, -1), 1);
    CHECK_EQ(timerfd_gettime(blocking, &old), 0);
    CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
    CHECK_EQ(read(blocking, &n, 8), 8);
    CHECK_EQ(n, 1);
    CHECK_ERRNO(timerfd_create(99, 0), EINVAL);
    CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    CHECK_ERRNO(timerfd_settime(1, 0, &s, NULL), EINVAL);
    CHECK_ERRNO(timerfd_settime(999, 0, &s, NULL), EBADF);
    CHECK_ERRNO(timerfd_settime(fd, 8, &s, NULL), EINVAL);
    CHECK_ERRNO(timerfd_gettime(fd, (void *)8), EFAULT);
    s.it_value.tv_nsec = -1;
    CHECK_ERRNO(timerfd_settime(fd, 0, &s, NULL), EINVAL);
    return check_done();
}
