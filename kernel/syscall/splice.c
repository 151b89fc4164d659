/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Transfers between files: sendfile, splice, tee, vmsplice, copy_file_range.
 *
 * Bytes go through a page of the kernel, or are handed from pipe to pipe.
 * Checks are made in Linux's order (fs/splice.c, fs/read_write.c).
 */
#include "syscall/splice.h"

#include "fs/pipe.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/user.h"
#include "mm/window.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"
#include "vfs/file.h"
#include "vfs/inode.h"

#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_ALL 15u

/* Where no app makes pipes there are none. */
#define WEAK(f) extern __typeof__(f) f __attribute__((weak))
WEAK(pipe_of);
WEAK(pipe_wait_filled);
WEAK(pipe_wait_room);
WEAK(pipe_page);
WEAK(pipe_page_free);
WEAK(pipe_push);
WEAK(pipe_consume);

static struct pipe *as_pipe(const struct file *f) {
    return pipe_of ? pipe_of(f) : NULL;
}

/* ---- through kernel memory -------------------------------------------------------------- */

static long transfer(struct file *f, void *buf, size_t size, uint64_t *pos, bool reads) {
    struct user_window w;
    user_window_open(&w, buf, size);
    long done = (reads ? f->ops->read : f->ops->write)(f, (vaddr_t)buf, size, pos);
    user_window_close(&w);
    return done;
}

static bool is_dir(const struct file *f) {
    return f->inode && inode_is(f->inode, S_IFDIR);
}

/* What has no bytes of its own to give or take is no end of a splice. */
static bool splices(const struct file *f) {
    return !f->ops->name && !is_dir(f);
}

static bool gives(const struct file *f) {
    return splices(f) && f->ops->read;
}

static bool takes(const struct file *f) {
    return splices(f) && f->ops->write;
}

/* Can it be read and written at a position? */
static bool has_positions(const struct file *f) {
    return f->ops->seek && !f->ops->name;
}

/* Copies at most `size` bytes; each position counts what went through, so that
 * what was read and did not go out is read again. */
static long copy(struct file *in, uint64_t *in_pos, struct file *out, uint64_t *out_pos,
                 size_t size) {
    paddr_t frame = frame_alloc();
    size_t total = 0;
    long error = frame ? 0 : -ENOMEM;
    while (!error && total < size) {
        uint64_t from = *in_pos;
        long got = transfer(in, phys_to_virt(frame), MIN(size - total, PAGE_SIZE), &from, true);
        long put = got <= 0     ? got
                   : takes(out) ? transfer(out, phys_to_virt(frame), (size_t)got, out_pos, false)
                                : -EINVAL;
        error = put < 0 ? put : 0;
        if (put <= 0)
            break;
        *in_pos += (uint64_t)put;
        total += (size_t)put;
        if (put < got)
            break;
    }
    if (frame)
        frame_free(frame);
    return total ? (long)total : error;
}

/* ---- two files and their positions ---------------------------------------------------------- */

struct end {
    struct file *file; /* with a reference */
    vaddr_t at;        /* where the app keeps the position, or 0: the file's own counts */
    uint64_t pos;
    bool started; /* pos is what counts */
};

static bool is_regular(const struct file *f) {
    return f->inode && inode_is(f->inode, S_IFREG) && f->ops->seek;
}

/* Opened with 3 it is neither read nor written. */
static bool may(const struct file *f, unsigned needs) {
    unsigned mode = f->flags & O_ACCMODE;
    return mode == needs || mode == O_RDWR;
}

static bool may_both(const struct file *in, const struct file *out) {
    return may(in, O_RDONLY) && may(out, O_WRONLY);
}

static long end_open(struct end *e, int fd, vaddr_t at) {
    *e = (struct end){.file = fd_get(fd), .at = at};
    return e->file && !(e->file->flags & O_PATH) ? 0 : -EBADF;
}

static long end_start(struct end *e) {
    e->pos = e->file->pos;
    if (e->at && user_read(&e->pos, e->at, sizeof e->pos))
        return -EFAULT;
    e->started = true;
    return 0;
}

/* Positions from `pos` to `pos + size` are none of a file. */
static bool beyond(uint64_t pos, size_t size) {
    return (int64_t)size < 0 || (int64_t)pos < 0 || (int64_t)(pos + size) < 0;
}

/* The position goes where it came from: the result of the call. */
static long end_close(struct end *e, long result) {
    if (e->started && result > 0) {
        if (!e->at)
            e->file->pos = e->pos;
        else if (user_write(e->at, &e->pos, sizeof e->pos))
            result = -EFAULT;
    }
    if (e->file)
        file_put(e->file);
    return result;
}

/* ---- pipes ------------------------------------------------------------------------------- */

