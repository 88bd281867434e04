/* Entities near a place: those of the file before all others, and what is remembered of files. Part of test_query. */
#include "query/near.h"
#include "rt/timer.h"

/* Of this file only, if it has any; "elsewhere" has none. */
static void
test_near(void **state)
{
    static const struct {
        const char *path, *name, *wanted;
    } cases[] = {
        {"src/b.c", "run", "src/b.c:run"},
        {"lib/x.py", "run", "lib/x.py:App.run"},
        {"elsewhere.c", "arena", "src/a.c:arena"},
        {"src/b.c", "nothing", ""},
    };
    struct sample *s = *state;
    fill(s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene scene;
        begin(&scene, s, 1);
        query_near(scene.q, str_of(cases[i].name), str_of(cases[i].path), on_answer,
                   &scene);
        const struct query_result *result = ask_alone(&scene);
        OK(result->r);
        char *is = rows_text(result->rows, result->n_rows);
        assert_string_equal(is, cases[i].wanted);
        free(is);
        drop(&scene);
    }
}

/* Asked, read, asked again after the row was changed without a word, and once more after it was told. */
struct near_scene {
    struct scene scene;
    struct sample *s;
    struct timer *timer;
    struct query_result *results[3];
    size_t n;
};

static void near_ask(void *ctx);

static void
on_near_answer(void *ctx, struct query_result **result)
{
    struct near_scene *n = ctx;
    n->results[n->n++] = steal(*result);
    if (n->n == 3) {
        timer_close(n->timer);
        query_close(n->scene.q, on_query_closed, &n->scene);
        return;
    }
    if (n->n == 2)
        query_changed(n->scene.q, STR("src/a.c"));
    timer_start(n->timer, NEAR_SETTLE_MS, 0);
}

static void
near_ask(void *ctx)
{
    struct near_scene *n = ctx;
    if (pool_pending(n->scene.pool) > 0) { // the file's own read
        timer_start(n->timer, 1, 0);
        return;
    }
    if (n->n == 1) {
        struct store_writer *w = sample_open(n->s, NULL);
        event_unref(
            sample_put_hovers(w, "src/a.c", "run:1::to_start_it arena:2", "run=another"));
        store_writer_close(w);
    }
    query_near(n->scene.q, STR("run"), STR("src/a.c"), on_near_answer, n);
}

static void
test_near_is_remembered(void **state)
{
    static const char *const wanted[] = {"text", "text", "another"};
    struct near_scene n = {.s = *state};
    fill(n.s);
    begin(&n.scene, n.s, 1);
    n.timer = timer_open(&n.scene.loop, near_ask, &n);
    query_changed(n.scene.q, STR_NONE);
    timer_start(n.timer, NEAR_SETTLE_MS, 0);
    end(&n.scene);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        OK(n.results[i]->r);
        assert_int_equal(n.results[i]->n_rows, 1);
        assert_true(str_eq_c(n.results[i]->rows[0].hover.markdown, wanted[i]));
        query_result_destroy(n.results[i]);
    }
}

/* Asked in an open file that nobody asked in before; after a change; and after it was closed and changed. */
struct opened_scene {
    struct near_scene n;
    bool is_by_worker[3];
};

static void opened_ask(void *ctx);

static void
on_opened_answer(void *ctx, struct query_result **result)
{
    struct opened_scene *o = ctx;
    struct query *q = o->n.scene.q;
    o->n.results[o->n.n++] = steal(*result);
    if (o->n.n == 3) {
        timer_close(o->n.timer);
        query_close(q, on_query_closed, &o->n.scene);
        return;
    }
    if (o->n.n == 2)
        query_opened(q, STR("src/a.c"), false);
    query_changed(q, o->n.n == 1 ? STR_NONE : STR("src/a.c"));
    timer_start(o->n.timer, 2 * NEAR_SETTLE_MS, 0);
}

/* The row was changed without a word before the first question: what it was is what is remembered. */
static void
opened_ask(void *ctx)
{
    struct opened_scene *o = ctx;
    if (pool_pending(o->n.scene.pool) > 0) { // it is being read
        timer_start(o->n.timer, 1, 0);
        return;
    }
    if (o->n.n == 0) {
        struct store_writer *w = sample_open(o->n.s, NULL);
        event_unref(
            sample_put_hovers(w, "src/a.c", "run:1::to_start_it arena:2", "run=another"));
        store_writer_close(w);
    }
    query_near(o->n.scene.q, STR("run"), STR("src/a.c"), on_opened_answer, o);
    o->is_by_worker[o->n.n] = pool_pending(o->n.scene.pool) > 0;
}

