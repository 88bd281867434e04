/* Which file is asked about next. The store knows what is unknown; this file keeps the order (changed
 * files before the rest), looks up a few files ahead of enrich and gives the answers to the writer.
 * A file's content is asked about once in a run of the engine: what stays unknown is not asked in a
 * circle. A buffer that is being typed in waits until it rests. */
#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "workspace/internal.h"

#define LOG_MODULE "asking"
#include "base/log.h"

/* A path in the queue. */
struct ask {
    struct list link;
    char *path;
    int priority;
};

/* A file between the look-up of its entities and enrich_submit. */
struct look_up {
    struct pool_job pool;
    struct workspace *w;
    struct enrich_job *job;
    struct snapshot *overlay;
    char *absolute;
    size_t max_file_bytes;
    bool is_same; // the text is what the entities were taken from
};

static void pump(struct workspace *w);

bool
asking_is_wanted(const struct workspace *w)
{
    if (!w->enrich || w->is_paused || !w->is_trusted || w->is_closing)
        return false;
    if (w->all->options.with_watch)
        return true;
    list_for_each (it, &w->runs)
        if (list_entry(it, struct index_run, link)->with_enrich)
            return true;
    return false;
}

bool
asking_is_idle(const struct workspace *w)
{
    return !asking_is_wanted(w) ||
           (w->has_asked_store && !w->is_asking_store && w->n_to_ask == 0 &&
            w->n_looking_up == 0 && enrich_waiting(w->enrich) == 0);
}

static bool
was_asked(struct workspace *w, struct str path)
{
    const struct known_file *known = pipeline_known(w, path, false);

    return !known || known->state != FILE_INDEXED ||
           hash128_eq(known->asked, known->content);
}

static void
enqueue(struct workspace *w, struct str path, int priority)
{
    struct ask *ask = map_get(w->to_ask_paths, path);

    if (was_asked(w, path))
        return;
    if (!ask) {
        ask = xnew(struct ask);
        ask->path = str_dup(path);
        map_put(w->to_ask_paths, path, ask);
        w->n_to_ask++;
        w->hover_files_total++;
    } else {
        list_remove(&ask->link);
    }
    ask->priority = priority;
    list_init(&ask->link);
    if (priority > 0)
        list_add_first(&w->to_ask, &ask->link);
    else
        list_add(&w->to_ask, &ask->link);
}

void
asking_forget(struct workspace *w)
{
    struct str path;
    size_t iter = 0;
    void *value;

    while (map_next(w->known, &iter, &path, &value))
        ((struct known_file *)value)->asked = (struct hash128){0};
    w->has_asked_store = false;
}

void
asking_file(struct workspace *w, struct str path)
{
    if (!asking_is_wanted(w) || !w->has_asked_store)
        return; // the store will be asked after the walk
    enqueue(w, path, documents_find(w, path) ? 2 : 1);
    pump(w);
}

static void
after_step(struct workspace *w)
{
    pump(w);
    runs_check(w);
    workspace_changed(w);
}

/* ---- what the store has without a hover ---- */

static void
on_unasked(void *ctx, struct query_result **result)
{
    struct workspace *w = ctx;

    w->is_asking_store = false;
    if (w->is_closing)
        return;
    if ((*result)->r < 0) {
        log_warn("%s: cannot read which hovers are missing: %s", w->root,
                 strerror(-(*result)->r));
    } else {
        for (size_t i = 0; i < (*result)->n_rows; i++) {
            struct str path = (*result)->rows[i].path;
            enqueue(w, path, documents_find(w, path) ? 2 : 0);
        }
    }
    w->has_asked_store = true;
    after_step(w);
}

void
asking_from_store(struct workspace *w)
{
    if (!asking_is_wanted(w) || w->has_asked_store || w->is_asking_store || !w->query)
        return;
    w->is_asking_store = true;
    query_unasked(w->query, on_unasked, w);
}

/* ---- one file: its entities, its text, then enrich ---- */

static void
look_up_destroy(struct look_up *l)
{
    enrich_job_destroy(l->job);
    snapshot_unref(l->overlay);
    free(l->absolute);
    free(l);
}

static void
text_work(struct pool_job *pool_job, unsigned worker UNUSED)
{
    struct look_up *l = container_of(pool_job, struct look_up, pool);
    struct str text;

    if (l->overlay) {
        l->job->text = snapshot_ref(l->overlay);
    } else {
        AUTO(buf_finish) struct buf buf = {0};
        size_t n;

        if (fs_read_file(l->absolute, l->max_file_bytes, &buf, NULL) < 0)
            return;
        n = buf.n;
        l->job->text = snapshot_create(buf_steal(&buf), n, 0);
    }
    text = snapshot_text(l->job->text);
    l->is_same = hash128_eq(hash128(text), l->job->content);
}

static void
on_text(struct pool_job *pool_job, bool is_cancelled)
{
    struct look_up *l = container_of(pool_job, struct look_up, pool);
    struct workspace *w = l->w;

    w->n_working--;
    w->n_looking_up--;
    if (w->is_closing) {
        look_up_destroy(l);
        workspace_part_closed(w);
        return;
    }
    if (!is_cancelled && l->is_same)
        enrich_submit(w->enrich, steal(l->job));
    else
        w->hover_files_done++; // it changed: its commit will bring it back
    look_up_destroy(l);
    after_step(w);
}

static void
add_targets(struct enrich_job *job, const struct query_result *result)
{
    job->targets =
        arena_calloc(&job->arena, MAX(result->n_rows, (size_t)1), sizeof(*job->targets));
    for (size_t i = 0; i < result->n_rows; i++) {
        const struct entity_row *row = &result->rows[i];

        if (row->hover.state != HOVER_UNKNOWN && !row->hover.stale)
            continue;
        job->targets[job->n_targets++] = (struct hover_target){
            .key = arena_str(&job->arena, row->key),
            .at = row->e.name_range.start,
        };
    }
}

