/* The plain reads: by id, by key, by file, in order. Invariant: what one call hands out is of one
 * view of the database; a callback may start another read on the same handle. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "store/sqlite.h"

/* ---- views ---- */

#define VIEW_END_TRIES                                                                   \
    8 // an interrupt is one call; more than a few in a row do not happen

int
sqlite_view_begin(struct sqlite_conn *c, bool *ret_mine)
{
    *ret_mine = false;
    if (!sqlite3_get_autocommit(c->db))
        return 0;
    int r = sqlite_run_plain(c, SQL_BEGIN_READ);
    *ret_mine = r == 0;
    return r;
}

void
sqlite_view_end(struct sqlite_conn *c, bool is_mine)
{
    /* sqlite3_interrupt() from another thread may come so late that it ends the ROLLBACK itself; a
     * connection given back with its view open would pin the log and refuse the next one. */
    for (int i = 0; is_mine && i < VIEW_END_TRIES && !sqlite3_get_autocommit(c->db); i++)
        sqlite_run_plain(c, SQL_ROLLBACK);
}

static int
reader_begin(struct store_reader *r)
{
    bool is_mine = false;
    int e = sqlite_view_begin(&sqlite_reader_of(r)->c, &is_mine);
    assert(e < 0 || is_mine);
    return e;
}

static void
reader_end(struct store_reader *r)
{
    sqlite_view_end(&sqlite_reader_of(r)->c, true);
}

/* ---- numbers ---- */

static int
reader_info(struct store_reader *reader, struct store_info *ret_info)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    bool is_mine = false;
    int r = sqlite_view_begin(c, &is_mine);
    if (r == 0)
        r = table_info(&c->base, ret_info);
    sqlite_view_end(c, is_mine);
    return err_trace(r);
}

static int
count_files(struct sqlite_conn *c, struct store_counts *counts)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_COUNT_FILES, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        int state = sqlite3_column_int(stmt, 0);
        if (state < 0 || state >= FILE_STATE_COUNT) {
            r = -EBADMSG;
            break;
        }
        counts->files[state] = (uint64_t)sqlite3_column_int64(stmt, 1);
        counts->entities += (uint64_t)sqlite3_column_int64(stmt, 2);
        counts->edges += (uint64_t)sqlite3_column_int64(stmt, 3);
        counts->hovers[HOVER_KNOWN] += (uint64_t)sqlite3_column_int64(stmt, 4);
        counts->hovers[HOVER_EMPTY] += (uint64_t)sqlite3_column_int64(stmt, 5);
        counts->stale += (uint64_t)sqlite3_column_int64(stmt, 6);
    }
    sqlite_put(c, SQL_COUNT_FILES, stmt);
    return r;
}

static int
count_unknown(struct sqlite_conn *c, struct store_counts *counts)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_COUNT_UNKNOWN, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        int reason = sqlite3_column_int(stmt, 0);
        if (reason < 0 || reason >= HOVER_REASON_COUNT) {
            r = -EBADMSG;
            break;
        }
        counts->reasons[reason] = (uint64_t)sqlite3_column_int64(stmt, 1);
        counts->hovers[HOVER_UNKNOWN] += counts->reasons[reason];
    }
    sqlite_put(c, SQL_COUNT_UNKNOWN, stmt);
    return r;
}

static int
count_past(struct sqlite_conn *c, struct store_counts *counts)
{
    int64_t reused = 0, rows = 0, bytes = 0;
    int r = table_meta_int(&c->base, "reused", &reused);
    if (r == 0)
        r = table_meta_int(&c->base, "past_rows", &rows);
    if (r == 0)
        r = table_meta_int(&c->base, "past_bytes", &bytes);
    counts->reused = (uint64_t)reused;
    counts->past_contents = (uint64_t)rows;
    counts->past_bytes = (uint64_t)bytes;
    return r;
}

static int
reader_counts(struct store_reader *reader, struct store_counts *ret_counts)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    struct store_counts counts = {0};
    struct stat st = {0};
    bool is_mine = false;
    int r = sqlite_view_begin(c, &is_mine);
    if (r == 0)
        r = count_files(c, &counts);
    if (r == 0)
        r = count_unknown(c, &counts);
    if (r == 0)
        r = count_past(c, &counts);
    sqlite_view_end(c, is_mine);
    sqlite3_db_release_memory(c->db); // of a whole table that nobody else reads
    if (r < 0)
        return err_trace(r);
    if (stat(sqlite3_db_filename(c->db, "main"), &st) == 0)
        counts.size_bytes = (uint64_t)st.st_size;
    *ret_counts = counts;
    return 0;
}

