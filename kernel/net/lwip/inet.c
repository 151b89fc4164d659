/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The families AF_INET and AF_INET6: addresses and the options of the IP
 * layer.  See net/lwip/inet.h.
 */
#include "net/lwip/inet.h"

#include <lwip/igmp.h>
#include <lwip/mld6.h>
#include <lwip/netif.h>

#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "net/lwip/stack.h"

int inet_error(err_t error) {
    switch (error) {
    case ERR_OK:
        return 0;
    case ERR_MEM:
        return -ENOBUFS;
    case ERR_BUF: /* no port is left */
        return -EADDRNOTAVAIL;
    case ERR_TIMEOUT:
        return -ETIMEDOUT;
    case ERR_RTE:
        return -ENETUNREACH;
    case ERR_INPROGRESS:
        return -EINPROGRESS;
    case ERR_WOULDBLOCK:
        return -EAGAIN;
    case ERR_USE:
        return -EADDRINUSE;
    case ERR_ALREADY:
        return -EALREADY;
    case ERR_ISCONN:
        return -EISCONN;
    case ERR_CONN:
    case ERR_CLSD:
        return -ENOTCONN;
    case ERR_IF:
        return -ENETDOWN;
    case ERR_ABRT:
        return -ECONNABORTED;
    case ERR_RST:
        return -ECONNRESET;
    default:
        return -EINVAL;
    }
}

/* ---- addresses ----------------------------------------------------------- */

struct address4 { /* struct sockaddr_in */
    uint16_t family, port;
    uint32_t ip;
    uint8_t zero[8];
};
struct address6 { /* struct sockaddr_in6 */
    uint16_t family, port;
    uint32_t flow;
    uint8_t ip[16];
    uint32_t scope;
};
#define ADDRESS6_LEAST 24u /* without the scope, as RFC 2133 had it */
_Static_assert(sizeof(struct address4) == 16 && sizeof(struct address6) == 28, "ABI");

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void inet_address6(ip_addr_t *ip, const uint8_t bytes[16]) {
    IP_SET_TYPE_VAL(*ip, IPADDR_TYPE_V6);
    memcpy(ip_2_ip6(ip)->addr, bytes, 16);
    ip6_addr_clear_zone(ip_2_ip6(ip));
}

static void from6(const struct address6 *a, ip_addr_t *ip) {
    ip6_addr_t *v6 = ip_2_ip6(ip);
    inet_address6(ip, a->ip);
    if (ip6_addr_has_scope(v6, IP6_UNKNOWN) && a->scope && a->scope <= UINT8_MAX)
        ip6_addr_set_zone(v6, (u8_t)a->scope);
}

int inet_address(const struct inet_socket *s, const struct socket_address *a, int mapped,
                 ip_addr_t *ip, uint16_t *port) {
    memset(ip, 0, sizeof *ip);
    if (s->socket.family == AF_INET) {
        struct address4 in;
        if (a->size < sizeof in)
            return -EINVAL;
        memcpy(&in, a->bytes, sizeof in);
        if (in.family != AF_INET)
            return -EAFNOSUPPORT;
        ip_addr_set_ip4_u32_val(*ip, in.ip);
        *port = lwip_ntohs(in.port);
        return 0;
    }
    struct address6 in = {.scope = 0};
    if (a->size < ADDRESS6_LEAST)
        return -EINVAL;
    memcpy(&in, a->bytes, MIN(a->size, (uint32_t)sizeof in));
    if (in.family != AF_INET6)
        return -EAFNOSUPPORT;
    *port = lwip_ntohs(in.port);
    if (memcmp(in.ip, mapped_prefix, sizeof mapped_prefix)) {
        from6(&in, ip);
        return 0;
    }
    if (s->only6)
        return mapped;
    uint32_t v4;
    memcpy(&v4, in.ip + sizeof mapped_prefix, sizeof v4);
    ip_addr_set_ip4_u32_val(*ip, v4);
    return 0;
}

