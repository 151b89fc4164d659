/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who knocks: segments that begin a connection, before lwIP looks at them.
 *
 * With as many handshakes begun as a listening socket may have, the oldest makes
 * room: those who never answer shut nobody out.  Not SYN cookies: connections made
 * by them have neither window scaling nor SACK, and what is kept of 255 attempts is
 * little.
 *
 * A peer that uses its port again may do so as soon as it has forgotten the
 * connection before (RFC 1122, 4.2.2.13): what is left of that one here, up to a
 * minute of TIME_WAIT or a handshake, goes.
 */
#include <lwip/ip.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <stdbool.h>

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

/* lwIP has read the header `h` and turned its fields round: as it came, from the start. */
static void input_again(struct tcp_hdr *h, struct pbuf *p) {
    h->src = lwip_htons(h->src);
    h->dest = lwip_htons(h->dest);
    h->seqno = lwip_htonl(h->seqno);
    h->ackno = lwip_htonl(h->ackno);
    h->wnd = lwip_htons(h->wnd);
    pbuf_add_header_force(p, TCPH_HDRLEN_BYTES(h));
    pbuf_ref(p); /* two will give it back */
    tcp_input(p, ip_current_input_netif());
}

/* lwIP holds on to TIME_WAIT for its time, whatever comes, and answers a first segment
 * within its window with a reset. */
int lwip_port_knock(struct tcp_pcb *pcb, struct tcp_hdr *h, struct pbuf *p, int whole) {
    unsigned flags = TCPH_FLAGS(h) & (TCP_SYN | TCP_ACK | TCP_RST);
    bool anew = false, unknown = false;
    if (pcb->state == LISTEN && flags == TCP_SYN) {
        make_room((const struct tcp_pcb_listen *)pcb);
    } else if (pcb->state == TIME_WAIT) {
        anew = flags == TCP_SYN && TCP_SEQ_GT(h->seqno, pcb->rcv_nxt);
        unknown = flags & TCP_RST && h->seqno == pcb->rcv_nxt; /* to an answer of ours */
    } else if (pcb->state == SYN_RCVD) {
        anew = flags == TCP_SYN && h->seqno != pcb->rcv_nxt - 1;
    }
    if (!anew && !unknown)
        return ERR_OK;
    tcp_abandon(pcb, 0);
    if (anew && whole) /* or else the next try will find it gone */
        input_again(h, p);
    return ERR_ABRT;
}
