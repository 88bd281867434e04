/* The transaction and the event log. Invariant: a seq is given inside the transaction of the rows it
 * tells of; a rollback takes it back, so committed seqs have no hole. Counters that would cost a scan
 * live in memory and are written to meta with the commit that changed them. */
#include "store/sqlite.h"

#include "base/clock.h"
#include "base/err.h"

#define PRUNE_ROWS 5000
/* Each checkpoint costs two syncs, so a long load has few; the first ones come early, or all of a small
 * index is copied at its close, when nothing else is left to do (Redis: 250 to 235 ms). */
#define WAL_BYTES_FIRST (2LL << 20) // and twice as many each time
#define WAL_BYTES_PASSIVE (16LL << 20)
#define WAL_BYTES_TRUNCATE (64LL << 20)

static int
writer_begin(struct store_writer *base)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    assert(!w->is_open);
    int r = sqlite_run_plain(&w->c, SQL_BEGIN);
    w->is_open = r == 0;
    return r;
}

static int
write_counter(struct sqlite_writer *w, const char *key, int64_t now, int64_t committed)
{
    return now == committed ? 0 : sqlite_meta_put_int(&w->c, key, now);
}

static int
writer_commit(struct store_writer *base)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    assert(w->is_open);
    int r = write_counter(w, "event_bytes", w->now.event_bytes, w->committed.event_bytes);
    if (r == 0)
        r = write_counter(w, "text_gen", w->now.text_gen, w->committed.text_gen);
    if (r == 0)
        r = write_counter(w, "text_rows", w->now.text_rows, w->committed.text_rows);
    if (r == 0)
        r = write_counter(w, "text_dead", w->now.text_dead, w->committed.text_dead);
    if (r == 0)
        r = write_counter(w, "past_rows", w->now.past_rows, w->committed.past_rows);
    if (r == 0)
        r = write_counter(w, "past_bytes", w->now.past_bytes, w->committed.past_bytes);
    if (r == 0)
        r = write_counter(w, "reused", w->now.reused, w->committed.reused);
    if (r == 0)
        r = sqlite_run_plain(&w->c, SQL_COMMIT);
    if (r < 0)
        return err_trace(r);
    w->committed = w->now;
    w->is_open = false;
    return 0;
}

/* Some errors roll back by themselves: then there is nothing left to do but to forget. */
static void
writer_rollback(struct store_writer *base)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    if (!sqlite3_get_autocommit(w->c.db))
        sqlite_run_plain(&w->c, SQL_ROLLBACK);
    w->now = w->committed;
    w->is_open = false;
}

static void
writer_be_brief(struct store_writer *base, bool is_brief)
{
    sqlite_writer_of(base)->is_brief = is_brief;
}

int
sqlite_event_add(struct sqlite_writer *w, enum event_type type, struct str subject,
                 struct str data, bool is_bare, struct event **ret_event)
{
    struct str stored = is_bare ? STR_NONE : data;
    assert(w->is_open);
    int64_t seq = w->now.head + 1;
    int64_t now_ms = clock_wall_ms();
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_EVENT_ADD, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, seq);
    sqlite3_bind_int(stmt, 2, (int)type);
    sqlite3_bind_int64(stmt, 3, now_ms);
    sqlite_bind_str(stmt, 4, subject);
    sqlite_bind_str(stmt, 5, stored);
    r = sqlite_run(&w->c, SQL_EVENT_ADD, stmt);
    if (r < 0)
        return r;
    w->now.head = seq;
    w->now.event_bytes += (int64_t)(subject.n + stored.n);
    *ret_event = event_create(type, seq, now_ms, subject, data);
    return 0;
}

static int
writer_put_event(struct store_writer *base, enum event_type type, struct str subject,
                 struct str data, struct event **ret_event)
{
    return sqlite_event_add(sqlite_writer_of(base), type, subject, data, false,
                            ret_event);
}

int
sqlite_event_fill(struct sqlite_writer *w, struct file_stored *f,
                  const struct entity_list *list)
{
    AUTO(buf_finish) struct buf data = {0};
    sqlite3_stmt *stmt = NULL;
    int64_t seq = f->log_seq;
    if (seq == 0)
        return 0;
    int r = sqlite_get(&w->c, SQL_EVENT_IS_BARE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, seq);
    r = sqlite_step(&w->c, stmt);
    sqlite_put(&w->c, SQL_EVENT_IS_BARE, stmt);
    if (r > 0) {
        sqlite_first_data(f, list, &data);
        r = sqlite_get(&w->c, SQL_EVENT_FILL, &stmt);
        if (r < 0)
            return r;
        sqlite3_bind_int64(stmt, 1, seq);
        sqlite_bind_str(stmt, 2, buf_str(&data));
        r = sqlite_run(&w->c, SQL_EVENT_FILL, stmt);
        w->now.event_bytes += (int64_t)data.n;
    }
    f->log_seq = 0;
    return err_trace(r);
}

/* Walks from the oldest while a row is beyond one of the three limits. */
static int
find_cut(struct sqlite_writer *w, int64_t now_ms, int64_t *ret_seq, int64_t *ret_bytes,
         int *ret_rows)
{
    int64_t bytes = w->now.event_bytes;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_EVENT_OLDEST, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int(stmt, 1, PRUNE_ROWS);
    *ret_rows = 0;
    while ((r = sqlite_step(&w->c, stmt)) > 0) {
        int64_t seq = sqlite3_column_int64(stmt, 0);
        bool is_beyond = w->now.head - seq >= STORE_EVENTS_MAX ||
                         now_ms - sqlite3_column_int64(stmt, 1) > STORE_EVENTS_AGE_MS ||
                         bytes > STORE_EVENTS_BYTES;
        if (!is_beyond)
            break;
        bytes -= sqlite3_column_int64(stmt, 2);
        *ret_seq = seq;
        ++*ret_rows;
    }
    sqlite_put(&w->c, SQL_EVENT_OLDEST, stmt);
    *ret_bytes = MAX(bytes, 0);
    return MIN(r, 0);
}