/* Would a read of it wait? */
static bool waits(struct file *f) {
    return f->ops->poll && !(f->ops->poll(f) & POLLIN);
}

/* From a file into a pipe.  The read may wait, and others write meanwhile: its slot is
 * reserved.  Having something, it does not wait for more. */
static long fill(struct end *in, struct pipe *p, size_t size, bool wait) {
    size_t total = 0;
    long error = pipe_wait_room(p, wait);
    if (!error && size && (!gives(in->file) || as_pipe(in->file))) /* sendfile's, of a pipe */
        error = -EINVAL;
    while (!error && total < size && !pipe_is_full(p) && !(total && waits(in->file))) {
        paddr_t frame = pipe_page(p);
        size_t n = MIN(size - total, PAGE_SIZE - (size_t)in->pos % PAGE_SIZE);
        p->reserved++;
        long got = frame ? transfer(in->file, phys_to_virt(frame), n, &in->pos, true) : -ENOMEM;
        p->reserved--;
        if (got <= 0) {
            if (frame)
                pipe_page_free(p, frame);
            wake_events(&p->queue, POLLOUT | POLLWRNORM);
            error = got;
            break;
        }
        pipe_push(p, (struct pipe_buffer){frame, 0, (uint16_t)got, false, true});
        total += (size_t)got;
        if ((size_t)got < n)
            break;
    }
    return total ? (long)total : error;
}

/* From a pipe into a file.  The write may wait: the buffer is nobody else's meanwhile. */
static long drain(struct pipe *p, struct end *out, size_t size, bool wait) {
    size_t total = 0;
    long error = pipe_wait_filled(p, wait);
    if (error)
        return error;
    p->taken = true;
    while (!error && total < size && pipe_used(p)) {
        const struct pipe_buffer *b = pipe_at(p, p->tail);
        size_t n = MIN(size - total, (size_t)b->size);
        uint8_t *bytes = (uint8_t *)phys_to_virt(b->frame) + b->offset;
        long put = transfer(out->file, bytes, n, &out->pos, false);
        error = put < 0 ? put : 0;
        if (put <= 0)
            break;
        pipe_consume(p, (size_t)put);
        total += (size_t)put;
        if ((size_t)put < n)
            break;
    }
    p->taken = false;
    wake_events(&p->queue, POLLIN | POLLRDNORM);
    return total ? (long)total : error;
}

/* A copy of the first `size` bytes of a buffer; 0: no memory. */
static paddr_t page_copy(struct pipe *to, const struct pipe_buffer *b, size_t size) {
    paddr_t frame = pipe_page(to);
    if (frame)
        memcpy((uint8_t *)phys_to_virt(frame) + b->offset,
               (uint8_t *)phys_to_virt(b->frame) + b->offset, size);
    return frame;
}

/* Until there is something to take and room for it, or an end.  During the wait for
 * room others may have emptied `from`. */
static int wait_both(struct pipe *from, struct pipe *to, bool wait) {
    int error;
    do {
        error = pipe_wait_filled(from, wait);
        if (!error && pipe_used(from))
            error = pipe_wait_room(to, wait);
    } while (!error && (from->taken || (!pipe_used(from) && from->writers)));
    return error;
}

/* From pipe to pipe: whole buffers are handed over, or copied where they stay. */
static long move(struct pipe *from, struct pipe *to, size_t size, bool keeps, bool wait) {
    size_t total = 0;
    long error = wait_both(from, to, wait);
    uint32_t index = from->tail;
    while (!error && total < size && index != from->head && !pipe_is_full(to)) {
        struct pipe_buffer b = *pipe_at(from, index);
        size_t n = MIN(size - total, (size_t)b.size);
        b.frame = page_copy(to, &b, n);
        if (!b.frame) {
            error = -ENOMEM;
            break;
        }
        b.size = (uint16_t)n;
        b.closed = true;
        pipe_push(to, b);
        total += n;
        if (keeps)
            index++;
        else
            pipe_consume(from, n);
        if (!keeps)
            index = from->tail;
    }
    return total ? (long)total : error;
}

static long splice_between(struct end *in, struct end *out, size_t size, unsigned flags) {
    struct pipe *from = as_pipe(in->file), *to = as_pipe(out->file);
    bool wait = !(flags & SPLICE_F_NONBLOCK);
    if ((from && in->at) || (to && out->at))
        return -ESPIPE;
    long error = out->at ? end_start(out) : 0;
    if (!error && in->at)
        error = end_start(in);
    if (error)
        return error;
    if (!may_both(in->file, out->file))
        return -EBADF;
    if (!from && !to)
        return -EINVAL;
    if (from && to) {
        wait = wait && !((in->file->flags | out->file->flags) & O_NONBLOCK);
        return from == to ? -EINVAL : move(from, to, MIN(size, IO_MAX), false, wait);
    }
    struct end *other = from ? out : in;
    if (other->at && !has_positions(other->file))
        return -EINVAL;
    if (!other->at)
        end_start(other);
    if ((from && out->file->flags & O_APPEND) || beyond(other->pos, size))
        return -EINVAL;
    size = MIN(size, IO_MAX);
    if (from) {
        wait = wait && !(in->file->flags & O_NONBLOCK);
        return takes(out->file) ? drain(from, out, size, wait) : -EINVAL;
    }
    return fill(in, to, size, wait && !(out->file->flags & O_NONBLOCK));
}

