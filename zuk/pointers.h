/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calls of a function through its address: `call *slot(%rip)`, as -fno-plt code
 * and Rust's make them, and through a register that was given the address.
 *
 * The address may stand in slots of the GOT that nobody changes or takes the
 * address of; a register that gets it may be called, and nothing else.  All
 * other uses lose sight of the address, and the calls are not all then.
 */
#ifndef ZUK_POINTERS_H
#define ZUK_POINTERS_H

#include <stddef.h>
#include <stdint.h>

#include "zuk/util.h"

struct code;
struct code_function;
struct golang;

struct pointer_call {
    struct code_function *from; /* has been read */
    uint32_t op;                /* the call or jump there */
};

struct pointers {
    VEC(struct pointer_call) calls;
    const char *why; /* NULL: these are all; else for people, of an argument that is followed */
    uint64_t at;     /* of the word or instruction where sight is lost */
};

/* For a function whose borders are known; needs the references and what is reached
 * (code.h).  Costs a pass over the code at its first use, and one over the data
 * for each function. */
const struct pointers *pointers_of(struct code *code, const struct golang *go,
                                   const struct code_function *function);

#endif
