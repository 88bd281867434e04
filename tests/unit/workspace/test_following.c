/* Whose index it is when several engines share one: a place that nobody said goodbye to is taken when it was
 * free twice, a long time apart, which passes quickly here. The other engine is a writer of our own. */
#include "../store/sample.h"

#include "check.h"

/* src/workspace/following.c */
#define TRY_MS 45000
#define SURE_MS 70000
#define QUICKER 1000

static struct {
    bool is_on;
    unsigned n_tries, n_sures;
    void (*on_sure)(void);
    struct store_writer *other;
} passing;

void __real_timer_start(struct timer *t, uint64_t delay_ms, uint64_t repeat_ms);
void __wrap_timer_start(struct timer *t, uint64_t delay_ms, uint64_t repeat_ms);

void
__wrap_timer_start(struct timer *t, uint64_t delay_ms, uint64_t repeat_ms)
{
    bool is_try = passing.is_on && delay_ms == TRY_MS;
    bool is_sure = passing.is_on && delay_ms == SURE_MS;

    passing.n_tries += is_try;
    passing.n_sures += is_sure;
    __real_timer_start(t, is_try || is_sure ? delay_ms / QUICKER : delay_ms, repeat_ms);
    if (is_sure && passing.on_sure)
        passing.on_sure();
}

/* Two engines at one index, the other one writes. */
static void
begin_following(struct fixture *f)
{
    struct store_info info;

    set_up(f);
    char *url = sample_postgres_url(f->root);
    assert_non_null(url);
    free(f->db_url);
    f->db = f->db_url = url;
    f->with_watch = true;
    put(f, "a.c", AB);
    OK(store_writer_open(url, f->root, &passing.other, &info, NULL));
    passing.is_on = true;
    passing.n_tries = passing.n_sures = 0;
    open_all(f);
    WAIT(f, workspace_state(f->w) == WORKSPACE_FOLLOWING);
}

static void
end_following(struct fixture *f)
{
    passing.is_on = false;
    passing.on_sure = NULL;
    tear_down(f);
}

static void
test_free_place_is_taken(void **state UNUSED)
{
    struct fixture f;

    begin_following(&f);
    store_writer_close(
        steal(passing.other)); // as if it had been killed: the log has no goodbye
    WAIT(&f, workspace_state(f.w) == WORKSPACE_READY);
    assert_int_equal(passing.n_sures, 1);
    assert_true(passing.n_tries >= 1);
    index_ok(&f);
    assert_string_equal(indexed(&f, "a.c"), "a,b");
    end_following(&f);
}

static int
try_to_write(const struct batch *b)
{
    struct event *e = NULL;
    int r = store_begin(passing.other);

    if (r == 0)
        r = store_put_file(passing.other, b, &e);
    if (r == 0)
        r = store_commit(passing.other);
    if (r < 0)
        store_rollback(passing.other);
    event_unref(e);
    return r;
}

/* It connects anew as soon as it has something to write. */
static void
write_again(void)
{
    static const struct timespec wait = {.tv_nsec = 10000000};
    struct batch *b = sample_batch("b.c", "one:1");
    int r;

    while ((r = try_to_write(b)) == -EBUSY || r == -EWOULDBLOCK)
        nanosleep(&wait, NULL); // whoever looked has not let go yet
    OK(r);
    batch_destroy(b);
    passing.on_sure = NULL;
}

/* All connections are cut, so the place looks free, and who holds it has nothing to write for a while. */
static void
test_place_of_a_cut_engine_is_left(void **state UNUSED)
{
    struct fixture f;

    begin_following(&f);
    passing.on_sure = write_again;
    postgres_stop(SIGINT);
    assert_true(postgres_start());
    WAIT(&f, count_events(&f, EVENT_FILE_COMPLETED, "b.c") == 1);
    unsigned n = passing.n_tries;
    WAIT(&f, passing.n_tries > n); // the second look: somebody is there
    assert_int_equal(passing.n_sures, 1);
    assert_int_equal(workspace_state(f.w), WORKSPACE_FOLLOWING);
    assert_int_equal(count_events(&f, EVENT_PIPELINE_ONLINE, NULL), 0);
    store_writer_close(steal(passing.other));
    end_following(&f);
}
