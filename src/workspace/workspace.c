/* Life of one workspace: its parts are opened in the order data flows and closed in the same order,
 * so that nothing is produced for a part that is gone; but readers close before the writer, whose last
 * news find no query. Closing is asynchronous: closing_parts counts what has not reported back. */
#include "base/err.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/uri.h"
#include "workspace/internal.h"

#define LOG_MODULE "workspace"
#include "base/log.h"

#define NOTIFY_MS 100 // listeners are told at most this often

struct workspace_listener {
    struct list link;
    struct workspace *w;
    void (*on_change)(void *ctx);
    void *ctx;
};

static const char *const state_names[] = {
    [WORKSPACE_OPENING] = "opening",     [WORKSPACE_INDEXING] = "indexing",
    [WORKSPACE_ENRICHING] = "enriching", [WORKSPACE_READY] = "ready",
    [WORKSPACE_PAUSED] = "paused",       [WORKSPACE_FAILED] = "failed",
    [WORKSPACE_CLOSING] = "closing",     [WORKSPACE_FOLLOWING] = "following",
};
static_assert(ARRAY_LEN(state_names) == WORKSPACE_STATE_COUNT, "a name for each state");

const char *
workspace_state_name(enum workspace_state state)
{
    return state_names[state];
}

static void
on_notify(void *ctx)
{
    struct workspace *w = ctx;

    status_publish(w);
    w->next_listener = w->listeners.next;
    while (w->next_listener != &w->listeners) {
        struct workspace_listener *l =
            list_entry(w->next_listener, struct workspace_listener, link);

        w->next_listener = l->link.next; // workspace_unlisten() may move it on
        l->on_change(l->ctx);
    }
    w->next_listener = NULL;
}

void
workspace_changed(struct workspace *w)
{
    if (!timer_is_armed(w->notify_timer))
        timer_start(w->notify_timer, NOTIFY_MS, 0);
}

struct workspace_listener *
workspace_listen(struct workspace *w, void (*on_change)(void *ctx), void *ctx)
{
    struct workspace_listener *l = xnew(struct workspace_listener);

    ASSERT_LOOP();
    l->w = w;
    l->on_change = on_change;
    l->ctx = ctx;
    list_add(&w->listeners, &l->link);
    return l;
}

void
workspace_unlisten(struct workspace_listener *l)
{
    if (!l)
        return;
    if (l->w->next_listener == &l->link)
        l->w->next_listener = l->link.next;
    list_remove(&l->link);
    free(l);
}

void
workspace_fail(struct workspace *w, const char *why)
{
    if (list_is_empty(&w->runs)) // else whoever waits for the run is told
        log_error("%s: %s", w->root, why);
    free(w->why);
    w->why = xstrdup(why);
    jobs_drop_early(w);
    runs_check(w);
    pushed_drop(w, -EIO);
    workspace_changed(w);
}

static void
tell_opened(struct workspace *w, struct str path)
{
    query_opened(w->query, path, true);
}

void
workspace_begin_writing(struct workspace *w, const struct store_info *info)
{
    w->info = *info;
    w->is_open = true;
    if (!w->query) {
        bus_set_head(w->bus, info->head);
        w->query = query_open(w->all->loop, w->all->pool, w->url);
    }
    query_changed(w->query, STR_NONE);
    documents_each(w, tell_opened);
    if (info->was_damaged)
        log_warn("%s: the index was damaged; it is set aside beside %s, and made anew",
                 w->root, w->shown);
    if (info->is_new)
        writer_put_event(w->writer, EVENT_INDEX_REBUILT, STR_NONE,
                         info->was_damaged ? STR("{\"reason\":\"damaged\"}")
                                           : STR("{\"reason\":\"new\"}"),
                         true, NULL, NULL); // before an open document's
    if (w->all->options.with_watch)
        writer_put_event(w->writer, EVENT_PIPELINE_ONLINE, STR_NONE, STR("{}"), true,
                         NULL, NULL);
    if (w->name) {
        pushed_open(w);
    } else {
        asking_open(w);
        pipeline_start(w);
    }
    jobs_open(w);
    editor_make_room(w);
    counts_refresh(w);
    timer_start(w->notify_timer, 0, 0); // requests wait for this
}

static void
on_writer_open(void *ctx, int r, const struct store_info *info, const char *why)
{
    struct workspace *w = ctx;

    if (w->is_closing)
        return;
    if (r == -EWOULDBLOCK && w->all->options.with_watch && store_can_follow(w->url)) {
        following_begin(w);
    } else if (r < 0) {
        AUTO(free)
        char *text =
            why ? xasprintf("cannot open the index: %s", why)
                : xasprintf("cannot open the index %s: %s", w->shown, err_text(r));
        workspace_fail(w, text);
        scan_cancel(w->scan);
        pipeline_drop_early(w);
    } else {
        workspace_begin_writing(w, info);
    }
}

