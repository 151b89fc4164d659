/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/channel.c: records come out whole and in order, however the bytes are
 * cut; what is too long breaks the channel for good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "zuk/channel.h"

struct wire {
    uint8_t bytes[1 << 16];
    size_t size;
};

static void add(struct wire *w, uint16_t type, const void *data, uint32_t size) {
    struct report_header h = {.length = size, .type = type, .cpu = 3};
    memcpy(w->bytes + w->size, &h, sizeof h);
    memcpy(w->bytes + w->size + sizeof h, data, size);
    w->size += sizeof h + size;
}

/* What came out: one entry a record; pieces of a stream record are joined as
 * long as type and order stay. */
struct heard {
    struct {
        uint16_t type;
        uint8_t data[5000];
        size_t size;
    } item[16];
    size_t count;
};

static void hear(struct heard *h, const struct channel_item *item, bool join) {
    if (!join) {
        assert_true(h->count < 16);
        h->item[h->count].type = item->type;
        h->item[h->count++].size = 0;
    }
    assert_true(h->count > 0);
    size_t i = h->count - 1;
    assert_true(h->item[i].size + item->size <= sizeof h->item[i].data);
    if (item->size > 0) {
        memcpy(h->item[i].data + h->item[i].size, item->data, item->size);
    }
    h->item[i].size += item->size;
}

/* Feeds the wire in pieces of `cut` bytes. */
static enum channel_state feed(struct channel *c, const struct wire *w, size_t cut,
                               struct heard *h) {
    enum channel_state state = CHANNEL_MORE;
    for (size_t at = 0; at < w->size; at += cut) {
        size_t n = w->size - at < cut ? w->size - at : cut;
        uint8_t *piece = malloc(n); /* its end is guarded by ASan */
        memcpy(piece, w->bytes + at, n);
        const uint8_t *p = piece;
        size_t left = n;
        struct channel_item item;
        while ((state = channel_next(c, &p, &left, &item)) == CHANNEL_ITEM) {
            bool stream = item.type == REPORT_STDOUT || item.type == REPORT_STDERR;
            hear(h, &item, stream && h->count > 0 && h->item[h->count - 1].type == item.type);
        }
        if (state == CHANNEL_MORE) {
            assert_int_equal(left, 0);
        }
        free(piece);
        if (state == CHANNEL_BROKEN) {
            break;
        }
    }
    return state;
}

static void test_any_cut(void **state) {
    (void)state;
    static struct wire w;
    uint8_t big[4500];
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (uint8_t)(i * 7);
    }
    w.size = 0;
    add(&w, REPORT_STDOUT, "one ", 4);
    add(&w, REPORT_STDOUT, "", 0);
    add(&w, REPORT_STDOUT, "two", 3);
    add(&w, REPORT_STDERR, "err", 3);
    add(&w, REPORT_WANT_INPUT, "", 0);
    add(&w, REPORT_CRASH, big, sizeof big);
    add(&w, 999, "unknown", 7);
    add(&w, REPORT_STDOUT, "three", 5);
    add(&w, REPORT_EXIT, "\0\7\0\0", 4);
    static struct heard h;
    for (size_t cut = 1; cut <= w.size; cut = cut < 64 ? cut + 1 : cut * 2) {
        struct channel c = {0};
        memset(&h, 0, sizeof h);
        assert_int_equal(feed(&c, &w, cut, &h), CHANNEL_MORE);
        assert_true(channel_idle(&c));
        assert_int_equal(h.count, 7);
        assert_int_equal(h.item[0].type, REPORT_STDOUT);
        assert_int_equal(h.item[0].size, 7);
        assert_memory_equal(h.item[0].data, "one two", 7);
        assert_int_equal(h.item[1].type, REPORT_STDERR);
        assert_memory_equal(h.item[1].data, "err", 3);
        assert_int_equal(h.item[2].type, REPORT_WANT_INPUT);
        assert_int_equal(h.item[2].size, 0);
        assert_int_equal(h.item[3].type, REPORT_CRASH);
        assert_int_equal(h.item[3].size, sizeof big);
        assert_memory_equal(h.item[3].data, big, sizeof big);
        assert_int_equal(h.item[4].type, 999);
        assert_memory_equal(h.item[4].data, "unknown", 7);
        assert_memory_equal(h.item[5].data, "three", 5);
        assert_int_equal(h.item[6].type, REPORT_EXIT);
        assert_int_equal(h.item[6].size, 4);
        channel_free(&c);
    }
}

/* A short stream record comes out whole, however it came. */
static void test_short_streams_wait(void **state) {
    (void)state;
    struct report_header h = {.length = 5, .type = REPORT_STDERR};
    uint8_t bytes[sizeof h + 5];
    memcpy(bytes, &h, sizeof h);
    memcpy(bytes + sizeof h, "hello", 5);
    struct channel c = {0};
    struct channel_item item;
    for (size_t i = 0; i < sizeof bytes; i++) {
        const uint8_t *p = &bytes[i];
        size_t left = 1;
        enum channel_state state_now = channel_next(&c, &p, &left, &item);
        assert_int_equal(state_now, i + 1 < sizeof bytes ? CHANNEL_MORE : CHANNEL_ITEM);
        assert_int_equal(left, 0);
        assert_int_equal(channel_idle(&c), i + 1 == sizeof bytes);
    }
    assert_int_equal(item.type, REPORT_STDERR);
    assert_int_equal(item.size, 5);
    assert_memory_equal(item.data, "hello", 5);
    channel_free(&c);
}

/* A part of a long stream record is handed on before the rest has come. */
static void test_streams_do_not_wait(void **state) {
    (void)state;
    struct report_header h = {.length = CHANNEL_WHOLE + 1, .type = REPORT_STDOUT};
    uint8_t bytes[sizeof h + 5];
    memcpy(bytes, &h, sizeof h);
    memcpy(bytes + sizeof h, "hello", 5);
    const uint8_t *p = bytes;
    size_t left = sizeof bytes;
    struct channel c = {0};
    struct channel_item item;
    assert_int_equal(channel_next(&c, &p, &left, &item), CHANNEL_ITEM);
    assert_int_equal(item.size, 5);
    assert_memory_equal(item.data, "hello", 5);
    assert_int_equal(channel_next(&c, &p, &left, &item), CHANNEL_MORE);
    assert_false(channel_idle(&c));
    channel_free(&c);
}

static void test_too_long(void **state) {
    (void)state;
    struct {
        struct report_header h;
        struct report_header next;
    } bytes = {{.length = REPORT_LENGTH_MAX + 1, .type = REPORT_CRASH},
               {.type = REPORT_WANT_INPUT}};
    const uint8_t *p = (const uint8_t *)&bytes;
    size_t left = sizeof bytes;
    struct channel c = {0};
    struct channel_item item;
    assert_int_equal(channel_next(&c, &p, &left, &item), CHANNEL_BROKEN);
    assert_int_equal(channel_next(&c, &p, &left, &item), CHANNEL_BROKEN); /* and stays so */
    channel_free(&c);
    bytes.h.length = REPORT_LENGTH_MAX; /* allowed, and takes no memory yet */
    p = (const uint8_t *)&bytes;
    left = sizeof bytes;
    assert_int_equal(channel_next(&c, &p, &left, &item), CHANNEL_MORE);
    assert_true(c.record_cap <= 8192);
    channel_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_cut),
        cmocka_unit_test(test_short_streams_wait),
        cmocka_unit_test(test_streams_do_not_wait),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
