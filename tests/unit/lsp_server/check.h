#pragma once
/* What the tests of sessions share: an editor, what it says and hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/uri.h"
#include "base/vec.h"
#include "lang/lang.h"
#include "lsp/server/methods.h"
#include "lsp/server/server.h"

#include "tests/lib/fake_ls.h"

#define DEADLINE_MS 60000

static char *scratch; // every test's root lies in it

/* ---- an editor ---- */

struct fixture;

struct editor {
    struct fixture *f;
    struct server_session *session; // NULL: it is over
    struct stream *stream;
    struct buf in;
    VEC(json_t *) got;
    int64_t last_id;
    int exit_code;
    bool has_ended; // its stream
};

struct fixture {
    struct loop loop;
    struct timer *deadline;
    struct config *config;
    char *root, *db_url;
    struct workspaces *all;
    struct workspace *w;
    struct editor *editors[4];
    size_t n_editors, n_closed, n_stops;
    bool is_late, is_closed;
};

static void
on_bytes(void *ctx, struct str bytes)
{
    struct editor *e = ctx;
    struct str body;
    size_t used, at = 0;

    buf_add_str(&e->in, bytes);
    for (;;) {
        struct str rest = str_slice(e->in.p + at, e->in.n - at);
        int r = wire_frame_parse(rest, &body, &used);
        if (r == WIRE_E_MORE)
            break;
        assert_int_equal(r, 0);
        json_error_t error;
        json_t *message = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &error);
        if (!message)
            fail_msg("not JSON: %s: %.*s", error.text, (int)MIN(body.n, 2000u), body.p);
        *vec_push(&e->got) = message;
        at += used;
    }
    buf_consume(&e->in, at);
}

static void
on_end(void *ctx, int r UNUSED)
{
    ((struct editor *)ctx)->has_ended = true;
}

static const struct stream_events stream_events = {.on_bytes = on_bytes,
                                                   .on_end = on_end};

static void
on_session_closed(void *ctx, struct server_session *session, int exit_code)
{
    struct fixture *f = ctx;

    f->n_closed++;
    for (size_t i = 0; i < f->n_editors; i++) {
        if (f->editors[i]->session != session)
            continue;
        f->editors[i]->session = NULL;
        f->editors[i]->exit_code = exit_code;
    }
}

static void
on_stop(void *ctx)
{
    ((struct fixture *)ctx)->n_stops++;
}

static void
on_deadline(void *ctx)
{
    ((struct fixture *)ctx)->is_late = true;
}

static void
run_once(struct fixture *f, const char *what)
{
    uv_run(&f->loop.uv, UV_RUN_ONCE);
    if (f->is_late)
        fail_msg("waited in vain for: %s", what);
}

