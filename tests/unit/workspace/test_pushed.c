/* Workspaces without a folder: their names, what they take, and the end while something is under way. */
#include "check.h"

struct sending {
    size_t n_back, n_stored;
    int r; // of the last
};

static void
on_back(void *ctx, int r, struct ingest_batch *batch)
{
    struct sending *s = ctx;

    s->n_back++;
    s->r = r;
    for (size_t i = 0; i < batch->n; i++)
        s->n_stored += r == 0 && !batch->v[i].fault;
    ingest_batch_destroy(batch);
}

static struct ingest_batch *
some(unsigned first, unsigned n)
{
    struct ingest_batch *batch = ingest_batch_create();

    for (unsigned i = first; i < first + n; i++) {
        AUTO(free)
        char *line =
            xasprintf("{\"lang\":\"c\",\"kind\":\"fn\",\"name\":\"f%u\",\"path\":"
                      "\"d/%u.c\",\"range\":{\"start\":{\"line\":1,\"character\":0},"
                      "\"end\":{\"line\":2,\"character\":0}}}",
                      i, i / 10);
        json_t *json = NULL;
        assert_int_equal(codec_parse(str_of(line), &json, NULL), 0);
        struct ingest_item *item = ingest_batch_add(batch);
        assert_null(codec_read_ingest(json, batch, item));
        json_decref(json);
    }
    return batch;
}

static void
test_pushed_names(void **state UNUSED)
{
    static const char *const bad[] = {"",    ".",   "..", "-a",
                                      "a/b", "a b", "a#", "\xc3\xa4"};
    struct fixture f;
    struct workspace *w = NULL, *again = NULL;
    AUTO(free) char *longest = xcalloc(1, 67);

    set_up(&f);
    open_all(&f);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(workspaces_acquire_pushed(f.all, str_of(bad[i]), true, &w),
                         -EINVAL);
    memset(longest, 'x', 65);
    assert_int_equal(workspaces_acquire_pushed(f.all, str_of(longest), true, &w),
                     -EINVAL);
    longest[64] = '\0';
    assert_int_equal(workspaces_acquire_pushed(f.all, str_of(longest), false, &w),
                     -ENOENT);
    assert_int_equal(workspaces_acquire_pushed(f.all, str_of(longest), true, &w), 0);
    assert_int_equal(workspaces_acquire_pushed(f.all, str_of(longest), false, &again), 0);
    assert_ptr_equal(w, again);
    assert_string_equal(workspace_pushed_name(w), longest);
    assert_true(strncmp(workspace_root(w), WORKSPACE_PUSHED, strlen(WORKSPACE_PUSHED)) ==
                0);
    assert_null(workspace_pushed_name(f.w));
    tear_down(&f);
}

static void
test_pushed(void **state UNUSED)
{
    struct fixture f;
    struct sending s = {0};
    struct workspace *w = NULL;
    struct ingest_batch *batch = some(0, 1);

    set_up(&f);
    open_all(&f);
    assert_int_equal(workspace_put_entities(f.w, batch, false, on_back, &s), -EPERM);
    ingest_batch_destroy(batch);
    assert_int_equal(workspaces_acquire_pushed(f.all, STR("mine"), true, &w), 0);
    struct bus_subscription *subscription = bus_subscribe(workspace_bus(w), on_event, &f);
    forget_events(&f);
    assert_int_equal(workspace_put_entities(w, some(0, 25), false, on_back, &s),
                     0); // it is being opened
    assert_int_equal(workspace_state(w), WORKSPACE_OPENING);
    assert_int_equal(workspaces_ingest_totals(f.all).waiting_lines, 25);
    WAIT(&f, s.n_back == 1);
    assert_int_equal(s.r, 0);
    assert_int_equal(s.n_stored, 25);
    struct ingest_totals totals = workspaces_ingest_totals(f.all);
    assert_int_equal(totals.stored, 25);
    assert_int_equal(totals.batches, 1);
    assert_int_equal(totals.refused + totals.again + totals.lost, 0);
    assert_int_equal(totals.waiting_lines + totals.waiting_bytes, 0);
    size_t n_files = 0, n_created = 0;
    for (size_t i = 0; i < f.events.n; i++) {
        n_created += f.events.v[i].type == EVENT_LIBRARY_CREATED;
        if (f.events.v[i].type != EVENT_FILE_COMPLETED)
            continue;
        assert_int_equal(n_created, 1); // before
        n_files++;
    }
    assert_int_equal(n_files, 3);
    WAIT(&f, workspace_state(w) == WORKSPACE_READY);
    bus_unsubscribe(subscription);
    close_all(&f);

    open_all(&f); // it is there again
    assert_int_equal(workspaces_acquire_pushed(f.all, STR("other"), false, &w), -ENOENT);
    assert_int_equal(workspaces_acquire_pushed(f.all, STR("mine"), false, &w), 0);
    WAIT(&f, workspace_state(w) == WORKSPACE_READY && w->counts.entities == 25);
    tear_down(&f);
}

