/* Why: what can be fetched, in one sorted table. To add a route: a row and its function. */
#include "hub/serve.h"

#include "base/clock.h"
#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/client.h"
#include "hub/contract.h"
#include "hub/feed.h"
#include "hub/files.h"
#include "hub/finds.h"
#include "hub/ingest.h"
#include "hub/jobs.h"
#include "hub/metrics.h"
#include "hub/poll.h"
#include "hub/sse.h"
#include "hub/sub.h"
#include "hub/terms.h"
#include "workspace/workspace.h"

#define SEARCH_LIMIT_DEFAULT 20
#define LIST_LIMIT_DEFAULT 100

static void
serve_page(struct exchange *x)
{
    static const char page[] =
        "<!doctype html>\n<html lang=\"en\">\n<meta "
        "charset=\"utf-8\">\n<title>gloss</title>\n"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;"
        "padding:0 1em}</style>\n<h1>gloss</h1>\n"
        "<p>This is the engine of <b>gloss</b>, a live index of the code that is being "
        "edited on this machine.</p>\n"
        "<p>Its data need a token: <code>gloss dashboard --print</code> shows it. Events "
        "come over a WebSocket at <code>/v1/ws</code>; "
        "<code>docs/PROTOCOL.md</code> says how.</p>\n</html>\n";
    exchange_answer(x, 200, "text/html; charset=utf-8", str_of(page));
}

static void
serve_live(struct exchange *x)
{
    exchange_answer(x, 200, SERVE_JSON, STR("{\"status\":\"ok\"}"));
}

static void
serve_ready(struct exchange *x)
{
    const struct workspace *w;
    for (size_t i = 0; (w = workspaces_at(x->hub->workspaces, i)); i++) {
        if (workspace_state(w) == WORKSPACE_OPENING) {
            exchange_answer(x, 503, SERVE_JSON, STR("{\"status\":\"opening\"}"));
            return;
        }
    }
    exchange_answer(x, 200, SERVE_JSON, STR("{\"status\":\"ready\"}"));
}

static void
serve_stats(struct exchange *x)
{
    AUTO(buf_finish) struct buf body = {0};
    asker_add_stats(&body, x->hub);
    exchange_answer(x, 200, SERVE_JSON, buf_str(&body));
}

static void
serve_metrics(struct exchange *x)
{
    AUTO(buf_finish) struct buf body = {0};
    metrics_add(&body, x->hub);
    exchange_answer(x, 200, METRICS_TYPE, buf_str(&body));
}

static bool
is_subscribed(const struct hub_client *c, const struct workspace *w)
{
    list_for_each (it, &c->owner.subs)
        if (feed_workspace(sub_feed(sub_of_owner_link(it))) == w)
            return true;
    return false;
}

/* With the numbers of an earlier document: connections, and how many of each workspace. */
static void
serve_socket_stats(struct exchange *x)
{
    AUTO(buf_finish) struct buf body = {0}, list = {0};
    const struct workspace *w;
    size_t n_with = 0;
    for (size_t i = 0; (w = workspaces_at(x->hub->workspaces, i)); i++) {
        size_t n = 0;
        list_for_each (it, &x->hub->clients)
            n += is_subscribed(list_entry(it, struct hub_client, link), w);
        if (n == 0)
            continue;
        buf_printf(&list, "%s\"%s\":%zu", n_with++ > 0 ? "," : "", workspace_id(w), n);
    }
    buf_printf(&body,
               "{\"total_connections\":%zu,\"libraries_with_subscribers\":%zu,"
               "\"subscriptions_by_library\":{",
               x->hub->n_clients, n_with);
    buf_add_str(&body, buf_str(&list));
    buf_add_cstr(&body, "},");
    hub_add_stats(&body, x->hub);
    buf_add_char(&body, '}');
    exchange_answer(x, 200, SERVE_JSON, buf_str(&body));
}

/* What a page asks before it connects; nothing that needs a token. */
static void
serve_socket_info(struct exchange *x)
{
    exchange_answer(x, 200, SERVE_JSON,
                    STR("{\"available\":true,\"websocket\":true,\"path\":\"/v1/ws\","
                        "\"subprotocols\":[\"" GATE_SUBPROTOCOL
                        "\",\"" GATE_SUBPROTOCOL_LINES "\"]}"));
}

/* What a page polls while it has no WebSocket: each workspace is a pipeline. */
static void
serve_pipelines(struct exchange *x)
{
    AUTO(buf_finish) struct buf body = {0}, stats = {0};
    const struct workspace *w;
    char time[CLOCK_ISO_BYTES];
    clock_iso8601(clock_wall_ms(), time);
    buf_printf(&body, "{\"status\":\"online\",\"time\":\"%s\",\"pipelines\":[", time);
    for (size_t i = 0; (w = workspaces_at(x->hub->workspaces, i)); i++) {
        bool is_offline = workspace_state(w) == WORKSPACE_FAILED ||
                          workspace_state(w) == WORKSPACE_CLOSING;
        buf_printf(&body, "%s{\"id\":\"%s\",\"name\":", i > 0 ? "," : "",
                   workspace_id(w));
        codec_add_string(&body, str_of(workspace_root(w)));
        buf_printf(&body, ",\"status\":\"%s\",\"state\":\"%s\"}",
                   is_offline ? "offline" : "online",
                   workspace_state_name(workspace_state(w)));
    }
    buf_add_cstr(&body, "],");
    asker_add_stats(&stats, x->hub);
    buf_add(&body, stats.p + 1, stats.n - 1); // the object goes on
    exchange_answer(x, 200, SERVE_JSON, buf_str(&body));
}

