/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Decodes one x86_64 instruction after the other, as capstone does, but fast
 * for the integer instructions that make up nearly all code: capstone formats
 * text for each instruction, which costs ten times as much as decoding it.
 *
 * Of the result these fields hold: id, address, size, and in detail:
 * regs_write, groups (jumps only), x86.op_count and x86.operands (of two at
 * most: type, size, access, reg, mem, imm).  What the fast path does not know
 * goes to capstone; a unit test holds the two together.  ud1 is an ud2 here, and as long
 * as processors take it to be, which capstone does not.
 */
#ifndef ZUK_DECODE_H
#define ZUK_DECODE_H

#include <capstone/capstone.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes at *bytes and moves on; false at the end.  A byte that starts no
 * instruction becomes one with id 0.  insn comes from cs_malloc(). */
bool decode_next(csh handle, const uint8_t **bytes, size_t *left, uint64_t *address, cs_insn *insn);

/* The fast path alone: the size of the instruction, or 0. */
unsigned decode_common(const uint8_t *bytes, size_t left, uint64_t address, cs_insn *insn);

/* The address that an operand in memory has; false when registers have a part in it. */
bool decode_fixed_address(const cs_insn *insn, const cs_x86_op *op, uint64_t *address);

#endif
