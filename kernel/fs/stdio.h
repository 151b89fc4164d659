/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The console's streams as files: stdio.c has the ops, stdin.c the input's
 * buffer.  `data` of such a file is the stream's number: 0, 1, 2.
 */
#ifndef FS_STDIO_H
#define FS_STDIO_H

#include "vfs/file.h"

extern const struct file_ops stdio_input_ops, stdio_output_ops;

long stdin_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos);
unsigned stdin_poll(struct file *f);
struct wait_queue *stdin_wait(struct file *f);
long stdin_readable(struct file *f);

#endif
