/* The text index (FTS5, without content of its own), filled when the writer is idle. A row's id is
 * GENERATION << SLOT_BITS | slot. Invariant: file.text_gen is the generation that describes the file
 * as it is, or 0; rows of other generations are dead, nobody finds them, and when there are too many
 * the index is emptied and filled anew. So a change of a file costs the index nothing, and old texts
 * need not be known to take them out. It is not filled with the rows because that would make a bulk
 * load five times as long (7.5 µs for an entity, 1.6 µs for all the rest of it; of the former, two go
 * into FTS5's merges); until then the reader walks over the files that wait. */
#include "store/sqlite.h"

#include "base/err.h"
#include "base/map.h"

#define DEAD_ROWS_MIN 50000 // below this it is not worth starting over

/* Texts are views that stay until it returns; name is what the other columns are about. */
struct text_row {
    int64_t id;
    struct str ident, name, signature, doc, hover;
};

static int
add_text_row(struct sqlite_writer *w, const struct text_row *row)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_TEXT_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, row->id);
    sqlite_bind_str(stmt, 2, row->ident);
    const struct str texts[] = {row->name, row->signature, row->doc, row->hover};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].n > 0)
            sqlite_bind_str(stmt, 3 + (int)i, texts[i]);
    return sqlite_run(&w->c, SQL_TEXT_ADD, stmt);
}

/* In the order of their ids: a row behind a greater one makes FTS5 write out all it has gathered. */
static int
add_entities(struct sqlite_writer *w, const struct file_stored *f, int64_t gen)
{
    AUTO(buf_finish) struct buf name = {0};
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_TEXT_OF_FILE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, f->id);
    while ((r = sqlite_step(&w->c, stmt)) > 0) {
        char ident[IDENT_BYTES];
        words_ident('n', sqlite_column_str(stmt, 1), ident);
        buf_reset(&name);
        words_of_name(&name, sqlite_column_str(stmt, 2));
        r = add_text_row(
            w, &(struct text_row){.id = gen << SLOT_BITS |
                                        (sqlite3_column_int64(stmt, 0) & SLOT_MASK),
                                  .ident = str_of(ident),
                                  .name = buf_str(&name),
                                  .signature = sqlite_column_str(stmt, 3),
                                  .doc = sqlite_column_str(stmt, 4),
                                  .hover = sqlite_column_str(stmt, 5)});
        if (r < 0)
            break;
    }
    sqlite_put(&w->c, SQL_TEXT_OF_FILE, stmt);
    return r;
}

/* One row for all names that the file's edges point to. */
static int
add_targets(struct sqlite_writer *w, const struct file_stored *f, int64_t gen)
{
    AUTO(map_destroy) struct map *seen = map_create();
    AUTO(buf_finish) struct buf idents = {0};
    struct str text = STR_NONE;
    struct edges edges;
    struct edge_group group;
    struct tables *t = &w->c.base;
    int r = t->reads->edges_get(t, f->id, &w->base.scratch, &text);
    if (r >= 0)
        r = edges_open(text, &edges);
    while (r == 0 && (r = edges_next(&edges, &w->base.scratch, &group)) > 0) {
        char ident[IDENT_BYTES];
        r = 0;
        if (map_put(seen, group.target, w)) // once for each kind of edge
            continue;
        words_ident('c', group.target, ident);
        buf_add_cstr(&idents, ident);
        buf_add_char(&idents, ' ');
    }
    if (r < 0 || idents.n == 0)
        return r;
    return add_text_row(w, &(struct text_row){.id = gen << SLOT_BITS | SLOT_TARGETS,
                                              .ident = buf_str(&idents)});
}

static int
index_file(struct sqlite_writer *w, const struct file_stored *f)
{
    int64_t gen = w->base.now.text_gen + 1;
    sqlite3_stmt *stmt = NULL;
    int r = add_entities(w, f, gen);
    if (r == 0)
        r = add_targets(w, f, gen);
    if (r == 0)
        r = sqlite_get(&w->c, SQL_FILE_TEXT_PUT, &stmt);
    if (r < 0)
        return err_trace(r);
    w->base.now.text_gen = gen;
    w->base.now.text_rows += (int64_t)f->n_entities + 1;
    sqlite3_bind_int64(stmt, 1, f->id);
    sqlite3_bind_int64(stmt, 2, gen);
    return sqlite_run(&w->c, SQL_FILE_TEXT_PUT, stmt);
}

static int
start_over(struct sqlite_writer *w)
{
    if (w->base.now.text_dead < DEAD_ROWS_MIN ||
        w->base.now.text_dead < w->base.now.text_rows / 2)
        return 0;
    int r = sqlite_run_plain(&w->c, SQL_TEXT_CLEAR);
    if (r == 0)
        r = sqlite_run_plain(&w->c, SQL_TEXT_CLEAR_FILES);
    w->base.now.text_rows = w->base.now.text_dead = 0;
    return err_trace(r);
}

/* 1 a file, 0 none waits. */
static int
next_waiting(struct sqlite_writer *w, struct file_stored *ret_file)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_FILE_TEXT_WAITING, &stmt);
    if (r < 0)
        return r;
    r = sqlite_step(&w->c, stmt);
    if (r > 0) {
        r = sqlite_file_read(stmt, &w->base.scratch, ret_file);
        r = r < 0 ? r : 1;
    }
    sqlite_put(&w->c, SQL_FILE_TEXT_WAITING, stmt);
    return r;
}

int
sqlite_index_text(struct store_writer *base, size_t n_entities, bool *ret_more)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    size_t n = 0;
    assert(w->base.is_open);
    int r = start_over(w);
    if (r < 0)
        return r;
    while (n < n_entities) {
        struct file_stored f;
        arena_reset(&w->base.scratch);
        r = next_waiting(w, &f);
        if (r <= 0)
            break;
        r = index_file(w, &f);
        if (r < 0)
            break;
        n += f.n_entities + 1;
    }
    if (r < 0)
        return err_trace(r);
    *ret_more = n >= n_entities;
    return 0;
}
