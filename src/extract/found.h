#pragma once
/* What the stages of extraction hand on, each reusing the last file's memory:
 * collect (matches of the query) → nest (order, ranges, parents, kinds) → extract (strings, hash). */
#include <tree_sitter/api.h>

#include "base/base.h"
#include "base/deadline.h"
#include "base/str.h"
#include "base/vec.h"
#include "lang/lang.h"
#include "model/edge.h"
#include "model/entity.h"
#include "model/outline.h"

/* More matches than this are no source somebody wrote. */
#define FOUND_MAX (8 * ENTITY_PER_FILE_MAX)
/* How many steps of a loop between two looks at the clock. */
#define DEADLINE_STRIDE 256

#define PIECES_MAX 64 // of one name

/* Of a name like add:to:, within finds.pieces; none: the name is in one piece. */
struct pieces {
    uint32_t first, n;
};

struct found {
    struct stretch range, name, body; // body empty: none
    struct stretch declarator; // of one name in a list (int a, *b); empty: the only one
    uint32_t prefix_end;       // what all names of that list share ends here
    struct pieces pieces;
    const struct str *given_name; // NULL: the text has it
    struct stretch scope;         // empty: none
    struct stretch doc;           // a string in the definition's own match; empty: none
    struct stretch extent;        // range with the comments that became doc
    enum entity_kind kind;
    uint32_t pattern;
    uint32_t outer;  // innermost around it, by range; ENTITY_NONE
    uint32_t parent; // by meaning; ENTITY_NONE
    uint32_t index;  // in the batch; ENTITY_NONE when left out
    unsigned level;  // of a heading, 0: none
    bool flat, first_only, merges, is_dropped;
    bool members_only; // (#set! member)
    enum lang_local local;
    bool is_file_level; // in a function it is something else: f(x) { read as a definition
    bool is_qualified;  // the name in its declarator was: int a::f()
};

struct found_edge {
    struct stretch name;
    struct pieces pieces;
    enum edge_kind kind;
    uint32_t pattern;
};

struct finds {
    struct str source;
    struct str text;               // the source, or what of it is shown
    struct str parsed;             // what the tree is of: text or its outline
    const struct outline *outline; // NULL: the tree is of text
    VEC(struct found) defs;
    VEC(struct found_edge) edges;
    VEC(struct stretch) comments; // in source order
    VEC(struct stretch) docs;
    VEC(struct stretch) wrappers;
    VEC(struct stretch) leadings;
    VEC(struct stretch) arounds;
    VEC(struct stretch) opaques;
    VEC(struct stretch) pieces;
    VEC(uint32_t) stack;
    bool has_too_many;
    struct deadline deadline;
};

/* collect.c: one walk of the cursor. EXTRACT_E_TIMED_OUT. `kinds`: entity_kind by capture. */
int collect_matches(struct finds *f, TSQueryCursor *cursor, const struct lang_query *q,
                    const int *kinds, TSNode root);
/* Adds what the tree of an outline cannot show. */
void collect_outline(struct finds *f);
/* A node's bytes of the source. */
struct stretch node_stretch(TSNode node, const struct finds *f);
/* selector.c: the pieces of the name that begins with the child `first` of the node. */
struct pieces collect_pieces(struct finds *f, TSNode node, TSNode first);
TSNode first_child_like(TSNode node, TSSymbol symbol); // null: none
/* The first child behind `from` whose first byte is one of these; empty: none. */
struct stretch first_child_opening(const struct finds *f, TSNode node, uint32_t from,
                                   struct str bytes);
/* nest.c: sorts, removes doubles, widens, finds parents, settles kinds, marks locals as dropped. */
void nest_definitions(struct finds *f);
/* The last of n sorted stretches that ends at or before `at`, or -1. */
ssize_t stretch_last_before(const struct stretch *v, size_t n, uint32_t at);

static inline struct str
stretch_text(struct stretch s, struct str text)
{
    return str_slice(text.p + s.start, s.end - s.start);
}

static inline bool
stretch_is_empty(struct stretch s)
{
    return s.start >= s.end;
}