static void
test_pushed_too_much(void **state UNUSED)
{
    struct fixture f;
    struct sending s = {0};
    struct workspace *w = NULL;
    struct ingest_batch *batch;
    size_t n = 0;
    int r = 0;

    set_up(&f);
    open_all(&f);
    assert_int_equal(workspaces_acquire_pushed(f.all, STR("mine"), true, &w), 0);
    while (r == 0 && n < 100) { // the loop does not run meanwhile
        batch = some((unsigned)n * 1000, 1000);
        r = workspace_put_entities(w, batch, false, on_back, &s);
        n += r == 0;
    }
    assert_int_equal(r, -EAGAIN);
    ingest_batch_destroy(batch);
    assert_int_equal(n, WORKSPACE_INGEST_OPS_MAX / 1000 + 1);
    assert_true(workspaces_ingest_fill(f.all) >= 100);
    WAIT(&f, s.n_back == n);
    assert_int_equal(s.n_stored, n * 1000);
    assert_int_equal(workspaces_ingest_fill(f.all), 0);
    tear_down(&f);
}

/* Scanners leave room for editors. */
static void
test_pushed_too_many(void **state UNUSED)
{
    struct fixture f;
    struct workspace *w = NULL, *folder = NULL;

    set_up(&f);
    open_all(&f);
    for (unsigned i = 0; i <= WORKSPACE_PUSHED_MAX; i++) {
        AUTO(free) char *name = xasprintf("n%u", i);
        int r = workspaces_acquire_pushed(f.all, str_of(name), true, &w);

        assert_int_equal(r, i < WORKSPACE_PUSHED_MAX ? 0 : -EMFILE);
    }
    assert_int_equal(workspaces_acquire_pushed(f.all, STR("n0"), false, &w), 0);
    assert_int_equal(workspaces_acquire(f.all, scratch, false, &folder), 0);
    tear_down(&f);
}

/* ---- the end of one ---- */

static void
on_deleted(void *ctx)
{
    *(bool *)ctx = true;
}

static void
delete_pushed(struct fixture *f, struct workspace *w)
{
    bool is_gone = false;

    assert_int_equal(workspace_delete_pushed(w, on_deleted, &is_gone), 0);
    WAIT(f, is_gone);
}

static struct workspace *
open_pushed(struct fixture *f, const char *name)
{
    struct workspace *w = NULL;

    assert_int_equal(workspaces_acquire_pushed(f->all, str_of(name), true, &w), 0);
    WAIT(f, workspace_state(w) == WORKSPACE_READY);
    return w;
}

