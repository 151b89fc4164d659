/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Extended attributes: there are none, and no file takes any, as on Linux's
 * ramfs; the arguments are checked as there (fs/xattr.c).
 */
#include "lib/align.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/path.h"
#include "syscall/syscall.h"

#define NAME_MAX 255u
#define VALUE_MAX 65536u
#define XATTR_CREATE 1u
#define XATTR_REPLACE 2u

static long check_name(vaddr_t at) {
    char name[NAME_MAX + 1];
    long length = user_read_string(name, at, sizeof name);
    return length == 0 || length == -ENAMETOOLONG ? -ERANGE : length < 0 ? length : 0;
}

static long check_set(vaddr_t name, vaddr_t value, uint64_t size, unsigned flags) {
    char byte;
    long error = flags & ~(XATTR_CREATE | XATTR_REPLACE) ? -EINVAL : check_name(name);
    if (error)
        return error;
    if (size > VALUE_MAX)
        return -E2BIG;
    return size && (user_read(&byte, value, 1) || user_read(&byte, value + size - 1, 1)) ? -EFAULT
                                                                                         : 0;
}

/* What the call says when its arguments are good and there is such a file. */
static long at_path(vaddr_t path, unsigned at_flags, long result) {
    struct inode *i;
    long error = inode_at(AT_FDCWD, path, at_flags, &i);
    if (!error)
        inode_put(i);
    return error ? error : result;
}

static long at_fd(int fd, long result) {
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    if (f->flags & O_PATH)
        result = -EBADF;
    file_put(f);
    return result;
}

SYSCALL_HANDLER(setxattr) {
    long error = check_set(b, c, d, (unsigned)e);
    return error ? error : at_path(a, 0, -EOPNOTSUPP);
}

SYSCALL_HANDLER(lsetxattr) {
    long error = check_set(b, c, d, (unsigned)e);
    return error ? error : at_path(a, AT_SYMLINK_NOFOLLOW, -EOPNOTSUPP);
}

SYSCALL_HANDLER(fsetxattr) {
    long error = check_set(b, c, d, (unsigned)e);
    return error ? error : at_fd((int)a, -EOPNOTSUPP);
}

SYSCALL_HANDLER(getxattr) {
    long error = check_name(b);
    return error ? error : at_path(a, 0, -EOPNOTSUPP);
}

SYSCALL_HANDLER(lgetxattr) {
    long error = check_name(b);
    return error ? error : at_path(a, AT_SYMLINK_NOFOLLOW, -EOPNOTSUPP);
}

SYSCALL_HANDLER(fgetxattr) {
    long error = check_name(b);
    return error ? error : at_fd((int)a, -EOPNOTSUPP);
}

SYSCALL_HANDLER(listxattr) {
    return at_path(a, 0, 0);
}

SYSCALL_HANDLER(llistxattr) {
    return at_path(a, AT_SYMLINK_NOFOLLOW, 0);
}

SYSCALL_HANDLER(flistxattr) {
    return at_fd((int)a, 0);
}

SYSCALL_HANDLER(removexattr) {
    long error = check_name(b);
    return error ? error : at_path(a, 0, -EOPNOTSUPP);
}

SYSCALL_HANDLER(lremovexattr) {
    long error = check_name(b);
    return error ? error : at_path(a, AT_SYMLINK_NOFOLLOW, -EOPNOTSUPP);
}

SYSCALL_HANDLER(fremovexattr) {
    long error = check_name(b);
    return error ? error : at_fd((int)a, -EOPNOTSUPP);
}
