/* Why: one HTTP request from its headers to the end of its connection. An answer always ends the
 * connection, so there is no second request on it to be mistaken for a body. Invariants: serve is
 * called at most once, on_gone exactly once. What comes after an answer was decided is thrown away,
 * up to a limit, until the peer had time to read the answer: a connection that is closed with bytes
 * unread is reset, and a reset takes the answer along (RFC 9112, 9.6).
 * Two habits of libwebsockets shape this: while reading is stopped it does not write either, and
 * after each piece of a body it gives the next one 5 s. */
#include "hub/serve.h"

#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "hub/ask.h"
#include "hub/client.h"
#include "hub/progress.h"
#include "rt/hangup.h"

#define LOG_MODULE "hub"
#include "base/log.h"

#define ANSWER_MS 30000 // for whoever serves
/* Until then who only shut down its side is answered; then its question is one of nobody's. */
#define WATCH_MS 1000
#define BODY_IDLE_MS 10000
#define LINGER_MS 5000
#define LINGER_BYTES_MAX (64u << 20)
#define ARGUMENT_BYTES_MAX 16384 // as the header block

/* ---- writing ---- */

/* Stopped only while nothing is to be written. */
static void
steer_reading(struct exchange *x)
{
    bool stop = (x->is_paused || x->is_body_cut) && !x->is_pending && !x->is_body_done &&
                !x->is_lingering;
    if (!x->wsi || stop == x->is_stopped)
        return;
    x->is_stopped = stop;
    lws_rx_flow_control(x->wsi, !stop);
}

void
exchange_wake(struct exchange *x)
{
    if (!x->wsi || !x->is_answered || x->is_pending || x->is_lingering)
        return;
    x->is_pending = true;
    x->progress_ms = clock_mono_ms();
    steer_reading(x);
    lws_callback_on_writable(x->wsi);
}

static const char *
reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } reasons[] = {{200, "OK"},
                   {202, "Accepted"},
                   {204, "No Content"},
                   {400, "Bad Request"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {413, "Content Too Large"},
                   {415, "Unsupported Media Type"},
                   {426, "Upgrade Required"},
                   {429, "Too Many Requests"},
                   {503, "Service Unavailable"}};
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Internal Server Error";
}

/* All of it but Content-Length and the empty line. */
static void
add_head(struct exchange *x, unsigned status, const char *type)
{
    struct buf *b = &x->response;
    assert(!x->is_answered);
    x->is_answered = true;
    message_begin(b);
    buf_printf(b, "HTTP/1.1 %u %s\r\n", status, reason_of(status));
    if (type)
        buf_printf(b, "Content-Type: %s\r\n", type);
    if (x->origin)
        buf_printf(b, "Access-Control-Allow-Origin: %s\r\n", x->origin);
    buf_add_str(b, buf_str(&x->headers));
    buf_add_cstr(
        b,
        "Vary: Origin\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'\r\n"
        "Referrer-Policy: no-referrer\r\nConnection: close\r\n");
}

void
exchange_add_header(struct exchange *x, const char *name, const char *value)
{
    assert(!x->is_answered && !strpbrk(value, "\r\n"));
    buf_printf(&x->headers, "%s: %s\r\n", name, value);
}

void
exchange_answer(struct exchange *x, unsigned status, const char *type, struct str body)
{
    add_head(x, status, type);
    if (status != 204)
        buf_printf(&x->response, "Content-Length: %zu\r\n", body.n);
    buf_add_cstr(&x->response, "\r\n");
    if (!x->is_head)
        buf_add_str(&x->response, body);
    x->is_ended = true;
    exchange_wake(x);
}

void
exchange_problem(struct exchange *x, enum problem p, const char *detail)
{
    AUTO(buf_finish) struct buf body = {0};
    unsigned retry_after_s = problem_retry_after_s(p);
    if (retry_after_s > 0)
        buf_printf(&x->headers, "Retry-After: %u\r\n", retry_after_s);
    problem_add(&body, p, detail);
    exchange_answer(x, problem_status(p), SERVE_PROBLEM, buf_str(&body));
}

