/* Which file is asked about next. The store knows what is unknown, asks.c has the order; this file looks
 * up a few files of each language ahead of enrich and gives the answers to the writer; the few are counted until the commit, so the writer's queue stays bounded.
 * A file's content is asked about once in a run of the engine: what stays unknown is not asked in a
 * circle, but what we took back ourselves is. A buffer that is being typed in waits until it rests. */
#include "base/clock.h"
#include "base/mem.h"
#include "workspace/internal.h"

#define LOG_MODULE "asking"
#include "base/log.h"

#define UNASKED_SLICE 256 // files of the index at a time

/* Answers on their way to the index. */
struct storing {
    struct workspace *w;
    char *path;
    struct hash128 content;
    bool is_cancelled; // some were taken back: the file changed, or seemed to
    bool is_part;      // the file's other hovers are being asked for
    bool has_word;     // something was said of one
};

static void pump(struct workspace *w);

static bool
is_wanted(const struct workspace *w)
{
    if (!w->enrich || w->is_paused || !w->is_trusted || w->is_closing || w->is_stuck)
        return false;
    return w->all->options.with_watch || runs_want_enrich(w);
}

bool
asking_is_idle(const struct workspace *w)
{
    return !is_wanted(w) || (w->has_asked_store && !w->is_asking_store &&
                             w->n_asking_all == 0 && asks_count(w->asks) == 0);
}

/* The queue of a path: by its name alone, so that it is the same at each step. */
static size_t
lang_index(struct str path)
{
    const struct lang *lang = lang_of_file(path, STR_NONE);

    return lang ? lang->index : LANG_COUNT_MAX;
}

static void
asking_begins(struct workspace *w, struct str path)
{
    w->n_asking[lang_index(path)]++;
    w->n_asking_all++;
}

static void
asking_ends(struct workspace *w, struct str path)
{
    w->n_asking[lang_index(path)]--;
    w->n_asking_all--;
    w->hover_files_done++;
}

static bool
was_asked(struct workspace *w, struct str path)
{
    const struct known_file *known = known_find(w->known, path);

    return !known || known->state != FILE_INDEXED || known->was_asked ||
           hash128_eq(known->content, (struct hash128){0}); // not read yet
}

static void
enqueue(struct workspace *w, struct str path, enum ask_rank rank)
{
    bool is_first = w->n_asking_all == 0 && asks_count(w->asks) == 0;

    if (was_asked(w, path))
        return;
    if (documents_find(w, path))
        rank = ASK_OPEN;
    if (!asks_put(w->asks, path, lang_index(path), rank))
        return;
    if (is_first)
        w->hover_files_done = w->hover_files_total = 0;
    w->hover_files_total++;
}

void
asking_forget(struct workspace *w)
{
    struct str path;
    struct known_file *known;
    size_t iter = 0;

    while (known_next(w->known, &iter, &path, &known))
        if (known->n_asking == 0)
            known->was_asked = false;
    w->has_asked_store = false;
    if (w->enrich)
        enrich_retry(w->enrich);
}

/* Else the store will be asked after the walk, or when it is wanted again. */
static bool
is_begun(const struct workspace *w)
{
    return is_wanted(w) && (w->has_asked_store || w->is_asking_store);
}

void
asking_file(struct workspace *w, struct str path)
{
    struct known_file *known = known_find(w->known, path);

    if (known && known->is_due_again && known->n_asking == 0) {
        known->is_due_again = false;
        known->was_asked = false;
    }
    if (is_begun(w)) {
        enqueue(w, path, ASK_LATELY);
        pump(w);
    }
}

void
asking_opened(struct workspace *w, struct str path)
{
    asks_open(w->asks, path);
}

static bool
is_mute(const struct workspace *w, const struct lang *lang, struct str path)
{
    AUTO(free) char *name = str_dup(path);

    return enrich_is_mute(w->enrich, lang->key_prefix, name);
}

/* In an engine a file whose server is missing or mute is left as it is; a run that was asked to enrich records it. */
static bool
is_askable(struct workspace *w, struct str path, size_t index)
{
    const struct lang *lang = lang_of_file(path, STR_NONE);

    if (!lang || !w->all->options.with_watch)
        return true;
    if (!enrich_has_server(w->enrich, lang->key_prefix)) {
        w->is_left[index] = true;
        return false;
    }
    if (w->is_left[index]) { // its server was installed since: also the other files
        w->is_left[index] = false;
        w->has_asked_store = false;
        w->is_store_newer = w->is_asking_store;
        asking_from_store(w);
    }
    return documents_find(w, path) || !is_mute(w, lang, path);
}

