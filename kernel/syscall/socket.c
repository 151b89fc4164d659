/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The socket calls, for every family (net/socket.h).
 *
 * Arguments are checked in Linux's order (net/socket.c there).
 */
#include "net/socket.h"

#include "app/app.h"
#include "clock/clock.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/process.h"
#include "syscall/syscall.h"
#include "syscall/time.h"

struct socket_credentials socket_caller(void) {
    return (struct socket_credentials){PROCESS_ID, process_user ? process_user() : 0,
                                       process_group ? process_group() : 0};
}

/* A descriptor's socket; *f has a reference.  NULL: *error. */
static struct socket *lookup(int fd, struct file **f, long *error) {
    *f = fd_get(fd);
    *error = *f ? 0 : -EBADF;
    if (!*f)
        return NULL;
    struct socket *s = (*f)->flags & O_PATH ? NULL : socket_of(*f);
    if (!s) {
        *error = (*f)->flags & O_PATH ? -EBADF : -ENOTSOCK;
        file_put(*f);
    }
    return s;
}

static uint64_t deadline_of(const struct file *f, uint64_t timeout, unsigned flags) {
    if (f->flags & O_NONBLOCK || flags & MSG_DONTWAIT)
        return 0;
    return timeout ? clock_monotonic() + timeout : UINT64_MAX;
}

static long address_read(struct socket_address *out, vaddr_t src, int size) {
    if (size < 0 || size > (int)SOCKET_ADDRESS_MAX)
        return -EINVAL;
    memset(out, 0, sizeof *out);
    out->size = (uint32_t)size;
    return user_read(out->bytes, src, out->size);
}

