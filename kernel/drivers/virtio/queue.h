/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Virtqueues of either kind: packed (virtio 1.1, 2.7) when that was negotiated,
 * else split.  The functions are virtqueue.h's, with another first word; a driver
 * that asks for VIRTIO_F_RING_PACKED uses these only.
 */
#ifndef DRIVERS_VIRTIO_QUEUE_H
#define DRIVERS_VIRTIO_QUEUE_H

#include "drivers/virtio/virtqueue.h"

#define VIRTIO_F_RING_PACKED (UINT64_C(1) << 34)

struct packed_desc {
    uint64_t address;
    uint32_t size;
    uint16_t id;
    uint16_t flags;
};

struct packed_events { /* which a side wants to be told of */
    uint16_t at;
    uint16_t flags;
};

/* packed.c.  The memory is as large as a split queue's of that size, and parted at
 * the same places: descriptors, our events, the device's, our record. */
bool packed_init(struct virtqueue *q, struct virtio_device *dev, uint16_t index, uint16_t size,
                 void *memory, uint64_t paddr);
void packed_begin(struct virtqueue *q);
bool packed_put(struct virtqueue *q, uint64_t paddr, uint32_t size, bool device_writes);
uint16_t packed_end(struct virtqueue *q);
void packed_notify(struct virtqueue *q);
int packed_take(struct virtqueue *q, uint16_t *head, uint32_t *length);
void packed_interrupts(struct virtqueue *q, bool on);

static inline bool queue_is_packed(const struct virtqueue *q) {
    return q->dev->features & VIRTIO_F_RING_PACKED;
}

static inline bool queue_init(struct virtqueue *q, struct virtio_device *dev, uint16_t index,
                              uint16_t size, void *memory, uint64_t paddr) {
    return (dev->features & VIRTIO_F_RING_PACKED ? packed_init : virtqueue_init)(
        q, dev, index, size, memory, paddr);
}

static inline void queue_begin(struct virtqueue *q) {
    (queue_is_packed(q) ? packed_begin : virtqueue_begin)(q);
}

static inline bool queue_put(struct virtqueue *q, uint64_t paddr, uint32_t size,
                             bool device_writes) {
    return (queue_is_packed(q) ? packed_put : virtqueue_put)(q, paddr, size, device_writes);
}

static inline uint16_t queue_end(struct virtqueue *q) {
    return (queue_is_packed(q) ? packed_end : virtqueue_end)(q);
}

static inline void queue_notify(struct virtqueue *q) {
    (queue_is_packed(q) ? packed_notify : virtqueue_notify)(q);
}

static inline int queue_take(struct virtqueue *q, uint16_t *head, uint32_t *length) {
    return (queue_is_packed(q) ? packed_take : virtqueue_take)(q, head, length);
}

static inline void queue_interrupts(struct virtqueue *q, bool on) {
    (queue_is_packed(q) ? packed_interrupts : virtqueue_interrupts)(q, on);
}

#endif
