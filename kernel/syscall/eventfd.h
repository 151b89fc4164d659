/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Event descriptors for what tells of its completions through one.  Weak: NULL
 * where EVENTFD is not linked, and then no file is one.
 */
#ifndef SYSCALL_EVENTFD_H
#define SYSCALL_EVENTFD_H

#include "vfs/file.h"

bool eventfd_is(const struct file *f) __attribute__((weak));
/* Adds one; false: the file is none. */
bool eventfd_signal(struct file *f) __attribute__((weak));

#endif
