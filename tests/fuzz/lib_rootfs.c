/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Any bytes as a tree of files: every node, entry, name, target and content that
 * the reader hands out lies within, and a listing comes to its end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rootfs.h"

static volatile uint8_t sink;

static void check(int ok) {
    if (!ok) {
        abort();
    }
}

/* Touches each byte: the sanitizer sees what lies outside. */
static void touch(const void *bytes, uint64_t size) {
    for (uint64_t i = 0; i < size; i++) {
        sink = ((const uint8_t *)bytes)[i];
    }
}

static void walk(const struct rootfs *r, const struct rootfs_node *dir) {
    uint64_t key = 0;
    const struct rootfs_entry *e;
    for (unsigned count = 0; count < 1000 && (e = rootfs_next(r, dir, key)) != NULL; count++) {
        check(e->key >= key);
        key = e->key + 1;
        const char *name = rootfs_name(r, e);
        check(strlen(name) == e->length && rootfs_node(r, e->node) != NULL);
        rootfs_find(r, dir, name, e->length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rootfs r;
    void *copy = malloc(size + 1); /* aligned, and its end is guarded */
    memcpy(copy, data, size);
    if (rootfs_open(&r, copy, size)) {
        uint64_t text_size;
        const char *cwd = rootfs_cwd(&r), *text = rootfs_text(&r, &text_size);
        touch(text, text_size);
        check(cwd == NULL || strlen(cwd) < size);
        for (uint32_t i = 0; i < r.header->node_count && i < 100; i++) {
            const struct rootfs_node *n = rootfs_node(&r, i);
            if (n != NULL && (n->mode & 0170000) == 0040000) {
                walk(&r, n);
            } else if (n != NULL) {
                touch(rootfs_content(&r, n), n->size);
            }
        }
    }
    free(copy);
    return 0;
}
