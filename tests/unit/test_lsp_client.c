/* A client and servers that misbehave as a scenario says, and one real clangd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/map.h"
#include "lsp/client/choice.h"
#include "lsp/client/client.h"
#include "tests/lib/fake_ls.h"

#define ANSWERS_MAX 128

struct said {
    enum hover_state state;
    enum hover_reason reason;
    bool is_provisional;
    char *text;
};

struct fixture {
    struct loop loop;
    struct fake_ls fake;
    struct client_spec spec;
    struct client *client;
    enum client_state states[64];
    size_t n_states;
    char *why; // of the last state
    size_t n_quiescent;
    struct said said[ANSWERS_MAX]; // by number of the ask
    size_t n_said;
    bool is_closed;
};

struct ask {
    struct fixture *f;
    size_t number;
};

static void
on_state(void *ctx, enum client_state state, const char *why)
{
    struct fixture *f = ctx;
    assert_true(f->n_states < ARRAY_LEN(f->states));
    f->states[f->n_states++] = state;
    free(f->why);
    f->why = xstrdup(why);
}

static void
on_quiescent(void *ctx)
{
    struct fixture *f = ctx;
    f->n_quiescent++;
}

static void
on_closed(void *ctx)
{
    struct fixture *f = ctx;
    f->is_closed = true;
}

static const struct client_events events = {.on_state = on_state,
                                            .on_quiescent = on_quiescent};

static void
open_client_of(struct fixture *f, const char *scenario, uint64_t deadline_ms,
               const struct client_spec *spec)
{
    *f = (struct fixture){.spec = *spec};
    assert_int_equal(loop_init(&f->loop), 0);
    fake_ls_init(&f->fake, scenario);
    f->spec.command = f->fake.command;
    struct client_options options = {.spec = &f->spec,
                                     .program = f->fake.command[0],
                                     .root = f->fake.dir,
                                     .guard_program = fake_ls_env("TEST_GUARD"),
                                     .deadline_ms = deadline_ms,
                                     .backoff_ms_min = 1};
    f->client = client_open(&f->loop, &options, &events, f);
}

static void
open_client(struct fixture *f, const char *scenario, uint64_t deadline_ms)
{
    static const char *const languages[] = {"c", NULL};
    open_client_of(f, scenario, deadline_ms,
                   &(struct client_spec){.name = "fake", .languages = languages});
}

static void
start_client(struct fixture *f, const char *scenario, uint64_t deadline_ms)
{
    open_client(f, scenario, deadline_ms);
    client_start(f->client);
    RUN_UNTIL(&f->loop, client_state(f->client) == CLIENT_READY);
}

static void
close_client(struct fixture *f)
{
    client_close(f->client, on_closed, f);
    RUN_UNTIL(&f->loop, f->is_closed);
    assert_int_equal(loop_finish(&f->loop), 0);
    for (size_t i = 0; i < ARRAY_LEN(f->said); i++)
        free(f->said[i].text);
    free(f->why);
    fake_ls_finish(&f->fake);
}

static void
on_hover(void *ctx, const struct client_hover *answer)
{
    struct ask *a = ctx;
    struct said *said = &a->f->said[a->number];
    assert_null(said->text); // once
    said->text = str_dup(answer->hover.markdown);
    said->state = answer->hover.state;
    said->reason = answer->hover.reason;
    said->is_provisional = answer->is_provisional;
    assert_true(str_eq_c(answer->hover.server, a->f->spec.name));
    a->f->n_said++;
    free(a);
}

static struct client_request *
hover_at(struct fixture *f, size_t number, struct position at)
{
    struct ask *a = xnew(struct ask);
    size_t n_said = f->n_said;
    a->f = f;
    a->number = number;
    struct client_request *r = client_hover(f->client, "a b.c", at, on_hover, a);
    assert_int_equal(f->n_said, n_said); // never from within
    return r;
}

static struct client_request *
hover(struct fixture *f, size_t number)
{
    return hover_at(f, number, (struct position){.line = (uint32_t)number});
}

static void
open_doc(struct fixture *f, const char *text)
{
    client_did_open(f->client, "a b.c", "c", str_of(text));
}

#define assert_unknown(f, number, why)                                                   \
    do {                                                                                 \
        assert_int_equal((f)->said[number].state, HOVER_UNKNOWN);                        \
        assert_int_equal((f)->said[number].reason, why);                                 \
    } while (0)
#define assert_known(f, number, markdown)                                                \
    do {                                                                                 \
        assert_int_equal((f)->said[number].state, HOVER_KNOWN);                          \
        assert_string_equal((f)->said[number].text, markdown);                           \
    } while (0)

/* ---- start ---- */

