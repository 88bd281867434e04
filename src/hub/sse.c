/* Why: a browser or curl follows a workspace with nothing but GET, and a browser comes back by itself with the id of
 * the last event it saw. Invariant: every id is a place in the log from which the stream goes on without a gap and
 * without a repeat, even in the middle of a row; what has no such place has no id. */
#include "hub/sse.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/client.h"
#include "hub/cloudevents.h"
#include "hub/feed.h"
#include "hub/filter.h"
#include "hub/follow.h"
#include "hub/serve.h"
#include "workspace/workspace.h"

#define SSE_TYPE "text/event-stream"
#define ENTITY_TYPE "entity."
#define LAST_ID_BYTES_MAX 128

struct sse {
    struct follower follower;
    struct buf head;  // what comes before the first event
    int64_t told_seq; // the client's id is this place, or within the row behind it
    int64_t said_ms;  // when it last heard of us
    bool is_streaming, wants_heartbeat;
    bool is_older; // events have the names of an earlier document
};

/* ---- the format ---- */

void
sse_add_event(struct buf *b, struct str id, const char *event_type, struct str data)
{
    if (id.n > 0) {
        buf_add_cstr(b, "id: ");
        buf_add_str(b, id);
        buf_add_char(b, '\n');
    }
    buf_add_cstr(b, "event: ");
    buf_add_cstr(b, event_type);
    buf_add_cstr(b, "\ndata: ");
    buf_add_str(b, data);
    buf_add_cstr(b, "\n\n");
}

static struct str
epoch_of(const struct sse *s)
{
    return str_of(workspace_epoch(feed_workspace(sub_feed(s->follower.sub))));
}

/* What EventSource cannot read from headers: whether anything is missing before what follows. */
static void
add_system(struct sse *s, const struct sub_begin *begin)
{
    AUTO(buf_finish) struct buf data = {0}, id = {0};
    const struct workspace *w = feed_workspace(sub_feed(s->follower.sub));
    buf_printf(&data,
               "{\"type\":\"system\",\"message\":\"Subscribed to workspace "
               "%s\",\"protocol\":\"1.0\",\"version\":\"" GLOSS_VERSION
               "\",\"workspace\":\"%s\",\"epoch\":\"%s\",\"head\":%" PRId64
               ",\"first_seq\":%" PRId64 ",\"from\":%" PRId64 ",\"recovered\":%s",
               workspace_id(w), workspace_id(w), workspace_epoch(w), begin->head,
               workspace_first_seq(w), begin->from, begin->reason ? "false" : "true");
    if (begin->reason)
        buf_printf(&data, ",\"reason\":\"%s\"", begin->reason);
    buf_printf(&data, ",\"heartbeat_s\":%d}", SSE_HEARTBEAT_MS / 1000);
    if (begin->n_parts > 0)
        cloudevents_add_id(&id, epoch_of(s), begin->from, begin->n_parts - 1, false);
    else
        cloudevents_add_id(&id, epoch_of(s), begin->from - 1, 0, true);
    buf_printf(&s->head, "retry: %d\n", SSE_RETRY_MS);
    sse_add_event(&s->head, buf_str(&id), "system", buf_str(&data));
}

/* The client's id moves on, too, when nothing of what was looked at was wanted. */
static void
add_heartbeat(struct sse *s, struct buf *part)
{
    int64_t seq = sub_cursor(s->follower.sub);
    if (seq > s->told_seq) {
        buf_add_cstr(part, "id: ");
        cloudevents_add_id(part, epoch_of(s), seq, 0, true);
        buf_add_char(part, '\n');
        s->told_seq = seq;
    }
    buf_add_cstr(part, ": hb\n\n");
}

/* document.added with a document_id: what a client of an earlier document listens for. */
static void
add_older_event(struct buf *part, struct str id, const char *event_type, struct str event)
{
    AUTO(buf_finish) struct buf name = {0}, message = {0};
    struct str data, key;
    buf_printf(&name, "document.%s", event_type + strlen(ENTITY_TYPE));
    buf_add(&message, event.p, event.n - 1);
    if (codec_slice_member(event, STR("data"), &data) == 0 &&
        codec_slice_member(data, STR("key"), &key) == 0) {
        buf_add_cstr(&message, ",\"document_id\":");
        buf_add_str(&message, key);
    }
    buf_add_char(&message, '}');
    sse_add_event(part, id, name.p, buf_str(&message));
}

static void
add_event(struct sse *s, struct buf *part, struct str event)
{
    const char *event_type = sub_place(s->follower.sub)->event_type;
    const struct sub_place *place = sub_place(s->follower.sub);
    AUTO(buf_finish) struct buf id = {0};
    if (place->seq > 0) {
        cloudevents_add_id(&id, epoch_of(s), place->seq, place->index, place->is_last);
        s->told_seq = place->is_last ? place->seq : place->seq - 1;
    }
    if (s->is_older && event_type &&
        str_starts_with(str_of(event_type), STR(ENTITY_TYPE)))
        add_older_event(part, buf_str(&id), event_type, event);
    else
        sse_add_event(part, buf_str(&id), event_type ? event_type : "system", event);
}

/* ---- the stream ---- */