static struct look_up *
look_up_create(struct workspace *w, const struct query_result *result)
{
    const struct lang *lang = lang_by_key_prefix(result->file.lang);
    struct doc *doc = documents_find(w, result->file.path);
    struct look_up *l = xnew(struct look_up);

    l->w = w;
    l->job = xnew(struct enrich_job);
    l->job->path = str_dup(result->file.path);
    l->job->lang = str_dup(result->file.lang);
    l->job->language_id = xstrdup(doc    ? doc->language_id
                                  : lang ? lang_language_id(lang, result->file.path)
                                         : "plaintext");
    l->job->content = result->file.content;
    l->job->priority = doc ? 2 : 0;
    add_targets(l->job, result);
    l->overlay = doc ? snapshot_ref(doc->text) : NULL;
    l->absolute = workspace_absolute(w, result->file.path);
    l->max_file_bytes = w->config->max_file_bytes;
    return l;
}

static void
on_file_rows(void *ctx, struct query_result **result)
{
    struct workspace *w = ctx;
    struct known_file *known;
    struct look_up *l;

    if (w->is_closing)
        return;
    if ((*result)->r == 0 && (known = pipeline_known(w, (*result)->file.path, false))) {
        l = look_up_create(w, *result);
        known->asked = l->job->content;
        if (l->job->n_targets > 0) {
            w->n_working++;
            pool_submit(w->all->pool, POOL_BULK, &l->pool, text_work, on_text);
            return;
        }
        look_up_destroy(l);
    }
    w->n_looking_up--;
    w->hover_files_done++;
    after_step(w);
}

static bool
is_typed_in(struct workspace *w, struct str path)
{
    const struct doc *doc = documents_find(w, path);

    return doc && doc->changed_ms &&
           clock_mono_ms() - doc->changed_ms < WORKSPACE_TYPING_MS;
}

/* In an engine a language without a server is left as it is; a run that was asked to enrich records it. */
static bool
is_askable(struct workspace *w, struct str path)
{
    const struct lang *lang = lang_of_file(path, STR_NONE);

    if (!lang || !w->all->options.with_watch)
        return true;
    return enrich_has_server(w->enrich, lang->key_prefix);
}

static void
ask_destroy(struct workspace *w, struct ask *ask)
{
    map_remove(w->to_ask_paths, str_of(ask->path));
    list_remove(&ask->link);
    w->n_to_ask--;
    free(ask->path);
    free(ask);
}

static void
pump(struct workspace *w)
{
    if (!asking_is_wanted(w) || !w->query)
        return;
    list_for_each_safe (it, &w->to_ask) {
        struct ask *ask = list_entry(it, struct ask, link);
        struct str path = str_of(ask->path);

        if (w->n_looking_up + enrich_waiting(w->enrich) >= WORKSPACE_ENRICH_AHEAD)
            return;
        if (is_typed_in(w, path)) {
            timer_start(w->typing_timer, WORKSPACE_TYPING_MS, 0);
            continue;
        }
        if (was_asked(w, path) || !is_askable(w, path)) {
            w->hover_files_done++;
        } else {
            w->n_looking_up++;
            query_file(w->query, path, on_file_rows, w);
        }
        ask_destroy(w, ask);
    }
}

/* ---- what enrich says ---- */

static void
on_hovers_stored(void *ctx, int r, struct event *event UNUSED)
{
    if (r < 0)
        pipeline_not_stored(ctx, "hovers", r);
}

static void
on_batch(void *ctx, struct hover_batch *batch)
{
    struct workspace *w = ctx;

    w->hover_files_done++;
    writer_put_hovers(w->writer, batch, on_hovers_stored, w);
    workspace_changed(w);
}

static void
on_wanted(void *ctx)
{
    struct workspace *w = ctx;

    if (!w->is_closing)
        after_step(w);
}

static void
on_server(void *ctx)
{
    workspace_changed(ctx);
}

static const struct enrich_events enrich_events = {
    .on_batch = on_batch,
    .on_wanted = on_wanted,
    .on_idle = on_wanted,
    .on_server = on_server,
};

static void
on_rested(void *ctx)
{
    after_step(ctx);
}

void
asking_init(struct workspace *w)
{
    list_init(&w->to_ask);
    w->to_ask_paths = map_create();
    w->typing_timer = timer_open(w->all->loop, on_rested, w);
}

void
asking_open(struct workspace *w)
{
    if (w->config->enrich_enabled && w->config->trusted)
        w->enrich = enrich_open(w->all->loop, w->config, w->root,
                                w->all->options.guard_program, &enrich_events, w);
}

void
asking_finish(struct workspace *w)
{
    list_for_each_safe (it, &w->to_ask)
        ask_destroy(w, list_entry(it, struct ask, link));
    map_destroy(w->to_ask_paths);
    timer_close(w->typing_timer);
}

void
asking_trust(struct workspace *w)
{
    if (w->is_trusted)
        return;
    w->is_trusted = true;
    asking_from_store(w);
    after_step(w);
}

void
workspace_pause(struct workspace *w)
{
    ASSERT_LOOP();
    w->is_paused = true;
    if (w->enrich)
        enrich_pause(w->enrich);
    runs_check(w);
    workspace_changed(w);
}

void
workspace_resume(struct workspace *w)
{
    ASSERT_LOOP();
    w->is_paused = false;
    if (w->enrich)
        enrich_resume(w->enrich);
    asking_from_store(w);
    after_step(w);
}