/* Before the event is published: who hears of it and searches finds it. */
static void
tell_query(struct workspace *w, const struct event *e)
{
    bool is_of_names = e->type == EVENT_FILE_COMPLETED || e->type == EVENT_FILE_FAILED ||
                       e->type == EVENT_FILE_DELETED;
    bool is_of_rows = is_of_names || e->type == EVENT_ENTITY_ENRICHED;

    if (w->query && is_of_names)
        query_committed(w->query, e->subject);
    if (w->query && w->is_open && is_of_rows) // of others not all is told
        query_changed(w->query, e->subject);
}

void
workspace_on_commit(void *ctx, struct event *const *events, size_t n, bool is_all_told)
{
    struct workspace *w = ctx;

    if (w->query && w->is_open && !is_all_told)
        query_changed(w->query, STR_NONE);
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        w->info.head = MAX(w->info.head, events[i]->seq);
        tell_query(w, events[i]);
        bus_publish(w->bus, events[i]);
    }
    counts_refresh(w);
    workspace_changed(w);
}

static const struct writer_events writer_events = {.on_open = on_writer_open,
                                                   .on_commit = workspace_on_commit};

/* What of a URL is a path on this disk; NULL of another. */
static const char *
path_of_url(const char *url)
{
    static const struct str schemes[] = {{"sqlite:", 7}, {"rocksdb:", 8}};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (str_starts_with(str_of(url), schemes[i]))
            return url + schemes[i].n;
    return NULL;
}

const char *
workspace_maker(const struct workspace *w)
{
    return w->name ? NULL : lang_maker();
}

/* Where --db names one file, which is a folder's, others lie beside it. */
static char *
pushed_url(const char *given, const char *name)
{
    AUTO(free) char *root = xasprintf(WORKSPACE_PUSHED "%s", name);

    return given && path_of_url(given) ? xasprintf("%s-%s", given, name)
                                       : config_index_url(given, root);
}

const char *
workspace_index_path(const struct workspace *w)
{
    return path_of_url(w->url);
}

bool
workspace_pushed_is_there(const struct workspaces *all, const char *name)
{
    AUTO(free) char *url = pushed_url(all->options.db_url, name);
    const char *path = path_of_url(url);

    return path && fs_exists(path);
}

/* <state>/gloss/<name>-<id>/index.db, unless --db says another place; in memory each folder has its own.
 * True when there is an index already, or nobody can tell. */
static bool
choose_url(struct workspace *w)
{
    const char *given = w->all->options.db_url, *path;
    bool is_memory = given && strcmp(given, "mem:") == 0;
    AUTO(free) char *name = random_hex(16);

    w->url = is_memory ? xasprintf("mem:%s", name)
             : w->name ? pushed_url(given, w->name)
                       : config_index_url(given, w->root);
    w->shown = uri_public(w->url);
    path = path_of_url(w->url);
    if (!path)
        return !is_memory;
    w->own_index = path_below(str_of(w->root), str_of(path));
    return fs_exists(path);
}

void
workspace_destroy(struct workspace *w)
{
    assert(list_is_empty(&w->listeners));
    pipeline_finish(w);
    documents_finish(w);
    asking_finish(w);
    jobs_destroy(w->background);
    timer_close(w->notify_timer);
    timer_close(w->counts_timer);
    bus_destroy(w->bus);
    config_destroy(w->own_config);
    free(w->why);
    free(w->url);
    free(w->shown);
    free(w->root);
    free(w->name);
    free(w);
}

static void
know_path(void *to, struct str path)
{
    known_add(to, path);
}

int
workspace_create(struct workspaces *all, char *root, const char *name,
                 struct workspace **ret_workspace)
{
    struct workspace *w = xnew(struct workspace);
    struct hash128 hash = hash128(str_of(root));
    AUTO(free) char *why = NULL;
    char hex[HASH_HEX_BYTES];
    bool is_there;
    int r = 0;

    list_init(&w->link);
    list_init(&w->runs);
    list_init(&w->listeners);
    list_init(&w->handed);
    list_init(&w->ingests);
    w->all = all;
    w->root = root;
    w->name = xstrdup(name);
    hash128_to_hex(hash, hex);
    memcpy(w->id, hex, WORKSPACE_ID_BYTES - 1);
    if (!name)
        r = config_for_workspace(all->options.config, root, &w->own_config, &why);
    if (r < 0)
        log_warn("ignoring the workspace's own settings: %s", why);
    w->config = w->own_config ? w->own_config : all->options.config;
    w->bus = bus_create();
    w->notify_timer = timer_open(all->loop, on_notify, w);
    documents_init(w);
    pipeline_init(w);
    asking_init(w);
    w->background = jobs_create(w);
    *ret_workspace = w;
    if (all->options.sink) {
        w->is_open = w->info.is_new = true;
        if (all->options.sink->each_known)
            all->options.sink->each_known(all->options.sink->ctx, know_path, w->known);
        pipeline_start_early(w);
        pipeline_start(w);
        return 0;
    }
    is_there = choose_url(w);
    w->writer =
        writer_open(all->loop, w->url, w->root, workspace_maker(w), &writer_events, w);
    if (!is_there && !name)
        pipeline_start_early(w);
    return 0;
}

