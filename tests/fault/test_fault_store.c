/* The n-th write, sync, truncate, opening or allocation fails, for every n that the work has. Invariant: what failed is
 * reported and leaves no trace, what was acknowledged stays, the same work succeeds once the disk is
 * well again, and the log has no hole. */
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"

#include "../unit/store/version_1.h"
#include "../unit/store/version_4.h"
#include "fail_vfs.h"
#include "work.h"

#define CHANGES_MAX 400 // the work has far fewer
#define SPEC "one:1 two:2>x three:3"
#define SPEC_2 "zero:0 one:1 two:9>x,y"

struct script {
    const struct sample *s;
    struct store_writer *w;
    int64_t acknowledged; // seq of the last event of a transaction that was committed
    long n_errors;
};

typedef int (*step_fn)(struct script *work, struct event **ret_event);

static int
step_put(struct script *work, struct event **ret_event)
{
    AUTO(batch_destroy) struct batch *b = sample_batch("a.c", SPEC);
    return store_put_file(work->w, b, ret_event);
}

static int
step_hovers(struct script *work, struct event **ret_event)
{
    AUTO(hover_batch_destroy)
    struct hover_batch *h = sample_hovers("a.c", SPEC, "one=text two=text three?");
    return store_put_hovers(work->w, h, ret_event);
}

static int
step_change(struct script *work, struct event **ret_event)
{
    AUTO(batch_destroy) struct batch *b = sample_batch("a.c", SPEC_2);
    return store_put_file(work->w, b, ret_event);
}

static int
step_index(struct script *work, struct event **ret_event)
{
    bool more;
    *ret_event = NULL;
    return store_index_text(work->w, 100, &more);
}

static int
step_delete(struct script *work, struct event **ret_event)
{
    return store_delete_file(work->w, STR("b.c"), ret_event);
}

/* With step_put again in between: what is known of a content leaves with it and comes back. */
static const step_fn steps[] = {step_put,    step_hovers, step_change, step_put,
                                step_change, step_index,  step_delete};

static void
assert_error(int r)
{
    if (r != -EIO && r != -ENOSPC && r != -EMFILE)
        fail_msg("%s is no error of a disk", err_text(r));
}

/* One transaction; 0 or the error, rolled back. */
static int
try_step(struct script *work, step_fn step)
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
assert_log(const struct script *work)
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
do_work(struct script *work)
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
    struct script work = {.s = s, .w = sample_open(s, &before)};
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
    while (work_with_fault(n, burst, code)) {
        n += FAULT_FEWER;
        assert_true(n < CHANGES_MAX);
    }
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

/* ---- opening, an index of an earlier version, the end of old events ---- */

/* Of a fault that strikes at any n: what is to be done, on an index that is there or not. */
struct story {
    void (*begin)(const struct sample *s); // before the fault; may be NULL
    int (*happen)(const struct sample *s); // with it; -errno of what failed
    void (*check)(
        const struct sample *s); // the disk is well: all is there, the same succeeds
};

/* False when it is over before its n-th. */
static bool
story_with_fault(const struct story *story, enum fail_kind kind, long n, long burst,
                 int code)
{
    struct sample *s = NULL;
    OK(sample_setup((void **)&s));
    if (story->begin)
        story->begin(s);
    need_note("%ld of kind %d, %ld times", n, (int)kind, burst);
    fail_arm_kind(kind, n, burst, code);
    int r = story->happen(s);
    bool has_failed = fail.n_failed > 0;
    fail_disarm();
    NEED(r == 0 || has_failed);
    if (r < 0)
        assert_error(r);
    story->check(s);
    need_sound(s->path);
    void *state = s;
    OK(sample_teardown(&state));
    return has_failed;
}

static void
tell_story(const struct story *story, enum fail_kind kind, long burst, int code,
           long n_min)
{
    long n = 1, stride = kind == FAIL_OPEN ? 1 : fault_count(3 * FAULT_FEWER, 1);
    while (story_with_fault(story, kind, n, burst, code)) {
        n += stride;
        NEED(n < CHANGES_MAX);
    }
    NEED(n > n_min);
    print_message("# failed at %ld places, %ld times in a row\n", n / stride, burst);
}

static int
open_put_close(const struct sample *s)
{
    struct store_writer *w = NULL;
    struct store_info info;
    char *why = NULL;
    int r = store_writer_open(s->url, NULL, &w, &info, &why);
    assert_true(r == 0 || why);
    free(why);
    struct script work = {.s = s, .w = w};
    if (r == 0)
        r = try_step(&work, step_hovers);
    if (r == 0)
        r = store_checkpoint(w, true);
    store_writer_close(w);
    return r;
}

