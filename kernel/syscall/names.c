/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls that create, move, remove and change what paths lead to.
 * Checks common to all file systems are made here, in Linux's order
 * (fs/namei.c); a file system without the op is read-only: -EROFS.
 */
#include "syscall/syscall.h"

#include "lib/align.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/path.h"
#include "syscall/time.h"
#include "vfs/inode.h"
#include "vfs/notify.h"

static struct name last_name(const struct path *p) {
    return (struct name){p->name, p->length};
}

/* ---- creating -------------------------------------------------------------------- */

long create_at(int dirfd, vaddr_t text, uint32_t mode, const char *target, uint64_t rdev) {
    struct path p;
    struct inode *made = NULL;
    long error = path_at(dirfd, text, WALK_NAME | WALK_NEW, &p);
    if (error)
        return error;
    bool dir = (mode & S_IFMT) == S_IFDIR;
    if (p.inode)
        error = -EEXIST;
    else if (p.slash && !dir)
        error = -ENOENT;
    else if (!p.dir->ops->create)
        error = -EROFS;
    else
        error = p.dir->ops->create(p.dir, last_name(&p), mode, target, rdev, &made);
    if (made && notify_name)
        notify_name(p.dir, last_name(&p), made, NOTIFY_CREATE, 0);
    inode_put(made);
    path_put(&p);
    return error;
}

static long mkdir_at(int dirfd, vaddr_t text, uint32_t mode) {
    return create_at(dirfd, text, S_IFDIR | (mode & 01777 & ~vfs_umask), NULL, 0);
}

SYSCALL_HANDLER(mkdir) {
    return mkdir_at(AT_FDCWD, a, (uint32_t)b);
}

SYSCALL_HANDLER(mkdirat) {
    return mkdir_at((int)a, b, (uint32_t)c);
}

static long symlink_at(vaddr_t target, int dirfd, vaddr_t text) {
    char *copy = heap_alloc(FS_PATH_MAX);
    if (!copy)
        return -ENOMEM;
    long error = user_read_string(copy, target, FS_PATH_MAX);
    if (error >= 0)
        error = copy[0] ? create_at(dirfd, text, S_IFLNK | 0777, copy, 0) : -ENOENT;
    heap_free(copy, FS_PATH_MAX);
    return error;
}

SYSCALL_HANDLER(symlink) {
    return symlink_at(a, AT_FDCWD, b);
}

SYSCALL_HANDLER(symlinkat) {
    return symlink_at(a, (int)b, c);
}

static long link_at(int from_fd, vaddr_t from, int to_fd, vaddr_t to, unsigned flags) {
    struct inode *i;
    struct path p;
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    unsigned at = flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW;
    long error = inode_at(from_fd, from, at | (flags & AT_EMPTY_PATH), &i);
    if (error)
        return error;
    error = path_at(to_fd, to, WALK_NAME | WALK_NEW, &p);
    if (!error) {
        if (p.inode)
            error = -EEXIST;
        else if (p.slash)
            error = -ENOENT;
        else if (p.dir->device != i->device)
            error = -EXDEV;
        else if (inode_is(i, S_IFDIR))
            error = -EPERM;
        else
            error = p.dir->ops->link ? p.dir->ops->link(p.dir, last_name(&p), i) : -EROFS;
        if (!error && notify_name) {
            notify_name(NULL, last_name(&p), i, NOTIFY_ATTRIB, 0);
            notify_name(p.dir, last_name(&p), i, NOTIFY_CREATE, 0);
        }
        path_put(&p);
    }
    inode_put(i);
    return error;
}

SYSCALL_HANDLER(link) {
    return link_at(AT_FDCWD, a, AT_FDCWD, b, 0);
}

SYSCALL_HANDLER(linkat) {
    return link_at((int)a, b, (int)c, d, (unsigned)e);
}

/* ---- removing ---------------------------------------------------------------------- */

/* Why a path that does not end in a name cannot go. */
static long not_a_name(const struct path *p, bool dir) {
    if (!dir)
        return -EISDIR;
    return p->last == LAST_DOT ? -EINVAL : p->last == LAST_DOTDOT ? -ENOTEMPTY : -EBUSY;
}

