/* Views of bytes and the growing byte string. They exist so that length travels with
 * text and NUL inside a source file is nothing special. Invariant of struct buf: p is
 * NULL and n and cap are 0, or n < cap and p[n] is NUL. */
#include "base/str.h"

#include "base/mem.h"

enum { BUF_CAP_MIN = 64 };

struct str
str_of(const char *s)
{
    return s ? (struct str){s, strlen(s)} : STR_NONE;
}

bool
str_eq_c(struct str a, const char *b)
{
    return str_eq(a, str_of(b));
}

int
str_cmp(struct str a, struct str b)
{
    size_t n = MIN(a.n, b.n);
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

bool
str_starts_with(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_slice(s.p, prefix.n), prefix);
}

bool
str_ends_with(struct str s, struct str suffix)
{
    if (suffix.n == 0)
        return true;
    return s.n >= suffix.n && str_eq(str_slice(s.p + s.n - suffix.n, suffix.n), suffix);
}

ssize_t
str_find(struct str s, struct str needle)
{
    if (needle.n == 0)
        return 0;
    if (s.n < needle.n)
        return -1;
    const char *at = memmem(s.p, s.n, needle.p, needle.n);
    return at ? at - s.p : -1;
}

ssize_t
str_find_char(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, (unsigned char)c, s.n) : NULL;
    return at ? at - s.p : -1;
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str
str_trim(struct str s)
{
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool
str_split(struct str *rest, char sep, struct str *ret_part)
{
    if (rest->n == 0)
        return false;

    ssize_t at = str_find_char(*rest, sep);
    size_t len = at < 0 ? rest->n : (size_t)at;
    size_t used = at < 0 ? rest->n : len + 1;
    *ret_part = str_slice(rest->p, len);
    *rest = str_slice(rest->p + used, rest->n - used);
    return true;
}

int
str_to_u64(struct str s, uint64_t *ret_value)
{
    if (s.n == 0)
        return -EINVAL;
    /* First the form, then the size: a long word is no number out of range. */
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -EINVAL;
    }

    uint64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value))
            return -ERANGE;
    }
    *ret_value = value;
    return 0;
}

int
str_to_i64(struct str s, int64_t *ret_value)
{
    bool negative = s.n && s.p[0] == '-';
    if (negative)
        s = str_slice(s.p + 1, s.n - 1);

    uint64_t magnitude;
    int r = str_to_u64(s, &magnitude);
    if (r < 0)
        return r;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return -ERANGE;
    /* Negated while unsigned: INT64_MIN has no positive twin. */
    *ret_value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return 0;
}

int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

char *
str_dup(struct str s)
{
    char *copy = xmalloc(s.n + 1);
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

void
buf_finish(struct buf *b)
{
    if (!b)
        return;
    free(b->p);
    *b = (struct buf){0};
}

void
buf_grow(struct buf *b, size_t extra)
{
    size_t want;
    if (__builtin_add_overflow(b->n, extra, &want) ||
        __builtin_add_overflow(want, (size_t)1, &want))
        mem_exhausted(SIZE_MAX);

    size_t cap = MAX(want, (size_t)BUF_CAP_MIN);
    if (b->cap <= SIZE_MAX / 2)
        cap = MAX(cap, b->cap * 2);
    b->p = xrealloc(b->p, cap);
    b->cap = cap;
    b->p[b->n] = '\0';
}

void
buf_add_cstr(struct buf *b, const char *s)
{
    buf_add_str(b, str_of(s));
}

void
buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    buf_reserve(b, 0);
    size_t room = b->cap - b->n;
    va_start(ap, fmt);
    int n = vsnprintf(b->p + b->n, room, fmt, ap);
    va_end(ap);
    if (n < 0)
        mem_exhausted(SIZE_MAX); // a text beyond INT_MAX

    if ((size_t)n >= room) {
        buf_reserve(b, (size_t)n);
        va_start(ap, fmt);
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    b->n += (size_t)n;
}

void
buf_consume(struct buf *b, size_t n)
{
    assert(n <= b->n);
    if (n == 0)
        return;
    b->n -= n;
    memmove(b->p, b->p + n, b->n);
    b->p[b->n] = '\0';
}

char *
buf_steal(struct buf *b)
{
    buf_reserve(b, 0);
    char *p = b->p;
    *b = (struct buf){0};
    return p;
}
