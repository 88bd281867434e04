/* Dead letters: what failed for good is listed, kept in the index as soon as that can be, made good by
 * what comes later, done again on demand, bounded; and what the writer counts. */

/* The index's own copy, as "what:path " in order. */
static char *
stored_letters(const struct sample *s)
{
    AUTO(buf_finish) struct buf b = {0};
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    OK(sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READONLY, NULL));
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    OK(sqlite3_prepare_v2(db, "SELECT what,path FROM dead_letter ORDER BY id", -1, &stmt,
                          NULL));
    buf_add_cstr(&b, "");
    while (sqlite3_step(stmt) == SQLITE_ROW)
        buf_printf(&b, "%s:%s ", sqlite3_column_text(stmt, 0),
                   sqlite3_column_text(stmt, 1));
    sqlite3_finalize(stmt);
    OK(sqlite3_close(db));
    return xstrdup(b.n > 0 ? b.p : "");
}

static void
assert_stored(const struct scene *scene, const char *expected)
{
    char *is = stored_letters(scene->s);
    assert_string_equal(is, expected);
    free(is);
}

/* ---- one bad command ---- */

static void
put_bad(struct scene *scene, const char *path, const char *name, bool is_last)
{
    struct batch *bad = sample_batch(path, "two:2");
    bad->n_entities = ENTITY_PER_FILE_MAX + 1;
    writer_put_file(scene->w, bad, false, on_done,
                    is_last ? last_note_of(scene, name) : note_of(scene, name));
}

static void
check_and_close(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    const struct dead_letter *l = writer_letter_at(scene->w, 0);
    assert_int_equal(r, 0);
    assert_non_null(l);
    assert_int_equal(l->what, DEAD_PUT_FILE);
    assert_string_equal(l->path.p, "bad.c");
    assert_string_equal(l->error.p, err_text(-E2BIG));
    assert_true(l->id > 0 && l->time_ms > 0);
    assert_null(writer_letter_at(scene->w, 1));
    close_writer(scene);
}

static void
bad_then_check(struct scene *scene)
{
    put_bad(scene, "bad.c", "bad.c", false);
    writer_flush(scene->w, check_and_close, scene);
}

static void
test_letter_is_kept(void **state)
{
    struct scene scene;
    play(state, bad_then_check, NULL, "bad.c! closed", &scene);
    assert_int_equal(scene.stats.letters, 1);
    assert_true(scene.stats.letters_bytes > 0);
    assert_stored(&scene, "put_file:bad.c ");
    /* the next writer has it, and when it fails again it is still one */
    play(state, NULL, bad_then_check, "bad.c! closed", &scene);
    assert_stored(&scene, "put_file:bad.c ");
}

/* ---- the disk is full, then it is not ---- */

static void
on_there_is_room(void *ctx, int r UNUSED, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    struct writer_stats s = writer_stats(scene->w);
    assert_int_equal(s.letters, 4);
    assert_int_equal(s.letters_in_memory, 4);
    assert_stored(scene, "");
    fail_disarm();
    put(scene, "d.c", "one:1", false);
    writer_flush(scene->w, NULL, NULL); // behind which they are kept
    timer_start(scene->timer, 1, 1);
}

static void
close_when_kept(struct scene *scene)
{
    if (writer_stats(scene->w).letters_in_memory > 0)
        return;
    timer_close(scene->timer);
    close_writer(scene);
}

static void
fill_up(void *ctx, int r UNUSED, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    fail_arm(1, 1000000, SQLITE_FULL);
    put(scene, "b.c", "one:1", false);
    writer_put_hovers(scene->w, sample_hovers("a.c", "one:1", "one=y"), on_done,
                      note_of(scene, "hovers"));
    writer_expire_hovers(scene->w, STR("c"), 2, on_done, note_of(scene, "expire"));
    writer_put_event(scene->w, EVENT_PIPELINE_ONLINE, STR_NONE, STR("{}"), false, on_done,
                     note_of(scene, "event"));
    writer_flush(scene->w, on_there_is_room, scene);
}

static void
fill_disk_for_a_while(struct scene *scene)
{
    struct hover_batch *hovers = sample_hovers("a.c", "one:1", "one=x");
    hovers->server_key = 1;
    writer_put_file(scene->w, sample_batch("a.c", "one:1"), false, NULL, NULL);
    writer_put_hovers(scene->w, hovers, NULL, NULL);
    writer_flush(scene->w, fill_up, scene);
}

