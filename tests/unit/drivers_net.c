/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/drivers/virtio/net.c and net_pairs.c against a model of a card: one pair
 * of queues and several, a card that lies about them, and memory that runs out.
 *
 * links: kernel/drivers/virtio/net_pairs.c kernel/drivers/virtio/virtqueue.c
 * links: kernel/drivers/virtio/packed.c kernel/drivers/virtio/virtio.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/virtio/net.c"

#include "tests/unit/model_card.h"
#include "tests/unit/model_honest.h"

/* ---- the kernel's side --------------------------------------------------- */

static long buffers; /* in use */
static bool no_memory;
static unsigned delivered, done; /* frames told to the stack */
static uint8_t last_byte;
static bool keeps; /* the stack keeps what it gets */
static void *kept[1024];
static unsigned kept_count;

void *heap_alloc_dirty(size_t size) {
    if (no_memory)
        return NULL;
    buffers++;
    return malloc(size);
}
void heap_free(void *p, size_t size) {
    (void)size;
    buffers--;
    free(p);
}
static uint64_t free_frames(void) {
    return no_memory ? FRAMES_LEFT : 1000;
}

static void received(struct netdev *dev, const struct net_part *parts, unsigned count,
                     bool checked) {
    (void)checked;
    delivered++;
    last_byte = ((const uint8_t *)parts[count - 1].data)[parts[count - 1].size - 1];
    for (unsigned i = 0; i < count; i++) {
        if (keeps)
            kept[kept_count++] = parts[i].buffer;
        else
            dev->ops->release(dev, parts[i].buffer);
    }
}
static void sent(struct netdev *dev, void *token) {
    (void)dev, (void)token;
    done++;
}

/* ---- the card's ---------------------------------------------------------- */

enum { QUEUES = 16 };
static struct {
    uint16_t missing; /* the number of a queue that there is not */
    struct virtqueue *queues[QUEUES];
    uint16_t seen[QUEUES];
    unsigned notified[QUEUES];
} model;

static uint16_t m_queue_max(struct virtio_device *d, uint16_t index) {
    (void)d;
    return index == model.missing || index >= QUEUES ? 0 : 256;
}
static void m_queue_start(struct virtqueue *q) {
    model.queues[q->index] = q;
}
static void m_notify(struct virtqueue *q) {
    model.notified[q->index]++;
}

/* Does the card have a chain that it has not seen?  Takes it: its head. */
static bool next_chain(unsigned queue, uint16_t *head) {
    struct virtqueue *q = model.queues[queue];
    if (model.seen[queue] == q->avail->index)
        return false;
    *head = q->avail->ring[model.seen[queue]++ % q->size];
    return true;
}
static void give_back(unsigned queue, uint16_t head, uint32_t size) {
    struct virtqueue *q = model.queues[queue];
    q->used->ring[q->used->index % q->size].id = head;
    q->used->ring[q->used->index % q->size].length = size;
    q->used->index++;
}
static void *bytes_of(unsigned queue, uint16_t desc) {
    return phys_to_virt(model.queues[queue]->desc[desc].address);
}

/* A frame of `count` buffers comes by a queue; false: the card has too few. */
static bool arrive(unsigned queue, uint8_t last, unsigned count) {
    uint16_t heads[PARTS];
    for (unsigned i = 0; i < count; i++) {
        if (!next_chain(queue, &heads[i]))
            return false;
    }
    for (unsigned i = 0; i < count; i++) {
        uint8_t *b = bytes_of(queue, heads[i]);
        memset(b, 0, 100);
        if (!i)
            ((struct header *)(void *)b)->buffers = (uint16_t)count;
        b[99] = last;
        give_back(queue, heads[i], 100);
    }
    attached->fn(attached->arg);
    return true;
}

static struct netdev *dev;

static int begin_with(uint64_t offered, uint16_t pairs, unsigned cpu_count, uint16_t missing) {
    memset(&model, 0, sizeof model);
    memset(card_config, 0, sizeof card_config);
    honest.offered = VIRTIO_F_VERSION_1 | F_STATUS | F_MRG_RXBUF | offered;
    memcpy(card_config + 8, &pairs, sizeof pairs);
    model.missing = missing;
    cards[0] = NULL;
    cpus = cpu_count;
    here.cpu = 0;
    no_memory = keeps = false;
    delivered = done = kept_count = 0;
    dev = net.find(0);
    assert_non_null(dev);
    dev->stack = &stack;
    return net.start(dev);
}

