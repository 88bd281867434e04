/* What must hold when things go wrong: the log without a hole, nothing acknowledged lost, damage and
 * strangers told apart, readers in every state of the file. */

static int
check_seq(void *ctx, const struct event *e)
{
    int64_t *next = ctx;
    assert_int_equal(e->seq, (*next)++);
    return 0;
}

/* The log from `first` on has every seq up to the head, which is returned. */
static int64_t
assert_whole_log(struct store_reader *r, int64_t first)
{
    struct store_info info;
    int64_t next = first;
    OK(store_read_info(r, &info));
    assert_int_equal(info.first_seq, first);
    OK(store_each_event(r, 0, SIZE_MAX, check_seq, &next));
    assert_int_equal(next, info.head + 1);
    return info.head;
}

static void
test_rollback_leaves_no_hole(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct event *e = NULL;
    event_unref(sample_put(w, "a.c", "one:1"));
    struct batch *b = sample_batch("b.c", "two:2");
    OK(store_begin(w));
    OK(store_put_file(w, b, &e));
    assert_int_equal(e->seq, 2);
    event_unref(e);
    store_rollback(w);
    batch_destroy(b);
    e = sample_put(w, "c.c", "three:3");
    assert_int_equal(e->seq, 2);
    event_unref(e);
    struct store_reader *r = sample_read(s);
    assert_int_equal(assert_whole_log(r, 1), 2);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_prune(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct event *e = NULL;
    bool more = true;
    OK(store_begin(w));
    for (int i = 0; i < 5100; i++) {
        OK(store_put_event(w, EVENT_PIPELINE_ONLINE, STR("x"), STR("{}"), &e));
        event_unref(e);
    }
    int64_t now_ms = clock_wall_ms();
    OK(store_prune(w, now_ms, &more));
    assert_false(more);
    OK(store_prune(w, now_ms + STORE_EVENTS_AGE_MS + 60000, &more));
    assert_true(more);
    OK(store_commit(w));
    struct store_reader *r = sample_read(s);
    assert_int_equal(assert_whole_log(r, 5001), 5100);
    OK(store_begin(w));
    OK(store_prune(w, now_ms + STORE_EVENTS_AGE_MS + 60000, &more));
    OK(store_commit(w));
    assert_false(more);
    assert_int_equal(assert_whole_log(r, 5101), 5100);
    store_reader_close(r);
    store_writer_close(w);
    w = sample_open(s, NULL);
    e = sample_put(w, "a.c", "one:1");
    assert_int_equal(e->seq, 5101);
    event_unref(e);
    store_writer_close(w);
}

static void
test_events_are_paged(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    for (int i = 0; i < 5; i++) {
        char spec[8];
        snprintf(spec, sizeof(spec), "one:%d", i);
        event_unref(sample_put(w, "a.c", spec));
    }
    struct store_reader *r = sample_read(s);
    int64_t next = 3;
    OK(store_each_event(r, 2, 2, check_seq, &next));
    assert_int_equal(next, 5);
    OK(store_each_event(r, 99, 2, check_seq, &next));
    assert_int_equal(next, 5);
    store_reader_close(r);
    store_writer_close(w);
}

/* ---- the log rebuilds the rows ---- */

static void
replay_list(json_t *rows, json_t *data, const char *list)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(data, list), i, item)
    {
        const char *key = json_string_value(json_object_get(item, "key"));
        assert_non_null(key);
        if (strcmp(list, "deleted") == 0) {
            assert_int_equal(json_object_del(rows, key), 0);
        } else if (strcmp(list, "enriched") == 0) {
            json_t *row = json_object_get(rows, key);
            assert_non_null(row);
            json_object_set(row, "rev", json_object_get(item, "rev"));
            json_object_set(row, "hover", json_object_get(item, "hover"));
        } else {
            json_object_set(rows, key, item);
        }
    }
}

static int
replay(void *ctx, const struct event *e)
{
    json_t *data = NULL;
    OK(codec_parse(e->data, &data, NULL));
    replay_list(ctx, data, "deleted");
    replay_list(ctx, data, "added");
    replay_list(ctx, data, "updated");
    replay_list(ctx, data, "enriched");
    json_decref(data);
    return 0;
}

