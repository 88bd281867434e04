/* Finding: what waits for the text index and what is in it must be found alike. */

static void
index_all(struct store_writer *w)
{
    bool more = true;
    while (more) {
        OK(store_begin(w));
        OK(store_index_text(w, 2, &more));
        OK(store_commit(w));
    }
}

/* Names found, sorted by name so that only the set counts. */
static char *
find(struct store_reader *r, const char *query)
{
    struct buf b = {0};
    OK(store_search_text(r, str_of(query), 100, collect_name, &b));
    VEC(struct str) names = {0};
    struct str rest = buf_str(&b), name;
    while (str_split(&rest, ' ', &name)) {
        size_t i = names.n;
        if (name.n == 0)
            continue;
        (void)vec_push(&names);
        for (; i > 0 && str_cmp(names.v[i - 1], name) > 0; i--)
            names.v[i] = names.v[i - 1];
        names.v[i] = name;
    }
    struct buf sorted = {0};
    for (size_t i = 0; i < names.n; i++)
        buf_printf(&sorted, "%s%.*s", i > 0 ? " " : "", STR_ARG(names.v[i]));
    vec_finish(&names);
    buf_finish(&b);
    return buf_steal(&sorted);
}

static const struct {
    const char *query, *names;
} searches[] = {
    {"run", "HTTPServer runLoop run_loop"}, // in a doc, and as words
    {"loop", "runLoop run_loop"},
    {"LOOP run", "runLoop run_loop"},
    {"runl", "runLoop"},
    {"server", "HTTPServer"},
    {"http", "HTTPServer"},
    {"erver", ""},
    {"fl\xc3\xbcgel", "wing"},
    {"FL\xc3\x9cGEL", "wing"},
    {"\xd0\xba\xd1\x80\xd1\x8b\xd0\xbb\xd0\xbe",
     "wing"},                        // Cyrillic, lower case of what is there
    {"wing\xe2\x80\x94tip", "wing"}, // a dash cuts
    {"\xc5\xa1koda", "wing"},        // so does a wide colon; Latin beyond Latin-1
    {"\xe7\xbf\xbc", "wing"},
    {"\xce\xad\xce\xbd\xce\xb1", "wing"}, // Greek with an accent, too
    {"hoverword", "runLoop"},
    {"void hoverword", "runLoop"},
    {"v", ""}, // one letter is a word, not a beginning
    {"x", "wing"},
    {"", ""},
    {"\"*()", ""},
    {"run AND loop", ""}, // no operators
};

static void
assert_searches(struct store_reader *r)
{
    for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
        char *names = find(r, searches[i].query);
        if (strcmp(names, searches[i].names) != 0)
            fail_msg("search \"%s\": \"%s\", not \"%s\"", searches[i].query, names,
                     searches[i].names);
        free(names);
    }
}

static void
put_searched(struct store_writer *w)
{
    event_unref(sample_put(w, "a.c", "runLoop:1 run_loop:2 HTTPServer:3::to_run_it"));
    struct batch *b = sample_batch("b.c", "wing:1");
    b->entities[0].doc = STR("Fl\xc3\xbcgel, \xd0\x9a\xd1\x80\xd1\x8b\xd0\xbb\xd0\xbe. "
                             "wing\xe2\x80\x94tip x "
                             "\xc5\xa0KODA\xef\xbc\x9a\xe7\xbf\xbc\xe8\x86\x80 "
                             "\xce\x88\xce\x9d\xce\x91");
    event_unref(sample_put_batch(w, b));
    event_unref(sample_put_hovers(w, "a.c",
                                  "runLoop:1 run_loop:2 HTTPServer:3::to_run_it",
                                  "runLoop=some-hoverword"));
}

static void
test_search_text(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    put_searched(w);
    struct store_reader *r = sample_read(s);
    assert_searches(r);
    index_all(w);
    assert_searches(r);
    /* changed behind the index's back */
    event_unref(sample_put(w, "b.c", "tail:1"));
    char *names = find(r, "wing");
    assert_string_equal(names, "");
    free(names);
    index_all(w);
    names = find(r, "wing");
    assert_string_equal(names, "");
    free(names);
    names = find(r, "tail");
    assert_string_equal(names, "tail");
    free(names);
    store_reader_close(r);
    store_writer_close(w);
}

