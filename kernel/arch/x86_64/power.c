/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The end of the machine.  Each way is tried in turn: QEMU's isa-debug-exit
 * (zuk adds it), ACPI's S5 on q35 (0x604) and pc (0xb004), the keyboard
 * controller's reset, a triple fault (which ends QEMU with -no-reboot).
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/io.h"

#define DEBUG_EXIT 0x501

/* Apart: the first way mostly is the last. */
static __attribute__((noinline, noreturn)) void poweroff_otherwise(void) {
    outw(0x604, 0x2000);
    outw(0xb004, 0x2000);
    outb(0x64, 0xfe);
    arch_halt();
}

void arch_poweroff(unsigned status) {
    outw(DEBUG_EXIT, (uint16_t)status);
    poweroff_otherwise();
}

void arch_halt(void) {
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) none = {0, 0};
    __asm__ volatile("lidt %0; ud2" : : "m"(none));
    __builtin_unreachable();
}
