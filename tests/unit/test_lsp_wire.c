/* Wires over socket pairs: one end is a wire, the other a wire too or a bare descriptor that says
 * exactly what the test wants said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base.h"
#include "base/mem.h"
#include "lsp/wire/wire.h"

/* ---- frames ---- */

static int
parse(struct str bytes, struct str *body, size_t *used)
{
    *body = STR_NONE;
    *used = 0;
    return wire_frame_parse(bytes, body, used);
}

static void
test_frame_whole_and_partial(void **state)
{
    (void)state;
    struct str bytes = STR("Content-Length: 2\r\n\r\n{}Content-Length: 4\r\n\r\nnull");
    struct str body;
    size_t used;
    assert_int_equal(parse(bytes, &body, &used), 0);
    assert_true(str_eq_c(body, "{}"));
    assert_ptr_equal(body.p, bytes.p + used - 2);
    struct str rest = str_slice(bytes.p + used, bytes.n - used);
    for (size_t n = 0; n < rest.n; n++)
        assert_int_equal(parse(str_slice(rest.p, n), &body, &used), WIRE_E_MORE);
    assert_int_equal(parse(rest, &body, &used), 0);
    assert_true(str_eq_c(body, "null"));
    assert_int_equal(used, rest.n);
}

static void
test_frame_lenient(void **state)
{
    (void)state;
    struct str body;
    size_t used;
    assert_int_equal(parse(STR("content-LENGTH:3\n\nabc"), &body, &used), 0);
    assert_true(str_eq_c(body, "abc"));
    assert_int_equal(
        parse(STR("Content-Type: x; charset=utf-8\r\nContent-Length:  \t1 \r\n\r\n1"),
              &body, &used),
        0);
    assert_int_equal(used, 57);
    AUTO(buf_finish) struct buf b = {0};
    buf_add_cstr(&b, "X-Filler: ");
    for (size_t i = 0; i < 5000; i++)
        buf_add_char(&b, 'x');
    buf_add_cstr(&b, "\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(parse(buf_str(&b), &body, &used), 0);
    assert_int_equal(body.n, 0);
}

static void
test_frame_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int r;
    } rows[] = {
        {"\r\n\r\n", -EPROTO},
        {"Content-Type: x\r\n\r\n", -EPROTO},
        {"Starting the server\n", -EPROTO},
        {"Starting the", -EPROTO}, // no need to wait for more
        {"{\"jsonrpc\"", -EPROTO},
        {"hello\n", -EPROTO},
        {": 3\r\n\r\n", -EPROTO},
        {"Content-Length: -1\r\n\r\n", -EPROTO},
        {"Content-Length: 0x10\r\n\r\n", -EPROTO},
        {"Content-Length: \r\n\r\n", -EPROTO},
        {"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", -EPROTO},
        {"Content-Length: 67108865\r\n\r\n", -EMSGSIZE},
        {"Content-Length: 99999999999999999999999\r\n\r\n", -EMSGSIZE},
        {"Content-Length: 67108864\r\n\r\n", WIRE_E_MORE},
        {"Content", WIRE_E_MORE},
        {"", WIRE_E_MORE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str body;
        size_t used;
        assert_int_equal(parse(str_of(rows[i].bytes), &body, &used), rows[i].r);
        assert_int_equal(used, 0);
    }
    AUTO(buf_finish) struct buf b = {0};
    buf_add_cstr(&b, "X: ");
    while (b.n <= WIRE_HEADER_BYTES_MAX)
        buf_add_char(&b, 'x');
    struct str body;
    size_t used;
    assert_int_equal(parse(buf_str(&b), &body, &used), -EMSGSIZE);
}

static void
test_frame_add(void **state)
{
    (void)state;
    AUTO(buf_finish) struct buf b = {0};
    wire_frame_add(&b, STR("[1]"));
    wire_frame_add(&b, STR(""));
    assert_string_equal(b.p, "Content-Length: 3\r\n\r\n[1]Content-Length: 0\r\n\r\n");
}

/* ---- wires ---- */

struct end {
    struct wire *wire;
    struct buf heard; // one line each: what the callbacks saw
    int end_r;
    bool has_ended;
    bool closes_on_request;
    bool is_mute; // keeps requests unanswered
    struct wire_id kept[8];
    size_t n_kept;
};

