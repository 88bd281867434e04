/* Runs are merged a piece at a time, so that a change never waits for a merge. Invariant: what is merged
 * stays found until the transaction that publishes the new run and takes the old ones away. The state
 * between two pieces is in memory only: after a crash or a rollback the merge begins anew, and the leaves it
 * left behind, which no row of text_run names, are swept away first, as are those of merged runs. */
#include "store/sqlite_merge.h"

#include "base/err.h"

#define LEAVES_SWEPT 256 // at once

int
sqlite_run_new(struct sqlite_conn *c, struct text_merge *m, int64_t *ret_run)
{
    int64_t last;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_RUN_LAST, &stmt);
    if (r < 0)
        return r;
    r = sqlite_one(c, SQL_RUN_LAST, stmt, &last);
    if (r > 0)
        m->last_run = MAX(m->last_run, last) + 1;
    *ret_run = m->last_run;
    return MIN(r, 0);
}

void
sqlite_merge_drop(struct text_merge *m)
{
    for (size_t i = 0; i < m->n; i++)
        sqlite_cursor_finish(&m->in[i]);
    sqlite_out_finish(&m->out);
    *m = (struct text_merge){.last_run = m->last_run};
}

/* ---- sweeping ---- */

/* The first leaf from there on: 1/0. */
static int
next_leaf(struct sqlite_conn *c, int64_t from, int64_t *ret_id)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_LEAF_NEXT, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, from);
    return sqlite_one(c, SQL_LEAF_NEXT, stmt, ret_id);
}

static int
is_run(struct sqlite_conn *c, int64_t run)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_RUN_IS, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, run);
    return sqlite_one(c, SQL_RUN_IS, stmt, &run);
}

static int
drop_leaves(struct sqlite_conn *c, int64_t first, int64_t last)
{
    const int64_t v[] = {first, last};
    return sqlite_run_with(c, SQL_LEAF_DELETE, v, ARRAY_LEN(v));
}

/* 1: some more are left. */
static int
sweep(struct sqlite_conn *c)
{
    int64_t at = 0;
    int r;
    while ((r = next_leaf(c, at, &at)) > 0) {
        int64_t run = at >> TEXT_LEAF_BITS, end = (run + 1) << TEXT_LEAF_BITS;
        r = is_run(c, run);
        if (r == 0) {
            r = drop_leaves(c, at, MIN(at + LEAVES_SWEPT, end) - 1);
            return r < 0 ? r : 1;
        }
        if (r < 0)
            break;
        at = end;
    }
    return r;
}

/* ---- merging ---- */

/* The lowest level with enough runs: 1/0. */
static int
find_level(struct sqlite_conn *c, int64_t *ret_level)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_RUN_FULL_LEVEL, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, RUNS_MERGED);
    return sqlite_one(c, SQL_RUN_FULL_LEVEL, stmt, ret_level);
}

/* The oldest ones, so that what comes behind has later generations. */
static int
open_level(struct sqlite_conn *c, struct text_merge *m)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_RUN_OF_LEVEL, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, m->level);
    while (m->n < RUNS_MERGED && (r = sqlite_step(c, stmt)) > 0)
        sqlite_cursor_init(&m->in[m->n++], sqlite3_column_int64(stmt, 0),
                           sqlite3_column_int64(stmt, 1) / TEXT_DIR_BYTES);
    sqlite_put(c, SQL_RUN_OF_LEVEL, stmt);
    return r < 0 ? r : m->n == RUNS_MERGED ? 0 : err_trace(-EBADMSG);
}

/* Keys that are equal: the older run's. */
static bool
is_before(const struct text_cursor *a, const struct text_cursor *b)
{
    if (a->begin != b->begin)
        return a->begin < b->begin;
    if (a->key_n != b->key_n || a->key_n > TEXT_DIR_BYTES) {
        int order = str_cmp(str_slice(a->key, a->key_n), str_slice(b->key, b->key_n));
        if (order != 0)
            return order < 0;
    }
    return a < b;
}

/* Among the others, from the second one on. */
static void
put_in_order(struct text_merge *m, struct text_cursor *cur)
{
    size_t low = 1, high = m->n_left;
    if (high < 2 || is_before(cur, m->order[1]))
        return;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(m->order[middle], cur))
            low = middle + 1;
        else
            high = middle;
    }
    memmove(m->order, m->order + 1, (low - 1) * sizeof(*m->order));
    m->order[low - 1] = cur;
}

/* The first one to its next key; at its end it is left out. */
static int
advance(struct sqlite_conn *c, struct text_merge *m)
{
    struct text_cursor *cur = m->order[0];
    int r = sqlite_cursor_next(c, cur);
    if (r > 0)
        put_in_order(m, cur);
    else if (r == 0)
        memmove(m->order, m->order + 1, --m->n_left * sizeof(*m->order));
    return MIN(r, 0);
}

/* The youngest is put before the others first, and so on. */
static int
begin_order(struct sqlite_conn *c, struct text_merge *m)
{
    int r = 0;
    for (size_t i = m->n; i > 0 && r == 0; i--) {
        memmove(m->order + 1, m->order, m->n_left++ * sizeof(*m->order));
        m->order[0] = &m->in[i - 1];
        r = advance(c, m);
    }
    return r;
}

/* 1 a merge is under way, 0 there is nothing to merge. */
static int
begin_merge(struct sqlite_conn *c, struct text_merge *m)
{
    int64_t run = 0;
    int r = find_level(c, &m->level);
    if (r <= 0)
        return r;
    r = sqlite_run_new(c, m, &run);
    if (r < 0)
        return r;
    sqlite_out_init(&m->out, run);
    r = open_level(c, m);
    if (r == 0)
        r = begin_order(c, m);
    return r < 0 ? r : 1;
}

static int
drop_run(struct sqlite_conn *c, int64_t run)
{
    return sqlite_run_with(c, SQL_RUN_DELETE, &run, 1);
}

static int
end_merge(struct sqlite_conn *c, struct text_merge *m)
{
    int r = sqlite_out_publish(c, &m->out, m->level + 1);
    for (size_t i = 0; i < m->n && r == 0; i++)
        r = drop_run(c, m->in[i].run);
    sqlite_merge_drop(m);
    return r;
}

static int
merge_some(struct sqlite_conn *c, struct text_merge *m, size_t n_bytes)
{
    uint64_t until = m->out.n_bytes + n_bytes;
    while (m->out.n_bytes < until) {
        if (m->n_left == 0)
            return end_merge(c, m);
        const struct text_cursor *cur = m->order[0];
        int r =
            sqlite_out_add(c, &m->out, str_slice(cur->key, cur->key_n), cur->postings);
        if (r == 0)
            r = advance(c, m);
        if (r < 0)
            return r;
    }
    return 0;
}

int
sqlite_merge_step(struct sqlite_conn *c, struct text_merge *m, size_t n_bytes,
                  bool *ret_more)
{
    int r = 1;
    if (m->n == 0 && !m->is_swept) {
        r = sweep(c);
        m->is_swept = r == 0;
        *ret_more = true;
        if (r != 0)
            return MIN(r, 0);
    }
    if (m->n == 0)
        r = begin_merge(c, m);
    else
        r = 1;
    if (r > 0) {
        *ret_more = true;
        return err_trace(merge_some(c, m, n_bytes));
    }
    *ret_more = false;
    return err_trace(r);
}
