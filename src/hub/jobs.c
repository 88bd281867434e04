/* Why: jobs are the same over WebSocket and HTTP, and whoever asked may be gone when the change is committed.
 * Invariant: what is answered is in the index; a job does for its client nothing that the client could not ask for
 * directly. */
#include "hub/jobs.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/client.h"
#include "hub/exchange.h"
#include "hub/serve.h"
#include "workspace/workspace.h"

#define LIST_ENVELOPE_BYTES 256
#define DELAY_S_MAX JOBS_EVERY_S_MAX

/* ---- answers ---- */

static void
answer(struct asker *a, unsigned status, const struct buf *data)
{
    if (a->exchange)
        exchange_answer(a->exchange, status, SERVE_JSON, buf_str(data));
    else
        asker_data(a, buf_str(data));
}

/* Of an asker that no question holds. */
static void
end_with_problem(struct asker *a, enum problem p, const char *detail)
{
    if (p == PROBLEM_BAD_REQUEST)
        asker_refuse(a, p, detail);
    else
        asker_problem(a, p, detail);
    free(steal(a->request_id));
}

/* What came of a change, for ask_on_done(). */
struct outcome {
    int r;
    const struct job *job;
};

static void
tell_failure(struct asker *a, int r)
{
    AUTO(free) char *why = xasprintf("the index cannot be written: %s", err_text(r));
    if (r == -EAGAIN || r == -ESHUTDOWN)
        asker_problem(a, PROBLEM_NOT_READY,
                      r == -EAGAIN ? "the index cannot be opened" : "the engine ends");
    else
        asker_problem(a, PROBLEM_OVERLOADED, why);
}

static void
on_submitted(struct ask *ask, struct query_result **result UNUSED)
{
    const struct outcome *o = ask->owner;
    AUTO(buf_finish) struct buf data = {0};
    if (o->r < 0) {
        tell_failure(&ask->asker, o->r);
        return;
    }
    buf_printf(&data,
               "{\"job_id\":\"%s\",\"status\":\"submitted\",\"status_url\":"
               "\"/v1/jobs/%s\"}",
               o->job->id, o->job->id);
    answer(&ask->asker, 202, &data);
}

static void
on_changed(struct ask *ask, struct query_result **result UNUSED)
{
    const struct outcome *o = ask->owner;
    AUTO(buf_finish) struct buf data = {0};
    if (o->r < 0) {
        tell_failure(&ask->asker, o->r);
        return;
    }
    workspace_add_job(&data, ask->workspace, o->job);
    answer(&ask->asker, job_has_ended(o->job) ? 200 : 202, &data);
}

static void
on_job(void *ctx, int r, const struct job *job)
{
    struct ask *ask = ctx;
    struct outcome o = {r, job};
    ask->owner = &o;
    ask_on_done(ask, NULL);
}

/* The question was not put: on_result is not called. */
static void
fail_ask(struct ask *ask, enum problem p, const char *detail)
{
    struct asker asker = ask->asker;
    asker.request_id = steal(ask->asker.request_id);
    ask_abandon(ask);
    ask_on_done(ask, NULL);
    end_with_problem(&asker, p, detail);
}

static void
fail_by_error(struct ask *ask, int r)
{
    const char *why = workspace_why(ask->workspace);
    switch (r) {
    case -ENOSPC:
        fail_ask(ask, PROBLEM_OVERLOADED, "too many jobs wait in this workspace");
        return;
    case -ENOENT: fail_ask(ask, PROBLEM_NOT_FOUND, "there is no such job"); return;
    case -EPERM:
        fail_ask(ask, PROBLEM_CONFLICT,
                 workspace_pushed_name(ask->workspace)
                     ? "this workspace has no folder: entities are all it takes"
                     : "this workspace is of a folder, which says what it has: send to "
                       "one of your own");
        return;
    case -EALREADY:
        fail_ask(ask, PROBLEM_CONFLICT,
                 "a job that waits or runs can be cancelled, one that failed or was "
                 "cancelled begun again");
        return;
    }
    fail_ask(ask, PROBLEM_NOT_READY,
             why ? why
             : workspace_state(ask->workspace) == WORKSPACE_FOLLOWING
                 ? "another engine writes this index: "
                   "its jobs are submitted there"
                 : "the index is being opened");
}

