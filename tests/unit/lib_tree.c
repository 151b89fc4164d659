/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/lib/tree.c and list.h: random operations, checked against a sorted
 * array after each; structure and depth of the tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/list.h"
#include "lib/tree.h"

struct item {
    uint64_t key;
    unsigned serial; /* order of insertion */
    struct tree_node node;
};

static uint64_t item_key(const struct tree_node *node) {
    return container_of(node, struct item, node)->key;
}

static struct item *item_of(struct tree_node *node) {
    return node ? container_of(node, struct item, node) : NULL;
}

/* xorshift: the same operations on every run. */
static uint64_t next_random(void) {
    static uint64_t x = 88172645463325252u;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

/* Depth of the subtree; every link must have its way back. */
static unsigned check_links(const struct tree_node *node) {
    if (!node)
        return 0;
    unsigned depth[2];
    for (int side = 0; side < 2; side++) {
        if (node->child[side])
            assert_ptr_equal(node->child[side]->parent, node);
        depth[side] = check_links(node->child[side]);
    }
    return 1 + (depth[0] > depth[1] ? depth[0] : depth[1]);
}

/* The oracle: the same items, sorted by key, equal ones by serial. */
enum { MAX_ITEMS = 400 };
static struct item *sorted[MAX_ITEMS];
static size_t count;

static size_t first_at_or_after(uint64_t key) {
    size_t i = 0;
    while (i < count && sorted[i]->key < key)
        i++;
    return i;
}

static size_t first_after(uint64_t key) {
    size_t i = 0;
    while (i < count && sorted[i]->key <= key)
        i++;
    return i;
}

static void check_all(const struct tree *tree) {
    check_links(tree->root);
    if (tree->root)
        assert_null(tree->root->parent);
    size_t i = 0;
    tree_for_each (node, tree)
        assert_ptr_equal(item_of(node), sorted[i++]);
    assert_int_equal(i, count);
    for (struct tree_node *node = tree_last(tree); node; node = tree_prev(node))
        assert_ptr_equal(item_of(node), sorted[--i]);
    assert_int_equal(i, 0);
    assert_int_equal(tree_empty(tree), count == 0);
}

static void check_lookup(const struct tree *tree, uint64_t key) {
    size_t at = first_at_or_after(key), after = first_after(key);
    assert_ptr_equal(item_of(tree_at_or_after(tree, key)), at < count ? sorted[at] : NULL);
    assert_ptr_equal(item_of(tree_at_or_before(tree, key)), after ? sorted[after - 1] : NULL);
}

static void test_random(void **state) {
    (void)state;
    struct tree tree = TREE_INIT(item_key);
    unsigned serial = 0;
    count = 0;
    for (unsigned step = 0; step < 20000; step++) {
        bool grow = (step / 2000) % 2 == 0; /* waves: full, empty, full */
        bool insert = next_random() % 4 < (grow ? 3u : 1u);
        if (insert && count < MAX_ITEMS) {
            struct item *item = calloc(1, sizeof *item);
            item->key = next_random() % 64 ? next_random() % 500 : UINT64_MAX * (next_random() % 2);
            item->serial = serial++;
            memset(&item->node, 0xa5, sizeof item->node); /* insertion sets all of it */
            size_t at = first_after(item->key);
            memmove(sorted + at + 1, sorted + at, (count - at) * sizeof *sorted);
            sorted[at] = item;
            count++;
            tree_insert(&tree, &item->node);
        } else if (count) {
            size_t at = next_random() % count;
            struct item *item = sorted[at];
            tree_remove(&tree, &item->node);
            memmove(sorted + at, sorted + at + 1, (count - at - 1) * sizeof *sorted);
            count--;
            free(item); /* a stale link would be seen by ASan */
        }
        check_lookup(&tree, next_random() % 510);
        check_lookup(&tree, 0);
        check_lookup(&tree, UINT64_MAX);
        if (step % 16 == 0)
            check_all(&tree);
    }
    while (count) {
        struct item *item = sorted[--count];
        tree_remove(&tree, &item->node);
        free(item);
        if (count % 16 == 0)
            check_all(&tree);
    }
    assert_null(tree.root);
}

/* Ascending keys in ascending memory, the worst case of a plain tree. */
static void test_depth(void **state) {
    (void)state;
    enum { N = 1 << 14 };
    static const size_t strides[] = {sizeof(struct item), 64, 128, 4096 / 16};
    for (size_t s = 0; s < ARRAY_LEN(strides); s++) {
        size_t stride = ALIGN_UP(MAX(strides[s], sizeof(struct item)), 8u);
        char *memory = malloc(N * stride);
        struct tree tree = TREE_INIT(item_key);
        for (size_t i = 0; i < N; i++) {
            struct item *item = (struct item *)(void *)(memory + i * stride);
            item->key = i;
            tree_insert(&tree, &item->node);
        }
        unsigned depth = check_links(tree.root);
        assert_true(depth >= 14);
        assert_true(depth <= 60); /* 2 log2(n) is typical, 4.3 log2(n) nearly certain */
        free(memory);
    }
}

/* Appending makes the very tree that inserting makes: the order of priorities
 * leaves one shape only. */
static void test_append(void **state) {
    (void)state;
    static struct item items[64];
    struct tree tree = TREE_INIT(item_key);
    struct tree_node parts[64];
    for (size_t n = 0; n < 64; n++) {
        items[n].key = 3 * n;
        memset(&items[n].node, 0xa5, sizeof items[n].node);
        tree_append(&tree, &items[n].node, n ? &items[n - 1].node : NULL);
        check_links(tree.root);
        assert_null(tree.root->parent);
    }
    size_t i = 0;
    tree_for_each (node, &tree)
        assert_ptr_equal(item_of(node), &items[i++]);
    assert_int_equal(i, 64);
    for (i = 0; i < 64; i++)
        parts[i] = items[i].node;
    struct tree_node *root = tree.root;
    tree = (struct tree)TREE_INIT(item_key);
    for (i = 64; i-- > 0;)
        tree_insert(&tree, &items[i].node);
    assert_ptr_equal(tree.root, root);
    for (i = 0; i < 64; i++)
        assert_memory_equal(&parts[i], &items[i].node, sizeof parts[i]);
}

static void test_list(void **state) {
    (void)state;
    struct entry {
        int value;
        struct list link;
    } e[4];
    struct list head = LIST_INIT(head);
    assert_true(list_empty(&head));
    assert_null(list_first(&head));
    assert_null(list_last(&head));
    assert_null(list_pop_front(&head));
    for (int i = 0; i < 4; i++) {
        e[i].value = i;
        list_init(&e[i].link);
        assert_false(list_linked(&e[i].link));
    }
    list_push_back(&head, &e[1].link);
    list_push_front(&head, &e[0].link);
    list_push_back(&head, &e[3].link);
    list_insert_before(&e[3].link, &e[2].link);
    int i = 0;
    list_for_each (node, &head)
        assert_int_equal(list_entry(node, struct entry, link)->value, i++);
    assert_int_equal(i, 4);
    assert_ptr_equal(list_last(&head), &e[3].link);
    list_for_each_safe (node, &head) {
        if (list_entry(node, struct entry, link)->value % 2) {
            list_remove(node);
            assert_false(list_linked(node));
        }
    }
    assert_ptr_equal(list_pop_front(&head), &e[0].link);
    assert_true(list_linked(&e[2].link));
    assert_ptr_equal(list_pop_front(&head), &e[2].link);
    assert_true(list_empty(&head));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
