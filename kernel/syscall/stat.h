/* SPDX-License-Identifier: BSD-3-Clause
 *
 * struct file_info as the app sees it.  In io.c, because fstat stands there.
 */
#ifndef SYSCALL_STAT_H
#define SYSCALL_STAT_H

#include "vfs/file.h"

/* What fstat tells of an open file: 0 or -errno. */
int file_info(struct file *f, struct file_info *out);
/* Writes struct stat to the app's memory: 0 or -EFAULT. */
long stat_copy(vaddr_t dst, const struct file_info *info);

#endif
