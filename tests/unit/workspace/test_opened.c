/* Open documents are asked about on the loop, by rows that were read before. */
#include "query/near.h"

#include "check.h"

struct opened {
    struct fixture f;
    struct timer *tick; // reading is done without a word
    int64_t until_ms;
};

static void
tick(void *ctx UNUSED)
{
}

/* Nothing is under way, and what had to settle did. */
static void
settle(struct opened *o)
{
    struct fixture *f = &o->f;

    WAIT(f, is_quiet(f));
    o->until_ms = clock_mono_ms() + 2 * NEAR_SETTLE_MS;
    WAIT(f, clock_mono_ms() > o->until_ms && pool_pending(f->all->pool) == 0);
}

/* What is near: its names; with a '+' when a worker looked. */
static char *
near_of(struct opened *o, const char *path, const char *name)
{
    struct fixture *f = &o->f;
    size_t n = f->answers.n;
    bool is_by_worker;

    query_near(workspace_query(f->w), str_of(name), str_of(path), on_rows, f);
    is_by_worker = pool_pending(f->all->pool) > 0;
    WAIT(f, f->answers.n > n);
    return xasprintf("%.*s%s", (int)strcspn(f->answers.v[n], "*"), f->answers.v[n],
                     is_by_worker ? "+" : "");
}

static void
assert_near(struct opened *o, const char *path, const char *name, const char *wanted)
{
    AUTO(free) char *is = near_of(o, path, name);

    assert_string_equal(is, wanted);
}

static void
test_opened_is_near(void **state UNUSED)
{
    struct opened o;
    struct fixture *f = &o.f;

    set_up(f);
    o.tick = timer_open(&f->loop, tick, NULL);
    timer_start(o.tick, 5, 5);
    f->with_watch = true;
    put(f, "a.c", AB);
    put(f, "b.c", AB2);
    open_all(f);
    doc_open(f, "a.c", AB); // before there is an index
    assert_null(workspace_query(f->w));
    settle(&o);
    assert_near(&o, "a.c", "a", "a");
    doc_open(f, "b.c", AB2);
    settle(&o);
    assert_near(&o, "b.c", "b", "b");
    assert_near(&o, "a.c", "b", "b");
    doc_change(f, "a.c", "int c;\n");
    doc_change(f, "a.c", "int d;\n");
    settle(&o);
    assert_near(&o, "a.c", "d", "d");
    doc_open(f, "new.c", "int e;\n"); // on no disk
    settle(&o);
    assert_near(&o, "new.c", "e", "e");
    workspace_doc_close(f->w, STR("a.c"));
    settle(&o); // its text is the disk's again
    assert_near(&o, "a.c", "a", "a+");
    workspace_doc_close(f->w, STR("new.c"));
    workspace_doc_close(f->w, STR("b.c"));
    doc_open(f, "b.c", AB);
    close_all(f); // while it is read
    timer_close(o.tick);
    tear_down(f);
}
