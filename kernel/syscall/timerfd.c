/* SPDX-License-Identifier: BSD-3-Clause
 *
 * timerfd_create(2): a timer that is read and polled.
 */
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "sched/thread.h"
#include "sched/ticker.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"
#include "syscall/time.h"
#include "vfs/file.h"

#define TFD_TIMER_ABSTIME 1u
#define TFD_TIMER_CANCEL_ON_SET 2u

struct timerfd {
    struct ticker ticker;
    struct wait_queue queue;
    bool expired; /* and not read */
};

static void expired(struct ticker *t) {
    struct timerfd *fd = container_of(t, struct timerfd, ticker);
    fd->expired = true;
    wake_events(&fd->queue, POLLIN);
}

static long timerfd_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct timerfd *fd = f->data;
    (void)pos;
    if (size < sizeof(uint64_t))
        return -EINVAL;
    while (!fd->expired) {
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_on(&fd->queue, UINT64_MAX);
        if (error)
            return error;
    }
    fd->expired = false;
    uint64_t count = ticker_collect(&fd->ticker);
    return user_write(buf, &count, sizeof count) ? -EFAULT : (long)sizeof count;
}

static int timerfd_info(struct file *f, struct file_info *out) {
    (void)f;
    memset(out, 0, sizeof *out);
    out->mode = 0600;
    out->links = 1;
    return 0;
}

static unsigned timerfd_poll(struct file *f) {
    return ((struct timerfd *)f->data)->expired ? POLLIN : 0;
}

static struct wait_queue *timerfd_wait(struct file *f) {
    return &((struct timerfd *)f->data)->queue;
}

static void timerfd_close(struct file *f) {
    struct timerfd *fd = f->data;
    timer_cancel(&fd->ticker.timer);
    heap_free(fd, sizeof *fd);
}

static const struct file_ops ops = {
    .read = timerfd_read,
    .info = timerfd_info,
    .seek = file_seek_nowhere,
    .poll = timerfd_poll,
    .wait = timerfd_wait,
    .close = timerfd_close,
    .name = "anon_inode:[timerfd]",
};

SYSCALL_HANDLER(timerfd_create) {
    int clock = (int)a;
    if ((uint32_t)b & ~(O_CLOEXEC | O_NONBLOCK) ||
        (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME))
        return -EINVAL;
    struct timerfd *fd = heap_alloc(sizeof *fd);
    if (!fd)
        return -ENOMEM;
    memset(fd, 0, sizeof *fd);
    wait_queue_init(&fd->queue, false);
    fd->ticker.clock = clock == CLOCK_REALTIME ? TICKER_REALTIME : TICKER_MONOTONIC;
    fd->ticker.fn = expired;
    struct file *file = file_new(&ops, O_RDWR | ((uint32_t)b & O_NONBLOCK), fd);
    if (!file) {
        heap_free(fd, sizeof *fd);
        return -ENOMEM;
    }
    int n = fd_install(file, 0, b & O_CLOEXEC);
    if (n < 0)
        file_put(file);
    return n;
}

/* The timer of a descriptor, with a reference to the file; -errno. */
static long timer_get(int n, struct file **f) {
    *f = fd_get(n);
    if (!*f)
        return -EBADF;
    if ((*f)->ops == &ops)
        return 0;
    long error = (*f)->flags & O_PATH ? -EBADF : -EINVAL;
    file_put(*f);
    return error;
}

static long write_setting(vaddr_t to, const struct ticker *t) {
    long error = time_write(to, t->interval);
    /* One that expires once has nothing left, read or not. */
    uint64_t left = t->interval || ticker_now(t) < t->next ? ticker_left(t) : 0;
    return error ? error : time_write(to + sizeof(struct linux_timespec), left);
}

SYSCALL_HANDLER(timerfd_settime) {
    uint64_t value, interval;
    struct file *file;
    long error = time_read(c, &interval);
    if (!error || error == -EINVAL) {
        long second = time_read(c + sizeof(struct linux_timespec), &value);
        if (second)
            error = second;
    }
    if (error)
        return error;
    if ((uint32_t)b & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
        return -EINVAL;
    error = timer_get((int)a, &file);
    if (error)
        return error;
    struct timerfd *fd = file->data;
    struct ticker old = fd->ticker;
    if (value && !(b & TFD_TIMER_ABSTIME))
        value += ticker_now(&fd->ticker);
    fd->expired = false;
    ticker_set(&fd->ticker, value, interval);
    error = d ? write_setting(d, &old) : 0;
    file_put(file);
    return error;
}

SYSCALL_HANDLER(timerfd_gettime) {
    struct file *file;
    long error = timer_get((int)a, &file);
    if (error)
        return error;
    error = write_setting(b, &((struct timerfd *)file->data)->ticker);
    file_put(file);
    return error;
}
