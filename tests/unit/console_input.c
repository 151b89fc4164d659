/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/console/input.c: records cut anywhere, readers that take little,
 * hosts that are out of step; text with Ctrl-D; the terminal option.
 *
 * links: kernel/console/input.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/report.h"
#include "console/console.h"
#include "console/console_impl.h"

static unsigned listens, wants;
static void listen(void) {
    listens++;
}
static struct transport transport = {.framed = true, .listen = listen};
static struct transport nowhere;
static const struct transport *present = &transport;
const struct transport *console_transport(void) {
    return present;
}
const struct transport *console_listener(void) {
    return present;
}
void console_record(unsigned type, const struct io_piece *pieces, unsigned count, bool poll) {
    (void)pieces;
    (void)poll;
    assert_int_equal(type, REPORT_WANT_INPUT);
    assert_int_equal(count, 0);
    assert_true(listens > wants); /* the way in is open before the host answers */
    wants++;
}

static uint8_t got[20000];
static size_t got_size, room;
static unsigned eofs;
static size_t data(const uint8_t *bytes, size_t size) {
    assert_int_equal(eofs, 0);
    size = size < room ? size : room;
    assert_true(got_size + size <= sizeof got);
    memcpy(got + got_size, bytes, size);
    got_size += size;
    room -= size;
    return size;
}
static void eof(void) {
    eofs++;
}
static const struct console_input_ops ops = {data, eof};

static uint8_t stream[30000];
static size_t stream_size;
static void add(unsigned type, const void *bytes, size_t size) {
    struct report_header h = {.length = (uint32_t)size, .type = (uint16_t)type};
    memcpy(stream + stream_size, &h, sizeof h);
    if (size)
        memcpy(stream + stream_size + sizeof h, bytes, size);
    stream_size += sizeof h + size;
}

/* Ends leave no way back, so each case is a process of its own. */
static void fresh(void) {
    console_set_input(&ops);
    room = SIZE_MAX;
}

static uint32_t random_state = 1;
static unsigned pseudo_random(void) {
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 16;
}

/* Feeds the stream in pieces of at most `most` bytes, from exact-size copies
 * so that a read beyond is seen; a reader with room for `step` more at a time. */
static void feed(size_t most, size_t step) {
    size_t at = 0;
    while (at < stream_size) {
        size_t n = 1 + pseudo_random() % most;
        n = n < stream_size - at ? n : stream_size - at;
        uint8_t *copy = malloc(n);
        memcpy(copy, stream + at, n);
        room = step;
        size_t taken = console_received(copy, n);
        assert_true(taken <= n);
        assert_true(taken == n || room == 0); /* less only because the reader is full */
        at += taken;
        free(copy);
    }
}

static void records(void **state) {
    (void)state;
    fresh();
    uint8_t bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)pseudo_random();
    static const size_t mosts[] = {1, 2, 7, 100, 5000}, steps[] = {1, 3, 64, 100000};
    for (unsigned m = 0; m < 5; m++) {
        for (unsigned s = 0; s < 4; s++) {
            struct report_terminal t = {{1, 0, 1}, 0, (uint16_t)(24 + m), (uint16_t)(80 + s)};
            stream_size = got_size = 0;
            add(REPORT_STDIN, bytes, 1000);
            add(77, bytes, 300); /* unknown */
            add(REPORT_STDIN, NULL, 0);
            add(REPORT_TERMINAL, &t, sizeof t);
            add(REPORT_STDIN, bytes + 1000, 3999);
            add(REPORT_TERMINAL, &t, 3); /* cut: ignored */
            add(77, NULL, 0);
            add(REPORT_STDIN, bytes + 4999, 1);
            feed(mosts[m], steps[s]);
            assert_int_equal(got_size, 5000);
            assert_memory_equal(got, bytes, 5000);
            assert_true(console_terminal.known);
            assert_true(console_terminal.is_terminal[0] && !console_terminal.is_terminal[1]);
            assert_int_equal(console_terminal.rows, 24 + m);
            assert_int_equal(console_terminal.columns, 80 + s);
            assert_int_equal(eofs, 0);
        }
    }
}

static void option(void **state) {
    (void)state;
    console_set_terminal("011:48x132", 10);
    assert_false(console_terminal.is_terminal[0]);
    assert_true(console_terminal.is_terminal[1] && console_terminal.is_terminal[2]);
    assert_int_equal(console_terminal.rows, 48);
    assert_int_equal(console_terminal.columns, 132);
    console_set_terminal("100", 3);
    assert_true(console_terminal.is_terminal[0] && !console_terminal.is_terminal[1]);
    assert_int_equal(console_terminal.rows, 0);
    console_set_terminal("111:7", 5);
    assert_int_equal(console_terminal.rows, 7);
    assert_int_equal(console_terminal.columns, 0);
    console_set_terminal("111:", 4);
    console_set_terminal("01", 2); /* too short: nothing changes */
    assert_true(console_terminal.is_terminal[0]);
}

static void wanted(void **state) {
    (void)state;
    fresh();
    listens = wants = 0;
    console_want_input();
    assert_int_equal(wants, 1);
    console_resume_input();
    assert_int_equal(wants, 1);
    assert_int_equal(listens, 2);
}

static void text(void **state) {
    (void)state;
    fresh();
    transport.framed = false;
    got_size = 0;
    room = 2;
    assert_int_equal(console_received((const uint8_t *)"abc\4zz", 6), 2);
    room = 100;
    assert_int_equal(console_received((const uint8_t *)"c\4zz", 4), 4);
    assert_int_equal(got_size, 3);
    assert_memory_equal(got, "abc", 3);
    assert_int_equal(eofs, 1);
    assert_int_equal(console_received((const uint8_t *)"more", 4), 4);
    assert_int_equal(got_size, 3);
}

/* After the end nothing comes, and nobody is asked. */
static void ended(void **state) {
    (void)state;
    transport.framed = true;
    listens = wants = 0;
    console_want_input();
    assert_int_equal(wants, 0);
    console_input_ended();
    assert_int_equal(eofs, 1);
    stream_size = 0;
    add(REPORT_STDIN, "x", 1);
    add(REPORT_STDIN_EOF, NULL, 0);
    feed(100, 100);
    assert_int_equal(got_size, 3);
    assert_int_equal(eofs, 1);
}

int main(int argc, char **argv) {
    /* The two ways to end that need a state of their own. */
    if (argc > 1) {
        fresh();
        stream_size = 0;
        add(REPORT_STDIN, "ab", 2);
        if (!strcmp(argv[1], "eof")) {
            add(REPORT_STDIN_EOF, NULL, 0);
        } else if (!strcmp(argv[1], "none")) {
            present = &nowhere;
            console_want_input();
            return eofs == 1 && wants == 0 ? 0 : 1;
        } else {
            struct report_header h = {.length = REPORT_LENGTH_MAX + 1, .type = REPORT_STDIN};
            memcpy(stream + stream_size, &h, sizeof h);
            stream_size += sizeof h;
        }
        add(REPORT_STDIN, "zz", 2);
        feed(3, 1);
        return got_size == 2 && eofs == 1 ? 0 : 1;
    }
    static const char *const ways[] = {"eof", "huge", "none"};
    for (unsigned i = 0; i < 3; i++) {
        char command[4096];
        snprintf(command, sizeof command, "'%s' %s", argv[0], ways[i]);
        if (system(command) != 0) {
            fprintf(stderr, "%s failed\n", ways[i]);
            return 1;
        }
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records), cmocka_unit_test(option), cmocka_unit_test(wanted),
        cmocka_unit_test(text),    cmocka_unit_test(ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
