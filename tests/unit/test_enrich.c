/* Jobs in, batches out, with servers that do as they are told, and one real clangd. What servers do
 * wrong is in tests/scenarios. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "enrich/internal.h"
#include "rt/proc.h"
#include "tests/lib/fake_ls.h"

#define BATCHES_MAX 64

struct fixture {
    struct loop loop;
    struct fake_ls fake;
    struct config config;
    struct config_server server;
    struct enrich *e;
    struct hover_batch *batches[BATCHES_MAX];
    size_t n_batches, n_wanted, n_idle, n_server, n_again, n_left;
    bool is_closed;
};

static void
on_batch(void *ctx, struct hover_batch *batch)
{
    struct fixture *f = ctx;
    assert_true(f->n_batches < BATCHES_MAX);
    f->batches[f->n_batches++] = batch;
}

static void
on_wanted(void *ctx)
{
    ((struct fixture *)ctx)->n_wanted++;
}

static void
on_idle(void *ctx)
{
    ((struct fixture *)ctx)->n_idle++;
}

static void
on_server(void *ctx)
{
    ((struct fixture *)ctx)->n_server++;
}

static void
on_again(void *ctx, bool is_all)
{
    struct fixture *f = ctx;
    f->n_again += is_all;
    f->n_left += !is_all;
}

static void
on_closed(void *ctx)
{
    ((struct fixture *)ctx)->is_closed = true;
}

static const struct enrich_events events = {.on_batch = on_batch,
                                            .on_wanted = on_wanted,
                                            .on_idle = on_idle,
                                            .on_again = on_again,
                                            .on_server = on_server};

static void
setup(struct fixture *f, const char *scenario)
{
    static const char *const languages[] = {"c", "zz", NULL};
    *f = (struct fixture){0};
    assert_int_equal(loop_init(&f->loop), 0);
    fake_ls_init(&f->fake, scenario);
    f->server = (struct config_server){.name = "fake",
                                       .command = f->fake.command,
                                       .languages = languages,
                                       .enabled = true};
    f->config = (struct config){.trusted = true,
                                .enrich_enabled = true,
                                .enrich_deadline_ms = 10000,
                                .enrich_files_window = 2,
                                .enrich_requests_window = 64,
                                .servers = &f->server,
                                .n_servers = 1};
    f->e = enrich_open(&f->loop, &f->config, f->fake.dir, fake_ls_env("TEST_GUARD"),
                       &events, f);
}

static void
teardown(struct fixture *f)
{
    enrich_close(f->e, on_closed, f);
    RUN_UNTIL(&f->loop, f->is_closed);
    assert_int_equal(loop_finish(&f->loop), 0);
    for (size_t i = 0; i < f->n_batches; i++)
        hover_batch_destroy(f->batches[i]);
    fake_ls_finish(&f->fake);
}

/* Entity i is on line i. */
static struct enrich_job *
job_of(const char *path, const char *lang, size_t n_targets)
{
    struct enrich_job *job = xnew(struct enrich_job);
    AUTO(buf_finish) struct buf text = {0};
    for (size_t i = 0; i < n_targets; i++)
        buf_printf(&text, "int x%zu;\n", i);
    size_t n = text.n;
    job->path = xstrdup(path);
    job->lang = xstrdup(lang);
    job->language_id = xstrdup("c");
    job->content = hash128(buf_str(&text));
    job->text = snapshot_create(buf_steal(&text), n, 0);
    job->targets = arena_calloc(&job->arena, n_targets + 1, sizeof(*job->targets));
    for (size_t i = 0; i < n_targets; i++) {
        job->targets[i].key = arena_printf(&job->arena, "c:var:%s#x%zu", path, i);
        job->targets[i].at =
            (struct position){.line = (uint32_t)i, .col_byte = 4, .col_utf16 = 4};
    }
    job->n_targets = n_targets;
    return job;
}

static void
submit(struct fixture *f, const char *path, size_t n_targets, int priority)
{
    size_t n_batches = f->n_batches;
    struct enrich_job *job = job_of(path, "c", n_targets);
    job->priority = priority;
    enrich_submit(f->e, job);
    assert_int_equal(f->n_batches, n_batches); // never from within
}

static const struct hover *
hover_of(const struct fixture *f, size_t batch, size_t i)
{
    assert_true(batch < f->n_batches && i < f->batches[batch]->n_answers);
    return &f->batches[batch]->answers[i].hover;
}