void inet_name(const struct inet_socket *s, const ip_addr_t *ip, uint16_t port,
               struct socket_address *out) {
    memset(out, 0, sizeof *out);
    if (s->socket.family == AF_INET) {
        struct address4 in = {.family = AF_INET, .port = lwip_htons(port)};
        in.ip = IP_IS_V4(ip) ? ip4_addr_get_u32(ip_2_ip4(ip)) : 0;
        memcpy(out->bytes, &in, out->size = sizeof in);
        return;
    }
    struct address6 in = {.family = AF_INET6, .port = lwip_htons(port)};
    if (IP_IS_V6(ip)) {
        memcpy(in.ip, ip_2_ip6(ip)->addr, sizeof in.ip);
        in.scope = ip6_addr_zone(ip_2_ip6(ip));
    } else if (IP_IS_V4(ip)) {
        uint32_t v4 = ip4_addr_get_u32(ip_2_ip4(ip));
        memcpy(in.ip, mapped_prefix, sizeof mapped_prefix);
        memcpy(in.ip + sizeof mapped_prefix, &v4, sizeof v4);
    }
    memcpy(out->bytes, &in, out->size = sizeof in);
}

const ip_addr_t *inet_any(const struct inet_socket *s) {
    return s->socket.family == AF_INET ? IP4_ADDR_ANY : s->only6 ? IP6_ADDR_ANY : IP_ANY_TYPE;
}

bool inet_overlap(const ip_addr_t *a, const ip_addr_t *b) {
    if (IP_IS_ANY_TYPE_VAL(*a) || IP_IS_ANY_TYPE_VAL(*b))
        return true;
    return IP_GET_TYPE(a) == IP_GET_TYPE(b) &&
           (ip_addr_isany_val(*a) || ip_addr_isany_val(*b) || ip_addr_cmp_zoneless(a, b));
}

/* ---- the network --------------------------------------------------------- */

static bool is_ours(const ip_addr_t *ip) {
    struct netif *n;
    if (IP_IS_V4(ip) && ip4_addr_isloopback(ip_2_ip4(ip)))
        return true;
    NETIF_FOREACH(n) {
        if (IP_IS_V4(ip) && ip4_addr_cmp(ip_2_ip4(ip), netif_ip4_addr(n)))
            return true;
        for (unsigned i = 0; IP_IS_V6(ip) && i < LWIP_IPV6_NUM_ADDRESSES; i++) {
            if (ip6_addr_isvalid(netif_ip6_addr_state(n, i)) &&
                ip6_addr_cmp_zoneless(ip_2_ip6(ip), netif_ip6_addr(n, i)))
                return true;
        }
    }
    return false;
}

int inet_check_local(const struct inet_socket *s, const ip_addr_t *ip) {
    bool group = s->socket.type != SOCK_STREAM &&
                 (ip_addr_ismulticast(ip) ||
                  (IP_IS_V4(ip) && ip4_addr_get_u32(ip_2_ip4(ip)) == IPADDR_BROADCAST));
    if (ip_addr_isany_val(*ip) || group || s->freebind || is_ours(ip))
        return 0;
    int error = net_wait_address();
    return error ? error : is_ours(ip) ? 0 : -EADDRNOTAVAIL;
}

/* The route, when there is a source address that the other side can answer. */
static bool route(const struct inet_socket *s, const ip_addr_t *to, struct netif **netif,
                  ip_addr_t *source) {
    const ip_addr_t *from =
        ip_addr_isany_val(s->bound) ? (IP_IS_V6(to) ? IP6_ADDR_ANY : IP4_ADDR_ANY) : &s->bound;
    *netif = ip_route(from, to);
    if (!*netif)
        return false;
    const ip_addr_t *own = ip_netif_get_local_ip(*netif, to);
    if (!own || (IP_IS_V4(own) && ip4_addr_isany_val(*ip_2_ip4(own))))
        return false;
    if (IP_IS_V6(to) && ip6_addr_isglobal(ip_2_ip6(to)) && ip6_addr_islinklocal(ip_2_ip6(own)))
        return false;
    *source = ip_addr_isany_val(s->bound) ? *own : s->bound;
    return true;
}