static int
writer_prune(struct store_writer *base, int64_t now_ms, bool *ret_more)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    int64_t seq = 0, bytes = 0;
    int n = 0;
    assert(w->is_open);
    int r = find_cut(w, now_ms, &seq, &bytes, &n);
    if (r < 0)
        return err_trace(r);
    if (n > 0) {
        sqlite3_stmt *stmt = NULL;
        r = sqlite_get(&w->c, SQL_EVENT_DELETE, &stmt);
        if (r < 0)
            return r;
        sqlite3_bind_int64(stmt, 1, seq);
        r = sqlite_run(&w->c, SQL_EVENT_DELETE, stmt);
        if (r < 0)
            return r;
        w->now.event_bytes = bytes;
    }
    r = sqlite_past_prune(w, ret_more);
    *ret_more |= n == PRUNE_ROWS;
    return r;
}

/* Never waits for readers: what they still need is checkpointed another time. */
static int
writer_checkpoint(struct store_writer *base, bool is_idle)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    assert(!w->is_open);
    int64_t wal_bytes = w->wal_pages * w->page_bytes;
    int64_t enough_bytes = WAL_BYTES_FIRST << w->n_checkpoints;
    if (wal_bytes < enough_bytes)
        return 0;
    if (enough_bytes < WAL_BYTES_PASSIVE)
        w->n_checkpoints++;
    bool is_large = wal_bytes > WAL_BYTES_TRUNCATE;
    int mode =
        is_idle && is_large ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    sqlite3_busy_timeout(w->c.db, 0);
    int n_log = 0;
    int rc = sqlite3_wal_checkpoint_v2(w->c.db, NULL, mode, &n_log, NULL);
    sqlite3_busy_timeout(w->c.db, 5000);
    w->wal_pages = 0; // until the next commit says what is really there
    if ((rc & 0xff) == SQLITE_BUSY)
        return 0;
    return err_trace(sqlite_errno(&w->c, rc));
}

int
sqlite_counts_refresh(struct sqlite_writer *w, const struct file_stored *f)
{
    int64_t n_state[HOVER_STATE_COUNT] = {0}, n_reason[HOVER_REASON_COUNT] = {0},
            n_stale = 0;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_ENTITY_HOVER_COUNTS, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, f->id);
    while ((r = sqlite_step(&w->c, stmt)) > 0) {
        struct entity_stored s;
        int64_t n = sqlite3_column_int64(stmt, 1);
        r = sqlite_hover_read(stmt, 0, &s);
        if (r < 0)
            break;
        n_state[s.hover_state] += n;
        if (s.hover_state == HOVER_UNKNOWN)
            n_reason[s.hover_reason] += n;
        else if (s.hover_gen != f->content_gen)
            n_stale += n;
    }
    sqlite_put(&w->c, SQL_ENTITY_HOVER_COUNTS, stmt);
    if (r == 0)
        r = sqlite_get(&w->c, SQL_FILE_COUNTS_PUT, &stmt);
    if (r < 0)
        return err_trace(r);
    sqlite3_bind_int64(stmt, 1, f->id);
    sqlite3_bind_int64(stmt, 2, n_state[HOVER_KNOWN]);
    sqlite3_bind_int64(stmt, 3, n_state[HOVER_EMPTY]);
    sqlite3_bind_int64(stmt, 4, n_stale);
    r = sqlite_run(&w->c, SQL_FILE_COUNTS_PUT, stmt);
    if (r == 0)
        r = sqlite_unknown_put(w, f->id, n_reason);
    return r;
}

int
sqlite_unknown_put(struct sqlite_writer *w, int64_t file_id,
                   const int64_t n_reason[HOVER_REASON_COUNT])
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_UNKNOWN_DELETE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, file_id);
    r = sqlite_run(&w->c, SQL_UNKNOWN_DELETE, stmt);
    for (int i = 0; i < HOVER_REASON_COUNT && r == 0; i++) {
        if (n_reason[i] == 0)
            continue;
        r = sqlite_get(&w->c, SQL_UNKNOWN_ADD, &stmt);
        if (r < 0)
            break;
        sqlite3_bind_int64(stmt, 1, file_id);
        sqlite3_bind_int(stmt, 2, i);
        sqlite3_bind_int64(stmt, 3, n_reason[i]);
        r = sqlite_run(&w->c, SQL_UNKNOWN_ADD, stmt);
    }
    return err_trace(r);
}

void
sqlite_text_drop(struct sqlite_writer *w, struct file_stored *f)
{
    if (f->text_gen > 0)
        w->now.text_dead += (int64_t)f->n_entities + 1;
    f->text_gen = 0;
}

const struct store_writer_ops sqlite_writer_ops = {
    .close = sqlite_writer_close,
    .set_maker = sqlite_set_maker,
    .begin = writer_begin,
    .commit = writer_commit,
    .rollback = writer_rollback,
    .be_brief = writer_be_brief,
    .put_file = sqlite_put_file,
    .delete_file = sqlite_delete_file,
    .put_hovers = sqlite_put_hovers,
    .expire_hovers = sqlite_expire_hovers,
    .put_event = writer_put_event,
    .prune = writer_prune,
    .index_text = sqlite_index_text,
    .checkpoint = writer_checkpoint,
};
