/* Part of test_query.c: answers in pages. */

static const struct query_result *
list_page(struct scene *scene, const struct sample *s, const struct query_search *filter,
          const struct query_place *from)
{
    begin(scene, s, 1);
    query_list(scene->q, filter, from, on_answer, scene);
    const struct query_result *result = ask_alone(scene);
    OK(result->r);
    return result;
}

/* All pages, each row once. */
static char *
list_text(const struct sample *s, const struct query_search *filter, size_t *ret_n_pages)
{
    struct buf b = {0};
    struct query_place from = {0};
    AUTO(buf_finish) struct buf path = {0};
    *ret_n_pages = 0;
    do {
        struct scene scene;
        const struct query_result *result = list_page(&scene, s, filter, &from);
        char *rows = rows_text(result->rows, result->n_rows);
        if (b.n > 0 && result->n_rows > 0)
            buf_add_char(&b, ' ');
        buf_add_cstr(&b, rows);
        free(rows);
        assert_true(result->n_rows <= filter->limit);
        buf_reset(&path);
        buf_add_str(&path, result->next.path);
        from =
            (struct query_place){.path = buf_str(&path), .offset = result->next.offset};
        drop(&scene);
        assert_true(++*ret_n_pages < 100);
    } while (from.path.n > 0);
    buf_add_char(&b, '\0');
    return buf_steal(&b);
}

static void
assert_list(const struct sample *s, struct query_search filter, const char *wanted)
{
    for (filter.limit = 1; filter.limit <= 8; filter.limit++) {
        size_t n_pages;
        char *is = list_text(s, &filter, &n_pages);
        assert_string_equal(is, wanted);
        free(is);
    }
}

static void
test_list(void **state)
{
    static const enum entity_kind methods[] = {ENTITY_METHOD};
    struct sample *s = *state;
    struct query_place none = {0};
    struct scene scene;
    fill(s);
    assert_list(s, (struct query_search){0},
                "lib/x.py:App.run lib/x.py:brun src/a.c:run src/a.c:arena src/b.c:run "
                "src/b.c:runner");
    assert_list(s, (struct query_search){.lang = STR("python")},
                "lib/x.py:App.run lib/x.py:brun");
    assert_list(s, (struct query_search){.kinds = methods, .n_kinds = 1},
                "lib/x.py:App.run");
    assert_list(s, (struct query_search){.path_glob = STR("src/?.c")},
                "src/a.c:run src/a.c:arena src/b.c:run src/b.c:runner");
    assert_list(s, (struct query_search){.path_glob = STR("src/b.c")},
                "src/b.c:run src/b.c:runner");
    assert_list(s, (struct query_search){.path_glob = STR("src")}, "");

    /* exactly a page: there is no empty one behind it */
    struct query_search filter = {.limit = 6};
    assert_int_equal(list_page(&scene, s, &filter, &none)->next.path.n, 0);
    drop(&scene);
    filter.limit = 5;
    const struct query_result *result = list_page(&scene, s, &filter, &none);
    assert_true(str_eq_c(result->next.path, "src/b.c"));
    assert_int_equal(result->next.offset, 1);
    drop(&scene);

    /* a place whose file is gone, one that is behind all, one that the filter does not let through */
    filter.limit = 1;
    result = list_page(&scene, s, &filter, &(struct query_place){STR("src/a.d"), 7});
    assert_true(str_eq_c(result->rows[0].path, "src/b.c"));
    drop(&scene);
    assert_int_equal(
        list_page(&scene, s, &filter, &(struct query_place){STR("z"), 0})->n_rows, 0);
    drop(&scene);
    filter.path_glob = STR("lib/*");
    assert_int_equal(
        list_page(&scene, s, &filter, &(struct query_place){STR("src/a.c"), 0})->n_rows,
        0);
    drop(&scene);
}

/* More files than are chosen in one walk, and than one page looks at when few rows are wanted. */
static void
test_list_many_files(void **state)
{
    static const enum entity_kind methods[] = {ENTITY_METHOD};
    struct sample *s = *state;
    struct query_search filter = {.limit = 1000};
    size_t n_pages;
    struct store_writer *w = sample_open(s, NULL);
    for (int i = 0; i < 2500; i++) {
        AUTO(free) char *path = xasprintf("f%04d.c", i * 7 % 2500);
        event_unref(sample_put(w, path, "one:1"));
    }
    store_writer_close(w);
    char *all = list_text(s, &filter, &n_pages);
    assert_int_equal(n_pages, 3);
    assert_int_equal(strlen(all), 2500 * strlen("f0000.c:one ") - 1);
    for (int i = 0; i < 2500; i++) {
        AUTO(free) char *row = xasprintf("f%04d.c:one", i);
        assert_memory_equal(all + (size_t)i * 12, row, 11);
    }
    free(all);
    filter.kinds = methods;
    filter.n_kinds = 1;
    char *nothing = list_text(s, &filter, &n_pages);
    assert_string_equal(nothing, "");
    assert_int_equal(n_pages, 2);
    free(nothing);
}

