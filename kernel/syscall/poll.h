/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The signal mask that stands during a wait (poll.c): ppoll, pselect6,
 * epoll_pwait.
 */
#ifndef SYSCALL_POLL_H
#define SYSCALL_POLL_H

#include "arch/arch.h"

/* Reads the mask at `mask` (0: none is given) and sets it; -EINVAL, -EFAULT. */
long poll_mask_set(vaddr_t mask, uint64_t size);
/* Unless a signal is about to be delivered under it (result -EINTR), the old
 * mask comes back at once. */
void poll_mask_back(long result);

#endif
