/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System calls on open files: transfers, positions, ioctl, close.
 *
 * Arguments are checked in Linux's order (fs/read_write.c), so that the errno
 * of a call with two mistakes is the same.  One call transfers at most IO_MAX
 * bytes.  A transfer that meets a bad page reports the bytes before it; -EFAULT
 * only when there are none.
 */
#include "syscall/syscall.h"

#include "fs/ramfs.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/stat.h"
#include "vfs/file.h"
#include "vfs/inode.h"
#include "vfs/notify.h"

/* As a file's ops and its access mode count them. */
enum direction { READ = O_RDONLY, WRITE = O_WRONLY };

/* NOINLINE: apart; a call that does without pays nothing for it. */
#define NOINLINE __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))

/* file_put() where the call counts. */
INLINE void put(struct file *f) {
    if (!--f->refs)
        file_free(f);
}

/* ---- transfers ---------------------------------------------------------- */

/* -errno unless the file may be transferred from or to. */
INLINE long check_file(const struct file *f, enum direction d) {
    unsigned access = f->flags & (O_PATH | O_ACCMODE);
    if (access != d && access != O_RDWR)
        return -EBADF;
    return f->ops->transfer[d] ? 0 : -EINVAL;
}

/* For a call that names a position. */
INLINE bool has_no_position(const struct file *f) {
    return !(f->flags & O_PATH) && (!f->ops->seek || f->ops->seek == file_seek_nowhere);
}

/* No position is beyond what a loff_t holds. */
static bool passes_end(const struct file *f, uint64_t pos, size_t size) {
    return f->ops->seek && pos + size > INT64_MAX;
}

/* Bytes went: watchers are told. */
static void told(struct file *f, enum direction d, long done) {
    if (notify_file && done > 0)
        notify_file(f, d == READ ? NOTIFY_ACCESS : NOTIFY_MODIFY);
}

/* at: where the transfer is; NULL: where the file is. */
static long transfer_one(int fd, enum direction d, vaddr_t buf, size_t size, uint64_t *at) {
    if (at && (int64_t)*at < 0)
        return -EINVAL;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    uint64_t *pos = at ? at : &f->pos;
    long done = at && has_no_position(f) ? -ESPIPE : check_file(f, d);
    if (!done && !user_range(buf, size))
        done = -EFAULT;
    if (!done && passes_end(f, *pos, size))
        done = -EINVAL;
    if (!done) {
        done = f->ops->transfer[d](f, buf, MIN(size, IO_MAX), pos);
        told(f, d, done);
    }
    file_put(f);
    return done;
}

SYSCALL_HANDLER(read) {
    return transfer_one((int)a, READ, b, c, NULL);
}

SYSCALL_HANDLER(write) {
    return transfer_one((int)a, WRITE, b, c, NULL);
}

SYSCALL_HANDLER(pread64) {
    return transfer_one((int)a, READ, b, c, &d);
}

SYSCALL_HANDLER(pwrite64) {
    return transfer_one((int)a, WRITE, b, c, &d);
}

#define BAD_BASE INT64_MIN

/* Reads pieces of a vector, and cuts what is beyond `room`: how many bytes they
 * are, or -errno.  A size that is wrong counts before the piece behind it that
 * cannot be read, and both before a base that is wrong, BAD_BASE: there another
 * piece of the vector may be worse.  `alone`: the only piece of its vector, of
 * which just the bytes allowed must be memory. */
static NOINLINE long read_pieces(struct io_piece *pieces, vaddr_t iov, unsigned count, size_t room,
                                 bool alone) {
    size_t got = user_read_some(pieces, iov, count * sizeof(*pieces));
    long bad = 0, sum = 0;
    for (struct io_piece *p = pieces; count; p++, count--) {
        if (got < sizeof(*p))
            return -EFAULT;
        got -= sizeof(*p);
        size_t size = p->size;
        if ((int64_t)size < 0)
            return -EINVAL;
        p->size = MIN(size, room);
        room -= p->size;
        sum += (long)p->size;
        if (!user_range(p->base, alone ? p->size : size))
            bad = BAD_BASE;
    }
    return bad ? bad : sum;
}

