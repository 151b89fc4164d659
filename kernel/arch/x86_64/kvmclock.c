/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The paravirtual clock of KVM.
 */
#include "arch/x86_64/cpu.h"
#include "mm/frame.h"

#define MSR_KVM_SYSTEM_TIME_NEW 0x4b564d01
#define MSR_KVM_WALL_CLOCK_NEW 0x4b564d00

/* Linux: Documentation/virt/kvm/x86/msr.rst */
struct pvclock {
    uint32_t version, pad0;
    uint64_t tsc, system_time;
    uint32_t mul;
    int8_t shift;
    uint8_t flags, pad[2];
};

struct pvclock_wall {
    uint32_t version, seconds, nanoseconds;
};

/* Is a hypervisor's leaf 0x40000001 KVM's, with the new clock MSRs? */
static bool kvm_clock(void) {
    if (!(cpuid(1, 0).c & 1u << 31))
        return false;
    struct cpuid id = cpuid(0x40000000, 0);
    return id.b == 0x4b4d564b && id.c == 0x564b4d56 && id.d == 0x4d &&
           cpuid(0x40000001, 0).a & 1u << 3;
}

static const volatile struct pvclock *pvclock(void) {
    static volatile struct pvclock *clock;
    static bool tried;
    if (!tried) {
        tried = true;
        paddr_t p = kvm_clock() ? frame_alloc_zero() : 0;
        if (p) {
            wrmsr(MSR_KVM_SYSTEM_TIME_NEW, p | 1);
            clock = phys_to_virt(p);
            if (!clock->mul)
                clock = NULL;
        }
    }
    return clock;
}

static uint64_t scale(uint64_t ticks, uint32_t mul, int shift) {
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (uint64_t)(((unsigned __int128)ticks * mul) >> 32);
}

uint64_t kvmclock_hz(void) {
    const volatile struct pvclock *clock = pvclock();
    if (!clock)
        return 0;
    /* hz = 1e9 * 2^32 / mul / 2^shift */
    uint64_t v = (1000000000ull << 32) / clock->mul;
    return clock->shift < 0 ? v << -clock->shift : v >> clock->shift;
}

paddr_t arch_clock_page(void) {
    const volatile struct pvclock *clock = pvclock();
    return clock ? virt_to_phys((const void *)clock) : 0;
}

bool arch_clock_paravirtual(uint64_t *monotonic_ns, uint64_t *realtime_offset_ns) {
    const volatile struct pvclock *clock = pvclock();
    if (!clock)
        return false;
    uint32_t version;
    do {
        version = clock->version & ~1u;
        *monotonic_ns = clock->system_time + scale(rdtsc() - clock->tsc, clock->mul, clock->shift);
    } while (clock->version != version);
    if (realtime_offset_ns) {
        static uint64_t offset;
        paddr_t p = offset ? 0 : frame_alloc_zero();
        if (p) {
            const volatile struct pvclock_wall *wall = phys_to_virt(p);
            wrmsr(MSR_KVM_WALL_CLOCK_NEW, p);
            offset = wall->seconds * 1000000000ull + wall->nanoseconds;
            frame_free(p);
        }
        *realtime_offset_ns = offset;
    }
    return true;
}
