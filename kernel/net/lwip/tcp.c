/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP sockets.
 *
 * What arrives is copied into frames at once, so that a reader who is slow
 * holds neither the card's buffers nor more memory than the window promises;
 * lwIP learns that data was taken (tcp_recved) when the app has read it.  A
 * pcb is ours as long as `pcb` says so: lwIP may free it in any callback, and
 * whenever packets are handled (net_settle).  When both directions are closed
 * it is left to lwIP, which sees the connection to its end.
 */
#include "net/lwip/tcp_impl.h"

#include "clock/clock.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/user.h"

static void wake(struct tcp_socket *s, unsigned events) {
    wake_events(&s->inet.socket.changed, events);
}

#define EVERYTHING (READABLE | WRITABLE | POLLHUP | POLLERR | POLLRDHUP)

/* -EAGAIN: no longer than that. */
static int wait(struct tcp_socket *s, uint64_t deadline) {
    if (!deadline)
        return -EAGAIN;
    int error = wait_on(&s->inet.socket.changed, deadline);
    return error == -ETIMEDOUT ? -EAGAIN : error;
}

/* What SO_SNDBUF or SO_RCVBUF, as told, allows of what there is at most. */
static uint32_t allowed(int32_t told, uint32_t least, uint32_t most) {
    return told == SOCKET_BUFFER ? most : MIN(MAX((uint32_t)told / 2, least), most);
}

/* lwIP cuts by half of the widest window that the peer ever opened, and by the MSS
 * when there was none.  What it cut then it cannot bear when a narrow one comes: it
 * gets no more than a byte to ask for a window with. */
static bool shut(const struct tcp_socket *s) {
    return s->pcb->snd_wnd_max < 2;
}

/* Bytes that may be given to lwIP now. */
static uint32_t send_room(const struct tcp_socket *s) {
    uint32_t used = TCP_SND_BUF - s->pcb->snd_buf;
    uint32_t most = shut(s) ? 1 : allowed(s->inet.socket.send_buffer, 1, TCP_SND_BUF);
    return most > used ? most - used : 0;
}

static bool writable(const struct tcp_socket *s) {
    if (s->pcb && shut(s))
        return send_room(s);
    return s->pcb && send_room(s) >= allowed(s->inet.socket.send_buffer, 1, TCP_SND_BUF) / 3 &&
           tcp_sndqueuelen(s->pcb) < TCP_SND_QUEUELEN / 2;
}

/* ---- received data ------------------------------------------------------- */

#define CHUNK_ROOM ((uint32_t)sizeof(((struct chunk *)NULL)->data))

static void chunk_free(struct chunk *c) {
    frame_free(virt_to_phys(c));
}

static void chunks_free(struct chunk *c) {
    while (c) {
        struct chunk *next = c->next;
        chunk_free(c);
        c = next;
    }
}

/* All of it or, without memory, nothing. */
static bool keep(struct tcp_socket *s, const struct pbuf *p) {
    struct chunk *more = NULL, **end = &more, *at = s->last;
    size_t size = p->tot_len, room = at ? CHUNK_ROOM - at->to : 0;
    while (room < size) {
        paddr_t frame = frame_alloc();
        if (!frame) {
            chunks_free(more);
            return false;
        }
        struct chunk *c = phys_to_virt(frame);
        c->next = NULL;
        c->from = c->to = 0;
        *end = c;
        end = &c->next;
        room += CHUNK_ROOM;
    }
    if (at)
        at->next = more;
    else
        s->first = at = more;
    for (uint16_t done = 0; done < size;) {
        if (at->to == CHUNK_ROOM)
            at = at->next;
        uint16_t n = (uint16_t)MIN((size_t)(CHUNK_ROOM - at->to), size - done);
        pbuf_copy_partial(p, at->data + at->to, n, done);
        at->to += n;
        done = (uint16_t)(done + n);
    }
    s->last = at;
    s->queued += size;
    return true;
}

/* lwIP tells of a window that grew when it grew by a few segments: with less than
 * this the peer would wait. */
#define WINDOW_LEAST 16384u

static void open_window(struct tcp_socket *s, size_t by) {
    while (by) {
        u16_t n = (u16_t)MIN(by, (size_t)UINT16_MAX);
        tcp_recved(s->pcb, n);
        by -= n;
    }
}

