/* The contracts of src/codec: what is read is checked, what is written is valid JSON whatever bytes
 * went in, and a row of the event log is handed out whole or refused. jansson reads back what we
 * write, so that a mistake is not made twice. */
#include <setjmp.h>

#include "base/base.h"

#include <cmocka.h>
#include <math.h>

#include "base/utf.h"
#include "base/vec.h"
#include "codec/codec.h"

static void
assert_str(struct str s, const char *expected)
{
    if (!str_eq_c(s, expected))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(s), expected);
}

static void
assert_buf(const struct buf *b, const char *expected)
{
    assert_str(buf_str(b), expected);
    assert_int_equal(b->p[b->n], '\0');
}

static json_t *
parse(struct str text)
{
    json_t *value = NULL;
    char *why = NULL;
    if (codec_parse(text, &value, &why) != 0)
        fail_msg("\"%.*s\": %s", STR_ARG(text), why);
    return value;
}

/* ---- reading ---- */

static void
assert_refused(struct str text, const char *part_of_why)
{
    json_t *value = NULL;
    char *why = NULL;
    if (codec_parse(text, &value, &why) != -EINVAL)
        fail_msg("\"%.*s\" is accepted", STR_ARG(text));
    assert_null(value);
    assert_non_null(why);
    if (!strstr(why, part_of_why))
        fail_msg("\"%s\" does not say \"%s\"", why, part_of_why);
    free(why);
    assert_int_equal(codec_parse(text, &value, NULL), -EINVAL);
}

static void
test_parse(UNUSED void **state)
{
    static const char *const good[] = {"{}",    " [1,2] \n", "null",
                                       "\"x\"", "-0.5e3",    "{\"a\":{\"a\":1}}"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        json_decref(parse(str_of(good[i])));

    assert_refused(STR(""), "line");
    assert_refused(STR_NONE, "line");
    assert_refused(STR("  "), "line");
    assert_refused(STR("{}x"), "line 1, column 3");
    assert_refused(STR("{} {}"), "line 1");
    assert_refused(STR("[1,\n2,\n,]"), "line 3");
    assert_refused(STR("{\"a\":1"), "line 1");
    assert_refused(STR("{\"a\":1,\"b\":2,\"a\":3}"), "duplicate");
    assert_refused(STR("{\"x\":{\"a\":1,\"a\":1}}"), "duplicate");
    assert_refused(STR("\"\x01\""), "line 1");
    assert_refused(STR("\"\xFF\""), "line 1");
    assert_refused(STR("\"\xC0\x80\""), "line 1");
    assert_refused(STR("\"\xED\xA0\x80\""), "line 1");
    assert_refused(STR("{}\0"), "line 1");
    assert_refused(STR("NaN"), "line 1");
    assert_refused(STR("99999999999999999999"), "line 1");
    assert_refused(STR("1e999"), "line 1");
    assert_refused(STR("{\"a\\u0000b\":1}"), "line 1");
}

/* n opening brackets, a value, n closing ones. */
static void
nest(struct buf *b, size_t n, const char *open, const char *close)
{
    buf_reset(b);
    for (size_t i = 0; i < n; i++)
        buf_add_cstr(b, open);
    buf_add_cstr(b, "1");
    for (size_t i = 0; i < n; i++)
        buf_add_cstr(b, close);
}

static void
test_parse_depth(UNUSED void **state)
{
    AUTO(buf_finish) struct buf b = {0};
    nest(&b, CODEC_DEPTH_MAX, "[", "]");
    json_decref(parse(buf_str(&b)));
    nest(&b, CODEC_DEPTH_MAX, "{\"a\":", "}");
    json_decref(parse(buf_str(&b)));
    nest(&b, CODEC_DEPTH_MAX + 1, "[", "]");
    assert_refused(buf_str(&b), "byte 64: more than 64 levels");
    nest(&b, CODEC_DEPTH_MAX + 1, "{\"a\":", "}");
    assert_refused(buf_str(&b), "more than 64 levels");
    nest(&b, 100000, "[", "");
    assert_refused(buf_str(&b), "more than 64 levels");

    /* Brackets in strings are no levels, and a quote behind a backslash ends none. */
    buf_reset(&b);
    buf_add_cstr(&b, "[\"\\\"");
    for (int i = 0; i < 100; i++)
        buf_add_cstr(&b, "[{");
    buf_add_cstr(&b, "\\\\\",[]]");
    json_decref(parse(buf_str(&b)));
    /* Neither are brackets that were closed again. */
    buf_reset(&b);
    buf_add_cstr(&b, "[0");
    for (int i = 0; i < 100; i++)
        buf_add_cstr(&b, ",[],{}");
    buf_add_cstr(&b, "]");
    json_decref(parse(buf_str(&b)));
}

static void
test_get(UNUSED void **state)
{
    AUTO(json_decref_)
    json_t *o = parse(STR(
        "{\"s\":\"a\\u0000b\",\"i\":-5,\"big\":9223372036854775807,\"real\":3.0,"
        "\"half\":3.5,\"huge\":1e300,\"t\":true,\"f\":false,\"n\":null,\"o\":{\"x\":1},"
        "\"a\":[1]}"));
    struct str s = STR("kept");
    assert_int_equal(codec_get_str(o, "s", &s), 0);
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "a\0b", 3);
    s = STR("kept");
    assert_int_equal(codec_get_str(o, "none", &s), -ENOENT);
    assert_int_equal(codec_get_str(o, "n", &s), -ENOENT);
    assert_int_equal(codec_get_str(o, "i", &s), -EINVAL);
    assert_int_equal(codec_get_str(NULL, "s", &s), -ENOENT);
    assert_int_equal(codec_get_str(codec_array(o, "a"), "s", &s), -ENOENT);
    assert_str(s, "kept");

    int64_t i = 77;
    assert_int_equal(codec_get_int(o, "none", 0, 9, &i), -ENOENT);
    assert_int_equal(codec_get_int(o, "n", 0, 9, &i), -ENOENT);
    assert_int_equal(codec_get_int(o, "s", 0, 9, &i), -EINVAL);
    assert_int_equal(codec_get_int(o, "t", 0, 9, &i), -EINVAL);
    assert_int_equal(codec_get_int(o, "i", -4, 9, &i), -EINVAL);
    assert_int_equal(codec_get_int(o, "i", -9, -6, &i), -EINVAL);
    assert_int_equal(codec_get_int(o, "half", 0, 9, &i), -EINVAL);
    assert_int_equal(codec_get_int(o, "huge", INT64_MIN, INT64_MAX, &i), -EINVAL);
    assert_int_equal(i, 77);
    assert_int_equal(codec_get_int(o, "i", -5, -5, &i), 0);
    assert_int_equal(i, -5);
    assert_int_equal(codec_get_int(o, "big", 0, INT64_MAX, &i), 0);
    assert_true(i == INT64_MAX);
    assert_int_equal(codec_get_int(o, "real", 0, 9, &i), 0);
    assert_int_equal(i, 3);

    bool flag = false;
    assert_int_equal(codec_get_bool(o, "none", &flag), -ENOENT);
    assert_int_equal(codec_get_bool(o, "i", &flag), -EINVAL);
    assert_int_equal(codec_get_bool(o, "t", &flag), 0);
    assert_true(flag);
    assert_int_equal(codec_get_bool(o, "f", &flag), 0);
    assert_false(flag);

    assert_non_null(codec_object(o, "o"));
    assert_null(codec_object(o, "a"));
    assert_null(codec_object(NULL, "o"));
    assert_non_null(codec_array(o, "a"));
    assert_null(codec_array(o, "o"));
    assert_null(codec_array(o, "none"));
    assert_true(json_is_null(codec_member(o, "n")));
    assert_null(codec_member(o, "none"));
    assert_null(codec_member(NULL, "n"));
    assert_null(codec_member(codec_array(o, "a"), "n"));
}

