/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For lwIP, which asks for the C library's header of this name.
 */
#ifndef NET_LWIP_STDLIB_H
#define NET_LWIP_STDLIB_H

/* The digits at s, of which lwIP has made sure. */
static inline int atoi(const char *s) {
    int n = 0;
    for (; *s >= '0' && *s <= '9'; s++)
        n = n * 10 + (*s - '0');
    return n;
}

#endif
