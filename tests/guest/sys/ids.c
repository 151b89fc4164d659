/* SPDX-License-Identifier: BSD-3-Clause
 *
 * User, group, process, group and session ids: who may take which.  What only
 * root may do is tried only where the test runs as root.  The C library wraps
 * the setting calls for its threads; the calls themselves are meant.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static void users_are(unsigned real, unsigned effective, unsigned saved) {
    unsigned r = 77, e = 77, s = 77;
    CHECK_EQ(syscall(SYS_getresuid, &r, &e, &s), 0);
    CHECK_EQ(r, real);
    CHECK_EQ(e, effective);
    CHECK_EQ(s, saved);
    CHECK_EQ(getuid(), real);
    CHECK_EQ(geteuid(), effective);
}

static void groups_are(unsigned real, unsigned effective, unsigned saved) {
    unsigned r = 77, e = 77, s = 77;
    CHECK_EQ(syscall(SYS_getresgid, &r, &e, &s), 0);
    CHECK_EQ(r, real);
    CHECK_EQ(e, effective);
    CHECK_EQ(s, saved);
    CHECK_EQ(getgid(), real);
    CHECK_EQ(getegid(), effective);
}

static void errors_for_all(void) {
    unsigned id;
    CHECK_ERRNO(syscall(SYS_setuid, -1), EINVAL);
    CHECK_ERRNO(syscall(SYS_setgid, -1), EINVAL);
    CHECK_EQ(syscall(SYS_setreuid, -1, -1), 0);
    CHECK_EQ(syscall(SYS_setregid, -1, -1), 0);
    CHECK_EQ(syscall(SYS_setresuid, -1, -1, -1), 0);
    CHECK_EQ(syscall(SYS_setresgid, -1, -1, -1), 0);
    CHECK_ERRNO(syscall(SYS_getresuid, 8, &id, &id), EFAULT);
    CHECK_ERRNO(syscall(SYS_getresuid, &id, &id, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_getresgid, &id, 8, &id), EFAULT);
    CHECK_EQ(setfsuid(-1), geteuid()); /* only tells */
    CHECK_EQ(setfsgid(-1), getegid());
    CHECK(syscall(SYS_getgroups, 0, NULL) >= 0);
    CHECK_ERRNO(syscall(SYS_getgroups, -1, NULL), EINVAL);
}

static void root_swaps_groups(void) {
    CHECK_EQ(syscall(SYS_setregid, 5, 6), 0);
    groups_are(5, 6, 6); /* the real one was set: the saved one follows */
    CHECK_EQ(syscall(SYS_setresgid, 7, 8, 9), 0);
    groups_are(7, 8, 9);
    CHECK_EQ(syscall(SYS_setresgid, -1, 10, -1), 0);
    groups_are(7, 10, 9);
    CHECK_EQ(setfsgid(11), 10);
    CHECK_EQ(setfsgid(-1), 11);
    CHECK_EQ(syscall(SYS_setgid, 12), 0);
    groups_are(12, 12, 12);
    CHECK_EQ(setfsgid(-1), 12); /* follows the effective one */
    CHECK_EQ(syscall(SYS_setgroups, 0, NULL), 0);
    CHECK_EQ(syscall(SYS_getgroups, 0, NULL), 0);
    CHECK_ERRNO(syscall(SYS_setgroups, 65537, NULL), EINVAL);
}

static void root_becomes_a_user(void) {
    CHECK_EQ(syscall(SYS_setresuid, 21, 0, 22), 0);
    users_are(21, 0, 22);
    CHECK_EQ(syscall(SYS_setreuid, -1, 21), 0); /* effective is the real one: nothing is saved */
    users_are(21, 21, 22);
    CHECK_EQ(syscall(SYS_setreuid, -1, 22), 0); /* back to what was saved; saves it again */
    users_are(21, 22, 22);
    CHECK_EQ(syscall(SYS_setuid, 21), 0); /* an ordinary user: only the effective one */
    users_are(21, 21, 22);
    CHECK_EQ(syscall(SYS_setresuid, 22, 22, 21), 0);
    users_are(22, 22, 21);
}

static void a_user_may_not(void) {
    CHECK_ERRNO(syscall(SYS_setuid, 0), EPERM);
    CHECK_ERRNO(syscall(SYS_setreuid, 0, -1), EPERM);
    CHECK_ERRNO(syscall(SYS_setreuid, -1, 0), EPERM);
    CHECK_ERRNO(syscall(SYS_setreuid, 21, -1), EPERM); /* the saved id cannot become the real one */
    CHECK_ERRNO(syscall(SYS_setresuid, -1, -1, 0), EPERM);
    CHECK_ERRNO(syscall(SYS_setgid, 0), EPERM);
    CHECK_ERRNO(syscall(SYS_setregid, 0, -1), EPERM);
    CHECK_ERRNO(syscall(SYS_setresgid, 0, -1, -1), EPERM);
    CHECK_ERRNO(syscall(SYS_setgroups, 0, NULL), EPERM);
    CHECK_EQ(setfsuid(0), 22); /* no error: it stays */
    CHECK_EQ(setfsuid(21), 22);
    CHECK_EQ(setfsuid(22), 21);
    users_are(22, 22, 21);
    groups_are(12, 12, 12);
}

static void processes(void) {
    CHECK(getpid() > 0);
    CHECK(syscall(SYS_getpgrp) > 0);
    CHECK_EQ(getpgid(0), syscall(SYS_getpgrp));
    CHECK_EQ(getpgid(getpid()), getpgid(0));
    CHECK(getsid(0) > 0);
    CHECK_EQ(getsid(getpid()), getsid(0));
    CHECK_ERRNO(getpgid(999999), ESRCH);
    CHECK_ERRNO(getpgid(-1), ESRCH);
    CHECK_ERRNO(getsid(999999), ESRCH);
    CHECK_ERRNO(setpgid(0, -1), EINVAL);
    CHECK_ERRNO(setpgid(999999, 0), ESRCH);
    CHECK(getppid() >= 0); /* 0 for the first process */
}

/* Whoever leads its group cannot have a new session. */
static void sessions(void) {
    if (getpgrp() != getpid()) {
        CHECK_EQ(setpgid(0, 0), 0);
    }
    CHECK_EQ(getpgrp(), getpid());
    CHECK_ERRNO(setsid(), EPERM);
}

int main(void) {
    processes();
    sessions();
    errors_for_all();
    if (geteuid() == 0) {
        root_swaps_groups();
        root_becomes_a_user();
        a_user_may_not();
    }
    return check_done();
}
