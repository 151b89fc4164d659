/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who am I: stable answers of the right kind.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    CHECK(getpid() > 0);
    CHECK_EQ(getpid(), syscall(SYS_gettid));
    CHECK_EQ(getuid(), geteuid());
    CHECK_EQ(getgid(), getegid());
    struct rlimit r;
    CHECK_EQ(getrlimit(RLIMIT_STACK, &r), 0);
    CHECK(r.rlim_cur >= 65536);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &r), 0);
    CHECK(r.rlim_cur >= 64);
    CHECK_ERRNO(getrlimit(99, &r), EINVAL);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    struct sysinfo s;
    CHECK_EQ(sysinfo(&s), 0);
    CHECK(s.totalram * s.mem_unit > 1 << 20);
    CHECK(s.freeram <= s.totalram);
    return check_done();
}
