/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the machine is and how it is used: uname, sysinfo, resource usage,
 * scheduling parameters.  One scheduling class, in turns.
 */
#include "boot/bootinfo.h"
#include "clock/clock.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/frame.h"
#include "mm/user.h"
#include "netdev/netdev.h"
#include "syscall/linux.h"
#include "syscall/process.h"
#include "syscall/syscall.h"

/* ---- names --------------------------------------------------------------- */

#define DEFAULT_NAME "zuk"

static struct linux_utsname names = {
    .sysname = "Linux",
    .nodename = DEFAULT_NAME,
    .release = "6.12.0-zuk",
    .domainname = "(none)",
};

static const struct {
    uint16_t arch;
    char name[8];
} machines[] = {{IMAGE_X86_64, "x86_64"}, {IMAGE_AARCH64, "aarch64"}};

/* The version tells what is linked in: "#1 zuk CORE IO TIME". */
static void names_fill(void) {
    const struct image_manifest *m = bootinfo.manifest;
    if (netdev_host_name && !strcmp(names.nodename, DEFAULT_NAME)) {
        const char *host = netdev_host_name();
        memcpy(names.nodename, host, strnlen(host, sizeof(names.nodename) - 1) + 1);
    }
    const char *options = m->options ? (const char *)m + m->options : "";
    memcpy(names.version, "#1 zuk ", 7);
    memcpy(names.version + 7, options, strnlen(options, sizeof(names.version) - 8));
    for (unsigned i = 0; i < ARRAY_LEN(machines); i++) {
        if (machines[i].arch == m->arch)
            memcpy(names.machine, machines[i].name, sizeof(machines[i].name));
    }
}

SYSCALL_HANDLER(uname) {
    if (!names.machine[0])
        names_fill();
    return user_write(a, &names, sizeof(names));
}

static long set_node(char name[65], vaddr_t src, long length) {
    char new[65] = {0};
    if (process_is_root && !process_is_root())
        return -EPERM;
    if (length < 0 || length > 64)
        return -EINVAL;
    if (user_read(new, src, (size_t)length) < 0)
        return -EFAULT;
    memcpy(name, new, sizeof(new));
    return 0;
}

SYSCALL_HANDLER(sethostname) {
    return set_node(names.nodename, a, (int)b);
}

SYSCALL_HANDLER(setdomainname) {
    return set_node(names.domainname, a, (int)b);
}

/* ---- usage --------------------------------------------------------------- */

SYSCALL_HANDLER(sysinfo) {
    struct linux_sysinfo s = {
        .uptime = (int64_t)((clock_monotonic() + 999999999) / 1000000000),
        .totalram = frame_total() * PAGE_SIZE,
        .freeram = frame_free_count() * PAGE_SIZE,
        .mem_unit = 1,
    };
    list_for_each (node, &thread_all)
        s.procs++;
    return user_write(a, &s, sizeof(s));
}

