/* Why: scanners of other people's send what they found, as a stream of lines or a few at a time. Invariant: a
 * line is acknowledged after its commit and never before; of a stream nothing waits but the batches at
 * the writer, one that is being filled and the acknowledgements, each with a limit, above which the
 * sender is not read: its own send buffer is the queue. What was not acknowledged may be sent again. */
#include "hub/ingest.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "hub/ask.h"
#include "hub/client.h"
#include "hub/files.h"
#include "hub/serve.h"
#include "hub/tree.h"
#include "workspace/workspace.h"

#define LINE_BYTES_MAX HUB_MESSAGE_BYTES_MAX
#define NAME_ARGUMENT_BYTES 16

/* ---- a stream ---- */

struct ingest_stream {
    struct list link; // the hub's
    struct hub *hub;
    struct exchange *x; // NULL: it is gone
    struct workspace *w;
    struct timer *timer;
    struct buf line;            // as far as it came
    bool is_long;               // it is thrown away up to its end
    struct tree_read *read;     // a worker has a line, and behind it waits
    struct buf behind;          // what came meanwhile,
    size_t behind_at;           // from here on
    struct ingest_batch *batch; // being filled; or NULL
    size_t n_flying;
    struct buf out; // lines to be sent
    uint64_t n_lines, n_stored, n_failed;
    int64_t seq;
    bool tells_lines; // ?ack=line
    uint64_t sender;  // ?sender=
    int64_t paused_since_ms;
    bool is_held; // the batch must go, and cannot
    bool is_paused, is_ending, is_body_over, is_failed, is_done;
    const char *cut_why; // of a body that did not come to its end; static
};

static void stream_flush(struct ingest_stream *s);

enum problem
ingest_problem(int r)
{
    switch (r) {
    case -EAGAIN:
    case -EBUSY: return PROBLEM_OVERLOADED;
    case -EPERM: return PROBLEM_CONFLICT;
    case -EROFS:
    case -EIO:
    case -ENOSPC:
    case -ESHUTDOWN: return PROBLEM_NOT_READY;
    }
    return PROBLEM_INTERNAL;
}

const char *
ingest_why(int r)
{
    switch (r) {
    case -EAGAIN: return "more is being sent than can be written: come back later";
    case -EPERM:
        return "this workspace is of a folder, which says what it has: send to one of "
               "your own";
    case -EBUSY: return "it is being deleted";
    case -EROFS: return "another engine writes this index: send it there";
    case -ESHUTDOWN: return "the engine ends";
    }
    return err_text(r);
}

/* ---- what is sent back ---- */

static void
stream_wake(struct ingest_stream *s)
{
    if (s->x)
        exchange_wake(s->x);
}

static void
add_fault(struct buf *b, const struct ingest_item *item)
{
    buf_printf(b, "{\"line\":%" PRIu64 ",\"problem\":", item->line);
    problem_add(b, PROBLEM_BAD_REQUEST, item->fault);
    buf_add_char(b, '}');
}

static void
add_line_state(struct buf *b, const struct ingest_item *item)
{
    buf_printf(b, "{\"type\":\"line\",\"line\":%" PRIu64 ",\"status\":\"%s\"", item->line,
               item->fault ? "failed" : "completed");
    if (item->fault) {
        buf_add_cstr(b, ",\"problem\":");
        problem_add(b, PROBLEM_BAD_REQUEST, item->fault);
    } else {
        buf_printf(b, ",\"seq\":%" PRId64, item->seq);
    }
    buf_add_cstr(b, "}\n");
}

