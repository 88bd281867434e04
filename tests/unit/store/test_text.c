/* How the text index of the SQLite backend lies in its file: runs, and what merges leave behind. */
#define RUNS_MERGED 16     // src/store/sqlite_merge.h
#define FILES_OF_STEP 4095 // GATHER_FILES_MAX, src/store/sqlite_gather.h

#define MANY_FILES 280 // of which 16 * 16 are merged twice

static void
step_text(struct store_writer *w, size_t n_entities, bool *ret_more)
{
    OK(store_begin(w));
    OK(store_index_text(w, n_entities, ret_more));
    OK(store_commit(w));
}

static void
put_many(struct store_writer *w, int n)
{
    OK(store_begin(w));
    for (int i = 0; i < n; i++) {
        struct event *event = NULL;
        char path[32], spec[96];
        snprintf(path, sizeof(path), "f%03d.c", i);
        snprintf(spec, sizeof(spec), "common_%03d:1>target odd%dthingEven:2::of_%d_x", i,
                 i % 7, i);
        struct batch *b = sample_batch(path, spec);
        OK(store_put_file(w, b, &event));
        event_unref(event);
        batch_destroy(b);
    }
    OK(store_commit(w));
}

static int
count_entity(void *ctx, const struct entity_row *row UNUSED)
{
    ++*(int *)ctx;
    return 0;
}

static int
n_found(struct store_reader *r, const char *query)
{
    int n = 0;
    OK(store_search_text(r, str_of(query), 10000, count_entity, &n));
    return n;
}

static void
assert_many(struct store_reader *r, int n)
{
    char last[32], doc[32];
    int n_named = 0, n_callers = 0;
    snprintf(last, sizeof(last), "common %03d", n - 1);
    snprintf(doc, sizeof(doc), "%d of", n - 1);
    assert_int_equal(n_found(r, "common"), n);
    assert_int_equal(n_found(r, "COMM even"), 0);
    assert_int_equal(n_found(r, "even odd"), n);
    assert_int_equal(n_found(r, last), 1);
    assert_int_equal(n_found(r, doc), 1);
    assert_int_equal(n_found(r, "common 0"), 0);
    OK(store_each_named(r, STR("odd3thingEven"), count_entity, &n_named));
    assert_int_equal(n_named, (n + 3) / 7);
    OK(store_each_caller(r, STR("target"), 10000, count_edge, &n_callers));
    assert_int_equal(n_callers, n);
}

static int
n_lost_leaves(const struct sample *s)
{
    return count_rows(s, "text_leaf WHERE id>>20 NOT IN (SELECT id FROM text_run)");
}

/* A run for each file, merged in many small pieces, and everything is found at each of them. */
static void
test_text_runs_merge(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    bool more = true;
    put_many(w, MANY_FILES);
    struct store_reader *r = sample_read(s);
    for (int i = 0; more; i++) {
        step_text(w, 1, &more);
        if (i % 97 == 0)
            assert_many(r, MANY_FILES);
    }
    assert_many(r, MANY_FILES);
    assert_int_equal(n_lost_leaves(s), 0);
    assert_int_equal(read_int(s, "max(level)", "text_run"), 2);
    assert_in_range(count_rows(s, "text_run"), 3, 2 * RUNS_MERGED);
    assert_int_equal(count_rows(s, "(SELECT 1 FROM text_run GROUP BY level "
                                   "HAVING count(*)>=16)"),
                     0);
    store_reader_close(r);
    store_writer_close(w);
}

/* More files than a step takes, of so few entities that it could take them all. */
static void
test_text_of_many_files(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    bool more = false;
    int n = FILES_OF_STEP + 5;
    put_many(w, n);
    step_text(w, (size_t)n * 10, &more);
    assert_true(more);
    assert_int_equal(count_rows(s, "file WHERE text_gen=0"), 5);
    step_text(w, (size_t)n * 10, &more);
    assert_false(more);
    assert_int_equal(count_rows(s, "file WHERE text_gen=0"), 0);
    struct store_reader *r = sample_read(s);
    assert_int_equal(n_found(r, "common"), n);
    store_reader_close(r);
    store_writer_close(w);
}

