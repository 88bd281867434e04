#pragma once
/* The in-memory name table. A segment holds the names of some files and never changes; a view is a
 * list of segments, newest first wins: what a newer segment says of a file hides what older ones say.
 * Nothing here locks: workers read what a question was given, the loop counts the references. */
#include "base/base.h"
#include "base/str.h"
#include "base/vec.h"
#include "model/entity.h"
#include "query/fuzzy.h"

#define NAMES_PARTS_MAX 8 // overlays beyond this are merged into one
#define NAMES_KIND_BITS 5
#define NAMES_FILE_SHIFT (NAMES_KIND_BITS + 1)
#define NAMES_FILES_MAX (1u << (32 - NAMES_FILE_SHIFT))
#define NAMES_LAST (1u << NAMES_KIND_BITS)        // no more of this name
#define NAMES_COLUMN_STEP 8                       // words: a line of the cache
#define NAMES_TEXT_BYTES_MAX ((size_t)UINT32_MAX) // of all different names together

/* ---- path globs: glob.c ---- */

struct glob {
    struct str pattern, head, tail;
};
void glob_init(struct glob *g, struct str pattern);
bool glob_fits(const struct glob *g, struct str path);

/* ---- different strings, numbered in order of arrival ---- */

struct intern {
    struct buf text;
    VEC(uint32_t) at; // where each begins
    uint32_t *slots;  // number + 1, 0: free
    size_t n_slots;
};

/* ---- segments: names.c ---- */

struct names_entity {
    int64_t id;         // of the store
    uint32_t file_kind; // file << NAMES_FILE_SHIFT | NAMES_LAST | kind
    uint32_t container; // of its qualified name
};

/* It ends where the next begins. */
struct names_entry {
    uint32_t text;  // where its text begins
    uint32_t first; // its first entity
};

struct names_segment {
    unsigned refs; // views that have it; the loop's
    size_t n_names, n_entities;
    struct names_entry *entries; // by fuzzy_compare(), and one behind the last
    uint8_t *lengths;            // of each, at most 255
    uint64_t *columns;           // of each bit of fuzzy_bits_of(), a bit a name
    size_t n_words;              // of a column
    char *text;
    uint32_t *file_kinds; // of the entities, apart: filters look at many
    uint32_t *entity_containers;
    int64_t *ids;
    struct intern files, containers, langs;
    uint8_t *file_langs;
    uint32_t *by_path; // files sorted
};

struct names_builder {
    struct intern names, files, containers, langs;
    VEC(struct names_entity) entities;
    VEC(uint32_t) name_of; // of each entity
    VEC(uint8_t) file_langs;
    uint32_t file; // of the last row
};

/* Says that the segment speaks for this file, also when no entity follows. -E2BIG. */
int names_add_file(struct names_builder *b, struct str path, struct str lang);
/* id, kind, name, qualified_name, path and lang of the row are used. -E2BIG. */
int names_add(struct names_builder *b, const struct entity_row *row);
/* The builder is empty after. */
struct names_segment *names_build(struct names_builder *b) MUST_USE;
void names_builder_finish(struct names_builder *b);
void names_segment_destroy(struct names_segment *s);

static inline struct str
intern_at(const struct intern *in, size_t i)
{
    uint32_t end = i + 1 < in->at.n ? in->at.v[i + 1] : (uint32_t)in->text.n;
    return str_slice(in->text.p + in->at.v[i], end - in->at.v[i]);
}

static inline struct str
names_at(const struct names_segment *s, size_t i)
{
    const struct names_entry *e = &s->entries[i];
    return str_slice(s->text + e[0].text, e[1].text - e[0].text);
}

static inline struct names_entity
names_entity_at(const struct names_segment *s, size_t i)
{
    return (struct names_entity){s->ids[i], s->file_kinds[i], s->entity_containers[i]};
}

static inline const uint64_t *
names_column(const struct names_segment *s, unsigned bit)
{
    return s->columns + bit * s->n_words;
}

/* ---- views: names_view.c ---- */

struct names_part {
    struct names_segment *segment;
    uint8_t *hidden; // a bit per file that a newer part speaks for; NULL: none
};

struct names_view {
    unsigned refs;            // the loop's
    struct names_part *parts; // oldest first
    size_t n_parts, n_entities;
};

/* `old` (may be NULL) with `newest` on top; overlays beyond NAMES_PARTS_MAX become one new segment.
 * No reference is counted: see names_view_adopt(). */
struct names_view *names_view_with(const struct names_view *old,
                                   struct names_segment *newest) MUST_USE;
/* The view lives on: it takes its references. Loop. */
void names_view_adopt(struct names_view *v);
struct names_view *names_view_ref(struct names_view *v);
void names_view_unref(struct names_view *v);
/* Of one that was not adopted: segments nobody else has go with it. `old` is what it was made from. */
void names_view_drop(struct names_view *v, const struct names_view *old);

/* ---- the best so far: winners.c ---- */

struct winner {
    int64_t id;
    int cost;
    enum entity_kind kind;
    struct str name, path; // views
};

struct winners {
    struct winner *heap; // worst first
    size_t n, limit;
};

/* <0: a comes before b in the answer. The order is total. */
int winner_compare(const struct winner *a, const struct winner *b);
/* False when it is not among the best. */
bool winners_offer(struct winners *w, const struct winner *one);
void winners_sort(struct winners *w); // best first; the heap is none after
static inline int
winners_worst(const struct winners *w)
{
    return w->n == w->limit ? w->heap[0].cost : FUZZY_NEVER;
}