SYSCALL_HANDLER(getrusage) {
    int who = (int)a;
    if (who < -1 || who > 1) /* RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD */
        return -EINVAL;
    struct linux_rusage u = {{0, 0}, {0, 0}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    if (who >= 0) {
        uint64_t us = (who == 1 ? thread_busy_ns(thread_current()) : sched_busy_ns()) / 1000;
        u.utime = (struct linux_timeval){(int64_t)(us / 1000000), (int64_t)(us % 1000000)};
        u.maxrss = (int64_t)(area_pages() * PAGE_SIZE / 1024);
    }
    return user_write(b, &u, sizeof(u));
}

SYSCALL_HANDLER(times) {
    int64_t ticks = (int64_t)(clock_monotonic() / 10000000); /* USER_HZ is 100 */
    int64_t busy = (int64_t)(sched_busy_ns() / 10000000);
    int64_t tms[4] = {busy, 0, 0, 0};
    if (a && user_write(a, tms, sizeof(tms)) < 0)
        return -EFAULT;
    return ticks;
}

/* ---- processors ---------------------------------------------------------- */

SYSCALL_HANDLER(getcpu) {
    uint32_t cpu = thread_current()->cpu, node = 0;
    if (a && user_write(a, &cpu, sizeof(cpu)) < 0)
        return -EFAULT;
    return b ? user_write(b, &node, sizeof(node)) : 0;
}

SYSCALL_HANDLER(sched_getaffinity) {
    const struct thread *t = thread_of((int)a);
    if (!((unsigned)b * 8) || (unsigned)b % sizeof(t->cpus))
        return -EINVAL;
    if (!t)
        return -ESRCH;
    uint64_t mask = t->cpus ? t->cpus : sched_cpu_set();
    return user_write(c, &mask, sizeof(mask)) < 0 ? -EFAULT : (long)sizeof(mask);
}

SYSCALL_HANDLER(sched_setaffinity) {
    uint64_t mask = 0;
    if (user_read(&mask, c, MIN((size_t)(unsigned)b, sizeof(mask))) < 0)
        return -EFAULT;
    struct thread *t = thread_of((int)a);
    if (!t)
        return -ESRCH;
    if (!(mask & sched_cpu_set()))
        return -EINVAL;
    if (sched_set_cpus)
        sched_set_cpus(t, mask);
    return 0;
}

/* ---- scheduling parameters ------------------------------------------------ */

enum {
    SCHED_OTHER = 0,
    SCHED_FIFO = 1,
    SCHED_RR = 2,
    SCHED_BATCH = 3,
    SCHED_IDLE = 5,
    SCHED_DEADLINE = 6, /* these have no priorities; cannot be asked for here */
    SCHED_EXT = 7
};

static bool is_real_time(int policy) {
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool is_policy(int policy) {
    return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE ||
           is_real_time(policy);
}

/* 0 when a thread may run under that policy.  Real time is refused: threads
 * take turns. */
static long check_policy(int id, int policy, vaddr_t param) {
    int32_t priority;
    if (!param || id < 0)
        return -EINVAL;
    if (user_read(&priority, param, sizeof(priority)) < 0)
        return -EFAULT;
    if (!thread_of(id))
        return -ESRCH;
    if (!is_policy(policy) || is_real_time(policy) != (priority != 0) || priority < 0 ||
        priority > 99)
        return -EINVAL;
    return is_real_time(policy) ? -EPERM : 0;
}

static uint8_t *policy_of(int id) {
    return &thread_of(id)->policy;
}

SYSCALL_HANDLER(sched_setparam) {
    struct thread *t = (int)a < 0 ? NULL : thread_of((int)a);
    return check_policy((int)a, t ? t->policy : SCHED_OTHER, b);
}

SYSCALL_HANDLER(sched_setscheduler) {
    long error = (int)b < 0 ? -EINVAL : check_policy((int)a, (int)b, c);
    if (!error)
        *policy_of((int)a) = (uint8_t)b;
    return error;
}

SYSCALL_HANDLER(sched_getscheduler) {
    if ((int)a < 0)
        return -EINVAL;
    return thread_of((int)a) ? *policy_of((int)a) : -ESRCH;
}

SYSCALL_HANDLER(sched_getparam) {
    int32_t priority = 0;
    if (!b || (int)a < 0)
        return -EINVAL;
    if (!thread_of((int)a))
        return -ESRCH;
    return user_write(b, &priority, sizeof(priority));
}

static long bound(int policy, long real_time) {
    if (!is_policy(policy) && policy != SCHED_DEADLINE && policy != SCHED_EXT)
        return -EINVAL;
    return is_real_time(policy) ? real_time : 0;
}

SYSCALL_HANDLER(sched_get_priority_max) {
    return bound((int)a, 99);
}

SYSCALL_HANDLER(sched_get_priority_min) {
    return bound((int)a, 1);
}

SYSCALL_HANDLER(sched_rr_get_interval) {
    struct linux_timespec slice = {0, 4000000};
    if ((int)a < 0)
        return -EINVAL;
    if (!thread_of((int)a))
        return -ESRCH;
    return user_write(b, &slice, sizeof(slice));
}
