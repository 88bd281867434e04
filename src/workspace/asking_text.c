/* A file between the look-up of its entities and enrich: on a worker its text is read, and what is
 * known of this text by now, or by other worktrees, is taken from the indexes. One file after the other, since readers
 * have one user at a time, and reading is quick beside asking: WORKSPACE_ENRICH_AHEAD bounds how many
 * wait here. */
#include "base/fs.h"
#include "base/mem.h"
#include "workspace/internal.h"

struct look_up {
    struct pool_job pool;
    struct list link; // of workspace.texts, while it waits
    struct workspace *w;
    struct enrich_job *job;
    uint64_t *places; // of the job's targets
    uint64_t server_key;
    struct hover_batch *told; // what need not be asked; NULL: nothing
    struct snapshot *overlay;
    char *absolute;
    size_t max_file_bytes;
    bool is_last; // nothing else waits
    bool is_same; // the text is what the entities were taken from
};

static void next_text(struct workspace *w);

static void
look_up_destroy(struct look_up *l)
{
    list_remove(&l->link);
    enrich_job_destroy(l->job);
    hover_batch_destroy(l->told);
    snapshot_unref(l->overlay);
    free(l->absolute);
    free(l);
}

/* ---- on the worker ---- */

static const struct hover *
told_of(const struct store_told *told, uint64_t place)
{
    size_t from = 0, to = told->n;

    while (from < to) {
        size_t at = from + (to - from) / 2;
        if (told->v[at].place < place)
            from = at + 1;
        else
            to = at;
    }
    return from < told->n && told->v[from].place == place ? &told->v[from].hover : NULL;
}

/* What is told leaves the job's targets for a batch of its own. */
static void
take_told(struct look_up *l, struct hover_batch *b, const struct store_told *told)
{
    struct enrich_job *job = l->job;
    size_t n_left = 0;

    for (size_t i = 0; i < job->n_targets; i++) {
        const struct hover *hover = told_of(told, l->places[i]);

        if (hover) {
            b->answers[b->n_answers++] = (struct hover_answer){
                .key = arena_str(&b->arena, job->targets[i].key), .hover = *hover};
            continue;
        }
        l->places[n_left] = l->places[i];
        job->targets[n_left++] = job->targets[i];
    }
    job->n_targets = n_left;
}

/* A batch is the word of one server. */
static void
ask_siblings(struct look_up *l)
{
    struct enrich_job *job = l->job;
    struct hover_batch *b = xnew(struct hover_batch);
    struct store_told told;
    size_t at = 0;

    b->path = arena_cstr(&b->arena, job->path);
    b->content = job->content;
    b->is_reused = true;
    b->answers = arena_calloc(&b->arena, job->n_targets, sizeof(*b->answers));
    while (job->n_targets > 0 &&
           siblings_next(l->w->siblings, &at, job->content, str_of(job->lang),
                         l->server_key, &b->arena, &told)) {
        if (b->n_answers == 0)
            b->server_key = told.server_key;
        if (told.server_key == b->server_key)
            take_told(l, b, &told);
    }
    if (b->n_answers > 0)
        l->told = b;
    else
        hover_batch_destroy(b);
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
    if (l->is_same)
        ask_siblings(l);
    if (l->is_last)
        siblings_rest(l->w->siblings);
}

/* ---- on the loop ---- */

static void
on_text(struct pool_job *pool_job, bool is_cancelled)
{
    struct look_up *l = container_of(pool_job, struct look_up, pool);
    struct workspace *w = l->w;

    w->is_reading_text = false;
    w->n_working--;
    if (w->is_closing) {
        look_up_destroy(l);
        workspace_part_closed(w);
        return;
    }
    if (!is_cancelled && l->is_same)
        asking_has_text(w, steal(l->job), steal(l->told));
    else
        asking_has_no_text(w, str_of(l->job->path));
    look_up_destroy(l);
    next_text(w);
}

static void
next_text(struct workspace *w)
{
    struct look_up *l;

    if (w->is_reading_text || w->is_closing || list_is_empty(&w->texts))
        return;
    l = list_first(&w->texts, struct look_up, link);
    list_remove(&l->link);
    l->is_last = list_is_empty(&w->texts) && asks_count(w->asks) == 0;
    w->is_reading_text = true;
    w->n_working++;
    pool_submit(w->all->pool, POOL_ASIDE, &l->pool, text_work, on_text);
}

/* What is not known, is stale, or is the word of another server than the one there is now. */
static void
add_targets(struct look_up *l, const struct query_result *result)
{
    struct enrich_job *job = l->job;
    size_t n = MAX(result->n_rows, (size_t)1);
    uint64_t told_by = result->file.server_key;
    bool is_of_other = told_by && l->server_key && told_by != l->server_key;

    job->targets = arena_calloc(&job->arena, n, sizeof(*job->targets));
    l->places = arena_calloc(&job->arena, n, sizeof(*l->places));
    for (size_t i = 0; i < result->n_rows; i++) {
        const struct entity_row *row = &result->rows[i];

        if (row->hover.state != HOVER_UNKNOWN && !row->hover.stale && !is_of_other)
            continue;
        l->places[job->n_targets] = entity_place(&row->e);
        job->targets[job->n_targets++] = (struct hover_target){
            .key = arena_str(&job->arena, row->key),
            .at = row->e.name_range.start,
        };
    }
}

bool
asking_text(struct workspace *w, const struct query_result *result, enum ask_rank rank)
{
    const struct lang *lang = lang_by_key_prefix(result->file.lang);
    struct doc *doc = documents_find(w, result->file.path);
    struct look_up *l = xnew(struct look_up);

    list_init(&l->link);
    l->w = w;
    l->job = xnew(struct enrich_job);
    l->job->path = str_dup(result->file.path);
    l->job->lang = str_dup(result->file.lang);
    l->job->language_id = xstrdup(doc    ? doc->language_id
                                  : lang ? lang_language_id(lang, result->file.path)
                                         : "plaintext");
    l->job->content = result->file.content;
    l->job->priority = (int)(doc ? ASK_OPEN : rank);
    l->server_key = enrich_server_key(w->enrich, l->job->lang);
    add_targets(l, result);
    if (l->job->n_targets == 0) {
        look_up_destroy(l);
        return false;
    }
    l->overlay = doc ? snapshot_ref(doc->text) : NULL;
    l->absolute = workspace_absolute(w, result->file.path);
    l->max_file_bytes = w->config->max_file_bytes;
    if (l->job->priority > 0)
        list_add_first(&w->texts, &l->link);
    else
        list_add(&w->texts, &l->link);
    next_text(w);
    return true;
}

void
asking_texts_finish(struct workspace *w)
{
    list_for_each_safe (it, &w->texts)
        look_up_destroy(list_entry(it, struct look_up, link));
    siblings_destroy(w->siblings);
}
