/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A doubly linked ring that lives in its members.  The head is a node of its
 * own.  No locks: the owner of the list has one.  A node is in one list at a
 * time; list_remove leaves it pointing at itself, so that list_linked tells.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <stdbool.h>

#include "lib/align.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name)                                                                            \
    { &(name), &(name) }

static inline void list_init(struct list *l) {
    l->next = l;
    l->prev = l;
}

static inline bool list_empty(const struct list *head) {
    return head->next == head;
}

/* Is the node (initialised once) in a list? */
static inline bool list_linked(const struct list *node) {
    return node->next != node;
}

static inline void list_insert_before(struct list *at, struct list *node) {
    node->prev = at->prev;
    node->next = at;
    at->prev->next = node;
    at->prev = node;
}

static inline void list_push_back(struct list *head, struct list *node) {
    list_insert_before(head, node);
}

static inline void list_push_front(struct list *head, struct list *node) {
    list_insert_before(head->next, node);
}

static inline void list_remove(struct list *node) {
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* The first or last node, or NULL. */
static inline struct list *list_first(const struct list *head) {
    return list_empty(head) ? NULL : head->next;
}

static inline struct list *list_last(const struct list *head) {
    return list_empty(head) ? NULL : head->prev;
}

/* Takes the first node out; NULL when there is none. */
static inline struct list *list_pop_front(struct list *head) {
    struct list *node = list_first(head);
    if (node)
        list_remove(node);
    return node;
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)

/* `node` is a struct list *.  The safe form allows the removal of `node`. */
#define list_for_each(node, head)                                                                  \
    for (struct list *node = (head)->next; node != (head); node = node->next)
#define list_for_each_safe(node, head)                                                             \
    for (struct list *node = (head)->next, *node##_next_ = node->next; node != (head);             \
         node = node##_next_, node##_next_ = node->next)

#endif
