/* The one pass over the bytes: what stands where, and what the statement so far says of the braces
 * that may follow. Invariant: b->at only rises, and every token's end is found by looking at its own
 * bytes, so that the time is linear in the text. */
#include "bodies/internal.h"
#include "bodies/items.h"

static uint8_t
word_hash(struct str word)
{
    return (uint8_t)((unsigned char)word.p[0] * 7u +
                     (unsigned char)word.p[word.n - 1] * 31u + (unsigned)word.n * 59u);
}

static void
set_classes(uint8_t classes[256], const struct bodies_syntax *syntax)
{
    for (unsigned c = 0; c < 256; c++)
        classes[c] = is_word_byte((unsigned char)c) ? BYTE_LETTER : BYTE_OTHER;
    for (unsigned c = '0'; c <= '9'; c++)
        classes[c] = BYTE_DIGIT;
    classes[' '] = classes['\t'] = classes['\r'] = classes['\f'] = classes['\v'] =
        BYTE_SPACE;
    classes['\n'] = BYTE_NEWLINE;
    classes['"'] = BYTE_QUOTE;
    classes['\''] = BYTE_TICK;
    classes['/'] = BYTE_SLASH;
    classes['('] = classes['['] = classes['{'] = BYTE_OPEN;
    classes[')'] = classes[']'] = classes['}'] = BYTE_CLOSE;
    classes[';'] = BYTE_SEMICOLON;
    classes['='] = BYTE_EQUALS;
    if (syntax->has_backticks)
        classes['`'] = BYTE_BACKTICK;
    if (syntax->has_directives)
        classes['#'] = BYTE_HASH;
    if (syntax->raw == RAW_CSHARP)
        classes['@'] = classes['$'] = BYTE_STRING_MARK;
}

void
bodies_set_syntax(struct bodies *b, const struct bodies_syntax *syntax)
{
    if (b->syntax == syntax)
        return;
    b->syntax = syntax;
    set_classes(b->classes, syntax);
    memset(b->word_slots, 0, sizeof(b->word_slots));
    for (size_t i = 0; syntax->words[i].text; i++) {
        uint8_t at = word_hash(str_of(syntax->words[i].text));
        while (b->word_slots[at] != 0)
            at++;
        b->word_slots[at] = (uint8_t)(i + 1);
        b->word_bytes[at] = (uint8_t)strlen(syntax->words[i].text);
    }
}

enum word
bodies_word(const struct bodies *b, struct str text)
{
    for (uint8_t at = word_hash(text); b->word_slots[at] != 0; at++) {
        if (b->word_bytes[at] != text.n)
            continue;
        const struct word_row *row = &b->syntax->words[b->word_slots[at] - 1];
        if (memcmp(text.p, row->text, text.n) == 0)
            return row->word;
    }
    return WORD_NAME;
}

/* What may stand between < and > of a name's arguments. */
#define GENERIC_TOKENS                                                                   \
    (1u << BEFORE_NAME | 1u << BEFORE_STRING | 1u << BEFORE_BRACKET |                    \
     1u << BEFORE_ANGLE | 1u << BEFORE_GENERIC | 1u << BEFORE_STAR | 1u << BEFORE_DOT |  \
     1u << BEFORE_COMMA)

static void
set_before(struct bodies *b, enum before before)
{
    b->head.before = (uint8_t)before;
    if (!(1u << before & GENERIC_TOKENS))
        b->head.generic.depth = 0;
}

static bool
is_at_line_begin(const struct bodies *b, uint32_t at)
{
    const struct stretch *last =
        b->comments.n > 0 ? &b->comments.v[b->comments.n - 1] : NULL;
    while (at > 0 && (b->text.p[at - 1] == ' ' || b->text.p[at - 1] == '\t'))
        at--;
    if (at > 0 && last && last->end == at && b->text.p[at - 1] == '/')
        return true; // a comment before a directive: nobody writes code there, too
    return at == 0 || b->text.p[at - 1] == '\n';
}

/* What may be left out must not join the tokens around it. */
static void
add_comment(struct bodies *b, uint32_t start, uint32_t end)
{
    *vec_push(&b->comments) = (struct stretch){start, end};
    if (b->item.level != LEVEL_NONE && b->item.start == ITEM_NONE && !b->is_virtual) {
        item_comment(b, start, end);
        return;
    }
    bool stands_apart = start == 0 || end == b->text.n ||
                        strchr(" \t\r\n", b->text.p[start - 1]) ||
                        strchr(" \t\r\n", b->text.p[end]);
    if (stands_apart && !b->syntax->keeps_comments && !b->keeps_bodies)
        *vec_push(&b->gaps) = (struct stretch){start, end};
}

