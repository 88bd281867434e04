/* The writer's contract: order, grouping, one bad command among good ones, a disk that fails for a
 * while, and the end. Invariant: every command comes back once and the loop closes empty. */
#include "store/sample.h"

#include "../fault/fail_vfs.h"
#include "base/clock.h"
#include "rt/timer.h"
#include "writer/writer.h"

struct scene {
    struct sample *s;
    struct loop loop;
    struct writer *w;
    struct buf story; // what happened, in words
    int open_r;
    struct store_info info;
    int64_t last_seq;
    void (*on_ready)(struct scene *scene);
    sqlite3 *blocker;
    struct timer *timer;
    void (*on_tick)(struct scene *scene);
    struct writer_stats stats;
    size_t n_commits, n_commit_max, n_commit_first; // with events
    struct batch *large;
    uint64_t n_checkpoints[2]; // at two moments
    size_t n_put;
    int64_t begin_ms;
};

struct note {
    struct scene *scene;
    const char *name;
    bool is_last; // then the writer is closed
};

static void
on_closed(void *ctx)
{
    struct scene *scene = ctx;
    buf_add_cstr(&scene->story, "closed");
}

static void
close_writer(struct scene *scene)
{
    scene->stats = writer_stats(scene->w);
    writer_close(scene->w, on_closed, scene);
}

static void
on_open(void *ctx, int r, const struct store_info *info, const char *why)
{
    struct scene *scene = ctx;
    scene->open_r = r;
    assert_true((r < 0) == (info == NULL));
    if (info)
        scene->info = *info;
    else
        assert_non_null(why);
    if (scene->on_ready)
        scene->on_ready(scene);
}

static void
on_commit(void *ctx, struct event *const *events, size_t n)
{
    struct scene *scene = ctx;
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(events[i]->seq, scene->last_seq + 1);
        scene->last_seq++;
    }
    if (scene->n_commits++ == 0)
        scene->n_commit_first = n;
    scene->n_commit_max = MAX(scene->n_commit_max, n);
}

static const struct writer_events writer_events = {.on_open = on_open,
                                                   .on_commit = on_commit};

static void
on_done(void *ctx, int r, struct event *event)
{
    struct note *note = ctx;
    struct scene *scene = note->scene;
    if (event)
        assert_true(event->seq <= scene->last_seq); // on_commit was first
    buf_printf(&scene->story, "%s%s ", note->name,
               r < 0   ? "!"
               : r > 0 ? "+"
               : event ? ""
                       : "=");
    if (note->is_last)
        close_writer(scene);
    free(note);
}

static struct note *
note_of(struct scene *scene, const char *name)
{
    struct note *note = xnew(struct note);
    note->scene = scene;
    note->name = name;
    return note;
}

static struct note *
last_note_of(struct scene *scene, const char *name)
{
    struct note *note = note_of(scene, name);
    note->is_last = true;
    return note;
}

static void
put(struct scene *scene, const char *name, const char *spec, bool is_urgent)
{
    writer_put_file(scene->w, sample_batch(name, spec), is_urgent, on_done,
                    note_of(scene, name));
}

static void
on_timer(void *ctx)
{
    struct scene *scene = ctx;
    scene->on_tick(scene);
}

/* Runs to the end of everything; the story is compared. */
static void
play(void **state, void (*on_start)(struct scene *), void (*on_ready)(struct scene *),
     const char *story, struct scene *ret_scene)
{
    struct scene scene = {.s = *state, .on_ready = on_ready};
    OK(loop_init(&scene.loop));
    scene.w = writer_open(&scene.loop, scene.s->url, NULL, NULL, &writer_events, &scene);
    if (on_start)
        on_start(&scene);
    loop_run(&scene.loop);
    OK(loop_finish(&scene.loop));
    assert_string_equal(scene.story.p, story);
    buf_finish(&scene.story);
    *ret_scene = scene;
}

static void
assert_counts(const struct scene *scene, uint64_t n_entities, int64_t head)
{
    struct store_counts c;
    struct store_info info;
    struct store_reader *r = sample_read(scene->s);
    OK(store_read_counts(r, &c));
    OK(store_read_info(r, &info));
    assert_int_equal(c.entities, n_entities);
    assert_int_equal(info.head, head);
    store_reader_close(r);
}

/* ---- all commands, pushed before the index is open; the end commits what is queued ---- */