/* ---- files ---- */

static int
each_file(struct sqlite_conn *c, enum sql which, store_file_fn fn, void *ctx)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, which, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        struct file_stored f;
        r = sqlite_file_read(stmt, NULL, &f);
        if (r == 0)
            r = fn(ctx, &f.f);
        if (r != 0)
            break;
    }
    sqlite_put(c, which, stmt);
    return r;
}

static int
reader_each_file(struct store_reader *r, store_file_fn fn, void *ctx)
{
    return each_file(&sqlite_reader_of(r)->c, SQL_FILE_EACH, fn, ctx);
}

static int
reader_each_unasked_file(struct store_reader *r, store_file_fn fn, void *ctx)
{
    return each_file(&sqlite_reader_of(r)->c, SQL_FILE_UNASKED, fn, ctx);
}

static int
reader_file(struct store_reader *reader, struct str path, struct arena *a,
            struct file *ret_file)
{
    struct file_stored f;
    int r = sqlite_file_find(&sqlite_reader_of(reader)->c, path, a, &f);
    if (r == 0)
        *ret_file = f.f;
    return r;
}

/* ---- entities ---- */

static int
each_row_of_file(struct sqlite_conn *c, const struct file_stored *f, struct arena *a,
                 store_entity_fn fn, void *ctx)
{
    struct entity_list list = {0};
    if (f->n_entities == 0)
        return 0;
    int r = rows_of_file(&c->base, f, a, &list);
    for (size_t i = 0; i < list.n && r == 0; i++)
        r = fn(ctx, &list.rows[i]);
    return r;
}

static int
each_row(struct sqlite_conn *c, struct arena *a, store_entity_fn fn, void *ctx)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_ALL, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        struct file_stored f;
        arena_reset(a);
        r = sqlite_file_read(stmt, a, &f);
        if (r == 0)
            r = each_row_of_file(c, &f, a, fn, ctx);
        if (r != 0)
            break;
    }
    sqlite_put(c, SQL_FILE_ALL, stmt);
    return r;
}

static int
reader_each_entity(struct store_reader *reader, struct str path, store_entity_fn fn,
                   void *ctx)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    AUTO(arena_finish) struct arena a = {0};
    struct file_stored f;
    bool is_mine = false;
    int r = sqlite_view_begin(c, &is_mine);
    if (r < 0)
        return r;
    if (path.n == 0) {
        r = each_row(c, &a, fn, ctx);
    } else {
        r = sqlite_file_find(c, path, &a, &f);
        if (r == 0)
            r = each_row_of_file(c, &f, &a, fn, ctx);
        else if (r == -ENOENT)
            r = 0;
    }
    sqlite_view_end(c, is_mine);
    return r;
}

int
sqlite_file_by_id(struct sqlite_conn *c, int64_t id, struct arena *a,
                  struct file_stored *ret_file)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_BY_ID, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    r = sqlite_step(c, stmt);
    if (r > 0)
        r = sqlite_file_read(stmt, a, ret_file);
    else if (r == 0)
        r = -ENOENT;
    sqlite_put(c, SQL_FILE_BY_ID, stmt);
    return r;
}

static int
each_name(struct sqlite_conn *c, store_entity_fn fn, void *ctx)
{
    AUTO(arena_finish) struct arena a = {0};
    struct file_stored f = {0};
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_ENTITY_NAMES, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        struct entity_row row = {.id = sqlite3_column_int64(stmt, 0)};
        int kind = sqlite3_column_int(stmt, 1);
        r = kind < 0 || kind >= ENTITY_KIND_COUNT ? -EBADMSG : 0;
        if (r == 0 && f.id != row.id >> SLOT_BITS) {
            arena_reset(&a);
            r = sqlite_file_by_id(c, row.id >> SLOT_BITS, &a, &f);
            r = r == -ENOENT ? -EBADMSG : r;
        }
        if (r == 0) {
            row.e.kind = (enum entity_kind)kind;
            row.e.parent = ENTITY_NONE;
            row.e.name = sqlite_column_str(stmt, 2);
            row.e.qualified_name = sqlite_column_str(stmt, 3);
            row.path = f.f.path;
            row.lang = f.f.lang;
            r = fn(ctx, &row);
        }
        if (r != 0)
            break;
    }
    sqlite_put(c, SQL_ENTITY_NAMES, stmt);
    return r;
}