/* ---- strings ---- */

static void
assert_string(struct str s, const char *expected)
{
    AUTO(buf_finish) struct buf b = {0};
    codec_add_string(&b, s);
    assert_buf(&b, expected);
}

static void
test_string(UNUSED void **state)
{
    assert_string(STR_NONE, "\"\"");
    assert_string(STR("plain /text"), "\"plain /text\"");
    assert_string(STR("\"\\\b\t\n\f\r"), "\"\\\"\\\\\\b\\t\\n\\f\\r\"");
    assert_string(STR("a\0b"), "\"a\\u0000b\"");
    assert_string(STR("\x01\x0b\x1f\x7f"), "\"\\u0001\\u000b\\u001f\x7f\"");
    assert_string(STR("é€😀\uFFFD"), "\"é€😀\uFFFD\"");
    /* One replacement per byte that belongs to nothing. */
    assert_string(STR("a\xFFz"), "\"a\uFFFDz\"");
    assert_string(STR("\xC3"), "\"\uFFFD\"");
    assert_string(STR("\xE2\x82"), "\"\uFFFD\uFFFD\"");
    assert_string(STR("\xE2\x82\""), "\"\uFFFD\uFFFD\\\"\"");
    assert_string(STR("\xC0\x80"), "\"\uFFFD\uFFFD\"");
    assert_string(STR("\xED\xA0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");
    assert_string(STR("\xF4\x90\x80\x80"), "\"\uFFFD\uFFFD\uFFFD\uFFFD\"");
}

/* Every byte, every pair: always valid, and the same again where it was valid. */
static void
test_string_pairs(UNUSED void **state)
{
    for (unsigned i = 0; i < 0x10000; i++) {
        char pair[2] = {(char)(i >> 8), (char)(i & 0xFF)};
        struct str s = str_slice(pair, 2);
        AUTO(buf_finish) struct buf b = {0}, expected = {0};
        buf_add_cstr(&b, "[");
        codec_add_string(&b, s);
        buf_add_cstr(&b, "]");
        json_t *list = parse(buf_str(&b));
        const json_t *back = json_array_get(list, 0);
        utf8_add_valid(&expected, s);
        assert_int_equal(json_string_length(back), expected.n);
        assert_memory_equal(json_string_value(back), expected.p, expected.n);
        json_decref(list);
    }
}

/* Sequences and escapes across the places where room is made anew. */
static void
test_string_long(UNUSED void **state)
{
    static const char *const units[] = {"a", "\x01", "\"",   "é",
                                        "€", "😀",    "\xFF", "ab\xF0\x9F"};
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        for (size_t shift = 0; shift < 4; shift++) {
            AUTO(buf_finish) struct buf text = {0}, b = {0}, expected = {0};
            buf_add(&text, "xyz", shift);
            while (text.n < 20000)
                buf_add_cstr(&text, units[i]);
            codec_add_string(&b, buf_str(&text));
            json_t *back = parse(buf_str(&b));
            utf8_add_valid(&expected, buf_str(&text));
            assert_int_equal(json_string_length(back), expected.n);
            assert_memory_equal(json_string_value(back), expected.p, expected.n);
            json_decref(back);
        }
    }
}

