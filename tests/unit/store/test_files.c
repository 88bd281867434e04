/* Files: what a batch does to the rows, and what the log says of it. */

static void
test_new_index(void **state)
{
    struct sample *s = *state;
    struct store_info first, again;
    store_writer_close(sample_open(s, &first));
    assert_true(first.is_new);
    assert_int_equal(strlen(first.epoch), STORE_EPOCH_BYTES - 1);
    assert_int_equal(first.head, 0);
    assert_int_equal(first.first_seq, 1);
    store_writer_close(sample_open(s, &again));
    assert_false(again.is_new);
    assert_string_equal(first.epoch, again.epoch);
}

static void
test_row_comes_back(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("src/a.c", "Box:1 get:2");
    struct entity *box = &b->entities[0], *get = &b->entities[1];
    box->kind = ENTITY_CLASS;
    box->range.end_byte = 500;
    get->kind = ENTITY_METHOD;
    get->parent = 0;
    get->qualified_name = STR("Box.get");
    get->doc = STR("Gives\nit back. \xc3\xbc");
    get->range = (struct span){{3, 5, 4}, {9, 8, 7}, 100, 200};
    get->name_range = (struct span){{4, 9, 6}, {4, 12, 9}, 110, 113};
    get->hash = UINT64_MAX - 5;
    event_unref(sample_put_batch(w, b));

    struct store_reader *r = sample_read(s);
    struct entity_row row;
    OK(store_read_entity(r, STR("c:method:src/a.c#Box.get"), &a, &row));
    assert_int_equal(row.e.kind, ENTITY_METHOD);
    assert_true(str_eq_c(row.e.name, "get"));
    assert_true(str_eq_c(row.e.qualified_name, "Box.get"));
    assert_true(str_eq_c(row.e.doc, "Gives\nit back. \xc3\xbc"));
    assert_true(str_eq_c(row.e.signature, "int get(void)"));
    assert_true(str_eq_c(row.parent_key, "c:class:src/a.c#Box"));
    assert_true(str_eq_c(row.path, "src/a.c"));
    assert_true(str_eq_c(row.lang, "c"));
    assert_true(row.e.hash == UINT64_MAX - 5);
    assert_int_equal(row.rev, 1);
    assert_int_equal(row.hover.state, HOVER_UNKNOWN);
    assert_int_equal(row.hover.reason, HOVER_REASON_NOT_ASKED);
    struct span range = {{3, 5, 4}, {9, 8, 7}, 100, 200};
    struct span name_range = {{4, 9, 6}, {4, 12, 9}, 110, 113};
    assert_memory_equal(&row.e.range, &range, sizeof(range));
    assert_memory_equal(&row.e.name_range, &name_range, sizeof(name_range));
    struct entity_row by_id;
    OK(store_read_entity_id(r, row.id, &a, &by_id));
    assert_true(str_eq(by_id.key, row.key));
    assert_int_equal(store_read_entity(r, STR("c:fn:src/a.c#gone"), &a, &row), -ENOENT);
    assert_int_equal(store_read_entity(r, STR("py:method:src/a.c#Box.get"), &a, &row),
                     -ENOENT);
    assert_int_equal(store_read_entity(r, STR("no key"), &a, &row), -ENOENT);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_same_content(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    sample_assert_names(sample_put(w, "a.c", "one:1 two:2"), "added", "one two");
    struct batch *b = sample_batch("a.c", "one:1 two:2");
    b->file.mtime_ns = 2000;
    b->file.inode = 8;
    assert_null(sample_put_batch(w, b));
    struct store_reader *r = sample_read(s);
    struct file f;
    OK(store_read_file(r, STR("a.c"), &a, &f));
    assert_int_equal(f.mtime_ns, 2000);
    assert_int_equal(f.inode, 8);
    assert_int_equal(f.state, FILE_INDEXED);
    assert_int_equal(store_read_file(r, STR("b.c"), &a, &f), -ENOENT);
    store_reader_close(r);
    store_writer_close(w);
}

/* Another gloss reads the same text another way: what is the same stays as it is, hovers too. */
static void
test_other_maker(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    struct file f;
    struct entity_row row;
    OK(store_set_maker(w, STR("first")));
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    event_unref(sample_put_hovers(w, "a.c", "one:1 two:2", "one=first two=second"));
    struct store_reader *r = sample_read(s);
    OK(store_read_file(r, STR("a.c"), &a, &f));
    int64_t mtime_ns = f.mtime_ns;
    OK(store_set_maker(w, STR("first")));
    OK(store_read_file(r, STR("a.c"), &a, &f));
    assert_int_equal(f.mtime_ns, mtime_ns);
    OK(store_set_maker(w, STR("second")));
    OK(store_read_file(r, STR("a.c"), &a, &f));
    assert_int_equal(f.mtime_ns, FILE_MTIME_OTHER_MAKER);

    struct batch *b = sample_batch("a.c", "one:1 two:2 three:3");
    b->file.content = f.content;
    sample_assert_names(sample_put_batch(w, b), "added", "three");
    OK(store_read_file(r, STR("a.c"), &a, &f));
    assert_int_equal(f.mtime_ns, mtime_ns);
    OK(sample_row(r, "a.c", "one", 1, &a, &row));
    assert_int_equal(row.hover.state, HOVER_KNOWN);
    assert_false(row.hover.stale);
    OK(store_set_maker(w, STR("third")));
    b = sample_batch("a.c", "one:1 two:2 three:3");
    b->file.content = f.content;
    assert_null(sample_put_batch(w, b));
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_one_function_changed(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2 three:3"));
    struct event *e = sample_put(w, "a.c", "one:1 two:2x three:3");
    event_ref(e);
    event_ref(e);
    sample_assert_names(e, "updated", "two");
    sample_assert_names(e, "added", "");
    sample_assert_names(e, "deleted", "");
    struct store_reader *r = sample_read(s);
    struct entity_row row;
    OK(sample_row(r, "a.c", "one", 1, &a, &row));
    assert_int_equal(row.rev, 1);
    OK(sample_row(r, "a.c", "two", 1, &a, &row));
    assert_int_equal(row.rev, 2);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_moved(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    struct store_reader *r = sample_read(s);
    struct entity_row was, is;
    OK(sample_row(r, "a.c", "two", 1, &a, &was));
    assert_null(sample_put(w, "a.c", "+5 one:1 +1 two:2"));
    OK(sample_row(r, "a.c", "two", 1, &a, &is));
    assert_int_equal(is.e.range.start.line, was.e.range.start.line + 6);
    assert_int_equal(is.rev, was.rev);
    assert_int_equal(is.id, was.id);
    store_reader_close(r);
    store_writer_close(w);
}

/* Both "get": a third one put before them shifts the ordinals, so two are changed and one is new. */
static void
test_same_names(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "get:1 get:2"));
    struct event *e = sample_put(w, "a.c", "get:0 get:1 get:2");
    event_ref(e);
    sample_assert_names(e, "updated", "get get");
    sample_assert_names(e, "added", "get");
    struct store_reader *r = sample_read(s);
    struct entity_row row;
    OK(sample_row(r, "a.c", "get", 3, &a, &row));
    assert_true(row.e.hash == hash64(STR("2")));
    e = sample_put(w, "a.c", "get:0");
    sample_assert_names(e, "deleted", "get get");
    assert_int_equal(sample_row(r, "a.c", "get", 2, &a, &row), -ENOENT);
    store_reader_close(r);
    store_writer_close(w);
}

static int
collect_name(void *ctx, const struct entity_row *row)
{
    buf_printf(ctx, "%.*s ", STR_ARG(row->e.name));
    return 0;
}

/* In the order of the text, whatever the order in which they came. */
static void
test_order_of_a_file(void **state)
{
    struct sample *s = *state;
    AUTO(buf_finish) struct buf names = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "b:1 d:2"));
    event_unref(sample_put(w, "a.c", "a:0 b:1 c:5 d:2"));
    event_unref(sample_put(w, "0.c", "z:1"));
    struct store_reader *r = sample_read(s);
    OK(store_each_entity(r, STR("a.c"), collect_name, &names));
    assert_string_equal(names.p, "a b c d ");
    buf_reset(&names);
    OK(store_each_entity(r, STR_NONE, collect_name, &names));
    assert_string_equal(names.p, "z a b c d ");
    buf_reset(&names);
    OK(store_each_entity(r, STR("gone.c"), collect_name, &names));
    assert_int_equal(names.n, 0);
    store_reader_close(r);
    store_writer_close(w);
}

