/* Jobs: their rows, and how these change. Whose turn it is says jobs_turns.c, what is asked for comes from jobs_asked.c,
 * what one does is in errand_kinds.c. Invariant: whatever anybody is shown of a
 * job's state was committed before, and each change of it is one transaction with its event; a job that ran when
 * the engine was killed waits again, so every kind is one that may be begun twice. */
#include "workspace/jobs.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "workspace/errands.h"

#define LOG_MODULE "jobs"
#include "base/log.h"

/* ---- where an errand is ---- */

size_t
errand_request_bytes(const struct job *j)
{
    return j && j->request ? strlen(j->request) : 0;
}

static struct list *
list_of(struct jobs *jobs, const struct job *j)
{
    return job_has_ended(j)          ? &jobs->ended
           : j->state == JOB_RUNNING ? &jobs->running
                                     : &jobs->pending;
}

static void
count(struct jobs *jobs, const struct job *j, size_t by)
{
    if (job_has_ended(j))
        jobs->n_ended += by;
    else if (j->state == JOB_RUNNING)
        jobs->n_running += by;
    else
        jobs->n_pending += by;
    jobs->n_failed += j->state == JOB_FAILED ? by : 0;
    jobs->request_bytes += by * errand_request_bytes(j);
}

static bool
is_before(const struct job *a, const struct job *b)
{
    return job_has_ended(a) ? a->ended_ms < b->ended_ms : job_order_is_before(a, b);
}

/* In order, from the end, where most of them belong. */
static void
enter(struct errand *t)
{
    struct list *all = list_of(t->jobs, t->job), *at = all;

    while (at->prev != all &&
           is_before(t->job, list_entry(at->prev, struct errand, link)->job))
        at = at->prev;
    list_add(at, &t->link);
    count(t->jobs, t->job, 1);
}

static void
leave(struct errand *t)
{
    list_remove(&t->link);
    count(t->jobs, t->job, (size_t)-1);
}

/* It is in the index, or will not be. */
static void
arrived(struct errand *t)
{
    t->jobs->n_arriving--;
    t->jobs->request_bytes -= errand_request_bytes(t->next);
}

struct errand *
errand_create(struct jobs *jobs)
{
    struct errand *t = xnew(struct errand);

    list_init(&t->link);
    t->jobs = jobs;
    return t;
}

static void
errand_destroy(struct errand *t)
{
    errand_let_go(t);
    job_destroy(t->job);
    job_destroy(t->next);
    free(t);
}

struct errand *
errand_find(const struct workspace *w, struct str id)
{
    return map_get(w->background->by_id, id);
}

/* ---- what is told ---- */

static void
publish_progress(struct errand *t)
{
    AUTO(buf_finish) struct buf data = {0};
    AUTO(event_unref) struct event *e = NULL;
    struct workspace *w = t->jobs->w;

    workspace_add_job(&data, w, t->job);
    e = event_create(EVENT_JOB_PROGRESS, 0, clock_wall_ms(), str_of(t->job->id),
                     buf_str(&data));
    bus_publish(w->bus, e);
    workspace_changed(w);
}

void
errand_progress(struct errand *t, uint64_t done, uint64_t total)
{
    if (t->is_changing || t->jobs->w->is_closing ||
        (t->job->done == (int64_t)done && t->job->total == (int64_t)total))
        return;
    t->job->done = (int64_t)done;
    t->job->total = (int64_t)total;
    publish_progress(t);
}

/* ---- those that ended are kept for a while ---- */

static void
drop(struct errand *t)
{
    struct workspace *w = t->jobs->w;

    writer_drop_job(w->writer, str_of(t->job->id));
    map_remove(t->jobs->by_id, str_of(t->job->id));
    leave(t);
    errand_destroy(t);
}

void
jobs_prune(struct jobs *jobs)
{
    int64_t oldest_ms = clock_wall_ms() - JOBS_ENDED_AGE_MS;

    while (!list_is_empty(&jobs->ended)) {
        struct errand *t = list_first(&jobs->ended, struct errand, link);

        if (t->is_changing ||
            (jobs->n_ended <= JOBS_ENDED_MAX && t->job->ended_ms >= oldest_ms))
            return;
        drop(t);
    }
}

/* Of what has ended the oldest requests go first. */
bool
jobs_make_room(struct jobs *jobs, size_t n_bytes)
{
    list_for_each_safe (it, &jobs->ended) {
        struct errand *t = list_entry(it, struct errand, link);

        if (jobs->request_bytes + n_bytes <= JOBS_REQUESTS_BYTES_MAX)
            break;
        if (t->job->request && !t->is_changing)
            drop(t);
    }
    return jobs->request_bytes + n_bytes <= JOBS_REQUESTS_BYTES_MAX;
}