SYSCALL_HANDLER(splice) {
    struct end in, out = {.file = NULL};
    if (!e)
        return 0;
    if ((unsigned)f & ~SPLICE_F_ALL)
        return -EINVAL;
    long result = end_open(&in, (int)a, b);
    if (!result)
        result = end_open(&out, (int)c, d);
    if (!result)
        result = splice_between(&in, &out, e, (unsigned)f);
    result = end_close(&in, result);
    return end_close(&out, result);
}

static long tee_between(struct file *in, struct file *out, size_t size, unsigned flags) {
    struct pipe *from = as_pipe(in), *to = as_pipe(out);
    bool wait = !(flags & SPLICE_F_NONBLOCK) && !((in->flags | out->flags) & O_NONBLOCK);
    if (!may_both(in, out))
        return -EBADF;
    return !from || !to || from == to ? -EINVAL : move(from, to, size, true, wait);
}

SYSCALL_HANDLER(tee) {
    struct end in, out = {.file = NULL};
    if ((unsigned)d & ~SPLICE_F_ALL)
        return -EINVAL;
    if (!c)
        return 0;
    long result = end_open(&in, (int)a, 0);
    if (!result)
        result = end_open(&out, (int)b, 0);
    if (!result)
        result = tee_between(in.file, out.file, MIN(c, IO_MAX), (unsigned)d);
    result = end_close(&in, result);
    return end_close(&out, result);
}

/* The next piece at *at; what all together have is IO_MAX at most, and *room is
 * what is left of it.  *good: all of the piece can be the app's. */
static long next_piece(struct io_piece *piece, vaddr_t *at, size_t *room, bool alone, bool *good) {
    if (user_read(piece, *at, sizeof *piece))
        return -EFAULT;
    if ((int64_t)piece->size < 0)
        return -EINVAL;
    *good = user_range(piece->base, alone ? MIN(piece->size, IO_MAX) : piece->size);
    *at += sizeof *piece;
    piece->size = MIN(piece->size, *room);
    *room -= piece->size;
    return 0;
}

/* The app's pages are copied, one by one: it may change them at once. */
static long splice_memory(struct file *f, vaddr_t at, unsigned count, bool reads) {
    struct io_piece piece;
    vaddr_t first = at;
    size_t room = IO_MAX;
    bool all_good = true, good;
    long total = 0;
    for (unsigned i = 0; i < count; i++) {
        long error = next_piece(&piece, &at, &room, count == 1, &good);
        if (error)
            return error;
        all_good = all_good && good;
    }
    if (!all_good)
        return -EFAULT;
    if (room == IO_MAX)
        return 0;
    if (!as_pipe(f))
        return -EBADF;
    room = IO_MAX;
    at = first;
    for (unsigned i = 0; i < count; i++) {
        long error = next_piece(&piece, &at, &room, count == 1, &good);
        if (!error && !good)
            error = -EFAULT; /* changed meanwhile */
        if (error)
            return total ? total : error;
        for (size_t n; piece.size; piece.base += n, piece.size -= n) {
            if (total && !(f->ops->poll(f) & (reads ? POLLIN : POLLOUT)))
                return total;
            n = reads ? piece.size : MIN(piece.size, PAGE_SIZE - piece.base % PAGE_SIZE);
            struct io_piece part = {piece.base, n};
            long done =
                reads ? f->ops->readv(f, &part, 1, NULL) : f->ops->writev(f, &part, 1, NULL);
            if (done < 0)
                return total ? total : done;
            total += done;
            if ((uint64_t)done < n)
                return total;
        }
    }
    return total;
}

SYSCALL_HANDLER(vmsplice) {
    if ((unsigned)d & ~SPLICE_F_ALL)
        return -EINVAL;
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    bool usable = !(file->flags & O_PATH) && (may(file, O_RDONLY) || may(file, O_WRONLY));
    long result = !usable ? -EBADF : c > IOV_MAX ? -EINVAL : 0;
    if (!result) {
        uint32_t before = file->flags;
        bool at_once = (unsigned)d & SPLICE_F_NONBLOCK && !(before & O_NONBLOCK);
        file->flags |= at_once ? O_NONBLOCK : 0; /* nothing sleeps then, so nobody sees it */
        result = splice_memory(file, b, (unsigned)c, !may(file, O_WRONLY));
        file->flags &= at_once ? ~O_NONBLOCK : UINT32_MAX;
    }
    file_put(file);
    return result;
}

