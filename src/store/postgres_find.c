/* Finding by name or by text, and edges: the text index for the files that are in it, a walk over the
 * rows of those that wait. Both are read in one view, and a file is in exactly one of the two sets, so an
 * answer is whole at any moment of a bulk load. */
#include "base/err.h"
#include "store/postgres_reader.h"
#include "store/words.h"

#define CANDIDATES_MAX 500         // of the text index whose rows are looked at
#define CANDIDATES_SCALE 1000000.0 // puts the other ones behind them
#define FOUND_MAX 2000000          // matches kept for sorting

struct found {
    int64_t id; // of an entity; of a file << SLOT_BITS | … for callers
    double score;
};

struct found_list {
    struct found *v;
    size_t n, cap;
};

static int
by_score(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static void
sort_found(struct found_list *list)
{
    if (list->n > 1)
        qsort(list->v, list->n, sizeof(*list->v), by_score);
}

/* ---- exact names ---- */

static int
find_ids(struct postgres_tables *p, enum postgres_sql which, struct str second,
         struct found_list *list)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, second);
    int r = postgres_query(&p->c, which, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows) && list->n < FOUND_MAX; i++)
        *vec_push(list) = (struct found){.id = postgres_int(rows, i, 0)};
    return r;
}

static int
find_ident(struct postgres_tables *p, char mark, struct str name, struct found_list *list)
{
    AUTO(buf_finish) struct buf query = {0};
    postgres_ident(&query, mark, name);
    return find_ids(p, PG_TEXT_IDENT, buf_str(&query), list);
}

int
postgres_each_named(struct store_reader *reader, struct str name, store_entity_fn fn,
                    void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    AUTO(arena_finish) struct arena a = {0};
    struct found_list list = {0};
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = find_ident(p, 'n', name, &list);
    if (r == 0)
        r = find_ids(p, PG_ENTITY_WAITING, name, &list);
    sort_found(&list);
    for (size_t i = 0; i < list.n && r == 0; i++) {
        struct entity_row row;
        arena_reset(&a);
        r = postgres_row_by_id(p, list.v[i].id, &a, &row);
        if (r == 0 && str_eq(row.e.name, name)) // two names may share an ident
            r = postgres_told(p, fn(ctx, &row));
    }
    postgres_view_end(p, is_mine);
    vec_finish(&list);
    return r;
}

/* ---- words ---- */

/* 'run':* & 'loop':*, or nothing when no word can be asked for. */
static void
write_query(struct buf *b, const struct words *words, bool *ret_is_all)
{
    *ret_is_all = true;
    for (size_t i = 0; i < words->n; i++) {
        struct str word = postgres_lexeme(words->v[i]);
        *ret_is_all = *ret_is_all && word.n == words->v[i].n;
        if (word.n == 0)
            continue;
        buf_add_cstr(b, b->n > 0 ? " & '" : "'");
        words_fold(b, word);
        buf_add_cstr(b, words->v[i].n == 1 ? "'" : "':*"); // a letter stands for itself
    }
}

/* The index knows which columns have the words; the first candidates get their score from their rows, as
 * those that wait. What comes behind keeps its order behind them. */
static int
score_candidates(struct postgres_tables *p, const struct words *words, bool is_sure,
                 struct found_list *list)
{
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf name = {0};
    int r = 0;
    for (size_t i = 0; i < list->n && r == 0; i++) {
        struct found *found = &list->v[i];
        struct entity_stored s;
        found->score /= CANDIDATES_SCALE;
        if (i >= CANDIDATES_MAX)
            continue;
        arena_reset(&a);
        r = postgres_entity_by_id(p, found->id, &a, &s);
        if (r == 0)
            found->score = MAX(words_score(words, &s, &name), is_sure ? found->score : 0);
        else if (r == -ENOENT)
            r = err_trace(-EBADMSG);
    }
    return r;
}