static void
test_handshake(void **state)
{
    (void)state;
    struct fixture f;
    open_client(&f, "{'lives':[{}]}", 5000);
    assert_int_equal(client_state(f.client), CLIENT_STOPPED);
    client_start(f.client);
    assert_int_equal(client_state(f.client), CLIENT_STARTING);
    assert_true(client_stats(f.client).pid > 0);
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
    assert_null(client_why(f.client));
    assert_string_equal(client_stats(f.client).version, "1.0");
    open_doc(&f, "int x;\n");
    hover(&f, 0);
    RUN_UNTIL(&f.loop, f.n_said == 1);
    assert_known(&f, 0, "hover 0:0");
    assert_true(client_stats(f.client).rss_bytes > 0);
    client_did_close(f.client, "a b.c");
    client_did_close(f.client, "a b.c");
    assert_int_equal(f.n_states, 2);

    client_close(f.client, on_closed, &f);
    RUN_UNTIL(&f.loop, f.is_closed);
    static const char *const methods[] = {"initialize",
                                          "initialized",
                                          "workspace/didChangeConfiguration",
                                          "textDocument/didOpen",
                                          "textDocument/hover",
                                          "textDocument/didClose",
                                          "shutdown",
                                          "exit"};
    AUTO(free) char *heard = fake_ls_heard(&f.fake);
    const char *at = heard;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        AUTO(free) char *wanted = xasprintf("\"method\":\"%s\"", methods[i]);
        at = strstr(at, wanted);
        assert_non_null(at);
    }
    assert_int_equal(fake_ls_count(&f.fake, "didClose"), 1);
    assert_int_equal(fake_ls_count(&f.fake, "'positionEncodings':['utf-8','utf-16']"), 1);
    assert_int_equal(fake_ls_count(&f.fake, "'contentFormat':['markdown','plaintext']"),
                     1);
    assert_int_equal(fake_ls_count(&f.fake, "a%20b.c"), 3);
    assert_int_equal(loop_finish(&f.loop), 0);
    free(f.said[0].text);
    free(f.why);
    fake_ls_finish(&f.fake);
}

static void
test_columns_by_encoding(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *expected;
    } rows[] = {{"'x':0", "hover 1:3"},
                {"'encoding':'utf-16'", "hover 1:3"},
                {"'encoding':'utf-8'", "hover 1:5"},
                {"'encoding':'utf-32'", "hover 1:2"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        AUTO(free) char *scenario = xasprintf("{'lives':[{%s}]}", rows[i].encoding);
        start_client(&f, scenario, 5000);
        open_doc(&f, "\n\xf0\x9f\x98\x80 x\n"); // an emoji, then x
        hover_at(&f, 0, (struct position){.line = 1, .col_byte = 5, .col_utf16 = 3});
        RUN_UNTIL(&f.loop, f.n_said == 1);
        assert_known(&f, 0, rows[i].expected);
        close_client(&f);
    }
}

static void
test_clangds_own_encoding_and_broken_text(void **state)
{
    (void)state;
    struct fixture f;
    start_client(&f,
                 "{'lives':[{'initialize':{'result':{'offsetEncoding':'utf-8','"
                 "capabilities':{}}}}]}",
                 5000);
    open_doc(&f, "/*\xe9*/ int x;\n"); // Latin-1: the server sees three bytes for one
    hover_at(&f, 0, (struct position){.col_byte = 10, .col_utf16 = 10});
    RUN_UNTIL(&f.loop, f.n_said == 1);
    assert_known(&f, 0, "hover 0:12");
    assert_int_equal(fake_ls_count(&f.fake, "\\uFFFD*/ int x"), 0);
    assert_int_equal(fake_ls_count(&f.fake, "\xef\xbf\xbd*/ int x"), 1);
    close_client(&f);
}

