/* gloss/events: the change feed for a command, the same events as on the WebSocket. A feed is a cursor:
 * rows behind it come from the bus's ring, or page by page from the log when the ring does not reach
 * back so far; the switch to live is made on the loop when the cursor is at the head, so that nothing is
 * skipped or sent twice. A reader that is slow stops the cursor, not the engine. */
#include "base/mem.h"
#include "lsp/server/methods.h"

#define FEED_PAGE 500
#define FEED_BACKLOG_BYTES (4u << 20) // of a reader, before it has to catch up
#define FEED_RETRY_MS 50              // how soon a full pipe is looked at again

struct feed {
    struct list link;               // of session.feeds
    struct server_session *session; // NULL: over, a page is still being read
    struct workspace *workspace;
    struct bus_subscription *subscription;
    struct timer *retry;
    int64_t cursor;
    bool is_paging;
};

static void pump(struct feed *f);

void
session_forget_feeds(struct server_session *s)
{
    list_for_each_safe (it, &s->feeds) {
        struct feed *f = list_entry(it, struct feed, link);

        f->session = NULL;
        list_remove(&f->link);
        bus_unsubscribe(f->subscription);
        f->subscription = NULL;
        timer_close(f->retry);
        f->retry = NULL;
        if (!f->is_paging)
            free(f);
    }
}

static int
on_wire_event(void *ctx, const struct codec_wire_event *event)
{
    struct feed *f = ctx;
    AUTO(buf_finish) struct buf json = {0};
    json_t *params = NULL;

    codec_add_wire_event(&json, event, str_of(workspace_epoch(f->workspace)),
                         str_of(workspace_id(f->workspace)), STR_NONE);
    if (codec_parse(buf_str(&json), &params, NULL) == 0)
        wire_notify(f->session->wire, "gloss/event", params);
    return 0;
}

static void
send_row(struct feed *f, const struct event *event)
{
    f->cursor = event->seq;
    codec_event_expand(event, on_wire_event, f);
}

static bool
is_full(struct feed *f)
{
    if (wire_backlog(f->session->wire) < FEED_BACKLOG_BYTES)
        return false;
    timer_start(f->retry, FEED_RETRY_MS, 0);
    return true;
}

static void
on_page(void *ctx, struct query_result **result)
{
    struct feed *f = ctx;

    f->is_paging = false;
    if (!f->session) {
        free(f);
        return;
    }
    /* A full reader comes back to the rest by another page. */
    for (size_t i = 0; i < (*result)->n_events && !is_full(f); i++)
        if ((*result)->events[i]->seq > f->cursor)
            send_row(f, (*result)->events[i]);
    if ((*result)->n_events > 0)
        pump(f);
}

static void
pump(struct feed *f)
{
    struct bus *bus = workspace_bus(f->workspace);
    struct event *e;

    while (!f->is_paging && f->cursor < bus_head(bus) && !is_full(f)) {
        if (!bus_covers(bus, f->cursor)) {
            if (!workspace_query(f->workspace))
                return;
            f->is_paging = true;
            query_events(workspace_query(f->workspace), f->cursor, FEED_PAGE, on_page, f);
        } else if ((e = bus_next(bus, f->cursor))) {
            send_row(f, e);
        } else {
            return;
        }
    }
}

static void
on_event(void *ctx, struct event *event)
{
    struct feed *f = ctx;

    if (event->seq > 0)
        pump(f);
    else if (!f->is_paging && f->cursor == bus_head(workspace_bus(f->workspace)) &&
             wire_backlog(f->session->wire) < FEED_BACKLOG_BYTES)
        codec_event_expand(event, on_wire_event, f);
}

static void
on_retry(void *ctx)
{
    pump(ctx);
}

/* ---- the request ---- */

static void
start_feed(struct pending *p, int64_t since)
{
    struct server_session *s = p->session;
    struct feed *f = xnew(struct feed);
    AUTO(free)
    char *reply = xasprintf(
        "{\"recovered\":true,\"from\":%" PRId64 ",\"head\":%" PRId64 ",\"epoch\":\"%s\"}",
        since + 1, bus_head(workspace_bus(p->workspace)), workspace_epoch(p->workspace));

    f->session = s;
    f->workspace = p->workspace;
    f->cursor = since;
    list_add(&s->feeds, &f->link);
    f->retry = timer_open(s->loop, on_retry, f);
    f->subscription = bus_subscribe(workspace_bus(f->workspace), on_event, f);
    pending_reply(p, str_of(reply));
    pump(f);
}

/* The cursor is taken only if every row behind it is still there. */
static void
on_info(void *ctx, struct query_result **result)
{
    struct pending *p = ctx;
    const struct store_info *info = &(*result)->info;
    int64_t since = p->since;

    p->ticket = NULL;
    if (p->session && (*result)->r == 0) {
        if (since < 0)
            start_feed(p, bus_head(workspace_bus(p->workspace)));
        else if (p->word[0] && strcmp(p->word, info->epoch) != 0)
            pending_error(
                p, WIRE_REQUEST_FAILED,
                "the cursor is of another epoch; read the index whole and begin anew");
        else if (since > info->head)
            pending_error(p, WIRE_REQUEST_FAILED, "the cursor is ahead of the index");
        else if (since < info->first_seq - 1)
            pending_error(
                p, WIRE_REQUEST_FAILED,
                "events behind the cursor are gone; read the index whole and begin anew");
        else
            start_feed(p, since);
    }
    if (p->session)
        pending_error(p, WIRE_REQUEST_FAILED, "the index cannot be read");
    pending_destroy(p);
}

static void
run_events(struct pending *p)
{
    if (workspace_query(p->workspace)) {
        p->ticket =
            query_counts(workspace_query(p->workspace), POOL_INTERACTIVE, on_info, p);
        return;
    }
    pending_error(p, WIRE_REQUEST_FAILED, "the index cannot be read (gloss status)");
    pending_destroy(p);
}

void
feed_events(struct server_session *s, const struct wire_id *id, json_t *params)
{
    const json_t *since = codec_object(params, "since");
    struct workspace *w;
    struct str root, epoch = STR_NONE;
    struct pending *p;
    int64_t seq = -1;

    if (codec_get_str(params, "root", &root) < 0 || root.p[0] != '/' ||
        session_add_root(s, root.p, &w) < 0) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS,
                         "root must be the absolute path of a folder");
        return;
    }
    if (since && codec_get_int(since, "seq", 0, INT64_MAX, &seq) < 0) {
        wire_reply_error(s->wire, id, WIRE_INVALID_PARAMS, "since.seq must be a number");
        return;
    }
    codec_get_str(since, "epoch", &epoch);
    p = pending_create(s, id, w);
    p->since = seq;
    p->word = str_dup(epoch);
    pending_when_open(p, run_events);
}
