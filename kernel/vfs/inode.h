/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a path leads to: inodes, directories, mounted file systems, the walk.
 *
 * Inodes are counted.  A file system makes them (in lookup and create) and
 * takes them back (release).  A directory's inode knows its parent and its own
 * name there, so that absolute paths and ".." need no search; a file system
 * hands out one and the same inode for a directory that something is mounted
 * on.  All of this may sleep; errors are -errno.
 *
 * Nothing checks permissions: the one process is root.
 */
#ifndef VFS_INODE_H
#define VFS_INODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfs/file.h"

struct inode;

struct name { /* a path component; no '/', never "" "." or ".." */
    const char *text;
    size_t length;
};

/* Takes directory entries one by one; false: no room, the entry counts as not
 * given.  `next` is the position after it. */
struct dir_sink {
    bool (*put)(struct dir_sink *s, struct name name, uint64_t inode, uint32_t mode, uint64_t next);
};

struct inode_change { /* what chmod, chown, utimensat and truncate ask for */
    bool set_mode, set_owner, set_atime, set_mtime, set_size;
    uint32_t mode;     /* permission bits only */
    uint32_t uid, gid; /* UINT32_MAX: as it is */
    uint64_t atime_ns, mtime_ns, size;
};

/* Any op but info may be NULL: directories cannot be changed then (-EROFS),
 * links not be read (-EINVAL), files not be opened (-ENXIO). */
struct inode_ops {
    uint32_t fs_type; /* statfs's magic number; 0: as /proc */
    int (*lookup)(struct inode *dir, struct name name, struct inode **out); /* with a reference */
    /* Gives the entries from *pos on, without "." and "..", until the sink is
     * full, and leaves *pos behind the last one taken.  0 is the start. */
    int (*list)(struct inode *dir, uint64_t *pos, struct dir_sink *sink);
    /* A new file, directory, link (`target`) or device node (rdev). The name is free. */
    int (*create)(struct inode *dir, struct name name, uint32_t mode, const char *target,
                  uint64_t rdev, struct inode **out);
    int (*link)(struct inode *dir, struct name name, struct inode *target);
    int (*unlink)(struct inode *dir, struct name name, struct inode *victim);
    /* Moves an entry within one file system; `victim` is what stands at the
     * new place, or NULL; `exchange`: the two change places. */
    int (*rename)(struct inode *dir, struct name name, struct inode *moved, struct inode *new_dir,
                  struct name new_name, struct inode *victim, bool exchange);

    long (*readlink)(struct inode *i, char *buf, size_t size); /* bytes; cut when longer */
    /* Links that lead to an inode rather than a path (/proc/self/fd/3): it, with
     * a reference; ERR_PTR; NULL: walk the text. */
    struct inode *(*follow)(struct inode *i);

    int (*info)(struct inode *i, struct file_info *out); /* mode and number are filled in */
    int (*change)(struct inode *i, const struct inode_change *c);
    /* Fills in ops and data of a file that is being opened. */
    int (*open)(struct inode *i, struct file *f);
    /* A new file without a name (O_TMPFILE), with a reference; `linkable`: it may
     * get one.  NULL: -EOPNOTSUPP. */
    int (*unnamed)(struct inode *dir, uint32_t mode, bool linkable, struct inode **out);
    void (*release)(struct inode *i); /* the last reference went; NULL: it stays */
};

struct inode {
    const struct inode_ops *ops;
    uint32_t refs;
    uint32_t mode; /* S_IFMT | permissions */
    uint64_t number;
    uint32_t device;    /* of its mount */
    struct lock *locks; /* vfs/lock.c */
    /* Directories only. */
    struct inode *parent;  /* with a reference that inode_put gives back; NULL: a root */
    const char *name;      /* in parent, NUL-terminated; the file system's; NULL: removed */
    struct inode *mounted; /* root of what is mounted on it */
    struct inode *covers;  /* a mount's root: what it is mounted on */
};