/* Marks between letters are part of a word. Never an error, the same answers before the text is indexed and
 * after. */
static void
test_search_text_marks(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(
        sample_put(w, "a.c",
                   "one:1::nai\xcc\x88ve two:2::\xe0\xa4\xa8\xe0\xa4\xbe\xe0\xa4\xae "
                   "three:3::999Apx\xcd\xa8i9me"));
    struct store_reader *r = sample_read(s);
    static const char *const cases[][2] = {
        {"nai\xcc\x88ve", "one"},          {"999Apx\xcd\xa8i9", "three"},
        {"999Apx\xcd\xa8i9 \xcd\xa8", ""}, {"\xe0\xa4\xbe", ""},
        {"nai\xcc\x88v two", ""},
    };
    for (int is_indexed = 0; is_indexed < 2; is_indexed++) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            AUTO(free) char *names = find(r, cases[i][0]);
            assert_string_equal(names, cases[i][1]);
        }
        index_all(w);
    }
    AUTO(free) char *names = find(r, "\xe0\xa4\xa8\xe0\xa4\xbe\xe0\xa4\xae");
    assert_string_equal(names, "two");
    store_reader_close(r);
    store_writer_close(w);
}

static int
first_name(void *ctx, const struct entity_row *row)
{
    assert_true(row->score > 0);
    buf_add_str(ctx, row->e.name);
    return 7;
}

static void
test_search_text_best_first(void **state)
{
    struct sample *s = *state;
    AUTO(buf_finish) struct buf name = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "a:1::parse b:2 c:3 d:4 parse:5 f:6 g:7"));
    struct store_reader *r = sample_read(s);
    assert_int_equal(store_search_text(r, STR("parse"), 9, first_name, &name), 7);
    assert_string_equal(name.p, "parse");
    index_all(w);
    buf_reset(&name);
    assert_int_equal(store_search_text(r, STR("parse"), 9, first_name, &name), 7);
    assert_string_equal(name.p, "parse");
    store_reader_close(r);
    store_writer_close(w);
}

static int
collect_key(void *ctx, const struct entity_row *row)
{
    buf_printf(ctx, "%.*s ", STR_ARG(row->key));
    return 0;
}

static int
collect_edge(void *ctx, const struct edge_row *e)
{
    buf_printf(ctx, "%.*s>%.*s@%u ", STR_ARG(e->from_key), STR_ARG(e->target), e->line);
    return 0;
}

static void
assert_links(struct store_reader *r)
{
    AUTO(buf_finish) struct buf b = {0};
    OK(store_each_named(r, STR("init"), collect_key, &b));
    assert_string_equal(b.p, "c:fn:a.c#init c:fn:b.c#init c:fn:b.c#init~2 ");
    buf_reset(&b);
    OK(store_each_named(r, STR("ini"), collect_key, &b));
    assert_int_equal(b.n, 0);
    OK(store_each_caller(r, STR("start"), 10, collect_edge, &b));
    assert_string_equal(
        b.p, "c:fn:a.c#init>start@1 c:fn:a.c#main>start@3 c:fn:b.c#init~2>start@3 ");
    buf_reset(&b);
    OK(store_each_caller(r, STR("start"), 2, collect_edge, &b));
    assert_string_equal(b.p, "c:fn:a.c#init>start@1 c:fn:a.c#main>start@3 ");
    buf_reset(&b);
    OK(store_each_callee(r, STR("c:fn:a.c#main"), 10, collect_edge, &b));
    assert_string_equal(b.p, "c:fn:a.c#main>start@3 c:fn:a.c#main>stop@3 ");
    assert_int_equal(store_each_callee(r, STR("c:fn:a.c#gone"), 10, collect_edge, &b),
                     -ENOENT);
    buf_reset(&b);
    OK(store_each_edge(r, collect_edge, &b));
    assert_string_equal(
        b.p, "c:fn:a.c#init>start@1 c:fn:a.c#main>start@3 c:fn:a.c#main>stop@3 "
             "c:fn:b.c#init>other@1 c:fn:b.c#init~2>start@3 ");
}

