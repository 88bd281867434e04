/* Hovers of contents: they come back with the content, wherever it is and whatever was there meanwhile,
 * and no text is kept for nobody. */

static sqlite3 *
past_open(const struct sample *s)
{
    sqlite3 *db = NULL;
    OK(sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READWRITE, NULL));
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return db;
}

static int64_t
past_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    OK(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

/* A row of `held` for each reference that entities and past contents hold. */
static void
past_collect(sqlite3 *db)
{
    sqlite3_stmt *from = NULL, *to = NULL;
    OK(sqlite3_exec(db,
                    "CREATE TEMP TABLE held(id INTEGER);"
                    "INSERT INTO held SELECT hover_id FROM entity WHERE hover_id>0",
                    NULL, NULL, NULL));
    OK(sqlite3_prepare_v2(db, "SELECT hovers FROM hover_past", -1, &from, NULL));
    OK(sqlite3_prepare_v2(db, "INSERT INTO held VALUES(?1)", -1, &to, NULL));
    while (sqlite3_step(from) == SQLITE_ROW) {
        const char *p = sqlite3_column_blob(from, 0);
        int n = sqlite3_column_bytes(from, 0);
        assert_int_equal(n % 16, 0);
        for (int i = 0; i < n; i += 16) {
            int64_t id;
            memcpy(&id, p + i + 8, sizeof(id));
            if (id == 0)
                continue;
            sqlite3_bind_int64(to, 1, id);
            assert_int_equal(sqlite3_step(to), SQLITE_DONE);
            sqlite3_reset(to);
        }
    }
    sqlite3_finalize(from);
    sqlite3_finalize(to);
}

/* Every reference is counted, every text is held, and what is counted elsewhere is so. */
static void
assert_adds_up(const struct sample *s)
{
    sqlite3 *db = past_open(s);
    past_collect(db);
    assert_int_equal(past_int(db, "SELECT count(*) FROM hover h WHERE h.refs<>"
                                  "(SELECT count(*) FROM held WHERE id=h.id)"),
                     0);
    assert_int_equal(past_int(db, "SELECT count(*) FROM hover WHERE refs<1"), 0);
    assert_int_equal(past_int(db, "SELECT count(*) FROM held WHERE id NOT IN "
                                  "(SELECT id FROM hover)"),
                     0);
    assert_int_equal(past_int(db, "SELECT count(*)-(SELECT ifnull(max(v),0) FROM meta "
                                  "WHERE k='past_rows') FROM hover_past"),
                     0);
    assert_int_equal(past_int(db,
                              "SELECT total(bytes)-(SELECT ifnull(max(v),0) FROM meta "
                              "WHERE k='past_bytes') FROM hover_past"),
                     0);
    assert_int_equal(
        past_int(db, "SELECT count(*) FROM v_file f WHERE n_known<>(SELECT count(*) FROM "
                     "v_entity e WHERE e.path=f.path AND hover_state='known') OR "
                     "n_empty<>(SELECT count(*) FROM v_entity e WHERE e.path=f.path AND "
                     "hover_state='empty') OR n_stale<>(SELECT count(*) FROM v_entity e "
                     "WHERE e.path=f.path AND hover_stale)"),
        0);
    OK(sqlite3_close(db));
}

/* "one=text two- three? four~text": known, empty, unknown, stale. */
static void
assert_hovers(const struct sample *s, const char *path, const char *wanted)
{
    sqlite3 *db = past_open(s);
    sqlite3_stmt *stmt = NULL;
    AUTO(buf_finish) struct buf is = {0};
    OK(sqlite3_prepare_v2(db,
                          "SELECT name||CASE hover_state WHEN 'unknown' THEN '?' ELSE "
                          "iif(hover_stale,'~',iif(hover_state='known','=','-'))||"
                          "ifnull(hover,'') END FROM v_entity WHERE path=?1 ORDER BY "
                          "start_line",
                          -1, &stmt, NULL));
    sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        buf_printf(&is, "%s%s", is.n > 0 ? " " : "", sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    OK(sqlite3_close(db));
    assert_string_equal(is.p ? is.p : "", wanted);
}

static struct store_counts
past_counts(const struct sample *s)
{
    struct store_reader *r = sample_read(s);
    struct store_counts c;
    OK(store_read_counts(r, &c));
    store_reader_close(r);
    return c;
}

static void
past_put_hovers(struct store_writer *w, const char *path, const char *spec,
                const char *answers, uint64_t server_key)
{
    struct hover_batch *h = sample_hovers(path, spec, answers);
    struct event *event = NULL;
    h->server_key = server_key;
    OK(store_begin(w));
    OK(store_put_hovers(w, h, &event));
    OK(store_commit(w));
    hover_batch_destroy(h);
    event_unref(event);
}

#define PAST_A "one:1 two:2 three:3"
#define PAST_B "one:1 two:2x three:3:other four:4"

/* A branch is checked out and the other one again. */
static void
test_content_comes_back(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two=t three-"));
    event_unref(sample_put(w, "a.c", PAST_B));
    assert_hovers(s, "a.c", "one~o two~t three? four?");
    assert_int_equal(past_counts(s).past_contents, 1);
    event_unref(sample_put_hovers(w, "a.c", PAST_B, "one=o2 two=t2 three=h four=f"));
    assert_adds_up(s);
    /* what says something else than before is told, with what it says */
    struct event *e = sample_put(w, "a.c", PAST_A);
    assert_true(str_find(e->data, STR("\"markdown\":\"t\"")) > 0);
    sample_assert_names(event_ref(e), "updated", "one two three");
    sample_assert_names(e, "deleted", "four");
    assert_hovers(s, "a.c", "one=o two=t three-");
    struct store_counts c = past_counts(s);
    assert_int_equal(c.reused, 3);
    assert_int_equal(c.stale + c.hovers[HOVER_UNKNOWN], 0);
    assert_int_equal(c.past_contents, 1);
    assert_true(c.past_bytes > 0);
    event_unref(sample_put(w, "a.c", PAST_B));
    assert_hovers(s, "a.c", "one=o2 two=t2 three=h four=f");
    assert_adds_up(s);
    store_writer_close(w);
}

static void
test_content_comes_back_elsewhere(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two- three?"));
    event_unref(sample_delete(w, "a.c"));
    assert_int_equal(count_rows(s, "hover"), 1);
    assert_adds_up(s);
    struct event *e = sample_put(w, "sub/b.c", PAST_A);
    assert_true(str_find(e->data, STR("\"markdown\":\"o\"")) > 0);
    event_unref(e);
    assert_hovers(s, "sub/b.c", "one=o two- three?");
    assert_int_equal(past_counts(s).past_contents, 0);
    /* a copy over a file that is there has what is known of its source */
    event_unref(sample_put(w, "c.c", PAST_B));
    event_unref(sample_put(w, "c.c", PAST_A));
    assert_hovers(s, "c.c", "one=o two- three?");
    /* nothing is kept of the first to go, for the other one has it */
    event_unref(sample_delete(w, "c.c"));
    assert_int_equal(past_counts(s).past_contents, 0);
    event_unref(sample_put(w, "sub/b.c", PAST_B));
    assert_int_equal(past_counts(s).past_contents, 1);
    assert_adds_up(s);
    store_writer_close(w);
}

/* Files of one content of which not the same is known: who knows more is heard. */
static void
test_past_of_partial_twin(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put(w, "b.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two=t three=h"));
    event_unref(sample_put_hovers(w, "b.c", PAST_A, "one=o"));
    event_unref(sample_delete(w, "a.c"));
    event_unref(sample_put(w, "c.c", PAST_A));
    assert_hovers(s, "c.c", "one=o two=t three=h");
    assert_adds_up(s);
    event_unref(sample_delete(w, "c.c"));
    event_unref(sample_delete(w, "b.c")); // with less than is kept
    event_unref(sample_put(w, "c.c", PAST_A));
    assert_hovers(s, "c.c", "one=o two=t three=h");
    assert_adds_up(s);
    /* with more */
    event_unref(sample_put(w, "a.c", "one:7"));
    event_unref(sample_put(w, "b.c", PAST_B));
    event_unref(sample_put(w, "c.c", PAST_B));
    event_unref(sample_put_hovers(w, "b.c", PAST_B, "one=o"));
    event_unref(sample_delete(w, "b.c"));
    event_unref(sample_put_hovers(w, "c.c", PAST_B, "one=o two=t three=h four=f"));
    event_unref(sample_delete(w, "c.c"));
    event_unref(sample_put(w, "a.c", PAST_B));
    assert_hovers(s, "a.c", "one=o two=t three=h four=f");
    assert_adds_up(s);
    store_writer_close(w);
}

/* Neither is fresh: a file keeps its own. */
static void
test_stale_twin(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    event_unref(sample_put_hovers(w, "a.c", "one:1", "one=theirs"));
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    event_unref(sample_put(w, "b.c", "one:1 three:3"));
    event_unref(sample_put_hovers(w, "b.c", "one:1 three:3", "one=own"));
    event_unref(sample_put(w, "b.c", "one:1 two:2"));
    assert_hovers(s, "a.c", "one~theirs two?");
    assert_hovers(s, "b.c", "one~own two?");
    assert_adds_up(s);
    store_writer_close(w);
}

/* Another gloss makes other entities of the same text; what is known of those that stay is known. */
static void
test_same_content_of_other_maker(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct batch *b = sample_batch("a.c", "one:1 four:4 three:3:other");
    b->file.content = hash128(STR(PAST_A));
    OK(store_set_maker(w, STR("one")));
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two=t three=h"));
    OK(store_set_maker(w, STR("two")));
    event_unref(sample_put_batch(w, b));
    assert_hovers(s, "a.c", "one=o four? three?");
    assert_int_equal(past_counts(s).past_contents, 0);
    assert_adds_up(s);
    store_writer_close(w);
}

/* What was known of an earlier content only is not known of this one. */
static void
test_stale_is_not_kept(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o"));
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    event_unref(sample_put(w, "a.c", "one:1"));
    assert_hovers(s, "a.c", "one~o");
    assert_int_equal(past_counts(s).past_contents, 1);
    event_unref(sample_put(w, "a.c", "one:1 two:2"));
    assert_hovers(s, "a.c", "one~o two?");
    /* of another language it is another thing */
    struct batch *b = sample_batch("a.h", PAST_A);
    b->file.lang = STR("cpp");
    event_unref(sample_put_batch(w, b));
    assert_hovers(s, "a.h", "one? two? three?");
    assert_adds_up(s);
    store_writer_close(w);
}

static void
test_rollback_of_past(void **state)
{
    struct sample *s = *state;
    struct event *event = NULL;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    event_unref(sample_put_hovers(w, "a.c", PAST_A, "one=o two=t three=h"));
    OK(store_begin(w));
    OK(store_delete_file(w, STR("a.c"), &event));
    store_rollback(w);
    event_unref(event);
    assert_hovers(s, "a.c", "one=o two=t three=h");
    event_unref(sample_delete(w, "a.c"));
    assert_int_equal(past_counts(s).past_contents, 1);
    assert_adds_up(s);
    store_writer_close(w);
    w = sample_open(s, NULL); // the counts are of the index
    event_unref(sample_put(w, "a.c", PAST_A));
    assert_hovers(s, "a.c", "one=o two=t three=h");
    assert_adds_up(s);
    store_writer_close(w);
}

/* Another version of the server: what it did not say itself is stale. */
static void
test_server_key(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    past_put_hovers(w, "a.c", PAST_A, "one=o", 0); // an editor's
    past_put_hovers(w, "a.c", PAST_A, "two=t", 11);
    assert_hovers(s, "a.c", "one=o two=t three?");
    past_put_hovers(w, "a.c", PAST_A, "three?", 12); // it says nothing
    assert_hovers(s, "a.c", "one=o two=t three?");
    past_put_hovers(w, "a.c", PAST_A, "two=t three=h", 12);
    assert_hovers(s, "a.c", "one~o two=t three=h");
    past_put_hovers(w, "a.c", PAST_A, "one=o2", 12);
    assert_hovers(s, "a.c", "one=o2 two=t three=h");
    assert_adds_up(s);
    /* it comes back as the word of who said it */
    event_unref(sample_put(w, "a.c", PAST_B));
    past_put_hovers(w, "a.c", PAST_B, "one=o two=t three=h four=f", 13);
    event_unref(sample_put(w, "a.c", PAST_A));
    AUTO(arena_finish) struct arena a = {0};
    struct file file;
    struct store_reader *r = sample_read(s);
    OK(store_read_file(r, STR("a.c"), &a, &file));
    assert_int_equal(file.server_key, 12);
    store_reader_close(r);
    past_put_hovers(w, "a.c", PAST_A, "one=o", 13);
    assert_hovers(s, "a.c", "one=o two~t three~h");
    assert_adds_up(s);
    /* also when nobody knows who that was */
    event_unref(sample_put(w, "b.c", "one:5"));
    past_put_hovers(w, "b.c", "one:5", "one=o", 0);
    event_unref(sample_put(w, "a.c", "one:5"));
    assert_int_equal(read_int(s, "server_key", "file WHERE path='a.c'"), 0);
    store_writer_close(w);
}

static void
test_expire_hovers(void **state)
{
    struct sample *s = *state;
    AUTO(buf_finish) struct buf paths = {0};
    struct store_writer *w = sample_open(s, NULL);
    const char *const names[] = {"a.c", "b.c", "c.c", "d.c"};
    const char *const specs[] = {"one:1", "one:2", "one:3", "one:4"};
    const uint64_t keys[] = {11, 12, 0, 11};
    uint64_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        event_unref(sample_put(w, names[i], specs[i]));
        past_put_hovers(w, names[i], specs[i], i == 3 ? "one-" : "one=o", keys[i]);
    }
    OK(store_begin(w));
    OK(store_expire_hovers(w, STR("cpp"), 12, &n));
    assert_int_equal(n, 0);
    OK(store_expire_hovers(w, STR("c"), 12, &n));
    assert_int_equal(n, 2);
    OK(store_expire_hovers(w, STR("c"), 12, &n)); // they are already
    assert_int_equal(n, 0);
    OK(store_commit(w));
    assert_hovers(s, "a.c", "one~o");
    assert_hovers(s, "b.c", "one=o");
    assert_hovers(s, "c.c", "one=o"); // nobody knows whose it is
    struct store_reader *r = sample_read(s);
    OK(store_each_unasked_file(r, collect_path, &paths));
    assert_string_equal(paths.p, "a.c d.c ");
    store_reader_close(r);
    assert_adds_up(s);
    past_put_hovers(w, "a.c", specs[0], "one=o", 12);
    assert_hovers(s, "a.c", "one=o");
    OK(store_begin(w));
    OK(store_expire_hovers(w, STR("c"), 12, &n));
    assert_int_equal(n, 0);
    OK(store_commit(w));
    assert_adds_up(s);
    store_writer_close(w);
}

