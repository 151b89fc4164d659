/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inodes' counts, mounts, the working directory, and opening.
 */
#include "vfs/inode.h"

#include "diag/diag.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "vfs/notify.h"

static struct inode *root, *cwd;
uint32_t vfs_umask = 022;
bool vfs_mounted;

void inode_put(struct inode *i) {
    while (i && --i->refs == 0 && i->ops->release) {
        struct inode *parent = i->parent;
        i->ops->release(i);
        i = parent;
    }
}

int inode_info(struct inode *i, struct file_info *out) {
    *out = (struct file_info){.inode = i->number, .device = i->device, .mode = i->mode, .links = 1};
    return i->ops->info ? i->ops->info(i, out) : 0;
}

/* ---- mounts -------------------------------------------------------------- */

/* A file system at its place: its root, with a reference.  What cannot be
 * mounted is left out, with a word: NULL. */
static struct inode *mount(const struct filesystem *fs) {
    struct path p;
    int error = path_walk(root, fs->where, WALK_FOLLOW | WALK_NEW, &p);
    if (error) {
        notice("%s: cannot mount at %s: error %d", fs->name, fs->where, -error);
        return NULL;
    }
    if (!p.inode && p.dir->ops->create)
        error = p.dir->ops->create(p.dir, (struct name){p.name, p.length}, S_IFDIR | 0755, NULL, 0,
                                   &p.inode);
    struct inode *top = p.inode && !error ? fs->mount() : NULL;
    if (top) {
        top->covers = inode_get(p.inode);
        p.inode->mounted = top;
    } else {
        notice("%s: cannot mount at %s", fs->name, fs->where);
    }
    path_put(&p);
    return top ? inode_get(top) : NULL;
}

static bool is_root(const struct filesystem *fs) {
    return strcmp(fs->where, "/") == 0;
}

struct inode *vfs_root(void) {
    if (root)
        return root;
    frame_reserve_open();
    for (const struct filesystem *const *fs = filesystems_start; fs < filesystems_end; fs++) {
        if (is_root(*fs))
            root = (*fs)->mount();
    }
    if (!root)
        panic("no root file system");
    for (const struct filesystem *const *fs = filesystems_start; fs < filesystems_end; fs++) {
        if (!is_root(*fs))
            mount(*fs);
    }
    const char *start = vfs_start_path ? vfs_start_path() : NULL;
    if (start) {
        const struct filesystem fs = {"rootfs", start, vfs_start_mount};
        cwd = mount(&fs);
    }
    if (!cwd)
        cwd = inode_get(root);
    vfs_mounted = true;
    if (vfs_populate)
        vfs_populate();
    frame_reserve_close();
    return root;
}

struct inode *vfs_cwd(void) {
    vfs_root();
    return cwd;
}

void vfs_set_cwd(struct inode *dir) {
    struct inode *old = vfs_cwd();
    cwd = dir;
    inode_put(old);
}

/* ---- open files ------------------------------------------------------------ */

static int dir_info(struct file *f, struct file_info *out) {
    return inode_info(f->inode, out);
}

/* Positions are the file system's; 0 starts again. */
static long dir_seek(struct file *f, int64_t offset, int whence) {
    if (whence == SEEK_CUR)
        offset += (int64_t)f->pos;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    f->pos = (uint64_t)offset;
    return offset;
}

static long dir_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    (void)f, (void)buf, (void)size, (void)pos;
    return -EISDIR;
}

const struct file_ops dir_file_ops = {.read = dir_read, .info = dir_info, .seek = dir_seek};

