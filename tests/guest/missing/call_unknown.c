/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A number that is no system call of Linux answers ENOSYS, as Linux does.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    CHECK_ERRNO(syscall(5000), ENOSYS);
    CHECK_ERRNO(syscall(-1), ENOSYS);
    CHECK_ERRNO(syscall(0x7fffffff), ENOSYS);
    CHECK_ERRNO(syscall(0x40000000), ENOSYS);
    return check_done();
}
