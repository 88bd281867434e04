#pragma once
/* What a file's text may lose before it is parsed without losing an entity: the insides of function
 * bodies and initializers, comments, and macros in heads (int __init f(void)). One pass over the bytes, no tree, no recursion; the text may
 * be anything. A scanner belongs to one worker at a time and is reused. Pure: no loop, no log. */
#include "base/base.h"
#include "base/str.h"
#include "model/outline.h"

/* Conditions. */
#define BODIES_E_UNBALANCED 1 // braces, or strings, that do not end: parse all of it

#define BODIES_DEPTH_MAX 8192           // open brackets; more are unbalanced
#define BODIES_CONDITION_DEPTH_MAX 1024 // open #if

struct bodies;
struct bodies_syntax; // how a language writes strings, comments, heads

/* The names that languages.json may use: "c", "cpp", … ; NULL: none. */
const struct bodies_syntax *bodies_syntax_named(struct str name);

struct bodies *bodies_create(void) MUST_USE;
void bodies_destroy(struct bodies *b);
/* ret_outline is the scanner's, valid until its next call; it may borrow from text. with_items: simple
 * definitions are told and left out, too, where the syntax knows them.
 * -EFBIG: text of UINT32_MAX bytes or more. */
int bodies_scan(struct bodies *b, const struct bodies_syntax *syntax, struct str text,
                bool with_items, struct outline *ret_outline);
/* The same, but only macros in heads are left out, which mislead a parser of the whole file, too. */
int bodies_scan_heads(struct bodies *b, const struct bodies_syntax *syntax,
                      struct str text, struct outline *ret_outline);