static void
add_ack(struct ingest_stream *s, const struct ingest_batch *batch)
{
    struct buf *b = &s->out;
    size_t n_failed = 0, n_again = 0;
    for (size_t i = 0; i < batch->n && s->tells_lines; i++)
        add_line_state(b, &batch->v[i]);
    for (size_t i = 0; i < batch->n; i++) {
        n_failed += batch->v[i].fault != NULL;
        n_again += batch->v[i].is_again;
    }
    s->n_failed += n_failed;
    s->n_stored += batch->n - n_failed;
    s->seq = MAX(s->seq, batch->seq);
    buf_printf(b,
               "{\"type\":\"ack\",\"lines\":%zu,\"first_line\":%" PRIu64
               ",\"last_line\":%" PRIu64 ",\"seq\":%" PRId64
               ",\"again\":%zu,\"errors\":[",
               batch->n, batch->v[0].line, batch->v[batch->n - 1].line, s->seq, n_again);
    for (size_t i = 0; i < batch->n && n_failed > 0; i++) {
        if (!batch->v[i].fault)
            continue;
        add_fault(b, &batch->v[i]);
        if (--n_failed > 0)
            buf_add_char(b, ',');
    }
    buf_add_cstr(b, "]}\n");
}

static void
add_error(struct buf *b, enum problem p, const char *why)
{
    buf_add_cstr(b, "{\"type\":\"error\",\"problem\":");
    problem_add(b, p, why);
    buf_add_cstr(b, "}\n");
}

/* The last line but done. What is sent behind it is not looked at. */
static void
stream_fail(struct ingest_stream *s, enum problem p, const char *why)
{
    if (s->is_failed)
        return;
    s->is_failed = true;
    add_error(&s->out, p, why);
}

static void
stream_check_done(struct ingest_stream *s)
{
    if (s->is_done || s->n_flying > 0 ||
        (!s->is_failed && (!s->is_body_over || s->batch)))
        return;
    s->is_done = true;
    if (s->cut_why)
        add_error(&s->out, PROBLEM_BAD_REQUEST, s->cut_why);
    buf_printf(&s->out,
               "{\"type\":\"done\",\"lines\":%" PRIu64 ",\"stored\":%" PRIu64
               ",\"failed\":%" PRIu64 ",\"seq\":%" PRId64 ",\"complete\":%s}\n",
               s->n_lines, s->n_stored, s->n_failed, s->seq,
               s->is_failed || s->cut_why ? "false" : "true");
    if (s->x)
        exchange_end(s->x); // what is still there goes first
}

/* ---- life ---- */

static bool
has_no_room(const struct ingest_stream *s)
{
    return s->is_held || s->read || s->n_flying >= HUB_INGEST_FLYING ||
           s->out.n >= HUB_INGEST_OUT_PAUSE_BYTES ||
           workspaces_ingest_fill(s->hub->workspaces) >= WORKSPACE_INGEST_PAUSE;
}

static void
end_pause(struct ingest_stream *s)
{
    if (s->is_paused)
        s->hub->stats.ingest_paused_ms +=
            (uint64_t)(clock_mono_ms() - s->paused_since_ms);
    s->is_paused = false;
}

static void
stream_steer(struct ingest_stream *s)
{
    if (!s->x || s->is_body_over)
        return;
    bool pause = !s->is_failed && has_no_room(s);
    if (pause == s->is_paused)
        return;
    if (pause)
        s->paused_since_ms = clock_mono_ms();
    else
        end_pause(s);
    s->is_paused = pause;
    exchange_pause_body(s->x, pause);
}

/* Something of it came or went: says what is to be said, and takes as much more as there is room for. */
static void
stream_settle(struct ingest_stream *s)
{
    stream_check_done(s);
    stream_steer(s);
    if (s->out.n > 0)
        stream_wake(s);
}

/* Gone, and nothing of it is at the writer. */
static bool
stream_try_destroy(struct ingest_stream *s)
{
    struct hub *h = s->hub;
    if (s->x || s->n_flying > 0)
        return false;
    list_remove(&s->link);
    h->n_ingests--;
    timer_close(s->timer);
    ingest_batch_destroy(s->batch);
    buf_finish(&s->line);
    buf_finish(&s->behind);
    buf_finish(&s->out);
    free(s);
    hub_tell_clients(h);
    return true;
}

/* There is room again, perhaps for those that another one kept waiting. */
void
ingest_look(struct hub *h)
{
    list_for_each_safe (it, &h->ingests) {
        struct ingest_stream *s = list_entry(it, struct ingest_stream, link);
        if (s->is_held && s->x)
            stream_flush(s);
        stream_settle(s);
    }
}