static void
push_all(struct scene *scene)
{
    put(scene, "a.c", "one:1 two:2", false);
    struct hover_batch *hovers = sample_hovers("a.c", "one:1 two:2", "one=x");
    hovers->server_key = 1;
    writer_put_hovers(scene->w, hovers, on_done, note_of(scene, "hovers"));
    writer_expire_hovers(scene->w, STR("c"), 2, on_done, note_of(scene, "expire"));
    writer_expire_hovers(scene->w, STR("c"), 2, on_done, note_of(scene, "expire"));
    put(scene, "b.c", "three:3", false);
    writer_delete_file(scene->w, STR("b.c"), on_done, note_of(scene, "delete"));
    writer_put_event(scene->w, EVENT_PIPELINE_ONLINE, STR("x"), STR("{}"), false, on_done,
                     note_of(scene, "event"));
    put(scene, "a.c", "one:1 two:2", false);
    writer_flush(scene->w, on_done, note_of(scene, "flush"));
    writer_put_event(scene->w, EVENT_PIPELINE_OFFLINE, STR_NONE, STR("{}"), false, NULL,
                     NULL);
    close_writer(scene);
}

static void
test_all_commands(void **state)
{
    struct scene scene;
    play(state, push_all, NULL,
         "a.c hovers expire+ expire= b.c delete event a.c= flush= closed", &scene);
    assert_int_equal(scene.open_r, 0);
    assert_true(scene.info.is_new);
    assert_in_range(scene.stats.depth_max, 1, 10);
    assert_counts(&scene, 2, 6);
}

/* ---- statistics, and what a completion may do ---- */

