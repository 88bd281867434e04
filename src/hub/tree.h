#pragma once
/* JSON that a client sent, as a tree: a large text is read by a worker. Private to the hub; loop thread. */
#include <jansson.h>

#include "hub/internal.h"

/* As much is read on the loop. */
#define TREE_AT_ONCE_BYTES (32u << 10)

struct tree {
    json_t *json;     // NULL: it is none, or has too many values
    char *why;        // then where it is none; heap, may be NULL
    bool is_too_many; // values
};

void tree_finish(struct tree *t);
/* At once, whatever its size. */
struct tree tree_make(struct str text, size_t values_max) MUST_USE;

/* Of a large text: to take it apart takes a worker, too. NULL is allowed. */
void tree_drop(struct hub *h, json_t *json);

/* A text at a worker. */
struct tree_read;
/* Takes both over, or leaves them. */
typedef void (*tree_done_fn)(void *owner, struct buf *text, struct tree *tree);
/* Takes the text, which is counted among the bodies of requests until done() ran; that is not before this returned. */
struct tree_read *tree_read_begin(struct hub *h, struct buf *text, size_t values_max,
                                  tree_done_fn done, void *owner) MUST_USE;
/* done() is not called any more. NULL is allowed. */
void tree_read_abandon(struct tree_read *read);
