/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where in the source an undefined symbol is used, from the DWARF of the
 * object that uses it.
 */
#ifndef ZUK_SOURCE_H
#define ZUK_SOURCE_H

#include <stddef.h>

#include "zuk/resolve.h"

/* lines[i] becomes "src/conn.zig:41" for undefined symbol i, or NULL where the
 * object does not tell. */
void source_lines(const struct resolution *r, const char **lines);

#endif