/* ---- arguments ---- */

/* NULL: all is well. */
static const char *
read_times(const json_t *data, struct job_wish *wish)
{
    int64_t priority = 0, delay_s = 0;
    if (codec_get_int(data, "priority", -JOB_PRIORITY_MAX, JOB_PRIORITY_MAX, &priority) ==
        -EINVAL)
        return "priority must be a number from -100 to 100";
    if (codec_get_int(data, "delay_s", 0, DELAY_S_MAX, &delay_s) == -EINVAL)
        return "delay_s must be a number of seconds, at most 31622400";
    if (codec_get_int(data, "run_at_ms", 0, INT64_MAX, &wish->run_at_ms) == -EINVAL)
        return "run_at_ms must be a time in milliseconds since 1970";
    if (codec_get_int(data, "every_s", JOBS_EVERY_S_MIN, JOBS_EVERY_S_MAX,
                      &wish->every_s) == -EINVAL)
        return "every_s must be a number of seconds from 60 to 31622400";
    wish->priority = (int)priority;
    if (delay_s > 0)
        wish->run_at_ms = clock_wall_ms() + delay_s * 1000;
    return NULL;
}

static void
submit(struct hub *h, struct workspace *w, const json_t *data, struct job_wish *wish,
       struct asker asker)
{
    const char *fault = read_times(data, wish);
    if (!fault)
        fault = job_wish_fault(wish);
    if (fault) {
        end_with_problem(&asker, PROBLEM_BAD_REQUEST, fault);
        return;
    }
    struct ask *ask = ask_open(h, w, asker, on_submitted, NULL);
    int r = workspace_submit_job(w, wish, on_job, ask);
    if (r < 0)
        fail_by_error(ask, r);
}

/* As it was sent, where that is at hand: to write megabytes anew holds the loop up. */
static void
add_member(struct buf *b, const struct asker *a, const char *name, const json_t *member)
{
    struct str text;
    if (a->exchange &&
        codec_slice_member(buf_str(&a->exchange->body), str_of(name), &text) == 0)
        buf_add_str(b, text);
    else
        codec_add_json(b, member);
}

void
jobs_submit(struct hub *h, struct workspace *w, const json_t *data, struct asker asker)
{
    AUTO(buf_finish) struct buf request = {0};
    struct job_wish wish = {.kind = JOB_REINDEX};
    struct str kind;
    const json_t *member = codec_member(data, "request");
    if (codec_get_str(data, "kind", &kind) < 0 || job_kind_parse(kind, &wish.kind) < 0) {
        end_with_problem(&asker, PROBLEM_BAD_REQUEST,
                         "kind must be \"reindex\", \"enrich\", \"ingest\" or \"retry\"");
        return;
    }
    if (member && !json_is_null(member))
        add_member(&request, &asker, "request", member);
    wish.request = buf_str(&request);
    wish.object = json_is_object(member) ? member : NULL;
    submit(h, w, data, &wish, asker);
}

void
jobs_reindex(struct hub *h, struct workspace *w, const json_t *data, struct asker asker)
{
    static const char *const names[] = {"path", "force"};
    AUTO(buf_finish) struct buf request = {0};
    struct job_wish wish = {.kind = JOB_REINDEX};
    buf_add_char(&request, '{');
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const json_t *member = codec_member(data, names[i]);
        if (!member || json_is_null(member))
            continue;
        buf_printf(&request, "%s\"%s\":", request.n > 1 ? "," : "", names[i]);
        codec_add_json(&request, member);
    }
    buf_add_char(&request, '}');
    wish.request = buf_str(&request);
    submit(h, w, data, &wish, asker);
}

