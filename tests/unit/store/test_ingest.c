/* What scanners send: items into rows, and what the log says of them. */

/* Lines as they are streamed; the batch is committed, and the caller's. */
static struct ingest_batch *
ingest_read(const char *lines)
{
    struct ingest_batch *batch = ingest_batch_create();
    struct str rest = str_of(lines), line;
    batch->source = STR("pushed:x");
    for (uint64_t n = 1; str_split(&rest, '\n', &line); n++) {
        json_t *json = NULL;
        struct ingest_item *item = ingest_batch_add(batch);
        item->line = n;
        OK(codec_parse(line, &json, NULL));
        const char *fault = codec_read_ingest(json, batch, item);
        if (fault)
            fail_msg("%.*s: %s", STR_ARG(line), fault);
        json_decref(json);
    }
    return batch;
}

static struct ingest_batch *
ingest_put(struct store_writer *w, const char *lines)
{
    struct ingest_batch *batch = ingest_read(lines);
    OK(store_begin(w));
    OK(store_put_entities(w, batch));
    OK(store_commit(w));
    return batch;
}

/* Of the only event. */
static void
assert_ingest_told(struct ingest_batch *batch, const char *list, const char *names)
{
    assert_int_equal(batch->n_events, 1);
    sample_assert_names(event_ref(batch->events[0]), list, names);
}

#define AT(line)                                                                         \
    "\"range\":{\"start\":{\"line\":" #line ",\"character\":0},"                         \
    "\"end\":{\"line\":" #line ",\"character\":90}}"
#define FN(path, name, line)                                                             \
    "{\"lang\":\"c\",\"kind\":\"fn\",\"path\":\"" path "\",\"name\":\"" name             \
    "\",\"signature\":\"int " name "(void)\"," AT(line)
#define KEY(path, name) "\"c:fn:" path "#" name "\""
#define BELOW(name, parent) FN("a.c", name, 1) ",\"parent\":" KEY("a.c", parent)
#define LOST                                                                             \
    "{\"kind\":\"fn\",\"name\":\"lost\",\"parent\":" KEY("a.c", "two") "," AT(1) "}"

static void
test_ingest(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    struct ingest_batch *b = ingest_put(
        w, FN("a.c", "one", 1) ",\"doc\":\"Says.\",\"hover\":\"**one**\"}\n" FN(
               "b.c", "far",
               1) "}\n" FN("a.c", "two",
                           2) ",\"parent\":" KEY("a.c",
                                                 "one") ",\"edges\":[{\"kind\":"
                                                        "\"calls\",\"target\":\"far\","
                                                        "\"line\":2,\"character\":7}]}");
    assert_int_equal(b->n_events, 2);
    assert_int_equal(b->events[0]->seq, 1);
    assert_true(str_eq_c(b->events[0]->subject, "a.c"));
    assert_int_equal(b->v[0].seq, 1);
    assert_int_equal(b->v[1].seq, 2);
    assert_int_equal(b->v[2].seq, 1);
    assert_int_equal(b->seq, 2);
    sample_assert_names(event_ref(b->events[0]), "added", "one two");
    ingest_batch_destroy(b);

    struct store_reader *r = sample_read(s);
    struct entity_row row;
    OK(sample_row(r, "a.c", "one", 1, &a, &row));
    assert_int_equal(row.hover.state, HOVER_KNOWN);
    assert_true(str_eq_c(row.hover.markdown, "**one**"));
    assert_true(str_eq_c(row.hover.server, "pushed:x"));
    assert_false(row.hover.stale);
    assert_true(str_eq_c(row.e.doc, "Says."));
    assert_int_equal(row.e.range.end.col_utf16, 90);
    assert_int_equal(row.e.name_range.end.col_utf16, 3);
    assert_int_equal(row.rev, 1);
    OK(sample_row(r, "a.c", "two", 1, &a, &row));
    assert_int_equal(row.hover.state, HOVER_UNKNOWN);
    assert_int_equal(row.hover.reason, HOVER_REASON_NO_SERVER);
    assert_true(str_eq_c(row.parent_key, "c:fn:a.c#one"));
    struct store_counts counts;
    OK(store_read_counts(r, &counts));
    assert_int_equal(counts.entities, 3);
    assert_int_equal(counts.edges, 1);
    assert_int_equal(counts.hovers[HOVER_KNOWN], 1);
    store_reader_close(r);
    store_writer_close(w);
}

