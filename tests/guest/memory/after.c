/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Once all memory has been in use, and is free again in a thousand pieces: what needs
 * neighbouring frames still gets them, a large io_uring, hundreds of pieces in one
 * message, threads; and the stacks of many threads are given back.
 * native: skip the host has more memory
 * zuk: -m 32M
 * timeout: 60
 * expect-stdout: ok
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "check.h"
#include "ring.h"

enum { PAGE = 4096, PIECES = 1000, THREADS = 300 };

static long free_pages(void) {
    struct sysinfo s;
    return sysinfo(&s) == 0 ? (long)(s.freeram / PAGE) : -1;
}

/* Takes all pages, and gives them back in no order. */
static void use_all(void) {
    size_t size = 64 << 20;
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK_ERRNO(madvise(p, size, 23 /* MADV_POPULATE_WRITE */), ENOMEM);
    size_t pages = size / PAGE;
    for (size_t i = 0; i < pages; i++) /* 40503 is odd: each page once */
        CHECK_EQ(madvise(p + i * 40503 % pages * PAGE, PAGE, MADV_DONTNEED), 0);
    CHECK_EQ(munmap(p, size), 0);
}

static void rings(void) {
    for (unsigned i = 0; i < 3; i++) {
        struct ring r;
        ring_open(&r, 8192, 0);
        add(&r, NOP, -1, NULL, 0, 0);
        CHECK_EQ(one(&r, 1), 0);
        CHECK_EQ(munmap(r.sqes, r.p.sq_entries * 64), 0);
        size_t size = r.p.sq_array + r.p.sq_entries * 4;
        size_t other = r.p.cq_cqes + r.p.cq_entries * 16;
        CHECK_EQ(munmap(r.shared, size > other ? size : other), 0);
        close(r.fd);
    }
}

static void messages(void) {
    static char from[PIECES], to[PIECES];
    static struct iovec out[PIECES], in[PIECES];
    int p[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    for (unsigned i = 0; i < PIECES; i++) {
        from[i] = (char)(i * 7 + 1);
        out[i] = (struct iovec){&from[i], 1};
        in[PIECES - 1 - i] = (struct iovec){&to[i], 1};
    }
    struct msghdr m = {.msg_iov = out, .msg_iovlen = PIECES};
    CHECK_EQ(sendmsg(p[0], &m, 0), PIECES);
    m.msg_iov = in;
    CHECK_EQ(recvmsg(p[1], &m, MSG_WAITALL), PIECES);
    for (unsigned i = 0; i < PIECES; i++)
        CHECK(to[PIECES - 1 - i] == from[i]);
    close(p[0]);
    close(p[1]);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *arg) {
    double x = (double)(uintptr_t)arg; /* the FPU's state goes with it */
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return (void *)(uintptr_t)(x * 2);
}

static void threads(void) {
    static pthread_t all[THREADS];
    pthread_attr_t a;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 4 * PAGE);
    pthread_mutex_lock(&gate);
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&all[i], &a, wait_at_gate, (void *)i), 0);
    pthread_mutex_unlock(&gate);
    for (uintptr_t i = 0; i < THREADS; i++) {
        void *result;
        CHECK_EQ(pthread_join(all[i], &result), 0);
        CHECK_EQ((uintptr_t)result, i * 2);
    }
}

int main(void) {
    long before = free_pages();
    for (unsigned round = 0; round < 3; round++) {
        use_all();
        rings();
        messages();
        threads();
    }
    long missing = before - free_pages(); /* tables, stacks for the next few threads */
    if (missing > 200) {
        printf("%ld pages are missing\n", missing);
        return 1;
    }
    return check_done();
}
