/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The app as a process: loading it, ending it, what it is told of faults.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include <stdbool.h>

#include "abi/report.h"
#include "arch/arch.h"
#include "diag/diag.h"
#include "sched/thread.h"

/* What the command line and the manifest say; filled by app_settings. */
struct app_settings {
    uint8_t policy_default; /* enum image_policy */
    bool trace, timeline, isolate;
};
extern struct app_settings app_settings;
struct cmdline;
void app_option(const struct cmdline *it); /* a token that is not arg= or env= */
unsigned app_policy(unsigned call);        /* enum image_policy for an absent call */
#define APP_POLICIES 32

void app_start(void); /* loads it and enters it; does not return */

/* The end.  The record goes out, the machine powers off. */
void app_end(struct report_exit e, bool poll) __attribute__((noreturn));
static inline __attribute__((noreturn, always_inline)) void app_exit(unsigned status) {
    app_end((struct report_exit){.reason = REASON_EXIT, .status = (uint8_t)status}, false);
}
void app_die(unsigned reason, unsigned signal) __attribute__((noreturn));

/* syscall/uring.c, where it is linked. */
__attribute__((weak)) void uring_work(void);

/* syscall/clone.c, where threads are linked; weak. */
__attribute__((weak)) void thread_leave(void);

/* What went wrong, for a report. */
struct crash {
    uint16_t kind; /* enum report_kind */
    uint8_t signal;
    uint32_t number;                /* call or stub */
    const struct fault *fault;      /* or NULL */
    const struct trap_frame *frame; /* NULL: the thread sleeps in a system call */
    const struct thread *thread;    /* NULL: the current one */
    const char *message;
    size_t message_size;
    bool poll; /* the console must not sleep */
};
/* Bytes from `at` up that are mapped and belong to the area of `at`. */
uint32_t app_mapped_bytes(vaddr_t at, size_t most);
void crash_report(const struct crash *c);
/* Reports and ends the app with `reason`. */
void crash(const struct crash *c, unsigned reason) __attribute__((noreturn));
/* Panics and deadlocks are reported through these. */
extern const struct diag_output crash_output;
void crash_deadlock(void);
static inline void crash_init(void) {
    diag_output = &crash_output;
    sched_deadlock = crash_deadlock;
}

/* The phases of the boot, and when each was over, in CPU cycles. */
enum timeline_phase { TIMELINE_LOADER, TIMELINE_MEMORY, TIMELINE_LOADED, TIMELINE_PHASES };
extern uint64_t timeline[TIMELINE_PHASES];
static inline void timeline_mark(enum timeline_phase phase) {
    timeline[phase] = arch_cycles();
}
void timeline_tell(void);
void trace_start(void);
extern bool trace_on; /* every thread has THREAD_WORK_TRACE */
/* Tells of the current call, for a thread with THREAD_WORK_TRACE; `returned`: it has a
 * result. */
void trace_call(bool returned);

/* Signals (app/signal.c, linked with SIGNALS); NULL without it: then every
 * deadly signal ends the app. */
struct signal_ops {
    /* Sends signal `number` for that fault to the current thread; false when
     * it is not handled and the app must end. */
    bool (*force)(const struct fault *fault, struct trap_frame *frame);
    /* Delivers what is pending to the current thread. */
    void (*deliver)(struct trap_frame *frame);
};
extern const struct signal_ops *const signal_ops;

#endif
