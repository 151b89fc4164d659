/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ChaCha20 (RFC 8439, 2.3) and a random generator with fast key erasure: each
 * request's first 32 bytes of key stream become the next key, so that a later
 * look into memory tells nothing about bytes given out before.
 *
 * The generator is as good as what was mixed in.  No lock: the owner has one.
 */
#ifndef LIB_CHACHA_H
#define LIB_CHACHA_H

#include <stddef.h>
#include <stdint.h>

/* One block: 16 words in (constants, key, counter, nonce) -> 64 bytes out. */
void chacha_block(const uint32_t state[16], uint8_t out[64]);

struct chacha_rng {
    uint32_t key[8];
};

/* Starts anew from 32 bytes of seed. */
void rng_seed(struct chacha_rng *rng, const uint8_t seed[32]);
/* Stirs in more; any length, any quality: never makes the state worse. */
void rng_mix(struct chacha_rng *rng, const void *data, size_t size);
void rng_bytes(struct chacha_rng *rng, void *dst, size_t size);

#endif
