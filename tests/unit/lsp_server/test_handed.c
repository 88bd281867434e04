/* gloss/hovers: what an editor hands over, what becomes of it, and that nothing else comes of it. */
#include "check.h"

#define HANDED_TEXT                                                                      \
    "/* \xc3\xa9 */ int first;\n/* \xf0\x9f\x98\x80 */ int second(void)\n{\n"            \
    "    return 1;\n}\nint third;\n"

/* "textDocument" and so on of gloss/hovers; hovers without their brackets. */
static json_t *
hand(struct editor *e, const char *path, int version, const char *hovers)
{
    AUTO(free) char *uri = uri_of(e->f, path);
    AUTO(free)
    char *params =
        xasprintf("{'textDocument':{'uri':'%s','version':%d},'server':'clangd',"
                  "'hovers':[%s]}",
                  uri, version, hovers);

    return result_of(e, "gloss/hovers", params);
}

static int
taken(json_t *result)
{
    assert_true(json_is_object(result));
    return (int)json_integer_value(json_object_get(result, "taken"));
}

/* How many for this reason; and that there is no other. */
static int
dropped(json_t *result, const char *reason)
{
    json_t *all = json_object_get(result, "dropped");

    assert_int_equal(json_object_size(all), 1);
    return (int)json_integer_value(json_object_get(all, reason));
}

static const char *
hover_text(struct editor *e, const char *path, int line, int character)
{
    AUTO(free) char *uri = uri_of(e->f, path);
    AUTO(free)
    char *params = xasprintf("{'textDocument':{'uri':'%s'},'position':{'line':%d,"
                             "'character':%d}}",
                             uri, line, character);
    json_t *result = result_of(e, "textDocument/hover", params);

    return json_string_value(
        json_object_get(json_object_get(result, "contents"), "value"));
}

static void
start_handing(struct fixture *f, struct editor **ret_editor)
{
    set_up(f);
    put(f, "a.c", HANDED_TEXT);
    open_all(f);
    *ret_editor = editor_open(f);
    initialize(*ret_editor, "");
}

static void
test_handed_hovers(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;
    AUTO(buf_finish) struct buf status = {0};
    json_t *result;

    start_handing(&f, &e);
    wait_until_ready(&f);
    open_doc(e, "a.c", STR(HANDED_TEXT));
    // all shapes; the second by the range of the hover, behind two UTF-16 units of one character
    result = hand(e, "a.c", 1,
                  "{'position':{'line':0,'character':12},'contents':'plain *one*'},"
                  "{'range':{'start':{'line':1,'character':13},"
                  "'end':{'line':1,'character':19}},"
                  "'contents':{'kind':'markdown','value':'two'}},"
                  "{'position':{'line':5,'character':8},"
                  "'contents':[{'language':'c','value':'int third'},'tail']}");
    assert_int_equal(taken(result), 3);
    assert_int_equal(json_object_size(json_object_get(result, "dropped")), 0);
    assert_string_equal(hover_text(e, "a.c", 0, 12),
                        "plain *one*\n\n---\n*gloss: clangd (editor)*");
    assert_string_equal(hover_text(e, "a.c", 1, 13),
                        "two\n\n---\n*gloss: clangd (editor)*");
    assert_string_equal(hover_text(e, "a.c", 5, 4),
                        "```c\nint third\n```\n\ntail\n\n---\n*gloss: clangd (editor)*");
    // the same source says it anew
    assert_int_equal(
        taken(hand(e, "a.c", 1, "{'position':{'line':5,'character':4},'contents':'x'}")),
        1);
    assert_string_equal(hover_text(e, "a.c", 5, 4), "x\n\n---\n*gloss: clangd (editor)*");
    workspace_add_status(&status, f.w);
    assert_non_null(strstr(status.p, "\"handed\":{\"taken\":4,\"dropped\":0}"));
    tear_down(&f);
}