static bool writes(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

static void release(struct file *f) {
    bool opened = f->inode && (f->ops != &dir_file_ops || inode_is(f->inode, S_IFDIR));
    if (notify_file && opened)
        notify_file(f, writes(f) ? NOTIFY_CLOSE_WRITE : NOTIFY_CLOSE_NOWRITE);
    inode_put(f->inode);
    if (f->path)
        heap_free(f->path, strlen(f->path) + 1);
}

/* The absolute path, in memory of its own; NULL when there is none. */
static char *path_copy(struct inode *dir, const char *name) {
    char *copy = NULL, *text = heap_alloc(FS_PATH_MAX);
    if (!text)
        return NULL;
    long n = path_text(dir, name, text, FS_PATH_MAX);
    if (n >= 0 && (copy = heap_alloc((size_t)n + 1)))
        memcpy(copy, text, (size_t)n + 1);
    heap_free(text, FS_PATH_MAX);
    return copy;
}

/* Flags that are orders for open itself, not the file's state. */
#define OPEN_ONLY (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

struct file *vfs_open_inode(struct inode *i, uint32_t flags, struct inode *dir, const char *name) {
    struct file *f = file_new(&dir_file_ops, flags & ~OPEN_ONLY, NULL);
    if (!f)
        return ERR_PTR(-ENOMEM);
    file_release = release;
    f->inode = inode_get(i);
    int error = 0;
    if (!(flags & O_PATH) && !inode_is(i, S_IFDIR))
        error = i->ops->open ? i->ops->open(i, f) : -ENXIO;
    if (error) {
        f->ops = &dir_file_ops;
        file_put(f);
        return ERR_PTR(error);
    }
    if (dir)
        f->path = path_copy(dir, name);
    return f;
}

static int truncate(struct inode *i) {
    if (!inode_is(i, S_IFREG))
        return 0;
    const struct inode_change c = {.set_size = true};
    return i->ops->change ? i->ops->change(i, &c) : -EROFS;
}

/* May what the path led to be opened so?  p->inode is there. */
static int check_open(const struct path *p, uint32_t flags) {
    const struct inode *i = p->inode;
    bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (flags & O_CREAT && inode_is(i, S_IFDIR))
        return -EISDIR;
    if (flags & O_DIRECTORY && !inode_is(i, S_IFDIR))
        return -ENOTDIR;
    if (flags & O_PATH)
        return 0;
    if (inode_is(i, S_IFLNK))
        return -ELOOP;
    return inode_is(i, S_IFDIR) && writes ? -EISDIR : 0;
}

static int create(struct path *p, uint32_t mode) {
    if (p->slash)
        return -EISDIR;
    if (!p->dir->ops->create)
        return -EROFS;
    struct name name = {p->name, p->length};
    int error = p->dir->ops->create(p->dir, name, S_IFREG | (mode & 07777 & ~vfs_umask), NULL, 0,
                                    &p->inode);
    if (!error && notify_name)
        notify_name(p->dir, name, p->inode, NOTIFY_CREATE, 0);
    return error;
}

/* O_TMPFILE: p->inode is the folder, and becomes the file. */
static int create_unnamed(struct path *p, uint32_t flags, uint32_t mode) {
    struct inode *dir = p->inode, *made = NULL;
    if (!inode_is(dir, S_IFDIR))
        return -ENOTDIR;
    int error = dir->ops->unnamed ? dir->ops->unnamed(dir, S_IFREG | (mode & 07777 & ~vfs_umask),
                                                      !(flags & O_EXCL), &made)
                                  : -EOPNOTSUPP;
    if (!error) {
        p->inode = made;
        inode_put(dir);
    }
    return error;
}

struct file *vfs_open(struct inode *start, const char *text, uint32_t flags, uint32_t mode,
                      unsigned walk_flags) {
    struct path p;
    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    bool follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    walk_flags |= (follow ? WALK_FOLLOW : 0u) | (flags & O_CREAT ? WALK_NEW : 0u);
    int error = path_walk(start, text, walk_flags, &p);
    if (error)
        return ERR_PTR(error);
    bool made = !p.inode, unnamed = flags & O_TMPFILE_BIT;
    if (unnamed) {
        error = create_unnamed(&p, flags, mode);
        flags &= ~(O_TMPFILE_BIT | O_DIRECTORY);
    } else {
        error = made ? create(&p, mode) : check_open(&p, flags);
    }
    struct file *f = error ? ERR_PTR(error) : NULL;
    if (!error)
        f = vfs_open_inode(p.inode, flags, unnamed ? NULL : p.dir, p.is_name ? p.name : NULL);
    if (!IS_ERR(f) && unnamed)
        f->flags |= O_TMPFILE_BIT | O_DIRECTORY;
    bool cuts = !IS_ERR(f) && flags & O_TRUNC && !made;
    if (cuts && (error = truncate(p.inode))) {
        file_put(f);
        f = ERR_PTR(error);
    }
    if (notify_file && !IS_ERR(f))
        notify_file(f, NOTIFY_OPEN);
    if (notify_file && !IS_ERR(f) && cuts && inode_is(p.inode, S_IFREG))
        notify_file(f, NOTIFY_MODIFY);
    path_put(&p);
    return f;
}