/* Goes on behind a token that ends at `end`; 0: nothing ends it. */
static void
go_to(struct bodies *b, uint32_t end)
{
    if (end == 0)
        b->is_lost = true;
    else
        b->at = MIN(end, (uint32_t)b->text.n);
}

static void
read_string(struct bodies *b, uint32_t end)
{
    go_to(b, end);
    set_before(b, BEFORE_STRING);
}

static void
read_slash(struct bodies *b)
{
    uint32_t at = b->at;
    char next = at + 1u < b->text.n ? b->text.p[at + 1u] : '\0';
    uint32_t end = next == '/'   ? token_line_comment_end(b, at)
                   : next == '*' ? token_block_comment_end(b, at)
                                 : at + 1;
    go_to(b, end);
    if (b->is_lost)
        return;
    if (next == '/' || next == '*')
        add_comment(b, at, end);
    else
        set_before(b, BEFORE_OTHER);
}

static void
read_name(struct bodies *b, uint32_t start, uint32_t end, bool is_callable)
{
    struct head *h = &b->head;
    if (h->before == BEFORE_FUNCTION) {
        h->has_function = true;
        bracket_taint(b);
    }
    if (h->is_record && h->before == BEFORE_AGGREGATE) {
        h->has_scope = true;
        bracket_taint(b);
    }
    if (h->before != BEFORE_DOT && h->n_names < 2)
        h->n_names++;
    call_by_reference(b, start);
    h->before_name = h->before;
    h->name_start = start;
    h->name_end = end;
    h->last_is_callable = is_callable;
    h->before = BEFORE_NAME;
}

/* What is no type. */
static void
read_modifier(struct bodies *b, uint32_t start)
{
    uint8_t n_names = b->head.n_names;
    read_name(b, start, b->at, false);
    b->head.n_names = n_names;
}

static void
read_known_word(struct bodies *b, enum word word, uint32_t start)
{
    struct head *h = &b->head;
    bool is_constraint = b->syntax->has_constraints &&
                         (h->before == BEFORE_COLON || h->before == BEFORE_COMMA);
    switch (word) {
    case WORD_NAME: break;
    case WORD_DEFINES:
        bracket_taint(b);
        read_modifier(b, start);
        break;
    case WORD_CLASS:
    case WORD_ENUM:
        if (!is_constraint) {
            h->has_scope = true;
            h->is_enum = word == WORD_ENUM;
            bracket_taint(b);
        }
        read_name(b, start, b->at, false);
        break;
    case WORD_RECORD:
        h->is_record = true;
        set_before(b, BEFORE_AGGREGATE);
        break;
    case WORD_AGGREGATE:
        h->has_aggregate = h->had_aggregate = true;
        h->is_enum = h->is_enum || b->text.p[start] == 'e';
        h->angles = 0;
        set_before(b, BEFORE_AGGREGATE);
        break;
    case WORD_SCOPE:
        h->has_scope = true;
        set_before(b, BEFORE_OTHER);
        break;
    case WORD_FUNCTION:
        /* Where functions have no names of their own within others (Go), the word says all. */
        h->has_function = h->has_function || b->syntax->has_newline_ends;
        set_before(b, b->syntax->has_newline_ends ? BEFORE_OTHER : BEFORE_FUNCTION);
        break;
    case WORD_NEW:
        h->has_new = true;
        set_before(b, BEFORE_OTHER);
        break;
    case WORD_ATTRIBUTE: set_before(b, BEFORE_ATTRIBUTE); break;
    case WORD_BLOCK: set_before(b, BEFORE_BLOCK); break;
    case WORD_CONTROL:
        call_begin_guard(b);
        set_before(b, BEFORE_CONTROL);
        break;
    case WORD_PATTERN:
        call_begin_pattern(b);
        h->has_pattern = true;
        set_before(b, BEFORE_CONTROL);
        break;
    case WORD_PRIMITIVE:
    case WORD_SIZE: {
        bool has_name = h->n_names > 1;
        read_name(b, start, b->at, false);
        h->n_names = has_name ? 2 : 1; // unsigned long is one type
        break;
    }
    case WORD_TEMPLATE: h->is_template = true; // fall through
    case WORD_TYPE:
    case WORD_STORAGE:
    case WORD_CONSTANT:
    case WORD_OPERATOR: read_modifier(b, start); break;
    case WORD_VALUE: set_before(b, BEFORE_VALUE); break;
    }
}

/* One that stands alone, with a blank line behind it, is no part of a statement. */
static void
cut_macro(struct bodies *b, uint32_t start, uint32_t end)
{
    unsigned newlines = 0;
    *vec_push(&b->gaps) = *vec_push(&b->cuts) = (struct stretch){start, end};
    b->at = end;
    for (; end < b->text.n && strchr(" \t\r\n", b->text.p[end]); end++)
        newlines += b->text.p[end] == '\n';
    if (newlines > 1 && b->item.start == start)
        b->item.start = ITEM_NONE;
}

