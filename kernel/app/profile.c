/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --profile: a timer looks where the app is, and tells the host, with the app's
 * stack, which the host unwinds.
 *
 * profile=MICROSECONDS on the command line is the time between two looks.  A
 * look counts for all the time since the last one, but for what telling took:
 * a system call of many periods is served one look, behind it.
 */
#include "app/app.h"

#include "abi/report.h"
#include "arch/profile.h"
#include "boot/bootinfo.h"
#include "clock/clock.h"
#include "console/console.h"
#include "lib/cmdline.h"

#define STACK_MOST (16u * PAGE_SIZE) /* told of the app's stack */

static uint64_t period, due; /* ns */

static void look(struct timer *timer) {
    static struct report_sample r;
    const struct thread *t = thread_current();
    uint64_t now = clock_monotonic();
    bool idle = t->state != THREAD_RUNNABLE;
    if (idle && !timer_pending() && !sched_external_waits)
        return; /* for good: nothing is to come, and that is found out behind this */
    r.time = now;
    r.cycles_hz = arch_cycles_hz();
    r.count = (uint32_t)((now - due) / period + 1);
    r.thread = t->id;
    r.app_base = bootinfo.manifest->bias;
    r.state = SAMPLE_IDLE;
    r.stack_size = 0;
    if (!idle) {
        r.state = arch_profile_regs(r.regs) ? SAMPLE_CALL : SAMPLE_APP;
        r.number = (uint32_t)t->call->number;
        r.stack_size = app_mapped_bytes(r.regs[7], STACK_MOST);
    }
    const struct io_piece pieces[] = {io_piece(&r, sizeof r), {r.regs[7], r.stack_size}};
    console_record(REPORT_SAMPLE, pieces, 2, true);
    due = clock_monotonic() + period;
    timer_arm(timer, due);
}

void profile_entry(void) {
    static struct timer timer = {.fn = look};
    struct cmdline it;
    cmdline_start(&it, bootinfo.cmdline, SIZE_MAX);
    while (cmdline_next(&it)) {
        if (cmdline_is(&it, "profile") && cmdline_number(it.value, it.value_len, &period))
            period *= 1000;
    }
    if (!period || !console_framed())
        return;
    due = clock_monotonic() + period;
    timer_arm(&timer, due);
}
