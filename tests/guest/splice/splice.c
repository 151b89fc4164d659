/* SPDX-License-Identifier: BSD-3-Clause
 *
 * splice, tee, vmsplice: between pipes, files and sockets; positions; what
 * waits and what does not; others at a pipe while splice waits; refusals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"
#include "scratch.h"

static int p[2], q[2];
static _Alignas(4096) char b[70000];

static int unread(int fd) {
    int n = -1;
    return ioctl(fd, FIONREAD, &n) ? -1 : n;
}

static void files(void) {
    int f = open("f", O_RDWR), g = open("g", O_RDWR | O_CREAT, 0644);
    loff_t at = 3;
    CHECK_EQ(splice(f, &at, p[1], NULL, 4, 0), 4);
    CHECK_EQ(at, 7);
    CHECK_EQ(lseek(f, 0, SEEK_CUR), 0);
    CHECK_EQ(splice(f, NULL, p[1], NULL, 100, 0), 10); /* to the end */
    CHECK_EQ(lseek(f, 0, SEEK_CUR), 10);
    CHECK_EQ(splice(f, NULL, p[1], NULL, 100, 0), 0);
    CHECK_EQ(unread(p[0]), 14);
    at = 100;
    CHECK_EQ(splice(p[0], NULL, g, &at, 5, 0), 5);
    CHECK_EQ(at, 105);
    CHECK_EQ(splice(p[0], NULL, g, NULL, 100, 0), 9);
    CHECK_EQ(lseek(g, 0, SEEK_CUR), 9);
    CHECK_EQ(pread(g, b, 9, 0), 9);
    CHECK(memcmp(b, "123456789", 9) == 0);
    CHECK_EQ(pread(g, b, 9, 100), 5);
    CHECK(memcmp(b, "34560", 5) == 0);
    CHECK_ERRNO(splice(p[0], NULL, g, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERRNO(splice(f, NULL, g, NULL, 1, 0), EINVAL);
    CHECK_ERRNO(splice(p[0], &at, g, NULL, 1, 0), ESPIPE);
    CHECK_ERRNO(splice(f, NULL, p[1], &at, 1, 0), ESPIPE);
    CHECK_ERRNO(splice(p[1], NULL, g, NULL, 1, 0), EBADF);
    CHECK_ERRNO(splice(f, NULL, p[0], NULL, 1, 0), EBADF);
    CHECK_ERRNO(splice(-1, NULL, p[1], NULL, 1, 0), EBADF);
    CHECK_ERRNO(splice(p[0], NULL, q[1], NULL, 1, 99), EINVAL);
    CHECK_EQ(splice(-1, NULL, -1, NULL, 0, 99), 0);
    CHECK_ERRNO(splice(p[0], NULL, p[1], NULL, 1, 0), EINVAL);
    at = -1;
    CHECK_ERRNO(splice(f, &at, p[1], NULL, 1, 0), EINVAL);
    CHECK_ERRNO(splice(f, (void *)8, p[1], NULL, 1, 0), EFAULT);
    int e = eventfd(0, 0);
    CHECK_ERRNO(splice(e, NULL, p[1], NULL, 8, 0), EINVAL);
    close(e);
    int append = open("g", O_WRONLY | O_APPEND);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_ERRNO(splice(p[0], NULL, append, NULL, 1, 0), EINVAL);
    CHECK_EQ(read(p[0], b, 1), 1);
    int null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY);
    CHECK_EQ(splice(zero, NULL, p[1], NULL, 5000, 0), 5000);
    CHECK_EQ(splice(p[0], NULL, null, NULL, 5000, 0), 5000);
    close(null);
    close(zero);
    close(append);
    close(f);
    close(g);
}

