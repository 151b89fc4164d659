/* SPDX-License-Identifier: BSD-3-Clause
 *
 * System call handlers.  A handler is `long sys_<name>(long a, ... f)` with as
 * many parameters as it needs, returns a result or -errno, and has a row in
 * abi/syscalls.def; nothing else is needed.  A row without a handler falls to
 * sys_absent (weak alias), which reports itself.
 *
 * Linux's flags, ioctls and structure layouts stand in syscall/linux.h.
 */
#ifndef SYSCALL_SYSCALL_H
#define SYSCALL_SYSCALL_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "lib/errno.h"

#define SYSCALL(name, x86_64, aarch64, option, policy)                                             \
    long sys_##name(unsigned long, unsigned long, unsigned long, unsigned long, unsigned long,     \
                    unsigned long);
#include "abi/syscalls.def"
#undef SYSCALL

/* The one prototype all handlers share; unused parameters cost nothing. */
#define SYSCALL_HANDLER(name)                                                                      \
    long sys_##name(                                                                               \
        __attribute__((unused)) unsigned long a, __attribute__((unused)) unsigned long b,          \
        __attribute__((unused)) unsigned long c, __attribute__((unused)) unsigned long d,          \
        __attribute__((unused)) unsigned long e, __attribute__((unused)) unsigned long f)

/* A vector of more pieces than a file takes at once, checked: a socket makes one message
 * of it.  False: the file is none.  Weak: without sockets there is none. */
struct file;
bool socket_vector(struct file *f, bool reads, vaddr_t iov, unsigned long count, long *done)
    __attribute__((weak));

#endif
