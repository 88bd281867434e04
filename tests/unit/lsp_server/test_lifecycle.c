/* From initialize to exit, and requests that wait meanwhile. */
#include "check.h"

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
    assert_int_equal(code_of(e, "gloss/retry", "{}"), WIRE_INVALID_PARAMS);
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
    initialize(e, ""); // the index is seldom open yet
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
