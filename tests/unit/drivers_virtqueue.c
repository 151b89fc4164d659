/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/drivers/virtio/virtqueue.c and virtio.c against a model of a device,
 * an honest one and several liars.
 *
 * links: kernel/drivers/virtio/virtqueue.c kernel/drivers/virtio/virtio.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/errno.h"
#include "tests/unit/model_virtio.h"

enum { SIZE = 8, PADDR = 0x7000 };

/* The device's side.  Its memory is exactly the queue's, so that the sanitizer
 * sees each step beyond. */
static struct {
    uint64_t offered, accepted;
    uint8_t status;
    bool refuses; /* FEATURES_OK does not stay */
    bool stuck;   /* reset never ends */
    unsigned resets, notified, started;
    uint16_t queue_max, seen; /* seen: available chains consumed */
} model;
static struct virtio_device dev;
static struct virtqueue q;
static uint8_t *memory;

static uint32_t m_features(struct virtio_device *d, unsigned word) {
    (void)d;
    return (uint32_t)(model.offered >> 32 * word);
}
static void m_set_features(struct virtio_device *d, unsigned word, uint32_t f) {
    (void)d;
    model.accepted = (model.accepted & ~((uint64_t)UINT32_MAX << 32 * word)) | (uint64_t)f
                                                                                   << 32 * word;
}
static uint8_t m_status(struct virtio_device *d) {
    (void)d;
    return model.stuck ? 0x55 : model.status;
}
static void m_set_status(struct virtio_device *d, uint8_t s) {
    (void)d;
    model.resets += s == 0;
    model.status = model.refuses ? (uint8_t)(s & ~8) : s;
}
static uint16_t m_queue_max(struct virtio_device *d, uint16_t index) {
    (void)d;
    return index == 0 ? model.queue_max : 0;
}
static void m_queue_start(struct virtqueue *queue) {
    assert_int_equal(queue->paddr, PADDR);
    model.started++;
}
static void m_notify(struct virtqueue *queue) {
    (void)queue;
    model.notified++;
}

static struct virtqueue_desc *descs(void) {
    return (void *)memory;
}
static struct virtqueue_avail *avail(void) {
    return (void *)(memory + VIRTQUEUE_AVAIL(SIZE));
}
static struct virtqueue_used *used(void) {
    return (void *)(memory + VIRTQUEUE_USED(SIZE));
}

/* The device takes the next available chain: its head. */
static uint16_t device_next(void) {
    assert_int_not_equal(model.seen, avail()->index);
    return avail()->ring[model.seen++ % SIZE];
}
static void device_done(uint32_t id, uint32_t length) {
    used()->ring[used()->index % SIZE].id = id;
    used()->ring[used()->index % SIZE].length = length;
    used()->index++;
}

static int setup(void **state) {
    (void)state;
    memset(&model, 0, sizeof model);
    model.offered = VIRTIO_F_VERSION_1 | 6;
    model.queue_max = 128;
    memset(&dev, 0, sizeof dev);
    dev.ops = &model_ops;
    memory = calloc(1, VIRTQUEUE_SLOTS(SIZE) + SIZE * sizeof(struct virtqueue_slot));
    return virtio_start(&dev, 2) || !virtqueue_init(&q, &dev, 0, SIZE, memory, PADDR);
}
static int teardown(void **state) {
    (void)state;
    free(memory);
    return 0;
}

/* A chain of `count` buffers; which byte of the address tells them apart. */
static uint16_t give(unsigned count, bool device_writes) {
    virtqueue_begin(&q);
    for (unsigned i = 0; i < count; i++)
        assert_true(virtqueue_put(&q, 0x100000 + i, 100 + i, device_writes));
    return virtqueue_end(&q);
}

static void start_modern(void **state) {
    (void)state;
    assert_int_equal(dev.features, VIRTIO_F_VERSION_1 | 2);
    assert_int_equal(model.accepted, VIRTIO_F_VERSION_1 | 2);
    assert_int_equal(model.status, 1 | 2 | 8);
    virtio_ready(&dev);
    assert_int_equal(model.status, 1 | 2 | 8 | 4);
    assert_int_equal(model.started, 1);
}

static void start_legacy(void **state) {
    (void)state;
    model.offered = VIRTIO_F_VERSION_1 | 6; /* the upper half is no register there */
    model.accepted = 0;
    dev = (struct virtio_device){.ops = &model_ops, .legacy = true};
    assert_int_equal(virtio_start(&dev, 2), 0);
    assert_int_equal(model.accepted, 2);
    assert_int_equal(model.status, 1 | 2);
}

