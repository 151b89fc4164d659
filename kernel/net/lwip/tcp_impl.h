/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TCP sockets: what tcp.c, tcp_input.c and tcp_options.c share.
 */
#ifndef NET_LWIP_TCP_IMPL_H
#define NET_LWIP_TCP_IMPL_H

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "net/lwip/inet.h"
#include "net/lwip/stack.h"

enum state { IDLE, CONNECTING, CONNECTED, LISTENING };

struct chunk { /* a frame of received data: bytes [from, to) */
    struct chunk *next;
    uint32_t from, to;
    uint8_t data[PAGE_SIZE - 16];
};
_Static_assert(sizeof(struct chunk) == PAGE_SIZE, "a chunk is a frame");

struct tcp_socket {
    struct inet_socket inet;
    struct tcp_pcb *pcb; /* NULL: not made yet, or gone */
    enum state state;
    uint16_t port;                  /* ours, 0: not bound */
    bool bound;                     /* by bind: a second connection begins there too */
    bool asked;                     /* bind said which port: it stays ours */
    bool loose;                     /* the port is still told, but bind may choose again */
    ip_addr_t local;                /* of a connection */
    bool untold;                    /* a connection that connect() has not reported as made */
    bool failed;                    /* a connection attempt, not reported by connect() */
    bool ended_unseen;              /* before accept() said with whom it was */
    bool peer_closed;               /* its FIN came */
    bool read_closed, write_closed; /* by shutdown */
    int32_t unreachable;            /* errno for an attempt that ICMP ended */
    struct chunk *first, *last;     /* received */
    size_t queued;                  /* bytes in them */
    uint32_t window;                /* what the peer may send, and what is not read yet */
    bool recovers;                  /* a segment was lost: others may be, up to `recover` */
    uint32_t recover;
    /* Listening: */
    struct list accepted; /* connections, by `node` */
    unsigned waiting, backlog;
    struct list node;
    struct list group; /* the others that share the port (SO_REUSEPORT); one has the pcb */
    bool leads;
    uint64_t served; /* connections that were given to it */
    /* Options: */
    bool no_delay, cork;
    int32_t keep_idle, keep_interval, keep_count; /* seconds, seconds, probes */
    int32_t defer_accept, user_timeout, syn_count, linger2, unsent_low, max_segment;
};

static inline struct tcp_socket *tcp_socket_of(struct socket *s) {
    return container_of(inet_of(s), struct tcp_socket, inet);
}

static inline bool tcp_to_itself(const struct tcp_pcb *pcb) {
    return pcb->local_port == pcb->remote_port && ip_addr_cmp(&pcb->local_ip, &pcb->remote_ip);
}

/* Hands the options to the pcb, when there is one. */
void tcp_socket_apply(const struct tcp_socket *s);
/* Makes the window what SO_RCVBUF says, when `taken` bytes were read. */
void tcp_socket_adjust_window(struct tcp_socket *s, size_t taken);

int tcp_socket_set_option(struct socket *socket, int level, int name, const void *value,
                          size_t size);
int tcp_socket_get_option(struct socket *socket, int level, int name, void *value, size_t *size);

#endif
