/* Why: `gloss push` feeds an engine over a request whose body has no length, so that one connection carries a walk of any
 * size and then whatever changes. Invariant: on_end is told once; an answer that is no 200 ends the upload with what
 * the engine said. What comes back is of a program that may not be gloss: every line has a limit and is checked. */
#include "app/push_wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "rt/stream.h"
#include "rt/timer.h"

#define PUSH_HEAD_BYTES_MAX 16384
#define PUSH_ANSWER_BYTES_MAX (1u << 20) // of one line

enum push_state { PUSH_HEAD, PUSH_LINES, PUSH_REFUSED, PUSH_ENDED };

struct push_wire {
    struct loop *loop;
    struct stream *stream;
    struct push_address address; // silence_s and port of it
    struct timer *silence;       // armed while an answer is owed
    struct push_events events;
    void *ctx;
    enum push_state state;
    unsigned status;
    bool is_finished; // no more lines are added
    bool is_done;     // the engine said so
    uint64_t n_lines, n_acked;
    struct buf in, out;
};

static void
end(struct push_wire *p, int r, const char *why)
{
    if (p->state == PUSH_ENDED)
        return;
    p->state = PUSH_ENDED;
    timer_stop(p->silence);
    stream_close(steal(p->stream));
    p->events.on_end(p->ctx, r, why);
}

/* ---- what requests share ---- */

int
push_connect(struct loop *l, const struct push_address *address,
             struct stream **ret_stream, char **ret_why)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(address->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = address->silence_s}; // connect() heeds it
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    int r = fd < 0 ? -errno : 0;

    if (r == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    }
    if (r == 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        r = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
        close(fd);
    }
    if (r == 0)
        r = stream_open_fd(l, fd, ret_stream);
    if (r == -ETIMEDOUT)
        *ret_why = push_why_silent(address);
    else if (r < 0)
        *ret_why = xasprintf("no engine listens on port %u of 127.0.0.1: %s",
                             address->port, err_text(r));
    return r;
}

char *
push_why_silent(const struct push_address *address)
{
    return xasprintf("what listens on port %u of 127.0.0.1 has said nothing for %u s",
                     address->port, address->silence_s);
}

void
push_add_head(struct buf *out, const struct push_address *address)
{
    buf_printf(out,
               " HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer %s\r\n"
               "User-Agent: gloss/" GLOSS_VERSION "\r\n",
               address->port, address->token);
}

/* "HTTP/1.1 200 OK" … an empty line. */
int
push_read_head(struct str text, struct str *ret_rest)
{
    ssize_t n = str_find(text, STR("\r\n\r\n"));
    uint64_t status;

    if (n < 0)
        return text.n > PUSH_HEAD_BYTES_MAX ? -EPROTO : 0;
    if (n < 12 || !str_starts_with(text, STR("HTTP/1.1 ")) ||
        str_to_u64(str_slice(text.p + 9, 3), &status) < 0 || status < 100)
        return -EPROTO;
    *ret_rest = str_slice(text.p + n + 4, text.n - (size_t)n - 4);
    return (int)status;
}

int
push_refusal(unsigned status, struct str body, char **ret_why)
{
    AUTO(json_decref_) json_t *problem = NULL;
    struct str detail;

    if (codec_parse(body, &problem, NULL) < 0 ||
        codec_get_str(problem, "detail", &detail) < 0)
        detail = STR("no reason given");
    if (status == 403) // of what its gate looks at only the token is the user's
        *ret_why = xstrdup("the engine refuses it (403): the token is another one's; "
                           "each start makes a new one, see engine.json there");
    else
        *ret_why = xasprintf("the engine refuses it (%u): %.*s", status, STR_ARG(detail));
    return status == 503 || status == 429 ? -EAGAIN : -EPERM;
}

/* ---- what comes back ---- */

static const char *
text_of(const json_t *value, const char *key, const char *fallback)
{
    const char *text = json_string_value(codec_member(value, key));

    return text ? text : fallback;
}

static void
tell_faults(struct push_wire *p, const json_t *answer)
{
    const json_t *fault;
    size_t i;
    int64_t line;

    json_array_foreach(codec_array(answer, "errors"), i, fault)
    {
        if (p->state == PUSH_ENDED ||
            codec_get_int(fault, "line", 1, INT64_MAX, &line) < 0)
            return;
        p->events.on_fault(p->ctx, (uint64_t)line,
                           text_of(codec_object(fault, "problem"), "detail", "refused"));
    }
}

static void
on_answer(struct push_wire *p, struct str line)
{
    AUTO(json_decref_) json_t *answer = NULL;
    struct str type;
    int64_t last_line;

    if (codec_parse(line, &answer, NULL) < 0 ||
        codec_get_str(answer, "type", &type) < 0) {
        end(p, -EPROTO, "the engine's answer cannot be read");
        return;
    }
    if (str_eq_c(type, "ack")) {
        tell_faults(p, answer);
        if (codec_get_int(answer, "last_line", 0, (int64_t)p->n_lines, &last_line) < 0)
            end(p, -EPROTO, "the engine acknowledges what was not sent");
        if (p->state == PUSH_ENDED)
            return;
        p->n_acked = (uint64_t)last_line;
        p->events.on_ack(p->ctx, p->n_acked);
    } else if (str_eq_c(type, "done")) {
        p->is_done = true;
    } else if (str_eq_c(type, "error")) {
        end(p, -EIO,
            text_of(codec_object(answer, "problem"), "detail", "the engine gave up"));
    }
}

