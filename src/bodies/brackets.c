/* Brackets, and which groups may be left out. A group is opaque when the statement before it makes
 * it a body or an initializer and nothing in it must be seen; what must be seen taints all groups
 * around it. Invariant: gaps are disjoint and rise; an opaque group replaces those within it. */
#include "bodies/internal.h"
#include "bodies/items.h"

void
bracket_taint(struct bodies *b)
{
    if (b->open.n > 0)
        b->open.v[b->open.n - 1].is_tainted = true;
}

static struct bracket
pop(struct bodies *b)
{
    struct bracket top = b->open.v[--b->open.n];
    if (top.is_tainted)
        bracket_taint(b);
    if (top.kind == '{')
        b->n_braces--;
    b->n_opaque -= top.is_opaque;
    b->n_mute -= top.is_mute;
    b->n_macros -= top.is_macro;
    if (b->conditions.n > 0) {
        struct condition *c = &b->conditions.v[b->conditions.n - 1];
        c->min_open = MIN(c->min_open, b->open.n);
    }
    return top;
}

void
bracket_trim(struct bodies *b, size_t n)
{
    while (b->open.n > n && b->open.v[b->open.n - 1].kind != '{')
        b->head = pop(b).head;
}

static bool
may_be_declared(const struct head *h)
{
    if (h->before != BEFORE_NAME && h->before != BEFORE_GENERIC)
        return false;
    switch ((enum before)h->before_name) {
    case BEFORE_NAME:
    case BEFORE_ANGLE:
    case BEFORE_GENERIC:
    case BEFORE_STAR:
    case BEFORE_BRACKET: return true;
    case BEFORE_NONE:
    case BEFORE_CONTROL:
    case BEFORE_AGGREGATE:
    case BEFORE_FUNCTION:
    case BEFORE_ATTRIBUTE:
    case BEFORE_BLOCK:
    case BEFORE_VALUE:
    case BEFORE_STRING:
    case BEFORE_PAREN:
    case BEFORE_BRACE:
    case BEFORE_ASSIGN:
    case BEFORE_ARROW:
    case BEFORE_DOT:
    case BEFORE_COLON:
    case BEFORE_COMMA:
    case BEFORE_BANG:
    case BEFORE_OTHER: break;
    }
    return false;
}

static void
open_paren(struct bodies *b, struct bracket *n)
{
    struct head *h = &b->head;
    n->is_expression = true;
    n->is_attribute = h->before == BEFORE_ATTRIBUTE;
    n->is_declared = may_be_declared(h);
    n->is_new = h->has_new;
    n->is_macro = h->has_bang && h->before == BEFORE_BANG;
    /* struct s f( … is a function; struct attribute(…) s still a struct, class A : B<C(D)>, too. */
    if (!n->is_attribute && h->angles == 0 && !h->has_colon)
        h->has_aggregate = false;
    h->has_new = h->has_bang = false;
}

static void
open_square(struct bodies *b, struct bracket *n)
{
    n->is_expression = true;
    n->is_attribute = n->is_mute = b->head.before == BEFORE_ATTRIBUTE;
    n->is_macro = b->head.has_bang && b->head.before == BEFORE_BANG;
    b->head.has_bang = false;
}

/* A body of a language whose functions have a word of their own: func, fn. */
static bool
is_body_by_word(const struct bodies *b)
{
    const struct head *h = &b->head;
    if (h->has_function)
        return true;
    return h->has_assign && !h->has_bang && !h->has_scope &&
           (h->before == BEFORE_NAME || h->before == BEFORE_BRACKET ||
            h->before == BEFORE_BRACE || h->before == BEFORE_ANGLE ||
            h->before == BEFORE_GENERIC);
}

/* A body by what stands before it: f(…) {, f(…) const {, F() : a(1) {, } {. */
static bool
is_body_by_head(const struct bodies *b)
{
    const struct head *h = &b->head;
    bool is_in_enum = b->open.n > 0 && b->open.v[b->open.n - 1].is_enum;
    if (h->has_scope || is_in_enum)
        return false;
    switch ((enum before)h->before) {
    case BEFORE_NONE:
    case BEFORE_BLOCK:
    case BEFORE_ARROW: return true;
    case BEFORE_PAREN: return !(b->syntax->has_anonymous_classes && h->params_are_new);
    case BEFORE_BRACE: return h->has_colon;
    case BEFORE_NAME:
    case BEFORE_ANGLE:
    case BEFORE_GENERIC:
    case BEFORE_STAR:
    case BEFORE_STRING:
    case BEFORE_BRACKET:
        if (h->had_aggregate || h->has_colon)
            return false;
        return h->has_params || h->has_assign;
    case BEFORE_CONTROL:
    case BEFORE_AGGREGATE:
    case BEFORE_FUNCTION:
    case BEFORE_ATTRIBUTE:
    case BEFORE_VALUE:
    case BEFORE_ASSIGN:
    case BEFORE_DOT:
    case BEFORE_COLON:
    case BEFORE_COMMA:
    case BEFORE_BANG:
    case BEFORE_OTHER: break;
    }
    return false;
}

