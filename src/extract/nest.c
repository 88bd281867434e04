/* From matches in any order to definitions in source order, each once, with its true range, its
 * parent and its kind. Invariant: ranges nest or are disjoint, and what encloses comes first; the
 * stack of open ranges is therefore enough, and no recursion follows the nesting. */
#include "extract/found.h"

#define ARITY_LOOKAHEAD_BYTES 4096

static int
compare_stretches(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->end == y->end ? 0 : x->end > y->end ? -1 : 1;
}

/* The match to keep first: of one name, the pattern that comes first in the files, with
 * a body, the longest one. */
static int
compare_names(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->name.start != y->name.start)
        return x->name.start < y->name.start ? -1 : 1;
    if (x->pattern != y->pattern)
        return x->pattern < y->pattern ? -1 : 1;
    if (stretch_is_empty(x->body) != stretch_is_empty(y->body))
        return stretch_is_empty(x->body) ? 1 : -1;
    return x->body.start == y->body.start ? 0 : x->body.start < y->body.start ? -1 : 1;
}

/* Source order, outer first; names of one list in their order. */
static int
compare_ranges(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int c = compare_stretches(&x->range, &y->range);
    if (c != 0)
        return c;
    return x->name.start == y->name.start ? 0 : x->name.start < y->name.start ? -1 : 1;
}

/* Matches come almost sorted: look before the work. */
static void
sort(void *v, size_t n, size_t size_bytes, int (*compare)(const void *, const void *))
{
    for (size_t i = 1; i < n; i++) {
        const char *at = (const char *)v + i * size_bytes;
        if (compare(at - size_bytes, at) > 0) {
            qsort(v, n, size_bytes, compare);
            return;
        }
    }
}

ssize_t
stretch_last_before(const struct stretch *v, size_t n, uint32_t at)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (v[mid].end <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return (ssize_t)low - 1;
}

static bool
has_only(struct str text, uint32_t from, uint32_t to, const char *set)
{
    for (; from < to; from++)
        if (text.p[from] == '\0' || !strchr(set, text.p[from]))
            return false;
    return true;
}

static void
remove_doubles(struct finds *f)
{
    sort(f->defs.v, f->defs.n, sizeof(*f->defs.v), compare_names);
    size_t kept = 0;
    for (size_t i = 0; i < f->defs.n; i++)
        if (kept == 0 || f->defs.v[kept - 1].name.start != f->defs.v[i].name.start)
            f->defs.v[kept++] = f->defs.v[i];
    f->defs.n = kept;
}

