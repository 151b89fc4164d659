/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sockets as files, and the data and control parts of messages.
 */
#include "net/socket.h"

#include "clock/clock.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/user.h"

/* ---- messages ------------------------------------------------------------ */

size_t message_next(const struct message *m, vaddr_t *at) {
    size_t offset = m->done;
    for (unsigned i = 0; i < m->count; i++) {
        if (offset < m->pieces[i].size) {
            *at = m->pieces[i].base + offset;
            return m->pieces[i].size - offset;
        }
        offset -= m->pieces[i].size;
    }
    return 0;
}

static int move(struct message *m, void *kernel, size_t size, bool in) {
    char *p = kernel;
    vaddr_t at;
    while (size) {
        size_t n = MIN(size, message_next(m, &at));
        if (!n)
            break;
        if (in ? user_read(p, at, n) : user_write(at, p, n))
            return -EFAULT;
        m->done += n;
        p += n;
        size -= n;
    }
    return 0;
}

int message_get(struct message *m, void *dst, size_t size) {
    return move(m, dst, size, true);
}

int message_put(struct message *m, const void *src, size_t size) {
    return move(m, (void *)(uintptr_t)src, size, false);
}

struct cmsghdr {   /* Linux's */
    uint64_t size; /* with this header */
    int32_t level, type;
};

size_t message_put_control(struct message *m, int level, int type, const void *data, size_t size) {
    size_t room = m->control_room - m->control_used;
    vaddr_t at = m->control_out + m->control_used;
    if (!m->control_out || room < sizeof(struct cmsghdr)) {
        m->flags_out |= MSG_CTRUNC;
        return 0;
    }
    size_t fits = MIN(size, room - sizeof(struct cmsghdr));
    if (fits < size)
        m->flags_out |= MSG_CTRUNC;
    struct cmsghdr h = {sizeof h + fits, level, type};
    if (user_write(at, &h, sizeof h) || user_write(at + sizeof h, data, fits)) {
        m->flags_out |= MSG_CTRUNC;
        return 0;
    }
    m->control_used += MIN(room, ALIGN_UP(sizeof h + fits, sizeof(uint64_t)));
    return fits;
}

bool message_next_control(const struct message *m, struct control *c, int *error) {
    struct cmsghdr h;
    *error = 0;
    if (c->at > m->control_size || m->control_size - c->at < sizeof h)
        return false;
    memcpy(&h, (const char *)m->control + c->at, sizeof h);
    if (h.size < sizeof h || h.size > m->control_size - c->at) {
        *error = -EINVAL;
        return false;
    }
    c->level = h.level;
    c->type = h.type;
    c->data = (const char *)m->control + c->at + sizeof h;
    c->size = h.size - sizeof h;
    c->at += ALIGN_UP(h.size, sizeof(uint64_t));
    return true;
}

/* ---- sockets ------------------------------------------------------------- */

void socket_init(struct socket *s, const struct socket_ops *ops, uint16_t family, uint16_t type,
                 int protocol) {
    static uint64_t last;
    s->ops = ops;
    list_init(&s->changed.head);
    s->number = ++last;
    s->family = family;
    s->type = type;
    s->protocol = protocol;
    s->send_buffer = s->receive_buffer = SOCKET_BUFFER;
    s->linger = -1;
    s->low_water = 1;
    s->peek_offset = -1;
}

int socket_take_error(struct socket *s) {
    int error = s->error;
    s->error = 0;
    return -error;
}

void socket_peeked(struct socket *s, const struct message *m, size_t size) {
    int32_t by = (int32_t)size, at = s->peek_offset;
    if (at >= 0)
        s->peek_offset = m->flags & MSG_PEEK ? at + MIN(by, INT32_MAX - at) : MAX(at - by, 0);
}

/* ---- as files ------------------------------------------------------------ */

static struct socket *of(struct file *f) {
    return f->data;
}

static uint64_t deadline_of(const struct file *f, uint64_t timeout) {
    if (f->flags & O_NONBLOCK)
        return 0;
    return timeout ? clock_monotonic() + timeout : UINT64_MAX;
}

/* Of read and write: all but the address's bytes, of which there are none. */
static void message_begin(struct message *m, const struct io_piece *pieces, unsigned count,
                          uint64_t deadline) {
    m->pieces = pieces;
    m->count = count;
    m->size = m->done = 0;
    for (unsigned i = 0; i < count; i++)
        m->size += pieces[i].size;
    m->flags = m->flags_out = 0;
    m->deadline = deadline;
    m->peer.size = 0;
    m->control = NULL;
    m->control_size = m->control_room = m->control_used = 0;
    m->control_out = 0;
}

static long socket_readv(struct file *f, const struct io_piece *pieces, unsigned count,
                         uint64_t *pos) {
    (void)pos;
    struct message m;
    message_begin(&m, pieces, count, deadline_of(f, of(f)->receive_timeout));
    return m.size ? of(f)->ops->receive(of(f), &m) : 0; /* as Linux: whatever there is */
}

static long socket_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct io_piece piece = {buf, size};
    return socket_readv(f, &piece, 1, pos);
}

static long socket_writev(struct file *f, const struct io_piece *pieces, unsigned count,
                          uint64_t *pos) {
    (void)pos;
    struct message m;
    message_begin(&m, pieces, count, deadline_of(f, of(f)->send_timeout));
    long done = of(f)->ops->send(of(f), &m);
    if (done == -EPIPE && of(f)->type == SOCK_STREAM)
        signal_broken_pipe();
    return done;
}

static long socket_write(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct io_piece piece = {buf, size};
    return socket_writev(f, &piece, 1, pos);
}

static int socket_info(struct file *f, struct file_info *out) {
    *out = (struct file_info){
        .inode = of(f)->number, .device = 8, .mode = S_IFSOCK | 0777, .links = 1};
    return 0;
}

static unsigned socket_poll(struct file *f) {
    return of(f)->ops->poll(of(f));
}

static struct wait_queue *socket_wait(struct file *f) {
    return &of(f)->changed;
}

static long socket_readable(struct file *f) {
    return of(f)->ops->readable ? of(f)->ops->readable(of(f)) : -ENOTTY;
}

static long socket_ioctl(struct file *f, unsigned long request, vaddr_t arg) {
    long done = of(f)->ops->ioctl ? of(f)->ops->ioctl(of(f), request, arg) : -ENOTTY;
    return done == -ENOTTY && interface_ioctl ? interface_ioctl(request, arg) : done;
}

static void socket_close(struct file *f) {
    of(f)->ops->close(of(f));
}

static const struct file_ops socket_file_ops = {
    .read = socket_read,
    .readv = socket_readv,
    .write = socket_write,
    .writev = socket_writev,
    .info = socket_info,
    .poll = socket_poll,
    .wait = socket_wait,
    .readable = socket_readable,
    .ioctl = socket_ioctl,
    .close = socket_close,
};

struct socket *socket_of(struct file *f) {
    return f->ops == &socket_file_ops ? f->data : NULL;
}

struct file *socket_file(struct socket *s, uint32_t flags) {
    struct file *f = file_new(&socket_file_ops, O_RDWR | flags, s);
    if (!f)
        s->ops->close(s);
    return f;
}
