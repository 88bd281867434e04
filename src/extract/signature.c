/* The declaration on one line. Scans only the declaration itself and stops at its limit, so that a
 * table of a megabyte costs as little as a prototype. Groups of several lines become {…}. */
#include <ctype.h>

#include "base/utf.h"
#include "extract/text.h"

#define GROUP_BYTES_MAX 65536 // how far the end of a { } or [ ] is looked for

struct scanner {
    const struct finds *f;
    size_t comment; // the next one
    struct buf *out;
    size_t start; // of this signature in out
    bool wants_space;
};

/* The end of the comment that begins at `at`, or 0. Asked with rising `at`. */
static uint32_t
comment_end(struct scanner *s, uint32_t at)
{
    const struct finds *f = s->f;
    while (s->comment < f->comments.n && f->comments.v[s->comment].start < at)
        s->comment++;
    if (s->comment == f->comments.n || f->comments.v[s->comment].start != at)
        return 0;
    return f->comments.v[s->comment].end;
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

/* The end of the string that begins at `at` on this line, or 0: then the quote is only a quote. */
static uint32_t
string_end(struct str text, uint32_t at, uint32_t end)
{
    char quote = text.p[at];
    for (uint32_t i = at + 1; i < end && text.p[i] != '\n'; i++) {
        if (text.p[i] == '\\')
            i++;
        else if (text.p[i] == quote)
            return i + 1;
    }
    return 0;
}

/* The end of the group that opens at `at`, or 0 if it stands on one line; `end` if it has none. */
static uint32_t
long_group_end(const struct scanner *s, uint32_t at, uint32_t end)
{
    struct scanner look = *s;
    struct str text = s->f->text;
    uint32_t depth = 0, skip;
    bool is_long = false;
    end = MIN(end, at + GROUP_BYTES_MAX);
    for (uint32_t i = at; i < end; i++) {
        char c = text.p[i];
        if ((skip = comment_end(&look, i)) > i)
            i = skip - 1;
        else if ((c == '"' || c == '\'' || c == '`') &&
                 (skip = string_end(text, i, end)) > 0)
            i = skip - 1;
        else if (c == '{' || c == '[' || c == '(')
            depth++;
        else if ((c == '}' || c == ']' || c == ')') && --depth == 0)
            return is_long ? i + 1 : 0;
        else if (c == '\n')
            is_long = true;
    }
    return end;
}

static void
put(struct scanner *s, struct str piece)
{
    size_t n = s->out->n;
    if (s->wants_space && n > s->start && !strchr(",)]", piece.p[0]) &&
        !strchr("([", s->out->p[n - 1]))
        buf_add_char(s->out, ' ');
    s->wants_space = false;
    buf_add_str(s->out, piece);
}

static bool
is_plain(char c)
{
    return c > ' ' && c != '"' && c != '\'' && c != '{' && c != '[' && c != '\\' &&
           (unsigned char)c < 0x7F;
}

/* From a plain byte to behind the last that follows it, before the next comment and the limit. */
static uint32_t
plain_end(const struct scanner *s, uint32_t at, uint32_t end)
{
    const struct finds *f = s->f;
    size_t room = ENTITY_SIGNATURE_BYTES_MAX + 1 - (s->out->n - s->start);
    if (s->comment < f->comments.n)
        end = MIN(end, f->comments.v[s->comment].start);
    end = (uint32_t)MIN((size_t)end, at + room);
    while (at < end && is_plain(f->text.p[at]))
        at++;
    return at;
}

static void
add_stretch(struct scanner *s, uint32_t from, uint32_t end)
{
    struct str text = s->f->text;
    for (uint32_t i = from, next; i < end; i = next) {
        char c = text.p[i];
        next = i + 1;
        if (s->out->n - s->start > ENTITY_SIGNATURE_BYTES_MAX)
            return;
        uint32_t skip = comment_end(s, i);
        if (skip > i) {
            s->wants_space = true;
            next = skip;
        } else if (is_space(c) || (c == '\\' && next < end && text.p[next] == '\n')) {
            s->wants_space = true;
        } else if ((c == '"' || c == '\'') && (skip = string_end(text, i, end)) > 0) {
            next = MIN(skip, i + ENTITY_SIGNATURE_BYTES_MAX + 1);
            put(s, str_slice(text.p + i, next - i));
        } else if ((c == '{' || c == '[') && (skip = long_group_end(s, i, end)) > 0) {
            put(s, c == '{' ? STR("{…}") : STR("[…]"));
            next = skip;
        } else {
            next = MAX(next, plain_end(s, i, end));
            put(s, str_slice(text.p + i, next - i));
        }
    }
}

/* The most of n bytes that does not end within a character; p[max_bytes] may be looked at. */
static size_t
whole_characters(const char *p, size_t n, size_t max_bytes)
{
    if (n <= max_bytes)
        return n;
    for (n = max_bytes; n > 0 && ((unsigned char)p[n] & 0xC0) == 0x80; n--)
        ;
    return n;
}

void
text_add_limited(struct buf *b, struct str s, size_t max_bytes)
{
    size_t start = b->n;
    utf8_add_valid(b, str_slice(s.p, whole_characters(s.p, s.n, max_bytes)));
    if (b->n == start)
        return;
    /* U+FFFD is longer than what it stands for. */
    b->n = start + whole_characters(b->p + start, b->n - start, max_bytes);
    b->p[b->n] = '\0';
}

void
text_add_signature(struct buf *b, const struct finds *f, const struct found *d)
{
    size_t start = b->n;
    struct scanner s = {.f = f, .out = b, .start = start};
    ssize_t last = stretch_last_before(f->comments.v, f->comments.n, d->range.start);
    s.comment = (size_t)(last + 1);
    if (!stretch_is_empty(d->declarator)) {
        add_stretch(&s, d->range.start, d->prefix_end);
        add_stretch(&s, d->declarator.start, d->declarator.end);
    } else if (!stretch_is_empty(d->body)) {
        add_stretch(&s, d->range.start, d->body.start);
        s.wants_space = true;
        if (d->kind == ENTITY_STRUCT || d->kind == ENTITY_UNION || d->kind == ENTITY_ENUM)
            add_stretch(&s, d->body.end, d->range.end);
    } else {
        add_stretch(&s, d->range.start, d->range.end);
    }
    struct str line = str_slice(b->p + start, b->n - start);
    while (d->kind != ENTITY_MACRO && line.n > 0 && strchr(" {;,=:", line.p[line.n - 1]))
        line.n--;
    b->n = start + line.n;
    if (line.n <= ENTITY_SIGNATURE_BYTES_MAX && utf8_is_valid(line)) {
        if (line.n > 0)
            b->p[b->n] = '\0';
        return;
    }
    AUTO(free) char *raw = str_dup(line);
    b->n = start;
    text_add_limited(b, str_slice(raw, line.n), ENTITY_SIGNATURE_BYTES_MAX);
}

bool
text_is_word(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_letter = (unsigned char)((c | 0x20) - 'a') < 26;
        if (!is_letter && (unsigned char)(c - '0') >= 10 && c != '_')
            return false;
    }
    return true;
}