struct pair {
    struct loop loop;
    struct end a, b;
    int raw; // the other end of a, when there is no b
    size_t n_answers;
    int answer_r[8];
    int64_t answer_code[8];
    int64_t answer_value[8];
};

static struct end *
end_of(void *ctx)
{
    return ctx;
}

static void
hear_request(void *ctx, const struct wire_id *id, const char *method, json_t *params)
{
    struct end *e = end_of(ctx);
    if (id->is_string)
        buf_printf(&e->heard, "request %s \"%s\"\n", method, id->string);
    else
        buf_printf(&e->heard, "request %s %" PRId64 "\n", method, id->number);
    if (e->closes_on_request) {
        wire_close(steal(e->wire));
        return;
    }
    if (strcmp(method, "fail") == 0)
        wire_reply_error(e->wire, id, WIRE_METHOD_NOT_FOUND, "no \"such\" method");
    else if (strcmp(method, "text") == 0)
        wire_reply_text(e->wire, id, STR("{\"n\":7}"));
    else if (e->is_mute)
        e->kept[e->n_kept++] = wire_id_copy(id);
    else
        wire_reply(e->wire, id, json_incref(json_object_get(params, "echo")));
}

static void
hear_notification(void *ctx, const char *method, json_t *params)
{
    struct end *e = end_of(ctx);
    char *text = params ? json_dumps(params, JSON_COMPACT) : NULL;
    buf_printf(&e->heard, "notification %s %s\n", method, text ? text : "-");
    free(text);
}

static void
hear_bad(void *ctx, const char *why)
{
    buf_printf(&end_of(ctx)->heard, "bad %s\n", why);
}

static void
hear_end(void *ctx, int r, const char *why)
{
    struct end *e = end_of(ctx);
    assert_false(e->has_ended);
    assert_non_null(why);
    e->has_ended = true;
    e->end_r = r;
}

static const struct wire_events events = {.on_request = hear_request,
                                          .on_notification = hear_notification,
                                          .on_bad_message = hear_bad,
                                          .on_end = hear_end};

static struct wire *
open_fd(struct pair *p, int fd, struct end *e)
{
    struct stream *s;
    assert_int_equal(stream_open_fd(&p->loop, fd, &s), 0);
    return wire_open(&p->loop, s, NULL, &events, e);
}

