/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Segments that arrive, before lwIP looks at them: what begins a connection, and
 * what tells of loss.
 *
 * With as many handshakes begun as a listening socket may have, the oldest makes
 * room: those who never answer shut nobody out.  Not SYN cookies: connections made
 * by them have neither window scaling nor SACK, and what is kept of 255 attempts is
 * little.
 *
 * Of connections in TIME_WAIT the newest are kept: lwIP looks through all of them for
 * each first segment.
 *
 * A peer that uses its port again may do so as soon as it has forgotten the
 * connection before (RFC 1122, 4.2.2.13): what is left of that one here, up to a
 * minute of TIME_WAIT or a handshake, goes.
 *
 * A socket that connects to its own address and port opens a connection with itself.
 * lwIP knows no open from both sides: for it the segment that came back is the answer.
 */
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/pbuf.h>
#include <lwip/prot/tcp.h>
#include <stdbool.h>

#include "lib/errno.h"
#include "net/lwip/tcp_impl.h"

static void make_room(const struct tcp_pcb_listen *l) {
    struct tcp_pcb *oldest = NULL;
    if (!l->backlog || l->accepts_pending < l->backlog)
        return;
    for (struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next) {
        if (p->state == SYN_RCVD && p->listener == l &&
            (!oldest || (int32_t)(p->tmr - oldest->tmr) <= 0))
            oldest = p;
    }
    if (oldest)
        tcp_abandon(oldest, 0);
}

enum { TIME_WAIT_MOST = 128 };

static void forget_oldest(void) {
    struct tcp_pcb *p = tcp_tw_pcbs, *next;
    for (unsigned n = 0; p && n < TIME_WAIT_MOST; n++)
        p = p->next;
    for (; p; p = next) {
        next = p->next;
        tcp_abandon(p, 0);
    }
}

/* lwIP has read the header `h` and turned its fields round: as it came. */
static void turn_back(struct tcp_hdr *h, struct pbuf *p) {
    h->src = lwip_htons(h->src);
    h->dest = lwip_htons(h->dest);
    h->seqno = lwip_htonl(h->seqno);
    h->ackno = lwip_htonl(h->ackno);
    h->wnd = lwip_htons(h->wnd);
    pbuf_add_header_force(p, TCPH_HDRLEN_BYTES(h));
}

static void input_again(struct pbuf *p) {
    pbuf_ref(p); /* two will give it back */
    tcp_input(p, ip_current_input_netif());
}

/* Is it our own attempt to connect, which came back to where it began? */
static bool is_own(const struct tcp_pcb *pcb, const struct tcp_hdr *h) {
    return h->seqno == pcb->lastack && tcp_to_itself(pcb);
}

/* Its answer is as it is, but for what it acknowledges. */
static void answer_own(const struct tcp_pcb *pcb, struct tcp_hdr *h, struct pbuf *p) {
    TCPH_SET_FLAG(h, TCP_ACK);
    h->ackno = pcb->lastack + 1;
    turn_back(h, p);
    h->chksum = 0;
    h->chksum = ip_chksum_pseudo(p, IP_PROTO_TCP, p->tot_len, ip_current_src_addr(),
                                 ip_current_dest_addr());
    input_again(p);
}

/* Does it say what came behind a hole (RFC 2018)? */
static bool has_sack(const struct tcp_hdr *h) {
    enum { END, NOTHING, SACK = 5 };
    const uint8_t *at = (const uint8_t *)(h + 1), *end = (const uint8_t *)h + TCPH_HDRLEN_BYTES(h);
    while (at + 1 < end && *at != END && *at != SACK && (*at == NOTHING || at[1] >= 2))
        at += *at == NOTHING ? 1 : at[1];
    return at + 1 < end && *at == SACK;
}

/* lwIP takes an acknowledgement for one more that says the same only when the window
 * is the same, too; one that tells of a hole does not need that.  So the window is
 * taken beforehand. */
static void take_window(struct tcp_pcb *pcb, const struct tcp_hdr *h, const struct pbuf *p) {
    tcpwnd_size_t window = SND_WND_SCALE(pcb, h->wnd);
    if (TCPH_FLAGS(h) != TCP_ACK || p->tot_len || h->ackno != pcb->lastack || !pcb->unacked ||
        window <= pcb->snd_wnd || TCP_SEQ_LT(h->seqno, pcb->snd_wl1) || !has_sack(h))
        return;
    pcb->snd_wnd = window;
    pcb->snd_wnd_max = LWIP_MAX(pcb->snd_wnd_max, window);
    pcb->snd_wl1 = h->seqno;
    pcb->snd_wl2 = h->ackno;
}

/* lwIP holds on to TIME_WAIT for its time, whatever comes, and answers a first segment
 * within its window with a reset. */
int lwip_port_segment(struct tcp_pcb *pcb, struct tcp_hdr *h, struct pbuf *p, int whole) {
    unsigned flags = TCPH_FLAGS(h) & (TCP_SYN | TCP_ACK | TCP_RST);
    bool anew = false, unknown = false;
    if (pcb->state >= ESTABLISHED && pcb->flags & TF_INFR)
        tcp_recovers(pcb);
    if (pcb->state >= ESTABLISHED && whole)
        take_window(pcb, h, p);
    if (pcb->state == LISTEN && flags == TCP_SYN) {
        make_room((const struct tcp_pcb_listen *)pcb);
        forget_oldest();
    } else if (pcb->state == TIME_WAIT) {
        anew = flags == TCP_SYN && TCP_SEQ_GT(h->seqno, pcb->rcv_nxt);
        unknown = flags & TCP_RST && h->seqno == pcb->rcv_nxt; /* to an answer of ours */
    } else if (pcb->state == SYN_RCVD) {
        anew = flags == TCP_SYN && h->seqno != pcb->rcv_nxt - 1;
    } else if (pcb->state == SYN_SENT && flags == TCP_SYN && whole && is_own(pcb, h)) {
        answer_own(pcb, h, p);
        return ERR_ABRT;
    }
    if (!anew && !unknown)
        return ERR_OK;
    tcp_abandon(pcb, 0);
    if (anew && whole) { /* or else the next try will find it gone */
        turn_back(h, p);
        input_again(p);
    }
    return ERR_ABRT;
}

/* ---- segments that did not arrive ----------------------------------------- */

/* Whoever knows the addresses and the ports does not know what we sent (RFC 5927, 4.1). */
static bool quotes_unacknowledged(const struct tcp_pcb *p, const struct undelivered *u) {
    uint32_t seq = 0;
    uint16_t at = (uint16_t)(u->quoted + offsetof(struct tcp_hdr, seqno));
    pbuf_copy_partial(u->message, &seq, sizeof seq, at);
    return TCP_SEQ_BETWEEN(lwip_ntohl(seq), p->lastack, p->snd_nxt);
}

void tcp_undelivered(const struct undelivered *u) {
    struct tcp_pcb *p = tcp_active_pcbs;
    while (p && !(p->state == SYN_SENT && p->local_port == u->port &&
                  p->remote_port == u->to_port && ip_addr_cmp_zoneless(&p->local_ip, &u->from) &&
                  ip_addr_cmp_zoneless(&p->remote_ip, &u->to)))
        p = p->next;
    struct tcp_socket *s = p ? p->callback_arg : NULL;
    if (!s || u->error == EMSGSIZE || !quotes_unacknowledged(p, u))
        return;
    s->unreachable = u->error;
    tcp_abandon(p, 0); /* lost() tells */
}
