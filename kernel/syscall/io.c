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

enum direction { READ, WRITE };

/* ---- transfers ---------------------------------------------------------- */

/* -errno unless the file may be transferred from or to. */
static int check_file(struct file *f, enum direction d, bool positioned) {
    if (f->flags & O_PATH)
        return -EBADF;
    if (positioned && (!f->ops->seek || f->ops->seek == file_seek_nowhere))
        return -ESPIPE;
    unsigned access = f->flags & O_ACCMODE;
    if (access != O_RDWR && access != (d == READ ? O_RDONLY : O_WRONLY))
        return -EBADF;
    if (d == READ ? !f->ops->read : !f->ops->write)
        return -EINVAL;
    return 0;
}

static long transfer(struct file *f, enum direction d, vaddr_t buf, size_t size, uint64_t *pos) {
    return (d == READ ? f->ops->read : f->ops->write)(f, buf, size, pos);
}

/* No position is beyond what a loff_t holds. */
static bool passes_end(const struct file *f, const int64_t *at, size_t size) {
    uint64_t pos = at ? (uint64_t)*at : f->pos;
    return f->ops->seek && pos + size > INT64_MAX;
}

/* Bytes went: watchers are told. */
static void told(struct file *f, enum direction d, long done) {
    if (notify_file && done > 0)
        notify_file(f, d == READ ? NOTIFY_ACCESS : NOTIFY_MODIFY);
}

