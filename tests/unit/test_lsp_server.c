/* lsp/server: sessions over a socket pair. The test is the editor: it writes frames by hand, and reads
 * with jansson what a session writes. Documents are held against an editor of our own that knows
 * nothing but UTF-16 units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/uri.h"
#include "base/vec.h"
#include "lang/lang.h"
#include "lsp/server/methods.h"

#include "../lib/fake_ls.h"

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
    nftw(f->root, fake_ls_remove_one, 16, FTW_DEPTH | FTW_PHYS);
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

static json_t *
result_of(struct editor *e, const char *method, const char *params)
{
    int64_t code;
    json_t *result = ask(e, &code, method, params);

    assert_int_equal(code, 0);
    return result;
}

/* jansson's own are macros that look twice. */
static bool
is_null(json_t *value)
{
    return json_is_null(value);
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

/* ---- lifecycle ---- */

static void
test_lifecycle(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;

    set_up(&f);
    open_all(&f);
    e = editor_open(&f);
    assert_int_equal(code_of(e, "textDocument/hover", "{}"), WIRE_NOT_INITIALIZED);
    assert_int_equal(code_of(e, "no/such", "{}"), WIRE_NOT_INITIALIZED);
    assert_int_equal(code_of(e, "shutdown", "null"), WIRE_NOT_INITIALIZED);
    assert_int_equal(code_of(e, "initialize", "[]"), WIRE_INVALID_PARAMS);
    assert_false(server_session_is_editor(e->session));
    initialize(e, "");
    assert_true(server_session_is_editor(e->session));
    assert_int_equal(code_of(e, "initialize", "{}"), WIRE_INVALID_REQUEST);
    assert_int_equal(code_of(e, "no/such", "{}"), WIRE_METHOD_NOT_FOUND);
    send_text(e, "{'jsonrpc':'2.0','method':'no/such','params':{}}");
    assert_int_equal(code_of(e, "exit", "{}"), WIRE_METHOD_NOT_FOUND); // no notification
    assert_int_equal(code_of(e, "workspace/symbol", "{}"), WIRE_INVALID_PARAMS);
    assert_int_equal(code_of(e, "textDocument/documentSymbol", "{}"),
                     WIRE_INVALID_PARAMS);
    assert_int_equal(code_of(e, "gloss/index", "{'root':'relative'}"),
                     WIRE_INVALID_PARAMS);
    assert_int_equal(code_of(e, "gloss/hold", "{'root':'/nowhere/at/all'}"),
                     WIRE_REQUEST_FAILED);
    assert_int_equal(code_of(e, "gloss/dashboard", "{}"), WIRE_REQUEST_FAILED);
    assert_true(is_null(result_of(e, "gloss/stop", "{}")));
    assert_int_equal(f.n_stops, 1);
    assert_true(is_null(result_of(e, "shutdown", "null")));
    assert_int_equal(code_of(e, "workspace/symbol", "{'query':'a'}"),
                     WIRE_INVALID_REQUEST);
    assert_int_equal(code_of(e, "no/such", "{}"), WIRE_INVALID_REQUEST);
    send_text(e, "{'jsonrpc':'2.0','method':'exit'}");
    WAIT(&f, !e->session && e->has_ended);
    assert_int_equal(e->exit_code, 0);
    tear_down(&f);
}

static void
test_ends(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;

    set_up(&f);
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    send_text(e, "{'jsonrpc':'2.0','method':'exit'}"); // without shutdown
    WAIT(&f, !e->session);
    assert_int_equal(e->exit_code, 1);

    e = editor_open(&f);
    stream_shutdown(e->stream);
    WAIT(&f, !e->session);
    assert_int_equal(e->exit_code, 1);

    e = editor_open(&f);
    stream_write(e->stream, STR("GET / HTTP/1.1\r\n\r\n"));
    WAIT(&f, !e->session);
    assert_int_equal(e->exit_code, 1);
    tear_down(&f);
}

/* What stands behind `exit` in the same read is nobody's business any more. */
static void
test_nothing_after_the_end(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;
    AUTO(buf_finish) struct buf frames = {0};
    AUTO(free) char *uri = NULL, *open = NULL, *feed = NULL;
    size_t n;

    set_up(&f);
    put(&f, "a.c", "int a;\n");
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    wait_until_ready(&f);
    uri = uri_of(&f, "a.c");
    open = xasprintf(
        "{'jsonrpc':'2.0','method':'textDocument/didOpen','params':{'textDocument':"
        "{'uri':'%s','languageId':'c','version':1,'text':'int z;'}}}",
        uri);
    feed = xasprintf(
        "{'jsonrpc':'2.0','id':9,'method':'gloss/events','params':{'root':'%s'}}",
        f.root);
    add_frame(&frames, "{'jsonrpc':'2.0','method':'exit'}");
    add_frame(&frames, open);
    add_frame(&frames, feed);
    n = e->got.n;
    stream_write(e->stream, buf_str(&frames));
    WAIT(&f, !e->session && e->has_ended);
    for (; n < e->got.n; n++)
        assert_non_null(
            json_object_get(e->got.v[n], "method")); // a status perhaps, no answer
    tear_down(&f);
}

/* ---- requests that wait ---- */

static void
test_cancel(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;
    json_t *error;

    set_up(&f);
    put(&f, "a.c", "int a(void) { return 1; }\n");
    open_all(&f);
    e = editor_open(&f);
    initialize(e, ""); // the index is not open yet
    assert_int_equal(workspace_state(f.w), WORKSPACE_OPENING);
    send_text(
        e,
        "{'jsonrpc':'2.0','id':100,'method':'workspace/symbol','params':{'query':'a'}}");
    send_text(e, "{'jsonrpc':'2.0','method':'$/cancelRequest','params':{'id':100}}");
    send_text(
        e,
        "{'jsonrpc':'2.0','id':101,'method':'workspace/symbol','params':{'query':'a'}}");
    WAIT(&f, find_answer(e, 100) && find_answer(e, 101));
    error = json_object_get(find_answer(e, 100), "error");
    assert_int_equal(json_integer_value(json_object_get(error, "code")),
                     WIRE_REQUEST_CANCELLED);
    assert_true(json_is_array(json_object_get(find_answer(e, 101), "result")));

    wait_until_ready(&f); // now one that is with a worker, twice cancelled
    AUTO(buf_finish) struct buf frames = {0};
    add_frame(
        &frames,
        "{'jsonrpc':'2.0','id':102,'method':'workspace/symbol','params':{'query':'a'}}");
    add_frame(&frames,
              "{'jsonrpc':'2.0','method':'$/cancelRequest','params':{'id':102}}");
    add_frame(&frames,
              "{'jsonrpc':'2.0','method':'$/cancelRequest','params':{'id':102}}");
    add_frame(&frames,
              "{'jsonrpc':'2.0','method':'$/cancelRequest','params':{'id':'no'}}");
    add_frame(&frames, "{'jsonrpc':'2.0','method':'$/cancelRequest','params':{}}");
    stream_write(e->stream, buf_str(&frames));
    WAIT(&f, find_answer(e, 102));
    error = json_object_get(find_answer(e, 102), "error");
    assert_int_equal(json_integer_value(json_object_get(error, "code")),
                     WIRE_REQUEST_CANCELLED);
    assert_int_equal(json_array_size(result_of(e, "workspace/symbol", "{'query':'a'}")),
                     1);
    WAIT(&f, list_is_empty(&e->session->pending));
    tear_down(&f);
}

static void
test_closed_with_requests_in_flight(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    for (size_t i = 0; i < 30; i++) {
        AUTO(free) char *path = xasprintf("f%zu.c", i);
        put(&f, path, "int a(void) { return 1; }\nint b(void) { return 2; }\n");
    }
    for (size_t n_rounds = 0; n_rounds < 24; n_rounds++) {
        struct editor *e;
        AUTO(free) char *uri = uri_of(&f, "f1.c");

        open_all(&f);
        e = editor_open(&f);
        initialize(e, "");
        if (n_rounds % 2)
            wait_until_ready(&f);
        open_doc(e, "f1.c", STR("int a(void) { return 1; }\n"));
        send_text(e, "{'jsonrpc':'2.0','id':50,'method':'workspace/"
                     "symbol','params':{'query':'a'}}");
        send_text(
            e,
            "{'jsonrpc':'2.0','id':51,'method':'textDocument/documentSymbol','params':"
            "{'textDocument':{'uri':'%s'}}}",
            uri);
        send_text(e,
                  "{'jsonrpc':'2.0','id':52,'method':'textDocument/hover','params':"
                  "{'textDocument':{'uri':'%s'},'position':{'line':0,'character':4}}}",
                  uri);
        send_text(
            e, "{'jsonrpc':'2.0','id':53,'method':'gloss/index','params':{'root':'%s'}}",
            f.root);
        send_text(
            e,
            "{'jsonrpc':'2.0','id':54,'method':'gloss/events','params':{'root':'%s',"
            "'since':{'seq':0}}}",
            f.root);
        for (size_t i = 0; i < n_rounds; i++)
            uv_run(&f.loop.uv, UV_RUN_NOWAIT);
        if (n_rounds % 3 == 0) {
            close_sessions(&f); // their answers come to nobody, later
            wait_until_ready(&f);
        }
        close_all(&f);
    }
    tear_down(&f);
}

static void
test_two_sessions(void **state UNUSED)
{
    struct fixture f;
    struct editor *one, *two;
    AUTO(free) char *uri = NULL, *params = NULL;

    set_up(&f);
    put(&f, "a.c", "int disk(void) { return 1; }\n");
    open_all(&f);
    one = editor_open(&f);
    two = editor_open(&f);
    initialize(one, "");
    initialize(two, "");
    wait_until_ready(&f);
    open_doc(one, "a.c", STR("int one(void) { return 1; }\n"));
    open_doc(two, "a.c", STR("int two(void) { return 1; }\n"));
    uri = uri_of(&f, "a.c");
    params = xasprintf("{'textDocument':{'uri':'%s'}}", uri);
    WAIT(&f, map_count(one->session->docs) == 1 && map_count(two->session->docs) == 1);
    assert_int_equal(
        json_array_size(result_of(one, "textDocument/documentSymbol", params)), 1);
    server_session_close(two->session); // dies with the document open
    WAIT(&f, !two->session);
    assert_int_equal(
        json_array_size(result_of(one, "textDocument/documentSymbol", params)), 1);
    send_text(one, "{'jsonrpc':'2.0','method':'textDocument/didClose','params':%s}",
              params);
    WAIT(&f, map_count(one->session->docs) == 0);
    for (;;) { // the disk counts again, as soon as that is committed
        json_t *found = result_of(one, "workspace/symbol", "{'query':'disk'}");
        if (json_array_size(found) == 1)
            break;
    }
    assert_int_equal(
        json_array_size(result_of(one, "workspace/symbol", "{'query':'two'}")), 0);
    tear_down(&f);
}

static void
test_folder_removed(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;
    AUTO(free) char *uri = NULL;

    set_up(&f);
    put(&f, "a.c", "int a(void) { return 1; }\n");
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    send_text(e,
              "{'jsonrpc':'2.0','id':77,'method':'gloss/events','params':{'root':'%s'}}",
              f.root);
    uri = uri_from_path(f.root);
    send_text(
        e,
        "{'jsonrpc':'2.0','method':'workspace/"
        "didChangeWorkspaceFolders','params':{'event':"
        "{'added':[],'removed':[{'uri':'%s','name':'x'},{'uri':'file:///nowhere'},{}]}}}",
        uri);
    WAIT(&f, find_answer(e, 77)); // at once: nobody would tell it later
    assert_true(list_is_empty(&e->session->roots));
    assert_int_equal(json_array_size(result_of(e, "workspace/symbol", "{'query':'a'}")),
                     0);
    tear_down(&f);
}

/* ---- places ---- */

#define ODD "/* \xC3\xA9\xF0\x9D\x84\x9E */ int func(void) { return 1; }\nint x = func;\n"

static int64_t
character_of(json_t *place, const char *end)
{
    return json_integer_value(json_object_get(json_object_get(place, end), "character"));
}

/* func is behind 5 bytes… of é (2 bytes, 1 unit) and 𝄞 (4 bytes, 2 units). */
static void
check_places(const char *capabilities, int64_t col)
{
    struct fixture f;
    struct editor *e;
    AUTO(free) char *uri = NULL, *doc = NULL, *at = NULL, *beside = NULL;
    json_t *symbols, *range, *found;

    set_up(&f);
    put(&f, "a.c", ODD);
    open_all(&f);
    e = editor_open(&f);
    initialize(e, capabilities);
    wait_until_ready(&f);
    uri = uri_of(&f, "a.c");
    doc = xasprintf("{'textDocument':{'uri':'%s'}}", uri);
    symbols = result_of(e, "textDocument/documentSymbol", doc);
    range = json_object_get(json_array_get(symbols, 0), "selectionRange");
    if (!range) // a flat one
        range = json_object_get(json_object_get(json_array_get(symbols, 0), "location"),
                                "range");
    assert_int_equal(character_of(range, "start"), col);
    assert_int_equal(character_of(range, "end"), col + 4);

    open_doc(e, "a.c", STR(ODD));
    at = xasprintf(
        "{'textDocument':{'uri':'%s'},'position':{'line':0,'character':%" PRId64 "}}",
        uri, col + 1);
    found = result_of(e, "textDocument/hover", at);
    assert_int_equal(character_of(json_object_get(found, "range"), "start"), col);
    beside = xasprintf(
        "{'textDocument':{'uri':'%s'},'position':{'line':0,'character':%" PRId64 "}}",
        uri, col - 5); // blank before int
    assert_true(is_null(result_of(e, "textDocument/hover", beside)));
    found = result_of(e, "textDocument/definition", at);
    assert_int_equal(
        character_of(json_object_get(json_array_get(found, 0), "range"), "start"), col);
    assert_int_equal(code_of(e, "textDocument/hover", doc), WIRE_INVALID_PARAMS);
    tear_down(&f);
}

static void
test_places_utf16(void **state UNUSED)
{
    check_places("'general':{'positionEncodings':['utf-16','utf-8']}", 3 + 1 + 2 + 4 + 4);
    check_places("", 3 + 1 + 2 + 4 + 4);
}

static void
test_places_utf8(void **state UNUSED)
{
    check_places(
        "'general':{'positionEncodings':['utf-8','utf-16']},"
        "'textDocument':{'documentSymbol':{'hierarchicalDocumentSymbolSupport':true}}",
        3 + 2 + 4 + 4 + 4);
}

/* ---- edits: the session's text against that of an editor that keeps UTF-16 units ---- */

static uint64_t random_state;

static uint32_t
random_below(uint32_t n)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(random_state >> 33) % n;
}

