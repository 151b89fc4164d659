/* SPDX-License-Identifier: BSD-3-Clause
 *
 * getrlimit, setrlimit, prlimit64: what is told, what may be changed, and that
 * the limit of open files is kept.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static void all_are_known(void) {
    struct rlimit l;
    for (int i = 0; i < 16; i++) {
        CHECK_EQ(syscall(SYS_getrlimit, i, &l), 0);
        CHECK(l.rlim_cur <= l.rlim_max);
    }
    CHECK_ERRNO(syscall(SYS_getrlimit, 16, &l), EINVAL);
    CHECK_ERRNO(syscall(SYS_getrlimit, -1, &l), EINVAL);
    CHECK_ERRNO(syscall(SYS_setrlimit, 16, &l), EINVAL);
    CHECK_ERRNO(syscall(SYS_prlimit64, 0, 16, NULL, &l), EINVAL);
    CHECK_ERRNO(syscall(SYS_getrlimit, RLIMIT_NOFILE, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_setrlimit, RLIMIT_NOFILE, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 8, NULL), EFAULT);
    CHECK_ERRNO(syscall(SYS_prlimit64, 99999999, RLIMIT_NOFILE, NULL, &l), ESRCH);
}

static void open_files_are_limited(void) {
    struct rlimit l, old;
    CHECK_EQ(syscall(SYS_getrlimit, RLIMIT_NOFILE, &l), 0);
    rlim_t before = l.rlim_cur;
    CHECK_EQ(dup2(1, 100), 100);
    l.rlim_cur = 64;
    CHECK_EQ(syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, &l, &old), 0);
    CHECK_EQ(old.rlim_cur, before);
    CHECK_ERRNO(dup2(1, 64), EBADF);
    CHECK_EQ(dup2(1, 63), 63);
    CHECK_ERRNO(fcntl(1, F_DUPFD, 64), EINVAL);
    CHECK_ERRNO(fcntl(1, F_DUPFD, 63), EMFILE); /* 63 is taken, above is nothing */
    int fd = 0, made = 0;
    while ((fd = dup(1)) >= 0) {
        made++;
    }
    CHECK_ERRNO(dup(1), EMFILE);
    CHECK_EQ(made, 60); /* 3 to 62 */
    CHECK_ERRNO(open("/dev/null", O_RDONLY), EMFILE);
    CHECK_EQ(close(100), 0); /* what was open stays open */
    for (fd = 3; fd < 64; fd++) {
        CHECK_EQ(close(fd), 0);
    }
    l.rlim_cur = before;
    CHECK_EQ(syscall(SYS_setrlimit, RLIMIT_NOFILE, &l), 0);
    CHECK_EQ(dup2(1, 64), 64);
    CHECK_EQ(close(64), 0);
}

static void soft_and_hard(void) {
    struct rlimit l = {10, 5};
    CHECK_ERRNO(syscall(SYS_setrlimit, RLIMIT_CPU, &l), EINVAL);
    l = (struct rlimit){1 << 20, 1 << 21};
    CHECK_EQ(syscall(SYS_setrlimit, RLIMIT_FSIZE, &l), 0);
    memset(&l, 0, sizeof l);
    CHECK_EQ(syscall(SYS_getrlimit, RLIMIT_FSIZE, &l), 0);
    CHECK_EQ(l.rlim_cur, 1 << 20);
    CHECK_EQ(l.rlim_max, 1 << 21);
    struct rlimit more = {1 << 20, 1 << 22};
    if (geteuid() == 0) { /* what was lowered no ordinary user raises */
        CHECK_EQ(syscall(SYS_setresuid, 5, 5, 5), 0);
    }
    CHECK_ERRNO(syscall(SYS_setrlimit, RLIMIT_FSIZE, &more), EPERM);
    l.rlim_max = 1 << 20;
    CHECK_EQ(syscall(SYS_setrlimit, RLIMIT_FSIZE, &l), 0);
}

int main(void) {
    all_are_known();
    open_files_are_limited();
    soft_and_hard();
    return check_done();
}