static int end(void **state) {
    (void)state;
    for (unsigned i = 0; i < kept_count; i++)
        dev->ops->release(dev, kept[i]);
    struct card *c = card_of(dev);
    for (unsigned i = 0; i < c->count; i++) { /* what the card has is not lost */
        buffers -= RX_SIZE - c->pairs[i]->rx.free_count;
        for (unsigned k = 0; k < RX_SIZE; k++) {
            if (c->pairs[i]->rx.slots[k].count)
                free(phys_to_virt(c->pairs[i]->received[k]));
        }
    }
    assert_int_equal(buffers, 0);
    while (run_count)
        free(runs[--run_count]);
    return 0;
}

/* Sends a frame from a CPU: by which queue it went. */
static unsigned goes_by(unsigned cpu) {
    static uint8_t frame[64];
    struct net_piece piece = {virt_to_phys(frame), sizeof frame};
    struct net_offload none = {0};
    here.cpu = cpu;
    assert_true(dev->ops->room(dev, 1) >= 1);
    assert_int_equal(dev->ops->send(dev, &piece, 1, &none, frame), 0);
    dev->ops->flush(dev);
    for (unsigned q = 1; q < QUEUES; q += 2) {
        uint16_t head;
        if (model.queues[q] && next_chain(q, &head)) {
            give_back(q, head, 0);
            return q;
        }
    }
    return 0;
}

static void answer(unsigned queue, uint8_t ack) {
    uint16_t head;
    assert_true(next_chain(queue, &head));
    struct virtqueue *q = model.queues[queue];
    uint16_t pairs = q->desc[head].next, out = q->desc[pairs].next;
    assert_memory_equal(bytes_of(queue, head), "\4\0", 2);
    assert_int_equal(q->desc[head].size, 2);
    assert_int_equal(*(uint16_t *)bytes_of(queue, pairs), 2);
    assert_int_equal(q->desc[pairs].size, 2);
    assert_int_equal(q->desc[out].size, 1);
    *(uint8_t *)bytes_of(queue, out) = ack;
    give_back(queue, head, 1);
    attached->fn(attached->arg);
}

/* ---- tests --------------------------------------------------------------- */

static void several_pairs(void **state) {
    (void)state;
    assert_int_equal(begin_with(F_CTRL_VQ | F_MQ, 3, 2, QUEUES), 0);
    assert_int_equal(goes_by(1), 1); /* it has not agreed yet */
    answer(6, 0);
    assert_int_equal(goes_by(0), 1);
    assert_int_equal(goes_by(1), 3);
    assert_int_equal(goes_by(2), 1); /* never: but it would go */
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(arrive(i % 3 ? 0 : 2, (uint8_t)i, 1 + i % 4));
        assert_int_equal(last_byte, (uint8_t)i);
    }
    assert_int_equal(delivered, 1000);
    assert_true(model.notified[0] && model.notified[2] && model.notified[3]);
}

static void refused_pairs(void **state) {
    (void)state;
    assert_int_equal(begin_with(F_CTRL_VQ | F_MQ, 2, 2, QUEUES), 0);
    answer(4, 1);
    assert_int_equal(goes_by(1), 1);
    assert_true(arrive(0, 7, 1));
    assert_int_equal(last_byte, 7);
}

