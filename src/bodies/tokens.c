/* Where comments, strings and numbers end. Each function looks at the bytes of its own token only
 * (and is called once for each), so that the whole stays linear; what does not end says so. */
#include "bodies/internal.h"

#define DELIMITER_BYTES_MAX 16 // of a C++ raw string

static const char *
find(const struct bodies *b, uint32_t at, char c)
{
    return at < b->text.n ? memchr(b->text.p + at, c, b->text.n - at) : NULL;
}

static char
byte_at(const struct bodies *b, size_t at)
{
    return at < b->text.n ? b->text.p[at] : '\0';
}

uint32_t
token_line_comment_end(const struct bodies *b, uint32_t at)
{
    for (;;) {
        const char *end = find(b, at, '\n');
        if (!end)
            return (uint32_t)b->text.n;
        at = (uint32_t)(end - b->text.p);
        bool is_joined = b->syntax->has_continuations &&
                         (byte_at(b, at - 1) == '\\' ||
                          (byte_at(b, at - 1) == '\r' && byte_at(b, at - 2) == '\\'));
        if (!is_joined)
            return at;
        at++;
    }
}

uint32_t
token_block_comment_end(const struct bodies *b, uint32_t at)
{
    uint32_t depth = 1;
    for (at += 2; at < b->text.n; at++) {
        if (!b->syntax->has_nested_comments) {
            const char *star = find(b, at, '*');
            if (!star)
                return 0;
            at = (uint32_t)(star - b->text.p);
        }
        char c = b->text.p[at], next = byte_at(b, at + 1u);
        if (c == '*' && next == '/') {
            if (--depth == 0)
                return at + 2;
            at++;
        } else if (c == '/' && next == '*' && b->syntax->has_nested_comments) {
            depth++;
            at++;
        }
    }
    return 0;
}

/* """ … """, with more quotes around it where there are more in front (C#). */
static uint32_t
text_block_end(const struct bodies *b, uint32_t at, bool has_escapes)
{
    uint32_t quotes = 0, run = 0;
    while (byte_at(b, at + quotes) == '"')
        quotes++;
    if (has_escapes)
        quotes = 3;
    for (at += quotes; at < b->text.n; at++) {
        char c = b->text.p[at];
        run = c == '"' ? run + 1 : 0;
        if (c == '\\' && has_escapes)
            at++;
        else if (run == quotes)
            return at + 1;
    }
    return 0;
}

uint32_t
token_string_end(const struct bodies *b, uint32_t at)
{
    if (b->syntax->has_text_blocks && byte_at(b, at + 1u) == '"' &&
        byte_at(b, at + 2u) == '"')
        return text_block_end(b, at, b->syntax->raw != RAW_CSHARP);
    for (at++; at < b->text.n; at++) {
        char c = b->text.p[at];
        if (c == '"')
            return at + 1;
        if (c == '\n' && !b->syntax->has_long_strings)
            return at; // nobody closed it: it ends with its line
        if (c == '\\') {
            at++;
            if (byte_at(b, at) == '\r' && byte_at(b, at + 1u) == '\n')
                at++;
        }
    }
    return b->syntax->has_long_strings ? 0 : (uint32_t)b->text.n;
}

/* 'x' '\n' '\u{1F600}'; what nobody closed ends with its line. */
uint32_t
token_tick_end(const struct bodies *b, uint32_t at)
{
    uint32_t from = at + 1;
    if (b->syntax->has_lifetimes) {
        uint32_t next = from + 1;
        while ((byte_at(b, next) & 0xC0) == 0x80)
            next++; // one character, however long
        if (byte_at(b, from) != '\\' && byte_at(b, next) != '\'')
            return from;
    }
    for (at = from; at < b->text.n && b->text.p[at] != '\n'; at++) {
        if (b->text.p[at] == '\'')
            return at + 1;
        if (b->text.p[at] == '\\')
            at++;
    }
    return MIN(at, (uint32_t)b->text.n);
}

uint32_t
token_backtick_end(const struct bodies *b, uint32_t at)
{
    const char *end = find(b, at + 1, '`');
    return end ? (uint32_t)(end - b->text.p) + 1 : 0;
}

uint32_t
token_number_end(const struct bodies *b, uint32_t at)
{
    for (; at < b->text.n; at++) {
        unsigned char c = (unsigned char)b->text.p[at];
        if (is_word_byte(c))
            continue;
        bool joins = c == '.' || (c == '\'' && b->syntax->has_continuations);
        unsigned char next = (unsigned char)byte_at(b, at + 1u);
        if (!joins || !is_word_byte(next) || (c == '.' && (next < '0' || next > '9')))
            break;
    }
    return at;
}

