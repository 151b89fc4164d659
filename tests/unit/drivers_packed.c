/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/drivers/virtio/packed.c against a model of a device, an honest one and
 * several liars.
 *
 * links: kernel/drivers/virtio/packed.c kernel/drivers/virtio/virtqueue.c
 * links: kernel/drivers/virtio/virtio.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/virtio/queue.h"
#include "lib/errno.h"
#include "tests/unit/model_honest.h"

enum { SIZE = 8, PADDR = 0x7000 };
enum { NEXT = 1, WRITE = 2, AVAIL = 0x80, USED = 0x8000 };

/* The device's side: where it looks for the next chain, and where it says that it is
 * done with one, in descriptors from the start. */
static struct {
    unsigned notified;
    uint32_t next, done;
} model;
static struct virtio_device dev;
static struct virtqueue q;
static uint8_t *memory;

static uint16_t m_queue_max(struct virtio_device *d, uint16_t index) {
    (void)d;
    return index == 0 ? 128 : 0;
}
static void m_queue_start(struct virtqueue *queue) {
    assert_int_equal(queue->paddr, PADDR);
}
static void m_notify(struct virtqueue *queue) {
    (void)queue;
    model.notified++;
}

static struct packed_desc *at(uint32_t count) {
    return (struct packed_desc *)(void *)memory + count % SIZE;
}
static struct packed_events *driver_events(void) {
    return (void *)(memory + VIRTQUEUE_AVAIL(SIZE));
}
static struct packed_events *device_events(void) {
    return (void *)(memory + VIRTQUEUE_USED(SIZE));
}

/* The flags that make a descriptor available or used, in the round that it is (2.7.1). */
static unsigned available(uint32_t count) {
    return count / SIZE % 2 ? USED : AVAIL;
}
static unsigned used(uint32_t count) {
    return count / SIZE % 2 ? 0 : AVAIL | USED;
}

/* Takes the next chain: its number and how many descriptors; 0: there is none. */
static unsigned device_next(uint16_t *id) {
    unsigned n = 0;
    do {
        if ((at(model.next + n)->flags & (AVAIL | USED)) != available(model.next + n)) {
            assert_int_equal(n, 0);
            return 0;
        }
    } while (at(model.next + n++)->flags & NEXT);
    *id = at(model.next + n - 1)->id;
    model.next += n;
    return n;
}
static void device_done(uint16_t id, uint32_t length, unsigned count) {
    struct packed_desc *d = at(model.done);
    d->id = id;
    d->size = length;
    d->flags = (uint16_t)(used(model.done) | (length ? WRITE : 0));
    model.done += count;
}

static int setup(void **state) {
    (void)state;
    memset(&model, 0, sizeof model);
    honest.offered = VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED;
    dev = (struct virtio_device){.ops = &model_ops};
    memory = calloc(1, VIRTQUEUE_SLOTS(SIZE) + SIZE * sizeof(struct virtqueue_slot));
    return virtio_start(&dev, VIRTIO_F_RING_PACKED) ||
           !queue_init(&q, &dev, 0, SIZE, memory, PADDR) || !queue_is_packed(&q);
}
static int teardown(void **state) {
    (void)state;
    free(memory);
    return 0;
}

static uint16_t give(unsigned count, bool device_writes) {
    queue_begin(&q);
    for (unsigned i = 0; i < count; i++)
        assert_true(queue_put(&q, 0x100000 + i, 100 + i, device_writes));
    return queue_end(&q);
}