static long transfer_one(int fd, enum direction d, vaddr_t buf, size_t size, const int64_t *at) {
    if (at && *at < 0)
        return -EINVAL;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long done = check_file(f, d, at != NULL);
    if (!done && !user_range(buf, size))
        done = -EFAULT;
    if (!done && passes_end(f, at, size))
        done = -EINVAL;
    if (!done) {
        uint64_t pos = at ? (uint64_t)*at : 0;
        done = transfer(f, d, buf, MIN(size, IO_MAX), at ? &pos : &f->pos);
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
    int64_t at = (int64_t)d;
    return transfer_one((int)a, READ, b, c, &at);
}

SYSCALL_HANDLER(pwrite64) {
    int64_t at = (int64_t)d;
    return transfer_one((int)a, WRITE, b, c, &at);
}

/* A vector in the app's memory, handed out FILE_PIECES at a time. */
struct vector {
    vaddr_t at;
    unsigned left; /* pieces not handed out */
    size_t room;   /* bytes that the call may still transfer */
    struct file_piece pieces[FILE_PIECES];
    unsigned count; /* pieces that stand there */
    bool alone;     /* of one piece only the bytes allowed must be memory */
};

/* Reads the next pieces; the last ones are cut to the bytes allowed.  A size
 * that is wrong counts before the piece behind it that cannot be read, and
 * both before a base that is wrong: *bad_base is set, and the piece empty. */
static int vector_next(struct vector *v, bool *bad_base) {
    v->count = MIN(v->left, (unsigned)FILE_PIECES);
    size_t got = user_read_some(v->pieces, v->at, v->count * sizeof(v->pieces[0]));
    for (unsigned i = 0; i < v->count; i++) {
        struct file_piece *p = &v->pieces[i];
        if ((i + 1) * sizeof(*p) > got)
            return -EFAULT;
        if ((int64_t)p->size < 0)
            return -EINVAL;
        if (v->alone)
            p->size = MIN(p->size, v->room);
        *bad_base |= !user_range(p->base, p->size);
        p->size = MIN(p->size, v->room);
        v->room -= p->size;
    }
    v->at += v->count * sizeof(v->pieces[0]);
    v->left -= v->count;
    return 0;
}

static void vector_at(struct vector *v, vaddr_t at, unsigned long count) {
    v->at = at;
    v->left = (unsigned)count;
    v->room = IO_MAX;
    v->alone = count == 1;
}

/* Checks the whole vector and leaves it at its first pieces; *size: its bytes. */
static int vector_start(struct vector *v, vaddr_t at, unsigned long count, size_t *size) {
    bool bad_base = false, again;
    if (count > IOV_MAX)
        return -EINVAL;
    vector_at(v, at, count);
    int error = vector_next(v, &bad_base);
    again = v->left;
    while (!error && v->left)
        error = vector_next(v, &bad_base);
    *size = IO_MAX - v->room;
    if (error || bad_base)
        return error ? error : -EFAULT;
    if (!again)
        return 0;
    vector_at(v, at, count);
    return vector_next(v, &bad_base);
}

/* The pieces that stand in v: bytes, or -errno when there are none. */
static long transfer_pieces(struct file *f, enum direction d, struct vector *v, uint64_t *pos,
                            bool begun) {
    long (*all)(struct file *, const struct file_piece *, unsigned, uint64_t *) =
        d == WRITE ? f->ops->writev
        : begun    ? NULL
                   : f->ops->readv;
    if (all)
        return all(f, v->pieces, v->count, pos);
    long total = 0;
    for (unsigned i = 0; i < v->count; i++) {
        if (!v->pieces[i].size)
            continue;
        /* Having something, a read does not wait for more. */
        if (d == READ && (begun || total) && f->ops->poll && !(f->ops->poll(f) & POLLIN))
            break;
        long done = transfer(f, d, v->pieces[i].base, v->pieces[i].size, pos);
        if (done < 0)
            return total ? total : done;
        total += done;
        if ((uint64_t)done < v->pieces[i].size)
            break;
    }
    return total;
}

static size_t vector_size(const struct vector *v) {
    size_t sum = 0;
    for (unsigned i = 0; i < v->count; i++)
        sum += v->pieces[i].size;
    return sum;
}

/* Nothing is done later, and a folder is not read in pieces. */
static unsigned vector_flags(const struct file *f) {
    bool folder = f->inode && inode_is(f->inode, S_IFDIR);
    return folder ? RWF_HIPRI : RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT;
}

static long transfer_vector(int fd, enum direction d, vaddr_t iov, unsigned long count,
                            const int64_t *at, unsigned flags) {
    if (at && *at < 0)
        return -EINVAL;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    struct vector v;
    size_t size = 0;
    bool bad_base = false;
    long total = check_file(f, d, at != NULL);
    if (!total)
        total = vector_start(&v, iov, count, &size);
    if (!total && size && passes_end(f, at, size))
        total = -EINVAL;
    if (!total && size && flags & ~vector_flags(f))
        total = -EOPNOTSUPP;
    bool whole = !total && v.left && size && socket_vector &&
                 socket_vector(f, d == READ, iov, count, &total);
    if (!total && size && !whole) {
        uint64_t at_pos = at ? (uint64_t)*at : 0, *pos = at ? &at_pos : &f->pos;
        do {
            long done = transfer_pieces(f, d, &v, pos, total);
            total = total && done < 0 ? total : total + done;
            if (!v.left || done <= 0 || (size_t)done != vector_size(&v))
                break;
        } while (!vector_next(&v, &bad_base));
    }
    told(f, d, total);
    file_put(f);
    return total;
}

SYSCALL_HANDLER(readv) {
    return transfer_vector((int)a, READ, b, c, NULL, 0);
}

SYSCALL_HANDLER(writev) {
    return transfer_vector((int)a, WRITE, b, c, NULL, 0);
}

SYSCALL_HANDLER(preadv) {
    int64_t at = (int64_t)d; /* pos_h, the fifth, counts on 32-bit machines only */
    return transfer_vector((int)a, READ, b, c, &at, 0);
}

SYSCALL_HANDLER(pwritev) {
    int64_t at = (int64_t)d;
    return transfer_vector((int)a, WRITE, b, c, &at, 0);
}

SYSCALL_HANDLER(preadv2) {
    int64_t at = (int64_t)d;
    return transfer_vector((int)a, READ, b, c, at == -1 ? NULL : &at, (unsigned)f);
}

SYSCALL_HANDLER(pwritev2) {
    int64_t at = (int64_t)d;
    return transfer_vector((int)a, WRITE, b, c, at == -1 ? NULL : &at, (unsigned)f);
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

static long terminal_ioctl(const struct file_terminal *t, unsigned request, vaddr_t arg) {
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

static long file_ioctl(struct file *f, int fd, unsigned request, vaddr_t arg) {
    struct file_terminal t;
    int value;
    long left;
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
        if (f->ops->terminal && f->ops->terminal(f, &t))
            return terminal_ioctl(&t, request, arg);
    }
    return f->ops->ioctl ? f->ops->ioctl(f, request, arg) : -ENOTTY;
}

SYSCALL_HANDLER(ioctl) {
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    long result = file->flags & O_PATH ? -EBADF : file_ioctl(file, (int)a, (unsigned)b, c);
    file_put(file);
    return result;
}