/* In the middle of a merge: a rollback, a stop. What it had written goes, what it merged stays. */
static void
test_text_merge_given_up(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    bool more = true;
    put_many(w, 2 * RUNS_MERGED);
    for (int i = 0; i < RUNS_MERGED; i++)
        step_text(w, 1, &more);
    assert_int_equal(count_rows(s, "text_run"), RUNS_MERGED);
    OK(store_begin(w));
    OK(store_index_text(w, 1, &more));
    store_rollback(w);
    assert_int_equal(count_rows(s, "text_run"), RUNS_MERGED);
    struct store_reader *r = sample_read(s);
    assert_many(r, 2 * RUNS_MERGED);
    step_text(w, 1, &more);
    store_writer_close(w);
    /* of a merge that was further than this one */
    run_sql(s, "INSERT INTO text_leaf VALUES(900<<20,x'00'),((900<<20)+1,x'00')");
    w = sample_open(s, NULL);
    assert_int_equal(n_lost_leaves(s), 2);
    for (more = true; more;)
        step_text(w, 1, &more);
    assert_many(r, 2 * RUNS_MERGED);
    assert_int_equal(n_lost_leaves(s), 0);
    assert_int_equal(read_int(s, "max(level)", "text_run"), 1);
    store_reader_close(r);
    store_writer_close(w);
}

/* More of a word than a leaf holds, and words longer than a key. */
static void
test_text_wide_keys(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct buf spec = {0};
    static const char stem[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    for (int i = 0; i < 9000; i++)
        buf_printf(&spec, "%sw_%d:1", i > 0 ? " " : "", i);
    event_unref(sample_put(w, "a.c", spec.p));
    buf_reset(&spec);
    buf_printf(&spec, "%sOne:1 %sTwo:2", stem, stem);
    event_unref(sample_put(w, "b.c", spec.p));
    char one[80], name[80];
    snprintf(one, sizeof(one), "%sone", stem);
    snprintf(name, sizeof(name), "%sOne", stem);
    struct store_reader *r = sample_read(s);
    for (int is_indexed = 0; is_indexed < 2; is_indexed++) {
        AUTO(free) char *found = find(r, one), *both = find(r, stem);
        assert_string_equal(found, name);
        assert_int_equal(strlen(both), 2 * strlen(name) + 1);
        assert_int_equal(n_found(r, "w_8999"), 1);
        assert_int_equal(n_found(r, "w"), 9000);
        assert_int_equal(n_found(r, "w_899"), 11);
        assert_int_equal(n_found(r, "w two"), 0);
        index_all(w);
    }
    assert_in_range(count_rows(s, "text_leaf"), 5, 100);
    assert_int_equal(n_found(r, "abcdefgh"), 2);
    assert_int_equal(n_found(r, "abcdefghi"), 2);
    buf_finish(&spec);
    store_reader_close(r);
    store_writer_close(w);
}

/* Words of eight letters and those that begin with them are others, wherever a table has them. */
static void
test_text_alike(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct buf spec = {0};
    for (int i = 0; i < 4000; i++)
        buf_printf(&spec, "%sabcd%04d_abcd%04dx:1", i > 0 ? " " : "", i, (i + 1) % 4000);
    event_unref(sample_put(w, "a.c", spec.p));
    index_all(w);
    struct store_reader *r = sample_read(s);
    for (int i = 0; i < 4000; i += 37) {
        char whole[16], longer[16];
        snprintf(whole, sizeof(whole), "abcd%04d", i);
        snprintf(longer, sizeof(longer), "abcd%04dx", i);
        assert_int_equal(n_found(r, whole), 2);
        assert_int_equal(n_found(r, longer), 1);
    }
    buf_finish(&spec);
    store_reader_close(r);
    store_writer_close(w);
}

static struct str
any_text(struct arena *a, uint32_t *seed)
{
    static const char *const parts[] = {
        "a", "Z", "m",    "0",    "9",    "@", "[", "`",    "{", "/",        ":",
        "_", " ", "\x7f", "\xff", "\xc3", "é", "Ж", "word", " ", "Eight888", "nineteen"};
    struct buf b = {0};
    for (int n = 0; n < 40; n++) {
        *seed = *seed * 1664525 + 1013904223; // Numerical Recipes, "quick and dirty"
        buf_add_cstr(&b, parts[(*seed >> 16) % ARRAY_LEN(parts)]);
    }
    struct str text = arena_str(a, buf_str(&b));
    buf_finish(&b);
    return text;
}

/* How many entities have each word of a text, one line each. */
static void
find_words(struct store_reader *r, struct str text, struct buf *found)
{
    struct str word;
    while (words_next(&text, &word)) {
        int n = 0;
        OK(store_search_text(r, word, 10000, count_entity, &n));
        assert_true(n > 0);
        buf_printf(found, "%.*s %d\n", STR_ARG(word), n);
    }
}

/* Eight bytes at once or one by one: words are cut and folded as everywhere, whatever is around them. */
static void
test_text_any_bytes(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    AUTO(arena_finish) struct arena arena = {0};
    AUTO(buf_finish) struct buf before = {0}, after = {0};
    struct str docs[100];
    uint32_t seed = 7;
    OK(store_begin(w));
    for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
        struct event *event = NULL;
        char path[32];
        snprintf(path, sizeof(path), "f%zu.c", i);
        AUTO(batch_destroy) struct batch *b = sample_batch(path, "first:1 second:2");
        docs[i] = b->entities[0].doc = any_text(&arena, &seed);
        b->entities[1].signature = any_text(&arena, &seed);
        OK(store_put_file(w, b, &event));
        event_unref(event);
    }
    OK(store_commit(w));
    struct store_reader *r = sample_read(s);
    for (size_t i = 0; i < ARRAY_LEN(docs); i++)
        find_words(r, docs[i], &before);
    index_all(w);
    for (size_t i = 0; i < ARRAY_LEN(docs); i++)
        find_words(r, docs[i], &after);
    assert_string_equal(before.p, after.p);
    store_reader_close(r);
    store_writer_close(w);
}

