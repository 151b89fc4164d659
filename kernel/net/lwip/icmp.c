/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ICMP: what sockets are told of packets that did not arrive, how much of such a
 * packet we quote ourselves (RFC 792, 1812, 4443), and where MLD's messages go.  Which message is
 * which error is Linux's table (net/ipv4/icmp.c, net/ipv6/icmp.c there).
 */
#include <lwip/icmp.h>
#include <lwip/icmp6.h>
#include <lwip/inet_chksum.h>
#include <lwip/prot/icmp.h>
#include <lwip/prot/icmp6.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/raw.h>

#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "net/lwip/inet.h"

#define ICMP_HEADER 8u
#define MOST_HEADERS (60u + ICMP_HEADER + 60 + 8) /* our IP header, ICMP's, the quoted ones */

static uint16_t get16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* ---- what is told -------------------------------------------------------- */

/* Fills in error, fatal and info; false: it is no error. */
static bool judge4(const uint8_t *icmp, struct undelivered *u) {
    enum { FRAGMENTATION_NEEDED = 4 };
    static const uint8_t errors[] = {ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED,
                                     EMSGSIZE,    EOPNOTSUPP,   ENETUNREACH, EHOSTDOWN,
                                     ENONET,      ENETUNREACH,  EHOSTUNREACH};
    const uint32_t fatal = 0xe7cc; /* codes, a bit each */
    switch (icmp[0]) {
    case ICMP_DUR:
        u->error = icmp[1] < ARRAY_LEN(errors) ? errors[icmp[1]] : EHOSTUNREACH;
        u->fatal = icmp[1] < 16 && fatal >> icmp[1] & 1;
        u->info = icmp[1] == FRAGMENTATION_NEEDED ? get16(icmp + 6) : 0;
        return true;
    case ICMP_TE:
        u->error = EHOSTUNREACH;
        return true;
    case ICMP_PP:
        u->error = EPROTO;
        u->fatal = true;
        u->info = icmp[4];
        return true;
    default:
        return false;
    }
}

static bool judge6(const uint8_t *icmp, struct undelivered *u) {
    static const uint8_t errors[] = {ENETUNREACH,  EACCES, EHOSTUNREACH, EHOSTUNREACH,
                                     ECONNREFUSED, EACCES, EACCES};
    const uint32_t fatal = 0x72;
    u->info = (uint32_t)get16(icmp + 4) << 16 | get16(icmp + 6);
    switch (icmp[0]) {
    case ICMP6_TYPE_DUR:
        u->error = icmp[1] < ARRAY_LEN(errors) ? errors[icmp[1]] : EPROTO;
        u->fatal = icmp[1] >= ARRAY_LEN(errors) || fatal >> icmp[1] & 1;
        return true;
    case ICMP6_TYPE_PTB:
        u->error = EMSGSIZE;
        return true;
    case ICMP6_TYPE_TE:
        u->error = EHOSTUNREACH;
        return true;
    case ICMP6_TYPE_PP:
        u->error = EPROTO;
        u->fatal = true;
        return true;
    default:
        return false;
    }
}

static void tell(struct undelivered *u, const uint8_t *icmp, const uint8_t *ports) {
    u->type = icmp[0];
    u->code = icmp[1];
    u->port = get16(ports);
    u->to_port = get16(ports + 2);
    if (u->protocol == PROTO_TCP)
        tcp_undelivered(u);
    datagram_undelivered(u);
}

static u8_t icmp4_seen(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *addr) {
    uint8_t b[MOST_HEADERS];
    struct undelivered u = {.origin = ORIGIN_ICMP, .message = p};
    uint32_t from, to;
    (void)arg, (void)pcb, (void)addr;
    size_t size = pbuf_copy_partial(p, b, sizeof b, 0), at = ip_current_header_tot_len();
    if (size < at + ICMP_HEADER + IP_HLEN || !judge4(b + at, &u))
        return 0;
    const uint8_t *inner = b + at + ICMP_HEADER;
    size_t header = (inner[0] & 15u) * 4;
    if (header < IP_HLEN || size < at + ICMP_HEADER + header + 8)
        return 0;
    memcpy(&from, inner + 12, sizeof from);
    memcpy(&to, inner + 16, sizeof to);
    ip_addr_set_ip4_u32_val(u.from, from);
    ip_addr_set_ip4_u32_val(u.to, to);
    u.protocol = inner[9];
    u.quoted = (uint16_t)(at + ICMP_HEADER + header);
    tell(&u, b + at, inner + header);
    return 0;
}

