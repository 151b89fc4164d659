/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /dev.  For procfs: what a console stream is, seen as a file.
 */
#ifndef FS_DEVFS_H
#define FS_DEVFS_H

#include "vfs/inode.h"

/* The inode of stream 0, 1 or 2, with a reference; ERR_PTR without memory. */
struct inode *devfs_stream(unsigned stream);

#endif
