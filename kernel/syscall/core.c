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

SYSCALL_HANDLER(exit_group) {
    trace_call(false);
    app_exit(a & 255);
}

SYSCALL_HANDLER(exit) {
    trace_call(false);
    if (thread_leave)
        thread_leave();
    app_exit(a & 255);
}

SYSCALL_HANDLER(set_tid_address) {
    struct thread *t = thread_current();
    t->clear_tid = a;
    return t->id;
}

SYSCALL_HANDLER(arch_prctl) {
    uint64_t base;
    switch (a) {
    case ARCH_SET_FS:
        if (b >= APP_END)
            return -EPERM;
        arch_set_tls(b);
        return 0;
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

/* Calls that programs probe on purpose answer ENOSYS unless told otherwise. */
static bool probed(unsigned number) {
    static const int16_t numbers[] = {
#define PROBED_TRAP(number)
#define PROBED_ENOSYS(number) number,
#define SYSCALL(name, x86_64, aarch64, option, policy) PROBED_##policy(ARCH_NUMBER(x86_64, aarch64))
#include "abi/syscalls.def"
#undef SYSCALL
    };
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i] == (int)number)
            return true;
    }
    return false;
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
        policy = probed(number) ? IMAGE_POLICY_ENOSYS : IMAGE_POLICY_TRAP;
    const struct crash c = {.kind = CRASH_CALL, .number = number, .frame = frame};
    if (policy == IMAGE_POLICY_TRAP)
        crash(&c, REASON_MISSING);
    return policy == IMAGE_POLICY_IGNORE ? 0 : -ENOSYS;
}
