/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The reader of a tree of files.  See rootfs.h.
 */
#include "lib/rootfs.h"

#include "lib/string.h"

#define TYPE 0170000u
#define FILE_TYPE 0100000u
#define DIR_TYPE 0040000u
#define LINK_TYPE 0120000u

/* Does [start, start + size) lie in `all` bytes? */
static bool inside(uint64_t start, uint64_t size, uint64_t all) {
    return start <= all && size <= all - start;
}

static bool table_inside(uint64_t start, uint64_t count, uint64_t item, uint64_t all) {
    return start % 8 == 0 && start <= all && count <= (all - start) / item;
}

bool rootfs_open(struct rootfs *r, const void *bytes, uint64_t size) {
    const struct rootfs_header *h = bytes;
    if (size < sizeof(*h) || h->magic != ROOTFS_MAGIC || h->size > size ||
        !table_inside(h->nodes, h->node_count, sizeof(struct rootfs_node), h->size) ||
        !table_inside(h->entries, h->entry_count, sizeof(struct rootfs_entry), h->size) ||
        !inside(h->names, h->names_size, h->size) || !inside(h->text, h->text_size, h->size))
        return false;
    r->bytes = bytes;
    r->header = h;
    return true;
}

/* A string in names that is followed by a NUL and holds none. */
static bool good_string(const struct rootfs *r, uint64_t at, uint64_t length) {
    const struct rootfs_header *h = r->header;
    if (length == 0 || !inside(at, length, h->names_size) || h->names_size - at == length)
        return false;
    const char *s = (const char *)r->bytes + h->names + at;
    return !memchr(s, 0, length) && !s[length];
}

const struct rootfs_node *rootfs_node(const struct rootfs *r, uint32_t number) {
    const struct rootfs_header *h = r->header;
    if (number == 0 || number >= h->node_count)
        return NULL;
    const struct rootfs_node *n = (const void *)(r->bytes + h->nodes);
    n += number;
    switch (n->mode & TYPE) {
    case FILE_TYPE:
        if (n->start % ROOTFS_PAGE || !inside(n->start, n->size, h->size) ||
            (h->size - n->start) / ROOTFS_PAGE <
                n->size / ROOTFS_PAGE + (n->size % ROOTFS_PAGE != 0))
            return NULL;
        return n;
    case LINK_TYPE:
        return n->size <= ROOTFS_TARGET_MAX && good_string(r, n->start, n->size) ? n : NULL;
    case DIR_TYPE:
        return inside(n->start, n->size, h->entry_count) ? n : NULL;
    default:
        return NULL;
    }
}

const uint8_t *rootfs_content(const struct rootfs *r, const struct rootfs_node *n) {
    return r->bytes + n->start + ((n->mode & TYPE) == LINK_TYPE ? r->header->names : 0);
}

const char *rootfs_name(const struct rootfs *r, const struct rootfs_entry *e) {
    return (const char *)r->bytes + r->header->names + e->name;
}

static bool good_entry(const struct rootfs *r, const struct rootfs_entry *e) {
    if (e->length > ROOTFS_NAME_MAX || !good_string(r, e->name, e->length) ||
        !rootfs_node(r, e->node))
        return false;
    const char *s = rootfs_name(r, e);
    return !memchr(s, '/', e->length) && e->key == rootfs_key(s, e->length) &&
           strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

const struct rootfs_entry *rootfs_next(const struct rootfs *r, const struct rootfs_node *dir,
                                       uint64_t key) {
    const struct rootfs_entry *e = (const void *)(r->bytes + r->header->entries);
    if ((dir->mode & TYPE) != DIR_TYPE)
        return NULL;
    e += dir->start;
    uint64_t low = 0, high = dir->size;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (e[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    /* Where the order is broken, a listing must still come to its end. */
    for (; low < dir->size; low++) {
        if (e[low].key >= key && good_entry(r, &e[low]))
            return &e[low];
    }
    return NULL;
}

const struct rootfs_entry *rootfs_find(const struct rootfs *r, const struct rootfs_node *dir,
                                       const char *name, size_t length) {
    uint64_t key = rootfs_key(name, length);
    const struct rootfs_entry *all = (const void *)(r->bytes + r->header->entries);
    const struct rootfs_entry *e = rootfs_next(r, dir, key);
    for (; e && e < all + dir->start + dir->size && e->key == key; e++) {
        if (e->length == length && good_entry(r, e) && memcmp(rootfs_name(r, e), name, length) == 0)
            return e;
    }
    return NULL;
}

const char *rootfs_cwd(const struct rootfs *r) {
    const struct rootfs_header *h = r->header;
    const struct rootfs_node *n = rootfs_node(r, h->cwd);
    if (!n || (n->mode & TYPE) != DIR_TYPE || h->cwd_path >= h->names_size)
        return NULL;
    const char *s = (const char *)r->bytes + h->names + h->cwd_path;
    return *s == '/' && memchr(s, 0, h->names_size - h->cwd_path) ? s : NULL;
}

const char *rootfs_text(const struct rootfs *r, uint64_t *size) {
    *size = r->header->text_size;
    return (const char *)r->bytes + r->header->text;
}
