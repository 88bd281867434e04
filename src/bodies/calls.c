/* Calls in what is left out: a name before parentheses that is no declaration, no pattern, no
 * attribute, and what a language calls otherwise. Invariant: b->calls rises. */
#include "bodies/internal.h"

void
call_add(struct bodies *b, uint32_t start, uint32_t end)
{
    if (b->n_opaque == 0 || b->n_mute > 0 || b->calls.n >= EDGE_PER_FILE_MAX ||
        (b->calls.n > 0 && b->calls.v[b->calls.n - 1].end > start))
        return;
    *vec_push(&b->calls) = (struct stretch){start, end};
}

/* int f(…) declares; a type before the name is another name or what ends one. */
static bool
is_declared(const struct head *h)
{
    return h->before_name == BEFORE_NAME || h->before_name == BEFORE_GENERIC ||
           h->before_name == BEFORE_AGGREGATE || h->before_name == BEFORE_FUNCTION;
}

void
call_before_bracket(struct bodies *b, char kind)
{
    const struct head *h = &b->head;
    bool is_call = false;
    if (!h->last_is_callable || h->before_name == BEFORE_ATTRIBUTE)
        return;
    if (b->n_macros > 0)
        is_call = kind == '(' &&
                  (h->before == BEFORE_NAME || (h->has_bang && h->before == BEFORE_BANG));
    else if (h->has_bang && h->before == BEFORE_BANG)
        is_call = true;
    else if (h->before == BEFORE_NAME || h->before == BEFORE_GENERIC)
        is_call = kind == '(' ? !is_declared(h)
                              : kind == '{' && h->has_new && b->syntax->has_new_braces;
    if (is_call)
        call_add(b, h->name_start, h->name_end);
}

/* A::b, A::new */
void
call_by_reference(struct bodies *b, uint32_t start)
{
    const struct head *h = &b->head;
    bool is_reference = b->syntax->has_method_references && h->before == BEFORE_DOT &&
                        b->text.p[start - 1] == ':';
    if (!is_reference)
        return;
    if (!str_eq_c(str_slice(b->text.p + start, b->at - start), "new"))
        call_add(b, start, b->at);
    else if (h->before_name != BEFORE_DOT && h->last_is_callable)
        call_add(b, h->name_start, h->name_end);
}

void
call_begin_pattern(struct bodies *b)
{
    b->head.pattern_calls = (uint32_t)b->calls.n;
    b->head.guard_calls = UINT32_MAX;
}

void
call_begin_guard(struct bodies *b)
{
    b->head.guard_calls = MIN(b->head.guard_calls, (uint32_t)b->calls.n);
}

/* Some(x) if f(x) => : the guard's stay. */
void
call_end_pattern(struct bodies *b)
{
    size_t from = b->head.pattern_calls, to = MIN(b->head.guard_calls, b->calls.n);
    if (b->n_macros == 0 && from < to) {
        memmove(b->calls.v + from, b->calls.v + to,
                (b->calls.n - to) * sizeof(*b->calls.v));
        b->calls.n -= to - from;
    }
    call_begin_pattern(b);
}

/* f<T>(x), f::<T>(x), a.<T>f(x) */
void
generic_open(struct bodies *b)
{
    struct head *h = &b->head;
    if (h->generic.depth > 0) {
        h->generic.depth++;
        return;
    }
    if (h->before != BEFORE_NAME && h->before != BEFORE_DOT)
        return;
    h->generic = (struct generic){
        .name_start = h->name_start,
        .name_end = h->name_end,
        .depth = 1,
        .before_name = h->before_name,
        .n_names = h->n_names,
        .has_name = h->before == BEFORE_NAME || b->syntax->has_lifetimes,
        .is_callable = h->last_is_callable,
    };
}

void
generic_close(struct bodies *b)
{
    struct head *h = &b->head;
    const struct generic *g = &h->generic;
    if (g->depth == 0 || --h->generic.depth > 0)
        return;
    h->name_start = g->name_start;
    h->name_end = g->name_end;
    h->before_name = g->before_name;
    h->last_is_callable = g->is_callable;
    h->n_names = g->n_names;
    h->before = g->has_name ? BEFORE_GENERIC : BEFORE_DOT;
}
