/* Jobs as every backend has them: what their columns mean. Invariant: rows come from a file that others can
 * write, so what is read is a job as the program makes them, or nothing. */
#include "store/jobs.h"

#include "base/err.h"
#include "base/mem.h"

int
store_each_job(struct store_writer *w, store_job_fn fn, void *ctx)
{
    return w->ops->each_job(w, fn, ctx);
}

int
store_put_job(struct store_writer *w, const struct job *job)
{
    return w->ops->put_job(w, job);
}

int
store_drop_job(struct store_writer *w, struct str id)
{
    return w->ops->drop_job(w, id);
}

void
job_row_of(const struct job *job, struct job_row *ret_row)
{
    *ret_row = (struct job_row){
        .texts =
            {
                [JOB_ID] = str_of(job->id),
                [JOB_KIND] = str_of(job_kind_name(job->kind)),
                [JOB_STATE] = str_of(job_state_name(job->state)),
                [JOB_REQUEST] = str_of(job->request),
                [JOB_RESULT] = str_of(job->result),
                [JOB_ERROR] = str_of(job->error),
            },
        .numbers = {job->priority, job->attempts, job->failures, job->runs, job->done,
                    job->total, job->every_s, job->submitted_ms, job->run_at_ms,
                    job->started_ms, job->ended_ms},
    };
}

static bool
are_wellformed(const struct job_row *row)
{
    for (int i = 0; i < JOB_NUMBERS; i++)
        if (i > 0 && row->numbers[i] < 0)
            return false;
    for (int i = 0; i < JOB_TEXTS; i++)
        if (row->texts[i].n > 0 && memchr(row->texts[i].p, '\0', row->texts[i].n))
            return false;
    return row->numbers[0] >= -JOB_PRIORITY_MAX && row->numbers[0] <= JOB_PRIORITY_MAX &&
           row->numbers[1] <= INT_MAX && row->numbers[2] <= INT_MAX &&
           row->texts[JOB_REQUEST].n <= STORE_JOB_BYTES &&
           row->texts[JOB_RESULT].n <= STORE_JOB_BYTES &&
           job_id_is_wellformed(row->texts[JOB_ID]);
}

struct job *
job_row_read(const struct job_row *row)
{
    const int64_t *n = row->numbers;
    enum job_kind kind;
    enum job_state state;
    if (!are_wellformed(row) || job_kind_parse(row->texts[JOB_KIND], &kind) < 0 ||
        job_state_parse(row->texts[JOB_STATE], &state) < 0)
        return NULL;
    struct job *job = xnew(struct job);
    *job = (struct job){.kind = kind,
                        .state = state,
                        .priority = (int)n[0],
                        .attempts = (unsigned)n[1],
                        .failures = (unsigned)n[2],
                        .runs = n[3],
                        .done = n[4],
                        .total = n[5],
                        .every_s = n[6],
                        .submitted_ms = n[7],
                        .run_at_ms = n[8],
                        .started_ms = n[9],
                        .ended_ms = n[10]};
    list_init(&job->link);
    memcpy(job->id, row->texts[JOB_ID].p, JOB_ID_BYTES - 1);
    job_set_text(&job->request, row->texts[JOB_REQUEST]);
    job_set_text(&job->result, row->texts[JOB_RESULT]);
    job_set_text(&job->error, row->texts[JOB_ERROR]);
    return job;
}
