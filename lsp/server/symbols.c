/* documentSymbol, workspace/symbol and gloss/outline. */
#include "base/err.h"
#include "base/mem.h"
#include "base/uri.h"
#include "lsp/server/methods.h"

#define SERVER_SYMBOLS_MAX 256 // of one workspace/symbol answer
#define SERVER_DEPTH_MAX 64    // of nested document symbols; what is deeper begins anew

/* ---- documentSymbol ---- */

static void
open_symbol(const struct server_session *s, struct buf *json,
            const struct entity_row *row)
{
    buf_add_cstr(json, "{\"name\":");
    codec_add_string(json, row->e.name.n ? row->e.name : STR("(anonymous)"));
    buf_add_cstr(json, ",\"detail\":");
    codec_add_string(json, row->e.signature);
    buf_printf(json, ",\"kind\":%d,\"range\":", entity_kind_lsp(row->e.kind));
    place_add_range(s, json, &row->e.range);
    buf_add_cstr(json, ",\"selectionRange\":");
    place_add_range(s, json, &row->e.name_range);
}

/* Rows come parents first, so a symbol stays open until a row has another parent. */
static void
add_nested(const struct server_session *s, struct buf *json,
           const struct query_result *result)
{
    uint32_t open[SERVER_DEPTH_MAX];
    size_t depth = 0;

    for (size_t i = 0; i < result->n_rows; i++) {
        const struct entity_row *row = &result->rows[i];

        while (depth > 0 &&
               (row->e.parent != open[depth - 1] || depth == SERVER_DEPTH_MAX)) {
            buf_add_cstr(json, "]}");
            depth--;
        }
        if (json->p[json->n - 1] == '}')
            buf_add_char(json, ',');
        open_symbol(s, json, row);
        buf_add_cstr(json, ",\"children\":[");
        open[depth++] = (uint32_t)i;
    }
    while (depth-- > 0)
        buf_add_cstr(json, "]}");
}

static void
add_flat(const struct server_session *s, struct buf *json,
         const struct query_result *result, const struct workspace *w)
{
    for (size_t i = 0; i < result->n_rows; i++) {
        const struct entity_row *row = &result->rows[i];

        buf_add_cstr(json, i ? ",{\"name\":" : "{\"name\":");
        codec_add_string(json, row->e.name);
        buf_printf(json, ",\"kind\":%d,\"location\":", entity_kind_lsp(row->e.kind));
        place_add_location(s, json, w, row);
        if (row->e.parent != ENTITY_NONE && row->e.parent < result->n_rows) {
            buf_add_cstr(json, ",\"containerName\":");
            codec_add_string(json, result->rows[row->e.parent].e.qualified_name);
        }
        buf_add_char(json, '}');
    }
}

static void
on_outline(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;

    p->ticket = NULL;
    if (p->session && (*result)->r == 0) {
        AUTO(buf_finish) struct buf json = {0};

        buf_add_char(&json, '[');
        if (p->session->has_nested_symbols)
            add_nested(p->session, &json, *result);
        else
            add_flat(p->session, &json, *result, p->workspace);
        buf_add_char(&json, ']');
        pending_reply(p, buf_str(&json));
    }
    pending_reply(p, STR("null"));
    pending_destroy(p);
}

static void
run_outline(struct pending *p)
{
    if (!workspace_query(p->workspace)) {
        pending_reply(p, STR("null"));
        pending_destroy(p);
        return;
    }
    workspace_outline(p->workspace, str_of(p->uri), on_outline, p);
}

void
symbols_document(struct server_session *s, const struct wire_id *id, json_t *params)
{
    struct session_doc *doc = session_find_doc(s, params, NULL);
    AUTO(free) char *absolute = NULL;
    struct workspace *w = NULL;
    struct str uri, path = STR_NONE;
    struct pending *p;

    if (codec_get_str(codec_object(params, "textDocument"), "uri", &uri) < 0) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS, "textDocument.uri is missing");
        return;
    }
    if (uri_to_path(uri, &absolute) == 0)
        w = session_workspace_of(s, absolute, &path);
    if (!w || !feature_is_on(s, s->document_symbol, doc)) {
        wire_reply(s->wire, id, NULL);
        return;
    }
    p = pending_create(s, id, w);
    p->uri = str_dup(path);
    pending_when_open(p, run_outline);
}

