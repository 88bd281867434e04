/* Puts the stages together and gives the definitions found the form in which they travel: names,
 * ordinals, texts, hashes, positions, all copied into the batch's arena. */
#include "extract/extract.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "extract/found.h"
#include "extract/lines.h"
#include "extract/text.h"

/* A name that would get longer, with its parents', begins anew: nesting cannot square the memory. */
#define QUALIFIED_NAME_BYTES_MAX 4096

/* Matches begun and not ended, and how deep one may begin: only nesting that nobody writes goes
 * beyond, and each step of the cursor looks at all that are open. */
#define MATCHES_OPEN_MAX 4096
#define MATCH_DEPTH_MAX 2000

struct extractor {
    TSQueryCursor *cursor;
    struct lang_query *queries[LANG_COUNT_MAX]; // compiled when a language is first met
    int *kinds[LANG_COUNT_MAX];                 // entity_kind by capture, -1
    struct finds finds;
    struct lines lines;
    struct buf scratch;
    VEC(uint32_t) slots;       // ordinal table: index + 1 into finds.defs, 0 is free
    VEC(struct str) qualified; // by index into finds.defs
    VEC(struct str) names;
    VEC(uint32_t) ordinals;
};

struct extractor *
extractor_create(void)
{
    struct extractor *x = xnew(struct extractor);
    x->cursor = ts_query_cursor_new();
    ts_query_cursor_set_match_limit(x->cursor, MATCHES_OPEN_MAX);
    return x;
}

void
extractor_destroy(struct extractor *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < LANG_COUNT_MAX; i++) {
        lang_query_destroy(x->queries[i]);
        free(x->kinds[i]);
    }
    ts_query_cursor_delete(x->cursor);
    vec_finish(&x->finds.defs);
    vec_finish(&x->finds.edges);
    vec_finish(&x->finds.comments);
    vec_finish(&x->finds.docs);
    vec_finish(&x->finds.wrappers);
    vec_finish(&x->finds.leadings);
    vec_finish(&x->finds.arounds);
    vec_finish(&x->finds.opaques);
    vec_finish(&x->finds.pieces);
    vec_finish(&x->finds.stack);
    vec_finish(&x->slots);
    vec_finish(&x->qualified);
    vec_finish(&x->names);
    vec_finish(&x->ordinals);
    lines_finish(&x->lines);
    buf_finish(&x->scratch);
    free(x);
}

/* The query files are part of the build and a test compiles them: failing here is our fault. */
static int
ready_query(struct extractor *x, const struct lang *lang)
{
    if (x->queries[lang->index])
        return 0;
    char *why = NULL;
    struct lang_query *q;
    int r = lang_query_create(lang, &q, &why);
    if (r < 0) {
        free(why);
        return err_trace(r);
    }
    int *kinds = xcalloc(q->n_captures + 1, sizeof(*kinds));
    for (uint32_t i = 0; i < q->n_captures; i++) {
        enum entity_kind kind;
        kinds[i] = -1;
        if (q->captures[i].role == LANG_CAPTURE_DEFINITION &&
            entity_kind_parse(q->captures[i].kind, &kind) == 0)
            kinds[i] = (int)kind;
    }
    x->queries[lang->index] = q;
    x->kinds[lang->index] = kinds;
    return 0;
}

static struct str
keep_scratch(struct extractor *x, struct arena *arena)
{
    return arena_str(arena, buf_str(&x->scratch));
}

/* Nearly all names are plain words. */
static struct str
keep_name(struct extractor *x, struct arena *arena, struct stretch name,
          struct pieces pieces)
{
    struct str text = stretch_text(name, x->finds.text);
    if (pieces.n == 0 && text.n <= ENTITY_NAME_BYTES_MAX && text_is_word(text))
        return arena_str(arena, text);
    buf_reset(&x->scratch);
    if (pieces.n > 0)
        text_add_pieces(&x->scratch, &x->finds, pieces);
    else
        text_add_name(&x->scratch, text);
    return keep_scratch(x, arena);
}

