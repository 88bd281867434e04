/* Declarations in the forms that nearly all have. What it does not know it does not tell. */
#include "bodies/tell.h"

#include "bodies/read.h"

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

static bool
tell_field(struct bodies *b, struct reader *r, uint32_t start, uint32_t end)
{
    struct words w = read_words(r);
    struct stretch name;
    if (!read_declarator(r, &w, &name))
        return false;
    if (is_token(r, ':')) {
        reader_next(r);
        if (!read_expression(r, ';'))
            return false;
    }
    if (!is_token(r, ';'))
        return false;
    add_item(b, ENTITY_FIELD, start, end, name);
    return true;
}

static bool
tell_enumerator(struct bodies *b, struct reader *r, uint32_t start, uint32_t end)
{
    struct stretch name = {r->start, r->stop};
    if (r->token != TOKEN_NAME)
        return false;
    reader_next(r);
    if (is_token(r, '=')) {
        reader_next(r);
        if (!read_expression(r, b->text.p[end - 1] == ',' ? ',' : TOKEN_END))
            return false;
    }
    if (r->token != TOKEN_END && !is_token(r, ','))
        return false;
    add_item(b, ENTITY_ENUM_MEMBER, start, r->last_stop, name);
    return true;
}

/* = 1, = { … }, whose inside the scanner knows to be nothing but a value. */
static bool
read_value(struct reader *r, uint32_t n_gaps)
{
    const struct bodies *b = r->b;
    if (reader_next(r) != '{')
        return read_expression(r, ';');
    size_t i = n_gaps;
    while (i < b->gaps.n && b->gaps.v[i].start < r->stop)
        i++;
    if (i < b->gaps.n && b->gaps.v[i].start == r->stop)
        r->at = b->gaps.v[i].end;
    if (reader_next(r) == TOKEN_NUMBER)
        reader_next(r); // { 0 }, too short for a gap
    if (!is_token(r, '}'))
        return false;
    reader_next(r);
    return true;
}

/* static DEFINE_MUTEX(a); defines a. */
static bool
tell_macro_variable(struct bodies *b, struct reader *r, uint32_t start, uint32_t end)
{
    if (reader_next(r) != TOKEN_NAME)
        return false;
    struct stretch name = {r->start, r->stop};
    if (reader_next(r) != ')')
        return false;
    reader_next(r);
    if (!skip_attributes(r) || (is_token(r, '=') && !read_value(r, b->item.n_gaps)) ||
        !is_token(r, ';'))
        return false;
    add_item(b, ENTITY_VARIABLE, start, end, name);
    return true;
}

static bool
tell_typedef(struct bodies *b, struct reader *r, uint32_t start, uint32_t end)
{
    struct stretch name;
    reader_next(r);
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
tell_declaration(struct bodies *b, struct reader *r, uint32_t start, uint32_t end)
{
    bool is_name = r->token == TOKEN_NAME, is_storage = r->token == TOKEN_STORAGE;
    struct stretch name;
    if (r->token == TOKEN_TYPEDEF)
        return tell_typedef(b, r, start, end);
    struct words w = read_words(r);
    bool is_one_name =
        w.n_types == 1 && w.n_names == 0 && w.n_stars == 0 && w.has_name_type;
    if (is_token(r, '(') && w.is_named) // a prototype: nothing to tell
        return read_parameters(r) && skip_attributes(r) && is_token(r, ';');
    if (is_token(r, '(') && is_one_name && is_name) // MACRO(a); is a call
        return w.name.start == start && read_arguments(r) && is_token(r, ';');
    if (is_token(r, '(') && is_one_name && is_storage && !w.is_extern) {
        struct reader look = *r;
        if (reader_next(&look) == TOKEN_NAME)
            return tell_macro_variable(b, r, start, end);
    }
    if (!read_declarator(r, &w, &name))
        return false;
    if (is_token(r, '=') && !read_value(r, b->item.n_gaps))
        return false;
    if (!is_token(r, ';'))
        return false;
    if (!w.is_extern)
        add_item(b, ENTITY_VARIABLE, start, end, name);
    return true;
}

/* Names before ( in a statement that the tree will not see; those in its braces were found already. */
static void
collect_calls(struct bodies *b, uint32_t start, uint32_t end)
{
    struct reader r = reader_of(b, start, end);
    bool follows_word = false;
    b->calls.n = b->item.n_calls;
    while (r.token != TOKEN_END) {
        struct stretch name = {r.start, r.stop};
        bool is_name = r.token == TOKEN_NAME, is_word = is_name || is_type(r.token);
        bool is_call = reader_next(&r) == '(' && is_name && !follows_word;
        if (is_call && b->calls.n < EDGE_PER_FILE_MAX)
            *vec_push(&b->calls) = name;
        follows_word = is_word;
    }
}

bool
tell_statement(struct bodies *b, uint32_t start, uint32_t end)
{
    struct reader r = reader_of(b, start, end);
    bool is_told = false;
    switch ((enum level)b->item.level) {
    case LEVEL_NONE: break;
    case LEVEL_FILE: is_told = tell_declaration(b, &r, start, end); break;
    case LEVEL_RECORD: is_told = tell_field(b, &r, start, end); break;
    case LEVEL_ENUM: is_told = tell_enumerator(b, &r, start, end); break;
    }
    if (is_told && r.has_calls)
        collect_calls(b, start, end);
    return is_told;
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
        reader_next(&r);
        if (is_extern && r.token == TOKEN_STRING && reader_next(&r) == TOKEN_END)
            return b->item.level == LEVEL_FILE ? LEVEL_FILE : LEVEL_NONE;
    }
    if (r.token != TOKEN_TAG)
        return LEVEL_NONE;
    bool is_enum = b->text.p[r.start] == 'e';
    if (reader_next(&r) == TOKEN_NAME)
        reader_next(&r);
    return r.token != TOKEN_END ? LEVEL_NONE : is_enum ? LEVEL_ENUM : LEVEL_RECORD;
}
