/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Input: takes the host's records apart, which come in pieces of any size.  As
 * text, bytes are stdin, and Ctrl-D ends it.
 */
#include "abi/report.h"
#include "console/console.h"
#include "console/console_impl.h"
#include "lib/align.h"
#include "lib/cmdline.h"
#include "lib/string.h"

#define CTRL_D 4

struct console_terminal console_terminal;
void (*console_signal)(unsigned number);

static const struct console_input_ops *ops;
static bool ended;

static struct {
    union {
        struct report_header header;
        uint8_t header_bytes[sizeof(struct report_header)];
    };
    union {
        struct report_terminal terminal;
        struct report_signal signal;
        uint8_t body[sizeof(struct report_terminal)];
    };
    uint32_t have; /* bytes of the header */
    uint32_t gone; /* bytes of the record behind it */
} record;

void console_set_input(const struct console_input_ops *new_ops) {
    ops = new_ops;
}

/* stdin's bytes: how many were taken. */
static size_t data(const uint8_t *bytes, size_t size) {
    if (!size || !ops || ended)
        return size;
    return ops->data(bytes, size);
}

void console_input_ended(void) {
    if (ended)
        return;
    ended = true;
    if (ops)
        ops->eof();
}

static void set_terminal(const uint8_t is_terminal[3], unsigned rows, unsigned columns) {
    console_terminal.known = true;
    for (unsigned i = 0; i < 3; i++)
        console_terminal.is_terminal[i] = is_terminal[i] != 0;
    console_terminal.rows = (uint16_t)rows;
    console_terminal.columns = (uint16_t)columns;
}

void console_set_terminal(const char *value, size_t size) {
    uint8_t is_terminal[3];
    uint64_t rows = 0, columns = 0;
    if (size < 3)
        return;
    for (unsigned i = 0; i < 3; i++)
        is_terminal[i] = value[i] == '1';
    if (size > 3 && value[3] == ':') {
        size_t at = 4 + cmdline_number(value + 4, size - 4, &rows);
        if (at < size && value[at] == 'x')
            cmdline_number(value + at + 1, size - at - 1, &columns);
    }
    set_terminal(is_terminal, (unsigned)rows, (unsigned)columns);
}

/* The whole record has come. */
static void record_end(void) {
    if (record.header.type == REPORT_STDIN_EOF)
        console_input_ended();
    else if (record.header.type == REPORT_TERMINAL && record.gone >= sizeof(record.body))
        set_terminal(record.terminal.is_terminal, record.terminal.rows, record.terminal.columns);
    else if (record.header.type == REPORT_SIGNAL && record.gone >= sizeof(record.signal) &&
             console_signal)
        console_signal(record.signal.number);
    record.have = record.gone = 0;
}

/* Some of a record: how many bytes were taken, not 0 but when stdin is full. */
static size_t record_bytes(const uint8_t *bytes, size_t size) {
    if (record.have < sizeof(record.header)) {
        record.header_bytes[record.have++] = *bytes;
        size = 1;
    } else {
        size = MIN(size, (size_t)(record.header.length - record.gone));
        if (record.header.type == REPORT_STDIN)
            size = data(bytes, size);
        else if (record.gone < sizeof(record.body)) {
            record.body[record.gone] = *bytes;
            size = 1;
        }
        record.gone += (uint32_t)size;
    }
    if (record.have == sizeof(record.header)) {
        if (record.header.length > REPORT_LENGTH_MAX)
            console_input_ended(); /* the host is out of step: nothing more is to be believed */
        else if (record.gone == record.header.length)
            record_end();
    }
    return size;
}

static size_t text_bytes(const uint8_t *bytes, size_t size) {
    if (*bytes == CTRL_D) {
        console_input_ended();
        return 1;
    }
    const uint8_t *end = memchr(bytes, CTRL_D, size);
    return data(bytes, end ? (size_t)(end - bytes) : size);
}

size_t console_received(const uint8_t *bytes, size_t size) {
    const struct transport *t = console_transport();
    size_t at = 0;
    while (at < size) {
        if (ended && !t->framed)
            return size; /* behind the end of stdin other records come */
        size_t n =
            t->framed ? record_bytes(bytes + at, size - at) : text_bytes(bytes + at, size - at);
        if (!n)
            break;
        at += n;
    }
    return at;
}

void console_resume_input(void) {
    const struct transport *t = console_listener();
    if (t->listen)
        t->listen();
    else
        console_input_ended();
}

void console_want_input(void) {
    console_resume_input(); /* first: the host may drop what comes before */
    if (!ended)
        console_record(REPORT_WANT_INPUT, NULL, 0, false);
}