static void
on_stream_put(void *ctx, int r, struct ingest_batch *batch)
{
    struct ingest_stream *s = ctx;
    struct hub *h = s->hub;
    s->n_flying--;
    if (r < 0)
        stream_fail(s, ingest_problem(r), ingest_why(r));
    else
        add_ack(s, batch);
    ingest_batch_destroy(batch);
    stream_try_destroy(s);
    if (h->workspaces)
        ingest_look(h);
}

static void
stream_flush(struct ingest_stream *s)
{
    int r;
    timer_stop(s->timer);
    s->is_held = false;
    if (!s->batch || s->is_failed)
        return;
    if (s->n_flying >= HUB_INGEST_FLYING) {
        s->is_held = true;
        return;
    }
    s->n_flying++; // it may come back at once
    struct ingest_batch *batch = steal(s->batch);
    r = workspace_put_entities(s->w, batch, false, on_stream_put, s);
    if (r == 0)
        return;
    s->n_flying--;
    s->batch = batch;
    s->is_held = r == -EAGAIN;
    if (r != -EAGAIN)
        stream_fail(s, ingest_problem(r), ingest_why(r));
}

static void
on_stream_timer(void *ctx)
{
    struct ingest_stream *s = ctx;
    stream_flush(s);
    stream_settle(s);
}

/* ---- lines ---- */

/* The line with this number, of so many bytes; tree: NULL, it is too long. */
static void
put_line(struct ingest_stream *s, uint64_t number, size_t n_bytes,
         const struct tree *tree)
{
    struct ingest_item *item;
    if (!s->batch) {
        s->batch = ingest_batch_create();
        s->batch->sender = s->sender;
        timer_start(s->timer, HUB_INGEST_MS, 0);
    }
    item = ingest_batch_add(s->batch);
    item->line = number;
    s->batch->text_bytes += n_bytes;
    if (!tree)
        item->fault = "a line has at most 1048576 bytes";
    else if (tree->is_too_many)
        item->fault = "a line has at most 131072 values";
    else if (!tree->json)
        item->fault = "a line must be one JSON object";
    else
        codec_read_ingest(tree->json, s->batch, item);
    if (s->tells_lines)
        buf_printf(&s->out,
                   "{\"type\":\"line\",\"line\":%" PRIu64 ",\"status\":\"processing\"}\n",
                   item->line);
    if (s->batch->n >= HUB_INGEST_LINES || s->batch->text_bytes >= HUB_INGEST_BYTES ||
        ingest_batch_bytes(s->batch) >= HUB_INGEST_READ_BYTES)
        stream_flush(s);
}

static void on_line_tree(void *owner, struct buf *text, struct tree *tree);

/* A large one is read by a worker, and nothing behind it is looked at before. */
static void
take_line(struct ingest_stream *s, struct str text)
{
    s->n_lines++;
    if (s->is_failed || (!s->is_long && str_trim(text).n == 0))
        return;
    if (s->is_long) {
        put_line(s, s->n_lines, 0, NULL);
    } else if (text.n > TREE_AT_ONCE_BYTES) {
        struct buf copy = {0};
        buf_add_str(&copy, text);
        s->read = tree_read_begin(s->hub, &copy, HUB_VALUES_MAX, on_line_tree, s);
    } else {
        struct tree tree = tree_make(text, HUB_VALUES_MAX);
        put_line(s, s->n_lines, text.n, &tree);
        tree_finish(&tree);
    }
}

/* A line that came in pieces is put together; most are whole in what came. */
static void
take_part(struct ingest_stream *s, struct str part, bool is_end)
{
    if (s->line.n + part.n > LINE_BYTES_MAX) {
        s->is_long = true;
        buf_finish(&s->line);
    }
    if (!is_end) {
        if (!s->is_long)
            buf_add_str(&s->line, part);
        return;
    }
    if (s->line.n == 0) {
        take_line(s, s->is_long ? STR_NONE : part);
    } else {
        buf_add_str(&s->line, part);
        take_line(s, buf_str(&s->line));
        buf_reset(&s->line);
    }
    s->is_long = false;
}

