/* SPDX-License-Identifier: BSD-3-Clause
 *
 * pipe(2) and pipe2(2).
 */
#include "fs/pipe.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

static long pipe_at_fds(vaddr_t out, uint32_t flags) {
    struct file *ends[2];
    int fds[2];
    if (flags & ~(O_CLOEXEC | O_DIRECT | O_NONBLOCK))
        return -EINVAL;
    long error = pipe_create(flags & (O_DIRECT | O_NONBLOCK), ends);
    if (error)
        return error;
    for (int i = 0; i < 2; i++) {
        fds[i] = fd_install(ends[i], 0, flags & O_CLOEXEC);
        if (fds[i] >= 0)
            continue;
        if (i)
            fd_close(fds[0]);
        else
            file_put(ends[0]);
        file_put(ends[1]);
        return fds[i];
    }
    if (!user_write(out, fds, sizeof fds))
        return 0;
    fd_close(fds[0]);
    fd_close(fds[1]);
    return -EFAULT;
}

SYSCALL_HANDLER(pipe) {
    return pipe_at_fds(a, 0);
}

SYSCALL_HANDLER(pipe2) {
    return pipe_at_fds(a, (uint32_t)b);
}