static void
test_near_of_open(void **state)
{
    static const char *const wanted[] = {"text", "another", "another"};
    struct opened_scene o = {.n.s = *state};
    fill(o.n.s);
    begin(&o.n.scene, o.n.s, 1);
    o.n.timer = timer_open(&o.n.scene.loop, opened_ask, &o);
    query_opened(o.n.scene.q, STR("src/a.c"), true);
    query_opened(o.n.scene.q, STR("not/indexed.c"), true);
    query_changed(o.n.scene.q, STR_NONE);
    timer_start(o.n.timer, 2 * NEAR_SETTLE_MS, 0);
    end(&o.n.scene);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        OK(o.n.results[i]->r);
        assert_int_equal(o.n.results[i]->n_rows, 1);
        assert_true(str_eq_c(o.n.results[i]->rows[0].hover.markdown, wanted[i]));
        assert_int_equal(o.is_by_worker[i], i == 2);
        query_result_destroy(o.n.results[i]);
    }
}

static void on_changed_answer(void *ctx, struct query_result **result);

/* Opened and changed while a question's own read of it waits: it is read once more by itself. */
static void
changed_ask(void *ctx)
{
    struct opened_scene *o = ctx;
    struct query *q = o->n.scene.q;
    if (pool_pending(o->n.scene.pool) > 0) {
        timer_start(o->n.timer, 1, 0);
        return;
    }
    query_near(q, STR("run"), STR("src/a.c"), on_changed_answer, o);
    o->is_by_worker[o->n.n] = pool_pending(o->n.scene.pool) > 0;
    if (o->n.n == 0) {
        query_opened(q, STR("src/a.c"), true);
        query_changed(q, STR("src/a.c"));
    }
}

static void
on_changed_answer(void *ctx, struct query_result **result)
{
    struct opened_scene *o = ctx;
    o->n.results[o->n.n++] = steal(*result);
    if (o->n.n < 2) {
        timer_start(o->n.timer, 2 * NEAR_SETTLE_MS, 0);
        return;
    }
    timer_close(o->n.timer);
    query_close(o->n.scene.q, on_query_closed, &o->n.scene);
}

static void
test_near_changed_while_read(void **state)
{
    struct opened_scene o = {.n.s = *state};
    fill(o.n.s);
    begin(&o.n.scene, o.n.s, 1);
    o.n.timer = timer_open(&o.n.scene.loop, changed_ask, &o);
    query_changed(o.n.scene.q, STR_NONE);
    timer_start(o.n.timer, 2 * NEAR_SETTLE_MS, 0);
    end(&o.n.scene);
    for (size_t i = 0; i < 2; i++) {
        OK(o.n.results[i]->r);
        assert_int_equal(o.n.results[i]->n_rows, 1);
        assert_int_equal(o.is_by_worker[i], i == 0);
        query_result_destroy(o.n.results[i]);
    }
}

/* ---- the memory alone ---- */

static struct query_result *
near_result(size_t text_bytes)
{
    struct query_result *result = xnew(struct query_result);
    struct entity_row rows[] = {{.id = 9, .e.name = STR("twice")},
                                {.id = 4, .e.name = STR("twice")},
                                {.id = 6, .e.name = STR("once")}};
    result->rows = arena_alloc(&result->arena, sizeof(rows));
    memcpy(result->rows, rows, sizeof(rows));
    result->n_rows = ARRAY_LEN(rows);
    result->rows[0].e.doc = (struct str){arena_alloc(&result->arena, text_bytes + 1), 0};
    return result;
}

/* false: it is not wanted. */
static bool
near_read(struct near *near, const char *path, int64_t now_ms)
{
    struct near_file *file = near_want(near, str_of(path), now_ms);
    struct query_result *result = near_result(0);
    if (file)
        near_take(file, &result);
    query_result_destroy(result);
    return file != NULL;
}

static size_t
near_count(struct near *near, const char *path, const char *name)
{
    struct query_result *result = xnew(struct query_result);
    size_t n = 0;
    if (near_find(near, str_of(path), str_of(name), result)) {
        n = result->n_rows;
        for (size_t i = 1; i < n; i++)
            assert_true(result->rows[i - 1].id < result->rows[i].id);
    }
    query_result_destroy(result);
    return n;
}