static long remove_at(int dirfd, vaddr_t text, bool dir) {
    struct path p;
    long error = path_at(dirfd, text, WALK_NAME, &p);
    if (error)
        return error;
    if (!p.is_name)
        error = not_a_name(&p, dir);
    else if (p.inode->covers)
        error = -EBUSY;
    else if (dir != inode_is(p.inode, S_IFDIR))
        error = dir ? -ENOTDIR : -EISDIR;
    else if (p.slash && !dir)
        error = -ENOTDIR;
    else if (!p.dir->ops->unlink)
        error = -EROFS;
    else
        error = p.dir->ops->unlink(p.dir, last_name(&p), p.inode);
    if (!error && notify_name) {
        if (!dir)
            notify_name(NULL, last_name(&p), p.inode, NOTIFY_ATTRIB, 0);
        notify_name(p.dir, last_name(&p), p.inode, NOTIFY_DELETE, 0);
        notify_unlinked(p.inode, 1);
    }
    path_put(&p);
    return error;
}

SYSCALL_HANDLER(unlink) {
    return remove_at(AT_FDCWD, a, false);
}

SYSCALL_HANDLER(rmdir) {
    return remove_at(AT_FDCWD, a, true);
}

SYSCALL_HANDLER(unlinkat) {
    if ((unsigned)c & ~AT_REMOVEDIR)
        return -EINVAL;
    return remove_at((int)a, b, c & AT_REMOVEDIR);
}

/* ---- moving -------------------------------------------------------------------------- */

#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE 2u

static bool is_within(const struct inode *dir, const struct inode *top) {
    for (; dir; dir = dir->parent) {
        if (dir == top)
            return true;
    }
    return false;
}

static long check_rename(const struct path *from, const struct path *to, unsigned flags) {
    struct inode *moved = from->inode, *victim = to->inode;
    bool exchange = flags & RENAME_EXCHANGE, dir = moved && inode_is(moved, S_IFDIR);
    if (from->dir->device != to->dir->device)
        return -EXDEV;
    if (!from->is_name)
        return -EBUSY;
    if (!to->is_name)
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    if (!moved)
        return -ENOENT;
    if (victim && flags & RENAME_NOREPLACE)
        return -EEXIST;
    if (!victim && exchange)
        return -ENOENT;
    if (moved->covers || (victim && victim->covers))
        return -EBUSY;
    if (!dir && (from->slash || (to->slash && !exchange)))
        return -ENOTDIR;
    if (exchange && to->slash && !inode_is(victim, S_IFDIR))
        return -ENOTDIR;
    if (dir && is_within(to->dir, moved))
        return -EINVAL;
    if (victim && inode_is(victim, S_IFDIR) && is_within(from->dir, victim))
        return exchange ? -EINVAL : -ENOTEMPTY;
    if (victim && !exchange && dir != inode_is(victim, S_IFDIR))
        return dir ? -ENOTDIR : -EISDIR;
    return from->dir->ops->rename ? 0 : -EROFS;
}

static void tell_move(const struct path *from, const struct path *to, struct inode *moved) {
    uint32_t cookie = notify_cookie();
    notify_name(from->dir, last_name(from), moved, NOTIFY_MOVED_FROM, cookie);
    notify_name(to->dir, last_name(to), moved, NOTIFY_MOVED_TO, cookie);
}

static void tell_rename(const struct path *from, const struct path *to, bool exchange) {
    tell_move(from, to, from->inode);
    if (to->inode && !exchange && !inode_is(to->inode, S_IFDIR))
        notify_name(NULL, last_name(to), to->inode, NOTIFY_ATTRIB, 0);
    notify_name(NULL, last_name(to), from->inode, NOTIFY_MOVE_SELF, 0);
    if (to->inode && exchange) {
        tell_move(to, from, to->inode);
        notify_name(NULL, last_name(from), to->inode, NOTIFY_MOVE_SELF, 0);
    } else if (to->inode) {
        notify_unlinked(to->inode, 1);
    }
}

