/* A wire: frames in, frames out, our requests in flight. What is written in one turn of
 * the loop leaves as one write; frames that arrived whole are parsed where the stream
 * left them. Invariants: no callback runs from within a call of the owner; each request
 * is answered once or forgotten by wire_cancel() and wire_close(); after wire_close()
 * nothing is called, even when it was called from one of our callbacks (`holds` keeps
 * the memory until we are out of it). */
#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/utf.h"
#include "codec/codec.h"
#include "lsp/wire/internal.h"
#include "rt/timer.h"

#define WIRE_KEEP_BYTES (1u << 20) // larger buffers are given back when they are empty
#define WIRE_QUOTED_BYTES 100      // of what is no header

struct pending {
    struct list link;
    int64_t id;
    wire_answer_fn fn;
    void *ctx;
    int refused_r; // why it was never sent
};

struct wire {
    struct stream *in, *out;
    const struct wire_events *events;
    void *ctx;
    struct timer *turn;  // armed: something is to be done at the next turn
    struct buf received; // less than a frame, unless within on_bytes()
    struct buf to_send;
    struct buf scratch; // the body under construction
    struct map *by_id;  // of pending, by the id's bytes
    struct list pending, refused;
    int64_t last_id;
    unsigned holds;
    int64_t read_ns; // of the bytes last read
    bool is_closed, is_ended, is_end_due;
};

static struct str
id_key(const int64_t *id)
{
    return str_slice((const char *)id, sizeof(*id));
}

static void
free_if_large(struct buf *b)
{
    if (b->cap > WIRE_KEEP_BYTES)
        buf_finish(b);
    else
        buf_reset(b);
}

static void
destroy(struct wire *w)
{
    map_destroy(w->by_id);
    buf_finish(&w->received);
    buf_finish(&w->to_send);
    buf_finish(&w->scratch);
    free(w);
}

static void
release(struct wire *w)
{
    if (--w->holds == 0 && w->is_closed)
        destroy(w);
}

static void
drop_all(struct list *requests)
{
    list_for_each_safe (it, requests) {
        list_remove(it);
        free(list_entry(it, struct pending, link));
    }
}

/* ---- out ---- */

static void
flush(struct wire *w)
{
    if (w->to_send.n > 0)
        stream_write_buf(w->out, &w->to_send);
}

static struct buf *
begin(struct wire *w)
{
    buf_reset(&w->scratch);
    buf_add_str(&w->scratch, STR("{\"jsonrpc\":\"2.0\""));
    return &w->scratch;
}

static void
end(struct wire *w)
{
    buf_add_char(&w->scratch, '}');
    wire_frame_add(&w->to_send, buf_str(&w->scratch));
    free_if_large(&w->scratch);
    if (wire_backlog(w) > WIRE_BACKLOG_BYTES_MAX) {
        buf_finish(&w->to_send);
        w->is_end_due = true;
    }
    if (!timer_is_armed(w->turn))
        timer_start(w->turn, 0, 0);
}

static void
add_call(struct buf *b, const char *method, json_t *params)
{
    buf_add_str(b, STR(",\"method\":"));
    codec_add_string(b, str_of(method));
    if (params) {
        buf_add_str(b, STR(",\"params\":"));
        codec_add_json(b, params);
        json_decref(params);
    }
}

static int64_t
next_id(struct wire *w)
{
    do { // LSP's integers have 31 bits
        w->last_id = w->last_id == INT32_MAX ? 1 : w->last_id + 1;
    } while (map_get(w->by_id, id_key(&w->last_id)));
    return w->last_id;
}

int64_t
wire_request(struct wire *w, const char *method, json_t *params, wire_answer_fn fn,
             void *ctx)
{
    ASSERT_LOOP();
    struct pending *p = xnew(struct pending);
    p->fn = fn;
    p->ctx = ctx;
    list_init(&p->link);
    if (w->is_ended || map_count(w->by_id) >= WIRE_PENDING_MAX) {
        p->refused_r = w->is_ended ? -EPIPE : -EBUSY;
        list_add(&w->refused, &p->link);
        json_decref(params);
        if (!timer_is_armed(w->turn))
            timer_start(w->turn, 0, 0);
        return 0;
    }
    p->id = next_id(w);
    list_add(&w->pending, &p->link);
    map_put(w->by_id, id_key(&p->id), p);

    struct buf *b = begin(w);
    buf_printf(b, ",\"id\":%" PRId64, p->id);
    add_call(b, method, params);
    end(w);
    return p->id;
}

