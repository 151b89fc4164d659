/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SHA-256 (FIPS 180-4), for zuk.lock.
 */
#ifndef ZUK_SHA256_H
#define ZUK_SHA256_H

#include <stddef.h>

/* 64 hexadecimal digits (arena). */
char *sha256(const void *data, size_t size);

#endif