static void
serve_workspaces(struct exchange *x)
{
    AUTO(buf_finish) struct buf body = {0};
    buf_add_char(&body, '{');
    asker_add_workspaces(&body, x->hub);
    buf_add_cstr(&body, ",\"closed\":");
    workspaces_add_closed(&body, x->hub->workspaces);
    buf_add_char(&body, '}');
    exchange_answer(x, 200, SERVE_JSON, buf_str(&body));
}

static void
serve_contract(struct exchange *x)
{
    const struct contract_document *d = contract_find(str_of(x->path + strlen("/v1/")));
    if (d)
        exchange_answer(x, 200, SERVE_JSON, str_slice(d->text, d->size));
    else
        exchange_problem(x, PROBLEM_NOT_FOUND, "the contract has no such schema");
}

static struct workspace *
workspace_of(struct exchange *x)
{
    struct workspace *w = hub_find_workspace(x->hub, x->params[0]);
    if (!w)
        exchange_problem(x, PROBLEM_NOT_FOUND, "no workspace of this id is open");
    return w;
}

static void
serve_workspace(struct exchange *x)
{
    AUTO(buf_finish) struct buf body = {0};
    struct workspace *w = workspace_of(x);
    if (!w)
        return;
    workspace_add_status(&body, w);
    exchange_answer(x, 200, SERVE_JSON, buf_str(&body));
}

static void
serve_search(struct exchange *x)
{
    struct terms terms = {.search.limit = SEARCH_LIMIT_DEFAULT};
    struct workspace *w = workspace_of(x);
    const char *why;
    if (!w)
        return;
    if (terms_read_address(x, true, QUERY_LIMIT_MAX, &terms, &why))
        ask_search(x->hub, w, &terms.search, (struct asker){.exchange = x});
    else
        exchange_problem(x, PROBLEM_BAD_REQUEST, why);
}

/* OFFSET:PATH, as an answer gave it. */
static bool
read_place(struct str cursor, struct query_place *ret_place)
{
    ssize_t at = str_find_char(cursor, ':');
    if (at < 0 || str_to_u64(str_slice(cursor.p, (size_t)at), &ret_place->offset) < 0)
        return false;
    ret_place->path = str_slice(cursor.p + at + 1, cursor.n - (size_t)at - 1);
    return ret_place->path.n > 0;
}

static void
serve_entities(struct exchange *x)
{
    struct terms terms = {.search.limit = LIST_LIMIT_DEFAULT};
    struct query_place from = {0};
    struct workspace *w = workspace_of(x);
    struct str cursor = STR_NONE;
    const char *why;
    if (!w)
        return;
    if (!terms_read_address(x, false, QUERY_LIMIT_MAX, &terms, &why))
        exchange_problem(x, PROBLEM_BAD_REQUEST, why);
    else if (exchange_argument_view(x, "cursor", &cursor) && !read_place(cursor, &from))
        exchange_problem(x, PROBLEM_BAD_REQUEST,
                         "cursor must be what the answer before gave");
    else
        ask_list(x->hub, w, &terms.search, &from, (struct asker){.exchange = x});
}

static void
serve_entity(struct exchange *x)
{
    struct workspace *w = workspace_of(x);
    struct str edges = STR_NONE;
    bool with_edges = exchange_argument_view(x, "edges", &edges) &&
                      !str_eq_c(edges, "0") && !str_eq_c(edges, "false");
    if (w)
        ask_entity(x->hub, w, x->params[1], with_edges, (struct asker){.exchange = x});
}

