/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What io_uring's requests do: nearly all is done by the system call of that
 * name, on a borrowed descriptor and without waiting.
 */
#include "lib/align.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "mm/window.h"
#include "net/socket.h"
#include "syscall/linux.h"
#include "syscall/splice.h"
#include "syscall/syscall.h"
#include "syscall/time.h"
#include "syscall/uring_impl.h"

#define READABLE (POLLIN | POLLRDNORM)
#define WRITABLE (POLLOUT | POLLWRNORM)
#define NO_OFFSET UINT64_MAX /* the file's own position counts */

/* ---- files -------------------------------------------------------------------------------- */

/* Calls `call` with FD_BORROWED standing for the request's file. */
#define WITH_FILE(r, call)                                                                         \
    __extension__({                                                                                \
        fd_borrowed = (r)->file;                                                                   \
        long result_ = (call);                                                                     \
        fd_borrowed = NULL;                                                                        \
        result_;                                                                                   \
    })

/* Of a file that can be waited for: the call does not.  The request does, even
 * if the file is O_NONBLOCK, as on Linux. */
static uint32_t at_once(struct file *f) {
    uint32_t before = f->flags;
    if (f->ops->poll && f->ops->wait)
        f->flags |= O_NONBLOCK;
    return before;
}

static long wait_unless(long result, bool refuses) {
    return result == -EAGAIN && !refuses ? URING_WAIT : result;
}

/* ---- buffers that the kernel chooses ------------------------------------------------------ */

struct ring_entry {
    uint64_t addr;
    uint32_t size;
    uint16_t id, resv;
};
#define RING_TAIL 14u /* where a ring of buffers keeps its tail */

static vaddr_t ring_entry_at(const struct buffer_group *g) {
    return g->ring + (g->head & (g->entries - 1)) * sizeof(struct ring_entry);
}

/* The next buffer of the group, not taken yet; -ENOBUFS. */
static long buffer_peek(struct request *r, struct buffer_group *g, uint16_t *id) {
    if (!g)
        return -ENOBUFS;
    if (!g->ring) {
        struct list *node = list_first(&g->buffers);
        if (!node)
            return -ENOBUFS;
        const struct provided *p = list_entry(node, struct provided, node);
        r->buffer_addr = p->addr;
        r->buffer_size = p->size;
        *id = p->id;
        return 0;
    }
    struct ring_entry e;
    uint16_t tail;
    if (user_read(&tail, g->ring + RING_TAIL, sizeof tail) ||
        user_read(&e, ring_entry_at(g), sizeof e))
        return -EFAULT;
    if (tail == g->head)
        return -ENOBUFS;
    r->buffer_addr = e.addr;
    r->buffer_size = e.size;
    *id = e.id;
    return 0;
}

/* `used` bytes of it are: it is the app's now. */
static void buffer_take(struct request *r, struct buffer_group *g, uint16_t id, size_t used) {
    r->cqe_flags |= CQE_BUFFER | (uint32_t)id << CQE_BUFFER_SHIFT;
    if (!g->ring) {
        heap_free(list_entry(list_pop_front(&g->buffers), struct provided, node),
                  sizeof(struct provided));
        return;
    }
    struct ring_entry e;
    if (g->piecemeal && !user_read(&e, ring_entry_at(g), sizeof e) && used < e.size) {
        e.addr += used;
        e.size -= (uint32_t)used;
        user_write(ring_entry_at(g), &e, 12);
        r->cqe_flags |= CQE_BUFFER_MORE;
        return;
    }
    g->head++;
}

/* Runs a transfer into memory: the request's own, or a buffer's. */
static long into_buffer(struct request *r,
                        long (*fn)(struct request *r, uint64_t addr, size_t size)) {
    if (!(r->sqe.flags & SQE_BUFFER_SELECT))
        return fn(r, r->sqe.addr, r->sqe.len);
    struct buffer_group *g = uring_group(r->ring, r->sqe.buffer);
    uint16_t id = 0;
    long result = buffer_peek(r, g, &id);
    if (result)
        return result;
    size_t size = r->sqe.len ? MIN(r->sqe.len, r->buffer_size) : r->buffer_size;
    result = fn(r, r->buffer_addr, size);
    if (result > 0 || (result == 0 && !r->multishot))
        buffer_take(r, g, id, (size_t)result);
    return result;
}

