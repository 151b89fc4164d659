/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory and strings.  Built with -fno-builtin, or the loops below would be
 * turned into calls of themselves.  Copies go in words as soon as they are
 * long enough: most of what the kernel copies are structures and pages.  An
 * architecture may have its own in place of those marked so.
 */
#include "lib/string.h"

#include <stdint.h>

/* A word that may alias anything and lie anywhere. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;

#define REPLACEABLE __attribute__((weak))

REPLACEABLE void *memcpy(void *restrict dst, const void *restrict src, size_t n) {
    uint8_t *d = dst;
    const uint8_t *s = src;
    for (; n >= 8; n -= 8, d += 8, s += 8)
        *(word_t *)d = *(const word_t *)s;
    while (n--)
        *d++ = *s++;
    return dst;
}

void *memmove(void *dst, const void *src, size_t n) {
    uint8_t *d = dst;
    const uint8_t *s = src;
    if ((uintptr_t)d - (uintptr_t)s >= n) { /* forwards, also when dst < src */
        for (; n >= 8; n -= 8, d += 8, s += 8)
            *(word_t *)d = *(const word_t *)s;
        while (n--)
            *d++ = *s++;
    } else {
        while (n >= 8) {
            n -= 8;
            *(word_t *)(d + n) = *(const word_t *)(s + n);
        }
        while (n--)
            d[n] = s[n];
    }
    return dst;
}

REPLACEABLE void *memset(void *dst, int c, size_t n) {
    uint8_t *d = dst;
    uint64_t word = (uint8_t)c * UINT64_C(0x0101010101010101);
    for (; n >= 8; n -= 8, d += 8)
        *(word_t *)d = word;
    while (n--)
        *d++ = (uint8_t)c;
    return dst;
}

int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *x = a, *y = b;
    for (; n--; x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *s, int c, size_t n) {
    for (const uint8_t *p = s; n--; p++)
        if (*p == (uint8_t)c)
            return (void *)p;
    return NULL;
}

size_t strnlen(const char *s, size_t max) {
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

size_t strlen(const char *s) {
    return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n) {
    for (; n--; a++, b++)
        if (*a != *b || !*a)
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

int strcmp(const char *a, const char *b) {
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c) {
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}
