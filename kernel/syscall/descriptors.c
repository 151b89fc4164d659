/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls on descriptors and open files that few programs need: dup,
 * fcntl, fsync, close_range.
 */
#include "fs/pipe.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"
#include "vfs/file.h"
#include "vfs/inode.h"

/* Nothing is kept back: what a write took is where it will stay.  Pipes and
 * devices keep nothing at all. */
static long sync_file(int fd) {
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    bool stored = f->ops->truncate || (f->inode && inode_is(f->inode, S_IFDIR));
    long error = f->flags & O_PATH ? -EBADF : stored ? 0 : -EINVAL;
    file_put(f);
    return error;
}

SYSCALL_HANDLER(fsync) {
    return sync_file((int)a);
}

SYSCALL_HANDLER(fdatasync) {
    return sync_file((int)a);
}

/* ---- copies of descriptors ----------------------------------------------- */

static long dup_from(int fd, int lowest, bool cloexec) {
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    if ((unsigned)lowest >= fd_limit) {
        file_put(f);
        return -EINVAL;
    }
    long new = fd_install(f, lowest, cloexec);
    if (new < 0)
        file_put(f);
    return new;
}

static long dup_to(int fd, int to, bool cloexec) {
    if ((unsigned)to >= fd_limit)
        return -EBADF;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long new = fd_replace(to, f, cloexec);
    if (new < 0)
        file_put(f);
    return new;
}

SYSCALL_HANDLER(dup) {
    return dup_from((int)a, 0, false);
}

SYSCALL_HANDLER(dup2) {
    if (a == b) {
        struct file *file = fd_get((int)a);
        if (!file)
            return -EBADF;
        file_put(file);
        return (int)a;
    }
    return dup_to((int)a, (int)b, false);
}

SYSCALL_HANDLER(dup3) {
    if (((unsigned)c & ~O_CLOEXEC) || (int)a == (int)b)
        return -EINVAL;
    return dup_to((int)a, (int)b, c != 0);
}

SYSCALL_HANDLER(close_range) {
    unsigned first = (unsigned)a, last = (unsigned)b, flags = (unsigned)c;
    if (flags & ~6u || first > last) /* CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC */
        return -EINVAL;
    for (int fd = first < FD_MAX ? fd_next((int)first) : -1; fd >= 0 && (unsigned)fd <= last;
         fd = fd_next(fd + 1)) {
        if (flags & 4)
            fd_set_cloexec(fd, true);
        else
            fd_close(fd);
    }
    return 0;
}

/* ---- fcntl --------------------------------------------------------------- */

/* Of the flags only these can be changed later. */
#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

/* Locks are between processes, and there is one: a lock is always granted. */
static long get_lock(vaddr_t lock) {
    int16_t type;
    if (user_read(&type, lock, sizeof(type)) < 0)
        return -EFAULT;
    if (type != 0 && type != 1) /* F_RDLCK, F_WRLCK */
        return -EINVAL;
    type = 2; /* F_UNLCK: nobody is in the way */
    return user_write(lock, &type, sizeof(type));
}

static long set_lock(vaddr_t lock) {
    int16_t type;
    if (user_read(&type, lock, sizeof(type)) < 0)
        return -EFAULT;
    return (uint16_t)type > 2 ? -EINVAL : 0;
}

static long control(struct file *f, int fd, unsigned command, unsigned long arg) {
    if (f->flags & O_PATH && command != F_GETFD && command != F_SETFD && command != F_GETFL)
        return -EBADF;
    switch (command) {
    case F_GETFD:
        return fd_cloexec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
        fd_set_cloexec(fd, arg & FD_CLOEXEC);
        return 0;
    case F_GETFL:
        return f->flags;
    case F_SETFL:
        f->flags = (f->flags & ~SETFL_MASK) | ((uint32_t)arg & SETFL_MASK);
        return 0;
    case F_GETLK:
    case F_OFD_GETLK:
        return get_lock(arg);
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return set_lock(arg);
    case F_GETOWN:
    case F_SETOWN:
        return 0;
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
        return pipe_resize ? pipe_resize(f, command == F_SETPIPE_SZ, (unsigned)arg) : -EBADF;
    default:
        return -EINVAL;
    }
}

SYSCALL_HANDLER(fcntl) {
    unsigned command = (unsigned)b;
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        return dup_from((int)a, (int)c, command == F_DUPFD_CLOEXEC);
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    long result = control(file, (int)a, command, c);
    file_put(file);
    return result;
}