/* What was promised is never taken back, it shrinks as the peer uses it. */
void tcp_socket_adjust_window(struct tcp_socket *s, size_t taken) {
    uint32_t wanted = allowed(s->inet.socket.receive_buffer, WINDOW_LEAST, TCP_WND_MAX(s->pcb));
    if (s->window > wanted) {
        uint32_t less = (uint32_t)MIN(taken, (size_t)(s->window - wanted));
        s->window -= less;
        taken -= less;
    } else {
        taken += wanted - s->window;
        s->window = wanted;
    }
    open_window(s, taken);
}

/* Made: before data comes nothing but the handshake's window was promised. */
static void begin_window(struct tcp_socket *s) {
    if (s->inet.socket.receive_buffer != SOCKET_BUFFER)
        s->pcb->rcv_wnd = MIN(s->pcb->rcv_wnd, (tcpwnd_size_t)UINT16_MAX);
    s->window = s->pcb->rcv_wnd;
}

/* Copies what there is to the message; `peek`: it stays.  -EFAULT. */
static int take(struct tcp_socket *s, struct message *m, bool peek) {
    struct chunk *c = s->first;
    size_t taken = 0, skip = socket_peek_at(&s->inet.socket, m);
    int error = 0;
    for (; c && skip >= c->to - c->from; c = c->next)
        skip -= c->to - c->from;
    uint32_t from = c ? c->from + (uint32_t)skip : 0;
    while (c && message_left(m) && !error) {
        uint32_t n = (uint32_t)MIN((size_t)(c->to - from), message_left(m));
        size_t before = m->done;
        if (m->flags & MSG_TRUNC)
            m->done += n;
        else
            error = message_put(m, c->data + from, n);
        if (error) {
            m->done = before; /* it stays */
            break;
        }
        from += n;
        taken += n;
        if (from < c->to)
            break;
        struct chunk *next = c->next;
        if (!peek) {
            chunk_free(c);
            s->first = next;
            s->last = next ? s->last : NULL;
        }
        c = next;
        from = c ? c->from : 0;
    }
    if (peek)
        return error;
    if (c)
        c->from = from;
    s->queued -= taken;
    if (taken && s->pcb && s->state == CONNECTED) {
        tcp_socket_adjust_window(s, taken);
        net_settle();
    }
    return error;
}

/* ---- what lwIP tells ----------------------------------------------------- */

/* The pcb goes its way without us. */
static struct tcp_pcb *detach(struct tcp_socket *s) {
    struct tcp_pcb *pcb = s->pcb;
    s->pcb = NULL;
    if (!pcb)
        return NULL;
    tcp_arg(pcb, NULL);
    if (pcb->state != LISTEN) {
        tcp_recv(pcb, NULL);
        tcp_sent(pcb, NULL);
        tcp_err(pcb, NULL);
        tcp_poll(pcb, NULL, 0);
    }
    return pcb;
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error) {
    struct tcp_socket *s = arg;
    (void)error;
    if (p) {
        if (!keep(s, p))
            return ERR_MEM; /* lwIP keeps it and tries again */
        if (p->tot_len >= 2 * pcb->mss)
            tcp_ack_now(pcb); /* as for each second one of those that came as one */
        /* lwIP lets it wait for data that itself waits for an acknowledgement (Nagle). */
        if (tcp_to_itself(pcb) && pcb->unsent && !tcp_do_output_nagle(pcb))
            tcp_send_empty_ack(pcb);
        pbuf_free(p);
        wake(s, READABLE);
        return ERR_OK;
    }
    s->peer_closed = true;
    if (pcb->state != CLOSE_WAIT) /* ours is closed too: lwIP does not tell what becomes of it */
        detach(s);
    wake(s, EVERYTHING);
    return ERR_OK;
}

/* lwIP sends one segment again after three acknowledgements that say the same, and
 * forgets it with the next that says more.  Of those that were on their way others
 * may be lost as well, and would cost a timeout each: what acknowledges some of them
 * asks for the next (RFC 6582). */
void tcp_recovers(struct tcp_pcb *pcb) {
    struct tcp_socket *s = pcb->callback_arg;
    if (!s || s->recovers)
        return;
    s->recovers = true;
    s->recover = pcb->snd_nxt;
}

static void recover(struct tcp_socket *s, struct tcp_pcb *pcb) {
    if (pcb->flags & TF_RTO || TCP_SEQ_GEQ(pcb->lastack, s->recover))
        s->recovers = false; /* all are sent again, or have arrived */
    else if (tcp_rexmit(pcb) == ERR_OK)
        tcp_set_flags(pcb, TF_INFR);
}

