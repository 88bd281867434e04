#pragma once
/* Text (and the tree of an earlier version) → tree. Pure: no loop, no log. A parser belongs to one
 * worker at a time and is reused for every file. */
#include <tree_sitter/api.h>

#include "base/base.h"
#include "base/str.h"
#include "lang/lang.h"

/* Conditions. */
#define PARSE_E_TIMED_OUT 1 // deadline_ms passed, or more memory than any source needs

struct parser;

/* The first call comes before other threads use tree-sitter: it sets its allocator. */
struct parser *parser_create(void) MUST_USE;
void parser_destroy(struct parser *p);
/* old_tree: NULL, or the tree of the earlier text with ts_tree_edit() already applied.
 * The tree is the caller's: ts_tree_delete. Text up to UINT32_MAX bytes.
 * deadline_ms counts from the call, in this thread's own time; 0: none. */
int parse_text(struct parser *p, const struct lang *lang, struct str text,
               const TSTree *old_tree, uint64_t deadline_ms, TSTree **ret_tree);
/* The same for a tree that is not kept: it is the parser's until the next call or its end, never to be
 * deleted or edited. Faster. */
int parse_text_once(struct parser *p, const struct lang *lang, struct str text,
                    uint64_t deadline_ms, const TSTree **ret_tree);
/* NUL within the first 8 KiB, or a UTF-16/32 mark: not text. */
bool parse_is_binary(struct str text);
