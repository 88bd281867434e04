/* Enrichment, from an entity of the index to its hover in it. */
#include <dirent.h>
#include <sched.h>

#include "rt/proc.h"

#include "check.h"

/* ---- enrichment, with a server that does as it is told ---- */

struct enriched {
    struct fixture f;
    struct fake_ls server;
    const char *languages[2];
    struct config_server spec;
};

static void
set_up_enriched(struct enriched *e, const char *scenario)
{
    set_up(&e->f);
    fake_ls_init(&e->server, scenario);
    e->languages[0] = "c";
    e->languages[1] = NULL;
    e->spec = (struct config_server){.name = "fake",
                                     .command = e->server.command,
                                     .languages = e->languages,
                                     .enabled = true};
    e->f.config->servers = &e->spec;
    e->f.config->n_servers = 1;
    e->f.config->enrich_enabled = true;
    e->f.config->trusted = true;
    put(&e->f, "a.c", AB);
}

static void
tear_down_enriched(struct enriched *e)
{
    tear_down(&e->f);
    fake_ls_finish(&e->server);
}

static size_t
n_hovers(const struct enriched *e)
{
    return fake_ls_count(&e->server, "'method':'textDocument/hover'");
}

static void
test_enrich(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;
    size_t n;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(&e, "{'lives':[{}]}");
    open_all(f);
    index_ok(f);
    assert_int_equal(n_hovers(&e), 0);
    assert_int_equal(f->summary.counts.hovers[HOVER_UNKNOWN], 2);
    index_all(f, true);
    assert_int_equal(f->summary.r, 0);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    assert_int_equal(count_events(f, EVENT_ENTITY_ENRICHED, "a.c"), 1);
    n = n_hovers(&e);
    assert_int_equal(n, 2);
    assert_int_equal(n, 2);
    index_all(f, true); // nothing is missing
    assert_int_equal(n_hovers(&e), n);

    put(f, "a.c", AB2); // one is told of an earlier text now, both of an earlier content
    index_ok(f);
    assert_true(f->summary.counts.stale > 0);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    index_all(f, true);
    assert_int_equal(f->summary.counts.stale, 0);
    assert_true(n_hovers(&e) > n);
    tear_down_enriched(&e);
}

/* Status tells it, too, when the server only says again what it said of the earlier text: no event does. */
static void
test_stale_no_more(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(
        &e, "{'lives':[{'hover':[{'result':{'contents':'always this'}}]},"
            "{'hover':[{'delay_ms':1500,'result':{'contents':'always this'}}]}]}");
    open_all(f);
    index_all(f, true);
    put(f, "a.c", AB2);
    index_ok(f);
    close_all(f);
    f->with_watch = true;
    open_all(f); // whose own look at the counts is over when the answers come
    WAIT(f, f->w->counts.stale == 2);
    WAIT(f, f->w->counts.stale == 0);
    assert_int_equal(f->w->counts.hovers[HOVER_KNOWN], 2);
    assert_int_equal(count_events(f, EVENT_ENTITY_ENRICHED, "a.c"), 1);
    tear_down_enriched(&e);
}

/* What the index knows outlives a server that says nothing any more. */
static void
test_unknown_does_not_replace_known(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(
        &e, "{'lives':[{},{'hover':[{'error':{'code':-32603,'message':'no'}}]}]}");
    open_all(f);
    index_all(f, true);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    close_all(f);
    put(f, "a.c", AB2);
    open_all(f);
    index_all(f, true);
    assert_int_equal(f->summary.r, 0);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    assert_int_equal(f->summary.counts.stale, 2);
    tear_down_enriched(&e);
}

/* A change that changes nothing takes the question back; it is asked again. */
static void
test_asked_again_after_cancel(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(&e, "{'lives':[{'hover':[{'times':2,'silent':true}]}]}");
    open_all(f);
    doc_open(f, "a.c", AB);
    workspace_index(f->w, true, on_summary, f);
    WAIT(f, n_hovers(&e) == 2);
    doc_change(f, "a.c", AB);
    WAIT(f, f->n_summaries == 1);
    assert_int_equal(f->summary.r, 0);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    assert_int_equal(f->w->n_asking_all, 0);
    assert_int_equal(f->w->hover_files_done, f->w->hover_files_total);
    tear_down_enriched(&e);
}

