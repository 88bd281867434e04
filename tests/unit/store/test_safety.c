/* What must hold when things go wrong: the log without a hole, nothing acknowledged lost, damage and
 * strangers told apart, readers in every state of the file. */

static int
check_seq(void *ctx, const struct event *e)
{
    int64_t *next = ctx;
    assert_int_equal(e->seq, (*next)++);
    return 0;
}

/* The log from `first` on has every seq up to the head, which is returned. */
static int64_t
assert_whole_log(struct store_reader *r, int64_t first)
{
    struct store_info info;
    int64_t next = first;
    OK(store_read_info(r, &info));
    assert_int_equal(info.first_seq, first);
    OK(store_each_event(r, 0, SIZE_MAX, check_seq, &next));
    assert_int_equal(next, info.head + 1);
    return info.head;
}

static void
test_rollback_leaves_no_hole(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct event *e = NULL;
    event_unref(sample_put(w, "a.c", "one:1"));
    struct batch *b = sample_batch("b.c", "two:2");
    OK(store_begin(w));
    OK(store_put_file(w, b, &e));
    assert_int_equal(e->seq, 2);
    event_unref(e);
    store_rollback(w);
    batch_destroy(b);
    e = sample_put(w, "c.c", "three:3");
    assert_int_equal(e->seq, 2);
    event_unref(e);
    struct store_reader *r = sample_read(s);
    assert_int_equal(assert_whole_log(r, 1), 2);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_prune(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct event *e = NULL;
    bool more = true;
    OK(store_begin(w));
    for (int i = 0; i < 5100; i++) {
        OK(store_put_event(w, EVENT_PIPELINE_ONLINE, STR("x"), STR("{}"), &e));
        event_unref(e);
    }
    int64_t now_ms = clock_wall_ms();
    OK(store_prune(w, now_ms, &more));
    assert_false(more);
    OK(store_prune(w, now_ms + STORE_EVENTS_AGE_MS + 60000, &more));
    assert_true(more);
    OK(store_commit(w));
    struct store_reader *r = sample_read(s);
    assert_int_equal(assert_whole_log(r, 5001), 5100);
    OK(store_begin(w));
    OK(store_prune(w, now_ms + STORE_EVENTS_AGE_MS + 60000, &more));
    OK(store_commit(w));
    assert_false(more);
    assert_int_equal(assert_whole_log(r, 5101), 5100);
    store_reader_close(r);
    store_writer_close(w);
    w = sample_open(s, NULL);
    e = sample_put(w, "a.c", "one:1");
    assert_int_equal(e->seq, 5101);
    event_unref(e);
    store_writer_close(w);
}

static void
test_events_are_paged(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    for (int i = 0; i < 5; i++) {
        char spec[8];
        snprintf(spec, sizeof(spec), "one:%d", i);
        event_unref(sample_put(w, "a.c", spec));
    }
    struct store_reader *r = sample_read(s);
    int64_t next = 3;
    OK(store_each_event(r, 2, 2, check_seq, &next));
    assert_int_equal(next, 5);
    OK(store_each_event(r, 99, 2, check_seq, &next));
    assert_int_equal(next, 5);
    store_reader_close(r);
    store_writer_close(w);
}

/* ---- the log rebuilds the rows ---- */

static void
replay_list(json_t *rows, json_t *data, const char *list)
{
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(data, list), i, item)
    {
        const char *key = json_string_value(json_object_get(item, "key"));
        assert_non_null(key);
        if (strcmp(list, "deleted") == 0) {
            assert_int_equal(json_object_del(rows, key), 0);
        } else if (strcmp(list, "enriched") == 0) {
            json_t *row = json_object_get(rows, key);
            assert_non_null(row);
            json_object_set(row, "rev", json_object_get(item, "rev"));
            json_object_set(row, "hover", json_object_get(item, "hover"));
        } else {
            json_object_set(rows, key, item);
        }
    }
}

static int
replay(void *ctx, const struct event *e)
{
    json_t *data = NULL;
    OK(codec_parse(e->data, &data, NULL));
    replay_list(ctx, data, "deleted");
    replay_list(ctx, data, "added");
    replay_list(ctx, data, "updated");
    replay_list(ctx, data, "enriched");
    json_decref(data);
    return 0;
}

static int
compare_row(void *ctx, const struct entity_row *row)
{
    json_t *rows = ctx;
    char *key = str_dup(row->key);
    json_t *is = json_object_get(rows, key);
    assert_non_null(is);
    assert_int_equal(json_integer_value(json_object_get(is, "rev")), row->rev);
    assert_true(
        str_eq_c(row->e.signature, json_string_value(json_object_get(is, "signature"))));
    const char *state =
        json_string_value(json_object_get(json_object_get(is, "hover"), "state"));
    assert_string_equal(state, hover_state_name(row->hover.state));
    json_object_del(rows, key);
    free(key);
    return 0;
}