static int
compare_row(void *ctx, const struct entity_row *row)
{
    json_t *rows = ctx;
    char *key = str_dup(row->key);
    json_t *is = json_object_get(rows, key);
    assert_non_null(is);
    assert_int_equal(json_integer_value(json_object_get(is, "rev")), row->rev);
    assert_true(
        str_eq_c(row->e.signature, json_string_value(json_object_get(is, "signature"))));
    const char *state =
        json_string_value(json_object_get(json_object_get(is, "hover"), "state"));
    assert_string_equal(state, hover_state_name(row->hover.state));
    json_object_del(rows, key);
    free(key);
    return 0;
}

static uint32_t
next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* A file of a few functions, each of a few texts and signatures, some named alike. */
static char *
random_spec(uint32_t *seed)
{
    static const char *const names[] = {"get", "set", "run", "stop", "get", "init"};
    struct buf b = {0};
    uint32_t n = next_random(seed) % 7;
    for (uint32_t i = 0; i < n; i++) {
        if (next_random(seed) % 4 == 0)
            buf_add_cstr(&b, "+1 ");
        buf_printf(&b, "%s%s:%u:s%u>%s", i > 0 ? " " : "",
                   names[next_random(seed) % ARRAY_LEN(names)], next_random(seed) % 3,
                   next_random(seed) % 2, names[next_random(seed) % 3]);
    }
    return buf_steal(&b);
}

/* Events as they were published; of the log's rows, each must be one of them to the byte. */
struct told {
    VEC(struct event *) events;
    json_t *rows;
    size_t n_read;
};

static void
tell(struct told *told, struct event *e)
{
    if (e)
        *vec_push(&told->events) = e;
}

static int
replay_told(void *ctx, const struct event *e)
{
    struct told *told = ctx;
    assert_true(told->n_read < told->events.n);
    const struct event *was = told->events.v[told->n_read++];
    assert_int_equal(e->seq, was->seq);
    assert_int_equal(e->type, was->type);
    assert_int_equal(e->time_ms, was->time_ms);
    assert_true(str_eq(e->subject, was->subject));
    if (was->data.n > 0) // else it was told briefly
        assert_true(str_eq(e->data, was->data));
    return replay(told->rows, e);
}

/* What is published, what is in the log and what the rows are is the same. */
static void
assert_replay(const struct sample *s, struct told *told)
{
    struct store_reader *r = sample_read(s);
    struct store_counts c;
    told->rows = json_object();
    told->n_read = 0;
    OK(store_each_event(r, 0, SIZE_MAX, replay_told, told));
    assert_int_equal(told->n_read, told->events.n);
    OK(store_read_counts(r, &c));
    assert_int_equal(json_object_size(told->rows), c.entities);
    OK(store_each_entity(r, STR_NONE, compare_row, told->rows));
    assert_int_equal(json_object_size(told->rows), 0);
    assert_int_equal(c.hovers[0] + c.hovers[1] + c.hovers[2], c.entities);
    assert_int_equal((uint64_t)count_rows(s, "entity"), c.entities);
    assert_int_equal((uint64_t)count_rows(s, "v_edge"), c.edges);
    json_decref(told->rows);
    store_reader_close(r);
}

static void
test_replay(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct told told = {.n_read = 0};
    char *specs[4] = {NULL};
    char path[8];
    uint32_t seed = 42;
    for (int i = 0; i < 600; i++) {
        size_t f = next_random(&seed) % ARRAY_LEN(specs);
        snprintf(path, sizeof(path), "f%zu.c", f);
        store_be_brief(w, i % 3 == 0);
        uint32_t what = next_random(&seed) % 10;
        if (what == 0) {
            tell(&told, sample_delete(w, path));
        } else if (what < 4 && specs[f]) {
            tell(&told,
                 sample_put_hovers(w, path, specs[f], "get=g set=s run- stop? init=i"));
        } else {
            const char *other = specs[next_random(&seed) % ARRAY_LEN(specs)];
            bool is_copy = other && next_random(&seed) % 3 == 0;
            char *spec = is_copy ? xstrdup(other) : random_spec(&seed);
            free(specs[f]);
            specs[f] = spec;
            tell(&told, sample_put(w, path, specs[f]));
        }
        if (i % 20 == 0 || i > 580)
            assert_replay(s, &told);
    }
    for (size_t f = 0; f < ARRAY_LEN(specs); f++)
        free(specs[f]);
    for (size_t i = 0; i < told.events.n; i++)
        event_unref(told.events.v[i]);
    vec_finish(&told.events);
    store_writer_close(w);
}

