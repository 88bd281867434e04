/* A checking scanner over JSON text. It exists because the loop thread expands rows of the event
 * log with thousands of entities: copying views is several times cheaper than a tree that is
 * printed again, and what it hands out is byte for byte what was stored.
 * Invariant: a view that was given out is one complete, well-formed JSON value. */
#include "codec/slice.h"

#include "base/err.h"
#include "codec/codec.h"

static void
advance(struct str *s, size_t n)
{
    s->p += n;
    s->n -= n;
}

static void
skip_blank(struct str *s)
{
    while (s->n > 0 &&
           (s->p[0] == ' ' || s->p[0] == '\n' || s->p[0] == '\r' || s->p[0] == '\t'))
        advance(s, 1);
}

static bool
skip_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    advance(s, 1);
    return true;
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The character behind a backslash, with the digits of \u. */
static int
skip_escape(struct str *s)
{
    if (s->n == 0)
        return -EINVAL;
    char c = s->p[0];
    advance(s, 1);
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) ? 0 : -EINVAL;
    if (s->n < 4)
        return -EINVAL;
    for (int i = 0; i < 4; i++) {
        if (!is_hex(s->p[i]))
            return -EINVAL;
    }
    advance(s, 4);
    return 0;
}

/* Is one of these eight bytes a quote, a backslash or a control character? */
static bool
has_special(const char *p)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    uint64_t quote = v ^ (ones * '"'), backslash = v ^ (ones * '\\');
    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
            ((v - ones * 0x20) & ~v)) &
           highs;
}

static int
skip_string(struct str *s)
{
    if (!skip_char(s, '"'))
        return -EINVAL;
    while (s->n > 0) {
        /* Most of a row is plain bytes of strings: locals keep this loop in registers. */
        const char *p = s->p, *end = s->p + s->n;
        while (end - p >= 8 && !has_special(p))
            p += 8;
        while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
            p++;
        advance(s, (size_t)(p - s->p));
        if (skip_char(s, '"'))
            return 0;
        if (!skip_char(s, '\\') || skip_escape(s) < 0)
            return -EINVAL;
    }
    return -EINVAL;
}

static size_t
skip_digits(struct str *s)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    advance(s, n);
    return n;
}

static int
skip_number(struct str *s)
{
    skip_char(s, '-');
    bool starts_with_zero = s->n > 0 && s->p[0] == '0';
    size_t n = skip_digits(s);
    if (n == 0 || (starts_with_zero && n > 1))
        return -EINVAL;
    if (skip_char(s, '.') && skip_digits(s) == 0)
        return -EINVAL;
    if (skip_char(s, 'e') || skip_char(s, 'E')) {
        if (!skip_char(s, '+'))
            skip_char(s, '-');
        if (skip_digits(s) == 0)
            return -EINVAL;
    }
    return 0;
}

static int
skip_word(struct str *s, struct str word)
{
    if (!str_starts_with(*s, word))
        return -EINVAL;
    advance(s, word.n);
    return 0;
}

/* `"key" :` of an object's member. */
static int
skip_key(struct str *s, struct str *ret_key)
{
    skip_blank(s);
    const char *begin = s->p;
    if (skip_string(s) < 0)
        return -EINVAL;
    struct str key = str_slice(begin + 1, (size_t)(s->p - begin) - 2);
    skip_blank(s);
    if (!skip_char(s, ':'))
        return -EINVAL;
    *ret_key = key;
    return 0;
}

static int skip_value(struct str *s, unsigned depth);

static int
skip_members(struct str *s, char close, unsigned depth)
{
    struct str key;
    if (depth == 0)
        return -EINVAL;
    skip_blank(s);
    if (skip_char(s, close))
        return 0;
    do {
        if (close == '}' && skip_key(s, &key) < 0)
            return -EINVAL;
        if (skip_value(s, depth - 1) < 0)
            return -EINVAL;
        skip_blank(s);
    } while (skip_char(s, ','));
    return skip_char(s, close) ? 0 : -EINVAL;
}

/* Recursion ends with `depth`. */
static int
skip_value(struct str *s, unsigned depth)
{
    skip_blank(s);
    if (s->n == 0)
        return -EINVAL;
    switch (s->p[0]) {
    case '{': advance(s, 1); return skip_members(s, '}', depth);
    case '[': advance(s, 1); return skip_members(s, ']', depth);
    case '"': return skip_string(s);
    case 't': return skip_word(s, STR("true"));
    case 'f': return skip_word(s, STR("false"));
    case 'n': return skip_word(s, STR("null"));
    default: return skip_number(s);
    }
}

int
slice_open(struct slice_walk *w, struct str text, char open)
{
    skip_blank(&text);
    if (!skip_char(&text, open))
        return err_trace(-EINVAL);
    *w = (struct slice_walk){
        .rest = text,
        .close = open == '{' ? '}' : ']',
        .is_first = true,
    };
    return 0;
}

int
slice_key(struct slice_walk *w, struct str *ret_key)
{
    struct str *rest = &w->rest;
    *ret_key = STR_NONE;
    skip_blank(rest);
    if (skip_char(rest, w->close)) {
        if (!w->is_within)
            skip_blank(rest);
        return rest->n == 0 || w->is_within ? SLICE_E_END : err_trace(-EINVAL);
    }
    if (!w->is_first && !skip_char(rest, ','))
        return err_trace(-EINVAL);
    w->is_first = false;
    if (w->close == '}' && skip_key(rest, ret_key) < 0)
        return err_trace(-EINVAL);
    skip_blank(rest);
    return 0;
}

int
slice_value(struct slice_walk *w, struct str *ret_value)
{
    const char *begin = w->rest.p;
    if (skip_value(&w->rest, CODEC_DEPTH_MAX - (w->is_within ? 2 : 1)) < 0)
        return err_trace(-EINVAL);
    *ret_value = str_slice(begin, (size_t)(w->rest.p - begin));
    return 0;
}

int
slice_next(struct slice_walk *w, struct str *ret_key, struct str *ret_value)
{
    int r = slice_key(w, ret_key);
    return r == 0 ? slice_value(w, ret_value) : r;
}

int
slice_enter(const struct slice_walk *w, struct slice_walk *ret_inner)
{
    struct str rest = w->rest;
    if (!skip_char(&rest, '['))
        return err_trace(-EINVAL);
    *ret_inner = (struct slice_walk){
        .rest = rest, .close = ']', .is_first = true, .is_within = true};
    return 0;
}

void
slice_leave(struct slice_walk *w, const struct slice_walk *inner)
{
    w->rest = inner->rest;
}

int
codec_slice_member(struct str object, struct str key, struct str *ret_value)
{
    struct slice_walk walk;
    struct str name, value;
    int r = slice_open(&walk, object, '{');
    while (r == 0 && (r = slice_next(&walk, &name, &value)) == 0) {
        if (str_eq(name, key)) {
            *ret_value = value;
            return 0;
        }
    }
    return r == SLICE_E_END ? -ENOENT : r;
}