/* How many bytes a vector is that has more pieces than a file takes at once, or
 * -errno when any of it is wrong. */
static NOINLINE long check_long(vaddr_t iov, unsigned count) {
    long sum = 0, bad = 0;
    for (unsigned n; count; count -= n, iov += n * sizeof(struct io_piece)) {
        struct io_piece pieces[FILE_PIECES] ALIGNED_WORD;
        n = MIN(count, (unsigned)FILE_PIECES);
        long size = read_pieces(pieces, iov, n, IO_MAX - (size_t)sum, false);
        if (size == BAD_BASE)
            bad = BAD_BASE;
        else if (size < 0)
            return size;
        else
            sum += size;
    }
    return bad ? bad : sum;
}

/* Nothing is done later, and a folder is not read in pieces. */
INLINE unsigned vector_flags(const struct file *f) {
    bool folder = f->inode && inode_is(f->inode, S_IFDIR);
    return folder ? RWF_HIPRI : RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT;
}

/* The bytes of a vector, or why they may not go. */
INLINE long allowed(const struct file *f, const uint64_t *pos, long size, unsigned flags) {
    if (size <= 0)
        return size == BAD_BASE ? -EFAULT : size;
    if (passes_end(f, *pos, (size_t)size))
        return -EINVAL;
    return flags & ~vector_flags(f) ? -EOPNOTSUPP : size;
}

/* For a file that does not take them all at once. */
static NOINLINE long transfer_each(struct file *f, enum direction d, const struct io_piece *pieces,
                                   unsigned count, uint64_t *pos, bool begun) {
    long total = 0;
    for (const struct io_piece *p = pieces; p < pieces + count; p++) {
        if (!p->size)
            continue;
        /* Having something, a read does not wait for more. */
        if (d == READ && (begun || total) && f->ops->poll && !(f->ops->poll(f) & POLLIN))
            break;
        long done = f->ops->transfer[d](f, p->base, p->size, pos);
        if (done < 0)
            return total ? total : done;
        total += done;
        if ((size_t)done < p->size)
            break;
    }
    return total;
}

/* A vector of more pieces than a file takes at once. */
static NOINLINE long transfer_long(struct file *f, enum direction d, vaddr_t iov,
                                   unsigned long count, uint64_t *pos, unsigned flags) {
    long total = 0, done;
    long size = count > IOV_MAX ? -EINVAL : check_long(iov, (unsigned)count);
    size = allowed(f, pos, size, flags);
    if (size <= 0)
        return size;
    if (socket_vector && socket_vector(f, d == READ, iov, count, &total))
        return total;
    do {
        struct io_piece pieces[FILE_PIECES] ALIGNED_WORD;
        unsigned n = (unsigned)MIN(count, FILE_PIECES);
        bool whole = f->ops->vector[d] && (d == WRITE || !total);
        size = read_pieces(pieces, iov, n, IO_MAX - (size_t)total, false);
        done = size < 0 ? -EFAULT /* changed meanwhile */
               : !size  ? 0
               : whole  ? f->ops->vector[d](f, pieces, n, pos)
                        : transfer_each(f, d, pieces, n, pos, total);
        if (done < 0)
            return total ? total : done;
        total += done;
        iov += sizeof(pieces);
        count -= n;
    } while (done == size && count);
    return total;
}

/* As read_pieces(), for pieces of which nothing is wrong and nothing is cut: the
 * most there are.  -1: something is. */
INLINE long read_good_pieces(struct io_piece *pieces, vaddr_t iov, unsigned count) {
    size_t size = count * sizeof(*pieces), sum = 0;
    if (!user_range(iov, size) || arch_copy_user(pieces, (const void *)iov, size))
        return -1;
    while (count--) {
        if (!user_range(pieces[count].base, pieces[count].size))
            return -1;
        sum += pieces[count].size;
    }
    return sum <= IO_MAX ? (long)sum : -1;
}