/* ---- closing: scan and servers, then jobs, then readers, then the writer ---- */

static void
finish_closing(struct workspace *w)
{
    struct workspaces *all = w->all;

    runs_finish(w);
    on_notify(w);
    timer_stop(w->notify_timer);
    if (pushed_gone(w))
        return;
    workspaces_forget(all, w);
    workspace_destroy(w);
}

static void
on_writer_closed(void *ctx)
{
    struct workspace *w = ctx;

    w->writer = NULL;
    finish_closing(w);
}

/* The writer comes last: beside a reader it could not empty its log, and what it wrote would not be in one file. */
static void
on_query_closed(void *ctx)
{
    struct workspace *w = ctx;

    w->query = NULL;
    if (!w->writer) {
        finish_closing(w);
        return;
    }
    if (w->is_open && w->all->options.with_watch)
        writer_put_event(w->writer, EVENT_PIPELINE_OFFLINE, STR_NONE, STR("{}"), false,
                         NULL, NULL);
    writer_close(w->writer, on_writer_closed, w);
}

void
workspace_part_closed(void *ctx)
{
    struct workspace *w = ctx;

    assert(w->closing_parts > 0);
    if (--w->closing_parts > 0)
        return;
    if (w->siblings)
        siblings_rest(w->siblings); // its worker is done
    if (w->query)
        query_close(w->query, on_query_closed, w);
    else
        on_query_closed(w);
}

void
workspace_close(struct workspace *w)
{
    if (w->is_closing)
        return;
    w->is_closing = true;
    w->closing_parts = 1 + (unsigned)w->n_working + w->n_leftovers;
    following_close(w);
    timer_stop(w->retry_timer);
    timer_stop(w->typing_timer);
    timer_stop(w->unasked_timer);
    if (w->scan) {
        w->closing_parts++;
        scan_close(w->scan, workspace_part_closed, w);
        w->scan = NULL;
    }
    handed_close(w);
    jobs_close(w);
    pushed_drop(w, -ESHUTDOWN);
    if (!w->is_open)
        pipeline_drop_early(w);
    if (w->enrich) {
        w->closing_parts++;
        enrich_close(w->enrich, workspace_part_closed, w);
        w->enrich = NULL;
    }
    workspace_changed(w);
    workspace_part_closed(w);
}

/* ---- what it is ---- */

const char *
workspace_id(const struct workspace *w)
{
    return w->id;
}

const char *
workspace_root(const struct workspace *w)
{
    return w->root;
}

const char *
workspace_epoch(const struct workspace *w)
{
    return w->info.epoch;
}

int64_t
workspace_first_seq(const struct workspace *w)
{
    return w->info.first_seq;
}

const char *
workspace_why(const struct workspace *w)
{
    return w->why;
}

struct bus *
workspace_bus(const struct workspace *w)
{
    return w->bus;
}

struct query *
workspace_query(const struct workspace *w)
{
    return w->is_closing ? NULL : w->query;
}

enum workspace_state
workspace_state(const struct workspace *w)
{
    if (w->is_closing || w->is_deleted)
        return WORKSPACE_CLOSING;
    if (w->why)
        return WORKSPACE_FAILED;
    if (following_is_begun(w))
        return WORKSPACE_FOLLOWING;
    if (!w->is_open)
        return WORKSPACE_OPENING;
    if (!pipeline_is_idle(w))
        return WORKSPACE_INDEXING;
    if (w->is_paused)
        return WORKSPACE_PAUSED;
    return asking_is_idle(w) ? WORKSPACE_READY : WORKSPACE_ENRICHING;
}

struct str
workspace_relative(const struct workspace *w, const char *absolute)
{
    return path_below(str_of(w->root), str_of(absolute));
}

char *
workspace_absolute(const struct workspace *w, struct str relative)
{
    AUTO(free) char *rest = str_dup(relative);

    return path_join(w->root, rest);
}

struct workspace_progress
workspace_progress(const struct workspace *w)
{
    return (struct workspace_progress){
        .files_done = w->walk_done,
        .files_total = w->walk_files,
        .hover_files_done = w->hover_files_done,
        .hover_files_total = w->hover_files_total,
    };
}
