/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An io_uring by hand: the structures of io_uring(7), requests that are added,
 * completions that are taken.  Of one thread.
 */
#ifndef RING_H
#define RING_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

struct sqe {
    uint8_t opcode, flags;
    uint16_t ioprio;
    int32_t fd;
    uint64_t off, addr;
    uint32_t len, op_flags;
    uint64_t user_data;
    uint16_t buffer, personality;
    uint32_t file_index;
    uint64_t addr3, pad;
};

struct cqe {
    uint64_t user_data;
    int32_t res;
    uint32_t flags;
};

struct params {
    uint32_t sq_entries, cq_entries, flags, thread_cpu, thread_idle, features, wq_fd, resv[3];
    uint32_t sq_head, sq_tail, sq_mask, sq_ring_entries, sq_flags, sq_dropped, sq_array, sq_resv;
    uint64_t sq_addr;
    uint32_t cq_head, cq_tail, cq_mask, cq_ring_entries, cq_overflow, cq_cqes, cq_flags, cq_resv;
    uint64_t cq_addr;
};

enum {
    NOP,
    READV,
    WRITEV,
    FSYNC,
    READ_FIXED,
    WRITE_FIXED,
    POLL_ADD,
    POLL_REMOVE,
    TIMEOUT = 11,
    TIMEOUT_REMOVE,
    ACCEPT,
    ASYNC_CANCEL,
    LINK_TIMEOUT,
    CONNECT,
    OPENAT = 18,
    CLOSE,
    STATX = 21,
    READ,
    WRITE,
    SEND = 26,
    RECV,
    SPLICE = 30,
    PROVIDE_BUFFERS,
    MKDIRAT = 37,
    UNLINKAT = 36,
    TEE = 33,
    MSG_RING = 40,
    SEND_ZC = 47,
};
#define FIXED_FILE 1
#define DRAIN 2
#define LINK 4
#define HARDLINK 8
#define SELECT 32
#define SKIP 64

struct ring {
    int fd;
    struct params p;
    char *shared;
    struct sqe *sqes;
    uint32_t tail;
};

static uint32_t *word(struct ring *r, uint32_t offset) {
    return (uint32_t *)(r->shared + offset);
}

static void ring_open(struct ring *r, unsigned entries, unsigned flags) {
    memset(r, 0, sizeof *r);
    r->p.flags = flags;
    r->fd = (int)syscall(SYS_io_uring_setup, entries, &r->p);
    CHECK(r->fd >= 3);
    CHECK_EQ(r->p.features & 1, 1);
    size_t size = r->p.sq_array + r->p.sq_entries * 4, other = r->p.cq_cqes + r->p.cq_entries * 16;
    size = size > other ? size : other;
    r->shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd, 0);
    r->sqes =
        mmap(NULL, r->p.sq_entries * 64, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0x10000000);
    CHECK(r->shared != MAP_FAILED && (void *)r->sqes != MAP_FAILED);
    CHECK_EQ(*word(r, r->p.sq_mask), r->p.sq_entries - 1);
    CHECK_EQ(*word(r, r->p.cq_ring_entries), r->p.cq_entries);
}

static struct sqe *add(struct ring *r, int op, int fd, const void *addr, unsigned len,
                       uint64_t off) {
    uint32_t at = r->tail++ & (r->p.sq_entries - 1);
    word(r, r->p.sq_array)[at] = at;
    struct sqe *s = &r->sqes[at];
    memset(s, 0, sizeof *s);
    s->opcode = (uint8_t)op;
    s->fd = fd;
    s->addr = (uint64_t)(uintptr_t)addr;
    s->len = len;
    s->off = off;
    static uint64_t last;
    s->user_data = ++last;
    __atomic_store_n(word(r, r->p.sq_tail), r->tail, __ATOMIC_RELEASE);
    return s;
}

static int enter(struct ring *r, unsigned submit, unsigned least) {
    return (int)syscall(SYS_io_uring_enter, r->fd, submit, least, least ? 1 : 0, NULL, 0);
}

static int available(struct ring *r) {
    return (int)(__atomic_load_n(word(r, r->p.cq_tail), __ATOMIC_ACQUIRE) - *word(r, r->p.cq_head));
}

static struct cqe next(struct ring *r) {
    if (!available(r))
        CHECK_EQ(enter(r, 0, 1), 0);
    uint32_t head = *word(r, r->p.cq_head);
    struct cqe c = ((struct cqe *)(r->shared + r->p.cq_cqes))[head & (r->p.cq_entries - 1)];
    __atomic_store_n(word(r, r->p.cq_head), head + 1, __ATOMIC_RELEASE);
    return c;
}

/* Submits what was added and returns the result of the first completion. */
static int one(struct ring *r, unsigned submit) {
    CHECK_EQ(enter(r, submit, 1), submit);
    return next(r).res;
}

#endif