/* A file's sender, 0: nobody alone. */
static uint64_t
sender_of(struct sample *s, const char *path)
{
    AUTO(arena_finish) struct arena a = {0};
    struct store_reader *r = sample_read(s);
    struct file file = {0};
    OK(store_read_file(r, str_of(path), &a, &file));
    store_reader_close(r);
    return file.inode;
}

static void
put_as(struct store_writer *w, const char *sender, const char *lines)
{
    AUTO(ingest_batch_destroy) struct ingest_batch *batch = ingest_read(lines);
    batch->sender = ingest_sender(str_of(sender));
    OK(store_begin(w));
    OK(store_put_entities(w, batch));
    OK(store_commit(w));
}

/* Who sent all of a file has it, until another one changes it. */
static void
test_ingest_sender(void **state)
{
    static const char all[] =
        "{\"op\":\"file\",\"path\":\"a.c\",\"lang\":\"c\","
        "\"entities\":[{\"kind\":\"fn\",\"name\":\"one\"," AT(1) "}]}";
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    uint64_t one = ingest_sender(STR("one")), two = ingest_sender(STR("two"));
    assert_true(one != 0 && two != 0 && one != two);
    assert_int_equal(ingest_sender(STR_NONE), 0);
    put_as(w, "one", all);
    assert_int_equal(sender_of(s, "a.c"), one);
    put_as(w, "one", FN("a.c", "two", 2) "}\n" FN("b.c", "two", 2) "}");
    assert_int_equal(sender_of(s, "a.c"), one);
    assert_int_equal(sender_of(s, "b.c"), one);
    put_as(
        w, "two",
        FN("b.c", "six", 6) "}\n{\"op\":\"delete\",\"entity\":" KEY("a.c", "none") "}");
    assert_int_equal(sender_of(s, "b.c"), 0);
    assert_int_equal(sender_of(s, "a.c"), one);
    put_as(w, "two", all); // the same once more, of somebody else
    assert_int_equal(sender_of(s, "a.c"), two);
    put_as(w, "one", "{\"op\":\"delete\",\"entity\":" KEY("a.c", "one") "}");
    assert_int_equal(sender_of(s, "a.c"), 0);
    put_as(w, "two", all);
    put_as(w, "two", "{\"op\":\"delete\",\"entity\":" KEY("a.c", "one") "}");
    assert_int_equal(sender_of(s, "a.c"), two);
    put_as(w, "", all);
    assert_int_equal(sender_of(s, "a.c"), 0);
    store_writer_close(w);
}

