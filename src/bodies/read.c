/* Reads a statement's own tokens once, no recursion: words, stars, a name, then parameters, bounds, a
 * value. */
#include "bodies/read.h"

static int
word_token(const struct bodies *b, struct str word)
{
    switch (bodies_word(b, word)) {
    case WORD_NAME:
        for (size_t i = 0; i < word.n; i++)
            if ((unsigned char)word.p[i] >= 0x80)
                return TOKEN_OTHER;
        return TOKEN_NAME;
    case WORD_STORAGE: return TOKEN_STORAGE;
    case WORD_PRIMITIVE: return TOKEN_PRIMITIVE;
    case WORD_SIZE: return TOKEN_SIZE;
    case WORD_CONSTANT: return TOKEN_NUMBER;
    case WORD_AGGREGATE: return TOKEN_TAG;
    case WORD_DEFINES: return TOKEN_TYPEDEF;
    case WORD_ATTRIBUTE: return TOKEN_ATTRIBUTE;
    case WORD_CLASS:
    case WORD_ENUM:
    case WORD_RECORD:
    case WORD_SCOPE:
    case WORD_FUNCTION:
    case WORD_NEW:
    case WORD_CONTROL:
        if (str_eq_c(word, "sizeof"))
            return TOKEN_SIZEOF;
        break;
    case WORD_BLOCK:
    case WORD_PATTERN:
    case WORD_TYPE:
    case WORD_TEMPLATE:
    case WORD_OPERATOR:
    case WORD_VALUE: break;
    }
    return TOKEN_OTHER;
}

int
reader_next(struct reader *r)
{
    const struct bodies *b = r->b;
    const unsigned char *p = (const unsigned char *)b->text.p;
    r->last_stop = r->stop;
    for (;;) {
        if (r->at >= r->end)
            return r->token = TOKEN_END;
        uint8_t class = b->classes[p[r->at]];
        unsigned char second = r->at + 1 < r->end ? p[r->at + 1] : '\0';
        if (class == BYTE_SLASH && second == '*')
            r->at = MAX(token_block_comment_end(b, r->at), r->at + 1);
        else if (class == BYTE_SLASH && second == '/')
            r->at = token_line_comment_end(b, r->at);
        else if (class != BYTE_SPACE && class != BYTE_NEWLINE)
            break;
        else
            r->at++;
    }
    uint32_t stop = r->at + 1;
    r->start = r->at;
    switch ((enum byte_class)b->classes[p[r->at]]) {
    case BYTE_LETTER:
        while (stop < r->end && is_word_class(b->classes[p[stop]]))
            stop++;
        r->token = word_token(b, str_slice(b->text.p + r->start, stop - r->start));
        break;
    case BYTE_DIGIT:
        stop = token_number_end(b, r->at);
        r->token = TOKEN_NUMBER;
        break;
    case BYTE_TICK:
        stop = token_tick_end(b, r->at);
        r->token = TOKEN_NUMBER;
        break;
    case BYTE_QUOTE:
        stop = token_string_end(b, r->at);
        r->token = TOKEN_STRING;
        break;
    case BYTE_SPACE:
    case BYTE_NEWLINE:
    case BYTE_SLASH:
    case BYTE_HASH:
    case BYTE_CLOSE:
    case BYTE_SEMICOLON:
    case BYTE_OPEN:
    case BYTE_OTHER:
    case BYTE_BACKTICK:
    case BYTE_EQUALS:
    case BYTE_STRING_MARK: r->token = p[r->at] ? p[r->at] : TOKEN_OTHER; break;
    }
    if (stop > r->end)
        r->token = TOKEN_OTHER;
    r->at = r->stop = stop;
    return r->token;
}

struct reader
reader_of(const struct bodies *b, uint32_t start, uint32_t end)
{
    struct reader r = {.b = b, .at = start, .end = end};
    reader_next(&r);
    return r;
}

/* A macro that stands for an attribute: nobody gives such names to what a declaration has beside a
 * name of its own. */
static bool
is_underlined(const struct reader *r)
{
    return r->token == TOKEN_NAME && r->stop - r->start > 2 &&
           r->b->text.p[r->start] == '_' && r->b->text.p[r->start + 1] == '_';
}

/* From ( to behind its ). */
bool
skip_group(struct reader *r)
{
    uint32_t depth = 0;
    do {
        if (r->token == TOKEN_END || is_token(r, ';') || is_token(r, '{') ||
            is_token(r, '#'))
            return false;
        depth += is_token(r, '(');
        depth -= is_token(r, ')');
        reader_next(r);
    } while (depth > 0);
    return true;
}

