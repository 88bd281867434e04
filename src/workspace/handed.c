/* Hovers that an editor hands over, because its own servers told it: of a text that is open here, at
 * places. They are stored when the index has entities of exactly this text and a place lies in the name
 * of one; none is ever given to a neighbour. A text that is on its way to the index is waited for. */
#include "base/mem.h"
#include "workspace/internal.h"

#define HANDED_MAX 64 // under way; more are turned away

struct handing {
    struct pool_job pool;
    struct list link; // of workspace.handed, while it waits
    struct workspace *w;
    char *path;
    struct handed_hovers *h;
    struct query_result *rows;
    struct hover_batch *batch;
    void (*done)(void *ctx, const struct handed_hovers *h);
    void *ctx;
};

static void
count(struct workspace *w, const struct handed_hovers *h)
{
    w->n_handed_dropped += h->n_dropped;
    for (size_t i = 0; i < h->n; i++) {
        w->n_handed += h->v[i].is_taken;
        w->n_handed_dropped += !h->v[i].is_taken;
    }
}

static void
hand_end(struct handing *job, int r)
{
    job->w->n_handing--;
    job->h->r = r;
    for (size_t i = 0; r < 0 && i < job->h->n; i++)
        job->h->v[i].is_taken = false;
    count(job->w, job->h);
    job->done(job->ctx, job->h);
    handed_hovers_destroy(job->h);
    query_result_destroy(job->rows);
    hover_batch_destroy(job->batch);
    list_remove(&job->link);
    free(job->path);
    free(job);
}

/* ---- on a worker: whose are they? ---- */

static bool
is_before(struct position a, struct position b)
{
    return a.line < b.line || (a.line == b.line && a.col_byte < b.col_byte);
}

static bool
is_of(const struct handed_hover *h, const struct span *name)
{
    return !is_before(h->at, name->start) && is_before(h->at, name->end) &&
           !is_before(name->end, h->end);
}

static struct handed_hover *
hover_of(struct handed_hovers *h, const struct span *name)
{
    struct handed_hover *found = NULL;

    for (size_t i = 0; i < h->n; i++) {
        if (!is_of(&h->v[i], name))
            continue;
        h->v[i].is_taken = true;
        found = &h->v[i];
    }
    return found;
}

static void
match_work(struct pool_job *pool_job, unsigned worker UNUSED)
{
    struct handing *job = container_of(pool_job, struct handing, pool);
    const struct query_result *rows = job->rows;
    struct hover_batch *b;

    if (!hash128_eq(hash128(snapshot_text(job->h->text)), rows->file.content))
        return;
    job->batch = b = xnew(struct hover_batch);
    b->path = arena_cstr(&b->arena, job->path);
    b->content = rows->file.content;
    b->is_handed = true;
    b->answers =
        arena_calloc(&b->arena, MAX(rows->n_rows, (size_t)1), sizeof(*b->answers));
    for (size_t i = 0; i < rows->n_rows; i++) {
        const struct handed_hover *h = hover_of(job->h, &rows->rows[i].e.name_range);

        if (h)
            b->answers[b->n_answers++] = (struct hover_answer){
                .key = arena_str(&b->arena, rows->rows[i].key),
                .hover = {.state = HOVER_KNOWN,
                          .markdown = arena_str(&b->arena, h->markdown),
                          .server = arena_str(&b->arena, job->h->source)}};
    }
}

/* ---- on the loop ---- */

static void
on_handed_stored(void *ctx, int r, struct event *event UNUSED)
{
    struct handing *job = ctx;

    if (r < 0)
        pipeline_not_stored(job->w, "hovers", r);
    if (!job->w->is_closing)
        counts_refresh(job->w); // what is only confirmed has no event
    hand_end(job, MIN(r, 0));
}

static void
on_matched(struct pool_job *pool_job, bool is_cancelled)
{
    struct handing *job = container_of(pool_job, struct handing, pool);
    struct workspace *w = job->w;

    w->n_working--;
    if (w->is_closing || is_cancelled)
        hand_end(job, -EINTR);
    else if (!job->batch)
        hand_end(job, -ESTALE);
    else if (job->batch->n_answers == 0)
        hand_end(job, 0);
    else
        writer_put_hovers(w->writer, steal(job->batch), on_handed_stored, job);
    if (w->is_closing)
        workspace_part_closed(w);
}

static void
on_rows(void *ctx, struct query_result **result)
{
    struct handing *job = ctx;
    struct workspace *w = job->w;
    int r = (*result)->r;

    if (w->is_closing || (r < 0 && r != -ENOENT)) {
        hand_end(job, r < 0 ? r : -EINTR);
        return;
    }
    if (r == -ENOENT || (*result)->file.state != FILE_INDEXED) {
        hand_end(job, -ESTALE);
        return;
    }
    job->rows = steal(*result);
    w->n_working++;
    pool_submit(w->all->pool, POOL_INTERACTIVE, &job->pool, match_work, on_matched);
}

static void
hand(struct handing *job)
{
    list_remove(&job->link);
    query_file(job->w->query, str_of(job->path), POOL_INTERACTIVE, on_rows, job);
}

void
workspace_doc_hovers(struct workspace *w, struct str path, struct handed_hovers *h,
                     void (*done)(void *ctx, const struct handed_hovers *h), void *ctx)
{
    struct handing *job = xnew(struct handing);

    ASSERT_LOOP();
    list_init(&job->link);
    job->w = w;
    job->path = str_dup(path);
    job->h = h;
    job->done = done;
    job->ctx = ctx;
    if (w->n_handing++ >= HANDED_MAX || !w->is_open || !workspace_query(w)) {
        hand_end(job, -EAGAIN);
    } else if (map_get(w->jobs, path)) {
        list_add(&w->handed, &job->link);
    } else {
        hand(job);
    }
}

void
handed_committed(struct workspace *w, struct str path)
{
    list_for_each_safe (it, &w->handed) {
        struct handing *job = list_entry(it, struct handing, link);

        if (str_eq_c(path, job->path))
            hand(job);
    }
}

void
handed_close(struct workspace *w)
{
    list_for_each_safe (it, &w->handed)
        hand_end(list_entry(it, struct handing, link), -EINTR);
}
