/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sockets of AF_UNIX: messages, and the descriptors and credentials that go
 * with them.
 *
 * A message lies in one object of the heap, and what is too long for it in a
 * chain of frames.  It is charged to its sender until it is read: a sender
 * whose messages take as much as SO_SNDBUF waits.
 */
#include "net/unix_impl.h"

#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/user.h"

#define FDS_MAX 253u           /* Linux's SCM_MAX_FD */
#define STREAM_MAX (32u << 10) /* bytes of one message of a stream, as on Linux */
#define OVERHEAD 512u          /* what a message costs beside its bytes */
#define READABLE (POLLIN | POLLRDNORM)
#define WRITABLE (POLLOUT | POLLWRNORM | POLLWRBAND)

struct more { /* a frame */
    struct more *next;
    uint8_t bytes[PAGE_SIZE - sizeof(struct more *)];
};

struct unix_message {
    struct list node;
    struct unix_socket *from; /* with a reference; charged */
    struct file **files;      /* file_count of them, with references */
    uint32_t file_count;
    bool peeked; /* and it is empty: the next look is at what follows */
    struct socket_credentials who;
    uint32_t at, size; /* [at, size) is not read yet */
    struct more *more; /* what follows bytes[] */
    uint8_t bytes[];
};
#define INLINE_MAX (PAGE_SIZE - sizeof(struct unix_message))

/* ---- messages --------------------------------------------------------------------------- */

static size_t inline_size(size_t size) {
    return MIN(size, INLINE_MAX);
}

static size_t charge(const struct unix_message *x) {
    return x->size + OVERHEAD;
}

/* The last reference may sleep (SO_LINGER), and x be read to its end meanwhile. */
static void files_free(struct unix_message *x) {
    struct file **files = x->files;
    uint32_t count = x->file_count;
    x->files = NULL;
    x->file_count = 0;
    for (uint32_t i = 0; i < count; i++)
        file_put(files[i]);
    heap_free(files, FDS_MAX * sizeof *files);
}

bool unix_writable(const struct unix_socket *u) {
    const struct unix_socket *to = u->socket.type == SOCK_DGRAM ? u->peer : NULL;
    if (to && to->peer != u && to->queued > to->backlog)
        return false;
    return u->state != UNIX_LISTENING && u->sent * 4 <= (size_t)u->socket.send_buffer;
}

static void message_free(struct unix_message *x) {
    struct unix_socket *from = x->from;
    if (from) {
        from->sent -= charge(x);
        if (!from->closed && unix_writable(from))
            wake_events(&from->socket.changed, WRITABLE);
        unix_put(from);
    }
    for (struct more *m = x->more, *next; m; m = next) {
        next = m->next;
        frame_free(virt_to_phys(m));
    }
    files_free(x);
    heap_free(x, sizeof *x + inline_size(x->size));
}

/* Room for `size` bytes; NULL: no memory. */
static struct unix_message *message_new(size_t size) {
    struct unix_message *x = heap_alloc(sizeof *x + inline_size(size));
    if (!x)
        return NULL;
    x->size = (uint32_t)size;
    struct more **last = &x->more;
    for (size_t room = inline_size(size); room < size; room += sizeof x->more->bytes) {
        paddr_t frame = frame_alloc();
        if (!frame) {
            message_free(x);
            return NULL;
        }
        *last = phys_to_virt(frame);
        (*last)->next = NULL;
        last = &(*last)->next;
    }
    return x;
}

/* Copies bytes [at, at + size) of it from or to the app. */
static int copy(struct unix_message *x, struct message *m, size_t at, size_t size, bool in) {
    size_t start = 0, length = inline_size(x->size);
    uint8_t *bytes = x->bytes;
    struct more *next = x->more;
    int error = 0;
    while (size && !error) {
        if (at < start + length) {
            size_t n = MIN(size, start + length - at);
            uint8_t *p = bytes + (at - start);
            error = in ? message_get(m, p, n) : message_put(m, p, n);
            at += n;
            size -= n;
            continue;
        }
        start += length;
        bytes = next->bytes;
        length = sizeof next->bytes;
        next = next->next;
    }
    return error;
}

/* The first message goes. */
static void consume(struct unix_socket *u, struct unix_message *x) {
    bool full = u->queued > u->backlog;
    list_remove(&x->node);
    u->queued--;
    message_free(x);
    if (u->socket.type != SOCK_DGRAM || !full || u->queued > u->backlog)
        return;
    wake_all(&u->room);
    list_for_each (node, &u->senders)
        wake_events(&list_entry(node, struct unix_socket, sends_to)->socket.changed, WRITABLE);
}