static void
test_answers_every_request(void **state)
{
    (void)state;
    struct fixture f;
    open_client(
        &f,
        "{'lives':[{'is_strict':true,'after_initialized':["
        "{'request':'workspace/"
        "configuration','params':{'items':[{'section':'a.b','scopeUri':''},"
        "{'section':'a.z'},{}]}},"
        "{'request':'client/registerCapability','params':{'registrations':[]}},"
        "{'request':'client/unregisterCapability','params':{'unregisterations':[]}},"
        "{'request':'window/workDoneProgress/create','params':{'token':1}},"
        "{'request':'workspace/workspaceFolders'},"
        "{'request':'window/"
        "showMessageRequest','params':{'type':1,'message':'?','actions':[]}},"
        "{'request':'workspace/applyEdit','params':{'edit':{}}},"
        "{'request':'some/thing'}]}]}",
        5000);
    f.spec.settings = "{\"a\":{\"b\":[1]}}";
    struct client_options options = {.spec = &f.spec,
                                     .program = f.fake.command[0],
                                     .root = f.fake.dir,
                                     .deadline_ms = 5000};
    client_close(f.client, on_closed, &f); // one that never ran
    RUN_UNTIL(&f.loop, f.is_closed);
    f.is_closed = false;
    f.client = client_open(&f.loop, &options, &events, &f); // without a guard
    client_start(f.client);
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
    open_doc(&f, "");
    hover(&f, 0);
    RUN_UNTIL(&f.loop, f.n_said == 1);
    assert_known(&f, 0, "hover 0:0");
    assert_int_equal(
        fake_ls_count(&f.fake, "'id':'ours-1','result':[[1],null,{'a':{'b':[1]}}]"), 1);
    for (int i = 2; i <= 6; i++) {
        AUTO(free)
        char *answer = xasprintf("'id':'ours-%d','result':%s", i, i == 5 ? "[{" : "null");
        assert_int_equal(fake_ls_count(&f.fake, answer), 1);
    }
    assert_int_equal(fake_ls_count(&f.fake, "'id':'ours-7','result':{'applied':false"),
                     1);
    assert_int_equal(fake_ls_count(&f.fake, "'id':'ours-8','error':{'code':-32601"), 1);
    assert_int_equal(fake_ls_count(&f.fake, "'settings':{'a':{'b':[1]}}"), 1);
    close_client(&f);
}

/* ---- answers ---- */

static void
test_shapes(void **state)
{
    (void)state;
    struct fixture f;
    start_client(
        &f,
        "{'lives':[{'hover':["
        "{'line':0,'result':{'contents':{'kind':'markdown','value':' **m** '}}},"
        "{'line':1,'result':{'contents':{'kind':'plaintext','value':'p `` q'}}},"
        "{'line':2,'result':{'contents':'bare'}},"
        "{'line':3,'result':{'contents':{'language':'c','value':'int x'}}},"
        "{'line':4,'result':{'contents':['one','',{'language':'c','value':'a ```b'}]}},"
        "{'line':5,'result':null},"
        "{'line':6,'result':{'contents':[]}},"
        "{'line':7,'result':{'contents':{'kind':'markdown','value':' '}}},"
        "{'line':8,'result':{'contents':5}},"
        "{'line':9,'result':7},"
        "{'line':10,'result':{'contents':{'value':5}}}]}]}",
        5000);
    open_doc(&f, "");
    for (size_t i = 0; i <= 10; i++)
        hover(&f, i);
    RUN_UNTIL(&f.loop, f.n_said == 11);
    assert_known(&f, 0, "**m**");
    assert_known(&f, 1, "```\np `` q\n```");
    assert_known(&f, 2, "bare");
    assert_known(&f, 3, "```c\nint x\n```");
    assert_known(&f, 4, "one\n\n````c\na ```b\n````");
    for (size_t i = 5; i <= 7; i++) {
        assert_int_equal(f.said[i].state, HOVER_EMPTY);
        assert_false(f.said[i].is_provisional);
    }
    for (size_t i = 8; i <= 10; i++)
        assert_unknown(&f, i, HOVER_REASON_FAILED);
    close_client(&f);
}

static void
test_long_text_is_cut(void **state)
{
    (void)state;
    struct fixture f;
    AUTO(buf_finish) struct buf scenario = {0};
    buf_add_cstr(&scenario, "{'lives':[{'hover':[{'result':{'contents':'x");
    while (scenario.n < 70000)
        buf_add_cstr(&scenario, "\xc3\xa9");
    buf_add_cstr(&scenario, "'}}]}]}");
    start_client(&f, scenario.p, 5000);
    open_doc(&f, "");
    hover(&f, 0);
    RUN_UNTIL(&f.loop, f.n_said == 1);
    struct str text = str_of(f.said[0].text);
    assert_true(text.n <= HOVER_BYTES_MAX && text.n >= HOVER_BYTES_MAX - 2);
    ssize_t mark = str_find(text, STR("\n\n*(cut"));
    assert_true(mark > 65000);
    assert_int_equal((unsigned char)text.p[mark - 1], 0xa9); // a whole code point
    close_client(&f);
}