static void
open_brace(struct bodies *b, struct bracket *n)
{
    struct head *h = &b->head;
    bool by_word = b->syntax->has_function_word;
    bool is_in_list = b->open.n > 0 && b->open.v[b->open.n - 1].kind != '{';
    bool is_anonymous = b->syntax->has_anonymous_classes && h->before == BEFORE_PAREN &&
                        h->params_are_new;
    n->is_macro = h->has_bang;
    n->is_class = h->has_aggregate;
    n->is_enum = h->is_enum && (h->has_aggregate || !h->had_aggregate);
    n->is_type = by_word && b->syntax->has_newline_ends && h->before == BEFORE_AGGREGATE;
    n->is_expression =
        is_in_list || n->is_type || h->before == BEFORE_ASSIGN ||
        (h->has_colon && h->before != BEFORE_PAREN && h->before != BEFORE_BRACE);
    if (h->before == BEFORE_ASSIGN) {
        n->is_opaque = true;
    } else if (n->is_type) {
        h->has_aggregate = h->had_aggregate =
            false; // its members tell whether something in it must be seen
    } else if ((h->has_aggregate && !(by_word && h->has_function)) || is_anonymous) {
        n->is_tainted = true;
    } else {
        n->is_opaque = by_word ? is_body_by_word(b) : is_body_by_head(b);
        n->is_tainted = h->had_aggregate && h->before != BEFORE_PAREN && !h->has_function;
        /* f() { int g() { } }: a function within one is seen. */
        if (n->is_opaque && b->n_opaque > 0 && !by_word && h->before == BEFORE_PAREN &&
            h->params_are_declared)
            bracket_taint(b);
    }
}

void
bracket_open(struct bodies *b, char kind)
{
    b->n_ends += kind == '{';
    b->n_blocks += kind == '{';
    if (b->is_virtual) {
        b->virtual_braces += kind == '{';
        begin_statement(b);
        return;
    }
    if (b->open.n >= BODIES_DEPTH_MAX) {
        b->is_lost = true;
        return;
    }
    struct bracket n = {
        .at = b->at,
        .n_gaps = (uint32_t)b->gaps.n,
        .branch = b->branch,
        .kind = kind,
    };
    call_before_bracket(b, kind);
    if (kind == '(')
        open_paren(b, &n);
    else if (kind == '[')
        open_square(b, &n);
    else
        open_brace(b, &n);
    n.head = b->head;
    if (kind == '{')
        item_open_brace(b, &n);
    b->n_braces += kind == '{';
    b->n_opaque += n.is_opaque;
    b->n_mute += n.is_mute;
    b->n_macros += n.is_macro;
    *vec_push(&b->open) = n;
    begin_statement(b);
}

static bool
is_blank(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr(" \t\r\n", s.p[i]) || s.p[i] == '\0')
            return false;
    return true;
}

static void
leave_out_body(struct bodies *b, uint32_t at, uint32_t end)
{
    size_t i = b->kept.n;
    while (i > 0 && b->kept.v[i - 1].start >= at)
        i--;
    for (; i < b->kept.n; i++) {
        if (b->kept.v[i].start > at)
            *vec_push(&b->gaps) = (struct stretch){at, b->kept.v[i].start};
        at = b->kept.v[i].end;
    }
    if (end > at)
        *vec_push(&b->gaps) = (struct stretch){at, end};
}

bool
bracket_has_kept(const struct bodies *b, const struct bracket *top)
{
    return b->kept.n > 0 && b->kept.v[b->kept.n - 1].start > top->at;
}

/* The group that closes at b->at, into a gap if it may be. */
static void
close_brace(struct bodies *b, const struct bracket *top)
{
    if (!top->is_opaque || b->keeps_bodies)
        return;
    bool is_whole = top->branch == b->branch; // its braces are of one branch of #if
    if (is_whole && top->is_tainted)
        return;
    b->gaps.n = top->n_gaps;
    if (is_whole && b->at - top->at > GAP_BYTES_MIN)
        leave_out_body(b, top->at + 1, b->at);
}

static void
close_curly(struct bodies *b)
{
    while (b->open.n > 0 && b->open.v[b->open.n - 1].kind != '{')
        pop(b);
    if (b->open.n == 0) {
        b->is_lost = true;
        return;
    }
    struct bracket *last = &b->open.v[b->open.n - 1];
    if (last->is_type &&
        !is_blank(str_slice(b->text.p + last->at + 1, b->at - last->at - 1)))
        last->is_tainted = true;
    if (b->item.level == LEVEL_ENUM)
        item_end(b, b->at);
    struct bracket top = pop(b);
    close_brace(b, &top);
    item_close_brace(b, &top);
    if (top.is_expression) {
        b->head = top.head;
        b->head.before = BEFORE_BRACE;
    } else {
        begin_statement(b);
    }
}

void
bracket_close(struct bodies *b, char kind)
{
    b->n_ends += kind == '}';
    b->n_blocks += kind == '}';
    if (b->is_virtual) {
        b->virtual_braces -= kind == '}' && b->virtual_braces > 0;
        begin_statement(b);
        b->head.before = kind == ')' ? BEFORE_PAREN : BEFORE_NONE;
        return;
    }
    if (kind == '}') {
        close_curly(b);
        return;
    }
    char opening = kind == ')' ? '(' : '[';
    if (b->open.n == 0 || b->open.v[b->open.n - 1].kind != opening)
        return; // nobody opened it: some #if did
    struct bracket top = pop(b);
    b->head = top.head;
    if (top.is_attribute && kind == ')') {
        b->head.before = b->head.has_params ? BEFORE_PAREN : BEFORE_NAME;
        return;
    }
    if (kind == ']') {
        b->head.before = top.is_attribute ? BEFORE_NONE : BEFORE_BRACKET;
        return;
    }
    b->head.before = BEFORE_PAREN;
    b->head.has_params = true;
    b->head.params_are_declared = top.is_declared;
    b->head.params_are_new = top.is_new;
}