static long rename_at(int from_fd, vaddr_t from_text, int to_fd, vaddr_t to_text, unsigned flags) {
    struct path from, to;
    if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
        flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    /* Whether the old name is there is asked when both folders are found. */
    long error = path_at(from_fd, from_text, WALK_NAME | WALK_NEW, &from);
    if (error)
        return error;
    error = path_at(to_fd, to_text, WALK_NAME | WALK_NEW, &to);
    if (!error) {
        error = check_rename(&from, &to, flags);
        if (!error && from.inode != to.inode) { /* two names of one file: both stay */
            error = from.dir->ops->rename(from.dir, last_name(&from), from.inode, to.dir,
                                          last_name(&to), to.inode, flags & RENAME_EXCHANGE);
            if (!error && notify_name)
                tell_rename(&from, &to, flags & RENAME_EXCHANGE);
        }
        path_put(&to);
    }
    path_put(&from);
    return error;
}

SYSCALL_HANDLER(rename) {
    return rename_at(AT_FDCWD, a, AT_FDCWD, b, 0);
}

SYSCALL_HANDLER(renameat) {
    return rename_at((int)a, b, (int)c, d, 0);
}

SYSCALL_HANDLER(renameat2) {
    return rename_at((int)a, b, (int)c, d, (unsigned)e);
}

/* ---- changing ------------------------------------------------------------------------ */

static long change(struct inode *i, const struct inode_change *c) {
    return i->ops->change ? i->ops->change(i, c) : -EROFS;
}

/* What watchers are told of a change. */
static uint32_t change_event(const struct inode_change *c) {
    if (c->set_size)
        return NOTIFY_MODIFY;
    if (c->set_mode || c->set_owner || (c->set_atime && c->set_mtime))
        return NOTIFY_ATTRIB;
    return c->set_atime ? NOTIFY_ACCESS : NOTIFY_MODIFY;
}

static long change_place(struct path *p, const struct inode_change *c) {
    long error = change(p->inode, c);
    if (!error && notify_name)
        notify_name(p->is_name ? p->dir : NULL, last_name(p), p->inode, change_event(c), 0);
    path_put(p);
    return error;
}

static long change_at(int dirfd, vaddr_t text, unsigned at_flags, const struct inode_change *c) {
    struct path p;
    long error = place_at(dirfd, text, at_flags, &p);
    return error ? error : change_place(&p, c);
}

static long change_fd(int fd, const struct inode_change *c) {
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long error = f->flags & O_PATH ? -EBADF : f->inode ? change(f->inode, c) : 0;
    if (!error && notify_file)
        notify_file(f, change_event(c));
    file_put(f);
    return error;
}

static struct inode_change new_mode(unsigned long mode) {
    return (struct inode_change){.set_mode = true, .mode = (uint32_t)mode & 07777};
}

SYSCALL_HANDLER(chmod) {
    struct inode_change change = new_mode(b);
    return change_at(AT_FDCWD, a, 0, &change);
}

SYSCALL_HANDLER(fchmod) {
    struct inode_change change = new_mode(b);
    return change_fd((int)a, &change);
}

SYSCALL_HANDLER(fchmodat) {
    struct inode_change change = new_mode(c);
    return change_at((int)a, b, 0, &change);
}

