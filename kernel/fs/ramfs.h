/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files in memory: the root.  A file's content may also lie in the image, in
 * place, until somebody writes to it.
 */
#ifndef FS_RAMFS_H
#define FS_RAMFS_H

#include "vfs/inode.h"

/* The running program as a file: "/NAME" and /proc/self/exe.  No reference
 * taken; NULL when memory was out. */
struct inode *ramfs_program(void);
const char *ramfs_program_name(void);

#endif