static err_t sent(void *arg, struct tcp_pcb *pcb, u16_t size) {
    struct tcp_socket *s = arg;
    (void)size;
    if (s->recovers)
        recover(s, pcb);
    if (writable(s))
        wake(s, WRITABLE);
    return ERR_OK;
}

/* Twice a second: what waited for memory or for more data may go. */
static err_t again(void *arg, struct tcp_pcb *pcb) {
    struct tcp_socket *s = arg;
    if (pcb->unsent)
        tcp_output(pcb);
    if (writable(s))
        wake(s, WRITABLE);
    return ERR_OK;
}
#define AGAIN_TICKS (500 / TCP_SLOW_INTERVAL)

static void lost(void *arg, err_t error) {
    struct tcp_socket *s = arg;
    bool attempt = s->state == CONNECTING;
    s->pcb = NULL;
    if (error == ERR_CLSD) { /* both sides said goodbye */
        s->peer_closed = true;
    } else {
        s->inet.socket.error = s->unreachable     ? s->unreachable
                               : error != ERR_RST ? ETIMEDOUT
                               : attempt          ? ECONNREFUSED
                               : s->peer_closed   ? EPIPE
                                                  : ECONNRESET;
    }
    s->unreachable = 0;
    if (attempt) {
        s->state = IDLE;
        s->failed = true;
        s->loose = !s->asked;
    }
    wake(s, EVERYTHING);
}

static void attach(struct tcp_socket *s, struct tcp_pcb *pcb) {
    s->pcb = pcb;
    s->recovers = false;
    tcp_arg(pcb, s);
    tcp_recv(pcb, received);
    tcp_sent(pcb, sent);
    tcp_err(pcb, lost);
    tcp_poll(pcb, again, AGAIN_TICKS);
}

void tcp_socket_apply(const struct tcp_socket *s) {
    struct tcp_pcb *pcb = s->pcb;
    if (!pcb)
        return;
    inet_apply(&s->inet, (struct ip_pcb *)pcb);
    if (pcb->state == LISTEN)
        return;
    if (s->no_delay)
        tcp_nagle_disable(pcb);
    else
        tcp_nagle_enable(pcb);
    pcb->keep_idle = (u32_t)s->keep_idle * 1000;
    pcb->keep_intvl = (u32_t)s->keep_interval * 1000;
    pcb->keep_cnt = (u32_t)s->keep_count;
}

/* ---- ports --------------------------------------------------------------- */

/* May not have that address and port: somebody else's, unless both sides said
 * that they share. */
static bool conflicts(const struct tcp_socket *s, const ip_addr_t *ip, uint16_t port) {
    for (unsigned i = 0; i < NUM_TCP_PCB_LISTS; i++) {
        for (const struct tcp_pcb *p = *tcp_pcb_lists[i]; p; p = p->next) {
            if (p == s->pcb || p->local_port != port || !inet_overlap(ip, &p->local_ip))
                continue;
            const struct tcp_socket *owner = p->callback_arg;
            bool reused =
                s->inet.socket.reuse_address && p->so_options & SOF_REUSEADDR && p->state != LISTEN;
            bool shared = s->inet.socket.reuse_port && owner && owner->inet.socket.reuse_port;
            if (!reused && !shared)
                return true;
        }
    }
    return false;
}

static int make_pcb(struct tcp_socket *s) {
    if (s->pcb)
        return 0;
    struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(inet_any(&s->inet)));
    if (!pcb)
        return -ENOBUFS;
    attach(s, pcb);
    tcp_socket_apply(s);
    if (s->port) { /* bound, and the connection that it was for is gone */
        ip_addr_copy(pcb->local_ip, s->inet.bound);
        pcb->local_port = s->port;
        TCP_REG(&tcp_bound_pcbs, pcb);
    }
    return 0;
}

static int bind_to(struct tcp_socket *s, const ip_addr_t *ip, uint16_t port) {
    if (port && conflicts(s, ip, port))
        return -EADDRINUSE;
    int error = make_pcb(s);
    if (error)
        return error;
    if (port) {
        /* Not by tcp_bind: lwIP knows no SO_REUSEPORT. */
        ip_addr_copy(s->pcb->local_ip, *ip);
        s->pcb->local_port = port;
        TCP_REG(&tcp_bound_pcbs, s->pcb);
    } else {
        error = inet_error(tcp_bind(s->pcb, ip, 0));
        if (error)
            return error == -EADDRNOTAVAIL ? -EADDRINUSE : error;
    }
    s->port = s->pcb->local_port;
    s->inet.bound = s->local = s->pcb->local_ip;
    s->inet.taken = true;
    s->loose = false;
    return 0;
}

