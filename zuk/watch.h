/* SPDX-License-Identifier: BSD-3-Clause
 *
 * run --watch: does a job in a child, and again whenever an input changes.
 */
#ifndef ZUK_WATCH_H
#define ZUK_WATCH_H

#include <stddef.h>

/* Runs job(arg) in a child; when something below the inputs (files or folders)
 * changes, ends it by SIGTERM and starts anew.  Ends only by a signal, whose status it returns, or
 * 1 after diag_error. */
int watch_inputs(const char *const *inputs, size_t count, int (*job)(void *arg), void *arg);

#endif
