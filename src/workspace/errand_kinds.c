/* What jobs do, each kind with what the workspace has for it anyway: walks, looks at single files, questions to
 * servers, dead letters. Invariant: each may be begun again after it was cut off anywhere, and none does what whoever
 * submitted it could not: a job starts no program that the workspace would not start by itself, and leaves its root
 * for nothing. */
#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "workspace/errands.h"

#define AT_ONCE_BYTES (32u << 10) // of a request: it is read on the loop
#define SLICE_FILES 256 // looked at again at a time: between two it may be cancelled

/* ---- requests ---- */

static const char *
path_fault(const json_t *request)
{
    struct str path;
    int r = codec_get_str(request, "path", &path);

    if (r == -ENOENT)
        return NULL;
    return r == 0 && retry_is_inside(path)
               ? NULL
               : "path must be of a file or folder, relative to the root and in it";
}

static const char *
object_fault(enum job_kind kind, const json_t *request)
{
    bool is_forced;

    switch (kind) {
    case JOB_REINDEX:
        if (codec_get_bool(request, "force", &is_forced) == -EINVAL)
            return "force must be true or false";
        return path_fault(request);
    case JOB_ENRICH: return path_fault(request);
    case JOB_INGEST: return errand_entities_fault(request);
    case JOB_RETRY:
    case JOB_KIND_COUNT: break;
    }
    return NULL;
}

static int
parse(struct str request, json_t **ret_object)
{
    int r = codec_parse(request.n > 0 ? request : STR("{}"), ret_object, NULL);

    return r == 0 && !json_is_object(*ret_object) ? -EINVAL : r;
}

const char *
errand_request_fault(enum job_kind kind, struct str request, const json_t *object)
{
    AUTO(json_decref_) json_t *read = NULL;

    if (!object && parse(request, &read) == 0)
        object = read;
    if (!json_is_object(object))
        return "a job's request must be a JSON object";
    return object_fault(kind, object);
}

/* ---- life ---- */

static void
work_destroy(struct errand_work *work)
{
    for (size_t i = 0; i < work->paths.n; i++)
        free(work->paths.v[i]);
    vec_finish(&work->paths);
    timer_close(work->timer);
    json_decref(work->request);
    free(work->text);
    buf_finish(&work->faults);
    free(work);
}

void
errand_let_go(struct errand *t)
{
    struct errand_work *work = steal(t->work);

    if (!work)
        return;
    workspace_unlisten(steal(work->listener));
    timer_close(steal(work->timer));
    work->t = NULL;
    if (!work->is_waiting)
        work_destroy(work);
}

/* What was waited for came; NULL: nobody wants it any more. */
struct errand *
errand_back(struct errand_work *work)
{
    struct errand *t = work->t;

    work->is_waiting = false;
    if (!t)
        work_destroy(work);
    return t;
}

static void
end_badly(struct errand *t, int r, const char *why)
{
    errand_end(t, &(struct errand_end){.r = r, .why = why});
}

/* The same of a run, which may have failed: then the errand has ended. */
static struct errand *
back_from_run(struct errand_work *work, const struct workspace_summary *s)
{
    struct errand *t = errand_back(work);

    if (!t || s->r >= 0)
        return t;
    end_badly(t, s->r, s->why);
    return NULL;
}

static void
on_progress(void *ctx)
{
    struct errand_work *work = ctx;
    struct workspace_progress p = workspace_progress(work->w);

    if (work->is_of_hovers)
        errand_progress(work->t, p.hover_files_done, p.hover_files_total);
    else if (work->paths.n == 0)
        errand_progress(work->t, p.files_done + work->w->walk_unchanged,
                        p.files_total + work->w->walk_unchanged);
}

/* ---- reindex ---- */

static void
on_walk(void *ctx, const struct workspace_summary *s)
{
    struct errand_work *work = ctx;
    struct errand *t = back_from_run(work, s);
    AUTO(buf_finish) struct buf result = {0};

    if (!t)
        return;
    buf_printf(&result,
               "{\"files\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"failed\":%" PRIu64
               ",\"unchanged\":%" PRIu64 ",\"removed\":%" PRIu64 ",\"looked_at\":%zu"
               ",\"entities\":%" PRIu64 ",\"seq\":%" PRId64 ",\"took_ms\":%" PRId64 "}",
               s->files, s->skipped, s->failed, s->unchanged, s->removed, work->paths.n,
               s->counts.entities, s->info.head, s->took_ms);
    errand_end(t, &(struct errand_end){.result = buf_str(&result)});
}

static void
walk(struct errand_work *work)
{
    work->is_waiting = true;
    workspace_index(work->w, false, on_walk, work);
}

static void look_at_some(struct errand_work *work);

static void
on_looked(void *ctx, const struct workspace_summary *s)
{
    struct errand_work *work = ctx;
    struct errand *t = back_from_run(work, s);

    if (!t)
        return;
    errand_progress(t, work->n_done, work->paths.n);
    if (t->is_cancelled)
        end_badly(t, -ECANCELED, NULL);
    else if (work->n_done < work->paths.n)
        look_at_some(work);
    else
        walk(work);
}

static void
look_at_some(struct errand_work *work)
{
    size_t end = MIN(work->paths.n, work->n_done + SLICE_FILES);

    for (; work->n_done < end; work->n_done++)
        retry_look_again(work->w, str_of(work->paths.v[work->n_done]));
    work->is_waiting = true;
    runs_wait(work->w, on_looked, work);
}

static void
add_path(void *ctx, struct str path, struct known_file *known UNUSED)
{
    struct errand_work *work = ctx;

    *vec_push(&work->paths) = str_dup(path);
}

