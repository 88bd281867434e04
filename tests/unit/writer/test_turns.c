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

/* ---- or what it weighs ---- */

/* The first weighs much and takes no time; whatever time the second takes, it is already too much. */
static void
push_heavy_and_unblock(struct scene *scene)
{
    AUTO(free) char *data = xcalloc(1, WRITER_BATCH_BYTES / 2 + 1);
    if (!is_blocked_before(scene, 0))
        return;
    struct batch *heavy = sample_batch("a.c", "one:1");
    (void)!arena_alloc(&heavy->arena, WRITER_BATCH_BYTES / 2);
    writer_put_file(scene->w, heavy, false, NULL, NULL);
    memset(data, 'x', WRITER_BATCH_BYTES / 2);
    writer_put_event(scene->w, EVENT_PIPELINE_ONLINE, STR_NONE, str_of(data), false, NULL,
                     NULL);
    writer_put_event(scene->w, EVENT_PIPELINE_ONLINE, STR_NONE, STR("{}"), false, NULL,
                     NULL);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
    unblock(scene);
}

static void
block_small(struct scene *scene)
{
    block(scene);
    writer_put_event(scene->w, EVENT_PIPELINE_ONLINE, STR_NONE, STR("{}"), false, NULL,
                     NULL);
}

static void
test_many_bytes_are_cut(void **state)
{
    struct scene scene = {
        .s = *state, .on_ready = block_small, .on_tick = push_heavy_and_unblock};
    run(&scene, NULL);
    assert_string_equal(scene.story.p, "flush= closed");
    buf_finish(&scene.story);
    assert_int_equal(scene.stats.causes[WRITER_FULL_BYTES],
                     1); // of two and the small one
    assert_int_equal(scene.n_commits, 2);
    assert_counts(&scene, 1, 4);
}

/* ---- but not what its BEGIN had to wait ---- */

static void
push_and_unblock_late(struct scene *scene)
{
    if (scene->n_put == 0 && is_blocked_before(scene, 0)) {
        scene->begin_ms = clock_mono_ms();
        for (; scene->n_put < 5; scene->n_put++)
            writer_put_event(scene->w, EVENT_PIPELINE_ONLINE, STR_NONE, STR("{}"), false,
                             NULL, NULL);
    }
    if (scene->n_put == 0 || clock_mono_ms() - scene->begin_ms < WRITER_BATCH_MS + 10)
        return;
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
    unblock(scene);
}

static void
test_wait_for_begin_is_not_counted(void **state)
{
    struct scene scene = {
        .s = *state, .on_ready = block_small, .on_tick = push_and_unblock_late};
    run(&scene, NULL);
    assert_string_equal(scene.story.p, "flush= closed");
    buf_finish(&scene.story);
    assert_int_equal(scene.stats.causes[WRITER_FULL_TIME], 0);
    assert_int_equal(scene.n_commits, 1);
    assert_counts(&scene, 0, 6);
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

static void
block_first(struct scene *scene)
{
    block(scene);
    put(scene, "first.c", "one:1", false);
}

static void
fill_and_unblock(struct scene *scene)
{
    if (!is_blocked_before(scene, 0))
        return;
    put(scene, "bulk.c", "two:2", false);
    put(scene, "bulk2.c", "three:3", false);
    put(scene, "open.c", "four:4", true);
    unblock(scene);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
test_urgent_first(void **state)
{
    struct scene scene = {
        .s = *state, .on_ready = block_first, .on_tick = fill_and_unblock};
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
    block(scene);
    writer_put_file(scene->w, steal(scene->large), false, on_done,
                    note_of(scene, "large.c"));
}

static void
push_urgent_and_unblock(struct scene *scene)
{
    if (!is_blocked_before(scene, 0))
        return;
    writer_put_file(scene->w, sample_batch("open.c", "four:4"), true, note_checkpoints,
                    scene);
    writer_flush(scene->w, note_checkpoints_last, scene);
    unblock(scene);
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

/* ---- but not for ever: the log grows ---- */

#define URGENT_PASSING 8 // and no more

static void
note_checkpoints_of_each(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    OK(r);
    if (scene->n_put++ < URGENT_PASSING)
        scene->n_checkpoints[0] = writer_stats(scene->w).gauges.checkpoints;
    else
        scene->n_checkpoints[1] = writer_stats(scene->w).gauges.checkpoints;
    if (scene->n_put == 2 * URGENT_PASSING)
        close_writer(scene);
}

/* Each fills a transaction. */
static void
push_many_urgent_and_unblock(struct scene *scene)
{
    AUTO(buf_finish) struct buf spec = {0};
    if (!is_blocked_before(scene, 0))
        return;
    for (int i = 0; i < WRITER_URGENT_ENTITIES; i++)
        buf_printf(&spec, "f%d:%d ", i, i);
    for (size_t i = 0; i < 2 * URGENT_PASSING; i++) {
        char path[16];
        snprintf(path, sizeof(path), "%zu.c", i);
        writer_put_file(scene->w, sample_batch(path, spec.p), true,
                        note_checkpoints_of_each, scene);
    }
    unblock(scene);
}

static void
test_checkpoint_is_not_put_off_for_ever(void **state)
{
    struct scene scene = {.s = *state,
                          .on_ready = block_large,
                          .on_tick = push_many_urgent_and_unblock,
                          .large = large_batch()};
    run(&scene, NULL);
    buf_finish(&scene.story);
    assert_int_equal(scene.n_checkpoints[0], 0);
    assert_true(scene.n_checkpoints[1] > 0);
}

/* ---- a run that is never idle prunes at its end ---- */

static void
put_and_end(struct scene *scene)
{
    put(scene, scene->last_seq == 0 ? "a.c" : "b.c", "one:1", false);
    close_writer(scene);
}

static void
test_short_run_prunes(void **state)
{
    struct scene scene = {.s = *state};
    struct store_info info;
    sqlite3 *db = NULL;
    run(&scene, put_and_end);
    OK(sqlite3_open(scene.s->path, &db));
    OK(sqlite3_exec(db, "UPDATE event SET ts_ms=1", NULL, NULL, NULL));
    OK(sqlite3_close(db));
    run(&scene, put_and_end);
    assert_string_equal(scene.story.p, "a.c closedb.c closed");
    buf_finish(&scene.story);
    struct store_reader *r = sample_read(scene.s);
    OK(store_read_info(r, &info));
    store_reader_close(r);
    assert_int_equal(info.first_seq, 2);
    assert_int_equal(info.head, 2);
}
