/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernel's random generator: where its seed comes from.  See random.h.
 */
#include "mm/random.h"

#include <stdbool.h>

#include "arch/arch.h"
#include "boot/bootinfo.h"
#include "lib/chacha.h"
#include "lib/cmdline.h"
#include "lib/string.h"

#define SEED_WORDS 4
#define STIR_BYTES (1u << 20) /* given out between two stirs */

static struct chacha_rng rng;
static bool seeded;
static size_t since_stir;

/* Draws from the CPU and mixes them in, with the time. */
static void stir(void) {
    uint64_t words[SEED_WORDS + 1];
    for (unsigned i = 0; i < SEED_WORDS; i++) {
        if (!arch_random(&words[i]))
            words[i] = arch_cycles();
    }
    words[SEED_WORDS] = arch_cycles();
    rng_mix(&rng, words, sizeof(words));
    memset(words, 0, sizeof(words));
    since_stir = 0;
}

/* seed= tokens of the command line, as they stand: the digits are what counts. */
static void mix_text(const char *text, size_t size) {
    struct cmdline it;
    cmdline_start(&it, text, size);
    while (cmdline_next(&it)) {
        if (cmdline_is(&it, "seed"))
            rng_mix(&rng, it.value, it.value_len);
    }
}

static void seed(void) {
    mix_text(bootinfo.cmdline, SIZE_MAX);
    if (bootinfo.module)
        mix_text(bootinfo.module, bootinfo.module_size);
    stir();
    seeded = true;
}

void random_bytes(void *dst, size_t size) {
    if (!seeded)
        seed();
    else if (since_stir >= STIR_BYTES)
        stir();
    since_stir += size;
    rng_bytes(&rng, dst, size);
}
