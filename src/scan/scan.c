/* The life of a scan, and the turn it takes on the loop: deliver what jobs brought,
 * read on, end.
 * Invariant: events are called from a turn, or from the watch (on_rescan alone), so
 * never inside a call of the user's; nothing is called after scan_close; the memory goes
 * when the last job and the last turn are over. */
#include "base/mem.h"
#include "base/path.h"
#include "scan/internal.h"

struct base_job {
    struct scan_job base;
    struct base_rules rules;
    enum dir_reading reading;
};

/* ---- jobs ---- */

static void
on_job_done(struct pool_job *pool_job, bool is_cancelled)
{
    struct scan_job *job = container_of(pool_job, struct scan_job, job);
    struct scan *s = job->scan;
    s->n_jobs--;
    list_remove(&job->link);
    if (is_cancelled)
        s->is_cancelled = true; // the pool closes: nothing can be read any more
    list_add(&s->ready, &job->link);
    scan_schedule(s);
}

void
scan_submit(struct scan *s, struct scan_job *job, enum pool_lane lane, pool_work_fn work)
{
    job->scan = s;
    list_init(&job->link);
    list_add(&s->jobs, &job->link);
    s->n_jobs++;
    pool_submit(s->pool, lane, &job->job, work, on_job_done);
}

/* ---- the rules before all others ---- */

static void
base_work(struct pool_job *job, UNUSED unsigned worker)
{
    base_rules_load(&container_of(job, struct base_job, base.job)->rules);
}

static void
base_destroy(struct scan_job *job)
{
    struct base_job *b = container_of(job, struct base_job, base);
    if (job->scan->base_job == b)
        job->scan->base_job = NULL;
    base_rules_finish(&b->rules);
    free(b);
}

static bool
base_deliver(struct scan_job *job)
{
    struct base_job *b = container_of(job, struct base_job, base);
    struct scan *s = job->scan;
    bool is_same = s->base && s->base_hash == b->rules.hash;
    ignore_unref(s->base);
    s->base = steal(b->rules.ignore);
    s->base_hash = b->rules.hash;
    /* A lock that comes later is told by the watch. */
    bool is_known =
        s->git_dir && b->rules.git_dir && strcmp(s->git_dir, b->rules.git_dir) == 0;
    free(s->git_dir);
    s->git_dir = steal(b->rules.git_dir);
    /* A folder that somebody is still in does not say itself that it was deleted. */
    if (s->watch && s->above)
        (void)watch_add_names(s->watch, s->above);
    if (s->watch && s->git_dir) {
        /* Without them changes are not held back; nothing is lost. */
        if (watch_add(s->watch, s->git_dir) == 0 && b->rules.is_locked && !is_known)
            change_hold(s);
    }
    s->is_base_stale |= sources_watch(s, &b->rules.sources);
    enum dir_reading reading = b->reading;
    base_destroy(job);
    /* Settings are written for many reasons; most leave the rules as they were. */
    if (reading != READ_DIFF || !is_same)
        dir_queue(s, s->dirs, reading);
    if (s->is_base_stale) {
        s->is_base_stale = false;
        scan_load_base(s, READ_DIFF);
    }
    return true;
}

void
scan_load_base(struct scan *s, enum dir_reading reading)
{
    if (s->base_job) { // its answer may be older than what changed
        s->base_job->reading = MAX(s->base_job->reading, reading);
        s->is_base_stale = true;
        return;
    }
    struct base_job *b = xnew(struct base_job);
    b->base.deliver = base_deliver;
    b->base.destroy = base_destroy;
    b->rules.root = s->root;
    b->reading = reading;
    s->base_job = b;
    scan_submit(s, &b->base, POOL_INTERACTIVE, base_work);
}

/* ---- the turn ---- */

static void
stop(struct scan *s)
{
    if (s->is_stopped)
        return;
    s->is_stopped = true;
    timer_stop(s->timer);
    timer_stop(s->poll_timer);
    watch_close(steal(s->watch));
    list_for_each_safe (it, &s->jobs) {
        pool_cancel(s->pool, &list_entry(it, struct scan_job, link)->job);
    }
}

static void
destroy_ready(struct scan *s)
{
    while (!list_is_empty(&s->ready)) {
        struct scan_job *job = list_first(&s->ready, struct scan_job, link);
        list_remove(&job->link);
        job->destroy(job);
    }
}

static void
scan_free(struct scan *s)
{
    change_clear(s);
    dir_drop(s, s->dirs);
    map_destroy(s->by_path);
    map_destroy(s->by_id);
    map_destroy(s->changes);
    timer_close(s->timer);
    timer_close(s->poll_timer);
    ignore_unref(s->fixed);
    ignore_unref(s->base);
    free(s->git_dir);
    sources_finish(&s->sources);
    free(s->root);
    free(s->above);
    void (*on_closed)(void *ctx) = s->on_closed;
    void *ctx = s->closed_ctx;
    free(s);
    if (on_closed)
        on_closed(ctx);
}

/* After a cancel: what is running comes back first. */
static void
wind_down(struct scan *s)
{
    stop(s);
    destroy_ready(s);
    if (s->n_jobs > 0)
        return;
    if (s->is_walking) {
        s->is_walking = false;
        if (!s->is_closing)
            s->events->on_walked(s->ctx, false);
    }
    if (s->is_closing && !s->is_scheduled)
        scan_free(s);
}

