/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sockets of whole packets: UDP, and raw ones (ICMP and other protocols).
 *
 * A packet that came in the card's buffer is copied at once; the queue holds
 * as much as SO_RCVBUF says, and what comes then is dropped, as it may be.  What
 * is told of packets that did not arrive waits in a queue of its own (IP_RECVERR),
 * within the same bound.
 */
#include <lwip/igmp.h>
#include <lwip/netif.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/raw.h>
#include <lwip/udp.h>

#include "clock/clock.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "net/lwip/inet.h"
#include "net/lwip/stack.h"

struct datagram {
    struct list node;
    struct pbuf *p; /* what follows UDP's header; of raw IPv4, the IP header too */
    ip_addr_t from, to;
    uint64_t time; /* realtime */
    uint16_t port; /* from */
    uint8_t index; /* of the interface */
    uint8_t ttl, tos;
    bool peeked; /* and it is empty: the next look is at what follows */
};
#define OVERHEAD 512u /* what a queued packet costs beside its bytes */

struct extended_error { /* struct sock_extended_err */
    uint32_t error;
    uint8_t origin, type, code, pad;
    uint32_t info, data;
};
_Static_assert(sizeof(struct extended_error) == 16, "struct sock_extended_err is an ABI");

/* In the queue of errors: `from` and `port` are where the packet was to go, `p` is
 * what came back of it, the rest is of the message that told. */
struct failure {
    struct datagram datagram;
    struct extended_error error;
    ip_addr_t offender; /* who told */
};

struct datagram_socket {
    struct inet_socket inet;
    union {
        struct ip_pcb *pcb;
        struct udp_pcb *udp; /* SOCK_DGRAM */
        struct raw_pcb *raw; /* SOCK_RAW */
    };
    ip_addr_t local; /* what getsockname tells */
    struct list queue, failures;
    size_t queued;        /* bytes of both, with the overhead */
    struct list raw_node; /* among all raw ones */
    bool read_closed, write_closed;
    bool asked;          /* bind said which port: it stays ours */
    uint32_t blocked[8]; /* types of ICMP that a raw socket does not want, a bit each */
};

static struct list raw_sockets = LIST_INIT(raw_sockets);

static struct datagram_socket *of(struct socket *s) {
    return container_of(inet_of(s), struct datagram_socket, inet);
}

static bool is_raw(const struct datagram_socket *s) {
    return s->inet.socket.type == SOCK_RAW;
}

static uint16_t port_of(const struct datagram_socket *s) {
    return is_raw(s) ? (uint16_t)s->inet.socket.protocol : s->udp->local_port;
}

/* ---- receiving ----------------------------------------------------------- */

/* A packet of our own making, p taken over; NULL: no memory. */
static struct pbuf *own(struct pbuf *p) {
    bool ours = !p->next && !(p->flags & PBUF_FLAG_IS_CUSTOM) && pbuf_match_type(p, PBUF_RAM);
    struct pbuf *copy = ours ? p : pbuf_clone(PBUF_RAW, PBUF_RAM, p);
    if (!ours)
        pbuf_free(p);
    return copy;
}

/* All but the bytes, of the packet that is being looked at. */
static void describe(const struct datagram_socket *s, struct datagram *d, const ip_addr_t *from,
                     uint16_t port) {
    bool v6 = ip_current_is_v6();
    const struct ip6_hdr *six = ip6_current_header();
    const struct ip_hdr *four = ip4_current_header();
    *d = (struct datagram){
        .from = *from,
        .to = *ip_current_dest_addr(),
        .time = s->inet.socket.timestamps ? clock_realtime() : 0,
        .port = port,
        .index = netif_get_index(ip_current_input_netif()),
        .ttl = v6 ? IP6H_HOPLIM(six) : IPH_TTL(four),
        .tos = v6 ? (uint8_t)IP6H_TC(six) : IPH_TOS(four),
    };
}

static void enqueue(struct datagram_socket *s, struct pbuf *p, const ip_addr_t *from,
                    uint16_t port) {
    struct socket *socket = &s->inet.socket;
    size_t cost = p->tot_len + OVERHEAD;
    struct datagram *d = NULL;
    if (s->queued + cost <= (size_t)socket->receive_buffer)
        d = heap_alloc(sizeof *d);
    if (!d) {
        pbuf_free(p);
        return;
    }
    describe(s, d, from, port);
    d->p = own(p); /* and the header, which lay before it, is gone */
    if (!d->p) {
        heap_free(d, sizeof *d);
        return;
    }
    s->queued += cost;
    list_push_back(&s->queue, &d->node);
    wake_events(&socket->changed, READABLE);
}

