/* Index runs and documents: what the index holds is what the disk or an editor has. */
#include "check.h"

/* ---- index runs ---- */

static void
test_first_and_second(void **state UNUSED)
{
    struct fixture f;
    int64_t seq;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "dir/b.py", "def p():\n    pass\n");
    put(&f, "notes.txt", "nothing");
    put(&f, ".gitignore", "ignored.c\n");
    put(&f, "ignored.c", "int i(void) { return 1; }\n");
    open_all(&f);
    assert_int_equal(workspace_state(f.w), WORKSPACE_OPENING);
    assert_string_equal(workspace_epoch(f.w), "");
    index_ok(&f);
    assert_int_equal(workspace_state(f.w), WORKSPACE_READY);
    assert_int_equal(f.summary.files, 2);
    assert_int_equal(f.summary.skipped, 2); // notes.txt, .gitignore
    assert_int_equal(f.summary.failed, 0);
    assert_int_equal(f.summary.unchanged, 0);
    assert_int_equal(f.summary.removed, 0);
    assert_int_equal(f.summary.counts.entities, 3);
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    assert_string_equal(indexed(&f, "ignored.c"), "-2");
    assert_string_equal(f.summary.info.epoch, workspace_epoch(f.w));
    assert_int_equal(count_events(&f, EVENT_INDEX_REBUILT, NULL), 1);
    assert_int_equal(count_events(&f, EVENT_FILE_COMPLETED, "a.c"), 1);
    assert_int_equal(count_events(&f, EVENT_FILE_PROCESSING, "a.c"), 1);
    assert_no_hole(&f);
    seq = f.summary.info.head;

    close_all(&f);
    forget_events(&f);
    open_all(&f);
    index_ok(&f);
    assert_int_equal(f.summary.files, 2);
    assert_int_equal(f.summary.unchanged, 2);
    assert_int_equal(f.summary.info.head, seq);
    assert_int_equal(f.events.n, count_events(&f, EVENT_STATUS_UPDATE, NULL));
    assert_true(f.events.n > 0);
    tear_down(&f);
}

static void
test_one_function_changed(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "other.c", "int o(void) { return 1; }\n");
    open_all(&f);
    index_ok(&f);
    forget_events(&f);
    put(&f, "a.c", AB2);
    index_ok(&f);
    assert_int_equal(count_durable(&f), 1);
    assert_delta(&f, "a.c", "0 1 0");
    assert_int_equal(f.summary.unchanged, 1);
    forget_events(&f);
    index_ok(&f);
    assert_int_equal(f.events.n, count_events(&f, EVENT_STATUS_UPDATE, NULL));
    tear_down(&f);
}

static void
test_removed(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "dir/b.c", AB);
    put(&f, "dir/sub/c.c", AB);
    put(&f, "dir.c", AB);
    open_all(&f);
    index_ok(&f);
    forget_events(&f);
    cut(&f, "a.c");
    cut(&f, "dir");
    index_ok(&f);
    assert_int_equal(f.summary.removed, 3);
    assert_int_equal(f.summary.files, 1);
    assert_int_equal(count_events(&f, EVENT_FILE_DELETED, NULL), 3);
    assert_delta(&f, "dir/sub/c.c", "0 0 2");
    assert_string_equal(indexed(&f, "dir/b.c"), "-2");
    assert_string_equal(indexed(&f, "dir.c"), "a,b");
    put(&f, "a.c", AB);
    index_ok(&f);
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    assert_no_hole(&f);
    tear_down(&f);
}

static void
unlink_it(struct fixture *f, const struct seen *event)
{
    if (event->type == EVENT_FILE_PROCESSING && strcmp(event->subject, "gone.c") == 0)
        cut(f, "gone.c");
}

static void
test_vanishes_while_read(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "gone.c", AB);
    put(&f, "a.c", AB);
    f.on_event = unlink_it;
    open_all(&f);
    index_ok(&f);
    assert_int_equal(f.summary.files, 1);
    assert_int_equal(f.summary.failed, 0);
    assert_string_equal(indexed(&f, "gone.c"), "-2");
    assert_null(known_find(f.w->known, STR("gone.c")));
    f.on_event = NULL;
    put(&f, "gone.c", AB);
    index_ok(&f);
    assert_string_equal(indexed(&f, "gone.c"), "a,b");
    f.on_event = unlink_it; // and once more, now that the index has it
    put(&f, "gone.c", AB2);
    index_ok(&f);
    assert_string_equal(indexed(&f, "gone.c"), "-2");
    tear_down(&f);
}