/* What failed is not asked in a circle, but when somebody looks at it. */
static void
test_asked_again_when_wanted(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(
        &e, "{'lives':[{'hover':[{'times':2,'error':{'code':-32603,'message':'no'}}]}]}");
    f->with_watch = true;
    open_all(f);
    index_all(f, true);
    assert_int_equal(f->summary.counts.hovers[HOVER_UNKNOWN], 2);
    assert_int_equal(n_hovers(&e), 2);
    workspace_want_hovers(f->w, STR("no/such.c"));
    assert_int_equal(f->w->n_asking_all, 0);
    workspace_want_hovers(f->w, STR("a.c"));
    assert_int_equal(f->w->n_asking_all, 1);
    WAIT(f, f->w->n_asking_all == 0);
    assert_int_equal(n_hovers(&e), 4);
    index_all(f, true);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    tear_down_enriched(&e);
}

/* ---- minutes that nobody waits for ---- */

static _Atomic int64_t passed_ms; // writers look at the clock, too

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);

int64_t
__wrap_clock_mono_ms(void)
{
    return __real_clock_mono_ms() + passed_ms;
}

static struct enrich_server_status
server_status(const struct fixture *f)
{
    struct enrich_server_status s = {.state = "none"};

    if (f->w->enrich)
        enrich_server_at(f->w->enrich, 0, &s);
    return s;
}

static bool
is_left_alone(const struct fixture *f)
{
    return strcmp(server_status(f).state, "not_answering") == 0 &&
           workspace_state(f->w) == WORKSPACE_READY;
}

/* A server that says nothing for minutes is asked about one file now and then, and when it speaks at last about all
 * that is unknown. */
static void
test_mute_server(void **state UNUSED)
{
    enum { FILES = 40 };
    struct enriched e;
    struct fixture *f = &e.f;
    const uint64_t *n_known = NULL;
    uint64_t n = 0;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(&e, "{'lives':[{'hover':[{'times':20,'silent':true}]}]}");
    f->config->enrich_deadline_ms = 200; // of a loaded machine
    f->config->enrich_files_window = 1;
    f->config->enrich_server_idle_s = 0;
    f->with_watch = true;
    put(f, "a.c", "int a;\n");
    for (int i = 1; i < FILES; i++) {
        AUTO(free) char *path = xasprintf("f%d.c", i), *text = xasprintf("int f%d;\n", i);

        put(f, path, text);
    }
    open_all(f);
    n_known = &f->w->counts.hovers[HOVER_KNOWN];
    WAIT(f, server_status(f).requests > 7); // the first file is through
    passed_ms += 4 * 60 * 1000;
    WAIT(f, is_left_alone(f));
    while (is_left_alone(f)) {
        n = server_status(f).requests;
        passed_ms += 17 * 60 * 1000;
        workspace_yield(f->w); // for a turn of enrich
        WAIT(f, server_status(f).requests > n);
        WAIT(f, is_left_alone(f) || *n_known > 0);
        if (*n_known == 0)
            assert_int_equal(server_status(f).requests, n + 1);
    }
    WAIT(f, *n_known == FILES);
    tear_down_enriched(&e);
}

/* Of a thread of ours or of another's. */
static int
processors_of(pid_t tid)
{
    cpu_set_t set;
    CPU_ZERO(&set); // it may be gone
    sched_getaffinity(tid, sizeof(set), &set);
    return CPU_COUNT(&set);
}

/* All writers have so many. */
static bool
writers_have(int n_processors, size_t n_writers)
{
    struct dirent *e;
    DIR *d = opendir("/proc/self/task");
    size_t n = 0;

    while ((e = readdir(d))) {
        AUTO(free) char *path = xasprintf("/proc/self/task/%s/comm", e->d_name);
        AUTO(buf_finish) struct buf comm = {0};

        if (fs_read_file(path, 64, &comm, NULL) == 0 &&
            str_eq_c(str_trim(buf_str(&comm)), "writer"))
            n += processors_of((pid_t)strtol(e->d_name, NULL, 10)) == n_processors;
    }
    closedir(d);
    return n == n_writers;
}

/* The server itself, below its guards. */
static int
server_processors(const struct fixture *f)
{
    struct proc_pids below = {0};
    int n = 0;

    if (server_status(f).pid > 0)
        proc_add_descendants(server_status(f).pid, &below);
    if (below.pids.n > 1)
        n = processors_of(below.pids.v[below.pids.n - 1]);
    vec_finish(&below.pids);
    return n;
}

static void
on_tick(void *ctx UNUSED)
{
}

/* A worker, at what nobody waits for. */
struct aside {
    struct pool_job job;
    int n_processors;
    bool is_done;
};