static int
find_indexed(struct postgres_tables *p, const struct words *words, size_t limit,
             struct found_list *list)
{
    AUTO(buf_finish) struct buf query = {0};
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    bool is_all; // of the words; else the text itself has to be asked
    write_query(&query, words, &is_all);
    if (query.n == 0)
        return 0;
    limit = MIN(MAX(limit, (size_t)CANDIDATES_MAX), (size_t)FOUND_MAX);
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, buf_str(&query));
    postgres_arg_int(&args, (int64_t)limit);
    int r = postgres_query(&p->c, PG_TEXT_FIND, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows); i++)
        *vec_push(list) = (struct found){.id = postgres_int(rows, i, 0),
                                         .score = (double)postgres_int(rows, i, 1) + 1};
    if (r == 0)
        r = score_candidates(p, words, is_all, list);
    for (size_t i = list->n; !is_all && i > 0; i--)
        if (i > CANDIDATES_MAX || list->v[i - 1].score == 0)
            list->v[i - 1] = list->v[--list->n];
    return r;
}

/* Files that wait to get into the text index, from this one on; *ret_rows: some. */
static int
waiting_files(struct postgres_tables *p, int64_t after_id, struct postgres_rows *ret_rows)
{
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, after_id);
    postgres_arg_int(&args, POSTGRES_PAGE);
    return postgres_query(&p->c, PG_FILE_TEXT_WAITING, &args, ret_rows);
}

static int
find_in_file(struct postgres_tables *p, const struct file_stored *f,
             const struct words *words, struct arena *a, struct found_list *list)
{
    AUTO(buf_finish) struct buf name = {0};
    struct entity_list entities = {0};
    int r = p->base.reads->entities(&p->base, f, a, &entities);
    for (size_t i = 0; r == 0 && i < entities.n && list->n < FOUND_MAX; i++) {
        double score = words_score(words, &entities.v[i], &name);
        if (score > 0)
            *vec_push(list) = (struct found){.id = entities.v[i].id, .score = score};
    }
    return r;
}

static int
find_waiting(struct postgres_tables *p, const struct words *words,
             struct found_list *list)
{
    AUTO(arena_finish) struct arena a = {0};
    int64_t id = 0;
    int n = POSTGRES_PAGE, r = 0;
    while (n == POSTGRES_PAGE && r == 0) {
        AUTO_ROWS(rows);
        r = waiting_files(p, id, rows);
        n = r == 0 ? postgres_count(rows) : 0;
        for (int i = 0; i < n && r == 0; i++) {
            struct file_stored f;
            arena_reset(&a);
            r = postgres_file_read(rows, i, &a, &f);
            if (r == 0)
                r = find_in_file(p, &f, words, &a, list);
            id = f.id;
        }
    }
    return r;
}

int
postgres_search_text(struct store_reader *reader, struct str query, size_t limit,
                     store_entity_fn fn, void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    AUTO(arena_finish) struct arena a = {0};
    struct found_list list = {0};
    struct words words = {.n = 0};
    bool is_mine = false;
    words_cut(query, &words);
    if (words.n == 0)
        return 0;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = find_indexed(p, &words, limit, &list);
    if (r == 0)
        r = find_waiting(p, &words, &list);
    sort_found(&list);
    for (size_t i = 0; i < list.n && i < limit && r == 0; i++) {
        struct entity_row row;
        arena_reset(&a);
        r = postgres_row_by_id(p, list.v[i].id, &a, &row);
        row.score = list.v[i].score;
        if (r == 0)
            r = postgres_told(p, fn(ctx, &row));
    }
    postgres_view_end(p, is_mine);
    vec_finish(&list);
    return r;
}

/* ---- edges ---- */

struct edge_walk {
    struct postgres_tables *p;
    struct arena a;
    int64_t file_id;
    struct str path; // of the file
    int64_t slot;    // of the entity that `from` is; -1: file scope, and from is empty
    struct entity_row from;
    size_t left;
    store_edge_fn fn;
    void *ctx;
};

