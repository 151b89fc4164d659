/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ChaCha20 as in RFC 8439, 2.3, and the generator of chacha.h.  The
 * generator's blocks have counter n and nonce 0: a key makes one stream, and
 * is replaced before the stream's bytes leave.
 */
#include "lib/chacha.h"

#include <stdbool.h>

#include "lib/string.h"

static uint32_t rotate(uint32_t x, unsigned n) {
    return x << n | x >> (32 - n);
}

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
    static const uint8_t amount[4] = {16, 12, 8, 7};
    for (unsigned i = 0; i < 4; i += 2) {
        *a += *b;
        *d = rotate(*d ^ *a, amount[i]);
        *c += *d;
        *b = rotate(*b ^ *c, amount[i + 1]);
    }
}

void chacha_block(const uint32_t state[16], uint8_t out[64]) {
    uint32_t x[16];
    memcpy(x, state, sizeof x);
    for (unsigned round = 0; round < 20; round++) { /* columns, diagonals, ... */
        unsigned turn = round & 1;
        for (unsigned i = 0; i < 4; i++)
            quarter(&x[i], &x[4 + ((i + turn) & 3)], &x[8 + ((i + 2 * turn) & 3)],
                    &x[12 + ((i + 3 * turn) & 3)]);
    }
    for (unsigned i = 0; i < 16; i++) {
        uint32_t word = x[i] + state[i];
        for (unsigned byte = 0; byte < 4; byte++)
            out[4 * i + byte] = (uint8_t)(word >> (8 * byte));
    }
}

/* The stream of a key, block by block. */
static void stream_start(uint32_t state[16], const uint32_t key[8]) {
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(state, constants, sizeof constants);
    memcpy(state + 4, key, 32);
    memset(state + 12, 0, 16);
}

static void wipe(void *p, size_t size) {
    memset(p, 0, size);
    __asm__ volatile("" : : "r"(p) : "memory"); /* the store stays */
}

void rng_seed(struct chacha_rng *rng, const uint8_t seed[32]) {
    memcpy(rng->key, seed, 32);
}

void rng_mix(struct chacha_rng *rng, const void *data, size_t size) {
    const uint8_t *p = data;
    uint8_t key[32];
    size_t at = 0;
    do { /* key = stream(key ^ next 32 bytes), at least once */
        for (size_t i = 0; i < 32 && at < size; i++)
            ((uint8_t *)rng->key)[i] ^= p[at++];
        rng_bytes(rng, key, sizeof key);
        rng_seed(rng, key);
    } while (at < size);
    wipe(key, sizeof key);
}

void rng_bytes(struct chacha_rng *rng, void *dst, size_t size) {
    uint32_t state[16];
    uint8_t block[64];
    uint8_t *out = dst;
    stream_start(state, rng->key);
    chacha_block(state, block);
    memcpy(rng->key, block, 32); /* erases the key before its stream is used */
    size_t from = 32;
    while (size) {
        size_t n = size < 64 - from ? size : 64 - from;
        memcpy(out, block + from, n);
        out += n;
        size -= n;
        from = 0;
        if (size) {
            state[12]++;
            if (!state[12])
                state[13]++;
            chacha_block(state, block);
        }
    }
    wipe(state, sizeof state);
    wipe(block, sizeof block);
}
