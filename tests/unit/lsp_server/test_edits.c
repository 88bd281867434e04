/* Places and edits in UTF-16 units, held against an editor of our own. */
#include "check.h"

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
