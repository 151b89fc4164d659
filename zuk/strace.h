/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls as text, in the manner of strace(1): strace.def says how each
 * argument is shown.  Everything comes from the guest and may be any bytes.
 * A char * is malloc'ed, for the caller to free (a run may trace millions of
 * calls); NULL without memory.
 */
#ifndef ZUK_STRACE_H
#define ZUK_STRACE_H

#include <stddef.h>
#include <stdint.h>

#include "abi/report.h"

/* What the kernel could read behind pointer arguments: the bytes after a
 * struct report_trace, `count` chunks (struct report_data, then its bytes). */
struct strace_data {
    const uint8_t *bytes;
    size_t size;
    uint32_t count;
};

/* write(1, "hello\n", 6) = 6.  data may be NULL: pointers are shown then. */
char *strace_call(const struct report_call *call, const struct strace_data *data);
/* write(1, "hello\n", 6), without the result. */
char *strace_arguments(const struct report_call *call, const struct strace_data *data);
/* A line of --strace from a REPORT_TRACE record; NULL when it makes no sense. */
char *strace_line(const uint8_t *record, size_t size);

/* "write", or "call 4242". */
const char *strace_name(uint64_t number);
const char *strace_errno(int number);  /* "ENOENT", or NULL */
const char *strace_signal(int number); /* "SIGSEGV", or NULL */

/* Bytes as a quoted C string, at most `limit` of them ("..." follows then). */
char *strace_quote(const uint8_t *bytes, size_t size, size_t limit);

#endif