static void
test_names_and_edges(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "init:1>start main:2>start,stop"));
    event_unref(sample_put(w, "b.c", "init:1>other init:2>start"));
    struct store_reader *r = sample_read(s);
    assert_links(r);
    bool more;
    OK(store_begin(w));
    OK(store_index_text(w, 1, &more)); // one file of two
    OK(store_commit(w));
    assert_true(more);
    assert_links(r);
    index_all(w);
    assert_links(r);
    store_reader_close(r);
    store_writer_close(w);
}

static bool
is_wanted(void *ctx)
{
    ++*(int *)ctx;
    return true;
}

/* When somebody waits a step ends behind one file, and says that there is more; when it says that there is not,
 * nothing waits, not what changed behind it either. */
static void
test_text_step_ends_early(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    int n_asked = 0, n_steps = 0;
    store_set_wanted(w, is_wanted, &n_asked);
    event_unref(sample_put(w, "a.c", "init:1>start main:2>start,stop"));
    event_unref(sample_put(w, "b.c", "init:1>other init:2>start"));
    struct store_reader *r = sample_read(s);
    for (bool more = true; more; n_steps++) {
        OK(store_begin(w));
        OK(store_index_text(w, 1000, &more));
        OK(store_commit(w));
        assert_true(more || n_steps > 0);
        if (n_steps == 0)
            event_unref(sample_put(w, "a.c", "init:1b>start main:2>start,stop"));
        assert_links(r);
    }
    assert_in_range(n_steps, 3, 4);
    assert_true(n_asked > 0);
    n_asked = 0;
    OK(store_begin(w));
    OK(store_index_text(w, 1000, &(bool){false}));
    OK(store_commit(w));
    assert_int_equal(n_asked, 0);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_edges_follow_the_file(void **state)
{
    struct sample *s = *state;
    AUTO(buf_finish) struct buf b = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1>x,y,z two:2>x"));
    event_unref(sample_put(w, "a.c", "zero:0>x one:1b>y"));
    struct store_reader *r = sample_read(s);
    OK(store_each_caller(r, STR("x"), 10, collect_edge, &b));
    assert_string_equal(b.p, "c:fn:a.c#zero>x@1 ");
    buf_reset(&b);
    OK(store_each_caller(r, STR("y"), 10, collect_edge, &b));
    assert_string_equal(b.p, "c:fn:a.c#one>y@3 ");
    buf_reset(&b);
    OK(store_each_caller(r, STR("z"), 10, collect_edge, &b));
    assert_int_equal(b.n, 0);
    store_reader_close(r);
    store_writer_close(w);
}

struct edges_of {
    const char *path;
    struct buf text;
};

static int
collect_edge_of(void *ctx, const struct edge_row *e)
{
    struct edges_of *of = ctx;
    if (str_eq_c(e->path, of->path))
        buf_printf(&of->text, "%.*s>%.*s@%u ", 1, e->from_key.p + e->from_key.n - 1,
                   STR_ARG(e->target), e->line);
    return 0;
}

/* The text that a worker made of them, where slots are the entities' indexes and where they are not. */
static void
test_edges_made_before(void **state)
{
    static const struct {
        const char *spec, *edges;
    } cases[] = {
        {"a:1>x,y b:2>x c:3>z,x", "a>x@1 a>y@1 b>x@3 c>x@5 c>z@5 "},
        {"b:2>x c:3>z,x", "b>x@1 c>x@3 c>z@3 "},     // slots 1, 2
        {"d:4>y,x b:2 c:3>x", "d>y@1 d>x@1 c>x@5 "}, // 3, 1, 2
        {"b:2 c:3", ""},
        {"a:1>x,y b:2>x", "a>x@1 a>y@1 b>x@3 "},
    };
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        struct edges_of of = {.path = i % 2 ? "a.c" : "b.c"};
        struct batch *b = sample_batch(of.path, cases[i / 2].spec);
        if (i % 2)
            store_prepare(b);
        assert_int_equal(b->edges_text.n > 0, i % 2 && b->n_edges > 0);
        event_unref(sample_put_batch(w, b));
        struct store_reader *r = sample_read(s);
        buf_add_cstr(&of.text, "");
        OK(store_each_edge(r, collect_edge_of, &of));
        assert_string_equal(of.text.p, cases[i / 2].edges);
        store_reader_close(r);
        buf_finish(&of.text);
    }
    store_writer_close(w);
}

