/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the sockets of AF_INET and AF_INET6 have in common (inet.c): addresses,
 * options of the IP layer, and waiting for the network to have an address.
 *
 * Functions here are called from system calls with interrupts closed; what
 * lwIP calls back runs in system calls, timers and device interrupts, and
 * never while another of these functions is at work.  Numbers are Linux's
 * (linux/in.h, linux/in6.h, linux/tcp.h).
 */
#ifndef NET_LWIP_INET_H
#define NET_LWIP_INET_H

#include <lwip/ip.h>
#include <lwip/ip_addr.h>

#include "net/socket.h"

enum { PROTO_IP, PROTO_ICMP, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };
enum { SOL_IP = 0, SOL_TCP = 6, SOL_UDP = 17, SOL_IPV6 = 41, SOL_ICMP6 = 58 };

#define READABLE (POLLIN | POLLRDNORM)
#define WRITABLE (POLLOUT | POLLWRNORM)

struct inet_socket {
    struct socket socket;
    ip_addr_t bound; /* to which address; of the socket's kind and any: to none */
    bool only6;      /* IPV6_V6ONLY */
    /* The options of the IP layer that are told back; -1: the stack's value. */
    int16_t ttl, multicast_ttl, hops6, multicast_hops6;
    uint8_t tos, class6;
    bool multicast_loop, multicast_all;
    bool packet_info, packet_ttl, packet_tos; /* control messages asked for */
    bool errors, errors6;                     /* IP_RECVERR, IPV6_RECVERR */
    int8_t discover;                          /* IP_MTU_DISCOVER */
    bool freebind, address_no_port, header_included;
    uint8_t multicast_index; /* IP_MULTICAST_IF, by interface; 0: as routed */
    bool taken;              /* bound or connected: IPV6_V6ONLY stands */
    bool connected;          /* to `peer` */
    ip_addr_t peer;
    uint16_t peer_port;
    struct membership *memberships; /* multicast groups */
};

static inline struct inet_socket *inet_of(struct socket *s) {
    return container_of(s, struct inet_socket, socket);
}

void inet_init(struct inet_socket *s, const struct socket_ops *ops, uint16_t family, uint16_t type,
               int protocol);
/* -errno for what lwIP says. */
int inet_error(err_t error);

/* An address of the app's: of the socket's family, or -EINVAL, -EAFNOSUPPORT.
 * An IPv4 address in IPv6's clothes is told as IPv4; with IPV6_V6ONLY that is
 * `mapped` (-errno).  Ports are in host order. */
int inet_address(const struct inet_socket *s, const struct socket_address *a, int mapped,
                 ip_addr_t *ip, uint16_t *port);
/* The IPv6 address with these bytes, in no zone. */
void inet_address6(ip_addr_t *ip, const uint8_t bytes[16]);
/* An address as that family writes it. */
void inet_name(const struct inet_socket *s, const ip_addr_t *ip, uint16_t port,
               struct socket_address *out);

/* The address that a pcb is given for "any": it tells lwIP which families the
 * socket hears. */
const ip_addr_t *inet_any(const struct inet_socket *s);
/* May a socket be bound to it?  Waits for the network to have its address when
 * it has none.  -EADDRNOTAVAIL, -EINTR. */
int inet_check_local(const struct inet_socket *s, const ip_addr_t *ip);
/* Do two bound addresses meet? */
bool inet_overlap(const ip_addr_t *a, const ip_addr_t *b);
/* What is sent to that address: the interface and our address on it; waits as
 * above.  The unspecified address becomes the loopback's.  -ENETUNREACH. */
int inet_route(const struct inet_socket *s, ip_addr_t *to, struct netif **netif, ip_addr_t *source);
uint32_t inet_mtu(const struct netif *netif);
/* The interface with that index (1 is the loopback), or NULL. */
struct netif *inet_interface(unsigned index);

/* Options of the levels IP and IPV6; `pcb` NULL: they are set when there is
 * one, by inet_apply. */
int inet_set_option(struct inet_socket *s, struct ip_pcb *pcb, int level, int name,
                    const void *value, size_t size);
int inet_get_option(struct inet_socket *s, int level, int name, void *value, size_t *size);
void inet_apply(const struct inet_socket *s, struct ip_pcb *pcb);
bool inet_joined(const struct inet_socket *s, const ip_addr_t *group);
void inet_leave_all(struct inet_socket *s); /* its multicast groups */
/* An option's value: an int, or one byte where Linux takes one; -EINVAL. */
int inet_int(const void *value, size_t size, int *out);

/* The protocols. */
int tcp_socket_create(uint16_t family, int protocol, struct socket **out);
int datagram_socket_create(uint16_t family, uint16_t type, int protocol, struct socket **out);
/* An ICMP message says that a packet of ours did not arrive (icmp.c). */
enum { ORIGIN_LOCAL = 1, ORIGIN_ICMP, ORIGIN_ICMP6 }; /* SO_EE_ORIGIN_* */
struct undelivered {
    uint8_t protocol;
    uint8_t origin, type, code; /* as struct sock_extended_err has them; ORIGIN_ICMP ... */
    bool fatal;                 /* trying again does not help */
    int error;                  /* a positive errno */
    uint32_t info;              /* of EMSGSIZE: what would have arrived */
    ip_addr_t from, to;
    uint16_t port, to_port; /* what follows the IP header begins with, in host order */
    struct pbuf *message;   /* the packet that told, from its IP header on */
    uint16_t quoted;        /* where in it that begins what followed our IP header */
};
void tcp_undelivered(const struct undelivered *u);
void datagram_undelivered(const struct undelivered *u);
void icmp_listen(void); /* without memory a later call tries again */

#endif