static struct unix_message *first(const struct unix_socket *u) {
    struct list *node = list_first(&u->queue);
    return node ? list_entry(node, struct unix_message, node) : NULL;
}

void unix_purge(struct unix_socket *u) {
    for (struct unix_message *x; (x = first(u));)
        consume(u, x);
}

/* ---- what goes with a message ---------------------------------------------------------------- */

static int take_files(struct unix_message *x, const struct control *c) {
    size_t count = c->size / sizeof(int);
    if (x->file_count + count > FDS_MAX)
        return -EINVAL;
    if (count && !x->files && !(x->files = heap_alloc(FDS_MAX * sizeof *x->files)))
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, (const char *)c->data + i * sizeof fd, sizeof fd);
        struct file *f = fd_get(fd);
        if (!f)
            return -EBADF;
        x->files[x->file_count++] = f;
    }
    return 0;
}

static int take_credentials(struct unix_message *x, const struct control *c) {
    struct socket_credentials who;
    if (c->size != sizeof who)
        return -EINVAL;
    memcpy(&who, c->data, sizeof who);
    if (!x->who.uid ? who.pid != x->who.pid
                    : who.pid != x->who.pid || who.uid != x->who.uid || who.gid != x->who.gid)
        return x->who.uid ? -EPERM : -ESRCH;
    x->who = who;
    return 0;
}

/* Reads the control messages of a send into x; -errno. */
static int take_control(struct unix_message *x, const struct message *m) {
    struct control c = {.at = 0};
    int error;
    while (message_next_control(m, &c, &error)) {
        if (c.level != SOL_SOCKET)
            continue;
        error = c.type == SCM_RIGHTS        ? take_files(x, &c)
                : c.type == SCM_CREDENTIALS ? take_credentials(x, &c)
                                            : -EINVAL;
        if (error)
            break;
    }
    return error;
}

/* Descriptors for the files of a message, as many as there is room for. */
static void give_files(struct unix_message *x, struct message *m) {
    int fds[FDS_MAX];
    size_t room = m->control_out ? m->control_room - m->control_used : 0, count = 0;
    size_t most = room > CONTROL_HEADER ? (room - CONTROL_HEADER) / sizeof(int) : 0;
    for (; count < MIN(most, (size_t)x->file_count); count++) {
        struct file *f = file_get(x->files[count]);
        fds[count] = fd_install(f, 0, m->flags & MSG_CMSG_CLOEXEC);
        if (fds[count] < 0) {
            file_put(f);
            break;
        }
    }
    if (count < x->file_count)
        m->flags_out |= MSG_CTRUNC;
    if (count)
        message_put_control(m, SOL_SOCKET, SCM_RIGHTS, fds, count * sizeof fds[0]);
}

/* Credentials once, of the first message. */
static void give_control(const struct unix_socket *u, struct unix_message *x, struct message *m,
                         bool first) {
    if (first && u->socket.pass_credentials)
        message_put_control(m, SOL_SOCKET, SCM_CREDENTIALS, &x->who, sizeof x->who);
    if (x->file_count)
        give_files(x, m);
}

static void give_name(const struct unix_message *x, struct message *m) {
    if (x->from && x->from->name)
        m->peer = *x->from->name;
}

/* ---- sending ----------------------------------------------------------------------------------
 */

/* Makes the next `size` bytes a message; NULL: *error. */
static struct unix_message *message_make(struct unix_socket *u, struct message *m, size_t size,
                                         long *error) {
    struct unix_message *x = message_new(size);
    size_t before = m->done;
    *error = x ? copy(x, m, 0, size, true) : -ENOBUFS;
    if (*error) {
        m->done = before; /* what was copied of it goes nowhere */
        if (x)
            message_free(x);
        return NULL;
    }
    x->from = unix_get(u);
    u->sent += charge(x);
    return x;
}

static void deliver(struct unix_socket *to, struct unix_message *x) {
    list_push_back(&to->queue, &x->node);
    to->queued++;
    wake_events(&to->socket.changed, READABLE);
}

/* Waits until the messages from here leave room. */
static long wait_room(struct unix_socket *u, uint64_t deadline) {
    while (u->sent >= (size_t)u->socket.send_buffer) {
        int error = deadline ? wait_on(&u->socket.changed, deadline) : -EAGAIN;
        if (error)
            return error == -ETIMEDOUT ? -EAGAIN : error;
        error = socket_take_error(&u->socket);
        if (error)
            return error;
        if (u->write_closed)
            return -EPIPE;
    }
    return 0;
}

