/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who asks for a system call?  From the functions of the app's own source,
 * along direct calls, to the functions that make the calls.
 */
#ifndef ZUK_CALLERS_H
#define ZUK_CALLERS_H

#include <stdbool.h>

struct code;
struct scan;

/* Fills scan->callers.  Needs the references and what is reached (code.h).
 * Without debug information nothing is known. */
void callers_find(struct code *code, struct scan *scan);

/* Is a source file (folder may be NULL) of a libc, or of Zig's own library? */
bool callers_is_library(const char *folder, const char *file);

#endif
