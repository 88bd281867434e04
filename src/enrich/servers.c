/* Who is asked: for a language and a root the first server that is installed, one process
 * each, started when a file of it waits and ended when it rested long enough or grew too
 * large. Invariants: a server of ours never goes away before enrich does, only its client
 * comes and goes; at most one client of a server lives, the next is not opened before the
 * last one's process is gone. */
#include "enrich/internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"

bool
server_may_ask(const struct server *s)
{
    return !s->e->is_paused && s->client && client_state(s->client) == CLIENT_READY;
}

bool
server_is_given_up(const struct server *s)
{
    return s->client && client_state(s->client) == CLIENT_GIVEN_UP;
}

bool
server_has_work(const struct server *s)
{
    bool is_any = !list_is_empty(&s->running) || !list_is_empty(&s->parked);
    for (int priority = 0; priority < ENRICH_PRIORITIES; priority++)
        is_any |= !list_is_empty(&s->waiting[priority]);
    return is_any;
}

/* ---- what a client tells ---- */

static void
requeue_all(struct list *tasks)
{
    while (!list_is_empty(tasks))
        task_requeue(list_entry(tasks->prev, struct task, link));
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

/* It is that of all its roots: the same program, settings and options. */
static void
take_key(struct server *s)
{
    for (size_t i = 0; i < s->e->servers.n; i++) {
        struct server *other = s->e->servers.v[i];
        if (strcmp(other->spec.name, s->spec.name) == 0)
            other->key = client_server_key(s->client);
    }
}

static void
on_state(void *ctx, enum client_state state, const char *why)
{
    (void)why;
    struct server *s = ctx;
    if (state == CLIENT_BACKOFF || state == CLIENT_GIVEN_UP) {
        s->is_silent = false;
        s->n_silent = 0;
        s->has_unready = false;
        s->n_again = 0;
        s->n_good = 0;
        window_init(&s->window, (uint32_t)s->e->config->enrich_requests_window);
        requeue_all(&s->running);
        if (state == CLIENT_GIVEN_UP)
            abandon(s);
    }
    if (state == CLIENT_READY)
        take_key(s);
    s->e->is_server_due = true;
    enrich_arm(s->e);
}

static void
on_quiescent(void *ctx)
{
    struct server *s = ctx;
    mute_lift(s);
    requeue_all(&s->parked);
    list_for_each (it, &s->running)
        task_ask_again(list_entry(it, struct task, link));
    if (s->has_unready && s->n_again < ENRICH_AGAIN) {
        s->n_again++;
        s->e->is_again_due = true;
    }
    s->has_unready = false;
    enrich_arm(s->e);
}

static const struct client_events client_events = {.on_state = on_state,
                                                   .on_quiescent = on_quiescent};

/* ---- which one ---- */

static struct server *
server_create(struct enrich *e, const struct client_spec *spec, const char *program,
              const char *root)
{
    struct server *s = xnew(struct server);
    s->e = e;
    s->spec = *spec;
    s->program = xstrdup(program);
    s->root = xstrdup(root);
    for (int priority = 0; priority < ENRICH_PRIORITIES; priority++)
        list_init(&s->waiting[priority]);
    list_init(&s->running);
    list_init(&s->parked);
    window_init(&s->window, (uint32_t)e->config->enrich_requests_window);
    *vec_push(&e->servers) = s;
    return s;
}

void
server_destroy(struct server *s)
{
    free(s->program);
    free(s->root);
    free(s->why);
    free(s);
}

/* One server may be that of several languages, and of several roots. */
static struct server *
server_at_root(struct enrich *e, const struct client_spec *spec, const char *program,
               const char *root)
{
    size_t n = 0;
    for (size_t i = 0; i < e->servers.n; i++) {
        struct server *s = e->servers.v[i];
        if (strcmp(s->spec.name, spec->name) != 0)
            continue;
        if (strcmp(s->root, root) == 0)
            return s;
        n++;
    }
    if (n + 1 >= ENRICH_ROOTS_MAX && strcmp(root, e->root) != 0)
        return server_at_root(e, spec, program, e->root);
    return server_create(e, spec, program, root);
}

void
servers_look_again(struct enrich *e)
{
    size_t at = 0;
    struct str lang;
    void *entry;

    while (map_next(e->langs, &at, &lang, &entry))
        ((struct lang_server *)entry)->is_looked_up = false;
}

static struct lang_server *
look_for_server(struct enrich *e, const char *lang)
{
    struct lang_server *entry = map_get(e->langs, str_of(lang));
    int64_t now_ms = clock_mono_ms();
    if (!entry) {
        entry = xnew(struct lang_server);
        map_put(e->langs, str_of(lang), entry);
    } else if (entry->program || (entry->is_looked_up &&
                                  now_ms - entry->looked_ms < ENRICH_LOOK_AGAIN_MS)) {
        return entry;
    }
    entry->looked_ms = now_ms;
    entry->is_looked_up = true;
    client_spec_for(e->config, e->root, str_of(lang), &entry->spec, &entry->program);
    return entry;
}

bool
server_is_known(struct enrich *e, const char *lang)
{
    return look_for_server(e, lang)->program != NULL;
}

static void
forget_roots(struct lang_server *entry)
{
    size_t at = 0;
    struct str folder;
    void *root;
    while (entry->roots && map_next(entry->roots, &at, &folder, &root))
        free(root);
    map_destroy(steal(entry->roots));
}

void
lang_server_destroy(struct lang_server *entry)
{
    forget_roots(entry);
    free(entry->program);
    free(entry);
}

/* Asking the file system for each file would cost more than the file; a marker that comes
 * or goes is seen with the next look. */
static const char *
root_of(struct enrich *e, struct lang_server *entry, const char *path)
{
    struct str folder = path_dirname(str_of(path));
    int64_t now_ms = clock_mono_ms();
    if (now_ms - entry->roots_ms >= ENRICH_LOOK_AGAIN_MS || !entry->roots) {
        forget_roots(entry);
        entry->roots = map_create();
        entry->roots_ms = now_ms;
    }
    char *root = map_get(entry->roots, folder);
    if (!root) {
        root = client_root_for(&entry->spec, e->root, path);
        map_put(entry->roots, folder, root);
    }
    return root;
}

uint64_t
enrich_server_key(const struct enrich *e, const char *lang)
{
    const struct lang_server *entry = map_get(e->langs, str_of(lang));
    if (!entry || !entry->program)
        return 0;
    for (size_t i = 0; i < e->servers.n; i++) {
        const struct server *s = e->servers.v[i];
        if (s->key && strcmp(s->spec.name, entry->spec.name) == 0)
            return s->key;
    }
    return 0;
}

struct server *
server_of(struct enrich *e, const char *lang, const char *path)
{
    struct lang_server *entry = look_for_server(e, lang);
    if (!entry->program)
        return NULL;
    return server_at_root(e, &entry->spec, entry->program, root_of(e, entry, path));
}

/* ---- its process ---- */

void
server_wake(struct server *s)
{
    if (s->n_silent < ENRICH_SILENT || !s->has_answered || !s->client ||
        !client_is_quiescent(s->client))
        return;
    s->n_silent = 0;
    client_fail(s->client, "it does not answer any more");
}

void
server_need(struct server *s)
{
    struct enrich *e = s->e;
    if (s->is_ending)
        return; // on_client_closed() arms the turn that comes back here
    if (!s->client) {
        struct client_options options = {.spec = &s->spec,
                                         .program = s->program,
                                         .root = s->root,
                                         .workspace_root = e->root,
                                         .guard_program = e->guard_program,
                                         .deadline_ms = e->config->enrich_deadline_ms,
                                         .backoff_ms_min = e->backoff_ms_min};
        s->client = client_open(e->loop, &options, &client_events, s);
        client_leave_processor(s->client, e->leaves_processor);
        e->n_clients++;
        free(steal(s->why));
    }
    if (client_state(s->client) == CLIENT_STOPPED)
        client_start(s->client);
}

static void
on_client_closed(void *ctx)
{
    struct server *s = ctx;
    s->is_ending = false;
    s->e->n_clients--;
    s->e->is_server_due = true;
    enrich_arm(s->e);
}

static void
add_stats(struct client_stats *to, const struct client_stats *from)
{
    to->requests += from->requests;
    to->answers += from->answers;
    to->timeouts += from->timeouts;
    to->errors += from->errors;
    to->restarts += from->restarts;
    memcpy(to->version, from->version, sizeof(to->version));
}

void
server_close(struct server *s)
{
    if (!s->client)
        return;
    struct client_stats stats = client_stats(s->client);
    add_stats(&s->past, &stats);
    s->is_ending = true;
    s->has_unready = false;
    s->n_again = 0;
    s->n_good = 0;
    client_close(steal(s->client), on_client_closed, s);
}

int64_t
server_rest_ms(const struct server *s)
{
    uint64_t idle_s = s->e->config->enrich_server_idle_s;
    if (!s->client || !s->idle_since_ms || idle_s == 0 || server_is_given_up(s))
        return INT64_MAX;
    return s->idle_since_ms + (int64_t)idle_s * 1000;
}

void
server_rest(struct server *s, int64_t now_ms)
{
    if (server_has_work(s))
        s->idle_since_ms = 0;
    else if (s->idle_since_ms == 0)
        s->idle_since_ms = now_ms;
    if (now_ms < server_rest_ms(s))
        return;
    s->why = xasprintf("it had nothing to do for %" PRIu64 " s, and starts when needed",
                       s->e->config->enrich_server_idle_s);
    s->idle_since_ms = 0;
    server_close(s);
}

void
enrich_leave_processor(struct enrich *e, bool is_left)
{
    ASSERT_LOOP();
    if (e->leaves_processor == is_left)
        return;
    e->leaves_processor = is_left;
    for (size_t i = 0; i < e->servers.n; i++)
        if (e->servers.v[i]->client)
            client_leave_processor(e->servers.v[i]->client, is_left);
}

/* Only those at work: what rests does not grow. */
void
servers_watch(void *ctx)
{
    struct enrich *e = ctx;
    uint64_t max_bytes = e->config->enrich_server_memory_bytes;
    for (size_t i = 0; i < e->servers.n && max_bytes > 0; i++) {
        struct server *s = e->servers.v[i];
        if (!s->client || !server_has_work(s))
            continue;
        uint64_t rss_bytes = client_stats(s->client).rss_bytes;
        if (rss_bytes <= max_bytes)
            continue;
        AUTO(free)
        char *why = xasprintf("it took %" PRIu64 " MiB of memory, more than the %" PRIu64
                              " MiB of enrich.server_memory_bytes",
                              rss_bytes >> 20, max_bytes >> 20);
        client_fail(s->client, why);
    }
}

/* ---- status ---- */

static struct server *
started_at(const struct enrich *e, size_t index)
{
    for (size_t i = 0; i < e->servers.n; i++) {
        const struct server *s = e->servers.v[i];
        if ((s->client || s->why) && index-- == 0)
            return e->servers.v[i];
    }
    return NULL;
}

static void
add_state(const struct server *s, struct enrich_server_status *status)
{
    enum client_state state = s->client ? client_state(s->client) : CLIENT_STOPPED;
    status->state = client_state_name(state);
    status->why = s->client ? client_why(s->client) : s->why;
    if (state == CLIENT_READY && s->mute.is_on) {
        status->state = "not_answering";
        status->why = "it says nothing of what it is asked; open documents are asked "
                      "about, the rest now and then";
    }
}

bool
enrich_server_at(const struct enrich *e, size_t index,
                 struct enrich_server_status *ret_status)
{
    struct server *s = started_at(e, index);
    if (!s || e->is_closing)
        return false;
    struct client_stats stats =
        s->client ? client_stats(s->client) : (struct client_stats){0};
    AUTO(free) char *now = xstrdup(s->client ? stats.version : s->past.version);
    add_stats(&stats, &s->past);
    snprintf(s->version, sizeof(s->version), "%s", now);
    *ret_status = (struct enrich_server_status){
        .name = s->spec.name,
        .program = s->program,
        .root = s->root,
        .version = s->version,
        .pid = stats.pid,
        .rss_bytes = stats.rss_bytes,
        .requests = stats.requests,
        .answers = stats.answers,
        .timeouts = stats.timeouts,
        .errors = stats.errors,
        .restarts = stats.restarts,
        .pending = stats.pending,
        .window = window_size(&s->window),
        .best_us = s->window.best_us,
    };
    add_state(s, ret_status);
    return true;
}
