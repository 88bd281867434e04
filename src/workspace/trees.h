#pragma once
/* The trees of files that were saved or typed in lately, so that their next version costs what was changed and not
 * what they hold. A tree is with the cache (loop thread) or with one job, never with both. */
#include "base/str.h"
#include "lang/lang.h"
#include "parse/parse.h"

#define TREES_TEXT_BYTES_MIN 4096           // smaller ones are parsed in no time
#define TREES_TEXT_BYTES_MAX (256u << 10)   // of one text
#define TREES_ALL_TEXT_BYTES_MAX (1u << 20) // of all; a tree takes some 20 times its text

struct trees;
struct kept_tree;

struct trees *trees_create(void) MUST_USE;
void trees_destroy(struct trees *t);
/* The caller's now; NULL: none. */
struct kept_tree *trees_take(struct trees *t, struct str path);
/* Takes `tree`, which may be NULL; what was used longest ago makes room. */
void trees_keep(struct trees *t, struct str path, struct kept_tree *tree);

/* ---- any thread ---- */

void kept_tree_destroy(struct kept_tree *k);
/* As parse_text, from *kept where that helps (takes it). deadline_ms: not 0. *kept is then what is worth to be kept of this text, or
 * NULL; it holds a tree of its own. A text with errors in it is always parsed anew, so that the result never
 * depends on what was there before. */
int kept_tree_parse(struct kept_tree **kept, struct parser *parser,
                    const struct lang *lang, struct str text, uint64_t deadline_ms,
                    TSTree **ret_tree);
