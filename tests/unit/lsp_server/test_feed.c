/* The feed of events over a session. */
#include "check.h"

/* ---- the feed ---- */

/* The events of the feed so far: seqs ascend without a hole, and i begins anew with each. */
static int64_t
check_feed(struct editor *e, int64_t since)
{
    int64_t seq = since, i = -1;

    for (size_t k = 0; k < e->got.n; k++) {
        json_t *one = e->got.v[k], *params = json_object_get(one, "params");
        const char *method = json_string_value(json_object_get(one, "method"));
        json_int_t its_seq, its_i;

        if (!method || strcmp(method, "gloss/event") != 0 ||
            !json_object_get(params, "seq"))
            continue;
        its_seq = json_integer_value(json_object_get(params, "seq"));
        its_i = json_integer_value(json_object_get(params, "i"));
        if (its_seq == seq) {
            assert_int_equal(its_i, i + 1);
        } else {
            assert_int_equal(its_seq, seq + 1);
            assert_int_equal(its_i, 0);
        }
        seq = its_seq;
        i = its_i;
    }
    return seq;
}

/* Of the last message that has one. */
static json_int_t
last_seq(const struct editor *e)
{
    for (size_t k = e->got.n; k-- > 0;) {
        const json_t *seq =
            json_object_get(json_object_get(e->got.v[k], "params"), "seq");

        if (seq)
            return json_integer_value(seq);
    }
    return 0;
}

static void
ask_for_events(struct editor *e, int64_t since)
{
    AUTO(free)
    char *params = xasprintf("{'root':'%s','since':{'seq':%" PRId64 ",'epoch':'%s'}}",
                             e->f->root, since, workspace_epoch(e->f->w));

    assert_true(
        is_true(json_object_get(result_of(e, "gloss/events", params), "recovered")));
}

static int64_t
head_of(const struct fixture *f)
{
    return bus_head(workspace_bus(f->w));
}

static void
test_feed(void **state UNUSED)
{
    struct fixture f;
    struct editor *e, *late;
    AUTO(free) char *ahead = NULL, *other = NULL;

    set_up(&f);
    for (size_t i = 0; i < 20; i++) {
        AUTO(free) char *path = xasprintf("f%zu.c", i);
        put(&f, path, "int a(void) { return 1; }\nint b(void) { return 2; }\n");
    }
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    ask_for_events(e, 0); // while it indexes: behind it and before it
    wait_until_ready(&f);
    assert_true(head_of(&f) >= 20);
    WAIT(&f, check_feed(e, 0) == head_of(&f));

    late = editor_open(&f);
    initialize(late, "");
    ask_for_events(late, 5);
    open_doc(e, "f3.c", STR("int other(void) { return 1; }\n"));
    WAIT(&f, head_of(&f) > 21 && check_feed(e, 0) == head_of(&f) &&
                 check_feed(late, 5) == head_of(&f));
    ahead = xasprintf("{'root':'%s','since':{'seq':100000}}", f.root);
    assert_int_equal(code_of(late, "gloss/events", ahead), WIRE_REQUEST_FAILED);
    other = xasprintf("{'root':'%s','since':{'seq':1,'epoch':'0'}}", f.root);
    assert_int_equal(code_of(late, "gloss/events", other), WIRE_REQUEST_FAILED);
    assert_int_equal(code_of(late, "gloss/events", "{'root':'x'}"), WIRE_INVALID_PARAMS);
    tear_down(&f);
}

static void
put_large_files(const struct fixture *f)
{
    for (size_t i = 0; i < 60; i++) {
        AUTO(free) char *path = xasprintf("f%zu.c", i);
        AUTO(buf_finish) struct buf text = {0};
        for (size_t k = 0; k < 300; k++)
            buf_printf(
                &text,
                "/** Says the name of number %zu. */\nint f%zu_%zu(void) { return 1; }\n",
                k, i, k);
        put(f, path, text.p);
    }
}

/* A reader that does not read stops the cursor, and misses nothing. */
static void
read_slowly(struct fixture *f, struct editor *e)
{
    size_t backlog = 0, most = 0;

    stream_pause(e->stream);
    send_text(e,
              "{'jsonrpc':'2.0','id':500,'method':'gloss/events','params':{'root':'%s',"
              "'since':{'seq':0}}}",
              f->root);
    WAIT(f, (backlog = wire_backlog(e->session->wire)) > (4u << 20));
    for (size_t i = 0; i < 10; i++) {
        run_once(f, "more");
        most = MAX(most, wire_backlog(e->session->wire));
    }
    assert_true(most < backlog + (2u << 20)); // it ended with that row
    stream_resume(e->stream);
    WAIT(f, last_seq(e) == head_of(f));
    assert_true(e->got.n > 15000);
    WAIT(f, check_feed(e, 0) == head_of(f));
}

static void
test_slow_reader(void **state UNUSED)
{
    struct fixture f;
    struct editor *e;

    set_up(&f);
    put_large_files(&f);
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    wait_until_ready(&f);
    read_slowly(&f, e); // from the ring
    close_all(&f);
    open_all(&f);
    e = editor_open(&f);
    initialize(e, "");
    wait_until_ready(&f);
    assert_false(bus_covers(workspace_bus(f.w), 0));
    read_slowly(&f, e); // from the log, and live behind it
    open_doc(e, "f1.c", STR("int z;\n"));
    int64_t head = head_of(&f);
    WAIT(&f, head_of(&f) > head && check_feed(e, 0) == head_of(&f));
    tear_down(&f);
}

static int
set_up_all(void **state UNUSED)
{
    AUTO(free) char *config = NULL, *states = NULL;

    scratch = scratch_make("lsp-server");
    config = path_join(scratch, "config");
    states = path_join(scratch, "state");
    setenv("HOME", scratch, 1);
    setenv("XDG_CONFIG_HOME", config, 1);
    setenv("XDG_STATE_HOME", states, 1);
    return lang_init(NULL);
}

static int
tear_down_all(void **state UNUSED)
{
    lang_finish();
    scratch_remove(scratch);
    free(scratch);
    return 0;
}
