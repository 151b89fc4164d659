/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/channel.c, report.c and strace.c against a hostile guest: any bytes, in
 * any pieces.  The first byte of the input is the size of the pieces.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zuk/channel.h"
#include "zuk/report.h"
#include "zuk/story.h"
#include "zuk/strace.h"
#include "zuk/util.h"

static void check(int ok) {
    if (!ok) {
        abort();
    }
}

static void take(struct report *r, const struct channel_item *item) {
    if (item->type == REPORT_CRASH) { /* not kept: no fork for symbols in here */
        struct story_parts p;
        if (story_parse(item->data, item->size, &p)) {
            check(p.message + p.crash.message_size == (const char *)item->data + item->size);
            for (uint32_t i = 0; i < p.crash.call_count; i++) {
                struct report_call call;
                memcpy(&call, p.calls + i * sizeof call, sizeof call);
                free(strace_call(&call, NULL));
            }
        }
        return;
    }
    report_record(r, r->out, item->type, item->data, item->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static FILE *null;
    if (null == NULL) {
        null = fopen("/dev/null", "w");
    }
    if (size == 0) {
        return 0;
    }
    size_t cut = data[0] == 0 ? size : data[0];
    data++;
    size--;
    struct report r = {.out = null};
    struct channel c = {0};
    size_t bytes = 0;
    for (size_t at = 0; at < size; at += cut) {
        const uint8_t *p = data + at;
        size_t left = size - at < cut ? size - at : cut;
        const uint8_t *end = p + left;
        struct channel_item item;
        enum channel_state state;
        while ((state = channel_next(&c, &p, &left, &item)) == CHANNEL_ITEM) {
            check(p + left == end);
            bytes += item.size;
            check(bytes <= size);
            take(&r, &item);
        }
        check(state == CHANNEL_BROKEN || left == 0);
    }
    channel_free(&c);
    arena_release();
    return 0;
}
