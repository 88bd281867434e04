#pragma once
/* What one entity has to do with a name. `contains` is not stored: it is entity.parent. Plain data. */
#include "base/base.h"
#include "base/str.h"
#include "model/span.h"

#define EDGE_PER_FILE_MAX 200000

/* Stored by number: append only. */
enum edge_kind {
    EDGE_CALLS,
    EDGE_IMPORTS,
    EDGE_INHERITS,
    EDGE_IMPLEMENTS,
    EDGE_KIND_COUNT
};

struct edge {
    enum edge_kind kind;
    uint32_t
        from; // index of the innermost entity around it in the batch; ENTITY_NONE at file scope
    struct str target;  // callee's, imported or base's name, as written
    struct position at; // of the name
};

/* How sure it is that an edge means the entity it points to. */
enum edge_confidence {
    EDGE_CONFIDENCE_NONE, // nobody looked
    EDGE_CONFIDENCE_NAME, // the name is the same, but others have it too, or nobody has
    EDGE_CONFIDENCE_LEXICAL, // the only one that can be meant, by name, kind and place
    EDGE_CONFIDENCE_COUNT
};

/* An edge as the store gives it back; the last two are for who reads it to find out. */
struct edge_row {
    enum edge_kind kind;
    struct str from_key; // empty at file scope
    struct str path;
    struct str target;
    uint32_t line;
    struct position at; // of the name; at.line is line
    struct str to_key;  // the entity it points to; empty: not known
    enum edge_confidence confidence;
};

const char *edge_kind_name(enum edge_kind kind);
/* "none", "name", "lexical" */
const char *edge_confidence_name(enum edge_confidence confidence);