bool
scan_is_busy(const struct scan *s)
{
    return s->is_in_turn || s->n_walking > 0 || s->n_checking > 0 || s->base_job ||
           !list_is_empty(&s->queue) || !list_is_empty(&s->ready);
}

static void
take_turn(void *scan)
{
    struct scan *s = scan;
    s->is_scheduled = false;
    s->is_in_turn = true;
    while (!list_is_empty(&s->ready) && !s->is_paused && !s->is_cancelled) {
        struct scan_job *job = list_first(&s->ready, struct scan_job, link);
        list_remove(&job->link);
        if (!job->deliver(job))
            list_add_first(&s->ready, &job->link);
    }
    if (!s->is_cancelled)
        walk_pump(s);
    s->is_in_turn = false;
    if (s->is_cancelled)
        wind_down(s);
    else if (s->events->on_settled && !scan_is_busy(s))
        s->events->on_settled(s->ctx);
}

void
scan_schedule(struct scan *s)
{
    if (s->is_scheduled)
        return;
    s->is_scheduled = true;
    loop_defer(s->loop, take_turn, s);
}

/* ---- the walk as a whole ---- */

static void
begin_walk(struct scan *s)
{
    s->is_walking = true;
    s->n_problems = s->n_ignored = 0;
    scan_load_base(s, READ_ALL);
    change_arm(s);
}

void
scan_rescan(struct scan *s)
{
    if (s->is_cancelled || !s->is_started)
        return;
    if (s->is_walking) { // what this walk saw may be out of date: another one follows it
        s->is_rescan_wanted = true;
        return;
    }
    s->events->on_rescan(s->ctx);
    begin_walk(s);
}

/* ---- for others ---- */

static struct ignore *
parse_fixed(const struct config *config)
{
    AUTO(buf_finish) struct buf text = {0};
    for (size_t i = 0; i < config->n_ignore; i++) {
        buf_add_str(&text, config->ignore[i]);
        buf_add_char(&text, '\n');
    }
    return text.n ? ignore_parse(NULL, STR_NONE, buf_str(&text)) : NULL;
}

struct scan *
scan_open(struct loop *l, struct pool *pool, const struct config *config,
          const char *root, const struct scan_events *events, void *ctx)
{
    ASSERT_LOOP();
    struct scan *s = xnew(struct scan);
    s->loop = l;
    s->pool = pool;
    s->events = events;
    s->ctx = ctx;
    s->root = path_normalize(root);
    s->root_n = strlen(s->root);
    if (strcmp(s->root, "/") != 0)
        s->above = str_dup(path_dirname(str_of(s->root)));
    s->fixed = parse_fixed(config);
    s->by_path = map_create();
    s->by_id = map_create();
    s->changes = map_create();
    list_init(&s->queue);
    list_init(&s->unwatched);
    list_init(&s->ready);
    list_init(&s->due);
    list_init(&s->at_once);
    list_init(&s->jobs);
    s->timer = timer_open(l, on_change_timer, s);
    s->poll_timer = timer_open(l, walk_poll, s);
    s->dirs = dir_add(s, NULL, STR_NONE);
    return s;
}

void
scan_start(struct scan *s, bool with_watch)
{
    ASSERT_LOOP();
    if (s->is_cancelled || s->is_walking)
        return;
    if (with_watch && !s->is_watching_wanted) {
        s->is_watching_wanted = true;
        /* Without an inotify instance every folder is an unwatched one. */
        if (watch_open(s->loop, on_watch_change, s, &s->watch) < 0)
            s->watch = NULL;
    }
    s->is_started = true;
    begin_walk(s);
}

void
scan_pause(struct scan *s)
{
    ASSERT_LOOP();
    s->is_paused = true;
}

void
scan_resume(struct scan *s)
{
    ASSERT_LOOP();
    if (!s->is_paused)
        return;
    s->is_paused = false;
    scan_schedule(s);
}

void
scan_cancel(struct scan *s)
{
    if (!s)
        return;
    ASSERT_LOOP();
    s->is_cancelled = true;
    scan_schedule(s);
}

void
scan_recheck(struct scan *s, struct str path)
{
    ASSERT_LOOP();
    if (s->is_cancelled || path.n == 0 || path.n >= PATH_BYTES_MAX)
        return;
    AUTO(free) char *text = str_dup(path);
    AUTO(free) char *normal = path_normalize(text);
    bool is_outside = normal[0] == '/' ||
                      (strncmp(normal, "..", 2) == 0 && (!normal[2] || normal[2] == '/'));
    if (!is_outside && strcmp(normal, ".") != 0)
        change_add(s, str_of(normal), 0, false);
}

void
scan_share_watches(struct scan *s, struct watch_budget *budget)
{
    s->budget = budget;
}

struct scan_counts
scan_counts(const struct scan *s)
{
    return (struct scan_counts){s->n_watched, s->n_unwatched, s->n_ignored};
}

void
scan_close(struct scan *s, void (*on_closed)(void *ctx), void *ctx)
{
    if (!s) {
        if (on_closed)
            on_closed(ctx);
        return;
    }
    ASSERT_LOOP();
    assert(!s->is_closing);
    s->is_closing = true;
    s->on_closed = on_closed;
    s->closed_ctx = ctx;
    scan_cancel(s);
}