static long provide_buffers(struct request *r) {
    const struct sqe *s = &r->sqe;
    uint32_t number = (uint32_t)s->fd;
    if (!number || number > 65536)
        return -E2BIG;
    if (!s->len || s->off > UINT16_MAX || s->off + number > 65536)
        return -EINVAL;
    if (!user_range(s->addr, (size_t)number * s->len))
        return -EFAULT;
    struct buffer_group *g = uring_group(r->ring, s->buffer);
    if (g && g->ring)
        return -EINVAL;
    if (!g) {
        g = heap_alloc(sizeof *g);
        if (!g)
            return -ENOMEM;
        g->id = s->buffer;
        list_init(&g->buffers);
        list_push_back(&r->ring->groups, &g->node);
    }
    for (uint32_t i = 0; i < number; i++) {
        struct provided *p = heap_alloc(sizeof *p);
        if (!p)
            return i ? 0 : -ENOMEM;
        p->addr = s->addr + (uint64_t)i * s->len;
        p->size = s->len;
        p->id = (uint16_t)(s->off + i);
        list_push_back(&g->buffers, &p->node);
    }
    return 0;
}

static long remove_buffers(struct request *r) {
    struct buffer_group *g = uring_group(r->ring, r->sqe.buffer);
    long done = 0;
    if (!r->sqe.fd || r->sqe.fd > 65536)
        return -EINVAL;
    if (!g)
        return -ENOENT;
    if (g->ring)
        return -EINVAL;
    for (struct list *node; done < r->sqe.fd && (node = list_pop_front(&g->buffers)); done++)
        heap_free(list_entry(node, struct provided, node), sizeof(struct provided));
    return done;
}

/* ---- transfers ---------------------------------------------------------------------------- */

#define RWF_NOWAIT_BIT 8u

static bool has_position(const struct request *r) {
    return r->file->ops->seek && r->file->ops->seek != file_seek_nowhere && r->sqe.off != NO_OFFSET;
}

/* A transfer that is to be all or a failure; passes its result on. */
static long whole(struct request *r, long n, size_t size) {
    r->fell_short = n >= 0 && (size_t)n < size;
    return n;
}

/* What read and write ask for as preadv2 does: nothing is done later. */
#define RWF_KNOWN 15u

static long read_into(struct request *r, uint64_t addr, size_t size) {
    if (r->sqe.op_flags & ~RWF_KNOWN)
        return -EOPNOTSUPP;
    uint32_t before = at_once(r->file);
    long n = WITH_FILE(r, has_position(r) ? sys_pread64(FD_BORROWED, addr, size, r->sqe.off, 0, 0)
                                          : sys_read(FD_BORROWED, addr, size, 0, 0, 0));
    r->file->flags = before;
    whole(r, n, size);
    return wait_unless(n, r->sqe.op_flags & RWF_NOWAIT_BIT);
}

static long write_from(struct request *r, uint64_t addr, size_t size) {
    if (r->sqe.op_flags & ~RWF_KNOWN)
        return -EOPNOTSUPP;
    uint32_t before = at_once(r->file);
    long n = WITH_FILE(r, has_position(r) ? sys_pwrite64(FD_BORROWED, addr, size, r->sqe.off, 0, 0)
                                          : sys_write(FD_BORROWED, addr, size, 0, 0, 0));
    r->file->flags = before;
    whole(r, n, size);
    return wait_unless(n, r->sqe.op_flags & RWF_NOWAIT_BIT);
}

/* Bytes that a vector speaks of. */
static size_t vector_bytes(vaddr_t at, uint32_t count) {
    struct io_piece piece;
    size_t sum = 0;
    for (; count && !user_read(&piece, at, sizeof piece); count--, at += sizeof piece)
        sum += piece.size;
    return sum;
}

static long transfer_vector(struct request *r, bool reads) {
    const struct sqe *s = &r->sqe;
    uint64_t at = has_position(r) ? s->off : NO_OFFSET;
    uint32_t before = at_once(r->file);
    long n = WITH_FILE(
        r, reads
               ? sys_preadv2(FD_BORROWED, s->addr, s->len, at, 0, s->op_flags & ~RWF_NOWAIT_BIT)
               : sys_pwritev2(FD_BORROWED, s->addr, s->len, at, 0, s->op_flags & ~RWF_NOWAIT_BIT));
    r->file->flags = before;
    if (r->next && n >= 0)
        whole(r, n, vector_bytes(s->addr, s->len));
    return wait_unless(n, s->op_flags & RWF_NOWAIT_BIT);
}

