/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random bytes for keys and addresses.
 *
 * One ChaCha20 generator with fast key erasure (lib/chacha.h), seeded at the
 * first request from the CPU's generator, the host's seed= on the command line
 * and the cycle counter; the CPU's generator is stirred in now and then.
 * Never sleeps.  Stands in mm/ because the app's stack needs bytes at boot.
 */
#ifndef MM_RANDOM_H
#define MM_RANDOM_H

#include <stddef.h>

/* Weak: NULL when no linked option wants it. */
__attribute__((weak)) void random_bytes(void *dst, size_t size);

#endif