static size_t
first_name_from(const struct finds *f, uint32_t start)
{
    size_t low = 0, high = f->defs.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (f->defs.v[mid].name.start < start)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The name of a definition is no call, though it is written like one where it begins: f(x) = …,
 * def f(x), x <+> y = …. Definitions are sorted by name here, references almost. */
static void
remove_own_names(struct finds *f)
{
    size_t kept = 0, at = 0;
    uint32_t before = 0;
    for (size_t i = 0; i < f->edges.n; i++) {
        const struct found_edge *e = &f->edges.v[i];
        if (e->name.start < before)
            at = first_name_from(f, e->name.start);
        before = e->name.start;
        while (at < f->defs.n && f->defs.v[at].name.start < e->name.start)
            at++;
        bool is_own = at < f->defs.n && f->defs.v[at].name.start == e->name.start;
        if (e->kind != EDGE_CALLS || !is_own)
            f->edges.v[kept++] = *e;
    }
    f->edges.n = kept;
}

/* Both sorted: a definition lies in an opaque stretch if the one that reaches furthest, of those
 * that begin before it, reaches over it. */
static void
remove_opaque(struct finds *f)
{
    size_t kept = 0, next = 0;
    uint32_t covered = 0;
    for (size_t i = 0; i < f->defs.n; i++) {
        const struct found *d = &f->defs.v[i];
        for (; next < f->opaques.n && f->opaques.v[next].start <= d->range.start; next++)
            covered = MAX(covered, f->opaques.v[next].end);
        if (d->range.start >= covered)
            f->defs.v[kept++] = *d;
    }
    f->defs.n = kept;
}

/* A heading's name without the marks that may close it: ## Name ## */
static void
trim_heading(struct finds *f, struct stretch *name)
{
    const char *p = f->text.p;
    uint32_t end = name->end;
    while (end > name->start && p[end - 1] == '#')
        end--;
    if (end > name->start && end < name->end && p[end - 1] != ' ' && p[end - 1] != '\t')
        end = name->end; // C# is a name
    while (end > name->start && has_only(f->text, end - 1, end, " \t\r\n"))
        end--;
    if (end > name->start)
        name->end = end;
}

/* A heading is over what follows it, to the next one of its level or a higher one; that is the
 * body, for its signature is the heading. */
static void
apply_levels(struct finds *f)
{
    uint32_t next[LANG_LEVEL_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(next); i++)
        next[i] = (uint32_t)f->text.n;
    for (size_t i = f->defs.n; i-- > 0;) {
        struct found *d = &f->defs.v[i];
        if (d->level == 0)
            continue;
        uint32_t heading_end = d->range.end, end = next[d->level];
        trim_heading(f, &d->name);
        for (size_t level = d->level; level < ARRAY_LEN(next); level++)
            next[level] = d->range.start;
        while (end > heading_end && has_only(f->text, end - 1, end, " \t\r\n"))
            end--;
        if (stretch_is_empty(d->body))
            d->body.start = heading_end;
        d->body.end = d->range.end = MAX(end, heading_end);
    }
}

/* <p id=a> … </p>: known by how it begins. */
static void
apply_arounds(struct finds *f)
{
    size_t next = 0;
    for (size_t i = 0; f->arounds.n > 0 && i < f->defs.n; i++) {
        struct found *d = &f->defs.v[i];
        while (next < f->arounds.n && f->arounds.v[next].start < d->range.start)
            next++;
        for (size_t at = next; at < f->arounds.n; at++) {
            const struct stretch *a = &f->arounds.v[at];
            if (a->start != d->range.start)
                break;
            if (a->end <= d->range.end)
                continue;
            if (stretch_is_empty(d->body))
                d->body = (struct stretch){d->range.end, a->end};
            d->range.end = a->end;
            break;
        }
    }
}

/* Sorted; of leadings within others the outermost counts, so that ends rise, too. */
static void
drop_nested_leadings(struct finds *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->leadings.n; i++)
        if (kept == 0 || f->leadings.v[i].start >= f->leadings.v[kept - 1].end)
            f->leadings.v[kept++] = f->leadings.v[i];
    f->leadings.n = kept;
}

static bool
has_blank_line(struct str text, uint32_t from, uint32_t to)
{
    unsigned n = 0;
    for (; from < to; from++)
        n += text.p[from] == '\n';
    return n > 1;
}

/* Decorators that stand beside what they decorate. */
static void
apply_leadings(struct finds *f)
{
    for (size_t i = 0; f->leadings.n > 0 && i < f->defs.n; i++) {
        struct stretch *range = &f->defs.v[i].range;
        ssize_t at = stretch_last_before(f->leadings.v, f->leadings.n, range->start);
        for (; at >= 0; at--) {
            const struct stretch *l = &f->leadings.v[at];
            if (!has_only(f->text, l->end, range->start, " \t\r\n"))
                break;
            if (f->outline && has_blank_line(f->text, l->end, range->start))
                break;
            range->start = l->start;
        }
    }
}

