/* Politeness: when a server is ended, how large it may grow, and who goes first. */

static void
test_server_rests(void **state)
{
    (void)state;
    struct fixture f;
    struct enrich_server_status status;
    setup(&f, "{'lives':[{}]}");
    f.config.enrich_server_idle_s = 1;
    submit(&f, "a.c", 3, 0);
    RUN_UNTIL(&f.loop,
              enrich_server_at(f.e, 0, &status) && strcmp(status.state, "stopped") == 0);
    assert_non_null(strstr(status.why, "starts when needed"));
    assert_int_equal(status.requests, 3);
    assert_string_equal(status.version, "1.0");
    submit(&f, "b.c", 2, 0); // perhaps before the old process is gone
    RUN_UNTIL(&f.loop, f.n_batches == 2);
    assert_known(&f, 1, 1);
    assert_true(enrich_server_at(f.e, 0, &status));
    assert_int_equal(status.requests, 5);
    assert_int_equal(fake_ls_count(&f.fake, "life"), 2);
    assert_int_equal(fake_ls_count(&f.fake, "'method':'exit'"), 1);
    teardown(&f);
}

static void
test_server_grows(void **state)
{
    (void)state;
    struct fixture f;
    struct enrich_server_status status;
    setup(&f, "{'lives':[{'hover':[{'silent':true}]},{}]}");
    f.config.enrich_server_memory_bytes = 1;
    f.config.enrich_files_window = 1;
    submit(&f, "a.c", 3, 0);
    submit(&f, "b.c", 3, 0);
    RUN_UNTIL(&f.loop,
              enrich_server_at(f.e, 0, &status) && strcmp(status.state, "backoff") == 0);
    assert_non_null(strstr(status.why, "enrich.server_memory_bytes"));
    f.config.enrich_server_memory_bytes = 0;
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_known(&f, 0, 0); // of its next life, both
    assert_known(&f, 1, 0);
    assert_int_equal(fake_ls_count(&f.fake, "life"), 2);
    teardown(&f);
}

