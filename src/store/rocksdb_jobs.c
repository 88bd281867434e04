/* Jobs as rows of the family meta, behind a name that no other key has, by their id. */
#include "base/err.h"
#include "store/jobs.h"
#include "store/rocksdb_rows.h"
#include "store/rocksdb_store.h"

static const struct rocks_key jobs = {.p = {'\0', 'j'}, .n = 2};

/* Behind that: the id. */
static struct rocks_key
job_key(struct str id)
{
    struct rocks_key key = jobs;
    assert(key.n + id.n <= sizeof(key.p));
    memcpy(key.p + key.n, id.p, id.n);
    key.n += id.n;
    return key;
}

static struct job *
read_job(struct str text)
{
    struct rocks_unpack u = {.rest = text};
    struct job_row row;
    for (int i = 0; i < JOB_TEXTS; i++)
        row.texts[i] = rocks_take_str(&u);
    for (int i = 0; i < JOB_NUMBERS; i++)
        row.numbers[i] = rocks_take_signed(&u);
    return u.is_bad ? NULL : job_row_read(&row);
}

static int
each_job(struct rocks_conn *c, store_job_fn fn, void *ctx)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_META, jobs, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct job *job = read_job(walk.value);
        r = job ? fn(ctx, job) : 0;
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

static struct rocks_writer *
writer_of(struct store_writer *base)
{
    return container_of(table_writer_of(base), struct rocks_writer, w);
}

int
rocks_each_job(struct store_writer *base, store_job_fn fn, void *ctx)
{
    return each_job(&writer_of(base)->c, fn, ctx);
}

int
rocks_read_jobs(struct store_reader *r, store_job_fn fn, void *ctx)
{
    return each_job(&rocks_reader_of(r)->c, fn, ctx);
}

int
rocks_put_job(struct store_writer *base, const struct job *job)
{
    struct rocks_writer *w = writer_of(base);
    AUTO(buf_finish) struct buf b = {0};
    struct rocks_key key = job_key(str_of(job->id));
    struct job_row row;
    assert(w->w.is_open);
    job_row_of(job, &row);
    for (int i = 0; i < JOB_TEXTS; i++)
        rocks_pack_str(&b, row.texts[i]);
    for (int i = 0; i < JOB_NUMBERS; i++)
        rocks_pack_signed(&b, row.numbers[i]);
    rocks_put(&w->c, ROCKS_META, rocks_key_str(&key), buf_str(&b));
    return 0;
}

int
rocks_drop_job(struct store_writer *base, struct str id)
{
    struct rocks_writer *w = writer_of(base);
    assert(w->w.is_open);
    if (!job_id_is_wellformed(id))
        return 0;
    struct rocks_key key = job_key(id);
    rocks_delete(&w->c, ROCKS_META, rocks_key_str(&key));
    return 0;
}
