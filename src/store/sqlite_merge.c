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

/* To its next key; one that is at its end has none. */
static int
advance(struct sqlite_conn *c, struct text_cursor *cur)
{
    int r = sqlite_cursor_next(c, cur);
    if (r == 0) {
        cur->key_n = 0;
        cur->begin = UINT64_MAX; // no key begins so
    }
    return MIN(r, 0);
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
    for (size_t i = 0; i < m->n && r == 0; i++)
        r = advance(c, &m->in[i]);
    return r < 0 ? r : 1;
}

/* The one with the smallest key, of equal ones the oldest; NULL: all are at their end. */
static struct text_cursor *
first_of(struct text_merge *m)
{
    struct text_cursor *first = NULL;
    for (size_t i = 0; i < m->n; i++) {
        struct text_cursor *cur = &m->in[i];
        if (cur->begin == UINT64_MAX || (first && cur->begin > first->begin))
            continue;
        if (!first || cur->begin < first->begin ||
            str_cmp(str_slice(cur->key, cur->key_n),
                    str_slice(first->key, first->key_n)) < 0)
            first = cur;
    }
    return first;
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
        struct text_cursor *cur = first_of(m);
        if (!cur)
            return end_merge(c, m);
        int r =
            sqlite_out_add(c, &m->out, str_slice(cur->key, cur->key_n), cur->postings);
        if (r == 0)
            r = advance(c, cur);
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
