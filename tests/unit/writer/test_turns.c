/* Part of test_writer.c: who comes first, what shares a transaction and what waits for none. */

/* ---- a large drain is cut ---- */

static void
push_many(struct scene *scene)
{
    AUTO(buf_finish) struct buf spec = {0};
    for (int i = 0; i < WRITER_BATCH_ENTITIES * 2 / 5; i++)
        buf_printf(&spec, "f%d:%d ", i, i);
    for (int i = 0; i < 10; i++) {
        char path[16];
        snprintf(path, sizeof(path), "%d.c", i);
        writer_put_file(scene->w, sample_batch(path, spec.p), false, NULL, NULL);
    }
    close_writer(scene);
}

static void
test_large_drain_is_cut(void **state)
{
    struct scene scene = {.s = *state};
    run(&scene, push_many);
    assert_true(scene.n_commit_max <= 3); // two fifths and a file each: three are over it
    assert_true(scene.n_commits >= 4);
    buf_finish(&scene.story);
    assert_counts(&scene, WRITER_BATCH_ENTITIES * 4, 10);
}

/* ---- a bulk load: files that come one by one share commits until somebody waits ---- */

#define STREAM_FILES 80

static void
put_next(struct scene *scene)
{
    char path[16];
    snprintf(path, sizeof(path), "%zu.c", scene->n_put);
    writer_put_file(scene->w, sample_batch(path, "one:1"), false, NULL, NULL);
    if (++scene->n_put < STREAM_FILES)
        return;
    timer_close(scene->timer);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
begin_stream(struct scene *scene)
{
    scene->begin_ms = clock_mono_ms();
    timer_start(scene->timer, 1, 1);
}

static void
test_bulk_shares_commits(void **state)
{
    struct scene scene = {.s = *state, .on_ready = begin_stream, .on_tick = put_next};
    run(&scene, NULL);
    /* each pause of a slow machine may end a load, and the next one begins with single files */
    int64_t n_pauses = (clock_mono_ms() - scene.begin_ms) / WRITER_BATCH_MS;
    assert_true((int64_t)scene.n_commits <=
                (WRITER_BULK_FILES + 1) * (n_pauses + 1) + n_pauses);
    assert_string_equal(scene.story.p, "flush= closed");
    buf_finish(&scene.story);
    assert_counts(&scene, STREAM_FILES, STREAM_FILES);
}

/* ---- a flush in the middle of a load is not kept waiting by what comes after it ---- */

#define FLUSH_TRIES 5 // a slow machine may take long by itself, but not each time

static void
push_flush_and_load(struct scene *scene)
{
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
    for (size_t i = 0; i < WRITER_BULK_FILES + 1; i++)
        put(scene, "a.c", "one:1", false);
}

static void
note_begin(struct scene *scene)
{
    scene->begin_ms = clock_mono_ms();
}

static void
test_flush_is_not_put_off(void **state)
{
    int64_t least_ms = INT64_MAX;
    for (int i = 0; i < FLUSH_TRIES; i++) {
        struct scene scene = {.s = *state, .on_ready = note_begin};
        run(&scene, push_flush_and_load);
        least_ms = MIN(least_ms, clock_mono_ms() - scene.begin_ms);
        assert_memory_equal(scene.story.p, "flush= a.c", 10);
        buf_finish(&scene.story);
    }
    assert_true(least_ms < WRITER_BATCH_MS);
}

/* ---- urgent ones first ---- */

/* Another connection holds the write lock while the queue fills; the timer asks when it may. */
static void
lock_index(struct scene *scene)
{
    OK(sqlite3_open(scene->s->path, &scene->blocker));
    OK(sqlite3_exec(scene->blocker, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    timer_start(scene->timer, 1, 1);
}

static void
unlock_index(struct scene *scene)
{
    OK(sqlite3_exec(scene->blocker, "ROLLBACK", NULL, NULL, NULL));
    sqlite3_db_config(scene->blocker, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    OK(sqlite3_close(scene->blocker));
}

/* The thread has taken the first one: the timer is not needed any more. */
static bool
has_taken_first(struct scene *scene)
{
    if (writer_stats(scene->w).depth > 0)
        return false;
    timer_close(scene->timer);
    return true;
}

static void
block(struct scene *scene)
{
    lock_index(scene);
    put(scene, "first.c", "one:1", false);
}

static void
fill_and_unblock(struct scene *scene)
{
    if (!has_taken_first(scene))
        return;
    put(scene, "bulk.c", "two:2", false);
    put(scene, "bulk2.c", "three:3", false);
    put(scene, "open.c", "four:4", true);
    unlock_index(scene);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
test_urgent_first(void **state)
{
    struct scene scene = {.s = *state, .on_ready = block, .on_tick = fill_and_unblock};
    run(&scene, NULL);
    struct str story = buf_str(&scene.story);
    ssize_t first = str_find(story, STR("first.c ")),
            open = str_find(story, STR("open.c "));
    ssize_t bulk = str_find(story, STR("bulk.c ")),
            bulk2 = str_find(story, STR("bulk2.c "));
    assert_true(first >= 0 && first < open && open < bulk && bulk < bulk2);
    buf_finish(&scene.story);
    assert_counts(&scene, 4, 4);
}

/* ---- an urgent one and a load ---- */

/* The load is long enough to be one, too short to fill a transaction, and nothing comes after it. */
static void
push_urgent_and_load(struct scene *scene)
{
    char path[32];
    snprintf(path, sizeof(path), "%zu.c", scene->n_put);
    writer_put_file(scene->w, sample_batch(path, "one:1"), true, on_done,
                    last_note_of(scene, "urgent"));
    for (size_t k = 0; k < WRITER_BULK_FILES + 4; k++)
        put(scene, "load", k % 2 == 0 ? "one:1" : "one:2", false);
}

/* It has a transaction of its own, which waits for nothing. */
static void
test_urgent_is_not_put_off(void **state)
{
    int64_t least_ms = INT64_MAX, last_seq = 0;
    for (size_t i = 0; i < FLUSH_TRIES; i++) {
        struct scene scene = {
            .s = *state, .on_ready = note_begin, .last_seq = last_seq, .n_put = i};
        run(&scene, push_urgent_and_load);
        last_seq = scene.last_seq;
        least_ms = MIN(least_ms, clock_mono_ms() - scene.begin_ms);
        assert_memory_equal(scene.story.p, "urgent load ", 12);
        assert_int_equal(scene.n_commit_first, 1);
        buf_finish(&scene.story);
    }
    assert_true(least_ms < WRITER_BATCH_MS);
}

/* ---- urgent ones without end ---- */

/* Each fills a transaction; the one that is not urgent is the last in the queue and waits from the
 * beginning. */
static void
push_stream(struct scene *scene)
{
    AUTO(buf_finish) struct buf spec = {0};
    struct batch *batches[WRITER_URGENT_IN_A_ROW + 4];
    for (int i = 0; i < WRITER_URGENT_ENTITIES; i++)
        buf_printf(&spec, "f%d:%d ", i, i);
    for (size_t i = 0; i < ARRAY_LEN(batches); i++) {
        char path[16];
        snprintf(path, sizeof(path), "%zu.c", i);
        batches[i] = sample_batch(path, spec.p);
    }
    scene->w =
        writer_open(&scene->loop, scene->s->url, NULL, NULL, &writer_events, scene);
    for (size_t i = 0; i < ARRAY_LEN(batches); i++)
        writer_put_file(scene->w, batches[i], true, on_done, note_of(scene, "urgent"));
    put(scene, "normal", "one:1", false);
    close_writer(scene);
}

/* Eight transactions of others, then it is its turn. */
static void
test_urgent_ones_leave_a_turn(void **state)
{
    struct scene scene = {.s = *state};
    AUTO(buf_finish) struct buf wanted = {0};
    OK(loop_init(&scene.loop));
    push_stream(&scene);
    loop_run(&scene.loop);
    OK(loop_finish(&scene.loop));
    for (size_t i = 0; i < WRITER_URGENT_IN_A_ROW; i++)
        buf_add_cstr(&wanted, "urgent ");
    buf_add_cstr(&wanted, "normal urgent urgent urgent urgent closed");
    assert_string_equal(scene.story.p, wanted.p);
    buf_finish(&scene.story);
}

/* ---- a checkpoint that is due lets an urgent one pass ---- */

static void
note_checkpoints(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    OK(r);
    scene->n_checkpoints[0] = writer_stats(scene->w).gauges.checkpoints;
}

static void
note_checkpoints_last(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    OK(r);
    scene->n_checkpoints[1] = writer_stats(scene->w).gauges.checkpoints;
    close_writer(scene);
}

/* A file that fills a transaction and as much of the log as is checkpointed. */
static struct batch *
large_batch(void)
{
    AUTO(buf_finish) struct buf spec = {0};
    for (int i = 0; i < WRITER_BATCH_ENTITIES; i++)
        buf_printf(&spec, "function_%d:%d::%0400d ", i, i, i);
    return sample_batch("large.c", spec.p);
}

static void
block_large(struct scene *scene)
{
    lock_index(scene);
    writer_put_file(scene->w, steal(scene->large), false, on_done,
                    note_of(scene, "large.c"));
}

static void
push_urgent_and_unblock(struct scene *scene)
{
    if (!has_taken_first(scene))
        return;
    writer_put_file(scene->w, sample_batch("open.c", "four:4"), true, note_checkpoints,
                    scene);
    writer_flush(scene->w, note_checkpoints_last, scene);
    unlock_index(scene);
}

static void
test_checkpoint_lets_urgent_pass(void **state)
{
    struct scene scene = {.s = *state,
                          .on_ready = block_large,
                          .on_tick = push_urgent_and_unblock,
                          .large = large_batch()};
    run(&scene, NULL);
    assert_string_equal(scene.story.p, "large.c closed");
    buf_finish(&scene.story);
    assert_int_equal(scene.n_commit_first, 1);
    assert_int_equal(scene.n_checkpoints[0], 0);
    assert_int_equal(scene.n_checkpoints[1], 1);
    assert_counts(&scene, WRITER_BATCH_ENTITIES + 1, 2);
}