static void
test_deadline_and_late_answer(void **state)
{
    (void)state;
    struct fixture f;
    start_client(&f, "{'lives':[{'hover':[{'line':0,'hold':2},{'line':1,'hold':2}]}]}",
                 1000);
    open_doc(&f, "");
    hover(&f, 0);
    RUN_UNTIL(&f.loop, f.n_said == 1);
    assert_unknown(&f, 0, HOVER_REASON_TIMED_OUT);
    hover(&f, 1); // lets go of the late answer, too
    hover(&f, 2);
    RUN_UNTIL(&f.loop, f.n_said == 3);
    assert_known(&f, 1, "hover 1:0");
    assert_known(&f, 2, "hover 2:0");
    assert_int_equal(fake_ls_count(&f.fake, "'$/cancelRequest'"), 1);
    struct client_stats stats = client_stats(f.client);
    assert_int_equal(stats.timeouts, 1);
    assert_int_equal(stats.answers, 2);
    assert_int_equal(stats.requests, 3);
    assert_int_equal(stats.pending, 0);
    close_client(&f);
}

static void
test_one_silent_hover_costs_itself(void **state)
{
    (void)state;
    struct fixture f;
    start_client(
        &f, "{'lives':[{'hover':[{'line':1,'silent':true},{'line':3,'delay_ms':20}]}]}",
        1500);
    open_doc(&f, "");
    for (size_t i = 0; i < 5; i++)
        hover(&f, i);
    RUN_UNTIL(&f.loop, f.n_said == 5);
    assert_unknown(&f, 1, HOVER_REASON_TIMED_OUT);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(f.said[i].state, i == 1 ? HOVER_UNKNOWN : HOVER_KNOWN);
    close_client(&f);
}

/* While others are answered it is waited for, but not for ever. */
static void
test_passed_over(void **state)
{
    (void)state;
    struct fixture f;
    size_t n = 1;
    start_client(&f, "{'lives':[{'hover':[{'line':0,'silent':true},{'delay_ms':20}]}]}",
                 100);
    open_doc(&f, "");
    hover(&f, 0);
    while (!f.said[0].text && n < ANSWERS_MAX) {
        size_t n_said = f.n_said;
        hover(&f, n++);
        RUN_UNTIL(&f.loop, f.n_said > n_said);
    }
    assert_unknown(&f, 0, HOVER_REASON_TIMED_OUT);
    close_client(&f);
}

static void
test_out_of_order(void **state)
{
    (void)state;
    struct fixture f;
    start_client(&f, "{'lives':[{'hover':[{'hold':3}]}]}", 5000);
    open_doc(&f, "");
    for (size_t i = 0; i < 3; i++)
        hover(&f, i);
    RUN_UNTIL(&f.loop, f.n_said == 3);
    assert_known(&f, 0, "hover 0:0");
    assert_known(&f, 1, "hover 1:0");
    assert_known(&f, 2, "hover 2:0");
    close_client(&f);
}

static void
test_retries(void **state)
{
    (void)state;
    struct fixture f;
    start_client(
        &f,
        "{'lives':[{'hover':["
        "{'line':0,'times':2,'error':{'code':-32801,'message':'content modified'}},"
        "{'line':1,'times':3,'error':{'code':-32802,'message':'cancelled'}},"
        "{'line':2,'error':{'code':-32801,'message':'content modified'}},"
        "{'line':3,'error':{'code':-32603,'message':'panic'}}]}]}",
        5000);
    open_doc(&f, "");
    for (size_t i = 0; i < 5; i++)
        hover(&f, i);
    RUN_UNTIL(&f.loop, f.n_said == 5);
    assert_known(&f, 0, "hover 0:0");
    assert_known(&f, 1, "hover 1:0");
    assert_unknown(&f, 2, HOVER_REASON_BUSY);
    assert_unknown(&f, 3, HOVER_REASON_FAILED);
    assert_known(&f, 4, "hover 4:0");
    assert_int_equal(fake_ls_count(&f.fake, "textDocument/hover"), 3 + 4 + 4 + 1 + 1 + 1);
    assert_int_equal(client_stats(f.client).errors, 2);
    close_client(&f);
}