/* An event cannot be put back: the last one may be as large as what is before it. */
static bool
next_part(void *ctx, struct buf *part)
{
    struct sse *s = ctx;
    struct str event;
    enum sub_next next = SUB_QUIET;
    size_t before = part->n;
    buf_add_str(part, buf_str(&s->head));
    buf_reset(&s->head);
    while (part->n - before < HUB_FRAME_BYTES_MAX / 2) {
        next = follower_next(&s->follower, &event);
        if (next != SUB_FRAME)
            break;
        if (part->n == before) // what is written with it waited for that, too
            feed_note_sent(sub_feed(s->follower.sub), sub_place(s->follower.sub)->seq);
        add_event(s, part, event);
    }
    if (s->wants_heartbeat && part->n == before)
        add_heartbeat(s, part);
    s->wants_heartbeat = false;
    if (part->n > before)
        s->said_ms = clock_mono_ms();
    if (next == SUB_LOST) { // the client comes back with its id, and is told so
        s->follower.owner.hub->stats.slow_closed++;
        s->is_streaming = false;
        exchange_end(s->follower.exchange);
    }
    return next == SUB_FRAME || next == SUB_BUSY;
}

/* Its workspace is still being opened. */
static void
on_late(void *ctx)
{
    struct sse *s = ctx;
    follower_stop(&s->follower);
    exchange_problem(s->follower.exchange, PROBLEM_NOT_READY,
                     "the workspace is being opened");
}

static void
on_gone(void *ctx)
{
    struct sse *s = ctx;
    buf_finish(&s->head);
    follower_destroy(&s->follower);
}

static void
on_tick(struct follower *f, int64_t now_ms)
{
    struct sse *s = container_of(f, struct sse, follower);
    if (!s->is_streaming || s->wants_heartbeat || now_ms - s->said_ms < SSE_HEARTBEAT_MS)
        return;
    s->wants_heartbeat = true;
    exchange_wake(f->exchange);
}

/* ---- what the subscription tells ---- */

static struct sse *
sse_of_owner(struct sub_owner *owner)
{
    return container_of(follower_of_owner(owner), struct sse, follower);
}

static void
on_wake(struct sub_owner *owner)
{
    struct sse *s = sse_of_owner(owner);
    if (s->is_streaming)
        exchange_wake(s->follower.exchange);
}

static void
on_begin(struct sub_owner *owner, struct sub *sub, const struct sub_begin *begin)
{
    struct sse *s = sse_of_owner(owner);
    s->follower.sub = sub;
    s->is_streaming = true;
    s->told_seq = begin->from - 1;
    s->said_ms = clock_mono_ms();
    add_system(s, begin);
    exchange_begin(s->follower.exchange, 200, SSE_TYPE);
}

static void
on_refused(struct sub_owner *owner, const char *request_id UNUSED, enum problem p,
           const char *detail)
{
    exchange_problem(follower_of_owner(owner)->exchange, p, detail);
}

static void
on_broken(struct sub_owner *owner, const char *why UNUSED)
{
    struct sse *s = sse_of_owner(owner);
    s->is_streaming = false;
    exchange_end(s->follower.exchange);
}

/* ---- the request ---- */

/* The header wins: an EventSource that comes back sends it to the address it was made with. What it holds may be of
 * another server: then it is a place that there is not. */
static struct str
read_last_event_id(struct exchange *x, char *text, size_t size)
{
    static const char name[] = "last-event-id:";
    struct since ignored;
    if (lws_hdr_custom_length(x->wsi, name, sizeof(name) - 1) <= 0)
        return STR_NONE;
    if (!exchange_header(x, name, text, size) || match_since(str_of(text), &ignored) < 0)
        return STR("unknown:0");
    return str_of(text);
}

/* NULL: the problem was answered. */
static struct workspace *
find_workspace(struct exchange *x, bool *ret_is_older)
{
    struct str name;
    struct workspace *w;
    *ret_is_older = exchange_argument_view(x, "library_id", &name);
    if (!*ret_is_older && !exchange_argument_view(x, "workspace", &name)) {
        w = hub_only_workspace(x->hub);
        if (!w)
            exchange_problem(x, PROBLEM_BAD_REQUEST,
                             "workspace must say which one: its id, or the path of its "
                             "root");
        return w;
    }
    w = hub_find_workspace(x->hub, name);
    if (!w)
        exchange_problem(x, PROBLEM_NOT_FOUND, "no workspace of this id is open");
    return w;
}

static struct sse *
sse_create(struct exchange *x, const struct follow_args *args)
{
    static const struct exchange_stream stream = {
        .next_part = next_part, .on_late = on_late, .on_gone = on_gone};
    struct follower *f = follower_create(x, sizeof(struct sse));
    if (!f)
        return NULL;
    f->is_cloudevents = args->is_cloudevents;
    f->on_tick = on_tick;
    f->owner.wake = on_wake;
    f->owner.on_begin = on_begin;
    f->owner.on_refused = on_refused;
    f->owner.on_broken = on_broken;
    struct sse *s = container_of(f, struct sse, follower);
    exchange_set_stream(x, &stream, s);
    return s;
}

void
sse_open(struct exchange *x, const struct follow_args *args, bool is_older)
{
    struct sse *s = x->is_head ? NULL : sse_create(x, args);
    if (s) {
        s->is_older = is_older && !args->is_cloudevents;
        sub_open(&s->follower.owner, args->workspace, &args->sub);
        return;
    }
    filter_destroy(args->sub.filter);
    if (x->is_head)
        exchange_answer(x, 200, SSE_TYPE, STR_NONE);
}

void
sse_serve(struct exchange *x)
{
    struct follow_args args = {0};
    char last_event_id[LAST_ID_BYTES_MAX];
    bool is_older;
    args.workspace = find_workspace(x, &is_older);
    if (!args.workspace)
        return;
    args.since = read_last_event_id(x, last_event_id, sizeof(last_event_id));
    if (follow_read_args(x, &args))
        sse_open(x, &args, is_older);
}
