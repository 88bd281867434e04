/* Jobs: their order, their turns, what outlives the engine. */
#include "base/clock.h"
#include "check.h"
#include "workspace/errands.h"

/* ---- pure ---- */

static void
test_job_order(void **state UNUSED)
{
    struct job a = {.submitted_ms = 5, .id = "a"}, b = {.submitted_ms = 6, .id = "b"};

    assert_true(job_order_is_before(&a, &b));
    b.priority = 1;
    assert_true(job_order_is_before(&b, &a));
    assert_false(job_order_is_before(&a, &b));
    b.priority = 0;
    b.submitted_ms = 5;
    assert_true(job_order_is_before(&a, &b)); // by something, and not both ways
    assert_false(job_order_is_before(&b, &a));
    a.every_s = 60;
    a.run_at_ms = 9; // it had its turn before
    assert_true(job_order_is_before(&b, &a));
    assert_true(job_order_is_due(&a, 9));
    assert_false(job_order_is_due(&a, 8));
    a.state = JOB_RUNNING;
    assert_false(job_order_is_due(&a, 9));
}

static void
test_job_comes_again(void **state UNUSED)
{
    struct job j = {.every_s = 60, .submitted_ms = 1000};

    assert_int_equal(job_order_next_ms(&j, 1000), 61000);
    assert_int_equal(job_order_next_ms(&j, 60999), 61000);
    assert_int_equal(job_order_next_ms(&j, 61000), 121000);
    j.run_at_ms = 61000;
    assert_int_equal(job_order_next_ms(&j, 400000), 421000); // five turns were missed
    assert_int_equal(job_order_next_ms(&j, 500), 60500);     // the clock was set back
    assert_int_equal(job_order_backoff_ms(1), 500);
    assert_int_equal(job_order_backoff_ms(2), 2000);
    assert_int_equal(job_order_backoff_ms(3), 8000);
    assert_int_equal(job_order_backoff_ms(99), 8000);
}

static void
test_job_wishes(void **state UNUSED)
{
    static const struct {
        enum job_kind kind;
        const char *request;
        bool is_good;
    } wishes[] = {
        {JOB_REINDEX, "", true},
        {JOB_REINDEX, "{\"path\":\"src\",\"force\":true}", true},
        {JOB_REINDEX, "{\"path\":\"../src\"}", false},
        {JOB_REINDEX, "{\"path\":\"/etc\"}", false},
        {JOB_REINDEX, "{\"path\":\"a/../../b\"}", false},
        {JOB_REINDEX, "{\"path\":7}", false},
        {JOB_REINDEX, "{\"path\":\"\"}", false},
        {JOB_REINDEX, "{\"force\":1}", false},
        {JOB_REINDEX, "[]", false},
        {JOB_REINDEX, "{", false},
        {JOB_ENRICH, "{\"path\":\"a.c\"}", true},
        {JOB_ENRICH, "{\"path\":\"a/./b\"}", false},
        {JOB_RETRY, "{}", true},
        {JOB_INGEST, "{\"entities\":[{}]}", true},
        {JOB_INGEST, "{\"entities\":[]}", false},
        {JOB_INGEST, "{\"entities\":[{},1]}", false},
        {JOB_INGEST, "{}", false},
    };
    struct job_wish wish = {.kind = JOB_RETRY};

    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        wish.kind = wishes[i].kind;
        wish.request = str_of(wishes[i].request);
        if ((job_wish_fault(&wish) == NULL) != wishes[i].is_good)
            fail_msg("%s", wishes[i].request);
    }
    wish = (struct job_wish){.kind = JOB_RETRY};
    wish.every_s = 59;
    assert_non_null(job_wish_fault(&wish));
    wish.every_s = 60;
    assert_null(job_wish_fault(&wish));
    wish.priority = 101;
    assert_non_null(job_wish_fault(&wish));
}

/* ---- with a workspace ---- */

