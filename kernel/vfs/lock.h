/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Locks on files (fcntl_locking(2), flock(2)).
 *
 * A lock is owned by the process (F_SETLK) or by an open file (F_OFD_SETLK,
 * flock).  Those of flock and those of fcntl do not see each other.
 */
#ifndef VFS_LOCK_H
#define VFS_LOCK_H

#include "lib/list.h"
#include "vfs/file.h"

enum lock_kind { LOCK_PROCESS, LOCK_FILE, LOCK_WHOLE }; /* F_SETLK, F_OFD_SETLK, flock */
enum lock_type { LOCK_NONE, LOCK_SHARED, LOCK_ALONE };

struct lock_request {
    enum lock_kind kind;
    enum lock_type type;
    uint64_t start, end; /* the last byte; LOCK_END: for ever */
};
#define LOCK_END ((uint64_t)INT64_MAX)

/* Sets or (LOCK_NONE) takes away; -EAGAIN when somebody is in the way and
 * `wait` is false, -EINTR, -ENOLCK.  A file without an inode is alone. */
int lock_set(struct file *f, const struct lock_request *r, bool wait);
/* Who would be in the way?  False: nobody. */
bool lock_test(struct file *f, const struct lock_request *r, struct lock_request *who);
/* A descriptor of the file is closed, and the file itself if `last`. */
void lock_closed(struct file *f, bool last) __attribute__((weak));

#endif
