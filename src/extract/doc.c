/* Doc comments without their marks. A comment documents what follows it directly: only white space
 * and one line end between, and nothing before it on its own line. */
#include "extract/text.h"

static uint32_t
line_ends(struct str text, uint32_t from, uint32_t to)
{
    uint32_t n = 0;
    for (; from < to; from++) {
        char c = text.p[from];
        if (c == '\n')
            n++;
        else if (!strchr(" \t\r\f\v", c) || c == '\0')
            return UINT32_MAX;
        if (n > 1)
            break;
    }
    return n;
}

static bool
is_first_on_line(struct str text, uint32_t at)
{
    while (at > 0 && (text.p[at - 1] == ' ' || text.p[at - 1] == '\t'))
        at--;
    return at == 0 || text.p[at - 1] == '\n' || text.p[at - 1] == '\r';
}

/* "=====", "-----": a ruler, no text. */
static bool
is_ruler(struct str line)
{
    for (size_t i = 0; i < line.n; i++)
        if (!strchr("-=*#/~_+", line.p[i]) || line.p[i] == '\0')
            return false;
    return line.n >= 3;
}

static struct str
trim_end(struct str s)
{
    while (s.n > 0 && strchr(" \t\r\n\f\v", s.p[s.n - 1]))
        s.n--;
    return s;
}

static struct str
drop(struct str s, size_t n)
{
    return str_slice(s.p + n, s.n - n);
}

static size_t
indent_of(struct str line)
{
    size_t n = 0;
    while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t'))
        n++;
    return n;
}

/* A line of doc; blank ones only between others. */
static void
add_line(struct buf *b, size_t start, struct str line)
{
    line = trim_end(line);
    if (is_ruler(str_trim(line)))
        return;
    if (b->n > start)
        buf_add_char(b, '\n');
    else if (line.n == 0)
        return;
    buf_add_str(b, line);
}

/* //go:noinline, //nolint:all: for a tool, no text. */
static bool
is_directive(struct str comment)
{
    size_t i = 2;
    if (!str_starts_with(comment, STR("//")))
        return false;
    while (i < comment.n && comment.p[i] >= 'a' && comment.p[i] <= 'z')
        i++;
    return i > 2 && i + 1 < comment.n && comment.p[i] == ':' && comment.p[i + 1] >= 'a' &&
           comment.p[i + 1] <= 'z';
}

static struct str
strip_opening(struct str c, bool *ret_is_block)
{
    static const char *const openings[] = {"/**<", "/*!<", "/**", "/*!", "/*",
                                           "///<", "//!<", "///", "//!", "//"};
    if (str_starts_with(c, STR("<!--"))) {
        *ret_is_block = true;
        c = drop(c, 4);
        return str_ends_with(c, STR("-->")) ? str_slice(c.p, c.n - 3) : c;
    }
    *ret_is_block = str_starts_with(c, STR("/*"));
    if (str_starts_with(c, STR("/**/")))
        return STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(openings); i++)
        if (str_starts_with(c, str_of(openings[i]))) {
            c = drop(c, strlen(openings[i]));
            break;
        }
    if (*ret_is_block && str_ends_with(c, STR("*/")))
        c.n -= 2;
    while (!*ret_is_block && c.n > 0 && c.p[0] == '#')
        c = drop(c, 1);
    return c;
}

static void
add_comment(struct buf *b, size_t start, struct str comment)
{
    bool is_block;
    if (is_directive(comment))
        return;
    struct str rest = strip_opening(comment, &is_block), line;
    if (!is_block) {
        add_line(b, start, indent_of(rest) > 0 ? drop(rest, 1) : rest);
        return;
    }
    bool is_first = true;
    while (str_split(&rest, '\n', &line)) {
        if (is_first) {
            if (trim_end(line).n > 0)
                add_line(b, start, drop(line, indent_of(line)));
            is_first = false;
            continue;
        }
        line = trim_end(drop(line, indent_of(line)));
        if (line.n > 0 && line.p[0] == '*') {
            line = drop(line, 1);
            if (indent_of(line) > 0)
                line = drop(line, 1);
        }
        add_line(b, start, line);
    }
}

