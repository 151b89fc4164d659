/* SPDX-License-Identifier: BSD-3-Clause
 *
 * memfd_create(2): a file in memory that has no name.
 */
#include "fs/ramfs.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/syscall.h"

#define MFD_CLOEXEC 1u
#define MFD_ALLOW_SEALING 2u
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC 16u
#define NAME_ROOM 250u /* with its NUL */

/* What /proc/self/fd tells. */
static void set_path(struct file *f, const char *name) {
    static const char frame[] = "/memfd: (deleted)";
    size_t size = sizeof frame + strlen(name);
    f->path = heap_alloc(size);
    if (f->path)
        format(f->path, size, "/memfd:%s (deleted)", name);
}

static long create(const char *name, unsigned flags) {
    unsigned seals = flags & MFD_NOEXEC_SEAL     ? SEAL_EXEC
                     : flags & MFD_ALLOW_SEALING ? 0
                                                 : SEAL_SEAL;
    struct inode *i = ramfs_unnamed(flags & MFD_NOEXEC_SEAL ? 0666 : 0777, seals);
    if (!i)
        return -ENOMEM;
    struct file *f = vfs_open_inode(i, O_RDWR | O_LARGEFILE, NULL, NULL);
    inode_put(i);
    if (IS_ERR(f))
        return PTR_ERR(f);
    set_path(f, name);
    int fd = fd_install(f, 0, flags & MFD_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

SYSCALL_HANDLER(memfd_create) {
    char name[NAME_ROOM];
    unsigned flags = (unsigned)b;
    if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC) ||
        (flags & MFD_EXEC && flags & MFD_NOEXEC_SEAL))
        return -EINVAL;
    long length = user_read_string(name, a, sizeof name);
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    return create(name, flags);
}
