/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Scaling by a fixed-point factor: cycles to nanoseconds and back.  Uses one
 * 128-bit product and no 128-bit division (that would need a library).
 */
#ifndef LIB_SCALE_H
#define LIB_SCALE_H

#include <stdint.h>

/* a * mult / 2^shift, rounded down; shift < 96.  The result wraps when it
 * needs more than 64 bits. */
static inline uint64_t mul_shift(uint64_t a, uint32_t mult, unsigned shift) {
    /* By halves: a shift of 128 bits would be a call into compiler_rt. */
    uint64_t low = (a & UINT32_MAX) * mult, high = (a >> 32) * mult + (low >> 32);
    low &= UINT32_MAX; /* high * 2^32 + low is the product */
    if (shift >= 32)
        return shift < 96 ? high >> (shift - 32) : 0;
    return (high << (32 - shift)) + (low >> shift);
}

/* The factor for mul_shift(a, mult, *shift) == a * to / from, as exact as 32
 * bits allow.  from and to are not 0, to / from is below 2^32. */
static inline uint32_t mul_shift_factor(uint64_t from, uint64_t to, unsigned *shift) {
    unsigned bits = 0;
    while (to >> 32) { /* keeps the quotient in 64 bits */
        to >>= 1;
        from >>= 1;
    }
    if (from == 0)
        from = 1;
    uint64_t mult = to / from, rest = to % from;
    while (bits < 63 && !(mult >> 31)) {
        /* rest < from; doubling it may wrap only when from has bit 63 set */
        unsigned carry = (unsigned)(rest >> 63);
        rest <<= 1;
        mult <<= 1;
        if (carry || rest >= from) {
            rest -= from;
            mult |= 1;
        }
        bits++;
    }
    *shift = bits;
    return (uint32_t)mult;
}

#endif
