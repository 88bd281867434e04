#pragma once
/* What a search asks for, as JSON or as the arguments of an address says it. Private to the hub; loop thread. */
#include <jansson.h>

#include "hub/exchange.h"
#include "query/query.h"

/* Not to be copied: the search points to the kinds. Its text points into what it was read from. */
struct terms {
    struct query_search search; // its limit beforehand: what it is when none is given
    enum entity_kind kinds[ENTITY_KIND_COUNT];
};

/* false: *ret_why says what is wrong. q (or query, query_text), limit (or k), kind, mode, lang, path. */
bool terms_read_json(const json_t *data, size_t limit_max, struct terms *terms,
                     const char **ret_why);
/* kind: several with commas. Without has_text there is no q and no mode. */
bool terms_read_address(const struct exchange *x, bool has_text, size_t limit_max,
                        struct terms *terms, const char **ret_why);