struct jobs_answer {
    size_t n;
    int r;
    char id[JOB_ID_BYTES];
    enum job_state state;
};

static void
on_job_answer(void *ctx, int r, const struct job *job)
{
    struct jobs_answer *a = ctx;

    a->n++;
    a->r = r;
    if (!job)
        return;
    memcpy(a->id, job->id, sizeof(a->id));
    a->state = job->state;
}

static struct jobs_answer
submit_job(struct fixture *f, const struct job_wish *wish)
{
    struct jobs_answer a = {0};

    assert_null(job_wish_fault(wish));
    assert_int_equal(workspace_submit_job(f->w, wish, on_job_answer, &a), 0);
    WAIT(f, a.n > 0);
    assert_int_equal(a.r, 0);
    assert_int_equal(a.state, JOB_PENDING);
    return a;
}

static const struct seen *
find_event(const struct fixture *f, enum event_type type, const char *id)
{
    for (size_t i = 0; i < f->events.n; i++)
        if (f->events.v[i].type == type && strcmp(f->events.v[i].subject, id) == 0)
            return &f->events.v[i];
    return NULL;
}

static const struct job *
job_now(const struct fixture *f, const char *id)
{
    return workspace_find_job(f->w, str_of(id));
}

static void
start_jobs(struct fixture *f)
{
    set_up(f);
    f->with_watch = true;
    put(f, "a.c", "int a(void) { return 1; }\n");
    put(f, "src/b.c", "int b(void) { return 1; }\n");
    open_all(f);
    WAIT(f, workspace_state(f->w) == WORKSPACE_READY);
}

static void
assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("%s is not in %s", part, text);
}

static void
test_jobs_run(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_REINDEX};
    struct jobs_answer a, b;
    struct fixture f;
    const struct seen *e;

    start_jobs(&f);
    a = submit_job(&f, &wish);
    e = find_event(&f, EVENT_JOB_SUBMITTED, a.id);
    assert_non_null(e);
    assert_true(e->seq > 0);
    assert_has(e->data, "\"status\":\"pending\"");
    WAIT(&f, find_event(&f, EVENT_JOB_COMPLETED, a.id));
    e = find_event(&f, EVENT_JOB_COMPLETED, a.id);
    assert_has(e->data, "\"status\":\"completed\"");
    assert_has(e->data, "\"files\":2");
    assert_true(e->seq > find_event(&f, EVENT_JOB_SUBMITTED, a.id)->seq);
    WAIT(&f, job_now(&f, a.id)->state == JOB_COMPLETED);
    assert_non_null(find_event(&f, EVENT_JOB_PROGRESS, a.id));
    assert_int_equal(find_event(&f, EVENT_JOB_PROGRESS, a.id)->seq, 0);
    wish.request = STR("{\"path\":\"src\"}");
    b = submit_job(&f, &wish);
    WAIT(&f, job_now(&f, b.id)->state == JOB_COMPLETED);
    assert_has(job_now(&f, b.id)->result, "\"looked_at\":1,");
    wish.request = STR("{\"force\":true}");
    b = submit_job(&f, &wish);
    WAIT(&f, job_now(&f, b.id)->state == JOB_COMPLETED);
    assert_has(job_now(&f, b.id)->result, "\"looked_at\":2,");
    assert_int_equal(workspace_jobs_counts(f.w).completed_ever, 3);
    close_all(&f);
    open_all(&f); // they are there again
    WAIT(&f, workspace_state(f.w) == WORKSPACE_READY);
    assert_int_equal(job_now(&f, a.id)->state, JOB_COMPLETED);
    assert_int_equal(workspace_jobs_counts(f.w).ended, 3);
    close_all(&f);
    tear_down(&f);
}