/* A group's packets are for those who joined it (IP_MULTICAST_ALL decides). */
static bool wanted(const struct datagram_socket *s) {
    return !ip_addr_ismulticast(ip_current_dest_addr()) || s->inet.multicast_all ||
           inet_joined(&s->inet, ip_current_dest_addr());
}

static void udp_received(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                         u16_t port) {
    struct datagram_socket *s = arg;
    (void)pcb;
    if (wanted(s))
        enqueue(s, p, from, port);
    else
        pbuf_free(p);
}

static u8_t raw_received(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from) {
    struct datagram_socket *s = arg;
    (void)pcb;
    uint8_t type = pbuf_get_at(p, ip_current_header_tot_len());
    if (s->blocked[type / 32] >> type % 32 & 1)
        return 0;
    struct pbuf *copy = wanted(s) ? pbuf_clone(PBUF_RAW, PBUF_RAM, p) : NULL;
    if (copy && ip_current_is_v6())
        pbuf_remove_header(copy, ip_current_header_tot_len());
    if (copy)
        enqueue(s, copy, from, 0);
    return 0; /* others see it too */
}

static void drop(struct datagram_socket *s, struct datagram *d) {
    list_remove(&d->node);
    s->queued -= d->p->tot_len + OVERHEAD;
    pbuf_free(d->p);
    heap_free(d, sizeof *d);
}

enum { CONTROL_TOS = 1, CONTROL_TTL, CONTROL_INFO = 8 };              /* SOL_IP */
enum { CONTROL6_INFO = 50, CONTROL6_HOPS = 52, CONTROL6_CLASS = 67 }; /* SOL_IPV6 */
enum { CONTROL_TIMESTAMP = SO_TIMESTAMP };                            /* SOL_SOCKET */

struct info4 { /* struct in_pktinfo */
    int32_t index;
    uint32_t own, to;
};
struct info6 { /* struct in6_pktinfo */
    uint8_t to[16];
    uint32_t index;
};

static void put_control(const struct datagram_socket *s, const struct datagram *d,
                        struct message *m) {
    const struct inet_socket *i = &s->inet;
    int ttl = d->ttl, tos = d->tos;
    bool six = i->socket.family == AF_INET6;
    if (i->socket.timestamps) {
        uint64_t t[2] = {d->time / 1000000000u, d->time % 1000000000u / 1000};
        message_put_control(m, SOL_SOCKET, CONTROL_TIMESTAMP, t, sizeof t);
    }
    if (i->packet_info && six) {
        struct socket_address a;
        struct info6 info = {.index = d->index};
        inet_name(i, &d->to, 0, &a);
        memcpy(info.to, a.bytes + 8, sizeof info.to);
        message_put_control(m, SOL_IPV6, CONTROL6_INFO, &info, sizeof info);
    } else if (i->packet_info) {
        const struct netif *n = inet_interface(d->index);
        struct info4 info = {d->index, 0, ip4_addr_get_u32(ip_2_ip4(&d->to))};
        info.own = ip_addr_ismulticast(&d->to) && n ? ip4_addr_get_u32(netif_ip4_addr(n)) : info.to;
        message_put_control(m, SOL_IP, CONTROL_INFO, &info, sizeof info);
    }
    if (i->packet_ttl)
        message_put_control(m, six ? SOL_IPV6 : SOL_IP, six ? CONTROL6_HOPS : CONTROL_TTL, &ttl,
                            sizeof ttl);
    if (i->packet_tos && six)
        message_put_control(m, SOL_IPV6, CONTROL6_CLASS, &tos, sizeof tos);
    else if (i->packet_tos)
        message_put_control(m, SOL_IP, CONTROL_TOS, &d->tos, sizeof d->tos);
}

/* ---- what did not arrive ------------------------------------------------- */

static struct failure *first_failure(const struct datagram_socket *s) {
    struct list *node = list_first(&s->failures);
    return node ? list_entry(node, struct failure, datagram.node) : NULL;
}

