/* Part of test_writer.c: a disk that fails, an index that cannot be opened. */

/* ---- the disk fails for a while ---- */

static void
fail_once_then_put(struct scene *scene)
{
    fail_arm(1, 2, SQLITE_IOERR_WRITE); // the drain and the first try alone
    put(scene, "a.c", "one:1", false);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
test_error_is_retried(void **state)
{
    struct scene scene;
    play(state, NULL, fail_once_then_put, "a.c flush= closed", &scene);
    assert_true(scene.stats.retries >= 1);
    assert_int_equal(scene.stats.failed, 0);
    assert_counts(&scene, 1, 1);
}

static void
on_failed_put(void *ctx, int r, struct event *event)
{
    struct note *note = ctx;
    assert_int_equal(r, -EIO);
    assert_null(event);
    fail_disarm();
    put(note->scene, "b.c", "two:2", false);
    writer_flush(note->scene->w, on_done, last_note_of(note->scene, "flush"));
    free(note);
}

static void
fail_for_long(struct scene *scene)
{
    fail_arm(1, 1000000, SQLITE_IOERR_WRITE);
    writer_put_file(scene->w, sample_batch("a.c", "one:1"), false, on_failed_put,
                    note_of(scene, "a.c"));
}

static void
test_error_is_reported(void **state)
{
    struct scene scene;
    play(state, NULL, fail_for_long, "b.c flush= closed", &scene);
    assert_int_equal(scene.stats.retries, WRITER_RETRIES);
    assert_int_equal(scene.stats.failed, 1);
    assert_counts(&scene, 1, 1);
}

static void
fill_disk(struct scene *scene)
{
    fail_arm(1, 1000000, SQLITE_FULL);
    put(scene, "a.c", "one:1", false);
    put(scene, "b.c", "one:1", false);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

/* No room is not tried again: nothing gets better by itself. */
static void
test_no_room(void **state)
{
    struct scene scene;
    play(state, NULL, fill_disk, "a.c! b.c! flush= closed", &scene);
    fail_disarm();
    assert_int_equal(scene.stats.retries, 0);
    assert_int_equal(scene.stats.failed, 2);
    assert_counts(&scene, 0, 0);
}

/* ---- cannot open ---- */

static void
put_and_close(struct scene *scene)
{
    put(scene, "late.c", "one:1", false);
    close_writer(scene);
}

static void
push_early(struct scene *scene)
{
    put(scene, "early.c", "one:1", false);
}

static void
test_second_engine(void **state)
{
    struct scene scene;
    struct store_writer *first = sample_open(*state, NULL);
    play(state, push_early, put_and_close, "early.c! late.c! closed", &scene);
    assert_int_equal(scene.open_r, -EWOULDBLOCK);
    store_writer_close(first);
}

/* The root goes with the address, and neither needs to outlive the call. */
static void
test_other_root(void **state)
{
    static const char *const roots[] = {"/w", "/w2", "/w"};
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        struct scene scene = {.s = *state, .on_ready = close_writer};
        char *url = xstrdup(scene.s->url), *root = xstrdup(roots[i]);
        OK(loop_init(&scene.loop));
        scene.w = writer_open(&scene.loop, url, root, NULL, &writer_events, &scene);
        memset(url, 'x', strlen(url));
        memset(root, 'x', strlen(root));
        loop_run(&scene.loop);
        OK(loop_finish(&scene.loop));
        assert_int_equal(scene.open_r, i == 1 ? -EPROTONOSUPPORT : 0);
        buf_finish(&scene.story);
        free(url);
        free(root);
    }
}
