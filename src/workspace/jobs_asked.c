/* What is asked for: jobs that are submitted, cancelled, begun again. Invariant: nobody is told that it is so before it was
 * committed, but who cancels one that runs. */
#include "workspace/jobs.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "workspace/errands.h"

const char *
job_wish_fault(const struct job_wish *wish)
{
    if (wish->request.n > JOBS_REQUEST_BYTES_MAX)
        return "a job's request has at most 8 MiB";
    if (wish->kind != JOB_INGEST && wish->request.n > JOBS_WORDS_BYTES_MAX)
        return "a request of this kind has at most 32 KiB";
    if (wish->priority < -JOB_PRIORITY_MAX || wish->priority > JOB_PRIORITY_MAX)
        return "priority must be a number from -100 to 100";
    if (wish->every_s != 0 &&
        (wish->every_s < JOBS_EVERY_S_MIN || wish->every_s > JOBS_EVERY_S_MAX))
        return "every_s must be a number of seconds from 60 to 31622400";
    if (wish->run_at_ms < 0)
        return "run_at must be a time";
    return errand_request_fault(wish->kind, wish->request, wish->object);
}

static bool
may_take_jobs(const struct workspace *w)
{
    return !w->following && !w->why && !w->is_closing && w->all->options.with_watch;
}

static bool
takes_jobs(const struct workspace *w)
{
    return w->is_open && may_take_jobs(w);
}

int
workspace_submit_job(struct workspace *w, const struct job_wish *wish,
                     workspace_job_fn fn, void *ctx)
{
    struct jobs *jobs = w->background;
    struct errand *t;

    ASSERT_LOOP();
    if (!may_take_jobs(w))
        return -EAGAIN;
    if ((wish->kind == JOB_INGEST) != (w->name != NULL))
        return -EPERM;
    if (jobs->n_pending + jobs->n_arriving >= JOBS_PENDING_MAX ||
        !jobs_make_room(jobs, wish->request.n))
        return -ENOSPC;
    t = errand_create(jobs);
    t->next = job_create(wish->kind);
    t->next->priority = wish->priority;
    t->next->run_at_ms = wish->run_at_ms;
    t->next->every_s = wish->every_s;
    jobs->submitted_ms = MAX(clock_wall_ms(), jobs->submitted_ms + 1);
    t->next->submitted_ms = jobs->submitted_ms;
    job_set_text(&t->next->request, wish->request);
    t->fn = fn;
    t->ctx = ctx;
    jobs->n_arriving++;
    jobs->request_bytes += errand_request_bytes(t->next);
    if (w->is_open)
        errand_put_next(t, EVENT_JOB_SUBMITTED);
    else
        list_add(&jobs->early, &t->link);
    return 0;
}

/* -ENOENT; -EAGAIN: not now. */
static int
find_changeable(const struct workspace *w, struct str id, struct errand **ret_errand)
{
    ASSERT_LOOP();
    *ret_errand = errand_find(w, id);
    if (!*ret_errand)
        return -ENOENT;
    return takes_jobs(w) ? 0 : -EAGAIN;
}

int
workspace_cancel_job(struct workspace *w, struct str id, workspace_job_fn fn, void *ctx)
{
    struct errand *t = NULL;
    int r = find_changeable(w, id, &t);

    if (r < 0)
        return r;
    if (job_has_ended(t->job))
        return -EALREADY;
    t->is_cancelled = true;
    if (t->is_changing || t->job->state == JOB_RUNNING) {
        fn(ctx, 0, t->job);
        if (!t->is_changing && t->job->state == JOB_RUNNING)
            errand_cancel(t);
        return 0;
    }
    t->fn = fn;
    t->ctx = ctx;
    errand_cancel_waiting(t);
    return 0;
}

int
workspace_retry_job(struct workspace *w, struct str id, workspace_job_fn fn, void *ctx)
{
    struct errand *t = NULL;
    int r = find_changeable(w, id, &t);

    if (r < 0)
        return r;
    if (t->is_changing || (t->job->state != JOB_FAILED && t->job->state != JOB_CANCELLED))
        return -EALREADY;
    t->next = job_copy(t->job);
    t->next->state = JOB_PENDING;
    t->next->attempts = t->next->failures = 0;
    t->next->run_at_ms = t->next->ended_ms = 0;
    t->fn = fn;
    t->ctx = ctx;
    errand_put_next(t, EVENT_JOB_SUBMITTED);
    return 0;
}