/* The name itself where nothing stands before it. */
static struct str
keep_qualified(struct extractor *x, struct arena *arena, struct str above,
               const struct found *d, struct str name)
{
    if (above.n == 0 && stretch_is_empty(d->scope))
        return name;
    buf_reset(&x->scratch);
    buf_add_str(&x->scratch, above);
    if (above.n > 0)
        buf_add_char(&x->scratch, '.');
    if (!stretch_is_empty(d->scope)) {
        text_add_scope(&x->scratch, stretch_text(d->scope, x->finds.text));
        buf_add_char(&x->scratch, '.');
    }
    buf_add_str(&x->scratch, name);
    return x->scratch.n == name.n ? name : keep_scratch(x, arena);
}

static void
name_definitions(struct extractor *x, struct arena *arena)
{
    struct finds *f = &x->finds;
    x->names.n = x->qualified.n = 0;
    vec_reserve(&x->names, f->defs.n);
    vec_reserve(&x->qualified, f->defs.n);
    for (size_t i = 0; i < f->defs.n; i++) {
        const struct found *d = &f->defs.v[i];
        *vec_push(&x->names) = STR_NONE;
        *vec_push(&x->qualified) = STR_NONE;
        if (d->is_dropped)
            continue;
        struct str name = x->names.v[i] = d->given_name
                                              ? arena_str(arena, *d->given_name)
                                              : keep_name(x, arena, d->name, d->pieces);
        struct str above =
            d->parent == ENTITY_NONE ? STR_NONE : x->qualified.v[d->parent];
        if (above.n + name.n > QUALIFIED_NAME_BYTES_MAX)
            above = STR_NONE;
        x->qualified.v[i] = keep_qualified(x, arena, above, d, name);
    }
}

/* Ordinal of each (kind, qualified name); drops what only assigns anew. */
static void
count_ordinals(struct extractor *x)
{
    struct finds *f = &x->finds;
    size_t n_slots = 16;
    while (n_slots < f->defs.n * 2)
        n_slots *= 2;
    x->slots.n = x->ordinals.n = 0;
    vec_reserve(&x->slots, n_slots);
    vec_reserve(&x->ordinals, f->defs.n);
    if (n_slots > 0)
        memset(x->slots.v, 0, n_slots * sizeof(*x->slots.v));
    for (uint32_t i = 0; i < f->defs.n; i++) {
        struct found *d = &f->defs.v[i];
        *vec_push(&x->ordinals) = 1;
        if (d->is_dropped)
            continue;
        size_t at = hash64_seeded(x->qualified.v[i], (uint64_t)d->kind) & (n_slots - 1);
        for (; x->slots.v[at] != 0; at = (at + 1) & (n_slots - 1)) {
            uint32_t other = x->slots.v[at] - 1;
            if (f->defs.v[other].kind != d->kind ||
                !str_eq(x->qualified.v[other], x->qualified.v[i]))
                continue;
            x->ordinals.v[i] = x->ordinals.v[other] + 1;
            break;
        }
        if (d->first_only && x->ordinals.v[i] > 1)
            d->is_dropped = true;
        else
            x->slots.v[at] = i + 1;
    }
}

/* Gives each definition its place in the batch. What lies in a dropped one goes to its parent. */
static void
place_definitions(struct extractor *x, struct batch *batch)
{
    struct finds *f = &x->finds;
    size_t n = 0;
    for (size_t i = 0; i < f->defs.n; i++) {
        struct found *d = &f->defs.v[i];
        d->index = ENTITY_NONE;
        if (d->is_dropped)
            continue;
        if (n == ENTITY_PER_FILE_MAX)
            f->has_too_many = true;
        else
            d->index = (uint32_t)n++;
    }
    batch->n_entities = n;
    batch->entities = arena_calloc(&batch->arena, n + 1, sizeof(*batch->entities));
}

static uint32_t
placed(const struct finds *f, uint32_t i)
{
    while (i != ENTITY_NONE && f->defs.v[i].index == ENTITY_NONE)
        i = f->defs.v[i].parent;
    return i == ENTITY_NONE ? ENTITY_NONE : f->defs.v[i].index;
}

static struct span
span_of(struct lines *l, struct stretch s)
{
    return (struct span){
        .start = lines_position(l, s.start),
        .end = lines_position(l, s.end),
        .start_byte = s.start,
        .end_byte = s.end,
    };
}