static void
test_json(UNUSED void **state)
{
    static const char text[] =
        "{\"b\":[1,-2.5,true,null],\"a\":\"\\u0000é\\n\",\"c\":{}}";
    AUTO(buf_finish) struct buf b = {0};
    AUTO(json_decref_) json_t *value = parse(str_of(text));
    codec_add_json(&b, value);
    assert_buf(&b, text);
    codec_add_json(&b, NULL);
    assert_str(str_slice(b.p + sizeof(text) - 1, b.n - sizeof(text) + 1), "null");
    /* A ring cannot be written: it becomes null, and the half that was written is taken back. */
    AUTO(json_decref_) json_t *ring = parse(STR("[1,[2]]"));
    json_array_append(json_array_get(ring, 1), ring);
    buf_reset(&b);
    codec_add_json(&b, ring);
    assert_buf(&b, "null");
    json_array_clear(json_array_get(ring, 1));
}

/* ---- nouns ---- */

static struct entity_row
sample_row(void)
{
    return (struct entity_row){
        .e = {.kind = ENTITY_METHOD,
              .parent = 0,
              .ordinal = 1,
              .name = STR("run"),
              .qualified_name = STR("App.run"),
              .signature = STR("run(): \"x\""),
              .doc = STR("Runs.\nTwice."),
              .range = {{1, 2, 3}, {4294967295u, 5, 6}, 10, 90},
              .name_range = {{1, 9, 10}, {1, 12, 13}, 17, 20}},
        .id = 5,
        .key = STR("ts:method:a.ts#App.run"),
        .parent_key = STR("ts:class:a.ts#App"),
        .path = STR("a.ts"),
        .lang = STR("ts"),
        .hover = {.state = HOVER_KNOWN,
                  .markdown = STR("**run**"),
                  .server = STR("tsserver")},
        .rev = 42,
        .score = 0.5,
    };
}

#define SAMPLE_HEAD                                                                      \
    "{\"key\":\"ts:method:a.ts#App.run\",\"lang\":\"ts\",\"kind\":\"method\",\"name\":"  \
    "\"run\","                                                                           \
    "\"qualified_name\":\"App.run\",\"path\":\"a.ts\",\"range\":{\"start\":{\"line\":1," \
    "\"character\":3},\"end\":{\"line\":4294967295,\"character\":6}},\"name_range\":{"   \
    "\"start\":"                                                                         \
    "{\"line\":1,\"character\":10},\"end\":{\"line\":1,\"character\":13}},"              \
    "\"signature\":"                                                                     \
    "\"run(): \\\"x\\\"\",\"doc\":\"Runs.\\nTwice.\","
#define SAMPLE_HOVER                                                                     \
    "\"hover\":{\"state\":\"known\",\"markdown\":\"**run**\",\"server\":\"tsserver\"},"
#define SAMPLE_TAIL "\"parent\":\"ts:class:a.ts#App\",\"rev\":42"

static void
test_entity(UNUSED void **state)
{
    struct entity_row row = sample_row();
    AUTO(buf_finish) struct buf b = {0};
    codec_add_entity(&b, &row, 0);
    assert_buf(&b, SAMPLE_HEAD SAMPLE_TAIL "}");
    buf_reset(&b);
    codec_add_entity(&b, &row, CODEC_WITH_HOVER | CODEC_WITH_SCORE);
    assert_buf(&b, SAMPLE_HEAD SAMPLE_HOVER SAMPLE_TAIL ",\"score\":0.5}");

    row.parent_key = STR_NONE;
    row.rev = INT64_MIN;
    row.score = NAN;
    buf_reset(&b);
    codec_add_entity(&b, &row, CODEC_WITH_SCORE);
    assert_buf(&b,
               SAMPLE_HEAD "\"parent\":null,\"rev\":-9223372036854775808,\"score\":0}");
}

static void
test_entity_of_zeros(UNUSED void **state)
{
    struct entity_row row = {0};
    AUTO(buf_finish) struct buf b = {0};
    codec_add_entity(&b, &row, CODEC_WITH_HOVER | CODEC_WITH_SCORE);
    AUTO(json_decref_) json_t *o = parse(buf_str(&b));
    struct str s;
    assert_int_equal(json_object_size(o), 14);
    assert_int_equal(codec_get_str(o, "kind", &s), 0);
    assert_str(s, "module");
    assert_int_equal(codec_get_str(o, "doc", &s), 0);
    assert_int_equal(s.n, 0);
}

static void
assert_hover(const struct hover *hover, const char *expected)
{
    AUTO(buf_finish) struct buf b = {0};
    codec_add_hover(&b, hover);
    assert_buf(&b, expected);
}

static void
test_hover(UNUSED void **state)
{
    struct hover h = {.state = HOVER_KNOWN, .markdown = STR("a\"b"), .stale = true};
    assert_hover(&h, "{\"state\":\"known\",\"markdown\":\"a\\\"b\",\"stale\":true}");
    h = (struct hover){.state = HOVER_EMPTY, .server = STR("clangd")};
    assert_hover(&h, "{\"state\":\"empty\",\"server\":\"clangd\"}");
    h = (struct hover){
        .state = HOVER_UNKNOWN, .reason = HOVER_REASON_CRASHED, .markdown = STR("no")};
    assert_hover(&h, "{\"state\":\"unknown\",\"reason\":\"crashed\"}");
    h = (struct hover){0};
    assert_hover(&h, "{\"state\":\"unknown\"}");
}

