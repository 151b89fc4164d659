/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /dev: null, zero, full, random, the console and its streams, and where programs
 * share memory by name.  Numbers are
 * Linux's (Documentation/admin-guide/devices.txt).
 */
#include "fs/devfs.h"

#include "fs/ramfs.h"
#include "fs/stdio.h"
#include "fs/table.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/random.h"
#include "mm/user.h"

#define DEVICE 5 /* st_dev of /dev */

static int device_info(struct file *f, struct file_info *out) {
    return inode_info(f->inode, out);
}

static long device_seek(struct file *f, int64_t offset, int whence) {
    (void)f, (void)offset, (void)whence;
    return 0;
}

static long null_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    (void)f, (void)buf, (void)size, (void)pos;
    return 0;
}

static long null_write(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    (void)f, (void)buf, (void)pos;
    return (long)size;
}

static long full_write(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    (void)f, (void)buf, (void)pos;
    return size ? -ENOSPC : 0;
}

static long zero_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    (void)f, (void)pos;
    size_t done = 0;
    while (done < size) {
        size_t part = MIN(size - done, PAGE_SIZE);
        if (user_clear(buf + done, part) < 0)
            return done ? (long)done : -EFAULT;
        done += part;
    }
    return (long)done;
}

static long random_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    (void)f, (void)pos;
    uint8_t bytes[256];
    size_t done = 0;
    while (done < size) {
        size_t part = MIN(size - done, sizeof(bytes));
        random_bytes(bytes, part);
        if (user_write(buf + done, bytes, part) < 0)
            return done ? (long)done : -EFAULT;
        done += part;
    }
    memset(bytes, 0, sizeof(bytes));
    return (long)done;
}

/* /dev/zero maps as anonymous memory does. */
static paddr_t zero_page(struct area_source *s, uint64_t index, enum area_use use, bool *owned) {
    (void)s, (void)index, (void)use;
    *owned = true;
    return frame_alloc_zero();
}

static void zero_count(struct area_source *s) {
    (void)s;
}

static uint64_t zero_size(struct area_source *s) {
    (void)s;
    return INT64_MAX;
}

static struct area_source *zero_source(struct file *f) {
    static struct area_source source = {zero_page, zero_count, zero_count, zero_size};
    (void)f;
    return &source;
}

static const struct file_ops null_ops = {
    .read = null_read, .write = null_write, .info = device_info, .seek = device_seek};
static const struct file_ops zero_ops = {.read = zero_read,
                                         .write = null_write,
                                         .info = device_info,
                                         .seek = device_seek,
                                         .source = zero_source};
static const struct file_ops full_ops = {
    .read = zero_read, .write = full_write, .info = device_info, .seek = device_seek};
static const struct file_ops random_ops = {
    .read = random_read, .write = null_write, .info = device_info, .seek = device_seek};

/* The terminal: input and output in one. */
static long tty_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    return stdin_read ? stdin_read(f, buf, size, pos) : -EIO;
}

static long tty_write(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    return stdio_output_ops.write(f, buf, size, pos);
}

static long tty_writev(struct file *f, const struct io_piece *v, unsigned count, uint64_t *pos) {
    return stdio_output_ops.writev(f, v, count, pos);
}

static unsigned tty_poll(struct file *f) {
    return (stdin_poll ? stdin_poll(f) : 0) | POLLOUT | POLLWRNORM;
}

static bool tty_terminal(struct file *f, struct file_terminal *out) {
    return stdio_output_ops.terminal(f, out);
}

static const struct file_ops tty_ops = {.read = tty_read,
                                        .write = tty_write,
                                        .writev = tty_writev,
                                        .info = device_info,
                                        .poll = tty_poll,
                                        .wait = stdin_wait,
                                        .readable = stdin_readable,
                                        .terminal = tty_terminal};

#define STREAM_LINK(n)                                                                             \
    static long link_stream##n(uint64_t arg, char *buf, size_t size) {                             \
        (void)arg;                                                                                 \
        memcpy(buf, "/proc/self/fd/" #n, MIN(size, (size_t)15));                                   \
        return 15;                                                                                 \
    }
STREAM_LINK(0)
STREAM_LINK(1)
STREAM_LINK(2)

static long link_fd(uint64_t arg, char *buf, size_t size) {
    (void)arg;
    memcpy(buf, "/proc/self/fd", MIN(size, (size_t)13));
    return 13;
}

#define STREAM 1 /* data of what writes to stdout */

static struct inode *shm;
static const struct table_entry nothing[] = {{.mode = 0}};

static const struct table_entry devices[] = {
    {.name = "null", .mode = S_IFCHR | 0666, .ops = &null_ops, .major = 1, .minor = 3},
    {.name = "zero", .mode = S_IFCHR | 0666, .ops = &zero_ops, .major = 1, .minor = 5},
    {.name = "full", .mode = S_IFCHR | 0666, .ops = &full_ops, .major = 1, .minor = 7},
    {.name = "random", .mode = S_IFCHR | 0666, .ops = &random_ops, .major = 1, .minor = 8},
    {.name = "urandom", .mode = S_IFCHR | 0666, .ops = &random_ops, .major = 1, .minor = 9},
    {.name = "tty", .mode = S_IFCHR | 0666, .ops = &tty_ops, .data = STREAM, .major = 5},
    {.name = "console",
     .mode = S_IFCHR | 0600,
     .ops = &tty_ops,
     .data = STREAM,
     .major = 5,
     .minor = 1},
    {.name = "stdin", .mode = S_IFLNK | 0777, .link = link_stream0},
    {.name = "stdout", .mode = S_IFLNK | 0777, .link = link_stream1},
    {.name = "stderr", .mode = S_IFLNK | 0777, .link = link_stream2},
    {.name = "fd", .mode = S_IFLNK | 0777, .link = link_fd},
    {.name = "shm", .mode = S_IFDIR | 01777, .children = nothing, .mounted = &shm},
    {.mode = 0},
};
static const struct table_entry top = {.mode = S_IFDIR | 0755, .children = devices};

/* The streams themselves have no name; /proc/self/fd/1 leads here. */
static const struct table_entry streams[] = {
    {.mode = S_IFIFO | 0600, .ops = &stdio_input_ops, .data = 0},
    {.mode = S_IFIFO | 0600, .ops = &stdio_output_ops, .data = 1},
    {.mode = S_IFIFO | 0600, .ops = &stdio_output_ops, .data = 2},
};

struct inode *devfs_stream(unsigned stream) {
    struct inode *i = table_mount(&streams[stream], DEVICE);
    return i ? i : ERR_PTR(-ENOMEM);
}

static struct inode *mount_dev(void) {
    return table_mount(&top, DEVICE);
}

static const struct filesystem devfs = {"devtmpfs", "/dev", mount_dev};
FILESYSTEM(devfs);

static struct inode *mount_shm(void) {
    return shm = ramfs_shm();
}

static const struct filesystem devfs_shm = {"tmpfs", "/dev/shm", mount_shm};
FILESYSTEM(devfs_shm);
