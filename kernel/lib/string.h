/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory and strings, as ISO C has them.  Compilers emit calls of the mem*
 * functions by themselves.  Nothing here allocates, sleeps or fails.
 *
 * None of them checks an address: for the app's memory see the checked copy
 * of the system call room.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n); /* may overlap */
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

#endif