static void
test_edge(UNUSED void **state)
{
    AUTO(buf_finish) struct buf b = {0};
    struct edge_row edge = {.kind = EDGE_CALLS,
                            .from_key = STR("c:fn:a.c#f"),
                            .path = STR("a.c"),
                            .target = STR("g\xFF"),
                            .line = 7,
                            .at = {7, 2, 1}};
    codec_add_edge(&b, &edge);
    assert_buf(&b,
               "{\"kind\":\"calls\",\"from\":\"c:fn:a.c#f\",\"path\":\"a.c\",\"line\":7,"
               "\"character\":1,\"target\":\"g\uFFFD\"}");
    buf_reset(&b);
    edge =
        (struct edge_row){.kind = EDGE_IMPORTS, .path = STR("a.c"), .target = STR("x.h")};
    codec_add_edge(&b, &edge);
    assert_buf(&b, "{\"kind\":\"imports\",\"from\":null,\"path\":\"a.c\",\"line\":0,"
                   "\"character\":0,\"target\":\"x.h\"}");
    buf_reset(&b);
    edge.confidence = EDGE_CONFIDENCE_NAME;
    codec_add_edge(&b, &edge);
    assert_true(str_ends_with(buf_str(&b), STR(",\"to\":null,\"confidence\":\"name\"}")));
    buf_reset(&b);
    edge.confidence = EDGE_CONFIDENCE_LEXICAL;
    edge.to_key = STR("c:fn:b.c#g");
    codec_add_edge(&b, &edge);
    assert_true(str_ends_with(buf_str(&b),
                              STR(",\"to\":\"c:fn:b.c#g\",\"confidence\":\"lexical\"}")));
}

/* ---- deltas ---- */

struct seen {
    char type[32];
    int64_t seq, time_ms;
    uint32_t index;
    char *data;
    char *subject;
};

struct seen_list {
    VEC(struct seen) all;
    size_t stop_at; // 0: never
};

static int
on_wire(void *ctx, const struct codec_wire_event *e)
{
    struct seen_list *list = ctx;
    struct seen *seen = vec_push(&list->all);
    *seen = (struct seen){.seq = e->seq, .time_ms = e->time_ms, .index = e->index};
    snprintf(seen->type, sizeof(seen->type), "%s", e->event_type);
    seen->data = str_dup(e->data);
    seen->subject = str_dup(e->subject);
    return list->all.n == list->stop_at ? 33 : 0;
}

static void
seen_finish(struct seen_list *list)
{
    for (size_t i = 0; i < list->all.n; i++) {
        free(list->all.v[i].data);
        free(list->all.v[i].subject);
    }
    vec_finish(&list->all);
}
DEFINE_AUTO_IN(seen_finish, struct seen_list)

static int
expand(enum event_type type, struct str data, struct seen_list *list)
{
    AUTO(event_unref) struct event *e = event_create(type, 9, 1000, STR("a.ts"), data);
    return codec_event_expand(e, on_wire, list);
}

static void
assert_seen(const struct seen_list *list, size_t i, const char *type, const char *data)
{
    assert_true(i < list->all.n);
    assert_string_equal(list->all.v[i].type, type);
    assert_int_equal(list->all.v[i].index, i);
    assert_int_equal(list->all.v[i].seq, 9);
    assert_int_equal(list->all.v[i].time_ms, 1000);
    assert_string_equal(list->all.v[i].subject, "a.ts");
    assert_string_equal(list->all.v[i].data, data);
}

static void
test_delta_empty(UNUSED void **state)
{
    AUTO(buf_finish) struct buf b = {0};
    struct codec_delta d = {0};
    struct file file = {.path = STR("a\n.ts"), .lang = STR("ts"), .state = FILE_INDEXED};
    codec_delta_write(&b, &d, &file);
    assert_buf(&b, "{\"path\":\"a\\n.ts\",\"lang\":\"ts\",\"state\":\"indexed\"}");
    AUTO(seen_finish) struct seen_list seen = {0};
    assert_int_equal(expand(EVENT_FILE_COMPLETED, buf_str(&b), &seen), 0);
    assert_int_equal(seen.all.n, 1);
    assert_seen(
        &seen, 0, "file:completed",
        "{\"path\":\"a\\n.ts\",\"lang\":\"ts\",\"state\":\"indexed\",\"deleted\":0,"
        "\"added\":0,\"updated\":0,\"enriched\":0}");

    buf_reset(&b);
    file = (struct file){
        .path = STR("a.bin"), .state = FILE_SKIPPED, .reason = FILE_REASON_BINARY};
    codec_delta_write(&b, &d, &file);
    assert_buf(
        &b,
        "{\"path\":\"a.bin\",\"lang\":\"\",\"state\":\"skipped\",\"reason\":\"binary\"}");
    codec_delta_finish(&d);
    codec_delta_finish(NULL);
}

#define SAMPLE_IDENTITY                                                                  \
    "{\"key\":\"ts:method:a.ts#App.run\",\"lang\":\"ts\",\"kind\":\"method\",\"name\":"  \
    "\"run\","                                                                           \
    "\"path\":\"a.ts\""