/* ---- changes: a row, its event, then what is shown ---- */

static void
answer(struct errand *t, int r, const struct job *job)
{
    workspace_job_fn fn = t->fn;

    t->fn = NULL;
    if (fn)
        fn(t->ctx, r, job);
}

void
errand_cancel_waiting(struct errand *t)
{
    t->next = job_copy(t->job);
    t->next->state = JOB_CANCELLED;
    t->next->ended_ms = clock_wall_ms();
    errand_put_next(t, EVENT_JOB_CANCELLED);
}

static void
note_end(struct jobs *jobs, enum event_type told)
{
    jobs->completed_ever += told == EVENT_JOB_COMPLETED;
    jobs->failed_ever += told == EVENT_JOB_FAILED;
    jobs->cancelled_ever += told == EVENT_JOB_CANCELLED;
}

/* What was stored is what it is now. */
static void
adopt(struct errand *t)
{
    struct jobs *jobs = t->jobs;
    struct job *was = t->job;

    if (was)
        leave(t);
    t->job = steal(t->next);
    t->is_unsaved = false;
    enter(t);
    note_end(jobs, t->told);
    if (t->job->state != JOB_RUNNING)
        turn_give_back(t);
    if (!was)
        map_put(jobs->by_id, str_of(t->job->id), t);
    job_destroy(was);
}

static void
on_stored(struct errand *t)
{
    adopt(t);
    if (t->job->state == JOB_RUNNING) {
        publish_progress(t);
        if (t->is_cancelled)
            errand_end(t, &(struct errand_end){.r = -ECANCELED});
        else
            errand_begin(t);
    } else if (t->is_cancelled && t->job->state == JOB_PENDING) {
        errand_cancel_waiting(t);
    } else {
        t->is_cancelled = false;
        answer(t, 0, t->job);
    }
    jobs_prune(t->jobs);
}

/* Nothing happened, but to a job that ended: that is stored later. */
static void
on_not_stored(struct errand *t, int r)
{
    if (t->job && t->job->state == JOB_RUNNING) {
        t->is_unsaved = true;
        return;
    }
    if (t->next->state == JOB_RUNNING) {
        turn_give_back(t);
        t->job->run_at_ms = clock_wall_ms() + JOBS_UNSAVED_MS;
    }
    job_destroy(steal(t->next));
    t->is_cancelled = false;
    answer(t, r, NULL);
    if (!t->job)
        errand_destroy(t);
}

static void
on_changed(void *ctx, int r, struct event *event UNUSED)
{
    struct errand *t = ctx;
    struct workspace *w = t->jobs->w;

    t->is_changing = false;
    if (!t->job)
        arrived(t);
    if (w->is_closing) {
        answer(t, r < 0 ? r : -ESHUTDOWN, NULL);
        if (!t->job)
            errand_destroy(t);
        return;
    }
    if (r < 0)
        on_not_stored(t, r);
    else
        on_stored(t);
    workspace_changed(w);
    jobs_pump(w->all);
}

/* One that comes again says in its event what came of this turn. */
static void
add_event_data(struct buf *json, const struct workspace *w, const struct job *next,
               enum event_type type)
{
    struct job told = *next; // a view

    if (type == EVENT_JOB_COMPLETED)
        told.state = JOB_COMPLETED;
    else if (type == EVENT_JOB_FAILED)
        told.state = JOB_FAILED;
    workspace_add_job(json, w, &told);
}

/* told: EVENT_TYPE_COUNT for a change that is no event. */
void
errand_put_next(struct errand *t, enum event_type told)
{
    AUTO(buf_finish) struct buf data = {0};
    struct workspace *w = t->jobs->w;

    t->is_changing = true;
    t->told = told;
    if (told != EVENT_TYPE_COUNT)
        add_event_data(&data, w, t->next, told);
    writer_put_job(w->writer, job_copy(t->next), told, buf_str(&data), on_changed, t);
}

/* ---- the end of a turn ---- */

static void
set_ended(struct job *next, enum job_state state, int64_t now_ms)
{
    next->state = state;
    next->ended_ms = now_ms;
    if (next->every_s == 0 || state == JOB_CANCELLED)
        return;
    next->state = JOB_PENDING;
    next->run_at_ms = job_order_next_ms(next, now_ms);
    next->attempts = next->failures = 0;
}