/* The quotes and prefix off, the indentation that all lines but the first share off. */
static void
add_docstring(struct buf *b, struct str s)
{
    size_t start = b->n;
    while (s.n > 0 && s.p[0] != '"' && s.p[0] != '\'')
        s = drop(s, 1);
    size_t quotes =
        str_starts_with(s, STR("\"\"\"")) || str_starts_with(s, STR("'''")) ? 3 : 1;
    if (s.n < 2 * quotes)
        return;
    s = str_slice(s.p + quotes, s.n - 2 * quotes);
    struct str rest = s, line;
    size_t shared = SIZE_MAX;
    for (bool is_first = true; str_split(&rest, '\n', &line); is_first = false)
        if (!is_first && trim_end(line).n > 0)
            shared = MIN(shared, indent_of(line));
    rest = s;
    for (bool is_first = true; str_split(&rest, '\n', &line); is_first = false)
        add_line(b, start,
                 drop(line, is_first ? indent_of(line) : MIN(shared, indent_of(line))));
}

/* The first of the comments that stand directly above `at`; *ret_end is one past the last. */
static ssize_t
comments_above(const struct finds *f, uint32_t at, ssize_t *ret_end)
{
    const struct stretch *v = f->comments.v;
    ssize_t i = stretch_last_before(v, f->comments.n, at);
    size_t bytes = 0;
    *ret_end = i + 1;
    for (; i >= 0; i--) {
        bytes += v[i].end - v[i].start;
        if (line_ends(f->text, v[i].end, at) > 1 ||
            !is_first_on_line(f->text, v[i].start) || bytes > ENTITY_DOC_BYTES_MAX)
            break;
        if (v[i].start == 0 && str_starts_with(f->text, STR("#!")))
            break;
        at = v[i].start;
    }
    return i + 1;
}

/* int argc;  // how many: the comment behind a member on its line, or -1. */
static ssize_t
comment_behind(const struct finds *f, const struct found *d)
{
    if (d->kind != ENTITY_FIELD && d->kind != ENTITY_ENUM_MEMBER &&
        d->kind != ENTITY_PROPERTY && d->kind != ENTITY_VARIABLE &&
        d->kind != ENTITY_CONSTANT && d->kind != ENTITY_MACRO && d->kind != ENTITY_KEY &&
        d->kind != ENTITY_TARGET)
        return -1;
    /* The node of a macro or target includes it. */
    bool is_in = d->kind == ENTITY_MACRO || d->kind == ENTITY_TARGET;
    uint32_t from = is_in ? d->name.end : d->range.end;
    size_t i = (size_t)(stretch_last_before(f->comments.v, f->comments.n, from) + 1);
    if (i == f->comments.n || f->comments.v[i].start < from)
        return -1;
    for (uint32_t at = from; at < f->comments.v[i].start; at++) {
        bool is_own = at < d->range.end && f->text.p[at] != '\n';
        if (!is_own && (f->text.p[at] == '\0' || !strchr(" \t,;", f->text.p[at])))
            return -1;
    }
    return (ssize_t)i;
}

/* typedef struct job { … } job_t: what stands above documents the struct, too. */
static uint32_t
anchor_of(const struct finds *f, const struct found *d)
{
    if (d->outer == ENTITY_NONE)
        return d->range.start;
    const struct found *o = &f->defs.v[d->outer];
    bool is_type =
        d->kind == ENTITY_STRUCT || d->kind == ENTITY_UNION || d->kind == ENTITY_ENUM;
    bool is_around = o->kind == ENTITY_TYPE_ALIAS || o->kind == ENTITY_VARIABLE;
    return is_type && is_around && d->range.end <= o->name.start ? o->range.start
                                                                 : d->range.start;
}

void
text_add_doc(struct buf *b, const struct finds *f, struct found *d)
{
    AUTO(buf_finish) struct buf raw = {0};
    const struct stretch *comments = f->comments.v;
    uint32_t anchor = anchor_of(f, d);
    ssize_t end, i = comments_above(f, anchor, &end);
    ssize_t string = -1;
    d->extent = d->range;
    if (i < end && anchor == d->range.start)
        d->extent.start = comments[i].start;
    if (!stretch_is_empty(d->body))
        string = stretch_last_before(f->docs.v, f->docs.n, d->body.start) + 1;
    if (string >= 0 && string < (ssize_t)f->docs.n &&
        f->docs.v[string].start == d->body.start) {
        add_docstring(&raw, stretch_text(f->docs.v[string], f->text));
    } else if (i < end) {
        for (; i < end; i++)
            add_comment(&raw, 0, stretch_text(comments[i], f->text));
    } else if ((i = comment_behind(f, d)) >= 0) {
        add_comment(&raw, 0, stretch_text(comments[i], f->text));
        d->extent.end = MAX(d->extent.end, comments[i].end);
    }
    struct str doc = trim_end(str_slice(raw.p, raw.n));
    for (size_t n = 0; n < doc.n; n++)
        if (raw.p[n] == '\0')
            raw.p[n] = ' ';
    text_add_limited(b, doc, ENTITY_DOC_BYTES_MAX);
}