static void
plant_index(const struct sample *s)
{
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", SPEC));
    event_unref(sample_put(w, "b.c", "four:4>x"));
    store_writer_close(w);
}

/* As a kill leaves it: the log is not copied. */
static void
plant_killed_index(const struct sample *s)
{
    pid_t pid = need_fork();
    if (pid == 0) {
        struct store_writer *w = sample_open(s, NULL);
        event_unref(sample_put(w, "a.c", SPEC));
        event_unref(sample_put(w, "b.c", "four:4>x"));
        _exit(0);
    }
    NEED(need_wait(pid) == 0);
}

static void
check_planted(const struct sample *s)
{
    struct store_info info;
    struct store_writer *w = sample_open(s, &info);
    assert_false(info.is_new);
    assert_true(info.head == 2 || info.head == 3); // with the hovers, if they were told
    event_unref(sample_put_hovers(w, "a.c", SPEC, "one=text two=text three?"));
    event_unref(sample_put(w, "c.c", "five:5"));
    need_true_log(s, NULL);
    store_writer_close(w);
}

static void
test_open_error(void **state UNUSED)
{
    const struct story clean = {plant_index, open_put_close, check_planted};
    const struct story killed = {plant_killed_index, open_put_close, check_planted};
    tell_story(&clean, FAIL_OPEN, 1, SQLITE_CANTOPEN, 2);
    tell_story(&clean, FAIL_OPEN, 1000, SQLITE_CANTOPEN, 2);
    tell_story(&killed, FAIL_OPEN, 1, SQLITE_CANTOPEN, 2);
    tell_story(&killed, FAIL_OPEN, 1000, SQLITE_IOERR, 2);
    tell_story(&killed, FAIL_CHANGE, 1, SQLITE_IOERR_WRITE, 5);
    tell_story(&killed, FAIL_CHANGE, 1000, SQLITE_FULL, 5);
}

static int
just_open(const struct sample *s)
{
    struct store_writer *w = NULL;
    struct store_info info;
    char *why = NULL;
    int r = store_writer_open(s->url, NULL, &w, &info, &why);
    assert_true(r == 0 || why);
    free(why);
    store_writer_close(w);
    return r;
}

static void
plant(const struct sample *s, const char *sql)
{
    sqlite3 *db = NULL;
    OK(sqlite3_open(s->path, &db));
    OK(sqlite3_exec(db, sql, NULL, NULL, NULL));
    OK(sqlite3_exec(
        db,
        "INSERT INTO meta SELECT 'event_bytes',"
        "sum(length(CAST(subject AS BLOB))+length(CAST(data AS BLOB))) FROM event",
        NULL, NULL, NULL));
    OK(sqlite3_close(db));
    char *lock = xasprintf("%s.lock", s->path);
    FILE *f = fopen(lock, "wb");
    assert_non_null(f);
    OK(fclose(f));
    free(lock);
}

static void
plant_version_1(const struct sample *s)
{
    plant(s, version_1);
}

static void
plant_version_4(const struct sample *s)
{
    plant(s, version_4);
}

static void
check_migrated(const struct sample *s, const char *key, const char *says)
{
    AUTO(arena_finish) struct arena a = {0};
    struct store_info info;
    struct entity_row row;
    struct store_writer *w = sample_open(s, &info);
    assert_false(info.is_new);
    assert_string_equal(info.epoch, "00112233445566778899aabbccddeeff");
    assert_int_equal(info.head, 1);
    struct store_reader *r = sample_read(s);
    OK(store_read_entity(r, str_of(key), &a, &row));
    assert_true(str_eq_c(row.hover.markdown, says));
    store_reader_close(r);
    event_unref(sample_put(w, "c.c", "five:5"));
    store_writer_close(w);
}

static void
check_version_1(const struct sample *s)
{
    check_migrated(s, "c:class:a.c#Box", "a box");
}

static void
check_version_4(const struct sample *s)
{
    check_migrated(s, "c:fn:a.c#one", "says one");
}

static void
test_migration(void **state UNUSED)
{
    const struct story first = {plant_version_1, just_open, check_version_1};
    const struct story fourth = {plant_version_4, just_open, check_version_4};
    tell_story(&first, FAIL_CHANGE, 1, SQLITE_IOERR_WRITE, 5);
    tell_story(&first, FAIL_CHANGE, 1000, SQLITE_FULL, 5);
    tell_story(&first, FAIL_OPEN, 1, SQLITE_CANTOPEN, 2);
    tell_story(&fourth, FAIL_CHANGE, 1, SQLITE_IOERR_WRITE, 5);
}

static int64_t
later_ms(void)
{
    return clock_wall_ms() + STORE_EVENTS_AGE_MS + 60000;
}