static void
test_handed_dropped(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;
    json_t *result;
    AUTO(buf_finish) struct buf status = {0};
    const char *good = "{'position':{'line':5,'character':4},'contents':'x'}";

    start_handing(&f, &e);
    wait_until_ready(&f);
    assert_int_equal(dropped(hand(e, "a.c", 1, good), "document"), 1); // not open
    open_doc(e, "a.c", STR(HANDED_TEXT));
    assert_int_equal(dropped(hand(e, "a.c", 2, good), "version"), 1);
    // in front of the name and behind it, in the body, and of more than the name
    result = hand(e, "a.c", 1,
                  "{'position':{'line':5,'character':3},'contents':'x'},"
                  "{'position':{'line':5,'character':9},'contents':'x'},"
                  "{'position':{'line':3,'character':6},'contents':'x'},"
                  "{'position':{'line':99,'character':0},'contents':'x'},"
                  "{'range':{'start':{'line':5,'character':4},"
                  "'end':{'line':5,'character':10}},'contents':'x'}");
    assert_int_equal(dropped(result, "place"), 5);
    result = hand(e, "a.c", 1,
                  "{'position':{'line':5,'character':4},'contents':''},"
                  "{'position':{'line':5,'character':4},'contents':null},"
                  "{'position':{'line':5,'character':4}}");
    assert_int_equal(dropped(result, "empty"), 3);
    result = hand(e, "a.c", 1,
                  "null,7,{'contents':'x'},"
                  "{'position':{'line':-1,'character':4},'contents':'x'},"
                  "{'position':{'line':5,'character':4},'contents':7}");
    assert_int_equal(dropped(result, "shape"), 5);
    assert_int_equal(taken(result), 0);
    assert_null(strstr(hover_text(e, "a.c", 5, 4), "editor"));
    workspace_add_status(&status, f.w);
    assert_non_null(strstr(status.p, "\"handed\":{\"taken\":0,\"dropped\":13}"));
    tear_down(&f);
}

static void
test_handed_limits(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;
    AUTO(buf_finish) struct buf many = {0}, large = {0};
    AUTO(free) char *uri = NULL, *params = NULL, *named = NULL;
    char name[SERVER_HANDED_SOURCE_BYTES_MAX + 2] = {0};
    json_t *result;

    start_handing(&f, &e);
    wait_until_ready(&f);
    open_doc(e, "a.c", STR(HANDED_TEXT));
    uri = uri_of(&f, "a.c");
    for (size_t i = 0; i <= SERVER_HANDED_MAX; i++)
        buf_add_cstr(&many, i ? ",1" : "1");
    params =
        xasprintf("{'textDocument':{'uri':'%s','version':1},'hovers':[%s]}", uri, many.p);
    assert_int_equal(code_of(e, "gloss/hovers", params), WIRE_INVALID_PARAMS);
    memset(name, 'n', sizeof(name) - 1);
    named = xasprintf("{'textDocument':{'uri':'%s','version':1},'server':'%s',"
                      "'hovers':[]}",
                      uri, name);
    assert_int_equal(code_of(e, "gloss/hovers", named), WIRE_INVALID_PARAMS);
    assert_int_equal(code_of(e, "gloss/hovers", "{}"), WIRE_INVALID_PARAMS);
    // 17 of 64 KiB: each is cut to its limit, and what is above 1 MiB is dropped
    for (size_t i = 0; i < 17; i++) {
        buf_printf(&large, "%s{'position':{'line':5,'character':4},'contents':'",
                   i ? "," : "");
        for (size_t k = 0; k < HOVER_BYTES_MAX + 9; k++)
            buf_add_char(&large, 'y');
        buf_add_cstr(&large, "'}");
    }
    result = hand(e, "a.c", 1, large.p);
    assert_int_equal(taken(result), 16);
    assert_int_equal(dropped(result, "size"), 1);
    assert_non_null(strstr(hover_text(e, "a.c", 5, 4), "*(cut: the text is longer)*"));
    tear_down(&f);
}