/* R"delimiter( … )delimiter" */
static uint32_t
cpp_raw_end(const struct bodies *b, uint32_t quote)
{
    char closing[DELIMITER_BYTES_MAX + 2];
    uint32_t n = 1, at = quote + 1;
    closing[0] = ')';
    while (byte_at(b, at) != '(') {
        if (n > DELIMITER_BYTES_MAX || at >= b->text.n ||
            strchr(" )\\\n\"", b->text.p[at]))
            return UINT32_MAX;
        closing[n++] = b->text.p[at++];
    }
    closing[n++] = '"';
    const char *end = memmem(b->text.p + at, b->text.n - at, closing, n);
    return end ? (uint32_t)(end - b->text.p) + n : 0;
}

/* r#" … "# */
static uint32_t
rust_raw_end(const struct bodies *b, uint32_t at)
{
    uint32_t hashes = 0, run;
    while (byte_at(b, at) == '#') {
        hashes++;
        at++;
    }
    if (byte_at(b, at) != '"')
        return UINT32_MAX; // r#name
    for (at++; at < b->text.n; at++) {
        const char *end = find(b, at, '"');
        if (!end)
            return 0;
        at = (uint32_t)(end - b->text.p);
        for (run = 0; run < hashes && byte_at(b, at + run + 1u) == '#'; run++)
            ;
        if (run == hashes)
            return at + run + 1;
        at += run; // these were looked at
    }
    return 0;
}

/* $"a{b}c": code within braces, which may hold strings, which may hold no further such string. */
static uint32_t
interpolated_end(const struct bodies *b, uint32_t at, bool is_verbatim)
{
    uint32_t depth = 0;
    for (at++; at < b->text.n; at++) {
        char c = b->text.p[at], next = byte_at(b, at + 1u);
        if (c == '\n' && !is_verbatim && depth == 0)
            return 0;
        if (depth == 0) {
            if ((c == '{' && next == '{') || (c == '"' && next == '"' && is_verbatim) ||
                (c == '\\' && !is_verbatim))
                at++;
            else if (c == '"')
                return at + 1;
            else if (c == '{')
                depth = 1;
        } else if (c == '{') {
            depth++;
        } else if (c == '}') {
            depth--;
        } else if (c == '"') {
            if (byte_at(b, at - 1) == '$' || byte_at(b, at - 1) == '@')
                return 0;
            at = token_string_end(b, at);
            if (at == 0)
                return 0;
            at--;
        } else if (c == '\'') {
            at = token_tick_end(b, at) - 1;
        }
    }
    return 0;
}

static uint32_t
csharp_end(const struct bodies *b, uint32_t prefix, uint32_t quote)
{
    bool has_holes = false, is_verbatim = false;
    for (uint32_t i = prefix; i < quote; i++) {
        has_holes = has_holes || b->text.p[i] == '$';
        is_verbatim = is_verbatim || b->text.p[i] == '@';
    }
    if (byte_at(b, quote) != '"')
        return UINT32_MAX;
    if (!is_verbatim && byte_at(b, quote + 1u) == '"' && byte_at(b, quote + 2u) == '"')
        return text_block_end(b, quote, false);
    if (has_holes)
        return interpolated_end(b, quote, is_verbatim);
    for (uint32_t at = quote + 1; at < b->text.n; at++) {
        if (b->text.p[at] != '"')
            continue;
        if (byte_at(b, at + 1u) != '"')
            return at + 1;
        at++;
    }
    return 0;
}

uint32_t
token_prefixed_end(const struct bodies *b, uint32_t prefix, uint32_t quote)
{
    struct str word = str_slice(b->text.p + prefix, quote - prefix);
    switch (b->syntax->raw) {
    case RAW_NONE: break;
    case RAW_CPP:
        if (word.p[word.n - 1] == 'R' && (word.n == 1 || str_eq_c(word, "u8R") ||
                                          (word.n == 2 && strchr("uUL", word.p[0]))))
            return cpp_raw_end(b, quote);
        break;
    case RAW_RUST:
        if (word.p[word.n - 1] == 'r' && word.n <= 2)
            return rust_raw_end(b, quote);
        break;
    case RAW_CSHARP: return csharp_end(b, prefix, quote);
    }
    return UINT32_MAX;
}
