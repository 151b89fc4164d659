/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sockets of AF_UNIX (unix(7)): names and connections.  What they carry stands
 * in unix_data.c.
 *
 * A socket is counted: its file, sockets that have it as their peer, and the
 * messages that it sent refer to it.  Checks follow Linux's af_unix.c.
 */
#include "net/unix_impl.h"

#include "lib/align.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "vfs/inode.h"
#include "vfs/notify.h"

#define PATH_AT 2u /* offset of sun_path */
#define ADDRESS_MAX (PATH_AT + 108)
#define DATAGRAMS_MAX 10u /* Linux's net.unix.max_dgram_qlen */

static struct list bound = LIST_INIT(bound); /* by named */
static const struct socket_ops ops;

/* ---- counting ------------------------------------------------------------------------- */

static struct unix_socket *unix_new(uint16_t type) {
    struct unix_socket *u = heap_alloc(sizeof *u);
    if (!u)
        return NULL;
    socket_init(&u->socket, &ops, AF_UNIX, type, 0);
    wait_queue_init(&u->room, false);
    list_init(&u->named);
    list_init(&u->queue);
    list_init(&u->pending);
    list_init(&u->waits);
    list_init(&u->senders);
    list_init(&u->sends_to);
    u->refs = 1;
    u->backlog = DATAGRAMS_MAX;
    return u;
}

/* The name lasts as long as messages and a peer tell it. */
void unix_put(struct unix_socket *u) {
    if (--u->refs)
        return;
    heap_free(u->name, sizeof *u->name);
    heap_free(u, sizeof *u);
}

static void set_peer(struct unix_socket *u, struct unix_socket *peer) {
    struct unix_socket *old = u->peer;
    u->peer = peer ? unix_get(peer) : NULL;
    list_remove(&u->sends_to);
    if (peer && u->socket.type == SOCK_DGRAM)
        list_push_back(&peer->senders, &u->sends_to);
    if (old)
        unix_put(old);
}

static void wake(struct unix_socket *u, uint32_t events) {
    wake_events(&u->socket.changed, events);
}
#define HANG_UP                                                                                    \
    (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLWRBAND | POLLHUP | POLLRDHUP | POLLERR)

/* ---- names ------------------------------------------------------------------------------ */

static int check_address(const struct socket_address *a) {
    return a->size <= PATH_AT || a->size > ADDRESS_MAX || a->family != AF_UNIX ? -EINVAL : 0;
}

static bool is_abstract(const struct socket_address *a) {
    return a->size > PATH_AT && !a->bytes[PATH_AT];
}

/* Abstract names are apart for each type. */
static struct unix_socket *find_abstract(const struct socket_address *a, uint16_t type) {
    list_for_each (node, &bound) {
        struct unix_socket *u = list_entry(node, struct unix_socket, named);
        if (u->socket.type == type && !u->inode && u->name->size == a->size &&
            memcmp(u->name->bytes, a->bytes, a->size) == 0)
            return u;
    }
    return NULL;
}

static struct unix_socket *find_inode(const struct inode *i) {
    list_for_each (node, &bound) {
        struct unix_socket *u = list_entry(node, struct unix_socket, named);
        if (u->inode == i)
            return u;
    }
    return NULL;
}

/* The path in an address, with its NUL. */
static void path_of(const struct socket_address *a, char path[ADDRESS_MAX]) {
    size_t n = a->size - PATH_AT;
    memcpy(path, a->bytes + PATH_AT, n);
    path[n] = 0;
}

struct unix_socket *unix_find(const struct socket_address *a, uint16_t type, long *error) {
    struct unix_socket *u;
    *error = check_address(a);
    if (*error)
        return NULL;
    if (is_abstract(a)) {
        u = find_abstract(a, type);
    } else {
        struct path p;
        char path[ADDRESS_MAX];
        path_of(a, path);
        *error = path_walk(vfs_cwd(), path, WALK_FOLLOW, &p);
        if (*error)
            return NULL;
        u = inode_is(p.inode, S_IFSOCK) ? find_inode(p.inode) : NULL;
        path_put(&p);
    }
    *error = !u ? -ECONNREFUSED : u->socket.type != type ? -EPROTOTYPE : 0;
    return *error ? NULL : unix_get(u);
}