static void drop_failure(struct datagram_socket *s, struct failure *f) {
    list_remove(&f->datagram.node);
    s->queued -= f->datagram.p->tot_len + OVERHEAD;
    pbuf_free(f->datagram.p);
    heap_free(f, sizeof *f);
}

static void drop_failures(struct datagram_socket *s) {
    struct failure *f;
    while ((f = first_failure(s)))
        drop_failure(s, f);
}

/* `size` bytes of a packet, from `at` on, come back as a failure, which is made but
 * for its datagram's `p`.  Without room there is none. */
static void queue_failure(struct datagram_socket *s, const struct failure *made, struct pbuf *p,
                          uint16_t at, uint16_t size) {
    size_t cost = size + OVERHEAD;
    struct failure *f = NULL;
    if (s->queued + cost <= (size_t)s->inet.socket.receive_buffer)
        f = heap_alloc(sizeof *f);
    struct pbuf *copy = f ? pbuf_alloc(PBUF_RAW, size, PBUF_RAM) : NULL;
    if (!copy) {
        heap_free(f, sizeof *f);
        return;
    }
    pbuf_copy_partial(p, copy->payload, size, at);
    *f = *made;
    f->datagram.p = copy;
    s->queued += cost;
    list_push_back(&s->failures, &f->datagram.node);
    wake_events(&s->inet.socket.changed, POLLERR);
}

/* The socket learns of it when it asked for errors, or is connected and it is fatal. */
static void tell_failure(struct datagram_socket *s, const struct undelivered *u, uint16_t header) {
    const struct inet_socket *i = &s->inet;
    bool asked = u->origin == ORIGIN_ICMP ? i->errors : i->errors6;
    bool too_long = u->error == EMSGSIZE;
    if (too_long && !i->discover)
        return;
    if (!asked && !(i->connected && (u->fatal || too_long)))
        return;
    if (asked) {
        struct failure f = {
            .error = {.error = (uint32_t)u->error,
                      .origin = u->origin,
                      .type = u->type,
                      .code = u->code,
                      .info = u->info},
            .offender = *ip_current_src_addr(),
        };
        uint16_t at = (uint16_t)(u->quoted + header);
        describe(s, &f.datagram, &u->to, is_raw(s) ? 0 : u->to_port);
        queue_failure(s, &f, u->message, at, (uint16_t)(u->message->tot_len - at));
    }
    s->inet.socket.error = u->error;
    wake_events(&s->inet.socket.changed, READABLE | POLLERR);
}

static bool sent_from(const ip_addr_t *own, const struct undelivered *u) {
    return ip_addr_isany(own) || IP_IS_ANY_TYPE_VAL(*own) || ip_addr_cmp_zoneless(own, &u->from);
}

/* The one whose packet it was: who is connected there, or else who has the port. */
static struct datagram_socket *udp_sender(const struct undelivered *u) {
    struct datagram_socket *found = NULL;
    for (const struct udp_pcb *p = udp_pcbs; p; p = p->next) {
        struct datagram_socket *s = p->recv == udp_received ? p->recv_arg : NULL;
        bool connected = p->flags & UDP_FLAGS_CONNECTED;
        if (!s || p->local_port != u->port || !sent_from(&p->local_ip, u))
            continue;
        if (connected && p->remote_port == u->to_port &&
            ip_addr_cmp_zoneless(&p->remote_ip, &u->to))
            return s;
        found = found || connected ? found : s;
    }
    return found;
}

void datagram_undelivered(const struct undelivered *u) {
    struct datagram_socket *s = u->protocol == PROTO_UDP ? udp_sender(u) : NULL;
    if (s)
        tell_failure(s, u, UDP_HLEN);
    list_for_each (node, &raw_sockets) {
        s = list_entry(node, struct datagram_socket, raw_node);
        bool six = s->inet.socket.family == AF_INET6;
        if (s->inet.socket.protocol == u->protocol && six == IP_IS_V6_VAL(u->to) &&
            sent_from(&s->raw->local_ip, u) &&
            (!s->inet.connected || ip_addr_cmp_zoneless(&s->inet.peer, &u->to)))
            tell_failure(s, u, 0);
    }
}

