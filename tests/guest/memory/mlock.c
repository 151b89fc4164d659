/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mlock, mlock2, munlock, mlockall, munlockall.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { PAGE = 4096, ONFAULT = 1, CURRENT = 1, FUTURE = 2, ALL_ONFAULT = 4 };

int main(void) {
    char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char present[3];
    CHECK_EQ(syscall(SYS_mlock, p, 2 * PAGE), 0);
    CHECK_EQ(mincore(p, 3 * PAGE, present), 0);
    CHECK_EQ(present[0] & 1, 1); /* locking brings the pages */
    CHECK_EQ(present[1] & 1, 1);
    CHECK_EQ(present[2] & 1, 0);
    CHECK_EQ(p[PAGE], 0);
    CHECK_EQ(syscall(SYS_munlock, p, 2 * PAGE), 0);
    CHECK_EQ(syscall(SYS_mlock, p + 1, 10), 0); /* addresses are rounded down */
    CHECK_EQ(syscall(SYS_munlock, p + 1, 10), 0);
    CHECK_EQ(syscall(SYS_mlock, p, 0), 0);
    CHECK_EQ(syscall(SYS_munlock, p, 0), 0);
    CHECK_EQ(syscall(SYS_mlock2, p + 2 * PAGE, PAGE, ONFAULT), 0);
    CHECK_EQ(mincore(p, 3 * PAGE, present), 0);
    CHECK_EQ(present[2] & 1, 0); /* only when it is touched */
    CHECK_EQ(syscall(SYS_mlock2, p, PAGE, 0), 0);
    CHECK_ERRNO(syscall(SYS_mlock2, p, PAGE, 2), EINVAL);
    CHECK_EQ(munmap(p + PAGE, PAGE), 0);
    CHECK_ERRNO(syscall(SYS_mlock, p, 3 * PAGE), ENOMEM); /* a hole */
    CHECK_ERRNO(syscall(SYS_munlock, p, 3 * PAGE), ENOMEM);
    CHECK_ERRNO(syscall(SYS_mlock2, p + PAGE, PAGE, 0), ENOMEM);
    CHECK_EQ(munmap(p, PAGE), 0);
    CHECK_ERRNO(syscall(SYS_mlockall, 0), EINVAL);
    CHECK_ERRNO(syscall(SYS_mlockall, 8), EINVAL);
    CHECK_ERRNO(syscall(SYS_mlockall, ALL_ONFAULT), EINVAL); /* of what? */
    CHECK_EQ(syscall(SYS_mlockall, CURRENT | ALL_ONFAULT), 0);
    CHECK_EQ(syscall(SYS_munlockall), 0);
    return check_done();
}
