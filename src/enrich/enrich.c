/* Which file is asked about next. Invariants: events of ours run from
 * on_turn() only, never from within a caller's call; each job gives one batch, unless
 * enrich_close() comes first; of one path at most one task runs. */
#include "enrich/internal.h"

#include "base/clock.h"
#include "base/mem.h"

void
enrich_job_destroy(struct enrich_job *job)
{
    if (!job)
        return;
    free(job->path);
    free(job->lang);
    free(job->language_id);
    snapshot_unref(job->text);
    arena_finish(&job->arena);
    free(job);
}

void
enrich_arm(struct enrich *e)
{
    if (!timer_is_armed(e->turn))
        timer_start(e->turn, 0, 0);
}

/* A file's hovers sent in one turn kept the loop for up to 1.6 ms, and an editor's request with it. */
bool
enrich_has_sent(const struct enrich *e)
{
    return e->leaves_processor && e->n_sent >= ENRICH_TURN_HOVERS;
}

/* ---- a server's queue ---- */

static bool
is_running(const struct server *s, const char *path)
{
    list_for_each (it, &s->running) {
        if (strcmp(list_entry(it, struct task, link)->job->path, path) == 0)
            return true;
    }
    return false;
}

static struct task *
next_waiting(struct server *s)
{
    for (int priority = ENRICH_PRIORITIES - 1; priority >= 0; priority--) {
        list_for_each (it, &s->waiting[priority]) {
            struct task *t = list_entry(it, struct task, link);
            if (!is_running(s, t->job->path))
                return t;
        }
    }
    return NULL;
}

static void
wake_parked(struct server *s, int64_t until_ms)
{
    list_for_each_safe (it, &s->parked) {
        struct task *t = list_entry(it, struct task, link);
        if (t->wake_ms <= until_ms)
            task_requeue(t);
    }
}

static bool
is_suspect_running(const struct server *s)
{
    list_for_each (it, &s->running) {
        if (list_entry(it, struct task, link)->is_suspect)
            return true;
    }
    return false;
}

/* An open document does not wait for a file to end, unless one of the two may kill the server. */
static size_t
files_window(const struct server *s, const struct task *t)
{
    if (t->is_suspect || is_suspect_running(s))
        return 1;
    return s->e->config->enrich_files_window +
           (t->job->priority == ENRICH_PRIORITIES - 1);
}

static void
pump(struct server *s, int64_t now_ms)
{
    list_for_each_safe (done, &s->running)
        task_step(list_entry(done, struct task, link));
    wake_parked(s, now_ms);
    server_wake(s);
    mute_step(s, now_ms);
    if (server_has_work(s))
        server_need(s);
    server_rest(s, now_ms);
    if (!server_may_ask(s) || now_ms < s->e->yield_until_ms)
        return;
    struct task *t;
    while ((t = next_waiting(s)) && s->n_running < files_window(s, t))
        task_start(t);
    list_for_each (it, &s->running)
        task_fill(list_entry(it, struct task, link));
    list_for_each_safe (it, &s->running) // a job of no target
        task_step(list_entry(it, struct task, link));
}

/* ---- the turn ---- */

static void
destroy(struct enrich *e)
{
    size_t at = 0;
    struct str lang;
    void *entry;
    while (map_next(e->langs, &at, &lang, &entry))
        lang_server_destroy(entry);
    map_destroy(e->langs);
    map_destroy(e->by_path);
    for (size_t i = 0; i < e->servers.n; i++)
        server_destroy(e->servers.v[i]);
    vec_finish(&e->servers);
    timer_close(e->turn);
    timer_close(e->wake);
    timer_close(e->watch);
    free(e->root);
    free(e->guard_program);
    void (*on_closed)(void *ctx) = e->on_closed;
    void *ctx = e->closed_ctx;
    free(e);
    on_closed(ctx);
}

static void
forget_path(struct enrich *e, struct task *t)
{
    if (map_get(e->by_path, str_of(t->job->path)) == t)
        map_remove(e->by_path, str_of(t->job->path));
}

static void
deliver(struct enrich *e)
{
    while (!list_is_empty(&e->done) && !e->is_closing) {
        struct task *t = list_first(&e->done, struct task, link);
        struct hover_batch *batch = steal(t->batch);
        forget_path(e, t);
        task_destroy(t);
        e->n_tasks--;
        e->is_wanted_due = true;
        e->events->on_batch(e->ctx, batch);
    }
}

static void
arm_wake(struct enrich *e, int64_t now_ms)
{
    int64_t wake_ms = INT64_MAX;
    bool has_work = false;
    for (size_t i = 0; i < e->servers.n; i++) {
        struct server *s = e->servers.v[i];
        list_for_each (it, &s->parked)
            wake_ms = MIN(wake_ms, list_entry(it, struct task, link)->wake_ms);
        wake_ms = MIN(wake_ms, server_rest_ms(s));
        if (s->mute.is_on)
            wake_ms = MIN(wake_ms, s->mute.until_ms);
        has_work |= server_has_work(s);
    }
    if (has_work && now_ms < e->yield_until_ms)
        wake_ms = MIN(wake_ms, e->yield_until_ms);
    if (has_work && !timer_is_armed(e->watch))
        timer_start(e->watch, e->watch_ms, e->watch_ms);
    else if (!has_work)
        timer_stop(e->watch);
    if (wake_ms == INT64_MAX)
        timer_stop(e->wake);
    else
        timer_start(e->wake, wake_ms > now_ms ? (uint64_t)(wake_ms - now_ms) : 0, 0);
}