static struct event *
put_state(struct store_writer *w, const char *path, enum file_state state,
          enum file_reason reason)
{
    struct batch *b = batch_create(str_of(path));
    b->file.state = state;
    b->file.reason = reason;
    b->file.size_bytes = 5;
    return sample_put_batch(w, b);
}

static void
test_failed_and_skipped(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    assert_null(put_state(w, "s.bin", FILE_SKIPPED, FILE_REASON_BINARY));
    struct event *e = put_state(w, "f.c", FILE_FAILED, FILE_REASON_UNREADABLE);
    assert_int_equal(e->type, EVENT_FILE_FAILED);
    event_unref(e);
    assert_null(put_state(w, "f.c", FILE_FAILED, FILE_REASON_UNREADABLE));
    e = sample_put(w, "f.c", "one:1");
    assert_int_equal(e->type, EVENT_FILE_COMPLETED);
    sample_assert_names(e, "added", "one");
    e = put_state(w, "f.c", FILE_FAILED, FILE_REASON_TIMED_OUT);
    assert_int_equal(e->type, EVENT_FILE_FAILED);
    sample_assert_names(e, "deleted", "one");
    event_unref(sample_put(w, "f.c", "one:1"));
    e = put_state(w, "f.c", FILE_SKIPPED, FILE_REASON_TOO_LARGE);
    sample_assert_names(e, "deleted", "one");
    assert_null(sample_delete(w, "s.bin"));
    assert_null(sample_delete(w, "never.c"));
    struct store_reader *r = sample_read(s);
    struct store_counts c;
    OK(store_read_counts(r, &c));
    assert_int_equal(c.files[FILE_SKIPPED], 1);
    assert_int_equal(c.files[FILE_FAILED] + c.files[FILE_INDEXED], 0);
    assert_int_equal(c.entities, 0);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_empty_file_is_told_once(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct event *e = sample_put(w, "a.c", "");
    assert_int_equal(e->type, EVENT_FILE_COMPLETED);
    event_unref(e);
    assert_null(sample_put(w, "a.c", "+1"));
    e = sample_delete(w, "a.c");
    assert_int_equal(e->type, EVENT_FILE_DELETED);
    event_unref(e);
    store_writer_close(w);
}

static void
test_delete_file(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1>x,y two:2"));
    event_unref(sample_put(w, "b.c", "three:1>x"));
    struct event *e = sample_delete(w, "a.c");
    assert_int_equal(e->type, EVENT_FILE_DELETED);
    assert_true(str_eq_c(e->subject, "a.c"));
    sample_assert_names(e, "deleted", "one two");
    struct store_reader *r = sample_read(s);
    struct store_counts c;
    OK(store_read_counts(r, &c));
    assert_int_equal(c.entities, 1);
    assert_int_equal(c.edges, 1);
    assert_int_equal(c.hovers[HOVER_UNKNOWN], 1);
    assert_int_equal(c.reasons[HOVER_REASON_NOT_ASKED], 1);
    store_reader_close(r);
    store_writer_close(w);
}

/* Another language: other keys, so all is new. */
static void
test_other_language(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.h", "one:1"));
    struct batch *b = sample_batch("a.h", "one:1");
    b->file.lang = STR("cpp");
    struct event *e = event_ref(sample_put_batch(w, b));
    event_ref(e);
    sample_assert_names(e, "added", "one");
    sample_assert_names(e, "deleted", "one");
    event_unref(e);
    store_writer_close(w);
}

static void
test_limits(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("a.c", "one:1");
    struct event *event = NULL;
    b->n_entities = ENTITY_PER_FILE_MAX + 1;
    OK(store_begin(w));
    assert_int_equal(store_put_file(w, b, &event), -E2BIG);
    store_rollback(w);
    batch_destroy(b);
    store_writer_close(w);
}

static int
check_numbered(void *ctx, const struct entity_row *row)
{
    unsigned *n = ctx;
    AUTO(buf_finish) struct buf name = {0};
    buf_printf(&name, "f%u", *n);
    assert_true(str_eq(row->e.name, buf_str(&name)));
    assert_true(row->e.hash == hash64(buf_str(&name)));
    assert_int_equal(row->e.doc.n, *n % 3 == 0 ? 3 : 0);
    assert_int_equal(row->e.range.start.line, 2 * *n);
    ++*n;
    return 0;
}

/* Rows are written several at once: whatever their number, each is there and none has another's. */
static void
test_rows_of_any_number(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct store_reader *r = sample_read(s);
    for (unsigned n = 0; n < 70; n += n < 40 ? 1 : 7) {
        AUTO(buf_finish) struct buf spec = {0};
        unsigned seen = 0;
        for (unsigned i = 0; i < n; i++)
            buf_printf(&spec, "f%u:f%u:s%s ", i, i, i % 3 == 0 ? ":doc" : "");
        event_unref(sample_put(w, n % 2 == 0 ? "a.c" : "b.c", spec.p ? spec.p : ""));
        OK(store_each_entity(r, n % 2 == 0 ? STR("a.c") : STR("b.c"), check_numbered,
                             &seen));
        assert_int_equal(seen, n);
        event_unref(sample_delete(w, n % 2 == 0 ? "b.c" : "a.c"));
    }
    store_reader_close(r);
    store_writer_close(w);
}

/* ---- several commands of one transaction ---- */

static void
put_within(struct store_writer *w, const char *path, const char *spec, const char *list,
           const char *names)
{
    struct batch *b = sample_batch(path, spec);
    struct event *event = NULL;
    OK(store_put_file(w, b, &event));
    sample_assert_names(event, list, names);
    batch_destroy(b);
}

static void
change_within(struct store_writer *w)
{
    struct event *event = NULL;
    put_within(w, "a.c", "one:1 two:2", "added", "one two");
    put_within(w, "b.c", "three:3", "added", "three");
    put_within(w, "a.c", "one:1 two:5 more:6", "updated", "two");
    put_within(w, "c.c", "four:4", "added", "four");
    struct hover_batch *h = sample_hovers("b.c", "three:3", "three=x");
    OK(store_put_hovers(w, h, &event));
    sample_assert_names(event, "enriched", "three");
    hover_batch_destroy(h);
    put_within(w, "d.c", "gone:1", "added", "gone");
    OK(store_delete_file(w, STR("d.c"), &event));
    sample_assert_names(event, "deleted", "gone");
    put_within(w, "e.c", "five:5", "added", "five");
    put_within(w, "c.c", "seven:7", "deleted", "four");
}

/* What a command wrote is there for those behind it, and none of it when it is taken back. */
static void
test_changes_within_a_transaction(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf names = {0};
    struct entity_row row;
    struct store_writer *w = sample_open(s, NULL);
    OK(store_begin(w));
    change_within(w);
    store_rollback(w);
    event_unref(sample_put(w, "0.c", "zero:0"));
    struct store_reader *r = sample_read(s);
    OK(store_each_entity(r, STR_NONE, collect_name, &names));
    assert_string_equal(names.p, "zero ");
    OK(store_begin(w));
    change_within(w);
    OK(store_commit(w));
    buf_reset(&names);
    OK(store_each_entity(r, STR_NONE, collect_name, &names));
    assert_string_equal(names.p, "zero one two more three seven five ");
    OK(sample_row(r, "a.c", "two", 1, &a, &row));
    assert_true(row.e.hash == hash64(STR("5")));
    OK(sample_row(r, "b.c", "three", 1, &a, &row));
    assert_int_equal(row.hover.state, HOVER_KNOWN);
    store_reader_close(r);
    store_writer_close(w);
}
