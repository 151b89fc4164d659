/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Landing pads: where a function goes on when an exception, or a panic, comes through
 * a call that it made.  Nothing in the code leads there, the unwind tables do.
 */
#ifndef ZUK_UNWIND_H
#define ZUK_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "zuk/elf_file.h"
#include "zuk/util.h"

struct unwind_pads {
    VEC(uint64_t) list; /* addresses, some more than once, of other functions' too */
};

/* Adds those of the function at [start, end).  False: not known.  Costs a pass over the
 * table of functions. */
bool unwind_find_pads(const struct elf_file *file, uint64_t start, uint64_t end,
                      struct unwind_pads *out);

#endif