#define assert_unknown(f, batch, i, why)                                                 \
    do {                                                                                 \
        assert_int_equal(hover_of(f, batch, i)->state, HOVER_UNKNOWN);                   \
        assert_int_equal(hover_of(f, batch, i)->reason, why);                            \
    } while (0)

static void
assert_known(const struct fixture *f, size_t batch, size_t i)
{
    AUTO(free) char *expected = xasprintf("hover %zu:4", i);
    assert_int_equal(hover_of(f, batch, i)->state, HOVER_KNOWN);
    assert_int_equal(hover_of(f, batch, i)->reason, HOVER_REASON_NONE);
    assert_true(str_eq_c(hover_of(f, batch, i)->markdown, expected));
    assert_true(str_eq_c(hover_of(f, batch, i)->server, "fake"));
}

/* ---- the plain case ---- */

static void
test_files_by_window(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{'is_strict':true}]}");
    for (int i = 0; i < 6; i++) {
        AUTO(free) char *path = xasprintf("dir/f%d.c", i);
        submit(&f, path, 100, 0);
    }
    assert_int_equal(enrich_waiting(f.e), 6);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_int_equal(f.n_batches, 6);
    assert_int_equal(enrich_waiting(f.e), 0);
    assert_true(f.n_wanted > 0);
    for (size_t b = 0; b < 6; b++) {
        AUTO(free) char *key = xasprintf("c:var:%.*s#x7", STR_ARG(f.batches[b]->path));
        AUTO(enrich_job_destroy) struct enrich_job *job = job_of("x", "c", 100);
        assert_int_equal(f.batches[b]->n_answers, 100);
        assert_true(hash128_eq(f.batches[b]->content, job->content));
        assert_true(str_eq_c(f.batches[b]->answers[7].key, key));
        for (size_t i = 0; i < 100; i++)
            assert_known(&f, b, i);
    }
    AUTO(free) char *heard = fake_ls_heard(&f.fake);
    struct str rest = str_of(heard), line;
    int n_open = 0, n_hovers = 0, most = 0;
    while (str_split(&rest, '\n', &line)) {
        n_open += str_find(line, STR("textDocument/didOpen")) >= 0;
        n_open -= str_find(line, STR("textDocument/didClose")) >= 0;
        n_hovers += str_find(line, STR("textDocument/hover\"")) >= 0 &&
                    str_find(line, STR("\"position\"")) >= 0;
        most = MAX(most, n_open);
    }
    assert_int_equal(n_open, 0);
    assert_int_equal(most, 2);
    assert_int_equal(n_hovers, 600); // none twice
    struct enrich_server_status status;
    assert_true(enrich_server_at(f.e, 0, &status));
    assert_string_equal(status.name, "fake");
    assert_string_equal(status.state, "ready");
    assert_string_equal(status.version, "1.0");
    assert_int_equal(status.answers, 600);
    assert_false(enrich_server_at(f.e, 1, &status));
    assert_true(f.n_server >= 1);
    teardown(&f);
}

static void
test_slow_answers_overlap(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{'hover':[{'delay_ms':100}]}]}");
    submit(&f, "warm.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_batches == 1);
    int64_t start_ms = clock_mono_ms();
    submit(&f, "a.c", 100, 0);
    RUN_UNTIL(&f.loop, f.n_batches == 2);
    assert_true(clock_mono_ms() - start_ms < 5000); // one after another: ten seconds
    assert_known(&f, 1, 99);
    teardown(&f);
}

static void
test_window_of_requests(void **state)
{
    (void)state;
    struct fixture f;
    struct enrich_server_status status = {0};
    setup(&f, "{'lives':[{'hover':[{'hold':4}]}]}");
    f.config.enrich_requests_window = 4;
    submit(&f, "a.c", 3, 0);
    submit(&f, "b.c", 5, 0); // with the first's: two times four
    /* The server answers no sooner than it holds four: coming to the end proves that there were as many
     * at once. That there were never more is seen between the rounds. */
    size_t most = 0;
    while (f.n_idle == 0) {
        run_round(&f.loop);
        if (enrich_server_at(f.e, 0, &status))
            most = MAX(most, (size_t)status.pending);
    }
    assert_true(most <= 4);
    for (size_t b = 0; b < 2; b++)
        for (size_t i = 0; i < f.batches[b]->n_answers; i++)
            assert_known(&f, b, i);
    teardown(&f);
}