/* Does the range lie in the registered buffer? */
static long check_fixed(const struct request *r) {
    const struct uring *u = r->ring;
    if (r->sqe.buffer >= u->buffer_count)
        return -EFAULT;
    const struct fixed_buffer *b = &u->buffers[r->sqe.buffer];
    uint64_t at = r->sqe.addr - b->addr;
    return b->addr && r->sqe.addr >= b->addr && at <= b->size && r->sqe.len <= b->size - at
               ? 0
               : -EFAULT;
}

static long run_transfer(struct request *r) {
    long error;
    switch (r->sqe.opcode) {
    case OP_READV:
        return transfer_vector(r, true);
    case OP_WRITEV:
        return transfer_vector(r, false);
    case OP_READ_FIXED:
        error = check_fixed(r);
        return error ? error : read_into(r, r->sqe.addr, r->sqe.len);
    case OP_WRITE_FIXED:
        error = check_fixed(r);
        return error ? error : write_from(r, r->sqe.addr, r->sqe.len);
    case OP_READ_MULTISHOT:
        if (!(r->sqe.flags & SQE_BUFFER_SELECT))
            return -EINVAL;
        if (!r->file->ops->poll)
            return -EBADF;
        r->multishot = true;
        return into_buffer(r, read_into);
    case OP_READ:
        return into_buffer(r, read_into);
    default:
        return write_from(r, r->sqe.addr, r->sqe.len);
    }
}

/* ---- sockets ------------------------------------------------------------------------------ */

/* In ioprio: */
#define POLL_FIRST 1u /* to try is as good */
#define RECV_MULTISHOT 2u
#define SEND_ZC_FLAGS 12u /* a registered buffer; tell what was copied */
#define ACCEPT_MULTISHOT 1u
#define ACCEPT_POLL_FIRST 4u

/* Is all asked for, and does that go on when there is less?  A datagram is one. */
static bool goes_on(const struct request *r) {
    const struct socket *s = socket_of(r->file);
    return r->sqe.op_flags & MSG_WAITALL && s &&
           (s->type == SOCK_STREAM || s->type == SOCK_SEQPACKET);
}

static long receive_into(struct request *r, uint64_t addr, size_t size) {
    unsigned flags = r->sqe.op_flags;
    bool all = goes_on(r) && !r->multishot;
    flags = (flags | MSG_DONTWAIT) & ~MSG_WAITALL;
    long n;
    do {
        n = WITH_FILE(r, sys_recvfrom(FD_BORROWED, addr + r->done, size - r->done, flags, 0, 0));
        if (n > 0)
            r->done += (size_t)n;
    } while (all && n > 0 && r->done < size);
    if (n == -EAGAIN && r->done && !all)
        n = (long)r->done;
    n = wait_unless(n, r->sqe.op_flags & MSG_DONTWAIT);
    if (n == URING_WAIT)
        return n;
    n = r->done ? (long)r->done : n;
    r->done = r->multishot ? 0 : r->done;
    return r->sqe.op_flags & MSG_WAITALL ? whole(r, n, size) : n;
}

static long receive(struct request *r) {
    r->multishot = r->sqe.opcode == OP_RECV && r->sqe.ioprio & RECV_MULTISHOT;
    if (r->multishot && !(r->sqe.flags & SQE_BUFFER_SELECT))
        return -EINVAL;
    if (r->sqe.opcode == OP_RECV)
        return into_buffer(r, receive_into);
    if (r->sqe.ioprio & RECV_MULTISHOT)
        return -EINVAL;
    long n = WITH_FILE(
        r, sys_recvmsg(FD_BORROWED, r->sqe.addr, r->sqe.op_flags | MSG_DONTWAIT, 0, 0, 0));
    return wait_unless(n, r->sqe.op_flags & MSG_DONTWAIT);
}

static long send(struct request *r) {
    const struct sqe *s = &r->sqe;
    bool message = s->opcode == OP_SENDMSG || s->opcode == OP_SENDMSG_ZC;
    bool all = goes_on(r) && !message;
    unsigned flags = (s->op_flags | MSG_DONTWAIT | MSG_NOSIGNAL) & ~MSG_WAITALL;
    uint64_t to = message ? 0 : s->off;
    long n;
    do {
        n = WITH_FILE(r, message ? sys_sendmsg(FD_BORROWED, s->addr, flags, 0, 0, 0)
                                 : sys_sendto(FD_BORROWED, s->addr + r->done, s->len - r->done,
                                              flags, to, to ? s->file_index & 0xffff : 0));
        if (n > 0)
            r->done += (size_t)n;
    } while (all && n > 0 && r->done < s->len);
    n = wait_unless(n, s->op_flags & MSG_DONTWAIT);
    if (n == URING_WAIT)
        return n;
    n = r->done ? (long)r->done : n;
    return s->op_flags & MSG_WAITALL && !message ? whole(r, n, s->len) : n;
}

