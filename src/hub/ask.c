/* Why: search and look-up are the same question whether a WebSocket or HTTP asks it, and the one who
 * asked may be gone when the answer comes. Invariant: an ask lives until the query module gave its
 * result; only on_result is taken away when nobody waits any more. */
#include "hub/ask.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/client.h"
#include "hub/serve.h"
#include "workspace/workspace.h"

#define LOG_MODULE "hub"
#include "base/log.h"

#define ASK_ENVELOPE_BYTES 512 // of an answer, besides its rows

/* ---- answering ---- */

void
asker_data(struct asker *a, struct str data)
{
    if (a->exchange) {
        exchange_answer(a->exchange, 200, SERVE_JSON, data);
        return;
    }
    struct buf message = {0};
    a->client->n_bad = 0;
    message_begin(&message);
    buf_add_cstr(&message, "{\"type\":\"response\",\"request_id\":");
    buf_add_cstr(&message, a->request_id);
    buf_add_cstr(&message, ",\"success\":true,\"data\":");
    buf_add_str(&message, data);
    buf_add_char(&message, '}');
    hub_client_send(a->client, &message);
}

static void
send_problem(struct asker *a, const char *detail, struct str problem)
{
    struct buf message = {0};
    message_begin(&message);
    buf_add_cstr(&message, "{\"type\":\"response\",\"request_id\":");
    buf_add_cstr(&message, a->request_id);
    buf_add_cstr(&message, ",\"success\":false,\"error\":");
    codec_add_string(&message, str_of(detail));
    buf_add_cstr(&message, ",\"problem\":");
    buf_add_str(&message, problem);
    buf_add_char(&message, '}');
    hub_client_send(a->client, &message);
}

static void
tell_problem(struct asker *a, enum problem p, const char *detail)
{
    AUTO(buf_finish) struct buf problem = {0};
    if (a->exchange) {
        exchange_problem(a->exchange, p, detail);
        return;
    }
    problem_add(&problem, p, detail);
    send_problem(a, detail, buf_str(&problem));
}

void
asker_problem(struct asker *a, enum problem p, const char *detail)
{
    if (a->client)
        a->client->n_bad = 0;
    tell_problem(a, p, detail);
}

void
asker_refuse(struct asker *a, enum problem p, const char *detail)
{
    if (a->client && problem_status(p) < 500)
        a->client->n_bad++;
    tell_problem(a, p, detail);
}

void
asker_wait(struct asker *a, const char *detail, int64_t retry_after_ms)
{
    AUTO(buf_finish) struct buf problem = {0};
    problem_add_after(&problem, PROBLEM_TOO_MANY, detail, retry_after_ms);
    send_problem(a, detail, buf_str(&problem));
}

void
asker_add_workspaces(struct buf *json, const struct hub *h)
{
    const struct workspace *w;
    buf_add_cstr(json, "\"workspaces\":[");
    for (size_t i = 0; (w = workspaces_at(h->workspaces, i)); i++) {
        buf_add_cstr(json, i ? ",{\"id\":" : "{\"id\":");
        codec_add_string(json, str_of(workspace_id(w)));
        if (workspace_pushed_name(w))
            buf_printf(json, ",\"name\":\"%s\"", workspace_pushed_name(w));
        buf_add_cstr(json, ",\"root\":");
        codec_add_string(json, str_of(workspace_root(w)));
        buf_printf(json, ",\"state\":\"%s\",\"epoch\":",
                   workspace_state_name(workspace_state(w)));
        codec_add_string(json, str_of(workspace_epoch(w)));
        buf_printf(json, ",\"head\":%" PRId64 "}", bus_head(workspace_bus(w)));
    }
    buf_add_char(json, ']');
}

void
asker_add_stats(struct buf *json, const struct hub *h)
{
    AUTO(buf_finish) struct buf status = {0};
    workspaces_add_status(&status, h->workspaces);
    buf_add_cstr(json, "{\"version\":\"" GLOSS_VERSION "\",\"hub\":{");
    hub_add_stats(json, h);
    buf_add_cstr(json, "},");
    buf_add(json, status.p + 1, status.n - 1); // the object goes on
}

/* ---- asking ---- */