int inet_route(const struct inet_socket *s, ip_addr_t *to, struct netif **netif,
               ip_addr_t *source) {
    if (ip_addr_isany_val(*to)) {
        if (IP_IS_V4(to))
            ip_addr_set_loopback(false, to);
        else
            ip_addr_set_loopback(true, to);
    }
    if (!ip_addr_isany_val(s->bound) && IP_IS_V4(to) != IP_IS_V4(&s->bound))
        return -ENETUNREACH;
    if (IP_IS_V6(to) && ip6_addr_lacks_zone(ip_2_ip6(to), IP6_UNKNOWN)) {
        net_up();
        if (!netif_default)
            return -ENETUNREACH;
        if (ip6_addr_islinklocal(ip_2_ip6(to)))
            return -EINVAL; /* which link? */
        ip6_addr_set_zone(ip_2_ip6(to), netif_get_index(netif_default));
    }
    if (route(s, to, netif, source))
        return 0;
    int error = net_wait_address();
    return error ? error : route(s, to, netif, source) ? 0 : -ENETUNREACH;
}

struct netif *inet_interface(unsigned index) {
    if (index)
        net_up();
    return index && index <= UINT8_MAX ? netif_get_by_index((u8_t)index) : NULL;
}

/* ---- options ------------------------------------------------------------- */

enum { /* SOL_IP */
       IP_TOS = 1,
       IP_TTL,
       IP_HDRINCL,
       IP_OPTIONS,
       IP_RECVOPTS = 6,
       IP_RETOPTS,
       IP_PKTINFO,
       IP_MTU_DISCOVER = 10,
       IP_RECVERR,
       IP_RECVTTL,
       IP_RECVTOS,
       IP_MTU,
       IP_FREEBIND,
       IP_BIND_ADDRESS_NO_PORT = 24,
       IP_MULTICAST_IF = 32,
       IP_MULTICAST_TTL,
       IP_MULTICAST_LOOP,
       IP_ADD_MEMBERSHIP,
       IP_DROP_MEMBERSHIP,
       IP_MULTICAST_ALL = 49,
};
enum { /* SOL_IPV6 */
       IPV6_UNICAST_HOPS = 16,
       IPV6_MULTICAST_IF,
       IPV6_MULTICAST_HOPS,
       IPV6_MULTICAST_LOOP,
       IPV6_JOIN_GROUP,
       IPV6_LEAVE_GROUP,
       IPV6_MTU_DISCOVER = 23,
       IPV6_MTU,
       IPV6_RECVERR,
       IPV6_V6ONLY,
       IPV6_RECVPKTINFO = 49,
       IPV6_RECVHOPLIMIT = 51,
       IPV6_RECVTCLASS = 66,
       IPV6_TCLASS,
};
#define DEFAULT_TTL 64

struct membership {
    struct membership *next;
    ip_addr_t group;
    uint8_t index; /* of the interface */
};

int inet_int(const void *value, size_t size, int *out) {
    *out = 0;
    if (size >= sizeof *out)
        memcpy(out, value, sizeof *out);
    else if (size)
        *out = *(const uint8_t *)value;
    else
        return -EINVAL;
    return 0;
}

static void leave(const struct membership *m) {
    struct netif *n = inet_interface(m->index);
    if (n && IP_IS_V4(&m->group))
        igmp_leavegroup_netif(n, ip_2_ip4(&m->group));
    else if (n)
        mld6_leavegroup_netif(n, ip_2_ip6(&m->group));
}

bool inet_joined(const struct inet_socket *s, const ip_addr_t *group) {
    const struct membership *m = s->memberships;
    while (m && !ip_addr_cmp_zoneless(&m->group, group))
        m = m->next;
    return m;
}