/* Nothing is kept of the memory, so the second completion, that it is free,
 * comes at once behind the first. */
static long send_zero_copy(struct request *r) {
    long n = send(r);
    if (n == URING_WAIT)
        return n;
    r->fell_short = r->fell_short || n < 0;
    uring_post(r->ring, r->sqe.user_data, n, CQE_MORE);
    r->cqe_flags = CQE_NOTIF;
    return 0;
}

/* A new descriptor stays one, or becomes a fixed file. */
static long place(struct request *r, long fd) {
    if (fd < 0 || !r->sqe.file_index)
        return fd;
    struct file *f = fd_get((int)fd);
    fd_close((int)fd);
    if (!f)
        return -EBADF;
    uint32_t index = r->sqe.file_index;
    return uring_install(r->ring, f, index == FILE_INDEX_ALLOC ? index : index - 1);
}

static long accept_one(struct request *r) {
    const struct sqe *s = &r->sqe;
    r->multishot = s->ioprio & ACCEPT_MULTISHOT;
    if (r->multishot && s->file_index && s->file_index != FILE_INDEX_ALLOC)
        return -EINVAL;
    uint32_t before = at_once(r->file);
    long fd = WITH_FILE(r, sys_accept4(FD_BORROWED, s->addr, s->off, s->op_flags, 0, 0));
    r->file->flags = before;
    return fd == -EAGAIN ? URING_WAIT : place(r, fd);
}

/* What came of it is what a second call says, as soon as there is something; that
 * may be at once, when the other end is here. */
static long connect(struct request *r) {
    long result;
    do {
        if (r->connecting && !(r->file->ops->poll(r->file) & (POLLOUT | POLLERR | POLLHUP)))
            return URING_WAIT;
        uint32_t before = at_once(r->file);
        result = WITH_FILE(r, sys_connect(FD_BORROWED, r->sqe.addr, (uint32_t)r->sqe.off, 0, 0, 0));
        r->file->flags = before;
        r->connecting = true;
    } while (result == -EINPROGRESS);
    return result;
}

enum { SOCKET_SIOCINQ, SOCKET_SIOCOUTQ, SOCKET_GETSOCKOPT, SOCKET_SETSOCKOPT };

/* The size is the result. */
static long get_option(struct request *r, uint32_t name, int size) {
    struct user_window w;
    user_window_open(&w, &size, sizeof size);
    long error = WITH_FILE(
        r, sys_getsockopt(FD_BORROWED, SOL_SOCKET, name, r->sqe.addr3, (vaddr_t)&size, 0));
    user_window_close(&w);
    return error ? error : size;
}

static long command(struct request *r) {
    const struct sqe *s = &r->sqe;
    uint32_t level = (uint32_t)s->addr, name = (uint32_t)(s->addr >> 32);
    struct socket *socket = socket_of(r->file);
    int size = (int)s->file_index;
    if (!socket)
        return -EOPNOTSUPP;
    switch ((uint32_t)s->off) {
    case SOCKET_SIOCINQ:
        return socket->ops->readable ? socket->ops->readable(socket) : -EOPNOTSUPP;
    case SOCKET_SETSOCKOPT:
        return WITH_FILE(r, sys_setsockopt(FD_BORROWED, level, name, s->addr3, (unsigned)size, 0));
    case SOCKET_GETSOCKOPT:
        return level == SOL_SOCKET ? get_option(r, name, size) : -EOPNOTSUPP;
    default:
        return -EOPNOTSUPP;
    }
}

/* ---- polls, timeouts ---------------------------------------------------------------------- */

#define POLL_ADD_MULTI 1u
#define POLL_UPDATE_EVENTS 2u
#define POLL_UPDATE_USER_DATA 4u

static long poll_add(struct request *r) {
    if (r->sqe.len & ~POLL_ADD_MULTI)
        return -EINVAL;
    r->multishot = r->sqe.len & POLL_ADD_MULTI;
    unsigned now = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    if (r->file->ops->poll)
        now = r->file->ops->poll(r->file);
    now &= uring_events(r) | POLLERR | POLLHUP;
    return now ? (long)now : r->file->ops->poll ? URING_WAIT : -EINVAL;
}

static struct request *find(struct uring *u, unsigned op, uint64_t key) {
    list_for_each (node, &u->requests) {
        struct request *r = list_entry(node, struct request, all);
        if (r->sqe.opcode == op && r->sqe.user_data == key && !r->cancelled && r->started)
            return r;
    }
    return NULL;
}

