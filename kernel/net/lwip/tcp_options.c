/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options of TCP sockets: those of SOL_TCP, and TCP_INFO.
 */
#include "net/lwip/tcp_impl.h"

#include "lib/errno.h"
#include "lib/string.h"

enum {
    TCP_NODELAY_OPTION = 1,
    TCP_MAXSEG,
    TCP_CORK,
    TCP_KEEPIDLE_OPTION,
    TCP_KEEPINTVL_OPTION,
    TCP_KEEPCNT_OPTION,
    TCP_SYNCNT,
    TCP_LINGER2,
    TCP_DEFER_ACCEPT,
    TCP_WINDOW_CLAMP,
    TCP_INFO,
    TCP_QUICKACK,
    TCP_CONGESTION,
    TCP_USER_TIMEOUT = 18,
    TCP_FASTOPEN = 23,
    TCP_NOTSENT_LOWAT = 25,
};
#define CONGESTION "reno"
enum { LINGER2 = 60, LINGER2_MOST = 120 }; /* seconds */

static int set_within(int32_t *out, int value, int low, int high) {
    if (value < low || value > high)
        return -EINVAL;
    *out = value;
    return 0;
}

static int set_tcp(struct tcp_socket *s, int name, int n) {
    switch (name) {
    case TCP_NODELAY_OPTION:
        s->no_delay = n;
        break;
    case TCP_CORK:
        s->cork = n;
        break;
    case TCP_KEEPIDLE_OPTION:
        return set_within(&s->keep_idle, n, 1, 32767);
    case TCP_KEEPINTVL_OPTION:
        return set_within(&s->keep_interval, n, 1, 32767);
    case TCP_KEEPCNT_OPTION:
        return set_within(&s->keep_count, n, 1, 127);
    case TCP_SYNCNT:
        return set_within(&s->syn_count, n, 1, 127);
    case TCP_MAXSEG:
        return n ? set_within(&s->max_segment, n, 88, 32767) : 0;
    case TCP_LINGER2: /* 0 is the default, below it none */
        s->linger2 = n < 0 ? -1 : n ? (n < LINGER2_MOST ? n : LINGER2_MOST) : LINGER2;
        return 0;
    case TCP_DEFER_ACCEPT:
        s->defer_accept = n < 0 ? 0 : n;
        return 0;
    case TCP_USER_TIMEOUT:
        return set_within(&s->user_timeout, n, 0, INT32_MAX);
    case TCP_NOTSENT_LOWAT:
        s->unsent_low = n;
        return 0;
    case TCP_QUICKACK:
    case TCP_WINDOW_CLAMP:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
    if (s->pcb && s->state == CONNECTED) { /* what was held back goes */
        tcp_output(s->pcb);
        net_settle();
    }
    return 0;
}

int tcp_socket_set_option(struct socket *socket, int level, int name, const void *value,
                          size_t size) {
    struct tcp_socket *s = tcp_socket_of(socket);
    int n, error;
    switch (level) {
    case SOL_SOCKET:
        tcp_socket_apply(s);
        if (name == SO_RCVBUF && s->pcb && s->state == CONNECTED) {
            tcp_socket_adjust_window(s, 0);
            net_settle();
        }
        return -ENOPROTOOPT;
    case SOL_IP:
    case SOL_IPV6:
        return inet_set_option(&s->inet, (struct ip_pcb *)s->pcb, level, name, value, size);
    case SOL_TCP:
        break;
    default:
        return -ENOPROTOOPT;
    }
    if (name == TCP_CONGESTION) {
        size_t length = sizeof CONGESTION - 1;
        return !size ? -EINVAL : size >= length && !memcmp(value, CONGESTION, length) ? 0 : -ENOENT;
    }
    if (size < sizeof n)
        return -EINVAL;
    error = inet_int(value, size, &n);
    if (!error)
        error = set_tcp(s, name, n);
    if (!error)
        tcp_socket_apply(s);
    return error;
}

struct tcp_info { /* Linux's, as far as it is filled in */
    uint8_t state, congestion_state, retransmits, probes, backoff, options, scales, flags;
    uint32_t rto, ato, send_mss, receive_mss, unacked, sacked, lost, retransmitted, forward;
    uint32_t last_sent, last_ack_sent, last_received, last_ack_received;
    uint32_t path_mtu, receive_threshold, rtt, rtt_variance, send_threshold, send_window;
    uint32_t advertised_mss, reordering, receive_rtt, receive_space, total_retransmits;
};
_Static_assert(sizeof(struct tcp_info) == 104, "struct tcp_info is an ABI");

static void get_info(const struct tcp_socket *s, struct tcp_info *out) {
    enum { LINUX_CLOSE = 7 };
    static const uint8_t states[] = {LINUX_CLOSE, 10, 2, 3, 1, 4, 5, 8, 11, 9, 6};
    const struct tcp_pcb *p = s->pcb;
    memset(out, 0, sizeof *out);
    out->state = p ? states[p->state] : LINUX_CLOSE;
    if (!p || p->state == LISTEN)
        return;
    out->retransmits = p->nrtx;
    out->rto = (uint32_t)p->rto * TCP_SLOW_INTERVAL * 1000;
    out->send_mss = out->receive_mss = out->advertised_mss = p->mss;
    out->unacked = p->unacked ? (p->snd_nxt - p->lastack + p->mss - 1) / p->mss : 0;
    out->rtt = (uint32_t)(p->sa >> 3) * TCP_SLOW_INTERVAL * 1000;
    out->rtt_variance = (uint32_t)p->sv * TCP_SLOW_INTERVAL * 1000 / 4;
    out->send_threshold = p->ssthresh / p->mss;
    out->send_window = p->cwnd / p->mss;
    out->receive_space = TCP_WND;
}

static int get_tcp(const struct tcp_socket *s, int name) {
    switch (name) {
    case TCP_NODELAY_OPTION:
        return s->no_delay;
    case TCP_CORK:
        return s->cork;
    case TCP_MAXSEG:
        return s->pcb && s->state == CONNECTED ? s->pcb->mss
               : s->max_segment                ? s->max_segment
                                               : 536;
    case TCP_KEEPIDLE_OPTION:
        return s->keep_idle;
    case TCP_KEEPINTVL_OPTION:
        return s->keep_interval;
    case TCP_KEEPCNT_OPTION:
        return s->keep_count;
    case TCP_SYNCNT:
        return s->syn_count;
    case TCP_DEFER_ACCEPT:
        return s->defer_accept;
    case TCP_USER_TIMEOUT:
        return s->user_timeout;
    case TCP_QUICKACK:
        return 1;
    case TCP_WINDOW_CLAMP:
        return TCP_WND;
    default:
        return -ENOPROTOOPT;
    }
}

int tcp_socket_get_option(struct socket *socket, int level, int name, void *value, size_t *size) {
    struct tcp_socket *s = tcp_socket_of(socket);
    if (level == SOL_IP || level == SOL_IPV6)
        return inet_get_option(&s->inet, level, name, value, size);
    if (level != SOL_TCP)
        return -ENOPROTOOPT;
    if (name == TCP_INFO) {
        get_info(s, value);
        *size = sizeof(struct tcp_info);
        return 0;
    }
    if (name == TCP_CONGESTION) {
        memset(value, 0, 16);
        memcpy(value, CONGESTION, sizeof CONGESTION);
        *size = 16;
        return 0;
    }
    /* These two may be below 0. */
    int n = name == TCP_LINGER2         ? s->linger2
            : name == TCP_NOTSENT_LOWAT ? s->unsent_low
                                        : get_tcp(s, name);
    if (n < 0 && name != TCP_LINGER2 && name != TCP_NOTSENT_LOWAT)
        return n;
    memcpy(value, &n, *size = sizeof n);
    return 0;
}