struct ask *
ask_open(struct hub *h, struct workspace *w, struct asker asker,
         void (*on_result)(struct ask *ask, struct query_result **result), void *owner)
{
    struct ask *ask = xnew(struct ask);
    ask->hub = h;
    ask->workspace = w;
    ask->asker = asker;
    ask->on_result = on_result;
    ask->owner = owner;
    ask->begin_ns = clock_mono_ns();
    list_add(&h->asks, &ask->link);
    list_init(&ask->owner_link);
    if (asker.client) {
        list_add(&asker.client->asks, &ask->owner_link);
        asker.client->n_asks++;
    } else if (asker.exchange) {
        asker.exchange->ask = ask;
    }
    return ask;
}

static void
leave_owner(struct ask *ask)
{
    if (ask->asker.client) {
        list_remove(&ask->owner_link);
        ask->asker.client->n_asks--;
    } else if (ask->asker.exchange) {
        ask->asker.exchange->ask = NULL;
    }
}

static void
note_time(const struct ask *ask)
{
    int64_t us = (clock_mono_ns() - ask->begin_ns) / 1000;
    struct log_about about = {.connection =
                                  ask->asker.client ? ask->asker.client->id : NULL,
                              .request = ask->asker.request_id};
    histogram_add(&ask->hub->request_us, (uint64_t)us);
    if (us >= HUB_SLOW_ANSWER_MS * 1000)
        log_about(LOG_WARN, &about, "the index took %" PRId64 " ms to answer", us / 1000);
    else
        log_about(LOG_DEBUG, &about, "the index answered within %" PRId64 " us", us);
}

void
ask_on_done(void *ctx, struct query_result **result)
{
    struct ask *ask = ctx;
    struct hub *h = ask->hub;
    list_remove(&ask->link);
    if (ask->on_result) {
        note_time(ask);
        leave_owner(ask);
        ask->on_result(ask, result);
    }
    free(ask->asker.request_id);
    free(ask);
    hub_check_closing(h);
}

void
ask_abandon(struct ask *ask)
{
    if (!ask || !ask->on_result)
        return;
    ask->on_result = NULL;
    leave_owner(ask);
    ask->asker.client = NULL;
    ask->asker.exchange = NULL;
    if (ask->ticket)
        query_cancel(ask->ticket);
}

/* Tells the asker why there is nobody to ask. */
static struct query *
query_for(struct workspace *w, struct asker *asker)
{
    struct query *q = workspace_query(w);
    if (q)
        return q;
    const char *why = workspace_why(w);
    asker_problem(asker, PROBLEM_NOT_READY, why ? why : "the index is being opened");
    free(steal(asker->request_id));
    return NULL;
}

static void
on_rows(struct ask *ask, struct query_result **result)
{
    const struct query_result *found = *result;
    if (found->r < 0) {
        asker_problem(&ask->asker, problem_of_error(found->r), err_text(found->r));
        return;
    }
    AUTO(buf_finish) struct buf data = {0}, row = {0};
    size_t n = 0;
    buf_add_cstr(&data, "{\"workspace\":");
    codec_add_string(&data, str_of(workspace_id(ask->workspace)));
    buf_add_cstr(&data, ",\"results\":[");
    for (; n < found->n_rows; n++) {
        buf_reset(&row);
        codec_add_entity(&row, &found->rows[n], CODEC_WITH_SCORE);
        if (data.n + row.n + ASK_ENVELOPE_BYTES > HUB_FRAME_BYTES_MAX)
            break;
        if (n > 0)
            buf_add_char(&data, ',');
        buf_add_str(&data, buf_str(&row));
    }
    buf_printf(&data, "],\"count\":%zu,\"truncated\":%s}", n,
               n < found->n_rows ? "true" : "false");
    asker_data(&ask->asker, buf_str(&data));
}

void
ask_search(struct hub *h, struct workspace *w, const struct query_search *search,
           struct asker asker)
{
    struct query *q = query_for(w, &asker);
    if (!q)
        return;
    struct ask *ask = ask_open(h, w, asker, on_rows, NULL);
    ask->ticket = query_search(q, search, ask_on_done, ask);
}

