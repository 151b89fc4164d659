/* SPDX-License-Identifier: BSD-3-Clause
 *
 * sethostname and setdomainname: what uname tells afterwards.
 * native: skip it would rename the host
 * expect-stdout: ok
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    char longest[64];
    struct utsname u;
    memset(longest, 'h', sizeof longest);
    CHECK_EQ(syscall(SYS_sethostname, longest, 64), 0);
    CHECK_EQ(syscall(SYS_setdomainname, "example.org", 7), 0);
    CHECK_EQ(uname(&u), 0);
    CHECK(memcmp(u.nodename, longest, 64) == 0 && u.nodename[64] == 0);
    CHECK(strcmp(u.domainname, "example") == 0);
    CHECK_EQ(syscall(SYS_sethostname, "short", 5), 0);
    CHECK_EQ(uname(&u), 0);
    CHECK(strcmp(u.nodename, "short") == 0); /* nothing of the old one behind it */
    CHECK_EQ(syscall(SYS_sethostname, "", 0), 0);
    CHECK_EQ(uname(&u), 0);
    CHECK(strcmp(u.nodename, "") == 0);
    return check_done();
}
