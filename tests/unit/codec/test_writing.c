/* Part of test_codec.c: what is written is valid JSON whatever bytes went in. */

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