void
exchange_begin(struct exchange *x, unsigned status, const char *type)
{
    add_head(x, status, type);
    buf_add_cstr(&x->response, "\r\n");
    x->is_streamed = true;
    x->is_ended = x->is_head;
    exchange_wake(x);
}

void
exchange_end(struct exchange *x)
{
    assert(x->is_streamed);
    x->is_ended = true;
    exchange_wake(x);
}

/* What was sent may still lie in the peer's way of sending: it gets time to finish and to read. */
static int
linger(struct exchange *x)
{
    if (x->is_body_done || !x->is_read_by_lws)
        return -1;
    x->is_lingering = true;
    x->read_ms = clock_mono_ms();
    steer_reading(x);
    shutdown(lws_get_socket_fd(x->wsi), SHUT_WR);
    return 0;
}

/* libwebsockets would end a connection whose headers it holds for 370 s. What it reads bodies of it
 * would give new ones. */
static void
let_go_of_headers(struct exchange *x)
{
    if (x->has_let_go || x->is_read_by_lws)
        return;
    x->has_let_go = true;
    lws_http_mark_sse(x->wsi);
}

/* All that is ready goes out in one write, which libwebsockets finishes before it calls again. */
int
exchange_on_writable(struct exchange *x)
{
    struct buf *b = &x->response;
    bool has_more = false;
    if (!x->is_answered || x->is_lingering)
        return 0;
    x->is_pending = false;
    x->progress_ms = clock_mono_ms();
    if (x->is_written)
        return linger(x);
    if (x->is_streamed && !x->is_head && x->stream && x->stream->next_part) {
        if (b->n == 0)
            message_begin(b);
        has_more = x->stream->next_part(x->owner, b);
    }
    bool is_last = x->is_ended && !has_more;
    if (b->n > LWS_PRE) {
        int n = (int)(b->n - LWS_PRE);
        if (lws_write(x->wsi, (unsigned char *)b->p + LWS_PRE, (size_t)n,
                      is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < n) {
            log_debug("an HTTP client was gone before its answer");
            return -1;
        }
        if (has_more)
            buf_reset(b);
        else
            buf_finish(b); // an idle stream holds nothing
    }
    if (is_last && (x->is_body_done || !x->is_read_by_lws))
        return -1;
    x->is_written = is_last;
    if (x->is_streamed)
        let_go_of_headers(x);
    /* Called again when all of it is with the kernel, so that a stuck peer is seen. */
    if (is_last || has_more || lws_partial_buffered(x->wsi))
        exchange_wake(x);
    steer_reading(x);
    return 0;
}

/* ---- the address ---- */

void
exchange_read_arguments(struct exchange *x)
{
    char argument[ARGUMENT_BYTES_MAX];
    int n;
    for (int i = 0; (n = lws_hdr_copy_fragment(x->wsi, argument, sizeof(argument),
                                               WSI_TOKEN_HTTP_URI_ARGS, i)) >= 0;
         i++)
        buf_add(&x->args, argument, (size_t)n + 1);
}

bool
exchange_argument_view(const struct exchange *x, const char *name, struct str *ret_value)
{
    struct str rest = buf_str(&x->args), argument;
    size_t n = strlen(name);
    while (str_split(&rest, '\0', &argument)) {
        if (argument.n < n || memcmp(argument.p, name, n) != 0 ||
            (argument.n > n && argument.p[n] != '='))
            continue;
        size_t at = MIN(n + 1, argument.n);
        *ret_value = str_slice(argument.p + at, argument.n - at);
        return true;
    }
    return false;
}

bool
exchange_argument(const struct exchange *x, const char *name, char *ret_value,
                  size_t size)
{
    struct str value;
    if (!exchange_argument_view(x, name, &value) || value.n >= size)
        return false;
    snprintf(ret_value, size, "%.*s", STR_ARG(value));
    return true;
}

bool
exchange_header(const struct exchange *x, const char *name, char *ret_value, size_t size)
{
    int n = (int)strlen(name);
    return lws_hdr_custom_length(x->wsi, name, n) >= 0 &&
           lws_hdr_custom_copy(x->wsi, ret_value, (int)size, name, n) >= 0;
}

/* ---- its end ---- */

static void
kill_connection(struct exchange *x)
{
    /* Its timer is only looked at after something else happened. */
    lws_set_timeout(x->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    lws_cancel_service(lws_get_context(x->wsi));
}

static void
on_hangup(void *ctx)
{
    kill_connection(ctx);
}

/* libwebsockets does not see that a peer is gone of which it reads nothing, and until a write fails it goes round and
 * round in what it cannot read. */
static void
watch_peer(struct exchange *x)
{
    if (x->is_read_by_lws || x->hangup)
        return;
    int r =
        hangup_open(x->hub->loop, lws_get_socket_fd(x->wsi), on_hangup, x, &x->hangup);
    if (r < 0)
        log_warn("nobody watches whether an HTTP client goes: %s", err_text(r));
}

/* ---- the body ---- */

void
exchange_set_stream(struct exchange *x, const struct exchange_stream *stream, void *owner)
{
    assert(!x->stream);
    x->stream = stream;
    x->owner = owner;
    watch_peer(x);
}

void
exchange_pause_body(struct exchange *x, bool is_paused)
{
    x->is_paused = is_paused;
    steer_reading(x);
}

json_t *
exchange_read_object(struct exchange *x)
{
    if (!x->has_tree)
        x->tree = tree_make(buf_str(&x->body), EXCHANGE_VALUES_MAX);
    x->has_tree = true;
    if (json_is_object(x->tree.json))
        return json_incref(x->tree.json);
    if (x->tree.is_too_many)
        exchange_problem(x, PROBLEM_TOO_LARGE, "a body has at most 262144 values here");
    else
        exchange_problem(x, PROBLEM_BAD_REQUEST, "the body must be one JSON object");
    return NULL;
}

static void
drop_body(struct exchange *x)
{
    x->hub->body_bytes -= x->body.n;
    buf_finish(&x->body);
}

static void
take_piece(struct exchange *x, struct str piece)
{
    struct hub *h = x->hub;
    x->body_bytes += piece.n;
    if (piece.n == 0)
        return;
    if (x->route->body == BODY_STREAM) {
        if (x->stream && x->stream->on_bytes)
            x->stream->on_bytes(x->owner, piece);
    } else if (x->body.n + piece.n > EXCHANGE_BODY_BYTES_MAX) {
        drop_body(x);
        exchange_problem(x, PROBLEM_TOO_LARGE, "a body has at most 8 MiB here");
    } else if (h->body_bytes + piece.n > EXCHANGE_BODIES_BYTES_MAX) {
        drop_body(x);
        exchange_problem(x, PROBLEM_OVERLOADED, "too many large bodies at once");
    } else {
        h->body_bytes += piece.n;
        buf_add_str(&x->body, piece);
    }
}

/* Nobody looks at what comes. */
static bool
is_body_wanted(const struct exchange *x)
{
    return !x->is_body_done && !x->is_body_cut && !x->is_written &&
           (!x->is_answered || (x->is_streamed && !x->is_ended));
}

static void
on_tree(void *owner, struct buf *text, struct tree *tree)
{
    struct exchange *x = owner;
    x->read = NULL;
    x->hub->body_bytes += text->n;
    x->body = *text;
    *text = (struct buf){0};
    x->tree = *tree;
    *tree = (struct tree){0};
    x->has_tree = true;
    x->route->serve(x);
}

/* As large as it is it is read first, while others are served. */
static void
serve_body(struct exchange *x)
{
    if (x->body.n <= TREE_AT_ONCE_BYTES) {
        x->route->serve(x);
        return;
    }
    x->hub->body_bytes -= x->body.n;
    x->read = tree_read_begin(x->hub, &x->body, EXCHANGE_VALUES_MAX, on_tree, x);
}

static void
end_body(struct exchange *x)
{
    bool is_wanted = is_body_wanted(x);
    x->is_body_done = true;
    x->read_ms = clock_mono_ms();
    if (!is_wanted)
        return;
    if (x->route->body == BODY_STREAM) {
        if (x->stream && x->stream->on_body_end)
            x->stream->on_body_end(x->owner);
    } else {
        serve_body(x);
    }
}

/* It will not come as it should. */
static int
cut_body(struct exchange *x, enum problem p, const char *why)
{
    if (!is_body_wanted(x))
        return 0;
    x->is_body_cut = true; // nothing more is read until the answer is on its way
    steer_reading(x);
    if (x->stream && x->stream->on_body_cut)
        x->stream->on_body_cut(x->owner, why);
    else if (!x->is_answered)
        exchange_problem(x, p, why);
    else
        return -1;
    return 0;
}

static int
take_chunks(struct exchange *x, struct str raw)
{
    struct str piece;
    int r = 0;
    x->chunked_bytes += raw.n;
    if (x->chunked_bytes > EXCHANGE_CHUNKED_BYTES_MAX)
        return cut_body(x, PROBLEM_TOO_LARGE,
                        "a body in chunks has at most 64 MiB here: send the rest anew");
    while (r == 0 && raw.n > 0 && is_body_wanted(x)) {
        r = body_decode(&x->decoder, &raw, &piece);
        if (r >= 0)
            take_piece(x, piece);
    }
    if (r < 0)
        return cut_body(x, PROBLEM_BAD_REQUEST, "the chunks of the body cannot be read");
    if (r == BODY_E_END)
        end_body(x);
    return 0;
}

static void
take_length(struct exchange *x, struct str raw)
{
    uint64_t left = x->frame.size_bytes - x->body_bytes;
    raw.n = (size_t)MIN((uint64_t)raw.n, left);
    if (is_body_wanted(x))
        take_piece(x, raw);
    else
        x->body_bytes += raw.n;
    if (x->body_bytes == x->frame.size_bytes)
        end_body(x);
}

int
exchange_on_bytes(struct exchange *x, struct str raw)
{
    int r = 0;
    if (!x->is_lingering)
        x->read_ms = clock_mono_ms();
    if (!is_body_wanted(x))
        x->drained_bytes += raw.n;
    if (!x->is_body_done && x->frame.framing == BODY_FRAMING_LENGTH)
        take_length(x, raw);
    else if (is_body_wanted(x))
        r = take_chunks(x, raw);
    if (x->drained_bytes > LINGER_BYTES_MAX || (x->is_lingering && x->is_body_done))
        return -1;
    return r;
}

/* Bytes behind the end, which libwebsockets neither takes nor throws away but brings again. */
static int
on_bytes_behind(struct exchange *x)
{
    if (!x->is_answered) {
        x->is_stopped = true;
        lws_rx_flow_control(x->wsi, 0);
        return 0;
    }
    if (!x->is_streamed && !x->is_written)
        exchange_on_writable(x);
    return -1;
}

/* libwebsockets thinks so; of chunks after 100 MiB, which EXCHANGE_CHUNKED_BYTES_MAX comes before. */
int
exchange_on_bytes_end(struct exchange *x)
{
    if (x->is_lingering)
        return -1;
    if (++x->n_ends > 1)
        return on_bytes_behind(x);
    return x->is_body_done || x->is_body_cut || x->is_answered ? 0 : -1;
}

/* ---- life ---- */

struct exchange *
exchange_create(struct hub *h, struct lws *wsi)
{
    struct exchange *x = xnew(struct exchange);
    x->hub = h;
    x->wsi = wsi;
    x->begun_ms = x->read_ms = clock_mono_ms();
    return x;
}

void
exchange_destroy(struct exchange *x)
{
    if (!x)
        return;
    ask_abandon(x->ask);
    tree_read_abandon(x->read);
    hangup_close(x->hangup);
    x->wsi = NULL;
    if (x->stream && x->stream->on_gone)
        x->stream->on_gone(x->owner);
    if (x->body.n > TREE_AT_ONCE_BYTES)
        tree_drop(x->hub, steal(x->tree.json));
    tree_finish(&x->tree);
    drop_body(x);
    buf_finish(&x->args);
    buf_finish(&x->headers);
    buf_finish(&x->response);
    free(x->origin);
    free(x->path);
    free(x);
}

/* Nobody sends a large body before it is asked for, if it said so. */
static void
ask_for_body(struct exchange *x)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char line[LWS_PRE + sizeof(text)];
    char expect[32];
    if (x->is_body_done ||
        lws_hdr_copy(x->wsi, expect, sizeof(expect), WSI_TOKEN_HTTP_EXPECT) <= 0 ||
        strcasecmp(expect, "100-continue") != 0)
        return;
    memcpy(line + LWS_PRE, text, sizeof(text));
    /* Nothing was written yet, so there is room. */
    lws_write(x->wsi, line + LWS_PRE, sizeof(text) - 1, LWS_WRITE_HTTP);
}

void
exchange_on_begin(struct exchange *x)
{
    x->is_body_done = x->frame.framing == BODY_FRAMING_NONE;
    if (x->route->body == BODY_STREAM || x->is_body_done)
        x->route->serve(x);
    if (is_body_wanted(x))
        ask_for_body(x);
    else if (x->is_body_done && x->stream && x->stream->on_body_end)
        x->stream->on_body_end(x->owner);
}

static bool
is_stuck(struct exchange *x, int64_t now_ms)
{
    uint64_t acked = progress_acked_bytes(lws_get_socket_fd(x->wsi));
    if (acked != x->acked_bytes) {
        x->acked_bytes = acked;
        x->progress_ms = now_ms;
    }
    return now_ms - x->progress_ms >= HUB_STUCK_MS;
}

/* It comes back to where it was, if it can. */
static void
drop_slow(struct exchange *x)
{
    if (!x->is_dropped && x->is_streamed)
        x->hub->stats.slow_closed++;
    x->is_dropped = true;
    kill_connection(x);
}

/* Whoever serves it does not answer. */
static void
give_up(struct exchange *x)
{
    if (x->stream && x->stream->on_late) {
        x->stream->on_late(x->owner);
    } else if (x->ask || x->read) {
        ask_abandon(x->ask);
        tree_read_abandon(steal(x->read));
        exchange_problem(x, PROBLEM_OVERLOADED, EXCHANGE_LATE);
    } else {
        kill_connection(x);
    }
}

void
exchange_on_tick(struct exchange *x, int64_t now_ms)
{
    bool is_reading = x->is_read_by_lws && !x->is_body_done;
    int r = 0;
    if (is_reading && !lws_partial_buffered(x->wsi))
        lws_set_timeout(x->wsi, NO_PENDING_TIMEOUT, 0); // its 5 s; ours are these
    if (x->is_lingering) {
        if (now_ms - x->read_ms >= LINGER_MS)
            kill_connection(x);
    } else if (x->is_pending) {
        if (is_stuck(x, now_ms))
            drop_slow(x);
    } else if (is_reading && is_body_wanted(x)) {
        bool is_late = x->route->body == BODY_JSON && !x->is_paused &&
                       now_ms - x->read_ms >= BODY_IDLE_MS;
        if (is_late || now_ms - x->begun_ms >= EXCHANGE_BODY_AGE_MS)
            r = cut_body(x, PROBLEM_TIMEOUT,
                         is_late ? "the body does not come"
                                 : "a body may take 300 s here: send the rest anew");
        if (r < 0)
            kill_connection(x);
    } else if (!x->is_answered) {
        if (now_ms - x->read_ms >= ANSWER_MS)
            give_up(x);
        else if (now_ms - x->read_ms >= WATCH_MS)
            watch_peer(x);
    }
}