static void start_refused(void **state) {
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        memset(&model, 0, sizeof model);
        model.offered = i == 0 ? 6 : VIRTIO_F_VERSION_1;
        model.refuses = i == 1;
        model.stuck = i == 2;
        dev = (struct virtio_device){.ops = &model_ops};
        assert_int_equal(virtio_start(&dev, 2), -EIO);
        assert_true(dev.broken);
        assert_int_equal(model.status, 0);
        assert_false(virtqueue_init(&q, &dev, 0, SIZE, memory, PADDR));
    }
}

static void short_queue(void **state) {
    (void)state;
    struct virtqueue other;
    model.queue_max = SIZE / 2;
    assert_false(virtqueue_init(&other, &dev, 0, SIZE, memory, PADDR));
    assert_false(virtqueue_init(&other, &dev, 1, SIZE, memory, PADDR));
}

static void layout(void **state) {
    (void)state;
    assert_int_equal(VIRTQUEUE_BYTES(4), 512);
    assert_int_equal(VIRTQUEUE_BYTES(16), 1024);
    assert_int_equal(VIRTQUEUE_BYTES(64), 2560);
    for (unsigned n = 2; n <= 1024; n *= 2) {
        /* 2.6.2 of the specification; a legacy device computes it itself. */
        size_t end = 16 * n + 2 * (3 + n);
        assert_int_equal(VIRTQUEUE_USED(n), (end + 63) / 64 * 64);
        assert_int_equal(VIRTQUEUE_USED(n), (end - 2 + 63) / 64 * 64);
        assert_true(VIRTQUEUE_SLOTS(n) >= VIRTQUEUE_USED(n) + 6 + 8 * n);
        assert_int_equal(VIRTQUEUE_SLOTS(n) % 8, 0);
        assert_true(VIRTQUEUE_BYTES(n) >= VIRTQUEUE_SLOTS(n) + 8 * n);
    }
}

static void chain(void **state) {
    (void)state;
    uint16_t head, id;
    uint32_t length;
    virtqueue_begin(&q);
    assert_true(virtqueue_put(&q, 0x123456789abc, 10, false));
    assert_true(virtqueue_put(&q, 0x1000, 20, true));
    assert_true(virtqueue_put(&q, 0x2000, 30, true));
    assert_int_equal(avail()->index, 0); /* not before the end */
    id = virtqueue_end(&q);
    assert_int_equal(avail()->index, 1);
    virtqueue_notify(&q);
    assert_int_equal(model.notified, 1);

    assert_int_equal(device_next(), id);
    struct virtqueue_desc *d = &descs()[id];
    assert_int_equal(d->address, 0x123456789abc);
    assert_int_equal(d->size, 10);
    assert_int_equal(d->flags, 1);
    d = &descs()[d->next];
    assert_int_equal(d->address, 0x1000);
    assert_int_equal(d->flags, 1 | 2);
    d = &descs()[d->next];
    assert_int_equal(d->size, 30);
    assert_int_equal(d->flags, 2);

    assert_int_equal(virtqueue_take(&q, &head, &length), 0);
    device_done(id, 50);
    assert_int_equal(virtqueue_take(&q, &head, &length), 1);
    assert_int_equal(head, id);
    assert_int_equal(length, 50);
    assert_int_equal(virtqueue_take(&q, &head, &length), 0);
    assert_int_equal(q.free_count, SIZE);
}

/* Many rounds, past the wrap of the 16-bit indices, chains of all lengths, done
 * in another order than given. */
static void rounds(void **state) {
    (void)state;
    uint32_t x = 1;
    uint16_t held[SIZE], lengths[SIZE];
    unsigned count = 0, in_flight = 0;
    for (unsigned round = 0; round < 300000; round++) {
        x = x * 1664525 + 1013904223;
        unsigned want = 1 + (x >> 16) % 3;
        if ((x >> 24) % 2 && in_flight + want <= SIZE) {
            assert_int_equal(q.free_count, SIZE - in_flight);
            uint16_t id = give(want, false);
            assert_int_equal(device_next(), id);
            unsigned n = 1;
            for (uint16_t i = id; descs()[i].flags & 1; i = descs()[i].next)
                assert_true(++n <= want);
            assert_int_equal(n, want);
            held[count] = id;
            lengths[count++] = (uint16_t)want;
            in_flight += want;
        } else if (count) {
            uint16_t head;
            uint32_t length;
            unsigned which = (x >> 20) % count;
            device_done(held[which], 0);
            assert_int_equal(virtqueue_take(&q, &head, &length), 1);
            assert_int_equal(head, held[which]);
            in_flight -= lengths[which];
            held[which] = held[--count];
            lengths[which] = lengths[count];
        }
    }
    assert_true(q.given < model.seen + 1 && !dev.broken);
    assert_int_equal(q.free_count, SIZE - in_flight);
}

