/* What the shared logic writes, statement by statement, and the checkpoints. Which rows change and how
 * is not known here. */
#include "store/sqlite.h"

#include "base/clock.h"
#include "base/err.h"

/* Each checkpoint costs two syncs, so a long load has few; the first ones come early, or all of a small
 * index is copied at its close, when nothing else is left to do (Redis: 250 to 235 ms). */
#define WAL_BYTES_FIRST (2LL << 20) // and twice as many each time
#define WAL_BYTES_PASSIVE (16LL << 20)
#define WAL_BYTES_TRUNCATE (64LL << 20)

/* ---- the transaction ---- */

static int
begin(struct tables *t)
{
    return sqlite_run_with(sqlite_conn_of(t), SQL_BEGIN, NULL, 0);
}

static int
commit(struct tables *t)
{
    return sqlite_run_with(sqlite_conn_of(t), SQL_COMMIT, NULL, 0);
}

/* Some errors roll back by themselves: then there is nothing left to do but to forget. */
static void
rollback(struct tables *t)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite_text_forget(container_of(c, struct sqlite_writer, c));
    if (!sqlite3_get_autocommit(c->db))
        sqlite_run_with(c, SQL_ROLLBACK, NULL, 0);
}

static int
put_meta(struct tables *t, const char *key, struct str value)
{
    return sqlite_meta_put(sqlite_conn_of(t), key, value);
}

/* A statement whose one parameter is an id. */
static int
run_with(struct tables *t, enum sql which, int64_t id)
{
    return sqlite_run_with(sqlite_conn_of(t), which, &id, 1);
}

/* ---- files ---- */

static void
bind_stat(sqlite3_stmt *stmt, const struct file *f)
{
    sqlite3_bind_int64(stmt, 6, (int64_t)f->size_bytes);
    sqlite3_bind_int64(stmt, 7, f->mtime_ns);
    sqlite3_bind_int64(stmt, 8, (int64_t)f->inode);
}

static void
bind_file(sqlite3_stmt *stmt, const struct file_stored *f)
{
    sqlite_bind_str(stmt, 3, f->f.lang);
    sqlite3_bind_int(stmt, 4, (int)f->f.state);
    sqlite3_bind_int(stmt, 5, (int)f->f.reason);
    bind_stat(stmt, &f->f);
    if (f->f.content.hi != 0 || f->f.content.lo != 0)
        sqlite3_bind_blob(stmt, 9, &f->f.content, sizeof(f->f.content), SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 10, f->content_gen);
    sqlite3_bind_int64(stmt, 11, f->text_gen);
    sqlite3_bind_int64(stmt, 12, (int64_t)f->n_entities);
    sqlite3_bind_int64(stmt, 13, (int64_t)f->n_edges);
    sqlite3_bind_int64(stmt, 14, f->log_seq);
}

static int
add_file(struct tables *t, struct file_stored *f)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 2, f->f.path);
    bind_file(stmt, f);
    r = sqlite_run(c, SQL_FILE_ADD, stmt);
    f->id = sqlite3_last_insert_rowid(c->db);
    return r;
}

static int
put_file(struct tables *t, const struct file_stored *f)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_PUT, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, f->id);
    bind_file(stmt, f);
    return sqlite_run(c, SQL_FILE_PUT, stmt);
}

static int
touch_file(struct tables *t, const struct file_stored *f)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_TOUCH, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, f->id);
    bind_stat(stmt, &f->f);
    return sqlite_run(c, SQL_FILE_TOUCH, stmt);
}

static int
put_file_server(struct tables *t, const struct file_stored *f)
{
    const int64_t v[] = {f->id, f->content_gen, (int64_t)f->f.server_key};
    return sqlite_run_with(sqlite_conn_of(t), SQL_FILE_SERVER_PUT, v, ARRAY_LEN(v));
}

static int
put_file_text(struct tables *t, const struct file_stored *f)
{
    const int64_t v[] = {f->id, f->text_gen};
    return sqlite_run_with(sqlite_conn_of(t), SQL_FILE_TEXT_PUT, v, ARRAY_LEN(v));
}

static int
delete_file(struct tables *t, const struct file_stored *f)
{
    int r = run_with(t, SQL_UNKNOWN_DELETE, f->id);
    return r < 0 ? r : run_with(t, SQL_FILE_DELETE, f->id);
}

