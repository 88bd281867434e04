/* Why: who pushes a folder keeps nothing, so what went away between two pushes is known to the engine alone: it is asked
 * what it has of this sender. Invariant: each page lies behind the one before, so that the pages end; an engine that
 * knows no such list has nothing to tell. What comes back is of a program that may not be gloss: it has a limit. */
#include "app/push_files.h"

#include "base/err.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "rt/stream.h"
#include "rt/timer.h"

#define FILES_PAGE 10000
#define FILES_ANSWER_BYTES_MAX ((size_t)16 << 20)

struct push_files {
    struct loop *loop;
    const struct push_address *address;
    struct push_files_events events;
    void *ctx;
    struct stream *stream;
    struct timer *silence;
    struct buf in;
    char *cursor; // of the page before, or NULL
    bool is_begun, is_closed;
};

static void ask_page(struct push_files *p);

static void
end(struct push_files *p, int r, const char *why)
{
    stream_close(steal(p->stream));
    timer_stop(p->silence);
    p->events.on_end(p->ctx, r, why);
}

static void
end_badly(struct push_files *p)
{
    end(p, -EPROTO, "the engine's list of files cannot be read");
}

/* ---- a page ---- */

static void
free_now(void *ctx)
{
    struct push_files *p = ctx;
    stream_close(p->stream);
    timer_close(p->silence);
    buf_finish(&p->in);
    free(p->cursor);
    free(p);
}

static void
take_page(struct push_files *p, struct str body)
{
    AUTO(json_decref_) json_t *page = NULL;
    struct str cursor = STR_NONE;
    const json_t *file;
    size_t i;

    if (codec_parse(body, &page, NULL) < 0 || !codec_array(page, "files")) {
        end_badly(p);
        return;
    }
    json_array_foreach(codec_array(page, "files"), i, file)
    {
        const char *path = json_string_value(file);
        if (path && path[0])
            p->events.on_file(p->ctx, str_of(path));
    }
    if (codec_get_str(page, "cursor", &cursor) < 0 || cursor.n == 0) {
        end(p, 0, NULL);
    } else if (p->cursor && str_cmp(cursor, str_of(p->cursor)) <= 0) {
        end_badly(p);
    } else {
        free(p->cursor);
        p->cursor = str_dup(cursor);
        stream_close(steal(p->stream));
        buf_reset(&p->in);
        ask_page(p);
    }
}

static void
on_stream_end(void *ctx, int r)
{
    AUTO(free) char *why = NULL;
    struct push_files *p = ctx;
    struct str body;
    int status = push_read_head(buf_str(&p->in), &body);

    if (status < 0) {
        why = xasprintf("what listens on port %u of 127.0.0.1 is no engine",
                        p->address->port);
        end(p, status, why);
    } else if (r < 0 || status == 0) {
        end(p, r < 0 ? r : -EPIPE, "the engine hung up before it answered");
    } else if (status == 404) {
        end(p, 0, NULL); // there is no such workspace yet
    } else if (status != 200) {
        r = push_refusal((unsigned)status, body, &why);
        end(p, r, why);
    } else {
        take_page(p, body);
    }
}

static void
on_silence(void *ctx)
{
    struct push_files *p = ctx;
    AUTO(free) char *why = push_why_silent(p->address);

    end(p, -ETIMEDOUT, why);
}

static void
listen_on(struct push_files *p)
{
    timer_start(p->silence, (uint64_t)p->address->silence_s * 1000, 0);
}

static void
on_bytes(void *ctx, struct str bytes)
{
    struct push_files *p = ctx;

    buf_add_str(&p->in, bytes);
    listen_on(p);
    if (p->in.n > FILES_ANSWER_BYTES_MAX)
        end_badly(p);
}

/* ---- the request ---- */

static void
add_encoded(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || memchr("-._~/", c, 5);
        if (is_plain)
            buf_add_char(b, text.p[i]);
        else
            buf_printf(b, "%%%02X", c);
    }
}

static void
ask_page(struct push_files *p)
{
    static const struct stream_events events = {.on_bytes = on_bytes,
                                                .on_end = on_stream_end};
    AUTO(buf_finish) struct buf out = {0};
    AUTO(free) char *why = NULL;
    int r = push_connect(p->loop, p->address, &p->stream, &why);

    if (r < 0) {
        end(p, r, why);
        return;
    }
    buf_printf(&out, "GET /v1/workspaces/%s/files?sender=%s&limit=%d",
               p->address->workspace, p->address->sender, FILES_PAGE);
    if (p->cursor) {
        buf_add_cstr(&out, "&cursor=");
        add_encoded(&out, str_of(p->cursor));
    }
    push_add_head(&out, p->address);
    buf_add_cstr(&out, "\r\n");
    stream_start(p->stream, &events, p);
    stream_write_buf(p->stream, &out);
    listen_on(p);
}

static void
ask_first(void *ctx)
{
    struct push_files *p = ctx;

    p->is_begun = true;
    if (p->is_closed)
        free_now(p);
    else
        ask_page(p);
}

struct push_files *
push_files_open(struct loop *l, const struct push_address *address,
                const struct push_files_events *events, void *ctx)
{
    struct push_files *p = xnew(struct push_files);

    ASSERT_LOOP();
    p->loop = l;
    p->address = address;
    p->events = *events;
    p->ctx = ctx;
    p->silence = timer_open(l, on_silence, p);
    loop_defer(l, ask_first, p);
    return p;
}

void
push_files_close(struct push_files *p)
{
    if (!p)
        return;
    stream_close(steal(p->stream));
    timer_stop(p->silence);
    p->is_closed = true;
    if (p->is_begun)
        loop_defer(p->loop, free_now, p);
}
