/* Declarations in the forms that nearly all have: words, stars, a name, then parameters, bounds, a
 * value. Reads a statement's own tokens once, no recursion. What it does not know it does not tell. */
#include "bodies/tell.h"

enum { // a token; a byte that is no word, number or string is its own
    TOKEN_END = 0,
    TOKEN_NAME = 256,
    TOKEN_STORAGE,   // static const …
    TOKEN_PRIMITIVE, // int …
    TOKEN_SIZE,      // long unsigned …
    TOKEN_TAG,       // struct union enum
    TOKEN_TYPEDEF,
    TOKEN_ATTRIBUTE, // __attribute__
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_OTHER
};

struct reader {
    const struct bodies *b;
    uint32_t at, end;
    int token;
    uint32_t start, stop; // of the token
    uint32_t last_stop;   // of the one before
};

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
    case WORD_BLOCK:
    case WORD_CONTROL:
    case WORD_PATTERN:
    case WORD_TYPE:
    case WORD_VALUE: break;
    }
    return TOKEN_OTHER;
}

static int
next(struct reader *r)
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
        while (stop < r->end && is_word_byte(p[stop]))
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

static bool
is_token(const struct reader *r, char c)
{
    return r->token == (unsigned char)c;
}

static struct reader
reader_of(const struct bodies *b, uint32_t start, uint32_t end)
{
    struct reader r = {.b = b, .at = start, .end = end};
    next(&r);
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
static bool
skip_group(struct reader *r)
{
    uint32_t depth = 0;
    do {
        if (r->token == TOKEN_END || is_token(r, ';') || is_token(r, '{') ||
            is_token(r, '#'))
            return false;
        depth += is_token(r, '(');
        depth -= is_token(r, ')');
        next(r);
    } while (depth > 0);
    return true;
}

/* Attributes behind a declarator. */
static bool
skip_attributes(struct reader *r)
{
    while (r->token == TOKEN_ATTRIBUTE || is_underlined(r)) {
        bool needs_group = r->token == TOKEN_ATTRIBUTE;
        if (next(r) == '(') {
            if (!skip_group(r))
                return false;
        } else if (needs_group) {
            return false;
        }
    }
    return true;
}

/* The words and stars before a declarator and its name, if it is one. */
struct words {
    struct stretch name; // the last one
    uint32_t n_types, n_names, n_stars;
    bool is_strict;     // one type, stars, one name, nothing else
    bool is_extern;     // begins with that
    bool is_named;      // the name is the last word
    bool has_size;      // long
    bool has_type;      // more than a size
    bool is_underlined; // the type is a name that may be an attribute, too
};

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
    next(r);
    if (was_underlined && is_token(r, '(') && skip_attribute_group(r))
        return;
    if (!w->has_type && !w->has_size && w->n_stars == 0) {
        w->has_type = true;
        w->is_underlined = was_underlined;
        w->name = name;
        w->n_types++;
        return;
    }
    bool is_attribute = was_underlined && (w->n_names > 0 || r->token == TOKEN_NAME ||
                                           r->token == TOKEN_STORAGE || is_token(r, '*'));
    if (is_attribute && !is_token(r, '('))
        return;
    w->name = name;
    w->is_strict = w->is_strict && w->n_names == 0;
    w->n_names++;
}

static struct words
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
            if (next(r) != TOKEN_NAME) {
                w.is_strict = false;
                return w;
            }
        } else if (is_token(r, '*')) {
            w.is_strict = w.is_strict && w.n_names == 0 && w.n_types > 0;
            w.n_stars++;
        } else {
            break;
        }
        next(r);
    }
    w.is_strict = w.is_strict && w.n_types > 0;
    w.is_named = w.n_names > 0;
    return w;
}

/* From behind ( to behind its ): declarations of any words, functions that are pointed to, bounds. */
static bool
read_parameters(struct reader *r)
{
    bool is_closed = false; // the last token is )
    for (uint32_t depth = 1; depth > 0;) {
        int token = next(r);
        bool was_closed = is_closed;
        is_closed = is_token(r, ')');
        if (is_closed) {
            depth--;
        } else if (is_token(r, '(')) {
            struct reader look = *r;
            if (!was_closed && next(&look) != '*')
                return false;
            depth++;
        } else if (token == TOKEN_END || token == TOKEN_OTHER || token == TOKEN_STRING ||
                   token == TOKEN_TYPEDEF ||
                   (token < TOKEN_NAME && !strchr("*,.[]+-", token))) {
            return false;
        }
    }
    next(r);
    return true;
}