static void
test_one_server_for_two_languages(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{}]}");
    assert_true(enrich_has_server(f.e, "c"));
    assert_false(enrich_has_server(f.e, "cobol"));
    submit(&f, "a.c", 2, 0);
    enrich_submit(f.e, job_of("a.zz", "zz", 2));
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_int_equal(f.n_batches, 2);
    assert_int_equal(fake_ls_count(&f.fake, "life"), 1);
    teardown(&f);
}

static void
test_no_server(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{}]}");
    enrich_submit(f.e, job_of("a.cob", "cobol", 2));
    assert_int_equal(f.n_batches, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_unknown(&f, 0, 0, HOVER_REASON_NO_SERVER);
    assert_unknown(&f, 0, 1, HOVER_REASON_NO_SERVER);
    assert_int_equal(fake_ls_count(&f.fake, "life"), 0);
    teardown(&f);
}

static void
test_nothing_to_ask(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{}]}");
    submit(&f, "a.c", 0, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_int_equal(f.n_batches, 1);
    assert_int_equal(f.batches[0]->n_answers, 0);
    teardown(&f);
}

/* ---- slow, silent, dead ---- */

static void
test_silent_hover_costs_itself(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{'hover':[{'line':2,'silent':true},"
              "{'line':3,'error':{'code':-32603,'message':'panic'}}]}]}");
    f.config.enrich_deadline_ms = 3000; // of a loaded machine
    submit(&f, "a.c", 5, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_known(&f, 0, 0);
    assert_known(&f, 0, 1);
    assert_unknown(&f, 0, 2, HOVER_REASON_TIMED_OUT);
    assert_unknown(&f, 0, 3, HOVER_REASON_FAILED);
    assert_known(&f, 0, 4);
    RUN_UNTIL(&f.loop, fake_ls_count(&f.fake, "'$/cancelRequest'") == 1);
    teardown(&f);
}

/* Of what is asked about alone, too, the killer only is lost, at its second time. */
static void
test_crash_costs_its_cause(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{'hover':[{'path':'a.c','line':3,'die':1}]}]}");
    f.config.enrich_requests_window = 1;
    f.e->backoff_ms_min = 1;
    submit(&f, "a.c", 6, 0);
    submit(&f, "b.c", 2, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_int_equal(f.n_batches, 2);
    for (size_t i = 0; i < 6; i++) {
        if (i == 3)
            assert_unknown(&f, 0, i, HOVER_REASON_CRASHED);
        else
            assert_known(&f, 0, i);
    }
    assert_known(&f, 1, 0);
    assert_known(&f, 1, 1);
    assert_int_equal(fake_ls_count(&f.fake, "life"), 3);
    teardown(&f);
}

/* ---- order and change of mind ---- */

static void
test_priority(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{}]}");
    f.config.enrich_files_window = 1;
    submit(&f, "a.c", 2, 0);
    submit(&f, "b.c", 1, 0);
    submit(&f, "c.c", 1, 1);
    submit(&f, "d.c", 1, 2);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    static const char *const order[] = {"d.c", "c.c", "a.c", "b.c"};
    for (size_t b = 0; b < 4; b++)
        assert_true(str_eq_c(f.batches[b]->path, order[b]));
    teardown(&f);
}

static void
test_later_job_replaces(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{'hover':[{'times':3,'silent':true}]}]}");
    submit(&f, "a.c", 3, 0);
    RUN_UNTIL(&f.loop, fake_ls_count(&f.fake, "'position'") == 3);
    submit(&f, "a.c", 2, 0); // replaces the running one
    submit(&f, "a.c", 1, 0); // and this the waiting one
    assert_int_equal(enrich_waiting(f.e), 3);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_int_equal(f.n_batches, 3);
    size_t n_known = 0;
    for (size_t b = 0; b < 3; b++) {
        for (size_t i = 0; i < f.batches[b]->n_answers; i++) {
            if (f.batches[b]->n_answers == 1)
                assert_known(&f, b, i);
            else
                assert_unknown(&f, b, i, HOVER_REASON_CANCELLED);
            n_known += hover_of(&f, b, i)->state == HOVER_KNOWN;
        }
    }
    assert_int_equal(n_known, 1);
    assert_int_equal(fake_ls_count(&f.fake, "'$/cancelRequest'"), 3);
    assert_int_equal(fake_ls_count(&f.fake, "didOpen"), 2);
    teardown(&f);
}

