/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The console's streams as files: stdio.c has the ops, stdin.c the input's
 * buffer.  `data` of such a file is the stream's number: 0, 1, 2.
 */
#ifndef FS_STDIO_H
#define FS_STDIO_H

#include "vfs/file.h"

extern const struct file_ops stdio_input_ops, stdio_output_ops;

/* An option of its own: all of them are NULL in an image whose app never
 * reads.  The files are there nevertheless. */
#define OPTIONAL __attribute__((weak))
OPTIONAL long stdin_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos);
OPTIONAL unsigned stdin_poll(struct file *f);
OPTIONAL struct wait_queue *stdin_wait(struct file *f);
OPTIONAL long stdin_readable(struct file *f);

#endif