static void
read_head(struct push_wire *p)
{
    struct str rest;
    int status = push_read_head(buf_str(&p->in), &rest);

    if (status < 0)
        end(p, status, "that is no HTTP server");
    if (status <= 0)
        return;
    buf_consume(&p->in, p->in.n - rest.n);
    if (status == 100) {
        read_head(p);
        return;
    }
    p->status = (unsigned)status;
    p->state = status == 200 ? PUSH_LINES : PUSH_REFUSED;
}

static void
read_lines(struct push_wire *p)
{
    size_t at = 0;

    while (p->state == PUSH_LINES) {
        struct str rest = str_slice(p->in.p + at, p->in.n - at);
        ssize_t n = rest.n > 0 ? str_find(rest, STR("\n")) : -1;

        if (n < 0)
            break;
        at += (size_t)n + 1;
        if (n > 0)
            on_answer(p, str_slice(rest.p, (size_t)n));
    }
    if (p->state == PUSH_ENDED)
        return;
    buf_consume(&p->in, at);
    if (p->in.n > PUSH_ANSWER_BYTES_MAX)
        end(p, -EPROTO, "the engine's answer is too long");
}

static bool
is_answer_owed(const struct push_wire *p)
{
    return p->state != PUSH_LINES || p->n_acked < p->n_lines || p->is_finished;
}

static void
on_silence(void *ctx)
{
    struct push_wire *p = ctx;
    AUTO(free) char *silent = push_why_silent(&p->address);
    AUTO(free) char *why = xasprintf("%s; what it had acknowledged is kept", silent);

    end(p, -ETIMEDOUT, why);
}

/* Something was asked for, or something came. */
static void
watch_silence(struct push_wire *p, bool has_come)
{
    if (p->state == PUSH_ENDED)
        return;
    if (!is_answer_owed(p))
        timer_stop(p->silence);
    else if (has_come || !timer_is_armed(p->silence))
        timer_start(p->silence, (uint64_t)p->address.silence_s * 1000, 0);
}

static void
on_bytes(void *ctx, struct str bytes)
{
    struct push_wire *p = ctx;

    buf_add_str(&p->in, bytes);
    if (p->state == PUSH_HEAD)
        read_head(p);
    if (p->state == PUSH_LINES)
        read_lines(p);
    else if (p->state == PUSH_REFUSED && p->in.n > PUSH_ANSWER_BYTES_MAX)
        end(p, -EPROTO, "the engine refuses the upload");
    watch_silence(p, true);
}

/* A refusal is a problem (RFC 9457); its body ends with the connection. */
static void
tell_refusal(struct push_wire *p)
{
    AUTO(free) char *why = NULL;
    int r = push_refusal(p->status, buf_str(&p->in), &why);

    end(p, r, why);
}

static void
on_stream_end(void *ctx, int r)
{
    struct push_wire *p = ctx;

    if (p->state == PUSH_REFUSED)
        tell_refusal(p);
    else if (p->is_done)
        end(p, 0, NULL);
    else
        end(p, r < 0 ? r : -EPIPE,
            "the engine hung up; what it had acknowledged is kept");
}

static const struct stream_events stream_events = {.on_bytes = on_bytes,
                                                   .on_end = on_stream_end};

/* ---- what is sent ---- */

int
push_wire_open(struct loop *l, const struct push_address *address,
               const struct push_events *events, void *ctx, struct push_wire **ret_wire,
               char **ret_why)
{
    struct stream *stream = NULL;
    int r = push_connect(l, address, &stream, ret_why);

    ASSERT_LOOP();
    if (r < 0)
        return r;
    struct push_wire *p = xnew(struct push_wire);
    p->loop = l;
    p->stream = stream;
    p->address = *address;
    p->silence = timer_open(l, on_silence, p);
    p->events = *events;
    p->ctx = ctx;
    buf_printf(&p->out, "POST /v1/workspaces/%s/entities/stream?create=1&sender=%s",
               address->workspace, address->sender);
    push_add_head(&p->out, address);
    buf_add_cstr(&p->out, "Content-Type: application/x-ndjson\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n");
    stream_start(p->stream, &stream_events, p);
    stream_write_buf(p->stream, &p->out);
    watch_silence(p, false);
    *ret_wire = p;
    return 0;
}

uint64_t
push_wire_add(struct push_wire *p, struct str line)
{
    assert(!p->is_finished);
    buf_printf(&p->out, "%zx\r\n", line.n + 1);
    buf_add_str(&p->out, line);
    buf_add_cstr(&p->out, "\n\r\n");
    if (p->stream)
        stream_write_buf(p->stream, &p->out);
    buf_reset(&p->out);
    p->n_lines++;
    watch_silence(p, false);
    return p->n_lines;
}

void
push_wire_finish(struct push_wire *p)
{
    if (p->is_finished)
        return;
    p->is_finished = true;
    if (p->stream)
        stream_write(p->stream, STR("0\r\n\r\n"));
    watch_silence(p, false);
}

void
push_wire_close(struct push_wire *p)
{
    if (!p)
        return;
    stream_close(p->stream);
    timer_close(p->silence);
    buf_finish(&p->in);
    buf_finish(&p->out);
    free(p);
}