static void
test_cancel_path(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{'hover':[{'line':1,'silent':true}]}]}");
    f.config.enrich_files_window = 1;
    submit(&f, "a.c", 2, 0);
    submit(&f, "b.c", 1, 0);
    RUN_UNTIL(&f.loop, fake_ls_count(&f.fake, "'position'") == 2);
    enrich_cancel_path(f.e, "a.c");
    enrich_cancel_path(f.e, "b.c");
    enrich_cancel_path(f.e, "nothing.c");
    assert_int_equal(f.n_batches, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_int_equal(f.n_batches, 2);
    for (size_t b = 0; b < 2; b++)
        if (f.batches[b]->n_answers == 2)
            assert_unknown(&f, b, 1, HOVER_REASON_CANCELLED);
        else
            assert_unknown(&f, b, 0, HOVER_REASON_CANCELLED);
    teardown(&f);
}

static void
test_pause(void **state)
{
    (void)state;
    struct fixture f;
    struct enrich_server_status status;
    setup(&f, "{'lives':[{}]}");
    enrich_pause(f.e);
    assert_true(enrich_is_paused(f.e));
    submit(&f, "a.c", 2, 0);
    RUN_UNTIL(&f.loop,
              enrich_server_at(f.e, 0, &status) && strcmp(status.state, "ready") == 0);
    for (int i = 0; i < 20; i++)
        run_round(&f.loop);
    assert_int_equal(enrich_server_at(f.e, 0, &status) ? status.requests : 1, 0);
    enrich_resume(f.e);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_known(&f, 0, 1);
    teardown(&f);
}

static void
test_close_in_full_work(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{'hover':[{'line':1,'silent':true}]}]}");
    for (int i = 0; i < 5; i++) {
        AUTO(free) char *path = xasprintf("f%d.c", i);
        submit(&f, path, 10, 0);
    }
    RUN_UNTIL(&f.loop, fake_ls_count(&f.fake, "'position'") == 20);
    enrich_cancel_path(f.e, "f0.c");
    teardown(&f);
    assert_true(f.n_batches <= 1);
}

/* ---- parts ---- */

#include "enrich/test_servers.c"
#include "enrich/test_window.c"

static void
test_clangd(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{}");
    f.config.n_servers = 0;
    f.config.enrich_deadline_ms = 60000;
    fake_ls_write(&f.fake, "compile_flags.txt", "-xc\n");
    for (int i = 0; i < 4; i++) {
        AUTO(free) char *path = xasprintf("f%d.c", i);
        submit(&f, path, 20, 0);
    }
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_int_equal(f.n_batches, 4);
    for (size_t b = 0; b < 4; b++) {
        for (size_t i = 0; i < 20; i++) {
            AUTO(free) char *declaration = xasprintf("int x%zu", i);
            assert_int_equal(hover_of(&f, b, i)->state, HOVER_KNOWN);
            assert_true(str_find(hover_of(&f, b, i)->markdown, str_of(declaration)) >= 0);
            assert_true(str_eq_c(hover_of(&f, b, i)->server, "clangd"));
        }
    }
    teardown(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_by_window),
        cmocka_unit_test(test_slow_answers_overlap),
        cmocka_unit_test(test_window_of_requests),
        cmocka_unit_test(test_one_server_for_two_languages),
        cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_nothing_to_ask),
        cmocka_unit_test(test_silent_hover_costs_itself),
        cmocka_unit_test(test_crash_costs_its_cause),
        cmocka_unit_test(test_priority),
        cmocka_unit_test(test_later_job_replaces),
        cmocka_unit_test(test_cancel_path),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_close_in_full_work),
        cmocka_unit_test(test_window_serial),
        cmocka_unit_test(test_window_parallel),
        cmocka_unit_test(test_window_follows),
        cmocka_unit_test(test_window_holds_nothing_back),
        cmocka_unit_test(test_window_burst),
        cmocka_unit_test(test_window_drop),
        cmocka_unit_test(test_window_bounds),
        cmocka_unit_test(test_server_rests),
        cmocka_unit_test(test_server_grows),
        cmocka_unit_test(test_server_unproven),
        cmocka_unit_test(test_server_of_nulls),
        cmocka_unit_test(test_server_queue),
        cmocka_unit_test(test_server_yields),
        cmocka_unit_test(test_server_short_turns),
        cmocka_unit_test(test_server_leaves_processor),
        cmocka_unit_test(test_server_open_document),
        cmocka_unit_test(test_server_fairness),
        cmocka_unit_test(test_server_roots),
        cmocka_unit_test(test_server_retry),
        cmocka_unit_test(test_server_late_ready),
        cmocka_unit_test(test_server_mute),
        cmocka_unit_test(test_clangd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
