/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pipes and FIFOs.  Readers and writers sleep in one queue: they never both
 * have to wait.  Follows Linux's fs/pipe.c where that can be observed: what
 * merges, when a pipe is full, what poll says.
 */
#include "fs/pipe.h"

#include "lib/align.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "vfs/inode.h"

/* Without paths no file has an inode. */
extern __typeof__(inode_info) inode_info __attribute__((weak));

#define DEVICE 13 /* st_dev of pipes without a name */
#define READABLE (POLLIN | POLLRDNORM)
#define WRITABLE (POLLOUT | POLLWRNORM)

/* ---- memory ---------------------------------------------------------------------- */

static struct pipe_buffer *ring_new(uint32_t slots) {
    return heap_alloc(slots * sizeof(struct pipe_buffer));
}
_Static_assert(PIPE_SLOTS_MAX * sizeof(struct pipe_buffer) <= PAGE_SIZE, "one object");

static void ring_free(struct pipe_buffer *ring, uint32_t slots) {
    heap_free(ring, slots * sizeof(struct pipe_buffer));
}

static struct pipe *pipe_new(void) {
    static uint64_t last;
    struct pipe *p = heap_alloc(sizeof *p);
    if (!p)
        return NULL;
    p->ring = ring_new(PIPE_SLOTS);
    if (!p->ring) {
        heap_free(p, sizeof *p);
        return NULL;
    }
    wait_queue_init(&p->queue, false);
    p->slots = PIPE_SLOTS;
    p->number = ++last;
    return p;
}

static void pipe_put(struct pipe *p) {
    if (--p->refs)
        return;
    while (pipe_used(p))
        frame_free(pipe_at(p, p->tail++)->frame);
    if (p->spare)
        frame_free(p->spare);
    if (p->owner)
        *p->owner = NULL;
    ring_free(p->ring, p->slots);
    heap_free(p, sizeof *p);
}

paddr_t pipe_page(struct pipe *p) {
    paddr_t frame = p->spare;
    p->spare = 0;
    return frame ? frame : frame_alloc();
}

void pipe_page_free(struct pipe *p, paddr_t frame) {
    if (p->spare)
        frame_free(frame);
    else
        p->spare = frame;
}

void pipe_push(struct pipe *p, struct pipe_buffer buffer) {
    *pipe_at(p, p->head++) = buffer;
    wake_events(&p->queue, READABLE);
}

void pipe_consume(struct pipe *p, size_t size) {
    struct pipe_buffer *b = pipe_at(p, p->tail);
    bool full = pipe_is_full(p);
    b->offset += (uint16_t)size;
    b->size -= (uint16_t)size;
    if (b->size)
        return;
    pipe_page_free(p, b->frame);
    p->tail++;
    if (full)
        wake_events(&p->queue, WRITABLE);
}

/* ---- the app's bytes -------------------------------------------------------------- */

struct cursor {
    const struct io_piece *piece;
    size_t at;   /* in it */
    size_t left; /* of all pieces */
};

static struct cursor cursor_of(const struct io_piece *pieces, unsigned count) {
    struct cursor c = {.piece = pieces};
    for (unsigned i = 0; i < count; i++)
        c.left += pieces[i].size;
    return c;
}

/* Moves the next `size` bytes to or from the page; -EFAULT: the cursor stands
 * where it stood. */
static int move(struct cursor *c, uint8_t *page, size_t size, bool to_app) {
    struct cursor next = *c;
    next.left -= size;
    while (size) {
        size_t n = MIN(size, (size_t)(next.piece->size - next.at));
        vaddr_t app = next.piece->base + next.at;
        if (to_app ? user_write(app, page, n) : user_read(page, app, n))
            return -EFAULT;
        page += n;
        size -= n;
        next.at += n;
        if (next.at == next.piece->size) {
            next.piece++;
            next.at = 0;
        }
    }
    *c = next;
    return 0;
}

/* ---- reading ---------------------------------------------------------------------- */

int pipe_wait_filled(struct pipe *p, bool wait) {
    while (p->taken || (!pipe_used(p) && p->writers)) {
        int error = wait ? wait_on(&p->queue, UINT64_MAX) : -EAGAIN;
        if (error)
            return error;
    }
    return 0;
}

