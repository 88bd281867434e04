/* What is about the SQLite backend's rows: planted ones, worn-out slots, its text index, its counts. */

/* A file edited so often that the slots behind the last one are used up takes those that are free. */
static void
test_slots_are_used_again(void **state)
{
    struct sample *s = *state;
    AUTO(arena_finish) struct arena a = {0};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    store_writer_close(w);
    sqlite3 *db = NULL;
    OK(sqlite3_open(s->path, &db));
    OK(sqlite3_exec(db, "UPDATE entity SET id=(id & ~1048575) + 1048573", NULL, NULL,
                    NULL));
    OK(sqlite3_close(db));
    w = sample_open(s, NULL);
    sample_assert_names(sample_put(w, "a.c", "one:1 two:2 three:3"), "added",
                        "two three");
    struct store_reader *r = sample_read(s);
    struct entity_row row;
    OK(sample_row(r, "a.c", "two", 1, &a, &row));
    assert_int_equal(row.id & 1048575, 0);
    OK(sample_row(r, "a.c", "one", 1, &a, &row));
    assert_int_equal(row.id & 1048575, 1048573);
    store_reader_close(r);
    store_writer_close(w);
}

/* What SQLite allocates is not counted: the count is one lock for all threads, and readers waited for the writer. */
static void
test_nothing_is_counted(void **state)
{
    struct store_writer *w = sample_open(*state, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    assert_int_equal(sqlite3_memory_used(), 0);
    store_writer_close(w);
}

static bool
prune_once(struct sample *s)
{
    struct store_writer *w = sample_open(s, NULL);
    bool more = true;
    OK(store_begin(w));
    OK(store_prune(w, clock_wall_ms(), &more));
    OK(store_commit(w));
    store_writer_close(w);
    return more;
}

static void
set_counter(const struct sample *s, const char *name, int64_t value)
{
    AUTO(free)
    char *sql = xasprintf("UPDATE meta SET v=%" PRId64 " WHERE k='%s'", value, name);
    run_sql(s, sql);
}

/* The log keeps as many bytes and rows as it may have, and none more. */
static void
test_prune_log(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct event *e = NULL;
    OK(store_begin(w));
    for (int i = 0; i < 6; i++) {
        OK(store_put_event(w, EVENT_PIPELINE_ONLINE, STR("x"), STR("{}"), &e));
        event_unref(e);
    }
    OK(store_commit(w));
    store_writer_close(w);
    set_counter(s, "event_bytes", STORE_EVENTS_BYTES); // of which each row has three
    assert_false(prune_once(s));
    assert_int_equal(count_rows(s, "event"), 6);
    set_counter(s, "event_bytes", STORE_EVENTS_BYTES + 4);
    assert_false(prune_once(s));
    assert_int_equal(read_int(s, "min(seq)", "event"), 3);
    AUTO(free)
    char *head = xasprintf("UPDATE sqlite_sequence SET seq=%d WHERE name='event'",
                           4 + STORE_EVENTS_MAX);
    run_sql(s, head);
    assert_false(prune_once(s));
    assert_int_equal(read_int(s, "min(seq)", "event"), 5);
    assert_int_equal(count_rows(s, "event"), 2);
}

/* The same of what is known to have been sent: the oldest go. */
static void
test_prune_once_keys(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    ingest_batch_destroy(ingest_put(w, FN("a.c", "one", 1) ",\"key\":\"a\"}\n" FN(
                                           "a.c", "two", 2) ",\"key\":\"b\"}"));
    store_writer_close(w);
    run_sql(s, "UPDATE ingest_key SET time_ms=time_ms-1000 WHERE key='b'");
    set_counter(s, "once_rows", STORE_ONCE_ROWS);
    assert_false(prune_once(s));
    assert_int_equal(count_rows(s, "ingest_key"), 2);
    set_counter(s, "once_rows", STORE_ONCE_ROWS + 1);
    assert_false(prune_once(s));
    assert_int_equal(count_rows(s, "ingest_key WHERE key='a'"), 1);
    assert_int_equal(count_rows(s, "ingest_key"), 1);
}

/* Too many dead rows: the index is emptied and filled anew. */
static void
test_text_index_starts_over(void **state)
{
    struct sample *s = *state;
    sqlite3 *db = NULL;
    struct store_writer *w = sample_open(s, NULL);
    put_searched(w);
    index_all(w);
    assert_int_equal(count_rows(s, "text_leaf WHERE instr(words,CAST('wing' AS BLOB))"),
                     1);
    event_unref(sample_put(w, "b.c", "tail:1"));
    store_writer_close(w);
    assert_int_equal(read_int(s, "v", "meta WHERE k='text_dead'"), 2);
    assert_int_equal(read_int(s, "v", "meta WHERE k='text_gen'"), 2);
    OK(sqlite3_open(s->path, &db));
    OK(sqlite3_exec(db, "UPDATE meta SET v='50000' WHERE k='text_dead'", NULL, NULL,
                    NULL));
    OK(sqlite3_close(db));
    w = sample_open(s, NULL);
    index_all(w);
    struct store_reader *r = sample_read(s);
    assert_int_equal(read_int(s, "v", "meta WHERE k='text_dead'"), 0);
    assert_int_equal(read_int(s, "v", "meta WHERE k='text_rows'"), 6);
    assert_int_equal(count_rows(s, "text_leaf WHERE instr(words,CAST('wing' AS BLOB))"),
                     0);
    assert_int_equal(count_rows(s, "text_leaf WHERE instr(words,CAST('tail' AS BLOB))"),
                     1);
    char *names = find(r, "loop");
    assert_string_equal(names, "runLoop run_loop");
    free(names);
    names = find(r, "tail");
    assert_string_equal(names, "tail");
    free(names);
    store_reader_close(r);
    store_writer_close(w);
}

/* Rows of a new file count on being the last ones: where others are behind them, it is said and nothing
 * is written over. */
static void
test_rows_of_no_file(void **state)
{
    struct sample *s = *state;
    struct event *event = NULL;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    store_writer_close(w);
    run_sql(s,
            "INSERT INTO entity SELECT 99<<20,what,name,scope,signature,doc,parent,hash,"
            "rev,start,extent,tail,name_at,odd,hover,hover_id FROM entity LIMIT 1");
    w = sample_open(s, NULL);
    struct batch *b = sample_batch("b.c", "one:1 two:2");
    OK(store_begin(w));
    assert_int_equal(store_put_file(w, b, &event), -EBADMSG);
    assert_null(event);
    store_rollback(w);
    assert_int_equal(count_rows(s, "entity"), 3);
    batch_destroy(b);
    sample_assert_names(sample_put(w, "a.c", "one:1 two:2 three:3"), "added", "three");
    store_writer_close(w);
}

static void
assert_found_damaged(const struct sample *s)
{
    struct store_info info;
    store_writer_close(sample_open(s, &info));
    assert_true(info.is_new && info.was_damaged);
    assert_int_equal(count_damaged(s), 1);
}

static void
test_damaged_edges(void **state)
{
    struct sample *s = *state;
    static const char *const damaged[] = {"",
                                          "{}",
                                          "[",
                                          "[[",
                                          "[[9,\"a\",[]]]",
                                          "[[0,\"a]]",
                                          "[[0,\"a\\",
                                          "[[0,\"a\"]]",
                                          "[[0,\"a\",[0,1",
                                          "[[0,\"a\",[0,1]]]",
                                          "[[0,\"a\",[0,1,-2]]]",
                                          "[[0,\"a\",[0,1,2]",
                                          "[[0,\"a\",[0,1,2]];",
                                          "[[0,\"a\",[0,1,2],[]]]",
                                          "[[0,\"\\q\",[0,1,2]]]",
                                          "[[0,\"\\u00\",[0,1,2]]]",
                                          "[[0,\"a\",[0,1,99999999999]]]",
                                          "[[0,\"a\",[5,1,2]]]"};
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1>a"));
    store_writer_close(w);
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        char *sql = xasprintf("UPDATE edge SET edges='%s'", damaged[i]);
        int n = 0;
        run_sql(s, sql);
        free(sql);
        struct store_reader *r = sample_read(s);
        int e = store_each_caller(r, STR("a"), 10, count_edge, &n);
        if (e != -EBADMSG)
            fail_msg("%s: %d", damaged[i], e);
        e = store_each_edge(r, count_edge, &n);
        if (e != -EBADMSG)
            fail_msg("%s, all edges: %d", damaged[i], e);
        store_reader_close(r);
    }
    assert_found_damaged(s);
}

