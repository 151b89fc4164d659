/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Paths in the app's memory, for the families that take them (option FILES).
 */
#ifndef SYSCALL_PATH_H
#define SYSCALL_PATH_H

#include "vfs/inode.h"

/* A path from the app: its text and where it starts. */
struct user_path {
    char *text;          /* FS_PATH_MAX bytes of heap */
    struct inode *start; /* with a reference */
    struct file *file;   /* what dirfd names, with a reference; NULL: AT_FDCWD, or not needed */
};
/* 0 or -errno; `at_flags` with AT_EMPTY_PATH: "" is no error, and dirfd then
 * may be any file (start is NULL when it is no directory). */
long user_path_get(struct user_path *p, int dirfd, vaddr_t text, unsigned at_flags);
void user_path_put(struct user_path *p);

/* Reads and walks in one. */
long path_at(int dirfd, vaddr_t text, unsigned walk_flags, struct path *out);
/* The inode that a call with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH means, with
 * a reference.  A file without an inode: -EINVAL. */
long inode_at(int dirfd, vaddr_t text, unsigned at_flags, struct inode **out);
/* The same, and the directory and name where it stands; dir is NULL when the
 * path is empty. */
long place_at(int dirfd, vaddr_t text, unsigned at_flags, struct path *out);
/* names.c (option NAMES): makes what is of that type and mode; -errno. */
long create_at(int dirfd, vaddr_t text, uint32_t mode, const char *target, uint64_t rdev);

#endif
