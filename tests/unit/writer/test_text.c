/* Part of test_writer.c: what is indexed for the search when nothing else is to be done. */

#define FILES_INDEXED 400

static int
count_indexed(const struct scene *scene)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    OK(sqlite3_open_v2(scene->s->path, &db, SQLITE_OPEN_READONLY, NULL));
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    OK(sqlite3_prepare_v2(db, "SELECT count(*) FROM file WHERE text_gen>0", -1, &stmt,
                          NULL));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int n = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    OK(sqlite3_close(db));
    return n;
}

static bool
is_text_indexed(const struct scene *scene)
{
    return count_indexed(scene) == 1;
}

static void
close_when_indexed(struct scene *scene)
{
    if (!is_text_indexed(scene))
        return;
    timer_close(scene->timer);
    close_writer(scene);
}

static void
put_and_wait(struct scene *scene)
{
    put(scene, "a.c", "one:1", false);
    timer_start(scene->timer, 10, 10);
}

static void
test_text_is_indexed_when_quiet(void **state)
{
    struct scene scene = {
        .s = *state, .on_ready = put_and_wait, .on_tick = close_when_indexed};
    run(&scene, NULL);
    assert_string_equal(scene.story.p, "a.c closed");
    buf_finish(&scene.story);
}

/* A file that somebody waits for at each tick: a step ends for it, and what is left is indexed all the same. */
static void
push_urgent_or_close(struct scene *scene)
{
    if (count_indexed(scene) >= FILES_INDEXED) {
        timer_close(scene->timer);
        close_writer(scene);
        return;
    }
    char spec[32];
    snprintf(spec, sizeof(spec), "one:%zu", ++scene->n_put);
    writer_put_file(scene->w, sample_batch("urgent.c", spec), true, NULL, NULL);
}

static void
put_many_and_push(struct scene *scene)
{
    for (int i = 0; i < FILES_INDEXED; i++) {
        char path[32];
        snprintf(path, sizeof(path), "f%d.c", i);
        writer_put_file(scene->w, sample_batch(path, "one:1 two:2>one"), false, NULL,
                        NULL);
    }
    timer_start(scene->timer, 300, 300); // quiet begins after 250
}

static void
test_text_is_indexed_beside_urgent(void **state)
{
    struct scene scene = {
        .s = *state, .on_ready = put_many_and_push, .on_tick = push_urgent_or_close};
    run(&scene, NULL);
    if (scene.n_put == 0)
        print_message("# all was indexed before something came beside it\n");
    buf_finish(&scene.story);
}

/* Another hover each time, closer together than what is quiet after files. */
static void
push_hover_or_close(struct scene *scene)
{
    if (is_text_indexed(scene)) {
        timer_close(scene->timer);
        close_writer(scene);
        return;
    }
    const char *answer = scene->n_put++ % 2 ? "one=x" : "one=y";
    writer_put_hovers(scene->w, sample_hovers("a.c", "one:1", answer), NULL, NULL);
}

static void
put_and_push(struct scene *scene)
{
    put(scene, "a.c", "one:1", false);
    timer_start(scene->timer, 60, 60);
}

/* While a server is asked, names are indexed all the same. */
static void
test_text_is_indexed_between_hovers(void **state)
{
    struct scene scene = {
        .s = *state, .on_ready = put_and_push, .on_tick = push_hover_or_close};
    run(&scene, NULL);
    if (scene.n_put == 0)
        print_message("# all was indexed before something came beside it\n");
    buf_finish(&scene.story);
}

/* Steps of a backend find their length, whatever it takes for an entity, and a single slow one does no harm. */
static void
test_text_step(void **state UNUSED)
{
    static const int64_t entity_ns[] = {50, 1000, 2000, 30000, 1000000};
    for (size_t i = 0; i < ARRAY_LEN(entity_ns); i++) {
        size_t n = WRITER_TEXT_STEP_ENTITIES;
        for (int k = 0; k < 10; k++)
            n = writer_text_step(n, (int64_t)n * entity_ns[i]);
        int64_t took_ms = (int64_t)n * entity_ns[i] / 1000000;
        assert_true(n >= 500 && n <= 24000);
        assert_true(took_ms <= WRITER_TEXT_STEP_MS || n == 500);
        assert_true(took_ms >= WRITER_TEXT_STEP_MS - 1 || n == 24000);
        assert_int_equal(writer_text_step(n, INT64_MAX), 500);
        assert_true(writer_text_step(n, 0) <= MAX(2 * n, 500));
    }
}
