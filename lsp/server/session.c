/* One connection: dispatch by the method table, the requests that wait for an answer, and the end.
 * A session ends by `exit`, by the end of its stream, by the death of its editor, or from our side; in
 * each case its documents are closed and its requests forgotten before on_closed is told. */
#include "base/err.h"
#include "base/mem.h"
#include "lsp/server/methods.h"

#define LOG_MODULE "lsp"
#include "base/log.h"

/* ---- requests that wait ---- */

struct pending *
pending_create(struct server_session *s, const struct wire_id *id, struct workspace *w)
{
    struct pending *p = xnew(struct pending);

    p->session = s;
    p->id = wire_id_copy(id);
    p->workspace = w;
    p->read_ns = wire_read_ns(s->wire);
    list_add(&s->pending, &p->link);
    return p;
}

void
pending_when_open(struct pending *p, void (*run)(struct pending *p))
{
    if (p->workspace && workspace_state(p->workspace) == WORKSPACE_OPENING)
        p->run = run;
    else
        run(p);
}

void
pending_run(struct server_session *s, const struct workspace *w)
{
    list_for_each_safe (it, &s->pending) {
        struct pending *p = list_entry(it, struct pending, link);
        void (*run)(struct pending *) = p->run;

        if (run && p->workspace == w) {
            p->run = NULL;
            run(p);
        }
    }
}

void
pending_reply(struct pending *p, struct str json)
{
    if (p->session && !p->is_answered)
        wire_reply_text(p->session->wire, &p->id, json);
    p->is_answered = true;
}

void
pending_error(struct pending *p, int code, const char *message)
{
    if (p->session && !p->is_answered)
        wire_reply_error(p->session->wire, &p->id, code, message);
    p->is_answered = true;
}

static void
on_deadline(void *ctx)
{
    struct pending *p = ctx;

    pending_reply(p, STR("null"));
    if (p->ticket)
        query_cancel(p->ticket);
}

void
pending_set_deadline(struct pending *p, uint64_t timeout_ms)
{
    p->deadline = timer_open(p->session->loop, on_deadline, p);
    timer_start(p->deadline, timeout_ms, 0);
}

void
pending_destroy(struct pending *p)
{
    if (!p)
        return;
    list_remove(&p->link);
    timer_close(p->deadline);
    workspace_unlisten(p->listener);
    wire_id_finish(&p->id);
    buf_finish(&p->result);
    free(p->uri);
    free(p->word);
    free(p);
}

/* The answer is given now; a job that still runs finds nobody to tell. */
void
session_cancel(struct server_session *s, const struct wire_id *id)
{
    list_for_each_safe (it, &s->pending) {
        struct pending *p = list_entry(it, struct pending, link);

        if (!wire_id_eq(&p->id, id))
            continue;
        pending_error(p, WIRE_REQUEST_CANCELLED, "cancelled");
        if (p->run)
            pending_destroy(p);
        else if (p->ticket)
            query_cancel(p->ticket);
        return;
    }
}

static void
forget_pending(struct server_session *s)
{
    list_for_each_safe (it, &s->pending) {
        struct pending *p = list_entry(it, struct pending, link);

        list_remove(&p->link);
        p->session = NULL;
        timer_close(steal(p->deadline));
        workspace_unlisten(steal(p->listener));
        if (p->run)
            pending_destroy(p);
    }
}

/* ---- dispatch ---- */

/* Somebody waits for the answer: the language servers get nothing new meanwhile. */
static void
yield_to(struct server_session *s, json_t *params)
{
    const struct session_doc *doc = session_find_doc(s, params, NULL);

    if (doc && doc->workspace)
        workspace_yield(doc->workspace);
}

static void
on_request(void *ctx, const struct wire_id *id, const char *name, json_t *params)
{
    struct server_session *s = ctx;
    const struct method *m = method_find(name);
    bool is_known = m && m->on_request;

    if (s->is_closing)
        return; // what came in the same read as the end
    if (s->state == SESSION_SHUT_DOWN) {
        wire_reply_error(s->wire, id, WIRE_INVALID_REQUEST, "the session was shut down");
    } else if (s->state == SESSION_NEW && !(is_known && m->before_initialize)) {
        wire_reply_error(s->wire, id, WIRE_NOT_INITIALIZED, "initialize comes first");
    } else if (!is_known) {
        wire_reply_error(s->wire, id, WIRE_METHOD_NOT_FOUND, "no such method");
    } else {
        yield_to(s, params);
        m->on_request(s, id, params);
    }
}

static void
on_notification(void *ctx, const char *name, json_t *params)
{
    struct server_session *s = ctx;
    const struct method *m = method_find(name);

    if (!m || !m->on_notification || s->is_closing)
        return; // as LSP wants it
    if (s->state == SESSION_RUNNING || m->before_initialize)
        m->on_notification(s, params);
}

static void
on_bad_message(void *ctx UNUSED, const char *why)
{
    log_warn("malformed message: %s", why);
}

static void
on_end(void *ctx, int r, const char *why)
{
    struct server_session *s = ctx;

    if (r < 0)
        log_error("the session ends: %s", why ? why : err_text(r));
    session_end(s, EXIT_FAILURE);
}

static const struct wire_events wire_events = {
    .on_request = on_request,
    .on_notification = on_notification,
    .on_bad_message = on_bad_message,
    .on_end = on_end,
};

/* ---- life ---- */

static void
finish_later(void *ctx)
{
    struct server_session *s = ctx;
    struct server_host host = s->host;
    int exit_code = s->exit_code;

    wire_close(s->wire);
    map_destroy(s->docs);
    json_decref(s->served);
    if (host.on_closed)
        host.on_closed(host.ctx, s, exit_code);
    free(s);
}

/* From within any callback: what calls back is undone now, the memory goes on the next turn. */
void
session_end(struct server_session *s, int exit_code)
{
    if (s->is_closing)
        return;
    s->is_closing = true;
    s->exit_code = exit_code;
    session_forget_feeds(s);
    forget_pending(s);
    session_close_documents(s);
    session_drop_roots(s);
    process_watch_close(steal(s->editor));
    loop_defer(s->loop, finish_later, s);
}

struct server_session *
server_session_open(struct loop *l, struct stream *in, struct stream *out,
                    const struct config *config, struct workspaces *workspaces,
                    const struct server_host *host)
{
    struct server_session *s = xnew(struct server_session);

    ASSERT_LOOP();
    s->loop = l;
    s->config = config;
    s->workspaces = workspaces;
    s->host = *host;
    s->is_trusted = true;
    list_init(&s->roots);
    list_init(&s->pending);
    list_init(&s->feeds);
    s->docs = map_create();
    s->wire = wire_open(l, in, out, &wire_events, s);
    return s;
}

void
server_session_close(struct server_session *s)
{
    session_end(s, EXIT_FAILURE);
}

bool
server_session_is_editor(const struct server_session *s)
{
    return s->is_editor;
}
