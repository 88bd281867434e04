#pragma once
/* The queries of a language, compiled as one, so that one walk over a tree serves them all, with
 * what their captures, predicates and settings mean (docs/HACKING.md "queries"). Compiling takes
 * 10–90 ms. A query belongs to one thread at a time. */
#include <tree_sitter/api.h>

#include "base/base.h"
#include "base/str.h"
#include "lang/lang.h"

enum lang_capture {
    LANG_CAPTURE_NONE, // only a predicate's operand: @_name
    LANG_CAPTURE_DEFINITION,
    LANG_CAPTURE_CALL,
    LANG_CAPTURE_IMPORT,
    LANG_CAPTURE_NAME,
    LANG_CAPTURE_DECLARATOR, // holds the name at the end of its declarators
    LANG_CAPTURE_BODY,       // left out of the signature
    LANG_CAPTURE_SCOPE,      // goes before the name in the qualified name
    LANG_CAPTURE_DOC,        // a string that documents the definition whose body it opens
    LANG_CAPTURE_COMMENT,
    LANG_CAPTURE_WRAPPER, // widens the definition that it holds and that ends with it
    LANG_CAPTURE_LEADING, // widens the definition that follows it
};

struct lang_capture_info {
    enum lang_capture role;
    struct str kind; // of a definition: "enum_member"
};

struct lang_pattern {
    bool flat; // (#set! flat): stands alone, whatever is around it
    bool
        first_only; // (#set! first): a later one of the same qualified name is no definition
    TSSymbol
        rejected_declarator; // (#set! reject-declarator "type"): no definition if the name
                             // hangs on such a declarator; 0: none
    uint32_t first_predicate, n_predicates;
};

struct lang_predicate;

struct lang_query {
    TSQuery *query;
    TSFieldId declarator_field; // 0: the grammar has none
    struct lang_capture_info *captures;
    uint32_t n_captures;
    struct lang_pattern *patterns;
    uint32_t n_patterns;
    struct lang_predicate *predicates;
    uint32_t n_predicates;
};

/* -EINVAL and *ret_why (heap): the text does not fit the grammar, or asks for what is not known. */
int lang_query_create(const struct lang *l, struct lang_query **ret_query,
                      char **ret_why);
void lang_query_destroy(struct lang_query *q);
/* Whether the predicates of the match's pattern hold. `name` stands for @name. */
bool lang_query_accepts(const struct lang_query *q, const TSQueryMatch *match,
                        struct str text, struct str name);
/* The text under a node. */
struct str lang_node_text(TSNode node, struct str text);

DEFINE_AUTO(lang_query_destroy, struct lang_query *)
