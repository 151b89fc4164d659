/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The machine code of an x86_64 executable: its functions, and who refers to whom.
 * What the instructions of one do: ops.h.
 *
 * Functions come from the symbol table, where it is stripped from the unwind
 * tables, and what neither covers is split at the targets of calls.  References
 * are found by their bytes, without decoding: a pattern that only looks like
 * one adds a reference, none is missed.
 */
#ifndef ZUK_CODE_H
#define ZUK_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zuk/elf_file.h"
#include "zuk/util.h"

struct code_op;
struct code_entry;

struct code_function {
    uint64_t start, end;
    const char *name;              /* NULL: none known */
    bool soft;                     /* its borders are guesses */
    bool compiled;                 /* unwind tables know it: not written by hand */
    bool reached;                  /* see code_reach() */
    bool pointed;                  /* its address stands in data (of a soft one: one inside it) */
    bool offset;                   /* or rather, an offset that leads there does */
    uint32_t first_ref, ref_count; /* references it makes, in code.refs */
    struct code_op *ops;           /* NULL: not read */
    uint32_t op_count;
    int32_t depth; /* stack pointer behind its last instruction, less that at the entry */
    struct code_entry *entries;
    bool indirect_jump; /* one that may lead to any instruction here */
};

/* REF_DATA: from data, into a soft function; `from` is that function then. */
enum code_ref_kind { REF_CALL, REF_JUMP, REF_ADDRESS, REF_DATA };

struct code_ref {
    uint64_t site; /* of the instruction (REF_ADDRESS: of the bytes) */
    uint64_t target;
    uint32_t from, to; /* functions */
    uint32_t kind;
};

struct code {
    const struct elf_file *file;
    struct code_function *functions; /* by address */
    uint32_t function_count;
    struct code_ref *refs; /* by function that refers */
    uint32_t ref_count;
    uint32_t *ref_index; /* refs by function referred to: ref_first[f] .. ref_first[f + 1] */
    uint32_t *ref_first;
    bool bounded;        /* the borders of functions are known, not guessed */
    bool symbols;        /* there is a symbol table with functions */
    uint32_t read_count; /* functions decoded so far */
    size_t decoder;      /* capstone's handle, and its instruction */
    struct cs_insn *insn;
    struct code_room *room;        /* where functions are decoded; ops.c's */
    struct pointer_room *pointers; /* pointers.c's */
};

/* Finds the functions.  False when the decoder cannot start. */
bool code_open(const struct elf_file *file, struct code *out);
void code_close(struct code *code);
/* Finds the references; costs a pass over all code and data. */
void code_find_refs(struct code *code);
/* Marks what can be reached from the entry, from pointers in data and from
 * there on.  Needs the references. */
void code_reach(struct code *code);

/* The function that holds an address, or NULL. */
struct code_function *code_at(const struct code *code, uint64_t address);
/* Does a function run on into the one behind it, as hand-written ones may, and all may
 * whose borders are guesses?  Decodes it. */
bool code_runs_on(struct code *code, struct code_function *function);
/* Is a reference one, or do its bytes only look so?  Decodes who makes it. */
bool code_ref_is_real(struct code *code, const struct code_ref *ref);

/* Executable bytes, one segment after the other. */
struct code_range {
    const uint8_t *bytes;
    uint64_t start, size;
};
size_t code_ranges(const struct elf_file *file, bool executable, struct code_range **out);
/* The data, and what may be data beside the code: functions whose borders are guesses. */
size_t code_data(const struct code *code, struct code_range **out);

#endif
