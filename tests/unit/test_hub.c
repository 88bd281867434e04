/* hub: the parts that need no socket: who may come in, names and patterns, the tables and the words
 * of problems; and that what is opened on a loop leaves it empty. The rest is tests/hub, with real
 * clients against the real engine. */
#include "hub/client.h"
#include "hub/serve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "codec/codec.h"
#include "config/config.h"
#include "lang/lang.h"
#include "workspace/workspace.h"

#include "hub/test_body.c"
#include "hub/test_cloudevents.c"
#include "hub/test_contract.c"
#include "hub/test_filter.c"
#include "hub/test_rate.c"

/* ---- gate ---- */

static void
test_hosts(void **state UNUSED)
{
    static const char *const good[] = {"127.0.0.1", "127.0.0.1:1",    "127.0.0.1:65535",
                                       "localhost", "localhost:8000", "LocalHost:80",
                                       "[::1]",     "[::1]:443"};
    static const char *const bad[] = {"",
                                      "127.0.0.1:",
                                      "127.0.0.1:0",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:8a",
                                      "127.0.0.2",
                                      "127.0.0.1.evil",
                                      "localhost.evil",
                                      "localhost.",
                                      "localhost.:80",
                                      "evil.test",
                                      "::1",
                                      "[::1",
                                      "[::2]",
                                      "127.0.0.1,evil.test",
                                      "0.0.0.0:80",
                                      "127.1",
                                      "127.0.0.1:80,127.0.0.1:80",
                                      " localhost",
                                      "localhost:-1",
                                      "localhost:+80",
                                      "localhost:000080"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!gate_host_is_ours(str_of(good[i])))
            fail_msg("refused %s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (gate_host_is_ours(str_of(bad[i])))
            fail_msg("let in %s", bad[i]);
}

static void
test_origins(void **state UNUSED)
{
    char editor[] = "vscode-webview://abc";
    char *allowed[] = {editor};
    static const char *const good[] = {"http://127.0.0.1:4000", "http://localhost:4000",
                                       "vscode-webview://abc"};
    static const char *const bad[] = {"null",
                                      "",
                                      "http://127.0.0.1",
                                      "http://127.0.0.1:4001",
                                      "https://127.0.0.1:4000",
                                      "http://127.0.0.1:4000/",
                                      "http://127.0.0.1:4000.evil.test",
                                      "http://LOCALHOST:4000",
                                      "http://192.168.0.1:4000",
                                      "http://127.0.0.1:40000",
                                      "vscode-webview://abcd",
                                      "vscode-webview://ab",
                                      "http://evil.test,http://127.0.0.1:4000"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!gate_origin_is_ours(str_of(good[i]), 4000, allowed, 1))
            fail_msg("refused %s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (gate_origin_is_ours(str_of(bad[i]), 4000, allowed, 1))
            fail_msg("let in %s", bad[i]);
    assert_false(gate_origin_is_ours(str_of(editor), 4000, NULL, 0));
    assert_true(gate_origin_is_wellformed(STR("vscode-webview://1a2b")));
    assert_true(gate_origin_is_wellformed(STR("https://example.test:8443")));
    assert_false(gate_origin_is_wellformed(STR("null")));
    assert_false(gate_origin_is_wellformed(STR("http://")));
    assert_false(gate_origin_is_wellformed(STR("://a")));
    assert_false(gate_origin_is_wellformed(STR("http://a/b")));
    assert_false(gate_origin_is_wellformed(STR("http://a,http://b")));
}

static void
test_tokens(void **state UNUSED)
{
    struct gate_offer offer;
    assert_true(str_eq_c(gate_bearer(STR("Bearer abc")), "abc"));
    assert_true(str_eq_c(gate_bearer(STR("bearer  abc ")), "abc"));
    assert_int_equal(gate_bearer(STR("Bearer")).n, 0);
    assert_int_equal(gate_bearer(STR("Basic abc")).n, 0);

    assert_int_equal(gate_read_offer(STR("gloss.v1, bearer.12ab"), &offer), 0);
    assert_true(offer.has_gloss);
    assert_true(str_eq_c(offer.token, "12ab"));
    assert_int_equal(gate_read_offer(STR("gloss.v1.ndjson"), &offer), 0);
    assert_true(offer.has_gloss);
    assert_int_equal(gate_read_offer(STR("bearer.12ab,gloss.v2"), &offer), 0);
    assert_false(offer.has_gloss);
    assert_int_equal(gate_read_offer(STR_NONE, &offer), 0);
    assert_false(offer.has_gloss);
    assert_int_equal(gate_read_offer(STR("gloss.v1,,x"), &offer), -EINVAL);
    assert_int_equal(gate_read_offer(STR("bearer.1,bearer.2"), &offer), -EINVAL);
}

/* ---- names ---- */

static void
test_upgrades(void **state UNUSED)
{
    static const char *const good[] = {"Upgrade", "upgrade", "keep-alive, Upgrade",
                                       " UPGRADE ,x"},
                             *const bad[] = {"",      "up",       "upgrade2",
                                             "close", "Upgrade;", "upgrade x"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(gate_connection_upgrades(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(gate_connection_upgrades(str_of(bad[i])));
    assert_true(gate_key_is_wellformed(STR("dGhlIHNhbXBsZSBub25jZQ==")));
    assert_true(gate_key_is_wellformed(STR("AAAAAAAAAAAAAAAAAAA+/w==")));
    assert_false(gate_key_is_wellformed(STR_NONE));
    assert_false(gate_key_is_wellformed(STR("dGhlIHNhbXBsZSBub25jZQ=")));
    assert_false(gate_key_is_wellformed(STR("dGhlIHNhbXBsZSBub25jZQQQ")));
    assert_false(gate_key_is_wellformed(STR("dGhlIHNhbXBsZSBub25jZR==")));
    assert_false(gate_key_is_wellformed(STR("dGhlIHNhbXBsZSB b25jZQ==")));
    assert_false(gate_key_is_wellformed(STR("dGhlIHNhbXBsZSBub25jZQ==,")));
}

static void
test_patterns(void **state UNUSED)
{
    static const struct {
        const char *pattern, *name;
        bool fits;
    } cases[] = {
        {"*", "", true},
        {"*", "file:completed", true},
        {"entity.*", "entity.added", true},
        {"entity.*", "entity:added", false},
        {"entity.*", "entity.", true},
        {"file:*ed", "file:completed", true},
        {"file:*ed", "file:processing", false},
        {"*.added", "entity.added", true},
        {"*a*b*", "xxaxxbxx", true},
        {"*a*b*", "xxbxxaxx", false},
        {"entity.added", "entity.added", true},
        {"entity.added", "entity.addedx", false},
        {"entity.added", "entity.adde", false},
        {"**", "x", true},
        {"", "", true},
        {"", "x", false},
        {"*aab", "aaaaaaab", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (match_pattern(str_of(cases[i].pattern), str_of(cases[i].name)) !=
            cases[i].fits)
            fail_msg("%s on %s", cases[i].pattern, cases[i].name);
}

static void
test_cursors(void **state UNUSED)
{
    static const char *const bad[] = {"",     "5",    "e:",    ":5",
                                      "e:-1", "e:1x", "e f:1", "e:9223372036854775808"};
    struct since since = {0};
    assert_int_equal(match_since(STR("9c:18000"), &since), 0);
    assert_int_equal(since.from, SINCE_CURSOR);
    assert_true(str_eq_c(since.epoch, "9c"));
    assert_int_equal(since.seq, 18000);
    assert_int_equal(match_since(STR(":0"), &since), 0);
    assert_int_equal(since.epoch.n, 0);
    assert_int_equal(match_since(STR("earliest"), &since), 0);
    assert_int_equal(since.from, SINCE_START);
    assert_int_equal(match_since(STR("latest"), &since), 0);
    assert_int_equal(since.from, SINCE_NOW);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (match_since(str_of(bad[i]), &since) != -EINVAL)
            fail_msg("took %s", bad[i]);
}

static void
test_routes(void **state UNUSED)
{
    struct str params[MATCH_PARAMS_MAX] = {0};
    unsigned methods;
    for (size_t i = 1; route_at(i); i++) {
        const struct route *one = route_at(i - 1), *next = route_at(i);
        int order = strcmp(one->path, next->path);
        assert_true(order < 0 || (order == 0 && one->method < next->method));
        assert_true(next->method <= HTTP_DELETE);
        assert_true(next->method == HTTP_POST || next->body == BODY_NONE);
    }
    assert_string_equal(route_find(STR("/"), HTTP_GET, params, &methods)->path, "/");
    assert_int_equal(methods, 1u << HTTP_GET);
    assert_null(route_find(STR("/livez"), HTTP_POST, params, &methods));
    assert_int_equal(methods, 1u << HTTP_GET);
    assert_null(route_find(STR("/livez"), HTTP_OTHER, params, &methods));
    const struct route *route = route_find(
        STR("/v1/workspaces/ab12/entities/c:fn:src/a.c#f"), HTTP_GET, params, &methods);
    assert_non_null(route);
    assert_false(route->is_open);
    assert_true(str_eq_c(params[0], "ab12"));
    assert_true(str_eq_c(params[1], "c:fn:src/a.c#f"));
    route = route_find(STR("/v1/libraries/ab12/ws"), HTTP_GET, params, &methods);
    assert_non_null(route);
    assert_null(route->serve);
    static const char *const none[] = {"",
                                       "livez",
                                       "/livez/x",
                                       "/v1",
                                       "/v1/workspaces//ws",
                                       "/v1/workspaces/a/entities/",
                                       "/livez/",
                                       "/v1/workspaces/a/b/ws"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        if (route_find(str_of(none[i]), HTTP_GET, params, &methods) || methods)
            fail_msg("found %s", none[i]);
    /* Data need a token; without one there are only the page, the probes and the contract. */
    static const char *const open[] = {
        "/",       "/api/health",       "/api/socket/info", "/health",      "/livez",
        "/readyz", "/v1/asyncapi.json", "/v1/openapi.json", "/v1/schema/{}"};
    for (size_t i = 0; route_at(i); i++) {
        bool is_open = false;
        for (size_t k = 0; k < ARRAY_LEN(open); k++)
            is_open |= strcmp(open[k], route_at(i)->path) == 0;
        assert_int_equal(route_at(i)->is_open, is_open);
    }
}

static void
test_actions(void **state UNUSED)
{
    for (size_t i = 1; action_at(i); i++)
        assert_true(strcmp(action_at(i - 1)->name, action_at(i)->name) < 0);
    assert_string_equal(action_find(STR("subscribe"))->name, "subscribe");
    assert_null(action_find(STR("Subscribe")));
    assert_null(action_find(STR("")));
}

static void
test_problems(void **state UNUSED)
{
    for (int p = 0; p < PROBLEM_COUNT; p++) {
        AUTO(buf_finish) struct buf text = {0};
        AUTO(json_decref_) json_t *json = NULL;
        struct str type, detail;
        bool is_retryable;
        int64_t status;
        problem_add(&text, (enum problem)p, "it is \"so\"");
        assert_int_equal(codec_parse(buf_str(&text), &json, NULL), 0);
        assert_int_equal(codec_get_str(json, "type", &type), 0);
        assert_true(str_starts_with(type, STR("/problems/")));
        assert_int_equal(codec_get_str(json, "detail", &detail), 0);
        assert_true(str_eq_c(detail, "it is \"so\""));
        assert_int_equal(codec_get_int(json, "status", 400, 599, &status), 0);
        assert_int_equal(status, problem_status((enum problem)p));
        assert_int_equal(codec_get_bool(json, "retryable", &is_retryable), 0);
        assert_true(is_retryable == (status == 429 || status == 503));
        assert_true(is_retryable == (problem_retry_after_s((enum problem)p) > 0));
    }
    assert_int_equal(problem_of_error(-ENOENT), PROBLEM_NOT_FOUND);
    assert_int_equal(problem_of_error(-EIO), PROBLEM_INTERNAL);
}

/* ---- coming up and going down ---- */

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct house {
    struct loop loop;
    struct config *config;
    struct workspaces *workspaces;
    struct hub *hub;
    bool is_closed;
};

static void
on_hub_closed(void *ctx)
{
    struct house *house = ctx;
    house->hub = NULL;
}

static void
on_workspaces_closed(void *ctx)
{
    struct house *house = ctx;
    house->is_closed = true;
    if (house->hub)
        hub_close(house->hub, on_hub_closed, house);
}

static void
on_hub_shut(void *ctx)
{
    struct house *house = ctx;
    workspaces_close(house->workspaces, on_workspaces_closed, house);
}

static void
build(struct house *house)
{
    AUTO(free) char *why = NULL;
    assert_int_equal(lang_init(&why), 0);
    assert_int_equal(config_load(NULL, 0, &house->config, &why), 0);
    assert_int_equal(loop_init(&house->loop), 0);
    struct workspaces_options options = {.config = house->config};
    house->workspaces = workspaces_open(&house->loop, &options);
}

static void
tear_down(struct house *house)
{
    if (house->hub)
        hub_shut(house->hub, on_hub_shut, house);
    else
        on_hub_shut(house);
    loop_run(&house->loop);
    assert_true(house->is_closed);
    assert_null(house->hub);
    assert_int_equal(loop_finish(&house->loop), 0);
    config_destroy(house->config);
    lang_finish();
}

static void
test_open_and_close(void **state UNUSED)
{
    struct house house = {0};
    char *why = NULL;
    struct hub_options options = {.token = TOKEN};
    build(&house);
    assert_int_equal(hub_open(&house.loop, &options, house.workspaces, &house.hub, &why),
                     0);
    assert_true(hub_port(house.hub) > 0);
    assert_int_equal(hub_clients(house.hub), 0);

    for (int i = 0; i < GATE_ORIGINS_MAX; i++) {
        AUTO(free) char *origin = xasprintf("vscode-webview://%d", i);
        assert_int_equal(hub_allow_origin(house.hub, origin), 0);
        assert_int_equal(hub_allow_origin(house.hub, origin),
                         0); // the same again takes no place
    }
    assert_int_equal(hub_allow_origin(house.hub, "vscode-webview://one-more"), -ENOSPC);
    assert_int_equal(hub_allow_origin(house.hub, "null"), -EINVAL);
    tear_down(&house);
}

static void
test_port_taken(void **state UNUSED)
{
    struct house house = {0};
    char *why = NULL;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);

    struct hub_options options = {.token = TOKEN, .port = ntohs(at.sin_port)};
    build(&house);
    assert_int_equal(hub_open(&house.loop, &options, house.workspaces, &house.hub, &why),
                     -EADDRINUSE);
    assert_null(house.hub);
    assert_non_null(strstr(why, "is taken"));
    free(why);
    tear_down(&house);
    close(fd);
}

#include "hub/test_snapshot.c"

#include "hub/test_late.c" // the next uses what it makes

#include "hub/test_deleted.c"
#include "hub/test_sub.c"
#include "hub/test_tree.c"

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_upgrades),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_cursors),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_open_and_close),
        cmocka_unit_test(test_port_taken),
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_body_types),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_chunk_limits),
        cmocka_unit_test(test_contract_references),
        cmocka_unit_test(test_contract_actions),
        cmocka_unit_test(test_contract_routes),
        cmocka_unit_test(test_contract_words),
        cmocka_unit_test(test_contract_events),
        cmocka_unit_test(test_filter_comparisons),
        cmocka_unit_test(test_filter_limits),
        cmocka_unit_test(test_filter_long_texts),
        cmocka_unit_test(test_rate_burst_and_refill),
        cmocka_unit_test(test_rate_over_time),
        cmocka_unit_test(test_snapshot_of_a_closing_index),
        cmocka_unit_test(test_snapshot_turns),
        cmocka_unit_test(test_sub_is_not_ahead),
        cmocka_unit_test(test_sub_pages_are_read_once),
        cmocka_unit_test(test_sub_waits_for_a_page_that_ends_before),
        cmocka_unit_test(test_large_bodies_are_read_by_a_worker),
        cmocka_unit_test(test_what_is_being_deleted_is_not_found),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_stream_of_what_does_not_open),
        cmocka_unit_test(test_cloudevents_of_events),
        cmocka_unit_test(test_cloudevents_leaves_the_rest),
        cmocka_unit_test(test_ids_are_places),
        cmocka_unit_test(test_cloudevents_format),
        cmocka_unit_test(test_stream_format),
    };
    return cmocka_run_group_tests_name("hub", tests, NULL, NULL);
}