static void
test_jobs_fail(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_ENRICH};
    struct jobs_answer a, again = {0};
    struct fixture f;

    start_jobs(&f); // nothing is asked in it
    a = submit_job(&f, &wish);
    wish = (struct job_wish){.kind = JOB_INGEST, .request = STR("{\"entities\":[{}]}")};
    assert_null(job_wish_fault(&wish)); // but a folder says itself what it has
    assert_int_equal(workspace_submit_job(f.w, &wish, on_job_answer, &again), -EPERM);
    WAIT(&f, job_now(&f, a.id)->state == JOB_FAILED);
    assert_string_equal(job_now(&f, a.id)->error, "asking for hovers is turned off");
    assert_int_equal(job_now(&f, a.id)->attempts, 1); // of no use to try again
    assert_non_null(find_event(&f, EVENT_JOB_FAILED, a.id));
    assert_int_equal(workspace_cancel_job(f.w, str_of(a.id), on_job_answer, &again),
                     -EALREADY);
    assert_int_equal(workspace_cancel_job(f.w, STR("j-0"), on_job_answer, &again),
                     -ENOENT);
    close_all(&f);
    open_all(&f); // kept, and may be tried again
    WAIT(&f, workspace_state(f.w) == WORKSPACE_READY);
    assert_int_equal(job_now(&f, a.id)->state, JOB_FAILED);
    assert_int_equal(workspace_retry_job(f.w, str_of(a.id), on_job_answer, &again), 0);
    WAIT(&f, again.n > 0);
    assert_int_equal(again.state, JOB_PENDING);
    WAIT(&f, job_now(&f, a.id)->state == JOB_FAILED);
    assert_int_equal(workspace_jobs_counts(f.w).failed, 1);
    close_all(&f);
    tear_down(&f);
}

/* The root is away for a while. */
static void
test_jobs_are_tried_again(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_REINDEX};
    struct jobs_answer a;
    struct fixture f;

    start_jobs(&f);
    AUTO(free) char *away = xasprintf("%s.away", f.root);
    assert_int_equal(rename(f.root, away), 0);
    a = submit_job(&f, &wish);
    WAIT(&f, job_now(&f, a.id)->failures == 1);
    assert_int_equal(job_now(&f, a.id)->state, JOB_PENDING);
    assert_has(job_now(&f, a.id)->error, "cannot be read");
    assert_int_equal(rename(away, f.root), 0);
    WAIT(&f, job_now(&f, a.id)->state == JOB_COMPLETED);
    assert_true(job_now(&f, a.id)->attempts > 1);
    assert_null(job_now(&f, a.id)->error);
    close_all(&f);
    tear_down(&f);
}

static void
test_jobs_are_cancelled(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_REINDEX,
                            .run_at_ms = clock_wall_ms() + 3600 * 1000};
    struct jobs_answer a, cancelled = {0}, b;
    struct fixture f;

    start_jobs(&f);
    a = submit_job(&f, &wish);
    assert_int_equal(workspace_cancel_job(f.w, str_of(a.id), on_job_answer, &cancelled),
                     0);
    assert_int_equal(job_now(&f, a.id)->state, JOB_PENDING); // until it is committed
    WAIT(&f, cancelled.n > 0);
    assert_int_equal(cancelled.state, JOB_CANCELLED);
    assert_non_null(find_event(&f, EVENT_JOB_CANCELLED, a.id));
    wish.run_at_ms = 0; // one that runs
    b = submit_job(&f, &wish);
    WAIT(&f, find_event(&f, EVENT_JOB_PROGRESS, b.id));
    assert_int_equal(job_now(&f, b.id)->state, JOB_RUNNING);
    cancelled.n = 0;
    assert_int_equal(workspace_cancel_job(f.w, str_of(b.id), on_job_answer, &cancelled),
                     0);
    assert_int_equal(cancelled.n, 1);
    WAIT(&f, job_has_ended(job_now(&f, b.id)));
    assert_int_equal(job_now(&f, b.id)->state, JOB_CANCELLED);
    assert_int_equal(workspace_jobs_counts(f.w).cancelled_ever, 2);
    close_all(&f);
    tear_down(&f);
}

