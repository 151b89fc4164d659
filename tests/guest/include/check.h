/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checks for guest tests.  CHECK(c) prints the place of a false condition and
 * goes on; `return check_done();` ends main with 0, or 1 when one was false.
 * CHECK_ERRNO(call, E): the call returns -1 with that errno.
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int check_failures;

#define CHECK(c)                                                                                   \
    do {                                                                                           \
        errno = 0;                                                                                 \
        if (!(c)) {                                                                                \
            check_failures++;                                                                      \
            printf("line %d: not true: %s (errno %d)\n", __LINE__, #c, errno);                     \
        }                                                                                          \
    } while (0)

#define CHECK_EQ(a, b)                                                                             \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long long a_ = (long long)(a);                                                             \
        int e_ = errno;                                                                            \
        long long b_ = (long long)(b);                                                             \
        if (a_ != b_) {                                                                            \
            check_failures++;                                                                      \
            printf("line %d: %s is %lld, not %lld (errno %d)\n", __LINE__, #a, a_, b_, e_);        \
        }                                                                                          \
    } while (0)

#define CHECK_ERRNO(call, e)                                                                       \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long r_ = (long)(call);                                                                    \
        if (r_ != -1 || errno != (e)) {                                                            \
            check_failures++;                                                                      \
            printf("line %d: %s is %ld, errno %d, not -1, errno %d\n", __LINE__, #call, r_, errno, \
                   (e));                                                                           \
        }                                                                                          \
    } while (0)

static inline int check_done(void) {
    if (check_failures == 0) {
        printf("ok\n");
    }
    return check_failures != 0;
}

#endif
