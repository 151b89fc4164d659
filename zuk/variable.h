/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The number in a variable that nobody writes (Go's unix.FcntlSyscall).
 *
 * Read-only memory keeps what the file holds.  A word that may be written keeps it
 * where the symbol table calls it a variable of its own, no longer than 8 bytes, and
 * all that refers to it are instructions that read it: its address is taken nowhere.
 *
 * Taken on trust: what is reached by way of another variable's address is that one.
 */
#ifndef ZUK_VARIABLE_H
#define ZUK_VARIABLE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

#include "zuk/code.h"
#include "zuk/util.h"

struct variable {
    uint64_t start, end;
    bool kept; /* has its first value for ever */
};

struct variables {
    struct code *code;
    const Elf64_Sym *symbols;
    size_t symbol_count;
    VEC(struct variable) asked; /* each costs a pass over all code and data */
};

/* Needs the references, and what is reached (code.h). */
void variables_open(struct code *code, struct variables *out);
/* What the `size` bytes (at most 4) at an address always are; false: not known. */
bool variable_value(struct variables *v, uint64_t address, unsigned size, uint32_t *value);

#endif
