/* Lines that begin with #. The branches of an #if are read as if each began where the first one did:
 * the first one's brackets count. Branches after a first one that opened or closed groups are read
 * with braces counted only; if such a count differs from the first one's, the text is lost. */
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

static void
begin_condition(struct bodies *b)
{
    if (b->conditions.n >= BODIES_CONDITION_DEPTH_MAX) {
        b->is_lost = true;
        return;
    }
    *vec_push(&b->conditions) = (struct condition){
        .outer_branch = b->branch,
        .n_open = b->open.n,
        .min_open = b->open.n,
        .depth = depth_of(b),
        .end_depth = -1,
        .was_virtual = b->is_virtual,
    };
    b->branch = ++b->last_branch;
}

static void
end_branch(struct bodies *b, struct condition *c)
{
    if (!b->is_virtual)
        bracket_trim(b, c->n_open);
    if (c->end_depth < 0)
        c->end_depth = depth_of(b);
    else if (c->end_depth != depth_of(b))
        b->is_lost = true;
}

static void
begin_branch(struct bodies *b)
{
    if (b->conditions.n == 0)
        return;
    struct condition *c = &b->conditions.v[b->conditions.n - 1];
    end_branch(b, c);
    if (b->open.n != c->n_open || c->min_open < c->n_open)
        b->is_virtual = true;
    if (b->is_virtual)
        b->virtual_braces = c->depth;
    b->branch = ++b->last_branch;
}

static void
end_condition(struct bodies *b)
{
    if (b->conditions.n == 0)
        return;
    struct condition c = b->conditions.v[b->conditions.n - 1];
    end_branch(b, &c);
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
        begin_condition(b);
    else if (is_else)
        begin_branch(b);
    else if (str_eq_c(word, "endif"))
        end_condition(b);
    else if (str_eq_c(word, "define") || str_eq_c(word, "include") ||
             str_eq_c(word, "import") || str_eq_c(word, "include_next")) {
        bracket_taint(b); // an entity, an edge
        if (!item_directive(b, hash, word) && str_eq_c(word, "define") &&
            b->syntax->has_macros && !b->is_lost)
            cut_inner_comments(b, start);
    }
}