/* Edges of one entity come one after another: its key is made once for them. */
static int
find_from(struct edge_walk *walk, int64_t slot)
{
    if (walk->slot == slot)
        return 0;
    walk->slot = -1;
    walk->from = (struct entity_row){.id = 0};
    if (slot < 0)
        return 0;
    int r = postgres_row_by_id(walk->p, ENTITY_ID(walk->file_id, slot), &walk->a,
                               &walk->from);
    walk->slot = r == 0 ? slot : -1;
    return r == -ENOENT ? err_trace(-EBADMSG) : r;
}

static int
enter_file(struct edge_walk *walk, int64_t file_id)
{
    struct file_stored f;
    arena_reset(&walk->a);
    int r = postgres_file_by_id(walk->p, file_id, &walk->a, &f);
    if (r < 0)
        return r == -ENOENT ? err_trace(-EBADMSG) : r;
    walk->file_id = file_id;
    walk->path = f.f.path;
    walk->slot = -1;
    walk->from = (struct entity_row){.id = 0};
    return 0;
}

static int
show_edge(struct edge_walk *walk, enum edge_kind kind, struct str target, int64_t slot,
          struct position at)
{
    int r = find_from(walk, slot);
    if (r < 0)
        return r;
    struct edge_row row = {.kind = kind,
                           .from_key = walk->from.key,
                           .path = walk->path,
                           .target = target,
                           .line = at.line,
                           .at = at};
    walk->left--;
    return postgres_told(walk->p, walk->fn(walk->ctx, &row));
}

static int
open_edges(struct edge_walk *walk, int64_t file_id, struct arena *a,
           struct edges *ret_edges)
{
    struct tables *t = &walk->p->base;
    struct str text = STR_NONE;
    int r = t->reads->edges_get(t, file_id, a, &text);
    return r < 0 ? r : edges_open(text, ret_edges);
}

static int
callers_in_group(struct edge_walk *walk, struct edge_group *group)
{
    struct position at;
    int64_t slot = -1;
    int r = 0;
    while (walk->left > 0 && (r = edges_next_place(&group->places, &slot, &at)) > 0) {
        r = show_edge(walk, group->kind, group->target, slot, at);
        if (r != 0)
            break;
    }
    return r;
}

static int
callers_in_file(struct edge_walk *walk, int64_t file_id, struct str name)
{
    struct edges edges;
    struct edge_group group;
    int r = enter_file(walk, file_id);
    if (r == 0)
        r = open_edges(walk, file_id, &walk->a, &edges);
    while (r == 0 && walk->left > 0) {
        r = edges_next(&edges, &walk->a, &group);
        if (r <= 0)
            break;
        r = str_eq(group.target, name) ? callers_in_group(walk, &group) : 0;
    }
    return r;
}

static int
find_caller_files(struct postgres_tables *p, struct str name, struct found_list *list)
{
    int64_t id = 0;
    int n = POSTGRES_PAGE;
    int r = find_ident(p, 'c', name, list);
    while (n == POSTGRES_PAGE && r == 0) {
        AUTO_ROWS(rows);
        r = waiting_files(p, id, rows);
        n = r == 0 ? postgres_count(rows) : 0;
        for (int i = 0; i < n; i++) {
            id = postgres_int(rows, i, 0);
            *vec_push(list) = (struct found){.id = id << SLOT_BITS};
        }
    }
    return r;
}

int
postgres_each_caller(struct store_reader *reader, struct str name, size_t limit,
                     store_edge_fn fn, void *ctx)
{
    struct edge_walk walk = {
        .p = &postgres_reader_of(reader)->p, .left = limit, .fn = fn, .ctx = ctx};
    struct found_list list = {0};
    bool is_mine = false;
    int r = postgres_view_begin(walk.p, &is_mine);
    if (r == 0)
        r = find_caller_files(walk.p, name, &list);
    sort_found(&list);
    for (size_t i = 0; i < list.n && r == 0 && walk.left > 0; i++)
        r = callers_in_file(&walk, list.v[i].id >> SLOT_BITS, name);
    postgres_view_end(walk.p, is_mine);
    arena_finish(&walk.a);
    vec_finish(&list);
    return r;
}

