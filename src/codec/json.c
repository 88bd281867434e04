/* JSON in general: reading with jansson behind checks, writing of strings straight into a buf.
 * Invariant: what is written is valid JSON in valid UTF-8 whatever bytes it was given. */
#include "base/err.h"
#include "base/mem.h"
#include "base/utf.h"
#include "codec/codec.h"

/* Doubles hold every integer up to here. */
#define EXACT_MAX 9007199254740992.0
/* Room is made for this many bytes of a string at a time; each may become six. */
#define CHUNK_BYTES 4096
#define ESCAPED_BYTES_MAX 6

/* ---- reading ---- */

/* Offset of the bracket that opens one level too many, or -1. jansson's own limit is fixed when it
 * is built, and its parser is recursive: this comes first. */
static ssize_t
too_deep_at(struct str text)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > CODEC_DEPTH_MAX)
                return (ssize_t)i;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return -1;
}

int
codec_parse(struct str text, json_t **ret_value, char **ret_why)
{
    ssize_t deep = too_deep_at(text);
    if (deep >= 0) {
        if (ret_why)
            *ret_why = xasprintf("byte %zd: more than %d levels", deep, CODEC_DEPTH_MAX);
        return err_trace(-EINVAL);
    }
    json_error_t error;
    json_t *value =
        json_loadb(text.n > 0 ? text.p : "", text.n,
                   JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!value) {
        if (ret_why)
            *ret_why =
                xasprintf("line %d, column %d: %s", error.line, error.column, error.text);
        return err_trace(-EINVAL);
    }
    *ret_value = value;
    return 0;
}

/* Past the string whose quote is before `i`. */
static size_t
string_end(struct str text, size_t i)
{
    while (i < text.n && text.p[i] != '"')
        i += text.p[i] == '\\' ? 2 : 1;
    return i + 1;
}

/* A colon takes back the string before it, which was a key. Where that is no JSON nothing behind it is parsed. */
size_t
codec_count_values(struct str text, size_t max)
{
    /* What is not within a word: a number, true, false or null. */
    static const bool is_mark[256] = {
        [' '] = true, ['\n'] = true, ['\r'] = true, ['\t'] = true,
        [','] = true, [':'] = true,  ['{'] = true,  ['}'] = true,
        ['['] = true, [']'] = true,  ['"'] = true};
    size_t n = 0;
    bool in_word = false;
    for (size_t i = 0; i < text.n && n <= max;) {
        char c = text.p[i++];
        bool is_word = !is_mark[(unsigned char)c];
        if (c == '"')
            i = string_end(text, i);
        if (c == ':')
            n -= n > 0;
        else
            n += c == '{' || c == '[' || c == '"' || (is_word && !in_word);
        in_word = is_word;
    }
    return n;
}

json_t *
codec_member(const json_t *value, const char *key)
{
    return json_object_get(value, key);
}

json_t *
codec_object(const json_t *value, const char *key)
{
    json_t *member = json_object_get(value, key);
    return json_is_object(member) ? member : NULL;
}

json_t *
codec_array(const json_t *value, const char *key)
{
    json_t *member = json_object_get(value, key);
    return json_is_array(member) ? member : NULL;
}

int
codec_get_str(const json_t *object, const char *key, struct str *ret_value)
{
    const json_t *member = json_object_get(object, key);
    if (!member || json_is_null(member))
        return -ENOENT;
    if (!json_is_string(member))
        return -EINVAL;
    *ret_value = str_slice(json_string_value(member), json_string_length(member));
    return 0;
}

int
codec_get_int(const json_t *object, const char *key, int64_t min, int64_t max,
              int64_t *ret_value)
{
    const json_t *member = json_object_get(object, key);
    int64_t value;
    if (!member || json_is_null(member))
        return -ENOENT;
    if (json_is_integer(member)) {
        value = json_integer_value(member);
    } else if (json_is_real(member)) {
        /* Some clients write 3.0 for 3: the same number. */
        double real = json_real_value(member);
        if (!(real >= -EXACT_MAX && real <= EXACT_MAX) || real != (double)(int64_t)real)
            return -EINVAL;
        value = (int64_t)real;
    } else {
        return -EINVAL;
    }
    if (value < min || value > max)
        return -EINVAL;
    *ret_value = value;
    return 0;
}

int
codec_get_bool(const json_t *object, const char *key, bool *ret_value)
{
    const json_t *member = json_object_get(object, key);
    if (!member || json_is_null(member))
        return -ENOENT;
    if (!json_is_boolean(member))
        return -EINVAL;
    *ret_value = json_is_true(member);
    return 0;
}

/* ---- writing ---- */

/* What becomes of a byte: 0 goes through, 'u' becomes \u00XX, 'x' starts (or should start) a
 * sequence of several bytes, anything else is the letter behind a backslash. */
static const char escapes[256] = {
    [0x00 ... 0x07] = 'u', ['\b'] = 'b',          ['\t'] = 't',          ['\n'] = 'n',
    [0x0B] = 'u',          ['\f'] = 'f',          ['\r'] = 'r',          ['"'] = '"',
    ['\\'] = '\\',         [0x0E ... 0x1F] = 'u', [0x80 ... 0xFF] = 'x',
};

/* The sequence at s as it is, or U+FFFD for a byte that belongs to none. Returns what was written;
 * *ret_read is what was read. */
static size_t
put_sequence(char *at, struct str s, size_t *ret_read)
{
    uint32_t code_point;
    size_t n = utf8_decode(s, &code_point);
    *ret_read = n;
    if (n == 1) {
        memcpy(at, "\xEF\xBF\xBD", 3);
        return 3;
    }
    memcpy(at, s.p, n);
    return n;
}

void
codec_add_string(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789abcdef";
    buf_reserve(b, 2);
    b->p[b->n++] = '"';
    for (size_t i = 0; i < s.n;) {
        size_t chunk_end = i + MIN(s.n - i, (size_t)CHUNK_BYTES);
        buf_reserve(b, (chunk_end - i + 1) * ESCAPED_BYTES_MAX);
        char *at = b->p + b->n;
        while (i < chunk_end) {
            unsigned char c = (unsigned char)s.p[i];
            char escape = escapes[c];
            if (escape == 0) {
                *at++ = (char)c;
                i++;
            } else if (escape == 'x') {
                size_t n;
                at += put_sequence(at, str_slice(s.p + i, s.n - i), &n);
                i += n;
            } else {
                *at++ = '\\';
                *at++ = escape;
                if (escape == 'u') {
                    memcpy(at, "00", 2);
                    at[2] = hex[c >> 4];
                    at[3] = hex[c & 0xF];
                    at += 4;
                }
                i++;
            }
        }
        b->n = (size_t)(at - b->p);
    }
    buf_add_char(b, '"');
}

static int
on_json_bytes(const char *p, size_t n, void *ctx)
{
    buf_add(ctx, p, n);
    return 0;
}

void
codec_add_text(struct buf *b, const char *text)
{
    if (text)
        codec_add_string(b, str_of(text));
    else
        buf_add_cstr(b, "null");
}

void
codec_add_json(struct buf *b, const json_t *value)
{
    size_t before = b->n;
    if (value &&
        json_dump_callback(value, on_json_bytes, b,
                           JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) == 0)
        return;
    /* Only a value that this program built wrongly gets here; a null keeps the rest readable. */
    b->n = before;
    buf_add_cstr(b, "null");
}
