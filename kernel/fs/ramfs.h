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

/* What may not be done any more with a file without a name; Linux's F_SEAL_. */
enum {
    SEAL_SEAL = 1,
    SEAL_SHRINK = 2,
    SEAL_GROW = 4,
    SEAL_WRITE = 8,
    SEAL_FUTURE_WRITE = 16, /* writing but through mappings that are there */
    SEAL_EXEC = 32,         /* changing whether it can be executed */
};
#define SEALS_ALL 63u
/* An empty file in no directory, with a reference; NULL: no memory. */
struct inode *ramfs_unnamed(uint32_t mode, unsigned seals);
/* An empty one, for memory that programs share by name: /dev/shm. */
struct inode *ramfs_shm(void);
/* F_GET_SEALS and F_ADD_SEALS; -errno. */
long file_seals(struct file *f, bool add, unsigned seals) __attribute__((weak));
bool file_write_sealed(const struct file *f) __attribute__((weak));

#define RAMFS_DEVICE 2   /* st_dev of the root */
#define SHM_DEVICE 6     /* of /dev/shm */
#define UNNAMED_DEVICE 1 /* of files from memfd_create, which belong nowhere */

/* A tree of files that somebody brought, and what of it is in use. */
struct ramfs_base {
    struct rootfs tree;
    uint32_t device;
    bool read_only; /* no files over it */
    struct tree in_use;
    /* Names that were looked up lately, by what they lead to, with a reference. */
    struct ramfs_found {
        uint64_t key;
        uint32_t dir;
        struct node *node; /* NULL: none */
        const struct rootfs_entry *entry;
    } found[16];
};
/* The directory with that number as a file system's root, with a reference;
 * NULL: no memory, or it is damaged. */
struct inode *ramfs_mount(struct ramfs_base *base, uint32_t number);

/* fs/rootfs.c, where it is linked: the root directory that was brought, or NULL. */
struct inode *rootfs_root(void) __attribute__((weak));

#endif