static void
test_edge_at_file_scope(void **state)
{
    struct sample *s = *state;
    AUTO(buf_finish) struct buf out = {0};
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("a.c", "one:1>stdio");
    b->edges[0].from = ENTITY_NONE;
    b->edges[0].kind = EDGE_IMPORTS;
    event_unref(sample_put_batch(w, b));
    struct store_reader *r = sample_read(s);
    OK(store_each_caller(r, STR("stdio"), 10, collect_edge, &out));
    assert_string_equal(out.p, ">stdio@1 ");
    buf_reset(&out);
    OK(store_each_edge(r, collect_edge, &out));
    assert_string_equal(out.p, ">stdio@1 ");
    store_reader_close(r);
    store_writer_close(w);
}

static int
count_edge(void *ctx, const struct edge_row *edge UNUSED)
{
    ++*(int *)ctx;
    return 0;
}

static int
stop_at_edge(void *ctx, const struct edge_row *edge UNUSED)
{
    ++*(int *)ctx;
    return 7;
}

/* Whatever bytes a name has are the bytes that come back, here and in the view. */
static void
test_odd_targets(void **state)
{
    struct sample *s = *state;
    static const struct str odd[] = {STR("a\"b"), STR("a\\"),       STR("\n\t\x01\x1f"),
                                     STR("a\0b"), STR("]],[[0,\""), STR("\xc3\xbc"),
                                     STR("/")};
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("a.c", "one:1>a,b,c,d,e,f,g two:2>a,b,c,d,e,f,g");
    for (size_t i = 0; i < b->n_edges; i++)
        b->edges[i].target = odd[i % ARRAY_LEN(odd)];
    b->edges[2].at.col_utf16 = 3;
    event_unref(sample_put_batch(w, b));
    struct store_reader *r = sample_read(s);
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        int n = 0;
        OK(store_each_caller(r, odd[i], 10, count_edge, &n));
        assert_int_equal(n, 2);
        OK(store_each_caller(r, odd[i], 1, count_edge, &n));
        assert_int_equal(n, 3);
        assert_int_equal(store_each_caller(r, odd[i], 10, stop_at_edge, &n), 7);
        assert_int_equal(n, 4);
    }
    assert_rows(s, "v_edge WHERE target='a\"b'", 2);
    assert_rows(s, "v_edge WHERE target=char(10,9,1,31)", 2);
    assert_rows(s, "v_edge WHERE character=3", 1);
    int n = 0;
    assert_int_equal(store_each_edge(r, stop_at_edge, &n), 7);
    n = 0;
    OK(store_each_callee(r, STR("c:fn:a.c#two"), 10, count_edge, &n));
    assert_int_equal(n, 7);
    store_reader_close(r);
    store_writer_close(w);
}

