/* Closing at any moment, and what can go wrong: the loop is empty in the end, the index true. */
#include "check.h"

/* ---- closing, at any moment ---- */

static void
test_close_anywhere(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    for (size_t i = 0; i < 40; i++) {
        AUTO(free) char *path = xasprintf("d%zu/f%zu.c", i % 7, i);
        put(&f, path, AB);
    }
    for (size_t n_rounds = 0; n_rounds < 40; n_rounds++) {
        AUTO(free) char *db = xasprintf("%s-%zu", f.db_url, n_rounds);
        size_t n_answers = f.answers.n, n_summaries = f.n_summaries;

        f.db = db;
        f.with_watch = n_rounds % 2;
        open_all(&f);
        workspace_index(f.w, n_rounds % 3 == 0, on_summary, &f);
        doc_open(&f, "d1/f1.c", AB2);
        for (size_t i = 0; i < n_rounds; i++)
            uv_run(&f.loop.uv, UV_RUN_NOWAIT);
        if (workspace_query(f.w)) {
            workspace_outline(f.w, STR("d1/f1.c"), on_rows, &f);
            query_file(workspace_query(f.w), STR("d1/f1.c"), POOL_INTERACTIVE, on_rows,
                       &f);
            n_answers += 2;
        }
        close_all(&f);
        assert_int_equal(f.n_summaries, n_summaries + 1);
        assert_int_equal(f.answers.n, n_answers);
    }
    tear_down(&f);
}

static bool
is_any_job(const struct fixture *f, enum file_job_state state)
{
    struct str path;
    size_t iter = 0;
    void *value;

    while (map_next(f->w->jobs, &iter, &path, &value))
        if (((struct file_job *)value)->state == state)
            return true;
    return false;
}

static void
test_close_at_each_stage(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    for (size_t i = 0; i < WORKSPACE_CREDITS + 100; i++) {
        AUTO(free) char *path = xasprintf("f%zu.c", i);
        put(&f, path, AB);
    }
    for (int stage = 0; stage < 6; stage++) {
        AUTO(free) char *db = xasprintf("%s-%d", f.db_url, stage);
        AUTO(free) char *log = xasprintf("%s-wal", db + strlen("sqlite:"));

        f.db = db;
        open_all(&f);
        switch (stage) {
        case 0: break;                         // opening
        case 1: WAIT(&f, f.w->is_open); break; // reading what is known
        case 2: // a walk may begin and end in one turn of the loop
            WAIT(&f, f.w->is_walking || f.w->has_walked);
            break;
        case 3:
            WAIT(&f, is_any_job(&f, JOB_WAITING) && is_any_job(&f, JOB_WORKING));
            break;
        case 4: WAIT(&f, is_any_job(&f, JOB_STORING)); break;
        case 5: WAIT(&f, is_quiet(&f)); break;
        }
        close_all(&f);
        assert_false(fs_exists(log)); // readers before the writer
    }
    assert_int_equal(f.n_summaries, 0);
    tear_down(&f);
}

static void
test_close_without_any(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    open_all(&f);
    bus_unsubscribe(steal(f.subscription));
    workspaces_close(f.all, on_closed, &f);
    struct workspace *w;
    assert_int_equal(workspaces_acquire(f.all, f.root, true, &w), -ESHUTDOWN);
    f.w = NULL;
    WAIT(&f, f.is_closed);
    struct workspaces_options options = {.config = f.config};
    f.is_closed = false;
    f.all = workspaces_open(&f.loop, &options);
    workspaces_close(steal(f.all), on_closed, &f);
    WAIT(&f, f.is_closed);
    tear_down(&f);
}

/* ---- what can go wrong ---- */