static void
test_letter_in_memory(void **state)
{
    struct scene scene = {
        .s = *state, .on_ready = fill_disk_for_a_while, .on_tick = close_when_kept};
    run(&scene, NULL);
    assert_string_equal(scene.story.p, "b.c! hovers! expire! event! d.c closed");
    buf_finish(&scene.story);
    assert_int_equal(scene.stats.letters, 4);
    assert_int_equal(scene.stats.failed, 4);
    assert_stored(&scene, "put_file:b.c put_hovers:a.c expire_hovers:c put_event: ");
}

/* ---- made good by the same file, later ---- */

static void
on_failed_then_good(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    assert_true(r < 0);
    fail_disarm();
    put(scene, "a.c", "one:1", false);
    put(scene, "b.c", "one:1", false);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
fail_two(struct scene *scene)
{
    fail_arm(1, 1000000, SQLITE_FULL);
    put(scene, "b.c", "one:1", false);
    writer_put_event(scene->w, EVENT_PIPELINE_ONLINE, STR("x"), STR("{}"), false, NULL,
                     NULL);
    writer_put_file(scene->w, sample_batch("a.c", "one:1"), false, on_failed_then_good,
                    scene);
}

static void
test_later_put_makes_good(void **state)
{
    struct scene scene;
    play(state, NULL, fail_two, "b.c! a.c b.c flush= closed", &scene);
    assert_int_equal(scene.stats.letters, 1);
    assert_stored(&scene, "put_event:x ");
    assert_counts(&scene, 2, 2);
}

/* ---- the last chance is the end ---- */

static void
on_failed_then_end(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    assert_true(r < 0);
    fail_disarm();
    close_writer(scene);
}

static void
fail_then_end(struct scene *scene)
{
    fail_arm(1, 1000000, SQLITE_FULL);
    writer_put_file(scene->w, sample_batch("a.c", "one:1"), false, on_failed_then_end,
                    scene);
}

static void
test_letter_is_kept_at_the_end(void **state)
{
    struct scene scene;
    play(state, NULL, fail_then_end, "closed", &scene);
    assert_stored(&scene, "put_file:a.c ");
}

/* ---- made good while its letter is on the way into the index ---- */

static void
on_bad_then_block(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    assert_true(r < 0);
    block(scene);
    put(scene, "a.c", "one:1", false); // behind which comes the letter
}

static void
overtake_and_unblock(struct scene *scene)
{
    if (!is_blocked_before(scene, 1))
        return;
    put(scene, "bad.c", "one:1", true);
    unblock(scene);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
put_bad_then_good(struct scene *scene)
{
    struct batch *bad = sample_batch("bad.c", "two:2");
    bad->n_entities = ENTITY_PER_FILE_MAX + 1;
    writer_put_file(scene->w, bad, false, on_bad_then_block, scene);
}

static void
test_made_good_before_it_is_kept(void **state)
{
    struct scene scene = {
        .s = *state, .on_ready = put_bad_then_good, .on_tick = overtake_and_unblock};
    run(&scene, NULL);
    assert_string_equal(scene.story.p, "a.c bad.c flush= closed");
    buf_finish(&scene.story);
    assert_int_equal(scene.stats.letters, 0);
    assert_stored(&scene, "");
}

/* ---- done again ---- */

static void
replay_all(struct scene *scene)
{
    const struct dead_letter *l;
    for (size_t i = 0; (l = writer_letter_at(scene->w, i)); i++) {
        OK(writer_replay(scene->w, l->id, on_done,
                         note_of(scene, dead_what_name(l->what))));
        assert_int_equal(writer_replay(scene->w, l->id, NULL, NULL), -EALREADY);
    }
    assert_int_equal(writer_replay(scene->w, 12345, NULL, NULL), -ENOENT);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
on_flushed_then_replay(void *ctx, int r, struct event *event UNUSED)
{
    assert_int_equal(r, 0);
    replay_all(ctx);
}

static void
on_failed_hovers(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    assert_true(r < 0);
    fail_disarm();
    writer_flush(scene->w, on_flushed_then_replay, scene);
}

static void
on_put_then_fail(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    OK(r);
    fail_arm(1, 1000000, SQLITE_FULL);
    writer_put_event(scene->w, EVENT_PIPELINE_ONLINE, STR_NONE, STR("{}"), false, NULL,
                     NULL);
    writer_put_hovers(scene->w, sample_hovers("a.c", "one:1", "one=x"), on_failed_hovers,
                      scene);
}

static void
put_then_fail(struct scene *scene)
{
    writer_put_file(scene->w, sample_batch("a.c", "one:1"), false, on_put_then_fail,
                    scene);
}

static void
test_replay(void **state)
{
    struct scene scene;
    play(state, NULL, put_then_fail, "put_hovers put_event flush= closed", &scene);
    assert_int_equal(scene.stats.letters, 0);
    assert_int_equal(scene.stats.letters_replayed, 2);
    assert_stored(&scene, "");
    assert_counts(&scene, 1, 3);
    struct store_counts c;
    struct store_reader *r = sample_read(scene.s);
    OK(store_read_counts(r, &c));
    assert_int_equal(c.hovers[HOVER_KNOWN], 1);
    store_reader_close(r);
}

static void
on_failed_then_replay(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    assert_true(r < 0);
    replay_all(scene); // still no room
}

static void
fail_then_replay(struct scene *scene)
{
    fail_arm(1, 1000000, SQLITE_FULL);
    writer_put_event(scene->w, EVENT_PIPELINE_ONLINE, STR_NONE, STR("{}"), false,
                     on_failed_then_replay, scene);
}

/* It stays the one it was. */
static void
test_replay_fails(void **state)
{
    struct scene scene;
    play(state, NULL, fail_then_replay, "put_event! flush= closed", &scene);
    fail_disarm();
    assert_int_equal(scene.stats.letters, 1);
    assert_int_equal(scene.stats.letters_in_memory, 1);
    assert_int_equal(scene.stats.letters_replayed, 0);
    assert_stored(&scene, ""); // nor was there room at the end
}

/* ---- how many ---- */

static void
fail_next(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    char path[16];
    assert_true(r < 0);
    if (++scene->n_put > STORE_LETTERS_MAX + 5) {
        writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
        return;
    }
    snprintf(path, sizeof(path), "%zu.c", scene->n_put);
    struct batch *bad = sample_batch(path, "two:2");
    bad->n_entities = ENTITY_PER_FILE_MAX + 1;
    writer_put_file(scene->w, bad, false, fail_next, scene);
}

static void
begin_failing(struct scene *scene)
{
    fail_next(scene, -E2BIG, NULL);
}

static void
test_letters_are_bounded(void **state)
{
    struct scene scene;
    play(state, NULL, begin_failing, "flush= closed", &scene);
    assert_int_equal(scene.stats.letters, STORE_LETTERS_MAX);
    assert_int_equal(scene.stats.letters_dropped, 5);
    char *is = stored_letters(scene.s);
    assert_memory_equal(is, "put_file:6.c ", 13);
    assert_non_null(strstr(is, "put_file:1005.c "));
    free(is);
}

#define HEAVY_BYTES 1000000

static void
fail_heavy(struct scene *scene)
{
    AUTO(free) char *data = xcalloc(1, HEAVY_BYTES + 1);
    memset(data, 'x', HEAVY_BYTES);
    fail_arm(1, 1000000, SQLITE_FULL);
    for (size_t i = 0; i < STORE_LETTERS_BYTES / HEAVY_BYTES + 3; i++)
        writer_put_event(scene->w, EVENT_PIPELINE_ONLINE, STR_NONE, str_of(data), false,
                         NULL, NULL);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
test_letters_bytes_are_bounded(void **state)
{
    struct scene scene;
    play(state, NULL, fail_heavy, "flush= closed", &scene);
    fail_disarm();
    assert_int_equal(scene.stats.letters, STORE_LETTERS_BYTES / HEAVY_BYTES);
    assert_true(scene.stats.letters_bytes <= STORE_LETTERS_BYTES);
    assert_int_equal(scene.stats.letters_dropped, 3);
}

/* ---- what is counted ---- */

static void
put_in_lanes(struct scene *scene)
{
    static const char *const paths[] = {"a.c", "b.c", "c.c"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        writer_put_file(scene->w, sample_batch(paths[i], "one:1"), i > 0, NULL, NULL);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
test_lanes_and_causes(void **state)
{
    struct scene scene;
    uint64_t n = 0;
    play(state, put_in_lanes, NULL, "flush= closed", &scene);
    assert_int_equal(scene.stats.bulk.wait.n, 1);
    assert_int_equal(scene.stats.bulk.latency.n, 1);
    assert_int_equal(scene.stats.interactive.wait.n, 2);
    assert_int_equal(scene.stats.interactive.latency.n, 2);
    assert_true(scene.stats.interactive.latency.max >= scene.stats.interactive.wait.max);
    assert_int_equal(scene.stats.commit.n, scene.stats.commits);
    for (size_t i = 0; i < WRITER_CAUSE_COUNT; i++)
        n += scene.stats.causes[i];
    assert_int_equal(n, scene.stats.commits);
    assert_true(scene.stats.causes[WRITER_FLUSHED] > 0);
    assert_true(scene.stats.gauges.wal_bytes > 0);
    assert_string_equal(writer_cause_name(WRITER_FLUSHED), "flush");
}