static int
put_known(struct sqlite_conn *c, int64_t file_id, const struct file_counts *counts)
{
    const int64_t v[] = {file_id, counts->n_state[HOVER_KNOWN],
                         counts->n_state[HOVER_EMPTY], counts->n_stale};
    return sqlite_run_with(c, SQL_FILE_COUNTS_PUT, v, ARRAY_LEN(v));
}

static int
add_unknown(struct sqlite_conn *c, int64_t file_id, int reason, int64_t n)
{
    const int64_t v[] = {file_id, reason, n};
    return sqlite_run_with(c, SQL_UNKNOWN_ADD, v, ARRAY_LEN(v));
}

static int
put_counts(struct tables *t, const struct file_stored *f,
           const struct file_counts *counts, bool is_added)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    int r = 0;
    if (!is_added || counts->n_state[HOVER_KNOWN] + counts->n_state[HOVER_EMPTY] > 0)
        r = put_known(c, f->id, counts);
    if (r == 0 && !is_added)
        r = run_with(t, SQL_UNKNOWN_DELETE, f->id);
    for (int i = 0; i < HOVER_REASON_COUNT && r == 0; i++)
        if (counts->n_reason[i] > 0)
            r = add_unknown(c, f->id, i, counts->n_reason[i]);
    return err_trace(r);
}

static int
expire_files(struct tables *t, struct str lang, uint64_t server_key,
             uint64_t *ret_n_files)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_EXPIRE, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, lang);
    sqlite3_bind_int64(stmt, 2, (int64_t)server_key);
    r = sqlite_run(c, SQL_FILE_EXPIRE, stmt);
    if (r == 0)
        *ret_n_files = (uint64_t)sqlite3_changes64(c->db);
    return r;
}

static int
make_files_old(struct tables *t)
{
    return sqlite_run_with(sqlite_conn_of(t), SQL_FILE_ALL_OLD, NULL, 0);
}

/* ---- entities ---- */

static int
write_entity(struct sqlite_conn *c, enum sql which, const struct entity_stored *s)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, which, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, s->id);
    sqlite_entity_bind(stmt, 2, s);
    return sqlite_run(c, which, stmt);
}

/* From `from` on, so many at a time, each behind the one before it. */
static int
add_next(struct sqlite_conn *c, enum sql which, size_t n_once,
         const struct entity_stored *v, size_t n, size_t *from)
{
    for (; *from + n_once <= n; *from += n_once) {
        sqlite3_stmt *stmt = NULL;
        int r = sqlite_get(c, which, &stmt);
        if (r < 0)
            return r;
        for (size_t i = 0; i < n_once; i++)
            sqlite_entity_bind(stmt, (int)i * ENTITY_COLUMNS + 1, &v[*from + i]);
        r = sqlite_run(c, which, stmt);
        if (r < 0)
            return r;
        if (sqlite3_last_insert_rowid(c->db) != v[*from + n_once - 1].id)
            return err_trace(-EBADMSG); // rows that belong to no file
    }
    return 0;
}

/* A new file has the highest id, its first row is the last of the table, and each next one gets the
 * next id by itself: neither looked for nor compared, and several in one statement, that is half of
 * the cost. Rows that come to a file that is there have gaps to fill. */
static int
add_entities(struct tables *t, const struct entity_stored *v, size_t n, bool is_added)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    size_t from = 0;
    int r = 0;
    for (; r == 0 && from < n && (!is_added || (v[from].id & SLOT_MASK) == 0); from++)
        r = write_entity(c, SQL_ENTITY_ADD, &v[from]);
    if (r == 0)
        r = add_next(c, SQL_ENTITY_ADD_NEXT_16, 16, v, n, &from);
    if (r == 0)
        r = add_next(c, SQL_ENTITY_ADD_NEXT_4, 4, v, n, &from);
    if (r == 0)
        r = add_next(c, SQL_ENTITY_ADD_NEXT, 1, v, n, &from);
    return err_trace(r);
}

static int
put_entity(struct tables *t, const struct entity_stored *s,
           const struct entity_stored *was UNUSED)
{
    return write_entity(sqlite_conn_of(t), SQL_ENTITY_PUT, s);
}