/* The name is free; `inode` (its reference is taken over) for paths. */
static int take_name(struct unix_socket *u, const struct socket_address *a, struct inode *inode) {
    u->name = heap_alloc(sizeof *u->name);
    if (!u->name)
        return -ENOMEM;
    *u->name = *a;
    u->inode = inode;
    list_push_back(&bound, &u->named);
    return 0;
}

static int bind_path(struct unix_socket *u, const struct socket_address *given) {
    struct path p;
    struct socket_address a = *given;
    struct inode *made = NULL;
    char path[ADDRESS_MAX];
    path_of(given, path);
    int error = path_walk(vfs_cwd(), path, WALK_NAME | WALK_NEW, &p);
    if (error)
        return error;
    if (p.inode || !p.is_name)
        error = -EADDRINUSE;
    else if (p.slash)
        error = -ENOENT;
    else if (!p.dir->ops->create)
        error = -EROFS;
    else
        error = p.dir->ops->create(p.dir, (struct name){p.name, p.length},
                                   S_IFSOCK | (0777 & ~vfs_umask), NULL, 0, &made);
    a.size = PATH_AT + (uint32_t)strlen(path) + 1;
    memset(a.bytes + PATH_AT, 0, ADDRESS_MAX - PATH_AT);
    memcpy(a.bytes + PATH_AT, path, a.size - PATH_AT);
    if (!error)
        error = take_name(u, &a, made);
    if (!error && notify_name)
        notify_name(p.dir, (struct name){p.name, p.length}, made, NOTIFY_CREATE, 0);
    if (error && made) {
        p.dir->ops->unlink(p.dir, (struct name){p.name, p.length}, made);
        inode_put(made);
    }
    path_put(&p);
    return error;
}

/* A name that nobody has: "\0" and five hexadecimal digits. */
static int autobind(struct unix_socket *u) {
    static uint32_t next;
    if (u->name)
        return 0;
    for (uint32_t tries = 0; tries < 1u << 20; tries++) {
        struct socket_address a = {.size = PATH_AT + 6};
        a.family = AF_UNIX;
        format((char *)a.bytes + PATH_AT + 1, 6, "%05x", next++ & 0xfffff);
        if (!find_abstract(&a, u->socket.type))
            return take_name(u, &a, NULL);
    }
    return -ENOSPC;
}

int unix_autobind(struct unix_socket *u) {
    return u->socket.pass_credentials ? autobind(u) : 0;
}

static int unix_bind(struct socket *s, const struct socket_address *a) {
    struct unix_socket *u = unix_of(s);
    if (a->size == PATH_AT && a->family == AF_UNIX)
        return autobind(u);
    int error = check_address(a);
    if (error)
        return error;
    if (u->name)
        return -EINVAL;
    if (!is_abstract(a))
        return bind_path(u, a);
    return find_abstract(a, s->type) ? -EADDRINUSE : take_name(u, a, NULL);
}

static int unix_name(struct socket *s, bool peer, struct socket_address *out) {
    const struct unix_socket *u = unix_of(s);
    if (peer)
        u = u->peer;
    if (!u)
        return -ENOTCONN;
    if (u->name) {
        *out = *u->name;
    } else {
        out->size = PATH_AT;
        out->family = AF_UNIX;
    }
    return 0;
}

/* ---- connections --------------------------------------------------------------------------- */

static bool connects(const struct socket *s) {
    return s->type != SOCK_DGRAM;
}

static int unix_listen(struct socket *s, int backlog) {
    struct unix_socket *u = unix_of(s);
    if (!connects(s))
        return -EOPNOTSUPP;
    if (!u->name || u->state == UNIX_CONNECTED)
        return -EINVAL;
    if ((uint32_t)backlog > u->backlog)
        wake_all(&u->room);
    u->backlog = (uint32_t)backlog;
    u->state = UNIX_LISTENING;
    s->listening = true;
    u->owner = u->peer_owner = socket_caller();
    return 0;
}

/* Its name is the listener's; it is nobody's entry among those that are bound. */
static int share_name(struct unix_socket *u, const struct unix_socket *from) {
    u->name = heap_alloc(sizeof *u->name);
    if (!u->name)
        return -ENOMEM;
    *u->name = *from->name;
    return 0;
}

