/* Jobs as rows. They are few, so no statement is kept. */
#include "base/err.h"
#include "store/jobs.h"
#include "store/sqlite.h"

static int
each_job(struct sqlite_conn *c, store_job_fn fn, void *ctx)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_errno(
        c, sqlite3_prepare_v2(c->db, "SELECT " JOB_COLUMNS " FROM job", -1, &stmt, NULL));
    while (r == 0 && (r = sqlite_step(c, stmt)) > 0) {
        struct job_row row;
        for (int i = 0; i < JOB_TEXTS; i++)
            row.texts[i] = sqlite_column_str(stmt, i);
        for (int i = 0; i < JOB_NUMBERS; i++)
            row.numbers[i] = sqlite3_column_int64(stmt, JOB_TEXTS + i);
        struct job *job = job_row_read(&row);
        r = job ? fn(ctx, job) : 0;
    }
    sqlite3_finalize(stmt);
    return err_trace(r);
}

int
sqlite_each_job(struct store_writer *w, store_job_fn fn, void *ctx)
{
    return each_job(&sqlite_writer_of(w)->c, fn, ctx);
}

int
sqlite_read_jobs(struct store_reader *r, store_job_fn fn, void *ctx)
{
    return each_job(&sqlite_reader_of(r)->c, fn, ctx);
}

int
sqlite_put_job(struct store_writer *base, const struct job *job)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    sqlite3_stmt *stmt = NULL;
    struct job_row row;
    assert(w->base.is_open);
    int r = sqlite_errno(
        &w->c, sqlite3_prepare_v2(w->c.db,
                                  "INSERT OR REPLACE INTO job(" JOB_COLUMNS ") VALUES"
                                  "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,"
                                  "?16,?17)",
                                  -1, &stmt, NULL));
    if (r < 0)
        return err_trace(r);
    job_row_of(job, &row);
    for (int i = 0; i < JOB_TEXTS; i++)
        sqlite_bind_str(stmt, i + 1, row.texts[i]);
    for (int i = 0; i < JOB_NUMBERS; i++)
        sqlite3_bind_int64(stmt, JOB_TEXTS + i + 1, row.numbers[i]);
    r = sqlite_step(&w->c, stmt);
    sqlite3_finalize(stmt);
    return err_trace(MIN(r, 0));
}

int
sqlite_drop_job(struct store_writer *base, struct str id)
{
    struct sqlite_writer *w = sqlite_writer_of(base);
    sqlite3_stmt *stmt = NULL;
    assert(w->base.is_open);
    int r = sqlite_errno(&w->c, sqlite3_prepare_v2(w->c.db, "DELETE FROM job WHERE id=?1",
                                                   -1, &stmt, NULL));
    if (r < 0)
        return err_trace(r);
    sqlite_bind_str(stmt, 1, id);
    r = sqlite_step(&w->c, stmt);
    sqlite3_finalize(stmt);
    return err_trace(MIN(r, 0));
}
