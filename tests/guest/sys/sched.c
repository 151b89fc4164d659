/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Scheduling: yielding, CPUs, policies, priorities.  Real-time policies are
 * not asked for: whether they are granted is the machine's matter.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { NOBODY = 99999999, DEADLINE = 6 };

static void cpus(void) {
    unsigned long set[16] = {0};
    unsigned cpu = 999, node = 999;
    CHECK_EQ(sched_yield(), 0);
    long size = syscall(SYS_sched_getaffinity, 0, sizeof set, set);
    CHECK(size >= 8 && size % 8 == 0);
    CHECK(set[0] != 0);
    CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 4, set), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, 0, set), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getaffinity, NOBODY, sizeof set, set), ESRCH);
    CHECK_ERRNO(syscall(SYS_sched_getaffinity, 0, sizeof set, 8), EFAULT);
    CHECK_EQ(syscall(SYS_getcpu, &cpu, &node, NULL), 0);
    CHECK(cpu < 1024 && (set[cpu / 64] >> cpu % 64 & 1));
    CHECK(node < 1024);
    CHECK_EQ(syscall(SYS_getcpu, NULL, NULL, NULL), 0);
    CHECK_ERRNO(syscall(SYS_getcpu, 8, NULL, NULL), EFAULT);
    CHECK_EQ(syscall(SYS_sched_setaffinity, 0, sizeof set, set), 0);
    unsigned long none[16] = {0};
    CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof none, none), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setaffinity, NOBODY, sizeof set, set), ESRCH);
    CHECK_ERRNO(syscall(SYS_sched_setaffinity, 0, sizeof set, 8), EFAULT);
    unsigned long one[16] = {set[0] & -set[0]};
    CHECK_EQ(syscall(SYS_sched_setaffinity, 0, sizeof one, one), 0);
    CHECK_EQ(syscall(SYS_sched_getaffinity, 0, sizeof set, set), size);
    CHECK_EQ(set[0], one[0]);
}

static void policies(void) {
    int priority = 7;
    CHECK_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
    CHECK_ERRNO(syscall(SYS_sched_getscheduler, -1), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getscheduler, NOBODY), ESRCH);
    CHECK_EQ(syscall(SYS_sched_getparam, 0, &priority), 0);
    CHECK_EQ(priority, 0);
    CHECK_ERRNO(syscall(SYS_sched_getparam, 0, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getparam, 0, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_sched_getparam, -1, &priority), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_getparam, NOBODY, &priority), ESRCH);
    CHECK_EQ(syscall(SYS_sched_setparam, 0, &priority), 0);
    CHECK_ERRNO(syscall(SYS_sched_setparam, 0, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setparam, 0, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_sched_setparam, NOBODY, &priority), ESRCH);
    CHECK_EQ(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &priority), 0);
    CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, 44, &priority), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, -1, &priority), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setscheduler, NOBODY, SCHED_OTHER, &priority), ESRCH);
    CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &priority), EINVAL);
    priority = 3; /* only real time has priorities */
    CHECK_ERRNO(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &priority), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_setparam, 0, &priority), EINVAL);
}

static void ranges(void) {
    static const struct {
        int policy, min, max;
    } known[] = {{SCHED_OTHER, 0, 0}, {SCHED_FIFO, 1, 99}, {SCHED_RR, 1, 99},
                 {SCHED_BATCH, 0, 0}, {SCHED_IDLE, 0, 0},  {DEADLINE, 0, 0}};
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        CHECK_EQ(sched_get_priority_min(known[i].policy), known[i].min);
        CHECK_EQ(sched_get_priority_max(known[i].policy), known[i].max);
    }
    CHECK_ERRNO(sched_get_priority_min(4), EINVAL);
    CHECK_ERRNO(sched_get_priority_max(4), EINVAL);
    CHECK_ERRNO(sched_get_priority_max(-1), EINVAL);
    struct timespec slice = {-1, -1};
    CHECK_EQ(syscall(SYS_sched_rr_get_interval, 0, &slice), 0);
    CHECK(slice.tv_sec >= 0 && slice.tv_nsec >= 0 && slice.tv_nsec < 1000000000);
    CHECK_ERRNO(syscall(SYS_sched_rr_get_interval, -1, &slice), EINVAL);
    CHECK_ERRNO(syscall(SYS_sched_rr_get_interval, NOBODY, &slice), ESRCH);
    CHECK_ERRNO(syscall(SYS_sched_rr_get_interval, 0, 8), EFAULT);
}

/* The call gives 20 - nice, so that it is never negative. */
static void niceness(void) {
    CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 20);
    CHECK_EQ(syscall(SYS_setpriority, PRIO_PROCESS, 0, 5), 0);
    CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 15);
    CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, getpid()), 15);
    CHECK_EQ(syscall(SYS_setpriority, PRIO_PROCESS, 0, 99), 0); /* 19 is the most */
    CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 1);
    CHECK_ERRNO(syscall(SYS_getpriority, 3, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_getpriority, PRIO_PROCESS, NOBODY), ESRCH);
    CHECK_ERRNO(syscall(SYS_setpriority, 3, 0, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_setpriority, PRIO_PROCESS, NOBODY, 0), ESRCH);
    if (geteuid() == 0) { /* an ordinary user may only become nicer */
        CHECK_EQ(syscall(SYS_setpriority, PRIO_PROCESS, 0, 10), 0);
        CHECK_EQ(syscall(SYS_setresuid, 5, 5, 5), 0);
        CHECK_EQ(syscall(SYS_getpriority, PRIO_PROCESS, 0), 10);
    }
    CHECK_EQ(syscall(SYS_setpriority, PRIO_PROCESS, 0, 19), 0);
    CHECK_ERRNO(syscall(SYS_setpriority, PRIO_PROCESS, 0, 1), EACCES);
}

int main(void) {
    cpus();
    policies();
    ranges();
    niceness();
    return check_done();
}
