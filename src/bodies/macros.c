/* Names in heads that are no part of the language: class API Widget, int __init f(void), Q_OBJECT.
 * They mislead a parser; without them it sees what they stand before. Known by their shape and by
 * what is around them. Invariant: nobody looks further than LOOK_BYTES_MAX from a name. */
#include "bodies/internal.h"

#define LOOK_BYTES_MAX 512
#define LOOK_WORDS_MAX 8

/* What comes next, comments and white space left out. */
struct look {
    char c; // 'w': a word; '\0': the end, or too far away to say
    enum word word;
    bool is_macro; // of a macro's shape
    uint32_t start, end;
    bool is_on_new_line, is_behind_blank_line;
};

static struct str
text_of(const struct bodies *b, uint32_t start, uint32_t end)
{
    return str_slice(b->text.p + start, end - start);
}

/* __init, __device__, FMT_API; not size_t, __u32, T. Two underscores in front say little in C++,
 * whose library is full of them. */
static bool
has_macro_shape(const struct bodies *b, struct str name)
{
    size_t n_letters = 0;
    if (str_starts_with(name, STR("__")) && name.n > 4 && name.p[2] >= 'a') {
        char last = name.p[name.n - 1];
        return b->syntax->raw == RAW_CPP
                   ? last == '_'
                   : !str_ends_with(name, STR("_t")) && !(last >= '0' && last <= '9');
    }
    for (size_t i = 0; i < name.n; i++) {
        bool is_letter = name.p[i] >= 'A' && name.p[i] <= 'Z';
        bool is_digit = name.p[i] >= '0' && name.p[i] <= '9';
        if (!is_letter && !is_digit && name.p[i] != '_')
            return false;
        n_letters += is_letter;
    }
    return n_letters >= 3;
}

static struct look
look_at(const struct bodies *b, uint32_t at, uint32_t limit)
{
    const char *p = b->text.p;
    struct look l = {.c = '\0'};
    for (uint32_t newlines = 0; at < limit; at++) {
        if (p[at] == '/' && at + 1 < limit && (p[at + 1] == '/' || p[at + 1] == '*')) {
            at = p[at + 1] == '/' ? token_line_comment_end(b, at)
                                  : token_block_comment_end(b, at);
            if (at == 0 || at >= limit)
                return l;
            newlines = 0;
            at--;
        } else if (p[at] == '\n') {
            l.is_on_new_line = true;
            l.is_behind_blank_line |= ++newlines > 1;
        } else if (!strchr(" \t\r\f", p[at]) || p[at] == '\0') {
            break;
        }
    }
    if (at >= limit)
        return l;
    l.start = at;
    l.end = at + 1;
    l.c = p[at];
    if (b->classes[(unsigned char)p[at]] != BYTE_LETTER)
        return l;
    l.c = 'w';
    while (l.end < limit && is_word_byte((unsigned char)p[l.end]))
        l.end++;
    l.word = bodies_word(b, text_of(b, at, l.end));
    l.is_macro = l.word == WORD_NAME && has_macro_shape(b, text_of(b, at, l.end));
    return l;
}

/* Behind the group that opens at `at`; 0: it is no list of plain arguments. */
static uint32_t
group_end(const struct bodies *b, uint32_t at, uint32_t limit, char open, char close)
{
    uint32_t depth = 0;
    for (; at < limit; at++) {
        char c = b->text.p[at];
        if (c == open)
            depth++;
        else if (c == close && --depth == 0)
            return at + 1;
        else if (c == '"')
            at = token_string_end(b, at) - 1;
        else if (c == '\0' || strchr("{};#", c))
            return 0;
    }
    return 0;
}

static bool
is_qualifier(const struct bodies *b, const struct look *l)
{
    struct str text = text_of(b, l->start, l->end);
    return str_eq_c(text, "const") || str_eq_c(text, "volatile");
}

/* int, struct, static, template, …: a declaration begins or goes on here. */
static bool
begins_declaration(const struct look *l)
{
    return l->word == WORD_PRIMITIVE || l->word == WORD_SIZE ||
           l->word == WORD_AGGREGATE || l->word == WORD_STORAGE ||
           l->word == WORD_DEFINES || l->word == WORD_SCOPE || l->word == WORD_TEMPLATE;
}

