/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Split virtqueues: no indirect descriptors, no event index, any order of
 * completion.
 */
#include "drivers/virtio/virtqueue.h"

#include "lib/errno.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2 };
enum { AVAIL_NO_INTERRUPT = 1 };
enum { USED_NO_NOTIFY = 1 };

bool virtqueue_init(struct virtqueue *q, struct virtio_device *dev, uint16_t index, uint16_t size,
                    void *memory, uint64_t paddr) {
    if (dev->broken || dev->ops->queue_max(dev, index) < size)
        return false;
    uint8_t *base = memory;
    *q = (struct virtqueue){
        .dev = dev,
        .desc = (void *)base,
        .avail = (void *)(base + VIRTQUEUE_AVAIL(size)),
        .used = (void *)(base + VIRTQUEUE_USED(size)),
        .slots = (void *)(base + VIRTQUEUE_SLOTS(size)),
        .paddr = paddr,
        .index = index,
        .size = size,
        .free_count = size,
    };
    for (uint16_t i = 0; i < size; i++)
        q->slots[i].next = i + 1;
    q->avail->flags = AVAIL_NO_INTERRUPT;
    dev->ops->queue_start(q);
    return !dev->broken;
}

/* Hands `count` descriptors from `head` to `last` back to the free list. */
static void release(struct virtqueue *q, uint16_t head, uint16_t last, uint16_t count) {
    q->slots[last].next = q->free;
    q->free = head;
    q->free_count += count;
}

void virtqueue_begin(struct virtqueue *q) {
    if (q->chain)
        release(q, q->head, q->last, q->chain);
    q->chain = 0;
}

bool virtqueue_put(struct virtqueue *q, uint64_t paddr, uint32_t size, bool device_writes) {
    if (!q->free_count)
        return false;
    uint16_t i = q->free;
    q->free = q->slots[i].next;
    q->free_count--;
    if (!q->chain++) {
        q->head = i;
        q->slots[i].writable = 0;
    } else {
        q->slots[q->last].next = i;
        q->desc[q->last].next = i;
        q->desc[q->last].flags = q->last_flags | DESC_NEXT;
    }
    q->last = i;
    q->last_flags = device_writes ? DESC_WRITE : 0;
    q->desc[i].address = paddr;
    q->desc[i].size = size;
    q->desc[i].flags = q->last_flags;
    if (device_writes)
        q->slots[q->head].writable += size;
    return true;
}

uint16_t virtqueue_end(struct virtqueue *q) {
    uint16_t head = q->head;
    q->slots[head].count = q->chain;
    q->chain = 0;
    q->avail->ring[q->given & (q->size - 1)] = head;
    virtqueue_fence();
    q->avail->index = ++q->given;
    return head;
}

void virtqueue_notify(struct virtqueue *q) {
    virtqueue_fence();
    if (!q->dev->broken && !(q->used->flags & USED_NO_NOTIFY))
        q->dev->ops->notify(q);
}

int virtqueue_take(struct virtqueue *q, uint16_t *head, uint32_t *length) {
    if (q->dev->broken)
        return -EIO;
    uint16_t done = q->used->index - q->taken;
    if (!done)
        return 0;
    virtqueue_fence();
    uint32_t id = q->used->ring[q->taken & (q->size - 1)].id;
    uint32_t bytes = q->used->ring[q->taken & (q->size - 1)].length;
    if (done > (uint16_t)(q->given - q->taken) || id >= q->size || !q->slots[id].count ||
        bytes > q->slots[id].writable) {
        virtio_give_up(q->dev);
        return -EIO;
    }
    q->taken++;
    uint16_t last = (uint16_t)id;
    for (uint16_t n = q->slots[id].count; n > 1; n--)
        last = q->slots[last].next;
    release(q, (uint16_t)id, last, q->slots[id].count);
    q->slots[id].count = 0;
    *head = (uint16_t)id;
    *length = bytes;
    return 1;
}

void virtqueue_interrupts(struct virtqueue *q, bool on) {
    q->avail->flags = on ? 0 : AVAIL_NO_INTERRUPT;
    virtqueue_fence();
}