/* While something is to be written reading does not stop, so a peer that does not take its acknowledgements
 * is not to be held back: it has to come again. */
static void
check_limits(struct ingest_stream *s)
{
    if (s->out.n > HUB_INGEST_OUT_BYTES)
        stream_fail(s, PROBLEM_TOO_MANY, "acknowledgements are not read");
    else if (s->behind.n - s->behind_at > HUB_INGEST_HELD_BYTES ||
             (s->batch && ingest_batch_bytes(s->batch) > HUB_INGEST_HELD_BYTES))
        stream_fail(s, PROBLEM_OVERLOADED, ingest_why(-EAGAIN));
}

/* Up to the end of a line that a worker reads first: so many of them. */
static size_t
take_some(struct ingest_stream *s, struct str bytes)
{
    size_t taken = 0;
    while (taken < bytes.n && !s->read) {
        struct str rest = str_slice(bytes.p + taken, bytes.n - taken);
        ssize_t end = str_find_char(rest, '\n');
        size_t n = end < 0 ? rest.n : (size_t)end;
        take_part(s, str_slice(rest.p, n), end >= 0);
        taken += n + (end >= 0);
    }
    return taken;
}

static void
on_stream_bytes(void *owner, struct str bytes)
{
    struct ingest_stream *s = owner;
    s->hub->stats.ingest_bytes += bytes.n;
    size_t n = take_some(s, bytes);
    if (n < bytes.n)
        buf_add(&s->behind, bytes.p + n, bytes.n - n);
    check_limits(s);
    stream_settle(s);
}

/* Nothing more comes. Of what was cut off the last line has no end. */
static void
end_body(struct ingest_stream *s)
{
    s->is_ending = true;
    if (!s->read && !s->cut_why && (s->line.n > 0 || s->is_long))
        take_part(s, STR_NONE, true);
    if (s->read)
        return;
    buf_finish(&s->line);
    s->is_body_over = true;
    end_pause(s);
    stream_flush(s);
    stream_check_done(s);
    if (s->out.n > 0)
        stream_wake(s);
}

static void
on_stream_end(void *owner)
{
    end_body(owner);
}

static void
on_line_tree(void *owner, struct buf *text, struct tree *tree)
{
    struct ingest_stream *s = owner;
    s->read = NULL;
    if (!s->is_failed)
        put_line(s, s->n_lines, text->n, tree);
    s->behind_at +=
        take_some(s, str_slice(s->behind.p + s->behind_at, s->behind.n - s->behind_at));
    if (s->behind_at == s->behind.n) {
        buf_finish(&s->behind);
        s->behind_at = 0;
    }
    check_limits(s);
    if (s->is_ending)
        end_body(s);
    stream_settle(s);
}

static bool
on_stream_part(void *owner, struct buf *part)
{
    struct ingest_stream *s = owner;
    size_t n = MIN(s->out.n, (size_t)HUB_FRAME_BYTES_MAX);
    if (n > 0) {
        buf_add(part, s->out.p, n);
        buf_consume(&s->out, n);
        stream_steer(s);
    }
    return s->out.n > 0;
}

/* The rest will not come; what came is stored and acknowledged. */
static void
on_stream_cut(void *owner, const char *why)
{
    struct ingest_stream *s = owner;
    s->cut_why = why;
    end_body(s);
}

static void
on_stream_gone(void *owner)
{
    struct ingest_stream *s = owner;
    s->x = NULL;
    end_pause(s);
    tree_read_abandon(steal(s->read));
    timer_stop(s->timer);
    stream_try_destroy(s);
}

/* ---- what became of it ---- */

/* Streams that are held back count as far as they are. */
static uint64_t
paused_ms(const struct hub *h)
{
    uint64_t sum = h->stats.ingest_paused_ms;
    list_for_each (it, &h->ingests) {
        const struct ingest_stream *s = list_entry(it, const struct ingest_stream, link);
        if (s->is_paused)
            sum += (uint64_t)(clock_mono_ms() - s->paused_since_ms);
    }
    return sum;
}