/* Its place in words: how many of which file's entities were behind it. */
static void
on_list(struct ask *ask, struct query_result **result)
{
    const struct query_result *found = *result;
    if (found->r < 0) {
        asker_problem(&ask->asker, problem_of_error(found->r), err_text(found->r));
        return;
    }
    AUTO(buf_finish) struct buf data = {0}, cursor = {0};
    buf_add_cstr(&data, "{\"workspace\":");
    codec_add_string(&data, str_of(workspace_id(ask->workspace)));
    buf_add_cstr(&data, ",\"results\":[");
    for (size_t i = 0; i < found->n_rows; i++) {
        if (i > 0)
            buf_add_char(&data, ',');
        codec_add_entity(&data, &found->rows[i], 0);
    }
    buf_printf(&data, "],\"count\":%zu,\"cursor\":", found->n_rows);
    if (found->next.path.n > 0) {
        buf_printf(&cursor, "%" PRIu64 ":", found->next.offset);
        buf_add_str(&cursor, found->next.path);
        codec_add_string(&data, buf_str(&cursor));
    } else {
        buf_add_cstr(&data, "null");
    }
    buf_add_char(&data, '}');
    asker_data(&ask->asker, buf_str(&data));
}

void
ask_list(struct hub *h, struct workspace *w, const struct query_search *filter,
         const struct query_place *from, struct asker asker)
{
    struct query *q = query_for(w, &asker);
    if (!q)
        return;
    struct ask *ask = ask_open(h, w, asker, on_list, NULL);
    ask->ticket = query_list(q, filter, from, ask_on_done, ask);
}

static void
add_edges(struct buf *data, const char *name, const struct edge_row *edges, size_t n)
{
    AUTO(buf_finish) struct buf edge = {0};
    bool is_cut = false;
    buf_printf(data, ",\"%s\":[", name);
    for (size_t i = 0; i < n && !is_cut; i++) {
        buf_reset(&edge);
        codec_add_edge(&edge, &edges[i]);
        is_cut = data->n + edge.n + ASK_ENVELOPE_BYTES > HUB_FRAME_BYTES_MAX;
        if (is_cut)
            break;
        if (i > 0)
            buf_add_char(data, ',');
        buf_add_str(data, buf_str(&edge));
    }
    buf_printf(data, "],\"%s_truncated\":%s", name, is_cut ? "true" : "false");
}

/* Keys: each is one `get` away. */
static void
add_members(struct buf *data, const struct query_links *links)
{
    bool is_cut = false;
    buf_add_cstr(data, ",\"members\":[");
    for (size_t i = 0; i < links->n_members && !is_cut; i++) {
        struct str key = links->members[i].key;
        is_cut = data->n + 6 * key.n + ASK_ENVELOPE_BYTES > HUB_FRAME_BYTES_MAX;
        if (is_cut)
            break;
        if (i > 0)
            buf_add_char(data, ',');
        codec_add_string(data, key);
    }
    buf_printf(data, "],\"members_truncated\":%s", is_cut ? "true" : "false");
}

static void
on_entity(struct ask *ask, struct query_result **result)
{
    const struct query_result *found = *result;
    if (found->r == -ENOENT || (found->r == 0 && found->n_rows == 0)) {
        asker_problem(&ask->asker, PROBLEM_NOT_FOUND, "entity not found");
        return;
    }
    if (found->r < 0) {
        asker_problem(&ask->asker, problem_of_error(found->r), err_text(found->r));
        return;
    }
    AUTO(buf_finish) struct buf data = {0};
    buf_add_cstr(&data, "{\"workspace\":");
    codec_add_string(&data, str_of(workspace_id(ask->workspace)));
    buf_add_cstr(&data, ",\"entity\":");
    codec_add_entity(&data, &found->rows[0], CODEC_WITH_HOVER);
    if (ask->owner) {
        const struct query_links *l = &found->links;
        add_edges(&data, "callers", l->callers, l->n_callers);
        add_edges(&data, "callees", l->callees, l->n_callees);
        add_edges(&data, "bases", l->bases, l->n_bases);
        add_edges(&data, "derived", l->derived, l->n_derived);
        add_members(&data, l);
    }
    buf_add_char(&data, '}');
    asker_data(&ask->asker, buf_str(&data));
}

void
ask_entity(struct hub *h, struct workspace *w, struct str key, bool with_edges,
           struct asker asker)
{
    struct query *q = query_for(w, &asker);
    if (!q)
        return;
    struct ask *ask = ask_open(h, w, asker, on_entity, with_edges ? h : NULL);
    ask->ticket = query_entity(q, key, with_edges, ask_on_done, ask);
}