struct units {
    VEC(uint16_t) all;
};

static void
units_add_utf8(struct units *u, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    while (*p) {
        uint32_t c;
        if (*p < 0x80) {
            c = *p++;
        } else if (*p < 0xE0) {
            c = (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F), p += 2;
        } else if (*p < 0xF0) {
            c = (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 |
                (p[2] & 0x3F);
            p += 3;
        } else {
            c = (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 0x3F) << 12 |
                (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
            p += 4;
        }
        if (c >= 0x10000) {
            *vec_push(&u->all) = (uint16_t)(0xD800 + ((c - 0x10000) >> 10));
            *vec_push(&u->all) = (uint16_t)(0xDC00 + ((c - 0x10000) & 0x3FF));
        } else {
            *vec_push(&u->all) = (uint16_t)c;
        }
    }
}

static void
units_write(const struct units *u, struct buf *text)
{
    for (size_t i = 0; i < u->all.n; i++) {
        uint32_t c = u->all.v[i];
        if (c >= 0xD800 && c < 0xDC00)
            c = 0x10000 + ((c - 0xD800) << 10) + (u->all.v[++i] - 0xDC00u);
        if (c < 0x80) {
            buf_add_char(text, (char)c);
        } else if (c < 0x800) {
            buf_printf(text, "%c%c", (int)(0xC0 | c >> 6), (int)(0x80 | (c & 0x3F)));
        } else if (c < 0x10000) {
            buf_printf(text, "%c%c%c", (int)(0xE0 | c >> 12),
                       (int)(0x80 | (c >> 6 & 0x3F)), (int)(0x80 | (c & 0x3F)));
        } else {
            buf_printf(text, "%c%c%c%c", (int)(0xF0 | c >> 18),
                       (int)(0x80 | (c >> 12 & 0x3F)), (int)(0x80 | (c >> 6 & 0x3F)),
                       (int)(0x80 | (c & 0x3F)));
        }
    }
}

/* Line and character of a place in the units; \n, \r and \r\n end a line. */
static void
units_place(const struct units *u, size_t place, unsigned *ret_line,
            unsigned *ret_character)
{
    unsigned line = 0, character = 0;

    for (size_t i = 0; i < place; i++) {
        bool is_end =
            u->all.v[i] == '\n' ||
            (u->all.v[i] == '\r' && !(i + 1 < u->all.n && u->all.v[i + 1] == '\n'));
        line += is_end;
        character = is_end ? 0 : character + 1;
    }
    *ret_line = line;
    *ret_character = character;
}

/* Not between the halves of a pair, nor of \r\n: there is no such place in an editor. */
static size_t
random_place(const struct units *u, size_t from)
{
    size_t place = from + random_below((uint32_t)(u->all.n - from) + 1);

    while (place > 0 && place < u->all.n &&
           ((u->all.v[place] >= 0xDC00 && u->all.v[place] < 0xE000) ||
            (u->all.v[place] == '\n' && u->all.v[place - 1] == '\r')))
        place++;
    return place;
}

static void
units_splice(struct units *u, size_t from, size_t to, const char *text)
{
    struct units after = {0};

    for (size_t i = 0; i < from; i++)
        *vec_push(&after.all) = u->all.v[i];
    units_add_utf8(&after, text);
    for (size_t i = to; i < u->all.n; i++)
        *vec_push(&after.all) = u->all.v[i];
    vec_finish(&u->all);
    *u = after;
}

static void
random_text(struct buf *text)
{
    static const char *const parts[] = {"a",        "int ",         "\n",
                                        "\r\n",     "\r",           "\t",
                                        "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9D\x84\x9E",
                                        "\"",       "\\",           "x;"};

    for (uint32_t n = random_below(6); n > 0; n--)
        buf_add_cstr(text, parts[random_below(ARRAY_LEN(parts))]);
}

/* One change of a didChange; the reference makes it too. */
static void
add_change(struct buf *json, struct units *u)
{
    AUTO(buf_finish) struct buf text = {0};
    unsigned line, character;
    size_t from, to;

    random_text(&text);
    if (random_below(25) == 0) {
        buf_add_cstr(json, "{\"text\":");
        codec_add_string(json, buf_str(&text));
        buf_add_char(json, '}');
        units_splice(u, 0, u->all.n, text.p ? text.p : "");
        return;
    }
    from = random_place(u, 0);
    to = random_below(2) ? from : random_place(u, from);
    if (to > from + 12 && random_below(8))
        to = random_place(u, from) > from + 12 ? from : to;
    units_place(u, from, &line, &character);
    buf_printf(json,
               "{\"range\":{\"start\":{\"line\":%u,\"character\":%u},\"end\":", line,
               character);
    units_place(u, to, &line, &character);
    if (to == u->all.n && random_below(2)) { // past the end is the end
        if (random_below(2))
            character += 1000;
        else
            line += 1 + random_below(3);
    }
    buf_printf(json, "{\"line\":%u,\"character\":%u}},\"text\":", line, character);
    codec_add_string(json, buf_str(&text));
    buf_add_char(json, '}');
    units_splice(u, from, to, text.p ? text.p : "");
}

static struct str
text_of(const struct editor *e, const char *uri)
{
    const struct session_doc *doc = map_get(e->session->docs, str_of(uri));

    assert_non_null(doc);
    return snapshot_text(doc->text);
}

static void
test_random_edits(void **state UNUSED)
{
    static const char first[] = "int a;\r\nint \xC3\xA9;\n\xF0\x9D\x84\x9E\rend";
    struct fixture f;
    struct editor *e;
    struct units u = {0};
    AUTO(free) char *uri = NULL;
    const char *seed = getenv("TEST_SEED");

    random_state = seed ? strtoull(seed, NULL, 10) : 20261121;
    set_up(&f);
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    wait_until_ready(&f);
    uri = uri_of(&f, "a.c");
    open_doc(e, "a.c", str_of(first));
    units_add_utf8(&u, first);
    for (int64_t version = 2; version < 800; version++) {
        AUTO(buf_finish) struct buf body = {0}, frame = {0}, expected = {0};
        uint32_t n = 1 + random_below(3);

        buf_printf(
            &body,
            "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didChange\",\"params\":"
            "{\"textDocument\":{\"uri\":\"%s\",\"version\":%" PRId64
            "},\"contentChanges\":[",
            uri, version);
        for (uint32_t i = 0; i < n; i++) {
            if (i > 0)
                buf_add_char(&body, ',');
            add_change(&body, &u);
        }
        buf_add_cstr(&body, "]}}");
        wire_frame_add(&frame, buf_str(&body));
        stream_write(e->stream, buf_str(&frame));
        WAIT(&f, ({
            struct session_doc *doc = map_get(e->session->docs, str_of(uri));
            doc &&snapshot_version(doc->text) == version;
        }));
        units_write(&u, &expected);
        if (!str_eq(buf_str(&expected), text_of(e, uri)))
            fail_msg("after %s\nexpected %s\n     got %.*s", body.p,
                     expected.p ? expected.p : "", STR_ARG(text_of(e, uri)));
    }
    vec_finish(&u.all);
    tear_down(&f);
}

static void
test_edits_that_do_not_fit(void **state UNUSED)
{
    static const char *const bad[] = {
        "{'range':{'start':{'line':0,'character':2},'end':{'line':0,'character':1}},'"
        "text':'x'}",
        "{'range':{'start':{'line':-1,'character':2},'end':{'line':0,'character':1}},'"
        "text':'x'}",
        "{'range':{'start':{'line':0}},'text':'x'}",
        "{'range':{'start':{'line':0,'character':0},'end':{'line':0,'character':0}}}",
        "{}",
        "[]",
    };
    struct fixture f;
    struct editor *e;
    AUTO(free) char *uri = NULL;

    set_up(&f);
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    wait_until_ready(&f);
    uri = uri_of(&f, "a.c");
    open_doc(e, "a.c", STR("int a;\n"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        send_text(
            e,
            "{'jsonrpc':'2.0','method':'textDocument/didChange','params':{'textDocument':"
            "{'uri':'%s','version':2},'contentChanges':[%s]}}",
            uri, bad[i]);
    send_text(
        e, "{'jsonrpc':'2.0','method':'textDocument/didChange','params':{'textDocument':"
           "{'uri':'file:///other.c','version':2},'contentChanges':[{'text':'x'}]}}");
    assert_int_equal(json_array_size(result_of(e, "workspace/symbol", "{'query':'zzz'}")),
                     0);
    assert_true(str_eq_c(text_of(e, uri), "int a;\n"));
    tear_down(&f);
}

/* ---- symbols ---- */

static size_t
count_symbols(json_t *symbols, size_t depth, size_t *deepest)
{
    size_t n = 0, i;
    json_t *one;

    *deepest = MAX(*deepest, depth);
    json_array_foreach(symbols, i, one)
    {
        json_t *children = json_object_get(one, "children");
        assert_true(json_string_length(json_object_get(one, "name")) > 0);
        assert_true(json_is_array(children));
        n += 1 + (json_array_size(children) ? count_symbols(children, depth + 1, deepest)
                                            : 0);
    }
    return n;
}

static void
add_classes(struct buf *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            buf_add_char(text, ' ');
        buf_printf(text, "class C%zu:\n", i);
    }
    for (size_t k = 0; k < n; k++)
        buf_add_char(text, ' ');
    buf_add_cstr(text, "pass\n");
}

static void
test_deep_symbols(void **state UNUSED)
{
    struct fixture f;
    struct editor *nested, *flat;
    AUTO(buf_finish) struct buf text = {0};
    AUTO(free) char *uri = NULL, *doc = NULL, *shallow_uri = NULL, *shallow = NULL;
    size_t depth = 0;
    json_t *symbols;

    set_up(&f);
    add_classes(&text, 100);
    buf_add_cstr(&text, "def last():\n    pass\n");
    put(&f, "deep.py", text.p);
    put(&f, "shallow.py",
        "class A:\n  class B:\n    def c(self):\n      pass\n"
        "  def d(self):\n    pass\nclass E:\n  pass\n");
    open_all(&f);
    nested = editor_open(&f);
    flat = editor_open(&f);
    initialize(nested, "'textDocument':{'documentSymbol':"
                       "{'hierarchicalDocumentSymbolSupport':true}}");
    initialize(flat, "");
    wait_until_ready(&f);
    uri = uri_of(&f, "deep.py");
    doc = xasprintf("{'textDocument':{'uri':'%s'}}", uri);
    symbols = result_of(nested, "textDocument/documentSymbol", doc);
    assert_int_equal(count_symbols(symbols, 1, &depth), 101);
    assert_int_equal(depth, 64);
    assert_int_equal(json_array_size(result_of(flat, "textDocument/documentSymbol", doc)),
                     101);

    shallow_uri = uri_of(&f, "shallow.py");
    shallow = xasprintf("{'textDocument':{'uri':'%s'}}", shallow_uri);
    symbols = result_of(nested, "textDocument/documentSymbol", shallow);
    assert_int_equal(json_array_size(symbols), 2); // A, E
    assert_int_equal(
        json_array_size(json_object_get(json_array_get(symbols, 0), "children")), 2);
    depth = 0;
    assert_int_equal(count_symbols(symbols, 1, &depth), 5);
    assert_int_equal(depth, 3);
    symbols = result_of(nested, "gloss/outline", shallow);
    assert_int_equal(json_array_size(symbols), 5);
    tear_down(&f);
}

/* ---- the feed ---- */

/* The events of the feed so far: seqs ascend without a hole, and i begins anew with each. */
static int64_t
check_feed(struct editor *e, int64_t since)
{
    int64_t seq = since, i = -1;

    for (size_t k = 0; k < e->got.n; k++) {
        json_t *one = e->got.v[k], *params = json_object_get(one, "params");
        const char *method = json_string_value(json_object_get(one, "method"));
        json_int_t its_seq, its_i;

        if (!method || strcmp(method, "gloss/event") != 0 ||
            !json_object_get(params, "seq"))
            continue;
        its_seq = json_integer_value(json_object_get(params, "seq"));
        its_i = json_integer_value(json_object_get(params, "i"));
        if (its_seq == seq) {
            assert_int_equal(its_i, i + 1);
        } else {
            assert_int_equal(its_seq, seq + 1);
            assert_int_equal(its_i, 0);
        }
        seq = its_seq;
        i = its_i;
    }
    return seq;
}

static void
ask_for_events(struct editor *e, int64_t since)
{
    AUTO(free)
    char *params = xasprintf("{'root':'%s','since':{'seq':%" PRId64 ",'epoch':'%s'}}",
                             e->f->root, since, workspace_epoch(e->f->w));

    assert_true(
        is_true(json_object_get(result_of(e, "gloss/events", params), "recovered")));
}

static int64_t
head_of(const struct fixture *f)
{
    return bus_head(workspace_bus(f->w));
}

static void
test_feed(void **state UNUSED)
{
    struct fixture f;
    struct editor *e, *late;
    AUTO(free) char *ahead = NULL, *other = NULL;

    set_up(&f);
    for (size_t i = 0; i < 20; i++) {
        AUTO(free) char *path = xasprintf("f%zu.c", i);
        put(&f, path, "int a(void) { return 1; }\nint b(void) { return 2; }\n");
    }
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    ask_for_events(e, 0); // while it indexes: behind it and before it
    wait_until_ready(&f);
    assert_true(head_of(&f) >= 20);
    WAIT(&f, check_feed(e, 0) == head_of(&f));

    late = editor_open(&f);
    initialize(late, "");
    ask_for_events(late, 5);
    open_doc(e, "f3.c", STR("int other(void) { return 1; }\n"));
    WAIT(&f, head_of(&f) > 21 && check_feed(e, 0) == head_of(&f) &&
                 check_feed(late, 5) == head_of(&f));
    ahead = xasprintf("{'root':'%s','since':{'seq':100000}}", f.root);
    assert_int_equal(code_of(late, "gloss/events", ahead), WIRE_REQUEST_FAILED);
    other = xasprintf("{'root':'%s','since':{'seq':1,'epoch':'0'}}", f.root);
    assert_int_equal(code_of(late, "gloss/events", other), WIRE_REQUEST_FAILED);
    assert_int_equal(code_of(late, "gloss/events", "{'root':'x'}"), WIRE_INVALID_PARAMS);
    tear_down(&f);
}

static void
put_large_files(const struct fixture *f)
{
    for (size_t i = 0; i < 60; i++) {
        AUTO(free) char *path = xasprintf("f%zu.c", i);
        AUTO(buf_finish) struct buf text = {0};
        for (size_t k = 0; k < 300; k++)
            buf_printf(
                &text,
                "/** Says the name of number %zu. */\nint f%zu_%zu(void) { return 1; }\n",
                k, i, k);
        put(f, path, text.p);
    }
}

/* A reader that does not read stops the cursor, and misses nothing. */
static void
read_slowly(struct fixture *f, struct editor *e)
{
    size_t backlog = 0, most = 0;

    stream_pause(e->stream);
    send_text(e,
              "{'jsonrpc':'2.0','id':500,'method':'gloss/events','params':{'root':'%s',"
              "'since':{'seq':0}}}",
              f->root);
    WAIT(f, (backlog = wire_backlog(e->session->wire)) > (4u << 20));
    for (size_t i = 0; i < 50; i++) {
        run_once(f, "more");
        most = MAX(most, wire_backlog(e->session->wire));
    }
    assert_true(most < backlog + (2u << 20)); // it ended with that row
    stream_resume(e->stream);
    WAIT(f, e->got.n > 15000 && check_feed(e, 0) == head_of(f));
}

static void
test_slow_reader(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;

    set_up(&f);
    put_large_files(&f);
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    wait_until_ready(&f);
    read_slowly(&f, e); // from the ring
    close_all(&f);
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    wait_until_ready(&f);
    assert_false(bus_covers(workspace_bus(f.w), 0));
    read_slowly(&f, e); // from the log, and live behind it
    open_doc(e, "f1.c", STR("int z;\n"));
    int64_t head = head_of(&f);
    WAIT(&f, head_of(&f) > head && check_feed(e, 0) == head_of(&f));
    tear_down(&f);
}

static int
set_up_all(void **state UNUSED)
{
    const char *tmp = getenv("TMPDIR");
    AUTO(free)
    char *template = path_join(tmp && tmp[0] ? tmp : "/tmp", "test-server-XXXXXX");
    AUTO(free) char *config = NULL, *states = NULL;

    if (!mkdtemp(template) || fs_real_path(template, &scratch) < 0)
        return -1;
    config = path_join(scratch, "config");
    states = path_join(scratch, "state");
    setenv("HOME", scratch, 1);
    setenv("XDG_CONFIG_HOME", config, 1);
    setenv("XDG_STATE_HOME", states, 1);
    return lang_init(NULL);
}

static int
tear_down_all(void **state UNUSED)
{
    lang_finish();
    nftw(scratch, fake_ls_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(scratch);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lifecycle),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_nothing_after_the_end),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_closed_with_requests_in_flight),
        cmocka_unit_test(test_two_sessions),
        cmocka_unit_test(test_folder_removed),
        cmocka_unit_test(test_places_utf16),
        cmocka_unit_test(test_places_utf8),
        cmocka_unit_test(test_random_edits),
        cmocka_unit_test(test_edits_that_do_not_fit),
        cmocka_unit_test(test_deep_symbols),
        cmocka_unit_test(test_feed),
        cmocka_unit_test(test_slow_reader),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
