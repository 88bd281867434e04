/* gloss/… methods: what our own commands and the editors' plugins ask of the engine. Documented in
 * docs/PROTOCOL.md. */
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/uri.h"
#include "lsp/server/methods.h"

void
engine_status(struct server_session *s, const struct wire_id *id, json_t *params UNUSED)
{
    AUTO(buf_finish) struct buf json = {0}, workspaces = {0};

    workspaces_add_status(&workspaces, s->workspaces);
    buf_add_cstr(&json, "{\"engine\":{");
    if (s->host.add_status)
        s->host.add_status(s->host.ctx, &json);
    buf_add_cstr(&json, "},");
    buf_add(&json, workspaces.p + 1,
            workspaces.n - 1); // both are objects: one goes on where the other stops
    wire_reply_text(s->wire, id, buf_str(&json));
}

/* The workspace of params.root; NULL and an error was answered. */
static struct workspace *
named_root(struct server_session *s, const struct wire_id *id, json_t *params)
{
    AUTO(free) char *why = NULL;
    struct workspace *w;
    struct str root;
    int r;

    if (codec_get_str(params, "root", &root) < 0 || root.n > PATH_BYTES_MAX ||
        root.p[0] != '/') {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS,
                         "root must be an absolute path");
        return NULL;
    }
    r = session_add_root(s, root.p, &w);
    if (r == 0)
        return w;
    why = xasprintf("cannot hold it: %s", err_text(r));
    wire_reply_error(s->wire, id, WIRE_REQUEST_FAILED, why);
    return NULL;
}

void
engine_hold(struct server_session *s, const struct wire_id *id, json_t *params)
{
    struct workspace *w = named_root(s, id, params);
    AUTO(buf_finish) struct buf json = {0};

    if (!w)
        return;
    workspace_add_status(&json, w);
    wire_reply_text(s->wire, id, buf_str(&json));
}

/* ---- index, with progress ---- */

static void
on_index_progress(void *ctx)
{
    struct pending *p = ctx;
    struct workspace_progress progress = workspace_progress(p->workspace);

    if (p->session && !p->is_answered)
        wire_notify(p->session->wire, "gloss/progress",
                    json_pack("{s:s, s:I, s:I, s:I, s:I}", "root",
                              workspace_root(p->workspace), "files_done",
                              (json_int_t)progress.files_done, "files_total",
                              (json_int_t)progress.files_total, "hover_files_done",
                              (json_int_t)progress.hover_files_done, "hover_files_total",
                              (json_int_t)progress.hover_files_total));
}

static void
on_index_summary(void *ctx, const struct workspace_summary *summary)
{
    struct pending *p = ctx;

    if (summary->r == 0) {
        AUTO(buf_finish) struct buf json = {0};

        workspace_add_summary(&json, summary);
        pending_reply(p, buf_str(&json));
    }
    if (p->session)
        pending_error(p, WIRE_REQUEST_FAILED, summary->why ? summary->why : "no summary");
    pending_destroy(p);
}

void
engine_index(struct server_session *s, const struct wire_id *id, json_t *params)
{
    struct workspace *w = named_root(s, id, params);
    bool with_enrich = false;
    struct pending *p;

    if (!w)
        return;
    codec_get_bool(params, "enrich", &with_enrich);
    p = pending_create(s, id, w);
    p->listener = workspace_listen(w, on_index_progress, p);
    workspace_index(w, with_enrich, on_index_summary, p);
}

static void
ignore_summary(void *ctx UNUSED, const struct workspace_summary *summary UNUSED)
{
}

void
engine_reindex(struct server_session *s, const struct wire_id *id, json_t *params)
{
    AUTO(free) char *absolute = NULL;
    struct str uri, path;
    struct workspace *w;

    if (codec_get_str(params, "uri", &uri) == 0 && uri_to_path(uri, &absolute) == 0 &&
        (w = session_workspace_of(s, absolute, &path)))
        workspace_reindex(w, path);
    else
        list_for_each (it, &s->roots)
            workspace_index(list_entry(it, struct session_root, link)->workspace, false,
                            ignore_summary, NULL);
    wire_reply(s->wire, id, NULL);
}

void
engine_pause(struct server_session *s, const struct wire_id *id, json_t *params UNUSED)
{
    list_for_each (it, &s->roots)
        workspace_pause(list_entry(it, struct session_root, link)->workspace);
    wire_reply(s->wire, id, NULL);
}

void
engine_resume(struct server_session *s, const struct wire_id *id, json_t *params UNUSED)
{
    if (!s->is_trusted) {
        wire_reply_error(s->wire, id, WIRE_REQUEST_FAILED,
                         "the folder is not trusted: no language server is started");
        return;
    }
    list_for_each (it, &s->roots)
        workspace_resume(list_entry(it, struct session_root, link)->workspace);
    wire_reply(s->wire, id, NULL);
}

/* ---- dead letters ---- */

static void
on_retried(void *ctx, size_t n_tried, size_t n_left, const char *why)
{
    struct pending *p = ctx;
    AUTO(buf_finish) struct buf json = {0};

    buf_printf(&json, "{\"tried\":%zu,\"left\":%zu,\"why\":", n_tried, n_left);
    if (why)
        codec_add_string(&json, str_of(why));
    else
        buf_add_cstr(&json, "null");
    buf_add_char(&json, '}');
    pending_reply(p, buf_str(&json));
    pending_destroy(p);
}

/* The ids are in its result until there is one. */
static void
run_retry(struct pending *p)
{
    AUTO(free) int64_t *ids = NULL;
    size_t n = p->result.n / sizeof(*ids);
    int r;

    ids = xcalloc(n + 1, sizeof(*ids));
    if (n > 0)
        memcpy(ids, p->result.p, n * sizeof(*ids));
    buf_reset(&p->result);
    r = workspace_retry(p->workspace, ids, n, on_retried, p);
    if (r < 0) {
        const char *why = workspace_why(p->workspace);

        pending_error(p, WIRE_REQUEST_FAILED, why ? why : err_text(r));
        pending_destroy(p);
    }
}

void
engine_retry(struct server_session *s, const struct wire_id *id, json_t *params)
{
    json_t *ids = codec_array(params, "ids"), *number;
    struct workspace *w = named_root(s, id, params);
    struct pending *p;
    size_t i;

    if (!w)
        return;
    if ((codec_member(params, "ids") && !ids) ||
        json_array_size(ids) > STORE_LETTERS_MAX) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS,
                         "ids must be an array of numbers");
        return;
    }
    p = pending_create(s, id, w);
    json_array_foreach(ids, i, number)
    {
        int64_t value = json_integer_value(number);

        buf_add(&p->result, &value, sizeof(value));
    }
    pending_when_open(p, run_retry);
}

void
engine_dashboard(struct server_session *s, const struct wire_id *id, json_t *params)
{
    AUTO(free)
    char *url = s->host.dashboard_url ? s->host.dashboard_url(s->host.ctx) : NULL;
    struct str origin;

    if (!url) {
        wire_reply_error(s->wire, id, WIRE_REQUEST_FAILED, "this engine has no hub");
        return;
    }
    if (codec_get_str(params, "origin", &origin) == 0 && s->host.allow_origin &&
        s->host.allow_origin(s->host.ctx, origin.p) < 0) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS,
                         "that origin cannot be allowed");
        return;
    }
    wire_reply(s->wire, id, json_pack("{s:s}", "url", url));
}

void
engine_stop(struct server_session *s, const struct wire_id *id, json_t *params UNUSED)
{
    wire_reply(s->wire, id, NULL);
    if (s->host.on_stop)
        s->host.on_stop(s->host.ctx);
}
