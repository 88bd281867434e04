/* Hovers in flight. Invariants: each request's fn runs once, from the loop, and a
 * request that got its verdict is in no list any more; `timed` is sorted by due_ns, so
 * one timer serves them all. */
#include "lsp/client/internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/codec.h"

#define NS_PER_MS 1000000

struct client_request {
    struct list link; // timed or settled
    struct client *c;
    char *path;
    struct position at;
    client_hover_fn fn;
    void *ctx;
    int64_t wire_id;  // 0: not under way
    int64_t asked_ns; // first
    int64_t deadline_ns;
    int64_t due_ns; // the deadline, or when to ask again
    unsigned n_retries;
    enum hover_reason reason; // of a settled one
};

static void
arm(struct client *c)
{
    if (list_is_empty(&c->timed)) {
        timer_stop(c->due);
        return;
    }
    int64_t wait_ns =
        list_first(&c->timed, struct client_request, link)->due_ns - clock_mono_ns();
    timer_start(c->due, wait_ns <= 0 ? 0 : (uint64_t)(wait_ns / NS_PER_MS + 1), 0);
}

/* Nearly always at the end. */
static void
add_timed(struct client *c, struct client_request *r)
{
    struct list *at = c->timed.prev;
    while (at != &c->timed &&
           list_entry(at, struct client_request, link)->due_ns > r->due_ns)
        at = at->prev;
    list_add_first(at, &r->link);
    if (at == &c->timed)
        arm(c);
}

/* The request is gone after. */
static void
tell(struct client_request *r, const struct client_hover *answer)
{
    struct client_hover a = *answer;
    a.hover.server = str_of(r->c->spec->name);
    a.n_retries = r->n_retries;
    a.took_us = (clock_mono_ns() - r->asked_ns) / 1000;
    list_remove(&r->link);
    r->c->stats.pending--;
    r->fn(r->ctx, &a);
    free(r->path);
    free(r);
}

static void
tell_unknown(struct client_request *r, enum hover_reason reason)
{
    tell(r, &(struct client_hover){.hover.reason = reason});
}

static void
settle(struct client_request *r, enum hover_reason reason)
{
    struct client *c = r->c;
    r->reason = reason;
    list_remove(&r->link);
    list_add(&c->settled, &r->link);
    if (!timer_is_armed(c->turn))
        timer_start(c->turn, 0, 0);
}

void
client_on_turn(void *ctx)
{
    struct client *c = ctx;
    struct list taken; // what is settled meanwhile waits for the next turn
    list_init(&taken);
    list_splice(&taken, &c->settled);
    while (!list_is_empty(&taken)) {
        struct client_request *r = list_first(&taken, struct client_request, link);
        tell_unknown(r, r->reason);
    }
}

static void
note_answer(const struct client_request *r)
{
    struct doc *doc = client_doc_find(r->c, r->path);
    r->c->answered_ns = clock_mono_ns();
    if (doc)
        doc->answered_ns = r->c->answered_ns;
}

static void
tell_result(struct client_request *r, const json_t *result)
{
    struct client *c = r->c;
    AUTO(buf_finish) struct buf text = {0};
    if (codec_read_hover(result, &text) < 0) {
        c->stats.errors++;
        tell_unknown(r, HOVER_REASON_FAILED);
        return;
    }
    struct client_hover a = {.hover.state = HOVER_KNOWN,
                             .hover.markdown = buf_str(&text)};
    if (text.n == 0) {
        a.hover = (struct hover){.state = HOVER_EMPTY};
        a.is_provisional = !client_is_quiescent(c) || !client_doc_find(c, r->path);
    } else if (client_quirk_is_loading(c->spec, buf_str(&text))) {
        a.hover = (struct hover){.reason = HOVER_REASON_BUSY};
        a.is_provisional = true;
    }
    c->stats.answers++;
    tell(r, &a);
}

/* With a growing pause: what made the server drop it is seldom over at once. */
static bool
retry_later(struct client_request *r)
{
    if (r->n_retries >= CLIENT_RETRIES_MAX)
        return false;
    r->wire_id = 0;
    r->due_ns = clock_mono_ns() + ((int64_t)CLIENT_RETRY_MS << r->n_retries) * NS_PER_MS;
    r->due_ns = MIN(r->due_ns, r->deadline_ns);
    r->n_retries++;
    list_remove(&r->link);
    add_timed(r->c, r);
    return true;
}

