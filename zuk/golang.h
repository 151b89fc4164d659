/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What Go's compiler and runtime do that C's do not: where a call's results are, and
 * which functions are more than their code says.
 */
#ifndef ZUK_GOLANG_H
#define ZUK_GOLANG_H

#include <stdbool.h>
#include <stdint.h>

#include "zuk/code.h"
#include "zuk/elf_file.h"

struct golang {
    bool present;
    bool stripped;       /* nobody knows what the methods of types are */
    uint64_t start, end; /* Go's own code; start == end: none */
    uint64_t types, types_end;
};

void golang_open(const struct elf_file *file, struct golang *out);
/* Methods in the tables of types, from where interfaces are filled while the program
 * runs, count as those whose address stands in data.  Needs the references. */
void golang_find_methods(const struct golang *go, struct code *code);
/* Can a register (as in ops.h) hold a result of the call that an instruction makes?  In
 * Go's code no register but the stack's comes through a call. */
bool golang_is_result(const struct golang *go, uint64_t site, int reg);
/* Names may be NULL.  Does a function never return? */
bool golang_never_returns(const char *name);
/* Does a function only make calls in memory that runtime_doAllThreadsSyscall has made,
 * with the same number, in its own thread? */
bool golang_repeats(const char *name);

#endif
