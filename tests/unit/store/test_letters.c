/* Dead letters: kept, dropped, and done again without overwriting what is newer; and gauges. */

static struct dead_letter *
letter_of(int64_t id, enum dead_what what, const char *path, const char *payload)
{
    struct dead_letter *l = dead_letter_create(what, str_of(path), STR("no room"),
                                               payload ? str_of(payload) : STR_NONE);
    l->id = id;
    l->time_ms = 1000 + id;
    return l;
}

static void
keep_letter(struct store_writer *w, const struct dead_letter *l)
{
    OK(store_begin(w));
    OK(store_put_letter(w, l));
    OK(store_commit(w));
}

static int
collect_letter(void *ctx, struct dead_letter *l)
{
    buf_printf(ctx, "%" PRId64 ":%s:%.*s:%.*s:%" PRId64 ":%.*s%s ", l->id,
               dead_what_name(l->what), STR_ARG(l->path), STR_ARG(l->error), l->time_ms,
               STR_ARG(l->payload), l->is_kept ? "" : "?");
    dead_letter_destroy(l);
    return 0;
}

static void
assert_letters(struct store_writer *w, const char *expected)
{
    AUTO(buf_finish) struct buf b = {0};
    buf_add_cstr(&b, "");
    OK(store_each_letter(w, collect_letter, &b));
    assert_string_equal(b.n > 0 ? b.p : "", expected);
}

static void
test_letters_are_kept(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct dead_letter *a = letter_of(3, DEAD_PUT_FILE, "a.c", "{}");
    struct dead_letter *b = letter_of(2, DEAD_PUT_EVENT, "", "{\"x\":1}");
    assert_letters(w, "");
    keep_letter(w, a);
    keep_letter(w, b);
    store_writer_close(w);
    w = sample_open(s, NULL);
    assert_letters(w,
                   "2:put_event::no room:1002:{\"x\":1} 3:put_file:a.c:no room:1003:{} ");
    a->time_ms = 7; // again
    keep_letter(w, a);
    OK(store_begin(w));
    OK(store_drop_letter(w, 2));
    OK(store_drop_letter(w, 99));
    OK(store_commit(w));
    assert_letters(w, "3:put_file:a.c:no room:7:{} ");
    OK(store_begin(w));
    OK(store_drop_letter(w, 3));
    store_rollback(w);
    assert_letters(w, "3:put_file:a.c:no room:7:{} ");
    if (s->backend->can & SAMPLE_SQL)
        assert_int_equal(count_rows(s, "v_dead_letter WHERE what='put_file' AND bytes=2"),
                         1);
    dead_letter_destroy(a);
    dead_letter_destroy(b);
    store_writer_close(w);
}

/* ---- hovers ---- */

#define LETTER_SPEC "one:1 two:2 three:3"

static struct dead_letter *
letter_of_hovers(const char *path, const char *spec, const char *answers)
{
    AUTO(buf_finish) struct buf payload = {0};
    AUTO(hover_batch_destroy)
    struct hover_batch *h = sample_hovers(path, spec, answers);
    h->server_key = 0xfedcba9876543210;
    store_add_hovers_payload(&payload, h);
    return letter_of(1, DEAD_PUT_HOVERS, path, payload.p);
}

/* What came of it, or NULL; seq 0: nothing was stored. */
static int64_t
replay_letter(struct store_writer *w, const struct dead_letter *l)
{
    struct event *e = NULL;
    OK(store_begin(w));
    OK(store_replay_letter(w, l, &e));
    OK(store_commit(w));
    int64_t seq = e ? e->seq : 0;
    event_unref(e);
    return seq;
}

static void
test_letter_of_hovers(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct dead_letter *l =
        letter_of_hovers("a.c", LETTER_SPEC, "one=text two- three? gone=x");
    event_unref(sample_put(w, "a.c", LETTER_SPEC));
    assert_int_equal(replay_letter(w, l), 2);
    assert_int_equal(replay_letter(w, l), 0);
    assert_told(s, LETTER_SPEC, "c", 0, "one=text/clangd two-/ ");
    event_unref(sample_put(w, "a.c", "one:9")); // not what they were asked of
    assert_int_equal(replay_letter(w, l), 0);
    dead_letter_destroy(l);
    l = letter_of_hovers("nowhere.c", LETTER_SPEC, "one=text");
    assert_int_equal(replay_letter(w, l), 0);
    dead_letter_destroy(l);
    store_writer_close(w);
}