static inline bool inode_is(const struct inode *i, uint32_t type) {
    return (i->mode & S_IFMT) == type;
}
static inline struct inode *inode_get(struct inode *i) {
    i->refs++;
    return i;
}
/* A directory that was removed while someone stands in it. */
static inline bool inode_is_removed(const struct inode *i) {
    return i->parent && !i->name;
}
void inode_put(struct inode *i); /* may be NULL */
int inode_info(struct inode *i, struct file_info *out);

/* ---- mounts -------------------------------------------------------------- */

/* Linked file systems make themselves known.  All are mounted when the first
 * path is walked, "/" first, then in the order of the rows' names; a mount
 * point that is missing is made. */
struct filesystem {
    const char *name;             /* as in /proc/mounts */
    const char *where;            /* absolute path */
    struct inode *(*mount)(void); /* the root directory, with a reference; NULL: no memory */
};
#define FILESYSTEM(fs)                                                                             \
    __attribute__((used,                                                                           \
                   section(".filesystems." #fs))) static const struct filesystem *const fs##_row = \
        &(fs)
extern const struct filesystem *const filesystems_start[], *const filesystems_end[];

/* fs/rootfs.c, where it is linked: a folder that is mounted last, and that the
 * program starts in.  The path is there; NULL: there is none. */
__attribute__((weak)) const char *vfs_start_path(void);
__attribute__((weak)) struct inode *vfs_start_mount(void);

/* Called when all file systems are in place: fs/netfiles.c, where it is linked. */
__attribute__((weak)) void vfs_populate(void);

struct inode *vfs_root(void);        /* no reference taken */
extern bool vfs_mounted;             /* all file systems are in place */
struct inode *vfs_cwd(void);         /* no reference taken */
void vfs_set_cwd(struct inode *dir); /* takes over the reference */
extern uint32_t vfs_umask;

/* ---- the walk ------------------------------------------------------------ */

enum walk_flag {
    WALK_FOLLOW = 1,     /* a link at the end is followed */
    WALK_NEW = 2,        /* the last name need not exist: inode is NULL then */
    WALK_NO_LINKS = 4,   /* any link: -ELOOP */
    WALK_NO_MAGIC = 8,   /* a link to an inode: -ELOOP */
    WALK_BENEATH = 16,   /* leaving the start: -EXDEV */
    WALK_IN_ROOT = 32,   /* the start is the root */
    WALK_NO_MOUNTS = 64, /* crossing a mount: -EXDEV */
    WALK_NAME = 128,     /* the last name as it stands, whatever a slash behind it says */
};

struct path {
    struct inode *dir;   /* where the last name stands, with a reference */
    struct inode *inode; /* what it leads to, with a reference; NULL: nothing */
    bool slash;          /* the path ended in a slash */
    bool is_name;        /* it ended in a name: last is LAST_NAME */
    enum path_last { LAST_ROOT, LAST_DOT, LAST_DOTDOT, LAST_NAME } last;
    size_t length;
    char name[FS_NAME_MAX + 1];
};

/* Walks `text` (at most FS_PATH_MAX - 1 bytes) from `start`, absolute paths
 * from the root.  0 fills *out. */
int path_walk(struct inode *start, const char *text, unsigned flags, struct path *out);
void path_put(struct path *p);
/* Writes the absolute path of a directory, and of a name in it (may be NULL),
 * with its NUL: the length without it; -ENOENT when the directory was removed,
 * -ERANGE when it does not fit. */
long path_text(struct inode *dir, const char *name, char *buf, size_t size);

/* Opens as open(2) does: the file with a reference, or ERR_PTR. */
struct file *vfs_open(struct inode *start, const char *text, uint32_t flags, uint32_t mode,
                      unsigned walk_flags);
/* Opens an inode that is there; for files without a path, dir is NULL. */
struct file *vfs_open_inode(struct inode *i, uint32_t flags, struct inode *dir, const char *name);

extern const struct file_ops dir_file_ops; /* an open directory, or O_PATH of anything */

#endif
