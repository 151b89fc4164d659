/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Record framing, host side.  See channel.h.
 */
#include "zuk/channel.h"

#include <stdlib.h>
#include <string.h>

/* Is it handed on in pieces, maybe none?  Short ones stay whole, as the app wrote
 * them: others may write to the same place. */
static bool is_stream(const struct report_header *header) {
    return (header->type == REPORT_STDOUT || header->type == REPORT_STDERR) &&
           (header->length == 0 || header->length > CHANNEL_WHOLE);
}

/* Adds bytes to the record that is being gathered.  Room grows with what has
 * arrived, not with what the header promises. */
static bool gather(struct channel *c, const uint8_t *data, size_t size) {
    size_t need = c->payload_have + size;
    if (need > c->record_cap) {
        size_t cap = c->record_cap < 4096 ? 4096 : c->record_cap * 2;
        while (cap < need) {
            cap *= 2;
        }
        uint8_t *record = realloc(c->record, cap);
        if (record == NULL) {
            return false;
        }
        c->record = record;
        c->record_cap = cap;
    }
    if (size > 0) {
        memcpy(c->record + c->payload_have, data, size);
    }
    return true;
}

static void advance(const uint8_t **data, size_t *size, size_t n) {
    *data += n;
    *size -= n;
}

static enum channel_state finish(struct channel *c, struct channel_item *item, const uint8_t *data,
                                 size_t size) {
    item->type = c->header.type;
    item->cpu = c->header.cpu;
    item->data = data;
    item->size = size;
    return CHANNEL_ITEM;
}

enum channel_state channel_next(struct channel *c, const uint8_t **data, size_t *size,
                                struct channel_item *item) {
    while (!c->broken) {
        if (c->header_have < sizeof c->header) {
            size_t n = sizeof c->header - c->header_have;
            n = n < *size ? n : *size;
            if (n > 0) {
                memcpy((uint8_t *)&c->header + c->header_have, *data, n);
            }
            c->header_have += n;
            advance(data, size, n);
            if (c->header_have < sizeof c->header) {
                return CHANNEL_MORE;
            }
            if (c->header.length > REPORT_LENGTH_MAX) {
                c->broken = true;
                break;
            }
            c->payload_have = 0;
        }
        size_t left = c->header.length - c->payload_have;
        size_t n = left < *size ? left : *size;
        const uint8_t *at = *data;
        if (is_stream(&c->header)) {
            if (left == 0) { /* empty, or its last piece was handed out */
                c->header_have = 0;
                continue;
            }
            if (n == 0) {
                return CHANNEL_MORE;
            }
            advance(data, size, n);
            c->payload_have += n;
            return finish(c, item, at, n);
        }
        if (c->payload_have == 0 && n == left) { /* all of it is here */
            advance(data, size, n);
            c->header_have = 0;
            return finish(c, item, at, n);
        }
        if (!gather(c, at, n)) {
            c->broken = true;
            break;
        }
        c->payload_have += n;
        advance(data, size, n);
        if (c->payload_have < c->header.length) {
            return CHANNEL_MORE;
        }
        c->header_have = 0;
        return finish(c, item, c->record, c->payload_have);
    }
    return CHANNEL_BROKEN;
}

bool channel_idle(const struct channel *c) {
    return c->header_have == 0 || (c->header_have == sizeof c->header && is_stream(&c->header) &&
                                   c->payload_have == c->header.length);
}

void channel_free(struct channel *c) {
    free(c->record);
    *c = (struct channel){0};
}