/* The same server, and another answer since: the late one is not heard, where it is not needed. */
static void
test_late_hovers_replace_nothing(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct dead_letter *l =
        letter_of_hovers("a.c", LETTER_SPEC, "one=old two=old three=old");
    event_unref(sample_put(w, "a.c", LETTER_SPEC));
    struct hover_batch *newer = sample_hovers("a.c", LETTER_SPEC, "one=new two- three?");
    struct event *e = NULL;
    newer->server_key = 5;
    OK(store_begin(w));
    OK(store_put_hovers(w, newer, &e));
    OK(store_commit(w));
    hover_batch_destroy(newer);
    event_unref(e);
    assert_int_equal(replay_letter(w, l), 3); // three
    assert_told(s, LETTER_SPEC, "c", 5, "one=new/clangd two-/ three=old/clangd ");
    dead_letter_destroy(l);
    store_writer_close(w);
}

/* ---- the others ---- */

static void
test_letters_of_other_commands(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    AUTO(buf_finish) struct buf payload = {0};
    store_add_event_payload(&payload, EVENT_PIPELINE_ONLINE, STR("{\"a\":\"\\\"\"}"));
    struct dead_letter *l = letter_of(1, DEAD_PUT_EVENT, "x", payload.p);
    assert_int_equal(replay_letter(w, l), 1);
    assert_int_equal(count_rows(s, "v_event WHERE type='pipeline:online' AND subject='x'"
                                   " AND data->>'a'='\"'"),
                     1);
    dead_letter_destroy(l);
    struct hover_batch *h = sample_hovers("a.c", LETTER_SPEC, "one=x");
    struct event *e = NULL;
    event_unref(sample_put(w, "a.c", LETTER_SPEC));
    h->server_key = 5;
    OK(store_begin(w));
    OK(store_put_hovers(w, h, &e));
    OK(store_commit(w));
    event_unref(e);
    hover_batch_destroy(h);
    buf_reset(&payload);
    store_add_expiry_payload(&payload, 0xffffffffffffffff);
    l = letter_of(1, DEAD_EXPIRE_HOVERS, "c", payload.p);
    assert_int_equal(replay_letter(w, l), 0);
    assert_int_equal(read_int(s, "n_stale", "file"), 1);
    dead_letter_destroy(l);
    l = letter_of(1, DEAD_PUT_FILE, "b.c", "{\"entities\":1}"); // looked at by others
    assert_int_equal(replay_letter(w, l), 0);
    assert_int_equal(count_rows(s, "file"), 1);
    dead_letter_destroy(l);
    l = letter_of(1, DEAD_PUT_HOVERS, "b.c", NULL); // was too large
    assert_int_equal(replay_letter(w, l), 0);
    dead_letter_destroy(l);
    store_writer_close(w);
}

/* A hover of so many bytes, and what comes of it. */
static void
assert_believed(struct store_writer *w, size_t n_bytes, int expected)
{
    AUTO(free) char *markdown = xcalloc(n_bytes + 1, 1);
    memset(markdown, 'x', n_bytes);
    AUTO(free)
    char *payload = xasprintf("{\"content\":\"00112233445566778899aabbccddeeff\","
                              "\"answers\":[{\"key\":\"k\",\"hover\":{\"state\":"
                              "\"known\",\"markdown\":\"%s\"}}]}",
                              markdown);
    struct dead_letter *l = letter_of(1, DEAD_PUT_HOVERS, "c", payload);
    struct event *e = NULL;
    OK(store_begin(w));
    assert_int_equal(store_replay_letter(w, l, &e), expected);
    store_rollback(w);
    dead_letter_destroy(l);
}