static void one_pair(void **state) {
    static const struct {
        uint64_t offered;
        uint16_t pairs, missing;
        unsigned cpus;
    } all[] = {
        {F_CTRL_VQ | F_MQ, 2, QUEUES, 1},      /* one CPU */
        {F_MQ, 2, QUEUES, 2},                  /* no way to ask */
        {F_CTRL_VQ, 2, QUEUES, 2},             /* none offered */
        {F_CTRL_VQ | F_MQ, 0, QUEUES, 2},      /* nonsense */
        {F_CTRL_VQ | F_MQ, 1, QUEUES, 2},      /* the same */
        {F_CTRL_VQ | F_MQ, 0xffff, QUEUES, 2}, /* the same */
        {F_CTRL_VQ | F_MQ, 0x8000, QUEUES, 2}, /* its control queue has no number */
        {F_CTRL_VQ | F_MQ, 2, 4, 2},           /* there is no control queue */
        {F_CTRL_VQ | F_MQ, 2, 2, 2},           /* or no second one */
        {F_CTRL_VQ | F_MQ, 2, 3, 2},
    };
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        assert_int_equal(begin_with(all[i].offered, all[i].pairs, all[i].cpus, all[i].missing), 0);
        assert_null(card_of(dev)->asked);
        assert_int_equal(goes_by(1), 1);
        assert_true(arrive(0, 9, 2));
        assert_int_equal(last_byte, 9);
        end(state);
    }
    assert_int_equal(begin_with(0, 0, 1, 1), -EIO); /* not even that */
    assert_true(card_of(dev)->virtio.broken);
}

/* The stack keeps all that comes and memory runs out: frames are dropped, their
 * buffers go back to the card, and when memory is there all is as before. */
static void memory_runs_out(void **state) {
    (void)state;
    assert_int_equal(begin_with(F_CTRL_VQ | F_MQ, 2, 2, QUEUES), 0);
    answer(4, 0);
    for (unsigned round = 0; round < 3; round++) {
        keeps = no_memory = true;
        unsigned before = delivered;
        for (unsigned i = 0; i < 1000; i++)
            assert_true(arrive(round % 2 ? 2 : 0, 1, 1 + i % 3)); /* it always has buffers */
        assert_true(delivered - before >= 20 && delivered - before < 100);
        no_memory = false;
        before = delivered;
        for (unsigned i = 0; i < 100; i++)
            assert_true(arrive(0, (uint8_t)i, 1));
        assert_int_equal(delivered - before, 100);
        keeps = false;
        while (kept_count)
            dev->ops->release(dev, kept[--kept_count]);
        before = delivered;
        for (unsigned i = 0; i < 1000; i++)
            assert_true(arrive(i % 2 ? 2 : 0, 1, PARTS));
        assert_int_equal(delivered - before, 1000);
        assert_false(card_of(dev)->virtio.broken);
    }
}

/* There is none from the start: the card waits for the first buffers. */
static void no_memory_at_first(void **state) {
    (void)state;
    assert_int_equal(begin_with(0, 0, 1, QUEUES), 0);
    end(state);
    no_memory = true;
    cards[0] = NULL;
    memset(&model, 0, sizeof model);
    honest.offered = VIRTIO_F_VERSION_1;
    model.missing = QUEUES;
    dev = net.find(0);
    dev->stack = &stack;
    assert_int_equal(net.start(dev), 0);
    assert_false(arrive(0, 1, 1));
    no_memory = false;
    dev->ops->flush(dev); /* as the stack's timers do */
    assert_true(arrive(0, 3, 1));
    assert_int_equal(last_byte, 3);
}

static void full_ring(void **state) {
    (void)state;
    static uint8_t frame[64];
    struct net_piece pieces[3];
    struct net_offload none = {0};
    unsigned count = 0;
    assert_int_equal(begin_with(0, 0, 1, QUEUES), 0);
    for (unsigned i = 0; i < 3; i++)
        pieces[i] = (struct net_piece){virt_to_phys(frame), 20};
    for (; dev->ops->room(dev, 3) >= 3; count++)
        assert_int_equal(dev->ops->send(dev, pieces, 3, &none, frame), 0);
    assert_int_equal(count, TX_SIZE / 4);
    assert_int_equal(model.queues[1]->avail->flags, 0); /* tell when there is room */
    assert_int_equal(done, 0);
    uint16_t head;
    while (next_chain(1, &head))
        give_back(1, head, 0);
    attached->fn(attached->arg);
    assert_int_equal(done, count);
    assert_int_equal(model.queues[1]->avail->flags, 1);
    assert_int_equal(dev->ops->room(dev, 3), TX_SIZE - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(several_pairs, end),
        cmocka_unit_test_teardown(refused_pairs, end),
        cmocka_unit_test_teardown(one_pair, end),
        cmocka_unit_test_teardown(memory_runs_out, end),
        cmocka_unit_test_teardown(no_memory_at_first, end),
        cmocka_unit_test_teardown(full_ring, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