static void hand_over(struct unix_message *from, struct unix_message *to) {
    to->who = from->who;
    to->files = from->files;
    to->file_count = from->file_count;
    from->files = NULL;
    from->file_count = 0;
}

static bool takes_no_more(const struct unix_socket *to) {
    return to->closed || to->read_closed;
}

static long send_stream(struct unix_socket *u, struct message *m) {
    struct unix_message carrier = {.who = socket_caller()};
    long error = take_control(&carrier, m);
    if (!error && m->flags & MSG_OOB)
        error = -EOPNOTSUPP;
    if (!error && m->peer.size)
        error = u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    else if (!error && !u->peer)
        error = -ENOTCONN;
    if (!error && u->write_closed)
        error = -EPIPE;
    while (!error && message_left(m)) {
        error = wait_room(u, m->deadline);
        if (!error && (u->write_closed || takes_no_more(u->peer)))
            error = -EPIPE;
        if (error)
            break;
        size_t size =
            MIN(message_left(m), MIN((size_t)STREAM_MAX, (size_t)u->socket.send_buffer / 2));
        struct unix_message *x = message_make(u, m, size, &error);
        if (!x)
            break;
        hand_over(&carrier, x); /* descriptors go with the first part */
        deliver(u->peer, x);
    }
    files_free(&carrier);
    return m->done ? (long)m->done : error;
}

/* To whom: the address, or else the peer; with a reference. */
static struct unix_socket *receiver(struct unix_socket *u, struct message *m, long *error) {
    if (m->peer.size)
        return unix_find(&m->peer, u->socket.type, error);
    *error = u->peer ? 0 : -ENOTCONN;
    return u->peer ? unix_get(u->peer) : NULL;
}

/* Waits until `to` has room for one more. */
static long wait_queue_room(struct unix_socket *u, struct unix_socket *to, uint64_t deadline) {
    while (to != u && to->peer != u && to->queued > to->backlog && !takes_no_more(to)) {
        int error = deadline ? wait_on(&to->room, deadline) : -EAGAIN;
        if (error)
            return error == -ETIMEDOUT ? -EAGAIN : error;
    }
    return 0;
}

static long check_receiver(struct unix_socket *u, struct unix_socket *to) {
    bool connected = u->socket.type == SOCK_SEQPACKET;
    if (to->closed && !connected) {
        if (u->peer != to)
            return -ECONNREFUSED;
        unix_disconnect(u);
        return -ECONNREFUSED;
    }
    if (takes_no_more(to))
        return -EPIPE;
    return connected || unix_may_send(u, to) ? 0 : -EPERM;
}

/* `carrier` has what goes along. */
static long send_to(struct unix_socket *u, struct unix_socket *to, struct message *m,
                    struct unix_message *carrier) {
    long error = wait_room(u, m->deadline);
    struct unix_message *x = error ? NULL : message_make(u, m, m->size, &error);
    if (!x)
        return error;
    error = check_receiver(u, to);
    if (!error)
        error = wait_queue_room(u, to, m->deadline);
    if (!error)
        error = check_receiver(u, to);
    if (error) {
        message_free(x);
        return error;
    }
    hand_over(carrier, x);
    deliver(to, x);
    return (long)m->size;
}

static long send_packet(struct unix_socket *u, struct message *m) {
    struct unix_message carrier = {.who = socket_caller()};
    struct unix_socket *to = NULL;
    long result = take_control(&carrier, m);
    if (!result && m->flags & MSG_OOB)
        result = -EOPNOTSUPP;
    if (!result && u->socket.type == SOCK_SEQPACKET) {
        m->peer.size = 0;
        result = u->state == UNIX_CONNECTED ? 0 : -ENOTCONN;
    }
    if (!result)
        result = unix_autobind(u);
    if (!result && m->size > (size_t)u->socket.send_buffer - 32)
        result = -EMSGSIZE;
    if (!result && u->write_closed)
        result = -EPIPE;
    if (!result)
        to = receiver(u, m, &result);
    if (to) {
        result = send_to(u, to, m, &carrier);
        unix_put(to);
    }
    files_free(&carrier);
    return result;
}

long unix_send(struct socket *s, struct message *m) {
    return s->type == SOCK_STREAM ? send_stream(unix_of(s), m) : send_packet(unix_of(s), m);
}

/* ---- receiving ---------------------------------------------------------------------------------
 */

/* The message that a receive begins in, and where in what is not read of it; NULL:
 * there is none yet. */
static struct unix_message *next_message(const struct unix_socket *u, const struct message *m,
                                         size_t *at) {
    bool ahead = m->flags & MSG_PEEK && u->socket.peek_offset >= 0;
    *at = socket_peek_at(&u->socket, m);
    list_for_each (node, &u->queue) {
        struct unix_message *x = list_entry(node, struct unix_message, node);
        size_t size = x->size - x->at;
        if (!ahead || *at < size || (!*at && !x->peeked))
            return x;
        *at -= size;
    }
    return NULL;
}

