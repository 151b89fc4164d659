/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pipes and FIFOs (pipe(7)): a ring of buffers, a page of memory each.
 *
 * As on Linux a write takes a buffer of its own unless it fits behind the last
 * one, so that one of at most a page goes in whole or not at all.
 */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include "sched/thread.h"
#include "vfs/file.h"

struct pipe_buffer {
    paddr_t frame;
    uint16_t offset, size;
    bool packet; /* a read takes it alone, and drops what it has no room for */
    bool closed; /* nothing is added behind it */
};

struct pipe {
    struct wait_queue queue;
    struct pipe_buffer *ring;
    uint32_t slots, head, tail; /* slots: a power of two; head - tail are in use */
    uint32_t reserved;          /* slots for what splice is reading elsewhere, for pipe_push */
    bool taken;                 /* splice writes the oldest buffer elsewhere: nobody else takes */
    uint32_t readers, writers;  /* open files */
    uint32_t reader_opens, writer_opens;
    uint32_t refs;       /* open files, and opens that wait */
    paddr_t spare;       /* a page for the next write, or 0 */
    uint64_t number;     /* inode */
    struct pipe **owner; /* of a FIFO: where its inode keeps it */
};
#define PIPE_SLOTS 16u      /* Linux's default */
#define PIPE_SLOTS_MAX 256u /* what anybody may ask for on Linux */

static inline uint32_t pipe_used(const struct pipe *p) {
    return p->head - p->tail;
}
static inline bool pipe_is_full(const struct pipe *p) {
    return pipe_used(p) + p->reserved >= p->slots;
}
static inline struct pipe_buffer *pipe_at(const struct pipe *p, uint32_t index) {
    return &p->ring[index & (p->slots - 1)];
}

/* A pipe's two files, the reading end first; 0 or -errno. */
int pipe_create(uint32_t flags, struct file *ends[2]);
/* The pipe of a file; NULL: it is none. */
struct pipe *pipe_of(const struct file *f);
/* For splice: waits until there is something to take, and nobody else at it; 0 when nothing will
 * come (-EAGAIN where that needs time and `wait` is false); or until there is
 * room for a buffer. */
int pipe_wait_filled(struct pipe *p, bool wait);
int pipe_wait_room(struct pipe *p, bool wait);
/* A page for pipe_push; 0: no memory. */
paddr_t pipe_page(struct pipe *p);
void pipe_page_free(struct pipe *p, paddr_t frame);
/* Adds a buffer, which owns its page now; there is room. */
void pipe_push(struct pipe *p, struct pipe_buffer buffer);
/* Takes `size` bytes off the oldest buffer. */
void pipe_consume(struct pipe *p, size_t size);
/* Opens a FIFO: fills in ops and data of the file; may wait for the other end.
 * `owner` lives as long as the file. */
int pipe_open_fifo(struct pipe **owner, struct file *f) __attribute__((weak));
/* F_GETPIPE_SZ (size 0) and F_SETPIPE_SZ: bytes, or -errno. */
long pipe_resize(struct file *f, bool set, unsigned size) __attribute__((weak));

#endif