void
wire_notify(struct wire *w, const char *method, json_t *params)
{
    ASSERT_LOOP();
    add_call(begin(w), method, params);
    end(w);
}

void
wire_cancel(struct wire *w, int64_t id)
{
    ASSERT_LOOP();
    struct pending *p = map_remove(w->by_id, id_key(&id));
    if (!p)
        return;
    list_remove(&p->link);
    free(p);
    buf_printf(begin(w),
               ",\"method\":\"$/cancelRequest\",\"params\":{\"id\":%" PRId64 "}", id);
    end(w);
}

static struct buf *
begin_reply(struct wire *w, const struct wire_id *id)
{
    struct buf *b = begin(w);
    buf_add_str(b, STR(",\"id\":"));
    wire_message_add_id(b, id);
    return b;
}

void
wire_reply_text(struct wire *w, const struct wire_id *id, struct str result)
{
    ASSERT_LOOP();
    struct buf *b = begin_reply(w, id);
    buf_add_str(b, STR(",\"result\":"));
    buf_add_str(b, result);
    end(w);
}

void
wire_reply(struct wire *w, const struct wire_id *id, json_t *result)
{
    ASSERT_LOOP();
    struct buf *b = begin_reply(w, id);
    buf_add_str(b, STR(",\"result\":"));
    if (result)
        codec_add_json(b, result);
    else
        buf_add_str(b, STR("null"));
    json_decref(result);
    end(w);
}

void
wire_reply_error(struct wire *w, const struct wire_id *id, int code, const char *message)
{
    ASSERT_LOOP();
    struct buf *b = begin_reply(w, id);
    buf_printf(b, ",\"error\":{\"code\":%d,\"message\":", code);
    codec_add_string(b, str_of(message));
    buf_add_char(b, '}');
    end(w);
}

int64_t
wire_read_ns(const struct wire *w)
{
    return w->read_ns;
}

size_t
wire_backlog(const struct wire *w)
{
    return w->to_send.n + stream_backlog(w->out);
}

/* ---- in ---- */

static void
answer(struct pending *p, const struct wire_answer *a)
{
    p->fn(p->ctx, a);
    free(p);
}

static void
refuse_all(struct wire *w, struct list *requests, int r)
{
    struct list taken;
    list_init(&taken);
    list_splice(&taken, requests);
    while (!list_is_empty(&taken)) {
        struct pending *p = list_first(&taken, struct pending, link);
        list_remove(&p->link);
        if (w->is_closed) {
            free(p);
            continue;
        }
        if (p->id)
            map_remove(w->by_id, id_key(&p->id));
        answer(p, &(struct wire_answer){.r = r ? r : p->refused_r});
    }
}

static void
finish_reading(struct wire *w, int r, const char *why)
{
    if (w->is_ended || w->is_closed)
        return;
    w->is_ended = true;
    w->holds++;
    refuse_all(w, &w->pending, -EPIPE);
    if (!w->is_closed)
        w->events->on_end(w->ctx, r, why);
    release(w);
}

static void
take_response(struct wire *w, const struct message *m)
{
    struct pending *p = map_remove(w->by_id, id_key(&m->response_id));
    if (!p)
        return; // cancelled before, or never asked
    list_remove(&p->link);
    struct wire_answer a = {.result = m->result};
    if (m->error) {
        const char *text = json_string_value(json_object_get(m->error, "message"));
        a.r = -EPROTO;
        a.result = NULL;
        a.error_code = json_integer_value(json_object_get(m->error, "code"));
        a.error_message = text ? text : "";
    }
    answer(p, &a);
}

static void
report_bad(struct wire *w, const struct wire_id *id, enum wire_error code,
           const char *why)
{
    wire_reply_error(w, id, code, why);
    if (w->events->on_bad_message)
        w->events->on_bad_message(w->ctx, why);
}

static void
take_value(struct wire *w, json_t *value)
{
    struct message m = wire_message_classify(value);
    struct wire_id id = {0};
    if (m.id)
        id = wire_message_id(m.id);
    switch (m.kind) {
    case MESSAGE_NOTHING: break;
    case MESSAGE_REQUEST: w->events->on_request(w->ctx, &id, m.method, m.params); break;
    case MESSAGE_NOTIFICATION:
        w->events->on_notification(w->ctx, m.method, m.params);
        break;
    case MESSAGE_RESPONSE: take_response(w, &m); break;
    case MESSAGE_BAD: report_bad(w, m.id ? &id : NULL, m.code, m.why); break;
    }
    wire_id_finish(&id);
}

