/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The descriptor table and the counting of open files.
 *
 * The table grows in chunks; the first one stands ready with stdin, stdout
 * and stderr, and is all that most programs need.  No locks: interrupts are closed in the kernel,
 * and nothing in here sleeps but a file's close.
 */
#include "vfs/file.h"

#include "lib/errno.h"
#include "mm/heap.h"
#include "vfs/lock.h"

#define CHUNK 16

static struct file *first[CHUNK] = {&file_standard[0], &file_standard[1], &file_standard[2]};
static struct file **more[FD_MAX / CHUNK]; /* by number; the first is not used */
static uint16_t cloexec_bits[FD_MAX / CHUNK];
uint32_t fd_limit = FD_MAX;
void (*file_release)(struct file *f);
struct file *fd_borrowed;

/* Where descriptor fd stands; NULL: out of range, or in a chunk not there. */
static struct file **slot(int fd) {
    if ((unsigned)fd >= FD_MAX)
        return NULL;
    struct file **chunk = (unsigned)fd < CHUNK ? first : more[(unsigned)fd / CHUNK];
    return chunk ? &chunk[(unsigned)fd % CHUNK] : NULL;
}

/* The same, and the chunk is made; fd is in range. */
static struct file **slot_make(int fd) {
    struct file ***chunk = &more[(unsigned)fd / CHUNK];
    if ((unsigned)fd >= CHUNK && !*chunk && !(*chunk = heap_alloc(sizeof(first))))
        return NULL;
    return slot(fd);
}

struct file *file_new(const struct file_ops *ops, uint32_t flags, void *data) {
    struct file *f = heap_alloc(sizeof(*f));
    if (!f)
        return NULL;
    f->ops = ops;
    f->refs = 1;
    f->flags = flags;
    f->data = data;
    return f;
}

void file_put(struct file *f) {
    if (!--f->refs)
        file_free(f);
}

void file_free(struct file *f) {
    if (f->watched)
        epoll_forget(f);
    if (lock_closed)
        lock_closed(f, true);
    if (f->ops->close)
        f->ops->close(f);
    if (file_release)
        file_release(f);
    heap_free(f, sizeof(*f));
}

long file_seek_nowhere(struct file *f, int64_t offset, int whence) {
    (void)f, (void)offset, (void)whence;
    return 0;
}

struct file *fd_get(int fd) {
    struct file **s = (unsigned)fd < CHUNK ? &first[fd]
                      : fd == FD_BORROWED  ? &fd_borrowed
                                           : slot(fd);
    return s && *s ? file_get(*s) : NULL;
}

static void set(int fd, struct file **s, struct file *f, bool cloexec) {
    *s = f;
    fd_set_cloexec(fd, cloexec);
}

int fd_install(struct file *f, int lowest, bool cloexec) {
    for (unsigned fd = (unsigned)lowest; fd < fd_limit; fd++) {
        struct file **s = slot_make((int)fd);
        if (!s)
            return -ENOMEM;
        if (!*s) {
            set((int)fd, s, f, cloexec);
            return (int)fd;
        }
    }
    return -EMFILE;
}

int fd_close(int fd) {
    struct file **s = slot(fd);
    if (!s || !*s)
        return -EBADF;
    struct file *f = *s;
    set(fd, s, NULL, false);
    if (lock_closed)
        lock_closed(f, false);
    file_put(f);
    return 0;
}

int fd_replace(int fd, struct file *f, bool cloexec) {
    if ((unsigned)fd >= fd_limit)
        return -EBADF;
    struct file **s = slot_make(fd);
    if (!s)
        return -ENOMEM;
    struct file *old = *s;
    set(fd, s, f, cloexec);
    if (old && lock_closed)
        lock_closed(old, false);
    if (old)
        file_put(old);
    return fd;
}

int fd_next(int fd) {
    for (; fd < FD_MAX; fd++) {
        struct file **s = slot(fd);
        if (s && *s)
            return fd;
    }
    return -1;
}

bool fd_cloexec(int fd) {
    return cloexec_bits[(unsigned)fd / CHUNK] >> ((unsigned)fd % CHUNK) & 1;
}

void fd_set_cloexec(int fd, bool on) {
    uint16_t bit = (uint16_t)(1u << ((unsigned)fd % CHUNK));
    uint16_t *bits = &cloexec_bits[(unsigned)fd / CHUNK];
    *bits = (uint16_t)(on ? *bits | bit : *bits & ~bit);
}

/* Linux's table begins with 64 and is doubled where a descriptor needs it. */
unsigned fd_table_size(void) {
    unsigned chunks = FD_MAX / CHUNK, size = 64;
    while (chunks > 1 && !more[chunks - 1])
        chunks--;
    while (size < chunks * CHUNK)
        size *= 2;
    return size;
}