/* The event is told in full while the log keeps nothing twice; before the rows change, it does. */
/* Only what the log has anyway is left out, and what it has is what would have been told. */
static void
test_brief_events(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    store_be_brief(w, true);
    AUTO(event_unref) struct event *first = sample_put(w, "a.c", "one:1 two:2:says");
    assert_int_equal(first->seq, 1);
    assert_int_equal(first->data.n, 0);
    sample_assert_names(sample_put(w, "a.c", "one:1 two:3:says"), "updated", "two");
    sample_assert_names(sample_delete(w, "a.c"), "deleted", "one two");
    store_be_brief(w, false);
    AUTO(event_unref) struct event *whole = sample_put(w, "b.c", "one:1 two:2:says");
    assert_true(whole->data.n > 0);

    struct told told = {.rows = json_object()};
    struct store_reader *r = sample_read(s);
    OK(store_each_event(r, 0, 1, replay, told.rows));
    assert_int_equal(json_object_size(told.rows), 2);
    const json_t *two = json_object_get(told.rows, "c:fn:a.c#two");
    assert_string_equal(json_string_value(json_object_get(two, "signature")), "says");
    json_decref(told.rows);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_first_event_is_left_to_the_rows(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct told told = {.n_read = 0};
    const char *const bare = "event WHERE data=''";
    tell(&told, sample_put(w, "a.c", "one:1 two:2"));
    tell(&told, sample_put(w, "b.c", "three:3"));
    assert_int_equal(count_rows(s, bare), 2);
    tell(&told, sample_put_hovers(w, "a.c", "one:1 two:2", "one=text two-"));
    assert_int_equal(count_rows(s, bare), 2);
    assert_replay(s, &told);
    assert_int_equal(read_int(s, "json_array_length(data,'$.added')", "v_event"), 2);
    assert_null(
        sample_put(w, "a.c", "+3 one:1 two:2")); // it only moves: that is a change
    assert_int_equal(count_rows(s, bare), 1);
    tell(&told, sample_delete(w, "b.c"));
    assert_int_equal(count_rows(s, bare), 0);
    tell(&told, sample_put(w, "b.c", "four:4"));
    assert_int_equal(count_rows(s, bare), 1);
    assert_replay(s, &told);
    for (size_t i = 0; i < told.events.n; i++)
        event_unref(told.events.v[i]);
    vec_finish(&told.events);
    store_writer_close(w);
}

/* What the log no longer has is not written into it again. */
static void
test_pruned_event_is_not_filled(void **state)
{
    struct sample *s = *state;
    bool more = false;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    OK(store_begin(w));
    OK(store_prune(w, clock_wall_ms() + STORE_EVENTS_AGE_MS + 1000, &more));
    OK(store_commit(w));
    assert_int_equal(count_rows(s, "event"), 0);
    event_unref(sample_put(w, "a.c", "one:2"));
    assert_int_equal(count_rows(s, "event"), 1);
    struct store_reader *r = sample_read(s);
    struct store_info info;
    OK(store_read_info(r, &info));
    assert_int_equal(info.first_seq, 2);
    store_reader_close(r);
    store_writer_close(w);
}

/* ---- an index of an earlier version ---- */

static void
plant_version_1(const struct sample *s)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    OK(sqlite3_open(s->path, &db));
    if (sqlite3_exec(db, version_1, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    OK(sqlite3_close(db));
}

static int
collect_link(void *ctx, const struct edge_row *e)
{
    buf_printf(ctx, "%.*s>%.*s@%u:%u:%u ", STR_ARG(e->from_key), STR_ARG(e->target),
               e->line, e->at.col_byte, e->at.col_utf16);
    return 0;
}

static void
assert_version_1_rows(struct store_reader *r)
{
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row row;
    OK(store_read_entity(r, STR("c:class:a.c#Box"), &a, &row));
    struct span box = {{0, 0, 0}, {9, 1, 1}, 0, 200};
    struct span box_name = {{0, 6, 6}, {0, 9, 9}, 6, 9};
    assert_memory_equal(&row.e.range, &box, sizeof(box));
    assert_memory_equal(&row.e.name_range, &box_name, sizeof(box_name));
    assert_int_equal(row.hover.state, HOVER_KNOWN);
    assert_true(str_eq_c(row.hover.markdown, "a box"));
    OK(store_read_entity(r, STR("c:method:a.c#Box.get"), &a, &row));
    struct span get = {{1, 4, 3}, {3, 5, 5}, 20, 80};
    struct span get_name = {{2, 6, 5}, {2, 9, 8}, 40, 43};
    assert_memory_equal(&row.e.range, &get, sizeof(get));
    assert_memory_equal(&row.e.name_range, &get_name, sizeof(get_name));
    assert_true(str_eq_c(row.parent_key, "c:class:a.c#Box"));
    assert_true(str_eq_c(row.e.doc, "\xc3\xbc"));
    assert_true((int64_t)row.e.hash == -12);
    OK(store_read_entity(r, STR("c:fn:a.c#x::y~2"), &a, &row));
    struct span y = {{5, 4, 4}, {5, 8, 8}, 104, 108};
    assert_memory_equal(&row.e.name_range, &y, sizeof(y));
    assert_true(str_eq_c(row.e.name, "y"));
    OK(store_read_entity(r, STR("c:fn:a.c#wide"), &a, &row));
    struct span wide = {{7, 70000, 69999}, {7, 70100, 70099}, 80000, 80100};
    struct span wide_name = {{7, 70004, 70003}, {7, 70008, 70007}, 80004, 80008};
    assert_memory_equal(&row.e.range, &wide, sizeof(wide));
    assert_memory_equal(&row.e.name_range, &wide_name, sizeof(wide_name));
}

static void
test_version_1(void **state)
{
    struct sample *s = *state;
    AUTO(buf_finish) struct buf links = {0};
    struct store_info info;
    bool more = true;
    plant_version_1(s);
    struct store_writer *w = sample_open(s, &info);
    assert_false(info.is_new);
    assert_string_equal(info.epoch, "00112233445566778899aabbccddeeff");
    assert_int_equal(info.head, 1);
    struct store_reader *r = sample_read(s);
    assert_version_1_rows(r);
    OK(store_each_caller(r, STR("open"), 9, collect_link, &links));
    OK(store_each_callee(r, STR("c:method:a.c#Box.get"), 9, collect_link, &links));
    OK(store_each_caller(r, STR("stdio.h"), 9, collect_link, &links));
    assert_string_equal(links.p, "c:method:a.c#Box.get>open@2:4:4 "
                                 "c:fn:a.c#x::y~2>open@5:20:18 "
                                 "c:method:a.c#Box.get>open@2:4:4 "
                                 "c:method:a.c#Box.get>close@2:9:9 >stdio.h@0:10:10 ");
    assert_int_equal(read_int(s, "sum(line*100+character)", "v_edge"), 941);
    assert_int_equal(read_int(s, "sum(start_line*1000000+start_character)", "v_entity"),
                     13000000 + 3 + 69999);
    while (more) {
        OK(store_begin(w));
        OK(store_index_text(w, 100, &more));
        OK(store_commit(w));
    }
    assert_version_1_rows(r);
    assert_int_equal(count_rows(s, "entity_text WHERE entity_text MATCH 'box'"), 2);
    assert_int_equal(read_int(s, "count(*)",
                              "v_event WHERE json_extract(data,'$.added[0].key')="
                              "'c:class:a.c#Box'"),
                     1);
    struct event *e = sample_delete(w, "a.c");
    assert_int_equal(e->seq, 2);
    event_unref(e);
    assert_int_equal(count_rows(s, "v_edge"), 0);
    assert_int_equal(count_rows(s, "hover_past"), 1);
    store_reader_close(r);
    store_writer_close(w);
}
