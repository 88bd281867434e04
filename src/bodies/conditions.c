/* Lines that begin with #. The branches of an #if are read as if each began where the first one did.
 * Of those that open or close groups around them the first one's brackets count; in branches behind it
 * braces are only counted. Where branches are no whole statements, a parser is shown that one (or else the
 * first) only: what it makes of all of them is lost with what is around them. */
#include "bodies/internal.h"
#include "bodies/items.h"

static uint32_t
skip_spaces(const struct bodies *b, uint32_t at)
{
    while (at < b->text.n && (b->text.p[at] == ' ' || b->text.p[at] == '\t'))
        at++;
    return at;
}

static uint32_t
depth_of(const struct bodies *b)
{
    return b->is_virtual ? b->virtual_braces : b->n_braces;
}

/* A statement is under way, and not one that is a macro: NAME, NAME(…). What stands in lists of
 * constants and values is whole. */
static bool
is_unfinished(const struct bodies *b)
{
    const struct head *h = &b->head;
    const struct bracket *around = b->open.n > 0 ? &b->open.v[b->open.n - 1] : NULL;
    if (b->is_virtual || (around && around->kind == '{' &&
                          (around->is_enum || around->is_expression || around->is_macro)))
        return false;
    if (around && around->kind != '{')
        return true;
    if (h->before == BEFORE_NONE || h->before == BEFORE_COLON)
        return false;
    bool is_first = h->n_names == 1 && h->before_name == BEFORE_NONE;
    return !(h->before == BEFORE_NAME && is_first) &&
           !(h->before == BEFORE_PAREN && (is_first || h->before_name == BEFORE_PAREN));
}

static void
begin_condition(struct bodies *b, uint32_t start)
{
    if (b->conditions.n >= BODIES_CONDITION_DEPTH_MAX) {
        b->is_lost = true;
        return;
    }
    *vec_push(&b->conditions) = (struct condition){
        .start = start,
        .branch_start = b->at,
        .n_ends = b->n_ends,
        .n_blocks = b->n_blocks,
        .n_defines = b->n_defines,
        .is_in_statement = is_unfinished(b),
        .is_at_begin = b->head.before == BEFORE_NONE || b->head.before == BEFORE_COLON,
        .outer_branch = b->branch,
        .n_open = b->open.n,
        .min_open = b->open.n,
        .depth = depth_of(b),
        .end_depth = -1,
        .was_virtual = b->is_virtual,
    };
    b->branch = ++b->last_branch;
}

/* start: of the directive that ends it. */
static void
end_branch(struct bodies *b, struct condition *c, uint32_t start)
{
    bool is_first = c->end_depth < 0, is_whole = !is_unfinished(b);
    if (!b->is_virtual)
        bracket_trim(b, c->n_open);
    bool is_split = !b->is_virtual && !c->is_split &&
                    (b->open.n != c->n_open || c->min_open < c->n_open);
    if (is_first || is_split) {
        c->shown_start = c->branch_start;
        c->shown_end = start;
    }
    if (is_first) {
        c->end_depth = depth_of(b);
        c->is_unfinished = !is_whole;
    } else {
        c->is_block = c->is_block || b->n_defines > c->n_defines ||
                      (is_whole && b->n_blocks > c->n_blocks);
    }
    c->is_split = c->is_split || is_split;
    c->branch_start = b->at;
    c->n_branches++;
    c->n_blocks = b->n_blocks;
    c->n_defines = b->n_defines;
}

static void
begin_branch(struct bodies *b, uint32_t start)
{
    if (b->conditions.n == 0)
        return;
    struct condition *c = &b->conditions.v[b->conditions.n - 1];
    end_branch(b, c, start);
    if (c->is_split)
        b->is_virtual = true;
    if (b->is_virtual)
        b->virtual_braces = c->depth;
    b->branch = ++b->last_branch;
}

