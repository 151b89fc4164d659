/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Open files and the descriptor table.
 *
 * A struct file is counted; descriptors and areas hold references.  Ops may
 * sleep.  Errors are -errno.
 */
#ifndef VFS_FILE_H
#define VFS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "lib/io_piece.h"
#include "mm/area.h"
#include "vfs/mode.h"

struct file;
struct inode;

struct file_info {                /* what stat and statx are made from */
    uint64_t inode, size, blocks; /* blocks of 512 bytes */
    uint32_t device;              /* which file system: st_dev's minor number */
    uint32_t mode;                /* S_IFMT | permissions */
    uint32_t links;
    uint32_t uid, gid;
    uint32_t rdev_major, rdev_minor;
    uint64_t atime_ns, mtime_ns, ctime_ns;
};

#define FILE_PIECES 16 /* most pieces that one writev op is given */

struct file_terminal {
    uint16_t rows, columns;
};

struct file_ops {
    /* Transfer between the app's memory and the file at *pos (files without a
     * position ignore it); bytes, 0 at the end, -errno. */
    union {
        struct {
            long (*read)(struct file *f, vaddr_t buf, size_t size, uint64_t *pos);
            long (*write)(struct file *f, vaddr_t buf, size_t size, uint64_t *pos);
        };
        long (*transfer[2])(struct file *f, vaddr_t buf, size_t size, uint64_t *pos);
    };
    /* All pieces in one go, in order; NULL: one after the other, of reads as long
     * as poll has more. */
    union {
        struct {
            long (*readv)(struct file *f, const struct io_piece *pieces, unsigned count,
                          uint64_t *pos);
            long (*writev)(struct file *f, const struct io_piece *pieces, unsigned count,
                           uint64_t *pos);
        };
        long (*vector[2])(struct file *f, const struct io_piece *pieces, unsigned count,
                          uint64_t *pos);
    };
    int (*info)(struct file *f, struct file_info *out);
    long (*seek)(struct file *f, int64_t offset, int whence); /* NULL: -ESPIPE */
    /* POLLIN | POLLOUT ... that hold now, does not sleep; NULL: always both, and
     * epoll refuses the file. */
    unsigned (*poll)(struct file *f);
    /* Where pollers watch, the same queue as long as the file is open; NULL:
     * nowhere.  Wake it with wake_events() where the event is known. */
    struct wait_queue *(*wait)(struct file *f);
    long (*ioctl)(struct file *f, unsigned long request, vaddr_t arg); /* NULL: -ENOTTY */
    struct area_source *(*source)(
        struct file *f);           /* for mmap, with a reference taken; NULL: -ENODEV */
    void (*close)(struct file *f); /* the last reference went */
    bool (*terminal)(struct file *f, struct file_terminal *out); /* is it one? NULL: no */
    long (*readable)(struct file *f); /* bytes a read gets at once (FIONREAD); NULL: -ENOTTY */
    int (*truncate)(struct file *f, uint64_t size); /* NULL: -EINVAL */
    /* Makes that range zeroes, if it can a hole; the size stays. */
    int (*punch)(struct file *f, uint64_t offset, uint64_t size); /* NULL: -EOPNOTSUPP */
    const char *name; /* of a file that no path leads to, "anon_inode:[eventfd]"; NULL: by info */
};

struct file {
    const struct file_ops *ops;
    uint32_t refs;
    uint32_t flags; /* O_ACCMODE, O_APPEND, O_NONBLOCK ... as open(2) has them */
    uint64_t pos;
    void *data;                 /* the file system's */
    char *path;                 /* absolute, for /proc/self/fd; from heap_alloc; NULL: has none */
    struct inode *inode;        /* with a reference; NULL: not found by a path (a console stream) */
    struct epoll_item *watched; /* by epolls; vfs/epoll.c */
    int32_t owner;              /* F_SETOWN: a process, or a group as its negative */
    bool owner_is_thread;
    uint8_t signal; /* F_SETSIG */
};

#define FD_MAX 1024
extern uint32_t fd_limit; /* RLIMIT_NOFILE, at most FD_MAX */

struct file *fd_get(int fd); /* with a reference, NULL: -EBADF */
/* For calls on behalf of somebody who has a file and no descriptor of it: as
 * long as fd_borrowed is set, FD_BORROWED is one. */
#define FD_BORROWED 0x40000000
extern struct file *fd_borrowed;
int fd_install(struct file *f, int lowest,
               bool cloexec); /* takes over the reference; fd or -EMFILE */
int fd_close(int fd);
int fd_replace(int fd, struct file *f, bool cloexec); /* dup2: closes what is there */
int fd_next(int fd);                                  /* the lowest open descriptor >= fd, or -1 */
bool fd_cloexec(int fd);
void fd_set_cloexec(int fd, bool on);
struct file *file_new(const struct file_ops *ops, uint32_t flags, void *data); /* NULL: -ENOMEM */
void file_put(struct file *f);
void file_free(struct file *f); /* when no reference is left: file_put calls it */
static inline struct file *file_get(struct file *f);
/* An op for files with a position that means nothing: it is 0. */
long file_seek_nowhere(struct file *f, int64_t offset, int whence);
unsigned fd_table_size(void); /* descriptors that select looks at, as Linux counts */
void epoll_forget(struct file *f) __attribute__((weak)); /* a watched file is closed */

/* Descriptors 0, 1, 2 as the app finds them.  The table starts with these, so
 * that nothing is opened at boot; fs/stdio.c defines them. */
extern struct file file_standard[3];
/* Set by paths when they are linked: gives back inode and path of a file. */
extern void (*file_release)(struct file *f);

static inline struct file *file_get(struct file *f) {
    f->refs++;
    return f;
}

#endif