static void
test_near_forgets(void **state)
{
    struct near near = {0};
    (void)state;
    near_init(&near);
    assert_false(near_read(&near, "a.c", 5000)); // nobody tells of changes
    near_changed(&near, STR_NONE, 5000);
    assert_false(near_read(&near, "a.c", 5000 + NEAR_SETTLE_MS - 1));
    assert_true(near_read(&near, "a.c", 5000 + NEAR_SETTLE_MS));
    assert_int_equal(near_count(&near, "a.c", "twice"), 2);
    assert_int_equal(near_count(&near, "a.c", "once"), 1);
    assert_int_equal(near_count(&near, "a.c", "never"), 0);
    assert_int_equal(near_count(&near, "b.c", "once"), 0);
    assert_false(near_read(&near, "a.c", 6000)); // it is known
    near_changed(&near, STR_NONE, 6000);
    assert_int_equal(near_count(&near, "a.c", "once"), 0);
    /* What was read before a change is not what counts after it. */
    struct near_file *file = near_want(&near, STR("a.c"), 7000);
    struct query_result *result = near_result(0);
    assert_null(near_want(&near, STR("a.c"), 7000));
    near_changed(&near, STR_NONE, 7000);
    assert_null(near_want(&near, STR("a.c"), 8000)); // still being read
    near_take(file, &result);
    assert_non_null(result);
    query_result_destroy(result);
    assert_int_equal(near_count(&near, "a.c", "once"), 0);
    assert_true(near_read(&near, "a.c", 8000));
    /* Of one file: others stay, and it has its own rest. */
    assert_true(near_read(&near, "c.c", 8000));
    near_changed(&near, STR("c.c"), 8000);
    near_changed(&near, STR("unknown.c"), 8000);
    assert_int_equal(near_count(&near, "c.c", "once"), 0);
    assert_int_equal(near_count(&near, "a.c", "once"), 1);
    assert_false(near_read(&near, "c.c", 8000 + NEAR_SETTLE_MS - 1));
    assert_true(near_read(&near, "d.c", 8000));
    assert_true(near_read(&near, "c.c", 8000 + NEAR_SETTLE_MS));
    file = near_want(&near, STR("e.c"), 9000);
    result = near_result(0);
    near_changed(&near, STR("e.c"), 9000);
    near_take(file, &result);
    assert_non_null(result);
    query_result_destroy(result);
    assert_int_equal(near_count(&near, "e.c", "once"), 0);
    /* One of the reads failed, one was of too much. */
    file = near_want(&near, STR("b.c"), 8000);
    result = near_result(0);
    result->r = -EIO;
    near_take(file, &result);
    query_result_destroy(result);
    assert_int_equal(near_count(&near, "b.c", "once"), 0);
    file = near_want(&near, STR("b.c"), 8000);
    result = near_result(NEAR_BYTES_MAX);
    near_take(file, &result);
    query_result_destroy(result);
    assert_int_equal(near_count(&near, "b.c", "once"), 0);
    assert_null(near_want(&near, STR("b.c"), 8000));
    near_finish(&near);
}

static void
test_near_makes_room(void **state)
{
    struct near near = {0};
    char path[16];
    (void)state;
    near_init(&near);
    near_changed(&near, STR_NONE, 0);
    for (int i = 0; i < NEAR_FILES; i++) {
        snprintf(path, sizeof(path), "%d.c", i);
        assert_true(near_read(&near, path, 1000));
    }
    assert_int_equal(near_count(&near, "0.c", "once"), 1); // so 1.c is the oldest
    assert_true(near_read(&near, "new.c", 1000));
    assert_int_equal(near_count(&near, "1.c", "once"), 0);
    assert_int_equal(near_count(&near, "0.c", "once"), 1);
    near_changed(&near, STR_NONE, 1000);
    for (int i = 0; i < NEAR_FILES; i++) {
        snprintf(path, sizeof(path), "%d.h", i);
        assert_non_null(near_want(&near, str_of(path), 2000));
    }
    assert_null(near_want(&near, STR("more.h"), 2000)); // all are being read
    near_finish(&near);
}

/* Open ones stay when others were looked at since and closed. */
static void
test_near_keeps_open(void **state)
{
    struct near near = {0};
    char path[16];
    (void)state;
    near_init(&near);
    near_changed(&near, STR_NONE, 0);
    for (int i = 0; i < 2 * NEAR_FILES; i++) {
        snprintf(path, sizeof(path), "%d.c", i);
        near_open(&near, str_of(path), true);
        assert_true(near_read(&near, path, 1000));
        if (i >= NEAR_FILES / 2)
            near_open(&near, str_of(path), false);
    }
    for (int i = 0; i < NEAR_FILES / 2; i++) {
        snprintf(path, sizeof(path), "%d.c", i);
        assert_int_equal(near_count(&near, path, "once"), 1);
    }
    near_finish(&near);
}