void inet_leave_all(struct inet_socket *s) {
    struct membership *m;
    while ((m = s->memberships)) {
        s->memberships = m->next;
        leave(m);
        heap_free(m, sizeof *m);
    }
    net_settle();
}

static int join(struct inet_socket *s, const ip_addr_t *group, struct netif *n) {
    if (!n)
        return -ENODEV;
    for (const struct membership *m = s->memberships; m; m = m->next) {
        if (m->index == netif_get_index(n) && ip_addr_cmp_zoneless(&m->group, group))
            return -EADDRINUSE;
    }
    struct membership *m = heap_alloc(sizeof *m);
    if (!m)
        return -ENOBUFS;
    *m = (struct membership){s->memberships, *group, netif_get_index(n)};
    /* The loopback hears everything that is sent to it. */
    err_t error = ERR_OK;
    if (IP_IS_V4(group) && n->flags & NETIF_FLAG_IGMP)
        error = igmp_joingroup_netif(n, ip_2_ip4(group));
    else if (IP_IS_V6(group))
        error = mld6_joingroup_netif(n, ip_2_ip6(group));
    if (error) {
        heap_free(m, sizeof *m);
        return inet_error(error);
    }
    s->memberships = m;
    net_settle();
    return 0;
}

static int part(struct inet_socket *s, const ip_addr_t *group, const struct netif *n) {
    for (struct membership **at = &s->memberships; *at; at = &(*at)->next) {
        struct membership *m = *at;
        if ((n && m->index != netif_get_index(n)) || !ip_addr_cmp_zoneless(&m->group, group))
            continue;
        *at = m->next;
        leave(m);
        heap_free(m, sizeof *m);
        net_settle();
        return 0;
    }
    return -EADDRNOTAVAIL;
}

/* The interface that struct ip_mreq, ip_mreqn or ipv6_mreq names; the default
 * one for none; NULL: there is no such. */
static struct netif *interface_of(uint32_t own, int index) {
    struct netif *n;
    net_up();
    if (index)
        return index > 0 ? inet_interface((unsigned)index) : NULL;
    if (!own)
        return netif_default ? netif_default : netif_get_by_index(1);
    NETIF_FOREACH(n) {
        if (ip4_addr_get_u32(netif_ip4_addr(n)) == own)
            return n;
    }
    return NULL;
}

struct request4 { /* struct ip_mreqn; without `index` ip_mreq */
    uint32_t group, own;
    int32_t index;
};
struct request6 { /* struct ipv6_mreq */
    uint8_t group[16];
    int32_t index;
};

static int membership4(struct inet_socket *s, bool joins, const void *value, size_t size) {
    struct request4 r = {.index = 0};
    ip_addr_t group;
    if (size < 8)
        return -EINVAL;
    memcpy(&r, value, MIN(size, sizeof r));
    ip_addr_set_ip4_u32_val(group, r.group);
    if (!ip_addr_ismulticast(&group))
        return -EINVAL;
    struct netif *n = interface_of(r.own, r.index);
    return joins ? join(s, &group, n) : part(s, &group, r.own || r.index ? n : NULL);
}

static int membership6(struct inet_socket *s, bool joins, const void *value, size_t size) {
    struct request6 r;
    struct address6 in = {.scope = 0};
    ip_addr_t group;
    if (size < sizeof r)
        return -EINVAL;
    memcpy(&r, value, sizeof r);
    memcpy(in.ip, r.group, sizeof in.ip);
    from6(&in, &group);
    if (!ip_addr_ismulticast(&group))
        return -EINVAL;
    struct netif *n = interface_of(0, r.index);
    if (n)
        ip6_addr_assign_zone(ip_2_ip6(&group), IP6_MULTICAST, n);
    return joins ? join(s, &group, n) : part(s, &group, r.index ? n : NULL);
}