static int tcp_socket_bind(struct socket *socket, const struct socket_address *a) {
    struct tcp_socket *s = tcp_socket_of(socket);
    ip_addr_t ip;
    uint16_t port;
    int error = inet_address(&s->inet, a, -EINVAL, &ip, &port);
    if (!error)
        error = inet_check_local(&s->inet, &ip);
    if (error)
        return error;
    uint16_t was = s->port;
    if ((was && !s->loose) || s->state != IDLE)
        return -EINVAL;
    s->port = 0;
    error = bind_to(s, ip_addr_isany_val(ip) && IP_IS_V6_VAL(ip) ? inet_any(&s->inet) : &ip, port);
    if (error) {
        s->port = was;
        return error;
    }
    s->bound = true;
    s->asked = port;
    return 0;
}

/* ---- listening ----------------------------------------------------------- */

/* Handshakes begin while the app has room for what comes of them; those that
 * are on their way then may exceed it. */
#define HALF_OPEN 255
static void set_room(struct tcp_socket *s) {
    bool room = false;
    struct tcp_socket *leader = NULL, *each = s;
    do {
        room = room || each->waiting <= each->backlog;
        leader = each->leads ? each : leader;
        each = list_entry(each->group.next, struct tcp_socket, group);
    } while (each != s);
    if (leader && leader->pcb)
        ((struct tcp_pcb_listen *)leader->pcb)->backlog = room ? HALF_OPEN : 0;
}

/* Of those who share the port the one that was given least; who has no room is
 * passed over, unless nobody has. */
static struct tcp_socket *next_in_turn(struct tcp_socket *s) {
    struct tcp_socket *best = NULL, *each = s;
    do {
        if (each->waiting <= each->backlog && (!best || each->served < best->served))
            best = each;
        each = list_entry(each->group.next, struct tcp_socket, group);
    } while (each != s);
    return best ? best : s;
}

static err_t arrived(void *arg, struct tcp_pcb *pcb, err_t error) {
    if (error || !pcb || !arg)
        return ERR_VAL;
    struct tcp_socket *l = next_in_turn(arg);
    struct tcp_socket *s = heap_alloc(sizeof *s);
    if (!s)
        return ERR_MEM;
    /* A copy of the listening one but for what is its own. */
    uint64_t number;
    socket_init(&s->inet.socket, l->inet.socket.ops, l->inet.socket.family, SOCK_STREAM,
                l->inet.socket.protocol);
    number = s->inet.socket.number;
    *s = *l;
    s->inet.socket.number = number;
    wait_queue_init(&s->inet.socket.changed, l->inet.socket.changed.external);
    s->inet.socket.listening = false;
    s->inet.socket.error = 0;
    s->inet.memberships = NULL;
    list_init(&s->accepted);
    list_init(&s->group);
    s->leads = s->bound = s->asked = s->read_closed = s->write_closed = false;
    s->waiting = 0;
    s->state = CONNECTED;
    s->local = pcb->local_ip;
    s->port = pcb->local_port;
    s->inet.connected = true;
    s->inet.peer = pcb->remote_ip;
    s->inet.peer_port = pcb->remote_port;
    attach(s, pcb);
    tcp_socket_apply(s);
    begin_window(s);
    list_push_back(&l->accepted, &s->node);
    l->served++;
    l->waiting++;
    set_room(l);
    wake(l, READABLE);
    return ERR_OK;
}

static int start_listening(struct tcp_socket *s) {
    err_t error = ERR_OK;
    struct tcp_pcb *l = tcp_listen_with_backlog_and_err(s->pcb, 1, &error);
    if (!l)
        return inet_error(error);
    s->pcb = l;
    s->leads = true;
    tcp_arg(l, s);
    tcp_accept(l, arrived);
    return 0;
}

