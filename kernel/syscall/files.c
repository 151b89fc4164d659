/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls that take a path and change nothing: open, stat, access,
 * readlink, the working directory, listing.  What creates, moves and removes
 * names stands in names.c.
 */
#include "syscall/syscall.h"

#include "lib/align.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/path.h"
#include "syscall/stat.h"
#include "vfs/inode.h"
#include "vfs/lock.h"
#include "vfs/notify.h"

/* ---- paths ------------------------------------------------------------------- */

/* openat2 with RESOLVE_IN_ROOT: an absolute path starts at dirfd too. */
#define START_IS_ROOT 0x80000000u /* beside the AT_ flags */

static long find_start(struct user_path *p, int dirfd, unsigned at_flags) {
    if (p->text[0] == '/' && !(at_flags & START_IS_ROOT)) {
        p->start = inode_get(vfs_root());
        return 0;
    }
    if (dirfd == AT_FDCWD) {
        p->start = inode_get(vfs_cwd());
        return 0;
    }
    p->file = fd_get(dirfd);
    if (!p->file)
        return -EBADF;
    struct inode *i = p->file->inode;
    if (i && inode_is(i, S_IFDIR))
        p->start = inode_get(i);
    else if (p->text[0] || !(at_flags & AT_EMPTY_PATH))
        return -ENOTDIR;
    return 0;
}

long user_path_get(struct user_path *p, int dirfd, vaddr_t text, unsigned at_flags) {
    *p = (struct user_path){.text = heap_alloc_dirty(FS_PATH_MAX)};
    if (!p->text)
        return -ENOMEM;
    long error = user_read_string(p->text, text, FS_PATH_MAX);
    if (error >= 0)
        error =
            !p->text[0] && !(at_flags & AT_EMPTY_PATH) ? -ENOENT : find_start(p, dirfd, at_flags);
    if (error)
        user_path_put(p);
    return error;
}

void user_path_put(struct user_path *p) {
    heap_free(p->text, FS_PATH_MAX);
    inode_put(p->start);
    if (p->file)
        file_put(p->file);
}

long path_at(int dirfd, vaddr_t text, unsigned walk_flags, struct path *out) {
    struct user_path u;
    long error = user_path_get(&u, dirfd, text, 0);
    if (error)
        return error;
    error = path_walk(u.start, u.text, walk_flags, out);
    user_path_put(&u);
    return error;
}

long place_at(int dirfd, vaddr_t text, unsigned at_flags, struct path *out) {
    struct user_path u;
    long error = user_path_get(&u, dirfd, text, at_flags);
    if (error)
        return error;
    if (!u.text[0]) {
        struct inode *i = u.file ? u.file->inode : u.start;
        *out = (struct path){.inode = i ? inode_get(i) : NULL};
        error = i ? 0 : -EINVAL;
    } else {
        error = path_walk(u.start, u.text, at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW, out);
    }
    user_path_put(&u);
    return error;
}

long inode_at(int dirfd, vaddr_t text, unsigned at_flags, struct inode **out) {
    struct path p;
    long error = place_at(dirfd, text, at_flags, &p);
    if (!error) {
        *out = p.inode;
        inode_put(p.dir);
    }
    return error;
}

/* ---- open ---------------------------------------------------------------------- */

