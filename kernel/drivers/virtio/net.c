/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Network cards (virtio 1.1, 5.1), with one pair of queues or, where net_pairs.c is
 * linked, several: a frame comes by any of them and goes by its CPU's.
 *
 * Received frames lie in buffers of half a page, several for one that the host
 * made of many (GUEST_TSO4 and 6), which the stack holds as long
 * as it wants; the device is given others in their place, as long as there is
 * memory: a frame that came when there was none is dropped and its buffer given
 * back.  A buffer's record, `received` here, is never where the device can
 * write.  Frames to send are not copied: the device reads them where they lie.
 * Transmit interrupts are on only while the ring is full.
 */
#include "drivers/virtio/net_impl.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "sched/thread.h"

enum { QUEUE_RX, QUEUE_TX };
enum { TX_DONE = 32 }; /* descriptors out: with more a flush looks what has been sent */
enum { STATUS_LINK_UP = 1 };
enum { HDR_NEEDS_CSUM = 1, HDR_DATA_VALID = 2 };
enum { GSO_NONE, GSO_TCP4 = 1, GSO_TCP6 = 4 };

#define HEADER_LEGACY 10u
#define BUFFER_SIZE 2048u /* two to a frame; 1,514 bytes and the header fit */
#define MTU 1500u
#define ETHERNET_HEADER 14u

#define CARDS 4
static struct card *cards[CARDS];

static struct card *card_of(struct netdev *dev) {
    return container_of(dev, struct card, dev);
}

/* ---- receiving ----------------------------------------------------------- */

static void post(struct pair *p, paddr_t buffer) {
    queue_begin(&p->rx);
    if (queue_put(&p->rx, buffer, BUFFER_SIZE, true))
        p->received[queue_end(&p->rx)] = buffer;
    p->posted = true;
}

static void net_release(struct netdev *dev, void *buffer) {
    struct card *c = card_of(dev);
    struct pair *p = c->pairs[0];
    for (unsigned i = 1; i < c->count; i++)
        p = c->pairs[i]->rx.free_count > p->rx.free_count ? c->pairs[i] : p;
    if (p->rx.free_count)
        post(p, virt_to_phys(buffer));
    else
        heap_free(buffer, BUFFER_SIZE);
}

/* What the network leaves for the app: it does not take the last frames. */
#define FRAMES_LEFT 64

/* Gives the device as many buffers as it has room for; false: there are few,
 * and no memory for more. */
static bool fill(struct pair *p) {
    while (p->rx.free_count) {
        void *buffer = frame_free_count() > FRAMES_LEFT ? heap_alloc_dirty(BUFFER_SIZE) : NULL;
        if (!buffer)
            return p->rx.free_count < RX_SIZE / 2;
        post(p, virt_to_phys(buffer));
    }
    return true;
}

/* Are there other buffers for the device when the stack keeps one?  Half of
 * them out is the time to get more. */
static bool enough(struct pair *p) {
    return p->rx.free_count < RX_SIZE / 2 || fill(p);
}

/* Takes the buffers of the next frame: how many; 0: there is none, or the device
 * lied. */
static unsigned take(struct card *c, struct pair *p, struct header *h) {
    uint16_t head;
    uint32_t size;
    unsigned wanted = 1, count = 0;
    for (; count < wanted && queue_take(&p->rx, &head, &size) > 0; count++) {
        uint8_t *buffer = phys_to_virt(p->received[head]);
        uint32_t skip = count ? 0 : c->header_size;
        if (!count) {
            memcpy(h, buffer, sizeof *h);
            wanted = c->virtio.features & F_MRG_RXBUF ? h->buffers : 1;
        }
        if (size <= skip || wanted - 1u >= PARTS) {
            virtio_give_up(&c->virtio);
            return 0;
        }
        c->parts[count] = (struct net_part){buffer, buffer + skip, size - skip};
    }
    if (count && count < wanted)
        virtio_give_up(&c->virtio);
    return count < wanted ? 0 : count;
}

/* Did we ask for such a frame? */
static bool is_sound(const struct card *c, const struct header *h) {
    uint64_t features = c->virtio.features;
    return c->parts[0].size >= ETHERNET_HEADER &&
           (h->gso_type == GSO_NONE || (h->gso_type == GSO_TCP4 && features & F_GUEST_TSO4) ||
            (h->gso_type == GSO_TCP6 && features & F_GUEST_TSO6));
}