void
ingest_add_stats(struct buf *json, const struct hub *h)
{
    struct ingest_totals t = workspaces_ingest_totals(h->workspaces);
    buf_printf(json,
               "{\"streams\":%zu,\"overloaded\":%" PRIu64 ",\"bytes\":%" PRIu64
               ",\"paused_ms\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"again\":%" PRIu64
               ",\"refused\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"batches\":%" PRIu64
               ",\"waiting_lines\":%zu,\"waiting_bytes\":%zu}",
               h->n_ingests, h->stats.ingest_overloaded, h->stats.ingest_bytes,
               paused_ms(h), t.stored, t.again, t.refused, t.lost, t.batches,
               t.waiting_lines, t.waiting_bytes);
}

/* ---- which workspace ---- */

/* Answers when there is none. NULL: it was answered. */
struct workspace *
ingest_find(struct hub *h, struct str name, bool may_create, struct asker *asker)
{
    struct workspace *w = hub_find_workspace(h, name);
    int r = 0;
    if (!w && workspaces_by_id(h->workspaces, name)) // an id is a name, too
        r = -EBUSY;
    else if (!w)
        r = workspaces_acquire_pushed(h->workspaces, name, may_create, &w);
    if (r == 0 && workspace_pushed_name(w))
        return w;
    if (r == 0)
        asker_refuse(asker, PROBLEM_CONFLICT, ingest_why(-EPERM));
    else if (r == -ENOENT)
        asker_refuse(asker, PROBLEM_NOT_FOUND,
                     "there is no such workspace; create=1 makes it");
    else if (r == -EINVAL)
        asker_refuse(asker, PROBLEM_BAD_REQUEST,
                     "a workspace's name has 1 to 64 of A-Z a-z 0-9 . _ -, a letter or "
                     "digit first");
    else if (r == -EMFILE)
        asker_problem(asker, PROBLEM_TOO_MANY, "there are too many workspaces");
    else
        asker_problem(asker, PROBLEM_NOT_READY, ingest_why(r));
    return NULL;
}

static bool
argument_is(const struct exchange *x, const char *name, const char *value)
{
    char text[NAME_ARGUMENT_BYTES];
    return exchange_argument(x, name, text, sizeof(text)) && strcmp(text, value) == 0;
}

bool
ingest_may_create(const struct exchange *x)
{
    return argument_is(x, "create", "1") || argument_is(x, "create", "true");
}

void
ingest_serve_stream(struct exchange *x)
{
    static const struct exchange_stream callbacks = {
        .on_bytes = on_stream_bytes,
        .on_body_end = on_stream_end,
        .on_body_cut = on_stream_cut,
        .next_part = on_stream_part,
        .on_gone = on_stream_gone,
    };
    struct hub *h = x->hub;
    struct asker asker = {.exchange = x};
    uint64_t sender;
    if (!files_read_sender(x, &sender)) {
        exchange_problem(x, PROBLEM_BAD_REQUEST,
                         "sender must be 1 to 64 visible characters of ASCII");
        return;
    }
    if (h->n_ingests >= HUB_INGEST_STREAMS_MAX ||
        workspaces_ingest_fill(h->workspaces) >= 100) {
        h->stats.ingest_overloaded++;
        exchange_problem(x, PROBLEM_OVERLOADED, ingest_why(-EAGAIN));
        return;
    }
    struct workspace *w = ingest_find(h, x->params[0], ingest_may_create(x), &asker);
    if (!w)
        return;
    struct ingest_stream *s = xnew(struct ingest_stream);
    s->hub = h;
    s->x = x;
    s->w = w;
    s->sender = sender;
    s->tells_lines = argument_is(x, "ack", "line");
    s->timer = timer_open(h->loop, on_stream_timer, s);
    list_add(&h->ingests, &s->link);
    h->n_ingests++;
    hub_tell_clients(h);
    exchange_set_stream(x, &callbacks, s);
    exchange_begin(x, 200, SERVE_LINES);
}