struct told_error4 {
    struct extended_error error;
    uint8_t offender[16];
};
struct told_error6 {
    struct extended_error error;
    uint8_t offender[28];
};
enum { CONTROL_ERROR = 11, CONTROL6_ERROR = 25 }; /* IP_RECVERR, IPV6_RECVERR */

/* recvmsg(MSG_ERRQUEUE): never waits, and what was looked at is gone. */
static long receive_failure(struct datagram_socket *s, struct message *m) {
    struct failure *f = first_failure(s), *next;
    bool six = s->inet.socket.family == AF_INET6;
    struct told_error6 told = {.error.error = 0};
    struct socket_address offender;
    if (!f)
        return -EAGAIN;
    bool local = f->error.origin == ORIGIN_LOCAL;
    int error = message_put(m, f->datagram.p->payload, f->datagram.p->len);
    if (!error) {
        m->flags_out |= MSG_ERRQUEUE | (f->datagram.p->len > m->done ? MSG_TRUNC : 0);
        inet_name(&s->inet, &f->datagram.from, f->datagram.port, &m->peer);
        if (!local)
            put_control(s, &f->datagram, m);
        told.error = f->error;
        inet_name(&s->inet, &f->offender, 0, &offender);
        if (!local)
            memcpy(told.offender, offender.bytes, offender.size);
        message_put_control(m, six ? SOL_IPV6 : SOL_IP, six ? CONTROL6_ERROR : CONTROL_ERROR, &told,
                            six ? sizeof told : sizeof(struct told_error4));
    }
    drop_failure(s, f);
    next = first_failure(s);
    if (next && next->error.origin != ORIGIN_LOCAL)
        s->inet.socket.error = (int32_t)next->error.error;
    else if (!local)
        s->inet.socket.error = 0;
    return error ? error : (long)m->done;
}

/* ---- receiving, of the app ----------------------------------------------- */

/* The packet that a receive begins in, and where; NULL: none yet. */
static struct datagram *next_packet(const struct datagram_socket *s, const struct message *m,
                                    size_t *at) {
    bool ahead = m->flags & MSG_PEEK && s->inet.socket.peek_offset >= 0;
    *at = socket_peek_at(&s->inet.socket, m);
    list_for_each (node, &s->queue) {
        struct datagram *d = list_entry(node, struct datagram, node);
        size_t size = d->p->tot_len;
        if (!ahead || *at < size || (!*at && !d->peeked))
            return d;
        *at -= size;
    }
    return NULL;
}

/* The bytes of a packet from `at` on. */
static int put_packet(struct message *m, const struct pbuf *p, size_t at) {
    int error = 0;
    for (; p && !error; p = p->next) {
        size_t skip = MIN(at, (size_t)p->len);
        at -= skip;
        error = message_put(m, (const uint8_t *)p->payload + skip, p->len - skip);
    }
    return error;
}

static long datagram_receive(struct socket *socket, struct message *m) {
    struct datagram_socket *s = of(socket);
    struct datagram *d;
    size_t at;
    if (m->flags & MSG_ERRQUEUE)
        return receive_failure(s, m);
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    for (;;) {
        int error = socket_take_error(socket);
        if (error)
            return error;
        d = next_packet(s, m, &at);
        if (d)
            break;
        if (s->read_closed && m->deadline)
            return 0;
        error = m->deadline ? wait_on(&socket->changed, m->deadline) : -EAGAIN;
        if (error)
            return error == -ETIMEDOUT ? -EAGAIN : error;
    }
    size_t size = d->p->tot_len;
    int error = put_packet(m, d->p, at);
    long done = error ? error : (long)(m->flags & MSG_TRUNC ? size : m->done);
    if (!error) {
        inet_name(&s->inet, &d->from, d->port, &m->peer);
        put_control(s, d, m);
        socket_peeked(socket, m, (size_t)done);
    }
    if (m->size < size && m->size <= size - at) /* as Linux: also when the rest fits exactly */
        m->flags_out |= MSG_TRUNC;
    if (m->flags & MSG_PEEK)
        d->peeked = !size;
    else
        drop(s, d);
    return done;
}

/* ---- sending ------------------------------------------------------------- */

struct packet { /* what one send says about itself */
    ip_addr_t to, source;
    uint16_t port;
    struct netif *netif;
    int ttl, tos; /* -1: the socket's */
};

