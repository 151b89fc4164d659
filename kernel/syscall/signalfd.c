/* SPDX-License-Identifier: BSD-3-Clause
 *
 * signalfd(2): pending signals are read instead of delivered.
 *
 * As on Linux, read and poll look at what is pending for the thread that calls
 * and for the process.
 */
#include "app/signal.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "sched/thread.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"
#include "vfs/file.h"

#define SET_SIZE 8u

struct linux_signalfd_siginfo {
    uint32_t signo;
    int32_t err, code;
    uint32_t pid, uid;
    int32_t fd;
    uint32_t tid, band, overrun, trapno;
    int32_t status, value_int;
    uint64_t value, utime, stime, address;
    uint8_t pad[48];
};
_Static_assert(sizeof(struct linux_signalfd_siginfo) == 128, "an ABI");

static WAIT_QUEUE(arrivals); /* of any signal, for all signal descriptors */

void signal_arrived(void) {
    wake_events(&arrivals, POLLIN);
}

static uint64_t set_of(const struct file *f) {
    return *(const uint64_t *)f->data;
}

static int tell(vaddr_t to, const struct signal_info *info) {
    struct linux_signalfd_siginfo s = {
        .signo = (uint32_t)info->signo, .err = info->err, .code = info->code};
    bool fault = info->code > 0 && info->code != SI_KERNEL;
    if (fault) {
        s.address = info->address;
    } else if (info->code == SI_TIMER) {
        s.tid = (uint32_t)info->pid;
        s.overrun = (uint32_t)info->uid;
    } else {
        s.pid = (uint32_t)info->pid;
        s.uid = (uint32_t)info->uid;
    }
    if (info->code < 0) {
        s.value = info->value;
        s.value_int = (int32_t)info->value;
    }
    return user_write(to, &s, sizeof s);
}

static long signalfd_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct signal_info info;
    size_t done = 0;
    (void)pos;
    size -= size % sizeof(struct linux_signalfd_siginfo);
    if (!size)
        return -EINVAL;
    while (done < size) {
        if (signal_take(set_of(f), &info)) {
            if (tell(buf + done, &info))
                return done ? (long)done : -EFAULT;
            done += sizeof(struct linux_signalfd_siginfo);
            continue;
        }
        if (done)
            break;
        int error = f->flags & O_NONBLOCK ? -EAGAIN : wait_on(&arrivals, UINT64_MAX);
        if (error)
            return error;
    }
    return (long)done;
}

static unsigned signalfd_poll(struct file *f) {
    return (thread_current()->signal_pending | signal_shared) & set_of(f) ? POLLIN : 0;
}

static struct wait_queue *signalfd_wait(struct file *f) {
    (void)f;
    return &arrivals;
}

static int signalfd_info(struct file *f, struct file_info *out) {
    (void)f;
    *out = (struct file_info){.mode = 0600, .links = 1};
    return 0;
}

static void signalfd_close(struct file *f) {
    heap_free(f->data, sizeof(uint64_t));
}

static const struct file_ops ops = {
    .read = signalfd_read,
    .info = signalfd_info,
    .seek = file_seek_nowhere,
    .poll = signalfd_poll,
    .wait = signalfd_wait,
    .close = signalfd_close,
    .name = "anon_inode:[signalfd]",
};

static long create(uint64_t set, uint32_t flags) {
    uint64_t *copy = heap_alloc(sizeof *copy);
    struct file *f = copy ? file_new(&ops, O_RDWR | (flags & O_NONBLOCK), copy) : NULL;
    if (!f) {
        heap_free(copy, sizeof *copy);
        return -ENOMEM;
    }
    *copy = set;
    int fd = fd_install(f, 0, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

static long change(int fd, uint64_t set) {
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long result = f->flags & O_PATH ? -EBADF : f->ops == &ops ? fd : -EINVAL;
    if (result >= 0) {
        *(uint64_t *)f->data = set;
        signal_arrived(); /* what is pending already may be in the new set */
    }
    file_put(f);
    return result;
}

static long signalfd(int fd, vaddr_t mask, uint64_t size, uint32_t flags) {
    uint64_t set;
    if (size != SET_SIZE)
        return -EINVAL;
    if (user_read(&set, mask, sizeof set))
        return -EFAULT;
    if (flags & ~(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    set &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    if (set & SIGNAL_BIT(SIGTERM))
        signal_listen();
    return fd == -1 ? create(set, flags) : change(fd, set);
}

SYSCALL_HANDLER(signalfd) {
    return signalfd((int)a, b, c, 0);
}

SYSCALL_HANDLER(signalfd4) {
    return signalfd((int)a, b, c, (uint32_t)d);
}
