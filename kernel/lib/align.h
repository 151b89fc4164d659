/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small macros about sizes.  `a` of ALIGN_* is a power of two; arguments of
 * MIN and MAX are evaluated once.
 */
#ifndef LIB_ALIGN_H
#define LIB_ALIGN_H

#include <stddef.h>

#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a) (((x) + (__typeof__(x))(a)-1) & ~((__typeof__(x))(a)-1)) /* may wrap */
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* For an array on the stack: compilers like 16 there, and would realign the stack
 * for it. */
#define ALIGNED_WORD __attribute__((aligned(8)))

/* The struct whose member `ptr` points to. */
#define container_of(ptr, type, member)                                                            \
    ((type *)(void *)((char *)(ptr) + 0 * sizeof(&((type *)0)->member == (ptr)) -                  \
                      offsetof(type, member)))

#define MIN(a, b)                                                                                  \
    __extension__({                                                                                \
        __typeof__(a) min_a_ = (a);                                                                \
        __typeof__(b) min_b_ = (b);                                                                \
        min_a_ < min_b_ ? min_a_ : min_b_;                                                         \
    })
#define MAX(a, b)                                                                                  \
    __extension__({                                                                                \
        __typeof__(a) max_a_ = (a);                                                                \
        __typeof__(b) max_b_ = (b);                                                                \
        max_a_ > max_b_ ? max_a_ : max_b_;                                                         \
    })

#endif
