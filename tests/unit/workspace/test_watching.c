/* Listeners, and changes of the disk that are followed. */
#include "check.h"

/* ---- listeners ---- */

struct told {
    struct workspace_listener *one, *two;
    size_t n_one, n_two;
};

static void
on_one(void *ctx)
{
    struct told *t = ctx;

    t->n_one++;
    workspace_unlisten(steal(t->two)); // the next in the list
}

static void
on_two(void *ctx)
{
    ((struct told *)ctx)->n_two++;
}

static void
test_listeners(void **state UNUSED)
{
    struct fixture f;
    struct told t = {0};

    set_up(&f);
    open_all(&f);
    t.one = workspace_listen(f.w, on_one, &t);
    t.two = workspace_listen(f.w, on_two, &t);
    WAIT(&f, t.n_one > 0 && is_quiet(&f));
    assert_int_equal(t.n_two, 0);
    workspace_unlisten(t.one);
    AUTO(buf_finish) struct buf json = {0};
    AUTO(json_decref_) json_t *status = NULL;
    workspaces_add_status(&json, f.all);
    assert_int_equal(codec_parse(buf_str(&json), &status, NULL), 0);
    assert_string_equal(
        json_string_value(json_object_get(
            json_array_get(codec_array(status, "workspaces"), 0), "state")),
        "ready");
    tear_down(&f);
}

/* ---- watching ---- */

static void
test_watching(void **state UNUSED)
{
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", AB);
    f.with_watch = true;
    open_all(&f);
    index_ok(&f);
    assert_int_equal(count_events(&f, EVENT_PIPELINE_ONLINE, NULL), 1);
    forget_events(&f);
    put(&f, "a.c", AB2);
    WAIT(&f, count_events(&f, EVENT_FILE_COMPLETED, "a.c") > 0 && is_quiet(&f));
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    put(&f, "dir/b.c", AB);
    put(&f, "dir/sub/c.c", AB);
    WAIT(&f, count_events(&f, EVENT_FILE_COMPLETED, "dir/b.c") > 0 &&
                 count_events(&f, EVENT_FILE_COMPLETED, "dir/sub/c.c") > 0);
    cut(&f, "dir");
    WAIT(&f, count_events(&f, EVENT_FILE_DELETED, "dir/b.c") == 1 &&
                 count_events(&f, EVENT_FILE_DELETED, "dir/sub/c.c") == 1);
    AUTO(free) char *from = at(&f, "a.c"), *to = at(&f, "renamed.c");
    assert_int_equal(rename(from, to), 0);
    WAIT(&f, count_events(&f, EVENT_FILE_DELETED, "a.c") == 1 &&
                 count_events(&f, EVENT_FILE_COMPLETED, "renamed.c") == 1);
    assert_string_equal(indexed(&f, "renamed.c"), "a,b");
    assert_string_equal(indexed(&f, "a.c"), "-2");
    assert_no_hole(&f);
    tear_down(&f);
}

/* Deletions wait for files that come, but not for ever: on a busy machine less long than this test needs. Here their time
 * begins later. */
static bool
let_deletions_wait(struct fixture *f)
{
    f->w->leaving_since_ms = clock_mono_ms() + 60000;
    return true;
}

/* Each file is stored at its new path before it is deleted at the old one, both once. */
static void
test_moved_folder(void **state UNUSED)
{
    enum { FILES = 1000 };
    struct fixture f;

    set_up(&f);
    for (int i = 0; i < FILES; i++) {
        AUTO(free) char *path = xasprintf("from/s%d/f%d.c", i % 10, i);
        put(&f, path, AB);
    }
    put(&f, "fro/a.c", AB); // its name begins alike
    put(&f, "from.c", AB);
    f.with_watch = true;
    open_all(&f);
    index_ok(&f);
    forget_events(&f);
    AUTO(free) char *from = at(&f, "from"), *to = at(&f, "to");
    assert_int_equal(rename(from, to), 0);
    WAIT(&f, let_deletions_wait(&f) && f.events.n >= 2 * FILES && is_quiet(&f));
    size_t n_completed = 0, n_deleted = 0;
    for (size_t i = 0; i < f.events.n; i++) {
        const struct seen *e = &f.events.v[i];
        if (e->type == EVENT_FILE_COMPLETED) {
            assert_true(str_starts_with(str_of(e->subject), STR("to/")));
            assert_int_equal(n_deleted, 0);
            n_completed++;
        } else if (e->type == EVENT_FILE_DELETED) {
            assert_true(str_starts_with(str_of(e->subject), STR("from/")));
            n_deleted++;
        }
    }
    assert_int_equal(n_completed, FILES);
    assert_int_equal(n_deleted, FILES);
    assert_string_equal(indexed(&f, "from.c"), "a,b");
    assert_string_equal(indexed(&f, "fro/a.c"), "a,b");
    assert_string_equal(indexed(&f, "to/s1/f1.c"), "a,b");
    tear_down(&f);
}