static void
test_delta_expanded(UNUSED void **state)
{
    struct entity_row row = sample_row();
    struct codec_delta d = {0};
    codec_delta_add(&d, &row);
    codec_delta_add(&d, &row);
    codec_delta_update(&d, &row);
    codec_delta_delete(&d, &row);
    codec_delta_enrich(&d, &row);
    assert_int_equal(d.n_added, 2);
    AUTO(buf_finish) struct buf b = {0};
    struct file file = {.path = STR("a.ts"), .lang = STR("ts"), .state = FILE_INDEXED};
    codec_delta_write(&b, &d, &file);
    codec_delta_finish(&d);
    assert_int_equal(d.n_added, 0);
    json_decref(parse(buf_str(&b)));

    static const char whole[] = SAMPLE_HEAD SAMPLE_HOVER SAMPLE_TAIL "}";
    AUTO(seen_finish) struct seen_list seen = {0};
    assert_int_equal(expand(EVENT_FILE_COMPLETED, buf_str(&b), &seen), 0);
    assert_int_equal(seen.all.n, 6);
    assert_seen(&seen, 0, "entity.deleted", SAMPLE_IDENTITY "}");
    assert_seen(&seen, 1, "entity.added", whole);
    assert_seen(&seen, 2, "entity.added", whole);
    assert_seen(&seen, 3, "entity.updated", whole);
    assert_seen(&seen, 4, "entity.enriched",
                SAMPLE_IDENTITY
                ",\"hover\":{\"state\":\"known\",\"markdown\":\"**run**\","
                "\"server\":\"tsserver\"},\"rev\":42}");
    assert_seen(&seen, 5, "file:completed",
                "{\"path\":\"a.ts\",\"lang\":\"ts\",\"state\":\"indexed\",\"deleted\":1,"
                "\"added\":2,"
                "\"updated\":1,\"enriched\":1}");

    AUTO(seen_finish) struct seen_list enriched = {0};
    assert_int_equal(expand(EVENT_ENTITY_ENRICHED, buf_str(&b), &enriched), 0);
    assert_int_equal(enriched.all.n, 5); // no event of the file

    AUTO(seen_finish) struct seen_list stopped = {.stop_at = 3};
    assert_int_equal(expand(EVENT_FILE_COMPLETED, buf_str(&b), &stopped), 33);
    assert_int_equal(stopped.all.n, 3);
    AUTO(seen_finish) struct seen_list at_last = {.stop_at = 6};
    assert_int_equal(expand(EVENT_FILE_COMPLETED, buf_str(&b), &at_last), 33);

    /* In stretches, wherever they end: each event once, the one that was stopped at again. */
    for (size_t n = 1; n <= 6; n++) {
        AUTO(event_unref)
        struct event *e =
            event_create(EVENT_FILE_COMPLETED, 9, 1000, STR("a.ts"), buf_str(&b));
        AUTO(seen_finish) struct seen_list all = {0};
        struct codec_row whole_row;
        struct codec_place place = {0};
        codec_row_init(&whole_row, e);
        int read = CODEC_E_MORE;
        for (size_t n_reads = 0; read == CODEC_E_MORE; n_reads++) {
            read = codec_row_read(&whole_row, n == 1 ? 1 : b.n / n);
            assert_true(n_reads <= b.n);
        }
        assert_int_equal(read, 0);
        for (int r = 33; r == 33;) {
            AUTO(seen_finish) struct seen_list stretch = {.stop_at = n + 1};
            r = codec_row_expand(&whole_row, &place, on_wire, &stretch);
            assert_true(r == 33 || r == 0);
            size_t n_had = stretch.all.n - (r == 33);
            assert_true(n_had > 0 && n_had <= n);
            assert_int_equal(stretch.all.v[0].index, all.all.n);
            for (size_t i = 0; i < n_had; i++) {
                struct seen *from = &stretch.all.v[i], *to = vec_push(&all.all);
                *to = *from;
                to->data = steal(from->data);
                to->subject = steal(from->subject);
            }
        }
        codec_row_finish(&whole_row);
        assert_int_equal(all.all.n, 6);
        for (size_t i = 0; i < 6; i++)
            assert_seen(&all, i, seen.all.v[i].type, seen.all.v[i].data);
    }

    /* Cut anywhere it is damaged, and nothing of it goes out. */
    for (size_t n = 0; n < b.n; n++) {
        AUTO(seen_finish) struct seen_list none = {0};
        assert_int_equal(expand(EVENT_FILE_COMPLETED, str_slice(b.p, n), &none), -EINVAL);
        assert_int_equal(none.all.n, 0);
        AUTO(event_unref)
        struct event *cut =
            event_create(EVENT_FILE_COMPLETED, 9, 1000, STR("a.ts"), str_slice(b.p, n));
        struct codec_row row_of_cut;
        codec_row_init(&row_of_cut, cut);
        int r = CODEC_E_MORE;
        while (r == CODEC_E_MORE)
            r = codec_row_read(&row_of_cut, 50);
        assert_int_equal(r, -EINVAL);
        codec_row_finish(&row_of_cut);
    }
}

static void
test_delta_large(UNUSED void **state)
{
    enum { N = 10000 };
    struct codec_delta d = {0};
    struct entity_row row = sample_row();
    for (int i = 0; i < N; i++) {
        row.rev = i;
        codec_delta_add(&d, &row);
    }
    AUTO(buf_finish) struct buf b = {0};
    struct file file = {.path = STR("a.ts"), .lang = STR("ts"), .state = FILE_INDEXED};
    codec_delta_write(&b, &d, &file);
    codec_delta_finish(&d);
    AUTO(seen_finish) struct seen_list seen = {0};
    assert_int_equal(expand(EVENT_FILE_COMPLETED, buf_str(&b), &seen), 0);
    assert_int_equal(seen.all.n, N + 1);
    for (int i = 0; i < N; i += 999) {
        AUTO(json_decref_) json_t *o = parse(str_of(seen.all.v[i].data));
        int64_t rev;
        assert_int_equal(codec_get_int(o, "rev", 0, N, &rev), 0);
        assert_int_equal(rev, i);
        assert_int_equal(seen.all.v[i].index, i);
    }
    assert_non_null(strstr(seen.all.v[N].data, "\"added\":10000"));
}

