/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See tree.h.  Two orders hold at every node: keys from left to right, and a
 * parent's priority is not below its children's.  A rotation keeps the first
 * and swaps a parent with a child in the second.
 */
#include "lib/tree.h"

/* A permutation of addresses without pattern. */
static uint64_t priority(const struct tree_node *node) {
    uint64_t x = (uintptr_t)node;
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

/* Puts `node` (may be NULL) where `old` hangs. */
static void replace(struct tree *tree, const struct tree_node *old, struct tree_node *node) {
    struct tree_node *parent = old->parent;
    if (node)
        node->parent = parent;
    if (parent)
        parent->child[parent->child[1] == old] = node;
    else
        tree->root = node;
}

/* The child takes its parent's place, the parent becomes its child. */
static void rotate_up(struct tree *tree, struct tree_node *node) {
    struct tree_node *parent = node->parent;
    unsigned side = parent->child[1] == node;
    struct tree_node *inner = node->child[!side];
    replace(tree, parent, node);
    node->child[!side] = parent;
    parent->parent = node;
    parent->child[side] = inner;
    if (inner)
        inner->parent = parent;
}

void tree_insert(struct tree *tree, struct tree_node *node) {
    struct tree_node *parent = NULL, **link = &tree->root;
    uint64_t key = tree->key(node);
    while (*link) {
        parent = *link;
        link = &parent->child[key >= tree->key(parent)];
    }
    *node = (struct tree_node){.parent = parent};
    *link = node;
    while (node->parent && priority(node->parent) < priority(node))
        rotate_up(tree, node);
}

void tree_append(struct tree *tree, struct tree_node *node, struct tree_node *last) {
    struct tree_node **link = &tree->root;
    uint64_t mine = priority(node);
    while (last && priority(last) < mine)
        last = last->parent;
    if (last)
        link = &last->child[1];
    *node = (struct tree_node){.parent = last, .child = {*link, NULL}};
    if (*link)
        (*link)->parent = node;
    *link = node;
}

void tree_remove(struct tree *tree, struct tree_node *node) {
    while (node->child[0] && node->child[1])
        rotate_up(tree, node->child[priority(node->child[1]) > priority(node->child[0])]);
    replace(tree, node, node->child[!node->child[0]]);
}

/* side 1: the first node with key >= `key`; side 0: the last with key <= it. */
static struct tree_node *nearest(const struct tree *tree, uint64_t key, unsigned side) {
    struct tree_node *node = tree->root, *best = NULL;
    while (node) {
        uint64_t at = tree->key(node);
        bool good = side ? at >= key : at <= key;
        if (good)
            best = node;
        node = node->child[good ? !side : side];
    }
    return best;
}

struct tree_node *tree_at_or_after(const struct tree *tree, uint64_t key) {
    return nearest(tree, key, 1);
}

struct tree_node *tree_at_or_before(const struct tree *tree, uint64_t key) {
    return nearest(tree, key, 0);
}

static struct tree_node *neighbour(const struct tree_node *node, unsigned side) {
    struct tree_node *next = node->child[side];
    if (next) {
        while (next->child[!side])
            next = next->child[!side];
        return next;
    }
    while (node->parent && node->parent->child[side] == node)
        node = node->parent;
    return node->parent;
}

struct tree_node *tree_next(const struct tree_node *node) {
    return neighbour(node, 1);
}

struct tree_node *tree_prev(const struct tree_node *node) {
    return neighbour(node, 0);
}