/* Attributes behind a declarator. */
bool
skip_attributes(struct reader *r)
{
    while (r->token == TOKEN_ATTRIBUTE || is_underlined(r)) {
        bool needs_group = r->token == TOKEN_ATTRIBUTE;
        if (reader_next(r) == '(') {
            if (!skip_group(r))
                return false;
        } else if (needs_group) {
            return false;
        }
    }
    return true;
}

static void
add_type(struct words *w, int token)
{
    if (w->is_underlined && w->n_stars == 0 && w->n_names == 0) {
        w->has_type = w->is_underlined = false; // __init int
        w->n_types = 0;
    }
    if (w->has_type || w->n_stars > 0 || w->n_names > 0 ||
        (w->has_size && token == TOKEN_TAG))
        w->is_strict = false;
    w->has_type = w->has_type || token != TOKEN_SIZE;
    w->has_size = w->has_size || token == TOKEN_SIZE;
    w->n_types++;
}

/* __printf(1, 2) void f( … : what is in parentheses belongs to an attribute if words follow. */
static bool
skip_attribute_group(struct reader *r)
{
    struct reader look = *r;
    if (!skip_group(&look))
        return false;
    bool is_attribute = is_token(&look, '*') || look.token == TOKEN_STORAGE ||
                        look.token == TOKEN_PRIMITIVE || look.token == TOKEN_SIZE ||
                        look.token == TOKEN_TAG ||
                        (look.token == TOKEN_NAME && !is_underlined(&look));
    if (is_attribute)
        *r = look;
    return is_attribute;
}

/* A name is the type, an attribute or what is declared; r goes behind it. */
static void
add_name(struct words *w, struct reader *r)
{
    bool was_underlined = is_underlined(r);
    struct stretch name = {r->start, r->stop};
    reader_next(r);
    if (was_underlined && is_token(r, '(') && skip_attribute_group(r))
        return;
    if (!w->has_type && !w->has_size && w->n_stars == 0) {
        w->has_type = w->has_name_type = true;
        w->is_underlined = was_underlined;
        w->name = name;
        w->n_types++;
        return;
    }
    bool is_attribute = was_underlined && (w->n_names > 0 || r->token == TOKEN_NAME ||
                                           r->token == TOKEN_STORAGE || is_token(r, '*'));
    if (is_attribute && !is_token(r, '(')) {
        /* __read_mostly u64 __x, or __u64 x __read_mostly? The parser says. */
        w->is_strict = w->is_strict && !(w->is_underlined && w->n_names > 0);
        return;
    }
    w->name = name;
    w->is_strict = w->is_strict && w->n_names == 0;
    w->n_names++;
}

struct words
read_words(struct reader *r)
{
    struct words w = {.is_strict = true};
    w.is_extern =
        r->token == TOKEN_STORAGE &&
        str_eq_c(str_slice(r->b->text.p + r->start, r->stop - r->start), "extern");
    for (;;) {
        if (r->token == TOKEN_NAME) {
            add_name(&w, r);
            continue;
        }
        if (r->token == TOKEN_STORAGE) {
            w.is_strict = w.is_strict && w.n_names == 0;
        } else if (r->token == TOKEN_PRIMITIVE || r->token == TOKEN_SIZE) {
            add_type(&w, r->token);
        } else if (r->token == TOKEN_TAG) {
            add_type(&w, r->token);
            if (reader_next(r) != TOKEN_NAME) {
                w.is_strict = false;
                return w;
            }
        } else if (is_token(r, '*')) {
            w.is_strict = w.is_strict && w.n_names == 0 && w.n_types > 0;
            w.n_stars++;
        } else {
            break;
        }
        reader_next(r);
    }
    w.is_strict = w.is_strict && w.n_types > 0;
    w.is_named = w.n_names > 0;
    return w;
}

/* From behind ( to behind its ): declarations of any words, functions that are pointed to, bounds. */
bool
read_parameters(struct reader *r)
{
    bool is_closed = false; // the last token is )
    for (uint32_t depth = 1; depth > 0;) {
        int token = reader_next(r);
        bool was_closed = is_closed;
        is_closed = is_token(r, ')');
        if (is_closed) {
            depth--;
        } else if (is_token(r, '(')) {
            struct reader look = *r;
            if (!was_closed && reader_next(&look) != '*')
                return false;
            depth++;
        } else if (token == TOKEN_END || token == TOKEN_OTHER || token == TOKEN_STRING ||
                   token == TOKEN_TYPEDEF ||
                   (token < TOKEN_NAME && !strchr("*,.[]+-", token))) {
            return false;
        }
    }
    reader_next(r);
    return true;
}

