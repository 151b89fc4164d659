/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Wall-clock time: monotonic time plus what the hypervisor or the first
 * real-time clock that answers said once.  Without either, time begins in 1970.
 *
 * A real-time clock tells whole seconds; the middle of one is the best guess, as
 * in Linux's rtc_hctosys().
 */
#include "arch/arch.h"
#include "clock/clock.h"
#include "drivers/driver.h"

#define HALF_SECOND 500000000u

extern const struct rtc *const rtcs_start[], *const rtcs_end[];

static bool known;
uint64_t clock_offset;

void clock_set_realtime(uint64_t ns) {
    clock_offset = ns - clock_monotonic();
    known = true;
}

uint64_t clock_realtime(void) {
    if (!known) {
        uint64_t ns;
        known = true;
        if (!arch_clock_paravirtual || !arch_clock_paravirtual(&ns, &clock_offset) ||
            !clock_offset) {
            for (const struct rtc *const *r = rtcs_start; r < rtcs_end; r++) {
                if ((*r)->read(&ns)) {
                    clock_set_realtime(ns + HALF_SECOND);
                    break;
                }
            }
        }
    }
    return clock_monotonic() + clock_offset;
}