static void
test_ingest_changes(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    ingest_batch_destroy(
        ingest_put(w, FN("a.c", "one", 1) ",\"hover\":\"1\"}\n" FN(
                          "a.c", "two", 2) "}\n" FN("a.c", "six", 6) "}"));
    struct ingest_batch *b = ingest_put(w, FN("a.c", "two", 2) ",\"doc\":\"new\"}");
    assert_ingest_told(b, "updated", "two");
    ingest_batch_destroy(b);
    b = ingest_put(w, FN("a.c", "one", 1) "}"); // the hover stays with the signature
    assert_int_equal(b->n_events, 0);
    assert_int_equal(b->v[0].seq, 2);
    ingest_batch_destroy(b);
    b = ingest_put(w, FN("a.c", "one", 1) ",\"hover\":\"other\"}");
    assert_ingest_told(b, "updated", "one");
    ingest_batch_destroy(b);
    b = ingest_put(
        w, "{\"op\":\"delete\",\"entity\":" KEY(
               "a.c", "two") "}\n"
                             "{\"op\":\"delete\",\"entity\":" KEY("a.c", "none") "}");
    assert_true(b->v[0].is_found);
    assert_false(b->v[1].is_found);
    assert_ingest_told(b, "deleted", "two");
    ingest_batch_destroy(b);
    b = ingest_put(
        w, "{\"op\":\"file\",\"path\":\"a.c\",\"lang\":\"c\",\"entities\":["
           "{\"kind\":\"fn\",\"name\":\"six\",\"signature\":\"int six(void)\"," AT(
               6) "},{\"kind\":\"fn\",\"name\":\"six\"," AT(7) "}]}");
    assert_int_equal(b->n_events, 1);
    sample_assert_names(event_ref(b->events[0]), "deleted", "one");
    sample_assert_names(event_ref(b->events[0]), "added", "six");
    ingest_batch_destroy(b);
    struct store_reader *r = sample_read(s);
    struct entity_row row;
    OK(sample_row(r, "a.c", "six", 2, &a, &row));
    assert_int_equal(row.e.range.start.line, 7);
    store_reader_close(r);
    b = ingest_put(
        w, "{\"op\":\"delete\",\"path\":\"a.c\"}\n{\"op\":\"delete\",\"path\":\"b.c\"}");
    assert_int_equal(b->n_events, 1);
    assert_int_equal(b->events[0]->type, EVENT_FILE_DELETED);
    assert_false(b->v[1].is_found);
    ingest_batch_destroy(b);
    store_writer_close(w);
}

static void
test_ingest_faults(void **state)
{
    static const struct {
        const char *text;
        bool is_good;
    } lines[] = {
        {BELOW("one", "none") ",\"key\":\"k\"}", false},
        {FN("a.c", "one", 1) "}", true},
        {BELOW("two", "one") "}", true},
        {BELOW("one", "two") "}", false}, // a ring
        {BELOW("one", "one") "}", false},
        {"{\"lang\":\"py\",\"kind\":\"fn\",\"path\":\"a.c\",\"name\":\"p\"," AT(5) "}",
         false},
        {"{\"op\":\"file\",\"path\":\"a.c\",\"lang\":\"c\",\"entities\":[" LOST "]}",
         false},
        {FN("b.c", "far", 1) "}", true},
    };
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    AUTO(buf_finish) struct buf text = {0};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        buf_printf(&text, "%s%s", i > 0 ? "\n" : "", lines[i].text);
    struct ingest_batch *b = ingest_put(w, text.p);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_int_equal(b->v[i].fault == NULL, lines[i].is_good);
    assert_int_equal(b->n_events, 2);
    sample_assert_names(event_ref(b->events[0]), "added", "one two");
    ingest_batch_destroy(b);
    b = ingest_put(w, FN("a.c", "three", 3) ",\"key\":\"k\"}"); // its fault left no key
    assert_false(b->v[0].is_again);
    assert_ingest_told(b, "added", "three");
    ingest_batch_destroy(b);
    store_writer_close(w);
}

/* ---- as many as may be, and one more ---- */

static struct ingest_item *
add_many(struct ingest_batch *b, size_t n_entities, size_t n_edges)
{
    struct ingest_item *item = ingest_batch_add(b);
    item->op = INGEST_PUT_FILE;
    item->path = STR("a.c");
    item->lang = STR("c");
    item->n_entities = n_entities;
    item->entities = arena_calloc(&b->arena, n_entities, sizeof(*item->entities));
    for (size_t i = 0; i < n_entities; i++) {
        struct str name = arena_printf(&b->arena, "f%zu", i);
        item->entities[i].e = (struct entity){.kind = ENTITY_FUNCTION,
                                              .ordinal = 1,
                                              .parent = ENTITY_NONE,
                                              .name = name,
                                              .qualified_name = name};
    }
    item->entities[0].edges =
        arena_calloc(&b->arena, n_edges + 1, sizeof(*item->entities[0].edges));
    item->entities[0].n_edges = n_edges;
    for (size_t i = 0; i < n_edges; i++)
        item->entities[0].edges[i] = (struct edge){
            .kind = EDGE_CALLS,
            .target = STR("g"),
            .at = {(uint32_t)i / 100, (uint32_t)i % 100, (uint32_t)i % 100}};
    return item;
}

