/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The system calls of a run as a file for trace viewers (Perfetto, Chrome):
 * the Trace Event Format, one complete event a call, a row a thread.
 */
#ifndef ZUK_TRACE_H
#define ZUK_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace;

/* The file appears when it is closed, whole.  NULL after diag_error. */
struct trace *trace_open(const char *path, const char *app);
/* A record of REPORT_TRACE; a damaged one is left out. */
void trace_call(struct trace *trace, const uint8_t *record, size_t size);
/* False after diag_error. */
bool trace_close(struct trace *trace);

#endif
