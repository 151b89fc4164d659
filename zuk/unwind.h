/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unwind tables: which functions there are, and their landing pads, where one goes on
 * when an exception, or a panic, comes through a call that it made.  Nothing in the code
 * leads there.
 */
#ifndef ZUK_UNWIND_H
#define ZUK_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "zuk/elf_file.h"
#include "zuk/util.h"

struct unwind_cie {
    uint8_t addresses, handlers; /* encodings */
    bool signal;                 /* of a signal's return */
};

/* A walk over the functions: by the table of .eh_frame_hdr, else by .eh_frame itself. */
struct unwind {
    const struct elf_file *file;
    const uint8_t *table, *frames; /* one of them, or none */
    uint64_t base, at, end;        /* address of the first byte; offsets */
    bool damaged;                  /* something was passed over, or not looked at */
    uint64_t cie_address;          /* the last that was read */
    bool cie_common;
    struct unwind_cie cie;
};

struct unwind_function {
    uint64_t start, fde;
};

void unwind_open(struct unwind *u, const struct elf_file *file);
bool unwind_next(struct unwind *u, struct unwind_function *out);
/* Bytes of a function; 0: not known.  Entries of a signal's return (glibc's __restore_rt)
 * begin a byte before it, where the unwinder looks for callers: this is put right. */
uint64_t unwind_size(struct unwind *u, struct unwind_function *f);

struct unwind_pads {
    VEC(uint64_t) list; /* addresses, some more than once, of other functions' too */
};

/* Adds those of the function at [start, end).  False: not known.  Costs a pass over the
 * table of functions. */
bool unwind_find_pads(const struct elf_file *file, uint64_t start, uint64_t end,
                      struct unwind_pads *out);

#endif
