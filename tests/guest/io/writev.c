/* SPDX-License-Identifier: BSD-3-Clause
 *
 * writev: parts in order, empty parts, the sum as result; its errors.
 */
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    struct iovec v[5] = {{"one ", 4}, {"", 0}, {"two ", 4}, {NULL, 0}, {"three\n", 6}};
    CHECK_EQ(writev(1, v, 5), 14);
    CHECK_EQ(writev(1, v, 0), 0);
    CHECK_ERRNO(writev(1, v, -1), EINVAL);
    CHECK_ERRNO(writev(1, v, IOV_MAX + 1), EINVAL);
    CHECK_ERRNO(writev(9, v, 1), EBADF);
    CHECK_ERRNO(writev(1, (void *)8, 1), EFAULT);
    struct iovec bad = {(void *)8, 3};
    CHECK_ERRNO(writev(1, &bad, 1), EFAULT);
    struct iovec huge[2] = {{"x", (size_t)-1}, {"y", 1}};
    CHECK_ERRNO(writev(1, huge, 2), EINVAL);
    return check_done();
}
