/* SPDX-License-Identifier: BSD-3-Clause
 *
 * uname, and what sethostname and setdomainname refuse.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    struct utsname u;
    memset(&u, 'x', sizeof u);
    CHECK_EQ(syscall(SYS_uname, &u), 0);
    CHECK(strcmp(u.sysname, "Linux") == 0);
    CHECK(strcmp(u.machine, "x86_64") == 0);
    CHECK(u.nodename[0] != 0 && strlen(u.nodename) < sizeof u.nodename);
    CHECK(u.release[0] >= '1' && u.release[0] <= '9'); /* programs parse it */
    CHECK(strchr(u.release, '.') != NULL);
    CHECK(u.version[0] == '#');
    CHECK_ERRNO(syscall(SYS_uname, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_sethostname, "x", 65), EINVAL);
    CHECK_ERRNO(syscall(SYS_sethostname, "x", -1), EINVAL);
    CHECK_ERRNO(syscall(SYS_sethostname, 8, 4), EFAULT);
    CHECK_ERRNO(syscall(SYS_setdomainname, "x", 65), EINVAL);
    CHECK_ERRNO(syscall(SYS_setdomainname, "x", -1), EINVAL);
    CHECK_ERRNO(syscall(SYS_setdomainname, 8, 4), EFAULT);
    if (geteuid() == 0) {
        CHECK_EQ(syscall(SYS_setresuid, 5, 5, 5), 0);
    }
    if (geteuid() == 0) { /* never for real on the host */
        return check_done();
    }
    CHECK_ERRNO(syscall(SYS_sethostname, "x", 1), EPERM);
    CHECK_ERRNO(syscall(SYS_setdomainname, "x", 1), EPERM);
    return check_done();
}
