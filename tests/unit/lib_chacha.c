/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/lib/chacha.c against the vectors of RFC 8439 (2.3.2 and A.1), and the
 * generator's promises: its stream, the erased key, mixing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/chacha.h"

static void from_hex(uint8_t *out, size_t n, const char *hex) {
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

/* Little-endian words, as the RFC lays them out. */
static void block(const uint8_t key[32], uint32_t counter, const uint8_t nonce[12],
                  uint8_t out[64]) {
    uint32_t state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(state + 4, key, 32);
    state[12] = counter;
    memcpy(state + 13, nonce, 12);
    uint32_t before[16];
    memcpy(before, state, sizeof state);
    chacha_block(state, out);
    assert_memory_equal(before, state, sizeof state);
}

static void test_vectors(void **state) {
    (void)state;
    static const struct {
        const char *key, *nonce;
        uint32_t counter;
        const char *out;
    } vectors[] = {
        /* 2.3.2 */
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
         "000000090000004a00000000", 1,
         "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
         "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"},
        /* A.1, 1 and 2 */
        {"0000000000000000000000000000000000000000000000000000000000000000",
         "000000000000000000000000", 0,
         "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
         "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
        {"0000000000000000000000000000000000000000000000000000000000000000",
         "000000000000000000000000", 1,
         "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
         "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t key[32], nonce[12], want[64], got[64];
        from_hex(key, 32, vectors[i].key);
        from_hex(nonce, 12, vectors[i].nonce);
        from_hex(want, 64, vectors[i].out);
        block(key, vectors[i].counter, nonce, got);
        assert_memory_equal(got, want, 64);
    }
}

static void test_stream(void **state) {
    (void)state;
    static const uint8_t zero[12];
    for (size_t n = 0; n < 300; n = n * 3 / 2 + 1) {
        uint8_t seed[32], stream[512], *got = malloc(n + 1);
        for (size_t i = 0; i < 32; i++)
            seed[i] = (uint8_t)(i * 7 + n);
        for (uint32_t i = 0; i < 8; i++)
            block(seed, i, zero, stream + 64 * i);
        struct chacha_rng rng;
        rng_seed(&rng, seed);
        got[n] = 0xee;
        rng_bytes(&rng, got, n);
        assert_int_equal(got[n], 0xee);
        assert_memory_equal(got, stream + 32, n);
        assert_memory_equal(rng.key, stream, 32); /* the old key is gone */
        free(got);
    }
}

/* Bytes after seeding with zeros and mixing that data. */
static void mixed(const void *data, size_t size, uint8_t out[32]) {
    static const uint8_t zero[32];
    struct chacha_rng rng;
    rng_seed(&rng, zero);
    rng_mix(&rng, data, size);
    rng_bytes(&rng, out, 32);
}

static void test_mix(void **state) {
    (void)state;
    uint8_t data[96] = {0}, before[32], after[32];
    static const size_t sizes[] = {1, 31, 32, 33, 64, 65, 96};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        mixed(data, sizes[i], before);
        mixed(data, sizes[i], after);
        assert_memory_equal(before, after, 32);               /* a function of what went in */
        for (size_t bit = 0; bit < sizes[i] * 8; bit += 13) { /* every part of it */
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            mixed(data, sizes[i], after);
            assert_memory_not_equal(before, after, 32);
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    /* mixing the key's own value in does not cancel it */
    struct chacha_rng rng;
    uint8_t zero[32] = {0}, seed[32], copy[32];
    memset(seed, 0x5a, 32);
    rng_seed(&rng, seed);
    memcpy(copy, rng.key, 32);
    rng_mix(&rng, copy, 32);
    assert_memory_not_equal(rng.key, zero, 32);
    assert_memory_not_equal(rng.key, seed, 32);
    /* nothing to mix still turns the key */
    rng_seed(&rng, seed);
    rng_mix(&rng, NULL, 0);
    assert_memory_not_equal(rng.key, seed, 32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