static int multicast_interface(struct inet_socket *s, int level, const void *value, size_t size) {
    struct request4 r = {.index = 0};
    if (level == SOL_IPV6 || size == sizeof(int32_t)) {
        uint32_t n = 0;
        memcpy(&n, value, MIN(size, sizeof n));
        if (level == SOL_IPV6)
            r.index = (int32_t)n;
        else
            r.own = n;
    } else {
        memcpy(&r, value, MIN(size, sizeof r));
    }
    struct netif *n = interface_of(r.own, r.index);
    if (!n)
        return level == SOL_IPV6 ? -ENODEV : -EADDRNOTAVAIL;
    s->multicast_index = r.own || r.index ? netif_get_index(n) : 0;
    return 0;
}

static int set_bool(bool *out, int value) {
    *out = value;
    return 0;
}

static int set_hops(int16_t *out, int value) {
    if (value < -1 || value > 255)
        return -EINVAL;
    *out = (int16_t)value;
    return 0;
}

#define ECN 3 /* bits of the type of service that are TCP's own (RFC 3168) */

static int set4(struct inet_socket *s, int name, int n, const void *value, size_t size) {
    bool stream = s->socket.type == SOCK_STREAM;
    switch (name) {
    case IP_TOS:
        s->tos = (uint8_t)(stream ? n & ~ECN : n);
        return 0;
    case IP_TTL:
        return n == 0 ? -EINVAL : set_hops(&s->ttl, n);
    case IP_HDRINCL:
        return s->socket.type == SOCK_RAW ? set_bool(&s->header_included, n) : -ENOPROTOOPT;
    case IP_OPTIONS:
        return size ? -EINVAL : 0;
    case IP_PKTINFO:
        return set_bool(&s->packet_info, n);
    case IP_RECVTTL:
        return set_bool(&s->packet_ttl, n);
    case IP_RECVTOS:
        return set_bool(&s->packet_tos, n);
    case IP_RECVERR:
        return set_bool(&s->errors, n);
    case IP_MTU_DISCOVER:
        if (n < 0 || n > 5)
            return -EINVAL;
        s->discover = (int8_t)n;
        return 0;
    case IP_FREEBIND:
        return set_bool(&s->freebind, n);
    case IP_BIND_ADDRESS_NO_PORT:
        return set_bool(&s->address_no_port, n);
    case IP_MULTICAST_TTL:
        return stream ? -EINVAL : set_hops(&s->multicast_ttl, n);
    case IP_MULTICAST_LOOP:
        return set_bool(&s->multicast_loop, n);
    case IP_MULTICAST_ALL:
        return n != 0 && n != 1 ? -EINVAL : set_bool(&s->multicast_all, n);
    case IP_MULTICAST_IF:
        return stream ? -EINVAL : multicast_interface(s, SOL_IP, value, size);
    case IP_ADD_MEMBERSHIP:
    case IP_DROP_MEMBERSHIP:
        return stream ? -EPROTO : membership4(s, name == IP_ADD_MEMBERSHIP, value, size);
    default:
        return -ENOPROTOOPT;
    }
}

