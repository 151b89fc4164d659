/* SPDX-License-Identifier: BSD-3-Clause
 *
 * membarrier(2).  All CPUs that run the app's code come through the kernel
 * once: a barrier for memory and for code, whatever was registered.  There is
 * no rseq, and so no command about it.
 */
#include "arch/arch.h"
#include "sched/thread.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

enum {
    QUERY = 0,
    GLOBAL = 1,
    GLOBAL_EXPEDITED = 2,
    REGISTER_GLOBAL_EXPEDITED = 4,
    PRIVATE_EXPEDITED = 8,
    REGISTER_PRIVATE_EXPEDITED = 16,
    PRIVATE_EXPEDITED_SYNC_CORE = 32,
    REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 64,
    GET_REGISTRATIONS = 512,
};
#define REGISTERS                                                                                  \
    (REGISTER_GLOBAL_EXPEDITED | REGISTER_PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)
#define BARRIERS (GLOBAL | GLOBAL_EXPEDITED | PRIVATE_EXPEDITED | PRIVATE_EXPEDITED_SYNC_CORE)

SYSCALL_HANDLER(membarrier) {
    static long registered;
    int command = (int)a;
    if ((unsigned)b)
        return -EINVAL;
    if (command == QUERY)
        return BARRIERS | REGISTERS | GET_REGISTRATIONS;
    if (command == GET_REGISTRATIONS)
        return registered;
    if (command < 0 || command & (command - 1) || !(command & (BARRIERS | REGISTERS)))
        return -EINVAL;
    if (command & REGISTERS) {
        registered |= command;
        return 0;
    }
    /* One that registers is the double of the command. */
    if (command & (PRIVATE_EXPEDITED | PRIVATE_EXPEDITED_SYNC_CORE) && !(registered & command << 1))
        return -EPERM;
    if (arch_cpus_fence)
        arch_cpus_fence();
    return 0;
}