/* Whatever stands in a leaf: an answer or -EBADMSG. */
static void
test_text_damaged(void **state)
{
    struct sample *s = *state;
    static const char *const leaves[] = {
        "x'ffffffffffffffffffffff'",
        "x'0001'",
        "x'000177ff'",   // no end of the number of postings
        "x'00017703ff'", // more of them than there are
        "x'00017702ffff'",
        "x'000177020000'",
        "x'0001770306ffff'",
        "x'010177'",
        "x'002977'",
        "x''",
    };
    struct store_writer *w = sample_open(s, NULL);
    put_searched(w);
    bool more = true;
    while (more)
        step_text(w, 100, &more);
    struct store_reader *r = sample_read(s);
    for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
        AUTO(free) char *sql = xasprintf("UPDATE text_leaf SET words=%s", leaves[i]);
        int n = 0;
        run_sql(s, sql);
        if (store_search_text(r, STR("w"), 10, count_entity, &n) != -EBADMSG)
            fail_msg("%s was taken for a leaf", leaves[i]);
        assert_int_equal(n, 0);
    }
    run_sql(s, "DELETE FROM text_leaf");
    int n = 0;
    assert_int_equal(store_each_named(r, STR("wing"), count_entity, &n), -EBADMSG);
    store_reader_close(r);
    store_writer_close(w);
    struct store_info info;
    w = sample_open(s, &info); // it is made anew from the rows, which are well
    assert_false(info.is_new);
    index_all(w);
    r = sample_read(s);
    OK(store_each_named(r, STR("wing"), count_entity, &n));
    assert_true(n > 0);
    store_reader_close(r);
    store_writer_close(w);
}