/* Before there is an index to put it in. */
static void
test_jobs_wait_for_the_index(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_RETRY};
    struct jobs_answer a = {0}, late = {0};
    struct fixture f;

    set_up(&f);
    f.with_watch = true;
    open_all(&f);
    assert_int_equal(workspace_state(f.w), WORKSPACE_OPENING);
    assert_int_equal(workspace_submit_job(f.w, &wish, on_job_answer, &a), 0);
    assert_int_equal(a.n, 0);
    WAIT(&f, a.n > 0);
    assert_int_equal(a.r, 0);
    WAIT(&f, job_now(&f, a.id)->state == JOB_COMPLETED);
    close_all(&f);
    open_all(&f);
    assert_int_equal(workspace_submit_job(f.w, &wish, on_job_answer, &late), 0);
    close_all(&f); // before it is open
    assert_int_equal(late.n, 1);
    assert_int_equal(late.r, -ESHUTDOWN);
    tear_down(&f);
}

static struct errand *
errand_of(const struct fixture *f, const char *id)
{
    return map_get(f->w->background->by_id, str_of(id));
}

/* After its last try it is kept with the reason, and may be begun anew. */
static void
test_jobs_fail_for_good(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_REINDEX};
    struct jobs_answer a, again = {0};
    struct fixture f;

    start_jobs(&f);
    AUTO(free) char *away = xasprintf("%s.away", f.root);
    assert_int_equal(rename(f.root, away), 0);
    a = submit_job(&f, &wish);
    for (unsigned i = 1; i <= JOBS_RETRIES_MAX; i++) {
        WAIT(&f, job_now(&f, a.id)->failures == i);
        assert_int_equal(job_now(&f, a.id)->state, JOB_PENDING);
        assert_true(job_now(&f, a.id)->run_at_ms > job_now(&f, a.id)->started_ms);
        errand_of(&f, a.id)->job->run_at_ms = 0; // it has waited
        jobs_pump(f.all);
    }
    WAIT(&f, job_now(&f, a.id)->state == JOB_FAILED);
    assert_int_equal(job_now(&f, a.id)->attempts, JOBS_RETRIES_MAX + 1);
    assert_has(find_event(&f, EVENT_JOB_FAILED, a.id)->data, "cannot be read");
    assert_int_equal(rename(away, f.root), 0);
    assert_int_equal(workspace_retry_job(f.w, str_of(a.id), on_job_answer, &again), 0);
    WAIT(&f, job_now(&f, a.id)->state == JOB_COMPLETED);
    assert_int_equal(job_now(&f, a.id)->failures, 0);
    close_all(&f);
    tear_down(&f);
}

/* It is done, and that cannot be written: it is said when it can. */
static void
test_jobs_end_on_a_full_disk(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_REINDEX};
    struct jobs_answer a, none = {0};
    struct fixture f;
    struct rlimit was;

    start_jobs(&f);
    a = submit_job(&f, &wish);
    WAIT(&f, find_event(&f, EVENT_JOB_PROGRESS, a.id));
    fill_disk(&was);
    WAIT(&f, errand_of(&f, a.id)->is_unsaved);
    assert_int_equal(job_now(&f, a.id)->state, JOB_RUNNING);
    assert_int_equal(f.all->n_jobs_running, 1);
    wish.kind = JOB_RETRY;
    assert_int_equal(workspace_submit_job(f.w, &wish, on_job_answer, &none), 0);
    WAIT(&f, none.n > 0);
    assert_true(none.r < 0);
    assert_int_equal(workspace_jobs_counts(f.w).pending, 0); // nothing was promised
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    jobs_on_timer(f.all);
    WAIT(&f, job_now(&f, a.id)->state != JOB_RUNNING);
    WAIT(&f, job_now(&f, a.id)->state == JOB_COMPLETED);
    assert_int_equal(f.all->n_jobs_running, 0);
    close_all(&f);
    tear_down(&f);
}