/* Each order of "it is gone" and "it is there" while one of them is on its way. */
static void
test_deleted_and_back(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    index_ok(&f);

    pipeline_touch(f.w, STR("a.c"), JOB_DELETE, false);
    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "a,b");

    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    pipeline_touch(f.w, STR("a.c"), JOB_DELETE, false);
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "-2");
    assert_null(known_find(f.w->known, STR("a.c")));

    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    WAIT(&f, is_quiet(&f));
    doc_open(&f, "a.c", AB); // says what the index has
    WAIT(&f, is_quiet(&f));
    pipeline_touch(f.w, STR("a.c"), JOB_DELETE, false);
    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "a,b*");

    /* It vanished, and is there again before the worker's word of it arrives. */
    workspace_doc_close(f.w, STR("a.c"));
    WAIT(&f, known_find(f.w->known, STR("a.c"))->mtime_ns != 0 && is_quiet(&f));
    cut(&f, "a.c");
    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    WAIT(&f, ({
        struct file_job *job = map_get(f.w->jobs, STR("a.c"));
        usleep(1000); // the worker is about to look: no harm if it has not
        job && job->state == JOB_WORKING;
    }));
    put(&f, "a.c", AB2);
    pipeline_touch(f.w, STR("a.c"), JOB_INDEX, false);
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    tear_down(&f);
}

static void
test_runs_join(void **state UNUSED)
{
    struct fixture f;
    size_t n;

    set_up(&f);
    for (size_t i = 0; i < 50; i++) {
        AUTO(free) char *path = xasprintf("d%zu/f%zu.c", i % 7, i);
        put(&f, path, AB);
    }
    open_all(&f);
    workspace_index(f.w, false, on_summary, &f); // before it is open
    workspace_index(f.w, true, on_summary, &f);
    WAIT(&f, f.w->is_walking);
    workspace_index(f.w, false, on_summary, &f); // while it walks
    WAIT(&f, f.n_summaries == 3);
    assert_int_equal(f.summary.r, 0);
    assert_int_equal(f.summary.files, 50);
    assert_int_equal(f.w->walk, 1);
    workspace_index(f.w, false, on_summary, &f); // two for one walk
    workspace_index(f.w, false, on_summary, &f);
    WAIT(&f, f.n_summaries == 5);
    assert_int_equal(f.w->walk, 2);
    assert_int_equal(f.summary.unchanged, 50);
    n = f.n_summaries;
    workspace_index(f.w, false, on_summary, &f);
    close_all(&f); // while closing: answered all the same
    assert_int_equal(f.n_summaries, n + 1);
    assert_int_equal(f.summary.r, -ESHUTDOWN);
    tear_down(&f);
}

static void
test_many_files(void **state UNUSED)
{
    struct fixture f;
    size_t n_files = WORKSPACE_CREDITS + 3 * WORKSPACE_SCAN_AHEAD, most_waiting = 0,
           least_credits = WORKSPACE_CREDITS;
    bool was_paused = false;

    set_up(&f);
    for (size_t i = 0; i < n_files; i++) {
        AUTO(free) char *path = xasprintf("d%zu/f%zu.c", i % 3, i);
        AUTO(free) char *text = xasprintf("int f%zu(void) { return %zu; }\n", i, i);
        put(&f, path, text);
    }
    open_all(&f);
    workspace_index(f.w, false, on_summary, &f);
    WAIT(&f, (most_waiting = MAX(most_waiting, f.w->n_waiting),
              least_credits = MIN(least_credits, f.w->credits),
              was_paused |= f.w->is_scan_paused, f.n_summaries > 0));
    assert_int_equal(f.summary.files, n_files);
    assert_int_equal(f.summary.counts.entities, n_files);
    assert_true(was_paused);
    assert_true(most_waiting <= WORKSPACE_SCAN_AHEAD + 1);
    assert_true(least_credits >= WORKSPACE_CREDITS_RESERVED);
    assert_int_equal(f.w->credits, WORKSPACE_CREDITS);
    assert_int_equal(f.w->held_bytes, 0);
    assert_int_equal(f.w->n_working, 0);
    assert_int_equal(f.w->walk_done, f.w->walk_files);
    assert_int_equal(count_durable(&f), n_files + 1);
    assert_no_hole(&f);
    tear_down(&f);
}

/* The files for the writer, the writer for more files: until its time is over. */
static bool
all_wait(const struct workspace *w)
{
    return w->is_open && w->n_storing > 0 && w->n_storing == w->n_working &&
           !w->is_flushing && w->n_waiting > 0;
}