static long poll_remove(struct request *r) {
    const struct sqe *s = &r->sqe;
    if (s->len & ~(POLL_UPDATE_EVENTS | POLL_UPDATE_USER_DATA | POLL_ADD_MULTI) ||
        s->len == POLL_ADD_MULTI)
        return -EINVAL;
    struct request *p = find(r->ring, OP_POLL_ADD, s->addr);
    if (!p)
        return -ENOENT;
    if (s->len & POLL_UPDATE_EVENTS)
        p->sqe.op_flags = s->op_flags;
    if (s->len & POLL_UPDATE_USER_DATA)
        p->sqe.user_data = s->off;
    if (!(s->len & (POLL_UPDATE_EVENTS | POLL_UPDATE_USER_DATA)))
        uring_stop(p);
    else if (!list_linked(&p->node)) /* it is tried again, with what is asked now */
        list_push_back(&r->ring->ready, &p->node);
    return 0;
}

#define TIMEOUT_ABS 1u
#define TIMEOUT_UPDATE 2u
#define TIMEOUT_BOOTTIME 4u
#define TIMEOUT_REALTIME 8u
#define LINK_TIMEOUT_UPDATE 16u
#define TIMEOUT_ETIME_SUCCESS 32u
#define TIMEOUT_MULTISHOT 64u

static long read_end(vaddr_t at, unsigned flags, struct request_end *out) {
    uint64_t ns;
    long error = time_read(at, &ns);
    if (error)
        return error;
    if (!(flags & TIMEOUT_ABS))
        *out = (struct request_end){time_deadline(ns), false};
    else
        *out = (struct request_end){MAX(ns, 1u), flags & TIMEOUT_REALTIME}; /* 0: no time */
    return 0;
}

/* A linked timeout is told here when it starts and when it is over. */
static long timeout(struct request *r) {
    const struct sqe *s = &r->sqe;
    unsigned known = TIMEOUT_ABS | TIMEOUT_BOOTTIME | TIMEOUT_REALTIME | TIMEOUT_ETIME_SUCCESS;
    if (r->counted)
        return 0;
    if (r->expired)
        return -ETIME;
    if (s->op_flags & ~known || s->len != 1 || s->buffer || s->file_index)
        return -EINVAL;
    long error = read_end(s->addr, s->op_flags, &r->end);
    if (error)
        return error;
    if (s->off) {
        r->target = r->ring->posted + s->off;
        r->ring->counting++;
    }
    return URING_PENDING;
}

static long link_timeout(struct request *r) {
    struct request *of = r->limits;
    if (!r->expired)
        return URING_PENDING;
    r->limits = NULL;
    of->timeout = NULL;
    uring_stop(of);
    return -ETIME;
}

long uring_link_end(struct request *r) {
    return read_end(r->sqe.addr, r->sqe.op_flags, &r->end);
}

static long timeout_remove(struct request *r) {
    const struct sqe *s = &r->sqe;
    unsigned op = s->op_flags & LINK_TIMEOUT_UPDATE ? OP_LINK_TIMEOUT : OP_TIMEOUT;
    bool update = s->op_flags & (TIMEOUT_UPDATE | LINK_TIMEOUT_UPDATE);
    struct request_end end;
    long error = update ? read_end(s->off, s->op_flags, &end) : s->op_flags ? -EINVAL : 0;
    struct request *t = find(r->ring, op, s->addr);
    if (error)
        return error;
    if (!t || t->expired || t->counted)
        return -ENOENT;
    if (!update) {
        uring_stop(t);
        return 0;
    }
    t->end = end;
    if (t->timing)
        uring_start_timer(t);
    return 0;
}

/* ---- paths and the rest ------------------------------------------------------------------- */

static long open_at(struct request *r) {
    const struct sqe *s = &r->sqe;
    unsigned long dir = (unsigned long)s->fd;
    long fd = s->opcode == OP_OPENAT ? sys_openat(dir, s->addr, s->op_flags, s->len, 0, 0)
                                     : sys_openat2(dir, s->addr, s->off, s->len, 0, 0);
    return place(r, fd);
}

static long close_one(struct request *r) {
    const struct sqe *s = &r->sqe;
    if (!s->file_index) {
        struct file *f = s->fd >= 0 ? fd_get(s->fd) : NULL;
        bool ring = f && uring_of(f); /* no ring ends by a request */
        if (f)
            file_put(f);
        return f && !ring ? fd_close(s->fd) : -EBADF;
    }
    if (s->fd)
        return -EINVAL;
    if (!uring_file(r->ring, s->file_index - 1))
        return s->file_index - 1 < r->ring->file_count ? -EBADF : -EINVAL;
    return uring_install(r->ring, NULL, s->file_index - 1);
}