static long pipe_readv(struct file *f, const struct io_piece *pieces, unsigned count,
                       uint64_t *pos) {
    struct pipe *p = f->data;
    struct cursor c = cursor_of(pieces, count);
    size_t size = c.left;
    (void)pos;
    if (!size)
        return 0;
    int error = pipe_wait_filled(p, !(f->flags & O_NONBLOCK));
    while (!error && c.left && pipe_used(p)) {
        const struct pipe_buffer *b = pipe_at(p, p->tail);
        bool packet = b->packet;
        size_t n = MIN(c.left, (size_t)b->size);
        error = move(&c, (uint8_t *)phys_to_virt(b->frame) + b->offset, n, true);
        if (error)
            break;
        pipe_consume(p, packet ? b->size : n);
        if (packet)
            break;
    }
    return c.left == size ? error : (long)(size - c.left);
}

static long pipe_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct io_piece piece = {buf, size};
    return pipe_readv(f, &piece, 1, pos);
}

static long pipe_readable(struct file *f) {
    const struct pipe *p = f->data;
    long sum = 0;
    for (uint32_t i = p->tail; i != p->head; i++)
        sum += pipe_at(p, i)->size;
    return sum;
}

/* ---- writing ----------------------------------------------------------------------- */

int pipe_wait_room(struct pipe *p, bool wait) {
    for (;;) {
        if (!p->readers) {
            signal_broken_pipe();
            return -EPIPE;
        }
        if (!pipe_is_full(p))
            return 0;
        int error = wait ? wait_on(&p->queue, UINT64_MAX) : -EAGAIN;
        if (error)
            return error;
    }
}

/* Puts what is over whole pages behind the last buffer, if it fits there. */
static int merge(struct pipe *p, struct cursor *c) {
    size_t n = c->left % PAGE_SIZE;
    if (!n || !pipe_used(p))
        return 0;
    struct pipe_buffer *last = pipe_at(p, p->head - 1);
    size_t end = (size_t)last->offset + last->size;
    if (last->packet || last->closed || end + n > PAGE_SIZE)
        return 0;
    if (move(c, (uint8_t *)phys_to_virt(last->frame) + end, n, false))
        return -EFAULT;
    last->size += (uint16_t)n;
    wake_events(&p->queue, READABLE);
    return 0;
}

/* One buffer more. */
static int add(struct pipe *p, struct cursor *c, bool packet) {
    size_t n = MIN(c->left, PAGE_SIZE);
    paddr_t frame = pipe_page(p);
    if (!frame)
        return -ENOMEM;
    int error = move(c, phys_to_virt(frame), n, false);
    if (error) {
        pipe_page_free(p, frame);
        return error;
    }
    pipe_push(p, (struct pipe_buffer){frame, 0, (uint16_t)n, packet, false});
    return 0;
}

static long pipe_writev(struct file *f, const struct io_piece *pieces, unsigned count,
                        uint64_t *pos) {
    struct pipe *p = f->data;
    struct cursor c = cursor_of(pieces, count);
    size_t size = c.left;
    (void)pos;
    if (!size)
        return 0;
    int error = p->readers ? merge(p, &c) : 0;
    while (!error && c.left) {
        error = pipe_wait_room(p, !(f->flags & O_NONBLOCK));
        if (!error)
            error = add(p, &c, f->flags & O_DIRECT);
    }
    return c.left == size ? error : (long)(size - c.left);
}

static long pipe_write(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct io_piece piece = {buf, size};
    return pipe_writev(f, &piece, 1, pos);
}

/* ---- as a file ----------------------------------------------------------------------- */

static int pipe_info(struct file *f, struct file_info *out) {
    const struct pipe *p = f->data;
    if (f->inode)
        return inode_info(f->inode, out);
    *out = (struct file_info){
        .inode = p->number, .device = DEVICE, .mode = S_IFIFO | 0600, .links = 1};
    return 0;
}