static int
fill_entities(struct extractor *x, struct batch *batch)
{
    struct finds *f = &x->finds;
    for (size_t i = 0; i < f->defs.n; i++) {
        struct found *d = &f->defs.v[i];
        if (i % DEADLINE_STRIDE == 0 && deadline_is_over(&f->deadline))
            return EXTRACT_E_TIMED_OUT;
        d->extent = d->range;
        if (d->index == ENTITY_NONE)
            continue;
        struct entity *e = &batch->entities[d->index];
        e->kind = d->kind;
        e->parent = placed(f, d->parent);
        e->ordinal = x->ordinals.v[i];
        e->name = x->names.v[i];
        e->qualified_name = x->qualified.v[i];
        e->range = span_of(&x->lines, d->range);
        e->name_range = span_of(&x->lines, d->name);
        buf_reset(&x->scratch);
        text_add_signature(&x->scratch, f, d);
        e->signature = keep_scratch(x, &batch->arena);
        buf_reset(&x->scratch);
        text_add_doc(&x->scratch, f, d);
        e->doc = x->scratch.n > 0 ? keep_scratch(x, &batch->arena) : STR_NONE;
        e->hash = hash64_seeded(e->doc, (uint64_t)d->kind);
    }
    return 0;
}

static void
hash_piece(struct entity *e, struct str text, uint32_t from, uint32_t to)
{
    /* What only separates members is not the parent's text: one more of them leaves it the same. */
    while (from < to && strchr(" \t\r\n\f,;", text.p[from]) && text.p[from] != '\0')
        from++;
    while (from < to && strchr(" \t\r\n\f,;", text.p[to - 1]) && text.p[to - 1] != '\0')
        to--;
    if (from < to)
        e->hash = hash64_seeded(str_slice(text.p + from, to - from), e->hash);
}

/* Each entity's hash is of the pieces between the entities in it. They come in source order, so
 * one pass with a place per entity does; x->slots holds these places. */
static int
hash_entities(struct extractor *x, struct batch *batch)
{
    struct finds *f = &x->finds;
    vec_reserve(&x->slots, f->defs.n);
    uint32_t *places = x->slots.v; // count_ordinals is done with it
    for (size_t i = 0; i < f->defs.n; i++) {
        const struct found *d = &f->defs.v[i];
        places[i] = d->range.start;
        uint32_t o = d->outer;
        if (d->index == ENTITY_NONE || o == ENTITY_NONE ||
            f->defs.v[o].index == ENTITY_NONE)
            continue;
        if (d->extent.start > places[o])
            hash_piece(&batch->entities[f->defs.v[o].index], f->source, places[o],
                       d->extent.start);
        places[o] = MAX(places[o], d->extent.end);
    }
    for (size_t i = 0; i < f->defs.n; i++) {
        const struct found *d = &f->defs.v[i];
        if (i % DEADLINE_STRIDE == 0 && deadline_is_over(&f->deadline))
            return EXTRACT_E_TIMED_OUT;
        if (d->index == ENTITY_NONE)
            continue;
        struct entity *e = &batch->entities[d->index];
        if (stretch_is_empty(d->declarator)) {
            hash_piece(e, f->source, MIN(places[i], d->range.end), d->range.end);
        } else {
            hash_piece(e, f->source, MIN(places[i], d->prefix_end), d->prefix_end);
            hash_piece(e, f->source, d->declarator.start, d->declarator.end);
        }
    }
    return 0;
}

/* A base is inherited or implemented, not both. */
static int
compare_references(const struct found_edge *x, const struct found_edge *y)
{
    if (x->name.start != y->name.start)
        return x->name.start < y->name.start ? -1 : 1;
    return (int)MIN(x->kind, EDGE_INHERITS) - (int)MIN(y->kind, EDGE_INHERITS);
}

static int
compare_edges(const void *a, const void *b)
{
    const struct found_edge *x = a, *y = b;
    int c = compare_references(x, y);
    if (c != 0 || x->pattern == y->pattern)
        return c;
    return x->pattern < y->pattern ? -1 : 1;
}