#define SPLICE_NONBLOCK 2u
#define SPLICE_FIXED_IN (1u << 31)

/* The input, which the request keeps until it is done. */
static struct file *take_input(struct request *r) {
    const struct sqe *s = &r->sqe;
    if (r->input)
        return r->input;
    if (!(s->op_flags & SPLICE_FIXED_IN))
        return r->input = fd_get((int)s->file_index);
    struct file *f = uring_file(r->ring, s->file_index);
    return r->input = f ? file_get(f) : NULL;
}

static long splice_one(struct request *r) {
    const struct sqe *s = &r->sqe;
    bool tees = s->opcode == OP_TEE;
    int64_t in_off = (int64_t)s->addr, out_off = (int64_t)s->off;
    struct file *in = take_input(r), *out = r->file;
    if (tees && (in_off || out_off))
        return -EINVAL;
    if (!in)
        return -EBADF;
    if (!s->len)
        return 0;
    bool refuses = s->op_flags & SPLICE_NONBLOCK || (in->flags | out->flags) & O_NONBLOCK;
    uint32_t in_before = at_once(in), out_before = in == out ? in_before : at_once(out);
    long n = splice_files(in, in_off == -1 || tees ? NULL : &in_off, out,
                          out_off == -1 || tees ? NULL : &out_off, s->len,
                          (s->op_flags & ~SPLICE_FIXED_IN) | SPLICE_NONBLOCK, tees);
    in->flags = in_before;
    out->flags = out_before;
    bool filled = !in->ops->poll || in->ops->poll(in) & READABLE;
    bool room = !out->ops->poll || out->ops->poll(out) & WRITABLE;
    r->waits_for_input = in->ops->poll && (!filled || room); /* somebody may be taking it */
    return wait_unless(whole(r, n, s->len), refuses);
}

#define MSG_RING_CQE_SKIP 1u
#define MSG_RING_FLAGS_PASS 2u

static long message_ring(struct request *r) {
    const struct sqe *s = &r->sqe;
    struct uring *to = uring_of(r->file);
    if (!to || to->disabled)
        return -EBADFD;
    if (s->op_flags & ~(MSG_RING_CQE_SKIP | MSG_RING_FLAGS_PASS))
        return -EINVAL;
    if (s->addr == 0) { /* data */
        if (s->file_index && !(s->op_flags & MSG_RING_FLAGS_PASS))
            return -EINVAL;
        uring_post(to, s->off, (int32_t)s->len,
                   s->op_flags & MSG_RING_FLAGS_PASS ? s->file_index : 0);
        return 0;
    }
    if (s->addr != 1)
        return -EINVAL;
    struct file *f = uring_file(r->ring, (uint32_t)s->addr3); /* a fixed file of ours */
    if (!f)
        return -EBADF;
    uint32_t index = s->file_index == FILE_INDEX_ALLOC ? s->file_index : s->file_index - 1;
    long result = uring_install(to, file_get(f), index);
    if (result >= 0 && !(s->op_flags & MSG_RING_CQE_SKIP))
        uring_post(to, s->off, result, 0);
    return result;
}

static long install_fd(struct request *r) {
    if (!(r->sqe.flags & SQE_FIXED_FILE))
        return -EBADF;
    if (r->sqe.op_flags & ~1u) /* IORING_FIXED_FD_NO_CLOEXEC */
        return -EINVAL;
    int fd = fd_install(file_get(r->file), 0, !(r->sqe.op_flags & 1u));
    if (fd < 0)
        file_put(r->file);
    return fd;
}

static long cancel(struct request *r) {
    const struct sqe *s = &r->sqe;
    uint64_t key = s->op_flags & CANCEL_OP ? s->len : s->addr;
    return uring_cancel(r->ring, r, key, s->fd, s->op_flags);
}

/* ---- the table ---------------------------------------------------------------------------- */

enum needs { NO_FILE, A_FILE };

static long run_path(struct request *r) {
    const struct sqe *s = &r->sqe;
    unsigned long dir = (unsigned long)s->fd, to = s->len;
    switch (s->opcode) {
    case OP_STATX:
        return sys_statx(dir, s->addr, s->op_flags, s->len, s->off, 0);
    case OP_UNLINKAT:
        return sys_unlinkat(dir, s->addr, s->op_flags, 0, 0, 0);
    case OP_MKDIRAT:
        return sys_mkdirat(dir, s->addr, s->len, 0, 0, 0);
    case OP_RENAMEAT:
        return sys_renameat2(dir, s->addr, to, s->off, s->op_flags, 0);
    case OP_SYMLINKAT:
        return sys_symlinkat(s->addr, dir, s->off, 0, 0, 0);
    default:
        return sys_linkat(dir, s->addr, to, s->off, s->op_flags, 0);
    }
}

