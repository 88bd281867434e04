/* A server that ends, or that must: started again, given up, stopped. */

/* ---- crashes ---- */

static void
test_five_crashes_give_up(void **state)
{
    (void)state;
    struct fixture f;
    open_client(&f, "{'lives':[{'die':3,'stderr':'out of memory\\n'}]}", 5000);
    client_start(f.client);
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_GIVEN_UP);
    RUN_UNTIL(&f.loop, strstr(client_why(f.client), "out of memory"));
    RUN_UNTIL(&f.loop, strstr(client_why(f.client), "status 3"));
    assert_int_equal(fake_ls_count(&f.fake, "life"), CLIENT_CRASHES_MAX);
    assert_int_equal(client_stats(f.client).restarts, CLIENT_CRASHES_MAX - 1);
    assert_int_equal(client_stats(f.client).pid, 0);
    hover(&f, 0);
    RUN_UNTIL(&f.loop, f.n_said == 1);
    assert_unknown(&f, 0, HOVER_REASON_CRASHED);
    client_start(f.client); // asked for: from the beginning
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_BACKOFF);
    close_client(&f);
}

static void
test_death_in_mid_answer(void **state)
{
    (void)state;
    struct fixture f;
    start_client(&f, "{'lives':[{'hover':[{'line':2,'die_mid':9,'stderr':'boom'}]},{}]}",
                 5000);
    open_doc(&f, "");
    for (size_t i = 0; i < 5; i++)
        hover(&f, i);
    RUN_UNTIL(&f.loop, f.n_said == 5);
    assert_known(&f, 0, "hover 0:0");
    assert_known(&f, 1, "hover 1:0");
    for (size_t i = 2; i < 5; i++)
        assert_unknown(&f, i, HOVER_REASON_CRASHED);
    assert_int_equal(client_state(f.client), CLIENT_BACKOFF);
    assert_non_null(strstr(client_why(f.client), "within a message"));
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
    assert_null(client_why(f.client));
    open_doc(&f, ""); // the crash closed it
    hover(&f, 5);
    RUN_UNTIL(&f.loop, f.n_said == 6);
    assert_known(&f, 5, "hover 5:0");
    close_client(&f);
}

static void
test_garbage_is_a_crash(void **state)
{
    (void)state;
    static const char *const lives[] = {
        "{'lives':[{'stdout':'Listening on stdio\\n'},{}]}",
        "{'lives':[{'hover':[{'garbage':'fatal error, oh\\n'}]},{}]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
        struct fixture f;
        open_client(&f, lives[i], 5000);
        client_start(f.client);
        if (i == 1) {
            RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
            open_doc(&f, "");
            hover(&f, 0);
        }
        RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_BACKOFF);
        assert_non_null(strstr(f.why, "not a message header"));
        if (i == 1)
            assert_unknown(&f, 0, HOVER_REASON_CRASHED);
        RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
        close_client(&f);
    }
}

static void
test_killed(void **state)
{
    (void)state;
    struct fixture f;
    start_client(&f, "{'lives':[{}]}", 5000);
    kill(client_stats(f.client).pid, SIGKILL); // the guard, and so the server
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_BACKOFF);
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
    assert_int_equal(fake_ls_count(&f.fake, "life"), 2);
    close_client(&f);
}

static void
test_bad_initialize(void **state)
{
    (void)state;
    static const struct {
        const char *how, *why;
    } rows[] = {{"{'error':{'code':-32603,'message':'no license'}}", "no license"},
                {"{'result':{}}", "no capabilities"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        AUTO(free)
        char *scenario = xasprintf("{'lives':[{'initialize':%s}]}", rows[i].how);
        open_client(&f, scenario, 5000);
        client_start(f.client);
        RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_BACKOFF);
        assert_non_null(strstr(client_why(f.client), rows[i].why));
        close_client(&f);
    }
}

static void
test_program_that_cannot_start(void **state)
{
    (void)state;
    struct fixture f;
    open_client(&f, "{'lives':[{}]}", 5000);
    client_close(f.client, on_closed, &f);
    RUN_UNTIL(&f.loop, f.is_closed);
    f.is_closed = false;
    struct client_options options = {.spec = &f.spec,
                                     .program = "/nowhere/server",
                                     .root = f.fake.dir,
                                     .backoff_ms_min = 1};
    f.client = client_open(&f.loop, &options, &events, &f);
    client_start(f.client);
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_GIVEN_UP);
    assert_non_null(strstr(f.why, "/nowhere/server cannot be started"));
    close_client(&f);
}

/* ---- stop ---- */

static void
test_close_with_hovers_pending(void **state)
{
    (void)state;
    struct fixture f;
    start_client(&f, "{'lives':[{'hover':[{'silent':true}]}]}", 60000);
    open_doc(&f, "");
    hover(&f, 0);
    client_hover_cancel(hover(&f, 1));
    client_close(f.client, on_closed, &f);
    assert_int_equal(f.n_said, 2);
    assert_unknown(&f, 0, HOVER_REASON_CANCELLED);
    assert_unknown(&f, 1, HOVER_REASON_CANCELLED);
    RUN_UNTIL(&f.loop, f.is_closed);
    assert_int_equal(loop_finish(&f.loop), 0);
    free(f.said[0].text);
    free(f.said[1].text);
    free(f.why);
    fake_ls_finish(&f.fake);
}

static void
test_close_while_starting(void **state)
{
    (void)state;
    struct fixture f;
    open_client(&f, "{'lives':[{'initialize':{'silent':true}}]}", 5000);
    client_start(f.client);
    hover(&f, 0);
    RUN_UNTIL(&f.loop, f.n_said == 1);
    assert_unknown(&f, 0, HOVER_REASON_STARTING);
    RUN_UNTIL(&f.loop, fake_ls_count(&f.fake, "'initialize'") == 1);
    close_client(&f);
}

static void
test_stubborn_server_is_killed(void **state)
{
    (void)state;
    struct fixture f;
    start_client(&f, "{'lives':[{'shutdown':'silent','is_stubborn':true}]}", 5000);
    int pid = client_stats(f.client).pid;
    close_client(&f);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(f.n_states, 2);
}