void
jobs_batch(struct hub *h, struct workspace *w, const json_t *data, struct asker asker)
{
    AUTO(buf_finish) struct buf request = {0};
    struct job_wish wish = {.kind = JOB_INGEST};
    const char *name = codec_array(data, "entities") ? "entities" : "documents";
    const json_t *entities = codec_array(data, name);
    if (!entities) {
        end_with_problem(&asker, PROBLEM_BAD_REQUEST,
                         "entities must be a list of entities");
        return;
    }
    AUTO(json_decref_) json_t *object = json_object();
    json_object_set(object, "entities", (json_t *)(uintptr_t)entities);
    buf_add_cstr(&request, "{\"entities\":");
    add_member(&request, &asker, name, entities);
    buf_add_char(&request, '}');
    wish.request = buf_str(&request);
    wish.object = object;
    submit(h, w, data, &wish, asker);
}

/* ---- one job ---- */

/* Ids are of the whole engine. Answers the asker when there is none. */
static const struct job *
find_job(struct hub *h, struct str id, struct asker *asker, struct workspace **ret_w)
{
    for (size_t i = 0; (*ret_w = workspaces_at(h->workspaces, i)); i++) {
        const struct job *job = workspace_find_job(*ret_w, id);
        if (job)
            return job;
    }
    end_with_problem(asker, PROBLEM_NOT_FOUND, "there is no such job");
    return NULL;
}

void
jobs_status(struct hub *h, struct str id, struct asker asker)
{
    AUTO(buf_finish) struct buf data = {0};
    struct workspace *w;
    const struct job *job = find_job(h, id, &asker, &w);
    if (!job)
        return;
    workspace_add_job(&data, w, job);
    answer(&asker, 200, &data);
    free(asker.request_id);
}

static void
change(struct hub *h, struct str id, struct asker asker,
       int (*fn)(struct workspace *w, struct str id, workspace_job_fn done, void *ctx))
{
    struct workspace *w;
    if (!find_job(h, id, &asker, &w))
        return;
    struct ask *ask = ask_open(h, w, asker, on_changed, NULL);
    int r = fn(w, id, on_job, ask);
    if (r < 0)
        fail_by_error(ask, r);
}

void
jobs_cancel(struct hub *h, struct str id, struct asker asker)
{
    change(h, id, asker, workspace_cancel_job);
}

void
jobs_retry(struct hub *h, struct str id, struct asker asker)
{
    change(h, id, asker, workspace_retry_job);
}

/* ---- many ---- */

struct listing {
    const struct jobs_filter *filter;
    const struct workspace *w;
    struct buf data, row;
    size_t n;
    bool is_truncated;
};

static bool
list_one(void *ctx, const struct job *job)
{
    struct listing *l = ctx;
    const struct jobs_filter *f = l->filter;
    if ((f->status.n > 0 && !str_eq_c(f->status, job_state_name(job->state))) ||
        (f->kind.n > 0 && !str_eq_c(f->kind, job_kind_name(job->kind))))
        return true;
    buf_reset(&l->row);
    workspace_add_job(&l->row, l->w, job);
    if (l->n >= f->limit ||
        l->data.n + l->row.n + LIST_ENVELOPE_BYTES > HUB_FRAME_BYTES_MAX) {
        l->is_truncated = true;
        return false;
    }
    if (l->n++ > 0)
        buf_add_char(&l->data, ',');
    buf_add_str(&l->data, buf_str(&l->row));
    return true;
}

void
jobs_list(struct hub *h, const struct jobs_filter *filter, struct asker asker)
{
    struct listing l = {.filter = filter};
    enum job_state state;
    enum job_kind kind;
    if ((filter->status.n > 0 && job_state_parse(filter->status, &state) < 0) ||
        (filter->kind.n > 0 && job_kind_parse(filter->kind, &kind) < 0)) {
        end_with_problem(&asker, PROBLEM_BAD_REQUEST,
                         "there is no such status or kind of jobs");
        return;
    }
    buf_add_cstr(&l.data, "{\"jobs\":[");
    for (size_t i = 0; !l.is_truncated && (l.w = workspaces_at(h->workspaces, i)); i++)
        if (!filter->workspace || filter->workspace == l.w)
            workspace_each_job(l.w, list_one, &l);
    buf_printf(&l.data, "],\"count\":%zu,\"truncated\":%s}", l.n,
               l.is_truncated ? "true" : "false");
    answer(&asker, 200, &l.data);
    free(asker.request_id);
    buf_finish(&l.data);
    buf_finish(&l.row);
}