static void
add_all_paths(struct errand_work *work)
{
    struct known_file *known;
    struct str path;
    size_t iter = 0;

    while (known_next(work->w->known, &iter, &path, &known))
        add_path(work, path, known);
}

/* Files that are known are read again whatever their time says, if a path or force asks for it; the walk finds
 * the rest. */
static void
begin_reindex(struct errand_work *work, const json_t *request)
{
    struct str path;
    bool is_forced = false;

    codec_get_bool(request, "force", &is_forced);
    if (codec_get_str(request, "path", &path) == 0)
        known_each_at(work->w->known, path, add_path, work);
    else if (is_forced)
        add_all_paths(work);
    if (work->paths.n > 0) {
        look_at_some(work);
        return;
    }
    work->listener = workspace_listen(work->w, on_progress, work);
    walk(work);
}

/* ---- enrich ---- */

static void
on_enriched(void *ctx, const struct workspace_summary *s)
{
    struct errand_work *work = ctx;
    struct errand *t = back_from_run(work, s);
    AUTO(buf_finish) struct buf result = {0};

    if (!t)
        return;
    buf_printf(&result,
               "{\"hovers\":{\"known\":%" PRIu64 ",\"empty\":%" PRIu64
               ",\"unknown\":%" PRIu64 ",\"stale\":%" PRIu64 "},\"took_ms\":%" PRId64 "}",
               s->counts.hovers[HOVER_KNOWN], s->counts.hovers[HOVER_EMPTY],
               s->counts.hovers[HOVER_UNKNOWN], s->counts.stale, s->took_ms);
    errand_end(t, &(struct errand_end){.result = buf_str(&result)});
}

static void
forget_asked(void *ctx UNUSED, struct str path UNUSED, struct known_file *known)
{
    if (known->n_asking == 0)
        known->was_asked = false;
}

static void
begin_enrich(struct errand_work *work, const json_t *request)
{
    struct workspace *w = work->w;
    struct str path;

    if (!w->enrich || !w->is_trusted || w->is_paused) {
        errand_end(work->t, &(struct errand_end){
                                .r = -EPERM,
                                .is_final = true,
                                .why = w->is_paused ? "asking for hovers is paused"
                                       : w->enrich  ? "nobody who trusts the folder has "
                                                      "opened it: no server is started"
                                                    : "asking for hovers is turned off"});
        return;
    }
    work->is_of_hovers = true;
    work->listener = workspace_listen(w, on_progress, work);
    if (codec_get_str(request, "path", &path) == 0) {
        known_each_at(w->known, path, forget_asked, NULL);
        w->has_asked_store = false;
    } else {
        asking_forget(w);
    }
    work->is_waiting = true;
    runs_wait_hovers(w, on_enriched, work);
}

/* ---- retry ---- */

static void
on_retried(void *ctx, size_t n_tried, size_t n_left, const char *why)
{
    struct errand_work *work = ctx;
    struct errand *t = errand_back(work);
    AUTO(buf_finish) struct buf result = {0};

    if (!t)
        return;
    if (n_left > 0) {
        end_badly(t, -EIO, why);
        return;
    }
    buf_printf(&result, "{\"tried\":%zu,\"left\":0}", n_tried);
    errand_end(t, &(struct errand_end){.result = buf_str(&result)});
}

static void
begin_retry(struct errand_work *work)
{
    int r;

    work->is_waiting = true;
    r = workspace_retry(work->w, NULL, 0, on_retried, work);
    if (r < 0) {
        work->is_waiting = false;
        end_badly(work->t, r, NULL);
    }
}

/* ---- all of them ---- */

/* Its request was read. */
static void
begin(struct errand_work *work)
{
    struct errand *t = work->t;
    const char *fault = work->request ? object_fault(t->job->kind, work->request)
                                      : "its request in the index makes no sense";

    if (fault) {
        errand_end(t,
                   &(struct errand_end){.r = -EBADMSG, .is_final = true, .why = fault});
        return;
    }
    switch (t->job->kind) {
    case JOB_REINDEX: begin_reindex(work, work->request); break;
    case JOB_ENRICH: begin_enrich(work, work->request); break;
    case JOB_RETRY: begin_retry(work); break;
    case JOB_INGEST: errand_ingest(work); break;
    case JOB_KIND_COUNT: break;
    }
}

static json_t *
read_request(struct str text)
{
    json_t *request = NULL;

    if (parse(text, &request) < 0)
        json_decref(steal(request));
    return request;
}

static void
read_on_worker(struct pool_job *job, unsigned worker UNUSED)
{
    struct errand_work *work = container_of(job, struct errand_work, reading);

    work->request = read_request(str_of(work->text));
}

static void
on_read(struct pool_job *job, bool is_cancelled UNUSED)
{
    struct errand_work *work = container_of(job, struct errand_work, reading);

    if (!errand_back(work))
        return;
    free(steal(work->text));
    begin(work);
}

void
errand_begin(struct errand *t)
{
    struct errand_work *work = xnew(struct errand_work);
    struct str request = str_of(t->job->request);

    work->t = t;
    work->w = t->jobs->w;
    t->work = work;
    if (request.n <= AT_ONCE_BYTES) {
        work->request = read_request(request);
        begin(work);
        return;
    }
    work->text = str_dup(request);
    work->is_waiting = true;
    pool_submit(work->w->all->pool, POOL_BULK, &work->reading, read_on_worker, on_read);
}

/* A walk that has begun goes on for the others; only nobody waits for it. */
void
errand_cancel(struct errand *t)
{
    if (t->work && t->work->is_waiting)
        runs_cancel(t->jobs->w, t->work);
}
