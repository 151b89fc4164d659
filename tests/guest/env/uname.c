/* SPDX-License-Identifier: BSD-3-Clause
 *
 * uname names a Linux on x86_64, for programs that look.
 */
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    struct utsname u;
    CHECK_EQ(uname(&u), 0);
    CHECK(strcmp(u.sysname, "Linux") == 0);
    CHECK(strcmp(u.machine, "x86_64") == 0);
    CHECK(u.release[0] >= '3' && u.release[0] <= '9'); /* glibc refuses older ones */
    CHECK(u.nodename[0] != 0);
    return check_done();
}