static void
on_answer(void *ctx, const struct wire_answer *answer)
{
    struct client_request *r = ctx;
    if (answer->r != -EPIPE)
        note_answer(r);
    if (answer->r == 0) {
        tell_result(r, answer->result);
        return;
    }
    if (answer->r == -EPIPE) {
        tell_unknown(r, HOVER_REASON_CRASHED);
        return;
    }
    bool is_passing = answer->r == -EBUSY ||
                      answer->error_code == WIRE_CONTENT_MODIFIED ||
                      answer->error_code == WIRE_SERVER_CANCELLED;
    if (is_passing && retry_later(r))
        return;
    r->c->stats.errors++;
    tell_unknown(r, is_passing ? HOVER_REASON_BUSY : HOVER_REASON_FAILED);
}

/* The position is worked out each time: the document may have been opened anew. */
static void
ask(struct client_request *r)
{
    struct client *c = r->c;
    const struct doc *doc = client_doc_find(c, r->path);
    AUTO(free) char *uri = doc ? NULL : client_doc_uri(c, r->path);
    json_t *params =
        json_pack("{s:{s:s}, s:{s:I, s:I}}", "textDocument", "uri", doc ? doc->uri : uri,
                  "position", "line", (json_int_t)r->at.line, "character",
                  (json_int_t)client_doc_column(c, doc, r->at));
    r->due_ns = r->deadline_ns;
    r->wire_id = wire_request(c->wire, "textDocument/hover", params, on_answer, r);
    c->stats.requests++;
    add_timed(c, r);
}

/* While answers of its file come (of any file, before its first one), it waits for its turn,
 * and its deadline begins with the last of them. */
static bool
put_off(struct client_request *r, int64_t now_ns)
{
    struct client *c = r->c;
    const struct doc *doc = client_doc_find(c, r->path);
    int64_t last_ns = doc && doc->answered_ns ? doc->answered_ns : c->answered_ns;
    int64_t limit_ns = (int64_t)c->deadline_ms * NS_PER_MS;
    int64_t deadline_ns =
        MIN(last_ns + limit_ns, r->asked_ns + CLIENT_DEADLINES_MAX * limit_ns);
    if (!r->wire_id || deadline_ns <= now_ns)
        return false;
    r->deadline_ns = r->due_ns = deadline_ns;
    list_remove(&r->link);
    add_timed(c, r);
    return true;
}

void
client_on_due(void *ctx)
{
    struct client *c = ctx;
    int64_t now_ns = clock_mono_ns();
    while (!list_is_empty(&c->timed)) {
        struct client_request *r = list_first(&c->timed, struct client_request, link);
        if (r->due_ns > now_ns)
            break;
        if (now_ns < r->deadline_ns) {
            list_remove(&r->link);
            ask(r);
            continue;
        }
        if (put_off(r, now_ns))
            continue;
        if (r->wire_id)
            wire_cancel(c->wire, r->wire_id);
        c->stats.timeouts++;
        tell_unknown(r, HOVER_REASON_TIMED_OUT);
    }
    arm(c);
}

static enum hover_reason
reason_of_state(enum client_state state)
{
    switch (state) {
    case CLIENT_STOPPED:
    case CLIENT_STARTING: return HOVER_REASON_STARTING;
    case CLIENT_READY: break;
    case CLIENT_STOPPING: return HOVER_REASON_CANCELLED;
    case CLIENT_BACKOFF:
    case CLIENT_GIVEN_UP:
    case CLIENT_STATE_COUNT: return HOVER_REASON_CRASHED;
    }
    return HOVER_REASON_NONE;
}

struct client_request *
client_hover(struct client *c, const char *path, struct position at, client_hover_fn fn,
             void *ctx)
{
    ASSERT_LOOP();
    struct client_request *r = xnew(struct client_request);
    list_init(&r->link);
    r->c = c;
    r->path = xstrdup(path);
    r->at = at;
    r->fn = fn;
    r->ctx = ctx;
    r->asked_ns = clock_mono_ns();
    r->deadline_ns = r->asked_ns + (int64_t)c->deadline_ms * NS_PER_MS;
    c->stats.pending++;
    if (c->state == CLIENT_READY)
        ask(r);
    else
        settle(r, reason_of_state(c->state));
    return r;
}

void
client_hover_cancel(struct client_request *r)
{
    ASSERT_LOOP();
    if (r->wire_id && r->c->wire)
        wire_cancel(r->c->wire, r->wire_id);
    r->wire_id = 0;
    settle(r, HOVER_REASON_CANCELLED);
}

void
client_end_hovers(struct client *c, enum hover_reason reason)
{
    while (!list_is_empty(&c->timed)) {
        struct client_request *r = list_first(&c->timed, struct client_request, link);
        if (r->wire_id && c->wire)
            wire_cancel(c->wire, r->wire_id);
        tell_unknown(r, reason);
    }
    client_on_turn(c);
    timer_stop(c->due);
}
