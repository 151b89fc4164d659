/* SPDX-License-Identifier: BSD-3-Clause
 *
 * getrusage, times, sysinfo: time that is used is counted, time that is slept
 * is not.
 */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static long long used(int who) {
    struct rusage u;
    CHECK_EQ(syscall(SYS_getrusage, who, &u), 0);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000ll + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static long long now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

static void work(long long us) {
    long long end = now(CLOCK_PROCESS_CPUTIME_ID) + us;
    while (now(CLOCK_PROCESS_CPUTIME_ID) < end) {
    }
}

static void working_counts(void) {
    long long before = used(RUSAGE_SELF);
    work(50000);
    CHECK(used(RUSAGE_SELF) - before >= 40000);
    CHECK(used(RUSAGE_THREAD) >= 40000);
    CHECK_EQ(used(RUSAGE_CHILDREN), 0);
}

static void sleeping_does_not(void) {
    long long before = used(RUSAGE_SELF);
    struct timespec t = {0, 100000000};
    CHECK_EQ(nanosleep(&t, NULL), 0);
    CHECK(used(RUSAGE_SELF) - before < 80000);
}

static void errors(void) {
    struct rusage u;
    CHECK_EQ(syscall(SYS_getrusage, RUSAGE_SELF, &u), 0);
    CHECK(u.ru_maxrss > 0);
    CHECK_ERRNO(syscall(SYS_getrusage, 5, &u), EINVAL);
    CHECK_ERRNO(syscall(SYS_getrusage, -2, &u), EINVAL);
    CHECK_ERRNO(syscall(SYS_getrusage, RUSAGE_SELF, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_times, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_sysinfo, 8), EFAULT);
}

static void ticks(void) {
    struct tms t;
    long first = syscall(SYS_times, &t);
    CHECK(t.tms_utime + t.tms_stime >= 3); /* of 10 ms: the work above */
    CHECK_EQ(t.tms_cutime, 0);
    CHECK_EQ(t.tms_cstime, 0);
    struct timespec sleep = {0, 60000000};
    nanosleep(&sleep, NULL);
    CHECK(syscall(SYS_times, NULL) - first >= 5);
}

static void machine(void) {
    struct sysinfo s;
    CHECK_EQ(syscall(SYS_sysinfo, &s), 0);
    CHECK(s.uptime > 0);
    CHECK(s.totalram > s.freeram && s.freeram > 0);
    CHECK(s.mem_unit > 0);
    CHECK(s.procs > 0);
    CHECK_EQ(s.totalhigh, 0);
}

int main(void) {
    working_counts();
    sleeping_does_not();
    errors();
    ticks();
    machine();
    return check_done();
}