/* ---- gloss/outline: our own entity objects ---- */

static void
on_own_outline(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;

    if ((*result)->r == 0) {
        AUTO(buf_finish) struct buf json = {0};

        for (size_t i = 0; i < (*result)->n_rows; i++) {
            buf_add_char(&json, i ? ',' : '[');
            codec_add_entity(&json, &(*result)->rows[i], CODEC_WITH_HOVER);
        }
        buf_add_cstr(&json, (*result)->n_rows ? "]" : "[]");
        pending_reply(p, buf_str(&json));
    }
    pending_error(p, WIRE_REQUEST_FAILED, "the file is not in the index");
    pending_destroy(p);
}

static void
run_own_outline(struct pending *p)
{
    if (workspace_query(p->workspace)) {
        workspace_outline(p->workspace, str_of(p->uri), on_own_outline, p);
        return;
    }
    pending_error(p, WIRE_REQUEST_FAILED, "the index cannot be read (gloss status)");
    pending_destroy(p);
}

void
symbols_outline(struct server_session *s, const struct wire_id *id, json_t *params)
{
    AUTO(free) char *absolute = NULL;
    struct workspace *w = NULL;
    struct str uri, path = STR_NONE;
    struct pending *p;

    if (codec_get_str(codec_object(params, "textDocument"), "uri", &uri) == 0 &&
        uri_to_path(uri, &absolute) == 0)
        w = session_workspace_of(s, absolute, &path);
    if (!w) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS,
                         "textDocument.uri is in no workspace of this session");
        return;
    }
    p = pending_create(s, id, w);
    p->uri = str_dup(path);
    pending_when_open(p, run_own_outline);
}

/* ---- workspace/symbol: one search per root, answered when the last is there ---- */

static void
symbols_reply(struct pending *p)
{
    if (--p->n_wanted > 0)
        return;
    buf_add_char(&p->result, ']');
    pending_reply(p, buf_str(&p->result));
    pending_destroy(p);
}

struct root_search {
    struct pending *p;
    struct workspace *workspace;
};

static void
on_found(void *ctx, struct query_result **result)
{
    struct root_search *search = ctx;
    struct pending *p = search->p;

    p->ticket = NULL;
    for (size_t i = 0; p->session && i < (*result)->n_rows; i++) {
        const struct entity_row *row = &(*result)->rows[i];
        struct str container = row->e.qualified_name;

        container.n -= MIN(container.n, row->e.name.n + 1);
        buf_add_cstr(&p->result, p->result.n > 1 ? ",{\"name\":" : "{\"name\":");
        codec_add_string(&p->result, row->e.name);
        buf_printf(&p->result,
                   ",\"kind\":%d,\"containerName\":", entity_kind_lsp(row->e.kind));
        codec_add_string(&p->result, container.n ? container : row->path);
        buf_add_cstr(&p->result, ",\"location\":");
        place_add_location(p->session, &p->result, search->workspace, row);
        buf_add_char(&p->result, '}');
    }
    free(search);
    symbols_reply(p);
}

static void
run_symbols(struct pending *p)
{
    struct query_search search = {.text = str_of(p->word), .limit = SERVER_SYMBOLS_MAX};

    p->n_wanted = 1;
    buf_add_char(&p->result, '[');
    list_for_each (it, &p->session->roots) {
        struct workspace *w = list_entry(it, struct session_root, link)->workspace;
        struct root_search *one;

        if (!workspace_query(w))
            continue;
        one = xnew(struct root_search);
        one->p = p;
        one->workspace = w;
        p->n_wanted++;
        p->ticket = query_search(workspace_query(w), &search, on_found, one);
    }
    symbols_reply(p);
}

void
symbols_workspace(struct server_session *s, const struct wire_id *id, json_t *params)
{
    struct pending *p;
    struct str text;

    if (codec_get_str(params, "query", &text) < 0 || text.n > QUERY_TEXT_BYTES_MAX) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS,
                         "query is missing or too long");
        return;
    }
    if (list_is_empty(&s->roots)) {
        wire_reply_text(s->wire, id, STR("[]"));
        return;
    }
    p = pending_create(s, id,
                       list_first(&s->roots, struct session_root, link)->workspace);
    p->word = str_dup(text);
    pending_when_open(p, run_symbols);
}