static void
assert_fault_of_last(struct store_writer *w, struct ingest_batch *b, const char *fault)
{
    OK(store_begin(w));
    OK(store_put_entities(w, b));
    OK(store_commit(w));
    const char *is = b->v[b->n - 1].fault;
    if (fault ? !is || !strstr(is, fault) : is != NULL)
        fail_msg("%s, not %s", is ? is : "done", fault ? fault : "done");
    ingest_batch_destroy(b);
}

static void
test_ingest_of_many(void **state)
{
    static const char one_more[] = FN("a.c", "one", 1) "}";
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct ingest_batch *b = ingest_batch_create();
    add_many(b, ENTITY_PER_FILE_MAX, 0);
    assert_fault_of_last(w, b, NULL);
    assert_fault_of_last(w, ingest_read(one_more), "at most 50000 entities");
    b = ingest_batch_create();
    add_many(b, 1, EDGE_PER_FILE_MAX);
    assert_fault_of_last(w, b, NULL);
    b = ingest_batch_create();
    add_many(b, 1, EDGE_PER_FILE_MAX + 1);
    assert_fault_of_last(w, b, "at most 200000 edges");
    store_writer_close(w);
}

/* Each within the one before: so many above the last. */
static struct ingest_batch *
nested(size_t n_above)
{
    AUTO(buf_finish) struct buf text = {0};
    for (size_t i = 0; i <= n_above; i++) {
        buf_printf(&text,
                   "%s{\"lang\":\"c\",\"kind\":\"fn\",\"path\":\"a.c\",\"name\":"
                   "\"f%zu\"," AT(1),
                   i > 0 ? "\n" : "", i);
        if (i > 0)
            buf_printf(&text, ",\"parent\":\"c:fn:a.c#f%zu\"", i - 1);
        buf_add_char(&text, '}');
    }
    return ingest_read(text.p);
}

static void
test_ingest_depth(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    assert_fault_of_last(w, nested(INGEST_DEPTH_MAX), NULL);
    assert_fault_of_last(w, nested(INGEST_DEPTH_MAX + 1), "more than 64 deep");
    store_writer_close(w);
}