static long run_file(struct request *r) {
    const struct sqe *s = &r->sqe;
    switch (s->opcode) {
    case OP_FSYNC:
        if (s->op_flags & ~1u) /* IORING_FSYNC_DATASYNC */
            return -EINVAL;
        return WITH_FILE(r, sys_fsync(FD_BORROWED, 0, 0, 0, 0, 0));
    case OP_SYNC_FILE_RANGE:
        return s->op_flags & ~7u ? -EINVAL : r->file->ops->seek ? 0 : -ESPIPE;
    case OP_FALLOCATE:
        return WITH_FILE(r, sys_fallocate(FD_BORROWED, s->len, s->off, s->addr, 0, 0));
    case OP_FTRUNCATE:
        if (s->addr || s->len)
            return -EINVAL;
        return WITH_FILE(r, sys_ftruncate(FD_BORROWED, s->off, 0, 0, 0, 0));
    case OP_FADVISE:
        return WITH_FILE(r, sys_fadvise64(FD_BORROWED, s->off, s->len, s->op_flags, 0, 0));
    case OP_SHUTDOWN:
        return WITH_FILE(r, sys_shutdown(FD_BORROWED, s->len, 0, 0, 0, 0));
    case OP_BIND:
        return WITH_FILE(r, sys_bind(FD_BORROWED, s->addr, (uint32_t)s->off, 0, 0, 0));
    default:
        return WITH_FILE(r, sys_listen(FD_BORROWED, s->len, 0, 0, 0, 0));
    }
}

static long run_bare(struct request *r) {
    const struct sqe *s = &r->sqe;
    switch (s->opcode) {
    case OP_SOCKET:
        return place(r, sys_socket((unsigned long)s->fd, s->off, s->len, 0, 0, 0));
    case OP_FILES_UPDATE:
        return uring_files_update(r->ring, (uint32_t)s->off, s->addr, s->len, false);
    case OP_EPOLL_CTL:
        return sys_epoll_ctl((unsigned long)s->fd, s->len, s->off, s->addr, 0, 0);
    case OP_MADVISE:
        return sys_madvise(s->addr, s->len ? s->len : s->off, s->op_flags, 0, 0, 0);
    default: /* OP_NOP */
        return s->op_flags & 1 ? (int32_t)s->len : 0;
    }
}