static void
open_pair(struct pair *p, bool is_raw)
{
    int fds[2];
    *p = (struct pair){.raw = -1};
    assert_int_equal(loop_init(&p->loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    p->a.wire = open_fd(p, fds[0], &p->a);
    if (is_raw)
        p->raw = fds[1];
    else
        p->b.wire = open_fd(p, fds[1], &p->b);
}

static void
close_pair(struct pair *p)
{
    wire_close(p->a.wire);
    wire_close(p->b.wire);
    if (p->raw >= 0)
        close(p->raw);
    for (size_t i = 0; i < p->b.n_kept; i++)
        wire_id_finish(&p->b.kept[i]);
    buf_finish(&p->a.heard);
    buf_finish(&p->b.heard);
    assert_int_equal(loop_finish(&p->loop), 0);
}

/* One round of the loop; waits for descriptors, not longer than to the next timer. */
static void
run_round(struct loop *l)
{
    uv_run(&l->uv, UV_RUN_NOWAIT);
    struct pollfd pfd = {.fd = uv_backend_fd(&l->uv), .events = POLLIN};
    int timeout_ms = uv_backend_timeout(&l->uv);
    poll(&pfd, 1, timeout_ms < 0 || timeout_ms > 10 ? 10 : timeout_ms);
}

#define RUN_UNTIL(p, condition)                                                          \
    do {                                                                                 \
        uv_run(&(p)->loop.uv, UV_RUN_NOWAIT);                                            \
        while (!(condition))                                                             \
            run_round(&(p)->loop);                                                       \
    } while (0)

static void
say(struct pair *p, const char *body)
{
    AUTO(buf_finish) struct buf b = {0};
    wire_frame_add(&b, str_of(body));
    assert_int_equal(write(p->raw, b.p, b.n), b.n);
}

/* What the wire wrote, once something came. */
static struct str
listen_raw(struct pair *p, char *text, size_t size)
{
    struct pollfd pfd = {.fd = p->raw, .events = POLLIN};
    while (poll(&pfd, 1, 0) == 0)
        uv_run(&p->loop.uv, UV_RUN_NOWAIT);
    ssize_t n = read(p->raw, text, size);
    assert_true(n > 0);
    return str_slice(text, (size_t)n);
}

static void
take_answer(void *ctx, const struct wire_answer *a)
{
    struct pair *p = ctx;
    if (p->n_answers < ARRAY_LEN(p->answer_r)) {
        p->answer_r[p->n_answers] = a->r;
        p->answer_code[p->n_answers] = a->error_code;
        p->answer_value[p->n_answers] = json_integer_value(a->result);
        if (a->r == -EPROTO)
            assert_string_equal(a->error_message, "no \"such\" method");
    }
    p->n_answers++;
}

static void
test_both_ask(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, false);
    wire_request(p.a.wire, "echo", json_pack("{s:i}", "echo", 41), take_answer, &p);
    wire_request(p.b.wire, "echo", json_pack("{s:i}", "echo", 42), take_answer, &p);
    wire_request(p.a.wire, "fail", NULL, take_answer, &p);
    wire_notify(p.a.wire, "note", json_pack("[s]", "\xc3\xa9"));
    assert_int_equal(p.n_answers, 0);
    RUN_UNTIL(&p, p.n_answers == 3 && strstr(p.b.heard.p, "note"));
    int64_t sum = p.answer_value[0] + p.answer_value[1] + p.answer_value[2];
    assert_int_equal(sum, 83);
    int failed = p.answer_r[0] + p.answer_r[1] + p.answer_r[2];
    assert_int_equal(failed, -EPROTO);
    assert_int_equal(p.answer_code[0] + p.answer_code[1] + p.answer_code[2],
                     WIRE_METHOD_NOT_FOUND);
    assert_string_equal(p.b.heard.p, "request echo 1\nrequest fail 2\n"
                                     "notification note [\"\xc3\xa9\"]\n");
    close_pair(&p);
}

static void
test_null_result_is_no_error(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, false);
    wire_request(p.a.wire, "echo", NULL, take_answer, &p);
    wire_request(p.a.wire, "text", NULL, take_answer, &p);
    RUN_UNTIL(&p, p.n_answers == 2);
    assert_int_equal(p.answer_r[0], 0);
    assert_int_equal(p.answer_r[1], 0);
    close_pair(&p);
}

static void
test_answers_out_of_order_and_cancelled(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, false);
    p.b.is_mute = true;
    int64_t first = wire_request(p.a.wire, "one", NULL, take_answer, &p);
    wire_request(p.a.wire, "two", NULL, take_answer, &p);
    wire_request(p.a.wire, "three", NULL, take_answer, &p);
    RUN_UNTIL(&p, p.b.n_kept == 3);
    wire_cancel(p.a.wire, first);
    wire_cancel(p.a.wire, first);
    wire_cancel(p.a.wire, 12345);
    wire_reply(p.b.wire, &p.b.kept[2], json_integer(3));
    wire_reply(p.b.wire, &p.b.kept[0], json_integer(1)); // late: nobody waits any more
    wire_reply(p.b.wire, &p.b.kept[1], json_integer(2));
    RUN_UNTIL(&p, p.n_answers == 2 && strstr(p.b.heard.p, "cancelRequest"));
    assert_int_equal(p.answer_value[0], 3);
    assert_int_equal(p.answer_value[1], 2);
    assert_string_equal(strstr(p.b.heard.p, "notification"),
                        "notification $/cancelRequest {\"id\":1}\n");
    close_pair(&p);
}

static void
test_one_write_for_many(void **state)
{
    (void)state;
    struct pair p;
    char text[65536];
    AUTO(buf_finish) struct buf expected = {0};
    open_pair(&p, true);
    for (int i = 0; i < 100; i++) {
        wire_notify(p.a.wire, "n", NULL);
        wire_frame_add(&expected, STR("{\"jsonrpc\":\"2.0\",\"method\":\"n\"}"));
    }
    assert_int_equal(wire_backlog(p.a.wire), expected.n);
    struct str got = listen_raw(&p, text, sizeof(text));
    assert_true(str_eq(got, buf_str(&expected))); // all of it in the first read
    close_pair(&p);
}

