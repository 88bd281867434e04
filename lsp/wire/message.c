/* JSON-RPC 2.0 envelopes. A peer's mistake is found here once, so that handlers see only
 * requests, notifications and answers of the right shape. Knows no method and no stream. */
#include "lsp/wire/internal.h"

#include "base/mem.h"
#include "base/utf.h"
#include "codec/codec.h"

void
wire_id_finish(struct wire_id *id)
{
    if (!id)
        return;
    free(id->string);
    *id = (struct wire_id){0};
}

struct wire_id
wire_id_copy(const struct wire_id *id)
{
    struct wire_id copy = *id;
    copy.string = xstrdup(id->string);
    return copy;
}

bool
wire_id_eq(const struct wire_id *a, const struct wire_id *b)
{
    if (a->is_string != b->is_string)
        return false;
    return a->is_string ? strcmp(a->string, b->string) == 0 : a->number == b->number;
}

/* The code unit of "\uXXXX" at the start; -1: none is there. */
static int
escaped_unit(struct str s)
{
    int unit = 0;
    if (s.n < 6 || s.p[0] != '\\' || s.p[1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_value(s.p[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* JavaScript writes strings that it cut within a pair with half of it, which is no text. */
static void
add_whole_pairs(struct buf *b, struct str s)
{
    size_t i = 0;
    while (i < s.n) {
        struct str rest = str_slice(s.p + i, s.n - i);
        ssize_t at = str_find_char(rest, '\\');
        size_t plain = at < 0 ? rest.n : (size_t)at;
        buf_add(b, rest.p, plain);
        i += plain;
        rest = str_slice(s.p + i, s.n - i);
        int unit = escaped_unit(rest);
        bool is_half = unit >= 0xd800 && unit <= 0xdfff;
        int next = is_half && unit < 0xdc00
                       ? escaped_unit(str_slice(rest.p + 6, rest.n - 6))
                       : -1;
        size_t n = MIN(rest.n, unit < 0 ? (size_t)2 : (size_t)6);
        if (next >= 0xdc00 && next <= 0xdfff)
            n = 12;
        else if (is_half)
            buf_add_str(b, STR("\\ufffd"));
        if (!is_half || n == 12)
            buf_add(b, rest.p, n);
        i += n;
    }
}

json_t *
wire_message_parse(struct str body)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t error;
    json_t *value = json_loadb(body.p ? body.p : "", body.n, flags, &error);
    if (value)
        return value;
    AUTO(buf_finish) struct buf valid = {0};
    AUTO(buf_finish) struct buf whole = {0};
    utf8_add_valid(&valid, body);
    add_whole_pairs(&whole, buf_str(&valid));
    if (str_eq(buf_str(&whole), body))
        return NULL;
    return json_loadb(whole.p ? whole.p : "", whole.n, flags, &error);
}

static bool
is_whole_number(const json_t *value, int64_t *ret_number)
{
    if (json_is_integer(value)) {
        *ret_number = json_integer_value(value);
        return true;
    }
    if (!json_is_real(value))
        return false;
    double d = json_real_value(value);
    if (!(d > -9007199254740992.0 && d < 9007199254740992.0) || d != (double)(int64_t)d)
        return false;
    *ret_number = (int64_t)d;
    return true;
}

/* A string id with a NUL inside could not be sent back as it came. */
static bool
is_id(const json_t *value)
{
    int64_t number;
    if (json_is_string(value))
        return strlen(json_string_value(value)) == json_string_length(value);
    return is_whole_number(value, &number);
}

struct wire_id
wire_message_id(const json_t *id)
{
    struct wire_id copy = {0};
    if (json_is_string(id)) {
        copy.is_string = true;
        copy.string = xstrdup(json_string_value(id));
    } else {
        is_whole_number(id, &copy.number);
    }
    return copy;
}

void
wire_message_add_id(struct buf *b, const struct wire_id *id)
{
    if (!id)
        buf_add_cstr(b, "null");
    else if (id->is_string)
        codec_add_string(b, str_of(id->string));
    else
        buf_printf(b, "%" PRId64, id->number);
}

static struct message
bad(json_t *id, const char *why)
{
    return (struct message){
        .kind = MESSAGE_BAD, .code = WIRE_INVALID_REQUEST, .id = id, .why = why};
}

static struct message
classify_response(json_t *value, json_t *id)
{
    struct message m = {.kind = MESSAGE_RESPONSE};
    m.error = json_object_get(value, "error");
    m.result = json_object_get(value, "result");
    if (json_is_null(m.error))
        m.error = NULL;
    if (!m.error && !m.result && !id)
        return bad(NULL, "neither a method nor a result nor an error");
    if (!m.error && !m.result)
        m.result = json_null(); // left out by servers that omit what is empty
    if (m.error && !json_is_object(m.error))
        return bad(NULL, "the error of a response is not an object");
    if (json_is_string(id)) { // ours are numbers; some peers give them back as text
        struct str text = str_slice(json_string_value(id), json_string_length(id));
        if (str_to_i64(text, &m.response_id) < 0)
            m.response_id = 0;
    } else if (id && !is_whole_number(id, &m.response_id)) {
        m.response_id = 0;
    }
    return m;
}

struct message
wire_message_classify(json_t *value)
{
    if (json_is_null(value))
        return (struct message){.kind = MESSAGE_NOTHING};
    if (!json_is_object(value))
        return bad(NULL, "a message is a JSON object");

    json_t *id = json_object_get(value, "id");
    json_t *method = json_object_get(value, "method");
    if (!method)
        return classify_response(value, id);
    bool has_id = id && !json_is_null(id);
    if (has_id && !is_id(id))
        return bad(NULL, "id is neither a whole number nor a string");
    if (!has_id)
        id = NULL;
    if (!json_is_string(method))
        return bad(id, "method is not a string");

    json_t *params = json_object_get(value, "params");
    if (json_is_null(params))
        params = NULL;
    if (params && !json_is_object(params) && !json_is_array(params))
        return bad(id, "params is neither an object nor an array");
    return (struct message){.kind = id ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION,
                            .method = json_string_value(method),
                            .params = params,
                            .id = id};
}
