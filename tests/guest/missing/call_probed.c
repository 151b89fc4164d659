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
    CHECK_ERRNO(syscall(SYS_userfaultfd, 0), ENOSYS);
    CHECK_ERRNO(syscall(SYS_bpf, 0, NULL, 0), ENOSYS);
    return check_done();
}
