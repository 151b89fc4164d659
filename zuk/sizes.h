/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where the bytes of an image are: a tree whose sizes add up to the file's.
 */
#ifndef ZUK_SIZES_H
#define ZUK_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zuk/build.h"
#include "zuk/util.h"

struct size_node {
    const char *name;
    uint64_t size;   /* bytes in the file, children included */
    uint64_t before; /* in the other image, after sizes_compare */
    VEC(struct size_node *) children;
    uint32_t *index; /* children by name: place + 1; used while the tree grows */
    size_t index_size;
};

/* The tree: kernel by room and function, app by origin, source file and
 * function, manifest, files, headers.  False after diag_error. */
bool sizes_read(const char *path, struct size_node **out);
/* Sets `before` in the tree, and adds what only the other one has (size 0). */
void sizes_compare(struct size_node *tree, const struct size_node *other);
/* Largest first, in every node. */
void sizes_sort(struct size_node *tree);
/* A page that needs nothing else: a treemap and the tree as text.  With the name of
 * the other image, after sizes_compare, both tell what changed; or NULL. */
char *sizes_html(const struct size_node *tree, const char *title, const char *other);

#endif
