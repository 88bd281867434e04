/* Rows in their order, and what a view is. Invariant: a row is shown as the statement stands on it, so a
 * callback may start another read on the same handle, which takes a statement of its own. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "store/sqlite.h"

/* ---- views ---- */

#define VIEW_END_TRIES                                                                   \
    8 // an interrupt is one call; more than a few in a row do not happen

static int
view_begin(struct store_reader *r)
{
    struct sqlite_conn *c = &sqlite_reader_of(r)->c;
    return sqlite3_get_autocommit(c->db) ? sqlite_run_with(c, SQL_BEGIN_READ, NULL, 0)
                                         : 0;
}

static void
view_end(struct store_reader *r)
{
    struct sqlite_conn *c = &sqlite_reader_of(r)->c;
    /* sqlite3_interrupt() from another thread may come so late that it ends the ROLLBACK itself; a
     * connection given back with its view open would pin the log and refuse the next one. */
    for (int i = 0; i < VIEW_END_TRIES && !sqlite3_get_autocommit(c->db); i++)
        sqlite_run_with(c, SQL_ROLLBACK, NULL, 0);
}

/* ---- numbers ---- */

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
count(struct store_reader *reader, struct store_counts *counts)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    struct stat st = {0};
    int r = count_files(c, counts);
    if (r == 0)
        r = count_unknown(c, counts);
    sqlite3_db_release_memory(c->db); // of a whole table that nobody else reads
    if (r == 0 && stat(sqlite3_db_filename(c->db, "main"), &st) == 0)
        counts->size_bytes = (uint64_t)st.st_size;
    return r;
}

/* ---- rows ---- */

static int
each_file(struct store_reader *reader, enum reader_files which, reader_file_fn fn,
          void *ctx)
{
    static const enum sql statements[] = {
        [FILES_ALL] = SQL_FILE_EACH,
        [FILES_BY_PATH] = SQL_FILE_ALL,
        [FILES_UNASKED] = SQL_FILE_UNASKED,
        [FILES_WAITING] = SQL_FILE_TEXT_WAITING,
    };
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, statements[which], &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        struct file_stored f;
        r = sqlite_file_read(stmt, NULL, &f);
        if (r == 0)
            r = fn(ctx, &f);
        if (r != 0)
            break;
    }
    sqlite_put(c, statements[which], stmt);
    return r;
}

static int
each_name(struct store_reader *reader, reader_name_fn fn, void *ctx)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_ENTITY_NAMES, &stmt);
    if (r < 0)
        return r;
    while ((r = sqlite_step(c, stmt)) > 0) {
        struct entity_row row = {.id = sqlite3_column_int64(stmt, 0)};
        int kind = sqlite3_column_int(stmt, 1);
        r = kind < 0 || kind >= ENTITY_KIND_COUNT ? err_trace(-EBADMSG) : 0;
        if (r == 0) {
            row.e.kind = (enum entity_kind)kind;
            row.e.parent = ENTITY_NONE;
            row.e.name = sqlite_column_str(stmt, 2);
            row.e.qualified_name = sqlite_column_str(stmt, 3);
            r = fn(ctx, &row);
        }
        if (r != 0)
            break;
    }
    sqlite_put(c, SQL_ENTITY_NAMES, stmt);
    return r;
}

static int
each_event(struct store_reader *reader, int64_t since, size_t limit, reader_event_fn fn,
           void *ctx)
{
    struct sqlite_conn *c = &sqlite_reader_of(reader)->c;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_EVENT_SINCE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, since);
    sqlite3_bind_int64(stmt, 2, (int64_t)MIN(limit, (size_t)INT64_MAX));
    while ((r = sqlite_step(c, stmt)) > 0) {
        struct table_event event = {.seq = sqlite3_column_int64(stmt, 0),
                                    .ts_ms = sqlite3_column_int64(stmt, 2),
                                    .subject = sqlite_column_str(stmt, 3),
                                    .data = sqlite_column_str(stmt, 4)};
        r = reader_event_type(sqlite3_column_int64(stmt, 1), &event.type);
        if (r == 0)
            r = fn(ctx, &event);
        if (r != 0)
            break;
    }
    sqlite_put(c, SQL_EVENT_SINCE, stmt);
    return r;
}

static int
each_past(struct store_reader *reader, store_past_fn fn, void *ctx)
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

/* ---- the table ---- */

/* Who reads cannot write it into the index; beside one of ours, and if the folder may be written. */
void
sqlite_leave_doubt(struct sqlite_conn *c)
{
    const char *path = sqlite3_db_filename(c->db, "main");
    AUTO(free) char *lock = xasprintf("%s.lock", path ? path : "");
    AUTO(free) char *doubt = xasprintf("%s" SQLITE_DOUBT, path ? path : "");
    int fd = fs_exists(lock) ? open(doubt, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0)
        close(fd);
}

static void
close_reader(struct store_reader *reader)
{
    struct sqlite_reader *r = sqlite_reader_of(reader);
    if (r->c.is_damaged || r->base.is_doubtful)
        sqlite_leave_doubt(&r->c);
    sqlite_conn_finish(&r->c);
    free(r);
}

static void
interrupt(struct store_reader *reader)
{
    sqlite3_interrupt(sqlite_reader_of(reader)->c.db);
}

const struct store_reader_ops sqlite_reader_ops = {
    .close = close_reader,
    .interrupt = interrupt,
    .view_begin = view_begin,
    .view_end = view_end,
    .counts = count,
    .each_file = each_file,
    .each_name = each_name,
    .each_event = each_event,
    .each_past = each_past,
    .each_letter = sqlite_read_letters,
    .each_job = sqlite_read_jobs,
    .find_named = sqlite_find_named,
    .find_callers = sqlite_find_callers,
    .find_words = sqlite_find_words,
};
