/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files in memory: the root.  A file's content may also lie in the image, in
 * place, until somebody writes to it.
 */
#ifndef FS_RAMFS_H
#define FS_RAMFS_H

#include "lib/rootfs.h"
#include "lib/tree.h"
#include "vfs/inode.h"

/* The running program as a file: "/NAME" and /proc/self/exe.  No reference
 * taken; NULL when memory was out. */
struct inode *ramfs_program(void);
const char *ramfs_program_name(void);

#define RAMFS_DEVICE 2 /* st_dev of the root */

/* A tree of files that somebody brought, and what of it is in use. */
struct ramfs_base {
    struct rootfs tree;
    uint32_t device;
    bool read_only; /* no files over it */
    struct tree in_use;
};
/* The directory with that number as a file system's root, with a reference;
 * NULL: no memory, or it is damaged. */
struct inode *ramfs_mount(struct ramfs_base *base, uint32_t number);

/* fs/rootfs.c, where it is linked: the root directory that was brought, or NULL. */
struct inode *rootfs_root(void) __attribute__((weak));

#endif
