/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Record framing, host side (abi/report.h): bytes from the guest -> items.
 *
 * The guest is not trusted: any bytes are taken, nothing is allocated before
 * it has arrived, and a length above REPORT_LENGTH_MAX breaks the channel for
 * good.  Long stream records (stdout, stderr) are handed on piece by piece, as
 * they come; all others whole.  Reads and writes no file descriptor.
 */
#ifndef ZUK_CHANNEL_H
#define ZUK_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/report.h"

#define CHANNEL_WHOLE 4096u /* bytes of a stream record that is not long */

struct channel {
    struct report_header header;
    size_t header_have; /* bytes of the header that have come */
    size_t payload_have;
    uint8_t *record; /* malloc'ed: a record that came in parts */
    size_t record_cap;
    bool broken;
};

struct channel_item {
    uint16_t type;
    uint16_t cpu;
    const uint8_t *data; /* valid until the next call */
    size_t size;
};

enum channel_state {
    CHANNEL_ITEM, /* an item was taken off */
    CHANNEL_MORE, /* the input is used up */
    CHANNEL_BROKEN,
};

/* Takes one item off the input and moves *data and *size past what was used.
 * Unknown record types are items too (whole). */
enum channel_state channel_next(struct channel *c, const uint8_t **data, size_t *size,
                                struct channel_item *item);
void channel_free(struct channel *c);

/* Is the channel between two records? */
bool channel_idle(const struct channel *c);

#endif
