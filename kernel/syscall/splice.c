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
        long put = got > 0 ? transfer(out, phys_to_virt(frame), (size_t)got, out_pos, false) : got;
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

static bool may(const struct file *f, unsigned lacks) {
    return !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != lacks;
}

static long end_open(struct end *e, int fd, vaddr_t at, unsigned lacks) {
    *e = (struct end){.file = fd_get(fd), .at = at};
    return e->file && may(e->file, lacks) ? 0 : -EBADF;
}

static long end_start(struct end *e) {
    e->pos = e->file->pos;
    if (e->at && user_read(&e->pos, e->at, sizeof e->pos))
        return -EFAULT;
    e->started = true;
    return (int64_t)e->pos < 0 ? -EINVAL : 0;
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

/* ---- pipes
 * --------------------------------------------------------------------------------------- */

/* From a file into a pipe. */
static long fill(struct end *in, struct pipe *p, size_t size, bool wait) {
    size_t total = 0;
    long error = pipe_wait_room(p, wait);
    while (!error && total < size && !pipe_is_full(p)) {
        paddr_t frame = pipe_page(p);
        size_t n = MIN(size - total, PAGE_SIZE - (size_t)in->pos % PAGE_SIZE);
        long got = frame ? transfer(in->file, phys_to_virt(frame), n, &in->pos, true) : -ENOMEM;
        if (got <= 0) {
            if (frame)
                pipe_page_free(p, frame);
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

/* From a pipe into a file. */
static long drain(struct pipe *p, struct end *out, size_t size, bool wait) {
    size_t total = 0;
    long error = pipe_wait_filled(p, wait);
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

/* From pipe to pipe: whole buffers are handed over, or copied where they stay. */
static long move(struct pipe *from, struct pipe *to, size_t size, bool keeps, bool wait) {
    size_t total = 0;
    uint32_t index = from->tail;
    long error = pipe_wait_filled(from, wait);
    if (!error && pipe_used(from))
        error = pipe_wait_room(to, wait);
    /* During the wait for room others may have emptied it. */
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

/* What has no bytes of its own to give or take is no end of a splice. */
static bool splices(const struct file *f) {
    return !f->ops->name;
}

static long splice_between(struct end *in, struct end *out, size_t size, unsigned flags) {
    struct pipe *from = as_pipe(in->file), *to = as_pipe(out->file);
    bool wait = !(flags & SPLICE_F_NONBLOCK);
    if (!from && !to)
        return -EINVAL;
    if ((from && in->at) || (to && out->at))
        return -ESPIPE;
    if ((in->at && !in->file->ops->seek) || (out->at && !out->file->ops->seek))
        return -EINVAL;
    if (from && to) {
        wait = wait && !((in->file->flags | out->file->flags) & O_NONBLOCK);
        return from == to ? -EINVAL : move(from, to, size, false, wait);
    }
    if (from && out->file->flags & O_APPEND)
        return -EINVAL;
    long error = end_start(from ? out : in);
    if (error)
        return error;
    if (from)
        return splices(out->file) && out->file->ops->write ? drain(from, out, size, wait) : -EINVAL;
    wait = wait && !(out->file->flags & O_NONBLOCK);
    return splices(in->file) && in->file->ops->read ? fill(in, to, size, wait) : -EINVAL;
}

SYSCALL_HANDLER(splice) {
    struct end in, out = {.file = NULL};
    if (!e)
        return 0;
    if ((unsigned)f & ~SPLICE_F_ALL)
        return -EINVAL;
    long result = end_open(&in, (int)a, b, O_WRONLY);
    if (!result)
        result = end_open(&out, (int)c, d, O_RDONLY);
    if (!result)
        result = splice_between(&in, &out, MIN(e, IO_MAX), (unsigned)f);
    result = end_close(&in, result);
    return end_close(&out, result);
}

static long tee_between(struct file *in, struct file *out, size_t size, unsigned flags) {
    struct pipe *from = as_pipe(in), *to = as_pipe(out);
    bool wait = !(flags & SPLICE_F_NONBLOCK) && !((in->flags | out->flags) & O_NONBLOCK);
    return !from || !to || from == to ? -EINVAL : move(from, to, size, true, wait);
}

SYSCALL_HANDLER(tee) {
    struct end in, out = {.file = NULL};
    if ((unsigned)d & ~SPLICE_F_ALL)
        return -EINVAL;
    if (!c)
        return 0;
    long result = end_open(&in, (int)a, 0, O_WRONLY);
    if (!result)
        result = end_open(&out, (int)b, 0, O_RDONLY);
    if (!result)
        result = tee_between(in.file, out.file, MIN(c, IO_MAX), (unsigned)d);
    result = end_close(&in, result);
    return end_close(&out, result);
}

/* The app's pages are copied: it may change them at once. */
static long splice_memory(struct file *f, vaddr_t at, unsigned count, bool reads) {
    long total = 0;
    for (unsigned i = 0; i < count; i++, at += sizeof(struct file_piece)) {
        struct file_piece piece;
        if (user_read(&piece, at, sizeof piece) || !user_range(piece.base, piece.size))
            return total ? total : -EFAULT;
        if (!piece.size)
            continue;
        piece.size = MIN(piece.size, IO_MAX);
        if (total && !(f->ops->poll(f) & (reads ? POLLIN : POLLOUT)))
            break;
        long done = reads ? f->ops->readv(f, &piece, 1, NULL) : f->ops->writev(f, &piece, 1, NULL);
        if (done < 0)
            return total ? total : done;
        total += done;
        if ((uint64_t)done < piece.size)
            break;
    }
    return total;
}

SYSCALL_HANDLER(vmsplice) {
    if ((unsigned)d & ~SPLICE_F_ALL)
        return -EINVAL;
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    bool is_pipe = !(file->flags & O_PATH) && as_pipe(file);
    long result = !is_pipe ? -EBADF : c > IOV_MAX ? -EINVAL : 0;
    if (!result) {
        uint32_t before = file->flags;
        bool at_once = (unsigned)d & SPLICE_F_NONBLOCK && !(before & O_NONBLOCK);
        file->flags |= at_once ? O_NONBLOCK : 0; /* nothing sleeps then, so nobody sees it */
        result = splice_memory(file, b, (unsigned)c, (before & O_ACCMODE) == O_RDONLY);
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
    long result = flags & ~SPLICE_F_ALL                       ? -EINVAL
                  : !may(in, O_WRONLY) || !may(out, O_RDONLY) ? -EBADF
                  : tees ? tee_between(in, out, MIN(size, IO_MAX), flags)
                         : splice_between(&from, &to, MIN(size, IO_MAX), flags);
    result = end_close(&from, result);
    result = end_close(&to, result);
    user_window_close(&b);
    user_window_close(&a);
    return result;
}

/* ---- sendfile, copy_file_range
 * ------------------------------------------------------------------- */

static long send_between(struct end *in, struct end *out, size_t size) {
    struct pipe *to = as_pipe(out->file);
    if (in->at && !in->file->ops->seek)
        return -ESPIPE;
    long error = end_start(in);
    if (error)
        return error;
    if (!to && !is_regular(in->file))
        return -EINVAL;
    if (as_pipe(in->file) || !splices(in->file) || !in->file->ops->read)
        return -EINVAL;
    if (out->file->flags & O_APPEND || !splices(out->file) || !out->file->ops->write)
        return -EINVAL;
    if (to)
        return fill(in, to, size, !(out->file->flags & O_NONBLOCK));
    out->pos = out->file->pos;
    out->started = true;
    return copy(in->file, &in->pos, out->file, &out->pos, size);
}

SYSCALL_HANDLER(sendfile) {
    struct end in, out = {.file = NULL};
    long result = end_open(&in, (int)b, c, O_WRONLY);
    if (!result)
        result = end_open(&out, (int)a, 0, O_RDONLY);
    if (!result)
        result = send_between(&in, &out, MIN(d, IO_MAX));
    result = end_close(&in, result);
    return end_close(&out, result);
}

static bool is_dir(const struct file *f) {
    return f->inode && inode_is(f->inode, S_IFDIR);
}

static long copy_between(struct end *in, struct end *out, size_t size) {
    if (out->file->flags & O_APPEND)
        return -EBADF;
    if (is_dir(in->file) || is_dir(out->file))
        return -EISDIR;
    if (!is_regular(in->file) || !is_regular(out->file))
        return -EINVAL;
    long error = end_start(in);
    if (!error)
        error = end_start(out);
    if (error)
        return error;
    if (in->pos > (uint64_t)INT64_MAX - size || out->pos > (uint64_t)INT64_MAX - size)
        return -EOVERFLOW;
    bool near = in->pos < out->pos + size && out->pos < in->pos + size;
    if (in->file->inode == out->file->inode && near)
        return -EINVAL;
    if (in->file->inode->device != out->file->inode->device)
        return -EXDEV;
    return size ? copy(in->file, &in->pos, out->file, &out->pos, size) : 0;
}

SYSCALL_HANDLER(copy_file_range) {
    struct end in, out = {.file = NULL};
    if (f)
        return -EINVAL;
    long result = end_open(&in, (int)a, b, O_WRONLY);
    if (!result)
        result = end_open(&out, (int)c, d, O_RDONLY);
    if (!result)
        result = copy_between(&in, &out, MIN(e, IO_MAX));
    result = end_close(&in, result);
    return end_close(&out, result);
}
