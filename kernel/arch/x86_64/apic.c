/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The local APIC (timer, acknowledgement, interrupts between CPUs) and the I/O
 * APIC (device lines).  Intel SDM volume 3, chapter 10; 82093AA.
 *
 * Nothing is touched before somebody wants an interrupt.  QEMU and KVM clock
 * the timer at 1 GHz.
 */
#include "arch/x86_64/cpu.h"

#define APIC_ID 0x20
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_COMMAND 0x300
#define APIC_PENDING 0x1000u
#define APIC_LVT_TIMER 0x320
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0

#define IOAPIC_PADDR 0xfec00000
#define IOAPIC_SELECT 0
#define IOAPIC_WINDOW 4
#define IOAPIC_REDIRECTION 0x10

#define X2APIC_MSR 0x800
#define BASE_ENABLED 0x800u
#define BASE_X2APIC 0x400u

/* Registers in memory, or, where the CPU has them, as MSRs. */
static volatile uint32_t *apic, *ioapic;
static bool known, x2apic;

static uint32_t read(unsigned reg) {
    return x2apic ? (uint32_t)rdmsr(X2APIC_MSR + reg / 16) : apic[reg / 4];
}

static __attribute__((noinline)) void write(unsigned reg, uint32_t v) {
    if (x2apic)
        wrmsr(X2APIC_MSR + reg / 16, v);
    else
        apic[reg / 4] = v;
}

void apic_init(void) {
    uint64_t base = rdmsr(MSR_APIC_BASE) | BASE_ENABLED;
    if (!known) {
        known = true;
        x2apic = cpuid(1, 0).c & 1u << 21;
        if (!x2apic)
            apic = arch_map_device(base & 0xffffff000ull, PAGE_SIZE);
    }
    wrmsr(MSR_APIC_BASE, x2apic ? base | BASE_X2APIC : base);
    write(APIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
    write(APIC_TIMER_DIVIDE, 0xb); /* by 1 */
    write(APIC_LVT_TIMER, VECTOR_TIMER);
}

static void start(void) {
    if (!known)
        apic_init();
}

uint32_t apic_id(void) {
    start();
    return x2apic ? read(APIC_ID) : read(APIC_ID) >> 24;
}

void apic_send(uint32_t id, uint32_t command) {
    if (x2apic) {
        wrmsr(X2APIC_MSR + APIC_COMMAND / 16, (uint64_t)id << 32 | command);
        return;
    }
    while (read(APIC_COMMAND) & APIC_PENDING)
        ;
    write(APIC_COMMAND + 16, id << 24);
    write(APIC_COMMAND, command);
}

void apic_ack(void) {
    write(APIC_EOI, 0);
}

void apic_timer(uint64_t ticks) {
    start();
    write(APIC_TIMER_INITIAL, ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}

uint64_t apic_timer_left(void) {
    start();
    return read(APIC_TIMER_CURRENT);
}

void arch_timer_set(uint64_t delta_ns) {
    if (delta_ns != UINT64_MAX)
        apic_timer(delta_ns ? delta_ns : 1);
    else if (known)
        apic_timer(0);
}

static void ioapic_write(unsigned reg, uint32_t v) {
    ioapic[IOAPIC_SELECT] = reg;
    ioapic[IOAPIC_WINDOW] = v;
}

void arch_irq_enable_line(unsigned line, unsigned vector) {
    uint32_t id = apic_id();
    if (!ioapic)
        ioapic = arch_map_device(IOAPIC_PADDR, PAGE_SIZE);
    ioapic_write(IOAPIC_REDIRECTION + 2 * line + 1, id << 24);
    ioapic_write(IOAPIC_REDIRECTION + 2 * line, vector | (line >= 16 ? 0x8000 : 0));
}
