/* Why: a scanner that starts again does not know what went away while it was not there; the engine knows what it was sent.
 * Invariant: a page is one view of the index, in the order of paths, so what does not change between two pages comes
 * once. An index that is being opened is waited for, and whoever waits is answered once. */
#include "hub/files.h"

#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/serve.h"
#include "workspace/workspace.h"

#define FILES_LIMIT_DEFAULT 1000
#define FILES_PAGE_BYTES (1u << 20) // of paths

struct files {
    struct exchange *exchange;
    struct hub *hub;
    struct workspace *workspace;
    struct workspace_listener *listener; // while it is being opened
    struct str after;                    // of the exchange's address
    uint64_t sender;
    size_t limit;
    struct ask *ask;
};

static void
on_gone(void *owner)
{
    struct files *f = owner;
    ask_abandon(f->ask);
    workspace_unlisten(f->listener);
    free(f);
}

static void
on_late(void *owner)
{
    struct files *f = owner;
    ask_abandon(steal(f->ask));
    workspace_unlisten(steal(f->listener));
    exchange_problem(f->exchange, PROBLEM_OVERLOADED, EXCHANGE_LATE);
}

static void
on_files(struct ask *ask, struct query_result **result)
{
    AUTO(buf_finish) struct buf body = {0};
    struct files *f = ask->owner;
    const struct query_result *found = *result;
    size_t n = 0, n_bytes = 0;
    f->ask = NULL;
    if (found->r < 0) {
        exchange_problem(f->exchange, problem_of_error(found->r), err_text(found->r));
        return;
    }
    buf_printf(&body, "{\"workspace\":\"%s\",\"files\":[", workspace_id(f->workspace));
    for (; n < found->n_paths && n_bytes < FILES_PAGE_BYTES; n++) {
        if (n > 0)
            buf_add_char(&body, ',');
        codec_add_string(&body, found->paths[n]);
        n_bytes += found->paths[n].n;
    }
    buf_printf(&body, "],\"count\":%zu,\"cursor\":", n);
    if (n > 0 && (n < found->n_paths || n == f->limit))
        codec_add_string(&body, found->paths[n - 1]);
    else
        buf_add_cstr(&body, "null");
    buf_add_char(&body, '}');
    exchange_answer(f->exchange, 200, SERVE_JSON, buf_str(&body));
}

/* false: it is still being opened. */
static bool
ask_or_tell(struct files *f)
{
    struct query *q = workspace_query(f->workspace);
    const char *why = workspace_why(f->workspace);
    if (!q && workspace_state(f->workspace) == WORKSPACE_OPENING)
        return false;
    if (!q) {
        exchange_problem(f->exchange, PROBLEM_NOT_READY, why ? why : "it is closing");
        return true;
    }
    f->ask = ask_open(f->hub, f->workspace, (struct asker){0}, on_files, f);
    f->ask->ticket =
        query_files_after(q, f->after, f->sender, f->limit, ask_on_done, f->ask);
    return true;
}

static void
on_workspace(void *ctx)
{
    struct files *f = ctx;
    struct workspace_listener *listener = steal(f->listener);
    if (ask_or_tell(f))
        workspace_unlisten(listener);
    else
        f->listener = listener;
}

/* ---- the request ---- */

bool
files_read_sender(const struct exchange *x, uint64_t *ret_sender)
{
    struct str name = STR_NONE;
    *ret_sender = 0;
    if (!exchange_argument_view(x, "sender", &name))
        return true;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~')
            return false;
    *ret_sender = ingest_sender(name);
    return name.n > 0 && name.n <= FILES_SENDER_BYTES_MAX;
}

void
files_serve(struct exchange *x)
{
    static const struct exchange_stream stream = {.on_late = on_late, .on_gone = on_gone};
    struct workspace *w = hub_find_workspace(x->hub, x->params[0]);
    struct str text, after = STR_NONE;
    uint64_t limit = FILES_LIMIT_DEFAULT, sender;
    if (!w) {
        exchange_problem(x, PROBLEM_NOT_FOUND, "no workspace of this id is open");
        return;
    }
    if (exchange_argument_view(x, "limit", &text) &&
        (str_to_u64(text, &limit) < 0 || limit == 0 || limit > FILES_LIMIT_MAX)) {
        exchange_problem(x, PROBLEM_BAD_REQUEST,
                         "limit must be a number from 1 to 10000");
        return;
    }
    if (!files_read_sender(x, &sender)) {
        exchange_problem(x, PROBLEM_BAD_REQUEST,
                         "sender must be 1 to 64 visible characters of ASCII");
        return;
    }
    exchange_argument_view(x, "cursor", &after);
    struct files *f = xnew(struct files);
    f->exchange = x;
    f->hub = x->hub;
    f->workspace = w;
    f->after = after;
    f->sender = sender;
    f->limit = (size_t)limit;
    exchange_set_stream(x, &stream, f);
    if (!ask_or_tell(f))
        f->listener = workspace_listen(w, on_workspace, f);
}
