/* SPDX-License-Identifier: BSD-3-Clause
 *
 * eventfd(2): a counter that is read, written and polled.
 */
#include "syscall/eventfd.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "sched/thread.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

#define EFD_SEMAPHORE 1u
#define COUNT_MAX (UINT64_MAX - 1) /* of what write leaves */

struct eventfd {
    struct wait_queue queue;
    uint64_t count;
    bool semaphore;
};

static long eventfd_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct eventfd *e = f->data;
    (void)pos;
    if (size < sizeof e->count)
        return -EINVAL;
    while (!e->count) {
        int error = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(&e->queue, UINT64_MAX);
        if (error)
            return error;
    }
    uint64_t value = e->semaphore ? 1 : e->count;
    e->count -= value;
    wake_events(&e->queue, POLLOUT);
    return user_write(buf, &value, sizeof value) ? -EFAULT : (long)sizeof value;
}

static long eventfd_write(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct eventfd *e = f->data;
    uint64_t value;
    (void)pos;
    if (size != sizeof value)
        return -EINVAL;
    if (user_read(&value, buf, sizeof value))
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    while (value > COUNT_MAX - MIN(e->count, COUNT_MAX)) {
        int error = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(&e->queue, UINT64_MAX);
        if (error)
            return error;
    }
    e->count += value;
    wake_events(&e->queue, POLLIN);
    return (long)sizeof value;
}

static int eventfd_info(struct file *f, struct file_info *out) {
    (void)f;
    *out = (struct file_info){.mode = 0600, .links = 1};
    return 0;
}

static unsigned eventfd_poll(struct file *f) {
    const struct eventfd *e = f->data;
    return (e->count ? POLLIN : 0) | (e->count < COUNT_MAX ? POLLOUT : 0) |
           (e->count == UINT64_MAX ? POLLERR : 0);
}

static struct wait_queue *eventfd_wait(struct file *f) {
    return &((struct eventfd *)f->data)->queue;
}

static void eventfd_close(struct file *f) {
    heap_free(f->data, sizeof(struct eventfd));
}

static const struct file_ops ops = {
    .read = eventfd_read,
    .write = eventfd_write,
    .info = eventfd_info,
    .seek = file_seek_nowhere,
    .poll = eventfd_poll,
    .wait = eventfd_wait,
    .close = eventfd_close,
    .name = "anon_inode:[eventfd]",
};

bool eventfd_signal(struct file *f) {
    struct eventfd *e = f->data;
    if (f->ops != &ops)
        return false;
    e->count += e->count < UINT64_MAX;
    wake_events(&e->queue, POLLIN);
    return true;
}

bool eventfd_is(const struct file *f) {
    return f->ops == &ops;
}

static long create(unsigned count, uint32_t flags) {
    if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    struct eventfd *e = heap_alloc(sizeof *e);
    struct file *f = e ? file_new(&ops, O_RDWR | (flags & O_NONBLOCK), e) : NULL;
    if (!f) {
        heap_free(e, sizeof *e);
        return -ENOMEM;
    }
    wait_queue_init(&e->queue, false);
    e->count = count;
    e->semaphore = flags & EFD_SEMAPHORE;
    int fd = fd_install(f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

SYSCALL_HANDLER(eventfd) {
    return create((unsigned)a, 0);
}

SYSCALL_HANDLER(eventfd2) {
    return create((unsigned)a, (uint32_t)b);
}
