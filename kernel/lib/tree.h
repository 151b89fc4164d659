/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A balanced binary tree that lives in its members, ordered by a 64-bit key
 * that the caller's function reads from a node: the start of a memory area, a
 * deadline.  Equal keys are allowed and keep the order of insertion.
 *
 * A node's key may change while it is in the tree only if its place among its
 * neighbours does not.  The tree is a treap whose priorities are hashes of the
 * nodes' addresses: about 2 log2(n) steps for insertion, removal and look-up,
 * one on average for next and prev, and less code than a strictly
 * balanced tree costs.  No locks, no allocation, no recursion.
 */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree_node {
    struct tree_node *parent;
    struct tree_node *child[2]; /* smaller, larger */
};

struct tree {
    struct tree_node *root;
    uint64_t (*key)(const struct tree_node *node);
};

#define TREE_INIT(key_of)                                                                          \
    { NULL, (key_of) }

void tree_insert(struct tree *tree, struct tree_node *node);
/* The same, faster, for a key above all that are there; `last` is the highest of
 * them, or NULL when there is none. */
void tree_append(struct tree *tree, struct tree_node *node, struct tree_node *last);
void tree_remove(struct tree *tree, struct tree_node *node); /* must be in it */

/* The node with the smallest key >= key, or NULL. */
struct tree_node *tree_at_or_after(const struct tree *tree, uint64_t key);
/* The node with the largest key <= key, or NULL. */
struct tree_node *tree_at_or_before(const struct tree *tree, uint64_t key);

/* Neighbours in the order of keys; NULL at the ends. */
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_prev(const struct tree_node *node);

static inline struct tree_node *tree_first(const struct tree *tree) {
    return tree_at_or_after(tree, 0);
}

static inline struct tree_node *tree_last(const struct tree *tree) {
    return tree_at_or_before(tree, UINT64_MAX);
}

static inline bool tree_empty(const struct tree *tree) {
    return !tree->root;
}

/* The node must stay in the tree during its turn. */
#define tree_for_each(node, tree)                                                                  \
    for (struct tree_node *node = tree_first(tree); node; node = tree_next(node))

#endif
