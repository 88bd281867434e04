/* Part of test_codec.c: lines of scanners. */

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