/* One that is open and too large is read once, not after each commit; and again when somebody asks. */
static void
test_near_large(void **state)
{
    struct near near = {0};
    int64_t wait_ms;
    (void)state;
    near_init(&near);
    near_changed(&near, STR_NONE, 0);
    near_open(&near, STR("large.c"), true);
    struct near_file *file = near_next(&near, 1000, &wait_ms);
    struct query_result *result = near_result(NEAR_BYTES_MAX);
    near_take(file, &result);
    query_result_destroy(result);
    near_changed(&near, STR("large.c"), 2000);
    assert_null(near_next(&near, 3000, &wait_ms));
    assert_int_equal(wait_ms, -1);
    near_open(&near, STR("large.c"), true);
    assert_non_null(near_next(&near, 3000, &wait_ms));
    near_finish(&near);
}

/* The path that is to be read now, or how long until one is: "a.c", "150", "-1". */
static const char *
near_due(struct near *near, int64_t now_ms, int r)
{
    static char text[32];
    struct query_result *result = near_result(0);
    int64_t wait_ms;
    struct near_file *file = near_next(near, now_ms, &wait_ms);
    result->r = r;
    if (file)
        near_take(file, &result);
    query_result_destroy(result);
    snprintf(text, sizeof(text), "%" PRId64, wait_ms);
    return file ? file->path : text;
}

static void
test_near_next(void **state)
{
    struct near near = {0};
    int64_t wait_ms;
    char path[16];
    (void)state;
    near_init(&near);
    near_open(&near, STR("a.c"), true);
    near_open(&near, STR("closed.c"), true);
    near_open(&near, STR("closed.c"), false);
    near_open(&near, STR("never.c"), false);
    assert_string_equal(near_due(&near, 0, 0), "-1"); // nobody tells of changes
    near_changed(&near, STR_NONE, 1000);
    assert_string_equal(near_due(&near, 1050, 0), "150");
    assert_string_equal(near_due(&near, 1200, 0), "a.c");
    assert_int_equal(near_count(&near, "a.c", "once"), 1);
    assert_string_equal(near_due(&near, 5000, 0), "-1");
    /* One more is read at once; what failed is not read again before it changes. */
    near_open(&near, STR("b.c"), true);
    assert_string_equal(near_due(&near, 5000, -EIO), "b.c");
    assert_string_equal(near_due(&near, 5000, 0), "-1");
    near_changed(&near, STR("b.c"), 6000);
    near_changed(&near, STR("a.c"), 6100);
    near_changed(&near, STR("elsewhere.c"), 6190);
    assert_string_equal(near_due(&near, 6150, 0), "50");
    assert_string_equal(near_due(&near, 6200, 0), "b.c");
    assert_string_equal(near_due(&near, 6200, 0), "100");
    /* Changed, closed and opened again while it is read. */
    struct near_file *file = near_next(&near, 6300, &wait_ms);
    struct query_result *result = near_result(0);
    assert_string_equal(file->path, "a.c");
    near_changed(&near, STR("a.c"), 6310);
    near_open(&near, STR("a.c"), false);
    near_open(&near, STR("a.c"), true);
    assert_string_equal(near_due(&near, 6600, 0), "-1");
    near_take(file, &result);
    query_result_destroy(result);
    assert_int_equal(near_count(&near, "a.c", "once"), 0);
    assert_string_equal(near_due(&near, 6600, 0), "a.c");
    near_open(&near, STR("a.c"), false);
    assert_int_equal(near_count(&near, "a.c", "once"), 1); // still right
    near_changed(&near, STR("a.c"), 7000);
    assert_string_equal(near_due(&near, 8000, 0), "-1");
    /* More than there is room for: the last ones. */
    for (int i = 0; i < NEAR_FILES + 1; i++) {
        snprintf(path, sizeof(path), "%d.h", i);
        near_open(&near, str_of(path), true);
    }
    for (int i = 0; i < NEAR_FILES; i++)
        assert_string_not_equal(near_due(&near, 9000, 0), "0.h");
    assert_string_equal(near_due(&near, 9000, 0), "-1");
    near_finish(&near);
}