/* Its lines, and all branches but one. is_plain: the last branch has #define and no braces. */
static void
hide(struct bodies *b, const struct condition *c, uint32_t start, bool is_plain)
{
    bool is_within = c->is_in_statement && c->n_ends == b->n_ends;
    bool is_open = c->is_at_begin && c->is_unfinished && !c->is_block;
    if (c->was_virtual || !(c->is_split || is_within || is_open))
        return;
    *vec_push(&b->hidden) = (struct stretch){c->start, c->shown_start};
    /* } namespace a {: what may stand instead may stand behind it, too. */
    bool is_other_whole =
        is_plain && c->is_split && c->n_branches == 2 && c->end_depth == c->depth;
    uint32_t end = is_other_whole ? c->last_start : b->at;
    *vec_push(&b->hidden) = (struct stretch){c->shown_end, end};
    if (is_other_whole)
        *vec_push(&b->hidden) = (struct stretch){start, b->at};
}

static bool
is_in_gap(const struct bodies *b, struct stretch s)
{
    size_t from = 0, to = b->gaps.n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (b->gaps.v[middle].end < s.end)
            from = middle + 1;
        else
            to = middle;
    }
    return from < b->gaps.n && b->gaps.v[from].start <= s.start;
}

bool
condition_hide(struct bodies *b)
{
    bool is_hidden = false;
    for (size_t i = 0; i < b->hidden.n; i++) {
        struct stretch s = b->hidden.v[i];
        if (is_in_gap(b, s))
            continue;
        if (!is_hidden) {
            buf_reset(&b->shown);
            buf_add_str(&b->shown, b->text);
        }
        is_hidden = true;
        for (uint32_t at = s.start; at < s.end; at++)
            if (b->shown.p[at] != '\n' && b->shown.p[at] != '\r')
                b->shown.p[at] = ' ';
    }
    if (is_hidden)
        b->text = buf_str(&b->shown);
    return is_hidden;
}

static void
end_condition(struct bodies *b, uint32_t start)
{
    if (b->conditions.n == 0)
        return;
    struct condition c = b->conditions.v[b->conditions.n - 1];
    bool is_plain = b->n_blocks == c.n_blocks && b->n_defines > c.n_defines;
    uint32_t last_start = c.branch_start;
    end_branch(b, &c, start);
    c.last_start = last_start;
    hide(b, &c, start, is_plain);
    b->conditions.n--;
    if (b->conditions.n > 0) {
        struct condition *outer = &b->conditions.v[b->conditions.n - 1];
        outer->min_open = MIN(outer->min_open, c.min_open);
    }
    b->is_virtual = c.was_virtual;
    if (b->is_virtual)
        b->virtual_braces = (uint32_t)c.end_depth;
    b->branch = c.outer_branch;
}

/* To the line's end, over joined lines, comments and strings. Calls within are of conditions. */
static void
skip_line(struct bodies *b, bool has_calls)
{
    const char *p = b->text.p;
    uint32_t n = (uint32_t)b->text.n;
    while (b->at < n && p[b->at] != '\n' && !b->is_lost) {
        uint32_t at = b->at, end = at + 1;
        char next = end < n ? p[end] : '\0';
        if (p[at] == '\\' && b->syntax->has_continuations) {
            end += next == '\r' && end + 1 < n && p[end + 1] == '\n' ? 2 : 1;
        } else if (p[at] == '/' && next == '*' && b->syntax->has_continuations) {
            end = token_block_comment_end(b, at);
            b->is_lost = end == 0;
        } else if (p[at] == '/' && next == '/') {
            end = token_line_comment_end(b, at);
        } else if (p[at] == '"' || p[at] == '\'') {
            for (; end < n && p[end] != p[at] && p[end] != '\n'; end++)
                end += p[end] == '\\' && end + 1 < n && p[end + 1] != '\n';
            end = end < n && p[end] == p[at] ? end + 1 : end;
        } else if (is_word_byte((unsigned char)p[at])) {
            while (end < n && is_word_byte((unsigned char)p[end]))
                end++;
            uint32_t paren = skip_spaces(b, end);
            bool is_call = has_calls && b->n_opaque > 0 && paren < n && p[paren] == '(' &&
                           !str_eq_c(str_slice(p + at, end - at), "defined");
            if (is_call && b->calls.n < EDGE_PER_FILE_MAX)
                *vec_push(&b->calls) = (struct stretch){at, end};
        }
        b->at = MIN(MAX(end, at + 1), n);
    }
}

