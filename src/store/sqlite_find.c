/* Finding by name or by text: the text index for the files that are in it, a walk over the rows of
 * those that wait. Both are read in one view, and a file is in exactly one of the two sets, so an
 * answer is whole at any moment of a bulk load. */
#include "base/err.h"
#include "base/utf.h"
#include "store/sqlite.h"

#define CANDIDATES_MAX 500      // of the text index whose rows are looked at
#define CANDIDATES_SCALE 1000.0 // puts the other ones behind them
#define FOUND_MAX 2000000       // matches kept for sorting

struct found {
    int64_t id; // of an entity; of a file << SLOT_BITS | SLOT_TARGETS for callers
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

/* ---- exact names, through the column ident ---- */

static int
add_found(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt,
          struct found_list *list)
{
    int r = 0;
    while (list->n < FOUND_MAX && (r = sqlite_step(c, stmt)) > 0)
        *vec_push(list) = (struct found){.id = sqlite3_column_int64(stmt, 0)};
    sqlite_put(c, which, stmt);
    return MIN(r, 0);
}

static int
find_ident(struct sqlite_conn *c, char mark, struct str name, struct found_list *list)
{
    char match[32], ident[IDENT_BYTES];
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_TEXT_FILES, &stmt);
    if (r < 0)
        return r;
    words_ident(mark, name, ident);
    snprintf(match, sizeof(match), "ident : \"%s\"", ident);
    sqlite_bind_str(stmt, 1, str_of(match));
    return add_found(c, SQL_TEXT_FILES, stmt, list);
}

static int
find_named(struct sqlite_conn *c, struct str name, struct found_list *list)
{
    sqlite3_stmt *stmt = NULL;
    int r = find_ident(c, 'n', name, list);
    if (r == 0)
        r = sqlite_get(c, SQL_ENTITY_WAITING, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, name);
    return add_found(c, SQL_ENTITY_WAITING, stmt, list);
}

int
sqlite_each_named(struct store_reader *reader, struct str name, store_entity_fn fn,
                  void *ctx)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    AUTO(arena_finish) struct arena a = {0};
    struct found_list list = {0};
    bool is_mine = false;
    int r = sqlite_view_begin(c, &is_mine);
    if (r == 0)
        r = find_named(c, name, &list);
    if (list.n > 1)
        qsort(list.v, list.n, sizeof(*list.v), by_score);
    for (size_t i = 0; i < list.n && r == 0; i++) {
        struct entity_row row;
        arena_reset(&a);
        r = sqlite_row_by_id(c, list.v[i].id, &a, &row);
        if (r == 0 && str_eq(row.e.name, name)) // two names may share an ident
            r = fn(ctx, &row);
    }
    sqlite_view_end(c, is_mine);
    vec_finish(&list);
    return r;
}

/* ---- words ---- */

/* Letters and digits of scripts that write without marks of their own kind between the letters. */
static bool
is_sure(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x24F},    {0x388, 0x3CE},
        {0x400, 0x481},   {0x48A, 0x527},   {0x5D0, 0x5EA},   {0x620, 0x64A},
        {0x3041, 0x3096}, {0x30A1, 0x30FA}, {0x3400, 0x4DB5}, {0x4E00, 0x9FA5},
        {0xAC00, 0xD7A3},
    };
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return c != 0x38B && c != 0x38D && c != 0x3A2;
    return false;
}

/* Its beginning, perhaps empty, that surely is one word to the text index, too: what that cuts in two is a
 * phrase, which an index without places refuses. */
static struct str
sure_part(struct str word)
{
    size_t at = 0, n;
    for (uint32_t c = 0; at < word.n; at += n) {
        n = utf8_decode(str_slice(word.p + at, word.n - at), &c);
        if (!is_sure(c))
            break;
    }
    return str_slice(word.p, at);
}

/* {name signature doc hover} : ("run"* AND "loop"*), or nothing when no word is sure. */
static void
write_match(struct buf *b, const struct words *words, bool *ret_is_all)
{
    size_t n = 0;
    *ret_is_all = true;
    for (size_t i = 0; i < words->n; i++) {
        struct str sure = sure_part(words->v[i]);
        *ret_is_all = *ret_is_all && sure.n == words->v[i].n;
        bool is_letter = sure.n == 1 && words->v[i].n == 1; // stands for itself
        if (sure.n > 0)
            buf_printf(b, "%s\"%.*s\"%s",
                       n++ > 0 ? " AND " : "{name signature doc hover} : (",
                       STR_ARG(sure), is_letter ? "" : "*");
    }
    if (n > 0)
        buf_add_char(b, ')');
}

/* The index only knows which columns have the words; the first candidates get their score from their
 * rows, as those that wait. What comes behind keeps its order behind them. */