static void
test_index_is_locked(void **state UNUSED)
{
    struct fixture f;
    struct store_writer *other = NULL;
    struct store_info info;

    set_up(&f);
    put(&f, "a.c", AB);
    assert_int_equal(store_writer_open(f.db_url, NULL, &other, &info, NULL), 0);
    open_all(&f);
    index_all(&f, false);
    assert_true(f.summary.r < 0);
    assert_non_null(strstr(f.why, "another"));
    assert_int_equal(workspace_state(f.w), WORKSPACE_FAILED);
    assert_non_null(strstr(workspace_why(f.w), "another"));
    assert_null(workspace_query(f.w));
    index_all(&f, true); // and again, now that it has failed
    assert_true(f.summary.r < 0);
    doc_open(&f, "a.c", AB2);
    workspace_reindex(f.w, STR("a.c"));
    workspace_pause(f.w);
    workspace_resume(f.w);
    workspace_doc_close(f.w, STR("a.c"));
    workspace_index(f.w, false, on_summary, &f);
    close_all(&f);
    assert_int_equal(f.n_summaries, 3);
    store_writer_close(other);
    open_all(&f);
    index_ok(&f);
    assert_int_equal(f.summary.files, 1);
    tear_down(&f);
}

/* Of an index that is not there yet, the first walk begins while it is made. */
static void
test_walk_before_open(void **state UNUSED)
{
    struct fixture f;
    size_t n_rebuilt = 0;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    assert_false(f.w->is_open);
    assert_true(f.w->is_walking);
    doc_open(&f, "b.c", AB2); // a buffer, too
    index_ok(&f);
    assert_int_equal(f.w->walk, 1);
    assert_int_equal(f.summary.files, 2);
    assert_true(list_is_empty(&f.w->early));
    for (size_t i = 0; i < f.events.n; i++) { // it is told of before all that it has
        n_rebuilt += f.events.v[i].type == EVENT_INDEX_REBUILT;
        assert_true(n_rebuilt == 1 || f.events.v[i].seq == 0);
    }
    assert_int_equal(n_rebuilt, 1);
    workspace_doc_close(f.w, STR("b.c"));
    close_all(&f);
    open_all(&f); // now it is there: what it has comes first
    assert_false(f.w->is_walking);
    index_ok(&f);
    assert_int_equal(f.summary.unchanged, 1);
    tear_down(&f);
}

/* What is kept back is not kept for ever. */
static void
test_does_not_open(void **state UNUSED)
{
    struct fixture f;
    AUTO(free) char *db = NULL;

    set_up(&f);
    for (size_t i = 0; i < 20; i++) {
        AUTO(free) char *path = xasprintf("d%zu/f.c", i);
        put(&f, path, AB);
    }
    put(&f, "file", "");
    f.db = db = xasprintf("sqlite:%s/file/index.db", f.root); // in no folder
    open_all(&f);
    assert_true(f.w->is_walking);
    doc_open(&f, "d1/f.c", AB2);
    index_all(&f, false);
    assert_true(f.summary.r < 0);
    assert_int_equal(workspace_state(f.w), WORKSPACE_FAILED);
    doc_change(&f, "d1/f.c", AB);
    close_all(&f);
    open_all(&f);
    close_all(&f); // before it is known that it does not open
    tear_down(&f);
}

/* Somebody else made the index between the look for it and its opening: as when the way to it leads
 * through a folder that is not there yet. */
static void
test_made_meanwhile(void **state UNUSED)
{
    struct fixture f;
    AUTO(free) char *db = NULL;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "gone.c", AB);
    open_all(&f);
    index_ok(&f);
    close_all(&f);
    cut(&f, "gone.c");
    put(&f, "b.c", AB2);
    f.db = db = xasprintf("sqlite:%s/way/../%s", scratch, strrchr(f.db_url, '/') + 1);
    open_all(&f);
    assert_true(f.w->is_walking);
    index_ok(&f);
    assert_int_equal(f.summary.files, 2);
    assert_string_equal(indexed(&f, "gone.c"), "-2");
    close_all(&f);
    tear_down(&f);
}

/* Nothing can be written to any file, as on a full disk. */
static void
fill_disk(struct rlimit *ret_was)
{
    struct rlimit none;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, ret_was), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = ret_was->rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
}

