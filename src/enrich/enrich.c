/* Which file is asked about next, and of whom. Invariants: events of ours run from
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

/* ---- servers ---- */

static bool
may_ask(const struct server *s)
{
    return !s->e->is_paused && s->client && client_state(s->client) == CLIENT_READY;
}

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

static void
pump(struct server *s)
{
    list_for_each_safe (done, &s->running)
        task_step(list_entry(done, struct task, link));
    wake_parked(s, clock_mono_ms());
    if (!may_ask(s))
        return;
    struct task *t;
    while (s->n_running < s->e->config->enrich_files_window && (t = next_waiting(s)))
        task_start(t);
    list_for_each (it, &s->running)
        task_fill(list_entry(it, struct task, link));
    list_for_each_safe (it, &s->running) // a job of no target
        task_step(list_entry(it, struct task, link));
}

/* Everything that waits or runs; in flight is nothing, for the client is down. */
static void
abandon(struct server *s)
{
    struct list all;
    list_init(&all);
    for (int priority = 0; priority < ENRICH_PRIORITIES; priority++)
        list_splice(&all, &s->waiting[priority]);
    list_splice(&all, &s->parked);
    list_for_each_safe (it, &all) {
        struct task *t = list_entry(it, struct task, link);
        task_settle(t, HOVER_REASON_CRASHED);
        t->state = TASK_DONE;
        list_remove(it);
        list_add(&s->e->done, it);
    }
}

static void
on_state(void *ctx, enum client_state state, const char *why)
{
    (void)why;
    struct server *s = ctx;
    if (state == CLIENT_BACKOFF || state == CLIENT_GIVEN_UP) {
        s->is_silent = false;
        while (!list_is_empty(&s->running))
            task_requeue(list_entry(s->running.prev, struct task, link));
        if (state == CLIENT_GIVEN_UP)
            abandon(s);
    }
    s->e->is_server_due = true;
    enrich_arm(s->e);
}

static void
on_quiescent(void *ctx)
{
    struct server *s = ctx;
    wake_parked(s, INT64_MAX);
    enrich_arm(s->e);
}

static const struct client_events client_events = {.on_state = on_state,
                                                   .on_quiescent = on_quiescent};

static struct server *
server_create(struct enrich *e, const struct client_spec *spec, char *program)
{
    struct server *s = xnew(struct server);
    s->e = e;
    s->spec = *spec;
    s->program = program;
    for (int priority = 0; priority < ENRICH_PRIORITIES; priority++)
        list_init(&s->waiting[priority]);
    list_init(&s->running);
    list_init(&s->parked);
    *vec_push(&e->servers) = s;
    return s;
}

/* One server may be that of several languages. */
static struct server *
look_for_server(struct enrich *e, const char *lang)
{
    struct client_spec spec;
    char *program;
    if (!client_spec_for(e->config, str_of(lang), &spec, &program))
        return NULL;
    for (size_t i = 0; i < e->servers.n; i++) {
        if (strcmp(e->servers.v[i]->spec.name, spec.name) == 0) {
            free(program);
            return e->servers.v[i];
        }
    }
    return server_create(e, &spec, program);
}

static struct server *
server_of(struct enrich *e, const char *lang)
{
    struct lang_server *entry = map_get(e->langs, str_of(lang));
    int64_t now_ms = clock_mono_ms();
    if (!entry) {
        entry = xnew(struct lang_server);
        map_put(e->langs, str_of(lang), entry);
    } else if (entry->server || now_ms - entry->looked_ms < ENRICH_LOOK_AGAIN_MS) {
        return entry->server;
    }
    entry->looked_ms = now_ms;
    entry->server = look_for_server(e, lang);
    return entry->server;
}

static void
need_client(struct server *s)
{
    struct enrich *e = s->e;
    if (!s->client) {
        struct client_options options = {.spec = &s->spec,
                                         .program = s->program,
                                         .root = e->root,
                                         .guard_program = e->guard_program,
                                         .deadline_ms = e->config->enrich_deadline_ms};
        s->client = client_open(e->loop, &options, &client_events, s);
        e->n_clients++;
    }
    if (client_state(s->client) == CLIENT_STOPPED)
        client_start(s->client);
}

/* ---- the turn ---- */

static void
destroy(struct enrich *e)
{
    size_t at = 0;
    struct str lang;
    void *entry;
    while (map_next(e->langs, &at, &lang, &entry))
        free(entry);
    map_destroy(e->langs);
    map_destroy(e->by_path);
    for (size_t i = 0; i < e->servers.n; i++) {
        free(e->servers.v[i]->program);
        free(e->servers.v[i]);
    }
    vec_finish(&e->servers);
    timer_close(e->turn);
    timer_close(e->wake);
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
arm_wake(struct enrich *e)
{
    int64_t wake_ms = INT64_MAX;
    for (size_t i = 0; i < e->servers.n; i++) {
        list_for_each (it, &e->servers.v[i]->parked)
            wake_ms = MIN(wake_ms, list_entry(it, struct task, link)->wake_ms);
    }
    if (wake_ms == INT64_MAX) {
        timer_stop(e->wake);
        return;
    }
    int64_t wait_ms = wake_ms - clock_mono_ms();
    timer_start(e->wake, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
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
    for (size_t i = 0; i < e->servers.n; i++)
        pump(e->servers.v[i]);
    deliver(e);
    arm_wake(e);
    if (e->is_server_due && !e->is_closing) {
        e->is_server_due = false;
        e->events->on_server(e->ctx);
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
    t->server = server_of(e, job->lang);
    if (t->server)
        need_client(t->server);
    if (!t->server || client_state(t->server->client) == CLIENT_GIVEN_UP) {
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
    return server_of(e, lang) != NULL;
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

static struct server *
started_at(const struct enrich *e, size_t index)
{
    for (size_t i = 0; i < e->servers.n; i++) {
        if (e->servers.v[i]->client && index-- == 0)
            return e->servers.v[i];
    }
    return NULL;
}

bool
enrich_server_at(const struct enrich *e, size_t index,
                 struct enrich_server_status *ret_status)
{
    struct server *s = started_at(e, index);
    if (!s || e->is_closing)
        return false;
    struct client_stats stats = client_stats(s->client);
    memcpy(s->version, stats.version, sizeof(s->version));
    *ret_status = (struct enrich_server_status){
        .name = s->spec.name,
        .program = s->program,
        .state = client_state_name(client_state(s->client)),
        .why = client_why(s->client),
        .version = s->version,
        .pid = stats.pid,
        .rss_bytes = stats.rss_bytes,
        .requests = stats.requests,
        .answers = stats.answers,
        .timeouts = stats.timeouts,
        .errors = stats.errors,
        .restarts = stats.restarts,
        .pending = stats.pending,
    };
    return true;
}

static void
on_client_closed(void *ctx)
{
    struct enrich *e = ctx;
    e->n_clients--;
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
    for (size_t i = 0; i < e->servers.n; i++) {
        struct server *s = e->servers.v[i];
        if (s->client)
            client_close(steal(s->client), on_client_closed, e);
        for (int priority = 0; priority < ENRICH_PRIORITIES; priority++)
            drop(&s->waiting[priority]);
        drop(&s->running);
        drop(&s->parked);
    }
    drop(&e->done);
    enrich_arm(e);
}
