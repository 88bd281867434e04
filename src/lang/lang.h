#pragma once
/* Languages: file name → language and its grammar. Constant after lang_init, which comes before the
 * first thread; the rest on any thread. Queries are compiled when a worker first meets a language
 * (lang_query_create): most runs need one. */
#include <tree_sitter/api.h>

#include "base/base.h"
#include "base/str.h"

#define LANG_COUNT_MAX 64
#define LANG_HEAD_BYTES 32768
#define LANG_LEVEL_MAX 9 // of headings
#define LANG_MASK_BYTES_MIN 4

struct grammar;

struct lang {
    const char *name;       // "typescript"
    const char *key_prefix; // "ts": entity keys and the `lang` of files
    const TSLanguage *grammar;
    const char
        *outline; // of src/bodies: what of a file may be left unparsed; NULL: nothing
    const struct grammar *source; // its row of grammars/registry.h
    bool has_masks;               // lang_mask does something
    unsigned index;               // 0 … lang_count()-1
};

/* -EINVAL and *ret_why (heap): a grammar that this runtime cannot load. */
int lang_init(char **ret_why);
void lang_finish(void);
size_t lang_count(void);
/* What makes entities of a file, in a word: another one when grammars, queries or masks are others. */
const char *lang_maker(void);
const struct lang *lang_at(size_t index);
const struct lang *lang_by_key_prefix(struct str prefix);
/* By whole name, extension, then #! line. `head`: the first bytes of the file (LANG_HEAD_BYTES are
 * enough); it decides between languages that share an extension, or whether it is the only one's. May
 * be empty: then what is likely. NULL: none. */
const struct lang *lang_of_file(struct str path, struct str head);
/* LSP languageId of a file: "typescriptreact" for .tsx, "javascriptreact" for .jsx. */
const char *lang_language_id(const struct lang *l, struct str path);
/* The reverse, for didOpen; NULL: none. */
const struct lang *lang_by_language_id(struct str id);
/* What the parser is to see: the text without macros that the grammar does not know, each byte at its
 * place. The text itself, or a copy in space (the caller's, kept from call to call). */
struct str lang_mask(const struct lang *l, struct str text, struct buf *space);

/* The queries of a language, compiled as one, so that one walk over a tree serves them all, with what
 * their captures, predicates and settings mean (docs/HACKING.md "queries"). Compiling takes 1–20 ms;
 * a query belongs to one thread at a time. */

enum lang_capture {
    LANG_CAPTURE_NONE, // only a predicate's operand: @_name
    LANG_CAPTURE_DEFINITION,
    LANG_CAPTURE_CALL,
    LANG_CAPTURE_IMPORT,
    LANG_CAPTURE_INHERIT,   // @name is a base that the definition around it extends
    LANG_CAPTURE_IMPLEMENT, // … an interface, trait or protocol that it fulfils
    LANG_CAPTURE_NAME,
    LANG_CAPTURE_DECLARATOR, // holds the name at the end of its declarators, may be qualified
    LANG_CAPTURE_BODY,       // left out of the signature
    LANG_CAPTURE_SCOPE,      // goes before the name in the qualified name
    LANG_CAPTURE_DOC, // a string that documents the definition of its match, else the one
                      // whose body it opens
    LANG_CAPTURE_COMMENT,
    LANG_CAPTURE_WRAPPER, // widens the definition that it holds and that ends with it
    LANG_CAPTURE_LEADING, // widens the definition that follows it
    LANG_CAPTURE_AROUND, // widens the definition that begins with it; the rest is its body
    LANG_CAPTURE_OPAQUE, // nothing in it is a definition
};

struct lang_capture_info {
    enum lang_capture role;
    struct str kind; // of a definition: "enum_member"
};

/* (#set! local "keep"), (#set! local "drop"): what becomes of a definition in a function. */
enum lang_local {
    LANG_LOCAL_BY_KIND, // variables and constants are dropped
    LANG_LOCAL_KEEP,
    LANG_LOCAL_DROP,
};

struct lang_pattern {
    enum lang_local local;
    bool flat;  // (#set! flat): stands alone, whatever is around it
    bool lines; // (#set! lines): "^" of (#set! find …) is the file's, not the node's
    bool each; // (#set! each): what (#set! find …) takes for the name are several, with
               // blanks between them
    bool
        first_only; // (#set! first): a later one of the same qualified name is no definition
    bool merges;    // (#set! merge): with the one before it, if that has its name, is one
    bool
        member; // (#set! member): only in a class, a constructor by the class's name only
    TSSymbol piece; // (#set! selector "type"): the name is in pieces of this type among
                    // its arguments, add:to:; 0: it is not
    struct str
        body_opening;      // (#set! body "{"): it is the first child behind the name that
                           // begins with one of these bytes; empty: it is captured
    struct str given_name; // (#set! name "Companion"): the language gives it, @name is
                           // where it stands; empty: the text does
    struct str name_prefix; // (#set! prefix ":"): the name begins behind it; may be empty
    TSSymbol
        rejected_declarator; // (#set! reject-declarator "type"): no definition if the name
                             // hangs on such a declarator; 0: none
    TSSymbol nested_declarator; // (#set! nested-declarator "type"): in another function
                                // no definition unless the name hangs on such a one
    unsigned
        level; // (#set! level "2"): the definition goes on to the next of this level or
               // a smaller one; 0: it ends with its node
    struct lang_finder
        *finder; // (#set! find "expression"): its matches in the node's text are
                 // the definitions; NULL: the node is
    uint32_t first_predicate, n_predicates;
};

struct lang_predicate;

struct lang_query {
    TSQuery *query;
    TSFieldId declarator_field, name_field, scope_field; // 0: the grammar has none
    uint32_t depth; // (#set! depth "3"): no pattern begins deeper; UINT32_MAX: anywhere
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

/* find.c: a definition found in text, in bytes of it; scope empty: none. */
struct lang_place {
    size_t start, end, name_start, name_end, scope_start, scope_end;
};
int lang_finder_create(struct str expression, struct lang_finder **ret_finder);
void lang_finder_destroy(struct lang_finder *finder);
bool lang_finder_next(const struct lang_finder *finder, struct str text, size_t from,
                      struct lang_place *ret_place);

DEFINE_AUTO(lang_query_destroy, struct lang_query *)
