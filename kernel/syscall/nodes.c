/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mknod(2): FIFOs, sockets, device nodes (which nothing opens), empty files.
 */
#include "syscall/linux.h"
#include "syscall/path.h"
#include "syscall/syscall.h"

static long mknod_at(int dirfd, vaddr_t text, uint32_t mode, uint64_t rdev) {
    uint32_t type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
    if (type == S_IFDIR)
        return -EPERM;
    if (type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
        type != S_IFSOCK)
        return -EINVAL;
    return create_at(dirfd, text, type | (mode & 07777 & ~vfs_umask), NULL, rdev);
}

SYSCALL_HANDLER(mknod) {
    return mknod_at(AT_FDCWD, a, (uint32_t)b, c);
}

SYSCALL_HANDLER(mknodat) {
    return mknod_at((int)a, b, (uint32_t)c, d);
}
