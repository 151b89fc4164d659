/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A hostile network card: between any two steps of the driver it writes anything to
 * all memory that it can see, queues, buffers and registers.  What the stack is
 * given lies in buffers that are the driver's and with nobody else, what it sent comes
 * back once, and no buffer is lost.
 *
 * links: kernel/drivers/virtio/net_pairs.c kernel/drivers/virtio/virtqueue.c
 * links: kernel/drivers/virtio/packed.c kernel/drivers/virtio/virtio.c
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/virtio/net.c"

#include "tests/unit/model_card.h"

enum { QUEUES = 12, BUFFERS = 2048, TOKENS = 2048 };

static const uint8_t *input;
static size_t left;

static uint8_t next(void) {
    return left ? left--, *input++ : 0;
}
static uint32_t number(void) {
    return next() | (uint32_t)next() << 8;
}

/* ---- the kernel's side --------------------------------------------------- */

enum owner { NOBODY, CARD, STACK };
static struct {
    void *p;
    enum owner owner;
} buffers[BUFFERS];
static bool no_memory;

static unsigned buffer_of(const void *p) {
    for (unsigned i = 0; i < BUFFERS; i++) {
        if (buffers[i].owner != NOBODY && buffers[i].p == p)
            return i;
    }
    abort();
}
void *heap_alloc_dirty(size_t size) {
    assert(size == BUFFER_SIZE);
    for (unsigned i = 0; !no_memory && i < BUFFERS; i++) {
        if (buffers[i].owner == NOBODY) {
            buffers[i].owner = CARD;
            return buffers[i].p = malloc(size);
        }
    }
    return NULL;
}
void heap_free(void *p, size_t size) {
    assert(size == BUFFER_SIZE);
    buffers[buffer_of(p)].owner = NOBODY;
    free(p);
}
static uint64_t free_frames(void) {
    return 1000;
}

static bool flying[TOKENS];
static unsigned sum; /* so that all is read */

static void received(struct netdev *dev, const struct net_part *parts, unsigned count,
                     bool checked) {
    (void)checked;
    assert(count && count <= PARTS && parts[0].size >= ETHERNET_HEADER);
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *data = parts[i].data;
        unsigned n = buffer_of(parts[i].buffer);
        assert(buffers[n].owner == CARD && parts[i].size);
        for (size_t k = 0; k < parts[i].size; k++)
            sum += data[k];
        buffers[n].owner = STACK;
    }
    for (unsigned i = 0; i < count && next() & 3; i++) {
        buffers[buffer_of(parts[i].buffer)].owner = CARD;
        dev->ops->release(dev, parts[i].buffer);
    }
}
static void sent(struct netdev *dev, void *token) {
    (void)dev;
    bool *f = token;
    assert(f >= flying && f < flying + TOKENS && *f);
    *f = false;
}

/* ---- the card's ---------------------------------------------------------- */

static struct virtqueue *queues[QUEUES];

static uint32_t m_features(struct virtio_device *d, unsigned word) {
    (void)d;
    return word ? 1 : number() | (uint32_t)next() << 16;
}
static void m_set_features(struct virtio_device *d, unsigned word, uint32_t f) {
    (void)d, (void)word, (void)f;
}
static uint8_t status;
static uint8_t m_status(struct virtio_device *d) {
    (void)d;
    return status;
}
static void m_set_status(struct virtio_device *d, uint8_t s) {
    (void)d;
    status = s;
}
static uint16_t m_queue_max(struct virtio_device *d, uint16_t index) {
    (void)d;
    return index < QUEUES && next() != 0xff ? 256 : 0;
}
static void m_queue_start(struct virtqueue *q) {
    assert(q->index < QUEUES);
    queues[q->index] = q;
}
static void m_notify(struct virtqueue *q) {
    assert(!q->dev->broken);
}

/* A chain comes back, of the queue's own as a rule. */
static void complete(struct virtqueue *q) {
    uint16_t at = q->used->index % q->size;
    uint8_t how = next();
    q->used->ring[at].id = how & 1 ? number() : q->avail->ring[(q->taken + (how >> 4)) % q->size];
    q->used->ring[at].length = number() % (how & 2 ? 2100 : 70000);
    if (how & 4) { /* and the header of a frame in it */
        uint32_t id = q->used->ring[at].id;
        struct card *c = card_of(&cards[0]->dev);
        for (unsigned i = 0; i < c->count && id < q->size; i++) {
            if (q == &c->pairs[i]->rx && q->slots[id].count) {
                struct header *h = phys_to_virt(c->pairs[i]->received[id]);
                *h = (struct header){
                    .gso_type = next() % 6, .buffers = next() % 40, .flags = next()};
            }
        }
    }
    q->used->index++;
}

static void drive(struct netdev *dev) {
    static uint8_t frame[64];
    struct net_piece pieces[NETDEV_PIECES];
    struct net_offload offload = {34, 16, 1000, 54, true};
    for (unsigned i = 0; i < NETDEV_PIECES; i++)
        pieces[i] = (struct net_piece){virt_to_phys(frame), sizeof frame};
    for (unsigned token = 0, steps = 0; left && steps < 3000; steps++) {
        uint8_t step = next();
        struct virtqueue *q = queues[(step >> 4) % QUEUES];
        unsigned count;
        switch (step % 8) {
        case 0:
            attached->fn(attached->arg);
            break;
        case 1:
        case 2:
            here.cpu = step >> 4;
            count = 1 + next() % NETDEV_PIECES;
            if (dev->ops->room(dev, count) >= count && token < TOKENS) {
                flying[token] = true;
                if (dev->ops->send(dev, pieces, count, &offload, &flying[token]))
                    flying[token] = false;
                token++;
            }
            break;
        case 3:
            dev->ops->flush(dev);
            break;
        case 4: /* the stack is done with a buffer */
            for (unsigned i = 0, at = number(); i < BUFFERS; i++, at++) {
                if (buffers[at % BUFFERS].owner == STACK) {
                    buffers[at % BUFFERS].owner = CARD;
                    dev->ops->release(dev, buffers[at % BUFFERS].p);
                    break;
                }
            }
            break;
        case 5:
        case 6:
            for (unsigned n = next() % 8; q && n; n--)
                complete(q);
            break;
        default: /* anything anywhere before the driver's own record */
            no_memory = step & 16;
            if (q)
                ((uint8_t *)(uintptr_t)q->desc)[number() % VIRTQUEUE_SLOTS(q->size)] = next();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input = data;
    left = size;
    cards[0] = NULL;
    no_memory = false;
    cpus = 3;
    memset(queues, 0, sizeof queues);
    memset(flying, 0, sizeof flying);
    for (unsigned i = 0; i < sizeof card_config; i++)
        card_config[i] = i == 9 ? next() & 0x80 : next() % 8;
    struct netdev *dev = net.find(0);
    dev->stack = &stack;
    if (!net.start(dev))
        drive(dev);
    struct card *c = card_of(dev);
    unsigned out = 0, held = 0;
    for (unsigned i = 0; i < c->count; i++) {
        for (unsigned k = 0; k < RX_SIZE; k++)
            held += c->pairs[i]->rx.slots && c->pairs[i]->rx.slots[k].count;
    }
    for (unsigned i = 0; i < BUFFERS; i++) {
        out += buffers[i].owner == CARD;
        if (buffers[i].owner != NOBODY)
            free(buffers[i].p);
        buffers[i].owner = NOBODY;
    }
    /* A broken card keeps a frame of which it had taken a part. */
    assert(out == held || (c->virtio.broken && out <= held + PARTS));
    while (run_count)
        free(runs[--run_count]);
    return 0;
}