static void join(struct unix_socket *a, struct unix_socket *b) {
    set_peer(a, b);
    set_peer(b, a);
    a->state = b->state = UNIX_CONNECTED;
}

static void unix_close(struct socket *s);

static int connect_to(struct unix_socket *u, struct unix_socket *listener) {
    struct unix_socket *other = unix_new(u->socket.type);
    if (!other)
        return -ENOMEM;
    if (share_name(other, listener)) {
        unix_put(other);
        return -ENOMEM;
    }
    other->owner = socket_caller();
    other->socket.pass_credentials = listener->socket.pass_credentials;
    join(u, other);
    u->peer_owner = listener->owner;
    other->peer_owner = socket_caller();
    list_push_back(&listener->pending, &other->waits);
    listener->pending_count++;
    wake(listener, POLLIN | POLLRDNORM);
    return 0;
}

static long connect_stream(struct unix_socket *u, const struct socket_address *a,
                           uint64_t deadline) {
    for (;;) {
        long error;
        struct unix_socket *listener = unix_find(a, u->socket.type, &error);
        if (!listener)
            return error;
        bool waits = false;
        if (listener->state != UNIX_LISTENING || listener->read_closed)
            error = -ECONNREFUSED;
        else if ((waits = listener->pending_count > listener->backlog))
            error = deadline ? wait_on(&listener->room, deadline) : -EAGAIN;
        else if (u->state != UNIX_IDLE)
            error = u->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
        else
            error = connect_to(u, listener);
        unix_put(listener);
        if (error || !waits)
            return error == -ETIMEDOUT ? -EAGAIN : error;
    }
}

/* May u send to it, or is it connected to somebody else? */
bool unix_may_send(const struct unix_socket *u, const struct unix_socket *to) {
    return !to->peer || to->peer == u;
}

static long connect_datagram(struct unix_socket *u, const struct socket_address *a) {
    struct unix_socket *to = NULL, *old = u->peer;
    long error = 0;
    if (a->family != AF_UNSPEC) {
        to = unix_find(a, u->socket.type, &error);
        if (!to)
            return error;
        if (!unix_may_send(u, to)) {
            unix_put(to);
            return -EPERM;
        }
    }
    if (old && old != to && !list_empty(&u->queue)) {
        unix_purge(u);
        if (old->peer == u && old != u) {
            old->socket.error = ECONNRESET;
            wake(old, POLLERR);
        }
    }
    set_peer(u, to);
    u->state = to ? UNIX_CONNECTED : UNIX_IDLE;
    if (to)
        unix_put(to);
    return 0;
}

void unix_disconnect(struct unix_socket *u) {
    set_peer(u, NULL);
    u->state = UNIX_IDLE;
}

static int unix_connect(struct socket *s, const struct socket_address *a, uint64_t deadline) {
    struct unix_socket *u = unix_of(s);
    if (a->size < sizeof a->family)
        return -EINVAL;
    if (connects(s) || a->family != AF_UNSPEC) {
        int error = check_address(a);
        if (!error)
            error = unix_autobind(u);
        if (error)
            return error;
    }
    return (int)(connects(s) ? connect_stream(u, a, deadline) : connect_datagram(u, a));
}

static int unix_accept(struct socket *s, struct socket **out, uint64_t deadline) {
    struct unix_socket *u = unix_of(s);
    if (!connects(s))
        return -EOPNOTSUPP;
    if (u->state != UNIX_LISTENING)
        return -EINVAL;
    while (list_empty(&u->pending)) {
        if (u->read_closed && deadline)
            return -EINVAL;
        int error = deadline ? wait_on(&s->changed, deadline) : -EAGAIN;
        if (error)
            return error == -ETIMEDOUT ? -EAGAIN : error;
    }
    struct unix_socket *new = list_entry(list_pop_front(&u->pending), struct unix_socket, waits);
    u->pending_count--;
    wake_all(&u->room);
    *out = &new->socket;
    return 0;
}

static int unix_shutdown(struct socket *s, int how) {
    struct unix_socket *u = unix_of(s);
    bool reads = how != SHUT_WR, writes = how != SHUT_RD;
    u->read_closed |= reads;
    u->write_closed |= writes;
    wake(u, HANG_UP);
    wake_all(&u->room);
    if (u->peer && connects(s)) {
        u->peer->read_closed |= writes;
        u->peer->write_closed |= reads;
        wake(u->peer, HANG_UP);
    }
    return 0;
}