static int
put_entity_hover(struct tables *t, const struct entity_stored *s)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_ENTITY_HOVER_PUT, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, s->id);
    sqlite3_bind_int64(stmt, 2, s->rev);
    sqlite_hover_bind(stmt, 3, s);
    return sqlite_run(c, SQL_ENTITY_HOVER_PUT, stmt);
}

static int
delete_entity(struct tables *t, const struct entity_stored *was)
{
    return run_with(t, SQL_ENTITY_DELETE, was->id);
}

/* ---- what hangs on them ---- */

static int
add_hover(struct tables *t, int64_t id, struct str markdown, struct str server)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_HOVER_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    sqlite_bind_str(stmt, 2, server);
    sqlite_bind_str(stmt, 3, markdown);
    return sqlite_run(c, SQL_HOVER_ADD, stmt);
}

static int
change_hover_refs(struct tables *t, int64_t id, int change)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    int64_t refs = 0;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_HOVER_REFS, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int(stmt, 2, change);
    r = sqlite_step(c, stmt);
    if (r > 0)
        refs = sqlite3_column_int64(stmt, 0);
    if (r >= 0)
        r = sqlite_run(c, SQL_HOVER_REFS, stmt);
    else
        sqlite_put(c, SQL_HOVER_REFS, stmt);
    if (r < 0 || change > 0 || refs > 0)
        return r;
    return run_with(t, SQL_HOVER_DELETE, id);
}

static int
add_past(struct tables *t, const struct past_row *row)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_PAST_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_blob(stmt, 1, &row->content, sizeof(row->content), SQLITE_STATIC);
    sqlite_bind_str(stmt, 2, row->lang);
    sqlite3_bind_int64(stmt, 3, (int64_t)row->server_key);
    sqlite3_bind_int64(stmt, 4, row->bytes);
    sqlite3_bind_int64(stmt, 5, row->used_ms);
    sqlite3_bind_blob64(stmt, 6, row->hovers.p, row->hovers.n, SQLITE_STATIC);
    return sqlite_run(c, SQL_PAST_ADD, stmt);
}

static int
oldest_past(struct tables *t, struct arena *a, struct past_row *ret_row)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_PAST_OLDEST, &stmt);
    if (r < 0)
        return r;
    r = sqlite_step(c, stmt);
    if (r > 0)
        sqlite_past_read(stmt, a, ret_row);
    sqlite_put(c, SQL_PAST_OLDEST, stmt);
    return r;
}

static int
delete_past(struct tables *t, int64_t id)
{
    return run_with(t, SQL_PAST_DELETE, id);
}

static int
put_edges(struct tables *t, const struct file_stored *f, struct str text)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_EDGE_PUT, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, f->id);
    sqlite_bind_str(stmt, 2, text);
    return sqlite_run(c, SQL_EDGE_PUT, stmt);
}

static int
delete_edges(struct tables *t, const struct file_stored *f)
{
    return run_with(t, SQL_EDGE_DELETE, f->id);
}

/* ---- what was sent once ---- */

static int
add_once(struct tables *t, struct str key, int64_t seq, int64_t ts_ms)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_ONCE_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, key);
    sqlite3_bind_int64(stmt, 2, seq);
    sqlite3_bind_int64(stmt, 3, ts_ms);
    return sqlite_run(c, SQL_ONCE_ADD, stmt);
}

static int
prune_once(struct tables *t, int64_t ts_ms, size_t n_wanted, size_t *ret_n)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    const int64_t v[] = {ts_ms, (int64_t)n_wanted};
    int r = sqlite_run_with(c, SQL_ONCE_PRUNE, v, ARRAY_LEN(v));
    *ret_n = r == 0 ? (size_t)sqlite3_changes(c->db) : 0;
    return r;
}

/* ---- the log ---- */

static int
add_event(struct tables *t, const struct table_event *event)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_EVENT_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, event->seq);
    sqlite3_bind_int(stmt, 2, (int)event->type);
    sqlite3_bind_int64(stmt, 3, event->ts_ms);
    sqlite_bind_str(stmt, 4, event->subject);
    sqlite_bind_str(stmt, 5, event->data);
    return sqlite_run(c, SQL_EVENT_ADD, stmt);
}