static void
fill_edges(struct extractor *x, struct batch *batch)
{
    struct finds *f = &x->finds;
    bool is_sorted = true;
    for (size_t i = 1; i < f->edges.n && is_sorted; i++)
        is_sorted = compare_edges(&f->edges.v[i - 1], &f->edges.v[i]) <= 0;
    if (!is_sorted)
        qsort(f->edges.v, f->edges.n, sizeof(*f->edges.v), compare_edges);
    batch->edges = arena_calloc(&batch->arena, f->edges.n + 1, sizeof(*batch->edges));
    f->stack.n = 0;
    for (size_t i = 0, next = 0; i < f->edges.n; i++) {
        const struct found_edge *found = &f->edges.v[i];
        uint32_t at = found->name.start;
        if (i > 0 && compare_references(found - 1, found) == 0)
            continue;
        for (; next < f->defs.n && f->defs.v[next].range.start <= at; next++) {
            if (f->defs.v[next].index == ENTITY_NONE || f->defs.v[next].range.end <= at)
                continue;
            *vec_push(&f->stack) = (uint32_t)next;
        }
        while (f->stack.n > 0 && f->defs.v[f->stack.v[f->stack.n - 1]].range.end <= at)
            f->stack.n--;
        struct edge *e = &batch->edges[batch->n_edges++];
        e->kind = found->kind;
        e->from =
            f->stack.n == 0 ? ENTITY_NONE : f->defs.v[f->stack.v[f->stack.n - 1]].index;
        e->target = keep_name(x, &batch->arena, found->name, found->pieces);
        e->at = lines_position(&x->lines, at);
    }
}

/* One file of half a million definitions must not keep its memory for the rest of the run. */
#define KEPT_MAX 16384
#define release_if_large(vec)                                                            \
    do {                                                                                 \
        if ((vec)->cap > KEPT_MAX)                                                       \
            vec_finish(vec);                                                             \
    } while (0)

static void
reset(struct extractor *x, struct str text, const struct outline *outline,
      uint64_t deadline_ms)
{
    struct finds *f = &x->finds;
    release_if_large(&f->defs);
    release_if_large(&f->edges);
    release_if_large(&f->comments);
    release_if_large(&f->pieces);
    release_if_large(&x->slots);
    release_if_large(&x->qualified);
    release_if_large(&x->names);
    release_if_large(&x->ordinals);
    f->source = text;
    f->text = outline ? outline->shown : text;
    f->outline = outline;
    f->parsed = outline ? outline->text : text;
    f->defs.n = f->edges.n = f->comments.n = f->docs.n = 0;
    f->wrappers.n = f->leadings.n = f->arounds.n = f->opaques.n = f->pieces.n =
        f->stack.n = 0;
    f->has_too_many = false;
    f->deadline = deadline_after(deadline_ms);
}

int
extract_batch(struct extractor *x, const struct lang *lang, struct str text,
              const struct outline *outline, const TSTree *tree, uint64_t deadline_ms,
              struct batch *batch)
{
    if (text.n > UINT32_MAX - 1)
        return err_trace(-EFBIG);
    int r = ready_query(x, lang);
    if (r < 0)
        return r;
    batch->file.lang = arena_cstr(&batch->arena, lang->key_prefix);
    batch->n_entities = batch->n_edges = 0;
    reset(x, text, outline, deadline_ms);
    ts_query_cursor_set_max_start_depth(
        x->cursor, MIN(x->queries[lang->index]->depth, (uint32_t)MATCH_DEPTH_MAX));
    r = collect_matches(&x->finds, x->cursor, x->queries[lang->index],
                        x->kinds[lang->index], ts_tree_root_node(tree));
    if (r != 0)
        return r;
    collect_outline(&x->finds);
    lines_set_text(&x->lines, text);
    nest_definitions(&x->finds);
    name_definitions(x, &batch->arena);
    count_ordinals(x);
    place_definitions(x, batch);
    r = fill_entities(x, batch);
    if (r == 0)
        r = hash_entities(x, batch);
    if (r != 0) {
        batch->n_entities = 0;
        return r;
    }
    fill_edges(x, batch);
    return x->finds.has_too_many ? EXTRACT_E_TOO_MANY : 0;
}