static void receive(struct card *c, struct pair *p) {
    struct header h;
    unsigned count;
    while ((count = take(c, p, &h))) {
        if (!is_sound(c, &h) || !enough(p)) {
            for (unsigned i = 0; i < count; i++)
                net_release(&c->dev, c->parts[i].buffer);
            continue;
        }
        bool checked =
            c->virtio.features & F_GUEST_CSUM && h.flags & (HDR_NEEDS_CSUM | HDR_DATA_VALID);
        c->dev.stack->received(&c->dev, c->parts, count, checked);
    }
}

/* ---- sending ------------------------------------------------------------- */

static void reap(struct card *c, struct pair *p) {
    uint16_t head;
    uint32_t size;
    while (queue_take(&p->tx, &head, &size) > 0)
        c->dev.stack->sent(&c->dev, p->tokens[head]);
}

static unsigned net_room(struct netdev *dev, unsigned wanted) {
    struct card *c = card_of(dev);
    struct pair *p = c->pairs[c->senders > 1 ? thread_current()->cpu % c->senders : 0];
    c->sender = p;
    if (p->tx.free_count <= NETDEV_PIECES)
        reap(c, p);
    if (p->tx.free_count <= wanted && !c->virtio.broken) {
        p->full = true;
        queue_interrupts(&p->tx, true);
        reap(c, p);
    }
    if (c->virtio.broken)
        return wanted; /* send() says so */
    return p->tx.free_count ? p->tx.free_count - 1u : 0;
}

static int net_send(struct netdev *dev, const struct net_piece *pieces, unsigned count,
                    const struct net_offload *offload, void *token) {
    struct card *c = card_of(dev);
    struct pair *p = c->sender;
    if (c->virtio.broken)
        return -EIO;
    /* As many headers as descriptors: this one's last user is done. */
    struct header *h = &p->headers[p->tx.given % TX_SIZE];
    *h = (struct header){0};
    if (offload->start) {
        h->flags = HDR_NEEDS_CSUM;
        h->csum_start = offload->start;
        h->csum_offset = offload->offset;
    }
    if (offload->segment) {
        h->gso_type = offload->six ? GSO_TCP6 : GSO_TCP4;
        h->header_size = offload->headers;
        h->gso_size = offload->segment;
    }
    queue_begin(&p->tx);
    queue_put(&p->tx, virt_to_phys(h), c->header_size, false);
    for (unsigned i = 0; i < count; i++)
        queue_put(&p->tx, pieces[i].paddr, pieces[i].size, false);
    p->tokens[queue_end(&p->tx)] = token;
    p->queued = true;
    return 0;
}

static void net_flush(struct netdev *dev) {
    struct card *c = card_of(dev);
    for (unsigned i = 0; i < c->count; i++) {
        struct pair *p = c->pairs[i];
        if (p->queued) {
            p->queued = false;
            queue_notify(&p->tx);
        }
        (void)enough(p); /* without buffers no frame would come that asks for more */
        if (p->posted) {
            p->posted = false;
            queue_notify(&p->rx);
        }
        if (p->tx.free_count < TX_SIZE - TX_DONE)
            reap(c, p);
    }
}

static bool net_link(struct netdev *dev) {
    struct card *c = card_of(dev);
    if (!(c->virtio.features & F_STATUS) || !c->virtio.config)
        return true;
    return *(volatile uint16_t *)(c->virtio.config + CONFIG_STATUS) & STATUS_LINK_UP;
}

static void look(struct card *c) {
    for (unsigned i = 0; i < c->count; i++) {
        struct pair *p = c->pairs[i];
        reap(c, p); /* first: lwIP sends nothing again that a card may still hold */
        receive(c, p);
        if (p->full && p->tx.free_count > TX_SIZE / 2) {
            p->full = false;
            queue_interrupts(&p->tx, false);
        }
    }
    if (c->asked)
        net_pairs_look(c);
    c->dev.stack->idle(&c->dev);
    net_flush(&c->dev);
}

/* ---- starting ------------------------------------------------------------ */