/* A control message about the source, or the packet's header. */
static int take_control(const struct datagram_socket *s, const struct control *c, struct packet *p,
                        ip_addr_t *source, unsigned *index) {
    int n = 0;
    if (c->level == SOL_IP && c->type == CONTROL_INFO) {
        struct info4 info;
        if (c->size < sizeof info)
            return -EINVAL;
        memcpy(&info, c->data, sizeof info);
        ip_addr_set_ip4_u32_val(*source, info.own);
        *index = (unsigned)info.index;
        return 0;
    }
    if (c->level == SOL_IPV6 && c->type == CONTROL6_INFO && s->inet.socket.family == AF_INET6) {
        struct info6 info;
        struct socket_address a = {.size = 28};
        uint16_t port;
        if (c->size < sizeof info)
            return -EINVAL;
        memcpy(&info, c->data, sizeof info);
        a.family = AF_INET6;
        memcpy(a.bytes + 8, info.to, sizeof info.to);
        *index = info.index;
        return inet_address(&s->inet, &a, -EINVAL, source, &port);
    }
    if (c->level != SOL_IP && c->level != SOL_IPV6)
        return c->level == SOL_UDP ? -EINVAL : 0;
    if (c->size < 1)
        return -EINVAL;
    inet_int(c->data, c->size, &n);
    if ((c->level == SOL_IP && c->type == CONTROL_TTL) ||
        (c->level == SOL_IPV6 && c->type == CONTROL6_HOPS)) {
        p->ttl = n;
        return n < -1 || n > 255 ? -EINVAL : 0;
    }
    if ((c->level == SOL_IP && c->type == CONTROL_TOS) ||
        (c->level == SOL_IPV6 && c->type == CONTROL6_CLASS)) {
        p->tos = n;
        return n < -1 || n > 255 ? -EINVAL : 0;
    }
    return -EINVAL;
}

/* Where to, from where, and by which interface. */
static int address_packet(struct datagram_socket *s, const struct message *m, struct packet *p) {
    struct control c = {.at = 0};
    ip_addr_t source;
    unsigned index = 0;
    int error;
    memset(&source, 0, sizeof source);
    p->ttl = p->tos = -1;
    if (m->peer.size) {
        error = inet_address(&s->inet, &m->peer, -ENETUNREACH, &p->to, &p->port);
        if (error)
            return error;
        if (!p->port && !is_raw(s))
            return -EINVAL;
    } else if (s->inet.connected) {
        p->to = s->inet.peer;
        p->port = s->inet.peer_port;
    } else {
        return -EDESTADDRREQ;
    }
    while (message_next_control(m, &c, &error)) {
        error = take_control(s, &c, p, &source, &index);
        if (error)
            return error;
    }
    if (error)
        return error;
    bool group = ip_addr_ismulticast(&p->to);
    struct netif *n = inet_interface(index ? index : group ? s->inet.multicast_index : 0);
    if (index && !n)
        return -ENODEV;
    if (n && group) {
        p->netif = n;
        if (IP_IS_V6_VAL(p->to))
            ip6_addr_assign_zone(ip_2_ip6(&p->to), IP6_MULTICAST, n);
        const ip_addr_t *own_address = ip_netif_get_local_ip(n, &p->to);
        if (!own_address)
            return -ENETUNREACH;
        p->source = *own_address;
    } else {
        error = inet_route(&s->inet, &p->to, &p->netif, &p->source);
        if (error)
            return error;
    }
    if (!ip_addr_isany_val(source)) {
        error = inet_check_local(&s->inet, &source);
        p->source = source;
    }
    return error ? -EINVAL : 0;
}