static void chain(void **state) {
    (void)state;
    uint16_t head, id, seen;
    uint32_t length;
    queue_begin(&q);
    assert_true(queue_put(&q, 0x123456789abc, 10, false));
    assert_true(queue_put(&q, 0x1000, 20, true));
    assert_true(queue_put(&q, 0x2000, 30, true));
    assert_int_equal(device_next(&seen), 0); /* not before the end */
    id = queue_end(&q);
    queue_notify(&q);
    assert_int_equal(model.notified, 1);

    assert_int_equal(device_next(&seen), 3);
    assert_int_equal(seen, id);
    assert_int_equal(at(0)->address, 0x123456789abc);
    assert_int_equal(at(0)->size, 10);
    assert_int_equal(at(0)->flags, NEXT | AVAIL);
    assert_int_equal(at(1)->address, 0x1000);
    assert_int_equal(at(1)->flags, NEXT | WRITE | AVAIL);
    assert_int_equal(at(2)->size, 30);
    assert_int_equal(at(2)->flags, WRITE | AVAIL);

    assert_int_equal(queue_take(&q, &head, &length), 0);
    device_done(id, 50, 3);
    assert_int_equal(queue_take(&q, &head, &length), 1);
    assert_int_equal(head, id);
    assert_int_equal(length, 50);
    assert_int_equal(queue_take(&q, &head, &length), 0);
    assert_int_equal(q.free_count, SIZE);
}

/* A chain that is thrown away leaves nothing that the device could take for one. */
static void thrown_away(void **state) {
    (void)state;
    uint16_t id, seen;
    for (unsigned round = 0; round < 5; round++) { /* in both kinds of rounds */
        queue_begin(&q);
        for (unsigned i = 0; i < 5; i++)
            assert_true(queue_put(&q, i, 1, i > 2));
        id = give(2, false);
        assert_int_equal(device_next(&seen), 2);
        assert_int_equal(seen, id);
        assert_int_equal(device_next(&seen), 0);
        device_done(id, 0, 2);
        uint32_t length;
        assert_int_equal(queue_take(&q, &seen, &length), 1);
        assert_int_equal(q.free_count, SIZE);
    }
}

/* Many rounds, past the wrap of the 16-bit counts, chains of all lengths, done in
 * another order than given. */
static void rounds(void **state) {
    (void)state;
    uint32_t x = 1;
    uint16_t held[SIZE], lengths[SIZE], id, head;
    uint32_t length;
    unsigned count = 0, in_flight = 0;
    for (unsigned round = 0; round < 300000; round++) {
        x = x * 1664525 + 1013904223;
        unsigned want = 1 + (x >> 16) % 3;
        if ((x >> 24) % 2 && in_flight + want <= SIZE) {
            assert_int_equal(q.free_count, SIZE - in_flight);
            head = give(want, false);
            assert_int_equal(device_next(&id), want);
            assert_int_equal(id, head);
            for (unsigned i = 0; i < count; i++)
                assert_int_not_equal(held[i], id);
            held[count] = id;
            lengths[count++] = (uint16_t)want;
            in_flight += want;
        } else if (count) {
            unsigned which = (x >> 20) % count;
            device_done(held[which], 0, lengths[which]);
            assert_int_equal(queue_take(&q, &head, &length), 1);
            assert_int_equal(head, held[which]);
            in_flight -= lengths[which];
            held[which] = held[--count];
            lengths[which] = lengths[count];
        }
        assert_int_equal(queue_take(&q, &head, &length), 0);
    }
    assert_true(model.next > 65536 && !dev.broken);
    assert_int_equal(q.free_count, SIZE - in_flight);
}

static void full(void **state) {
    (void)state;
    uint16_t head;
    uint32_t length;
    queue_begin(&q);
    for (unsigned i = 0; i < SIZE; i++)
        assert_true(queue_put(&q, i, 1, false));
    assert_false(queue_put(&q, 0, 1, false));
    queue_begin(&q);
    assert_int_equal(q.free_count, SIZE);
    give(SIZE, false);
    assert_false(queue_put(&q, 0, 1, false));
    assert_int_equal(queue_take(&q, &head, &length), 0);
}

