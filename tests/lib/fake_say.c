/* The mouth of fake_ls: right frames and wrong ones. Invariant: what is written is written before the
 * call returns, so that a scenario's order is the order on the pipe. */
#include "fake_say.h"

#include <unistd.h>

#include "base/mem.h"

#define LITERAL "@literal@"
#define REPEAT_BYTES 65536 // written at once

static size_t n_asked;
static bool is_mute;

void
say_bytes(int fd, const char *p, size_t n)
{
    while (n > 0 && !(is_mute && fd == STDOUT_FILENO)) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            _exit(1);
        p += done;
        n -= (size_t)done;
    }
}

void
say_text(int fd, const json_t *text)
{
    if (json_is_string(text))
        say_bytes(fd, json_string_value(text), json_string_length(text));
}

void
say_no_more(void)
{
    is_mute = true;
    close(STDOUT_FILENO);
}

struct buf
say_frame_of(const json_t *life, const char *body, size_t n)
{
    const char *header = json_string_value(json_object_get(life, "header"));
    json_int_t n_padding = json_integer_value(json_object_get(life, "header_bytes"));
    struct buf b = {0};
    if (n_padding > 0) {
        buf_add_cstr(&b, "X-Padding: ");
        while (b.n < (size_t)n_padding)
            buf_add_char(&b, 'x');
        buf_add_cstr(&b, "\r\n");
    }
    buf_printf(&b, "%s: %zu\r\n\r\n", header ? header : "Content-Length", n);
    buf_add(&b, body, n);
    return b;
}

void
say_message(const json_t *life, json_t *message)
{
    char *body = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY);
    AUTO(buf_finish) struct buf b = say_frame_of(life, body, strlen(body));
    say_bytes(STDOUT_FILENO, b.p, b.n);
    free(body);
    json_decref(message);
}

/* ---- lists ---- */

static json_t *
message_of(const json_t *item)
{
    json_t *request = json_object_get(item, "request");
    json_t *method = request ? request : json_object_get(item, "notify");
    if (json_object_get(item, "message"))
        return json_incref(json_object_get(item, "message"));
    json_t *message = json_pack("{s:s, s:O}", "jsonrpc", "2.0", "method", method);
    if (json_object_get(item, "params"))
        json_object_set(message, "params", json_object_get(item, "params"));
    if (request)
        json_object_set_new(message, "id", json_sprintf("ours-%zu", ++n_asked));
    return message;
}

/* The same bytes over and over. */
static void
say_often(const json_t *life, const json_t *item, json_int_t n)
{
    json_t *message = message_of(item);
    char *body = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY);
    AUTO(buf_finish) struct buf one = say_frame_of(life, body, strlen(body));
    AUTO(buf_finish) struct buf many = {0};
    while (n-- > 0) {
        buf_add_str(&many, buf_str(&one));
        if (many.n < REPEAT_BYTES && n > 0)
            continue;
        say_bytes(STDOUT_FILENO, many.p, many.n);
        buf_reset(&many);
    }
    free(body);
    json_decref(message);
}

void
say_list(const json_t *life, const json_t *list, size_t *n_requests)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const json_t *repeat = json_object_get(item, "repeat");
        if (json_object_get(item, "raw"))
            say_text(STDOUT_FILENO, json_object_get(item, "raw"));
        else if (repeat)
            say_often(life, item, json_integer_value(repeat));
        else
            say_message(life, message_of(item));
        *n_requests += json_object_get(item, "request") != NULL;
    }
}

/* ---- answers ---- */

/* "\xNN" is that byte. */
static void
add_literal(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (i + 3 < text.n && text.p[i] == '\\' && text.p[i + 1] == 'x') {
            buf_add_char(
                b, (char)(hex_value(text.p[i + 2]) << 4 | hex_value(text.p[i + 3])));
            i += 3;
        } else {
            buf_add_char(b, text.p[i]);
        }
    }
}

static void
set_text(json_t *message, json_t *text)
{
    json_t *contents = json_object_get(json_object_get(message, "result"), "contents");
    json_object_set_new(contents, "value", text);
}

static json_t *
long_text(const json_t *rule)
{
    const json_t *unit = json_object_get(rule, "text_unit");
    size_t n_bytes = (size_t)json_integer_value(json_object_get(rule, "text_bytes"));
    AUTO(buf_finish) struct buf b = {0};
    buf_reserve(&b, n_bytes + 8);
    while (b.n < n_bytes)
        buf_add_cstr(&b, json_is_string(unit) ? json_string_value(unit) : "x");
    return json_stringn_nocheck(b.p, b.n);
}

void
say_answer(const json_t *life, const json_t *rule, json_t *message)
{
    const json_t *literal = json_object_get(rule, "literal");
    if (literal)
        set_text(message, json_string(LITERAL));
    else if (json_object_get(rule, "text_bytes"))
        set_text(message, long_text(rule));
    if (json_is_true(json_object_get(rule, "no_result")))
        json_object_del(message, "result");
    if (json_is_true(json_object_get(rule, "is_batch")))
        message = json_pack("[o]", message);

    char *dumped = json_dumps(message, JSON_COMPACT);
    AUTO(buf_finish) struct buf body = {0};
    char *at = literal ? strstr(dumped, LITERAL) : NULL;
    if (at) {
        struct str text =
            str_slice(json_string_value(literal), json_string_length(literal));
        buf_add(&body, dumped, (size_t)(at - dumped));
        add_literal(&body, text);
        buf_add_cstr(&body, at + strlen(LITERAL));
    } else {
        buf_add_cstr(&body, dumped);
    }
    AUTO(buf_finish) struct buf b = say_frame_of(life, body.p, body.n);
    for (int i = json_is_true(json_object_get(rule, "is_twice")) ? 2 : 1; i > 0; i--)
        say_bytes(STDOUT_FILENO, b.p, b.n);
    free(dumped);
    json_decref(message);
}
