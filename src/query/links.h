#pragma once
/* Which entity an edge means: see links.c. Inside of src/query only; whoever holds the reader. */
#include "base/map.h"
#include "query/query.h"

#define LINKS_CANDIDATES_MAX 256 // entities of one name that are looked at
#define LINKS_NAMES_MAX 512      // different names looked up for one question

struct links_names {
    struct store_reader *r;
    struct arena *a;
    struct map *by_name; // → struct links_candidates
};

struct links_candidates {
    struct entity_row *rows;
    size_t n;
    bool is_cut; // there are more: no name as common as that means one of them
};

/* Where an edge comes from. */
struct links_place {
    struct str path, lang, qualified_name; // the last: of the entity around it, or empty
};

/* The last part of a name as written: "b" of "a::b", "a.b". */
struct str links_last_part(struct str target);
/* NULL: none, or several, can be meant. */
const struct entity_row *links_resolve(const struct links_candidates *all,
                                       enum edge_kind kind,
                                       const struct links_place *from);
