#pragma once
/* Intrusive doubly linked ring. A head and an unlinked node point at themselves. No allocation. */
#include "base/base.h"

struct list {
    struct list *prev;
    struct list *next;
};

static inline void
list_init(struct list *l)
{
    l->prev = l->next = l;
}

static inline bool
list_is_empty(const struct list *l)
{
    return l->next == l;
}

/* Insert before `at`: with a head, at the end. */
static inline void
list_add(struct list *at, struct list *node)
{
    node->prev = at->prev;
    node->next = at;
    at->prev->next = node;
    at->prev = node;
}

static inline void
list_add_first(struct list *head, struct list *node)
{
    list_add(head->next, node);
}

static inline void
list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Move all of `from` to the end of `to`. */
static inline void
list_splice(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_for_each(it, head)                                                          \
    for (struct list *it = (head)->next; it != (head); it = it->next)
/* Survives removal of `it` itself. */
#define list_for_each_safe(it, head)                                                     \
    for (struct list *it = (head)->next, *it##_next = it->next; it != (head);            \
         it = it##_next, it##_next = it->next)