static size_t
first_def_from(const struct finds *f, uint32_t start)
{
    size_t low = 0, high = f->defs.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (f->defs.v[mid].range.start < start)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* export const f = …; is f's range, not only what the declarator spans. A wrapper belongs to the
 * first definition in it (of several with one range to all), if nothing but a semicolon comes behind
 * that; of nested wrappers the outermost counts. */
static void
apply_wrappers(struct finds *f)
{
    struct stretch done = {0,
                           0}; // from the last wrapper used to the definition's own start
    for (size_t i = 0; i < f->wrappers.n; i++) {
        const struct stretch *w = &f->wrappers.v[i];
        size_t at = first_def_from(f, w->start);
        if (at == f->defs.n || (w->start >= done.start && w->start < done.end))
            continue;
        struct stretch range = f->defs.v[at].range;
        if (range.end > w->end || range.start >= w->end ||
            !has_only(f->text, range.end, w->end, " \t\r\n;"))
            continue;
        done = (struct stretch){w->start, range.start};
        struct stretch wide = *w;
        while (wide.end > range.end && f->text.p[wide.end - 1] != ';')
            wide.end--; // a line of its own ends with its newline
        for (; at < f->defs.n && compare_stretches(&f->defs.v[at].range, &range) == 0;
             at++)
            f->defs.v[at].range = wide;
    }
}

static bool
is_class_like(enum entity_kind kind)
{
    return kind == ENTITY_CLASS || kind == ENTITY_STRUCT || kind == ENTITY_UNION ||
           kind == ENTITY_INTERFACE || kind == ENTITY_TRAIT || kind == ENTITY_IMPL ||
           kind == ENTITY_ENUM;
}

static bool
is_function_like(enum entity_kind kind)
{
    return kind == ENTITY_FUNCTION || kind == ENTITY_METHOD ||
           kind == ENTITY_CONSTRUCTOR || kind == ENTITY_PROPERTY;
}

static bool
is_variable_like(enum entity_kind kind)
{
    return kind == ENTITY_VARIABLE || kind == ENTITY_CONSTANT;
}

/* struct inner { … } name: the type stands in the declaration of `name` but is no part of it.
 * Nor is b of a in: a = b = 1. */
static bool
is_only_written_in(const struct found *d, const struct found *around)
{
    if (is_variable_like(d->kind) && is_variable_like(around->kind))
        return true;
    if (!is_class_like(d->kind))
        return false;
    return d->range.end <= around->name.start &&
           (is_variable_like(around->kind) || around->kind == ENTITY_FIELD ||
            around->kind == ENTITY_TYPE_ALIAS || around->kind == ENTITY_FUNCTION);
}

static bool
is_field_like(enum entity_kind kind)
{
    return kind == ENTITY_FIELD || kind == ENTITY_PROPERTY;
}

/* What a constructor's parameters make is the class's: constructor(private x). */
static uint32_t
parent_of(const struct finds *f, const struct found *d)
{
    if (d->flat)
        return ENTITY_NONE;
    uint32_t p = d->outer;
    while (p != ENTITY_NONE && is_only_written_in(d, &f->defs.v[p]))
        p = f->defs.v[p].parent;
    if (p != ENTITY_NONE && is_field_like(d->kind) &&
        f->defs.v[p].kind == ENTITY_CONSTRUCTOR)
        p = f->defs.v[p].parent;
    return p;
}

/* The nearest thing around that makes names local or members; ENTITY_NONE at file scope. */
static uint32_t
scope_of(const struct finds *f, const struct found *d)
{
    uint32_t p = d->parent;
    while (p != ENTITY_NONE && !is_function_like(f->defs.v[p].kind) &&
           !is_class_like(f->defs.v[p].kind))
        p = f->defs.v[p].parent;
    return p;
}

/* for_each(x) { … } in a function reads as the definition of x. */
static bool
is_misread(const struct finds *f, const struct found *d)
{
    uint32_t o = d->is_file_level ? d->outer : ENTITY_NONE;
    while (o != ENTITY_NONE && !is_function_like(f->defs.v[o].kind))
        o = f->defs.v[o].outer;
    return o != ENTITY_NONE;
}

/* (#set! member): in a class; what looks like a constructor has its name, else it is a macro. */
static bool
is_stray(const struct finds *f, const struct found *d)
{
    if (!d->members_only)
        return false;
    if (d->parent == ENTITY_NONE || !is_class_like(f->defs.v[d->parent].kind))
        return true;
    return d->kind == ENTITY_CONSTRUCTOR &&
           !str_eq(stretch_text(d->name, f->text),
                   stretch_text(f->defs.v[d->parent].name, f->text));
}

static void
settle_kind(const struct finds *f, struct found *d)
{
    bool is_member = d->parent != ENTITY_NONE && is_class_like(f->defs.v[d->parent].kind);
    d->is_dropped = is_stray(f, d) || is_misread(f, d);
    bool goes_local = d->local == LANG_LOCAL_DROP ||
                      (d->local == LANG_LOCAL_BY_KIND && is_variable_like(d->kind));
    if (goes_local) {
        uint32_t scope = scope_of(f, d);
        d->is_dropped |= scope != ENTITY_NONE && is_function_like(f->defs.v[scope].kind);
    }
    if (is_variable_like(d->kind)) {
        if (is_member && d->kind == ENTITY_VARIABLE)
            d->kind = ENTITY_FIELD;
    } else if (d->kind == ENTITY_FUNCTION && (is_member || d->is_qualified)) {
        d->kind = ENTITY_METHOD;
    } else if (d->kind == ENTITY_CONSTRUCTOR && !is_member && !d->is_qualified) {
        d->kind = ENTITY_FUNCTION;
    }
}

/* The arguments in parentheses directly behind a name: f(a, b) has 2, f a b none. */
static unsigned
arity_behind(struct str text, uint32_t at)
{
    uint32_t depth = 0, end = (uint32_t)MIN(text.n, (size_t)at + ARITY_LOOKAHEAD_BYTES);
    unsigned n = 0;
    for (uint32_t i = at; i < end; i++) {
        char c = text.p[i];
        if (c == '(' || c == '[' || c == '{') {
            n = n == 0 && depth > 0 ? 1 : n;
            depth++;
        } else if (depth > 0 && (c == ')' || c == ']' || c == '}'))
            depth--;
        else if (c == ',' && depth == 1)
            n++;
        else if (n == 0 && depth > 0 && !strchr(" \t\r\n", c))
            n = 1;
        if (depth == 0)
            break;
    }
    return n;
}

/* Only white space and comments from one to the other. */
static bool
is_gap_blank(const struct finds *f, uint32_t from, uint32_t to)
{
    ssize_t i = stretch_last_before(f->comments.v, f->comments.n, to);
    for (; i >= 0 && f->comments.v[i].start >= from; i--) {
        if (!has_only(f->text, f->comments.v[i].end, to, " \t\r\n;"))
            return false;
        to = f->comments.v[i].start;
    }
    return has_only(f->text, from, to, " \t\r\n;");
}

/* f :: …; f 0 = …; f n = …: a function's signature and clauses, if nothing is between, are one
 * definition, the first with the range of all. */
static bool
merge(struct finds *f, uint32_t before, const struct found *d)
{
    if (before == ENTITY_NONE || !d->merges || !f->defs.v[before].merges)
        return false;
    struct found *b = &f->defs.v[before];
    if (!str_eq(stretch_text(b->name, f->text), stretch_text(d->name, f->text)) ||
        arity_behind(f->text, b->name.end) != arity_behind(f->text, d->name.end) ||
        !is_gap_blank(f, b->range.end, d->range.start))
        return false;
    if (stretch_is_empty(b->body))
        b->body.start = b->range.end; // the signature is what comes first
    b->range.end = d->range.end;
    if (b->body.end <= b->body.start)
        b->body.end = b->range.end;
    return true;
}

static void
find_parents(struct finds *f)
{
    f->stack.n = 0;
    for (uint32_t i = 0; i < f->defs.n; i++) {
        struct found *d = &f->defs.v[i];
        bool is_twin = false; // of one list with the top of the stack
        uint32_t before = ENTITY_NONE;
        while (f->stack.n > 0) {
            const struct found *top = &f->defs.v[f->stack.v[f->stack.n - 1]];
            is_twin = compare_stretches(&top->range, &d->range) == 0;
            if (is_twin || top->range.end >= d->range.end)
                break;
            before = f->stack.v[--f->stack.n];
        }
        if (!is_twin && merge(f, before, d)) {
            d->is_dropped = true;
            d->outer = d->parent = before;
            *vec_push(&f->stack) = before;
            continue;
        }
        d->outer = f->stack.n == 0 ? ENTITY_NONE : f->stack.v[f->stack.n - 1];
        if (is_twin)
            d->outer = f->defs.v[d->outer].outer;
        d->parent = parent_of(f, d);
        settle_kind(f, d);
        if (!is_twin && !d->is_dropped)
            *vec_push(&f->stack) = i;
    }
}

void
nest_definitions(struct finds *f)
{
    sort(f->comments.v, f->comments.n, sizeof(*f->comments.v), compare_stretches);
    sort(f->docs.v, f->docs.n, sizeof(*f->docs.v), compare_stretches);
    sort(f->wrappers.v, f->wrappers.n, sizeof(*f->wrappers.v), compare_stretches);
    sort(f->leadings.v, f->leadings.n, sizeof(*f->leadings.v), compare_stretches);
    sort(f->arounds.v, f->arounds.n, sizeof(*f->arounds.v), compare_stretches);
    sort(f->opaques.v, f->opaques.n, sizeof(*f->opaques.v), compare_stretches);
    remove_doubles(f);
    remove_own_names(f);
    sort(f->defs.v, f->defs.n, sizeof(*f->defs.v), compare_ranges);
    if (f->opaques.n > 0)
        remove_opaque(f);
    apply_levels(f);
    apply_arounds(f);
    drop_nested_leadings(f);
    apply_leadings(f);
    apply_wrappers(f);
    sort(f->defs.v, f->defs.n, sizeof(*f->defs.v), compare_ranges);
    find_parents(f);
}
