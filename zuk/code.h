/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The machine code of an x86_64 executable: its functions, who refers to whom,
 * and, for the functions that somebody wants to read, what each instruction
 * does to the places a small constant can be in.
 *
 * Functions come from the symbol table, where it is stripped from the unwind
 * tables, and what neither covers is split at the targets of calls.  References
 * are found by their bytes, without decoding: a pattern that only looks like
 * one adds a reference, none is missed.  Reading a function decodes it, once.
 */
#ifndef ZUK_CODE_H
#define ZUK_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zuk/elf_file.h"
#include "zuk/util.h"

/* Where a value can be: a general register (0..15 in the order of their
 * encoding: rax rcx rdx rbx rsp rbp rsi rdi r8..r15) or a word on the stack, by
 * its offset from the stack pointer at the function's entry (0: the return
 * address, 8: the first argument on the stack, below 0: local). */
struct code_place {
    int8_t reg;   /* register, or one of the following */
    int8_t base;  /* PLACE_MEMORY: the register that points there, or -1 */
    int32_t slot; /* PLACE_MEMORY: the displacement */
};
enum {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    PLACE_SLOT = 16,
    PLACE_NONE = -1,
    PLACE_MEMORY = -2
};

enum code_op_kind {
    OP_OTHER,  /* destroys registers and perhaps a slot; from a slot: takes its address */
    OP_SET,    /* to = (from & mask) + add; from NONE: to = add */
    OP_CHOOSE, /* as OP_SET, or nothing (cmov) */
    OP_CALL,   /* target 0: indirect */
    OP_SYSCALL,
    OP_BRANCH, /* conditional, to target */
    OP_JUMP,   /* target 0: indirect */
    OP_END,    /* ret, ud2, hlt: nothing follows */
    OP_PAD,    /* nop, int3 */
};

struct code_op {
    uint64_t address;
    uint64_t target;
    struct code_place to, from;
    uint32_t mask, add; /* OP_OTHER: add is the address that a lea takes */
    int32_t depth;      /* stack pointer before it, less that at the entry */
    int32_t wrote;      /* OP_OTHER: offset of the slot written to, if wrote_size */
    uint32_t entered;   /* index + 1 into the function's entries of jumps to here, 0: none */
    uint16_t destroys;  /* OP_OTHER: registers, as bits */
    uint8_t kind;       /* enum code_op_kind */
    uint8_t wrote_size; /* bytes; OP_SET to a slot: too */
    bool outside;       /* a reference from another function leads here */
};

/* One jump within a function: chained by `next` (index + 1). */
struct code_entry {
    uint32_t op, next;
};

struct code_function {
    uint64_t start, end;
    const char *name;              /* NULL: none known */
    bool soft;                     /* its borders are guesses */
    bool reached;                  /* see code_reach() */
    bool pointed;                  /* its address stands in data (of a soft one: one inside it) */
    uint32_t first_ref, ref_count; /* references it makes, in code.refs */
    struct code_op *ops;           /* NULL: not read */
    uint32_t op_count;
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
    struct code_room *room;
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
/* Decodes a function, if that has not been done. */
void code_read(struct code *code, struct code_function *function);
/* Is a reference one, or do its bytes only look so?  Decodes who makes it. */
bool code_ref_is_real(struct code *code, const struct code_ref *ref);
/* The instruction of a read function that an address lies in, or NULL. */
struct code_op *code_op_around(const struct code_function *function, uint64_t address);
/* The instruction that starts at an address of a read function, or NULL. */
struct code_op *code_op_at(const struct code_function *function, uint64_t address);

/* Executable bytes, one segment after the other. */
struct code_range {
    const uint8_t *bytes;
    uint64_t start, size;
};
size_t code_ranges(const struct elf_file *file, bool executable, struct code_range **out);

#endif
