/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Text from numbers, for the kernel's own words and for /proc.
 *
 * Knows %s %.*s %.Ns %c %d %u %x %%, the lengths l ll z, a width, and '0'
 * (pad with zeros).  A null %s prints (null).  Anything else is copied as it
 * stands.
 */
#ifndef LIB_FORMAT_H
#define LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most size bytes including the NUL that always ends the text
 * (nothing at all when size is 0).  Returns the length that the whole text
 * has: it was cut when that is >= size. */
size_t format_va(char *buf, size_t size, const char *fmt, va_list args);
size_t format(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