/* A listening socket that shares its port with us already, or NULL. */
static struct tcp_socket *leader_of(const struct tcp_socket *s) {
    for (struct tcp_pcb_listen *l = tcp_listen_pcbs.listen_pcbs; l; l = l->next) {
        struct tcp_socket *owner = l->callback_arg;
        if (owner && l->local_port == s->port && s->inet.socket.reuse_port &&
            owner->inet.socket.reuse_port && IP_GET_TYPE(&l->local_ip) == IP_GET_TYPE(&s->local) &&
            ip_addr_cmp(&l->local_ip, &s->local))
            return owner;
    }
    return NULL;
}

static int tcp_socket_listen(struct socket *socket, int backlog) {
    struct tcp_socket *s = tcp_socket_of(socket);
    int error = 0;
    if ((s->state != IDLE && s->state != LISTENING) || s->failed)
        return -EINVAL;
    if (s->state == IDLE) {
        if (s->loose && !s->bound)
            s->port = 0;
        if (!s->port)
            error = bind_to(s, inet_any(&s->inet), 0);
        else if (conflicts(s, &s->inet.bound, s->port))
            error = -EADDRINUSE;
        if (!error)
            error = make_pcb(s);
        struct tcp_socket *leader = error ? NULL : leader_of(s);
        s->served = leader ? leader->served : 0;
        if (leader)
            list_push_back(&leader->group, &s->group);
        else if (!error)
            error = start_listening(s);
        if (error)
            return error;
        s->state = LISTENING;
        s->inet.socket.listening = true;
    }
    s->backlog = (unsigned)backlog;
    set_room(s);
    net_up();
    return 0;
}

static int tcp_socket_accept(struct socket *socket, struct socket **out, uint64_t deadline) {
    struct tcp_socket *s = tcp_socket_of(socket);
    for (;;) {
        if (s->state != LISTENING)
            return -EINVAL;
        struct list *node = list_pop_front(&s->accepted);
        if (node) {
            s->waiting--;
            set_room(s);
            struct tcp_socket *c = list_entry(node, struct tcp_socket, node);
            c->ended_unseen = !c->pcb;
            *out = &c->inet.socket;
            return 0;
        }
        int error = wait(s, deadline);
        if (error)
            return error;
    }
}

static void dispose(struct tcp_socket *s) {
    chunks_free(s->first);
    inet_leave_all(&s->inet);
    heap_free(s, sizeof *s);
}

static void abort_connection(struct tcp_socket *s) {
    struct tcp_pcb *pcb = detach(s);
    if (pcb)
        tcp_abort(pcb);
}

static void stop_listening(struct tcp_socket *s) {
    struct list *node;
    struct tcp_socket *heir = list_entry(s->group.next, struct tcp_socket, group);
    bool led = s->leads;
    list_remove(&s->group);
    s->leads = false;
    s->state = IDLE;
    s->inet.socket.listening = false;
    struct tcp_pcb *pcb = detach(s);
    if (pcb)
        tcp_close(pcb);
    while ((node = list_pop_front(&s->accepted))) {
        struct tcp_socket *c = list_entry(node, struct tcp_socket, node);
        abort_connection(c);
        dispose(c);
    }
    s->waiting = 0;
    if (led && heir != s && !start_listening(heir))
        set_room(heir);
    net_settle();
}

/* ---- connecting ---------------------------------------------------------- */

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t error) {
    struct tcp_socket *s = arg;
    (void)pcb, (void)error;
    s->state = CONNECTED;
    begin_window(s);
    wake(s, WRITABLE);
    return ERR_OK;
}

/* Until the attempt is over. */
static int await(struct tcp_socket *s, uint64_t deadline) {
    while (s->state == CONNECTING) {
        int error = wait(s, deadline);
        if (error)
            return error == -EAGAIN ? -EINPROGRESS : error;
    }
    if (s->state == CONNECTED) {
        s->untold = false;
        return 0;
    }
    s->failed = s->inet.connected = s->read_closed = s->write_closed = false;
    s->local = s->inet.bound;
    int error = socket_take_error(&s->inet.socket);
    return error ? error : -ECONNABORTED;
}