static void
test_rows_without_delta(UNUSED void **state)
{
    static const char data[] = "{\"server\":\"clangd\",\"added\":5}";
    AUTO(seen_finish) struct seen_list seen = {0};
    assert_int_equal(expand(EVENT_PIPELINE_ONLINE, str_of(data), &seen), 0);
    assert_int_equal(seen.all.n, 1);
    assert_seen(&seen, 0, "pipeline:online", data);
    assert_int_equal(expand(EVENT_INDEX_REBUILT, STR("{}"), &seen), 0);
    assert_string_equal(seen.all.v[1].type, "index.rebuilt");
    assert_int_equal(expand(EVENT_INDEX_REBUILT, STR("{]"), &seen), -EINVAL);
    assert_int_equal(expand(EVENT_INDEX_REBUILT, STR_NONE, &seen), -EINVAL);
    assert_int_equal(seen.all.n, 2);
}

static void
test_damaged_rows(UNUSED void **state)
{
    static const struct str rows[] = {
        {"", 0},
        {"null", 4},
        {"[]", 2},
        {"{}x", 3},
        {"{} {}", 5},
        {"{,}", 3},
        {"{\"a\":1,}", 8},
        {"{\"a\" 1}", 7},
        {"{\"a\":01}", 8},
        {"{\"a\":1.}", 8},
        {"{\"a\":1e}", 8},
        {"{\"a\":-}", 7},
        {"{\"a\":+1}", 8},
        {"{\"a\":tru}", 9},
        {"{\"a\":nullx}", 11},
        {"{\"a\":'b'}", 9},
        {"{\"a\":\"\x01\"}", 9},
        {"{\"a\":\"\\x\"}", 10},
        {"{\"a\":\"\\u12g4\"}", 14},
        {"{\"a\":\"\xFF\"}", 9},
        {"{\"a\":[1 2]}", 11},
        {"{\"a\":[1}", 8},
        {"{\"a\":[1,]}", 10},
        {"{a:1}", 5},
        {"{\"added\":{}}", 12},
        {"{\"added\":1}", 11},
        {"{\"added\":null}", 14},
        {"{\"added\":[1]}", 13},
        {"{\"added\":[{}],\"added\":[{}]}", 27},
        {"{\"added\":[{}],\"updated\":[{},[]]}", 32},
        {"{\"a\":1\0}", 8},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(seen_finish) struct seen_list seen = {0};
        if (expand(EVENT_FILE_COMPLETED, rows[i], &seen) != -EINVAL)
            fail_msg("accepted: %.*s", STR_ARG(rows[i]));
        assert_int_equal(seen.all.n, 0);
    }
    AUTO(buf_finish) struct buf deep = {0};
    nest(&deep, CODEC_DEPTH_MAX, "{\"a\":", "}");
    AUTO(seen_finish) struct seen_list seen = {0};
    assert_int_equal(expand(EVENT_FILE_COMPLETED, buf_str(&deep), &seen), 0);
    assert_int_equal(seen.all.n, 1);
    nest(&deep, 100000, "{\"a\":", "}");
    assert_int_equal(expand(EVENT_FILE_COMPLETED, buf_str(&deep), &seen), -EINVAL);
    assert_int_equal(seen.all.n, 1);
}

/* White space, numbers and escapes that are right, whoever wrote the row. */
static void
test_foreign_rows(UNUSED void **state)
{
    AUTO(seen_finish) struct seen_list seen = {0};
    struct str row = STR(
        " { \"a\" : [ -0.5e+3 , 0 , 1E-2 , \"\\u00e9\\/\\\"\" , { } , [ ] , false ] ,\n"
        " \"added\" : [ { \"x\" : 1 } , {\"y\":2} ] } \n");
    assert_int_equal(expand(EVENT_FILE_FAILED, row, &seen), 0);
    assert_int_equal(seen.all.n, 3);
    assert_seen(&seen, 0, "entity.added", "{ \"x\" : 1 }");
    assert_seen(&seen, 1, "entity.added", "{\"y\":2}");
    AUTO(json_decref_) json_t *counts = parse(str_of(seen.all.v[2].data));
    assert_int_equal(json_array_size(codec_array(counts, "a")), 7);
    assert_string_equal(seen.all.v[2].type, "file:failed");
}

/* ---- the envelope ---- */

static void
test_wire_event(UNUSED void **state)
{
    struct codec_wire_event e = {"entity.added",     18232,           3, 1795248000123,
                                 STR("src/\"a\".c"), STR("{\"x\":1}")};
    AUTO(buf_finish) struct buf b = {0};
    codec_add_wire_event(&b, &e, STR("9c"), STR("w1"), STR("[\"s1\"]"));
    assert_buf(
        &b, "{\"type\":\"event\",\"event_type\":\"entity.added\",\"seq\":18232,\"i\":3,"
            "\"epoch\":\"9c\",\"workspace\":\"w1\",\"library_id\":\"w1\","
            "\"time\":\"2026-11-21T08:00:00.123Z\",\"subject\":\"src/\\\"a\\\".c\","
            "\"sub\":[\"s1\"],\"data\":{\"x\":1}}");
    buf_reset(&b);
    e = (struct codec_wire_event){.event_type = "heartbeat"};
    codec_add_wire_event(&b, &e, STR("9c"), STR("w1"), STR_NONE);
    assert_buf(&b, "{\"type\":\"event\",\"event_type\":\"heartbeat\",\"epoch\":\"9c\","
                   "\"workspace\":\"w1\",\"library_id\":\"w1\",\"time\":\"1970-01-01T00:"
                   "00:00.000Z\","
                   "\"subject\":\"\",\"data\":{}}");
    json_decref(parse(buf_str(&b)));
}