/* Neither does it make a file beside what is done to the same path. */
static void
test_ingest_fault_leaves_nothing(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    static const char lost[] =
        FN("a.c", "one", 1) ",\"parent\":" KEY("a.c", "none") "}\n";
    static const char gone[] = "{\"op\":\"delete\",\"entity\":" KEY("a.c", "one") "}";
    AUTO(free) char *lines = xasprintf("%s%s", lost, gone);
    struct ingest_batch *b = ingest_put(w, lines);
    assert_non_null(b->v[0].fault);
    assert_null(b->v[1].fault);
    assert_int_equal(b->n_events, 0);
    ingest_batch_destroy(b);
    struct store_reader *r = sample_read(s);
    struct store_counts counts;
    OK(store_read_counts(r, &counts));
    assert_int_equal(counts.files[FILE_INDEXED], 0);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_ingest_once(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    struct ingest_batch *b = ingest_put(w, FN("a.c", "one", 1) ",\"key\":\"k1\"}\n" FN(
                                               "a.c", "two", 2) ",\"key\":\"k1\"}");
    assert_true(b->v[1].is_again);
    assert_int_equal(b->v[1].seq, 1);
    assert_ingest_told(b, "added", "one");
    ingest_batch_destroy(b);
    ingest_batch_destroy(ingest_put(w, "{\"op\":\"delete\",\"path\":\"a.c\"}"));
    b = ingest_put(w, FN("a.c", "one", 1) ",\"key\":\"k1\"}");
    assert_true(b->v[0].is_again);
    assert_int_equal(b->v[0].seq, 1);
    assert_int_equal(b->n_events, 0);
    ingest_batch_destroy(b);

    b = ingest_read(FN("a.c", "one", 1) ",\"key\":\"k2\"}");
    OK(store_begin(w));
    OK(store_put_entities(w, b));
    store_rollback(w);
    OK(store_begin(w));
    OK(store_put_entities(w, b)); // the same batch, tried again
    OK(store_commit(w));
    assert_false(b->v[0].is_again);
    assert_ingest_told(b, "added", "one");
    ingest_batch_destroy(b);

    b = ingest_read(FN("a.c", "six", 1) "}");
    b->once = STR("whole");
    OK(store_begin(w));
    OK(store_put_entities(w, b));
    int64_t seq = b->seq;
    assert_false(b->is_again);
    OK(store_put_entities(w, b));
    OK(store_commit(w));
    assert_true(b->is_again);
    assert_int_equal(b->seq, seq);
    ingest_batch_destroy(b);

    b = ingest_read(FN("a.c", "ten", 1) ",\"key\":\"same\"}");
    b->once = STR("same"); // of the line, and of all of them
    OK(store_begin(w));
    OK(store_put_entities(w, b));
    assert_false(b->is_again);
    OK(store_put_entities(w, b));
    OK(store_commit(w));
    assert_true(b->is_again);
    ingest_batch_destroy(b);

    bool more = false;
    OK(store_begin(w));
    OK(store_prune(w, clock_wall_ms() + STORE_ONCE_AGE_MS + 60000, &more));
    OK(store_commit(w));
    assert_false(more);
    b = ingest_put(w, FN("a.c", "two", 1) ",\"key\":\"k1\"}");
    assert_false(b->v[0].is_again);
    ingest_batch_destroy(b);
    store_writer_close(w);
}

#define GONE(path, name) "{\"op\":\"delete\",\"entity\":" KEY(path, name) "}"

/* What became of each: a word for a fault, found or done. */
static void
assert_outcomes(const struct ingest_batch *b, const char *const *expected)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct ingest_item *item = &b->v[i];
        const char *is = item->fault ? item->fault : item->is_found ? "found" : "done";
        if (!strstr(is, expected[i]))
            fail_msg("%zu: %s is not %s", i, is, expected[i]);
        if (!item->fault)
            assert_int_equal(item->seq, b->seq);
    }
}

static struct ingest_batch *
ingest_put_once(struct store_writer *w, const char *lines, const char *key,
                size_t unreadable)
{
    struct ingest_batch *b = ingest_read(lines);
    if (unreadable < b->n)
        b->v[unreadable] = (struct ingest_item){.op = INGEST_BAD, .fault = "no sense"};
    b->once = str_of(key);
    OK(store_begin(w));
    OK(store_put_entities(w, b));
    OK(store_commit(w));
    return b;
}

/* Who sends a batch again is told what was told, even when it holds something else by now. */
static void
test_ingest_once_says_the_same(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    static const char lines[] = FN("a.c", "one", 1) "}\n" GONE("a.c", "one") "\n" FN(
        "a.c", "two",
        2) ",\"parent\":" KEY("a.c", "none") "}\n" GONE("a.c", "nil") "\n" FN("a.c",
                                                                              "six",
                                                                              3) "}";
    static const char other[] = FN("a.c", "one", 1) "}\n" FN("a.c", "two", 2) "}\n" FN(
        "a.c", "ten", 3) "}\n" FN("a.c", "six", 4) "}\n" FN("a.c", "odd", 5) "}";
    static const char *const told[] = {"done", "found", "parent is no", "done",
                                       "no sense"};
    static const char *const told_of_other[] = {"done", "found", "parent is no", "done",
                                                "with another key"};
    static const char *const all[] = {"done", "done", "done", "done", "done"};
    struct ingest_batch *b = ingest_put_once(w, lines, "k", 4);
    assert_false(b->is_again);
    assert_outcomes(b, told);
    ingest_batch_destroy(b);
    for (int i = 0; i < 2; i++) {
        b = ingest_put_once(w, lines, "k", 4);
        assert_true(b->is_again);
        assert_int_equal(b->n_events, 0);
        assert_outcomes(b, told);
        ingest_batch_destroy(b);
    }
    b = ingest_put_once(w, other, "k", 5);
    assert_true(b->is_again);
    assert_outcomes(b, told_of_other);
    ingest_batch_destroy(b);

    ingest_batch_destroy(ingest_put_once(w, other, "all", 5));
    b = ingest_put_once(w, lines, "all", 4);
    assert_true(b->is_again);
    assert_outcomes(b, all);
    ingest_batch_destroy(b);
    bool more = false;
    OK(store_begin(w));
    OK(store_prune(w, clock_wall_ms() + STORE_ONCE_AGE_MS + 60000, &more));
    OK(store_commit(w));
    b = ingest_put_once(w, other, "k", 5);
    assert_false(b->is_again);
    assert_outcomes(b, all);
    ingest_batch_destroy(b);
    store_writer_close(w);
}

