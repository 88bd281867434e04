/* Part of test_codec.c: a row of the event log is handed out whole or refused. */

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