/* Sorted by path, then method. The names of earlier documents (libraries, documents, health) are aliases. */
static const struct route routes[] = {
    {"/", HTTP_GET, BODY_NONE, true, serve_page},
    {"/api/health", HTTP_GET, BODY_NONE, true, serve_live},
    {"/api/rag-status", HTTP_GET, BODY_NONE, false, serve_pipelines},
    {"/api/socket/info", HTTP_GET, BODY_NONE, true, serve_socket_info},
    {"/health", HTTP_GET, BODY_NONE, true, serve_live},
    {"/livez", HTTP_GET, BODY_NONE, true, serve_live},
    {"/metrics", HTTP_GET, BODY_NONE, false, serve_metrics},
    {"/readyz", HTTP_GET, BODY_NONE, true, serve_ready},
    {"/v1/asyncapi.json", HTTP_GET, BODY_NONE, true, serve_contract},
    {"/v1/events/stream", HTTP_GET, BODY_NONE, false, sse_serve},
    {"/v1/jobs", HTTP_GET, BODY_NONE, false, jobs_serve_list},
    {"/v1/jobs/{}", HTTP_GET, BODY_NONE, false, jobs_serve_status},
    {"/v1/jobs/{}", HTTP_DELETE, BODY_NONE, false, jobs_serve_cancel},
    {"/v1/jobs/{}/retry", HTTP_POST, BODY_JSON, false, jobs_serve_retry},
    {"/v1/libraries", HTTP_GET, BODY_NONE, false, serve_workspaces},
    {"/v1/libraries/{}", HTTP_GET, BODY_NONE, false, serve_workspace},
    {"/v1/libraries/{}", HTTP_DELETE, BODY_NONE, false, ingest_serve_drop},
    {"/v1/libraries/{}/documents", HTTP_GET, BODY_NONE, false, serve_entities},
    {"/v1/libraries/{}/documents", HTTP_POST, BODY_JSON, false, ingest_serve_add},
    {"/v1/libraries/{}/documents", HTTP_DELETE, BODY_NONE, false, ingest_serve_delete},
    {"/v1/libraries/{}/documents/batch-async", HTTP_POST, BODY_JSON, false,
     jobs_serve_batch},
    {"/v1/libraries/{}/documents/stream", HTTP_POST, BODY_STREAM, false,
     ingest_serve_stream},
    {"/v1/libraries/{}/documents/{*}", HTTP_GET, BODY_NONE, false, serve_entity},
    {"/v1/libraries/{}/documents/{*}", HTTP_DELETE, BODY_NONE, false,
     ingest_serve_delete},
    {"/v1/libraries/{}/events", HTTP_GET, BODY_NONE, false, poll_serve},
    {"/v1/libraries/{}/files", HTTP_GET, BODY_NONE, false, files_serve},
    {"/v1/libraries/{}/search", HTTP_GET, BODY_NONE, false, serve_search},
    {"/v1/libraries/{}/search/stream", HTTP_POST, BODY_JSON, false, finds_serve},
    {"/v1/libraries/{}/ws", HTTP_GET, BODY_NONE, false, NULL},
    {"/v1/openapi.json", HTTP_GET, BODY_NONE, true, serve_contract},
    {"/v1/schema/{}", HTTP_GET, BODY_NONE, true, serve_contract},
    {"/v1/stats", HTTP_GET, BODY_NONE, false, serve_stats},
    {"/v1/websockets/stats", HTTP_GET, BODY_NONE, false, serve_socket_stats},
    {"/v1/workspaces", HTTP_GET, BODY_NONE, false, serve_workspaces},
    {"/v1/workspaces/{}", HTTP_GET, BODY_NONE, false, serve_workspace},
    {"/v1/workspaces/{}", HTTP_DELETE, BODY_NONE, false, ingest_serve_drop},
    {"/v1/workspaces/{}/entities", HTTP_GET, BODY_NONE, false, serve_entities},
    {"/v1/workspaces/{}/entities", HTTP_POST, BODY_JSON, false, ingest_serve_add},
    {"/v1/workspaces/{}/entities", HTTP_DELETE, BODY_NONE, false, ingest_serve_delete},
    {"/v1/workspaces/{}/entities/batch-async", HTTP_POST, BODY_JSON, false,
     jobs_serve_batch},
    {"/v1/workspaces/{}/entities/stream", HTTP_POST, BODY_STREAM, false,
     ingest_serve_stream},
    {"/v1/workspaces/{}/entities/{*}", HTTP_GET, BODY_NONE, false, serve_entity},
    {"/v1/workspaces/{}/entities/{*}", HTTP_DELETE, BODY_NONE, false,
     ingest_serve_delete},
    {"/v1/workspaces/{}/events", HTTP_GET, BODY_NONE, false, poll_serve},
    {"/v1/workspaces/{}/files", HTTP_GET, BODY_NONE, false, files_serve},
    {"/v1/workspaces/{}/jobs", HTTP_POST, BODY_JSON, false, jobs_serve_submit},
    {"/v1/workspaces/{}/reindex", HTTP_POST, BODY_JSON, false, jobs_serve_reindex},
    {"/v1/workspaces/{}/search", HTTP_GET, BODY_NONE, false, serve_search},
    {"/v1/workspaces/{}/search/stream", HTTP_POST, BODY_JSON, false, finds_serve},
    {"/v1/workspaces/{}/ws", HTTP_GET, BODY_NONE, false, NULL},
    {"/v1/ws", HTTP_GET, BODY_NONE, false, NULL},
};

const struct route *
route_at(size_t index)
{
    return index < ARRAY_LEN(routes) ? &routes[index] : NULL;
}

/* A path may match two: "entities/batch-async" is also a key, but not with that method. */
const struct route *
route_find(struct str path, enum http_method method,
           struct str ret_params[MATCH_PARAMS_MAX], unsigned *ret_methods)
{
    *ret_methods = 0;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct str params[MATCH_PARAMS_MAX] = {0};
        if (!match_path(routes[i].path, path, params))
            continue;
        *ret_methods |= 1u << routes[i].method;
        if (routes[i].method != method)
            continue;
        memcpy(ret_params, params, sizeof(params));
        return &routes[i];
    }
    return NULL;
}