INLINE long transfer_pieces(struct file *f, enum direction d, vaddr_t iov, unsigned long count,
                            uint64_t *pos, unsigned flags) {
    struct io_piece pieces[FILE_PIECES] ALIGNED_WORD;
    long error = check_file(f, d);
    if (error)
        return error;
    if (count > FILE_PIECES)
        return transfer_long(f, d, iov, count, pos, flags);
    unsigned n = (unsigned)count;
    long size = read_good_pieces(pieces, iov, n);
    if (size < 0)
        size = read_pieces(pieces, iov, n, IO_MAX, n == 1);
    size = allowed(f, pos, size, flags);
    if (size <= 0)
        return size;
    return f->ops->vector[d] ? f->ops->vector[d](f, pieces, n, pos)
                             : transfer_each(f, d, pieces, n, pos, false);
}

INLINE long transfer_vector(int fd, enum direction d, vaddr_t iov, unsigned long count,
                            uint64_t *at, unsigned flags) {
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long total = at && has_no_position(f)
                     ? -ESPIPE
                     : transfer_pieces(f, d, iov, count, at ? at : &f->pos, flags);
    told(f, d, total);
    put(f);
    return total;
}

/* The call behind the stdio of most C libraries has the shortest way. */
SYSCALL_HANDLER(writev) {
    return transfer_vector((int)a, WRITE, b, c, NULL, 0);
}

static NOINLINE long transfer_vector_at(int fd, enum direction d, vaddr_t iov, unsigned long count,
                                        uint64_t *at, unsigned flags) {
    return at && (int64_t)*at < 0 ? -EINVAL : transfer_vector(fd, d, iov, count, at, flags);
}

SYSCALL_HANDLER(readv) {
    return transfer_vector_at((int)a, READ, b, c, NULL, 0);
}

/* Of the position's two halves the second counts on 32-bit machines only. */
SYSCALL_HANDLER(preadv) {
    return transfer_vector_at((int)a, READ, b, c, &d, 0);
}

SYSCALL_HANDLER(pwritev) {
    return transfer_vector_at((int)a, WRITE, b, c, &d, 0);
}

/* A position of -1: where the file is. */
SYSCALL_HANDLER(preadv2) {
    return transfer_vector_at((int)a, READ, b, c, d == UINT64_MAX ? NULL : &d, (unsigned)f);
}

SYSCALL_HANDLER(pwritev2) {
    return transfer_vector_at((int)a, WRITE, b, c, d == UINT64_MAX ? NULL : &d, (unsigned)f);
}

/* ---- position and description ------------------------------------------- */

SYSCALL_HANDLER(lseek) {
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    long pos = file->flags & O_PATH      ? -EBADF
               : (unsigned)c > SEEK_HOLE ? -EINVAL
               : !file->ops->seek        ? -ESPIPE
                                         : file->ops->seek(file, (int64_t)b, (int)c);
    file_put(file);
    return pos;
}

int file_info(struct file *f, struct file_info *out) {
    *out = (struct file_info){.links = 1};
    return f->ops->info ? f->ops->info(f, out) : 0;
}

static struct linux_timespec timespec_of(uint64_t ns) {
    return (struct linux_timespec){(int64_t)(ns / 1000000000), (int64_t)(ns % 1000000000)};
}

long stat_copy(vaddr_t dst, const struct file_info *info) {
    struct linux_stat s = {
        .dev = info->device,
        .ino = info->inode,
        .nlink = info->links,
        .mode = info->mode,
        .uid = info->uid,
        .gid = info->gid,
        .rdev = (info->rdev_minor & 0xff) | info->rdev_major << 8 |
                (uint64_t)(info->rdev_minor & ~0xffu) << 12,
        .size = (int64_t)info->size,
        .blksize = PAGE_SIZE,
        .blocks = (int64_t)info->blocks,
        .atime = timespec_of(info->atime_ns),
        .mtime = timespec_of(info->mtime_ns),
        .ctime = timespec_of(info->ctime_ns),
    };
    return user_write(dst, &s, sizeof(s));
}

SYSCALL_HANDLER(fstat) {
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    struct file_info info;
    long error = file_info(file, &info);
    file_put(file);
    return error ? error : stat_copy(b, &info);
}