/* More lines than one step of pruning takes rows, none of which makes sense; the same batch each time. */
static void
put_many_bad(struct store_writer *w, bool is_again)
{
    AUTO(ingest_batch_destroy) struct ingest_batch *b = ingest_batch_create();
    for (int i = 0; i < 6000; i++)
        *ingest_batch_add(b) =
            (struct ingest_item){.op = INGEST_BAD, .fault = "no sense"};
    b->once = STR("k");
    OK(store_begin(w));
    OK(store_put_entities(w, b));
    OK(store_commit(w));
    assert_int_equal(b->is_again, is_again);
    for (size_t i = 0; i < b->n; i++)
        assert_non_null(b->v[i].fault);
}

static void
prune_once_before(struct store_writer *w, int64_t ms)
{
    bool more = false;
    OK(store_begin(w));
    OK(store_prune(w, ms + STORE_ONCE_AGE_MS, &more));
    OK(store_commit(w));
}

/* Of what a step began nothing is left, or what was refused would be told as stored. */
static void
test_ingest_once_is_pruned_whole(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    int64_t next_ms = clock_wall_ms();
    put_many_bad(w, false);
    prune_once_before(w, next_ms + 60000);
    for (next_ms = clock_wall_ms() + 1; clock_wall_ms() < next_ms;)
        sched_yield();
    put_many_bad(w, false);
    prune_once_before(w, next_ms);
    put_many_bad(w, true);
    store_writer_close(w);
}

/* ---- wherever the lines are cut ---- */

struct ingest_dump {
    struct buf text;
    const char *prefix;
};

static int
dump_ingested(void *ctx, const struct entity_row *row)
{
    struct ingest_dump *d = ctx;
    if (!str_starts_with(row->path, str_of(d->prefix)))
        return 0;
    size_t n = strlen(d->prefix);
    buf_printf(
        &d->text, "%.*s %.*s %u:%u %.*s <%.*s> %.*s\n", STR_ARG(row->e.qualified_name),
        STR_ARG(str_slice(row->path.p + n, row->path.n - n)), row->e.range.start.line,
        row->e.ordinal, STR_ARG(row->e.signature), STR_ARG(row->hover.markdown),
        row->parent_key.n > 0 ? (int)row->parent_key.n - 5 - (int)n : 0,
        row->parent_key.n > 0 ? row->parent_key.p + 5 + n : "");
    return 0;
}

static int
dump_ingested_edge(void *ctx, const struct edge_row *edge)
{
    struct ingest_dump *d = ctx;
    if (!str_starts_with(edge->path, str_of(d->prefix)))
        return 0;
    buf_printf(&d->text, "%u %.*s %u\n", edge->line, STR_ARG(edge->target),
               edge->from_key.n > 0);
    return 0;
}

