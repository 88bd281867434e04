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

/* //go:noinline, //nolint:all, {-# INLINE f #-}: for a tool, no text. */
static bool
is_directive(struct str comment)
{
    size_t i = 2;
    if (str_starts_with(comment, STR("{-#")))
        return true;
    if (!str_starts_with(comment, STR("//")))
        return false;
    while (i < comment.n && comment.p[i] >= 'a' && comment.p[i] <= 'z')
        i++;
    return i > 2 && i + 1 < comment.n && comment.p[i] == ':' && comment.p[i + 1] >= 'a' &&
           comment.p[i + 1] <= 'z';
}

/* How comments begin and, those of several lines, end; the longest opening of a kind first. */
static const struct {
    const char *opening, *closing; // NULL: to the end of the line
    bool is_starred;               // a star may begin each line
} marks[] = {
    {"<!--", "-->", false},    {"/**<", "*/", true},  {"/*!<", "*/", true},
    {"/**", "*/", true},       {"/*!", "*/", true},   {"/*", "*/", true},
    {"///<", NULL, false},     {"//!<", NULL, false}, {"///", NULL, false},
    {"//!", NULL, false},      {"//", NULL, false},   {"(**", "*)", true},
    {"(*", "*)", true},        {"{-", "-}", false},   {"#=", "=#", false},
    {"=begin", "=end", false},
};

/* --[[ … ]] and --[==[ … ]==] are of several lines, another -- is of one. */
static struct str
strip_dashes(struct str c, bool *ret_is_block)
{
    size_t level = 3;
    while (level < c.n && c.p[level] == '=')
        level++;
    *ret_is_block = c.n > level && c.p[2] == '[' && c.p[level] == '[';
    if (*ret_is_block) {
        size_t closing = level - 1; // ]==]
        c = drop(c, level + 1);
        c.n -= c.n >= closing && c.p[c.n - 1] == ']' ? closing : 0;
        return c;
    }
    while (c.n > 0 && c.p[0] == '-')
        c = drop(c, 1);
    return c;
}

static struct str
strip_marks(struct str c, bool *ret_is_block, bool *ret_is_starred)
{
    *ret_is_block = *ret_is_starred = false;
    if (str_starts_with(c, STR("/**/")) || str_eq_c(c, "(**)") || str_eq_c(c, "(**/**)"))
        return STR_NONE;
    if (str_starts_with(c, STR("--")))
        return strip_dashes(c, ret_is_block);
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        struct str closing = str_of(marks[i].closing ? marks[i].closing : "");
        size_t opening_n = strlen(marks[i].opening);
        if (!str_starts_with(c, str_of(marks[i].opening)))
            continue;
        bool is_closed = c.n >= opening_n + closing.n && str_ends_with(c, closing);
        if (!is_closed && c.p[0] == '#')
            break; // #=== is a line of many languages
        *ret_is_block = closing.n > 0;
        *ret_is_starred = marks[i].is_starred;
        c = drop(c, opening_n);
        c.n -= is_closed ? closing.n : 0;
        return c;
    }
    while (c.n > 0 && c.p[0] == '#')
        c = drop(c, 1);
    return c;
}

/* "-- | what follows", "{-^ what was before": the sign is no text. */
static struct str
strip_sign(struct str comment, struct str rest)
{
    size_t n = indent_of(rest);
    bool has_signs =
        str_starts_with(comment, STR("--")) || str_starts_with(comment, STR("{-"));
    if (has_signs && n < rest.n && (rest.p[n] == '|' || rest.p[n] == '^'))
        return drop(rest, n + 1);
    return rest;
}

static void add_docstring(struct buf *b, struct str s);

