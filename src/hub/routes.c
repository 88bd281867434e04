/* Why: what can be fetched, in one sorted table. To add a route: a row and its function. */
#include "hub/serve.h"

#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/client.h"
#include "hub/metrics.h"
#include "workspace/workspace.h"

#define LIMIT_DEFAULT 20

static void
serve_page(struct exchange *x)
{
    static const char page[] =
        "<!doctype html>\n<html lang=\"en\">\n<meta "
        "charset=\"utf-8\">\n<title>gloss</title>\n"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;"
        "padding:0 1em}</style>\n<h1>gloss</h1>\n"
        "<p>This is the engine of <b>gloss</b>, a live index of the code that is being "
        "edited on "
        "this machine.</p>\n"
        "<p>Its data need a token, which <code>gloss dashboard</code> and "
        "<code>gloss status</code> know. Events come over a WebSocket at "
        "<code>/v1/ws</code>; "
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

/* S3's numbers of connections. */
static void
serve_socket_stats(struct exchange *x)
{
    AUTO(buf_finish) struct buf body = {0};
    buf_printf(&body, "{\"total_connections\":%zu,", x->hub->n_clients);
    hub_add_stats(&body, x->hub);
    buf_add_char(&body, '}');
    exchange_answer(x, 200, SERVE_JSON, buf_str(&body));
}

static void
serve_workspaces(struct exchange *x)
{
    AUTO(buf_finish) struct buf body = {0};
    buf_add_char(&body, '{');
    asker_add_workspaces(&body, x->hub);
    buf_add_char(&body, '}');
    exchange_answer(x, 200, SERVE_JSON, buf_str(&body));
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
serve_search(struct exchange *x)
{
    char text[QUERY_TEXT_BYTES_MAX + 1], word[64];
    struct query_search search = {.limit = LIMIT_DEFAULT};
    enum entity_kind kind;
    struct workspace *w = workspace_of(x);
    if (!w)
        return;
    if (!exchange_argument(x, "q", text, sizeof(text)) || text[0] == '\0') {
        exchange_problem(x, PROBLEM_BAD_REQUEST,
                         "q must be the words to search, at most 1024 bytes");
        return;
    }
    search.text = str_of(text);
    if (exchange_argument(x, "limit", word, sizeof(word))) {
        uint64_t limit;
        if (str_to_u64(str_of(word), &limit) < 0 || limit < 1 ||
            limit > QUERY_LIMIT_MAX) {
            exchange_problem(x, PROBLEM_BAD_REQUEST,
                             "limit must be a number from 1 to 1000");
            return;
        }
        search.limit = (size_t)limit;
    }
    if (exchange_argument(x, "kind", word, sizeof(word))) {
        if (entity_kind_parse(str_of(word), &kind) < 0) {
            exchange_problem(x, PROBLEM_BAD_REQUEST, "there is no such kind");
            return;
        }
        search.kinds = &kind;
        search.n_kinds = 1;
    }
    if (exchange_argument(x, "mode", word, sizeof(word))) {
        search.is_text_search = strcmp(word, "text") == 0;
        if (!search.is_text_search && strcmp(word, "name") != 0) {
            exchange_problem(x, PROBLEM_BAD_REQUEST, "mode must be name or text");
            return;
        }
    }
    ask_search(x->hub, w, &search, (struct asker){.exchange = x});
}

static void
serve_entity(struct exchange *x)
{
    struct workspace *w = workspace_of(x);
    if (w)
        ask_entity(x->hub, w, x->params[1], false, (struct asker){.exchange = x});
}

/* Sorted by path. The names of earlier documents (libraries, documents, health) are aliases. */
static const struct route routes[] = {
    {"/", true, serve_page},
    {"/api/health", true, serve_live},
    {"/health", true, serve_live},
    {"/livez", true, serve_live},
    {"/metrics", false, serve_metrics},
    {"/readyz", true, serve_ready},
    {"/v1/libraries/{}/search", false, serve_search},
    {"/v1/libraries/{}/ws", false, NULL},
    {"/v1/stats", false, serve_stats},
    {"/v1/websockets/stats", false, serve_socket_stats},
    {"/v1/workspaces", false, serve_workspaces},
    {"/v1/workspaces/{}/entities/{*}", false, serve_entity},
    {"/v1/workspaces/{}/search", false, serve_search},
    {"/v1/workspaces/{}/ws", false, NULL},
    {"/v1/ws", false, NULL},
};

const struct route *
route_at(size_t index)
{
    return index < ARRAY_LEN(routes) ? &routes[index] : NULL;
}

const struct route *
route_find(struct str path, struct str ret_params[MATCH_PARAMS_MAX])
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (match_path(routes[i].path, path, ret_params))
            return &routes[i];
    return NULL;
}
