/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What other families ask of io.c: struct file_info as the app sees it, and
 * what mmap maps.
 */
#ifndef SYSCALL_STAT_H
#define SYSCALL_STAT_H

#include "vfs/file.h"

/* What fstat tells of an open file: 0 or -errno. */
int file_info(struct file *f, struct file_info *out);
/* Writes struct stat to the app's memory: 0 or -EFAULT. */
long stat_copy(vaddr_t dst, const struct file_info *info);
/* The pages of an open file, with a reference; NULL: *error.  *may_write: a
 * shared mapping may be made writable later.  memory.c has a weak one for
 * images without files. */
struct area_source *file_area_source(int fd, bool write_shared, bool *may_write, long *error);

#endif