static void
see_processors(struct pool_job *job, unsigned worker UNUSED)
{
    container_of(job, struct aside, job)->n_processors = processors_of(0);
}

static void
on_seen(struct pool_job *job, bool is_cancelled UNUSED)
{
    container_of(job, struct aside, job)->is_done = true;
}

static int
worker_processors(struct fixture *f)
{
    struct aside aside = {.is_done = false};

    pool_submit(workspaces_pool(f->all), POOL_ASIDE, &aside.job, see_processors, on_seen);
    WAIT(f, aside.is_done);
    return aside.n_processors;
}

/* An editor asks in one workspace: the writers and servers of all leave a processor, those that come later, too; and
 * workers. */
static void
test_editor_makes_room(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;
    struct workspace *one, *two;
    struct timer *tick;
    int all = processors_of(0), fewer = MAX(all - 1, 1);

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(&e, "{'lives':[{}]}");
    open_all(f);
    tick = timer_open(&f->loop, on_tick, NULL); // other threads tell the loop nothing
    timer_start(tick, 5, 5);
    assert_int_equal(workspaces_acquire_pushed(f->all, STR("one"), true, &one), 0);
    index_all(f, true);
    WAIT(f, one->is_open);
    assert_true(writers_have(all, 2));
    assert_int_equal(server_processors(f), all);
    workspace_yield(one);
    WAIT(f, writers_have(fewer, 2) && server_processors(f) == fewer);
    assert_int_equal(worker_processors(f), fewer);
    assert_int_equal(workspaces_acquire_pushed(f->all, STR("two"), true, &two), 0);
    WAIT(f, two->is_open && writers_have(fewer, 3));
    f->all->editor_ms = 1;
    workspace_yield(f->w);
    WAIT(f, writers_have(all, 3) && server_processors(f) == all); // by itself
    assert_int_equal(worker_processors(f), all);
    workspace_yield(f->w);
    timer_close(tick);
    close_all(f);                            // while they leave it
    assert_int_equal(processors_of(0), all); // the loop's
    open_all(f);
    tear_down_enriched(&e);
}

static void
test_not_asked(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;
    struct workspace *w;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(&e, "{'lives':[{}]}");
    open_all(f);
    f->w->is_trusted = false; // as if only a stranger had acquired it
    index_all(f, true);
    assert_int_equal(f->summary.counts.hovers[HOVER_UNKNOWN], 2);
    workspace_pause(f->w);
    assert_int_equal(workspaces_acquire(f->all, f->root, true, &w), 0);
    assert_int_equal(workspace_state(f->w), WORKSPACE_PAUSED);
    index_all(f, true);
    assert_int_equal(f->summary.counts.hovers[HOVER_UNKNOWN], 2);
    assert_int_equal(fake_ls_count(&e.server, "life"), 0); // no program was started
    workspace_resume(f->w);
    index_all(f, true);
    assert_int_equal(f->summary.counts.hovers[HOVER_KNOWN], 2);
    tear_down_enriched(&e);
}

/* Closing while hovers are asked for, looked up, or being stored. */
static void
test_close_while_enriching(void **state UNUSED)
{
    struct enriched e;
    struct fixture *f = &e.f;

    if (!getenv("TEST_FAKE_LS")) {
        print_message("# skipped: TEST_FAKE_LS is not set\n");
        return;
    }
    set_up_enriched(&e, "{'lives':[{'hover':[{'delay_ms':20}]}]}");
    for (int i = 0; i < 30; i++) { // while files wait, readers of siblings stay open
        AUTO(free) char *path = xasprintf("more%d.c", i);
        put(f, path, AB);
    }
    for (int stage = 0; stage < 4; stage++) {
        AUTO(free) char *db = xasprintf("%s-%d", f->db_url, stage);
        AUTO(free) char *log = xasprintf("%s-wal", db + strlen("sqlite:"));

        f->db = db;
        f->with_watch = stage % 2;
        open_all(f);
        workspace_index(f->w, true, on_summary, f);
        switch (stage) {
        case 0: WAIT(f, f->w->is_asking_store); break;
        case 1: WAIT(f, f->w->n_asking_all > 0); break;
        case 2: WAIT(f, f->w->enrich && enrich_waiting(f->w->enrich) > 0); break;
        case 3: WAIT(f, n_hovers(&e) > 0); break;
        }
        close_all(f);
        assert_false(fs_exists(log)); // all that read is gone before the writer
        assert_int_equal(f->n_summaries, stage + 1);
    }
    tear_down_enriched(&e);
}
