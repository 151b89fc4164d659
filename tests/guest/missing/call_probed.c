/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calls that programs probe on purpose answer ENOSYS by default, silently.
 * native: skip Linux provides them
 * expect-stdout: ok
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    CHECK_ERRNO(syscall(SYS_rseq, NULL, 0, 0, 0), ENOSYS);
    CHECK_ERRNO(syscall(SYS_clone3, NULL, 0), ENOSYS);
    CHECK_ERRNO(syscall(SYS_io_uring_setup, 8, NULL), ENOSYS);
    return check_done();
}
