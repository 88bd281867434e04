/* Declarations in the forms that nearly all have. What it does not know it does not tell. */
#include "bodies/tell.h"

#include "bodies/read.h"

#define MACROS_MAX 16 // before a statement

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

/* Names before ( in text that the tree will not see. */
static void
collect_calls(struct bodies *b, uint32_t start, uint32_t end)
{
    struct reader r = reader_of(b, start, end);
    bool follows_word = false;
    while (r.token != TOKEN_END) {
        struct stretch name = {r.start, r.stop};
        bool is_name = r.token == TOKEN_NAME, is_word = is_name || is_type(r.token);
        bool is_call = reader_next(&r) == '(' && is_name && !follows_word;
        if (is_call && b->calls.n < EDGE_PER_FILE_MAX)
            *vec_push(&b->calls) = name;
        follows_word = is_word;
    }
}

static int
compare_calls(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* Those of macros before what begins at `start`; those behind it were found already. */
static void
add_calls_of_macros(struct bodies *b, uint32_t start)
{
    size_t from = b->item.n_calls;
    if (start == b->item.start)
        return;
    collect_calls(b, b->item.start, start);
    qsort(b->calls.v + from, b->calls.n - from, sizeof(*b->calls.v), compare_calls);
}

/* MACRO(a) on lines of its own needs no semicolon: what follows it begins a line. Returns where that
 * is, or ITEM_NONE. */
static uint32_t
behind_macro(const struct bodies *b, uint32_t start, uint32_t end)
{
    struct reader r = reader_of(b, start, end);
    if (r.token != TOKEN_NAME || reader_next(&r) != '(' || !read_arguments(&r) ||
        r.token == TOKEN_END || r.token >= TOKEN_NUMBER || b->text.p[r.start - 1] != '\n')
        return ITEM_NONE;
    return r.start;
}

static bool
tell_once(struct bodies *b, uint32_t start, uint32_t end)
{
    struct reader r = reader_of(b, start, end);
    bool is_told = false;
    switch ((enum level)b->item.level) {
    case LEVEL_NONE: break;
    case LEVEL_FILE: is_told = tell_declaration(b, &r, start, end); break;
    case LEVEL_RECORD: is_told = tell_field(b, &r, start, end); break;
    case LEVEL_ENUM: is_told = tell_enumerator(b, &r, start, end); break;
    }
    if (is_told && r.has_calls) { // with those in its braces, in their order
        b->calls.n = b->item.n_calls;
        collect_calls(b, start, end);
    }
    return is_told;
}

bool
tell_statement(struct bodies *b, uint32_t start, uint32_t end)
{
    for (unsigned i = 0; i < MACROS_MAX && start != ITEM_NONE; i++) {
        if (tell_once(b, start, end)) {
            add_calls_of_macros(b, start);
            return true;
        }
        start = b->item.level == LEVEL_FILE ? behind_macro(b, start, end) : ITEM_NONE;
    }
    return false;
}

/* MACRO(name, …) { … }: the first argument is what is defined. */
static bool
read_macro_function(struct reader *r, struct stretch macro, struct stretch *ret_name)
{
    struct reader look = *r;
    for (uint32_t i = macro.start; i < macro.end; i++) {
        char c = r->b->text.p[i];
        if (c != '_' && (c < 'A' || c > 'Z') && (c < '0' || c > '9'))
            return false;
    }
    if (reader_next(&look) != TOKEN_NAME)
        return false;
    *ret_name = (struct stretch){look.start, look.stop};
    reader_next(&look);
    return (is_token(&look, ',') || is_token(&look, ')')) && read_arguments(r);
}

static bool
tell_function_once(struct bodies *b, uint32_t start, uint32_t brace, uint32_t end)
{
    struct reader r = reader_of(b, start, brace);
    bool is_name = r.token == TOKEN_NAME;
    struct words w = read_words(&r);
    bool is_macro = is_name && w.n_types == 1 && w.n_names == 0 && w.n_stars == 0 &&
                    w.has_name_type && w.name.start == start;
    struct stretch name = w.name;
    if (!is_token(&r, '(') || (!w.is_named && !is_macro))
        return false;
    if (w.is_named ? !read_parameters(&r) : !read_macro_function(&r, w.name, &name))
        return false;
    if (!skip_attributes(&r) || r.token != TOKEN_END)
        return false;
    add_item(b, ENTITY_FUNCTION, start, end, name);
    b->items.v[b->items.n - 1].body = (struct stretch){brace, end};
    b->items.v[b->items.n - 1].is_flat = true;
    return true;
}

bool
tell_function(struct bodies *b, uint32_t start, uint32_t brace, uint32_t end)
{
    for (unsigned i = 0; i < MACROS_MAX && start != ITEM_NONE; i++) {
        if (tell_function_once(b, start, brace, end)) {
            add_calls_of_macros(b, start);
            return true;
        }
        start = behind_macro(b, start, brace);
    }
    return false;
}

enum level
tell_level(const struct bodies *b, uint32_t start, uint32_t brace)
{
    uint32_t next = start;
    for (unsigned i = 0; i < MACROS_MAX && next != ITEM_NONE; i++) {
        start = next;
        next = behind_macro(b, start, brace);
    }
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