static void
take_body(struct wire *w, struct str body)
{
    AUTO(json_decref_) json_t *value = wire_message_parse(body);
    size_t i;
    json_t *item;
    if (!value) {
        report_bad(w, NULL, WIRE_PARSE_ERROR, "the message is not JSON");
        return;
    }
    if (json_array_size(value) == 0)
        take_value(w, value);
    json_array_foreach(value, i, item) // JSON-RPC's batch, which LSP does not have
    {
        if (!w->is_closed && !w->is_ended)
            take_value(w, item);
    }
}

/* What a program prints beside its frames tells its user more than any word of ours. */
static void
refuse_frame(struct wire *w, int r, struct str bytes)
{
    if (r == -EMSGSIZE) {
        finish_reading(w, r, "a message is larger than allowed");
        return;
    }
    ssize_t end = str_find_char(bytes, '\n');
    size_t n = MIN(end < 0 ? bytes.n : (size_t)end, (size_t)WIRE_QUOTED_BYTES);
    AUTO(buf_finish) struct buf why = {0};
    buf_add_str(&why, STR("what arrived is not a message header: "));
    utf8_add_valid(&why, str_slice(bytes.p, n));
    finish_reading(w, r, why.p);
}

/* All whole frames of `bytes`; how much they were. */
static size_t
take_frames(struct wire *w, struct str bytes)
{
    size_t at = 0;
    while (at < bytes.n && !w->is_closed && !w->is_ended) {
        struct str body;
        size_t used;
        int r = wire_frame_parse(str_slice(bytes.p + at, bytes.n - at), &body, &used);
        if (r == WIRE_E_MORE)
            break;
        if (r < 0) {
            refuse_frame(w, r, str_slice(bytes.p + at, bytes.n - at));
            break;
        }
        at += used;
        take_body(w, body);
    }
    return at;
}

static void
on_bytes(void *ctx, struct str bytes)
{
    struct wire *w = ctx;
    if (w->is_ended)
        return;
    w->holds++;
    w->read_ns = clock_mono_ns();
    if (w->received.n == 0) {
        size_t used = take_frames(w, bytes);
        if (used < bytes.n)
            buf_add(&w->received, bytes.p + used, bytes.n - used);
    } else {
        buf_add_str(&w->received, bytes);
        size_t used = take_frames(w, buf_str(&w->received));
        if (used == w->received.n)
            free_if_large(&w->received);
        else if (used > 0)
            buf_consume(&w->received, used);
    }
    release(w);
}

static void
on_stream_end(void *ctx, int r)
{
    struct wire *w = ctx;
    if (r == 0 && w->received.n > 0)
        finish_reading(w, -EPROTO, "the stream ended within a message");
    else
        finish_reading(w, r, r == 0 ? "the stream ended" : err_text(r));
}

static void
on_turn(void *ctx)
{
    struct wire *w = ctx;
    w->holds++;
    flush(w);
    refuse_all(w, &w->refused, 0);
    if (w->is_end_due)
        finish_reading(w, -ENOBUFS, "the peer does not read what it is sent");
    release(w);
}

/* ---- life ---- */

struct wire *
wire_open(struct loop *l, struct stream *in, struct stream *out,
          const struct wire_events *events, void *ctx)
{
    static const struct stream_events stream_events = {.on_bytes = on_bytes,
                                                       .on_end = on_stream_end};
    ASSERT_LOOP();
    struct wire *w = xnew(struct wire);
    w->in = in;
    w->out = out ? out : in;
    w->events = events;
    w->ctx = ctx;
    w->by_id = map_create();
    w->turn = timer_open(l, on_turn, w);
    list_init(&w->pending);
    list_init(&w->refused);
    stream_start(in, &stream_events, w);
    return w;
}

void
wire_shutdown(struct wire *w)
{
    ASSERT_LOOP();
    flush(w);
    stream_shutdown(w->out);
}

void
wire_close(struct wire *w)
{
    if (!w)
        return;
    ASSERT_LOOP();
    assert(!w->is_closed);
    w->holds++;
    w->is_closed = true;
    flush(w);
    timer_close(w->turn);
    if (w->out != w->in)
        stream_close(w->out);
    stream_close(w->in);
    drop_all(&w->pending);
    drop_all(&w->refused);
    release(w);
}