static int set6(struct inet_socket *s, int name, int n, const void *value, size_t size) {
    bool stream = s->socket.type == SOCK_STREAM;
    switch (name) {
    case IPV6_V6ONLY:
        return s->taken ? -EINVAL : set_bool(&s->only6, n);
    case IPV6_UNICAST_HOPS:
        return set_hops(&s->hops6, n);
    case IPV6_MULTICAST_HOPS:
        return stream ? -ENOPROTOOPT : set_hops(&s->multicast_hops6, n);
    case IPV6_MULTICAST_LOOP:
        return n != 0 && n != 1 ? -EINVAL : set_bool(&s->multicast_loop, n);
    case IPV6_MULTICAST_IF:
        return stream ? -ENOPROTOOPT : multicast_interface(s, SOL_IPV6, value, size);
    case IPV6_JOIN_GROUP:
    case IPV6_LEAVE_GROUP:
        return stream ? -EPROTO : membership6(s, name == IPV6_JOIN_GROUP, value, size);
    case IPV6_RECVPKTINFO:
        return set_bool(&s->packet_info, n);
    case IPV6_RECVHOPLIMIT:
        return set_bool(&s->packet_ttl, n);
    case IPV6_RECVTCLASS:
        return set_bool(&s->packet_tos, n);
    case IPV6_RECVERR:
        return set_bool(&s->errors6, n);
    case IPV6_MTU_DISCOVER:
        if (n < 0 || n > 5)
            return -EINVAL;
        s->discover = (int8_t)n;
        return 0;
    case IPV6_MTU:
        return n && n < 1280 ? -EINVAL : 0;
    case IPV6_TCLASS:
        if (n < -1 || n > 255)
            return -EINVAL;
        s->class6 = (uint8_t)(n < 0 ? 0 : stream ? n & ~ECN : n);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int inet_set_option(struct inet_socket *s, struct ip_pcb *pcb, int level, int name,
                    const void *value, size_t size) {
    int n = 0;
    if (level == SOL_IPV6 && s->socket.family != AF_INET6)
        return -ENOPROTOOPT;
    int error = inet_int(value, size, &n);
    if (error && !(level == SOL_IP && name == IP_OPTIONS))
        return error;
    if (level == SOL_IPV6 && size < sizeof n)
        return -EINVAL;
    error = level == SOL_IP ? set4(s, name, n, value, size) : set6(s, name, n, value, size);
    if (!error && pcb)
        inet_apply(s, pcb);
    return error;
}

static int or_default(int value) {
    return value < 0 ? DEFAULT_TTL : value;
}

static int or_one(int value) {
    return value < 0 ? 1 : value;
}

uint32_t inet_mtu(const struct netif *netif) {
    return netif->mtu ? netif->mtu : 65536; /* the loopback's, which 16 bits do not hold */
}

static int mtu_of(const struct inet_socket *s) {
    struct netif *netif;
    ip_addr_t to = s->peer, source;
    if (!s->connected)
        return -ENOTCONN;
    if (!route(s, &to, &netif, &source))
        return -ENOTCONN;
    return (int)inet_mtu(netif);
}

static int get4(const struct inet_socket *s, int name) {
    switch (name) {
    case IP_TOS:
        return s->tos;
    case IP_TTL:
        return or_default(s->ttl);
    case IP_HDRINCL:
        return s->socket.type == SOCK_RAW ? s->header_included : -ENOPROTOOPT;
    case IP_PKTINFO:
        return s->packet_info;
    case IP_RECVTTL:
        return s->packet_ttl;
    case IP_RECVTOS:
        return s->packet_tos;
    case IP_RECVERR:
        return s->errors;
    case IP_RECVOPTS:
    case IP_RETOPTS:
        return 0;
    case IP_MTU_DISCOVER:
        return s->discover;
    case IP_MTU:
        return mtu_of(s);
    case IP_FREEBIND:
        return s->freebind;
    case IP_BIND_ADDRESS_NO_PORT:
        return s->address_no_port;
    case IP_MULTICAST_TTL:
        return or_one(s->multicast_ttl);
    case IP_MULTICAST_LOOP:
        return s->multicast_loop;
    case IP_MULTICAST_ALL:
        return s->multicast_all;
    default:
        return -ENOPROTOOPT;
    }
}

static int get6(const struct inet_socket *s, int name) {
    switch (name) {
    case IPV6_V6ONLY:
        return s->only6;
    case IPV6_UNICAST_HOPS:
        return or_default(s->hops6);
    case IPV6_MULTICAST_HOPS:
        return or_one(s->multicast_hops6);
    case IPV6_MULTICAST_LOOP:
        return s->multicast_loop;
    case IPV6_MULTICAST_IF:
        return s->multicast_index;
    case IPV6_RECVPKTINFO:
        return s->packet_info;
    case IPV6_RECVHOPLIMIT:
        return s->packet_ttl;
    case IPV6_RECVTCLASS:
        return s->packet_tos;
    case IPV6_RECVERR:
        return s->errors6;
    case IPV6_MTU_DISCOVER:
        return s->discover;
    case IPV6_MTU:
        return mtu_of(s);
    case IPV6_TCLASS:
        return s->class6;
    default:
        return -ENOPROTOOPT;
    }
}

int inet_get_option(struct inet_socket *s, int level, int name, void *value, size_t *size) {
    if (level == SOL_IPV6 && s->socket.family != AF_INET6)
        return -ENOPROTOOPT;
    *size = sizeof(int);
    if (level == SOL_IP && name == IP_OPTIONS) {
        *size = 0;
        return 0;
    }
    if (level == SOL_IP && name == IP_MULTICAST_IF) {
        const struct netif *n = inet_interface(s->multicast_index);
        uint32_t own = n ? ip4_addr_get_u32(netif_ip4_addr(n)) : 0;
        memcpy(value, &own, sizeof own);
        return 0;
    }
    int n = level == SOL_IP ? get4(s, name) : get6(s, name);
    if (n < 0)
        return n;
    memcpy(value, &n, sizeof n);
    return 0;
}

void inet_apply(const struct inet_socket *s, struct ip_pcb *pcb) {
    bool v6 = IP_IS_V6_VAL(pcb->remote_ip);
    pcb->ttl = (u8_t)or_default(v6 ? s->hops6 : s->ttl);
    pcb->tos = v6 ? s->class6 : s->tos;
    u8_t options = pcb->so_options & (u8_t) ~(SOF_REUSEADDR | SOF_KEEPALIVE | SOF_BROADCAST);
    options |= s->socket.reuse_address ? SOF_REUSEADDR : 0;
    options |= s->socket.keep_alive ? SOF_KEEPALIVE : 0;
    options |= s->socket.broadcast ? SOF_BROADCAST : 0;
    pcb->so_options = options;
}

/* ---- making -------------------------------------------------------------- */

void inet_init(struct inet_socket *s, const struct socket_ops *ops, uint16_t family, uint16_t type,
               int protocol) {
    socket_init(&s->socket, ops, family, type, protocol);
    s->socket.changed.external = net_devices();
    s->bound = *inet_any(s);
    s->ttl = s->multicast_ttl = s->hops6 = s->multicast_hops6 = -1;
    s->multicast_loop = s->multicast_all = true;
    s->discover = 1; /* IP_PMTUDISC_WANT */
}

static int create(uint16_t family, int type, int protocol, struct socket **out) {
    net_start();
    icmp_listen();
    switch (type) {
    case SOCK_STREAM:
        if (protocol && protocol != PROTO_TCP)
            return -EPROTONOSUPPORT;
        return tcp_socket_create(family, PROTO_TCP, out);
    case SOCK_DGRAM:
        if (protocol && protocol != PROTO_UDP)
            return -EPROTONOSUPPORT;
        return datagram_socket_create(family, SOCK_DGRAM, PROTO_UDP, out);
    case SOCK_RAW:
        if (protocol <= 0 || protocol > 255)
            return protocol ? -EINVAL : -EPROTONOSUPPORT;
        return datagram_socket_create(family, SOCK_RAW, protocol, out);
    default:
        return -ESOCKTNOSUPPORT;
    }
}

static int create4(int type, int protocol, struct socket **out) {
    return create(AF_INET, type, protocol, out);
}

static int create6(int type, int protocol, struct socket **out) {
    return create(AF_INET6, type, protocol, out);
}

static const struct socket_family inet = {AF_INET, create4, NULL};
SOCKET_FAMILY(inet);
static const struct socket_family inet6 = {AF_INET6, create6, NULL};
SOCKET_FAMILY(inet6);