static void interrupt(void *arg) {
    struct card *c = arg;
    c->virtio.ops->irq_ack(&c->virtio);
    look(c);
}

static void net_poll(struct netdev *dev) {
    look(card_of(dev));
}

static const struct netdev_ops net_ops = {net_room,    net_send, net_flush,
                                          net_release, net_link, net_poll};

void *net_memory(size_t bytes) {
    paddr_t p = frame_find_run((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    return p ? memset(phys_to_virt(p), 0, bytes) : NULL;
}

bool net_queue_init(struct card *c, struct virtqueue *q, uint16_t index, uint16_t size) {
    void *memory = net_memory(VIRTQUEUE_BYTES(size));
    return memory && queue_init(q, &c->virtio, index, size, memory, virt_to_phys(memory));
}

static struct netdev *net_find(unsigned nth) {
    extern const struct virtio_bus *const virtio_buses_start[], *const virtio_buses_end[];
    if (nth >= CARDS)
        return NULL;
    if (cards[nth])
        return &cards[nth]->dev;
    struct card *c = net_memory(sizeof *c);
    if (!c)
        return NULL;
    unsigned left = nth;
    for (const struct virtio_bus *const *bus = virtio_buses_start; bus < virtio_buses_end; bus++) {
        for (unsigned i = 0; (*bus)->find(&c->virtio, VIRTIO_ID_NET, i); i++) {
            if (left-- > 0)
                continue;
            cards[nth] = c;
            c->dev.ops = &net_ops;
            c->dev.mtu = MTU;
            return &c->dev;
        }
    }
    for (size_t i = 0; i < sizeof *c; i += PAGE_SIZE)
        frame_free(virt_to_phys(c) + i);
    return NULL;
}

static int net_start(struct netdev *dev) {
    struct card *c = card_of(dev);
    uint64_t wanted = F_MAC | F_STATUS | F_CSUM | F_GUEST_CSUM | F_GUEST_TSO4 | F_GUEST_TSO6 |
                      F_HOST_TSO4 | F_HOST_TSO6 | F_MRG_RXBUF | VIRTIO_F_RING_PACKED;
    if (net_pairs_init && sched_cpu_total() > 1)
        wanted |= F_CTRL_VQ | F_MQ;
    if (virtio_start(&c->virtio, wanted))
        return -EIO;
    c->header_size = c->virtio.legacy && !(c->virtio.features & F_MRG_RXBUF)
                         ? HEADER_LEGACY
                         : (uint32_t)sizeof(struct header);
    static const uint8_t local[6] = {0x02, 0x7a, 0x75, 0x6b, 0, 0};
    memcpy(dev->mac, local, sizeof local);
    if (c->virtio.features & F_MAC && c->virtio.config) {
        for (unsigned i = 0; i < sizeof dev->mac; i++)
            dev->mac[i] = c->virtio.config[i];
    }
    dev->checksums_out = c->virtio.features & F_CSUM;
    dev->segments4 = dev->checksums_out && c->virtio.features & F_HOST_TSO4;
    dev->segments6 = dev->checksums_out && c->virtio.features & F_HOST_TSO6;
    c->pairs[0] = &c->first;
    c->count = c->senders = 1;
    if (c->virtio.line == VIRTIO_NO_LINE || !net_queue_init(c, &c->first.rx, QUEUE_RX, RX_SIZE) ||
        !net_queue_init(c, &c->first.tx, QUEUE_TX, TX_SIZE)) {
        virtio_give_up(&c->virtio);
        return -EIO;
    }
    if (c->virtio.features & F_MQ && c->virtio.features & F_CTRL_VQ)
        net_pairs_init(c);
    if (c->virtio.broken)
        return -EIO;
    virtio_ready(&c->virtio);
    c->irq = (struct irq_handler){.fn = interrupt, .arg = c};
    irq_attach(c->virtio.line, &c->irq);
    for (unsigned i = 0; i < c->count; i++) {
        fill(c->pairs[i]);
        queue_interrupts(&c->pairs[i]->rx, true);
    }
    if (c->asked)
        net_pairs_ask(c);
    net_flush(dev);
    return 0;
}

static const struct netdev_driver net = {net_find, net_start};
NETDEV_DRIVER(net);
