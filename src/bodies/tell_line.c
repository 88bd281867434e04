/* #define and #include in the forms that nearly all have. Where the value of a macro ends is as the
 * grammar has it: at its line's, over joined lines, or before a comment. */
#include "bodies/tell.h"

static uint32_t
skip_blanks(const struct bodies *b, uint32_t at)
{
    while (at < b->at && (b->text.p[at] == ' ' || b->text.p[at] == '\t'))
        at++;
    return at;
}

static uint32_t
name_end(const struct bodies *b, uint32_t at)
{
    const unsigned char *p = (const unsigned char *)b->text.p;
    if (at >= b->at || b->classes[p[at]] != BYTE_LETTER)
        return at;
    while (at < b->at && is_word_byte(p[at]) && p[at] < 0x80)
        at++;
    return at;
}

/* Behind ( to behind ), or 0. */
static uint32_t
parameters_end(const struct bodies *b, uint32_t at)
{
    const char *p = b->text.p;
    at = skip_blanks(b, at);
    if (at < b->at && p[at] == ')')
        return at + 1;
    for (;;) {
        uint32_t start = at = skip_blanks(b, at);
        at = name_end(b, at);
        if (b->at - at > 3 && memcmp(p + at, "...", 3) == 0) // after a name: GNU's way
            at += 3;
        if (at == start)
            return 0;
        at = skip_blanks(b, at);
        if (at >= b->at || (p[at] != ',' && p[at] != ')'))
            return 0;
        if (p[at++] == ')')
            return at;
    }
}

/* Only white space and joined lines up to there. */
static uint32_t
skip_joined_blanks(const struct bodies *b, uint32_t at)
{
    const char *p = b->text.p;
    for (;;) {
        at = skip_blanks(b, at);
        if (at + 1u < b->at && p[at] == '\\' && p[at + 1u] == '\n')
            at += 2;
        else if (at + 2u < b->at && memcmp(p + at, "\\\r\n", 3) == 0)
            at += 3;
        else
            return at;
    }
}

static uint32_t
without_blanks(const struct bodies *b, uint32_t start, uint32_t end)
{
    while (end > start && strchr(" \t\r\n", b->text.p[end - 1]))
        end--;
    return end;
}

/* Notes a comment on the line; 0: it does not end there. */
static uint32_t
comment_end(struct bodies *b, uint32_t at)
{
    uint32_t end = token_block_comment_end(b, at);
    if (end == 0 || end > b->at)
        return 0;
    *vec_push(&b->comments) = (struct stretch){at, end};
    return end;
}

/* The end of the value without white space, or 0 if it is of no simple form. The grammar ends it before
 * a comment and knows no quotes; a value that goes on behind a comment is one here. */
static uint32_t
value_end(struct bodies *b, uint32_t at)
{
    const char *p = b->text.p;
    uint32_t start = at, end = b->at;
    size_t n_comments = b->comments.n;
    bool has_quotes = false;
    while (at < end) {
        const char c = p[at];
        has_quotes = has_quotes || c == '"' || c == '\'';
        if (c == '/' && at + 1 < end && p[at + 1] == '*') {
            at = has_quotes ? 0 : comment_end(b, at);
            if (at == 0) {
                b->comments.n = n_comments;
                return 0;
            }
        } else if (c == '/' && at + 1 == end) {
            return 0;
        } else {
            at += c == '\\' || c == '/' ? 2 : 1;
        }
    }
    return at > end ? 0 : without_blanks(b, start, end);
}

uint32_t
tell_define(struct bodies *b, uint32_t start, uint32_t at)
{
    const char *p = b->text.p;
    if (b->at >= b->text.n || p[b->at] != '\n')
        return 0;
    uint32_t name = skip_blanks(b, at), end = name_end(b, name);
    if (name == at || end == name)
        return 0;
    struct outline_item item = {
        .name = {name, end},
        .kind = ENTITY_MACRO,
        .is_flat = true,
    };
    bool has_parameters = p[end] == '(';
    if (has_parameters)
        end = parameters_end(b, end + 1);
    else if (!strchr(" \t\r\n", p[end]))
        return 0;
    if (end == 0)
        return 0;
    at = skip_joined_blanks(b, end);
    if (at < b->at && p[at] != '\r') {
        end = value_end(b, at);
        if (end == 0)
            return 0;
        if (has_parameters)
            item.body = (struct stretch){at, end};
    }
    item.range = (struct stretch){start, end};
    *vec_push(&b->items) = item;
    return end;
}

uint32_t
tell_include(struct bodies *b, uint32_t at)
{
    const char *p = b->text.p;
    uint32_t start = skip_blanks(b, at), end = start + 1;
    if (start >= b->at || (p[start] != '<' && p[start] != '"'))
        return 0;
    char closing = p[start] == '<' ? '>' : '"';
    while (end < b->at && p[end] != closing && p[end] != '\\')
        end++;
    if (end >= b->at || p[end] != closing || end - start < 2)
        return 0;
    uint32_t path_end = ++end;
    at = skip_blanks(b, end);
    if (at + 1u < b->at && p[at] == '/' && p[at + 1u] == '*') {
        if ((at = comment_end(b, at)) == 0)
            return 0;
        end = at;
    }
    if (without_blanks(b, at, b->at) != at)
        return 0;
    *vec_push(&b->imports) = (struct stretch){start, path_end};
    return end;
}