/* "a" and <a>, but not `a` or `b`, which is more than one string; nor "", which needs its quotes. */
static bool
is_quoted(struct str name)
{
    if (name.n < 2 || str_trim(str_slice(name.p + 1, name.n - 2)).n == 0)
        return false;
    char quote = name.p[0];
    bool is_word = isalnum((unsigned char)name.p[1]) || strchr("_./@", name.p[1]);
    if (quote == '<' && name.p[name.n - 1] == '>' &&
        is_word) // else an operator: <=>, <$>
        return str_find_char(str_slice(name.p + 1, name.n - 2), '<') < 0;
    if (quote == '\0' || !strchr("\"'`", quote) || name.p[name.n - 1] != quote)
        return false;
    for (size_t i = 1; i + 1 < name.n; i++) {
        if (name.p[i] == '\\' || (name.p[i] == quote && name.p[i + 1] == quote))
            i++;
        else if (name.p[i] == quote)
            return false;
    }
    return true;
}

void
text_add_name(struct buf *b, struct str name)
{
    if (is_quoted(name))
        name = str_slice(name.p + 1, name.n - 2);
    size_t start = b->n;
    text_add_limited(b, name, ENTITY_NAME_BYTES_MAX);
    size_t kept = start;
    bool was_space = true;
    for (size_t i = start; i < b->n; i++) {
        bool space = is_space(b->p[i]);
        if (!space || !was_space)
            b->p[kept++] = space ? ' ' : b->p[i];
        was_space = space;
    }
    if (kept > start && b->p[kept - 1] == ' ')
        kept--;
    b->n = kept;
    b->p[b->n] = '\0';
}

void
text_add_scope(struct buf *b, struct str scope)
{
    AUTO(buf_finish) struct buf plain = {0};
    uint32_t depth = 0;
    for (size_t i = 0; i < scope.n; i++) {
        char c = scope.p[i];
        if (c == '<')
            depth++;
        else if (c == '>')
            depth -= depth > 0;
        else if (depth > 0 || is_space(c))
            continue;
        else if (c == '"' && plain.n > 0 && i + 1 < scope.n)
            buf_add_char(&plain, '.'); // data "aws_ami"
        else if (c == '"')
            continue;
        else if (c == ':' && i + 1 < scope.n && scope.p[i + 1] == ':')
            buf_add_char(&plain, '.');
        else if (c != ':' || i == 0 || scope.p[i - 1] != ':')
            buf_add_char(&plain, c);
    }
    text_add_name(b, buf_str(&plain));
}