static int
score_candidates(struct sqlite_conn *c, const struct words *words, bool is_sure,
                 struct found_list *list)
{
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf name = {0};
    int r = 0;
    for (size_t i = 0; i < list->n && r == 0; i++) {
        struct found *found = &list->v[i];
        struct entity_stored s;
        sqlite3_stmt *stmt = NULL;
        found->score /= CANDIDATES_SCALE;
        if (i >= CANDIDATES_MAX)
            continue;
        arena_reset(&a);
        r = sqlite_get(c, SQL_ENTITY_BY_ID, &stmt);
        if (r < 0)
            break;
        sqlite3_bind_int64(stmt, 1, found->id);
        r = sqlite_step(c, stmt);
        if (r > 0)
            r = sqlite_entity_read(stmt, &a, &s);
        else if (r == 0)
            r = err_trace(-EBADMSG);
        if (r == 0)
            found->score = MAX(words_score(words, &s, &name), is_sure ? found->score : 0);
        sqlite_put(c, SQL_ENTITY_BY_ID, stmt);
    }
    return r;
}

static int
find_indexed(struct sqlite_conn *c, const struct words *words, size_t limit,
             struct found_list *list)
{
    AUTO(buf_finish) struct buf match = {0};
    sqlite3_stmt *stmt = NULL;
    bool is_all; // of the words; else the text itself has to be asked
    write_match(&match, words, &is_all);
    if (match.n == 0)
        return 0;
    int r = sqlite_get(c, SQL_TEXT_FIND, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, buf_str(&match));
    limit = MIN(MAX(limit, (size_t)CANDIDATES_MAX), (size_t)FOUND_MAX);
    sqlite3_bind_int64(stmt, 2, (int64_t)limit);
    while ((r = sqlite_step(c, stmt)) > 0)
        *vec_push(list) = (struct found){.id = sqlite3_column_int64(stmt, 0),
                                         .score = sqlite3_column_double(stmt, 1)};
    sqlite_put(c, SQL_TEXT_FIND, stmt);
    if (r == 0)
        r = score_candidates(c, words, is_all, list);
    for (size_t i = list->n; !is_all && i > 0; i--)
        if (i > CANDIDATES_MAX || list->v[i - 1].score == 0)
            list->v[i - 1] = list->v[--list->n];
    return r;
}

static int
find_waiting(struct sqlite_conn *c, const struct words *words, struct found_list *list)
{
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf name = {0};
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_TEXT_WAITING, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        struct file_stored f;
        struct entity_list entities = {0};
        arena_reset(&a);
        r = sqlite_file_read(stmt, &a, &f);
        if (r == 0)
            r = sqlite_entities_of_file(c, &f, &a, &entities);
        for (size_t i = 0; i < entities.n && list->n < FOUND_MAX; i++) {
            double score = words_score(words, &entities.v[i], &name);
            if (score > 0)
                *vec_push(list) = (struct found){.id = entities.v[i].id, .score = score};
        }
        if (r < 0)
            break;
    }
    sqlite_put(c, SQL_FILE_TEXT_WAITING, stmt);
    return r;
}

int
sqlite_search_text(struct store_reader *reader, struct str query, size_t limit,
                   store_entity_fn fn, void *ctx)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    AUTO(arena_finish) struct arena a = {0};
    struct found_list list = {0};
    struct words words = {.n = 0};
    bool is_mine = false;
    words_cut(query, &words);
    if (words.n == 0)
        return 0;
    int r = sqlite_view_begin(c, &is_mine);
    if (r == 0)
        r = find_indexed(c, &words, limit, &list);
    if (r == 0)
        r = find_waiting(c, &words, &list);
    if (list.n > 1)
        qsort(list.v, list.n, sizeof(*list.v), by_score);
    for (size_t i = 0; i < list.n && i < limit && r == 0; i++) {
        struct entity_row row;
        arena_reset(&a);
        r = sqlite_row_by_id(c, list.v[i].id, &a, &row);
        row.score = list.v[i].score;
        if (r == 0)
            r = fn(ctx, &row);
    }
    sqlite_view_end(c, is_mine);
    vec_finish(&list);
    return r;
}

/* ---- edges ---- */

struct edge_walk {
    struct sqlite_conn *c;
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
    int r =
        sqlite_row_by_id(walk->c, ENTITY_ID(walk->file_id, slot), &walk->a, &walk->from);
    walk->slot = r == 0 ? slot : -1;
    return r == -ENOENT ? err_trace(-EBADMSG) : r;
}

static int
enter_file(struct edge_walk *walk, int64_t file_id)
{
    struct file_stored f;
    arena_reset(&walk->a);
    int r = sqlite_file_by_id(walk->c, file_id, &walk->a, &f);
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
    return walk->fn(walk->ctx, &row);
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
    sqlite3_stmt *stmt = NULL;
    int r = enter_file(walk, file_id);
    if (r < 0)
        return r;
    r = sqlite_edges_of_file(walk->c, file_id, &edges, &stmt);
    while (r == 0 && walk->left > 0) {
        r = edges_next(&edges, &walk->a, &group);
        if (r <= 0)
            break;
        r = str_eq(group.target, name) ? callers_in_group(walk, &group) : 0;
    }
    sqlite_put(walk->c, SQL_EDGE_OF_FILE, stmt);
    return r;
}