/* ---- lines of scanners ---- */

#define RANGE                                                                            \
    "\"range\":{\"start\":{\"line\":2,\"character\":4},\"end\":{\"line\":9,"             \
    "\"character\":1}}"
#define LINE(more)                                                                       \
    "{\"lang\":\"c\",\"kind\":\"fn\",\"name\":\"f\",\"path\":\"a/b.c\"," RANGE more "}"

static struct ingest_item
read_line(struct ingest_batch *batch, const char *text)
{
    json_t *json = parse(str_of(text));
    struct ingest_item item = {.line = 7};
    const char *fault = codec_read_ingest(json, batch, &item);
    json_decref(json);
    assert_int_equal(item.line, 7);
    assert_ptr_equal(fault, item.fault);
    assert_int_equal(fault != NULL, item.op == INGEST_BAD);
    return item;
}

static void
test_ingest_document(UNUSED void **state)
{
    AUTO(ingest_batch_destroy) struct ingest_batch *b = ingest_batch_create();
    struct ingest_item item = read_line(
        b, "{\"title\":\"a/b\\tc\",\"texts\":[\"one\",\"\",\"two\"],\"key\":\"k\"}");
    assert_int_equal(item.op, INGEST_PUT_ENTITY);
    assert_true(str_eq_c(item.path, "a-b-c"));
    item = read_line(
        b, "{\"title\":\"a/b c\",\"texts\":[\"one\",\"\",\"two\"],\"key\":\"k\"}");
    assert_int_equal(item.op, INGEST_PUT_ENTITY);
    assert_true(str_eq_c(item.path, "a-b c") && str_eq_c(item.lang, "text"));
    assert_true(str_eq_c(item.once, "k"));
    assert_int_equal(item.entities->e.kind, ENTITY_SECTION);
    assert_true(str_eq_c(item.entities->e.name, "a/b c"));
    assert_int_equal(item.entities->hover.state, HOVER_KNOWN);
    assert_true(str_eq_c(item.entities->hover.markdown, "one\n\n\n\ntwo"));
    item = read_line(b, "{\"title\":\"t\",\"text\":\"x\"}");
    assert_true(str_eq_c(item.entities->hover.markdown, "x"));
    static const char *const bad[] = {"{\"title\":\"\"}",
                                      "{\"title\":1,\"text\":\"x\"}",
                                      "{\"title\":\"t\",\"text\":1}",
                                      "{\"title\":\"t\",\"texts\":\"x\"}",
                                      "{\"title\":\"t\",\"texts\":[\"x\",1]}",
                                      "{\"title\":\"..\",\"text\":\"x\"}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (read_line(b, bad[i]).op != INGEST_BAD)
            fail_msg("took %s", bad[i]);
}

static void
test_ingest_entity(UNUSED void **state)
{
    AUTO(ingest_batch_destroy) struct ingest_batch *b = ingest_batch_create();
    struct ingest_item item = read_line(
        b,
        LINE(",\"signature\":\"s\",\"doc\":\"d\",\"hover\":\"h\",\"key\":\"k\","
             "\"hash\":\"fF\",\"ordinal\":3,\"parent\":\"c:class:a/b.c#C\","
             "\"qualified_name\":\"C.f\",\"edges\":[{\"kind\":\"calls\",\"target\":\"g\","
             "\"line\":5,\"character\":6}],\"unknown\":[]"));
    const struct ingest_entity *in = item.entities;
    assert_int_equal(item.op, INGEST_PUT_ENTITY);
    assert_int_equal(item.n_entities, 1);
    assert_true(str_eq_c(item.path, "a/b.c") && str_eq_c(item.lang, "c"));
    assert_true(str_eq_c(item.once, "k") && str_eq_c(in->parent_key, "c:class:a/b.c#C"));
    assert_int_equal(in->e.kind, ENTITY_FUNCTION);
    assert_int_equal(in->e.ordinal, 3);
    assert_true(str_eq_c(in->e.qualified_name, "C.f") && str_eq_c(in->e.doc, "d"));
    assert_int_equal(in->e.range.start.col_utf16, 4);
    assert_int_equal(in->e.range.end.line, 9);
    assert_int_equal(in->e.name_range.end.col_utf16, 5);
    assert_true(in->e.range.start_byte < in->e.range.end_byte && in->e.hash == 0xff);
    assert_int_equal(in->hover.state, HOVER_KNOWN);
    assert_int_equal(in->n_edges, 1);
    assert_true(str_eq_c(in->edges[0].target, "g") && in->edges[0].at.line == 5);
    item = read_line(b, LINE(",\"hover\":\"\""));
    assert_int_equal(item.entities->hover.state, HOVER_EMPTY);
    assert_true(str_eq_c(item.entities->e.qualified_name, "f"));
    assert_int_equal(item.entities->e.ordinal, 1);
}

static void
test_ingest_others(UNUSED void **state)
{
    AUTO(ingest_batch_destroy) struct ingest_batch *b = ingest_batch_create();
    struct ingest_item item =
        read_line(b, "{\"op\":\"file\",\"path\":\"a.c\",\"lang\":\"c\",\"entities\":["
                     "{\"kind\":\"fn\",\"name\":\"f\"," RANGE
                     "},{\"kind\":\"fn\",\"name\":\"f\"," RANGE
                     "},{\"kind\":\"fn\",\"name\":\"g\"," RANGE
                     "}],\"edges\":[{\"kind\":\"imports\","
                     "\"target\":\"x.h\",\"line\":0,\"character\":0}]}");
    assert_int_equal(item.op, INGEST_PUT_FILE);
    assert_int_equal(item.n_entities, 3);
    assert_int_equal(item.entities[0].e.ordinal, 1);
    assert_int_equal(item.entities[1].e.ordinal, 2);
    assert_int_equal(item.entities[2].e.ordinal, 1);
    assert_int_equal(item.n_edges, 1);
    item = read_line(b, "{\"op\":\"delete\",\"entity\":\"c:fn:a.c#f~2\"}");
    assert_int_equal(item.op, INGEST_DELETE_ENTITY);
    assert_true(str_eq_c(item.path, "a.c") && str_eq_c(item.key, "c:fn:a.c#f~2"));
    item = read_line(b, "{\"op\":\"delete\",\"path\":\"a.c\"}");
    assert_int_equal(item.op, INGEST_DELETE_FILE);
}

static void
test_ingest_faults(UNUSED void **state)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"op\":1}",
        "{\"op\":\"move\"}",
        "{\"op\":\"delete\"}",
        "{\"op\":\"delete\",\"entity\":\"f\"}",
        "{\"op\":\"delete\",\"path\":\"/a\"}",
        "{\"op\":\"delete\",\"path\":\"a/../b\"}",
        "{\"op\":\"delete\",\"path\":\"a//b\"}",
        "{\"op\":\"delete\",\"path\":\"a/\"}",
        "{\"op\":\"delete\",\"path\":\"a\\nb\"}",
        "{\"lang\":\"c\",\"kind\":\"fn\",\"name\":\"f\",\"path\":\"a.c\"}",
        "{\"lang\":\"c:\",\"kind\":\"fn\",\"name\":\"f\",\"path\":\"a.c\"," RANGE "}",
        "{\"lang\":\"c\",\"kind\":\"thing\",\"name\":\"f\",\"path\":\"a.c\"," RANGE "}",
        "{\"lang\":\"c\",\"kind\":\"fn\",\"name\":\"\",\"path\":\"a.c\"," RANGE "}",
        LINE(",\"doc\":7"),
        LINE(",\"doc\":\"a\\u0000b\""),
        LINE(",\"key\":{}"),
        LINE(",\"hash\":\"xyz\""),
        LINE(",\"hash\":\"00112233445566778\""),
        LINE(",\"ordinal\":0"),
        LINE(",\"hover\":{}"),
        LINE(",\"edges\":{}"),
        LINE(",\"edges\":[{\"kind\":\"eats\",\"target\":\"g\",\"line\":5,\"character\":6}"
             "]"),
        LINE(",\"edges\":[{\"kind\":\"calls\",\"target\":\"g\",\"line\":-5,\"character\":"
             "6}]"),
        LINE(",\"name_range\":{}"),
        "{\"op\":\"file\",\"path\":\"a.c\",\"lang\":\"c\"}",
        "{\"op\":\"file\",\"path\":\"a.c\",\"lang\":\"c\",\"entities\":[{\"kind\":\"fn\","
        "\"name\":"
        "\"f\"," RANGE "},{\"kind\":\"fn\",\"name\":\"f\",\"ordinal\":1," RANGE "}]}",
        "{\"lang\":\"c\",\"kind\":\"fn\",\"name\":\"f\",\"path\":\"a.c\",\"range\":{"
        "\"start\":{\"line\":2,"
        "\"character\":4},\"end\":{\"line\":2,\"character\":3}}}",
    };
    AUTO(ingest_batch_destroy) struct ingest_batch *b = ingest_batch_create();
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (!read_line(b, bad[i]).fault)
            fail_msg("taken: %s", bad[i]);
    assert_null(read_line(b, LINE("")).fault);
}

