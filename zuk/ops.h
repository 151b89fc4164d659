/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For the functions that somebody wants to read: what each instruction does to the
 * places a small constant can be in.  Reading a function decodes it, once.
 */
#ifndef ZUK_OPS_H
#define ZUK_OPS_H

#include <stdbool.h>
#include <stdint.h>

struct code;
struct code_function;

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
    uint64_t target; /* of a jump; OP_SET from memory: the address there, or 0 */
    struct code_place to, from;
    uint32_t mask, add; /* OP_OTHER: add is an address that it takes, or 0 */
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

/* Decodes a function, if that has not been done. */
void code_read(struct code *code, struct code_function *function);
/* The instruction of a read function that an address lies in, or NULL. */
struct code_op *code_op_around(const struct code_function *function, uint64_t address);
/* The instruction that starts at an address of a read function, or NULL. */
struct code_op *code_op_at(const struct code_function *function, uint64_t address);

/* Decodes an instruction into code->insn, with all that capstone knows of it. */
bool code_op_decode(const struct code *code, const struct code_op *op);
/* Bit 0..15 of the general register that one of capstone's is part of, or 0. */
unsigned code_register_bit(unsigned reg);

#endif