static void
test_letter_that_makes_no_sense(void **state)
{
    static const struct {
        enum dead_what what;
        const char *payload;
    } bad[] = {
        {DEAD_PUT_HOVERS, "{"},
        {DEAD_PUT_HOVERS, "[]"},
        {DEAD_PUT_HOVERS, "{\"content\":\"00\",\"answers\":[]}"},
        {DEAD_PUT_HOVERS, "{\"content\":\"00112233445566778899aabbccddeeff\"}"},
        {DEAD_PUT_HOVERS, "{\"content\":\"00112233445566778899aabbccddeeff\","
                          "\"answers\":[7]}"},
        {DEAD_PUT_HOVERS,
         "{\"content\":\"00112233445566778899aabbccddeeff\","
         "\"answers\":[{\"key\":\"k\",\"hover\":{\"state\":\"known\"}}]}"},
        {DEAD_PUT_HOVERS, "{\"content\":\"00112233445566778899aabbccddeeff\",\"answers\":"
                          "[{\"key\":\"k\",\"hover\":{\"state\":\"unknown\",\"reason\":"
                          "\"bored\"}}]}"},
        {DEAD_EXPIRE_HOVERS, "{}"},
        {DEAD_EXPIRE_HOVERS, "{\"server_key\":\"00000000000000zz\"}"},
        {DEAD_EXPIRE_HOVERS, "{\"server_key\":\"11\"}"},
        {DEAD_PUT_EVENT, "{\"type\":\"heartbeat\",\"data\":\"{}\"}"},
        {DEAD_PUT_EVENT, "{\"type\":\"pipeline:online\"}"},
    };
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct dead_letter *l = letter_of(1, bad[i].what, "c", bad[i].payload);
        struct event *e = NULL;
        OK(store_begin(w));
        if (store_replay_letter(w, l, &e) != -EBADMSG)
            fail_msg("%s was believed", bad[i].payload);
        store_rollback(w);
        assert_null(e);
        dead_letter_destroy(l);
    }
    assert_believed(w, HOVER_BYTES_MAX, 0);
    assert_believed(w, HOVER_BYTES_MAX + 1, -EBADMSG);
    store_writer_close(w);
    sqlite3 *db = NULL; // what a file may hold that others wrote
    OK(sqlite3_open(s->path, &db));
    OK(sqlite3_exec(db,
                    "INSERT INTO dead_letter VALUES(1,'dance','a','b',1,'{}'),"
                    "(2,'put_file','a','b',1,'{}')",
                    NULL, NULL, NULL));
    OK(sqlite3_close(db));
    w = sample_open(s, NULL);
    assert_letters(w, "2:put_file:a:b:1:{} ");
    store_writer_close(w);
}

static void
test_gauges(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct store_gauges g;
    AUTO(buf_finish) struct buf spec = {0};
    for (int i = 0; i < 20000; i++)
        buf_printf(&spec, "function_%d:%d ", i, i);
    event_unref(sample_put(w, "a.c", spec.p));
    store_gauges(w, &g);
    assert_true(g.wal_bytes > 1000000);
    assert_int_equal(g.checkpoints, 0);
    assert_true(g.event_bytes > 0);
    OK(store_checkpoint(w, false));
    store_gauges(w, &g);
    assert_int_equal(g.checkpoints, 1);
    assert_true(g.checkpoint_us_max > 0);
    store_writer_close(w);
}

#define LOG_BYTES (66 << 20) // above what is cut when nothing else is to do

static uint64_t
log_bytes(const struct store_writer *w)
{
    struct store_gauges g;
    store_gauges(w, &g);
    return g.wal_bytes;
}

static void
fill_log(struct store_writer *w)
{
    AUTO(free) char *text = xcalloc(1 << 20, 1);
    memset(text, 'x', 1 << 20);
    while (log_bytes(w) <= LOG_BYTES) {
        struct event *event = NULL;
        OK(store_begin(w));
        OK(store_put_event(w, EVENT_PIPELINE_ONLINE, STR("x"), str_slice(text, 1 << 20),
                           &event));
        OK(store_commit(w));
        OK(store_checkpoint(w, false));
        event_unref(event);
    }
}

/* A reader holds the log, and is asked to let go of it now and then, not with each commit; the log is cut
 * at the first quiet moment after it did, whatever happened in between. */
static void
test_log_is_cut(void **state)
{
    struct sample *s = *state;
    struct store_info info;
    struct store_gauges g;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    struct store_reader *r = sample_read(s);
    OK(store_reader_begin(r));
    OK(store_read_info(r, &info));
    fill_log(w);
    store_gauges(w, &g);
    assert_in_range(g.checkpoints, 4, 10);
    OK(store_checkpoint(w, true));
    assert_true(log_bytes(w) > LOG_BYTES);
    store_reader_end(r);
    event_unref(sample_put(w, "a.c", "one:2"));
    OK(store_checkpoint(w, false));
    assert_true(log_bytes(w) > LOG_BYTES);
    OK(store_checkpoint(w, true));
    assert_int_equal(log_bytes(w), 0);
    event_unref(sample_put(w, "a.c", "one:3"));
    store_reader_close(r);
    store_writer_close(w);
}
