/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See output.h.  The headers of joined segments are a copy: lwIP may send each
 * of them again, alone.
 */
#include "net/lwip/output.h"

#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>

#include "lib/align.h"
#include "lib/string.h"
#include "mm/heap.h"

#define HEADERS_MOST (SIZEOF_ETH_HDR + IP6_HLEN + 60u)
#define TRAIN_MOST ARRAY_LEN(((struct output_train *)NULL)->segments)
/* The first of several is longer than this: others are not worth a look. */
#define JOINED_LEAST 500u

struct output_train {
    struct pbuf_custom pbuf; /* the token */
    unsigned count;
    struct pbuf *segments[NETDEV_PIECES - 1];
    uint8_t headers[HEADERS_MOST];
};

static unsigned in_flight;

unsigned output_in_flight(void) {
    return in_flight;
}

void output_done(struct netdev *dev, void *token) {
    (void)dev;
    in_flight--;
    pbuf_free(token);
}

/* ---- checksums ----------------------------------------------------------- */

static uint16_t get16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint32_t n) {
    p[0] = (uint8_t)(n >> 8);
    p[1] = (uint8_t)n;
}

static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i + 1 < size; i += 2)
        sum += get16(bytes + i);
    return sum;
}

static uint16_t fold(uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* The device sums up a TCP or UDP packet from the sum of its pseudo header,
 * which stands in the checksum's place.  `size` bytes of the frame are at `h`. */
static void prepare_checksum(uint8_t *h, size_t size, struct net_offload *out) {
    uint16_t at = SIZEOF_ETH_HDR, type = get16(h + 12), length;
    uint8_t protocol;
    uint32_t sum;
    if (type == ETHTYPE_IP && size >= at + IP_HLEN) {
        uint16_t header = (uint16_t)((h[at] & 15) * 4);
        if ((h[at + 6] & 0x3f) | h[at + 7])
            return; /* a fragment: its sum is the whole packet's, and made */
        protocol = h[at + 9];
        length = (uint16_t)(get16(h + at + 2) - header);
        sum = sum_words(0, h + at + 12, 8);
        at = (uint16_t)(at + header);
    } else if (type == ETHTYPE_IPV6 && size >= at + IP6_HLEN) {
        protocol = h[at + 6];
        length = get16(h + at + 4);
        sum = sum_words(0, h + at + 8, 32);
        at += IP6_HLEN;
    } else {
        return;
    }
    uint16_t offset = protocol == IP_PROTO_TCP ? 16 : protocol == IP_PROTO_UDP ? 6 : 0;
    if (!offset || size < at + offset + 2u)
        return;
    put16(h + at + offset, fold(sum + protocol + (uint32_t)length));
    out->start = at;
    out->offset = offset;
}

/* ---- pieces -------------------------------------------------------------- */

/* Adds a frame from its byte `from` on to the pieces, cut where physical memory may
 * be cut; false: they are too many, and as before. */
static bool add_pieces(struct output *o, const struct pbuf *p, size_t from) {
    unsigned n = o->count;
    for (; p; p = p->next) {
        const uint8_t *data = p->payload;
        size_t skip = MIN(from, (size_t)p->len), size = p->len - skip;
        from -= skip;
        data += skip;
        while (size) {
            size_t part = MIN(size, PAGE_SIZE - (uintptr_t)data % PAGE_SIZE);
            if (n == NETDEV_PIECES)
                return false;
            o->pieces[n++] = (struct net_piece){virt_to_phys(data), (uint32_t)part};
            data += part;
            size -= part;
        }
    }
    o->count = n;
    return true;
}

/* ---- joining ------------------------------------------------------------- */

/* Is a frame a TCP segment with data that may be joined to others? */
static bool parse(const struct output *o, const struct pbuf *p, struct output_segment *out) {
    const uint8_t *h = p->payload;
    uint16_t ip = SIZEOF_ETH_HDR, tcp, type;
    size_t total;
    if ((!o->held && p->tot_len < JOINED_LEAST) || p->len < ip + IP_HLEN)
        return false;
    type = get16(h + 12);
    if (type == ETHTYPE_IP && o->dev->segments4) {
        tcp = ip + IP_HLEN;
        total = ip + (size_t)get16(h + ip + 2);
        if (h[ip] != 0x45 || (h[ip + 6] & 0x3f) | h[ip + 7] || h[ip + 9] != IP_PROTO_TCP)
            return false;
    } else if (type == ETHTYPE_IPV6 && o->dev->segments6) {
        tcp = ip + IP6_HLEN;
        total = tcp + (size_t)get16(h + ip + 4);
        if (h[ip + 6] != IP_PROTO_TCP)
            return false;
    } else {
        return false;
    }
    if (p->len < tcp + TCP_HLEN)
        return false;
    const uint8_t *t = h + tcp;
    uint16_t data = (uint16_t)(tcp + (t[12] >> 4) * 4);
    if ((t[13] & ~(TCP_PSH | TCP_FIN)) != TCP_ACK || p->len < data || data < tcp + TCP_HLEN ||
        total != p->tot_len || total <= data)
        return false;
    *out = (struct output_segment){
        .ip = ip,
        .tcp = tcp,
        .data = data,
        .size = (uint16_t)(total - data),
        .number = (uint32_t)get16(t + 4) << 16 | get16(t + 6),
        .flags = t[13],
    };
    return true;
}

typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;
typedef uint32_t __attribute__((may_alias, aligned(1))) half_t;

/* The bits in which 8, or 4, bytes differ. */
static uint64_t differ8(const uint8_t *a, const uint8_t *b) {
    return *(const word_t *)a ^ *(const word_t *)b;
}

static uint32_t differ4(const uint8_t *a, const uint8_t *b) {
    return *(const half_t *)a ^ *(const half_t *)b;
}

/* Are the headers the same but for what the device makes anew: lengths, IPv4's number
 * and checksum, TCP's number, flags and checksum? */
static bool same_flow(const uint8_t *a, const uint8_t *b, const struct output_segment *s) {
    const uint8_t *t = a + s->tcp, *u = b + s->tcp;
    uint64_t d = differ8(a, b) | differ8(a + 8, b + 8); /* Ethernet, and IP's first two */
    if (s->tcp == s->ip + IP_HLEN) {
        d |= differ4(a + s->ip + 6, b + s->ip + 6) | differ8(a + s->ip + 12, b + s->ip + 12);
    } else {
        d |= differ4(a + s->ip, b + s->ip) | (a[s->ip + 7] ^ b[s->ip + 7]);
        for (unsigned i = 8; i < IP6_HLEN; i += 8)
            d |= differ8(a + s->ip + i, b + s->ip + i);
    }
    d |=
        differ4(t, u) | differ4(t + 8, u + 8) | (t[12] ^ u[12]) | (t[14] ^ u[14]) | (t[15] ^ u[15]);
    for (unsigned i = TCP_HLEN; i < s->data - (unsigned)s->tcp; i += 4)
        d |= differ4(t + i, u + i);
    return !d;
}

static void free_train(struct pbuf *p) {
    struct output_train *t = (struct output_train *)p;
    for (unsigned i = 0; i < t->count; i++)
        pbuf_free(t->segments[i]);
    heap_free(t, sizeof *t);
}

/* The held frame as the first of several. */
static bool begin_train(struct output *o) {
    struct output_train *t = heap_alloc_dirty(sizeof *t);
    if (!t)
        return false;
    t->count = 0;
    t->pbuf.custom_free_function = free_train;
    memcpy(t->headers, o->held->payload, o->segment.data);
    struct pbuf *headers = pbuf_alloced_custom(PBUF_RAW, o->segment.data, PBUF_REF, &t->pbuf,
                                               t->headers, o->segment.data);
    o->count = 0;
    if (!add_pieces(o, headers, 0) || !add_pieces(o, o->held, o->segment.data) ||
        o->count > o->room) {
        o->count = 0;
        add_pieces(o, o->held, 0); /* as it was */
        heap_free(t, sizeof *t);
        return false;
    }
    t->segments[t->count++] = o->held;
    o->train = t;
    return true;
}

/* Adds a frame to what is held; false: it stands alone. */
static bool join(struct output *o, struct pbuf *p, const struct output_segment *s) {
    const struct output_segment *first = &o->segment;
    if (!o->held || !first->size || o->last != first->size || s->size > first->size ||
        s->number != first->number + (uint32_t)o->joined || first->flags & TCP_FIN ||
        s->data != first->data || s->ip != first->ip || s->tcp != first->tcp ||
        o->joined + s->size > UINT16_MAX - HEADERS_MOST ||
        !same_flow(o->held->payload, p->payload, s))
        return false;
    if (!o->train && !begin_train(o))
        return false;
    struct output_train *t = o->train;
    unsigned before = o->count;
    if (t->count == TRAIN_MOST || !add_pieces(o, p, s->data))
        return false;
    if (o->count > o->room) {
        o->count = before;
        return false;
    }
    pbuf_ref(p);
    t->segments[t->count++] = p;
    o->segment.flags |= s->flags;
    o->joined += s->size;
    o->last = s->size;
    return true;
}

/* ---- sending ------------------------------------------------------------- */

/* The headers of what was joined, as those of one segment. */
static void finish_train(struct output *o) {
    const struct output_segment *s = &o->segment;
    uint8_t *h = o->train->headers, *ip = h + s->ip;
    size_t size = s->data - s->tcp + o->joined;
    h[s->tcp + 13] = s->flags;
    if (s->tcp == s->ip + IP_HLEN) {
        put16(ip + 2, (uint32_t)(IP_HLEN + size));
        put16(ip + 10, 0);
        uint16_t sum = inet_chksum(ip, IP_HLEN);
        memcpy(ip + 10, &sum, sizeof sum);
    } else {
        put16(ip + 4, (uint32_t)size);
    }
}

void output_flush(struct output *o) {
    struct net_offload offload = {0};
    struct pbuf *p = o->held;
    if (!p)
        return;
    o->held = NULL;
    if (o->train) {
        finish_train(o);
        p = &o->train->pbuf.pbuf;
        if (o->train->count > 1) {
            offload.segment = o->segment.size;
            offload.headers = o->segment.data;
            offload.six = o->segment.tcp != o->segment.ip + IP_HLEN;
        }
        o->train = NULL;
    }
    if (o->dev->checksums_out)
        prepare_checksum(p->payload, p->len, &offload);
    in_flight++;
    if (o->dev->ops->send(o->dev, o->pieces, o->count, &offload, p) != 0)
        output_done(o->dev, p);
}

err_t output_frame(struct output *o, struct pbuf *p) {
    struct output_segment s;
    if (!parse(o, p, &s))
        s.size = 0;
    else if (join(o, p, &s))
        return ERR_OK;
    output_flush(o);
    pbuf_ref(p);
    o->count = 0;
    if (!add_pieces(o, p, 0)) { /* in too many places: one copy */
        struct pbuf *whole = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
        pbuf_free(p);
        if (!whole)
            return ERR_MEM;
        p = whole;
        add_pieces(o, p, 0);
    }
    o->room = o->dev->ops->room(o->dev, o->count);
    if (o->room < o->count) {
        pbuf_free(p);
        return ERR_MEM;
    }
    o->held = p;
    o->segment = s;
    o->joined = o->last = s.size;
    if (!s.size)
        output_flush(o);
    return ERR_OK;
}
