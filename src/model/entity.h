#pragma once
/* A named definition and its key. Plain data; strings are borrowed from the batch's or reader's arena. */
#include "base/arena.h"
#include "base/base.h"
#include "base/str.h"
#include "model/hover.h"
#include "model/span.h"

#define ENTITY_NONE UINT32_MAX
#define ENTITY_PER_FILE_MAX 50000
#define ENTITY_SIGNATURE_BYTES_MAX 1000
#define ENTITY_DOC_BYTES_MAX 16384
#define ENTITY_NAME_BYTES_MAX 512

/* Stored in the index by number: append only. */
enum entity_kind {
    ENTITY_MODULE,
    ENTITY_NAMESPACE,
    ENTITY_CLASS,
    ENTITY_STRUCT,
    ENTITY_UNION,
    ENTITY_ENUM,
    ENTITY_ENUM_MEMBER,
    ENTITY_INTERFACE,
    ENTITY_TRAIT,
    ENTITY_IMPL,
    ENTITY_FUNCTION,
    ENTITY_METHOD,
    ENTITY_CONSTRUCTOR,
    ENTITY_FIELD,
    ENTITY_PROPERTY,
    ENTITY_VARIABLE,
    ENTITY_CONSTANT,
    ENTITY_TYPE_ALIAS,
    ENTITY_MACRO,
    ENTITY_SECTION,  // a heading and what it is over
    ENTITY_KEY,      // of a configuration file
    ENTITY_SELECTOR, // of a style sheet
    ENTITY_ELEMENT,  // of a markup file, by its id
    ENTITY_TARGET,   // of a build file
    ENTITY_TABLE,    // of a database, views too
    ENTITY_BLOCK,    // of a configuration language, by its labels
    ENTITY_KIND_COUNT
};

/* What extraction finds in one file. */
struct entity {
    enum entity_kind kind;
    uint32_t
        parent; // index in the same batch, smaller than its own; ENTITY_NONE at file scope
    uint32_t
        ordinal; // 1 for the first of (kind, qualified name) in the file, in source order
    struct str name;
    struct str qualified_name; // parents' names joined by '.'
    struct str signature;      // one line, bodies left out
    struct str doc;            // comment markers taken off; may have several lines
    struct span range;         // the whole definition
    struct span name_range;
    uint64_t
        hash; // of its own text and doc, nested entities left out: a moved entity keeps it
};

/* An entity as the store gives it back: with its file, key, hover and revision. */
struct entity_row {
    struct entity e; // e.parent counts within the rows of its file, ENTITY_NONE otherwise
    int64_t id;      // of the store, valid while the epoch is
    struct str key;
    struct str parent_key; // empty at file scope
    struct str path;       // relative to the workspace's root
    struct str lang;       // "c"
    struct hover hover;
    int64_t rev;  // seq that last changed it
    double score; // of a search, else 0
    struct str
        snippet; // of a text search: a line with its matches between **, else empty
};

/* Which one of its file it is, under whatever path that lies: of kind, qualified name and ordinal. */
uint64_t entity_place(const struct entity *e);

/* "function", "struct", "enum_member"… as in JSON and queries. */
const char *entity_kind_name(enum entity_kind kind);
/* "fn", "struct", "member"… as in keys. */
const char *entity_kind_short(enum entity_kind kind);
/* LSP SymbolKind, 1–26. */
int entity_kind_lsp(enum entity_kind kind);
/* By long or short name; -EINVAL if there is none. */
int entity_kind_parse(struct str name, enum entity_kind *ret_kind);

/* lang:kind:path#qualified.name[~ordinal]; ordinal 1 (or 0) is not written, but behind a name that
 * itself ends in ~2 or the like. Where '#' in path or name would mislead, ~ordinal.hashes says how
 * many '#' end the path: see entity.c. Any bytes in, the same parts out of entity_key_parse(). */
struct str entity_key(struct arena *a, struct str lang, enum entity_kind kind,
                      struct str path, struct str qualified_name, uint32_t ordinal);

struct entity_key_parts {
    struct str lang, path, qualified_name; // views into the key
    enum entity_kind kind;
    uint32_t ordinal;
};
/* -EINVAL when it is not a key as entity_key() writes it (one entity, one key). A path may hold '#',
 * a name too ("App.#secret"). */
int entity_key_parse(struct str key, struct entity_key_parts *ret_parts);
