/* Jobs as rows. */
#include "base/err.h"
#include "store/jobs.h"
#include "store/postgres.h"
#include "store/postgres_reader.h"

static struct postgres_tables *
tables_of(struct store_writer *base)
{
    return &container_of(base, struct postgres_writer, w.base)->p;
}

static int
each_job(struct postgres_tables *p, store_job_fn fn, void *ctx)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_JOB_EACH, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows); i++) {
        struct job_row row;
        for (int k = 0; k < JOB_TEXTS; k++)
            row.texts[k] = postgres_str(rows, i, k);
        for (int k = 0; k < JOB_NUMBERS; k++)
            row.numbers[k] = postgres_int(rows, i, JOB_TEXTS + k);
        struct job *job = job_row_read(&row);
        r = job ? fn(ctx, job) : 0;
    }
    return r;
}

int
postgres_each_job(struct store_writer *base, store_job_fn fn, void *ctx)
{
    return each_job(tables_of(base), fn, ctx);
}

int
postgres_read_jobs(struct store_reader *r, store_job_fn fn, void *ctx)
{
    return each_job(&postgres_reader_of(r)->p, fn, ctx);
}

int
postgres_put_job(struct store_writer *base, const struct job *job)
{
    struct postgres_tables *p = tables_of(base);
    struct postgres_args args = {.n = 0};
    struct job_row row;
    job_row_of(job, &row);
    postgres_arg_int(&args, p->ws);
    for (int i = 0; i < JOB_TEXTS; i++)
        postgres_arg_str(&args, row.texts[i]);
    for (int i = 0; i < JOB_NUMBERS; i++)
        postgres_arg_int(&args, row.numbers[i]);
    return postgres_send(&p->c, PG_JOB_PUT, &args);
}

int
postgres_drop_job(struct store_writer *base, struct str id)
{
    struct postgres_tables *p = tables_of(base);
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, id);
    return postgres_send(&p->c, PG_JOB_DELETE, &args);
}