static u8_t icmp6_seen(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *addr) {
    uint8_t b[ICMP_HEADER + IP6_HLEN + 8];
    struct undelivered u = {.origin = ORIGIN_ICMP6, .message = p};
    (void)arg, (void)pcb, (void)addr;
    uint16_t at = ip_current_header_tot_len();
    if (pbuf_copy_partial(p, b, sizeof b, at) < sizeof b || !judge6(b, &u))
        return 0;
    const uint8_t *inner = b + ICMP_HEADER;
    inet_address6(&u.from, inner + 8);
    inet_address6(&u.to, inner + 24);
    ip6_addr_assign_zone(ip_2_ip6(&u.to), IP6_UNKNOWN, ip_current_input_netif());
    u.protocol = inner[6];
    u.quoted = (uint16_t)(at + sizeof b - 8);
    tell(&u, b, inner + IP6_HLEN);
    return 0;
}

void icmp_listen(void) {
    static struct raw_pcb *v4, *v6;
    if (!v4 && (v4 = raw_new_ip_type(IPADDR_TYPE_V4, PROTO_ICMP)))
        raw_recv(v4, icmp4_seen, NULL);
    if (!v6 && (v6 = raw_new_ip_type(IPADDR_TYPE_V6, PROTO_ICMP6)))
        raw_recv(v6, icmp6_seen, NULL);
}

/* ---- what we tell -------------------------------------------------------- */

#define MESSAGE_MOST 576u /* bytes with the IP header (RFC 1812, 4.3.2.3) */

/* In place of lwIP's, which quotes 8 bytes of what follows the IP header. */
void icmp_dest_unreach(struct pbuf *p, enum icmp_dur_type code) {
    const struct ip_hdr *ip = p->payload;
    ip4_addr_t to;
    ip4_addr_copy(to, ip->src);
    u16_t size = MIN(p->tot_len, (u16_t)(MESSAGE_MOST - IP_HLEN - ICMP_HEADER));
    struct netif *netif = ip4_route(&to);
    struct pbuf *q = netif ? pbuf_alloc(PBUF_IP, (u16_t)(ICMP_HEADER + size), PBUF_RAM) : NULL;
    if (!q)
        return;
    uint8_t *icmp = q->payload;
    memset(icmp, 0, ICMP_HEADER);
    icmp[0] = ICMP_DUR;
    icmp[1] = (uint8_t)code;
    pbuf_copy_partial(p, icmp + ICMP_HEADER, size, 0);
    uint16_t sum = inet_chksum(icmp, q->len);
    memcpy(icmp + 2, &sum, sizeof sum);
    ip4_output_if(q, NULL, &to, ICMP_TTL, 0, PROTO_ICMP, netif);
    pbuf_free(q);
}

/* ip6_output_if for lwIP's MLD, which sends a Done to the group: it is for the routers
 * (RFC 2710).  `p` has the hop-by-hop header, 8 bytes, before the message. */
err_t lwip_port_mld_output(struct pbuf *p, const ip6_addr_t *src, const ip6_addr_t *dest, u8_t hops,
                           u8_t traffic, u8_t next, struct netif *netif);
err_t lwip_port_mld_output(struct pbuf *p, const ip6_addr_t *src, const ip6_addr_t *dest, u8_t hops,
                           u8_t traffic, u8_t next, struct netif *netif) {
    enum { OPTIONS = 8 };
    ip6_addr_t routers;
    uint8_t *icmp = (uint8_t *)p->payload + OPTIONS;
    if (icmp[0] == ICMP6_TYPE_MLD) {
        ip6_addr_set_allrouters_linklocal(&routers);
        ip6_addr_assign_zone(&routers, IP6_MULTICAST, netif);
        dest = &routers;
        memset(icmp + 2, 0, sizeof(uint16_t));
        pbuf_remove_header(p, OPTIONS);
        uint16_t sum =
            ip6_chksum_pseudo(p, PROTO_ICMP6, p->tot_len, src ? src : ip_2_ip6(IP6_ADDR_ANY), dest);
        pbuf_add_header(p, OPTIONS);
        memcpy(icmp + 2, &sum, sizeof sum);
    }
    return ip6_output_if(p, src, dest, hops, traffic, next, netif);
}