static long open_at(int dirfd, vaddr_t text, uint32_t flags, uint32_t mode, unsigned walk_flags) {
    struct user_path u;
    if (!(flags & O_PATH)) {
        if ((flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
            return -EINVAL;
        if (flags & O_TMPFILE_BIT && (!(flags & O_DIRECTORY) || (flags & O_ACCMODE) == O_RDONLY))
            return -EINVAL;
    }
    long error = user_path_get(&u, dirfd, text, walk_flags & WALK_IN_ROOT ? START_IS_ROOT : 0);
    if (error)
        return error;
    struct file *f = vfs_open(u.start, u.text, flags, mode, walk_flags);
    user_path_put(&u);
    if (IS_ERR(f))
        return PTR_ERR(f);
    long fd = fd_install(f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

SYSCALL_HANDLER(open) {
    return open_at(AT_FDCWD, a, (uint32_t)b | O_LARGEFILE, (uint32_t)c, 0);
}

SYSCALL_HANDLER(openat) {
    return open_at((int)a, b, (uint32_t)c | O_LARGEFILE, (uint32_t)d, 0);
}

SYSCALL_HANDLER(creat) {
    return open_at(AT_FDCWD, a, O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, (uint32_t)b, 0);
}

/* RESOLVE_NO_XDEV and so on, in the order of their bits from 1 up. */
static const uint8_t resolve_flags[] = {WALK_NO_MOUNTS, WALK_NO_MAGIC, WALK_NO_LINKS, WALK_BENEATH,
                                        WALK_IN_ROOT};
#define RESOLVE_CACHED 0x20u
#define OPEN_FLAGS 037777703u /* every O_ flag there is */

SYSCALL_HANDLER(openat2) {
    struct linux_open_how how = {0, 0, 0};
    unsigned walk_flags = 0;
    if (d < sizeof(how))
        return -EINVAL;
    if (d > sizeof(how)) { /* what a newer Linux may know must be zero */
        if (d > PAGE_SIZE)
            return -E2BIG;
        for (size_t at = sizeof(how); at < d; at++) {
            uint8_t more;
            if (user_read(&more, c + at, 1) < 0)
                return -EFAULT;
            if (more)
                return -E2BIG;
        }
    }
    if (user_read(&how, c, sizeof(how)) < 0)
        return -EFAULT;
    if (how.flags & ~(uint64_t)OPEN_FLAGS || how.mode & ~07777ull || how.resolve & ~0x3full ||
        (how.mode && !(how.flags & (O_CREAT | O_TMPFILE_BIT))) ||
        (how.resolve & 24) == 24 || /* BENEATH and IN_ROOT */
        (how.flags & O_PATH &&
         how.flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_LARGEFILE)))
        return -EINVAL;
    if (how.resolve & RESOLVE_CACHED)
        return -EAGAIN;
    for (unsigned i = 0; i < ARRAY_LEN(resolve_flags); i++) {
        if (how.resolve >> i & 1)
            walk_flags |= resolve_flags[i];
    }
    return open_at((int)a, b, (uint32_t)how.flags | O_LARGEFILE, (uint32_t)how.mode, walk_flags);
}

/* ---- stat ---------------------------------------------------------------------- */

static long info_at(int dirfd, vaddr_t text, unsigned at_flags, struct file_info *out) {
    struct user_path u;
    long error = user_path_get(&u, dirfd, text, at_flags);
    if (error)
        return error;
    struct path p;
    if (!u.text[0]) {
        error = u.file ? file_info(u.file, out) : inode_info(u.start, out);
    } else {
        error = path_walk(u.start, u.text, at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW, &p);
        if (!error) {
            error = inode_info(p.inode, out);
            path_put(&p);
        }
    }
    user_path_put(&u);
    return error;
}

static bool is_empty(vaddr_t text) {
    char first;
    return user_read(&first, text, 1) == 0 && !first;
}

#define STAT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)

/* With AT_EMPTY_PATH no path at all may be given too. */
static long info_of(int dirfd, struct file_info *out) {
    if (dirfd == AT_FDCWD)
        return inode_info(vfs_cwd(), out);
    struct file *f = fd_get(dirfd);
    if (!f)
        return -EBADF;
    long error = file_info(f, out);
    file_put(f);
    return error;
}

static bool is_no_path(int dirfd, vaddr_t text, unsigned at_flags) {
    return at_flags & AT_EMPTY_PATH && (!text || (dirfd >= 0 && is_empty(text)));
}

static long stat_at(int dirfd, vaddr_t text, vaddr_t dst, unsigned at_flags) {
    struct file_info info;
    bool empty = is_no_path(dirfd, text, at_flags);
    /* A descriptor alone is told of whatever else is asked for. */
    if (at_flags & ~STAT_FLAGS && (!empty || dirfd < 0))
        return -EINVAL;
    long error = empty ? info_of(dirfd, &info) : info_at(dirfd, text, at_flags, &info);
    return error ? error : stat_copy(dst, &info);
}

SYSCALL_HANDLER(stat) {
    return stat_at(AT_FDCWD, a, b, 0);
}

SYSCALL_HANDLER(lstat) {
    return stat_at(AT_FDCWD, a, b, AT_SYMLINK_NOFOLLOW);
}

SYSCALL_HANDLER(newfstatat) {
    return stat_at((int)a, b, c, (unsigned)d);
}

static struct linux_statx_timestamp timestamp_of(uint64_t ns) {
    return (struct linux_statx_timestamp){(int64_t)(ns / 1000000000), (uint32_t)(ns % 1000000000),
                                          0};
}

SYSCALL_HANDLER(statx) {
    unsigned flags = (unsigned)c, mask = (unsigned)d;
    struct file_info info;
    bool empty = is_no_path((int)a, b, flags);
    if (mask & STATX_RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
        ((!empty || (int)a < 0) && flags & ~STAT_FLAGS))
        return -EINVAL;
    long error = empty ? info_of((int)a, &info) : info_at((int)a, b, flags, &info);
    if (error)
        return error;
    struct linux_statx s = {
        .mask = STATX_BASIC_STATS,
        .blksize = PAGE_SIZE,
        .nlink = info.links,
        .uid = info.uid,
        .gid = info.gid,
        .mode = (uint16_t)info.mode,
        .ino = info.inode,
        .size = info.size,
        .blocks = info.blocks,
        .atime = timestamp_of(info.atime_ns),
        .ctime = timestamp_of(info.ctime_ns),
        .mtime = timestamp_of(info.mtime_ns),
        .rdev_major = info.rdev_major,
        .rdev_minor = info.rdev_minor,
        .dev_minor = info.device,
    };
    return user_write(e, &s, sizeof(s));
}

static long access_at(int dirfd, vaddr_t text, unsigned mode, unsigned flags) {
    struct file_info info;
    if (mode & ~7u || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    long error = info_at(dirfd, text, flags, &info);
    if (error)
        return error;
    /* Root may do anything but execute what nobody may. */
    bool runs = (info.mode & S_IFMT) == S_IFDIR || info.mode & 0111;
    return mode & 1 && !runs ? -EACCES : 0;
}

SYSCALL_HANDLER(access) {
    return access_at(AT_FDCWD, a, (unsigned)b, 0);
}

SYSCALL_HANDLER(faccessat) {
    return access_at((int)a, b, (unsigned)c, 0);
}

SYSCALL_HANDLER(faccessat2) {
    return access_at((int)a, b, (unsigned)c, (unsigned)d);
}

static long readlink_at(int dirfd, vaddr_t text, vaddr_t buf, int size) {
    struct inode *i;
    if (size <= 0)
        return -EINVAL;
    long length = inode_at(dirfd, text, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &i);
    if (length) /* a descriptor that no path leads to is no link either */
        return length == -EINVAL && is_empty(text) ? -ENOENT : length;
    char *target = heap_alloc(FS_PATH_MAX);
    if (!target)
        length = -ENOMEM;
    else if (!inode_is(i, S_IFLNK) || !i->ops->readlink)
        length = is_empty(text) ? -ENOENT : -EINVAL;
    else
        length = i->ops->readlink(i, target, MIN((size_t)size, FS_PATH_MAX));
    if (length > 0 && user_write(buf, target, (size_t)length) < 0)
        length = -EFAULT;
    heap_free(target, FS_PATH_MAX);
    inode_put(i);
    return length;
}

SYSCALL_HANDLER(readlink) {
    return readlink_at(AT_FDCWD, a, b, (int)c);
}

SYSCALL_HANDLER(readlinkat) {
    return readlink_at((int)a, b, c, (int)d);
}

/* ---- the file system as a whole -------------------------------------------------- */

static long statfs_copy(const struct inode *i, vaddr_t dst) {
    bool memory = i->ops->fs_type != 0;
    struct linux_statfs s = {
        .type = memory ? i->ops->fs_type : 0x9fa0, /* PROC_SUPER_MAGIC */
        .bsize = (int64_t)PAGE_SIZE,
        .blocks = memory ? frame_total() : 0,
        .bfree = memory ? frame_free_count() : 0,
        .bavail = memory ? frame_free_count() : 0,
        .fsid = {(int32_t)i->device, 0},
        .namelen = FS_NAME_MAX,
        .frsize = (int64_t)PAGE_SIZE,
        .flags = 0x20 | (memory && !i->ops->create), /* ST_VALID, ST_RDONLY */
    };
    return user_write(dst, &s, sizeof(s));
}

SYSCALL_HANDLER(statfs) {
    struct inode *i;
    long error = inode_at(AT_FDCWD, a, 0, &i);
    if (error)
        return error;
    error = statfs_copy(i, b);
    inode_put(i);
    return error;
}

SYSCALL_HANDLER(fstatfs) {
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    const struct linux_statfs none = {
        .type = 0x09041934, /* ANON_INODE_FS_MAGIC */
        .bsize = (int64_t)PAGE_SIZE,
        .namelen = FS_NAME_MAX,
        .frsize = (int64_t)PAGE_SIZE,
        .flags = 0x20,
    };
    long error = file->flags & O_PATH && !file->inode ? -EBADF
                 : file->inode                        ? statfs_copy(file->inode, b)
                                                      : user_write(b, &none, sizeof(none));
    file_put(file);
    return error;
}

SYSCALL_HANDLER(sync) {
    return 0;
}

static long check_fd(int fd) {
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long error = f->flags & O_PATH ? -EBADF : 0;
    file_put(f);
    return error;
}

SYSCALL_HANDLER(syncfs) {
    return check_fd((int)a);
}

SYSCALL_HANDLER(umask) {
    uint32_t old = vfs_umask;
    vfs_umask = (uint32_t)a & 0777;
    return old;
}

enum {
    LOCK_SH = 1,
    LOCK_EX = 2,
    LOCK_NB = 4,
    LOCK_UN = 8,
    LOCK_MAND = 32 /* which Linux has given up */
};

SYSCALL_HANDLER(flock) {
    int op = (int)b & ~LOCK_NB;
    if (op & LOCK_MAND)
        return 0;
    if (op != LOCK_SH && op != LOCK_EX && op != LOCK_UN)
        return -EINVAL;
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    const struct lock_request r = {
        .kind = LOCK_WHOLE,
        .type = op == LOCK_EX   ? LOCK_ALONE
                : op == LOCK_SH ? LOCK_SHARED
                                : LOCK_NONE,
        .end = LOCK_END,
    };
    bool neither = (file->flags & O_ACCMODE) == O_ACCMODE; /* for reading, nor for writing */
    long error = file->flags & O_PATH || (neither && op != LOCK_UN)
                     ? -EBADF
                     : lock_set(file, &r, !(b & LOCK_NB));
    file_put(file);
    return error;
}

/* Advice about files in memory changes nothing. */
SYSCALL_HANDLER(fadvise64) {
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    long error = file->flags & O_PATH                ? -EBADF
                 : !file->ops->seek                  ? -ESPIPE
                 : (int64_t)c < 0 || (unsigned)d > 5 ? -EINVAL
                                                     : 0;
    file_put(file);
    return error;
}

/* ---- the working directory -------------------------------------------------------- */

static long change_dir(struct inode *i) {
    if (!inode_is(i, S_IFDIR)) {
        inode_put(i);
        return -ENOTDIR;
    }
    vfs_set_cwd(i);
    return 0;
}

SYSCALL_HANDLER(chdir) {
    struct inode *i;
    long error = inode_at(AT_FDCWD, a, 0, &i);
    return error ? error : change_dir(i);
}

SYSCALL_HANDLER(fchdir) {
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    long error = file->inode ? change_dir(inode_get(file->inode)) : -ENOTDIR;
    file_put(file);
    return error;
}

SYSCALL_HANDLER(getcwd) {
    char *text = heap_alloc(FS_PATH_MAX);
    if (!text)
        return -ENOMEM;
    long length = path_text(vfs_cwd(), NULL, text, FS_PATH_MAX);
    if (length >= 0)
        length = (size_t)length + 1 > b ? -ERANGE : length + 1;
    if (length > 0 && user_write(a, text, (size_t)length) < 0)
        length = -EFAULT;
    heap_free(text, FS_PATH_MAX);
    return length;
}

/* ---- listing ----------------------------------------------------------------------- */

struct list_sink {
    struct dir_sink sink;
    vaddr_t at;
    size_t left;
    bool old;  /* struct linux_dirent: the type stands at the end */
    int error; /* -EFAULT, or -EINVAL: not even one entry fits */
};

static bool put_entry(struct dir_sink *sink, struct name name, uint64_t inode, uint32_t mode,
                      uint64_t next) {
    struct list_sink *s = container_of(sink, struct list_sink, sink);
    union {
        struct linux_dirent64 entry;
        char bytes[ALIGN_UP(LINUX_DIRENT64_NAME + FS_NAME_MAX + 2, 8)];
    } out;
    size_t name_at = s->old ? LINUX_DIRENT64_NAME - 1 : LINUX_DIRENT64_NAME;
    size_t size = ALIGN_UP(name_at + name.length + 1 + s->old, (size_t)8);
    if (size > s->left) {
        s->error = -EINVAL;
        return false;
    }
    memset(out.bytes, 0, size);
    out.entry.ino = inode;
    out.entry.off = (int64_t)(next + 2); /* 0 and 1 are "." and ".." */
    out.entry.reclen = (uint16_t)size;
    if (!s->old)
        out.entry.type = (uint8_t)((mode & S_IFMT) >> 12);
    memcpy(out.bytes + name_at, name.text, name.length);
    if (s->old)
        out.bytes[size - 1] = (char)((mode & S_IFMT) >> 12);
    /* What fills an entry up is left alone. */
    if (user_write(s->at, out.bytes, s->old ? size : name_at + name.length + 1) < 0) {
        s->error = -EFAULT;
        return false;
    }
    s->at += size;
    s->left -= size;
    return true;
}

/* f->pos: 0 ".", 1 "..", then 2 + the file system's position. */
static int list(struct file *f, struct list_sink *s) {
    struct inode *dir = f->inode, *below = dir;
    while (below->covers)
        below = below->covers;
    struct inode *up = below->parent ? below->parent : dir;
    if (f->pos == 0) {
        if (!put_entry(&s->sink, (struct name){".", 1}, dir->number, S_IFDIR, (uint64_t)-1))
            return 0;
        f->pos = 1;
    }
    if (f->pos == 1) {
        if (!put_entry(&s->sink, (struct name){"..", 2}, up->number, S_IFDIR, 0))
            return 0;
        f->pos = 2;
    }
    if (!dir->ops->list)
        return 0;
    uint64_t pos = f->pos - 2;
    int error = dir->ops->list(dir, &pos, &s->sink);
    f->pos = pos + 2;
    return error;
}

static long list_dir(int fd, vaddr_t buf, unsigned size, bool old) {
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    struct list_sink s = {{put_entry}, buf, size > INT32_MAX ? 0 : size, old, 0};
    long result = f->flags & O_PATH                           ? -EBADF
                  : !f->inode || !inode_is(f->inode, S_IFDIR) ? -ENOTDIR
                  : inode_is_removed(f->inode)                ? -ENOENT
                                                              : list(f, &s);
    if (!result && notify_file)
        notify_file(f, NOTIFY_ACCESS);
    file_put(f);
    if (result)
        return result;
    return s.at > buf ? (long)(s.at - buf) : s.error;
}

SYSCALL_HANDLER(getdents64) {
    return list_dir((int)a, b, (unsigned)c, false);
}

SYSCALL_HANDLER(getdents) {
    return list_dir((int)a, b, (unsigned)c, true);
}