static void
test_jobs_are_not_kept_for_ever(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_RETRY};
    struct jobs_answer a, b;
    struct fixture f;

    start_jobs(&f);
    a = submit_job(&f, &wish);
    WAIT(&f, workspace_jobs_counts(f.w).ended == 1); // or the other one may end before it
    b = submit_job(&f, &wish);
    WAIT(&f, workspace_jobs_counts(f.w).ended == 2);
    errand_of(&f, a.id)->job->ended_ms -= JOBS_ENDED_AGE_MS - 5000;
    jobs_on_timer(f.all);
    assert_non_null(job_now(&f, a.id));
    errand_of(&f, a.id)->job->ended_ms -= 10000;
    jobs_on_timer(f.all);
    assert_null(job_now(&f, a.id));
    close_all(&f);
    open_all(&f);
    WAIT(&f, workspace_state(f.w) == WORKSPACE_READY);
    assert_null(job_now(&f, a.id));
    assert_int_equal(job_now(&f, b.id)->state, JOB_COMPLETED);
    close_all(&f);
    tear_down(&f);
}

/* One at which the engine died ten times is not begun again; one time less, and it is. */
static void
test_jobs_that_kill(void **state UNUSED)
{
    struct fixture f;
    struct job *deadly = job_create(JOB_RETRY), *other = job_create(JOB_RETRY);
    AUTO(free) char *deadly_id = xstrdup(deadly->id), *other_id = xstrdup(other->id);

    start_jobs(&f);
    deadly->state = other->state = JOB_RUNNING;
    deadly->submitted_ms = other->submitted_ms = 1;
    deadly->attempts = JOBS_BEGUN_MAX;
    other->attempts = JOBS_BEGUN_MAX - 1;
    writer_put_job(f.w->writer, deadly, EVENT_JOB_SUBMITTED, STR_NONE, NULL, NULL);
    writer_put_job(f.w->writer, other, EVENT_JOB_SUBMITTED, STR_NONE, NULL, NULL);
    close_all(&f);
    open_all(&f);
    WAIT(&f, job_now(&f, other_id) && job_now(&f, other_id)->state == JOB_COMPLETED);
    WAIT(&f, job_now(&f, deadly_id)->state == JOB_FAILED);
    assert_has(job_now(&f, deadly_id)->error, "the engine ended");
    assert_int_equal(job_now(&f, deadly_id)->attempts, JOBS_BEGUN_MAX);
    assert_int_equal(f.all->n_jobs_running, 0);
    close_all(&f);
    tear_down(&f);
}

struct jobs_watch {
    struct fixture *f;
    size_t n_most;
    VEC(int) priorities; // in the order in which they began
};

static struct jobs_watch watched;

static void
on_job_event(struct fixture *f, const struct seen *event)
{
    const struct job *job = job_now(f, event->subject);

    if (event->type != EVENT_JOB_PROGRESS || job->state != JOB_RUNNING ||
        job->done + job->total > 0)
        return;
    *vec_push(&watched.priorities) = job->priority;
    watched.n_most = MAX(watched.n_most, workspace_jobs_counts(f->w).running);
    assert_true(f->all->n_jobs_running <= JOBS_RUNNING_MAX);
}

static void
test_jobs_have_turns(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_REINDEX, .request = STR("{\"path\":\"a.c\"}")};
    struct jobs_answer a = {0};
    struct fixture f;

    start_jobs(&f);
    watched = (struct jobs_watch){.f = &f};
    f.on_event = on_job_event;
    f.w->is_known = false; // not yet
    for (int i = 0; i < 12; i++) {
        wish.priority = i % 3 * 10;
        a = submit_job(&f, &wish);
    }
    assert_int_equal(workspace_jobs_counts(f.w).pending, 12);
    assert_int_equal(workspace_jobs_counts(f.w).running, 0);
    f.w->is_known = true;
    assert_true(workspaces_have_work(f.all)); // no time to end the engine
    jobs_pump(f.all);
    WAIT(&f, workspace_jobs_counts(f.w).completed_ever == 12);
    assert_int_equal(watched.n_most, JOBS_RUNNING_MAX);
    assert_int_equal(watched.priorities.n, 12);
    for (size_t i = 1; i < 12; i++)
        assert_true(watched.priorities.v[i] <= watched.priorities.v[i - 1]);
    assert_int_equal(f.all->n_jobs_running, 0);
    assert_false(workspaces_have_work(f.all));
    assert_int_equal(job_now(&f, a.id)->state, JOB_COMPLETED);
    vec_finish(&watched.priorities);
    close_all(&f);
    tear_down(&f);
}