static void
read_word(struct bodies *b)
{
    const unsigned char *p = (const unsigned char *)b->text.p;
    uint32_t start = b->at, at = start + 1, end_at = (uint32_t)b->text.n;
    while (at < end_at && is_word_class(b->classes[p[at]]))
        at++;
    b->at = at;
    if (b->syntax->raw != RAW_NONE && at < b->text.n && (p[at] == '"' || p[at] == '#')) {
        uint32_t end = token_prefixed_end(b, start, at);
        if (end != UINT32_MAX) {
            read_string(b, end);
            return;
        }
    }
    enum word word = b->head.before == BEFORE_DOT
                         ? WORD_NAME
                         : bodies_word(b, str_slice(b->text.p + start, at - start));
    uint32_t cut = word == WORD_NAME && b->syntax->has_macros && b->n_opaque == 0
                       ? macro_end(b, start, at)
                       : 0;
    if (cut != 0) {
        cut_macro(b, start, cut);
        return;
    }
    if (word == WORD_NAME)
        read_name(b, start, at, true);
    else
        read_known_word(b, word, start);
}

static void
read_marked_string(struct bodies *b)
{
    uint32_t start = b->at, quote = start;
    while (quote < b->text.n &&
           b->classes[(unsigned char)b->text.p[quote]] == BYTE_STRING_MARK)
        quote++;
    uint32_t end = token_prefixed_end(b, start, quote);
    if (end != UINT32_MAX) {
        read_string(b, end);
        return;
    }
    b->at = quote;
    set_before(b, BEFORE_OTHER);
}

static void
end_statement(struct bodies *b)
{
    begin_statement(b);
    b->n_ends++;
    if (b->open.n > 0)
        b->open.v[b->open.n - 1].is_enum =
            false; // its constants end with the first semicolon
}

/* A line's end is one of a statement behind what may end one; within parentheses never. */
static void
read_newline(struct bodies *b)
{
    b->at++;
    if (!b->syntax->has_newline_ends ||
        (b->open.n > 0 && b->open.v[b->open.n - 1].kind != '{'))
        return;
    switch ((enum before)b->head.before) {
    case BEFORE_NAME:
    case BEFORE_STRING:
    case BEFORE_PAREN:
    case BEFORE_BRACKET:
    case BEFORE_BRACE: end_statement(b); break;
    case BEFORE_NONE:
    case BEFORE_CONTROL:
    case BEFORE_AGGREGATE:
    case BEFORE_FUNCTION:
    case BEFORE_ATTRIBUTE:
    case BEFORE_BLOCK:
    case BEFORE_VALUE:
    case BEFORE_ASSIGN:
    case BEFORE_ARROW:
    case BEFORE_ANGLE:
    case BEFORE_GENERIC:
    case BEFORE_STAR:
    case BEFORE_DOT:
    case BEFORE_COLON:
    case BEFORE_COMMA:
    case BEFORE_BANG:
    case BEFORE_OTHER: break;
    }
}

/* Name(…) => : a pattern, no calls; F(int x) => : a function of its own within the one around it. */
static void
read_arrow(struct bodies *b)
{
    struct head *h = &b->head;
    if (b->syntax->has_macro_bang)
        call_end_pattern(b);
    if (h->before == BEFORE_PAREN && h->params_are_declared && b->n_opaque > 0)
        bracket_taint(b);
    b->at += 2;
    set_before(b, BEFORE_ARROW);
}

static void
read_equals(struct bodies *b)
{
    char next = b->at + 1u < b->text.n ? b->text.p[b->at + 1u] : '\0';
    if (next == '>') {
        read_arrow(b);
    } else if (next == '=') {
        b->at += 2;
        set_before(b, BEFORE_OTHER);
    } else {
        b->at++;
        b->head.has_assign = true;
        b->head.has_new = false;
        if (b->head.has_pattern)
            call_end_pattern(b);
        b->head.has_pattern = false;
        set_before(b, BEFORE_ASSIGN);
    }
}

/* template<class T = int>: nothing in it is of the head. */
static void
read_template_angle(struct head *h, char c)
{
    if (c == '<' && (h->is_template || h->template_depth > 0)) {
        h->is_template = false;
        h->template_depth++;
    } else if (c == '>' && h->template_depth > 0 && --h->template_depth == 0) {
        h->n_names = 0;
        h->has_assign = false;
    }
}