static int
find_caller_files(struct sqlite_conn *c, struct str name, struct found_list *list)
{
    sqlite3_stmt *stmt = NULL;
    int r = find_ident(c, 'c', name, list);
    if (r == 0)
        r = sqlite_get(c, SQL_FILE_TEXT_WAITING, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0)
        *vec_push(list) =
            (struct found){.id = sqlite3_column_int64(stmt, 0) << SLOT_BITS};
    sqlite_put(c, SQL_FILE_TEXT_WAITING, stmt);
    return r;
}

int
sqlite_each_caller(struct store_reader *reader, struct str name, size_t limit,
                   store_edge_fn fn, void *ctx)
{
    struct edge_walk walk = {
        .c = &sqlite_reader_of(reader)->c, .left = limit, .fn = fn, .ctx = ctx};
    struct found_list list = {0};
    bool is_mine = false;
    int r = sqlite_view_begin(walk.c, &is_mine);
    if (r == 0)
        r = find_caller_files(walk.c, name, &list);
    if (list.n > 1)
        qsort(list.v, list.n, sizeof(*list.v), by_score);
    for (size_t i = 0; i < list.n && r == 0 && walk.left > 0; i++)
        r = callers_in_file(&walk, list.v[i].id >> SLOT_BITS, name);
    sqlite_view_end(walk.c, is_mine);
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

static int
take_group(struct edge_group *group, int64_t from_slot, struct arena *a,
           struct edge_list *list)
{
    struct edge_found edge = {.kind = group->kind};
    int r;
    while ((r = edges_next_place(&group->places, &edge.slot, &edge.at)) > 0) {
        if (from_slot != ANY_SLOT && edge.slot != from_slot)
            continue;
        if (!edge.target.p)
            edge.target = arena_str(a, group->target);
        *vec_push(list) = edge;
    }
    return r;
}

/* Of one entity, or of all of the file, in their order. */
static int
take_edges(struct sqlite_conn *c, int64_t file_id, int64_t from_slot, struct arena *a,
           struct edge_list *list)
{
    struct edges edges;
    struct edge_group group;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_edges_of_file(c, file_id, &edges, &stmt);
    while (r == 0 && (r = edges_next(&edges, a, &group)) > 0)
        r = take_group(&group, from_slot, a, list);
    sqlite_put(c, SQL_EDGE_OF_FILE, stmt);
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
sqlite_each_callee(struct store_reader *reader, struct str key, size_t limit,
                   store_edge_fn fn, void *ctx)
{
    struct edge_walk walk = {
        .c = &sqlite_reader_of(reader)->c, .left = limit, .fn = fn, .ctx = ctx};
    AUTO(arena_finish) struct arena a = {0};
    struct edge_list list = {0};
    struct entity_row row;
    bool is_mine = false;
    int r = sqlite_view_begin(walk.c, &is_mine);
    if (r == 0)
        r = store_read_entity(reader, key, &a, &row);
    if (r == 0)
        r = take_edges(walk.c, row.id >> SLOT_BITS, row.id & SLOT_MASK, &a, &list);
    if (r == 0)
        r = enter_file(&walk, row.id >> SLOT_BITS);
    if (r == 0)
        r = show_edges(&walk, &list);
    sqlite_view_end(walk.c, is_mine);
    arena_finish(&walk.a);
    vec_finish(&list);
    return r;
}

static int
each_edge(struct edge_walk *walk, struct edge_list *list)
{
    struct sqlite_conn *c = walk->c;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_ALL, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        int64_t file_id = sqlite3_column_int64(stmt, 0);
        r = enter_file(walk, file_id);
        list->n = 0;
        if (r == 0)
            r = take_edges(c, file_id, ANY_SLOT, &walk->a, list);
        if (r == 0)
            r = show_edges(walk, list);
        if (r != 0)
            break;
    }
    sqlite_put(c, SQL_FILE_ALL, stmt);
    return r;
}

int
sqlite_each_edge(struct store_reader *reader, store_edge_fn fn, void *ctx)
{
    struct edge_walk walk = {
        .c = &sqlite_reader_of(reader)->c, .left = SIZE_MAX, .fn = fn, .ctx = ctx};
    struct edge_list list = {0};
    bool is_mine = false;
    int r = sqlite_view_begin(walk.c, &is_mine);
    if (r == 0)
        r = each_edge(&walk, &list);
    sqlite_view_end(walk.c, is_mine);
    arena_finish(&walk.a);
    vec_finish(&list);
    return r;
}