/* What comes behind the deletion is not taken, though the index is still there. */
static void
test_pushed_deleted(void **state UNUSED)
{
    struct fixture f;
    struct sending s = {0};
    struct workspace *w, *again;
    struct ingest_batch *late = some(30, 1);
    bool is_gone = false;

    set_up(&f);
    open_all(&f);
    w = open_pushed(&f, "mine");
    AUTO(free) char *index = xstrdup(workspace_index_path(w));
    AUTO(free) char *doubt = xasprintf("%s.doubt", index);
    assert_true(fs_exists(index));
    assert_int_equal(workspace_put_entities(w, some(0, 30), false, on_back, &s), 0);
    assert_int_equal(close(open(doubt, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
    assert_int_equal(workspace_delete_pushed(w, on_deleted, &is_gone), 0);
    assert_int_equal(workspace_put_entities(w, late, false, on_back, &s), -EBUSY);
    ingest_batch_destroy(late);
    WAIT(&f, is_gone);
    assert_int_equal(s.n_stored, 30);
    assert_false(fs_exists(index));
    assert_false(fs_exists(doubt));
    again = open_pushed(&f, "mine");
    assert_ptr_not_equal(again, w);
    assert_true(again->info.is_new);
    tear_down(&f);
}

/* Made and deleted for ever: what stays of each is small. */
static void
test_pushed_deleted_often(void **state UNUSED)
{
    struct workspace *all[6];
    struct sending s = {0};
    struct fixture f;

    set_up(&f);
    open_all(&f);
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        all[i] = open_pushed(&f, "again");
        assert_int_equal(workspace_put_entities(all[i], some(0, 10), false, on_back, &s),
                         0);
        WAIT(&f, s.n_back == i + 1);
        delete_pushed(&f, all[i]);
    }
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        const struct bus *bus = workspace_bus(all[i]);

        assert_true(bus_head(bus) > 1);
        assert_true(bus_covers(bus, 0) == (i >= 2));
        assert_true(bus_covers(bus, bus_head(bus)));
    }
    tear_down(&f);
}

/* `n` entities, as a job that stores them has them. */
static char *
ingest_request(unsigned n)
{
    struct buf b = {0};

    for (unsigned i = 0; i < n; i++)
        buf_printf(
            &b,
            "%s{\"lang\":\"c\",\"kind\":\"fn\",\"name\":\"f%u\",\"path\":\"%u.c\","
            "\"range\":{\"start\":{\"line\":1,\"character\":0},\"end\":{\"line\":2,"
            "\"character\":0}}}",
            i ? "," : "{\"entities\":[", i, i / 100);
    buf_add_cstr(&b, "]}");
    return buf_steal(&b);
}

static void
on_pushed_job(void *ctx, int r, const struct job *job)
{
    assert_int_equal(r, 0);
    memcpy(ctx, job->id, JOB_ID_BYTES);
}

static void
submit_pushed(struct fixture *f, struct workspace *w, unsigned n, char *ret_id)
{
    AUTO(free) char *request = ingest_request(n);
    struct job_wish wish = {.kind = JOB_INGEST, .request = str_of(request)};

    ret_id[0] = '\0';
    assert_int_equal(workspace_submit_job(w, &wish, on_pushed_job, ret_id), 0);
    WAIT(f, ret_id[0] != '\0');
}

static enum job_state
pushed_job_state(const struct workspace *w, const char *id)
{
    return workspace_find_job(w, str_of(id))->state;
}

/* Of jobs that store entities one runs at a time: its turn is not gone with its workspace. */
static void
test_pushed_deleted_with_a_job(void **state UNUSED)
{
    char long_id[JOB_ID_BYTES], id[JOB_ID_BYTES];
    struct fixture f;
    struct workspace *doomed, *other;

    set_up(&f);
    f.with_watch = true;
    open_all(&f);
    doomed = open_pushed(&f, "doomed");
    other = open_pushed(&f, "other");
    submit_pushed(&f, doomed, 30000, long_id);
    WAIT(&f, pushed_job_state(doomed, long_id) == JOB_RUNNING);
    submit_pushed(&f, other, 10, id);
    assert_int_equal(pushed_job_state(doomed, long_id), JOB_RUNNING);
    assert_int_equal(pushed_job_state(other, id), JOB_PENDING);
    delete_pushed(&f, doomed);
    WAIT(&f, pushed_job_state(other, id) == JOB_COMPLETED);
    tear_down(&f);
}

/* At each stage: being opened, at the writer. All of it comes back, with the end or before. */
static void
test_pushed_close(void **state UNUSED)
{
    for (unsigned stage = 0; stage < 3; stage++) {
        struct fixture f;
        struct sending s = {0};
        struct workspace *w = NULL;

        set_up(&f);
        open_all(&f);
        assert_int_equal(workspaces_acquire_pushed(f.all, STR("mine"), true, &w), 0);
        if (stage > 0)
            WAIT(&f, workspace_state(w) == WORKSPACE_READY);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(
                workspace_put_entities(w, some(i * 100, 100), false, on_back, &s), 0);
        if (stage == 2)
            WAIT(&f, s.n_back > 0);
        tear_down(&f);
        assert_int_equal(s.n_back, 3);
        assert_true(stage == 0 ? s.r == -ESHUTDOWN : s.n_stored == 300);
    }
}