static void
plant_events(const struct sample *s)
{
    struct store_writer *w = sample_open(s, NULL);
    struct event *e = NULL;
    event_unref(sample_put(w, "a.c", SPEC));
    OK(store_begin(w));
    for (int i = 0; i < 300; i++) {
        OK(store_put_event(w, EVENT_PIPELINE_ONLINE, STR("x"), STR("{}"), &e));
        event_unref(e);
    }
    OK(store_commit(w));
    store_writer_close(w);
}

static int
prune_once(const struct sample *s)
{
    struct store_writer *w = NULL;
    struct store_info info;
    bool more = true;
    int r = store_writer_open(s->url, NULL, &w, &info, NULL);
    while (r == 0 && more) {
        r = store_begin(w);
        if (r == 0)
            r = store_prune(w, later_ms(), &more);
        if (r == 0)
            r = store_commit(w);
        if (r < 0)
            store_rollback(w);
    }
    store_writer_close(w);
    return r;
}

static void
check_pruned(const struct sample *s)
{
    int64_t head = 0;
    need_true_log(s, &head);
    assert_int_equal(head, 301);
    OK(prune_once(s));
    struct store_info info;
    store_writer_close(sample_open(s, &info));
    assert_int_equal(info.first_seq, 302);
    assert_int_equal(info.head, 301);
}

static void
test_prune_error(void **state UNUSED)
{
    const struct story pruned = {plant_events, prune_once, check_pruned};
    tell_story(&pruned, FAIL_CHANGE, 1, SQLITE_IOERR_WRITE, 5);
    tell_story(&pruned, FAIL_CHANGE, 1000, SQLITE_FULL, 5);
}

/* ---- memory ---- */

static int
whole_life(const struct sample *s)
{
    struct store_writer *w = NULL;
    struct store_info info;
    int r = store_writer_open(s->url, NULL, &w, &info, NULL);
    struct script work = {.s = s, .w = w};
    for (size_t i = 0; i < ARRAY_LEN(steps) && r == 0; i++)
        r = try_step(&work, steps[i]);
    if (r == 0)
        r = store_checkpoint(w, true);
    store_writer_close(w);
    return r;
}

/* In a child: where no way is left the program ends, as a kill would end it. 1: the n-th was reached. */
static int
live_without_memory(const struct sample *s, long n, long burst)
{
    fail_arm_kind(FAIL_MEMORY, n, burst, SQLITE_NOMEM);
    int r = whole_life(s);
    bool has_failed = fail.n_failed > 0;
    fail_disarm();
    if (r != 0 && r != -ENOMEM)
        dprintf(STDERR_FILENO, "%s is no lack of memory\n", err_text(r));
    NEED(r == 0 || r == -ENOMEM);
    return has_failed;
}

static void
check_life(const struct sample *s)
{
    struct store_info info;
    struct store_writer *w = sample_open(s, &info);
    assert_false(info.is_new || info.was_damaged);
    need_true_log(s, NULL);
    event_unref(sample_put(w, "c.c", "five:5"));
    store_writer_close(w);
}

/* Of SQLite's allocations the n-th fails, and as many behind it as a burst has. */
static void
test_memory(void **state UNUSED)
{
    static const long bursts[] = {1, 1000000};
    long stride = fault_count(499, 1), n_tries = 0, n_aborts = 0, n_last = 0;
    for (size_t i = 0; i < ARRAY_LEN(bursts); i++) {
        int code = 1;
        for (long n = 1; code == 1 || code == -SIGABRT; n += stride, n_tries++) {
            struct sample *s = NULL;
            OK(sample_setup((void **)&s));
            plant_killed_index(s);
            need_note("allocation %ld, %ld times", n, bursts[i]);
            pid_t pid = need_fork();
            if (pid == 0)
                _exit(live_without_memory(s, n, bursts[i]));
            code = need_wait(pid);
            NEED(code == 0 || code == 1 || code == -SIGABRT);
            n_aborts += code == -SIGABRT;
            check_life(s);
            need_sound(s->path);
            void *state_of_one = s;
            OK(sample_teardown(&state_of_one));
            n_last = n;
        }
        NEED(n_last > 1000);
    }
    print_message(
        "# %ld times without memory, up to allocation %ld; the program's end %ld times\n",
        n_tries, n_last, n_aborts);
}

int
main(void)
{
    fault_begin();
    fail_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_error), cmocka_unit_test(test_sync_error),
        cmocka_unit_test(test_disk_full),   cmocka_unit_test(test_open_on_full_disk),
        cmocka_unit_test(test_open_error),  cmocka_unit_test(test_migration),
        cmocka_unit_test(test_prune_error), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("fault_store", tests, NULL, NULL);
}