long splice_files(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, size_t size,
                  unsigned flags, bool tees) {
    struct user_window a, b;
    struct end from = {.file = file_get(in), .at = (vaddr_t)in_pos};
    struct end to = {.file = file_get(out), .at = (vaddr_t)out_pos};
    user_window_open(&a, in_pos, in_pos ? sizeof *in_pos : 0);
    user_window_open(&b, out_pos, out_pos ? sizeof *out_pos : 0);
    long result = flags & ~SPLICE_F_ALL               ? -EINVAL
                  : (in->flags | out->flags) & O_PATH ? -EBADF
                  : tees ? tee_between(in, out, MIN(size, IO_MAX), flags)
                         : splice_between(&from, &to, size, flags);
    result = end_close(&from, result);
    result = end_close(&to, result);
    user_window_close(&b);
    user_window_close(&a);
    return result;
}

/* ---- sendfile, copy_file_range -------------------------------------------------------------- */

/* The position of `in` is written back whatever came of it, as on Linux. */
static long send(struct end *in, struct end *out, int out_fd, size_t size) {
    if (!may(in->file, O_RDONLY))
        return -EBADF;
    if (in->at && !has_positions(in->file))
        return -ESPIPE;
    if (beyond(in->pos, size))
        return -EINVAL;
    size = MIN(size, IO_MAX);
    long error = end_open(out, out_fd, 0);
    if (error || !may(out->file, O_WRONLY))
        return -EBADF;
    struct pipe *to = as_pipe(out->file);
    if (to)
        return fill(in, to, size, !(out->file->flags & O_NONBLOCK));
    end_start(out);
    if (beyond(out->pos, size) || out->file->flags & O_APPEND || !in->file->ops->seek)
        return -EINVAL;
    if (size && !gives(in->file))
        return -EINVAL;
    return copy(in->file, &in->pos, out->file, &out->pos, size);
}

SYSCALL_HANDLER(sendfile) {
    struct end in = {.file = NULL}, out = {.file = NULL};
    uint64_t pos;
    if (c && user_read(&pos, c, sizeof pos))
        return -EFAULT;
    long result = end_open(&in, (int)b, c);
    if (!result)
        result = end_start(&in);
    if (!result)
        result = send(&in, &out, (int)a, d);
    if (c && user_write(c, in.started ? &in.pos : &pos, sizeof pos))
        result = -EFAULT;
    in.started = in.started && !c;
    result = end_close(&in, result);
    return end_close(&out, result);
}

static long copy_between(struct end *in, struct end *out, size_t size) {
    struct file_info info;
    if (is_dir(in->file) || is_dir(out->file))
        return -EISDIR;
    if (!is_regular(in->file) || !is_regular(out->file))
        return -EINVAL;
    if (!may_both(in->file, out->file) || out->file->flags & O_APPEND)
        return -EBADF;
    if (in->file->inode->device != out->file->inode->device)
        return -EXDEV;
    if (in->pos + size < in->pos || out->pos + size < out->pos)
        return -EOVERFLOW;
    long error = inode_info(in->file->inode, &info);
    if (error)
        return error;
    size = (int64_t)in->pos >= (int64_t)info.size ? 0 : MIN(size, info.size - in->pos);
    if (out->pos == INT64_MAX)
        return -EFBIG;
    size = (int64_t)out->pos < 0 ? size : MIN(size, (uint64_t)INT64_MAX - out->pos);
    /* Signed, as Linux compares them. */
    bool near = (int64_t)(out->pos + size) > (int64_t)in->pos &&
                (int64_t)out->pos < (int64_t)(in->pos + size);
    if (in->file->inode == out->file->inode && near)
        return -EINVAL;
    if (beyond(in->pos, size) || beyond(out->pos, size))
        return -EINVAL;
    return size ? copy(in->file, &in->pos, out->file, &out->pos, MIN(size, IO_MAX)) : 0;
}

SYSCALL_HANDLER(copy_file_range) {
    struct end in, out = {.file = NULL};
    long result = end_open(&in, (int)a, b);
    if (!result)
        result = end_open(&out, (int)c, d);
    if (!result)
        result = end_start(&in);
    if (!result)
        result = end_start(&out);
    if (!result)
        result = (unsigned)f ? -EINVAL : copy_between(&in, &out, e);
    result = end_close(&in, result);
    return end_close(&out, result);
}
