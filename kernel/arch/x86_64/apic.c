/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The local APIC (timer, acknowledgement) and the I/O APIC (device lines).
 * xAPIC registers in memory: Intel SDM volume 3, chapter 10; 82093AA.
 *
 * Nothing is touched before somebody wants an interrupt.  QEMU and KVM clock
 * the timer at 1 GHz.
 */
#include "arch/x86_64/cpu.h"

#define APIC_ID 0x20
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_LVT_TIMER 0x320
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
#define MASKED 0x10000u

#define IOAPIC_PADDR 0xfec00000
#define IOAPIC_SELECT 0
#define IOAPIC_WINDOW 4
#define IOAPIC_REDIRECTION 0x10

static volatile uint32_t *apic, *ioapic;

static volatile uint32_t *apic_regs(void) {
    if (!apic) {
        apic = arch_map_device(rdmsr(MSR_APIC_BASE) & 0xffffff000ull, PAGE_SIZE);
        apic[APIC_SPURIOUS / 4] = 0x100 | VECTOR_SPURIOUS;
        apic[APIC_TIMER_DIVIDE / 4] = 0xb; /* by 1 */
        apic[APIC_LVT_TIMER / 4] = VECTOR_TIMER;
    }
    return apic;
}

void apic_ack(void) {
    apic_regs()[APIC_EOI / 4] = 0;
}

void apic_timer(uint64_t ticks) {
    apic_regs()[APIC_TIMER_INITIAL / 4] = ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

uint64_t apic_timer_left(void) {
    return apic_regs()[APIC_TIMER_CURRENT / 4];
}

void arch_timer_set(uint64_t delta_ns) {
    if (delta_ns == UINT64_MAX) {
        if (apic)
            apic_timer(0);
    } else {
        apic_timer(delta_ns ? delta_ns : 1);
    }
}

static void ioapic_write(unsigned reg, uint32_t v) {
    ioapic[IOAPIC_SELECT] = reg;
    ioapic[IOAPIC_WINDOW] = v;
}

void arch_irq_enable_line(unsigned line, unsigned vector) {
    uint32_t id = apic_regs()[APIC_ID / 4] >> 24;
    if (!ioapic)
        ioapic = arch_map_device(IOAPIC_PADDR, PAGE_SIZE);
    ioapic_write(IOAPIC_REDIRECTION + 2 * line + 1, id << 24);
    ioapic_write(IOAPIC_REDIRECTION + 2 * line, vector | (line >= 16 ? 0x8000 : 0));
}
