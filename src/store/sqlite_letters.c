/* Dead letters as rows, and gauges. All of it is rare, so no statement is kept. Invariant: a letter
 * that cannot be read (a file that others can write) is left out, not an error: the index is still good. */
#include <sys/stat.h>

#include "base/err.h"
#include "store/sqlite.h"

void
sqlite_gauges(const struct store_writer *base, struct store_gauges *ret_gauges)
{
    const struct table_writer *t = container_of(base, const struct table_writer, base);
    const struct sqlite_writer *w = container_of(t, const struct sqlite_writer, base);
    AUTO(free) char *wal = xasprintf("%s-wal", w->path);
    struct stat st;
    *ret_gauges = (struct store_gauges){
        .wal_bytes = stat(wal, &st) == 0 ? (uint64_t)st.st_size : 0,
        .checkpoints = w->checkpoints,
        .checkpoint_us_max = w->checkpoint_us_max,
        .event_bytes = (uint64_t)t->committed.event_bytes,
        .past_rows = (uint64_t)t->committed.past_rows,
        .past_bytes = (uint64_t)t->committed.past_bytes,
    };
}

static int
prepare(struct sqlite_conn *c, const char *text, sqlite3_stmt **ret_stmt)
{
    return err_trace(
        sqlite_errno(c, sqlite3_prepare_v2(c->db, text, -1, ret_stmt, NULL)));
}

/* To its end, and away with it. */
static int
finish(struct sqlite_writer *w, sqlite3_stmt *stmt)
{
    int r = sqlite_step(&w->c, stmt);
    sqlite3_finalize(stmt);
    return MIN(r, 0);
}

static int
each_letter(struct sqlite_conn *c, store_letter_fn fn, void *ctx)
{
    sqlite3_stmt *stmt = NULL;
    int r = prepare(c,
                    "SELECT what,path,error,payload,id,time_ms FROM dead_letter"
                    " ORDER BY id",
                    &stmt);
    while (r == 0 && (r = sqlite_step(c, stmt)) > 0) {
        enum dead_what what;
        if (dead_what_parse(sqlite_column_str(stmt, 0), &what) < 0) {
            r = 0;
            continue;
        }
        struct dead_letter *l =
            dead_letter_create(what, sqlite_column_str(stmt, 1),
                               sqlite_column_str(stmt, 2), sqlite_column_str(stmt, 3));
        l->id = sqlite3_column_int64(stmt, 4);
        l->time_ms = sqlite3_column_int64(stmt, 5);
        l->is_kept = true;
        r = fn(ctx, l);
    }
    sqlite3_finalize(stmt);
    return r;
}

int
sqlite_each_letter(struct store_writer *w, store_letter_fn fn, void *ctx)
{
    return each_letter(&sqlite_writer_of(w)->c, fn, ctx);
}

int
sqlite_read_letters(struct store_reader *r, store_letter_fn fn, void *ctx)
{
    return each_letter(&sqlite_reader_of(r)->c, fn, ctx);
}

int
sqlite_put_letter(struct store_writer *base, const struct dead_letter *l)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    sqlite3_stmt *stmt = NULL;
    assert(w->base.is_open);
    int r = prepare(&w->c, "INSERT OR REPLACE INTO dead_letter VALUES(?5,?1,?2,?3,?6,?4)",
                    &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, str_of(dead_what_name(l->what)));
    sqlite_bind_str(stmt, 2, l->path);
    sqlite_bind_str(stmt, 3, l->error);
    sqlite_bind_str(stmt, 4, l->payload);
    sqlite3_bind_int64(stmt, 5, l->id);
    sqlite3_bind_int64(stmt, 6, l->time_ms);
    return finish(w, stmt);
}

int
sqlite_drop_letter(struct store_writer *base, int64_t id)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    sqlite3_stmt *stmt = NULL;
    assert(w->base.is_open);
    int r = prepare(&w->c, "DELETE FROM dead_letter WHERE id=?1", &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    return finish(w, stmt);
}