static void
test_cancel(void **state)
{
    (void)state;
    struct fixture f;
    start_client(&f, "{'lives':[{'hover':[{'line':0,'silent':true}]}]}", 60000);
    open_doc(&f, "");
    struct client_request *r = hover(&f, 0);
    client_hover_cancel(r);
    assert_int_equal(f.n_said, 0);
    RUN_UNTIL(&f.loop, f.n_said == 1);
    assert_unknown(&f, 0, HOVER_REASON_CANCELLED);
    hover(&f, 1);
    RUN_UNTIL(&f.loop, f.n_said == 2);
    assert_int_equal(fake_ls_count(&f.fake, "'$/cancelRequest'"), 1);
    close_client(&f);
}

static void
test_early_null_is_provisional(void **state)
{
    (void)state;
    struct fixture f;
    start_client(&f,
                 "{'lives':[{'after_initialized':["
                 "{'notify':'$/"
                 "progress','params':{'token':'t','value':{'kind':'begin','title':'x'}}},"
                 "{'notify':'$/"
                 "progress','params':{'token':2,'value':{'kind':'begin','title':'y'}}}],"
                 "'hover':[{'line':0,'result':null,'then':["
                 "{'notify':'$/progress','params':{'token':'t','value':{'kind':'end'}}},"
                 "{'notify':'$/progress','params':{'token':2,'value':{'kind':'report'}}},"
                 "{'notify':'$/progress','params':{'token':2,'value':{'kind':'end'}}}]},"
                 "{'line':1,'result':null}]}]}",
                 5000);
    open_doc(&f, "");
    hover(&f, 0);
    RUN_UNTIL(&f.loop, f.n_said == 1);
    assert_int_equal(f.said[0].state, HOVER_EMPTY);
    assert_true(f.said[0].is_provisional);
    RUN_UNTIL(&f.loop, f.n_quiescent > 0);
    assert_true(client_is_quiescent(f.client));
    hover(&f, 1);
    RUN_UNTIL(&f.loop, f.n_said == 2);
    assert_false(f.said[1].is_provisional);
    assert_int_equal(f.n_quiescent, 1);
    client_did_close(f.client, "a b.c"); // a null of a file that is not open says nothing
    f.n_said = 0;
    free(steal(f.said[1].text));
    hover(&f, 1);
    RUN_UNTIL(&f.loop, f.n_said == 1);
    assert_true(f.said[1].is_provisional);
    close_client(&f);
}

static void
test_server_status_and_loading(void **state)
{
    (void)state;
    struct fixture f;
    const char *hint;
    uint32_t quirks = 0; // of all known servers
    for (size_t i = 0; client_spec_at(i, &hint); i++)
        quirks |= client_spec_at(i, &hint)->quirks;
    open_client(&f,
                "{'lives':[{'hover':["
                "{'line':0,'result':null,'then':"
                "[{'notify':'experimental/"
                "serverStatus','params':{'health':'ok','quiescent':true}}]},"
                "{'line':1,'result':{'contents':'(loading...) x'}}]}]}",
                5000);
    f.spec.quirks = quirks;
    client_start(f.client);
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
    open_doc(&f, "");
    assert_false(client_is_quiescent(f.client));
    hover(&f, 0);
    RUN_UNTIL(&f.loop, f.n_quiescent == 1);
    assert_true(f.said[0].is_provisional);
    hover(&f, 1);
    RUN_UNTIL(&f.loop, f.n_said == 2);
    assert_unknown(&f, 1, HOVER_REASON_BUSY);
    assert_true(f.said[1].is_provisional);
    close_client(&f);
}
#include "lsp_client/test_crashes.c"

/* ---- whose answers ---- */

static uint64_t
key_of_server(const char *name, const char *version, const char *settings,
              const char *options)
{
    struct fixture f;
    AUTO(free)
    char *scenario = xasprintf("{'lives':[{'initialize':{'result':{'capabilities':{},"
                               "'serverInfo':{'name':'n','version':'%s'}}}}]}",
                               version);
    open_client_of(&f, scenario, 5000,
                   &(struct client_spec){.name = name,
                                         .settings = settings,
                                         .initialization_options = options});
    assert_int_equal(client_server_key(f.client), 0);
    client_start(f.client);
    assert_int_equal(client_server_key(f.client), 0);
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
    uint64_t key = client_server_key(f.client);
    close_client(&f);
    return key;
}