/* Asked before or not: whoever looks again may have it then. What is under way comes by itself. */
void
workspace_want_hovers(struct workspace *w, struct str path)
{
    struct known_file *known = known_find(w->known, path);

    ASSERT_LOOP();
    if (!is_begun(w) || !known || known->n_asking > 0 ||
        !is_askable(w, path, lang_index(path)))
        return;
    known->was_asked = false;
    enqueue(w, path, ASK_OPEN);
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
end_unasked(struct workspace *w)
{
    query_result_destroy(steal(w->unasked));
    documents_each(w, asking_opened);
    w->is_asking_store = false;
    w->has_asked_store = !w->is_store_newer;
    w->is_store_newer = false;
    asking_from_store(w);
    after_step(w);
}

/* Some at a time: an editor's request may come in between. */
static void
take_unasked(void *ctx)
{
    struct workspace *w = ctx;
    struct query_result *result = w->unasked;
    size_t end = MIN(result->n_rows, w->n_unasked + UNASKED_SLICE);

    for (; w->n_unasked < end; w->n_unasked++)
        enqueue(w, result->rows[w->n_unasked].path, ASK_REST);
    if (end < result->n_rows)
        timer_start(w->unasked_timer, 1, 0); // 0 would be the same turn
    else
        end_unasked(w);
}

static void
on_unasked(void *ctx, struct query_result **result)
{
    struct workspace *w = ctx;

    if (w->is_closing) {
        w->is_asking_store = false;
        return;
    }
    if ((*result)->r < 0)
        log_warn("%s: cannot read which hovers are missing: %s", w->root,
                 strerror(-(*result)->r));
    w->unasked = steal(*result);
    w->n_unasked = 0;
    take_unasked(w);
}

void
asking_from_store(struct workspace *w)
{
    if (!is_wanted(w) || w->has_asked_store || w->is_asking_store || !w->query)
        return;
    w->is_asking_store = true;
    query_unasked(w->query, on_unasked, w);
}

/* ---- one file: its entities, its text, then enrich ---- */

static void store_hovers(struct workspace *w, struct hover_batch *batch, bool is_part);

static struct known_file *
forget_asking(struct workspace *w, struct str path)
{
    struct known_file *known = known_find(w->known, path);

    if (known && known->n_asking > 0) // 0: it was deleted and is back
        known->n_asking--;
    return known;
}

void
asking_has_text(struct workspace *w, struct enrich_job *job, struct hover_batch *told)
{
    bool is_all = job->n_targets == 0;

    if (told)
        store_hovers(w, told, !is_all);
    if (is_all)
        enrich_job_destroy(job);
    else
        enrich_submit(w->enrich, job);
    after_step(w);
}

/* It changed: its commit will bring it back; or it did and is again as it was. */
void
asking_has_no_text(struct workspace *w, struct str path)
{
    struct known_file *known = forget_asking(w, path);

    if (known)
        known->is_due_again = true;
    asking_ends(w, path);
    after_step(w);
}

struct file_question {
    struct workspace *w;
    char *path;
    enum ask_rank rank;
    unsigned n_expiries; // of the workspace, before the question
};

/* True when there is something to ask: asking_has_text() or asking_has_no_text() follows. */
static bool
look_up(struct workspace *w, struct str path, enum ask_rank rank,
        const struct query_result *result)
{
    struct known_file *known = known_find(w->known, path);

    if (result->r < 0 || !known || known->was_asked)
        return false; // asked meanwhile: it was told of twice
    known->was_asked = hash128_eq(result->file.content, known->content);
    if (!asking_text(w, result, rank))
        return false;
    known->n_asking++;
    return true;
}

static void
on_file_rows(void *ctx, struct query_result **result)
{
    struct file_question *q = ctx;
    struct workspace *w = q->w;

    if (!w->is_closing && q->n_expiries != w->n_expiries) { // the answer may be of before
        q->n_expiries = w->n_expiries;
        query_file(w->query, str_of(q->path), POOL_ASIDE, on_file_rows, q);
        return;
    }
    if (!w->is_closing && !look_up(w, str_of(q->path), q->rank, *result)) {
        asking_ends(w, str_of(q->path));
        after_step(w);
    }
    free(q->path);
    free(q);
}

static bool
is_typed_in(struct workspace *w, struct str path)
{
    const struct doc *doc = documents_find(w, path);

    return doc && doc->changed_ms &&
           clock_mono_ms() - doc->changed_ms < WORKSPACE_TYPING_MS;
}

static void
ask_about(struct workspace *w, struct str path, enum ask_rank rank)
{
    struct file_question *q = xnew(struct file_question);

    q->w = w;
    q->path = str_dup(path);
    q->rank = rank;
    q->n_expiries = w->n_expiries;
    asking_begins(w, path);
    query_file(w->query, path, POOL_ASIDE, on_file_rows, q);
}

static void
pump_lang(struct workspace *w, size_t lang)
{
    struct ask *next, *ask;

    for (ask = asks_first(w->asks, lang); ask; ask = next) {
        struct str path = str_of(ask->path);

        if (w->n_asking[lang] >= WORKSPACE_ENRICH_AHEAD)
            return;
        next = asks_after(w->asks, ask);
        if (is_typed_in(w, path)) {
            timer_start(w->typing_timer, WORKSPACE_TYPING_MS, 0);
            continue;
        }
        if (was_asked(w, path) || !is_askable(w, path, lang))
            w->hover_files_done++;
        else
            ask_about(w, path, ask->rank);
        asks_remove(w->asks, ask);
    }
}

static void
pump(struct workspace *w)
{
    if (!is_wanted(w) || !w->query)
        return;
    for (size_t lang = 0; lang < ASKS_LANGS; lang++)
        pump_lang(w, lang);
}

/* ---- what enrich says ---- */

/* Cancelled answers are nobody's word: if the content is the same after all, it is asked again; also
 * when another server came while it was asked about, of which only the rest knew. A file of which nothing was said
 * counts as left out. */
static void
ask_again(struct workspace *w, const struct storing *s, struct known_file *known)
{
    bool is_due = known->is_due_again;

    if (!hash128_eq(known->content, s->content))
        return;
    known->was_asked &= s->has_word;
    if (!s->is_cancelled && !is_due)
        return;
    known->is_due_again = false;
    known->was_asked = false;
    enqueue(w, str_of(s->path), s->is_cancelled ? ASK_LATELY : ASK_REST);
}

static void
on_hovers_stored(void *ctx, int r, struct event *event UNUSED)
{
    struct storing *s = ctx;
    struct workspace *w = s->w;
    struct str path = str_of(s->path);
    struct known_file *known;

    if (r < 0)
        pipeline_not_stored(w, "hovers", r);
    if (!s->is_part) {
        known = forget_asking(w, path);
        if (!w->is_closing && known && known->n_asking == 0)
            ask_again(w, s, known);
        asking_ends(w, path);
    }
    if (!w->is_closing) {
        counts_refresh(w); // what is only confirmed has no event
        after_step(w);
    }
    free(s->path);
    free(s);
}

static bool
is_word(const struct hover *h)
{
    return h->state != HOVER_UNKNOWN || h->reason == HOVER_REASON_FAILED ||
           h->reason == HOVER_REASON_CRASHED || h->reason == HOVER_REASON_NO_SERVER;
}

static void
store_hovers(struct workspace *w, struct hover_batch *batch, bool is_part)
{
    struct storing *s = xnew(struct storing);

    s->w = w;
    s->path = str_dup(batch->path);
    s->content = batch->content;
    s->is_part = is_part;
    for (size_t i = 0; i < batch->n_answers; i++) {
        const struct hover *h = &batch->answers[i].hover;

        s->is_cancelled |=
            h->state == HOVER_UNKNOWN && h->reason == HOVER_REASON_CANCELLED;
        s->has_word |= is_word(h);
    }
    writer_put_hovers(w->writer, batch, on_hovers_stored, s);
    workspace_changed(w);
}

static void
on_batch(void *ctx, struct hover_batch *batch)
{
    store_hovers(ctx, batch, false);
}

static void
on_wanted(void *ctx)
{
    struct workspace *w = ctx;

    if (!w->is_closing)
        after_step(w);
}

/* ---- another server, or another version of it ---- */

/* What is unknown, by what the index says now, or what of it was left out; of what is under way, when it is through. */
static void
on_again(void *ctx, bool is_all)
{
    struct workspace *w = ctx;
    struct str path;
    struct known_file *known;
    size_t iter = 0;

    if (w->is_closing)
        return;
    while (is_all && known_next(w->known, &iter, &path, &known)) {
        known->is_due_again = known->n_asking > 0;
        if (known->n_asking == 0)
            known->was_asked = false;
    }
    w->has_asked_store = false;
    w->is_store_newer = w->is_asking_store;
    asking_from_store(w);
    after_step(w);
}

static void
on_expired(void *ctx, int r, struct event *event UNUSED)
{
    struct workspace *w = ctx;

    if (r <= 0 || w->is_closing)
        return;
    log_info("%s: a server changed, what it said is asked for again", w->root);
    w->n_expiries++;
    counts_refresh(w);
    on_again(w, true);
}

static void
on_server(void *ctx)
{
    struct workspace *w = ctx;

    for (size_t i = 0; i < lang_count(); i++) {
        const char *lang = lang_at(i)->key_prefix;
        uint64_t key = enrich_server_key(w->enrich, lang);

        if (key == 0 || key == w->server_keys[i])
            continue;
        w->server_keys[i] = key;
        writer_expire_hovers(w->writer, str_of(lang), key, on_expired, w);
    }
    workspace_changed(w);
}

static const struct enrich_events enrich_events = {
    .on_batch = on_batch,
    .on_wanted = on_wanted,
    .on_idle = on_wanted,
    .on_again = on_again,
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
    list_init(&w->texts);
    w->asks = asks_create();
    w->typing_timer = timer_open(w->all->loop, on_rested, w);
    w->unasked_timer = timer_open(w->all->loop, take_unasked, w);
}

void
asking_open(struct workspace *w)
{
    if (!w->config->enrich_enabled || !w->config->trusted)
        return;
    w->siblings = siblings_create(w->root, w->url);
    w->enrich = enrich_open(w->all->loop, w->config, w->root,
                            w->all->options.guard_program, &enrich_events, w);
}

void
asking_finish(struct workspace *w)
{
    asks_destroy(w->asks);
    asking_texts_finish(w);
    timer_close(w->typing_timer);
    timer_close(w->unasked_timer);
    query_result_destroy(w->unasked);
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
    asking_forget(w); // what failed before may do now
    asking_from_store(w);
    after_step(w);
}