static bool
is_operand(int token)
{
    return token == TOKEN_NAME || token == TOKEN_NUMBER || token == TOKEN_STRING;
}

/* To `stop` outside brackets. No calls, for the tree tells them; no types. */
static bool
read_expression(struct reader *r, int stop)
{
    uint32_t depth = 0;
    int before = TOKEN_OTHER;
    for (;; next(r)) {
        int token = r->token;
        bool follows_operand = is_operand(before) || before == ']';
        if (token == stop && depth == 0)
            return before != TOKEN_OTHER;
        if (token == TOKEN_END)
            return false;
        if (is_operand(token)) {
            if (follows_operand && !(token == TOKEN_STRING && before == TOKEN_STRING))
                return false;
        } else if (token >= TOKEN_NAME) {
            return false;
        } else if (token == '(' || token == '[') {
            if (token == '(' ? follows_operand || before == ')' : !follows_operand)
                return false;
            depth++;
        } else if (token == ')' || token == ']') {
            if (depth-- == 0)
                return false;
        } else if (!strchr("+-*/%&|^~!<>=?:.,", token) || (token == ',' && depth == 0)) {
            return false;
        }
        before = token;
    }
}

/* [ … ] after a name, any number of them. */
static bool
read_bounds(struct reader *r)
{
    while (is_token(r, '[')) {
        if (next(r) != ']' && !read_expression(r, ']'))
            return false;
        next(r);
    }
    return true;
}

/* (*name)(parameters), (*name[3])(parameters); r is at the first parenthesis. */
static bool
read_pointer_to_function(struct reader *r, struct stretch *ret_name)
{
    if (next(r) != '*')
        return false;
    while (next(r) == TOKEN_STORAGE)
        ;
    if (r->token != TOKEN_NAME)
        return false;
    *ret_name = (struct stretch){r->start, r->stop};
    next(r);
    if (!read_bounds(r) || !is_token(r, ')') || next(r) != '(')
        return false;
    return read_parameters(r);
}

static void
add_item(struct bodies *b, enum entity_kind kind, uint32_t start, uint32_t end,
         struct stretch name)
{
    *vec_push(&b->items) = (struct outline_item){
        .range = {start, end},
        .name = name,
        .kind = kind,
    };
}

/* A declarator behind its words: a name with bounds or a pointer to a function. */
static bool
read_declarator(struct reader *r, const struct words *w, struct stretch *ret_name)
{
    *ret_name = w->name;
    if (!w->is_strict)
        return false;
    if (is_token(r, '(') && w->n_names == 0)
        return read_pointer_to_function(r, ret_name) && skip_attributes(r);
    return w->is_named && read_bounds(r) && skip_attributes(r);
}

static bool
tell_field(struct bodies *b, uint32_t start, uint32_t end)
{
    struct reader r = reader_of(b, start, end);
    struct words w = read_words(&r);
    struct stretch name;
    if (!read_declarator(&r, &w, &name))
        return false;
    if (is_token(&r, ':')) {
        next(&r);
        if (!read_expression(&r, ';'))
            return false;
    }
    if (!is_token(&r, ';'))
        return false;
    add_item(b, ENTITY_FIELD, start, end, name);
    return true;
}

static bool
tell_enumerator(struct bodies *b, uint32_t start, uint32_t end)
{
    struct reader r = reader_of(b, start, end);
    struct stretch name = {r.start, r.stop};
    if (r.token != TOKEN_NAME)
        return false;
    next(&r);
    if (is_token(&r, '=')) {
        next(&r);
        if (!read_expression(&r, b->text.p[end - 1] == ',' ? ',' : TOKEN_END))
            return false;
    }
    if (r.token != TOKEN_END && !is_token(&r, ','))
        return false;
    add_item(b, ENTITY_ENUM_MEMBER, start, r.last_stop, name);
    return true;
}

/* = 1, = { … }, whose inside the scanner knows to be nothing but a value. */
static bool
read_value(struct reader *r, uint32_t n_gaps)
{
    const struct bodies *b = r->b;
    if (next(r) != '{')
        return read_expression(r, ';');
    size_t i = n_gaps;
    while (i < b->gaps.n && b->gaps.v[i].start < r->stop)
        i++;
    if (i < b->gaps.n && b->gaps.v[i].start == r->stop)
        r->at = b->gaps.v[i].end;
    if (next(r) == TOKEN_NUMBER)
        next(r); // { 0 }, too short for a gap
    if (!is_token(r, '}'))
        return false;
    next(r);
    return true;
}

