/* SPDX-License-Identifier: BSD-3-Clause
 *
 * splice(2) and tee(2) between open files, for io_uring.
 */
#ifndef SYSCALL_SPLICE_H
#define SYSCALL_SPLICE_H

#include "vfs/file.h"

/* A position that is NULL is the file's own, or a pipe's; bytes, or -errno. */
long splice_files(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, size_t size,
                  unsigned flags, bool tees);

#endif