static void
test_bytes_one_by_one(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, true);
    AUTO(buf_finish) struct buf b = {0};
    wire_frame_add(&b, STR("{\"method\":\"a\"}"));
    wire_frame_add(&b, STR("{\"method\":\"b\",\"params\":null}"));
    for (size_t i = 0; i < b.n; i++) {
        assert_int_equal(write(p.raw, b.p + i, 1), 1);
        uv_run(&p.loop.uv, UV_RUN_NOWAIT);
    }
    RUN_UNTIL(&p, p.a.heard.n >= 32);
    assert_string_equal(p.a.heard.p, "notification a -\nnotification b -\n");
    close_pair(&p);
}

static void
test_large_message(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, false);
    size_t n = 3u << 20;
    char *text = xmalloc(n);
    memset(text, 'x', n);
    wire_request(p.a.wire, "echo", json_pack("{s:s%}", "echo", text, n), take_answer, &p);
    wire_request(p.a.wire, "echo", json_pack("{s:i}", "echo", 5), take_answer, &p);
    RUN_UNTIL(&p, p.n_answers == 2);
    assert_int_equal(p.answer_r[0], 0);
    assert_int_equal(p.answer_value[1], 5);
    free(text);
    close_pair(&p);
}

static void
test_bad_messages_do_not_end_it(void **state)
{
    (void)state;
    struct pair p;
    char text[4096];
    open_pair(&p, true);
    say(&p, "null");
    say(&p, "{\"jsonrpc\":");
    say(&p, "[]");
    say(&p, "{\"id\":3,\"method\":4}");
    say(&p, "{\"id\":[],\"method\":\"m\"}");
    say(&p, "{\"id\":\"s\",\"method\":\"m\",\"params\":5}");
    say(&p, "{\"id\":99,\"result\":null}"); // never asked
    say(&p, "{\"jsonrpc\":\"2.0\"}");
    say(&p, "{\"id\":\"x\",\"method\":\"text\"}");
    say(&p, "{\"method\":\"caf\xe9\"}"); // Latin-1
    RUN_UNTIL(&p, p.a.heard.n > 0 && strstr(p.a.heard.p, "caf\xef\xbf\xbd"));
    struct str got = listen_raw(&p, text, sizeof(text));
    struct str body;
    size_t used;
    static const char *const starts[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,",
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32600,",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,",
        "{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"error\":{\"code\":-32600,",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,",
        "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{\"n\":7}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        assert_int_equal(wire_frame_parse(got, &body, &used), 0);
        assert_true(str_starts_with(body, str_of(starts[i])));
        got = str_slice(got.p + used, got.n - used);
    }
    assert_int_equal(got.n, 0);
    assert_false(p.a.has_ended);
    close_pair(&p);
}

static void
test_garbage_ends_it(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, true);
    wire_request(p.a.wire, "echo", NULL, take_answer, &p);
    say(&p, "{\"method\":\"before\"}");
    assert_int_equal(write(p.raw, "Segmentation fault\n", 19), 19);
    RUN_UNTIL(&p, p.a.has_ended);
    assert_string_equal(p.a.heard.p, "notification before -\n");
    assert_int_equal(p.a.end_r, -EPROTO);
    assert_int_equal(p.n_answers, 1);
    assert_int_equal(p.answer_r[0], -EPIPE);
    assert_int_equal(wire_request(p.a.wire, "late", NULL, take_answer, &p), 0);
    assert_int_equal(p.n_answers, 1);
    RUN_UNTIL(&p, p.n_answers == 2);
    assert_int_equal(p.answer_r[1], -EPIPE);
    close_pair(&p);
}

static void
test_end_of_file(void **state)
{
    (void)state;
    for (int is_mid = 0; is_mid < 2; is_mid++) {
        struct pair p;
        open_pair(&p, true);
        wire_request(p.a.wire, "echo", NULL, take_answer, &p);
        if (is_mid)
            assert_int_equal(write(p.raw, "Content-Length: 9\r\n\r\n{", 22), 22);
        assert_int_equal(shutdown(p.raw, SHUT_WR), 0);
        RUN_UNTIL(&p, p.a.has_ended);
        assert_int_equal(p.a.end_r, is_mid ? -EPROTO : 0);
        assert_int_equal(p.answer_r[0], -EPIPE);
        close_pair(&p);
    }
}