#define FEW_CREDITS (WORKSPACE_CREDITS_RESERVED + 2) // each that fails takes a while

static void
test_index_cannot_be_written(void **state UNUSED)
{
    struct fixture f;
    struct rlimit was;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    index_ok(&f);
    put(&f, "a.c", AB2);
    for (size_t i = 0; i < 400; i++) {
        AUTO(free) char *path = xasprintf("f%zu.c", i);
        put(&f, path, AB);
    }
    f.w->credits = FEW_CREDITS;
    fill_disk(&was);
    index_all(&f, false);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_true(f.summary.r < 0);
    assert_non_null(strstr(f.why, "cannot be written"));
    assert_int_equal(f.w->credits, FEW_CREDITS);
    /* What waited was not tried one by one, and is not forgotten either. */
    assert_true(writer_stats(f.w->writer).failed <= 8);
    assert_int_equal(f.w->n_not_stored, 401);
    assert_string_equal(indexed(&f, "f9.c"), "-2");
    forget_events(&f);
    f.w->credits = WORKSPACE_CREDITS;
    index_ok(&f); // there is room again
    assert_int_equal(f.summary.files, 401);
    assert_string_equal(indexed(&f, "f9.c"), "a,b");
    assert_delta(&f, "a.c", "0 1 0");
    tear_down(&f);
}

/* An engine that stays tries again by itself, buffers too. */
static void
test_written_later(void **state UNUSED)
{
    struct fixture f;
    struct rlimit was;

    set_up(&f);
    put(&f, "a.c", AB);
    put(&f, "gone.c", AB);
    f.with_watch = true;
    open_all(&f);
    index_ok(&f);
    put(&f, "a.c", "int c(void) { return 3; }\n"); // told soon
    cut(&f, "gone.c");
    fill_disk(&was);
    doc_open(&f, "new.c", "int n(void) { return 1; }\n");
    WAIT(&f, f.w->n_not_stored >= 3 && map_count(f.w->jobs) == 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_true(timer_is_armed(f.w->retry_timer));
    timer_start(f.w->retry_timer, 0, 0); // half a minute goes by
    WAIT(&f, f.w->walk == 2 && is_quiet(&f));
    assert_int_equal(f.w->n_not_stored, 0);
    assert_string_equal(indexed(&f, "a.c"), "c");
    assert_string_equal(indexed(&f, "new.c"), "n*");
    assert_string_equal(indexed(&f, "gone.c"), "-2");
    tear_down(&f);
}

static void
test_acquire(void **state UNUSED)
{
    struct fixture f;
    struct workspace *again = NULL;
    AUTO(free) char *link = NULL, *file = NULL, *dotted = NULL;

    set_up(&f);
    put(&f, "a.c", AB);
    open_all(&f);
    link = xasprintf("%s-link", f.root);
    file = at(&f, "a.c");
    dotted = at(&f, "./.");
    assert_int_equal(symlink(f.root, link), 0);
    assert_int_equal(workspaces_acquire(f.all, dotted, false, &again), 0);
    assert_ptr_equal(again, f.w);
    assert_int_equal(workspaces_acquire(f.all, link, true, &again), 0);
    assert_ptr_equal(again, f.w);
    assert_ptr_equal(workspaces_at(f.all, 0), f.w);
    assert_null(workspaces_at(f.all, 1));
    assert_ptr_equal(workspaces_by_id(f.all, str_of(workspace_id(f.w))), f.w);
    assert_null(workspaces_by_id(f.all, STR("000000000000")));
    assert_int_equal(workspaces_acquire(f.all, file, true, &again), -ENOTDIR);
    assert_int_equal(workspaces_acquire(f.all, "/nowhere/at/all", true, &again), -ENOENT);
    assert_true(str_eq_c(workspace_relative(f.w, file), "a.c"));
    assert_null(workspace_relative(f.w, "/etc/passwd").p);
    unlink(link);
    tear_down(&f);
}