static void
push_flush_last(struct scene *scene)
{
    put(scene, "a.c", "one:1", false);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
test_close_in_completion(void **state)
{
    struct scene scene;
    play(state, push_flush_last, NULL, "a.c flush= closed", &scene);
    assert_in_range(scene.stats.commits, 1, 2);
    assert_int_equal(scene.stats.commands, 2);
    assert_int_equal(scene.stats.failed, 0);
    assert_int_equal(scene.stats.head, 1);
    assert_int_equal(scene.stats.depth, 0);
    assert_true(scene.stats.commit_us_max > 0);
}

/* ---- one bad command ---- */

static void
push_bad(struct scene *scene)
{
    put(scene, "a.c", "one:1", false);
    struct batch *bad = sample_batch("bad.c", "two:2");
    bad->n_entities = ENTITY_PER_FILE_MAX + 1;
    writer_put_file(scene->w, bad, false, on_done, note_of(scene, "bad.c"));
    put(scene, "c.c", "three:3", false);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
test_bad_command_fails_alone(void **state)
{
    struct scene scene;
    play(state, push_bad, NULL, "a.c bad.c! c.c flush= closed", &scene);
    assert_int_equal(scene.stats.failed, 1);
    assert_int_equal(scene.stats.retries, 0);
    assert_counts(&scene, 2, 2);
}

/* ---- what a scanner sends, in the same drain ---- */

static struct ingest_batch *sent;

static void
on_sent_back(void *ctx, int r, struct event *event)
{
    assert_null(event);
    on_done(ctx, r, event);
}

static void
send_entities(struct scene *scene, const char *const *paths, size_t n)
{
    sent = ingest_batch_create();
    for (size_t i = 0; i < n; i++) {
        struct ingest_item *item = ingest_batch_add(sent);
        item->op = INGEST_PUT_ENTITY;
        item->path = str_of(paths[i]);
        item->lang = STR("c");
        item->entities = arena_new(&sent->arena, struct ingest_entity);
        item->n_entities = 1;
        item->entities->e = (struct entity){.kind = ENTITY_FUNCTION,
                                            .ordinal = 1,
                                            .parent = ENTITY_NONE,
                                            .name = STR("f"),
                                            .qualified_name = STR("f")};
    }
    writer_put_entities(scene->w, sent, false, on_sent_back, note_of(scene, "sent"));
}

static void
push_sent(struct scene *scene)
{
    static const char *const paths[] = {"x.c", "y.c", "a.c"};
    struct batch *bad = sample_batch("bad.c", "one:1");
    bad->n_entities = ENTITY_PER_FILE_MAX + 1;
    put(scene, "a.c", "one:1", false);
    send_entities(scene, paths, ARRAY_LEN(paths));
    writer_put_file(scene->w, bad, false, on_done, note_of(scene, "bad.c"));
    put(scene, "c.c", "three:1", false);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

/* Its events are told once, with those of others in their order, also when the first try was undone. */
static void
test_sent_entities(void **state)
{
    struct scene scene;
    play(state, push_sent, NULL, "a.c sent= bad.c! c.c flush= closed", &scene);
    assert_counts(&scene, 5, 5);
    assert_int_equal(sent->n_events, 3);
    assert_int_equal(sent->v[0].seq, 2);
    assert_int_equal(sent->v[2].seq, 4);
    assert_int_equal(sent->seq, 4);
    ingest_batch_destroy(sent);
}

static void
push_to_none(struct scene *scene)
{
    static const char *const paths[] = {"x.c"};
    send_entities(scene, paths, 1);
    close_writer(scene);
}

/* No index: it comes back all the same, and nothing of it happened. */
static void
test_sent_to_no_index(void **state)
{
    struct sample *s = *state;
    struct scene scene;
    OK(mkdir(s->path, 0700));
    play(state, push_to_none, NULL, "sent! closed", &scene);
    assert_true(scene.open_r < 0);
    assert_int_equal(sent->n_events, 0);
    ingest_batch_destroy(sent);
}

/* ---- a large drain is cut ---- */

static void
push_many(struct scene *scene)
{
    AUTO(buf_finish) struct buf spec = {0};
    for (int i = 0; i < WRITER_BATCH_ENTITIES * 2 / 5; i++)
        buf_printf(&spec, "f%d:%d ", i, i);
    for (int i = 0; i < 10; i++) {
        char path[16];
        snprintf(path, sizeof(path), "%d.c", i);
        writer_put_file(scene->w, sample_batch(path, spec.p), false, NULL, NULL);
    }
    close_writer(scene);
}

static void
test_large_drain_is_cut(void **state)
{
    struct scene scene = {.s = *state};
    OK(loop_init(&scene.loop));
    scene.w = writer_open(&scene.loop, scene.s->url, NULL, NULL, &writer_events, &scene);
    push_many(&scene);
    loop_run(&scene.loop);
    OK(loop_finish(&scene.loop));
    assert_true(scene.n_commit_max <= 3); // two fifths and a file each: three are over it
    assert_true(scene.n_commits >= 4);
    buf_finish(&scene.story);
    assert_counts(&scene, WRITER_BATCH_ENTITIES * 4, 10);
}

/* ---- a bulk load: files that come one by one share commits until somebody waits ---- */

#define STREAM_FILES 80

static void
put_next(struct scene *scene)
{
    char path[16];
    snprintf(path, sizeof(path), "%zu.c", scene->n_put);
    writer_put_file(scene->w, sample_batch(path, "one:1"), false, NULL, NULL);
    if (++scene->n_put < STREAM_FILES)
        return;
    timer_close(scene->timer);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
begin_stream(struct scene *scene)
{
    scene->begin_ms = clock_mono_ms();
    timer_start(scene->timer, 1, 1);
}

static void
test_bulk_shares_commits(void **state)
{
    struct scene scene = {.s = *state, .on_ready = begin_stream, .on_tick = put_next};
    OK(loop_init(&scene.loop));
    scene.timer = timer_open(&scene.loop, on_timer, &scene);
    scene.w = writer_open(&scene.loop, scene.s->url, NULL, NULL, &writer_events, &scene);
    loop_run(&scene.loop);
    OK(loop_finish(&scene.loop));
    /* each pause of a slow machine may end a load, and the next one begins with single files */
    int64_t n_pauses = (clock_mono_ms() - scene.begin_ms) / WRITER_BATCH_MS;
    assert_true((int64_t)scene.n_commits <=
                (WRITER_BULK_FILES + 1) * (n_pauses + 1) + n_pauses);
    assert_string_equal(scene.story.p, "flush= closed");
    buf_finish(&scene.story);
    assert_counts(&scene, STREAM_FILES, STREAM_FILES);
}

/* ---- a flush in the middle of a load is not kept waiting by what comes after it ---- */

#define FLUSH_TRIES 5 // a slow machine may take long by itself, but not each time

static void
push_flush_and_load(struct scene *scene)
{
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
    for (size_t i = 0; i < WRITER_BULK_FILES + 1; i++)
        put(scene, "a.c", "one:1", false);
}

static void
note_begin(struct scene *scene)
{
    scene->begin_ms = clock_mono_ms();
}

static void
test_flush_is_not_put_off(void **state)
{
    int64_t least_ms = INT64_MAX;
    for (int i = 0; i < FLUSH_TRIES; i++) {
        struct scene scene = {.s = *state, .on_ready = note_begin};
        OK(loop_init(&scene.loop));
        scene.w =
            writer_open(&scene.loop, scene.s->url, NULL, NULL, &writer_events, &scene);
        push_flush_and_load(&scene);
        loop_run(&scene.loop);
        OK(loop_finish(&scene.loop));
        least_ms = MIN(least_ms, clock_mono_ms() - scene.begin_ms);
        assert_memory_equal(scene.story.p, "flush= a.c", 10);
        buf_finish(&scene.story);
    }
    assert_true(least_ms < WRITER_BATCH_MS);
}

/* ---- urgent ones first ---- */

/* Another connection holds the write lock while the queue fills. */
static void
block(struct scene *scene)
{
    OK(sqlite3_open(scene->s->path, &scene->blocker));
    OK(sqlite3_exec(scene->blocker, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    put(scene, "first.c", "one:1", false);
    timer_start(scene->timer, 1, 1);
}

static void
fill_and_unblock(struct scene *scene)
{
    if (writer_stats(scene->w).depth > 0)
        return; // the thread has not taken the first one yet
    timer_close(scene->timer);
    put(scene, "bulk.c", "two:2", false);
    put(scene, "bulk2.c", "three:3", false);
    put(scene, "open.c", "four:4", true);
    OK(sqlite3_exec(scene->blocker, "ROLLBACK", NULL, NULL, NULL));
    sqlite3_db_config(scene->blocker, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    OK(sqlite3_close(scene->blocker));
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
test_urgent_first(void **state)
{
    struct scene scene = {.s = *state, .on_ready = block, .on_tick = fill_and_unblock};
    OK(loop_init(&scene.loop));
    scene.timer = timer_open(&scene.loop, on_timer, &scene);
    scene.w = writer_open(&scene.loop, scene.s->url, NULL, NULL, &writer_events, &scene);
    loop_run(&scene.loop);
    OK(loop_finish(&scene.loop));
    struct str story = buf_str(&scene.story);
    ssize_t first = str_find(story, STR("first.c ")),
            open = str_find(story, STR("open.c "));
    ssize_t bulk = str_find(story, STR("bulk.c ")),
            bulk2 = str_find(story, STR("bulk2.c "));
    assert_true(first >= 0 && first < open && open < bulk && bulk < bulk2);
    buf_finish(&scene.story);
    assert_counts(&scene, 4, 4);
}

/* ---- the disk fails for a while ---- */

static void
fail_once_then_put(struct scene *scene)
{
    fail_arm(1, 2, SQLITE_IOERR_WRITE); // the drain and the first try alone
    put(scene, "a.c", "one:1", false);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

static void
test_error_is_retried(void **state)
{
    struct scene scene;
    play(state, NULL, fail_once_then_put, "a.c flush= closed", &scene);
    assert_true(scene.stats.retries >= 1);
    assert_int_equal(scene.stats.failed, 0);
    assert_counts(&scene, 1, 1);
}

static void
on_failed_put(void *ctx, int r, struct event *event)
{
    struct note *note = ctx;
    assert_int_equal(r, -EIO);
    assert_null(event);
    fail_disarm();
    put(note->scene, "b.c", "two:2", false);
    writer_flush(note->scene->w, on_done, last_note_of(note->scene, "flush"));
    free(note);
}

static void
fail_for_long(struct scene *scene)
{
    fail_arm(1, 1000000, SQLITE_IOERR_WRITE);
    writer_put_file(scene->w, sample_batch("a.c", "one:1"), false, on_failed_put,
                    note_of(scene, "a.c"));
}

static void
test_error_is_reported(void **state)
{
    struct scene scene;
    play(state, NULL, fail_for_long, "b.c flush= closed", &scene);
    assert_int_equal(scene.stats.retries, WRITER_RETRIES);
    assert_int_equal(scene.stats.failed, 1);
    assert_counts(&scene, 1, 1);
}

static void
fill_disk(struct scene *scene)
{
    fail_arm(1, 1000000, SQLITE_FULL);
    put(scene, "a.c", "one:1", false);
    put(scene, "b.c", "one:1", false);
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

/* No room is not tried again: nothing gets better by itself. */
static void
test_no_room(void **state)
{
    struct scene scene;
    play(state, NULL, fill_disk, "a.c! b.c! flush= closed", &scene);
    fail_disarm();
    assert_int_equal(scene.stats.retries, 0);
    assert_int_equal(scene.stats.failed, 2);
    assert_counts(&scene, 0, 0);
}

/* ---- cannot open ---- */

static void
put_and_close(struct scene *scene)
{
    put(scene, "late.c", "one:1", false);
    close_writer(scene);
}

static void
push_early(struct scene *scene)
{
    put(scene, "early.c", "one:1", false);
}

static void
test_second_engine(void **state)
{
    struct scene scene;
    struct store_writer *first = sample_open(*state, NULL);
    play(state, push_early, put_and_close, "early.c! late.c! closed", &scene);
    assert_int_equal(scene.open_r, -EWOULDBLOCK);
    store_writer_close(first);
}

/* The root goes with the address, and neither needs to outlive the call. */
static void
test_other_root(void **state)
{
    static const char *const roots[] = {"/w", "/w2", "/w"};
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        struct scene scene = {.s = *state, .on_ready = close_writer};
        char *url = xstrdup(scene.s->url), *root = xstrdup(roots[i]);
        OK(loop_init(&scene.loop));
        scene.w = writer_open(&scene.loop, url, root, NULL, &writer_events, &scene);
        memset(url, 'x', strlen(url));
        memset(root, 'x', strlen(root));
        loop_run(&scene.loop);
        OK(loop_finish(&scene.loop));
        assert_int_equal(scene.open_r, i == 1 ? -EPROTONOSUPPORT : 0);
        buf_finish(&scene.story);
        free(url);
        free(root);
    }
}

/* ---- an urgent one and a load ---- */

/* The load is long enough to be one, too short to fill a transaction, and nothing comes after it. */
static void
push_urgent_and_load(struct scene *scene, int i)
{
    char path[16];
    snprintf(path, sizeof(path), "%d.c", i);
    writer_put_file(scene->w, sample_batch(path, "one:1"), true, on_done,
                    last_note_of(scene, "urgent"));
    for (size_t k = 0; k < WRITER_BULK_FILES + 4; k++)
        put(scene, "load", k % 2 == 0 ? "one:1" : "one:2", false);
}

/* It has a transaction of its own, which waits for nothing. */
static void
test_urgent_is_not_put_off(void **state)
{
    int64_t least_ms = INT64_MAX, last_seq = 0;
    for (int i = 0; i < FLUSH_TRIES; i++) {
        struct scene scene = {.s = *state, .on_ready = note_begin, .last_seq = last_seq};
        OK(loop_init(&scene.loop));
        scene.w =
            writer_open(&scene.loop, scene.s->url, NULL, NULL, &writer_events, &scene);
        push_urgent_and_load(&scene, i);
        loop_run(&scene.loop);
        OK(loop_finish(&scene.loop));
        last_seq = scene.last_seq;
        least_ms = MIN(least_ms, clock_mono_ms() - scene.begin_ms);
        assert_memory_equal(scene.story.p, "urgent load ", 12);
        assert_int_equal(scene.n_commit_first, 1);
        buf_finish(&scene.story);
    }
    assert_true(least_ms < WRITER_BATCH_MS);
}

/* ---- urgent ones without end ---- */

/* Each fills a transaction; the one that is not urgent is the last in the queue and waits from the
 * beginning. */
static void
push_stream(struct scene *scene)
{
    AUTO(buf_finish) struct buf spec = {0};
    struct batch *batches[WRITER_URGENT_IN_A_ROW + 4];
    for (int i = 0; i < WRITER_URGENT_ENTITIES; i++)
        buf_printf(&spec, "f%d:%d ", i, i);
    for (size_t i = 0; i < ARRAY_LEN(batches); i++) {
        char path[16];
        snprintf(path, sizeof(path), "%zu.c", i);
        batches[i] = sample_batch(path, spec.p);
    }
    scene->w =
        writer_open(&scene->loop, scene->s->url, NULL, NULL, &writer_events, scene);
    for (size_t i = 0; i < ARRAY_LEN(batches); i++)
        writer_put_file(scene->w, batches[i], true, on_done, note_of(scene, "urgent"));
    put(scene, "normal", "one:1", false);
    close_writer(scene);
}

/* Eight transactions of others, then it is its turn. */
static void
test_urgent_ones_leave_a_turn(void **state)
{
    struct scene scene = {.s = *state};
    AUTO(buf_finish) struct buf wanted = {0};
    OK(loop_init(&scene.loop));
    push_stream(&scene);
    loop_run(&scene.loop);
    OK(loop_finish(&scene.loop));
    for (size_t i = 0; i < WRITER_URGENT_IN_A_ROW; i++)
        buf_add_cstr(&wanted, "urgent ");
    buf_add_cstr(&wanted, "normal urgent urgent urgent urgent closed");
    assert_string_equal(scene.story.p, wanted.p);
    buf_finish(&scene.story);
}

/* ---- a checkpoint that is due lets an urgent one pass ---- */

static void
note_checkpoints(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    OK(r);
    scene->n_checkpoints[0] = writer_stats(scene->w).gauges.checkpoints;
}

static void
note_checkpoints_last(void *ctx, int r, struct event *event UNUSED)
{
    struct scene *scene = ctx;
    OK(r);
    scene->n_checkpoints[1] = writer_stats(scene->w).gauges.checkpoints;
    close_writer(scene);
}

/* A file that fills a transaction and as much of the log as is checkpointed. */
static struct batch *
large_batch(void)
{
    AUTO(buf_finish) struct buf spec = {0};
    for (int i = 0; i < WRITER_BATCH_ENTITIES; i++)
        buf_printf(&spec, "function_%d:%d::%0400d ", i, i, i);
    return sample_batch("large.c", spec.p);
}

static void
block_large(struct scene *scene)
{
    OK(sqlite3_open(scene->s->path, &scene->blocker));
    OK(sqlite3_exec(scene->blocker, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    writer_put_file(scene->w, steal(scene->large), false, on_done,
                    note_of(scene, "large.c"));
    timer_start(scene->timer, 1, 1);
}

static void
push_urgent_and_unblock(struct scene *scene)
{
    if (writer_stats(scene->w).depth > 0)
        return; // the thread has not taken the first one yet
    timer_close(scene->timer);
    writer_put_file(scene->w, sample_batch("open.c", "four:4"), true, note_checkpoints,
                    scene);
    writer_flush(scene->w, note_checkpoints_last, scene);
    OK(sqlite3_exec(scene->blocker, "ROLLBACK", NULL, NULL, NULL));
    sqlite3_db_config(scene->blocker, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    OK(sqlite3_close(scene->blocker));
}

static void
test_checkpoint_lets_urgent_pass(void **state)
{
    struct scene scene = {.s = *state,
                          .on_ready = block_large,
                          .on_tick = push_urgent_and_unblock,
                          .large = large_batch()};
    OK(loop_init(&scene.loop));
    scene.timer = timer_open(&scene.loop, on_timer, &scene);
    scene.w = writer_open(&scene.loop, scene.s->url, NULL, NULL, &writer_events, &scene);
    loop_run(&scene.loop);
    OK(loop_finish(&scene.loop));
    assert_string_equal(scene.story.p, "large.c closed");
    buf_finish(&scene.story);
    assert_int_equal(scene.n_commit_first, 1);
    assert_int_equal(scene.n_checkpoints[0], 0);
    assert_int_equal(scene.n_checkpoints[1], 1);
    assert_counts(&scene, WRITER_BATCH_ENTITIES + 1, 2);
}

/* ---- looked after when quiet ---- */

static bool
is_text_indexed(const struct scene *scene)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    OK(sqlite3_open_v2(scene->s->path, &db, SQLITE_OPEN_READONLY, NULL));
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    OK(sqlite3_prepare_v2(db, "SELECT count(*) FROM file WHERE text_gen>0", -1, &stmt,
                          NULL));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    bool is = sqlite3_column_int(stmt, 0) == 1;
    sqlite3_finalize(stmt);
    OK(sqlite3_close(db));
    return is;
}

static void
close_when_indexed(struct scene *scene)
{
    if (!is_text_indexed(scene))
        return;
    timer_close(scene->timer);
    close_writer(scene);
}

static void
put_and_wait(struct scene *scene)
{
    put(scene, "a.c", "one:1", false);
    timer_start(scene->timer, 10, 10);
}

static void
test_text_is_indexed_when_quiet(void **state)
{
    struct scene scene = {
        .s = *state, .on_ready = put_and_wait, .on_tick = close_when_indexed};
    OK(loop_init(&scene.loop));
    scene.timer = timer_open(&scene.loop, on_timer, &scene);
    scene.w = writer_open(&scene.loop, scene.s->url, NULL, NULL, &writer_events, &scene);
    loop_run(&scene.loop);
    OK(loop_finish(&scene.loop));
    assert_string_equal(scene.story.p, "a.c closed");
    buf_finish(&scene.story);
}

/* Another hover each time, closer together than what is quiet after files. */
static void
push_hover_or_close(struct scene *scene)
{
    if (is_text_indexed(scene)) {
        timer_close(scene->timer);
        close_writer(scene);
        return;
    }
    const char *answer = scene->n_put++ % 2 ? "one=x" : "one=y";
    writer_put_hovers(scene->w, sample_hovers("a.c", "one:1", answer), NULL, NULL);
}

static void
put_and_push(struct scene *scene)
{
    put(scene, "a.c", "one:1", false);
    timer_start(scene->timer, 60, 60);
}

/* While a server is asked, names are indexed all the same. */
static void
test_text_is_indexed_between_hovers(void **state)
{
    struct scene scene = {
        .s = *state, .on_ready = put_and_push, .on_tick = push_hover_or_close};
    OK(loop_init(&scene.loop));
    scene.timer = timer_open(&scene.loop, on_timer, &scene);
    scene.w = writer_open(&scene.loop, scene.s->url, NULL, NULL, &writer_events, &scene);
    loop_run(&scene.loop);
    OK(loop_finish(&scene.loop));
    assert_true(scene.n_put > 0);
    buf_finish(&scene.story);
}

#include "writer/test_letters.c"

/* Steps of a backend find their length, whatever it takes for an entity, and a single slow one does no harm. */
static void
test_text_step(void **state UNUSED)
{
    static const int64_t entity_ns[] = {50, 1000, 2000, 30000, 1000000};
    for (size_t i = 0; i < ARRAY_LEN(entity_ns); i++) {
        size_t n = WRITER_TEXT_STEP_ENTITIES;
        for (int k = 0; k < 10; k++)
            n = writer_text_step(n, (int64_t)n * entity_ns[i]);
        int64_t took_ms = (int64_t)n * entity_ns[i] / 1000000;
        assert_true(n >= 500 && n <= 16000);
        assert_true(took_ms <= WRITER_TEXT_STEP_MS || n == 500);
        assert_true(took_ms >= WRITER_TEXT_STEP_MS - 1 || n == 16000);
        assert_int_equal(writer_text_step(n, INT64_MAX), 500);
        assert_true(writer_text_step(n, 0) <= MAX(2 * n, 500));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sample_setup, sample_teardown)

int
main(void)
{
    fail_install();
    const struct CMUnitTest tests[] = {
        TEST(test_all_commands),
        cmocka_unit_test(test_text_step),
        TEST(test_close_in_completion),
        TEST(test_bad_command_fails_alone),
        TEST(test_sent_entities),
        TEST(test_sent_to_no_index),
        TEST(test_large_drain_is_cut),
        TEST(test_bulk_shares_commits),
        TEST(test_flush_is_not_put_off),
        TEST(test_urgent_first),
        TEST(test_urgent_is_not_put_off),
        TEST(test_urgent_ones_leave_a_turn),
        TEST(test_checkpoint_lets_urgent_pass),
        TEST(test_error_is_retried),
        TEST(test_error_is_reported),
        TEST(test_no_room),
        TEST(test_letter_is_kept),
        TEST(test_letter_in_memory),
        TEST(test_later_put_makes_good),
        TEST(test_letter_is_kept_at_the_end),
        TEST(test_replay),
        TEST(test_replay_fails),
        TEST(test_letters_are_bounded),
        TEST(test_lanes_and_causes),
        TEST(test_second_engine),
        TEST(test_other_root),
        TEST(test_text_is_indexed_when_quiet),
        TEST(test_text_is_indexed_between_hovers),
    };
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
