/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Output: records where there is a channel, else text, stderr in red.
 */
#include "console/console.h"

#include "abi/report.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/user.h"

#include "console/console_impl.h"

/* A record's payload: what the channel's queue holds with room to spare, in
 * pages and pieces. */
#define RECORD_BYTES (64u << 10)
#define RECORD_PIECES 16u

extern const struct transport *const transports_start[], *const transports_end[];

static long drop(const struct io_piece *pieces, unsigned count, bool poll) {
    long size = 0;
    (void)poll;
    while (count--)
        size += (long)pieces++->size;
    return size;
}

static const struct transport nowhere = {.name = "nowhere", .send = drop};

static const struct transport *const *next = transports_start; /* not asked yet */
static const struct transport *transport;                      /* in use; NULL: none was asked */
static bool broken;                    /* the channel was lost; transport is a text one */
static bool red;                       /* what text has now */
static long few = TRANSPORT_FEW_BYTES; /* what is left of them */

/* Takes the next transport that is there. */
static inline __attribute__((always_inline)) const struct transport *find(void) {
    while (next < transports_end) {
        const struct transport *t = *next++;
        if (t->probe())
            return t;
    }
    return &nowhere;
}

bool console_framed(void) {
    if (!transport)
        transport = find();
    return transport->framed;
}

const struct transport *console_transport(void) {
    console_framed();
    return transport;
}

static __attribute__((noinline)) const struct transport *find_another(void) {
    return find();
}

/* Apart: most programs have one colour. */
static __attribute__((noinline)) void set_colour(bool is_red) {
    const char *code = is_red ? "\033[31m" : "\033[0m";
    const struct io_piece colour = io_piece(code, strlen(code));
    red = is_red;
    transport->send(&colour, 1, true);
}

static __attribute__((noinline)) long send_coloured(bool is_red, const struct io_piece *pieces,
                                                    unsigned count, bool poll) {
    set_colour(is_red);
    return transport->send(pieces, count, poll);
}

static inline __attribute__((always_inline)) long
send_text(bool is_red, const struct io_piece *pieces, unsigned count, bool poll) {
    return is_red == red ? transport->send(pieces, count, poll)
                         : send_coloured(is_red, pieces, count, poll);
}

void console_text(const char *text, size_t size) {
    struct io_piece piece = io_piece(text, size);
    if (!console_framed())
        send_text(true, &piece, 1, true);
}

static void lose(const struct transport *text) {
    static const char words[] = "zuk: the channel to the host is broken\n";
    broken = true;
    transport = text;
    console_text(words, sizeof(words) - 1);
}

const struct transport *console_listener(void) {
    if (console_framed() && !transport->listen) {
        const struct transport *t = find_another();
        if (t->framed)
            transport = t;
        else
            lose(t);
    }
    return transport;
}

/* The channel is lost, and what comes behind it is asked. */
static void lose_channel(void) {
    const struct transport *t;
    do
        t = find_another();
    while (t->framed);
    lose(t);
}

/* pieces[0] is left free for the header. */
static long send_record(unsigned type, struct io_piece *pieces, unsigned count, size_t size,
                        bool poll) {
    struct report_header header = {.length = (uint32_t)size, .type = (uint16_t)type};
    if (!broken && !transport->listen && (few -= (long)(size + sizeof(header))) < 0)
        console_listener();
    if (broken)
        return -EIO; /* or another thread saw it while this one slept */
    pieces[0] = io_piece(&header, sizeof(header));
    long r = transport->send(pieces, count + 1, poll);
    if (r == -EIO && !broken)
        lose_channel();
    return r;
}

void console_record(unsigned type, const struct io_piece *pieces, unsigned count, bool poll) {
    struct io_piece record[1 + RECORD_PIECES] ALIGNED_WORD;
    size_t size = 0;
    if (!console_framed() || count > RECORD_PIECES)
        return;
    for (unsigned i = 0; i < count; i++) {
        record[1 + i] = pieces[i];
        size += pieces[i].size;
    }
    send_record(type, record, count, size, poll);
}

static __attribute__((noinline)) void end_record(const struct report_exit *e, bool poll) {
    struct io_piece record[2] ALIGNED_WORD;
    record[1] = io_piece(e, sizeof *e);
    if (console_framed())
        send_record(REPORT_EXIT, record, 1, sizeof *e, poll);
}

void console_end(const struct report_exit *e, bool poll) {
    if (!transport || transport->framed)
        end_record(e, poll);
    if (red)
        set_colour(false);
}

/* Cuts the pieces before the first page of the app that is not there; how many bytes are left. */
static __attribute__((noinline)) size_t cut_to_readable(struct io_piece *pieces, unsigned *count) {
    size_t sum = 0;
    for (unsigned i = 0; i < *count; i++) {
        size_t size = pieces[i].size, good = 0;
        while (good < size && user_page(pieces[i].base + good, PROT_READ))
            good += PAGE_SIZE - (pieces[i].base + good) % PAGE_SIZE;
        pieces[i].size = MIN(good, size);
        sum += pieces[i].size;
        if (good < size)
            *count = i + 1;
    }
    return sum;
}

static __attribute__((noinline)) long write_records(unsigned type, const struct io_piece *pieces,
                                                    unsigned count) {
    long written = 0;
    size_t at = 0; /* bytes of *pieces that are gone */
    while (count) {
        struct io_piece record[1 + RECORD_PIECES] ALIGNED_WORD;
        unsigned n = 0;
        size_t size = 0;
        while (count && n < RECORD_PIECES && size < RECORD_BYTES) {
            size_t part = MIN(pieces->size - at, RECORD_BYTES - size);
            record[++n] = (struct io_piece){pieces->base + at, part};
            size += part;
            at += part;
            if (at == pieces->size) {
                pieces++;
                count--;
                at = 0;
            }
        }
        long r = size ? send_record(type, record, n, size, false) : 0;
        if (r == -EFAULT) {
            /* A page is missing: nothing went out yet; what lies before it does now. */
            count = 0;
            size = cut_to_readable(record + 1, &n);
            r = size ? send_record(type, record, n, size, false) : r;
        }
        if (r < 0)
            return written ? written : r;
        written += (long)size;
    }
    return written;
}

long console_write(unsigned stream, const struct io_piece *pieces, unsigned count) {
    if (console_framed())
        return write_records(stream == 1 ? REPORT_STDOUT : REPORT_STDERR, pieces, count);
    return broken ? -EIO : send_text(stream != 1, pieces, count, false);
}