/* A text on its way to the index is waited for; one that the index will not have is not. */
static void
test_handed_while_indexed(void **state UNUSED)
{
    struct fixture f;
    struct editor *e, *other;
    AUTO(free) char *uri = NULL;

    start_handing(&f, &e);
    wait_until_ready(&f);
    open_doc(e, "a.c", STR("int early;\nint late;\n"));
    assert_int_equal(
        taken(hand(e, "a.c", 1, "{'position':{'line':1,'character':4},'contents':'z'}")),
        1);
    uri = uri_of(&f, "a.c");
    send_text(e,
              "{'jsonrpc':'2.0','method':'textDocument/didChange','params':{"
              "'textDocument':{'uri':'%s','version':2},'contentChanges':[{'text':"
              "'int other;\\nint late;\\nint more;\\n'}]}}",
              uri);
    assert_int_equal(
        taken(hand(e, "a.c", 2, "{'position':{'line':2,'character':4},'contents':'m'}")),
        1);
    assert_string_equal(hover_text(e, "a.c", 2, 4), "m\n\n---\n*gloss: clangd (editor)*");
    // of the text before: kept, and said to be so
    assert_string_equal(hover_text(e, "a.c", 1, 4),
                        "z\n\n---\n*gloss: clangd (editor), of an earlier text*");
    // another editor's text of the same file is the one that counts
    other = editor_open(&f);
    initialize(other, "");
    open_doc(other, "a.c", STR("int of_other;\n"));
    assert_int_equal(
        taken(hand(other, "a.c", 1,
                   "{'position':{'line':0,'character':4},'contents':'mine'}")),
        1);
    assert_int_equal(
        dropped(hand(e, "a.c", 2, "{'position':{'line':0,'character':4},'contents':'m'}"),
                "text"),
        1);
    tear_down(&f);
}

/* The session ends, then everything, with hovers under way. */
static void
test_handed_at_the_end(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;
    AUTO(free) char *uri = NULL;
    AUTO(buf_finish) struct buf frames = {0};

    start_handing(&f, &e);
    wait_until_ready(&f);
    open_doc(e, "a.c", STR("int early;\n"));
    uri = uri_of(&f, "a.c");
    for (int id = 100; id < 200; id++) {
        AUTO(free)
        char *text =
            xasprintf("{'jsonrpc':'2.0','id':%d,'method':'gloss/hovers','params':{"
                      "'textDocument':{'uri':'%s','version':1},'hovers':[{'position':{"
                      "'line':0,'character':4},'contents':'z'}]}}",
                      id, uri);
        add_frame(&frames, text);
    }
    stream_write(e->stream, buf_str(&frames)); // is read at once
    // more than may be under way are turned away at once
    WAIT(&f, find_answer(e, 199));
    assert_int_equal(dropped(json_object_get(find_answer(e, 199), "result"), "opening"),
                     1);
    tear_down(&f);
}

/* The plugins say which languages another server serves, also later. */
static void
test_served_languages(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;
    AUTO(free) char *uri = NULL;
    const char *change = "{'jsonrpc':'2.0','method':'workspace/didChangeConfiguration',"
                         "'params':{'settings':%s}}";

    start_handing(&f, &e);
    wait_until_ready(&f);
    open_doc(e, "a.c", STR(HANDED_TEXT));
    assert_non_null(hover_text(e, "a.c", 5, 4));
    send_text(e, change, "{'gloss':{'servedLanguages':['python','c']}}");
    assert_null(hover_text(e, "a.c", 5, 4));
    send_text(e, change, "{'gloss':{}}");
    send_text(e, change, "null");
    assert_null(hover_text(e, "a.c", 5, 4));
    send_text(e, change, "{'gloss':{'servedLanguages':[]}}");
    assert_non_null(hover_text(e, "a.c", 5, 4));
    tear_down(&f);
}
