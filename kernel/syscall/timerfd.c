/* SPDX-License-Identifier: BSD-3-Clause
 *
 * timerfd_create(2): a timer that is read and polled.  Where the page does not say
 * what follows of what, it is as in Linux's fs/timerfd.c.
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
    bool expired;  /* and not read; or canceled */
    bool wall;     /* made for the wall clock */
    bool canceled; /* TFD_TIMER_CANCEL_ON_SET: the clock was set, and nobody was told */
};

static void expired(struct ticker *t) {
    struct timerfd *fd = container_of(t, struct timerfd, ticker);
    fd->expired = true;
    wake_events(&fd->queue, POLLIN);
}

static void clock_was_set(struct ticker *t) {
    container_of(t, struct timerfd, ticker)->canceled = true;
    expired(t);
}

/* Is it to be told that the clock was set?  Once. */
static bool cancellation(struct timerfd *fd) {
    bool canceled = fd->canceled && fd->ticker.moved;
    fd->canceled &= !canceled;
    return canceled;
}

static long timerfd_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct timerfd *fd = f->data;
    int error = 0;
    (void)pos;
    if (size < sizeof(uint64_t))
        return -EINVAL;
    while (!fd->expired && !error)
        error = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(&fd->queue, UINT64_MAX);
    if (cancellation(fd))
        error = -ECANCELED;
    if (error && error != -ECANCELED)
        return error;
    fd->expired = false;
    if (error)
        return error;
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
    ticker_end(&fd->ticker);
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
    fd->wall = clock == CLOCK_REALTIME;
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
    bool wall = fd->wall && b & TFD_TIMER_ABSTIME;
    fd->ticker.clock = wall ? TICKER_REALTIME : TICKER_MONOTONIC;
    fd->ticker.moved = wall && b & TFD_TIMER_CANCEL_ON_SET ? clock_was_set : NULL;
    if (value && !(b & TFD_TIMER_ABSTIME))
        value += ticker_now(&fd->ticker);
    fd->expired = false;
    ticker_set(&fd->ticker, value, interval);
    /* The timer is set, even where the answer is that the one before was canceled. */
    error = value && cancellation(fd) ? -ECANCELED : d ? write_setting(d, &old) : 0;
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
