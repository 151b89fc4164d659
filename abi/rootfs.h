/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A tree of files: what --rootfs and --cwd-ro bring, written by zuk and read in
 * place by the kernel.  It stands behind the app in the image (abi/image.h), or
 * is the run's PVH module; the run's tree takes the place of the image's.
 *
 * First comes the header, in a page of its own; then the files' content, each
 * at a page boundary and zero to the end of its page; then the nodes, the
 * entries, the names and the text.  Offsets are bytes from the start of the
 * header.  Little-endian.
 *
 * Contract: the reader believes nothing.  A node or entry that leads outside
 * is as good as absent; nothing is read through before it is checked.  zuk MUST
 * write the same bytes for the same tree.
 */
#ifndef ABI_ROOTFS_H
#define ABI_ROOTFS_H

#include <stdint.h>

#define ROOTFS_MAGIC UINT64_C(0x3145455254554b7a) /* "zKUTREE1" */
#define ROOTFS_PAGE 4096u
#define ROOTFS_NAME_MAX 255u    /* bytes of a name */
#define ROOTFS_TARGET_MAX 4095u /* bytes of a link's target */

struct rootfs_header {
    uint64_t magic;
    uint64_t size;                    /* of all, a multiple of the page */
    uint64_t nodes, entries, names;   /* offsets; nodes and entries are 8-aligned */
    uint64_t node_count, entry_count; /* node 0 is none */
    uint64_t names_size;
    uint64_t text, text_size; /* more of the kernel's command line */
    uint32_t root;            /* node of "/"; 0: the run brings none */
    uint32_t cwd;             /* node of the folder the program starts in, read-only; 0: none */
    uint64_t cwd_path;        /* in names: its absolute path, ends in NUL */
};
_Static_assert(sizeof(struct rootfs_header) == 96, "rootfs_header is an ABI");

struct rootfs_node {
    uint32_t mode; /* S_IFREG, S_IFDIR or S_IFLNK, and permissions */
    uint32_t links;
    uint32_t uid, gid;
    uint64_t mtime_ns; /* since 1970 */
    uint64_t size;     /* file: bytes; link: bytes of its target; folder: entries */
    uint64_t start;    /* file: offset of its content, page-aligned; link: offset in names of
                        * its target, which ends in NUL; folder: number of its first entry */
};
_Static_assert(sizeof(struct rootfs_node) == 40, "rootfs_node is an ABI");

/* A folder's entries stand together, sorted by key, then by name. */
struct rootfs_entry {
    uint64_t key;  /* rootfs_key of the name */
    uint64_t name; /* offset in names; ends in NUL */
    uint32_t length;
    uint32_t node;
};
_Static_assert(sizeof(struct rootfs_entry) == 24, "rootfs_entry is an ABI");

/* FNV-1a, kept a positive file position above 0: getdents gives it out. */
static inline uint64_t rootfs_key(const char *name, uint64_t length) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (uint64_t i = 0; i < length; i++) {
        h = (h ^ (uint8_t)name[i]) * UINT64_C(0x100000001b3);
    }
    return h >> 2 | 1;
}

#endif
