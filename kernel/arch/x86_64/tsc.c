/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The time stamp counter and its frequency, which is found at the first
 * question: from kvmclock, from the hypervisor's CPUID leaf, or against the
 * APIC's timer over 0.2 ms.
 */
#include "arch/x86_64/cpu.h"

#define APIC_HZ 1000000000ull
#define CALIBRATION_TICKS 200000u
#define LOOKS 5

uint64_t arch_cycles(void) {
    return rdtsc();
}

struct look {
    uint64_t tsc, left;
};

/* Both counters at one moment.  A device is slow to read and the host may take
 * the CPU away: of a few readings the shortest tells the moment, its middle. */
static struct look look(void) {
    struct look best = {0, 0};
    uint64_t shortest = UINT64_MAX;
    for (unsigned i = 0; i < LOOKS; i++) {
        uint64_t start = rdtsc(), left = apic_timer_left(), took = rdtsc() - start;
        if (took < shortest) {
            shortest = took;
            best = (struct look){start + took / 2, left};
        }
    }
    return best;
}

uint64_t arch_cycles_hz(void) {
    static uint64_t hz;
    if (hz)
        return hz;
    if (kvmclock_hz && (hz = kvmclock_hz()))
        return hz;
    struct cpuid max = cpuid(0x40000000, 0);
    if (cpuid(1, 0).c & 1u << 31 && max.a >= 0x40000010 && max.a < 0x40010000) {
        hz = cpuid(0x40000010, 0).a * 1000ull;
        if (hz)
            return hz;
    }
    struct look first, last;
    do {
        apic_timer(UINT32_MAX);
        first = look();
        do
            last = look();
        while (first.left - last.left < CALIBRATION_TICKS);
    } while (last.left == 0); /* the machine stood still until the timer had run out */
    apic_timer(0);
    return hz = (last.tsc - first.tsc) * (APIC_HZ / 1000) / (first.left - last.left) * 1000;
}