/* MACRO(a, "b", 3); is a call; int x(y); is none. */
static bool
tell_call(struct bodies *b, struct reader *r, struct stretch name)
{
    int before = TOKEN_OTHER;
    while (next(r) != ')') {
        bool is_comma = is_token(r, ',');
        if (is_comma ? !is_operand(before)
                     : !is_operand(r->token) ||
                           (is_operand(before) &&
                            (before != TOKEN_STRING || r->token != TOKEN_STRING)))
            return false;
        before = r->token;
    }
    if (before == ',' || next(r) != ';' || b->calls.n >= EDGE_PER_FILE_MAX)
        return false;
    *vec_push(&b->calls) = name;
    return true;
}

static bool
tell_typedef(struct bodies *b, struct reader *r, uint32_t start, uint32_t end)
{
    struct stretch name;
    next(r);
    struct words w = read_words(r);
    if (is_token(r, '(') && w.is_strict && w.is_named) {
        name = w.name;
        if (!read_parameters(r))
            return false;
    } else if (!read_declarator(r, &w, &name)) {
        return false;
    }
    if (!is_token(r, ';'))
        return false;
    add_item(b, ENTITY_TYPE_ALIAS, start, end, name);
    return true;
}

static bool
tell_declaration(struct bodies *b, uint32_t start, uint32_t end)
{
    struct reader r = reader_of(b, start, end);
    bool is_call = r.token == TOKEN_NAME;
    struct stretch name;
    if (r.token == TOKEN_TYPEDEF)
        return tell_typedef(b, &r, start, end);
    struct words w = read_words(&r);
    if (is_token(&r, '(') && w.is_named)
        return read_parameters(&r) && skip_attributes(&r) &&
               is_token(&r, ';'); // a prototype: nothing to tell
    if (is_token(&r, '(') && is_call && w.n_types == 1 && w.name.start == start &&
        w.n_stars == 0)
        return tell_call(b, &r, w.name);
    if (!read_declarator(&r, &w, &name))
        return false;
    if (is_token(&r, '=') && !read_value(&r, b->item.n_gaps))
        return false;
    if (!is_token(&r, ';'))
        return false;
    if (!w.is_extern)
        add_item(b, ENTITY_VARIABLE, start, end, name);
    return true;
}

bool
tell_statement(struct bodies *b, uint32_t start, uint32_t end)
{
    switch ((enum level)b->item.level) {
    case LEVEL_NONE: break;
    case LEVEL_FILE: return tell_declaration(b, start, end);
    case LEVEL_RECORD: return tell_field(b, start, end);
    case LEVEL_ENUM: return tell_enumerator(b, start, end);
    }
    return false;
}

bool
tell_function(struct bodies *b, uint32_t start, uint32_t brace, uint32_t end)
{
    struct reader r = reader_of(b, start, brace);
    struct words w = read_words(&r);
    if (!is_token(&r, '(') || !w.is_named || !read_parameters(&r) ||
        !skip_attributes(&r) || r.token != TOKEN_END)
        return false;
    add_item(b, ENTITY_FUNCTION, start, end, w.name);
    b->items.v[b->items.n - 1].body = (struct stretch){brace, end};
    b->items.v[b->items.n - 1].is_flat = true;
    return true;
}

enum level
tell_level(const struct bodies *b, uint32_t start, uint32_t brace)
{
    struct reader r = reader_of(b, start, brace);
    while (r.token == TOKEN_STORAGE || r.token == TOKEN_TYPEDEF) {
        bool is_extern = r.token == TOKEN_STORAGE && r.start == start;
        next(&r);
        if (is_extern && r.token == TOKEN_STRING && next(&r) == TOKEN_END)
            return b->item.level == LEVEL_FILE ? LEVEL_FILE : LEVEL_NONE;
    }
    if (r.token != TOKEN_TAG)
        return LEVEL_NONE;
    bool is_enum = b->text.p[r.start] == 'e';
    if (next(&r) == TOKEN_NAME)
        next(&r);
    return r.token != TOKEN_END ? LEVEL_NONE : is_enum ? LEVEL_ENUM : LEVEL_RECORD;
}