static uint32_t
next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* A file of a few functions, each of a few texts and signatures, some named alike. */
static char *
random_spec(uint32_t *seed)
{
    static const char *const names[] = {"get", "set", "run", "stop", "get", "init"};
    struct buf b = {0};
    uint32_t n = next_random(seed) % 7;
    for (uint32_t i = 0; i < n; i++) {
        if (next_random(seed) % 4 == 0)
            buf_add_cstr(&b, "+1 ");
        buf_printf(&b, "%s%s:%u:s%u>%s", i > 0 ? " " : "",
                   names[next_random(seed) % ARRAY_LEN(names)], next_random(seed) % 3,
                   next_random(seed) % 2, names[next_random(seed) % 3]);
    }
    return buf_steal(&b);
}

/* Events as they were published; of the log's rows, each must be one of them to the byte. */
struct told {
    VEC(struct event *) events;
    json_t *rows;
    size_t n_read;
};

static void
tell(struct told *told, struct event *e)
{
    if (e)
        *vec_push(&told->events) = e;
}

static int
replay_told(void *ctx, const struct event *e)
{
    struct told *told = ctx;
    assert_true(told->n_read < told->events.n);
    const struct event *was = told->events.v[told->n_read++];
    assert_int_equal(e->seq, was->seq);
    assert_int_equal(e->type, was->type);
    assert_int_equal(e->time_ms, was->time_ms);
    assert_true(str_eq(e->subject, was->subject));
    if (was->data.n > 0) // else it was told briefly
        assert_true(str_eq(e->data, was->data));
    return replay(told->rows, e);
}

/* What is published, what is in the log and what the rows are is the same. */
static void
assert_replay(const struct sample *s, struct told *told)
{
    struct store_reader *r = sample_read(s);
    struct store_counts c;
    told->rows = json_object();
    told->n_read = 0;
    OK(store_each_event(r, 0, SIZE_MAX, replay_told, told));
    assert_int_equal(told->n_read, told->events.n);
    OK(store_read_counts(r, &c));
    assert_int_equal(json_object_size(told->rows), c.entities);
    OK(store_each_entity(r, STR_NONE, compare_row, told->rows));
    assert_int_equal(json_object_size(told->rows), 0);
    assert_int_equal(c.hovers[0] + c.hovers[1] + c.hovers[2], c.entities);
    assert_rows(s, "entity", (int)c.entities);
    assert_rows(s, "v_edge", (int)c.edges);
    json_decref(told->rows);
    store_reader_close(r);
}

static void
test_replay(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct told told = {.n_read = 0};
    char *specs[4] = {NULL};
    char path[8];
    uint32_t seed = 42;
    for (int i = 0; i < 600; i++) {
        size_t f = next_random(&seed) % ARRAY_LEN(specs);
        snprintf(path, sizeof(path), "f%zu.c", f);
        store_be_brief(w, i % 3 == 0);
        uint32_t what = next_random(&seed) % 10;
        if (what == 0) {
            tell(&told, sample_delete(w, path));
        } else if (what < 4 && specs[f]) {
            tell(&told,
                 sample_put_hovers(w, path, specs[f], "get=g set=s run- stop? init=i"));
        } else {
            const char *other = specs[next_random(&seed) % ARRAY_LEN(specs)];
            bool is_copy = other && next_random(&seed) % 3 == 0;
            char *spec = is_copy ? xstrdup(other) : random_spec(&seed);
            free(specs[f]);
            specs[f] = spec;
            tell(&told, sample_put(w, path, specs[f]));
        }
        if (i % 50 == 0 || i > 594) // of the whole log
            assert_replay(s, &told);
    }
    for (size_t f = 0; f < ARRAY_LEN(specs); f++)
        free(specs[f]);
    for (size_t i = 0; i < told.events.n; i++)
        event_unref(told.events.v[i]);
    vec_finish(&told.events);
    store_writer_close(w);
}

/* The event is told in full while the log keeps nothing twice; before the rows change, it does. */
/* Only what the log has anyway is left out, and what it has is what would have been told. */
static void
test_brief_events(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    store_be_brief(w, true);
    AUTO(event_unref) struct event *first = sample_put(w, "a.c", "one:1 two:2:says");
    assert_int_equal(first->seq, 1);
    assert_int_equal(first->data.n, 0);
    sample_assert_names(sample_put(w, "a.c", "one:1 two:3:says"), "updated", "two");
    sample_assert_names(sample_delete(w, "a.c"), "deleted", "one two");
    store_be_brief(w, false);
    AUTO(event_unref) struct event *whole = sample_put(w, "b.c", "one:1 two:2:says");
    assert_true(whole->data.n > 0);

    struct told told = {.rows = json_object()};
    struct store_reader *r = sample_read(s);
    OK(store_each_event(r, 0, 1, replay, told.rows));
    assert_int_equal(json_object_size(told.rows), 2);
    const json_t *two = json_object_get(told.rows, "c:fn:a.c#two");
    assert_string_equal(json_string_value(json_object_get(two, "signature")), "says");
    json_decref(told.rows);
    store_reader_close(r);
    store_writer_close(w);
}