static void
read_angle(struct bodies *b, char c)
{
    struct head *h = &b->head;
    read_template_angle(h, c);
    if (h->has_aggregate && c == '<') {
        h->angles++;
    } else if (h->has_aggregate && c == '>') {
        /* template<class T>: the word was of the parameters. */
        if (h->angles == 0)
            h->has_aggregate = h->had_aggregate = false;
        else
            h->angles--;
    }
    b->at++;
    if (c == '<') {
        generic_open(b);
        h->before = BEFORE_OTHER;
    } else {
        h->before = BEFORE_ANGLE;
        generic_close(b);
    }
}

static void
read_colon(struct bodies *b)
{
    struct head *h = &b->head;
    if (b->at + 1u < b->text.n && b->text.p[b->at + 1u] == ':') {
        b->at += 2;
        set_before(b, BEFORE_DOT);
        return;
    }
    if (b->syntax->has_colon_lists && h->has_params)
        h->has_colon = true;
    b->at++;
    set_before(b, BEFORE_COLON);
}

static void
read_other(struct bodies *b)
{
    char c = b->text.p[b->at];
    char next = b->at + 1u < b->text.n ? b->text.p[b->at + 1u] : '\0';
    if (c == ':') {
        read_colon(b);
        return;
    }
    if (c == '-' && next == '>') {
        b->at += 2;
        set_before(b, b->syntax->has_anonymous_classes ? BEFORE_ARROW : BEFORE_DOT);
        return;
    }
    if (next == '=' && c != '\\' && c != ',' && c != '.') { // += <= != …
        b->at += 2;
        set_before(b, BEFORE_OTHER);
        return;
    }
    if (c == '<' || c == '>') {
        read_angle(b, c);
        return;
    }
    if (c == '&' && next == '&')
        b->head.generic.depth = 0; // a < b && c > (d)
    b->at++;
    if (c == ',' && b->item.level == LEVEL_ENUM)
        item_end(b, b->at);
    if (c == '\\' || c == '\0')
        return;
    b->head.has_bang = b->head.has_bang || (c == '!' && b->head.before == BEFORE_NAME &&
                                            b->syntax->has_macro_bang);
    if (c == ',' && b->syntax->has_macro_bang) {
        call_begin_pattern(b);
        b->head.has_assign = false; // enum { A = 1, B { … } }
    }
    bool is_attribute =
        c == '#' || (c == '@' && b->syntax->has_at_attributes); // where # is no directive
    set_before(b, c == '.'                           ? BEFORE_DOT
                  : is_attribute                     ? BEFORE_ATTRIBUTE
                  : c == ','                         ? BEFORE_COMMA
                  : c == '!'                         ? BEFORE_BANG
                  : c == '*' || c == '&' || c == '?' ? BEFORE_STAR
                                                     : BEFORE_OTHER);
}

static void
skip_blanks(struct bodies *b)
{
    const char *p = b->text.p;
    uint32_t at = b->at + 1, end = (uint32_t)b->text.n;
    while (at < end && (p[at] == ' ' || p[at] == '\t'))
        at++;
    b->at = at;
}

static void
read_token(struct bodies *b)
{
    char c = b->text.p[b->at];
    enum byte_class class = (enum byte_class)b->classes[(unsigned char)c];
    if (class >= BYTE_OTHER && b->item.start == ITEM_NONE)
        item_begin(b);
    switch (class) {
    case BYTE_SPACE: skip_blanks(b); break;
    case BYTE_NEWLINE: read_newline(b); break;
    case BYTE_LETTER: read_word(b); break;
    case BYTE_DIGIT:
        b->at = token_number_end(b, b->at);
        set_before(b, BEFORE_STRING);
        break;
    case BYTE_QUOTE: read_string(b, token_string_end(b, b->at)); break;
    case BYTE_TICK: read_string(b, token_tick_end(b, b->at)); break;
    case BYTE_BACKTICK: read_string(b, token_backtick_end(b, b->at)); break;
    case BYTE_STRING_MARK: read_marked_string(b); break;
    case BYTE_SLASH: read_slash(b); break;
    case BYTE_HASH:
        b->at++;
        if (is_at_line_begin(b, b->at - 1))
            condition_line(b);
        else
            set_before(b, BEFORE_OTHER);
        break;
    case BYTE_OPEN:
        bracket_open(b, c);
        b->at++;
        break;
    case BYTE_CLOSE:
        bracket_close(b, c);
        b->at++;
        break;
    case BYTE_SEMICOLON:
        end_statement(b);
        b->at++;
        if (b->item.level != LEVEL_NONE)
            item_end(b, b->at);
        break;
    case BYTE_EQUALS: read_equals(b); break;
    case BYTE_OTHER: read_other(b); break;
    }
}

void
bodies_run(struct bodies *b)
{
    while (!b->is_lost && b->at < b->text.n)
        read_token(b);
    bracket_trim(b, 0);
    if (b->open.n > 0)
        b->is_lost = true;
}