static int
fill_event(struct tables *t, int64_t seq, struct str data)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_EVENT_FILL, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, seq);
    sqlite_bind_str(stmt, 2, data);
    r = sqlite_run(c, SQL_EVENT_FILL, stmt);
    return r < 0 ? r : sqlite3_changes64(c->db) > 0;
}

static int
oldest_events(struct tables *t, size_t limit, table_age_fn fn, void *ctx)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_EVENT_OLDEST, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, (int64_t)limit);
    while ((r = sqlite_step(c, stmt)) > 0)
        if (fn(ctx, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
               sqlite3_column_int64(stmt, 2)) != 0)
            break;
    sqlite_put(c, SQL_EVENT_OLDEST, stmt);
    return MIN(r, 0);
}

static int
delete_events(struct tables *t, int64_t up_to_seq)
{
    return run_with(t, SQL_EVENT_DELETE, up_to_seq);
}

/* ---- the handle ---- */

/* Of the file: it stays as long as it was when the log begins anew. */
static bool
is_log_large(struct sqlite_writer *w)
{
    struct store_gauges gauges;
    sqlite_gauges(&w->base.base, &gauges);
    return gauges.wal_bytes > (uint64_t)WAL_BYTES_TRUNCATE;
}

/* Never waits for readers: what they still need is checkpointed another time, not with each commit. */
static int
writer_checkpoint(struct store_writer *base, bool is_idle)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    assert(!w->base.is_open);
    int64_t seen = is_idle && w->is_wal_held ? 0 : w->wal_pages_seen;
    int64_t new_bytes = (w->wal_pages - seen) * w->page_bytes;
    int64_t enough_bytes = WAL_BYTES_FIRST << w->n_checkpoints;
    bool cuts = is_idle && is_log_large(w);
    if (!cuts && new_bytes < enough_bytes)
        return 0;
    if (enough_bytes < WAL_BYTES_PASSIVE)
        w->n_checkpoints++;
    int mode = cuts ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    sqlite3_busy_timeout(w->c.db, 0);
    int n_log = 0, n_done = 0;
    int64_t begin_ns = clock_mono_ns();
    int rc = sqlite3_wal_checkpoint_v2(w->c.db, NULL, mode, &n_log, &n_done);
    sqlite3_busy_timeout(w->c.db, SQLITE_WRITE_WAIT_MS);
    w->checkpoints++;
    w->checkpoint_us_max =
        MAX(w->checkpoint_us_max, (uint64_t)(clock_mono_ns() - begin_ns) / 1000);
    w->wal_pages_seen = w->wal_pages;
    w->is_wal_held = n_done < n_log;
    if ((rc & 0xff) == SQLITE_BUSY)
        return 0;
    return err_trace(sqlite_errno(&w->c, rc));
}

const struct table_writes sqlite_table_writes = {
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .meta_put = put_meta,
    .file_add = add_file,
    .file_put = put_file,
    .file_touch = touch_file,
    .file_server_put = put_file_server,
    .file_text_put = put_file_text,
    .file_delete = delete_file,
    .counts_put = put_counts,
    .files_expire = expire_files,
    .files_all_old = make_files_old,
    .entities_add = add_entities,
    .entity_put = put_entity,
    .entity_hover_put = put_entity_hover,
    .entity_delete = delete_entity,
    .hover_add = add_hover,
    .hover_refs = change_hover_refs,
    .past_add = add_past,
    .past_oldest = oldest_past,
    .past_delete = delete_past,
    .edges_put = put_edges,
    .edges_delete = delete_edges,
    .once_add = add_once,
    .once_prune = prune_once,
    .event_add = add_event,
    .event_fill = fill_event,
    .events_oldest = oldest_events,
    .events_delete = delete_events,
};

const struct store_writer_ops sqlite_writer_ops = {
    .close = sqlite_writer_close,
    .index_text = sqlite_index_text,
    .checkpoint = writer_checkpoint,
    .gauges = sqlite_gauges,
    .each_letter = sqlite_each_letter,
    .put_letter = sqlite_put_letter,
    .drop_letter = sqlite_drop_letter,
    .each_job = sqlite_each_job,
    .put_job = sqlite_put_job,
    .drop_job = sqlite_drop_job,
};
