/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Output: records where there is a channel, else text, stderr in red.
 */
#include "console/console.h"

#include "abi/report.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"

#include "console/console_impl.h"

/* A record's payload: what the channel's queue holds with room to spare, in
 * pages and pieces. */
#define RECORD_BYTES (64u << 10)
#define RECORD_PIECES 16u

extern const struct transport *const transports_start[], *const transports_end[];

static const struct transport *const *next = transports_start; /* not asked yet */
static const struct transport *transport;                      /* in use, or NULL */
static bool probed;
static bool broken;                    /* the channel was lost; transport is a text one or NULL */
static bool red;                       /* what text has now */
static long few = TRANSPORT_FEW_BYTES; /* what is left of them */

/* Takes the next transport that is there. */
static const struct transport *find(bool framed_too) {
    while (next < transports_end) {
        const struct transport *t = *next++;
        if ((framed_too || !t->framed) && t->probe())
            return t;
    }
    return NULL;
}

const struct transport *console_transport(void) {
    if (!probed) {
        probed = true;
        transport = find(true);
    }
    return transport;
}

static inline bool framed(void) {
    console_transport();
    return transport && transport->framed;
}

bool console_framed(void) {
    return framed();
}

static int send_text(bool is_red, const struct io_piece *pieces, unsigned count, bool poll) {
    if (is_red != red) {
        const char *code = is_red ? "\033[31m" : "\033[0m";
        struct io_piece colour = {code, strlen(code), false};
        red = is_red;
        transport->send(&colour, 1, poll);
    }
    return transport->send(pieces, count, poll);
}

void console_text(const char *text, size_t size) {
    struct io_piece piece = {text, size, false};
    if (console_transport() && !transport->framed)
        send_text(true, &piece, 1, true);
}

void console_end(void) {
    if (red)
        send_text(false, NULL, 0, true);
}

static void lose(const struct transport *text) {
    static const char words[] = "zuk: the channel to the host is broken\n";
    broken = true;
    transport = text;
    console_text(words, sizeof(words) - 1);
}

const struct transport *console_listener(void) {
    if (console_transport() && !transport->listen) {
        const struct transport *t = find(true);
        if (t && t->framed)
            transport = t;
        else
            lose(t);
    }
    return transport;
}

/* pieces[0] is left free for the header. */
static int send_record(unsigned type, struct io_piece *pieces, unsigned count, size_t size,
                       bool poll) {
    struct report_header header = {.length = (uint32_t)size, .type = (uint16_t)type};
    if (!broken && !transport->listen && (few -= (long)(size + sizeof(header))) < 0)
        console_listener();
    if (broken)
        return -EIO; /* or another thread saw it while this one slept */
    pieces[0] = (struct io_piece){&header, sizeof(header), false};
    int r = transport->send(pieces, count + 1, poll);
    if (r == -EIO && !broken)
        lose(find(false));
    return r;
}

void console_record(unsigned type, const struct io_piece *pieces, unsigned count, bool poll) {
    struct io_piece record[1 + RECORD_PIECES] ALIGNED_WORD;
    size_t size = 0;
    if (!framed() || count > RECORD_PIECES)
        return;
    for (unsigned i = 0; i < count; i++) {
        record[1 + i] = pieces[i];
        size += pieces[i].size;
    }
    send_record(type, record, count, size, poll);
}

static long sum(const struct io_piece *pieces, unsigned count) {
    long size = 0;
    while (count--)
        size += (long)pieces++->size;
    return size;
}

static long write_records(unsigned type, const struct io_piece *pieces, unsigned count) {
    long written = 0;
    size_t at = 0; /* bytes of *pieces that are gone */
    while (count) {
        struct io_piece record[1 + RECORD_PIECES] ALIGNED_WORD;
        unsigned n = 0;
        size_t size = 0;
        while (count && n < RECORD_PIECES && size < RECORD_BYTES) {
            size_t part = MIN(pieces->size - at, RECORD_BYTES - size);
            record[++n] = (struct io_piece){(const char *)pieces->data + at, part, pieces->user};
            size += part;
            at += part;
            if (at == pieces->size) {
                pieces++;
                count--;
                at = 0;
            }
        }
        int r = size ? send_record(type, record, n, size, false) : 0;
        if (r < 0)
            return written ? written : r;
        written += (long)size;
    }
    return written;
}

long console_write(unsigned stream, const struct io_piece *pieces, unsigned count) {
    bool records = framed();
    if (broken)
        return -EIO;
    if (records)
        return write_records(stream == 1 ? REPORT_STDOUT : REPORT_STDERR, pieces, count);
    int r = transport ? send_text(stream != 1, pieces, count, false) : 0;
    return r < 0 ? r : sum(pieces, count);
}