#define ANY_SLOT (-2)

/* An edge of a file, to be put in order; the target is a view into the arena. */
struct edge_found {
    enum edge_kind kind;
    struct str target;
    int64_t slot;
    struct position at;
};

struct edge_list {
    struct edge_found *v;
    size_t n, cap;
};

static int
by_place(const void *a, const void *b)
{
    const struct edge_found *x = a, *y = b;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    return (x->at.col_byte > y->at.col_byte) - (x->at.col_byte < y->at.col_byte);
}

/* Of one entity, or of all of the file, in their order. */
static int
take_edges(struct edge_walk *walk, int64_t file_id, int64_t from_slot, struct arena *a,
           struct edge_list *list)
{
    struct edges edges;
    struct edge_group group;
    int r = open_edges(walk, file_id, a, &edges);
    while (r == 0 && (r = edges_next(&edges, a, &group)) > 0) {
        struct edge_found edge = {.kind = group.kind, .target = group.target};
        while ((r = edges_next_place(&group.places, &edge.slot, &edge.at)) > 0)
            if (from_slot == ANY_SLOT || edge.slot == from_slot)
                *vec_push(list) = edge;
    }
    if (list->n > 1)
        qsort(list->v, list->n, sizeof(*list->v), by_place);
    return r;
}

static int
show_edges(struct edge_walk *walk, const struct edge_list *list)
{
    int r = 0;
    for (size_t i = 0; i < list->n && r == 0 && walk->left > 0; i++)
        r = show_edge(walk, list->v[i].kind, list->v[i].target, list->v[i].slot,
                      list->v[i].at);
    return r;
}

int
postgres_each_callee(struct store_reader *reader, struct str key, size_t limit,
                     store_edge_fn fn, void *ctx)
{
    struct edge_walk walk = {
        .p = &postgres_reader_of(reader)->p, .left = limit, .fn = fn, .ctx = ctx};
    AUTO(arena_finish) struct arena a = {0};
    struct edge_list list = {0};
    struct entity_row row;
    bool is_mine = false;
    int r = postgres_view_begin(walk.p, &is_mine);
    if (r == 0)
        r = store_read_entity(reader, key, &a, &row);
    if (r == 0)
        r = take_edges(&walk, row.id >> SLOT_BITS, row.id & SLOT_MASK, &a, &list);
    if (r == 0)
        r = enter_file(&walk, row.id >> SLOT_BITS);
    if (r == 0)
        r = show_edges(&walk, &list);
    postgres_view_end(walk.p, is_mine);
    arena_finish(&walk.a);
    vec_finish(&list);
    return r;
}

int
postgres_each_edge(struct store_reader *reader, store_edge_fn fn, void *ctx)
{
    struct edge_walk walk = {
        .p = &postgres_reader_of(reader)->p, .left = SIZE_MAX, .fn = fn, .ctx = ctx};
    AUTO_ROWS(ids);
    struct edge_list list = {0};
    bool is_mine = false;
    int r = postgres_view_begin(walk.p, &is_mine);
    if (r == 0)
        r = postgres_files_by_path(walk.p, ids);
    for (int i = 0; r == 0 && i < postgres_count(ids); i++) {
        int64_t file_id = postgres_int(ids, i, 0);
        list.n = 0;
        r = enter_file(&walk, file_id);
        if (r == 0)
            r = take_edges(&walk, file_id, ANY_SLOT, &walk.a, &list);
        if (r == 0)
            r = show_edges(&walk, &list);
    }
    postgres_view_end(walk.p, is_mine);
    arena_finish(&walk.a);
    vec_finish(&list);
    return r;
}