static void
test_first_event_is_left_to_the_rows(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    struct told told = {.n_read = 0};
    const char *const bare = "event WHERE data=''";
    tell(&told, sample_put(w, "a.c", "one:1 two:2"));
    tell(&told, sample_put(w, "b.c", "three:3"));
    assert_rows(s, bare, 2);
    tell(&told, sample_put_hovers(w, "a.c", "one:1 two:2", "one=text two-"));
    assert_rows(s, bare, 2);
    assert_replay(s, &told);
    assert_value(s, "json_array_length(data,'$.added')", "v_event", 2);
    assert_null(
        sample_put(w, "a.c", "+3 one:1 two:2")); // it only moves: that is a change
    assert_rows(s, bare, 1);
    tell(&told, sample_delete(w, "b.c"));
    assert_rows(s, bare, 0);
    tell(&told, sample_put(w, "b.c", "four:4"));
    assert_rows(s, bare, 1);
    assert_replay(s, &told);
    for (size_t i = 0; i < told.events.n; i++)
        event_unref(told.events.v[i]);
    vec_finish(&told.events);
    store_writer_close(w);
}

/* What the log no longer has is not written into it again. */
static void
test_pruned_event_is_not_filled(void **state)
{
    struct sample *s = *state;
    bool more = false;
    struct store_writer *w = sample_open(s, NULL);
    event_unref(sample_put(w, "a.c", "one:1"));
    OK(store_begin(w));
    OK(store_prune(w, clock_wall_ms() + STORE_EVENTS_AGE_MS + 1000, &more));
    OK(store_commit(w));
    assert_rows(s, "event", 0);
    event_unref(sample_put(w, "a.c", "one:2"));
    assert_rows(s, "event", 1);
    struct store_reader *r = sample_read(s);
    struct store_info info;
    OK(store_read_info(r, &info));
    assert_int_equal(info.first_seq, 2);
    store_reader_close(r);
    store_writer_close(w);
}

/* ---- kill -9 ---- */

#define KILLS 8 // at random; test_fault_kill has more of them

/* Writes file after file and tells each seq after its COMMIT; the last transaction stays open. */
static void
write_until_killed(const char *url, int out)
{
    struct store_writer *w = NULL;
    struct store_info info;
    struct event *e = NULL;
    if (store_writer_open(url, NULL, &w, &info, NULL) < 0)
        _exit(1);
    for (int i = 0;; i++) {
        char path[32], spec[64];
        snprintf(path, sizeof(path), "f%d.c", i % 10);
        snprintf(spec, sizeof(spec), "one:%d.%d two:%d>x three:3", (int)getpid(), i, i);
        struct batch *b = sample_batch(path, spec);
        if (store_begin(w) < 0 || store_put_file(w, b, &e) < 0 || store_commit(w) < 0)
            _exit(2);
        int64_t seq = e->seq;
        event_unref(e);
        batch_destroy(b);
        if (write(out, &seq, sizeof(seq)) != sizeof(seq))
            _exit(3);
    }
}

static void
test_kill_9(void **state)
{
    struct sample *s = *state;
    int64_t acknowledged = 0;
    for (int round = 0; round < KILLS; round++) {
        int pipe_fds[2];
        assert_int_equal(pipe(pipe_fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(pipe_fds[0]);
            write_until_killed(s->url, pipe_fds[1]);
        }
        close(pipe_fds[1]);
        for (int i = 0; i < 7 + round; i++)
            assert_int_equal(read(pipe_fds[0], &acknowledged, sizeof(acknowledged)),
                             sizeof(acknowledged));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        while (read(pipe_fds[0], &acknowledged, sizeof(acknowledged)) ==
               sizeof(acknowledged))
            ;
        close(pipe_fds[0]);

        struct store_reader *r = sample_read(s); // before any writer has looked at it
        int64_t head = assert_whole_log(r, 1);
        assert_true(head >= acknowledged);
        store_reader_close(r);
        struct store_info info;
        store_writer_close(sample_open(s, &info));
        if (s->backend->can & SAMPLE_SERVER)
            assert_in_range(info.head, head, head + 1);
        else
            assert_int_equal(info.head, head);
        assert_false(info.is_new);
    }
}

/* ---- one writer ---- */

/* what: the reason's end, or NULL for any. */
static void
assert_refused_for(const char *url, const char *root, int error, const char *what)
{
    struct store_writer *w = NULL;
    struct store_info info;
    char *why = NULL;
    assert_int_equal(store_writer_open(url, root, &w, &info, &why), error);
    assert_null(w);
    assert_non_null(why);
    if (what && !str_ends_with(str_of(why), str_of(what)))
        fail_msg("\"%s\" does not end in \"%s\"", why, what);
    free(why);
}

static void
assert_refused(const char *url, int error)
{
    assert_refused_for(url, NULL, error, NULL);
}

static void
test_second_writer(void **state)
{
    struct sample *s = *state;
    struct store_writer *w = sample_open(s, NULL);
    assert_refused(s->url, -EWOULDBLOCK);
    event_unref(sample_put(w, "a.c", "one:1"));
    store_writer_close(w);
    store_writer_close(sample_open(s, NULL));
}
