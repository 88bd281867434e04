/* What an edge means: resolved when it is read, to the one candidate there is. Part of test_query.c: its
 * fixture is there. */

static char *
edges_text(const struct edge_row *edges, size_t n, bool is_into)
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        struct str end = is_into ? edges[i].path : edges[i].target;
        buf_printf(&b, "%s%.*s%s%.*s", i > 0 ? " " : "", STR_ARG(end),
                   edges[i].confidence == EDGE_CONFIDENCE_LEXICAL ? "=" : "?",
                   STR_ARG(edges[i].to_key));
    }
    return buf_steal(&b);
}

static void
assert_links(struct store_reader *r, const char *key, const char *callers,
             const char *callees)
{
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row row;
    struct query_links links;
    OK(store_reader_begin(r));
    OK(store_read_entity(r, str_of(key), &a, &row));
    OK(query_links_now(r, &row, &a, &links));
    store_reader_end(r);
    char *into = edges_text(links.callers, links.n_callers, true);
    char *out = edges_text(links.callees, links.n_callees, false);
    assert_string_equal(into, callers);
    assert_string_equal(out, callees);
    free(into);
    free(out);
}

static void
put_static(struct store_writer *w, const char *path, const char *spec)
{
    struct batch *b = sample_batch(path, spec);
    for (size_t i = 0; i < b->n_entities; i++)
        b->entities[i].signature = STR("static int f(void)");
    event_unref(sample_put_batch(w, b));
}

static void
test_links(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a/main.c", "main:1>one,twice,local,helper,gone,pyname"));
    event_unref(sample_put(w, "a/one.c", "one:1 twice:2 user:3>local"));
    event_unref(sample_put(w, "b/two.c", "twice:1 caller:2>twice,one other:4>helper"));
    put_static(w, "c/three.c", "local:1 use:2>local,twice");
    struct batch *b = sample_batch("d/py.py", "pyname:1>one");
    b->file.lang = STR("py");
    event_unref(sample_put_batch(w, b));
    b = sample_batch("d/kind.c", "helper:1");
    b->entities[0].kind = ENTITY_FIELD;
    event_unref(sample_put_batch(w, b));
    struct store_reader *r = sample_read(s);
    /* The only one; the one in the folder; static elsewhere, a field, nobody, another language. */
    assert_links(r, "c:fn:a/main.c#main", "",
                 "one=c:fn:a/one.c#one twice=c:fn:a/one.c#twice local? helper? gone? "
                 "pyname?");
    assert_links(r, "c:fn:a/one.c#one",
                 "a/main.c=c:fn:a/one.c#one b/two.c=c:fn:a/one.c#one", "");
    /* The one in the file; from a third folder either may be meant. */
    assert_links(r, "c:fn:b/two.c#twice", "b/two.c=c:fn:b/two.c#twice c/three.c?", "");
    assert_links(r, "c:fn:c/three.c#use", "", "local=c:fn:c/three.c#local twice?");
    assert_links(r, "c:fn:c/three.c#local", "c/three.c=c:fn:c/three.c#local", "");
    store_reader_close(r);
    /* A definition that comes makes doubtful what was sure, with nothing else written. */
    event_unref(sample_put(w, "e/one.c", "one:9"));
    r = sample_read(s);
    assert_links(r, "c:fn:b/two.c#caller", "", "twice=c:fn:b/two.c#twice one?");
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_links_of_classes(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch(
        "x.py", "Base:1 Shop:2>Base sell:3>price,Shop price:4 price:5 Till:6>price");
    b->file.lang = STR("py");
    b->edges[0].kind = EDGE_INHERITS;
    b->entities[0].kind = b->entities[1].kind = b->entities[5].kind = ENTITY_CLASS;
    b->entities[2].kind = b->entities[3].kind = ENTITY_METHOD;
    for (size_t i = 2; i < 4; i++) {
        b->entities[i].parent = 1;
        b->entities[i].ordinal = 1;
    }
    b->entities[2].qualified_name = STR("Shop.sell");
    b->entities[3].qualified_name = STR("Shop.price");
    b->entities[4].ordinal = 1;
    event_unref(sample_put_batch(w, b));
    store_writer_close(w);
    struct store_reader *r = sample_read(s);
    /* The nearest scope wins; a class can be called. */
    assert_links(r, "py:method:x.py#Shop.sell", "",
                 "price=py:method:x.py#Shop.price Shop=py:class:x.py#Shop");
    assert_links(r, "py:class:x.py#Till", "", "price=py:fn:x.py#price");
    AUTO(arena_finish) struct arena a = {0};
    struct entity_row row;
    struct query_links links;
    OK(store_read_entity(r, STR("py:class:x.py#Base"), &a, &row));
    OK(query_links_now(r, &row, &a, &links));
    assert_int_equal(links.n_callers, 0);
    assert_int_equal(links.n_derived, 1);
    assert_true(str_eq_c(links.derived[0].from_key, "py:class:x.py#Shop"));
    OK(store_read_entity(r, STR("py:class:x.py#Shop"), &a, &row));
    OK(query_links_now(r, &row, &a, &links));
    assert_int_equal(links.n_members, 2);
    assert_true(str_eq_c(links.members[1].e.name, "price"));
    assert_int_equal(links.n_bases, 1);
    assert_true(str_eq_c(links.bases[0].to_key, "py:class:x.py#Base"));
    store_reader_close(r);
}
