/* SPDX-License-Identifier: BSD-3-Clause
 *
 * arch_prctl(ARCH_SET_FS) and GET_FS; a bad address is refused.
 * isolate: test
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    enum { SET_FS = 0x1002, GET_FS = 0x1003 };
    unsigned long base = 0, self;
    CHECK_EQ(syscall(SYS_arch_prctl, GET_FS, &base), 0);
    __asm__("mov %%fs:0, %0" : "=r"(self));
    CHECK_EQ(base, self);
    CHECK_EQ(syscall(SYS_arch_prctl, SET_FS, base), 0);
    CHECK_ERRNO(syscall(SYS_arch_prctl, SET_FS, 0x8000000000000000), EPERM);
    CHECK_ERRNO(syscall(SYS_arch_prctl, 0x7777, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_arch_prctl, GET_FS, 8), EFAULT);
    return check_done();
}