static int
reader_each_name(struct store_reader *reader, store_entity_fn fn, void *ctx)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    bool is_mine = false;
    int r = sqlite_view_begin(c, &is_mine);
    if (r == 0)
        r = each_name(c, fn, ctx);
    sqlite_view_end(c, is_mine);
    return r;
}

/* The row a statement stands on; its parent is looked up for its key. */
static int
finish_row(struct sqlite_conn *c, const struct entity_stored *s,
           const struct file_stored *f, struct arena *a, struct entity_row *ret_row)
{
    rows_show(s, f, a, ret_row);
    if (s->e.parent == ENTITY_NONE)
        return 0;
    struct entity_stored parent;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_ENTITY_BY_ID, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, ENTITY_ID(f->id, s->e.parent));
    r = sqlite_step(c, stmt);
    if (r > 0)
        r = sqlite_entity_read(stmt, a, &parent);
    else if (r == 0)
        r = -EBADMSG;
    if (r == 0)
        ret_row->parent_key = entity_key(a, f->f.lang, parent.e.kind, f->f.path,
                                         parent.e.qualified_name, parent.e.ordinal);
    sqlite_put(c, SQL_ENTITY_BY_ID, stmt);
    return r;
}

int
sqlite_row_by_id(struct sqlite_conn *c, int64_t id, struct arena *a,
                 struct entity_row *ret_row)
{
    struct file_stored f;
    struct entity_stored s;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_file_by_id(c, id >> SLOT_BITS, a, &f);
    if (r == 0)
        r = sqlite_get(c, SQL_ENTITY_BY_ID, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    r = sqlite_step(c, stmt);
    if (r > 0)
        r = sqlite_entity_read(stmt, a, &s);
    else if (r == 0)
        r = -ENOENT;
    sqlite_put(c, SQL_ENTITY_BY_ID, stmt);
    return r < 0 ? r : finish_row(c, &s, &f, a, ret_row);
}

static int
reader_entity_id(struct store_reader *reader, int64_t id, struct arena *a,
                 struct entity_row *ret_row)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    bool is_mine = false;
    int r = sqlite_view_begin(c, &is_mine);
    if (r == 0)
        r = sqlite_row_by_id(c, id, a, ret_row);
    sqlite_view_end(c, is_mine);
    return r;
}

static int
row_by_key(struct sqlite_conn *c, struct str key, struct arena *a,
           struct entity_row *ret_row)
{
    struct entity_key_parts parts;
    struct file_stored f;
    struct entity_stored s;
    sqlite3_stmt *stmt = NULL;
    if (entity_key_parse(key, &parts) < 0)
        return -ENOENT;
    int r = sqlite_file_find(c, parts.path, a, &f);
    if (r < 0)
        return r;
    if (!str_eq(f.f.lang, parts.lang))
        return -ENOENT;
    r = sqlite_get(c, SQL_ENTITY_BY_NAME, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, f.id);
    sqlite3_bind_int64(stmt, 2, ENTITY_WHAT(parts.kind, parts.ordinal));
    sqlite_bind_str(stmt, 3, parts.qualified_name);
    r = sqlite_step(c, stmt);
    if (r > 0)
        r = sqlite_entity_read(stmt, a, &s);
    else if (r == 0)
        r = -ENOENT;
    sqlite_put(c, SQL_ENTITY_BY_NAME, stmt);
    return r < 0 ? r : finish_row(c, &s, &f, a, ret_row);
}

static int
reader_entity(struct store_reader *reader, struct str key, struct arena *a,
              struct entity_row *ret_row)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    bool is_mine = false;
    int r = sqlite_view_begin(c, &is_mine);
    if (r == 0)
        r = row_by_key(c, key, a, ret_row);
    sqlite_view_end(c, is_mine);
    return r;
}

static int
reader_told(struct store_reader *reader, struct hash128 content, struct str lang,
            struct arena *a, struct store_told *ret_told)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    bool is_mine = false;
    int r = sqlite_view_begin(c, &is_mine);
    if (r == 0)
        r = recall_told(&c->base, content, lang, a, ret_told);
    sqlite_view_end(c, is_mine);
    return r;
}

/* ---- events ---- */