static err_t send_packet(struct datagram_socket *s, const struct packet *to, struct pbuf *p) {
    bool v6 = IP_IS_V6_VAL(to->to);
    const struct inet_socket *i = &s->inet;
    int hops = v6 ? i->multicast_hops6 : i->multicast_ttl;
    inet_apply(i, s->pcb);
    s->pcb->ttl = (u8_t)(to->ttl >= 0                    ? to->ttl
                         : (v6 ? i->hops6 : i->ttl) >= 0 ? (v6 ? i->hops6 : i->ttl)
                                                         : 64);
    s->pcb->tos = to->tos >= 0 ? (u8_t)to->tos : v6 ? i->class6 : i->tos;
    hops = to->ttl >= 0 ? to->ttl : hops < 0 ? 1 : hops;
    if (is_raw(s)) {
        raw_set_multicast_ttl(s->raw, (u8_t)hops);
        if (i->header_included && !v6)
            raw_set_flags(s->raw, RAW_FLAGS_HDRINCL);
        else
            raw_clear_flags(s->raw, RAW_FLAGS_HDRINCL);
        return raw_sendto_if_src(s->raw, p, &to->to, to->netif, &to->source);
    }
    udp_set_multicast_ttl(s->udp, (u8_t)hops);
    if (i->multicast_loop)
        udp_set_flags(s->udp, UDP_FLAGS_MULTICAST_LOOP);
    else
        udp_clear_flags(s->udp, UDP_FLAGS_MULTICAST_LOOP);
    return udp_sendto_if_src(s->udp, p, &to->to, to->port, to->netif, &to->source);
}

#define MOST 65507u  /* bytes of a UDP datagram of IPv4 */
#define MOST6 65487u /* lwIP counts the packet with its IPv6 header in 16 bits */

/* It does not fit into a packet. */
static void tell_too_long(struct datagram_socket *s, const struct packet *to) {
    bool v6 = IP_IS_V6_VAL(to->to);
    struct failure f = {
        .datagram = {.from = to->to, .port = v6 || s->inet.connected ? to->port : 0},
        .error = {.error = EMSGSIZE, .origin = ORIGIN_LOCAL, .info = inet_mtu(to->netif)},
    };
    if (v6 ? s->inet.errors6 : s->inet.errors)
        queue_failure(s, &f, NULL, 0, 0);
}

/* Who sends has a port, also when nothing comes of it. */
static int take_port(struct datagram_socket *s) {
    if (is_raw(s) || s->udp->local_port)
        return 0;
    if (udp_bind(s->udp, &s->udp->local_ip, 0))
        return -EAGAIN;
    s->inet.taken = true;
    return 0;
}

static long datagram_send(struct socket *socket, struct message *m) {
    struct datagram_socket *s = of(socket);
    struct packet to;
    int error = take_port(s);
    if (error)
        return error;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (m->size > 0xffff)
        return -EMSGSIZE;
    error = address_packet(s, m, &to);
    if (!error)
        error = s->write_closed ? -EPIPE : socket_take_error(socket);
    if (error)
        return error;
    if (m->size > (IP_IS_V6_VAL(to.to) ? MOST6 : MOST)) {
        tell_too_long(s, &to);
        return -EMSGSIZE;
    }
    if (!socket->broadcast && ip_addr_isbroadcast(&to.to, to.netif))
        return -EACCES;
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)m->size, PBUF_RAM);
    if (!p)
        return -ENOBUFS;
    error = message_get(m, p->payload, m->size);
    if (!error) {
        err_t result = send_packet(s, &to, p);
        /* No room in the card's queue: lost on the way, as it may be. */
        error = result == ERR_MEM ? 0 : inet_error(result);
    }
    pbuf_free(p);
    net_settle();
    if (!s->inet.connected && ip_addr_isany_val(s->local))
        s->local = s->pcb->local_ip;
    return error ? error : (long)m->size;
}

/* ---- names --------------------------------------------------------------- */

static bool conflicts(const struct datagram_socket *s, const ip_addr_t *ip, uint16_t port) {
    for (const struct udp_pcb *p = udp_pcbs; p; p = p->next) {
        if (p == s->udp || p->local_port != port || !inet_overlap(ip, &p->local_ip))
            continue;
        const struct datagram_socket *other = p->recv == udp_received ? p->recv_arg : NULL;
        if (!other) /* the stack's own (DHCP) */
            return true;
        if (!(s->inet.socket.reuse_address && other->inet.socket.reuse_address) &&
            !(s->inet.socket.reuse_port && other->inet.socket.reuse_port))
            return true;
    }
    return false;
}