static bool reads(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool writes(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

/* A reader that came before any writer has seen none go. */
static unsigned pipe_poll(struct file *f) {
    const struct pipe *p = f->data;
    unsigned now = 0;
    if (reads(f)) {
        now |= pipe_used(p) && !p->taken ? READABLE : 0;
        now |= !p->writers && f->pos != p->writer_opens ? POLLHUP : 0;
    }
    if (writes(f)) {
        now |= pipe_is_full(p) ? 0 : WRITABLE;
        now |= p->readers ? 0 : POLLERR;
    }
    return now;
}

static struct wait_queue *pipe_wait(struct file *f) {
    return &((struct pipe *)f->data)->queue;
}

static void leave(struct pipe *p, const struct file *f) {
    p->readers -= reads(f);
    p->writers -= writes(f);
    if (!p->readers != !p->writers)
        wake_events(&p->queue, READABLE | WRITABLE | POLLERR | POLLHUP);
    pipe_put(p);
}

static void pipe_close(struct file *f) {
    leave(f->data, f);
}

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .readv = pipe_readv,
    .write = pipe_write,
    .writev = pipe_writev,
    .info = pipe_info,
    .poll = pipe_poll,
    .wait = pipe_wait,
    .readable = pipe_readable,
    .close = pipe_close,
};

struct pipe *pipe_of(const struct file *f) {
    return f->ops == &pipe_ops ? f->data : NULL;
}

static void enter(struct pipe *p, struct file *f) {
    f->ops = &pipe_ops;
    f->data = p;
    p->refs++;
    p->readers += reads(f);
    p->reader_opens += reads(f);
    p->writers += writes(f);
    p->writer_opens += writes(f);
}

int pipe_create(uint32_t flags, struct file *ends[2]) {
    struct pipe *p = pipe_new();
    ends[0] = file_new(&pipe_ops, O_RDONLY | (flags & O_NONBLOCK), p);
    ends[1] = file_new(&pipe_ops, O_WRONLY | flags, p);
    if (p && ends[0] && ends[1]) {
        enter(p, ends[0]);
        enter(p, ends[1]);
        return 0;
    }
    for (int i = 0; i < 2; i++)
        heap_free(ends[i], sizeof *ends[i]);
    if (p) {
        p->refs = 1;
        pipe_put(p);
    }
    return -ENOMEM;
}

/* ---- FIFOs ---------------------------------------------------------------------------- */

int pipe_open_fifo(struct pipe **owner, struct file *f) {
    struct pipe *p = *owner;
    unsigned access = f->flags & O_ACCMODE;
    if (access == O_ACCMODE)
        return -EINVAL;
    if (access == O_WRONLY && f->flags & O_NONBLOCK && (!p || !p->readers))
        return -ENXIO;
    if (!p) {
        p = pipe_new();
        if (!p)
            return -ENOMEM;
        p->owner = owner;
        *owner = p;
    }
    enter(p, f);
    wake_events(&p->queue, 0);
    const uint32_t *other = access == O_RDONLY ? &p->writers : &p->readers;
    if (access == O_RDONLY && !p->writers && f->flags & O_NONBLOCK)
        f->pos = p->writer_opens;
    if (access == O_RDWR || f->flags & O_NONBLOCK || *other)
        return 0;
    /* Whoever opens the other end in the meantime may be gone again. */
    const uint32_t *opens = access == O_RDONLY ? &p->writer_opens : &p->reader_opens;
    uint32_t before = *opens;
    while (*opens == before) {
        int error = wait_on(&p->queue, UINT64_MAX);
        if (error) {
            leave(p, f);
            return error;
        }
    }
    return 0;
}

/* ---- sizes ---------------------------------------------------------------------------- */

long pipe_resize(struct file *f, bool set, unsigned size) {
    struct pipe *p = pipe_of(f);
    if (!p)
        return -EBADF;
    if (!set)
        return (long)(p->slots * PAGE_SIZE);
    if (size > 1u << 31)
        return -EINVAL;
    uint32_t slots = 1;
    while (slots * PAGE_SIZE < size)
        slots *= 2;
    if (slots > PIPE_SLOTS_MAX)
        return -EPERM;
    if (slots < pipe_used(p) + p->reserved)
        return -EBUSY;
    struct pipe_buffer *ring = ring_new(slots);
    if (!ring)
        return -ENOMEM;
    bool full = pipe_is_full(p);
    uint32_t used = pipe_used(p);
    for (uint32_t i = 0; i < used; i++)
        ring[i] = *pipe_at(p, p->tail + i);
    ring_free(p->ring, p->slots);
    p->ring = ring;
    p->slots = slots;
    p->tail = 0;
    p->head = used;
    if (full && !pipe_is_full(p))
        wake_events(&p->queue, WRITABLE);
    return (long)(slots * PAGE_SIZE);
}