/* Waits for it; NULL: 0 at the end, or -errno. */
static struct unix_message *wait_message(struct unix_socket *u, const struct message *m, size_t *at,
                                         long *error) {
    struct unix_message *x;
    *error = 0;
    while (!(x = next_message(u, m, at))) {
        *error = socket_take_error(&u->socket);
        if (*error || u->read_closed)
            break;
        *error = m->deadline ? wait_on(&u->socket.changed, m->deadline) : -EAGAIN;
        if (*error) {
            *error = *error == -ETIMEDOUT ? -EAGAIN : *error;
            break;
        }
    }
    return x;
}

/* Copies what there is from byte `at` of a message on, over the borders of messages,
 * and of a message at least what goes with it; true: nothing more is to be added. */
static bool gather(struct unix_socket *u, struct unix_message *from, size_t at, struct message *m,
                   bool *named, long *error) {
    bool peek = m->flags & MSG_PEEK;
    struct list *node = &from->node;
    for (; node != &u->queue && (node == &from->node || message_left(m)); at = 0) {
        struct unix_message *x = list_entry(node, struct unix_message, node);
        size_t n = MIN(message_left(m), x->size - x->at - at);
        size_t before = m->done;
        if (copy(x, m, x->at + at, n, false)) {
            m->done = before;
            *error = -EFAULT;
            return true;
        }
        if (!*named)
            give_name(x, m);
        bool files = x->file_count != 0, whole = x->at + n == x->size;
        if (files || !*named)
            give_control(u, x, m, !*named);
        *named = true;
        node = node->next;
        socket_peeked(&u->socket, m, n);
        if (peek) {
            if (files)
                return true;
            continue;
        }
        x->at += (uint32_t)n;
        if (whole)
            consume(u, x);
        else
            files_free(x);
        if (!whole)
            return true;
        if (files)
            return true;
    }
    return peek;
}

static long receive_stream(struct unix_socket *u, struct message *m) {
    size_t least = m->flags & MSG_WAITALL ? m->size : MIN(m->size, (size_t)u->socket.low_water);
    bool named = false;
    struct unix_message *x;
    size_t at;
    long error;
    if (u->state != UNIX_CONNECTED)
        return -EINVAL;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    do {
        x = wait_message(u, m, &at, &error);
        if (!x || gather(u, x, at, m, &named, &error))
            break;
    } while (m->done < least);
    return m->done ? (long)m->done : error;
}

static long receive_packet(struct unix_socket *u, struct message *m) {
    bool connected = u->socket.type == SOCK_SEQPACKET, peek = m->flags & MSG_PEEK;
    size_t at;
    long error;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (connected && u->state != UNIX_CONNECTED)
        return -ENOTCONN;
    struct unix_message *x = wait_message(u, m, &at, &error);
    if (!x && !error && !m->deadline && !connected)
        return -EAGAIN;
    if (!x)
        return error;
    size_t left = x->size - at;
    if (copy(x, m, at, MIN(m->size, left), false))
        error = -EFAULT;
    if (!error) {
        give_name(x, m);
        give_control(u, x, m, true);
        m->flags_out |= m->size < left ? MSG_TRUNC : 0;
        socket_peeked(&u->socket, m, peek ? m->done : left);
    }
    if (peek)
        x->peeked = !x->size;
    else
        consume(u, x);
    return error ? error : (long)(m->flags & MSG_TRUNC ? left : m->done);
}

long unix_receive(struct socket *s, struct message *m) {
    return s->type == SOCK_STREAM ? receive_stream(unix_of(s), m) : receive_packet(unix_of(s), m);
}

/* ---- what there is
 * ------------------------------------------------------------------------------- */

long unix_readable(struct socket *s) {
    const struct unix_socket *u = unix_of(s);
    long sum = 0;
    if (u->state == UNIX_LISTENING)
        return -EINVAL;
    list_for_each (node, &u->queue) {
        const struct unix_message *x = list_entry(node, struct unix_message, node);
        sum += x->size - x->at;
        if (s->type == SOCK_DGRAM)
            break;
    }
    return sum;
}

#define SIOCOUTQ 0x5411u

long unix_ioctl(struct socket *s, unsigned long request, vaddr_t arg) {
    int sent = (int)unix_of(s)->sent;
    return request == SIOCOUTQ ? user_write(arg, &sent, sizeof sent) : -ENOTTY;
}
