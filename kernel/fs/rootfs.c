/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files that the image or the run brought (abi/rootfs.h): what the root
 * directory begins with, and the read-only folder that the program starts in.
 */
#include "boot/bootinfo.h"
#include "diag/diag.h"
#include "fs/ramfs.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "lib/string.h"

#define CWD_DEVICE 7 /* st_dev of the folder */

static struct ramfs_base root = {.device = RAMFS_DEVICE};
static struct ramfs_base cwd = {.device = CWD_DEVICE, .read_only = true};

static bool open_tree(struct rootfs *tree, const void *bytes, uint64_t size) {
    if (!bytes)
        return false;
    bool ok = IS_ALIGNED((uintptr_t)bytes, PAGE_SIZE) && rootfs_open(tree, bytes, size);
    if (!ok)
        notice("the files that were brought cannot be read: they are damaged");
    return ok;
}

/* The run's, if it brings any; the image's otherwise. */
struct inode *rootfs_root(void) {
    const struct image_manifest *m = bootinfo.manifest;
    bool run = open_tree(&root.tree, bootinfo.files, bootinfo.files_size);
    if ((run && root.tree.header->root) ||
        (m->root_size && open_tree(&root.tree, phys_to_virt(m->root_paddr), m->root_size)))
        return ramfs_mount(&root, root.tree.header->root);
    return NULL;
}

/* Makes the folders that lead to a path, its own included. */
static int make_folders(const char *path) {
    char text[FS_PATH_MAX];
    size_t length = strnlen(path, sizeof(text));
    int error = length == sizeof(text) ? -ENAMETOOLONG : 0;
    for (size_t i = 1; i <= length && !error; i++) {
        struct path p;
        if (path[i] && path[i] != '/')
            continue;
        memcpy(text, path, i);
        text[i] = 0;
        error = path_walk(vfs_root(), text, WALK_FOLLOW | WALK_NEW, &p);
        if (error)
            break;
        if (!p.inode && p.is_name)
            error = p.dir->ops->create ? p.dir->ops->create(p.dir, (struct name){p.name, p.length},
                                                            S_IFDIR | 0755, NULL, 0, &p.inode)
                                       : -EROFS;
        path_put(&p);
    }
    return error;
}

const char *vfs_start_path(void) {
    const char *path =
        rootfs_open(&cwd.tree, bootinfo.files, bootinfo.files_size) ? rootfs_cwd(&cwd.tree) : NULL;
    int error = path ? make_folders(path) : 0;
    if (error) {
        notice("there is no place for the folder %s: error %d", path, -error);
        path = NULL;
    }
    return path;
}

struct inode *vfs_start_mount(void) {
    return ramfs_mount(&cwd, cwd.tree.header->cwd);
}
