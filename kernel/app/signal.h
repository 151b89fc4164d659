/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Signals: actions, pending sets, delivery (signal(7)).  Linked with SIGNALS.
 */
#ifndef APP_SIGNAL_H
#define APP_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "app/app.h"

#define SIGNALS 64
#define SIGNAL_BIT(n) (UINT64_C(1) << ((n)-1))

/* Linux's struct sigaction, as the system call has it. */
struct signal_action {
    uint64_t handler, flags, restorer, mask;
};

/* Linux's siginfo_t: 128 bytes, the fields that we fill. */
struct signal_info {
    int32_t signo, err, code, pad;
    union {
        uint64_t address;
        struct {
            int32_t pid, uid;
            uint64_t value;
        };
        uint64_t words[14];
    };
};
_Static_assert(sizeof(struct signal_info) == 128, "siginfo_t");

extern struct signal_action signal_actions[SIGNALS + 1];

extern uint32_t signal_limit; /* RLIMIT_SIGPENDING: instances kept */

/* To one thread, or (NULL) to the process.  Dropped when it is ignored, merged
 * when it is a standard one and pending; -EAGAIN: a real-time one's value
 * cannot be kept; 1: dropped. */
int signal_send(struct thread *target, const struct signal_info *info);
/* Takes one pending signal of `set`, of the current thread's or else of the
 * process's; 0: none. */
unsigned signal_take(uint64_t set, struct signal_info *info);
void signal_set_mask(uint64_t mask); /* of the current thread */
/* The app has a use for SIGTERM: the host may send it from now on. */
void signal_listen(void);
/* A POSIX timer's signal is taken: its overrun is told; syscall/timers.c. */
void signal_timer_taken(struct signal_info *info) __attribute__((weak));
/* Some signal became pending; syscall/signalfd.c. */
void signal_arrived(void) __attribute__((weak));
void signal_flush(uint64_t set); /* nowhere pending any more */
bool signal_ignored(unsigned n); /* what the action makes of it */
bool signal_on_altstack(const struct thread *t, vaddr_t sp);
/* sigaltstack(2) for the current thread, whose stack pointer is sp: 0 or -errno. */
int signal_set_altstack(vaddr_t sp, uint64_t base, uint64_t size, uint32_t flags);

/* arch/: writes the frame for a handler and sends the app there; -EFAULT when
 * the stack cannot take it.  sp: top of the alternate stack, 0: the app's; the frame
 * lies above `low`. */
int arch_signal_setup(struct trap_frame *frame, const struct signal_info *info,
                      const struct signal_action *action, uint64_t mask, vaddr_t sp, vaddr_t low,
                      const struct fault *fault);
/* arch/: undoes it; -EFAULT.  *mask is the mask to go back to, as far as it is known. */
int arch_signal_return(struct trap_frame *frame, uint64_t *mask);
/* arch/: makes the interrupted system call run again; false when the frame is
 * not one of a call that returned -EINTR. */
bool arch_syscall_interrupted(const struct trap_frame *frame);
void arch_syscall_restart(struct trap_frame *frame, uint64_t number);

#endif