static int begin(struct tcp_socket *s, const struct socket_address *a) {
    ip_addr_t to, source;
    uint16_t port;
    struct netif *netif;
    int error = inet_address(&s->inet, a, -ENETUNREACH, &to, &port);
    if (!error)
        error = inet_route(&s->inet, &to, &netif, &source);
    if (error)
        return error;
    if (ip_addr_ismulticast(&to) || ip_addr_isbroadcast(&to, netif))
        return -ENETUNREACH;
    if (!port)
        return -ECONNREFUSED;
    error = make_pcb(s);
    if (error)
        return error;
    s->inet.peer = to;
    s->inet.peer_port = port;
    err_t result = tcp_connect(s->pcb, &to, port, connected);
    if (result) {
        if (!s->port && s->pcb->local_port == 0)
            abort_connection(s);
        return result == ERR_USE ? -EADDRNOTAVAIL : inet_error(result);
    }
    inet_apply(&s->inet, (struct ip_pcb *)s->pcb);
    s->local = s->pcb->local_ip;
    s->port = s->pcb->local_port;
    s->state = CONNECTING;
    s->untold = true;
    s->inet.taken = s->inet.connected = true;
    s->peer_closed = s->loose = false;
    s->inet.socket.error = 0;
    net_settle();
    return 0;
}

static void unbind(struct tcp_socket *s) {
    if (!s->bound) {
        s->port = 0;
        s->inet.bound = *inet_any(&s->inet);
    }
    s->inet.connected = false;
}

static int disconnect(struct tcp_socket *s) {
    bool begun = s->state == CONNECTING || (s->state == CONNECTED && s->pcb);
    if (s->state == LISTENING)
        stop_listening(s);
    else if (s->state != IDLE)
        abort_connection(s);
    net_settle();
    if (begun)
        s->inet.socket.error = ECONNRESET;
    if (s->inet.connected) /* and not only bound */
        s->loose = !s->asked;
    chunks_free(s->first);
    s->first = s->last = NULL;
    s->queued = 0;
    s->state = IDLE;
    s->failed = s->untold = s->peer_closed = s->read_closed = s->write_closed = false;
    s->inet.connected = false;
    s->local = s->inet.bound;
    wake(s, EVERYTHING);
    return 0;
}

/* The connection was made, and ended before anybody asked. */
static int lost_untold(struct tcp_socket *s) {
    int error = socket_take_error(&s->inet.socket);
    (void)disconnect(s);
    return error ? error : -ECONNABORTED;
}

static int tcp_socket_connect(struct socket *socket, const struct socket_address *a,
                              uint64_t deadline) {
    struct tcp_socket *s = tcp_socket_of(socket);
    if (a->size < sizeof a->family)
        return -EINVAL;
    if (a->family == AF_UNSPEC)
        return disconnect(s);
    switch (s->state) {
    case LISTENING:
        return -EISCONN;
    case CONNECTED:
        if (!s->untold)
            return -EISCONN;
        if (!s->pcb)
            return lost_untold(s);
        s->untold = false;
        return 0;
    case CONNECTING:
        return deadline ? await(s, deadline) : -EALREADY;
    case IDLE:
        break;
    }
    if (s->failed)
        return await(s, deadline);
    unbind(s);
    int error = begin(s, a);
    return error ? error : deadline ? await(s, deadline) : -EINPROGRESS;
}

/* ---- transfers ----------------------------------------------------------- */

static long receive(struct tcp_socket *s, struct message *m) {
    struct socket *socket = &s->inet.socket;
    bool peek = m->flags & MSG_PEEK;
    size_t least = m->flags & MSG_WAITALL ? m->size : MIN((size_t)socket->low_water, m->size);
    if (m->flags & MSG_ERRQUEUE)
        return -EAGAIN;
    if (m->flags & MSG_OOB)
        return -EINVAL;
    if (s->state == LISTENING)
        return -ENOTCONN;
    for (;;) {
        if (peek)
            m->done = 0;
        int error = take(s, m, peek);
        if (error)
            return m->done ? (long)m->done : error;
        if (m->done >= MAX(least, (size_t)1) || (!m->size && s->queued))
            return (long)m->done;
        if (socket->error)
            return m->done ? (long)m->done : socket_take_error(socket);
        if (s->peer_closed || s->read_closed || (s->state == CONNECTED && !s->pcb))
            return (long)m->done;
        if (s->state == IDLE)
            return m->done ? (long)m->done : s->failed || s->inet.connected ? 0 : -ENOTCONN;
        error = wait(s, m->deadline);
        if (error)
            return m->done ? (long)m->done : error;
    }
}

static long tcp_socket_receive(struct socket *socket, struct message *m) {
    long done = receive(tcp_socket_of(socket), m);
    if (done > 0)
        socket_peeked(socket, m, (size_t)done);
    return done;
}