/* Nulls before anything was said of anything are not believed at once. */
static void
test_server_unproven(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{'hover':[{'line':0,'times':3,'result':null},"
              "{'line':1,'times':3,'result':null}]}]}");
    submit(&f, "a.c", 2, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_known(&f, 0, 0); // the fourth time
    assert_known(&f, 0, 1);
    teardown(&f);
}

static void
test_server_of_nulls(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, "{'lives':[{'hover':[{'result':null}]}]}");
    submit(&f, "a.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_int_equal(hover_of(&f, 0, 0)->state, HOVER_EMPTY);
    size_t n_asked = fake_ls_count(&f.fake, "'method':'textDocument/hover'");
    assert_true(n_asked > 2); // it had its time
    submit(&f, "b.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_batches == 2);
    assert_int_equal(fake_ls_count(&f.fake, "'method':'textDocument/hover'"),
                     n_asked + 2);
    teardown(&f);
}

/* A queue longer than the deadline, in which answers keep coming, times nobody out. */
static void
test_server_queue(void **state)
{
    (void)state;
    struct fixture f;
    struct enrich_server_status status;
    setup(&f, "{'lives':[{'hover':[{'work_ms':50}]}]}");
    f.config.enrich_deadline_ms = 2000; // against 50 ms, of a loaded machine
    submit(&f, "a.c", 60, 0);
    submit(&f, "b.c", 30, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    for (size_t i = 0; i < 60; i++)
        assert_known(&f, 0, i);
    for (size_t i = 0; i < 30; i++)
        assert_known(&f, 1, i);
    assert_true(enrich_server_at(f.e, 0, &status));
    assert_int_equal(status.timeouts, 0);
    teardown(&f);
}

static void
test_server_yields(void **state)
{
    (void)state;
    struct fixture f;
    struct enrich_server_status status;
    setup(&f, "{'lives':[{}]}");
    submit(&f, "a.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_batches == 1);
    int64_t start_ms = clock_mono_ms();
    enrich_yield(f.e);
    submit(&f, "b.c", 3, 0);
    run_round(&f.loop);
    assert_true(enrich_server_at(f.e, 0, &status));
    assert_true(status.requests == 1 || clock_mono_ms() - start_ms >= ENRICH_YIELD_MS);
    RUN_UNTIL(&f.loop, f.n_batches == 2); // by itself
    assert_true(clock_mono_ms() - start_ms >= 199);
    assert_known(&f, 1, 2);
    teardown(&f);
}

/* While an editor asks a file's hovers leave in several turns, and the server has all of them at last. */
static void
test_server_short_turns(void **state)
{
    (void)state;
    enum { TARGETS = 5 * ENRICH_TURN_HOVERS };
    struct fixture f;
    struct enrich_server_status status;
    AUTO(free) char *scenario = xasprintf("{'lives':[{'hover':[{'hold':%d}]}]}", TARGETS);
    uint64_t n_sent = 0, most = 0;
    setup(&f, scenario);
    enrich_leave_processor(f.e, true);
    submit(&f, "a.c", TARGETS, 0);
    while (f.n_batches == 0) {
        run_round(&f.loop);
        assert_true(enrich_server_at(f.e, 0, &status));
        most = MAX(most, status.requests - n_sent);
        n_sent = status.requests;
    }
    assert_true(most <= 2 * ENRICH_TURN_HOVERS); // two timers may be due in a round
    for (size_t i = 0; i < TARGETS; i++)
        assert_known(&f, 0, i);
    teardown(&f);
}

/* How many processors those below the guard may use, all the same; 0: they differ, or are not there yet. */
static int
processors_of(const struct enrich *e)
{
    struct enrich_server_status status;
    struct proc_pids below = {0};
    int n = 0;
    if (!enrich_server_at(e, 0, &status) || status.pid <= 0)
        return 0;
    proc_add_descendants(status.pid,
                         &below); // the inner guard, which keeps its own, and the server
    for (size_t i = 1; i < below.pids.n; i++) {
        cpu_set_t is;
        CPU_ZERO(&is); // it may be gone
        sched_getaffinity(below.pids.v[i], sizeof(is), &is);
        n = i == 1 || n == CPU_COUNT(&is) ? CPU_COUNT(&is) : 0;
    }
    vec_finish(&below.pids);
    return n;
}

/* One that runs leaves a processor, and one that starts. */
static void
test_server_leaves_processor(void **state)
{
    (void)state;
    struct fixture f;
    cpu_set_t ours;
    sched_getaffinity(0, sizeof(ours), &ours);
    int all = CPU_COUNT(&ours), fewer = MAX(all - 1, 1);
    setup(&f, "{'lives':[{},{}]}");
    submit(&f, "a.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_batches == 1);
    RUN_UNTIL(&f.loop, processors_of(f.e) == all);
    enrich_leave_processor(f.e, true);
    RUN_UNTIL(&f.loop, processors_of(f.e) == fewer);
    server_close(f.e->servers.v[0]);
    submit(&f, "b.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_batches == 2);
    RUN_UNTIL(&f.loop, processors_of(f.e) == fewer);
    enrich_leave_processor(f.e, false);
    RUN_UNTIL(&f.loop, processors_of(f.e) == all);
    teardown(&f);
}

/* An open document is asked about although the window of files is full. */
static void
test_server_open_document(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f,
          "{'lives':[{'hover':[{'path':'open.c'},{'path':'warm.c'},{'silent':true}]}]}");
    submit(&f, "warm.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_batches == 1);
    submit(&f, "a.c", 2, 0);
    submit(&f, "b.c", 2, 0);
    RUN_UNTIL(&f.loop, fake_ls_count(&f.fake, "'method':'textDocument/hover'") == 5);
    submit(&f, "open.c", 2, 2);
    RUN_UNTIL(&f.loop, f.n_batches == 2);
    assert_known(&f, 1, 1);
    teardown(&f);
}

/* A server that takes its time delays nobody else's. */
static void
test_server_fairness(void **state)
{
    (void)state;
    static const char *const other_languages[] = {"py", NULL};
    struct fixture f;
    struct fake_ls other;
    setup(&f, "{'lives':[{'hover':[{'silent':true}]}]}");
    fake_ls_init(&other, "{'lives':[{}]}");
    struct config_server servers[] = {f.server,
                                      {.name = "other",
                                       .command = other.command,
                                       .languages = other_languages,
                                       .enabled = true}};
    f.config.servers = servers;
    f.config.n_servers = 2;
    for (size_t i = 0; i < 8; i++) {
        AUTO(free) char *path = xasprintf("%zu.c", i);
        submit(&f, path, 3, 1);
    }
    enrich_submit(f.e, job_of("a.py", "py", 3));
    RUN_UNTIL(&f.loop, f.n_batches == 1);
    assert_true(str_eq_c(f.batches[0]->path, "a.py"));
    assert_int_equal(hover_of(&f, 0, 2)->state, HOVER_KNOWN);
    assert_true(str_eq_c(hover_of(&f, 0, 2)->server, "other"));
    teardown(&f);
    fake_ls_finish(&other);
}

static void
put_file(const struct fake_ls *f, const char *folder, const char *name)
{
    AUTO(free) char *path = path_join(f->dir, folder);
    (void)fs_mkdir_p(path, 0700);
    AUTO(free) char *file = path_join(path, name);
    assert_int_equal(fs_write_atomic(file, STR(""), 0600), 0);
}

/* Each root has a process of its own, up to a limit; the rest shares the workspace's. */
static void
test_server_roots(void **state)
{
    (void)state;
    static const char *const markers[] = {"marker", NULL};
    struct fixture f;
    struct enrich_server_status status;
    setup(&f, "{'lives':[{}]}");
    f.server.root_markers = markers;
    for (size_t i = 0; i < ENRICH_ROOTS_MAX + 3; i++) {
        AUTO(free) char *folder = xasprintf("p%zu", i);
        AUTO(free) char *path = xasprintf("p%zu/sub/a.c", i);
        put_file(&f.fake, folder, "marker");
        submit(&f, path, 2, 0);
    }
    submit(&f, "p0/b.c", 2, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    for (size_t b = 0; b < f.n_batches; b++)
        assert_known(&f, b, 1);
    size_t n = 0, n_below = 0;
    for (; enrich_server_at(f.e, n, &status); n++)
        n_below += strcmp(status.root, f.fake.dir) != 0;
    assert_int_equal(n, ENRICH_ROOTS_MAX);
    assert_int_equal(n_below, ENRICH_ROOTS_MAX - 1);
    assert_int_equal(fake_ls_count(&f.fake, "life"), ENRICH_ROOTS_MAX);
    teardown(&f);
}

/* Given up is not for ever: when asked, it is started again. */
static void
test_server_retry(void **state)
{
    (void)state;
    struct fixture f;
    struct enrich_server_status status;
    setup(&f, "{'lives':[{'die':1},{'die':1},{'die':1},{'die':1},{'die':1},{}]}");
    submit(&f, "a.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_unknown(&f, 0, 0, HOVER_REASON_CRASHED);
    enrich_retry(f.e);
    submit(&f, "a.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_batches == 2);
    assert_known(&f, 1, 0);
    assert_true(enrich_server_at(f.e, 0, &status));
    assert_int_equal(status.restarts, 4);
    enrich_retry(f.e); // of one that works: nothing
    submit(&f, "b.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_batches == 3);
    assert_int_equal(fake_ls_count(&f.fake, "life"), 6);
    teardown(&f);
}

/* What was given up on while it was loading may be asked again once it says that it is ready. */
static void
test_server_late_ready(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f,
          "{'lives':[{'after_initialized':[{'notify':'$/progress','params':"
          "{'token':1,'value':{'kind':'begin'}}}],"
          "'hover':[{'path':'a.c','result':null},{'path':'b.c','then':["
          "{'notify':'$/progress','params':{'token':1,'value':{'kind':'end'}}},"
          "{'notify':'$/progress','params':{'token':1,'value':{'kind':'begin'}}},"
          "{'notify':'$/progress','params':{'token':1,'value':{'kind':'end'}}}]}]}]}");
    f.e->park_ms_min = 1;
    submit(&f, "a.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    assert_unknown(&f, 0, 0, HOVER_REASON_STARTING);
    assert_int_equal(f.n_again, 0);
    submit(&f, "b.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_again > 0);
    RUN_UNTIL(&f.loop, f.n_idle == 2);
    submit(&f, "c.c", 1, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 3);
    assert_known(&f, 2, 0);
    assert_int_equal(f.n_again, 1); // nothing more was given up on
    teardown(&f);
}

/* It says nothing, or says it is never ready: left alone for longer and longer, but for open documents. */
static void
test_server_mute(void **state)
{
    (void)state;
    struct fixture f;
    struct enrich_server_status status;
    setup(&f, "{'lives':[{'hover':[{'path':'open.c'},{'silent':true}]}]}");
    f.config.enrich_deadline_ms = 500; // of a loaded machine
    f.config.enrich_files_window = 1;
    f.e->vain_ms = 0;
    for (int i = 0; i < ENRICH_VAIN + 4; i++) {
        AUTO(free) char *path = xasprintf("f%d.c", i);
        submit(&f, path, 2, i % 2);
    }
    RUN_UNTIL(&f.loop, f.n_idle == 1);
    for (size_t b = 0; b < f.n_batches; b++)
        assert_unknown(&f, b, 1,
                       b < ENRICH_VAIN ? HOVER_REASON_TIMED_OUT : HOVER_REASON_NOT_ASKED);
    assert_true(enrich_is_mute(f.e, "c", "f0.c"));
    assert_true(enrich_server_at(f.e, 0, &status));
    assert_string_equal(status.state, "not_answering");
    assert_non_null(strstr(status.why, "says nothing"));
    uint64_t n_asked = status.requests;

    struct server *s = f.e->servers.v[0];
    assert_int_equal(s->mute.wait_ms, ENRICH_MUTE_MS_MIN);
    assert_int_equal(f.n_left, 0);
    s->mute.until_ms = clock_mono_ms() + 1; // as if its time were over
    enrich_arm(f.e);
    RUN_UNTIL(&f.loop, f.n_left == 1);
    assert_false(enrich_is_mute(f.e, "c", "f0.c"));
    submit(&f, "f0.c", 2, 0);
    submit(&f, "f1.c", 2, 0);
    RUN_UNTIL(&f.loop, f.n_idle == 2);
    assert_unknown(&f, f.n_batches - 2, 0, HOVER_REASON_TIMED_OUT);
    assert_unknown(&f, f.n_batches - 1, 0, HOVER_REASON_NOT_ASKED);
    assert_true(enrich_server_at(f.e, 0, &status));
    assert_int_equal(status.requests, n_asked + 1);
    assert_int_equal(s->mute.wait_ms, 2 * ENRICH_MUTE_MS_MIN);

    assert_int_equal(f.n_again, 0);
    submit(&f, "open.c", 2, 2);
    RUN_UNTIL(&f.loop, f.n_idle == 3);
    assert_known(&f, f.n_batches - 1, 1);
    assert_false(enrich_is_mute(f.e, "c", "f0.c"));
    assert_int_equal(f.n_again, 1);
    assert_true(enrich_server_at(f.e, 0, &status));
    assert_string_equal(status.state, "ready");
    teardown(&f);
}
