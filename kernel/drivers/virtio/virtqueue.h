/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Split virtqueues (virtio 1.1, 2.6): chains of buffers for a device.
 *
 *     virtqueue_begin(q);
 *     if (!virtqueue_put(q, address, size, false)) ... no room: begin again later
 *     virtqueue_end(q);                        the device has it now
 *     while (virtqueue_take(q, &head, &length) == 1) ... it gives it back
 *
 * The driver's record of what is where lies in `slots`, which the device never
 * hears of; nothing is read back from memory that the device may write, but
 * the used ring, and that is checked: a chain that was not given out, or more
 * bytes than its buffers hold, make the device broken (virtio_give_up), and
 * every later call fails.  No locks, no sleep.
 */
#ifndef DRIVERS_VIRTIO_VIRTQUEUE_H
#define DRIVERS_VIRTIO_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/virtio/virtio.h"

/* Rings start at multiples of this, which is what legacy devices are told that
 * a page is; the used ring starts at a multiple of VIRTQUEUE_USED_ALIGN. */
#define VIRTQUEUE_ALIGN 512u
#define VIRTQUEUE_USED_ALIGN 64u

struct virtqueue_desc {
    uint64_t address;
    uint32_t size;
    uint16_t flags;
    uint16_t next;
};

struct virtqueue_avail {
    uint16_t flags;
    uint16_t index;
    uint16_t ring[];
};

struct virtqueue_used {
    uint16_t flags;
    uint16_t index;
    struct {
        uint32_t id;
        uint32_t length;
    } ring[];
};

struct virtqueue_slot {
    uint32_t writable; /* of a chain's head: bytes that the device may write */
    uint16_t next;     /* in the chain, or in the free list */
    uint16_t count;    /* of a published chain's head: descriptors; else 0 */
};

struct virtqueue {
    struct virtio_device *dev;
    volatile struct virtqueue_desc *desc;
    volatile struct virtqueue_avail *avail;
    volatile struct virtqueue_used *used;
    struct virtqueue_slot *slots;
    uint64_t paddr;     /* of desc */
    uint32_t notify_at; /* the bus's */
    uint16_t index;     /* which queue of the device */
    uint16_t size;      /* entries, a power of two */
    uint16_t free, free_count;
    uint16_t head, last, last_flags, chain; /* what is being made; `chain` descriptors so far */
    uint16_t given, taken;      /* chains given to the device and taken back, modulo 2^16 */
    uint16_t at, seen, outputs; /* packed.c */
};

/* Offsets in a queue's memory. */
#define VIRTQUEUE_AVAIL(size) ((size_t)(size) * sizeof(struct virtqueue_desc))
#define VIRTQUEUE_USED(size)                                                                       \
    ((VIRTQUEUE_AVAIL(size) + 6 + 2 * (size_t)(size) + VIRTQUEUE_USED_ALIGN - 1) &                 \
     ~(size_t)(VIRTQUEUE_USED_ALIGN - 1))
#define VIRTQUEUE_SLOTS(size) ((VIRTQUEUE_USED(size) + 6 + 8 * (size_t)(size) + 7) & ~(size_t)7)
/* Bytes of memory that a queue of that size needs; 512, 1024 and 2560 for 4,
 * 16 and 64 entries. */
#define VIRTQUEUE_BYTES(size)                                                                      \
    ((VIRTQUEUE_SLOTS(size) + (size_t)(size) * sizeof(struct virtqueue_slot) + VIRTQUEUE_ALIGN -   \
      1) &                                                                                         \
     ~(size_t)(VIRTQUEUE_ALIGN - 1))

/* Both sides' writes before it are seen before those after it. */
static inline void virtqueue_fence(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Sets up queue `index` of a started device: VIRTQUEUE_BYTES(size) of zeroed
 * memory at `memory`, physical address `paddr`, aligned to VIRTQUEUE_ALIGN.
 * False when the device has no such queue, or a shorter one. */
bool virtqueue_init(struct virtqueue *q, struct virtio_device *dev, uint16_t index, uint16_t size,
                    void *memory, uint64_t paddr);

/* Starts a chain; one that was begun and not ended is thrown away. */
void virtqueue_begin(struct virtqueue *q);
/* Adds a buffer to it; those that the device writes come last.  False when no
 * descriptor is free. */
bool virtqueue_put(struct virtqueue *q, uint64_t paddr, uint32_t size, bool device_writes);
/* Gives the chain (not an empty one) to the device; its head, by which
 * virtqueue_take names it.  Says nothing to the device: virtqueue_notify. */
uint16_t virtqueue_end(struct virtqueue *q);
void virtqueue_notify(struct virtqueue *q);

/* Takes back a chain that the device is done with: 1 and which, and how many
 * bytes were written to it; 0 when there is none; -EIO when the device is
 * broken, now or before. */
int virtqueue_take(struct virtqueue *q, uint16_t *head, uint32_t *length);

/* Interrupts of this queue: off at first.  Look once more after `on`: what the
 * device did before does not interrupt. */
void virtqueue_interrupts(struct virtqueue *q, bool on);

#endif
