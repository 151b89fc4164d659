/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What happens to files, told to whoever watches them (syscall/inotify.c).
 * Weak: NULL where nobody can watch.
 */
#ifndef VFS_NOTIFY_H
#define VFS_NOTIFY_H

#include "vfs/inode.h"

/* Linux's IN_ numbers. */
enum {
    NOTIFY_ACCESS = 1,
    NOTIFY_MODIFY = 2,
    NOTIFY_ATTRIB = 4,
    NOTIFY_CLOSE_WRITE = 8,
    NOTIFY_CLOSE_NOWRITE = 0x10,
    NOTIFY_OPEN = 0x20,
    NOTIFY_MOVED_FROM = 0x40,
    NOTIFY_MOVED_TO = 0x80,
    NOTIFY_CREATE = 0x100,
    NOTIFY_DELETE = 0x200,
    NOTIFY_DELETE_SELF = 0x400,
    NOTIFY_MOVE_SELF = 0x800,
};

/* Of a name in a directory; `i` is what it leads to, which has watchers of its
 * own for what is about the file (and none for names that come and go).  dir
 * may be NULL: nobody knows where it stands. */
void notify_name(struct inode *dir, struct name name, struct inode *i, uint32_t what,
                 uint32_t cookie) __attribute__((weak));
/* Of an open file. */
void notify_file(const struct file *f, uint32_t what) __attribute__((weak));
/* A name of it is gone; `held`: references to it that the caller has. */
void notify_unlinked(struct inode *i, uint32_t held) __attribute__((weak));
uint32_t notify_cookie(void) __attribute__((weak)); /* joins the two events of a move */

#endif
