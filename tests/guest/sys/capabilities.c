/* SPDX-License-Identifier: BSD-3-Clause
 *
 * capget, and what is left when root becomes an ordinary user.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static struct __user_cap_data_struct data[2];

static long get(unsigned version, int pid, void *out, unsigned *version_after) {
    struct __user_cap_header_struct header = {version, pid};
    long result = syscall(SYS_capget, &header, out);
    *version_after = header.version;
    return result;
}

int main(void) {
    unsigned version;
    /* An unknown version is answered with the newest. */
    CHECK_EQ(get(0, 0, NULL, &version), 0);
    CHECK_EQ(version, _LINUX_CAPABILITY_VERSION_3);
    CHECK_ERRNO(get(0, 0, data, &version), EINVAL);
    CHECK_EQ(version, _LINUX_CAPABILITY_VERSION_3);
    CHECK_ERRNO(get(_LINUX_CAPABILITY_VERSION_3, -1, data, &version), EINVAL);
    CHECK_ERRNO(get(_LINUX_CAPABILITY_VERSION_3, 99999999, data, &version), ESRCH);
    CHECK_ERRNO(get(_LINUX_CAPABILITY_VERSION_3, 0, (void *)8, &version), EFAULT);
    CHECK_ERRNO(syscall(SYS_capget, 8, data), EFAULT);
    CHECK_EQ(get(_LINUX_CAPABILITY_VERSION_3, getpid(), data, &version), 0);
    int root = geteuid() == 0;
    CHECK_EQ((data[0].effective >> CAP_SETUID) & 1, root);
    CHECK_EQ(data[0].effective & ~data[0].permitted, 0);
    CHECK_EQ(data[1].effective >> 9, 0); /* none above the last known */
    if (root) {
        CHECK_EQ(syscall(SYS_setresuid, 5, 5, 5), 0);
        CHECK_EQ(get(_LINUX_CAPABILITY_VERSION_3, 0, data, &version), 0);
        CHECK_EQ(data[0].effective | data[0].permitted | data[1].effective | data[1].permitted, 0);
    }
    return check_done();
}