static void full(void **state) {
    (void)state;
    virtqueue_begin(&q);
    for (unsigned i = 0; i < SIZE; i++)
        assert_true(virtqueue_put(&q, i, 1, false));
    assert_false(virtqueue_put(&q, 0, 1, false));
    virtqueue_begin(&q); /* throws them away */
    assert_int_equal(q.free_count, SIZE);
    give(SIZE, false);
    assert_false(virtqueue_put(&q, 0, 1, false));
}

static void no_notify(void **state) {
    (void)state;
    used()->flags = 1;
    give(1, false);
    virtqueue_notify(&q);
    assert_int_equal(model.notified, 0);
    assert_int_equal(avail()->flags, 1);
    virtqueue_interrupts(&q, true);
    assert_int_equal(avail()->flags, 0);
    virtqueue_interrupts(&q, false);
    assert_int_equal(avail()->flags, 1);
}

static void assert_caught(void) {
    uint16_t head;
    uint32_t length;
    unsigned resets = model.resets;
    assert_int_equal(virtqueue_take(&q, &head, &length), -EIO);
    assert_true(dev.broken);
    assert_int_equal(model.resets, resets + 1);
    assert_int_equal(virtqueue_take(&q, &head, &length), -EIO); /* for good */
    assert_int_equal(model.resets, resets + 1);
    virtqueue_notify(&q);
    assert_int_equal(model.notified, 0);
}

static void liar_id_beyond_ring(void **state) {
    (void)state;
    give(1, false);
    device_done(SIZE, 0);
    assert_caught();
}
static void liar_huge_id(void **state) {
    (void)state;
    uint16_t id = give(1, false);
    device_done(0x10000u + id, 0);
    assert_caught();
}
static void liar_not_a_head(void **state) {
    (void)state;
    uint16_t id = give(2, false);
    device_done(descs()[id].next, 0);
    assert_caught();
}
static void liar_never_given(void **state) {
    (void)state;
    uint16_t id = give(1, false);
    device_done((id + 1u) % SIZE, 0);
    assert_caught();
}
static void liar_twice(void **state) {
    (void)state;
    uint16_t head;
    uint32_t length;
    uint16_t id = give(1, false);
    give(1, false);
    device_done(id, 0);
    assert_int_equal(virtqueue_take(&q, &head, &length), 1);
    device_done(id, 0);
    assert_caught();
}
static void liar_length(void **state) {
    (void)state;
    device_done(give(2, true), 100 + 101 + 1);
    assert_caught();
}
static void liar_length_of_output(void **state) {
    (void)state;
    device_done(give(2, false), 1);
    assert_caught();
}
static void liar_index(void **state) {
    (void)state;
    give(1, false);
    used()->index = 2;
    assert_caught();
}
static void liar_index_backwards(void **state) {
    (void)state;
    give(1, false);
    used()->index = UINT16_MAX;
    assert_caught();
}

/* The device may scribble over all that it can see without doing harm. */
static void liar_descriptors(void **state) {
    (void)state;
    uint16_t head, id = give(3, true);
    uint32_t length;
    memset(descs(), 0xff, VIRTQUEUE_USED(SIZE));
    device_done(id, 300);
    assert_int_equal(virtqueue_take(&q, &head, &length), 1);
    assert_int_equal(length, 300);
    assert_int_equal(q.free_count, SIZE);
    give(SIZE, false);
    assert_int_equal(q.free_count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(start_modern),     TEST(start_legacy),
        TEST(start_refused),    TEST(short_queue),
        TEST(layout),           TEST(chain),
        TEST(rounds),           TEST(full),
        TEST(no_notify),        TEST(liar_id_beyond_ring),
        TEST(liar_huge_id),     TEST(liar_not_a_head),
        TEST(liar_never_given), TEST(liar_twice),
        TEST(liar_length),      TEST(liar_length_of_output),
        TEST(liar_index),       TEST(liar_index_backwards),
        TEST(liar_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