/* One of the ways to change two files with a few names. */
static char *
random_line(unsigned *seed, const char *prefix)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    unsigned n = (unsigned)rand_r(seed);
    const char *name = names[n % 5], *other = names[n / 5 % 5];
    unsigned file = n / 25 % 2, line = n / 50 % 9;
    char range[128];
    snprintf(range, sizeof(range),
             "\"range\":{\"start\":{\"line\":%u,\"character\":%u},\"end\":{\"line\":%u,"
             "\"character\":50}}",
             line, n % 5, line + n / 500 % 3);
    switch (n / 5000 % 12) {
    case 0:
        return xasprintf("{\"op\":\"delete\",\"entity\":\"c:fn:%s%u.c#%s\"}", prefix,
                         file, name);
    case 1:
        if (n / 60000 % 3 == 0)
            return xasprintf("{\"op\":\"delete\",\"path\":\"%s%u.c\"}", prefix, file);
        return xasprintf(
            "{\"op\":\"file\",\"path\":\"%s%u.c\",\"lang\":\"c\",\"entities\":[{"
            "\"kind\":\"fn\",\"name\":\"%s\",%s}],\"edges\":[{\"kind\":"
            "\"imports\",\"target\":\"m\",\"line\":%u,\"character\":0}]}",
            prefix, file, name, range, line);
    case 2:
    case 3:
    case 4:
        return xasprintf(
            "{\"lang\":\"c\",\"kind\":\"fn\",\"path\":\"%s%u.c\",\"name\":\"%s\","
            "\"parent\":\"c:fn:%s%u.c#%s\",%s}",
            prefix, file, name, prefix, file, other, range);
    case 5:
        return xasprintf(
            "{\"lang\":\"c\",\"kind\":\"fn\",\"path\":\"%s%u.c\",\"name\":\"%s\","
            "\"hover\":\"h%u\",%s}",
            prefix, file, name, line, range);
    }
    return xasprintf(
        "{\"lang\":\"c\",\"kind\":\"fn\",\"path\":\"%s%u.c\",\"name\":\"%s\","
        "\"signature\":\"s%u\",\"edges\":[{\"kind\":\"calls\",\"target\":\"%s\","
        "\"line\":%u,\"character\":2}],%s}",
        prefix, file, name, line, other, line, range);
}

/* All lines of a seed, cut after `cut` of them each; 0: anywhere. */
static char *
ingest_cut(const struct sample *s, struct store_writer *w, unsigned seed, unsigned cut,
           const char *prefix)
{
    struct ingest_dump d = {.prefix = prefix};
    struct buf lines = {0};
    unsigned cuts = seed * 7 + 1, n = 0;
    for (unsigned i = 0; i < 120; i++) {
        char *line = random_line(&seed, prefix);
        buf_printf(&lines, "%s%s", n > 0 ? "\n" : "", line);
        free(line);
        n++;
        if (i < 119 && (cut > 0 ? n < cut : rand_r(&cuts) % 9 > 0))
            continue;
        ingest_batch_destroy(ingest_put(w, lines.p));
        buf_reset(&lines);
        n = 0;
    }
    buf_finish(&lines);
    struct store_reader *r = sample_read(s);
    OK(store_each_entity(r, STR_NONE, dump_ingested, &d));
    OK(store_each_edge(r, dump_ingested_edge, &d));
    store_reader_close(r);
    return buf_steal(&d.text);
}

static void
test_ingest_cut_anywhere(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    for (unsigned seed = 1; seed <= 6; seed++) {
        char one[16], whole[16], any[16];
        snprintf(one, sizeof(one), "%u-one/", seed);
        snprintf(whole, sizeof(whole), "%u-all/", seed);
        snprintf(any, sizeof(any), "%u-any/", seed);
        char *expected = ingest_cut(s, w, seed, 1, one);
        char *is_whole = ingest_cut(s, w, seed, 1000, whole);
        char *is_any = ingest_cut(s, w, seed, 0, any);
        assert_true(strlen(expected) > 20);
        assert_string_equal(is_whole, expected);
        assert_string_equal(is_any, expected);
        free(expected);
        free(is_whole);
        free(is_any);
    }
    store_writer_close(w);
}