/* The row that the statement stands on; the rows of its file are of the same view. */
static int
show_event(struct sqlite_conn *c, sqlite3_stmt *stmt, struct arena *a, store_event_fn fn,
           void *ctx)
{
    AUTO(buf_finish) struct buf filled = {0};
    int64_t seq = sqlite3_column_int64(stmt, 0);
    int type = sqlite3_column_int(stmt, 1);
    struct str subject = sqlite_column_str(stmt, 3), data = sqlite_column_str(stmt, 4);
    if (type < 0 || type >= EVENT_TYPE_COUNT ||
        !event_type_is_durable((enum event_type)type))
        return err_trace(-EBADMSG);
    if (data.n == 0) {
        struct file_stored f;
        struct entity_list list = {0};
        int r = sqlite_file_find(c, subject, a, &f);
        if (r == -ENOENT || (r == 0 && f.log_seq != seq))
            r = -EBADMSG;
        if (r == 0)
            r = rows_of_file(&c->base, &f, a, &list);
        if (r < 0)
            return err_trace(r);
        rows_first_data(&f, &list, &filled);
        data = buf_str(&filled);
    }
    struct event *event = event_create((enum event_type)type, seq,
                                       sqlite3_column_int64(stmt, 2), subject, data);
    int r = fn(ctx, event);
    event_unref(event);
    return r;
}

static int
reader_each_event(struct store_reader *reader, int64_t since, size_t limit,
                  store_event_fn fn, void *ctx)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    AUTO(arena_finish) struct arena a = {0};
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_EVENT_SINCE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, since);
    sqlite3_bind_int64(stmt, 2, (int64_t)MIN(limit, (size_t)INT64_MAX));
    while ((r = sqlite_step(c, stmt)) > 0) {
        arena_reset(&a);
        r = show_event(c, stmt, &a, fn, ctx);
        if (r != 0)
            break;
    }
    sqlite_put(c, SQL_EVENT_SINCE, stmt);
    return r;
}

/* ---- the table ---- */

/* Who reads cannot write it into the index; beside one of ours, and if the folder may be written. */
static void
leave_doubt(struct sqlite_conn *c)
{
    const char *path = sqlite3_db_filename(c->db, "main");
    AUTO(free) char *lock = xasprintf("%s.lock", path ? path : "");
    AUTO(free) char *doubt = xasprintf("%s" SQLITE_DOUBT, path ? path : "");
    int fd = fs_exists(lock) ? open(doubt, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0)
        close(fd);
}

static void
reader_close(struct store_reader *reader)
{
    struct sqlite_reader *r = sqlite_reader_of(reader);
    if (r->c.is_damaged)
        leave_doubt(&r->c);
    sqlite_conn_finish(&r->c);
    free(r);
}

static void
reader_interrupt(struct store_reader *reader)
{
    sqlite3_interrupt(sqlite_reader_of(reader)->c.db);
}

/* ---- what only a copy asks for ---- */

static int
reader_fact(struct store_reader *r, const char *key, struct arena *a,
            struct str *ret_value)
{
    return sqlite_meta_get(&sqlite_reader_of(r)->c, key, a, ret_value);
}

static int
reader_each_past(struct store_reader *reader, store_past_fn fn, void *ctx)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_PAST_EACH, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        struct hash128 content;
        if (sqlite3_column_bytes(stmt, 0) != sizeof(content)) {
            r = err_trace(-EBADMSG);
            break;
        }
        memcpy(&content, sqlite3_column_blob(stmt, 0), sizeof(content));
        r = fn(ctx, content, sqlite_column_str(stmt, 1));
        if (r != 0)
            break;
    }
    sqlite_put(c, SQL_PAST_EACH, stmt);
    return r;
}

const struct store_reader_ops sqlite_reader_ops = {
    .close = reader_close,
    .interrupt = reader_interrupt,
    .begin = reader_begin,
    .end = reader_end,
    .info = reader_info,
    .counts = reader_counts,
    .each_file = reader_each_file,
    .file = reader_file,
    .each_entity = reader_each_entity,
    .each_name = reader_each_name,
    .entity = reader_entity,
    .entity_id = reader_entity_id,
    .each_named = sqlite_each_named,
    .search_text = sqlite_search_text,
    .each_edge = sqlite_each_edge,
    .each_caller = sqlite_each_caller,
    .each_callee = sqlite_each_callee,
    .each_unasked_file = reader_each_unasked_file,
    .told = reader_told,
    .each_event = reader_each_event,
    .fact = reader_fact,
    .each_past = reader_each_past,
};