static void pipes(void) {
    CHECK_EQ(write(p[1], "abcdef", 6), 6);
    CHECK_EQ(tee(p[0], q[1], 4, 0), 4);
    CHECK_EQ(unread(p[0]), 6);
    CHECK_EQ(unread(q[0]), 4);
    CHECK_EQ(write(p[1], "gh", 2), 2); /* what was copied stays as it was */
    CHECK_EQ(read(q[0], b, 10), 4);
    CHECK(memcmp(b, "abcd", 4) == 0);
    CHECK_EQ(splice(p[0], NULL, q[1], NULL, 3, 0), 3);
    CHECK_EQ(splice(p[0], NULL, q[1], NULL, 100, 0), 5);
    CHECK_EQ(write(q[1], "!", 1), 1);
    CHECK_EQ(read(q[0], b, 10), 9);
    CHECK(memcmp(b, "abcdefgh!", 9) == 0);
    CHECK_ERRNO(tee(p[0], q[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERRNO(tee(p[0], p[1], 1, 0), EINVAL);
    CHECK_ERRNO(tee(0, q[1], 1, 99), EINVAL);
    CHECK_ERRNO(tee(p[0], 99, 1, 0), EBADF);
    /* Full: nothing goes. */
    CHECK_EQ(write(q[1], b, 65536), 65536);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_ERRNO(splice(p[0], NULL, q[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_EQ(read(q[0], b, 65536), 65536);
    CHECK_EQ(read(p[0], b, 10), 1);
}

static void memory(void) {
    struct iovec v[3] = {{"one ", 4}, {"", 0}, {"two", 3}};
    CHECK_EQ(vmsplice(p[1], v, 3, 0), 7);
    v[0] = (struct iovec){b, 2};
    v[1] = (struct iovec){b + 2, 10};
    CHECK_EQ(vmsplice(p[0], v, 2, 0), 7); /* the other way */
    CHECK(memcmp(b, "one two", 7) == 0);
    CHECK_ERRNO(vmsplice(p[0], v, 2, SPLICE_F_NONBLOCK), EAGAIN);
    v[0] = (struct iovec){b, sizeof b};
    CHECK_EQ(vmsplice(p[1], v, 1, SPLICE_F_NONBLOCK), 65536);
    CHECK_ERRNO(vmsplice(p[1], v, 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_EQ(read(p[0], b, sizeof b), 65536);
    CHECK_ERRNO(vmsplice(1, v, 1, 99), EINVAL);
    CHECK_ERRNO(vmsplice(99, v, 1, 0), EBADF);
    int f = open("f", O_RDWR);
    CHECK_ERRNO(vmsplice(f, v, 1, 0), EBADF);
    close(f);
    CHECK_EQ(fcntl(p[0], F_GETFL), O_RDONLY);
}

static void *later(void *arg) {
    usleep(10000);
    CHECK_EQ(write(*(int *)arg, "late", 4), 4);
    return NULL;
}

static void sockets(void) {
    int s[2];
    pthread_t t;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(write(p[1], "to a socket", 11), 11);
    CHECK_EQ(splice(p[0], NULL, s[0], NULL, 100, 0), 11);
    CHECK_EQ(splice(s[1], NULL, q[1], NULL, 100, 0), 11);
    CHECK_EQ(read(q[0], b, 100), 11);
    CHECK(memcmp(b, "to a socket", 11) == 0);
    pthread_create(&t, NULL, later, &s[0]);
    CHECK_EQ(splice(s[1], NULL, q[1], NULL, 100, 0), 4); /* waits */
    pthread_join(t, NULL);
    pthread_create(&t, NULL, later, &p[1]);
    CHECK_EQ(splice(p[0], NULL, s[0], NULL, 100, 0), 4);
    pthread_join(t, NULL);
    close(s[0]);
    close(s[1]);
    CHECK_EQ(read(q[0], b, 100), 4);
}

/* ---- others at the pipe ---- */

static void *wait_from(void *s) {
    return (void *)splice(*(int *)s, NULL, p[1], NULL, 4, 0);
}

static void *write_many(void *bytes) {
    return (void *)write(p[1], bytes, 20 * 4096);
}

static void *wait_to(void *s) {
    return (void *)splice(p[0], NULL, *(int *)s, NULL, 4096, 0);
}

static void *read_page(void *page) {
    return (void *)read(p[0], page, 4096);
}

/* Everything goes once, whoever comes first: splice waits in the pipe's name. */
static void shared(void) {
    static char page[20 * 4096];
    int s[2], seen[256] = {0};
    pthread_t t, u;
    void *spliced, *other;
    long n, total = 0, full = 0;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(write(s[0], b, 8192), 8192);
    CHECK_EQ(splice(s[1], NULL, q[1], NULL, 65536, 0), 8192); /* whole pages, and no waiting */
    CHECK_EQ(read(q[0], b, sizeof b), 8192);

    memset(page, 'y', sizeof page);
    pthread_create(&t, NULL, wait_from, &s[1]);
    usleep(50000);
    pthread_create(&u, NULL, write_many, page); /* more than there is room for */
    usleep(50000);
    CHECK_EQ(write(s[0], "xxxx", 4), 4);
    for (; total < (long)sizeof page + 4 && (n = read(p[0], b, sizeof b)) > 0; total += n)
        for (long i = 0; i < n; i++)
            seen[(unsigned char)b[i]]++;
    CHECK(total == sizeof page + 4 && seen['x'] == 4 && seen['y'] == sizeof page);
    pthread_join(t, &spliced);
    pthread_join(u, &other);
    CHECK((long)spliced == 4 && (long)other == sizeof page);

    while ((n = send(s[0], page, 4096, MSG_DONTWAIT)) > 0 ||
           (n = send(s[0], page, 1, MSG_DONTWAIT)) > 0)
        full += n;
    for (char c = 'a'; c <= 'b'; c++) {
        memset(b, c, 4096);
        CHECK_EQ(write(p[1], b, 4096), 4096);
    }
    pthread_create(&t, NULL, wait_to, &s[0]);
    usleep(50000);
    pthread_create(&u, NULL, read_page, page);
    usleep(50000);
    memset(seen, 0, sizeof seen);
    for (total = 0; total < full + 4096 && (n = read(s[1], b, sizeof b)) > 0; total += n)
        for (long i = 0; i < n; i++)
            seen[(unsigned char)b[i]]++;
    pthread_join(t, &spliced);
    pthread_join(u, &other);
    CHECK((long)spliced == 4096 && (long)other == 4096);
    /* Who waited first has the first page, or each page was read once all the same. */
    CHECK((seen['a'] == 4096 && !seen['b'] && page[0] == 'b' && page[4095] == 'b') ||
          (seen['b'] == 4096 && !seen['a'] && page[0] == 'a' && page[4095] == 'a'));
    close(s[0]);
    close(s[1]);
}

int main(void) {
    scratch_enter();
    scratch_file("f", "0123456789");
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(pipe(q), 0);
    files();
    pipes();
    memory();
    sockets();
    shared();
    close(p[1]);
    CHECK_EQ(splice(p[0], NULL, q[1], NULL, 1, 0), 0); /* nobody writes any more */
    scratch_leave();
    return check_done();
}
