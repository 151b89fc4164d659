/* SPDX-License-Identifier: BSD-3-Clause
 *
 * prctl, personality, set_robust_list and get_robust_list.
 */
#define _GNU_SOURCE
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static long control(int option, long a, long b, long c, long d) {
    return syscall(SYS_prctl, option, a, b, c, d);
}

static void names(void) {
    char name[17];
    memset(name, '-', sizeof name);
    CHECK_EQ(control(PR_GET_NAME, (long)name, 0, 0, 0), 0);
    CHECK(strcmp(name, "prctl") == 0); /* the program's at first */
    CHECK_EQ(control(PR_SET_NAME, (long)"a name that is too long", 0, 0, 0), 0);
    CHECK_EQ(control(PR_GET_NAME, (long)name, 0, 0, 0), 0);
    CHECK(strcmp(name, "a name that is ") == 0);
    CHECK_EQ(name[16], '-'); /* 16 bytes, no more */
    CHECK_ERRNO(control(PR_SET_NAME, 8, 0, 0, 0), EFAULT);
    CHECK_ERRNO(control(PR_GET_NAME, 8, 0, 0, 0), EFAULT);
}

static void dumping(void) {
    CHECK_EQ(control(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
    CHECK_EQ(control(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
    CHECK_EQ(control(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    CHECK_ERRNO(control(PR_SET_DUMPABLE, 2, 0, 0, 0), EINVAL);
    CHECK_EQ(control(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}

static void privileges(void) {
    CHECK_EQ(control(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    CHECK_ERRNO(control(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0), EINVAL);
    CHECK_ERRNO(control(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    CHECK_ERRNO(control(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    CHECK_EQ(control(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(control(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1); /* for good */
    CHECK_ERRNO(control(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
    CHECK_ERRNO(control(PR_CAPBSET_READ, 1000, 0, 0, 0), EINVAL);
    CHECK(control(PR_CAPBSET_READ, 7, 0, 0, 0) >= 0);
}

static void signals_and_timers(void) {
    int sig = 99;
    CHECK_ERRNO(control(PR_SET_PDEATHSIG, 65, 0, 0, 0), EINVAL);
    CHECK_EQ(control(PR_SET_PDEATHSIG, 9, 0, 0, 0), 0);
    CHECK_EQ(control(PR_GET_PDEATHSIG, (long)&sig, 0, 0, 0), 0);
    CHECK_EQ(sig, 9);
    CHECK_ERRNO(control(PR_GET_PDEATHSIG, 8, 0, 0, 0), EFAULT);
    CHECK_EQ(control(PR_SET_PDEATHSIG, 0, 0, 0, 0), 0);
    CHECK_EQ(control(PR_GET_TIMERSLACK, 0, 0, 0, 0), 50000);
    CHECK_EQ(control(PR_SET_TIMERSLACK, 70000, 0, 0, 0), 0);
    CHECK_EQ(control(PR_GET_TIMERSLACK, 0, 0, 0, 0), 70000);
    CHECK_EQ(control(PR_SET_TIMERSLACK, 0, 0, 0, 0), 0); /* back to the default */
    CHECK_EQ(control(PR_GET_TIMERSLACK, 0, 0, 0, 0), 50000);
    CHECK_ERRNO(control(99999, 0, 0, 0, 0), EINVAL);
}

static void personalities(void) {
    CHECK_EQ(syscall(SYS_personality, 0xffffffff), 0); /* only asks */
    CHECK_EQ(syscall(SYS_personality, ADDR_NO_RANDOMIZE), 0);
    CHECK_EQ(syscall(SYS_personality, 0xffffffff), ADDR_NO_RANDOMIZE);
    CHECK_EQ(syscall(SYS_personality, 0), ADDR_NO_RANDOMIZE);
}

static void robust_lists(void) {
    static struct {
        void *next;
        long offset;
        void *pending;
    } head = {&head, 0, NULL};
    void *told = NULL;
    size_t size = 0;
    CHECK_ERRNO(syscall(SYS_set_robust_list, &head, 23), EINVAL);
    CHECK_EQ(syscall(SYS_set_robust_list, &head, sizeof head), 0);
    CHECK_EQ(syscall(SYS_get_robust_list, 0, &told, &size), 0);
    CHECK(told == &head);
    CHECK_EQ(size, sizeof head);
    CHECK_EQ(syscall(SYS_get_robust_list, getpid(), &told, &size), 0);
    CHECK_ERRNO(syscall(SYS_get_robust_list, 99999999, &told, &size), ESRCH);
    CHECK_ERRNO(syscall(SYS_get_robust_list, 0, 8, &size), EFAULT);
    CHECK_ERRNO(syscall(SYS_get_robust_list, 0, &told, 8), EFAULT);
    CHECK_EQ(syscall(SYS_set_robust_list, NULL, sizeof head), 0);
}

int main(void) {
    names();
    dumping();
    privileges();
    signals_and_timers();
    personalities();
    robust_lists();
    return check_done();
}