/* So many at a time that none is in the index yet. */
static void
test_jobs_are_not_too_many(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_RETRY,
                            .run_at_ms = clock_wall_ms() + 3600 * 1000};
    struct jobs_answer a = {0};
    struct fixture f;

    start_jobs(&f);
    for (int i = 0; i < JOBS_PENDING_MAX; i++)
        assert_int_equal(workspace_submit_job(f.w, &wish, on_job_answer, &a), 0);
    assert_int_equal(workspace_submit_job(f.w, &wish, on_job_answer, &a), -ENOSPC);
    WAIT(&f, a.n == JOBS_PENDING_MAX);
    assert_int_equal(workspace_jobs_counts(f.w).pending, JOBS_PENDING_MAX);
    assert_int_equal(workspace_submit_job(f.w, &wish, on_job_answer, &a), -ENOSPC);
    assert_int_equal(workspace_cancel_job(f.w, str_of(a.id), on_job_answer, &a), 0);
    WAIT(&f, workspace_jobs_counts(f.w).pending == JOBS_PENDING_MAX - 1);
    assert_int_equal(workspace_submit_job(f.w, &wish, on_job_answer, &a), 0);
    close_all(&f);
    assert_int_equal(a.n, JOBS_PENDING_MAX + 2); // whatever came of the last one
    tear_down(&f);
}

static void
test_jobs_come_again(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_RETRY, .every_s = 60};
    struct jobs_answer a;
    struct fixture f;
    int64_t before_ms = clock_wall_ms();

    start_jobs(&f);
    a = submit_job(&f, &wish);
    WAIT(&f, job_now(&f, a.id)->runs == 1);
    assert_has(find_event(&f, EVENT_JOB_COMPLETED, a.id)->data,
               "\"status\":\"completed\"");
    assert_int_equal(job_now(&f, a.id)->state, JOB_PENDING);
    assert_true(job_now(&f, a.id)->run_at_ms >= before_ms + 60000);
    assert_true(job_now(&f, a.id)->run_at_ms <= clock_wall_ms() + 60000);
    close_all(&f);
    open_all(&f);
    WAIT(&f, workspace_state(f.w) == WORKSPACE_READY);
    assert_int_equal(job_now(&f, a.id)->state, JOB_PENDING);
    assert_int_equal(job_now(&f, a.id)->every_s, 60);
    close_all(&f);
    tear_down(&f);
}

/* The engine ends while one runs: it is begun again, and this did not count. */
static void
test_jobs_outlive_the_engine(void **state UNUSED)
{
    struct job_wish wish = {.kind = JOB_REINDEX};
    struct jobs_answer a;
    struct fixture f;

    start_jobs(&f);
    a = submit_job(&f, &wish);
    WAIT(&f, find_event(&f, EVENT_JOB_PROGRESS, a.id));
    assert_int_equal(job_now(&f, a.id)->state, JOB_RUNNING);
    close_all(&f);
    open_all(&f);
    WAIT(&f, workspace_state(f.w) == WORKSPACE_READY && job_now(&f, a.id) &&
                 job_now(&f, a.id)->state == JOB_COMPLETED);
    assert_int_equal(job_now(&f, a.id)->attempts, 1);
    close_all(&f);
    tear_down(&f);
}
