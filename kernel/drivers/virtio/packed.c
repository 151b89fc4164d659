/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packed virtqueues: no indirect descriptors, no event index, any order of
 * completion.
 *
 * Both sides write to one ring of descriptors, and go round it in turn.  Two flags
 * say whose a descriptor is; what they say changes from round to round.  `at` and
 * `seen` count descriptors, modulo 2^16: where the next chain begins, and where the
 * device will say which one it is done with.  `outputs` are the descriptors of the
 * chain that is being made which the device reads.
 */
#include "drivers/virtio/queue.h"
#include "lib/errno.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_AVAIL = 1 << 7, DESC_USED = 1 << 15 };
enum { EVENTS_ON, EVENTS_OFF };

static volatile struct packed_desc *desc(const struct virtqueue *q, uint16_t count) {
    return (volatile struct packed_desc *)q->desc + (count & (q->size - 1));
}

static volatile struct packed_events *our_events(const struct virtqueue *q) {
    return (volatile struct packed_events *)q->avail;
}

static volatile const struct packed_events *device_events(const struct virtqueue *q) {
    return (volatile const struct packed_events *)q->used;
}

/* Is it an even round, from the first? */
static bool even(const struct virtqueue *q, uint16_t count) {
    return !(count & q->size);
}

bool packed_init(struct virtqueue *q, struct virtio_device *dev, uint16_t index, uint16_t size,
                 void *memory, uint64_t paddr) {
    if (!virtqueue_init(q, dev, index, size, memory, paddr))
        return false;
    our_events(q)->at = 0; /* where a split queue has its flags */
    our_events(q)->flags = EVENTS_OFF;
    return true;
}

static void release(struct virtqueue *q, uint16_t id, uint16_t count) {
    q->slots[id].next = q->free;
    q->free = id;
    q->free_count += count;
}

/* A chain has one number, whatever its length, from its first descriptor on. */
void packed_begin(struct virtqueue *q) {
    if (q->chain)
        release(q, q->head, q->chain);
    q->chain = q->outputs = 0;
}

bool packed_put(struct virtqueue *q, uint64_t paddr, uint32_t size, bool device_writes) {
    if (!q->free_count)
        return false;
    volatile struct packed_desc *d = desc(q, q->at + q->chain);
    if (!q->chain++) {
        q->head = q->free;
        q->free = q->slots[q->head].next;
        q->slots[q->head].writable = 0;
    }
    q->free_count--;
    d->flags = 0; /* nobody's */
    d->address = paddr;
    d->size = size;
    d->id = q->head;
    if (device_writes)
        q->slots[q->head].writable += size;
    else
        q->outputs++;
    return true;
}

uint16_t packed_end(struct virtqueue *q) {
    uint16_t id = q->head;
    /* The first one last: with it the device has them all. */
    for (uint16_t n = q->chain; n-- > 0;) {
        uint16_t count = q->at + n;
        unsigned flags = even(q, count) ? DESC_AVAIL : DESC_USED;
        flags |= n + 1u < q->chain ? DESC_NEXT : 0;
        flags |= n >= q->outputs ? DESC_WRITE : 0;
        if (!n)
            virtqueue_fence();
        desc(q, count)->flags = (uint16_t)flags;
    }
    q->slots[id].count = q->chain;
    q->at += q->chain;
    q->given++;
    q->chain = q->outputs = 0;
    return id;
}

void packed_notify(struct virtqueue *q) {
    virtqueue_fence();
    if (!q->dev->broken && device_events(q)->flags != EVENTS_OFF)
        q->dev->ops->notify(q);
}

int packed_take(struct virtqueue *q, uint16_t *head, uint32_t *length) {
    if (q->dev->broken)
        return -EIO;
    volatile struct packed_desc *d = desc(q, q->seen);
    unsigned done = even(q, q->seen) ? DESC_AVAIL | DESC_USED : 0;
    if (q->given == q->taken || (d->flags & (DESC_AVAIL | DESC_USED)) != done)
        return 0;
    virtqueue_fence();
    uint16_t id = d->id;
    uint32_t bytes = d->size;
    if (id >= q->size || !q->slots[id].count || bytes > q->slots[id].writable) {
        virtio_give_up(q->dev);
        return -EIO;
    }
    q->taken++;
    q->seen += q->slots[id].count;
    release(q, id, q->slots[id].count);
    q->slots[id].count = 0;
    *head = id;
    *length = bytes;
    return 1;
}

void packed_interrupts(struct virtqueue *q, bool on) {
    our_events(q)->flags = on ? EVENTS_ON : EVENTS_OFF;
    virtqueue_fence();
}