#define WAIT(f, condition)                                                               \
    do {                                                                                 \
        timer_start((f)->deadline, DEADLINE_MS, 0);                                      \
        while (!(condition))                                                             \
            run_once((f), #condition);                                                   \
    } while (0)

static void
put(const struct fixture *f, const char *path, const char *text)
{
    AUTO(free) char *file = path_join(f->root, path);

    assert_int_equal(fs_write_atomic(file, str_of(text), 0644), 0);
}

static void
set_up(struct fixture *f)
{
    static unsigned count;

    *f = (struct fixture){0};
    f->root = xasprintf("%s/root%u", scratch, count);
    f->db_url = xasprintf("sqlite:%s/index%u.db", scratch, count++);
    assert_int_equal(fs_mkdir_p(f->root, 0755), 0);
    assert_int_equal(loop_init(&f->loop), 0);
    f->deadline = timer_open(&f->loop, on_deadline, f);
    assert_int_equal(config_load(NULL, 0, &f->config, NULL), 0);
    f->config->jobs = 2;
    f->config->enrich_enabled = false;
}

static void
open_all(struct fixture *f)
{
    struct workspaces_options options = {.config = f->config, .db_url = f->db_url};

    f->is_closed = false;
    f->all = workspaces_open(&f->loop, &options);
}

static struct editor *
editor_open(struct fixture *f)
{
    static const struct server_host functions = {.on_stop = on_stop,
                                                 .on_closed = on_session_closed};
    struct server_host host = functions;
    struct editor *e = xnew(struct editor);
    struct stream *theirs = NULL;
    int fds[2];

    e->f = f;
    e->exit_code = -1;
    host.ctx = f;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(stream_open_fd(&f->loop, fds[0], &theirs), 0);
    assert_int_equal(stream_open_fd(&f->loop, fds[1], &e->stream), 0);
    stream_start(e->stream, &stream_events, e);
    e->session = server_session_open(&f->loop, theirs, NULL, f->config, f->all, &host);
    f->editors[f->n_editors++] = e;
    return e;
}

static void
editor_destroy(struct editor *e)
{
    stream_close(e->stream);
    for (size_t i = 0; i < e->got.n; i++)
        json_decref(e->got.v[i]);
    vec_finish(&e->got);
    buf_finish(&e->in);
    free(e);
}

static void
close_sessions(struct fixture *f)
{
    for (size_t i = 0; i < f->n_editors; i++)
        if (f->editors[i]->session)
            server_session_close(f->editors[i]->session);
    WAIT(f, f->n_closed == f->n_editors);
    for (size_t i = 0; i < f->n_editors; i++)
        editor_destroy(f->editors[i]);
    f->n_editors = f->n_closed = 0;
}

static void
on_closed(void *ctx)
{
    ((struct fixture *)ctx)->is_closed = true;
}

static void
close_all(struct fixture *f)
{
    close_sessions(f);
    workspaces_close(steal(f->all), on_closed, f);
    WAIT(f, f->is_closed);
}

static void
tear_down(struct fixture *f)
{
    if (f->all)
        close_all(f);
    timer_close(f->deadline);
    assert_int_equal(loop_finish(&f->loop), 0);
    config_destroy(f->config);
    scratch_remove(f->root);
    free(f->root);
    free(f->db_url);
}

/* ---- what it says and hears; ' in texts stands for " ---- */

static char *
quoted(const char *text)
{
    char *copy = xstrdup(text);

    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return copy;
}

static void
add_frame(struct buf *frames, const char *text)
{
    AUTO(free) char *body = quoted(text);

    wire_frame_add(frames, str_of(body));
}

PRINTF_LIKE(2, 3)
static void
send_text(struct editor *e, const char *format, ...)
{
    AUTO(free) char *text = NULL;
    AUTO(buf_finish) struct buf frame = {0};
    va_list ap;

    va_start(ap, format);
    text = xvasprintf(format, ap);
    va_end(ap);
    add_frame(&frame, text);
    stream_write(e->stream, buf_str(&frame));
}

static json_t *
find_answer(const struct editor *e, int64_t id)
{
    json_t *found = NULL;

    for (size_t i = 0; i < e->got.n; i++) {
        json_t *one = e->got.v[i];
        if (json_object_get(one, "method") ||
            !json_is_integer(json_object_get(one, "id")) ||
            json_integer_value(json_object_get(one, "id")) != id)
            continue;
        assert_null(found); // one answer each
        found = one;
    }
    return found;
}

/* Sends a request and waits for its answer (borrowed): the result, or NULL and *ret_code. */
static json_t *
ask(struct editor *e, int64_t *ret_code, const char *method, const char *params)
{
    int64_t id = ++e->last_id;
    json_t *answer;

    send_text(e, "{'jsonrpc':'2.0','id':%" PRId64 ",'method':'%s','params':%s}", id,
              method, params);
    WAIT(e->f, find_answer(e, id));
    answer = find_answer(e, id);
    *ret_code =
        json_integer_value(json_object_get(json_object_get(answer, "error"), "code"));
    assert_true(!json_object_get(answer, "error") == !*ret_code);
    return json_object_get(answer, "result");
}

static int64_t
code_of(struct editor *e, const char *method, const char *params)
{
    int64_t code;

    ask(e, &code, method, params);
    return code;
}

/* jansson's own are macros that look twice. */
static bool
is_null(json_t *value)
{
    return json_is_null(value);
}

static json_t *
result_of(struct editor *e, const char *method, const char *params)
{
    int64_t code, asked_ms, end_ms = clock_mono_ms() + DEADLINE_MS;
    json_t *result;

    /* Who is answered null because the time was over asks again, as a person would; null at once is the answer. Only
     * questions about a document have such a time. */
    do {
        asked_ms = clock_mono_ms();
        result = ask(e, &code, method, params);
        assert_int_equal(code, 0);
    } while (str_starts_with(str_of(method), STR("textDocument/")) && is_null(result) &&
             asked_ms < end_ms && clock_mono_ms() - asked_ms >= SERVER_HOVER_MS);
    return result;
}

static bool
is_true(json_t *value)
{
    return json_is_true(value);
}

static char *
uri_of(const struct fixture *f, const char *path)
{
    AUTO(free) char *file = path_join(f->root, path);

    return uri_from_path(file);
}

/* capabilities: members of the object, or "". */
static void
initialize(struct editor *e, const char *capabilities)
{
    AUTO(free) char *uri = uri_from_path(e->f->root);
    AUTO(free)
    char *params = xasprintf("{'processId':null,'rootUri':'%s','capabilities':{%s}}", uri,
                             capabilities);

    result_of(e, "initialize", params);
    send_text(e, "{'jsonrpc':'2.0','method':'initialized','params':{}}");
    e->f->w = workspaces_at(e->f->all, 0);
    assert_non_null(e->f->w);
}

static void
wait_until_ready(struct fixture *f)
{
    WAIT(f, workspace_state(f->w) == WORKSPACE_READY);
}

static void
open_doc(struct editor *e, const char *path, struct str text)
{
    AUTO(free) char *uri = uri_of(e->f, path);
    AUTO(buf_finish) struct buf body = {0}, frame = {0};

    buf_printf(
        &body,
        "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":"
        "{\"textDocument\":{\"uri\":\"%s\",\"languageId\":\"c\",\"version\":1,\"text\":",
        uri);
    codec_add_string(&body, text);
    buf_add_cstr(&body, "}}}");
    wire_frame_add(&frame, buf_str(&body));
    stream_write(e->stream, buf_str(&frame));
}