static void
add_comment(struct buf *b, size_t start, struct str comment)
{
    if (comment.n > 0 && (comment.p[0] == '"' || comment.p[0] == '@')) {
        add_docstring(b, comment); // the query calls it a comment
        return;
    }
    if (is_directive(comment))
        return;
    if (comment.n > 0 && comment.p[0] >= 'A' && comment.p[0] <= 'Z')
        return; // a macro that lang_mask gave the parser as a comment
    bool is_block, is_starred;
    struct str rest = strip_marks(comment, &is_block, &is_starred), line;
    rest = strip_sign(comment, rest);
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
        if (is_starred && line.n > 0 && line.p[0] == '*') {
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

/* "-- ^ …", "///< …": about what stands before it. So is a comment for OCaml's tools that nothing
 * follows directly. */
static bool
points_back(struct str text, struct stretch comment)
{
    static const char *const openings[] = {"-- ^", "{- ^", "{-^", "///<",
                                           "//!<", "/**<", "/*!<"};
    struct str c = stretch_text(comment, text);
    for (size_t i = 0; i < ARRAY_LEN(openings); i++)
        if (str_starts_with(c, str_of(openings[i])))
            return true;
    if (!str_starts_with(c, STR("(** ")))
        return false;
    unsigned n_ends = 0;
    for (uint32_t at = comment.end; at < text.n && n_ends < 2; at++) {
        if (text.p[at] == '\n')
            n_ends++;
        else if (text.p[at] == '\0' || !strchr(" \t\r", text.p[at]))
            return false;
    }
    return true;
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
        if (points_back(f->text, v[i]))
            break; // with what follows it: that goes on about the same
        at = v[i].start;
    }
    return i + 1;
}

/* The comment on the line below, which says that it is about what is above, or -1. */
static ssize_t
comment_below(const struct finds *f, const struct found *d, size_t *ret_n)
{
    const struct stretch *v = f->comments.v;
    uint32_t from = d->range.end;
    size_t i = (size_t)(stretch_last_before(v, f->comments.n, from) + 1);
    while (i < f->comments.n && v[i].start < from)
        i++; // in it
    if (i == f->comments.n || !points_back(f->text, v[i]) ||
        line_ends(f->text, from, v[i].start) > 1)
        return -1;
    size_t n = 1;
    for (uint32_t bytes = 0; i + n < f->comments.n && bytes < ENTITY_DOC_BYTES_MAX; n++) {
        bytes += v[i + n].end - v[i + n].start;
        if (line_ends(f->text, v[i + n - 1].end, v[i + n].start) > 1 ||
            f->text.p[v[i].start] == '(' || !is_first_on_line(f->text, v[i + n].start))
            break;
    }
    *ret_n = n;
    return (ssize_t)i;
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

static ssize_t
comments_behind(const struct finds *f, const struct found *d, size_t *ret_n)
{
    ssize_t i = comment_behind(f, d);
    *ret_n = 1;
    return i >= 0 ? i : comment_below(f, d, ret_n);
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
    size_t n_behind = 0;
    uint32_t anchor = anchor_of(f, d);
    ssize_t end, i = comments_above(f, anchor, &end);
    ssize_t string = -1;
    d->extent = d->range;
    if (i < end && anchor == d->range.start)
        d->extent.start = comments[i].start;
    if (!stretch_is_empty(d->body))
        string = stretch_last_before(f->docs.v, f->docs.n, d->body.start) + 1;
    if (!stretch_is_empty(d->doc)) {
        add_docstring(&raw, stretch_text(d->doc, f->text));
    } else if (string >= 0 && string < (ssize_t)f->docs.n &&
               f->docs.v[string].start == d->body.start) {
        add_docstring(&raw, stretch_text(f->docs.v[string], f->text));
    } else if (i < end) {
        for (; i < end; i++)
            add_comment(&raw, 0, stretch_text(comments[i], f->text));
    } else if ((i = comments_behind(f, d, &n_behind)) >= 0) {
        for (size_t n = 0; n < n_behind; n++)
            add_comment(&raw, 0, stretch_text(comments[(size_t)i + n], f->text));
        d->extent.end = MAX(d->extent.end, comments[(size_t)i + n_behind - 1].end);
    }
    struct str doc = trim_end(str_slice(raw.p, raw.n));
    for (size_t n = 0; n < doc.n; n++)
        if (raw.p[n] == '\0')
            raw.p[n] = ' ';
    text_add_limited(b, doc, ENTITY_DOC_BYTES_MAX);
}