/* Hands over what there is room for: 0, also when nothing went; -errno. */
static int put(struct tcp_socket *s, struct message *m) {
    struct tcp_pcb *pcb = s->pcb;
    while (message_left(m)) {
        vaddr_t at = 0;
        size_t n = MIN(message_next(m, &at), (size_t)send_room(s));
        n = MIN(n, PAGE_SIZE - at % PAGE_SIZE);
        if (!n || tcp_sndqueuelen(pcb) >= TCP_SND_QUEUELEN - 8)
            return 0;
        paddr_t page = user_page(at, PROT_READ);
        if (!page)
            return -EFAULT;
        u8_t more = n < message_left(m) ? TCP_WRITE_FLAG_MORE : 0;
        err_t error = tcp_write(pcb, (const char *)phys_to_virt(page) + at % PAGE_SIZE, (u16_t)n,
                                TCP_WRITE_FLAG_COPY | more);
        if (error == ERR_MEM)
            return 0; /* again() says when to try once more */
        if (error)
            return inet_error(error);
        m->done += n;
    }
    return 0;
}

/* More is to come, and what waits does not fill a segment. */
static bool held(const struct tcp_socket *s, unsigned flags) {
    const struct tcp_seg *unsent = s->pcb->unsent;
    return (s->cork || flags & MSG_MORE) && unsent && !unsent->next && unsent->len < s->pcb->mss;
}

/* May data be sent?  -EPIPE and the like. */
static int can_send(struct tcp_socket *s) {
    if (s->inet.socket.error)
        return socket_take_error(&s->inet.socket);
    return s->write_closed || !s->pcb || s->state != CONNECTED ? -EPIPE : 0;
}

static long tcp_socket_send(struct socket *socket, struct message *m) {
    struct tcp_socket *s = tcp_socket_of(socket);
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    while (s->state == CONNECTING) {
        int error = wait(s, m->deadline);
        if (error)
            return error;
    }
    for (;;) {
        int error = can_send(s);
        if (error)
            return m->done ? (long)m->done : error;
        error = put(s, m);
        if (!held(s, m->flags)) {
            tcp_output(s->pcb);
            net_settle();
        }
        if (error)
            return m->done ? (long)m->done : error;
        if (!message_left(m))
            return (long)m->done;
        error = wait(s, m->deadline);
        if (error)
            return m->done ? (long)m->done : error;
    }
}

/* ---- the end ------------------------------------------------------------- */

static int tcp_socket_shutdown(struct socket *socket, int how) {
    struct tcp_socket *s = tcp_socket_of(socket);
    bool reads = how != SHUT_WR, writes = how != SHUT_RD;
    switch (s->state) {
    case LISTENING:
        return reads ? disconnect(s) : 0;
    case CONNECTING:
        return disconnect(s);
    case IDLE: /* of what is to come, too */
    case CONNECTED:
        break;
    }
    s->read_closed = s->read_closed || reads;
    s->write_closed = s->write_closed || writes;
    if (s->state == IDLE || !s->pcb) {
        wake(s, EVERYTHING);
        return -ENOTCONN;
    }
    if (writes && (s->pcb->state == ESTABLISHED || s->pcb->state == CLOSE_WAIT)) {
        bool last = s->peer_closed;
        tcp_shutdown(s->pcb, 0, 1);
        if (last)
            detach(s);
        net_settle();
    }
    wake(s, EVERYTHING);
    return 0;
}

/* SO_LINGER: until what was sent has arrived. */
static void linger(struct tcp_socket *s) {
    uint64_t deadline = clock_monotonic() + (uint64_t)s->inet.socket.linger * 1000000000u;
    if (!s->write_closed && s->pcb) {
        s->write_closed = true;
        tcp_shutdown(s->pcb, 0, 1);
        net_settle();
    }
    while (s->pcb && (s->pcb->unsent || s->pcb->unacked) && !wait(s, deadline)) {
    }
}