static enum event_type
set_failed(struct job *next, const struct errand_end *end, int64_t now_ms)
{
    job_set_text(&next->error, str_of(end->why ? end->why : err_text(end->r)));
    next->failures++;
    if (end->is_final || next->failures > JOBS_RETRIES_MAX) {
        log_warn("%s (%s) failed: %s", next->id, job_kind_name(next->kind), next->error);
        set_ended(next, JOB_FAILED, now_ms);
        return EVENT_JOB_FAILED;
    }
    next->state = JOB_PENDING;
    next->run_at_ms = now_ms + job_order_backoff_ms(next->failures);
    return EVENT_TYPE_COUNT;
}

void
errand_end(struct errand *t, const struct errand_end *end)
{
    enum event_type told = EVENT_JOB_COMPLETED;
    int64_t now_ms = clock_wall_ms();
    struct job *next;

    errand_let_go(t);
    if (t->jobs->w->is_closing)
        return; // it waits again
    next = job_copy(t->job);
    if (end->r == 0) {
        job_set_text(&next->result, end->result);
        job_set_text(&next->error, STR_NONE);
        next->runs++;
        set_ended(next, JOB_COMPLETED, now_ms);
        if (next->state == JOB_COMPLETED)
            job_set_text(&next->request, STR_NONE);
    } else if (t->is_cancelled) {
        set_ended(next, JOB_CANCELLED, now_ms);
        told = EVENT_JOB_CANCELLED;
    } else {
        told = set_failed(next, end, now_ms);
    }
    t->next = next;
    errand_put_next(t, told);
}

/* ---- life ---- */

struct jobs *
jobs_create(struct workspace *w)
{
    struct jobs *jobs = xnew(struct jobs);

    jobs->w = w;
    jobs->by_id = map_create();
    list_init(&jobs->pending);
    list_init(&jobs->running);
    list_init(&jobs->ended);
    list_init(&jobs->early);
    return jobs;
}

static struct errand *
take_early(struct jobs *jobs)
{
    struct errand *t = NULL;

    if (!list_is_empty(&jobs->early)) {
        t = list_first(&jobs->early, struct errand, link);
        list_remove(&t->link);
    }
    return t;
}

void
jobs_drop_early(struct workspace *w)
{
    struct errand *t;

    while ((t = take_early(w->background))) {
        arrived(t);
        answer(t, w->is_closing ? -ESHUTDOWN : -EAGAIN, NULL);
        errand_destroy(t);
    }
}

/* It ran when the engine ended. */
static void
take_up(struct errand *t)
{
    bool is_deadly = t->job->attempts >= JOBS_BEGUN_MAX;

    if (!is_deadly)
        t->job->state = JOB_PENDING;
    enter(t);
    if (!is_deadly)
        return;
    turn_take(t);
    errand_end(t, &(struct errand_end){.r = -EIO,
                                       .is_final = true,
                                       .why = "the engine ended each time while it ran"});
}

void
jobs_open(struct workspace *w)
{
    struct list stored;
    struct errand *early;

    if (!w->all->options.with_watch)
        return;
    list_init(&stored);
    writer_take_jobs(w->writer, &stored);
    list_for_each_safe (it, &stored) {
        struct job *job = list_entry(it, struct job, link);
        struct errand *t = errand_create(w->background);

        list_remove(&job->link);
        t->job = job;
        map_put(w->background->by_id, str_of(job->id), t);
        if (job->state == JOB_RUNNING)
            take_up(t);
        else
            enter(t);
    }
    while ((early = take_early(w->background)))
        errand_put_next(early, EVENT_JOB_SUBMITTED);
    jobs_prune(w->background);
    jobs_pump(w->all);
}

/* What runs waits again, and this end does not count. */
void
jobs_close(struct workspace *w)
{
    struct jobs *jobs = w->background;

    jobs_drop_early(w);
    list_for_each (it, &jobs->pending)
        turn_give_back(list_entry(it, struct errand, link));
    list_for_each (it, &jobs->running) {
        struct errand *t = list_entry(it, struct errand, link);
        struct job *row;

        errand_let_go(t);
        turn_give_back(t);
        if (t->is_changing || t->is_unsaved)
            continue; // as it ended
        row = job_copy(t->job);
        row->state = JOB_PENDING;
        row->attempts -= row->attempts > 0;
        writer_put_job(w->writer, row, EVENT_JOB_SUBMITTED, STR_NONE, NULL, NULL);
    }
    jobs_pump(w->all); // one that is deleted: its turns are those of others now
}

static void
destroy_all(struct list *errands)
{
    list_for_each_safe (it, errands)
        errand_destroy(list_entry(it, struct errand, link));
}

void
jobs_destroy(struct jobs *jobs)
{
    destroy_all(&jobs->pending);
    destroy_all(&jobs->running);
    destroy_all(&jobs->ended);
    map_destroy(jobs->by_id);
    free(jobs);
}
