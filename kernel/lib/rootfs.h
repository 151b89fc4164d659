/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading a tree of files (abi/rootfs.h) in place.  The bytes come from
 * outside: each node and entry is checked when it is asked for, so opening
 * costs the same for any size.  Pure; also fuzzed on the host.
 */
#ifndef LIB_ROOTFS_H
#define LIB_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/rootfs.h"

struct rootfs {
    const uint8_t *bytes;
    const struct rootfs_header *header;
};

/* bytes are 8-aligned and `size` long; false: this is no such tree. */
bool rootfs_open(struct rootfs *r, const void *bytes, uint64_t size);
/* A node whose content, target or entries all lie inside; NULL otherwise. */
const struct rootfs_node *rootfs_node(const struct rootfs *r, uint32_t number);
/* Content of a file's node, or target of a link's. */
const uint8_t *rootfs_content(const struct rootfs *r, const struct rootfs_node *n);
/* The first entry of a folder's node with a key >= key, whose name and node are
 * good; NULL: there is none. */
const struct rootfs_entry *rootfs_next(const struct rootfs *r, const struct rootfs_node *dir,
                                       uint64_t key);
const char *rootfs_name(const struct rootfs *r, const struct rootfs_entry *e);
/* The entry of that name, or NULL. */
const struct rootfs_entry *rootfs_find(const struct rootfs *r, const struct rootfs_node *dir,
                                       const char *name, size_t length);
/* The folder that the program starts in, as an absolute path, or NULL. */
const char *rootfs_cwd(const struct rootfs *r);
/* More of the command line: size bytes. */
const char *rootfs_text(const struct rootfs *r, uint64_t *size);

#endif
