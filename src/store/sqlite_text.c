/* Filling the text index when the writer is idle: what waits goes into a run of its own, and runs are
 * merged. Invariant: file.text_gen is the generation that describes the file as it is, or 0; postings of
 * other generations are dead, nobody finds them, and when there are too many the index is emptied and
 * filled anew. So a change of a file costs the index nothing, and old texts need not be known to take them
 * out. It is not filled with the rows because that would make a bulk load twice as long; until then the
 * reader walks over the files that wait. */
#include "base/err.h"
#include "base/vec.h"
#include "store/sqlite.h"
#include "store/sqlite_gather.h"
#include "store/sqlite_merge.h"

#define DEAD_ROWS_MIN 50000        // below this it is not worth starting over
#define MERGE_BYTES_PER_ENTITY 512 // more than an entity has in all levels together
#define MERGE_PIECE_BYTES (256u << 10)

struct text_fill {
    struct text_gather *gather;
    struct text_merge merge;
};

struct waiting {
    int64_t id;
    uint64_t n_entities;
    bool has_edges;
};

struct waiting_list {
    struct waiting *v;
    size_t n, cap;
};

/* ---- a file ---- */

/* Its qualified name is what stands before the name, and the name, unless scope has the whole. */
static void
gather_name(struct text_gather *g, sqlite3_stmt *stmt)
{
    int type = sqlite3_column_type(stmt, 2);
    if (type != SQLITE_NULL)
        sqlite_gather_name(g, sqlite_column_str(stmt, 2));
    if (type != SQLITE_BLOB)
        sqlite_gather_name(g, sqlite_column_str(stmt, 1));
}

static int
gather_hover(struct sqlite_writer *w, struct text_gather *g, int64_t id)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_HOVER_GET, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    r = sqlite_step(&w->c, stmt);
    if (r > 0)
        sqlite_gather_words(g, sqlite_column_str(stmt, 1), TEXT_IN_HOVER);
    sqlite_put(&w->c, SQL_HOVER_GET, stmt);
    return MIN(r, 0);
}

static int
gather_entities(struct sqlite_writer *w, struct text_gather *g, int64_t file_id)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_TEXT_OF_FILE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, file_id);
    while ((r = sqlite_step(&w->c, stmt)) > 0) {
        uint32_t slot = (uint32_t)(sqlite3_column_int64(stmt, 0) & SLOT_MASK);
        sqlite_gather_entity(g, slot, sqlite_column_str(stmt, 1));
        gather_name(g, stmt);
        sqlite_gather_words(g, sqlite_column_str(stmt, 3), TEXT_IN_SIGNATURE);
        sqlite_gather_words(g, sqlite_column_str(stmt, 4), TEXT_IN_DOC);
        int64_t hover_id = sqlite3_column_int64(stmt, 5);
        r = hover_id != 0 ? gather_hover(w, g, hover_id) : 0;
        if (r < 0)
            break;
    }
    sqlite_put(&w->c, SQL_TEXT_OF_FILE, stmt);
    return r;
}

static int
gather_targets(struct sqlite_writer *w, struct text_gather *g, int64_t file_id)
{
    struct tables *t = &w->c.base;
    struct str text = STR_NONE;
    struct edges edges;
    struct edge_group group;
    int r = t->reads->edges_get(t, file_id, &w->base.scratch, &text);
    if (r >= 0)
        r = edges_open(text, &edges);
    while (r == 0 && (r = edges_next(&edges, &w->base.scratch, &group)) > 0) {
        sqlite_gather_target(g, group.target);
        r = 0;
    }
    return r;
}

static int
index_file(struct sqlite_writer *w, struct text_gather *g, const struct waiting *f)
{
    int64_t gen = w->base.now.text_gen + 1;
    sqlite_gather_file(g);
    int r = gather_entities(w, g, f->id);
    if (r == 0 && f->has_edges)
        r = gather_targets(w, g, f->id);
    if (r < 0)
        return err_trace(r);
    w->base.now.text_gen = gen;
    w->base.now.text_rows += (int64_t)f->n_entities + 1;
    const int64_t v[] = {f->id, gen};
    return sqlite_run_with(&w->c, SQL_FILE_TEXT_PUT, v, ARRAY_LEN(v));
}

/* ---- all that wait ---- */