/* Room is taken for what makes sense, not for what is as long as it says. */
static void
test_ingest_lists_of_nothing(UNUSED void **state)
{
    static const char *const begin[] = {
        "{\"op\":\"file\",\"path\":\"a.c\",\"lang\":\"c\",\"entities\":[0",
        "{\"op\":\"file\",\"path\":\"a.c\",\"lang\":\"c\",\"entities\":[],\"edges\":[0"};
    static const size_t n_max[] = {ENTITY_PER_FILE_MAX, INGEST_EDGES_MAX};
    for (size_t i = 0; i < ARRAY_LEN(begin); i++) {
        AUTO(ingest_batch_destroy) struct ingest_batch *b = ingest_batch_create();
        AUTO(buf_finish) struct buf text = {0};
        buf_add_cstr(&text, begin[i]);
        for (size_t n = 1; n < n_max[i]; n++)
            buf_add_cstr(&text, ",0");
        buf_add_cstr(&text, "]}");
        assert_non_null(read_line(b, text.p).fault);
        assert_in_range(b->arena.total_bytes, 0, text.n);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_depth),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_string),
        cmocka_unit_test(test_string_pairs),
        cmocka_unit_test(test_string_long),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_entity),
        cmocka_unit_test(test_entity_of_zeros),
        cmocka_unit_test(test_hover),
        cmocka_unit_test(test_edge),
        cmocka_unit_test(test_delta_empty),
        cmocka_unit_test(test_delta_expanded),
        cmocka_unit_test(test_delta_large),
        cmocka_unit_test(test_rows_without_delta),
        cmocka_unit_test(test_damaged_rows),
        cmocka_unit_test(test_foreign_rows),
        cmocka_unit_test(test_wire_event),
        cmocka_unit_test(test_ingest_document),
        cmocka_unit_test(test_ingest_entity),
        cmocka_unit_test(test_ingest_others),
        cmocka_unit_test(test_ingest_faults),
        cmocka_unit_test(test_ingest_lists_of_nothing),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
