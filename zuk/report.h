/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the guest said about itself, for people (stderr) or as JSON.
 *
 * Records are kept as they come and shown when the run is over; a notice (a
 * missing call that was answered) is shown at once.  All of it comes from the
 * guest and may be any bytes: sizes are checked, text is cleaned of control
 * characters before it reaches a terminal.
 */
#ifndef ZUK_REPORT_H
#define ZUK_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "abi/report.h"
#include "zuk/build.h"
#include "zuk/vm.h"

struct profile;
struct trace;

struct report {
    const struct image_info *image; /* may be NULL: names and symbols are missing then */
    const char *debug_path;         /* the app with debug information outside the image, or NULL */
    bool json;
    bool strace, timeline;
    struct profile *profile; /* where samples and the time line go; then the line is only shown */
                             /* with timeline */
    struct trace *trace;     /* where calls go, beside or (without strace) instead of `out` */
    FILE *out;               /* stderr, but for tests */
    /* kept records */
    struct report_record {
        uint8_t *data;
        size_t size;
    } * crashes;
    size_t crash_count;
    size_t crash_cap;
    size_t crash_bytes;
    uint64_t first_cycles, last_cycles; /* timeline */
};

/* A vm_host.record function; arg is a struct report. */
void report_record(void *report, FILE *out, unsigned type, const uint8_t *data, size_t size);

/* Tells how the run ended and returns zuk's exit status. */
int report_end(struct report *r, const struct vm_end *end, uint64_t timeout_ms, const char *qemu);

#endif