static int
start_over(struct sqlite_writer *w, struct text_fill *fill)
{
    if (w->base.now.text_dead < DEAD_ROWS_MIN ||
        w->base.now.text_dead < w->base.now.text_rows / 2)
        return 0;
    sqlite_merge_drop(&fill->merge);
    int r = sqlite_run_with(&w->c, SQL_RUN_CLEAR, NULL, 0);
    if (r == 0)
        r = sqlite_run_with(&w->c, SQL_LEAF_CLEAR, NULL, 0);
    if (r == 0)
        r = sqlite_run_with(&w->c, SQL_TEXT_CLEAR_FILES, NULL, 0);
    w->base.now.text_rows = w->base.now.text_dead = 0;
    return err_trace(r);
}

/* As many as have so many entities together, or all. */
static int
list_waiting(struct sqlite_writer *w, size_t n_entities, struct waiting_list *list,
             size_t *ret_n)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_TEXT_WAITING, &stmt);
    if (r < 0)
        return r;
    while (*ret_n < n_entities && list->n < GATHER_FILES_MAX &&
           (r = sqlite_step(&w->c, stmt)) > 0) {
        struct waiting f = {.id = sqlite3_column_int64(stmt, 0),
                            .n_entities = (uint64_t)sqlite3_column_int64(stmt, 1),
                            .has_edges = sqlite3_column_int64(stmt, 2) > 0};
        *vec_push(list) = f;
        *ret_n += f.n_entities + 1;
    }
    sqlite_put(&w->c, SQL_TEXT_WAITING, stmt);
    return MIN(r, 0);
}

static int
write_run(struct sqlite_writer *w, struct text_fill *fill)
{
    struct text_out out;
    int64_t run = 0;
    int r = sqlite_run_new(&w->c, &fill->merge, &run);
    if (r < 0)
        return r;
    sqlite_out_init(&out, run);
    r = sqlite_gather_write(fill->gather, &w->c, &out);
    if (r == 0)
        r = sqlite_out_publish(&w->c, &out, 0);
    sqlite_out_finish(&out);
    return r;
}

/* One file at least. *ret_more: some are left. */
static int
index_waiting(struct sqlite_writer *w, struct text_fill *fill, size_t n_entities,
              bool *ret_more)
{
    struct waiting_list list = {0};
    size_t n = 0, i = 0;
    int r = list_waiting(w, n_entities, &list, &n);
    if (r == 0 && list.n > 0) {
        sqlite_gather_begin(fill->gather, w->base.now.text_gen + 1);
        do {
            arena_reset(&w->base.scratch);
            r = index_file(w, fill->gather, &list.v[i]);
        } while (r == 0 && ++i < list.n && !store_is_wanted(&w->base.base));
        if (r == 0)
            r = write_run(w, fill);
    }
    *ret_more = n >= n_entities || list.n == GATHER_FILES_MAX || i < list.n;
    vec_finish(&list);
    return r;
}

/* One piece at least. */
static int
merge_pieces(struct sqlite_writer *w, struct text_fill *fill, size_t n_bytes,
           bool *ret_more)
{
    int r;
    do {
        size_t n = MIN(n_bytes, MERGE_PIECE_BYTES);
        r = sqlite_merge_step(&w->c, &fill->merge, n, ret_more);
        n_bytes -= n;
    } while (r == 0 && fill->merge.n > 0 && n_bytes > 0 &&
             !store_is_wanted(&w->base.base));
    return r;
}

int
sqlite_index_text(struct store_writer *base, size_t n_entities, bool *ret_more)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    bool is_waiting = false, is_merging = false;
    assert(w->base.is_open);
    if (!w->text) {
        w->text = xnew(struct text_fill);
        w->text->gather = sqlite_gather_create(w->base.seed);
    }
    int r = start_over(w, w->text);
    if (r == 0)
        r = index_waiting(w, w->text, n_entities, &is_waiting);
    if (r == 0)
        r = merge_pieces(w, w->text, n_entities * MERGE_BYTES_PER_ENTITY, &is_merging);
    if (r < 0)
        return err_trace(r);
    *ret_more = is_waiting || is_merging;
    return 0;
}

void
sqlite_text_forget(struct sqlite_writer *w)
{
    if (w->text)
        sqlite_merge_drop(&w->text->merge);
}

void
sqlite_text_finish(struct sqlite_writer *w)
{
    sqlite_text_forget(w);
    if (w->text)
        sqlite_gather_destroy(w->text->gather);
    free(steal(w->text));
}