static void
test_close_within_callback(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, true);
    p.a.closes_on_request = true;
    wire_request(p.a.wire, "never", NULL, take_answer, &p);
    AUTO(buf_finish) struct buf b = {0};
    wire_frame_add(&b, STR("{\"id\":1,\"method\":\"m\"}"));
    wire_frame_add(&b, STR("{\"id\":2,\"method\":\"m\"}"));
    assert_int_equal(write(p.raw, b.p, b.n), b.n);
    RUN_UNTIL(&p, !p.a.wire);
    assert_string_equal(p.a.heard.p, "request m 1\n");
    assert_int_equal(p.n_answers, 0);
    close_pair(&p);
}

static void
test_too_many_pending(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, true);
    for (int i = 0; i < WIRE_PENDING_MAX; i++)
        assert_int_equal(wire_request(p.a.wire, "m", NULL, take_answer, &p), i + 1);
    assert_int_equal(wire_request(p.a.wire, "m", NULL, take_answer, &p), 0);
    assert_int_equal(p.n_answers, 0);
    RUN_UNTIL(&p, p.n_answers == 1);
    assert_int_equal(p.answer_r[0], -EBUSY);
    close_pair(&p);
}

static void
test_peer_that_does_not_read(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, true);
    json_t *text = json_array();
    char *chunk = xmalloc(8u << 20);
    memset(chunk, 'x', 8u << 20);
    json_array_append_new(text, json_stringn_nocheck(chunk, 8u << 20));
    free(chunk);
    for (size_t sent = 0; sent <= WIRE_BACKLOG_BYTES_MAX; sent += 8u << 20) {
        wire_notify(p.a.wire, "big", json_incref(text));
        uv_run(&p.loop.uv, UV_RUN_NOWAIT);
    }
    json_decref(text);
    wire_notify(p.a.wire, "small", NULL);
    RUN_UNTIL(&p, p.a.has_ended);
    assert_int_equal(p.a.end_r, -ENOBUFS);
    close_pair(&p);
}

static void
test_shutdown_ends_the_peer(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p, false);
    wire_notify(p.a.wire, "last", NULL);
    wire_shutdown(p.a.wire);
    RUN_UNTIL(&p, p.b.has_ended);
    assert_string_equal(p.b.heard.p, "notification last -\n");
    assert_int_equal(p.b.end_r, 0);
    assert_false(p.a.has_ended);
    close_pair(&p);
}

static void
test_ids(void **state)
{
    (void)state;
    struct wire_id number = {.number = 5},
                   text = {.is_string = true, .string = xstrdup("5")};
    struct wire_id copy = wire_id_copy(&text);
    assert_true(wire_id_eq(&copy, &text));
    assert_ptr_not_equal(copy.string, text.string);
    assert_false(wire_id_eq(&number, &text));
    assert_true(wire_id_eq(&number, &(struct wire_id){.number = 5}));
    assert_false(wire_id_eq(&number, &(struct wire_id){.number = 6}));
    wire_id_finish(&copy);
    wire_id_finish(&text);
    wire_id_finish(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_whole_and_partial),
        cmocka_unit_test(test_frame_lenient),
        cmocka_unit_test(test_frame_refused),
        cmocka_unit_test(test_frame_add),
        cmocka_unit_test(test_both_ask),
        cmocka_unit_test(test_null_result_is_no_error),
        cmocka_unit_test(test_answers_out_of_order_and_cancelled),
        cmocka_unit_test(test_one_write_for_many),
        cmocka_unit_test(test_bytes_one_by_one),
        cmocka_unit_test(test_large_message),
        cmocka_unit_test(test_bad_messages_do_not_end_it),
        cmocka_unit_test(test_garbage_ends_it),
        cmocka_unit_test(test_end_of_file),
        cmocka_unit_test(test_close_within_callback),
        cmocka_unit_test(test_too_many_pending),
        cmocka_unit_test(test_peer_that_does_not_read),
        cmocka_unit_test(test_shutdown_ends_the_peer),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