/* Files of nothing but definitions, whose batches are several times as large as they are. */
static void
test_large_batches_wait(void **state UNUSED)
{
    struct fixture f;
    AUTO(buf_finish) struct buf text = {0};
    size_t n_files = 12, n_macros = 12000, most_bytes = 0;
    bool was_held_back = false, did_all_wait = false;

    set_up(&f);
    for (size_t i = 0; i < n_macros; i++)
        buf_printf(&text, "#define REGISTER_OF_A_DEVICE_%05zu 0x%zx\n", i, i);
    for (size_t i = 0; i < n_files; i++) {
        AUTO(free) char *path = xasprintf("f%zu.h", i);
        put(&f, path, text.p);
    }
    open_all(&f);
    workspace_index(f.w, false, on_summary, &f);
    WAIT(&f, (most_bytes = MAX(most_bytes, f.w->held_bytes),
              was_held_back |= f.w->n_waiting > 0, did_all_wait |= all_wait(f.w),
              f.n_summaries > 0));
    assert_int_equal(f.summary.counts.entities, n_files * n_macros);
    assert_true(was_held_back); // although there are credits for all
    assert_false(did_all_wait);
    assert_true(most_bytes > WORKSPACE_HELD_BYTES_MAX / 2);
    assert_true(most_bytes <
                WORKSPACE_HELD_BYTES_MAX +
                    f.config->jobs * WORKSPACE_BATCH_BYTES_PER_TEXT * text.n);
    assert_int_equal(f.w->held_bytes, 0);
    tear_down(&f);
}

/* ---- documents ---- */

static void
test_overlay(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    index_ok(&f);
    forget_events(&f);

    doc_open(&f, "a.c", AB); // as on the disk: nothing to tell, nothing to store
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    workspace_doc_close(f.w, STR("a.c"));
    index_ok(&f);
    assert_int_equal(count_durable(&f), 0);

    doc_open(&f, "a.c", AB);
    doc_change(&f, "a.c", "int c(void) { return 3; }\n");
    assert_string_equal(outlined(&f, "a.c"), "c*"); // at once
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "c*");
    assert_delta(&f, "a.c", "1 0 2");
    put(&f, "a.c", AB2); // the disk does not count now
    index_ok(&f);
    assert_string_equal(indexed(&f, "a.c"), "c*");

    doc_open(&f, "a.c", "int d(void) { return 4; }\n"); // a second editor
    workspace_doc_close(f.w, STR("a.c"));
    WAIT(&f, is_quiet(&f));
    index_ok(&f);
    assert_string_equal(indexed(&f, "a.c"), "d*");
    workspace_doc_close(f.w, STR("a.c"));
    workspace_doc_close(f.w, STR("a.c")); // once too often
    WAIT(&f, count_events(&f, EVENT_FILE_COMPLETED, "a.c") == 3);
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    assert_string_equal(outlined(&f, "a.c"), "a,b");
    assert_string_equal(outlined(&f, "none.c"), "-2");
    doc_change(&f, "a.c", "int z;"); // not open: ignored
    assert_int_equal(map_count(f.w->jobs), 0);
    tear_down(&f);
}

/* A buffer that is nowhere on the disk, and one that was there. */
static void
test_overlay_without_file(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    index_ok(&f);
    doc_open(&f, "new.c", "int n(void) { return 1; }\n");
    doc_open(&f, "a.c", AB2);
    WAIT(&f, is_quiet(&f));
    cut(&f, "a.c");
    index_ok(&f); // the walk finds neither
    assert_string_equal(indexed(&f, "new.c"), "n*");
    assert_string_equal(indexed(&f, "a.c"), "a,b*");
    workspace_doc_close(f.w, STR("new.c"));
    workspace_doc_close(f.w, STR("a.c"));
    WAIT(&f, count_events(&f, EVENT_FILE_DELETED, NULL) == 2);
    assert_string_equal(indexed(&f, "new.c"), "-2");
    assert_string_equal(indexed(&f, "a.c"), "-2");
    tear_down(&f);
}

static void
test_overlay_after_restart(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "b.c", AB);
    open_all(&f);
    index_ok(&f);
    doc_open(&f, "a.c", "int c(void) { return 3; }\n");
    WAIT(&f, is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "c*");
    close_all(&f); // with the document open
    open_all(&f);
    doc_open(&f, "b.c", "int d(void) { return 3; }\n"); // before the index is open
    index_ok(&f);
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    assert_string_equal(indexed(&f, "b.c"), "d*");
    tear_down(&f);
}