SYSCALL_HANDLER(fchmodat2) {
    struct inode_change change = new_mode(c);
    struct path p;
    if ((unsigned)d & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    char first;
    if (d & AT_EMPTY_PATH && (int)a >= 0 && !user_read(&first, b, 1) && !first) {
        struct file *f = fd_get((int)a); /* what no path leads to, as fchmod */
        bool nowhere = f && !(f->flags & O_PATH) && !f->inode;
        if (f)
            file_put(f);
        if (nowhere)
            return change_fd((int)a, &change);
    }
    long error = place_at((int)a, b, (unsigned)d, &p);
    if (error)
        return error;
    if (!inode_is(p.inode, S_IFLNK))
        return change_place(&p, &change);
    path_put(&p);
    return -EOPNOTSUPP;
}

static struct inode_change new_owner(unsigned long uid, unsigned long gid) {
    return (struct inode_change){.set_owner = true, .uid = (uint32_t)uid, .gid = (uint32_t)gid};
}

SYSCALL_HANDLER(chown) {
    struct inode_change change = new_owner(b, c);
    return change_at(AT_FDCWD, a, 0, &change);
}

SYSCALL_HANDLER(lchown) {
    struct inode_change change = new_owner(b, c);
    return change_at(AT_FDCWD, a, AT_SYMLINK_NOFOLLOW, &change);
}

SYSCALL_HANDLER(fchown) {
    struct inode_change change = new_owner(b, c);
    return change_fd((int)a, &change);
}

SYSCALL_HANDLER(fchownat) {
    struct inode_change change = new_owner(c, d);
    if ((unsigned)e & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return change_at((int)a, b, (unsigned)e, &change);
}

/* ---- sizes --------------------------------------------------------------------------- */

/* Opened with 3 it is neither read nor written. */
static bool is_written(const struct file *f) {
    unsigned mode = f->flags & O_ACCMODE;
    return mode == O_WRONLY || mode == O_RDWR;
}

SYSCALL_HANDLER(truncate) {
    struct path p;
    if ((int64_t)b < 0)
        return -EINVAL;
    long error = place_at(AT_FDCWD, a, 0, &p);
    if (error)
        return error;
    struct inode_change size = {.set_size = true, .size = b};
    if (inode_is(p.inode, S_IFREG))
        return change_place(&p, &size);
    error = inode_is(p.inode, S_IFDIR) ? -EISDIR : -EINVAL;
    path_put(&p);
    return error;
}

SYSCALL_HANDLER(ftruncate) {
    if ((int64_t)b < 0)
        return -EINVAL;
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    long error = file->flags & O_PATH                        ? -EBADF
                 : !is_written(file) || !file->ops->truncate ? -EINVAL
                                                             : file->ops->truncate(file, b);
    if (!error && notify_file)
        notify_file(file, NOTIFY_MODIFY);
    file_put(file);
    return error;
}

#define FALLOC_FL_KEEP_SIZE 1u
#define FALLOC_FL_PUNCH_HOLE 2u
#define FALLOC_FL_COLLAPSE_RANGE 8u
#define FALLOC_FL_ZERO_RANGE 16u
#define FALLOC_FL_INSERT_RANGE 32u
#define FALLOC_FL_UNSHARE_RANGE 64u
#define FALLOC_FL_WRITE_ZEROES 128u

/* One of the modes that exclude each other, with what it may be combined with. */
static long check_mode(unsigned mode) {
    switch (mode & ~FALLOC_FL_KEEP_SIZE) {
    case 0:
    case FALLOC_FL_ZERO_RANGE:
    case FALLOC_FL_UNSHARE_RANGE:
        return 0;
    case FALLOC_FL_PUNCH_HOLE:
        return mode & FALLOC_FL_KEEP_SIZE ? 0 : -EOPNOTSUPP;
    case FALLOC_FL_COLLAPSE_RANGE:
    case FALLOC_FL_INSERT_RANGE:
    case FALLOC_FL_WRITE_ZEROES:
        return mode & FALLOC_FL_KEEP_SIZE ? -EOPNOTSUPP : 0;
    default:
        return -EOPNOTSUPP;
    }
}

/* Room is promised, not taken: pages come when they are written.  Of the modes
 * there are those of Linux's files in memory. */
static long allocate(struct file *f, unsigned mode, uint64_t offset, uint64_t size) {
    struct file_info info = {0};
    int64_t end;
    if (!f->ops->truncate)
        return f->inode && inode_is(f->inode, S_IFDIR) ? -EISDIR
               : f->ops->seek || f->inode              ? -ENODEV
                                                       : -ESPIPE;
    if (__builtin_add_overflow((int64_t)offset, (int64_t)size, &end))
        return -EFBIG;
    if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
        return f->ops->punch ? f->ops->punch(f, offset, size) : -EOPNOTSUPP;
    if (mode & ~FALLOC_FL_KEEP_SIZE)
        return -EOPNOTSUPP;
    if (size / PAGE_SIZE > frame_total())
        return -ENOSPC;
    int error = f->ops->info(f, &info);
    return error || (uint64_t)end <= info.size || mode ? error : f->ops->truncate(f, (uint64_t)end);
}

SYSCALL_HANDLER(fallocate) {
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    long error = (int64_t)c < 0 || (int64_t)d <= 0 ? -EINVAL : check_mode((unsigned)b);
    if (file->flags & O_PATH)
        error = -EBADF;
    if (!error)
        error = is_written(file) ? allocate(file, (unsigned)b, c, d) : -EBADF;
    file_put(file);
    return error;
}

/* ---- times --------------------------------------------------------------------------- */

#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

/* One of the two times; false: a bad one. */
static bool one_time(const struct linux_timespec *t, bool *set, uint64_t *ns) {
    *set = t->nanoseconds != UTIME_OMIT;
    if (t->nanoseconds == UTIME_NOW)
        *ns = clock_realtime();
    else if (*set && (uint64_t)t->nanoseconds >= TIME_SECOND)
        return false;
    else /* files know no time before 1970 */
        *ns = t->seconds < 0 ? 1 : (uint64_t)t->seconds * TIME_SECOND + (uint64_t)t->nanoseconds;
    return true;
}

static long set_times(int dirfd, vaddr_t text, const struct linux_timespec t[2],
                      unsigned at_flags) {
    struct inode_change c = {0};
    bool good =
        one_time(&t[0], &c.set_atime, &c.atime_ns) && one_time(&t[1], &c.set_mtime, &c.mtime_ns);
    if (good && !c.set_atime && !c.set_mtime)
        return 0;
    bool nothing = !text && dirfd == AT_FDCWD;
    if (at_flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) || (!text && !nothing && at_flags))
        return -EINVAL;
    if (nothing)
        return -EFAULT;
    if (good)
        return text ? change_at(dirfd, text, at_flags, &c) : change_fd(dirfd, &c);
    /* What the times are of comes before what they are. */
    struct inode *i;
    struct file *f = text ? NULL : fd_get(dirfd);
    long error = text                        ? inode_at(dirfd, text, at_flags, &i)
                 : f && !(f->flags & O_PATH) ? 0
                                             : -EBADF;
    if (text && !error)
        inode_put(i);
    if (f)
        file_put(f);
    return error ? error : -EINVAL;
}

static const struct linux_timespec now_twice[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};

SYSCALL_HANDLER(utimensat) {
    struct linux_timespec t[2];
    if (c && user_read(t, c, sizeof(t)) < 0)
        return -EFAULT;
    return set_times((int)a, b, c ? t : now_twice, (unsigned)d);
}

static long set_times_us(int dirfd, vaddr_t text, vaddr_t times) {
    struct linux_timeval tv[2];
    struct linux_timespec t[2];
    if (!times)
        return set_times(dirfd, text, now_twice, 0);
    if (user_read(tv, times, sizeof(tv)) < 0)
        return -EFAULT;
    for (unsigned i = 0; i < 2; i++) {
        if ((uint64_t)tv[i].microseconds >= 1000000)
            return -EINVAL;
        t[i] = (struct linux_timespec){tv[i].seconds, tv[i].microseconds * 1000};
    }
    return set_times(dirfd, text, t, 0);
}

SYSCALL_HANDLER(utimes) {
    return set_times_us(AT_FDCWD, a, b);
}

SYSCALL_HANDLER(futimesat) {
    return set_times_us((int)a, b, c);
}

SYSCALL_HANDLER(utime) {
    int64_t seconds[2];
    if (b && user_read(seconds, b, sizeof(seconds)) < 0)
        return -EFAULT;
    struct linux_timespec t[2] = {{b ? seconds[0] : 0, 0}, {b ? seconds[1] : 0, 0}};
    return set_times(AT_FDCWD, a, b ? t : now_twice, 0);
}