static void
assert_told(const struct sample *s, const char *spec, const char *lang, uint64_t key,
            const char *wanted)
{
    AUTO(arena_finish) struct arena a = {0};
    AUTO(buf_finish) struct buf is = {0};
    struct store_told told;
    struct store_reader *r = sample_read(s);
    struct batch *b = sample_batch("x.c", spec);
    int e = store_read_told(r, hash128(str_of(spec)), str_of(lang), &a, &told);
    if (!wanted) {
        assert_int_equal(e, -ENOENT);
    } else {
        OK(e);
        assert_int_equal(told.server_key, key);
        for (size_t i = 0; i < b->n_entities; i++)
            for (size_t k = 0; k < told.n; k++) {
                const struct hover *h = &told.v[k].hover;
                if (told.v[k].place != entity_place(&b->entities[i]))
                    continue;
                buf_printf(&is, "%.*s%s%.*s/%.*s ", STR_ARG(b->entities[i].name),
                           h->state == HOVER_KNOWN ? "=" : "-", STR_ARG(h->markdown),
                           STR_ARG(h->server));
            }
        assert_string_equal(is.p, wanted);
    }
    batch_destroy(b);
    store_reader_close(r);
}

static void
test_read_told(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    assert_told(s, PAST_A, "c", 0, NULL);
    event_unref(sample_put(w, "a.c", PAST_A));
    assert_told(s, PAST_A, "c", 0, NULL);
    past_put_hovers(w, "a.c", PAST_A, "one=o two-", 7);
    assert_told(s, PAST_A, "c", 7, "one=o/clangd two-/ ");
    assert_told(s, PAST_A, "cpp", 0, NULL);
    event_unref(sample_put(w, "a.c", PAST_B));
    assert_told(s, PAST_A, "c", 7, "one=o/clangd two-/ ");
    assert_told(s, PAST_B, "c", 0, NULL); // stale
    event_unref(sample_delete(w, "a.c"));
    assert_told(s, PAST_A, "c", 7, "one=o/clangd two-/ ");
    /* bytes that are no hovers */
    store_writer_close(w);
    sqlite3 *db = past_open(s);
    OK(sqlite3_exec(db, "UPDATE hover_past SET hovers=x'0011'", NULL, NULL, NULL));
    OK(sqlite3_close(db));
    AUTO(arena_finish) struct arena a = {0};
    struct store_told told;
    struct store_reader *r = sample_read(s);
    assert_int_equal(store_read_told(r, hash128(STR(PAST_A)), STR("c"), &a, &told),
                     -EBADMSG);
    store_reader_close(r);
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
    sqlite3 *db = past_open(s);
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
    sqlite3 *db = past_open(s);
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
    db = past_open(s);
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

static void
test_version_4(void **state)
{
    struct sample *s = *state;
    const char *const spec = PAST_A;
    struct hash128 content = hash128(str_of(spec));
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char *why = NULL;
    struct store_info info;
    OK(sqlite3_open(s->path, &db));
    if (sqlite3_exec(db, version_4, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    OK(sqlite3_prepare_v2(db, "UPDATE file SET content=?1", -1, &stmt, NULL));
    sqlite3_bind_blob(stmt, 1, &content, sizeof(content), SQLITE_STATIC);
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
    OK(sqlite3_close(db));
    struct store_reader *r = NULL;
    assert_int_equal(store_reader_open(s->url, &r, NULL), -EPROTONOSUPPORT);
    struct store_writer *w = sample_open(s, &info);
    assert_false(info.is_new);
    assert_string_equal(info.epoch, "00112233445566778899aabbccddeeff");
    assert_int_equal(read_int(s, "user_version", "pragma_user_version"), 5);
    assert_int_equal(read_int(s, "server_key", "file"), 0);
    assert_told(s, spec, "c", 0, "one=says one/clangd two-/ ");
    store_writer_close(w);
}

/* ---- whatever happens, in any order ---- */

/* What must be known: each content says of each name that it is of this content. */
static const char *const past_specs[] = {
    "one:1 two:2 three:3", "one:1 two:2 three:4",          "one:9 two:2 three:3 four:1",
    "two:2 +3 one:1",      "one:1:odd two:2:odd three:3 ", "five:5",
};
static const char *const past_names[] = {"one", "two", "three", "four", "five"};

static char *
past_answers(size_t content, uint32_t *seed, bool is_all)
{
    struct buf b = {0};
    for (size_t i = 0; i < ARRAY_LEN(past_names); i++) {
        uint32_t what = is_all ? 0 : next_random(seed) % 4;
        if (what == 0 && i == 1)
            buf_printf(&b, "%s- ", past_names[i]);
        else if (what < 2 && i != 1) // some texts are the same everywhere
            buf_printf(&b, "%s=%s-%zu ", past_names[i], past_names[i],
                       i == 2 ? (size_t)0 : content);
        else if (what == 2)
            buf_printf(&b, "%s? ", past_names[i]);
    }
    buf_add_str(&b, STR(""));
    return b.p ? buf_steal(&b) : xstrdup("one?");
}

/* A hover that is not stale is of the file's own content. */
static void
assert_own_hovers(const struct sample *s, const char *path, size_t content)
{
    sqlite3 *db = past_open(s);
    char *sql = xasprintf("SELECT count(*) FROM v_entity WHERE path='%s' AND "
                          "hover_state<>'unknown' AND NOT hover_stale AND NOT "
                          "iif(name='two',hover IS NULL,hover=name||'-'||"
                          "iif(name='three',0,%zu))",
                          path, content);
    assert_int_equal(past_int(db, sql), 0);
    free(sql);
    OK(sqlite3_close(db));
}

static void
assert_all_fresh(const struct sample *s, const char *path)
{
    sqlite3 *db = past_open(s);
    char *sql = xasprintf("SELECT count(*) FROM v_entity WHERE path='%s' AND "
                          "(hover_state='unknown' OR hover_stale)",
                          path);
    assert_int_equal(past_int(db, sql), 0);
    free(sql);
    OK(sqlite3_close(db));
}

#define PAST_PATHS 4
#define PAST_NONE SIZE_MAX

struct past_world {
    struct store_writer *w;
    size_t content_of[PAST_PATHS];
    bool is_full[ARRAY_LEN(past_specs)]; // all of it was known at once
    bool with_keys;
    uint32_t seed;
};

static void
past_step(const struct sample *s, struct past_world *world)
{
    size_t p = next_random(&world->seed) % PAST_PATHS;
    uint32_t what = next_random(&world->seed) % 16;
    char path[8];
    uint64_t n = 0;
    snprintf(path, sizeof(path), "f%zu.c", p);
    store_be_brief(world->w, what % 2 == 0);
    if (what == 0 && world->with_keys) {
        OK(store_begin(world->w));
        OK(store_expire_hovers(world->w, STR("c"), 1 + next_random(&world->seed) % 2,
                               &n));
        OK(store_commit(world->w));
    } else if (what < 4) {
        event_unref(sample_delete(world->w, path));
        world->content_of[p] = PAST_NONE;
    } else if (what < 10) {
        size_t content = next_random(&world->seed) % ARRAY_LEN(past_specs);
        event_unref(sample_put(world->w, path, past_specs[content]));
        world->content_of[p] = content;
        if (world->is_full[content] && !world->with_keys)
            assert_all_fresh(s, path);
    } else if (world->content_of[p] != PAST_NONE) {
        size_t content = world->content_of[p];
        char *answers = past_answers(content, &world->seed, what < 13);
        past_put_hovers(world->w, path, past_specs[content], answers,
                        world->with_keys ? next_random(&world->seed) % 3 : 1);
        world->is_full[content] |= what < 13;
        free(answers);
    }
    for (size_t i = 0; i < PAST_PATHS; i++) {
        snprintf(path, sizeof(path), "f%zu.c", i);
        if (world->content_of[i] != PAST_NONE)
            assert_own_hovers(s, path, world->content_of[i]);
    }
}

static void
test_any_order(void **state)
{
    struct sample *s = *state;
    for (uint32_t round = 0; round < 2; round++) {
        struct past_world world = {.seed = 7 + round, .with_keys = round == 1};
        bool more = false;
        world.w = sample_open(s, NULL);
        for (size_t i = 0; i < PAST_PATHS; i++)
            world.content_of[i] = PAST_NONE;
        for (int i = 0; i < 150; i++) {
            past_step(s, &world);
            assert_adds_up(s);
        }
        for (size_t i = 0; i < PAST_PATHS; i++) {
            char path[8];
            snprintf(path, sizeof(path), "f%zu.c", i);
            event_unref(sample_delete(world.w, path));
        }
        assert_adds_up(s);
        assert_true(past_counts(s).reused > 0);
        store_writer_close(world.w);
        /* when all is forgotten nothing is left */
        sqlite3 *db = past_open(s);
        OK(sqlite3_exec(db, "UPDATE meta SET v=1000000 WHERE k='past_rows'", NULL, NULL,
                        NULL));
        OK(sqlite3_close(db));
        world.w = sample_open(s, NULL);
        OK(store_begin(world.w));
        OK(store_prune(world.w, clock_wall_ms(), &more));
        OK(store_commit(world.w));
        assert_int_equal(count_rows(s, "hover_past") + count_rows(s, "hover"), 0);
        store_writer_close(world.w);
    }
}