int file_kind(int fd);
int file_kind(int fd) {
    struct file *f = fd_get(fd);
    int kind = !f || f->flags & O_PATH ? -EBADF : f->inode ? (int)(f->inode->mode & S_IFMT) : 0;
    if (f)
        file_put(f);
    return kind;
}

/* For mmap: where the pages of a file come from. */
struct area_source *file_area_source(int fd, bool write_shared, bool *may_write, long *error) {
    struct area_source *source = NULL;
    struct file *f = fd_get(fd);
    *error = -EBADF;
    if (!f)
        return NULL;
    unsigned access = f->flags & O_ACCMODE;
    bool sealed = file_write_sealed && file_write_sealed(f);
    *may_write = access == O_RDWR && !sealed;
    if (f->flags & O_PATH)
        *error = -EBADF;
    else if (access == O_WRONLY || (write_shared && access != O_RDWR))
        *error = -EACCES;
    else if (write_shared && sealed)
        *error = -EPERM;
    else if (!f->ops->source || !(source = f->ops->source(f)))
        *error = -ENODEV;
    file_put(f);
    return source;
}

/* ---- closing --------------------------------------------------------- */

SYSCALL_HANDLER(close) {
    return fd_close((int)a);
}

/* ---- ioctl --------------------------------------------------------------- */

/* A terminal in its usual state.  Line editing is the host's. */
static const struct linux_termios termios_sane = {
    .iflag = 0x4500, /* ICRNL | IXON | IUTF8 */
    .oflag = 0x5,    /* OPOST | ONLCR */
    .cflag = 0xbf,   /* B38400 | CS8 | CREAD */
    .lflag = 0x8a3b, /* ISIG ICANON ECHO ECHOE ECHOK ECHOCTL ECHOKE IEXTEN */
    .cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22},
};

/* The state that stands is accepted, another is refused: it is not ours. */
static long set_termios(vaddr_t arg) {
    struct linux_termios t;
    if (user_read(&t, arg, sizeof(t)) < 0)
        return -EFAULT;
    return memcmp(&t, &termios_sane, sizeof(t)) ? -EINVAL : 0;
}

static NOINLINE long terminal_ioctl(const struct file_terminal *t, unsigned request, vaddr_t arg) {
    struct linux_winsize size = {t->rows, t->columns, 0, 0};
    int group = 1;
    switch (request) {
    case TCGETS:
        return user_write(arg, &termios_sane, sizeof(termios_sane));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_termios(arg);
    case TIOCGWINSZ:
        return user_write(arg, &size, sizeof(size));
    case TIOCGPGRP:
        return user_write(arg, &group, sizeof(group));
    default:
        return -ENOTTY;
    }
}

/* What any file may be asked. */
static NOINLINE long file_ioctl(struct file *f, int fd, unsigned request, vaddr_t arg) {
    int value;
    long left;
    if (f->flags & O_PATH)
        return -EBADF;
    switch (request) {
    case FIOCLEX:
    case FIONCLEX:
        fd_set_cloexec(fd, request == FIOCLEX);
        return 0;
    case FIONBIO:
        if (user_read(&value, arg, sizeof(value)) < 0)
            return -EFAULT;
        f->flags = value ? f->flags | O_NONBLOCK : f->flags & ~O_NONBLOCK;
        return 0;
    case FIONREAD:
        if (!f->ops->readable)
            break;
        left = f->ops->readable(f);
        if (left < 0)
            return left;
        value = (int)left;
        return user_write(arg, &value, sizeof(value));
    default:
        break;
    }
    return f->ops->ioctl ? f->ops->ioctl(f, request, arg) : -ENOTTY;
}

SYSCALL_HANDLER(ioctl) {
    struct file *file = fd_get((int)a);
    struct file_terminal t;
    long result;
    if (!file)
        return -EBADF;
    /* A terminal has no others of these; and what was opened as a path is none. */
    if ((unsigned)b < FIONREAD && file->ops->terminal)
        result = file->ops->terminal(file, &t) ? terminal_ioctl(&t, (unsigned)b, c) : -ENOTTY;
    else
        result = file_ioctl(file, (int)a, (unsigned)b, c);
    put(file);
    return result;
}
