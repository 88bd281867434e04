/* The n-th write, sync or truncate fails, for every n that the work has. Invariant: what failed is
 * reported and leaves no trace, what was acknowledged stays, the same work succeeds once the disk is
 * well again, and the log has no hole. */
#include "../unit/store/sample.h"

#include "fail_vfs.h"

#define CHANGES_MAX 400 // the work has far fewer
#define SPEC "one:1 two:2>x three:3"
#define SPEC_2 "zero:0 one:1 two:9>x,y"

struct work {
    const struct sample *s;
    struct store_writer *w;
    int64_t acknowledged; // seq of the last event of a transaction that was committed
    long n_errors;
};

typedef int (*step_fn)(struct work *work, struct event **ret_event);

static int
step_put(struct work *work, struct event **ret_event)
{
    AUTO(batch_destroy) struct batch *b = sample_batch("a.c", SPEC);
    return store_put_file(work->w, b, ret_event);
}

static int
step_hovers(struct work *work, struct event **ret_event)
{
    AUTO(hover_batch_destroy)
    struct hover_batch *h = sample_hovers("a.c", SPEC, "one=text two=text three?");
    return store_put_hovers(work->w, h, ret_event);
}

static int
step_change(struct work *work, struct event **ret_event)
{
    AUTO(batch_destroy) struct batch *b = sample_batch("a.c", SPEC_2);
    return store_put_file(work->w, b, ret_event);
}

static int
step_index(struct work *work, struct event **ret_event)
{
    bool more;
    *ret_event = NULL;
    return store_index_text(work->w, 100, &more);
}

static int
step_delete(struct work *work, struct event **ret_event)
{
    return store_delete_file(work->w, STR("b.c"), ret_event);
}

/* With step_put again in between: what is known of a content leaves with it and comes back. */
static const step_fn steps[] = {step_put,    step_hovers, step_change, step_put,
                                step_change, step_index,  step_delete};

static void
assert_error(int r)
{
    if (r != -EIO && r != -ENOSPC)
        fail_msg("%s is no error of a disk", err_text(r));
}

/* One transaction; 0 or the error, rolled back. */
static int
try_step(struct work *work, step_fn step)
{
    struct event *event = NULL;
    int r = store_begin(work->w);
    if (r == 0)
        r = step(work, &event);
    if (r == 0)
        r = store_commit(work->w);
    if (r < 0)
        store_rollback(work->w);
    else if (event)
        work->acknowledged = event->seq;
    event_unref(event);
    return r;
}

static int
check_seq(void *ctx, const struct event *e)
{
    int64_t *next = ctx;
    assert_int_equal(e->seq, (*next)++);
    return 0;
}

static void
assert_log(const struct work *work)
{
    struct store_reader *r = sample_read(work->s);
    int64_t next = 1;
    OK(store_each_event(r, 0, SIZE_MAX, check_seq, &next));
    assert_int_equal(next, work->acknowledged + 1);
    store_reader_close(r);
}

static int
collect_row(void *ctx, const struct entity_row *row)
{
    buf_printf(ctx, "%.*s@%" PRId64 ":%s ", STR_ARG(row->key), row->rev,
               hover_state_name(row->hover.state));
    return 0;
}

/* Each step with the fault armed; after an error the disk is well again and the step is repeated. */
static void
do_work(struct work *work)
{
    AUTO(buf_finish) struct buf rows = {0};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        int64_t before = work->acknowledged;
        int r = try_step(work, steps[i]);
        if (r < 0) {
            assert_error(r);
            work->n_errors++;
            assert_int_equal(work->acknowledged, before);
            fail_disarm();
            assert_log(work);
            OK(try_step(work, steps[i]));
        }
        assert_log(work);
        r = store_checkpoint(work->w, true);
        if (r < 0)
            assert_error(r);
    }
    struct store_reader *r = sample_read(work->s);
    OK(store_each_entity(r, STR_NONE, collect_row, &rows));
    store_reader_close(r);
    assert_string_equal(rows.p, "c:fn:a.c#zero@6:unknown c:fn:a.c#one@3:known "
                                "c:fn:a.c#two@6:known ");
}

static void
assert_sound(const struct sample *s)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    OK(sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READONLY, NULL));
    OK(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "ok");
    sqlite3_finalize(stmt);
    /* every reference on a hover's text is held: by a row, or by a past content, of which none is empty */
    OK(sqlite3_prepare_v2(db,
                          "SELECT total(refs),(SELECT count(*) FROM entity WHERE "
                          "hover_id>0)+(SELECT total(length(hovers)/16) FROM hover_past)"
                          " FROM hover",
                          -1, &stmt, NULL));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), 4);
    assert_int_equal(sqlite3_column_int(stmt, 1), 4);
    sqlite3_finalize(stmt);
    OK(sqlite3_close(db));
}

/* False when the work is over before its n-th change. */
static bool
work_with_fault(long n, long burst, int code)
{
    struct sample *s = NULL;
    struct store_info before, after;
    OK(sample_setup((void **)&s));
    struct work work = {.s = s, .w = sample_open(s, &before)};
    event_unref(sample_put(work.w, "b.c", "four:4>x"));
    work.acknowledged = 1;
    fail_arm(n, burst, code);
    do_work(&work);
    bool has_failed = fail.n_failed > 0;
    assert_true(has_failed == (work.n_errors > 0));
    fail_disarm();
    store_writer_close(work.w);
    work.w = sample_open(s, &after);
    assert_false(after.is_new);
    assert_string_equal(after.epoch, before.epoch);
    assert_int_equal(after.head, work.acknowledged);
    store_writer_close(work.w);
    assert_sound(s);
    void *state = s;
    OK(sample_teardown(&state));
    return has_failed;
}

static void
fail_every(long burst, int code)
{
    long n = 1;
    while (work_with_fault(n, burst, code))
        assert_true(++n < CHANGES_MAX);
    assert_true(n > 20); // it did fail at many places
}

static void
test_write_error(void **state UNUSED)
{
    fail_every(1, SQLITE_IOERR_WRITE);
}

static void
test_sync_error(void **state UNUSED)
{
    fail_every(2, SQLITE_IOERR_FSYNC);
}

static void
test_disk_full(void **state UNUSED)
{
    fail_every(1000, SQLITE_FULL);
}

/* An index that cannot be made is an error, not half an index. */
static void
test_open_on_full_disk(void **state UNUSED)
{
    for (long n = 1;; n++) {
        struct sample *s = NULL;
        struct store_writer *w = NULL;
        struct store_info info;
        char *why = NULL;
        assert_true(n < CHANGES_MAX);
        OK(sample_setup((void **)&s));
        fail_arm(n, 1000, SQLITE_FULL);
        int r = store_writer_open(s->url, NULL, &w, &info, &why);
        bool has_failed = fail.n_failed > 0;
        fail_disarm();
        if (r < 0) {
            assert_error(r);
            assert_non_null(why);
            w = sample_open(s, &info);
        }
        assert_true(info.is_new);
        event_unref(sample_put(w, "a.c", "one:1"));
        store_writer_close(w);
        free(why);
        void *state_of_one = s;
        OK(sample_teardown(&state_of_one));
        if (!has_failed)
            break;
    }
}

int
main(void)
{
    fail_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_error),
        cmocka_unit_test(test_sync_error),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_open_on_full_disk),
    };
    return cmocka_run_group_tests_name("fault_store", tests, NULL, NULL);
}