static int datagram_bind(struct socket *socket, const struct socket_address *a) {
    struct datagram_socket *s = of(socket);
    ip_addr_t ip;
    uint16_t port;
    err_t result;
    int error = inet_address(&s->inet, a, -EINVAL, &ip, &port);
    if (!error)
        error = inet_check_local(&s->inet, &ip);
    if (error)
        return error;
    const ip_addr_t *at = ip_addr_isany_val(ip) && IP_IS_V6_VAL(ip) ? inet_any(&s->inet) : &ip;
    if (is_raw(s)) {
        result = raw_bind(s->raw, at);
    } else {
        if (s->inet.taken)
            return -EINVAL;
        if (port && conflicts(s, at, port))
            return -EADDRINUSE;
        /* Who may share was decided; lwIP looks at one flag only. */
        s->udp->so_options |= SOF_REUSEADDR;
        result = udp_bind(s->udp, at, port);
        inet_apply(&s->inet, s->pcb);
    }
    if (result)
        return inet_error(result);
    s->asked = port;
    s->inet.bound = s->local = s->pcb->local_ip;
    s->inet.taken = true;
    net_up();
    return 0;
}

static void give_port_back(struct datagram_socket *s) {
    struct udp_pcb **at = &udp_pcbs;
    while (*at && *at != s->udp)
        at = &(*at)->next;
    if (*at)
        *at = s->udp->next;
    s->udp->local_port = 0;
    s->inet.taken = false;
}

static int datagram_connect(struct socket *socket, const struct socket_address *a,
                            uint64_t deadline) {
    struct datagram_socket *s = of(socket);
    ip_addr_t to, source;
    uint16_t port;
    struct netif *netif;
    (void)deadline;
    if (a->size < sizeof a->family)
        return -EINVAL;
    if (a->family == AF_UNSPEC) {
        if (is_raw(s)) {
            raw_disconnect(s->raw);
        } else {
            udp_disconnect(s->udp);
            if (!s->asked)
                give_port_back(s);
        }
        s->inet.connected = false;
        s->local = s->inet.bound;
        return 0;
    }
    int error = inet_address(&s->inet, a, -ENETUNREACH, &to, &port);
    if (!error)
        error = inet_route(&s->inet, &to, &netif, &source);
    if (error)
        return error;
    if (!socket->broadcast && ip_addr_isbroadcast(&to, netif))
        return -EACCES;
    err_t result = is_raw(s) ? raw_connect(s->raw, &to) : udp_connect(s->udp, &to, port);
    if (result)
        return inet_error(result);
    s->inet.taken = s->inet.connected = true;
    s->inet.peer = to;
    s->inet.peer_port = port;
    s->local = source;
    inet_apply(&s->inet, s->pcb);
    return 0;
}

static int datagram_name(struct socket *socket, bool peer, struct socket_address *out) {
    struct datagram_socket *s = of(socket);
    if (peer && !s->inet.connected)
        return -ENOTCONN;
    if (peer)
        inet_name(&s->inet, &s->inet.peer, is_raw(s) ? 0 : s->inet.peer_port, out);
    else
        inet_name(&s->inet, &s->local, port_of(s), out);
    return 0;
}

/* ---- the rest ------------------------------------------------------------ */

static int datagram_shutdown(struct socket *socket, int how) {
    struct datagram_socket *s = of(socket);
    s->read_closed = s->read_closed || how != SHUT_WR;
    s->write_closed = s->write_closed || how != SHUT_RD;
    wake_events(&socket->changed, READABLE | WRITABLE | POLLHUP | POLLRDHUP);
    return s->inet.connected ? 0 : -ENOTCONN;
}

static unsigned datagram_poll(struct socket *socket) {
    struct datagram_socket *s = of(socket);
    unsigned events = WRITABLE;
    if (socket->error || !list_empty(&s->failures))
        events |= POLLERR;
    if (!list_empty(&s->queue) || s->read_closed)
        events |= READABLE;
    if (s->read_closed)
        events |= POLLRDHUP | (s->write_closed ? POLLHUP : 0);
    return events;
}

static long datagram_readable(struct socket *socket) {
    struct datagram_socket *s = of(socket);
    struct list *node = list_first(&s->queue);
    return node ? list_entry(node, struct datagram, node)->p->tot_len : 0;
}

enum { SIOCOUTQ = 0x5411 };

static long datagram_ioctl(struct socket *socket, unsigned long request, vaddr_t arg) {
    int none = 0;
    (void)socket;
    return request == SIOCOUTQ ? user_write(arg, &none, sizeof none) : -ENOTTY;
}

