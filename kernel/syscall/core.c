/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What every program needs: its end, its thread pointer, its thread id; and
 * the answer to a call that nobody provides.
 */
#include "abi/image.h"
#include "app/app.h"
#include "arch/arch.h"
#include "arch/number.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

/* No way back follows that would tell of the call. */
static inline __attribute__((always_inline)) void trace_last(void) {
    if (trace_on)
        trace_call(false);
}

SYSCALL_HANDLER(exit_group) {
    trace_last();
    app_exit(a & 255);
}

SYSCALL_HANDLER(exit) {
    trace_last();
    if (thread_leave)
        thread_leave();
    app_exit(a & 255);
}

SYSCALL_HANDLER(set_tid_address) {
    struct thread *t = thread_current();
    t->clear_tid = a;
    return t->id;
}

/* What few ask for. */
static __attribute__((noinline)) long prctl_other(unsigned long a, unsigned long b) {
    uint64_t base;
    switch (a) {
    case ARCH_GET_FS:
        base = arch_get_tls();
        return user_write(b, &base, sizeof base);
    case ARCH_SET_GS: /* the kernel's, unless the app is isolated */
        if (b >= APP_END)
            return -EPERM;
        return arch_set_gs(b) ? 0 : -EINVAL;
    case ARCH_GET_GS:
        return arch_get_gs(&base) ? user_write(b, &base, sizeof base) : -EINVAL;
    default:
        return -EINVAL;
    }
}

SYSCALL_HANDLER(arch_prctl) {
    if (a != ARCH_SET_FS)
        return prctl_other(a, b);
    if (b >= APP_END)
        return -EPERM;
    arch_set_tls(b);
    return 0;
}

/* What the call's row says, for the few whose policy is not TRAP. */
static unsigned policy_of_row(unsigned number) {
#define POLICY_TRAP(number)
#define POLICY_ENOSYS(number) (uint16_t)(IMAGE_POLICY_ENOSYS << 12 | ((number)&4095)),
#define POLICY_REFUSE(number) (uint16_t)(IMAGE_POLICY_REFUSE << 12 | ((number)&4095)),
#define POLICY_DENY(number) (uint16_t)(IMAGE_POLICY_DENY << 12 | ((number)&4095)),
    static const uint16_t rows[] = {
#define SYSCALL(name, x86_64, aarch64, option, policy) POLICY_##policy(ARCH_NUMBER(x86_64, aarch64))
#include "abi/syscalls.def"
#undef SYSCALL
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((rows[i] & 4095u) == number)
            return rows[i] >> 12;
    }
    return IMAGE_POLICY_TRAP;
}

extern const char SYSCALL_COUNT[]; /* its address is the number */

/* Reached through arch/: all the app's registers are in the frame. */
long absent_frame(struct trap_frame *frame, struct report_call *call);
long absent_frame(struct trap_frame *frame, struct report_call *call) {
    unsigned number = (unsigned)call->number;
    /* A number that no Linux knows is ENOSYS everywhere. */
    bool known = call->number < (uint64_t)SYSCALL_COUNT;
    unsigned policy = known ? app_policy(number) : IMAGE_POLICY_ENOSYS;
    if (policy == IMAGE_POLICY_DEFAULT)
        policy = policy_of_row(number);
    struct crash c = {.kind = CRASH_CALL, .number = number, .frame = frame};
    if (policy == IMAGE_POLICY_TRAP)
        crash(&c, REASON_MISSING);
    bool denied = policy == IMAGE_POLICY_DENY;
    static uint64_t told[8]; /* a bit a call */
    if ((denied || policy == IMAGE_POLICY_REFUSE) && !(told[number / 64] >> number % 64 & 1)) {
        told[number / 64] |= 1ull << number % 64;
        c.kind = CRASH_NOTICE;
        c.poll = true; /* another thread may have something to tell before this one goes on */
        crash_report(&c);
    }
    return policy == IMAGE_POLICY_IGNORE ? 0 : denied ? -EACCES : -ENOSYS;
}
