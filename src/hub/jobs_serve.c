/* Why: the two doors to jobs, messages and addresses, which differ in where their arguments stand. */
#include "hub/jobs.h"

#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/client.h"
#include "hub/exchange.h"
#include "hub/ingest.h"
#include "workspace/workspace.h"

static const char no_id[] = "job_id must be a job's id";
static const char no_limit[] = "limit must be a number from 1 to 1000";

/* ---- messages ---- */

void
jobs_run_submit(struct request *request)
{
    jobs_submit(request->client->hub, request->workspace, request->data,
                request_asker(request));
}

void
jobs_run_reindex(struct request *request)
{
    jobs_reindex(request->client->hub, request->workspace, request->data,
                 request_asker(request));
}

static void
run_one(struct request *request,
        void (*fn)(struct hub *h, struct str id, struct asker asker))
{
    struct str id;
    if (codec_get_str(request->data, "job_id", &id) < 0)
        request_problem(request, PROBLEM_BAD_REQUEST, no_id);
    else
        fn(request->client->hub, id, request_asker(request));
}

void
jobs_run_status(struct request *request)
{
    run_one(request, jobs_status);
}

void
jobs_run_cancel(struct request *request)
{
    run_one(request, jobs_cancel);
}

void
jobs_run_retry(struct request *request)
{
    run_one(request, jobs_retry);
}

void
jobs_run_list(struct request *request)
{
    struct jobs_filter filter = {.workspace = request->workspace};
    int64_t limit = JOBS_LIST_DEFAULT;
    if (codec_get_int(request->data, "limit", 1, JOBS_LIST_MAX, &limit) == -EINVAL) {
        request_problem(request, PROBLEM_BAD_REQUEST, no_limit);
        return;
    }
    if (codec_get_str(request->data, "status", &filter.status) == -EINVAL ||
        codec_get_str(request->data, "kind", &filter.kind) == -EINVAL) {
        request_problem(request, PROBLEM_BAD_REQUEST, "status and kind must be text");
        return;
    }
    if (request->names_unknown) {
        request_problem(request, PROBLEM_NOT_FOUND, "no such workspace is open");
        return;
    }
    filter.limit = (size_t)limit;
    jobs_list(request->client->hub, &filter, request_asker(request));
}

/* ---- addresses ---- */

static void
serve_with_body(struct exchange *x, void (*fn)(struct hub *h, struct workspace *w,
                                               const json_t *data, struct asker asker))
{
    AUTO(json_decref_) json_t *data = NULL;
    struct workspace *w = hub_find_workspace(x->hub, x->params[0]);
    if (!w) {
        exchange_problem(x, PROBLEM_NOT_FOUND, "no workspace of this id is open");
        return;
    }
    data = x->body.n > 0 ? exchange_read_object(x) : json_object();
    if (data)
        fn(x->hub, w, data, (struct asker){.exchange = x});
}

void
jobs_serve_submit(struct exchange *x)
{
    serve_with_body(x, jobs_submit);
}

void
jobs_serve_reindex(struct exchange *x)
{
    serve_with_body(x, jobs_reindex);
}

/* Also into one that is made with it. */
void
jobs_serve_batch(struct exchange *x)
{
    struct asker asker = {.exchange = x};
    if (hub_find_workspace(x->hub, x->params[0]) ||
        ingest_find(x->hub, x->params[0], ingest_may_create(x), &asker))
        serve_with_body(x, jobs_batch);
}

void
jobs_serve_status(struct exchange *x)
{
    jobs_status(x->hub, x->params[0], (struct asker){.exchange = x});
}

void
jobs_serve_cancel(struct exchange *x)
{
    jobs_cancel(x->hub, x->params[0], (struct asker){.exchange = x});
}

void
jobs_serve_retry(struct exchange *x)
{
    jobs_retry(x->hub, x->params[0], (struct asker){.exchange = x});
}

void
jobs_serve_list(struct exchange *x)
{
    struct jobs_filter filter = {.limit = JOBS_LIST_DEFAULT};
    struct str value;
    uint64_t limit;
    if (exchange_argument_view(x, "limit", &value)) {
        if (str_to_u64(value, &limit) < 0 || limit < 1 || limit > JOBS_LIST_MAX) {
            exchange_problem(x, PROBLEM_BAD_REQUEST, no_limit);
            return;
        }
        filter.limit = (size_t)limit;
    }
    if (exchange_argument_view(x, "workspace", &value)) {
        filter.workspace = hub_find_workspace(x->hub, value);
        if (!filter.workspace) {
            exchange_problem(x, PROBLEM_NOT_FOUND, "no workspace of this id is open");
            return;
        }
    }
    exchange_argument_view(x, "status", &filter.status);
    exchange_argument_view(x, "kind", &filter.kind);
    jobs_list(x->hub, &filter, (struct asker){.exchange = x});
}