/* Cut at what the app has room for; the whole size is told. */
static long address_write(const struct socket_address *a, vaddr_t dst, vaddr_t size_at) {
    int room;
    if (user_read(&room, size_at, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    uint32_t n = MIN(a->size, (uint32_t)room);
    return user_write(dst, a->bytes, n) || user_write(size_at, &a->size, sizeof a->size) ? -EFAULT
                                                                                         : 0;
}

/* ---- making -------------------------------------------------------------- */

extern const struct socket_family *const socket_families_start[], *const socket_families_end[];

static const struct socket_family *family_of(int family) {
    for (const struct socket_family *const *f = socket_families_start; f < socket_families_end;
         f++) {
        if ((*f)->family == family)
            return *f;
    }
    return NULL;
}

static long check_type(int *type, uint32_t *flags) {
    *flags = (uint32_t)*type & ~15u;
    *type &= 15;
    return *flags & ~(O_NONBLOCK | O_CLOEXEC) ? -EINVAL : 0;
}

/* The image has no network, and the app wants it: the first time that is told. */
static void tell_absent(int family) {
    static bool told;
    if (told || (family != AF_INET && family != AF_INET6 && family != AF_NETLINK))
        return;
    told = true;
    uint32_t number = (uint32_t)thread_current()->call->number;
    const struct crash c = {.kind = CRASH_NOTICE, .number = number, .poll = true};
    crash_report(&c);
}

static long check_family(int family, int type, const struct socket_family **out) {
    if ((unsigned)family >= AF_MAX)
        return -EAFNOSUPPORT;
    if ((unsigned)type >= SOCK_TYPES)
        return -EINVAL;
    *out = family_of(family);
    if (*out)
        return 0;
    tell_absent(family);
    return -EAFNOSUPPORT;
}

static long install(struct socket *s, uint32_t flags) {
    struct file *f = socket_file(s, flags & O_NONBLOCK);
    if (!f)
        return -ENOMEM;
    int fd = fd_install(f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

SYSCALL_HANDLER(socket) {
    int type = (int)b;
    uint32_t flags;
    const struct socket_family *family;
    struct socket *s;
    long error = check_type(&type, &flags);
    if (!error)
        error = check_family((int)a, type, &family);
    if (!error)
        error = family->create(type, (int)c, &s);
    return error ? error : install(s, flags);
}

static int lowest_free(int from) {
    while (fd_next(from) == from)
        from++;
    return from;
}

SYSCALL_HANDLER(socketpair) {
    int type = (int)b, fds[2];
    uint32_t flags;
    const struct socket_family *family;
    struct socket *pair[2];
    long error = check_type(&type, &flags);
    if (!error && (user_read(fds, d, sizeof fds) || user_write(d, fds, sizeof fds)))
        error = -EFAULT; /* before the family is looked for */
    if (error)
        return error;
    error = check_family((int)a, type, &family);
    if (!error)
        error = family->pair ? family->pair(type, (int)c, pair) : -EOPNOTSUPP;
    if (error) {
        fds[0] = lowest_free(0), fds[1] = lowest_free(fds[0] + 1);
        (void)user_write(d, fds, sizeof fds); /* Linux has told them by then */
        return error;
    }
    fds[0] = (int)install(pair[0], flags);
    if (fds[0] < 0) {
        pair[1]->ops->close(pair[1]);
        return fds[0];
    }
    fds[1] = (int)install(pair[1], flags);
    if (fds[1] >= 0 && !user_write(d, fds, sizeof fds))
        return 0;
    fd_close(fds[0]);
    if (fds[1] < 0)
        return fds[1];
    fd_close(fds[1]);
    return -EFAULT;
}

/* ---- names and connections ----------------------------------------------- */

SYSCALL_HANDLER(bind) {
    struct file *file;
    struct socket_address address;
    long error;
    struct socket *s = lookup((int)a, &file, &error);
    if (!s)
        return error;
    error = address_read(&address, b, (int)c);
    if (!error)
        error = s->ops->bind ? s->ops->bind(s, &address) : -EOPNOTSUPP;
    file_put(file);
    return error;
}

SYSCALL_HANDLER(listen) {
    struct file *file;
    long error;
    struct socket *s = lookup((int)a, &file, &error);
    if (!s)
        return error;
    int backlog = (unsigned)b > 4096 ? 4096 : (int)b;
    error = s->ops->listen ? s->ops->listen(s, backlog) : -EOPNOTSUPP;
    file_put(file);
    return error;
}

static long accept_from(int fd, vaddr_t address, vaddr_t size, uint32_t flags) {
    struct file *file;
    struct socket *new;
    long error;
    struct socket *s = lookup(fd, &file, &error);
    if (flags & ~(O_NONBLOCK | O_CLOEXEC) && error != -EBADF) {
        if (s)
            file_put(file);
        return -EINVAL;
    }
    if (!s)
        return error;
    if (lowest_free(0) >= (int)fd_limit) /* the connection stays for a later call */
        error = -EMFILE;
    else
        error = s->ops->accept ? s->ops->accept(s, &new, deadline_of(file, s->receive_timeout, 0))
                               : -EOPNOTSUPP;
    file_put(file);
    if (error)
        return error;
    struct socket_address peer = {.size = 0};
    if (address && new->ops->name(new, true, &peer)) {
        new->ops->close(new);
        return -ECONNABORTED;
    }
    if (address) {
        error = address_write(&peer, address, size);
        if (error) {
            new->ops->close(new);
            return error;
        }
    }
    return install(new, flags);
}

SYSCALL_HANDLER(accept) {
    return accept_from((int)a, b, c, 0);
}

SYSCALL_HANDLER(accept4) {
    return accept_from((int)a, b, c, (uint32_t)d);
}

SYSCALL_HANDLER(connect) {
    struct file *file;
    struct socket_address address;
    long error;
    struct socket *s = lookup((int)a, &file, &error);
    if (error == -EBADF)
        return error;
    long bad = address_read(&address, b, (int)c);
    if (!s)
        return bad ? bad : error;
    error = bad;
    if (!error)
        error = s->ops->connect
                    ? s->ops->connect(s, &address, deadline_of(file, s->send_timeout, 0))
                    : -EOPNOTSUPP;
    file_put(file);
    return error;
}

static long name_of(int fd, bool peer, vaddr_t address, vaddr_t size) {
    struct file *file;
    struct socket_address name = {.size = 0};
    long error;
    struct socket *s = lookup(fd, &file, &error);
    if (!s)
        return error;
    error = s->ops->name(s, peer, &name);
    file_put(file);
    return error ? error : address_write(&name, address, size);
}

SYSCALL_HANDLER(getsockname) {
    return name_of((int)a, false, b, c);
}

SYSCALL_HANDLER(getpeername) {
    return name_of((int)a, true, b, c);
}

SYSCALL_HANDLER(shutdown) {
    struct file *file;
    long error;
    struct socket *s = lookup((int)a, &file, &error);
    if (!s)
        return error;
    error = (unsigned)b > SHUT_RDWR ? -EINVAL
            : s->ops->shutdown      ? s->ops->shutdown(s, (int)b)
                                    : -EOPNOTSUPP;
    file_put(file);
    return error;
}

/* ---- transfers ----------------------------------------------------------- */

static long send(struct file *f, struct socket *s, struct message *m) {
    m->deadline = deadline_of(f, s->send_timeout, m->flags);
    long done = s->ops->send(s, m);
    if (done == -EPIPE && s->type == SOCK_STREAM && !(m->flags & MSG_NOSIGNAL))
        signal_broken_pipe();
    return done;
}

static long receive(struct file *f, struct socket *s, struct message *m) {
    m->deadline = deadline_of(f, s->receive_timeout, m->flags);
    return s->ops->receive(s, m);
}

SYSCALL_HANDLER(sendto) {
    struct file *file;
    struct io_piece piece = {b, MIN(c, IO_MAX)};
    struct message m = {.pieces = &piece, .count = 1, .size = piece.size, .flags = (unsigned)d};
    long done;
    if (!user_range(b, piece.size))
        return -EFAULT;
    struct socket *s = lookup((int)a, &file, &done);
    if (!s)
        return done;
    done = e ? address_read(&m.peer, e, (int)f) : 0;
    if (!done)
        done = send(file, s, &m);
    file_put(file);
    return done;
}

SYSCALL_HANDLER(recvfrom) {
    struct file *file;
    struct io_piece piece = {b, MIN(c, IO_MAX)};
    struct message m = {.pieces = &piece, .count = 1, .size = piece.size, .flags = (unsigned)d};
    long done;
    if (!user_range(b, piece.size))
        return -EFAULT;
    struct socket *s = lookup((int)a, &file, &done);
    if (!s)
        return done;
    done = receive(file, s, &m);
    file_put(file);
    if (done >= 0 && e) {
        long error = address_write(&m.peer, e, f);
        if (error)
            return error;
    }
    return done;
}

struct msghdr { /* Linux's */
    uint64_t name;
    int32_t name_size, pad;
    uint64_t pieces, count, control, control_size;
    int32_t flags, pad2;
};
_Static_assert(sizeof(struct msghdr) == 56, "struct msghdr is an ABI");
#define MMSG_SIZE 64u /* a msghdr and the length that came of it */
#define FEW 8u        /* pieces that need no memory of their own */
#define CONTROL_MAX PAGE_SIZE

/* A msghdr, copied and checked; message_close gives its memory back. */
struct parts {
    struct msghdr h;
    struct message m;
    struct io_piece few[FEW];
    paddr_t pieces, control; /* frames */
    size_t piece_frames;
};

static void parts_close(struct parts *p) {
    for (size_t i = 0; p->pieces && i < p->piece_frames; i++)
        frame_free(p->pieces + i * PAGE_SIZE);
    if (p->control)
        frame_free(p->control);
}

static long parts_pieces(struct parts *p) {
    struct io_piece *pieces = p->few;
    if (p->h.count > IOV_MAX)
        return -EMSGSIZE;
    if (p->h.count > FEW) {
        p->piece_frames = ALIGN_UP(p->h.count * sizeof *pieces, PAGE_SIZE) / PAGE_SIZE;
        p->pieces = frame_find_run(p->piece_frames);
        if (!p->pieces)
            return -ENOMEM;
        pieces = phys_to_virt(p->pieces);
    }
    p->m.pieces = pieces;
    p->m.count = (unsigned)p->h.count;
    if (user_read(pieces, p->h.pieces, p->h.count * sizeof *pieces))
        return -EFAULT;
    for (unsigned i = 0; i < p->m.count; i++) {
        if ((int64_t)pieces[i].size < 0)
            return -EINVAL;
        if (!user_range(pieces[i].base, pieces[i].size))
            return -EFAULT;
        pieces[i].size = MIN(pieces[i].size, IO_MAX - p->m.size);
        p->m.size += pieces[i].size;
    }
    return 0;
}

static long parts_open(struct parts *p, vaddr_t at, bool sends) {
    p->pieces = p->control = 0;
    p->m = (struct message){.size = 0};
    if (user_read(&p->h, at, sizeof p->h))
        return -EFAULT;
    if (p->h.name && p->h.name_size < 0)
        return -EINVAL;
    int size = MIN(p->h.name_size, (int)SOCKET_ADDRESS_MAX);
    long error = sends && p->h.name && size ? address_read(&p->m.peer, p->h.name, size) : 0;
    if (!error)
        error = parts_pieces(p);
    if (!error && sends && p->h.control_size) {
        if (p->h.control_size > CONTROL_MAX || !(p->control = frame_alloc()))
            error = -ENOBUFS;
        else if (user_read(phys_to_virt(p->control), p->h.control, p->h.control_size))
            error = -EFAULT;
        p->m.control = phys_to_virt(p->control);
        p->m.control_size = p->h.control_size;
    }
    if (!sends) {
        p->m.control_out = p->h.control;
        p->m.control_room = MIN(p->h.control_size, (uint64_t)INT32_MAX);
    }
    if (error)
        parts_close(p);
    return error;
}

bool socket_vector(struct file *f, bool reads, vaddr_t iov, unsigned long count, long *done) {
    struct socket *s = socket_of(f);
    struct parts p = {.h = {.pieces = iov, .count = count}};
    if (!s)
        return false;
    *done = parts_pieces(&p);
    if (!*done)
        *done = reads ? receive(f, s, &p.m) : send(f, s, &p.m);
    parts_close(&p);
    return true;
}

static long send_one(struct file *f, struct socket *s, vaddr_t at, unsigned flags) {
    struct parts p;
    long done = parts_open(&p, at, true);
    if (done)
        return done;
    p.m.flags = flags;
    done = send(f, s, &p.m);
    parts_close(&p);
    return done;
}

static long receive_one(struct file *f, struct socket *s, vaddr_t at, unsigned flags) {
    struct parts p;
    long done = parts_open(&p, at, false);
    if (done)
        return done;
    p.m.flags = flags;
    done = receive(f, s, &p.m);
    parts_close(&p);
    if (done < 0)
        return done;
    /* msg_flags, msg_controllen and msg_namelen tell what there was. */
    uint64_t used = p.m.control_used;
    uint32_t told = p.m.flags_out | (flags & MSG_CMSG_CLOEXEC), size = p.m.peer.size;
    if (p.h.name && (user_write(p.h.name, p.m.peer.bytes, MIN(size, (uint32_t)p.h.name_size)) ||
                     user_write(at + offsetof(struct msghdr, name_size), &size, sizeof size)))
        return -EFAULT;
    if (user_write(at + offsetof(struct msghdr, flags), &told, sizeof told) ||
        user_write(at + offsetof(struct msghdr, control_size), &used, sizeof used))
        return -EFAULT;
    return done;
}

#define MSG_CMSG_COMPAT 0x80000000u /* for 32-bit programs */

SYSCALL_HANDLER(sendmsg) {
    if (c & MSG_CMSG_COMPAT)
        return -EINVAL;
    struct file *file;
    long done;
    struct socket *s = lookup((int)a, &file, &done);
    if (!s)
        return done;
    done = send_one(file, s, b, (unsigned)c);
    file_put(file);
    return done;
}

SYSCALL_HANDLER(recvmsg) {
    if (c & MSG_CMSG_COMPAT)
        return -EINVAL;
    struct file *file;
    long done;
    struct socket *s = lookup((int)a, &file, &done);
    if (!s)
        return done;
    done = receive_one(file, s, b, (unsigned)c);
    file_put(file);
    return done;
}

/* How many went through; an error only when it was the first, else it waits in
 * SO_ERROR (of a receive). */
static long several(int fd, vaddr_t at, unsigned long count, unsigned flags, bool sends,
                    uint64_t deadline) {
    struct file *file;
    long done = 0, i = 0;
    struct socket *s = lookup(fd, &file, &done);
    if (!s)
        return done;
    count = MIN(count, IOV_MAX);
    if (!sends && !(flags & MSG_ERRQUEUE))
        done = socket_take_error(s);
    for (; !done && (unsigned long)i < count; i++, at += MMSG_SIZE) {
        done = sends ? send_one(file, s, at, flags) : receive_one(file, s, at, flags);
        uint32_t length = (uint32_t)done;
        if (done < 0)
            break;
        done = user_write(at + sizeof(struct msghdr), &length, sizeof length);
        if (done < 0)
            break;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (deadline != UINT64_MAX && clock_monotonic() >= deadline) {
            i++;
            break;
        }
    }
    if (i && done < 0 && done != -EAGAIN && !sends)
        s->error = (int32_t)-done;
    file_put(file);
    return i ? i : done;
}

SYSCALL_HANDLER(sendmmsg) {
    if (d & MSG_CMSG_COMPAT)
        return -EINVAL;
    return several((int)a, b, (unsigned)c, (unsigned)d, true, UINT64_MAX);
}

SYSCALL_HANDLER(recvmmsg) {
    if (d & MSG_CMSG_COMPAT)
        return -EINVAL;
    uint64_t ns, deadline = UINT64_MAX;
    if (e) {
        long error = time_read(e, &ns);
        if (error)
            return error;
        deadline = time_deadline(ns);
    }
    long done = several((int)a, b, (unsigned)c, (unsigned)d, false, deadline);
    if (e && done > 0) {
        uint64_t now = clock_monotonic();
        if (time_write(e, deadline > now ? deadline - now : 0))
            return -EFAULT;
    }
    return done;
}

/* ---- options ------------------------------------------------------------- */

/* The options that are on or off; NULL: another. */
static bool *switch_of(struct socket *s, int name) {
    switch (name) {
    case SO_DEBUG:
        return &s->debug;
    case SO_REUSEADDR:
        return &s->reuse_address;
    case SO_REUSEPORT:
        return &s->reuse_port;
    case SO_KEEPALIVE:
        return &s->keep_alive;
    case SO_BROADCAST:
        return &s->broadcast;
    case SO_PASSCRED:
        return &s->pass_credentials;
    case SO_DONTROUTE:
        return &s->no_route;
    case SO_OOBINLINE:
        return &s->oob_inline;
    case SO_TIMESTAMP:
        return &s->timestamps;
    default:
        return NULL;
    }
}

static bool peeks_ahead(const struct socket *s) {
    return s->ops->peeks_ahead && s->type != SOCK_RAW;
}

static uint64_t *timeout_of(struct socket *s, int name) {
    return name == SO_RCVTIMEO   ? &s->receive_timeout
           : name == SO_SNDTIMEO ? &s->send_timeout
                                 : NULL;
}

#define BUFFER_MIN_SEND 4608    /* SOCK_MIN_SNDBUF */
#define BUFFER_MIN_RECEIVE 2304 /* SOCK_MIN_RCVBUF */

/* Doubled, and within bounds, as Linux does. */
static int32_t buffer_size(int value, int least) {
    unsigned size = MIN((unsigned)value, (unsigned)SOCKET_BUFFER) * 2;
    return MAX((int32_t)size, least);
}

static long set_timeout(uint64_t *out, const void *value, size_t size) {
    struct linux_timeval t;
    if (size < sizeof t)
        return -EINVAL;
    memcpy(&t, value, sizeof t);
    if (t.microseconds < 0 || t.microseconds >= 1000000)
        return -EDOM;
    /* As Linux: below zero is no waiting, which is the shortest there is. */
    *out = t.seconds < 0 ? 1
           : (uint64_t)t.seconds > INT64_MAX / TIME_SECOND - 1
               ? 0
               : (uint64_t)t.seconds * TIME_SECOND + (uint64_t)t.microseconds * 1000;
    return 0;
}

static long set_socket_option(struct socket *s, int name, const void *value, size_t size) {
    uint64_t *timeout = timeout_of(s, name);
    if (timeout)
        return set_timeout(timeout, value, size);
    int n[2] = {0, 0};
    if (size < sizeof n[0])
        return -EINVAL;
    memcpy(n, value, MIN(size, sizeof n));
    bool *on = switch_of(s, name);
    if (on) {
        *on = n[0];
        return 0;
    }
    switch (name) {
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
        s->send_buffer = buffer_size(n[0], BUFFER_MIN_SEND);
        return 0;
    case SO_RCVBUF:
    case SO_RCVBUFFORCE:
        s->receive_buffer = buffer_size(n[0], BUFFER_MIN_RECEIVE);
        return 0;
    case SO_LINGER:
        if (size < sizeof n)
            return -EINVAL;
        s->linger = n[0] ? n[1] : -1;
        return 0;
    case SO_PRIORITY:
        s->priority = n[0];
        return 0;
    case SO_RCVLOWAT:
        s->low_water = n[0] < 0 ? INT32_MAX : n[0] ? n[0] : 1;
        return 0;
    case SO_PEEK_OFF:
        if (!peeks_ahead(s))
            return -EOPNOTSUPP;
        s->peek_offset = n[0];
        return 0;
    case SO_NO_CHECK:
    case SO_BUSY_POLL:
        return 0;
    case SO_TYPE:
    case SO_PROTOCOL:
    case SO_DOMAIN:
    case SO_ERROR:
    case SO_ACCEPTCONN:
    case SO_SNDLOWAT:
        return -ENOPROTOOPT;
    default:
        return -ENOPROTOOPT;
    }
}

SYSCALL_HANDLER(setsockopt) {
    struct file *file;
    uint8_t value[256];
    size_t size = MIN((unsigned)e, (unsigned)sizeof value);
    long error;
    struct socket *s = lookup((int)a, &file, &error);
    if (!s)
        return error;
    error = (int)e < 0 ? -EINVAL : user_read(value, d, size);
    if (!error && (int)b == SOL_SOCKET) {
        error = set_socket_option(s, (int)c, value, size);
        if (s->ops->set_option && (!error || error == -ENOPROTOOPT)) {
            long more = s->ops->set_option(s, (int)b, (int)c, value, size);
            error = more == -ENOPROTOOPT ? error : more;
        }
    } else if (!error) {
        error =
            s->ops->set_option ? s->ops->set_option(s, (int)b, (int)c, value, size) : -ENOPROTOOPT;
    }
    file_put(file);
    return error;
}

/* Fills in an int, or more; -ENOPROTOOPT: the family may know. */
static long get_socket_option(struct socket *s, int name, void *value, size_t *size) {
    const uint64_t *timeout = timeout_of(s, name);
    const bool *on = switch_of(s, name);
    int n[2] = {0, 0};
    *size = sizeof n[0];
    if (timeout) {
        struct linux_timeval t = {(int64_t)(*timeout / TIME_SECOND),
                                  (int64_t)(*timeout % TIME_SECOND / 1000)};
        memcpy(value, &t, *size = sizeof t);
        return 0;
    }
    if (on) {
        n[0] = *on;
    } else {
        switch (name) {
        case SO_TYPE:
            n[0] = s->type;
            break;
        case SO_DOMAIN:
            n[0] = s->family;
            break;
        case SO_PROTOCOL:
            n[0] = s->protocol;
            break;
        case SO_ERROR:
            n[0] = -socket_take_error(s);
            break;
        case SO_ACCEPTCONN:
            n[0] = s->listening;
            break;
        case SO_SNDBUF:
            n[0] = s->send_buffer;
            break;
        case SO_RCVBUF:
            n[0] = s->receive_buffer;
            break;
        case SO_RCVLOWAT:
            n[0] = s->low_water;
            break;
        case SO_SNDLOWAT:
            n[0] = 1;
            break;
        case SO_PRIORITY:
            n[0] = s->priority;
            break;
        case SO_PEEK_OFF:
            if (!peeks_ahead(s))
                return -EOPNOTSUPP;
            n[0] = s->peek_offset;
            break;
        case SO_NO_CHECK:
        case SO_BUSY_POLL:
        case SO_INCOMING_CPU:
            break;
        case SO_LINGER:
            n[0] = s->linger >= 0;
            n[1] = MAX(s->linger, 0);
            *size = sizeof n;
            break;
        case SO_COOKIE:
            memcpy(value, &s->number, *size = sizeof s->number);
            return 0;
        default:
            return -ENOPROTOOPT;
        }
    }
    memcpy(value, n, *size);
    return 0;
}

SYSCALL_HANDLER(getsockopt) {
    struct file *file;
    uint8_t value[256];
    int room;
    size_t size = sizeof value;
    long error;
    struct socket *s = lookup((int)a, &file, &error);
    if (!s)
        return error;
    error = user_read(&room, e, sizeof room);
    if (!error && room < 0)
        error = -EINVAL;
    if (!error) {
        error = (int)b == SOL_SOCKET ? get_socket_option(s, (int)c, value, &size) : -ENOPROTOOPT;
        size = error ? sizeof value : size;
        if (error == -ENOPROTOOPT && s->ops->get_option)
            error = s->ops->get_option(s, (int)b, (int)c, value, &size);
    }
    file_put(file);
    if (error)
        return error;
    int told = MIN(room, (int)size);
    return user_write(d, value, (size_t)told) || user_write(e, &told, sizeof told) ? -EFAULT : 0;
}