/* ICMP_FILTER and ICMP6_FILTER: bytes of it; 0: another option.  -EOPNOTSUPP. */
static int filter_size(const struct datagram_socket *s, int level, int name) {
    enum { SOL_RAW = 255, FILTER = 1 };
    bool six = s->inet.socket.family == AF_INET6;
    if (!is_raw(s) || level != (six ? SOL_ICMP6 : SOL_RAW) || name != FILTER)
        return 0;
    if (s->inet.socket.protocol != (six ? PROTO_ICMP6 : PROTO_ICMP))
        return -EOPNOTSUPP;
    return six ? (int)sizeof s->blocked : (int)sizeof s->blocked[0];
}

static int datagram_set_option(struct socket *socket, int level, int name, const void *value,
                               size_t size) {
    struct datagram_socket *s = of(socket);
    if (level == SOL_SOCKET) {
        inet_apply(&s->inet, s->pcb);
        return -ENOPROTOOPT;
    }
    int filter = filter_size(s, level, name);
    if (filter > 0)
        memcpy(s->blocked, value, MIN(size, (size_t)filter));
    if (filter)
        return MIN(filter, 0);
    if (level != SOL_IP && level != SOL_IPV6)
        return -ENOPROTOOPT;
    int error = inet_set_option(&s->inet, s->pcb, level, name, value, size);
    if (!s->inet.errors && !s->inet.errors6)
        drop_failures(s);
    return error;
}

static int datagram_get_option(struct socket *socket, int level, int name, void *value,
                               size_t *size) {
    const struct datagram_socket *s = of(socket);
    int filter = filter_size(s, level, name);
    if (filter > 0)
        memcpy(value, s->blocked, *size = (size_t)filter);
    if (filter)
        return MIN(filter, 0);
    return level == SOL_IP || level == SOL_IPV6
               ? inet_get_option(inet_of(socket), level, name, value, size)
               : -ENOPROTOOPT;
}

static void datagram_close(struct socket *socket) {
    struct datagram_socket *s = of(socket);
    struct list *node;
    if (is_raw(s))
        raw_remove(s->raw);
    else
        udp_remove(s->udp);
    while ((node = list_first(&s->queue)))
        drop(s, list_entry(node, struct datagram, node));
    drop_failures(s);
    list_remove(&s->raw_node);
    inet_leave_all(&s->inet);
    heap_free(s, sizeof *s);
}

static const struct socket_ops datagram_ops = {
    .bind = datagram_bind,
    .connect = datagram_connect,
    .send = datagram_send,
    .receive = datagram_receive,
    .shutdown = datagram_shutdown,
    .name = datagram_name,
    .set_option = datagram_set_option,
    .get_option = datagram_get_option,
    .poll = datagram_poll,
    .readable = datagram_readable,
    .ioctl = datagram_ioctl,
    .close = datagram_close,
    .peeks_ahead = true,
};

int datagram_socket_create(uint16_t family, uint16_t type, int protocol, struct socket **out) {
    struct datagram_socket *s = heap_alloc(sizeof *s);
    if (!s)
        return -ENOBUFS;
    inet_init(&s->inet, &datagram_ops, family, type, protocol);
    list_init(&s->queue);
    list_init(&s->failures);
    list_init(&s->raw_node);
    s->local = s->inet.bound;
    u8_t kind = IP_GET_TYPE(inet_any(&s->inet));
    if (type == SOCK_RAW)
        s->raw = raw_new_ip_type(family == AF_INET6 ? IPADDR_TYPE_V6 : kind, (u8_t)protocol);
    else
        s->udp = udp_new_ip_type(kind);
    if (!s->pcb) {
        heap_free(s, sizeof *s);
        return -ENOBUFS;
    }
    if (type == SOCK_RAW) {
        s->inet.header_included = protocol == 255; /* IPPROTO_RAW */
        if (protocol == PROTO_ICMP6) {
            s->raw->chksum_reqd = 1;
            s->raw->chksum_offset = 2;
        }
        raw_recv(s->raw, raw_received, s);
        list_push_back(&raw_sockets, &s->raw_node);
    } else {
        udp_recv(s->udp, udp_received, s);
    }
    inet_apply(&s->inet, s->pcb);
    if (type == SOCK_RAW)
        net_up(); /* it hears without being bound */
    *out = &s->inet.socket;
    return 0;
}
