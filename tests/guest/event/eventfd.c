/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Event descriptors: counting, semaphores, the largest value, poll, waiting,
 * refusals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static int events(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLPRI, 0};
    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static int put(int fd, uint64_t n) {
    return (int)write(fd, &n, sizeof n);
}

static long long get(int fd) {
    uint64_t n;
    return read(fd, &n, sizeof n) == sizeof n ? (long long)n : -1;
}

static void *later(void *arg) {
    usleep(10000);
    CHECK_EQ(put(*(int *)arg, 5), 8);
    return NULL;
}

static void *drain(void *arg) {
    usleep(10000);
    CHECK_EQ(get(*(int *)arg), -2); /* UINT64_MAX - 1 */
    return NULL;
}

int main(void) {
    uint64_t two[2] = {1, 2};
    pthread_t t;
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(fd >= 3);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_EQ(events(fd), POLLIN | POLLOUT);
    CHECK_EQ(get(fd), 3);
    CHECK_EQ(events(fd), POLLOUT);
    CHECK_ERRNO(get(fd), EAGAIN);
    CHECK_EQ(put(fd, 0), 8);
    CHECK_ERRNO(get(fd), EAGAIN);
    CHECK_EQ(put(fd, 7), 8);
    CHECK_EQ(put(fd, 8), 8);
    CHECK_EQ(read(fd, two, 16), 8);
    CHECK_EQ(two[0], 15);
    CHECK_ERRNO(read(fd, two, 7), EINVAL);
    CHECK_ERRNO(write(fd, two, 7), EINVAL);
    CHECK_ERRNO(put(fd, UINT64_MAX), EINVAL);
    CHECK_EQ(put(fd, UINT64_MAX - 1), 8);
    CHECK_EQ(events(fd), POLLIN);
    CHECK_ERRNO(put(fd, 1), EAGAIN);
    CHECK_EQ(put(fd, 0), 8);
    CHECK_EQ(lseek(fd, 5, SEEK_SET), 0);
    CHECK_ERRNO(fsync(fd), EINVAL);
    CHECK_ERRNO(write(fd, (void *)8, 8), EFAULT);
    CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
    pthread_create(&t, NULL, drain, &fd);
    CHECK_EQ(put(fd, 2), 8); /* waits for room */
    pthread_join(t, NULL);
    CHECK_EQ(get(fd), 2);
    pthread_create(&t, NULL, later, &fd);
    struct pollfd p = {fd, POLLIN, 0};
    CHECK_EQ(poll(&p, 1, -1), 1);
    pthread_join(t, NULL);
    CHECK_EQ(get(fd), 5);
    pthread_create(&t, NULL, later, &fd);
    CHECK_EQ(get(fd), 5); /* waits */
    pthread_join(t, NULL);
    int semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    CHECK_EQ(get(semaphore), 1);
    CHECK_EQ(get(semaphore), 1);
    CHECK_ERRNO(get(semaphore), EAGAIN);
    int old = (int)syscall(SYS_eventfd, 9);
    CHECK_EQ(get(old), 9);
    CHECK_ERRNO(eventfd(0, 2), EINVAL);
    CHECK_ERRNO(syscall(SYS_eventfd2, 0, 0x1000), EINVAL);
    char link[64] = "";
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK(readlink(path, link, sizeof link - 1) > 0);
    printf("%s\n", link);
    return check_done();
}