/* A comment in a #define ends it for the parser, which then takes the rest for code: those that
 * something of the same directive follows are left out. From `at` to b->at. */
static void
cut_inner_comments(struct bodies *b, uint32_t at)
{
    const char *p = b->text.p;
    while (at < b->at) {
        if (p[at] == '"' || p[at] == '\'') {
            char quote = p[at++];
            while (at < b->at && p[at] != quote && p[at] != '\n')
                at += p[at] == '\\' ? 2 : 1;
            at++;
            continue;
        }
        uint32_t end = p[at] == '/' && at + 1 < b->at && p[at + 1] == '*'
                           ? token_block_comment_end(b, at)
                           : 0;
        if (end == 0 || end > b->at) {
            at++;
            continue;
        }
        bool stands_apart =
            strchr(" \t", p[at - 1]) || (end < b->at && strchr(" \t\\", p[end]));
        uint32_t next = skip_spaces(b, end);
        if (next < b->at && p[next] != '\r' && stands_apart)
            *vec_push(&b->gaps) = *vec_push(&b->comments) = (struct stretch){at, end};
        at = end;
    }
}

/* A directive in a body that has nothing else to be seen is seen alone, on its line. n_gaps: there
 * were before it. */
static bool
keep_line(struct bodies *b, uint32_t hash, size_t n_gaps)
{
    uint32_t start = hash, end = b->at;
    size_t i = 0;
    while (i < b->open.n && !b->open.v[i].is_opaque)
        i++;
    while (start > 0 && (b->text.p[start - 1] == ' ' || b->text.p[start - 1] == '\t'))
        start--;
    if (i == b->open.n || b->open.v[i].is_expression || b->keeps_bodies || start == 0 ||
        b->text.p[start - 1] != '\n' || end >= b->text.n)
        return false;
    start--;
    end++;
    if (b->kept.n > 0)
        start = MAX(start, b->kept.v[b->kept.n - 1].end);
    for (; n_gaps < b->gaps.n; n_gaps++) {
        *vec_push(&b->kept) = (struct stretch){start, b->gaps.v[n_gaps].start};
        start = b->gaps.v[n_gaps].end;
    }
    *vec_push(&b->kept) = (struct stretch){start, end};
    return true;
}

void
condition_line(struct bodies *b)
{
    uint32_t hash = b->at - 1, start = b->at = skip_spaces(b, b->at);
    while (b->at < b->text.n && is_word_byte((unsigned char)b->text.p[b->at]))
        b->at++;
    struct str word = str_slice(b->text.p + start, b->at - start);
    bool is_if = str_starts_with(word, STR("if"));
    bool is_else = str_starts_with(word, STR("el"));
    skip_line(b, is_if || is_else);
    if (is_if)
        begin_condition(b, hash);
    else if (is_else)
        begin_branch(b, hash);
    else if (str_eq_c(word, "endif"))
        end_condition(b, hash);
    else if (str_eq_c(word, "define") || str_eq_c(word, "include") ||
             str_eq_c(word, "import") || str_eq_c(word, "include_next")) {
        size_t n_gaps = b->gaps.n;
        b->n_ends++;
        b->n_defines++;
        if (!item_directive(b, hash, word) && str_eq_c(word, "define") &&
            b->syntax->has_macros && !b->is_lost)
            cut_inner_comments(b, start);
        if (!keep_line(b, hash, n_gaps))
            bracket_taint(b); // an entity, an edge
    }
}