static void events(void **state) {
    (void)state;
    device_events()->flags = 1;
    give(1, false);
    queue_notify(&q);
    assert_int_equal(model.notified, 0);
    device_events()->flags = 0;
    queue_notify(&q);
    assert_int_equal(model.notified, 1);
    assert_int_equal(driver_events()->flags, 1);
    queue_interrupts(&q, true);
    assert_int_equal(driver_events()->flags, 0);
    queue_interrupts(&q, false);
    assert_int_equal(driver_events()->flags, 1);
}

static void split_when_not_offered(void **state) {
    (void)state;
    struct virtqueue other;
    uint8_t *own = calloc(1, VIRTQUEUE_SLOTS(SIZE) + SIZE * sizeof(struct virtqueue_slot));
    honest.offered = VIRTIO_F_VERSION_1;
    assert_int_equal(virtio_start(&dev, VIRTIO_F_RING_PACKED), 0);
    assert_true(queue_init(&other, &dev, 0, SIZE, own, PADDR));
    assert_false(queue_is_packed(&other));
    queue_begin(&other);
    assert_true(queue_put(&other, 1, 1, false));
    queue_end(&other);
    assert_int_equal(other.avail->index, 1);
    free(own);
}

static void short_queue(void **state) {
    (void)state;
    struct virtqueue other;
    assert_false(queue_init(&other, &dev, 1, SIZE, memory, PADDR));
    assert_false(queue_init(&other, &dev, 0, 256, memory, PADDR));
}

static void assert_caught(void) {
    uint16_t head;
    uint32_t length;
    unsigned resets = honest.resets;
    assert_int_equal(queue_take(&q, &head, &length), -EIO);
    assert_true(dev.broken);
    assert_int_equal(honest.resets, resets + 1);
    assert_int_equal(queue_take(&q, &head, &length), -EIO); /* for good */
    queue_notify(&q);
    assert_int_equal(model.notified, 0);
}

static void liar_id_beyond_ring(void **state) {
    (void)state;
    give(1, false);
    device_done(SIZE, 0, 1);
    assert_caught();
}
static void liar_never_given(void **state) {
    (void)state;
    uint16_t id = give(1, false);
    device_done((uint16_t)((id + 1u) % SIZE), 0, 1);
    assert_caught();
}
static void liar_twice(void **state) {
    (void)state;
    uint16_t head;
    uint32_t length;
    uint16_t id = give(1, false);
    give(1, false);
    device_done(id, 0, 1);
    assert_int_equal(queue_take(&q, &head, &length), 1);
    device_done(id, 0, 1);
    assert_caught();
}
static void liar_length(void **state) {
    (void)state;
    device_done(give(2, true), 100 + 101 + 1, 2);
    assert_caught();
}
static void liar_length_of_output(void **state) {
    (void)state;
    device_done(give(2, false), 1, 2);
    assert_caught();
}

/* Nothing was given: whatever the ring says, nothing comes back. */
static void liar_out_of_nothing(void **state) {
    (void)state;
    uint16_t head;
    uint32_t length;
    memset(memory, 0xff, VIRTQUEUE_SLOTS(SIZE));
    assert_int_equal(queue_take(&q, &head, &length), 0);
    assert_false(dev.broken);
}

/* The device may scribble over all that it can see without doing harm. */
static void liar_descriptors(void **state) {
    (void)state;
    uint16_t head, id = give(3, true);
    uint32_t length;
    memset(memory, 0xff, VIRTQUEUE_SLOTS(SIZE));
    device_done(id, 300, 3);
    assert_int_equal(queue_take(&q, &head, &length), 1);
    assert_int_equal(length, 300);
    assert_int_equal(q.free_count, SIZE);
    give(SIZE, false);
    assert_int_equal(q.free_count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(chain),
        TEST(thrown_away),
        TEST(rounds),
        TEST(full),
        TEST(events),
        TEST(split_when_not_offered),
        TEST(short_queue),
        TEST(liar_id_beyond_ring),
        TEST(liar_never_given),
        TEST(liar_twice),
        TEST(liar_length),
        TEST(liar_length_of_output),
        TEST(liar_out_of_nothing),
        TEST(liar_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