/* What follows the name at l with what qualifies it: a::b<c>. */
static struct look
look_behind_name(const struct bodies *b, struct look l, uint32_t limit)
{
    for (unsigned i = 0; i < LOOK_WORDS_MAX; i++) {
        struct look next = look_at(b, l.end, limit);
        if (next.c == '<') {
            uint32_t end = group_end(b, next.start, limit, '<', '>');
            if (end == 0)
                return (struct look){.c = '\0'};
            l.end = end;
        } else if (next.c == ':' && next.end < limit && b->text.p[next.end] == ':') {
            l = look_at(b, next.end + 1, limit);
            if (l.c != 'w')
                return l;
        } else {
            return next;
        }
    }
    return (struct look){.c = '\0'};
}

/* Over the macros at l, with their arguments. */
static struct look
look_behind_macros(const struct bodies *b, struct look l, uint32_t limit)
{
    for (unsigned i = 0; i < LOOK_WORDS_MAX && l.c == 'w' && l.is_macro; i++) {
        struct look next = look_at(b, l.end, limit);
        if (next.c == '(') {
            uint32_t end = group_end(b, next.start, limit, '(', ')');
            if (end == 0)
                break;
            next = look_at(b, end, limit);
        }
        if (next.c != 'w')
            break;
        l = next;
    }
    return l;
}

/* operator bool; not operator ==, operator new */
static bool
is_conversion(const struct bodies *b, struct look l, uint32_t limit)
{
    l = look_at(b, l.end, limit);
    return l.c == 'w' && (l.word == WORD_NAME || begins_declaration(&l));
}

/* A type and what it is the type of: foo_t f, ns::foo<T> *f, const foo &f. */
static bool
is_whole_declaration(const struct bodies *b, struct look l, bool may_be_type,
                     uint32_t limit)
{
    l = look_behind_macros(b, l, limit);
    while (l.c == 'w' && is_qualifier(b, &l))
        l = look_at(b, l.end, limit);
    if (l.c != 'w')
        return false;
    if (l.word == WORD_OPERATOR)
        return is_conversion(b, l, limit);
    if (begins_declaration(&l))
        return true;
    if (l.word != WORD_NAME)
        return false;
    struct look next = look_behind_name(b, l, limit);
    if (next.c == 'w' && next.is_macro &&
        may_be_type) { // FILE f ATTRIBUTE; or API foo_t CALL f
        next = look_behind_macros(b, next, limit);
        return next.c == 'w' && !next.is_macro;
    }
    if (next.c == 'w')
        return next.word == WORD_NAME || next.word == WORD_STORAGE ||
               next.word == WORD_OPERATOR;
    return next.c == '*' || next.c == '&';
}

/* class API Name {, class Name FINAL : Base {, namespace name VISIBLE { */
static bool
is_of_class(const struct bodies *b, struct look l, uint32_t limit)
{
    const struct head *h = &b->head;
    if (h->before != BEFORE_AGGREGATE) {
        bool is_named = h->before == BEFORE_NAME || h->before == BEFORE_GENERIC;
        return is_named && (l.c == '{' || (l.c == ':' && h->had_aggregate));
    }
    l = look_behind_macros(b, l, limit);
    if (l.c != 'w' || l.word != WORD_NAME)
        return false;
    struct look next = look_behind_name(b, l, limit);
    return next.c == '{' || next.c == ':' ||
           (next.c == 'w' && (next.word == WORD_STORAGE || next.is_macro));
}

/* f(int a) const OVERRIDE { */
static bool
is_behind_parameters(const struct look *l)
{
    return l->c == '{' || l->c == ';' || l->c == '=' || l->c == ':' ||
           (l->c == 'w' && (l->is_macro || l->word == WORD_STORAGE));
}

/* A line of its own, Q_OBJECT, and no type of what follows. */
static bool
is_alone(const struct bodies *b, const struct look *l, bool has_arguments, uint32_t limit)
{
    if (b->head.before != BEFORE_NONE && b->head.before != BEFORE_COLON)
        return false;
    if (l->c == '\0')
        return limit == b->text.n;
    if (!l->is_on_new_line)
        return false;
    if (l->c == '}' || l->c == '~' || l->c == '#')
        return true;
    bool is_head =
        l->is_macro && b->syntax->raw != RAW_CPP; // NAME(…) { needs a type in C
    return l->c == 'w' && l->word == WORD_NAME && !is_head &&
           (l->is_behind_blank_line || (has_arguments && l->is_macro));
}

