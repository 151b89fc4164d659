/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tokens of the kernel command line (abi/image.h): KEY or KEY=VALUE,
 * separated by spaces, values percent-encoded.  Works on text from outside:
 * nothing is read beyond its length, a NUL ends it early.
 *
 *     struct cmdline it;
 *     cmdline_start(&it, text, size);
 *     while (cmdline_next(&it))
 *         if (cmdline_is(&it, "strace")) ...
 */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cmdline {
    const char *pos, *end;     /* the rest */
    const char *key, *value;   /* of this token, in the text; not NUL-terminated */
    size_t key_len, value_len; /* value_len 0 without a value */
    bool has_value;            /* there was an '=' */
};

/* size: bytes of text at most; SIZE_MAX for a NUL-terminated one. */
void cmdline_start(struct cmdline *it, const char *text, size_t size);
/* The next token; false at the end. */
bool cmdline_next(struct cmdline *it);
/* Is this token's key that name? */
bool cmdline_is(const struct cmdline *it, const char *name);

/* Decodes %XX (a '%' without two hexadecimal digits stands for itself) to dst
 * and ends it with a NUL.  Returns the length of the whole decoded value
 * without the NUL, at most len; it was cut when that is >= dst_size.  dst may
 * be NULL when dst_size is 0. */
size_t cmdline_decode(char *dst, size_t dst_size, const char *value, size_t len);

/* Reads a number, decimal or 0x and hexadecimal, and with a suffix K, M or G
 * (times 1024 and so on).  Returns how many bytes it took; 0 when there is no
 * number or it does not fit. */
size_t cmdline_number(const char *value, size_t len, uint64_t *number);

#endif