/* Places of any size come back as they were, in the row and in the view, and keep their order. */
static void
test_wide_places(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    static const struct span ranges[][2] = {
        {{{1, 65535, 65535}, {1, 65535, 65535}, 10, 20},
         {{1, 65535, 65535}, {1, 65536, 65536}, 10, 11}},
        {{{1, 65536, 65536}, {2, 0, 0}, 20, 30},
         {{1, 65537, 65537}, {1, 65538, 65538}, 21, 22}},
        {{{2, 0, 0}, {3, 70000, 60000}, 40, 90}, {{2, 0, 0}, {2, 1, 1}, 40, 41}},
        {{{4, 0, 0}, {70000, 1, 1}, 100, 200}, {{69999, 3, 2}, {69999, 4, 3}, 150, 151}},
        {{{INT32_MAX, 1, 1}, {INT32_MAX, 9, 9}, INT32_MAX, UINT32_MAX},
         {{INT32_MAX, 2, 2}, {INT32_MAX, 3, 3}, INT32_MAX, INT32_MAX + 1u}},
        {{{UINT32_MAX, 5, 4}, {UINT32_MAX, 9, 9}, UINT32_MAX - 9, UINT32_MAX},
         {{0, 2, 2}, {0, 3, 3}, 7, 8}},
    };
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("a.c", "a:1 b:2 c:3 d:4 e:5 f:6");
    assert_int_equal(b->n_entities, ARRAY_LEN(ranges));
    for (size_t i = 0; i < b->n_entities; i++) {
        b->entities[i].range = ranges[i][0];
        b->entities[i].name_range = ranges[i][1];
    }
    event_unref(sample_put_batch(w, b));
    struct store_reader *r = sample_read(s);
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        struct entity_row row;
        char name[2] = {(char)('a' + i), '\0'};
        OK(sample_row(r, "a.c", name, 1, &a, &row));
        assert_memory_equal(&row.e.range, &ranges[i][0], sizeof(struct span));
        assert_memory_equal(&row.e.name_range, &ranges[i][1], sizeof(struct span));
    }
    AUTO(buf_finish) struct buf names = {0};
    OK(store_each_entity(r, STR("a.c"), collect_name, &names));
    assert_string_equal(names.p, "a b c d e f ");
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        AUTO(buf_finish) struct buf where = {0};
        const struct span *range = &ranges[i][0], *name = &ranges[i][1];
        buf_printf(&where,
                   "v_entity WHERE name='%c' AND start_line=%u AND start_character=%u AND"
                   " end_line=%u AND end_character=%u AND name_line=%u AND"
                   " name_character=%u AND NOT hover_stale",
                   (char)('a' + i), range->start.line, range->start.col_utf16,
                   range->end.line, range->end.col_utf16, name->start.line,
                   name->start.col_utf16);
        assert_rows(s, where.p, 1);
    }
    event_unref(sample_delete(w, "a.c"));
    store_reader_close(r);
    store_writer_close(w);
}

struct nested {
    struct store_reader *r;
    size_t n;
};

static int
read_again(void *ctx, const struct entity_row *row)
{
    struct nested *nested = ctx;
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf names = {0};
    struct entity_row same;
    OK(store_read_entity_id(nested->r, row->id, &a, &same));
    assert_true(str_eq(same.e.name, row->e.name));
    OK(store_each_name(nested->r, collect_name, &names));
    assert_string_equal(names.p, "one two three ");
    nested->n++;
    return 0;
}

static void
test_reads_within_reads(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    event_unref(sample_put(w, "b.c", "three:3"));
    struct nested nested = {.r = sample_read(s)};
    OK(store_each_name(nested.r, read_again, &nested));
    assert_int_equal(nested.n, 3);
    store_reader_close(nested.r);
    store_writer_close(w);
}

static int
interrupt_it(void *ctx, const struct entity_row *row UNUSED)
{
    store_reader_interrupt(ctx);
    return 0;
}

static void
test_interrupt(void **state)
{
    struct sample *s = *state;
    AUTO(buf_finish) struct buf names = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    struct store_reader *r = sample_read(s);
    assert_int_equal(store_each_name(r, interrupt_it, r), -EINTR);
    OK(store_each_name(r, collect_name, &names));
    assert_string_equal(names.p, "one two ");
    store_reader_close(r);
    store_writer_close(w);
}

/* A view does not see what is committed after it began. */
static void
test_view(void **state)
{
    struct sample *s = *state;
    struct store_info before, after;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    struct store_reader *r = sample_read(s);
    OK(store_reader_begin(r));
    OK(store_read_info(r, &before));
    event_unref(sample_put(w, "a.c", "one:2"));
    OK(store_read_info(r, &after));
    assert_int_equal(after.head, before.head);
    store_reader_end(r);
    OK(store_read_info(r, &after));
    assert_int_equal(after.head, before.head + 1);
    store_reader_close(r);
    store_writer_close(w);
}
