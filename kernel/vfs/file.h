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
#include "mm/area.h"

struct file;
struct file_info { /* what stat and statx are made from */
    uint64_t inode, size, blocks;
    uint32_t mode; /* S_IFMT | permissions */
    uint32_t links;
    uint32_t rdev_major, rdev_minor;
    uint64_t mtime_ns;
};

struct file_ops {
    /* Transfer between the app's memory and the file at *pos (files without a
     * position ignore it); bytes, 0 at the end, -errno. */
    long (*read)(struct file *f, vaddr_t buf, size_t size, uint64_t *pos);
    long (*write)(struct file *f, vaddr_t buf, size_t size, uint64_t *pos);
    int (*info)(struct file *f, struct file_info *out);
    long (*seek)(struct file *f, int64_t offset, int whence); /* NULL: -ESPIPE */
    unsigned (*poll)(struct file *f); /* POLLIN | POLLOUT ... that hold now; NULL: always both */
    struct wait_queue *(*wait)(struct file *f); /* where pollers sleep, NULL: nowhere */
    long (*ioctl)(struct file *f, unsigned long request, vaddr_t arg); /* NULL: -ENOTTY */
    struct area_source *(*source)(struct file *f); /* for mmap, with a reference taken; NULL: -ENODEV */
    void (*close)(struct file *f); /* the last reference went */
};

struct file {
    const struct file_ops *ops;
    uint32_t refs;
    uint32_t flags; /* O_ACCMODE, O_APPEND, O_NONBLOCK ... as open(2) has them */
    uint64_t pos;
    void *data;       /* the file system's */
    const char *path; /* as opened, for /proc/self/fd; may be NULL */
};

#define FD_MAX 1024

struct file *fd_get(int fd);          /* with a reference, NULL: -EBADF */
int fd_install(struct file *f, int lowest, bool cloexec); /* takes over the reference; fd or -EMFILE */
int fd_close(int fd);
int fd_replace(int fd, struct file *f, bool cloexec); /* dup2: closes what is there */
bool fd_cloexec(int fd);
void fd_set_cloexec(int fd, bool on);
struct file *file_new(const struct file_ops *ops, uint32_t flags, void *data); /* NULL: -ENOMEM */
void file_put(struct file *f);

/* The upper room's way in: paths (vfs/path.c registers it when linked). */
#endif
