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
    bool is_all_told;                               // of the last commit
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
on_commit(void *ctx, struct event *const *events, size_t n, bool is_all_told)
{
    struct scene *scene = ctx;
    scene->is_all_told = is_all_told;
    if (n == 0)
        return;
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

/* From now on another connection holds the write lock: what the thread takes next it does not get done. */
static void
block(struct scene *scene)
{
    OK(sqlite3_open(scene->s->path, &scene->blocker));
    OK(sqlite3_exec(scene->blocker, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    timer_start(scene->timer, 1, 1);
}

/* The thread has taken its next one, and so many others wait behind it. */
static bool
is_blocked_before(const struct scene *scene, size_t n_waiting)
{
    return writer_stats(scene->w).depth == n_waiting;
}

static void
unblock(struct scene *scene)
{
    timer_close(scene->timer);
    OK(sqlite3_exec(scene->blocker, "ROLLBACK", NULL, NULL, NULL));
    sqlite3_db_config(scene->blocker, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    OK(sqlite3_close(scene->blocker));
}

/* One writer from its opening to an empty loop; the timer is there if somebody is to be told of its ticks. */
static void
run(struct scene *scene, void (*on_start)(struct scene *))
{
    OK(loop_init(&scene->loop));
    if (scene->on_tick)
        scene->timer = timer_open(&scene->loop, on_timer, scene);
    scene->w =
        writer_open(&scene->loop, scene->s->url, NULL, NULL, &writer_events, scene);
    if (on_start)
        on_start(scene);
    loop_run(&scene->loop);
    OK(loop_finish(&scene->loop));
}

/* Runs to the end of everything; the story is compared. */
static void
play(void **state, void (*on_start)(struct scene *), void (*on_ready)(struct scene *),
     const char *story, struct scene *ret_scene)
{
    struct scene scene = {.s = *state, .on_ready = on_ready};
    run(&scene, on_start);
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

/* ---- a commit of each: do its events name all that changed? ---- */

static void push_step(struct scene *scene);

static void
on_step(void *ctx, int r, UNUSED struct event *event)
{
    struct scene *scene = ctx;
    assert_true(r >= 0);
    buf_printf(&scene->story, "%s ", scene->is_all_told ? "told" : "more");
    scene->n_put++;
    push_step(scene);
}

static void
push_step(struct scene *scene)
{
    struct hover_batch *hovers = sample_hovers("a.c", "one:1 two:2", "one=x");
    struct writer *w = scene->w;
    hovers->server_key = 1;
    switch (scene->n_put) {
    case 0:
    case 1: // as it is: nothing of it changed
        writer_put_file(w, sample_batch("a.c", "one:1 two:2"), false, on_step, scene);
        break;
    case 2: writer_put_hovers(w, steal(hovers), on_step, scene); break;
    case 3: // these become stale, without an event
    case 4: writer_expire_hovers(w, STR("c"), 2, on_step, scene); break;
    case 5:
        writer_put_event(w, EVENT_PIPELINE_ONLINE, STR_NONE, STR("{}"), false, on_step,
                         scene);
        break;
    case 6: writer_delete_file(w, STR("a.c"), on_step, scene); break;
    default: close_writer(scene);
    }
    if (hovers)
        hover_batch_destroy(hovers);
}

static void
test_what_commits_tell(void **state)
{
    struct scene scene;
    play(state, push_step, NULL, "told more told more told told told closed", &scene);
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

static void
send_to_full_disk(struct scene *scene)
{
    static const char *const paths[] = {"x.c", "y.c"};
    fail_arm(1, 1000000, SQLITE_FULL);
    send_entities(scene, paths, ARRAY_LEN(paths));
    writer_flush(scene->w, on_done, last_note_of(scene, "flush"));
}

/* Nothing that was undone is told of what comes back. */
static void
test_sent_to_full_disk(void **state)
{
    struct scene scene;
    play(state, NULL, send_to_full_disk, "sent! flush= closed", &scene);
    fail_disarm();
    assert_int_equal(sent->n_events, 0);
    assert_int_equal(sent->seq + sent->v[0].seq + sent->v[1].seq, 0);
    ingest_batch_destroy(sent);
    assert_counts(&scene, 0, 0);
}

#include "writer/test_failing.c"
#include "writer/test_letters.c"
#include "writer/test_text.c"
#include "writer/test_turns.c"

#define TEST(name) cmocka_unit_test_setup_teardown(name, sample_setup, sample_teardown)

int
main(void)
{
    fail_install();
    const struct CMUnitTest tests[] = {
        TEST(test_all_commands),
        TEST(test_what_commits_tell),
        cmocka_unit_test(test_text_step),
        TEST(test_close_in_completion),
        TEST(test_bad_command_fails_alone),
        TEST(test_sent_entities),
        TEST(test_sent_to_no_index),
        TEST(test_sent_to_full_disk),
        TEST(test_large_drain_is_cut),
        TEST(test_many_bytes_are_cut),
        TEST(test_wait_for_begin_is_not_counted),
        TEST(test_bulk_shares_commits),
        TEST(test_flush_is_not_put_off),
        TEST(test_urgent_first),
        TEST(test_urgent_is_not_put_off),
        TEST(test_urgent_ones_leave_a_turn),
        TEST(test_checkpoint_lets_urgent_pass),
        TEST(test_checkpoint_is_not_put_off_for_ever),
        TEST(test_short_run_prunes),
        TEST(test_error_is_retried),
        TEST(test_error_is_reported),
        TEST(test_no_room),
        TEST(test_letter_is_kept),
        TEST(test_letter_in_memory),
        TEST(test_later_put_makes_good),
        TEST(test_letter_is_kept_at_the_end),
        TEST(test_replay),
        TEST(test_replay_fails),
        TEST(test_made_good_before_it_is_kept),
        TEST(test_letters_are_bounded),
        TEST(test_letters_bytes_are_bounded),
        TEST(test_lanes_and_causes),
        TEST(test_second_engine),
        TEST(test_other_root),
        TEST(test_text_is_indexed_when_quiet),
        TEST(test_text_is_indexed_beside_urgent),
        TEST(test_text_is_indexed_between_hovers),
    };
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