static void
test_key_of_server(void **state)
{
    (void)state;
    uint64_t keys[] = {
        key_of_server("a", "1", NULL, NULL), key_of_server("b", "1", NULL, NULL),
        key_of_server("a", "2", NULL, NULL), key_of_server("a", "1", "{}", NULL),
        key_of_server("a", "1", NULL, "{}"), // what moves from one text to the other
        key_of_server("a1", "", NULL, NULL),
    };
    assert_true(keys[0] == key_of_server("a", "1", NULL, NULL));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_int_not_equal(keys[i], 0);
        for (size_t k = 0; k < i; k++)
            assert_true(keys[i] != keys[k]);
    }
}

#include "lsp_client/test_choice.c"

/* ---- the real one ---- */

static void
test_clangd(void **state)
{
    (void)state;
    struct config config = {.trusted = true, .enrich_enabled = true};
    struct fixture f;
    char *program = NULL;
    open_client(&f, "{}", 60000);
    client_close(f.client, on_closed, &f);
    RUN_UNTIL(&f.loop, f.is_closed);
    f.is_closed = false;
    assert_true(client_spec_for(&config, NULL, STR("c"), &f.spec, &program));
    assert_string_equal(f.spec.name, "clangd");

    AUTO(free) char *build = path_join(f.fake.dir, "build-debug");
    assert_int_equal(fs_mkdir_p(build, 0700), 0);
    AUTO(free)
    char *commands = xasprintf("[{\"directory\":\"%s\",\"file\":\"a b.c\","
                               "\"arguments\":[\"cc\",\"-DLIMIT=42\",\"a b.c\"]}]",
                               f.fake.dir);
    fake_ls_write(&f.fake, "build-debug/compile_commands.json", commands);
    static const char text[] = "/** Adds two. */\n"
                               "int add(int a, int b) { return a + b; }\n"
                               "static const int limit = LIMIT;\n";
    fake_ls_write(&f.fake, "a b.c", text);
    struct client_options options = {.spec = &f.spec,
                                     .program = program,
                                     .root = f.fake.dir,
                                     .guard_program = fake_ls_env("TEST_GUARD"),
                                     .deadline_ms = 60000};
    f.client = client_open(&f.loop, &options, &events, &f);
    client_start(f.client);
    RUN_UNTIL(&f.loop, client_state(f.client) == CLIENT_READY);
    open_doc(&f, text);
    hover_at(&f, 0, (struct position){1, 4, 4});
    hover_at(&f, 1, (struct position){2, 17, 17});
    hover_at(&f, 2, (struct position){1, 8, 8}); // between tokens
    RUN_UNTIL(&f.loop, f.n_said == 3);
    assert_int_equal(f.said[0].state, HOVER_KNOWN);
    assert_non_null(strstr(f.said[0].text, "Adds two."));
    assert_non_null(strstr(f.said[0].text, "int add(int a, int b)"));
    assert_int_equal(f.said[1].state, HOVER_KNOWN);
    assert_non_null(
        strstr(f.said[1].text, "42")); // by the compile database in build-debug
    assert_non_null(strstr(client_stats(f.client).version, "clangd"));
    close_client(&f);
    free(program);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_columns_by_encoding),
        cmocka_unit_test(test_clangds_own_encoding_and_broken_text),
        cmocka_unit_test(test_answers_every_request),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_deadline_and_late_answer),
        cmocka_unit_test(test_one_silent_hover_costs_itself),
        cmocka_unit_test(test_passed_over),
        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_retries),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_early_null_is_provisional),
        cmocka_unit_test(test_server_status_and_loading),
        cmocka_unit_test(test_five_crashes_give_up),
        cmocka_unit_test(test_death_in_mid_answer),
        cmocka_unit_test(test_garbage_is_a_crash),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_bad_initialize),
        cmocka_unit_test(test_program_that_cannot_start),
        cmocka_unit_test(test_close_with_hovers_pending),
        cmocka_unit_test(test_close_while_starting),
        cmocka_unit_test(test_stubborn_server_is_killed),
        cmocka_unit_test(test_key_of_server),
        cmocka_unit_test(test_choice_of_server),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_programs_of_a_workspace),
        cmocka_unit_test(test_path_that_servers_see),
        cmocka_unit_test(test_candidates_say_why),
        cmocka_unit_test(test_own_over_known_settings),
        cmocka_unit_test(test_typescript_of_our_choice),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_roots_of_a_cargo_workspace),
        cmocka_unit_test(test_compilation_databases),
        cmocka_unit_test(test_clangd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
