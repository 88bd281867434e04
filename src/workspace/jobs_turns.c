/* Whose turn it is: of all workspaces together JOBS_RUNNING_MAX jobs run. Invariant: whoever has a turn is counted, and
 * gives it back when its row says that it runs no more. */
#include "workspace/jobs.h"

#include "base/clock.h"
#include "workspace/errands.h"

#define JOBS_LOOK_MS 60000   // the wall clock may have been set
#define JOBS_OPENING_MS 1000 // a workspace whose jobs are due is not ready

void
turn_take(struct errand *t)
{
    t->has_turn = true;
    t->jobs->w->all->n_jobs_running++;
    t->jobs->w->all->n_jobs_ingesting += t->job->kind == JOB_INGEST;
}

void
turn_give_back(struct errand *t)
{
    if (!t->has_turn)
        return;
    t->has_turn = false;
    t->jobs->w->all->n_jobs_running--;
    t->jobs->w->all->n_jobs_ingesting -= t->job->kind == JOB_INGEST;
}

static void
begin(struct errand *t)
{
    struct job *next = job_copy(t->job);

    next->state = JOB_RUNNING;
    next->attempts++;
    next->started_ms = clock_wall_ms();
    next->ended_ms = 0;
    next->done = next->total = 0;
    turn_take(t);
    t->next = next;
    errand_put_next(t, EVENT_TYPE_COUNT);
}

static bool
is_ready(const struct workspace *w)
{
    return w->is_open && w->is_known && (w->scan || w->name) && !w->why && !w->is_closing;
}

static struct errand *
first_due(const struct jobs *jobs, int64_t now_ms)
{
    bool may_ingest = jobs->w->all->n_jobs_ingesting < JOBS_INGESTING_MAX;

    list_for_each (it, &jobs->pending) {
        struct errand *t = list_entry(it, struct errand, link);

        if (!t->is_changing && job_order_is_due(t->job, now_ms) &&
            (t->job->kind != JOB_INGEST || may_ingest))
            return t;
    }
    return NULL;
}

static struct errand *
next_errand(const struct workspaces *all, int64_t now_ms)
{
    struct errand *best = NULL;

    list_for_each (it, &all->all) {
        const struct workspace *w = list_entry(it, struct workspace, link);
        struct errand *t = is_ready(w) ? first_due(w->background, now_ms) : NULL;

        if (t && (!best || job_order_is_before(t->job, best->job)))
            best = t;
    }
    return best;
}

static void
save_again(struct jobs *jobs)
{
    list_for_each (it, &jobs->running) {
        struct errand *t = list_entry(it, struct errand, link);

        if (t->is_unsaved && !t->is_changing)
            errand_put_next(t, t->told);
    }
}

/* Until something is to be done that no commit tells of; 0: nothing. */
static uint64_t
wait_ms(const struct workspace *w, int64_t now_ms)
{
    uint64_t ms = 0;

    list_for_each (it, &w->background->pending) {
        const struct errand *t = list_entry(it, struct errand, link);
        int64_t left_ms = t->job->run_at_ms - now_ms;
        uint64_t one = left_ms > 0   ? (uint64_t)MIN(left_ms, JOBS_LOOK_MS)
                       : is_ready(w) ? 0
                                     : JOBS_OPENING_MS;

        ms = one == 0 ? ms : ms == 0 ? one : MIN(ms, one);
    }
    list_for_each (it, &w->background->running)
        if (list_entry(it, struct errand, link)->is_unsaved)
            ms = ms == 0 ? JOBS_UNSAVED_MS : MIN(ms, JOBS_UNSAVED_MS);
    return ms;
}

void
jobs_pump(struct workspaces *all)
{
    struct errand *t;
    uint64_t delay_ms = 0;

    if (all->is_closing)
        return;
    while (all->n_jobs_running < JOBS_RUNNING_MAX &&
           (t = next_errand(all, clock_wall_ms())))
        begin(t);
    list_for_each (it, &all->all) {
        uint64_t ms = wait_ms(list_entry(it, struct workspace, link), clock_wall_ms());

        delay_ms = ms == 0 ? delay_ms : delay_ms == 0 ? ms : MIN(delay_ms, ms);
    }
    if (delay_ms > 0)
        timer_start(all->jobs_timer, delay_ms, 0);
    else
        timer_stop(all->jobs_timer);
}

void
jobs_on_timer(void *ctx)
{
    struct workspaces *all = ctx;

    list_for_each (it, &all->all) {
        struct workspace *w = list_entry(it, struct workspace, link);

        if (!w->is_open || w->is_closing)
            continue;
        save_again(w->background);
        jobs_prune(w->background);
    }
    jobs_pump(all);
}

bool
workspaces_have_work(const struct workspaces *all)
{
    return all->n_jobs_running > 0 || next_errand(all, clock_wall_ms());
}