/* Rows that SQLite takes for whole and that make no sense: whoever meets one, the next start looks. */
static void
test_damaged_rows(void **state)
{
    struct sample *s = *state;
    struct store_info info;
    struct event *e = NULL;
    AUTO(free) char *doubt = xasprintf("%s.doubt", s->path);
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    event_unref(sample_put(w, "b.c", "one:1"));
    store_writer_close(w);
    run_sql(s, "UPDATE entity SET odd='[' WHERE name='two'");
    w = sample_open(s, &info); // nobody has met it
    assert_false(info.is_new);
    OK(store_begin(w));
    OK(store_delete_file(w, STR("b.c"), &e));
    event_unref(steal(e));
    assert_int_equal(store_delete_file(w, STR("a.c"), &e), -EBADMSG);
    store_rollback(w);
    store_writer_close(w);
    assert_true(fs_exists(doubt));
    assert_found_damaged(s);
    assert_false(fs_exists(doubt));
}

/* A version that no gloss ever gave. */
static void
test_damaged_version(void **state)
{
    struct sample *s = *state;
    store_writer_close(sample_open(s, NULL));
    run_sql(s, "PRAGMA user_version=-7");
    assert_found_damaged(s);
}

/* A doubt that turns out to be none is gone with the next start. */
static void
test_doubt_is_dispelled(void **state)
{
    struct sample *s = *state;
    struct store_info before, info;
    AUTO(free) char *doubt = xasprintf("%s.doubt", s->path);
    struct store_writer *w = sample_open(s, &before);
    event_unref(sample_put(w, "a.c", "one:1>two two:2"));
    event_unref(sample_put_hovers(w, "a.c", "one:1>two two:2", "one=text"));
    event_unref(sample_delete(w, "a.c"));
    event_unref(sample_put(w, "b.c", "one:1>two two:2x"));
    store_writer_close(w);
    int fd = open(doubt, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    w = sample_open(s, &info);
    assert_false(info.is_new);
    assert_string_equal(info.epoch, before.epoch);
    assert_int_equal(info.head, 4);
    assert_false(fs_exists(doubt));
    store_writer_close(w);
}

/* A text that somebody took away is asked for again. */
static void
test_past_without_text(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two=t three-"));
    event_unref(sample_delete(w, "a.c"));
    store_writer_close(w);
    sqlite3 *db = open_rows(s);
    OK(sqlite3_exec(db, "DELETE FROM hover WHERE markdown='o'", NULL, NULL, NULL));
    OK(sqlite3_close(db));
    assert_told(s, PAST_A, "c", 0, "two=t/clangd three-/ ");
    w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    assert_hovers(s, "a.c", "one? two=t three-");
    assert_adds_up(s);
    store_writer_close(w);
}

/* Those that left first go first, until the limits are kept, texts and all. */
static void
test_prune_past(void **state)
{
    struct sample *s = *state;
    const char *const specs[] = {"one:1", "one:2", "one:3"};
    const char *const answers[] = {"one=x", "one=y", "one=z"};
    bool more = true;
    struct store_writer *w = sample_open(s, NULL);
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        event_unref(sample_put(w, "a.c", specs[i]));
        event_unref(sample_put_hovers(w, "a.c", specs[i], answers[i]));
    }
    event_unref(sample_delete(w, "a.c"));
    assert_int_equal(past_counts(s).past_contents, 3);
    store_writer_close(w);
    sqlite3 *db = open_rows(s);
    OK(sqlite3_exec(db,
                    "UPDATE hover_past SET bytes=30<<20;"
                    "UPDATE meta SET v=90<<20 WHERE k='past_bytes'",
                    NULL, NULL, NULL));
    OK(sqlite3_close(db));
    w = sample_open(s, NULL);
    OK(store_begin(w));
    OK(store_prune(w, clock_wall_ms(), &more));
    OK(store_commit(w));
    assert_false(more);
    assert_int_equal(past_counts(s).past_contents, 2);
    assert_adds_up(s);
    assert_told(s, specs[0], "c", 0, NULL);
    assert_told(s, specs[1], "c", 0, "one=y/clangd ");
    store_writer_close(w);
    /* counts that are wrong do not make it turn for ever */
    db = open_rows(s);
    OK(sqlite3_exec(db, "UPDATE meta SET v=1000000 WHERE k='past_rows'", NULL, NULL,
                    NULL));
    OK(sqlite3_close(db));
    w = sample_open(s, NULL);
    OK(store_begin(w));
    OK(store_prune(w, clock_wall_ms(), &more));
    OK(store_commit(w));
    assert_false(more);
    assert_int_equal(count_rows(s, "hover_past") + count_rows(s, "hover"), 0);
    assert_adds_up(s);
    store_writer_close(w);
}

/* Bytes that are no hovers. */
static void
test_damaged_past(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    past_put_hovers(w, "a.c", PAST_A, "one=o two-", 7);
    event_unref(sample_delete(w, "a.c"));
    store_writer_close(w);
    run_sql(s, "UPDATE hover_past SET hovers=x'0011'");
    AUTO(arena_finish) struct arena a = {0};
    struct store_told told;
    struct store_reader *r = sample_read(s);
    assert_int_equal(store_read_told(r, hash128(STR(PAST_A)), STR("c"), &a, &told),
                     -EBADMSG);
    store_reader_close(r);
}