static void
count_known(void *ctx, struct str path UNUSED, struct known_file *file UNUSED)
{
    ++*(size_t *)ctx;
}

static size_t
n_known_at(const struct known_files *k, const char *path)
{
    size_t n = 0;

    known_each_at(k, str_of(path), count_known, &n);
    return n;
}

static void
test_known_by_folder(void **state UNUSED)
{
    struct known_files *k = known_create();
    static const char *const paths[] = {"a",     "a/b",  "a/b/c/d", "a/b/c/e",
                                        "a/f/g", "ab/c", "z",       "x/y/z/u/v"};

    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
            struct known_file *file = known_add(k, str_of(paths[i]));
            assert_ptr_equal(known_find(k, str_of(paths[i])), file);
            assert_ptr_equal(known_add(k, str_of(paths[i])), file);
        }
        assert_int_equal(n_known_at(k, "a"), 5); // a file and a folder of one name
        assert_int_equal(n_known_at(k, "a/b"), 3);
        assert_int_equal(n_known_at(k, "a/b/c"), 2);
        assert_int_equal(n_known_at(k, "x"), 1);
        assert_int_equal(n_known_at(k, "x/y/z/u/v"), 1);
        assert_int_equal(n_known_at(k, "none/at/all"), 0);
        known_remove(k, STR("a/b/c/d"));
        known_remove(k, STR("a/b/c/none"));
        assert_int_equal(n_known_at(k, "a/b/c"), 1);
        known_remove(k, STR("x/y/z/u/v"));
        assert_int_equal(n_known_at(k, "x"), 0);
        for (size_t i = 0; i < ARRAY_LEN(paths); i++)
            known_remove(k, str_of(paths[i]));
        assert_int_equal(n_known_at(k, "a"), 0);
    }
    known_add(k, STR("left/behind"));
    known_destroy(k);
}

/* As many as a kernel has, and what each costs for as long as a workspace is open. */
static void
test_known_files_are_small(void **state UNUSED)
{
    struct known_files *k = known_create();
    size_t n = 40000, n_found = 0, iter = 0, before = mallinfo2().uordblks, n_bytes;
    struct known_file *file;
    struct str path;

    for (size_t i = 0; i < n; i++) {
        AUTO(free) char *one = xasprintf("a/folder/deep/below/d%zu/file%zu.c", i / 16, i);
        known_add(k, str_of(one));
    }
    n_bytes = mallinfo2().uordblks - before; // 0 where the heap is a sanitizer's
    assert_true(n_bytes / n <= 128);
    for (size_t i = 0; i < n; i += 2) {
        AUTO(free) char *one = xasprintf("a/folder/deep/below/d%zu/file%zu.c", i / 16, i);
        known_remove(k, str_of(one));
        known_remove(k, str_of(one));
        assert_null(known_find(k, str_of(one)));
    }
    while (known_next(k, &iter, &path, &file)) {
        AUTO(free)
        char *one = xasprintf("a/folder/deep/below/d%zu/file%zu.c",
                              (n_found * 2 + 1) / 16, n_found * 2 + 1);
        assert_true(str_eq_c(path, one)); // in the order they came
        assert_ptr_equal(known_find(k, path), file);
        n_found++;
    }
    assert_int_equal(n_found, n / 2);
    known_destroy(k);
}
