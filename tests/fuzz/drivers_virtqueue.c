/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A hostile device, with a split or a packed ring: between any two steps of the driver it writes
 * anything to all memory that it can see.  Every chain that comes back was given, once, and nothing
 * is longer than its buffers; no descriptor is lost.
 *
 * links: kernel/drivers/virtio/virtqueue.c kernel/drivers/virtio/packed.c
 * links: kernel/drivers/virtio/virtio.c
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "drivers/virtio/queue.h"
#include "lib/errno.h"
#include "tests/unit/model_virtio.h"

enum { SIZE = 8 };

static const uint8_t *input;
static size_t left;

static uint8_t next(void) {
    return left ? left--, *input++ : 0;
}

static uint32_t m_features(struct virtio_device *d, unsigned word) {
    (void)d;
    return word ? next() & 1 : next();
}
static void m_set_features(struct virtio_device *d, unsigned word, uint32_t f) {
    (void)d;
    (void)word;
    (void)f;
}
static uint8_t m_status(struct virtio_device *d) {
    (void)d;
    return next();
}
static void m_set_status(struct virtio_device *d, uint8_t s) {
    (void)d;
    (void)s;
}
static uint16_t m_queue_max(struct virtio_device *d, uint16_t index) {
    (void)d;
    (void)index;
    return next();
}
static void m_queue_start(struct virtqueue *q) {
    (void)q;
}
static void m_notify(struct virtqueue *q) {
    assert(!q->dev->broken);
}

/* What the driver believes: chains by head. */
static struct {
    unsigned count; /* 0: not given */
    uint32_t writable;
} given[SIZE];

static void check(const struct virtqueue *q) {
    unsigned sum = q->free_count + q->chain;
    for (unsigned i = 0; i < SIZE; i++)
        sum += given[i].count;
    assert(sum == SIZE);
}

static void drive(struct virtqueue *q, uint8_t *memory) {
    unsigned count = 0;
    uint32_t writable = 0;
    while (left) {
        uint8_t step = next();
        switch (step % 8) {
        case 0:
            queue_begin(q);
            count = writable = 0;
            break;
        case 1:
        case 2:
            if (queue_put(q, step, step, step & 64)) {
                count++;
                writable += step & 64 ? step : 0;
            } else {
                assert(!q->free_count);
            }
            break;
        case 3:
            if (count) {
                uint16_t head = queue_end(q);
                assert(head < SIZE && !given[head].count);
                given[head].count = count;
                given[head].writable = writable;
                count = writable = 0;
                queue_notify(q);
            }
            break;
        case 4: {
            uint16_t head;
            uint32_t length;
            int r = queue_take(q, &head, &length);
            assert(r == 1 || r == 0 || (r == -EIO && q->dev->broken));
            if (r == 1) {
                assert(head < SIZE && given[head].count && length <= given[head].writable);
                given[head].count = 0;
            }
            break;
        }
        case 5: { /* an honest completion, or nearly */
            if (queue_is_packed(q)) {
                struct packed_desc *d = (struct packed_desc *)(void *)memory + q->seen % SIZE;
                d->id = next();
                d->size = next();
                d->flags = q->seen & SIZE ? 0 : 0x8080;
                break;
            }
            struct virtqueue_used *used = (void *)(memory + VIRTQUEUE_USED(SIZE));
            used->ring[used->index % SIZE].id = next();
            used->ring[used->index % SIZE].length = next();
            used->index++;
            break;
        }
        case 6:
            queue_interrupts(q, step & 8);
            break;
        default: { /* anything anywhere before the driver's own record */
            size_t at = (next() | (size_t)next() << 8) % VIRTQUEUE_SLOTS(SIZE);
            memory[at] = next();
        }
        }
        check(q);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input = data;
    left = size;
    uint8_t kind = next();
    struct virtio_device dev = {.ops = &model_ops, .legacy = kind & 1};
    struct virtqueue q;
    if (next() & 1 && virtio_start(&dev, next()) != 0)
        return 0;
    dev.features |= kind & 2 ? VIRTIO_F_RING_PACKED : 0;
    uint8_t *memory = calloc(1, VIRTQUEUE_SLOTS(SIZE) + SIZE * sizeof(struct virtqueue_slot));
    for (unsigned i = 0; i < SIZE; i++)
        given[i].count = 0;
    if (queue_init(&q, &dev, 0, SIZE, memory, 0))
        drive(&q, memory);
    free(memory);
    return 0;
}
