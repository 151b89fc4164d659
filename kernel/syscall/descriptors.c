/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls on descriptors and open files that few programs need: dup,
 * fcntl, fsync, close_range.
 */
#include "fs/pipe.h"
#include "fs/ramfs.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/process.h"
#include "syscall/syscall.h"
#include "vfs/file.h"
#include "vfs/inode.h"
#include "vfs/lock.h"

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

struct linux_flock {
    int16_t type, whence;
    uint32_t pad;
    int64_t start, size;
    int32_t pid;
    uint32_t pad2;
};
_Static_assert(sizeof(struct linux_flock) == 32, "struct flock is an ABI");
enum { F_RDLCK, F_WRLCK, F_UNLCK };

/* Where a lock's positions count from; -EINVAL. */
static long lock_base(struct file *f, int whence, int64_t *base) {
    struct file_info info = {.size = 0};
    if ((unsigned)whence > SEEK_END)
        return -EINVAL;
    if (whence == SEEK_END && f->ops->info)
        f->ops->info(f, &info);
    *base = whence == SEEK_SET ? 0 : (int64_t)(whence == SEEK_CUR ? f->pos : info.size);
    return 0;
}

static long lock_range(struct file *f, const struct linux_flock *l, struct lock_request *r) {
    int64_t start, end = INT64_MAX;
    long error = lock_base(f, l->whence, &start);
    if (error)
        return error;
    if (__builtin_add_overflow(start, l->start, &start))
        return -EOVERFLOW;
    if (start < 0)
        return -EINVAL;
    if (l->size > 0 && __builtin_add_overflow(start, l->size - 1, &end))
        return -EOVERFLOW;
    if (l->size < 0) {
        end = start - 1;
        start += l->size;
    }
    if (start < 0)
        return -EINVAL;
    r->start = (uint64_t)start;
    r->end = (uint64_t)end;
    return 0;
}

static long lock_request(struct file *f, vaddr_t at, bool file, struct lock_request *r,
                         struct linux_flock *l) {
    if (user_read(l, at, sizeof *l))
        return -EFAULT;
    long error = lock_range(f, l, r);
    if (error)
        return error;
    if (l->type != F_RDLCK && l->type != F_WRLCK && l->type != F_UNLCK)
        return -EINVAL;
    if (file && l->pid)
        return -EINVAL;
    r->kind = file ? LOCK_FILE : LOCK_PROCESS;
    r->type = l->type == F_WRLCK ? LOCK_ALONE : l->type == F_RDLCK ? LOCK_SHARED : LOCK_NONE;
    return 0;
}

static long get_lock(struct file *f, vaddr_t at, bool file) {
    struct lock_request r, who;
    struct linux_flock l;
    if (user_read(&l, at, sizeof l))
        return -EFAULT;
    if (!file && l.type != F_RDLCK && l.type != F_WRLCK)
        return -EINVAL;
    long error = lock_request(f, at, file, &r, &l);
    if (error)
        return error;
    if (lock_test(f, &r, &who)) {
        l.type = who.type == LOCK_ALONE ? F_WRLCK : F_RDLCK;
        l.whence = SEEK_SET;
        l.start = (int64_t)who.start;
        l.size = who.end == LOCK_END ? 0 : (int64_t)(who.end - who.start + 1);
        l.pid = who.kind == LOCK_FILE ? -1 : PROCESS_ID;
    } else {
        l.type = F_UNLCK;
    }
    return user_write(at, &l, sizeof l);
}

static long set_lock(struct file *f, vaddr_t at, bool file, bool wait) {
    struct lock_request r;
    struct linux_flock l;
    long error = lock_request(f, at, file, &r, &l);
    if (error)
        return error;
    unsigned access = f->flags & O_ACCMODE, lacks = l.type == F_RDLCK ? O_WRONLY : O_RDONLY;
    if (l.type != F_UNLCK && (access == lacks || access == O_ACCMODE))
        return -EBADF;
    return lock_set(f, &r, wait);
}

/* ---- who is told of input and output (SIGIO): kept, nobody is told --------- */

enum { OWNER_THREAD, OWNER_PROCESS, OWNER_GROUP };

static long set_owner(struct file *f, int type, int id) {
    bool there = type == OWNER_THREAD ? thread_of(id) != NULL : id == PROCESS_ID;
    if (id && !there)
        return -ESRCH;
    f->owner = type == OWNER_GROUP ? -id : id;
    f->owner_is_thread = type == OWNER_THREAD;
    return 0;
}

static long owner_ex(struct file *f, vaddr_t at, bool set) {
    struct {
        int type, id;
    } owner;
    if (set) {
        if (user_read(&owner, at, sizeof owner) < 0)
            return -EFAULT;
        return (unsigned)owner.type > OWNER_GROUP ? -EINVAL : set_owner(f, owner.type, owner.id);
    }
    owner.type = f->owner_is_thread ? OWNER_THREAD : f->owner < 0 ? OWNER_GROUP : OWNER_PROCESS;
    owner.id = f->owner < 0 ? -f->owner : f->owner;
    return user_write(at, &owner, sizeof owner);
}

static long set_signal(struct file *f, unsigned number) {
    if (number > 64)
        return -EINVAL;
    f->signal = (uint8_t)number;
    return 0;
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
        return get_lock(f, arg, command == F_OFD_GETLK);
    case F_SETLK:
    case F_SETLKW:
        return set_lock(f, arg, false, command == F_SETLKW);
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return set_lock(f, arg, true, command == F_OFD_SETLKW);
    case F_GETOWN:
        return f->owner_is_thread ? 0 : f->owner;
    case F_SETOWN:
        if ((int)arg == INT32_MIN)
            return -EINVAL;
        return (int)arg < 0 ? set_owner(f, OWNER_GROUP, -(int)arg)
                            : set_owner(f, OWNER_PROCESS, (int)arg);
    case F_GETOWN_EX:
    case F_SETOWN_EX:
        return owner_ex(f, arg, command == F_SETOWN_EX);
    case F_GETOWNER_UIDS:
        return user_clear(arg, 2 * sizeof(uint32_t)); /* whoever set it was root */
    case F_GETSIG:
        return f->signal;
    case F_SETSIG:
        return set_signal(f, (unsigned)arg);
    case F_GETLEASE:
        return F_UNLCK;
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
        return pipe_resize ? pipe_resize(f, command == F_SETPIPE_SZ, (unsigned)arg) : -EBADF;
    case F_ADD_SEALS:
    case F_GET_SEALS:
        return file_seals ? file_seals(f, command == F_ADD_SEALS, (unsigned)arg) : -EINVAL;
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