static bool
has_room(const struct enrich *e)
{
    return e->n_tasks < 2 * e->config->enrich_files_window;
}

static void
on_turn(void *ctx)
{
    struct enrich *e = ctx;
    if (e->is_closing) {
        if (e->n_clients == 0)
            destroy(e);
        return;
    }
    int64_t now_ms = clock_mono_ms();
    e->n_sent = 0;
    for (size_t i = 0; i < e->servers.n; i++)
        pump(e->servers.v[i], now_ms);
    if (enrich_has_sent(e) && !timer_is_armed(e->turn))
        timer_start(e->turn, 1, 0); // 0 would be the same turn
    deliver(e);
    arm_wake(e, now_ms);
    if (e->is_server_due && !e->is_closing) {
        e->is_server_due = false;
        e->events->on_server(e->ctx);
    }
    if ((e->is_again_due || e->is_left_due) && !e->is_closing) {
        bool is_all = e->is_again_due;
        e->is_again_due = e->is_left_due = false;
        if (e->events->on_again)
            e->events->on_again(e->ctx, is_all);
    }
    if (e->is_wanted_due && has_room(e) && !e->is_closing && !e->is_paused) {
        e->is_wanted_due = false;
        e->events->on_wanted(e->ctx);
    }
    if (e->n_tasks == 0 && !e->is_idle_told && !e->is_closing) {
        e->is_idle_told = true;
        e->events->on_idle(e->ctx);
    }
}

/* ---- the owner's calls ---- */

struct enrich *
enrich_open(struct loop *l, const struct config *config, const char *root,
            const char *guard_program, const struct enrich_events *events, void *ctx)
{
    ASSERT_LOOP();
    struct enrich *e = xnew(struct enrich);
    e->loop = l;
    e->config = config;
    e->root = xstrdup(root);
    e->guard_program = xstrdup(guard_program);
    e->events = events;
    e->ctx = ctx;
    e->langs = map_create();
    e->by_path = map_create();
    list_init(&e->done);
    e->turn = timer_open(l, on_turn, e);
    e->wake = timer_open(l, on_turn, e);
    e->watch = timer_open(l, servers_watch, e);
    e->park_ms_min = ENRICH_PARK_MS_MIN;
    e->watch_ms = ENRICH_WATCH_MS;
    e->vain_ms = ENRICH_VAIN_MS;
    e->is_idle_told = true;
    return e;
}

void
enrich_submit(struct enrich *e, struct enrich_job *job)
{
    ASSERT_LOOP();
    assert(!e->is_closing);
    enrich_cancel_path(e, job->path);
    job->priority = MAX(0, MIN(job->priority, ENRICH_PRIORITIES - 1));
    struct task *t = task_create(e, job);
    e->is_idle_told = false;
    t->server = server_of(e, job->lang, job->path);
    if (!t->server || server_is_given_up(t->server)) {
        task_settle(t, t->server ? HOVER_REASON_CRASHED : HOVER_REASON_NO_SERVER);
        t->state = TASK_DONE;
        list_add(&e->done, &t->link);
    } else {
        map_put(e->by_path, str_of(job->path), t);
        list_add(&t->server->waiting[job->priority], &t->link);
    }
    enrich_arm(e);
}

void
enrich_cancel_path(struct enrich *e, const char *path)
{
    ASSERT_LOOP();
    struct task *t = map_remove(e->by_path, str_of(path));
    if (!t || t->state == TASK_DONE)
        return;
    task_cancel(t);
    if (t->state != TASK_RUNNING) {
        t->state = TASK_DONE;
        list_remove(&t->link);
        list_add(&e->done, &t->link);
    }
    enrich_arm(e);
}

size_t
enrich_waiting(const struct enrich *e)
{
    return e->n_tasks;
}

bool
enrich_has_server(struct enrich *e, const char *lang)
{
    return server_is_known(e, lang);
}

void
enrich_pause(struct enrich *e)
{
    e->is_paused = true;
}

void
enrich_resume(struct enrich *e)
{
    e->is_paused = false;
    e->is_wanted_due = true;
    enrich_arm(e);
}

bool
enrich_is_paused(const struct enrich *e)
{
    return e->is_paused;
}

void
enrich_retry(struct enrich *e)
{
    ASSERT_LOOP();
    for (size_t i = 0; i < e->servers.n; i++) {
        mute_end(e->servers.v[i]);
        if (server_is_given_up(e->servers.v[i]))
            server_close(e->servers.v[i]); // the next job opens another
    }
    servers_look_again(e);
}

void
enrich_yield(struct enrich *e)
{
    e->yield_until_ms = clock_mono_ms() + ENRICH_YIELD_MS;
    enrich_arm(e);
}

static void
drop(struct list *tasks)
{
    while (!list_is_empty(tasks))
        task_destroy(list_first(tasks, struct task, link));
}

void
enrich_close(struct enrich *e, void (*on_closed)(void *ctx), void *ctx)
{
    ASSERT_LOOP();
    assert(!e->is_closing);
    e->is_closing = true;
    e->on_closed = on_closed;
    e->closed_ctx = ctx;
    timer_stop(e->wake);
    timer_stop(e->watch);
    for (size_t i = 0; i < e->servers.n; i++) {
        struct server *s = e->servers.v[i];
        server_close(s);
        for (int priority = 0; priority < ENRICH_PRIORITIES; priority++)
            drop(&s->waiting[priority]);
        drop(&s->running);
        drop(&s->parked);
    }
    drop(&e->done);
    enrich_arm(e);
}