/* Before a declaration: API foo_t f, static noinline int f; within one: int __init f. */
static bool
is_before(const struct bodies *b, struct look l, bool is_macro, bool is_type_like,
          uint32_t limit)
{
    const struct head *h = &b->head;
    if (h->n_names > 1)
        return false;
    if (h->n_names == 1)
        return is_macro && ((l.c == 'w' && l.word != WORD_OPERATOR) || l.c == '*');
    if (is_macro)
        return l.c == '~' || is_whole_declaration(b, l, is_type_like, limit);
    l = look_behind_macros(b, l, limit);
    return l.c == 'w' && begins_declaration(&l) && l.word != WORD_STORAGE;
}

/* int32_t, size_t: the grammar takes them for words of the language. */
static bool
is_sized_type(struct str name)
{
    static const char *const begins[] = {"int",  "uint",  "char",
                                         "size", "ssize", "ptrdiff"};
    for (size_t i = 0; i < ARRAY_LEN(begins); i++)
        if (str_starts_with(name, str_of(begins[i])) && str_ends_with(name, STR("_t")))
            return true;
    return false;
}

/* DEFINE_FLAG(bool, name, "why"); a type among what may be no types is nothing the language has. */
static bool
is_statement(const struct bodies *b, uint32_t start, uint32_t end)
{
    bool has_comma = false, has_value = false, has_type = false;
    for (uint32_t at = start; at < end;) {
        struct look l = look_at(b, at, end);
        if (l.c == '\0')
            break;
        has_comma |= l.c == ',';
        has_value |= l.c == '"' || l.c == '-' || (l.c >= '0' && l.c <= '9');
        has_type |= l.c == 'w' && (l.word == WORD_PRIMITIVE || l.word == WORD_SIZE ||
                                   l.word == WORD_AGGREGATE ||
                                   is_sized_type(text_of(b, l.start, l.end)));
        at = l.c == '"' ? token_string_end(b, l.start) : l.end;
    }
    return has_comma && has_value && has_type;
}

uint32_t
macro_end(const struct bodies *b, uint32_t start, uint32_t end)
{
    const struct head *h = &b->head;
    bool is_macro = has_macro_shape(b, text_of(b, start, end)), is_cut;
    const struct bracket *around = b->open.n > 0 ? &b->open.v[b->open.n - 1] : NULL;
    bool is_in_list = around && (around->kind != '{' || around->is_enum);
    if (is_in_list || b->is_virtual || h->has_assign || h->before == BEFORE_DOT ||
        h->template_depth > 0 || h->generic.depth > 0 || (!is_macro && h->n_names > 0) ||
        (!is_macro && h->before != BEFORE_NONE && h->before != BEFORE_NAME))
        return 0;
    uint32_t limit = (uint32_t)MIN(b->text.n, (size_t)start + LOOK_BYTES_MAX);
    struct look l = look_at(b, end, limit);
    bool has_arguments = l.c == '(' && is_macro;
    if (has_arguments) {
        end = group_end(b, l.start, limit, '(', ')');
        if (end == 0)
            return 0;
        l = look_at(b, end, limit);
    }
    if (l.c == ':' && l.end < limit && b->text.p[l.end] == ':')
        return 0; // NAME::f
    if (has_arguments && l.c == ';' && h->before == BEFORE_NONE &&
        b->syntax->raw == RAW_CPP && !(around && around->is_class) &&
        is_statement(b, start, end))
        return l.end;
    if (h->has_params)
        is_cut = is_macro && !h->has_colon && is_behind_parameters(&l);
    else if (h->has_scope || h->before == BEFORE_AGGREGATE ||
             (h->had_aggregate && !has_arguments && (l.c == '{' || l.c == ':')))
        is_cut = is_macro && is_of_class(b, l, limit);
    else if (h->n_names > 1)
        is_cut = is_macro && l.c != '\0' && strchr("=;,[", l.c) &&
                 (h->before == BEFORE_NAME || h->before == BEFORE_BRACKET);
    else
        is_cut = is_before(b, l, is_macro, b->text.p[start] != '_', limit) ||
                 (is_macro && is_alone(b, &l, has_arguments, limit));
    return is_cut ? end : 0;
}