static void tcp_socket_close(struct socket *socket) {
    struct tcp_socket *s = tcp_socket_of(socket);
    if (s->state == LISTENING)
        stop_listening(s);
    else if (s->state == CONNECTED && s->pcb && (socket->linger == 0 || s->queued))
        abort_connection(s); /* the other side must learn that data was lost */
    else if (s->state == CONNECTED && socket->linger > 0)
        linger(s);
    struct tcp_pcb *pcb = detach(s);
    if (pcb && tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
    net_settle();
    dispose(s);
}

void tcp_end(void) {
    for (struct tcp_pcb *p = tcp_active_pcbs, *next; p; p = next) {
        next = p->next;
        struct tcp_socket *s = p->callback_arg;
        if (p->state == SYN_SENT || p->state == SYN_RCVD ||
            (s && s->state == CONNECTED && s->queued))
            tcp_abort(p); /* not begun; or data is lost, and the other side must know */
        else if (p->state == ESTABLISHED || p->state == CLOSE_WAIT)
            tcp_shutdown(p, 0, 1);
    }
}

size_t tcp_unsent(void) {
    size_t bytes = 0;
    for (const struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next) {
        if (p->unsent || p->unacked)
            bytes += p->snd_lbb - p->lastack;
    }
    return bytes;
}

/* ---- names, events ------------------------------------------------------- */

static int tcp_socket_name(struct socket *socket, bool peer, struct socket_address *out) {
    struct tcp_socket *s = tcp_socket_of(socket);
    if (peer && (s->state != CONNECTED || (!s->pcb && !s->ended_unseen)))
        return -ENOTCONN;
    if (!peer) {
        inet_name(&s->inet, &s->local, s->port, out);
        return 0;
    }
    s->ended_unseen = false;
    inet_name(&s->inet, &s->inet.peer, s->inet.peer_port, out);
    return 0;
}

static unsigned tcp_socket_poll(struct socket *socket) {
    struct tcp_socket *s = tcp_socket_of(socket);
    unsigned events = socket->error ? POLLERR : 0;
    bool in_closed = s->peer_closed || s->read_closed || !s->pcb;
    bool out_closed = s->write_closed || !s->pcb;
    switch (s->state) {
    case LISTENING:
        return list_empty(&s->accepted) ? 0 : READABLE;
    case CONNECTING:
        return events;
    case IDLE:
        in_closed = s->failed || s->read_closed;
        return events | WRITABLE | POLLHUP | (in_closed ? READABLE | POLLRDHUP : 0);
    case CONNECTED:
        break;
    }
    if (in_closed || s->queued >= (size_t)socket->low_water)
        events |= READABLE;
    if (in_closed)
        events |= POLLRDHUP;
    if (in_closed && out_closed)
        events |= POLLHUP;
    if (out_closed || writable(s))
        events |= WRITABLE;
    return events;
}

static long tcp_socket_readable(struct socket *socket) {
    struct tcp_socket *s = tcp_socket_of(socket);
    return s->state == LISTENING ? -EINVAL : (long)s->queued;
}

enum { SIOCOUTQ = 0x5411, SIOCATMARK = 0x8905 };

static long tcp_socket_ioctl(struct socket *socket, unsigned long request, vaddr_t arg) {
    struct tcp_socket *s = tcp_socket_of(socket);
    int n = 0;
    if (request != SIOCOUTQ && request != SIOCATMARK)
        return -ENOTTY;
    if (s->state == LISTENING)
        return request == SIOCOUTQ ? -EINVAL : 0;
    if (request == SIOCOUTQ && s->pcb && s->state == CONNECTED)
        n = (int)(TCP_SND_BUF - s->pcb->snd_buf);
    return user_write(arg, &n, sizeof n);
}

static const struct socket_ops tcp_ops = {
    .bind = tcp_socket_bind,
    .listen = tcp_socket_listen,
    .accept = tcp_socket_accept,
    .connect = tcp_socket_connect,
    .send = tcp_socket_send,
    .receive = tcp_socket_receive,
    .shutdown = tcp_socket_shutdown,
    .name = tcp_socket_name,
    .set_option = tcp_socket_set_option,
    .get_option = tcp_socket_get_option,
    .poll = tcp_socket_poll,
    .readable = tcp_socket_readable,
    .ioctl = tcp_socket_ioctl,
    .close = tcp_socket_close,
    .peeks_ahead = true,
};

int tcp_socket_create(uint16_t family, int protocol, struct socket **out) {
    struct tcp_socket *s = heap_alloc(sizeof *s);
    if (!s)
        return -ENOBUFS;
    inet_init(&s->inet, &tcp_ops, family, SOCK_STREAM, protocol);
    s->local = s->inet.bound;
    list_init(&s->accepted);
    list_init(&s->node);
    list_init(&s->group);
    s->keep_idle = 7200;
    s->keep_interval = 75;
    s->keep_count = 9;
    s->syn_count = 6;
    s->linger2 = 60;
    *out = &s->inet.socket;
    return 0;
}