static const struct {
    long (*run)(struct request *r);
    uint8_t needs; /* enum needs */
    uint16_t events;
} table[OPS] = {
    [OP_NOP] = {run_bare, NO_FILE, 0},
    [OP_READV] = {run_transfer, A_FILE, READABLE},
    [OP_WRITEV] = {run_transfer, A_FILE, WRITABLE},
    [OP_FSYNC] = {run_file, A_FILE, 0},
    [OP_READ_FIXED] = {run_transfer, A_FILE, READABLE},
    [OP_WRITE_FIXED] = {run_transfer, A_FILE, WRITABLE},
    [OP_POLL_ADD] = {poll_add, A_FILE, 0},
    [OP_POLL_REMOVE] = {poll_remove, NO_FILE, 0},
    [OP_SYNC_FILE_RANGE] = {run_file, A_FILE, 0},
    [OP_SENDMSG] = {send, A_FILE, WRITABLE},
    [OP_RECVMSG] = {receive, A_FILE, READABLE},
    [OP_TIMEOUT] = {timeout, NO_FILE, 0},
    [OP_TIMEOUT_REMOVE] = {timeout_remove, NO_FILE, 0},
    [OP_ACCEPT] = {accept_one, A_FILE, READABLE},
    [OP_ASYNC_CANCEL] = {cancel, NO_FILE, 0},
    [OP_LINK_TIMEOUT] = {link_timeout, NO_FILE, 0},
    [OP_CONNECT] = {connect, A_FILE, WRITABLE},
    [OP_FALLOCATE] = {run_file, A_FILE, 0},
    [OP_OPENAT] = {open_at, NO_FILE, 0},
    [OP_CLOSE] = {close_one, NO_FILE, 0},
    [OP_FILES_UPDATE] = {run_bare, NO_FILE, 0},
    [OP_STATX] = {run_path, NO_FILE, 0},
    [OP_READ] = {run_transfer, A_FILE, READABLE},
    [OP_WRITE] = {run_transfer, A_FILE, WRITABLE},
    [OP_FADVISE] = {run_file, A_FILE, 0},
    [OP_MADVISE] = {run_bare, NO_FILE, 0},
    [OP_SEND] = {send, A_FILE, WRITABLE},
    [OP_RECV] = {receive, A_FILE, READABLE},
    [OP_OPENAT2] = {open_at, NO_FILE, 0},
    [OP_EPOLL_CTL] = {run_bare, NO_FILE, 0},
    [OP_SPLICE] = {splice_one, A_FILE, READABLE | WRITABLE},
    [OP_PROVIDE_BUFFERS] = {provide_buffers, NO_FILE, 0},
    [OP_REMOVE_BUFFERS] = {remove_buffers, NO_FILE, 0},
    [OP_TEE] = {splice_one, A_FILE, READABLE | WRITABLE},
    [OP_SHUTDOWN] = {run_file, A_FILE, 0},
    [OP_RENAMEAT] = {run_path, NO_FILE, 0},
    [OP_UNLINKAT] = {run_path, NO_FILE, 0},
    [OP_MKDIRAT] = {run_path, NO_FILE, 0},
    [OP_SYMLINKAT] = {run_path, NO_FILE, 0},
    [OP_LINKAT] = {run_path, NO_FILE, 0},
    [OP_MSG_RING] = {message_ring, A_FILE, 0},
    [OP_SOCKET] = {run_bare, NO_FILE, 0},
    [OP_URING_CMD] = {command, A_FILE, 0},
    [OP_SEND_ZC] = {send_zero_copy, A_FILE, WRITABLE},
    [OP_SENDMSG_ZC] = {send_zero_copy, A_FILE, WRITABLE},
    [OP_READ_MULTISHOT] = {run_transfer, A_FILE, READABLE},
    [OP_FIXED_FD_INSTALL] = {install_fd, A_FILE, 0},
    [OP_FTRUNCATE] = {run_file, A_FILE, 0},
    [OP_BIND] = {run_file, A_FILE, 0},
    [OP_LISTEN] = {run_file, A_FILE, 0},
};

bool uring_supported(unsigned op) {
    return op < OPS && table[op].run;
}

unsigned uring_events(const struct request *r) {
    return r->sqe.opcode == OP_POLL_ADD ? r->sqe.op_flags | POLLRDHUP : table[r->sqe.opcode].events;
}

/* The file that the request names, which it keeps until it is done. */
static long take_file(struct request *r) {
    if (r->file)
        return 0;
    struct file *f = r->sqe.flags & SQE_FIXED_FILE ? uring_file(r->ring, (uint32_t)r->sqe.fd)
                                                   : fd_get(r->sqe.fd);
    if (!f)
        return -EBADF;
    if (r->sqe.flags & SQE_FIXED_FILE)
        file_get(f);
    r->file = f;
    return f->flags & O_PATH ? -EBADF : 0;
}

/* Flags of a socket's request, or the class and level of a transfer, which change nothing. */
static bool good_priority(const struct request *r) {
    long (*run)(struct request *) = table[r->sqe.opcode].run;
    unsigned class = r->sqe.ioprio >> 13, level = r->sqe.ioprio & 0x1fff;
    if (run == receive)
        return !(r->sqe.ioprio & ~(POLL_FIRST | RECV_MULTISHOT));
    if (run == accept_one)
        return !(r->sqe.ioprio & ~(ACCEPT_MULTISHOT | ACCEPT_POLL_FIRST));
    if (run == send || run == send_zero_copy)
        return !(r->sqe.ioprio & ~(run == send ? POLL_FIRST : POLL_FIRST | SEND_ZC_FLAGS));
    return !r->sqe.ioprio || (run == run_transfer && class - 1 < 3 && level < 8);
}

long uring_check(const struct request *r) {
    unsigned op = r->sqe.opcode;
    if (r->sqe.flags & ~SQE_FLAGS || !uring_supported(op) || !good_priority(r))
        return -EINVAL;
    bool selects = op == OP_READ || op == OP_RECV || op == OP_READ_MULTISHOT;
    return r->sqe.flags & SQE_BUFFER_SELECT && !selects ? -EOPNOTSUPP : 0;
}

long uring_run(struct request *r) {
    long error = table[r->sqe.opcode].needs == A_FILE ? take_file(r) : 0;
    return error ? error : table[r->sqe.opcode].run(r);
}