/* What may come first or after an operator, and what after an operand. */
static bool
may_follow(int before, int token, uint32_t depth)
{
    bool follows_operand = is_operand(before) || before == ']';
    if (is_operand(token) || token == TOKEN_SIZEOF)
        return !follows_operand || (token == TOKEN_STRING && before == TOKEN_STRING);
    if (is_type(token))
        return depth > 0 && !follows_operand;
    if (token == '(') // not f()(), (*f)()
        return before == TOKEN_NAME || (!follows_operand && before != ')');
    if (token == '[')
        return follows_operand;
    return strchr("+-*/%&|^~!<>=?:.,)]", token) && (token != ',' || depth > 0);
}

/* From ( to its ): sizeof(a), sizeof(struct b *); no calls. */
static bool
read_type(struct reader *r)
{
    while (reader_next(r) != ')')
        if (r->token != TOKEN_NAME && !is_type(r->token) && r->token != TOKEN_NUMBER &&
            (r->token >= TOKEN_NAME || !strchr("*[].->", r->token)))
            return false;
    return true;
}

/* No braces: what is in them would be a statement or a literal of a type that is defined there. */
bool
read_expression(struct reader *r, int stop)
{
    uint32_t depth = 0;
    int before = TOKEN_OTHER;
    for (;; reader_next(r)) {
        int token = r->token;
        if (token == stop && depth == 0)
            return before != TOKEN_OTHER;
        if (token == TOKEN_END || token == TOKEN_OTHER || token == TOKEN_ATTRIBUTE ||
            token == TOKEN_TYPEDEF || !may_follow(before, token, depth))
            return false;
        if (token == TOKEN_SIZEOF) {
            if (reader_next(r) != '(' || !read_type(r))
                return false;
            token = TOKEN_NUMBER;
        } else if (token == '(' || token == '[') {
            r->has_calls = r->has_calls || (token == '(' && before == TOKEN_NAME);
            depth++;
        } else if ((token == ')' || token == ']') && depth-- == 0) {
            return false;
        }
        before = is_type(token) ? '*' : token;
    }
}

/* Whatever but a type that is defined in them, and no directives. */
bool
read_arguments(struct reader *r)
{
    uint32_t depth = 0;
    int before = TOKEN_OTHER, before_name = TOKEN_OTHER;
    do {
        bool is_definition =
            is_token(r, '{') &&
            (before == TOKEN_TAG || (before == TOKEN_NAME && before_name == TOKEN_TAG));
        if (r->token == TOKEN_END || r->token == TOKEN_TYPEDEF || is_token(r, '#') ||
            is_definition)
            return false;
        depth += is_token(r, '(');
        depth -= is_token(r, ')');
        before_name = before;
        before = r->token;
        reader_next(r);
    } while (depth > 0);
    r->has_calls = true;
    return true;
}

/* [ … ] after a name, any number of them. */
static bool
read_bounds(struct reader *r)
{
    while (is_token(r, '[')) {
        if (reader_next(r) != ']' && !read_expression(r, ']'))
            return false;
        reader_next(r);
    }
    return true;
}

/* (*name)(parameters), (*name[3])(parameters); r is at the first parenthesis. */
static bool
read_pointer_to_function(struct reader *r, struct stretch *ret_name)
{
    if (reader_next(r) != '*')
        return false;
    while (reader_next(r) == TOKEN_STORAGE)
        ;
    if (r->token != TOKEN_NAME)
        return false;
    *ret_name = (struct stretch){r->start, r->stop};
    reader_next(r);
    if (!read_bounds(r) || !is_token(r, ')') || reader_next(r) != '(')
        return false;
    return read_parameters(r);
}

/* A declarator behind its words: a name with bounds or a pointer to a function. */
bool
read_declarator(struct reader *r, const struct words *w, struct stretch *ret_name)
{
    *ret_name = w->name;
    if (!w->is_strict)
        return false;
    if (is_token(r, '(') && w->n_names == 0)
        return read_pointer_to_function(r, ret_name) && skip_attributes(r);
    return w->is_named && read_bounds(r) && skip_attributes(r);
}