/* What a search finds, and what it finds in two steps. */
static void
assert_same_matches(const struct sample *s, const struct query_search *search)
{
    struct scene plain, scene, rows_scene;
    begin(&plain, s, 1);
    query_search(plain.q, search, on_answer, &plain);
    const struct query_result *wanted = ask_alone(&plain);
    begin(&scene, s, 1);
    query_matches(scene.q, search, on_answer, &scene);
    const struct query_result *found = ask_alone(&scene);
    OK(found->r);
    assert_int_equal(found->n_rows, 0);
    assert_int_equal(found->n_matches, wanted->n_rows);
    begin(&rows_scene, s, 1);
    query_match_rows(rows_scene.q, search, found->matches, found->n_matches, on_answer,
                     &rows_scene);
    const struct query_result *rows = ask_alone(&rows_scene);
    OK(rows->r);
    assert_int_equal(rows->n_rows, wanted->n_rows);
    for (size_t i = 0; i < wanted->n_rows; i++) {
        assert_true(str_eq(rows->rows[i].key, wanted->rows[i].key));
        assert_true(rows->rows[i].score == wanted->rows[i].score);
        assert_true(str_eq(rows->rows[i].snippet, wanted->rows[i].snippet));
    }
    drop(&plain);
    drop(&scene);
    drop(&rows_scene);
}

static void
test_matches(void **state)
{
    static const enum entity_kind methods[] = {ENTITY_CLASS, ENTITY_METHOD};
    static const struct query_search searches[] = {
        {.text = STR("run")},
        {.text = STR("run"), .limit = 2},
        {.text = STR("app.run")},
        {.text = STR("run"), .kinds = methods, .n_kinds = 2},
        {.text = STR("run"), .path_glob = STR("src/*")},
        {.text = STR("run"), .lang = STR("python")},
        {.text = STR("zzz")},
        {.text = STR("start"), .is_text_search = true},
        {.text = STR("run"), .is_text_search = true, .path_glob = STR("*/b.c")},
        {.text = STR("run"), .is_text_search = true, .limit = 1},
        {.text = STR("\"to start\""), .is_text_search = true},
    };
    struct sample *s = *state;
    fill(s);
    for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
        struct query_search search = searches[i];
        if (search.limit == 0)
            search.limit = 100;
        assert_same_matches(s, &search);
    }
    struct query_search search = {.text = STR("run"), .limit = QUERY_MATCHES_MAX};
    assert_same_matches(s, &search);
}

/* Numbers of entities that are gone, and of those that are none of this search's. */
static void
test_matches_are_looked_at_again(void **state)
{
    struct sample *s = *state;
    struct scene scene, rows_scene;
    struct query_search search = {.text = STR("run"), .limit = 100};
    fill(s);
    begin(&scene, s, 1);
    query_matches(scene.q, &search, on_answer, &scene);
    const struct query_result *found = ask_alone(&scene);
    assert_int_equal(found->n_matches, 5);
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "src/b.c", "walk:1 other:2"));
    store_writer_close(w);
    struct query_match matches[6];
    memcpy(matches, found->matches, 5 * sizeof(*matches));
    matches[5] = (struct query_match){.id = INT64_MAX, .score = 1};
    begin(&rows_scene, s, 1);
    query_match_rows(rows_scene.q, &search, matches, 6, on_answer, &rows_scene);
    const struct query_result *rows = ask_alone(&rows_scene);
    OK(rows->r);
    char *is = rows_text(rows->rows, rows->n_rows);
    assert_string_equal(is, "lib/x.py:App.run src/a.c:run lib/x.py:brun");
    free(is);
    drop(&rows_scene);
    begin(&rows_scene, s, 1);
    search.lang = STR("c");
    query_match_rows(rows_scene.q, &search, matches, 6, on_answer, &rows_scene);
    assert_int_equal(ask_alone(&rows_scene)->n_rows, 1);
    drop(&rows_scene);
    drop(&scene);
}
