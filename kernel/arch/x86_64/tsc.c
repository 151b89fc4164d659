/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The time stamp counter and its frequency, which is found at the first
 * question: from kvmclock, from the hypervisor's CPUID leaf, or against the
 * APIC's timer over 0.2 ms.
 */
#include "arch/x86_64/cpu.h"

#define APIC_HZ 1000000000ull
#define CALIBRATIONS 5
#define CALIBRATION_TICKS 40000u

uint64_t arch_cycles(void) {
    return rdtsc();
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
    /* Whoever takes the CPU away between two readings makes the counter look
     * faster than it is: the slowest of a few short looks is the truest. */
    uint64_t slowest = UINT64_MAX;
    for (unsigned i = 0; i < CALIBRATIONS; i++) {
        apic_timer(UINT32_MAX);
        uint64_t start = rdtsc(), left = apic_timer_left(), gone; /* the longer look outside */
        do
            gone = left - apic_timer_left();
        while (gone < CALIBRATION_TICKS);
        uint64_t found = (rdtsc() - start) * (APIC_HZ / 1000) / gone * 1000;
        if (found < slowest)
            slowest = found;
    }
    apic_timer(0);
    return hz = slowest;
}