/* A connection that ends: the other side sees the end, or that what it sent
 * was never read. */
static void hang_up(struct unix_socket *u, bool unread) {
    struct unix_socket *peer = u->peer;
    peer->read_closed = peer->write_closed = true;
    if (unread)
        peer->socket.error = ECONNRESET;
    wake(peer, HANG_UP);
}

static void unix_close(struct socket *s) {
    struct unix_socket *u = unix_of(s);
    bool unread = !list_empty(&u->queue) || list_linked(&u->waits);
    u->closed = u->read_closed = u->write_closed = true;
    u->state = UNIX_IDLE;
    list_remove(&u->named);
    list_remove(&u->waits);
    inode_put(u->inode);
    u->inode = NULL;
    for (struct list *node; (node = list_first(&u->pending));)
        unix_close(&list_entry(node, struct unix_socket, waits)->socket);
    if (u->peer && connects(s))
        hang_up(u, unread);
    /* Who is connected here learns it when it sends. */
    for (struct list *node; (node = list_pop_front(&u->senders));)
        wake(list_entry(node, struct unix_socket, sends_to), POLLOUT | POLLWRNORM | POLLWRBAND);
    wake_all(&u->room);
    set_peer(u, NULL);
    unix_purge(u);
    unix_put(u);
}

/* ---- options, poll ------------------------------------------------------------------------- */

static int unix_set_option(struct socket *s, int level, int name, const void *value, size_t size) {
    (void)s, (void)name, (void)value, (void)size;
    return level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
}

static int unix_get_option(struct socket *s, int level, int name, void *value, size_t *size) {
    const struct unix_socket *u = unix_of(s);
    if (level != SOL_SOCKET)
        return -EOPNOTSUPP;
    if (name != SO_PEERCRED)
        return -ENOPROTOOPT;
    struct socket_credentials c = {0, UINT32_MAX, UINT32_MAX};
    if (u->peer_owner.pid)
        c = u->peer_owner;
    memcpy(value, &c, *size = sizeof c);
    return 0;
}

static unsigned unix_poll(struct socket *s) {
    const struct unix_socket *u = unix_of(s);
    unsigned now = s->error ? POLLERR : 0;
    if (u->read_closed)
        now |= POLLRDHUP | POLLIN | POLLRDNORM;
    if ((u->read_closed && u->write_closed) || (connects(s) && u->state == UNIX_IDLE))
        now |= POLLHUP;
    if (!list_empty(&u->queue) || !list_empty(&u->pending))
        now |= POLLIN | POLLRDNORM;
    if (unix_writable(u))
        now |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return now;
}

static const struct socket_ops ops = {
    .bind = unix_bind,
    .listen = unix_listen,
    .accept = unix_accept,
    .connect = unix_connect,
    .send = unix_send,
    .receive = unix_receive,
    .shutdown = unix_shutdown,
    .name = unix_name,
    .set_option = unix_set_option,
    .get_option = unix_get_option,
    .poll = unix_poll,
    .readable = unix_readable,
    .ioctl = unix_ioctl,
    .close = unix_close,
    .peeks_ahead = true,
};

/* ---- making --------------------------------------------------------------------------------- */

static int make(int type, int protocol, struct unix_socket **out) {
    if (protocol && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (type == SOCK_RAW)
        type = SOCK_DGRAM;
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    *out = unix_new((uint16_t)type);
    return *out ? 0 : -ENOMEM;
}

static int create(int type, int protocol, struct socket **out) {
    struct unix_socket *u;
    int error = make(type, protocol, &u);
    if (!error)
        *out = &u->socket;
    return error;
}

static int pair(int type, int protocol, struct socket *out[2]) {
    struct unix_socket *a, *b;
    int error = make(type, protocol, &a);
    if (error)
        return error;
    error = make(type, protocol, &b);
    if (error) {
        unix_put(a);
        return error;
    }
    join(a, b);
    a->owner = b->owner = a->peer_owner = b->peer_owner = socket_caller();
    out[0] = &a->socket;
    out[1] = &b->socket;
    return 0;
}

static const struct socket_family unix_family = {AF_UNIX, create, pair};
SOCKET_FAMILY(unix_family);
