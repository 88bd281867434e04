/* Dead letters of a workspace: listed in its status, tried again, gone when they are stored. */
#include "check.h"

struct retried {
    size_t n_tried, n_left, n_calls;
    char *why;
};

static void
on_retried(void *ctx, size_t n_tried, size_t n_left, const char *why)
{
    struct retried *r = ctx;

    r->n_tried = n_tried;
    r->n_left = n_left;
    r->n_calls++;
    free(r->why);
    r->why = why ? xstrdup(why) : NULL;
}

static void
retry(struct fixture *f, const int64_t *ids, size_t n, struct retried *ret)
{
    size_t before = ret->n_calls;

    assert_int_equal(workspace_retry(f->w, ids, n, on_retried, ret), 0);
    WAIT(f, ret->n_calls > before);
}

static json_t *
letters_of_status(const struct fixture *f)
{
    AUTO(buf_finish) struct buf json = {0};
    json_t *status = NULL, *letters;

    workspace_add_status(&json, f->w);
    assert_int_equal(codec_parse(buf_str(&json), &status, NULL), 0);
    letters = json_incref(codec_object(status, "dead_letters"));
    assert_non_null(letters);
    json_decref(status);
    return letters;
}

static int64_t
count_letters(const struct fixture *f)
{
    json_t *letters = letters_of_status(f);
    int64_t n = json_integer_value(json_object_get(letters, "count"));

    json_decref(letters);
    return n;
}

static void
test_retry_after_a_full_disk(void **state UNUSED)
{
    struct retried retried = {0};
    struct fixture f;
    struct rlimit was;
    json_t *letters;
    int64_t none = 12345;

    set_up(&f);
    put(&f, "a.c", "int a(void) { return 1; }\n");
    put(&f, "gone.c", "int g(void) { return 1; }\n");
    put(&f, "late.c", "int l(void) { return 1; }\n");
    open_all(&f);
    index_ok(&f);
    put(&f, "a.c", "int b(void) { return 1; }\n");
    fill_disk(&was);
    index_all(&f, false);
    assert_true(count_letters(&f) >= 1);
    retry(&f, NULL, 0, &retried); // there is still no room
    assert_int_equal(retried.n_left, retried.n_tried);
    assert_non_null(retried.why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    letters = letters_of_status(&f);
    assert_string_equal(
        json_string_value(json_object_get(
            json_array_get(json_object_get(letters, "newest"), 0), "path")),
        "a.c");
    json_decref(letters);
    put(&f, "a.c", "int c(void) { return 1; }\n"); // it is what the disk has that counts
    retry(&f, &none, 1, &retried);
    assert_int_equal(retried.n_tried, 0);
    retry(&f, NULL, 0, &retried);
    assert_true(retried.n_tried >= 1);
    assert_int_equal(retried.n_left, 0);
    assert_null(retried.why);
    assert_int_equal(count_letters(&f), 0);
    assert_string_equal(indexed(&f, "a.c"), "c");
    retry(&f, NULL, 0, &retried);
    assert_int_equal(retried.n_tried, 0);
    free(retried.why);
    tear_down(&f);
}

/* What others wrote into the index leads nowhere outside of the root, and goes. */
static void
test_retry_stays_inside(void **state UNUSED)
{
    static const char *const paths[] = {"../x.c", "/etc/x.c", "a/../../x.c", "",
                                        "gone.c"};
    struct retried retried = {0};
    struct fixture f;

    set_up(&f);
    put(&f, "a.c", "int a(void) { return 1; }\n");
    open_all(&f);
    index_ok(&f);
    close_all(&f);
    struct store_writer *w = NULL;
    struct store_info info;
    assert_int_equal(store_writer_open(f.db_url, NULL, &w, &info, NULL), 0);
    assert_int_equal(store_begin(w), 0);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct dead_letter *l =
            dead_letter_create(DEAD_PUT_FILE, str_of(paths[i]), STR("e"), STR("{}"));
        l->id = (int64_t)i + 1;
        assert_int_equal(store_put_letter(w, l), 0);
        dead_letter_destroy(l);
    }
    assert_int_equal(store_commit(w), 0);
    store_writer_close(w);
    open_all(&f);
    index_ok(&f);
    assert_int_equal(count_letters(&f), ARRAY_LEN(paths));
    retry(&f, NULL, 0, &retried);
    assert_int_equal(retried.n_tried, ARRAY_LEN(paths));
    assert_int_equal(retried.n_left, 0);
    assert_int_equal(count_letters(&f), 0);
    assert_string_equal(indexed(&f, "a.c"), "a");
    assert_int_equal(f.w->counts.files[FILE_INDEXED], 1);
    free(retried.why);
    tear_down(&f);
}
