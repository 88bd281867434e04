/* One walk of the query cursor over the tree: matches become plain stretches of bytes, so that the
 * later stages need neither tree nor query. Nothing here depends on the language. */
#include "extract/extract.h"
#include "extract/found.h"

#define FIND_BYTES_MAX (1024 * 1024)
#define FIND_WINDOW_BYTES 16384
#define LIST_LOOKAHEAD_BYTES 256 // where a comma behind a declarator is looked for

struct match {
    TSNode definition, name, declarator, body, doc;
    TSNode name_end;        // the last of several nodes that are the name together
    TSNode body_end;        // the same for the body
    struct stretch scope;   // from the first node captured to the last
    enum lang_capture role; // DEFINITION, a reference, or what stands alone
    int kind;
    TSNode alone; // the node of a role that stands alone
    TSNode reference;
};

struct watch {
    struct deadline *deadline;
    bool is_late;
};

static bool
on_progress(TSQueryCursorState *state)
{
    struct watch *watch = state->payload;
    watch->is_late = watch->is_late || deadline_is_over(watch->deadline);
    return watch->is_late;
}

/* A node's bytes of the source; clipped, for a tree may be of another text by a caller's mistake. */
struct stretch
node_stretch(TSNode node, const struct finds *f)
{
    if (ts_node_is_null(node))
        return (struct stretch){0, 0};
    uint32_t end = MIN(ts_node_end_byte(node), (uint32_t)f->parsed.n);
    struct stretch s = {MIN(ts_node_start_byte(node), end), end};
    return f->outline ? outline_stretch_to_source(f->outline, s) : s;
}

/* From the first @name of the match to the last one. */
static struct stretch
name_stretch(const struct match *m, const struct finds *f)
{
    struct stretch name = node_stretch(m->name, f);
    name.end = MAX(name.end, node_stretch(m->name_end, f).end);
    return name;
}

/* An operator that stands as a name, (<+>), or, among clauses, a name that stands as an operator,
 * `f`: what is in it, so that both ways to write it are one name. */
static struct stretch
bare_name(struct stretch name, struct str text, bool is_clause)
{
    struct str s = stretch_text(name, text);
    bool is_ticked = is_clause && s.n > 2 && s.p[0] == '`' && s.p[s.n - 1] == '`';
    if (s.n < 3 || (!is_ticked && (s.p[0] != '(' || s.p[s.n - 1] != ')')))
        return name;
    struct str inner = str_trim(str_slice(s.p + 1, s.n - 2));
    for (size_t i = 0; i < inner.n && !is_ticked; i++)
        if (inner.p[i] == '\0' || !strchr("!#$%&*+./<=>?@\\^|-~:", inner.p[i]))
            return name;
    if (inner.n == 0)
        return name;
    name.start += (uint32_t)(inner.p - s.p);
    name.end = name.start + (uint32_t)inner.n;
    return name;
}

static struct stretch
body_stretch(const struct match *m, const struct finds *f)
{
    struct stretch body = node_stretch(m->body, f);
    body.end = MAX(body.end, node_stretch(m->body_end, f).end);
    return body;
}

/* In some grammars a line comment or a preprocessor line ends with its newline. */
static struct stretch
trimmed_end(struct stretch s, struct str text)
{
    while (s.end > s.start && strchr(" \t\r\n", text.p[s.end - 1]))
        s.end--;
    return s;
}

static bool
type_ends_with(TSNode node, struct str suffix)
{
    return str_ends_with(str_of(ts_node_type(node)), suffix);
}

/* The declarator in a node that holds one without a field: (*name), name __attribute__((x)). */
static TSNode
inner_declarator(TSNode node)
{
    uint32_t n = ts_node_named_child_count(node);
    for (uint32_t i = 0; i < n; i++) {
        TSNode child = ts_node_named_child(node, i);
        if (type_ends_with(child, STR("declarator")) ||
            type_ends_with(child, STR("identifier")))
            return child;
    }
    return (TSNode){0};
}

/* The node that a declarator holds, null at the innermost. */
static TSNode
next_declarator(const struct lang_query *q, TSNode node)
{
    TSNode inner = ts_node_child_by_field_id(node, q->declarator_field);
    if (ts_node_is_null(inner) && type_ends_with(node, STR("declarator")))
        inner = inner_declarator(node);
    return inner;
}

/* What stands before the parameters of a declarator that has no name: operator const T&. */
static struct stretch
name_before_abstract(const struct lang_query *q, TSNode node, TSNode abstract,
                     const struct finds *f)
{
    struct stretch name = node_stretch(node, f);
    TSNode inner = abstract;
    while (!ts_node_is_null(inner)) {
        abstract = inner;
        inner = next_declarator(q, abstract);
    }
    name.end = MAX(name.start, node_stretch(abstract, f).start);
    return trimmed_end(name, f->text);
}

static void
widen(struct stretch *s, struct stretch by)
{
    if (stretch_is_empty(*s))
        *s = by;
    s->end = MAX(s->end, by.end);
}

/* Follows declarators inward to the name; *ret_last is the type of the one that holds it, with
 * parentheses overlooked: in int (*f)(void) a pointer, in int f(void) a function. Of a name that is
 * itself qualified, a::b<T>::f, the last part is the name and what stands before it the scope. */
static struct stretch
name_of_declarator(const struct lang_query *q, TSNode node, const struct finds *f,
                   TSSymbol *ret_last, struct stretch *scope)
{
    TSNode inner;
    *ret_last = 0;
    while (ts_node_child_count(node) > 0) {
        inner = ts_node_child_by_field_id(node, q->declarator_field);
        if (!ts_node_is_null(inner)) {
            *ret_last = ts_node_symbol(node);
            if (str_starts_with(str_of(ts_node_type(inner)), STR("abstract_")))
                return name_before_abstract(q, node, inner, f);
        } else if (!ts_node_is_null(inner =
                                        ts_node_child_by_field_id(node, q->name_field))) {
            widen(scope,
                  node_stretch(ts_node_child_by_field_id(node, q->scope_field), f));
        } else if (ts_node_is_null(inner = next_declarator(q, node))) {
            break;
        }
        node = inner;
    }
    return node_stretch(node, f);
}

static TSNode
first_child_of_type(TSNode node, TSSymbol symbol)
{
    uint32_t n = ts_node_named_child_count(node);
    for (uint32_t i = 0; i < n; i++) {
        TSNode child = ts_node_named_child(node, i);
        if (ts_node_symbol(child) == symbol)
            return child;
    }
    return (TSNode){0};
}

/* The first declarator of the list that m's stands in: by its field, else by its type, directly in
 * the definition or in a child that holds the list. */
static TSNode
first_declarator(const struct lang_query *q, const struct match *m)
{
    TSSymbol symbol = ts_node_symbol(m->declarator);
    TSNode first = ts_node_child_by_field_id(m->definition, q->declarator_field);
    if (ts_node_is_null(first))
        first = first_child_of_type(m->definition, symbol);
    uint32_t n = ts_node_named_child_count(m->definition);
    for (uint32_t i = 0; ts_node_is_null(first) && i < n; i++)
        first = first_child_of_type(ts_node_named_child(m->definition, i), symbol);
    return first;
}

/* int a, *b: each name has what stands before the first, and its own declarator. */
static void
split_list(const struct lang_query *q, const struct match *m, const struct finds *f,
           struct found *d)
{
    TSNode first = first_declarator(q, m);
    struct stretch own = node_stretch(m->declarator, f);
    if (ts_node_is_null(first) || own.end > d->range.end)
        return;
    struct stretch head = node_stretch(first, f);
    size_t ahead = MIN(d->range.end - own.end, (uint32_t)LIST_LOOKAHEAD_BYTES);
    if (head.start == own.start &&
        str_find_char(str_slice(f->text.p + own.end, ahead), ',') < 0)
        return;
    d->declarator = own;
    d->prefix_end = head.start;
}

static void
push_definition(struct finds *f, const struct found *d)
{
    if (f->defs.n >= FOUND_MAX)
        f->has_too_many = true;
    else
        *vec_push(&f->defs) = *d;
}

/* Whole lines from `start` on, so many that looking through them takes no time to speak of: an expression
 * costs by the length of the text it is given, at each of its matches. */
static size_t
window_end(struct str text, size_t start)
{
    if (text.n - start <= FIND_WINDOW_BYTES)
        return text.n;
    for (size_t end = start + FIND_WINDOW_BYTES; end > start; end--)
        if (text.p[end - 1] == '\n')
            return end;
    const char *next = memchr(text.p + start, '\n', text.n - start);
    return next ? (size_t)(next - text.p) + 1 : text.n;
}

static void
add_place(struct finds *f, const struct lang_query *q, const TSQueryMatch *raw,
          enum entity_kind kind, uint32_t at, const struct lang_place *place)
{
    const struct lang_pattern *pattern = &q->patterns[raw->pattern_index];
    struct found d = {
        .range = {at + (uint32_t)place->start, at + (uint32_t)place->end},
        .name = {at + (uint32_t)place->name_start, at + (uint32_t)place->name_end},
        .scope = {at + (uint32_t)place->scope_start, at + (uint32_t)place->scope_end},
        .kind = kind,
        .pattern = raw->pattern_index,
        .flat = pattern->flat,
        .first_only = pattern->first_only,
    };
    while (d.range.start < d.name.start && strchr(" \t\r\n", f->text.p[d.range.start]))
        d.range.start++;
    if (lang_query_accepts(q, raw, f->parsed, stretch_text(d.name, f->text)))
        push_definition(f, &d);
}

/* The next of several names with blanks between them, but not within parentheses; what has too few or
 * too many of these is none. */
static bool
next_name(struct str text, size_t *at, size_t end, size_t *ret_start)
{
    int depth = 0;
    for (;;) {
        while (*at < end && (text.p[*at] == ' ' || text.p[*at] == '\t'))
            ++*at;
        if (*at == end)
            return false;
        bool is_torn = false;
        for (*ret_start = *at, depth = 0; *at < end; ++*at) {
            char c = text.p[*at];
            if (depth == 0 && (c == ' ' || c == '\t'))
                break;
            depth += (c == '(' || c == '{') - (c == ')' || c == '}');
            is_torn = is_torn || depth < 0;
        }
        if (depth == 0 && !is_torn)
            return true;
    }
}

static void
add_places(struct finds *f, const struct lang_query *q, const TSQueryMatch *raw,
           enum entity_kind kind, uint32_t at, struct str window,
           const struct lang_place *place)
{
    if (!q->patterns[raw->pattern_index].each) {
        add_place(f, q, raw, kind, at, place);
        return;
    }
    struct lang_place one = *place;
    size_t next = place->name_start;
    while (next_name(window, &next, place->name_end, &one.name_start)) {
        one.name_end = next;
        add_place(f, q, raw, kind, at, &one);
    }
}

/* Each match of the pattern's expression in the node's text; of what is very long, in its start. */
static void
add_found_in_text(struct finds *f, const struct lang_query *q, const TSQueryMatch *raw,
                  const struct match *m)
{
    const struct lang_pattern *pattern = &q->patterns[raw->pattern_index];
    struct stretch node = node_stretch(m->definition, f);
    struct str text = stretch_text(node, f->text);
    struct lang_place place;
    uint32_t before = pattern->lines &&
                      node.start > 0; // the byte that tells whether a line begins here
    text = str_slice(text.p - before, MIN(text.n, (size_t)FIND_BYTES_MAX) + before);
    for (size_t start = 0, end; start < text.n; start = end) {
        end = window_end(text, start);
        size_t n = MIN(end - start, (size_t)FIND_WINDOW_BYTES);
        struct str window = str_slice(text.p + start, n);
        for (size_t from = start == 0 ? before : 0;
             lang_finder_next(pattern->finder, window, from, &place); from = place.end)
            add_places(f, q, raw, (enum entity_kind)m->kind,
                       node.start - before + (uint32_t)start, window, &place);
        if (deadline_is_over(&f->deadline))
            return;
    }
}

static void
add_definition(struct finds *f, const struct lang_query *q, const TSQueryMatch *raw,
               struct match *m)
{
    const struct lang_pattern *pattern = &q->patterns[raw->pattern_index];
    TSSymbol last = 0;
    if (pattern->piece != 0 && ts_node_is_null(m->name))
        m->name = first_child_like(m->definition, pattern->piece);
    struct stretch name = name_stretch(m, f);
    if (!ts_node_is_null(m->declarator) && ts_node_is_null(m->name))
        name = name_of_declarator(q, m->declarator, f, &last, &m->scope);
    if (m->kind >= 0 && pattern->finder)
        add_found_in_text(f, q, raw, m);
    if (stretch_is_empty(name) || m->kind < 0 || pattern->finder ||
        (pattern->rejected_declarator != 0 && last == pattern->rejected_declarator))
        return;
    struct found d = {
        .range = trimmed_end(node_stretch(m->definition, f), f->text),
        .name = name,
        .body = body_stretch(m, f),
        .scope = m->scope,
        .is_qualified = !ts_node_is_null(m->declarator) && !stretch_is_empty(m->scope),
        .doc = node_stretch(m->doc, f),
        .kind = (enum entity_kind)m->kind,
        .pattern = raw->pattern_index,
        .given_name = pattern->given_name.n > 0 ? &pattern->given_name : NULL,
        .level = pattern->level,
        .flat = pattern->flat,
        .first_only = pattern->first_only,
        .members_only = pattern->member,
        .is_file_level =
            pattern->nested_declarator != 0 && last != pattern->nested_declarator,
        .merges = pattern->merges,
        .local = pattern->local,
    };
    if (d.body.start >= d.range.end && !stretch_is_empty(d.body))
        d.range.end = d.body.end; // some grammars put the two side by side
    if (str_starts_with(stretch_text(d.name, f->text), pattern->name_prefix))
        d.name.start += (uint32_t)pattern->name_prefix.n;
    d.name = bare_name(d.name, f->text, pattern->merges);
    if (!lang_query_accepts(q, raw, f->parsed, stretch_text(d.name, f->text)))
        return;
    if (pattern->body_opening.n > 0)
        d.body = first_child_opening(f, m->definition, name.end, pattern->body_opening);
    if (pattern->piece != 0)
        d.pieces = collect_pieces(f, m->definition, m->name);
    if (!ts_node_is_null(m->declarator) && stretch_is_empty(d.body))
        split_list(q, m, f, &d);
    push_definition(f, &d);
}

static void
add_reference(struct finds *f, const struct lang_query *q, const TSQueryMatch *raw,
              const struct match *m, enum edge_kind kind)
{
    TSSymbol last;
    struct stretch name = name_stretch(m, f), scope = {0, 0};
    if (!ts_node_is_null(m->declarator))
        name = name_of_declarator(q, m->declarator, f, &last, &scope);
    if (stretch_is_empty(name) || f->edges.n >= EDGE_PER_FILE_MAX ||
        !lang_query_accepts(q, raw, f->parsed, stretch_text(name, f->text)))
        return;
    struct found_edge edge = {.name = name, .kind = kind, .pattern = raw->pattern_index};
    if (q->patterns[raw->pattern_index].piece != 0)
        edge.pieces = collect_pieces(f, m->reference, m->name);
    *vec_push(&f->edges) = edge;
}

static void
read_captures(const struct lang_query *q, const TSQueryMatch *raw, const int *kinds,
              const struct finds *f, struct match *m)
{
    for (uint16_t i = 0; i < raw->capture_count; i++) {
        const TSQueryCapture *capture = &raw->captures[i];
        enum lang_capture role = q->captures[capture->index].role;
        switch (role) {
        case LANG_CAPTURE_NONE: break;
        case LANG_CAPTURE_DEFINITION:
            m->role = role;
            m->definition = capture->node;
            m->kind = kinds[capture->index];
            break;
        case LANG_CAPTURE_NAME:
            if (ts_node_is_null(m->name))
                m->name = capture->node;
            m->name_end = capture->node;
            break;
        case LANG_CAPTURE_DECLARATOR: m->declarator = capture->node; break;
        case LANG_CAPTURE_BODY:
            if (ts_node_is_null(m->body))
                m->body = capture->node;
            m->body_end = capture->node;
            break;
        case LANG_CAPTURE_SCOPE: widen(&m->scope, node_stretch(capture->node, f)); break;
        case LANG_CAPTURE_CALL:
        case LANG_CAPTURE_IMPORT:
        case LANG_CAPTURE_INHERIT:
        case LANG_CAPTURE_IMPLEMENT:
            m->role = role;
            m->reference = capture->node;
            break;
        case LANG_CAPTURE_DOC:
            m->doc = capture->node;
            if (m->role == LANG_CAPTURE_NONE)
                m->role = role;
            break;
        case LANG_CAPTURE_COMMENT:
        case LANG_CAPTURE_WRAPPER:
        case LANG_CAPTURE_LEADING:
        case LANG_CAPTURE_AROUND:
        case LANG_CAPTURE_OPAQUE:
            m->role = role;
            m->alone = capture->node;
            break;
        }
    }
}

static void
add_match(struct finds *f, const struct lang_query *q, const TSQueryMatch *raw,
          const int *kinds)
{
    struct match m = {.kind = -1};
    read_captures(q, raw, kinds, f, &m);
    if (!ts_node_is_null(m.alone) || m.role == LANG_CAPTURE_DOC) {
        struct str name = stretch_text(name_stretch(&m, f), f->text);
        if (!lang_query_accepts(q, raw, f->text, name))
            return;
    }
    switch (m.role) {
    case LANG_CAPTURE_DEFINITION: add_definition(f, q, raw, &m); break;
    case LANG_CAPTURE_CALL: add_reference(f, q, raw, &m, EDGE_CALLS); break;
    case LANG_CAPTURE_IMPORT: add_reference(f, q, raw, &m, EDGE_IMPORTS); break;
    case LANG_CAPTURE_INHERIT: add_reference(f, q, raw, &m, EDGE_INHERITS); break;
    case LANG_CAPTURE_IMPLEMENT: add_reference(f, q, raw, &m, EDGE_IMPLEMENTS); break;
    case LANG_CAPTURE_DOC: *vec_push(&f->docs) = node_stretch(m.doc, f); break;
    case LANG_CAPTURE_COMMENT:
        *vec_push(&f->comments) = trimmed_end(node_stretch(m.alone, f), f->text);
        break;
    case LANG_CAPTURE_WRAPPER: *vec_push(&f->wrappers) = node_stretch(m.alone, f); break;
    case LANG_CAPTURE_LEADING: *vec_push(&f->leadings) = node_stretch(m.alone, f); break;
    case LANG_CAPTURE_AROUND: *vec_push(&f->arounds) = node_stretch(m.alone, f); break;
    case LANG_CAPTURE_OPAQUE: *vec_push(&f->opaques) = node_stretch(m.alone, f); break;
    case LANG_CAPTURE_NONE:
    case LANG_CAPTURE_NAME:
    case LANG_CAPTURE_DECLARATOR:
    case LANG_CAPTURE_BODY:
    case LANG_CAPTURE_SCOPE: break;
    }
}

int
collect_matches(struct finds *f, TSQueryCursor *cursor, const struct lang_query *q,
                const int *kinds, TSNode root)
{
    /* At each step the cursor looks for the next sibling with a name: of 100,000 brackets in one ERROR
     * node that is quadratic (94 % of the time of such a file, measured), and only the deadline ends it. */
    struct watch watch = {.deadline = &f->deadline};
    TSQueryCursorOptions options = {.payload = &watch, .progress_callback = on_progress};
    ts_query_cursor_exec_with_options(cursor, q->query, root, &options);
    TSQueryMatch raw;
    size_t n = 0;
    while (!watch.is_late && ts_query_cursor_next_match(cursor, &raw)) {
        add_match(f, q, &raw, kinds);
        if (++n % DEADLINE_STRIDE == 0 && deadline_is_over(&f->deadline))
            watch.is_late = true;
    }
    return watch.is_late ? EXTRACT_E_TIMED_OUT : 0;
}

/* Stretches in rising order into others, from the back. */
static void
merge_comments(struct finds *f, const struct stretch *v, size_t n)
{
    size_t from = f->comments.n;
    vec_reserve(&f->comments, n);
    f->comments.n += n;
    for (size_t at = f->comments.n; n > 0; at--) {
        if (from > 0 && f->comments.v[from - 1].start > v[n - 1].start)
            f->comments.v[at - 1] = f->comments.v[--from];
        else
            f->comments.v[at - 1] = v[--n];
    }
}

static void
merge_names(struct finds *f, const struct stretch *v, size_t n, enum edge_kind kind)
{
    size_t from = f->edges.n;
    n = MIN(n, (size_t)EDGE_PER_FILE_MAX - MIN(from, (size_t)EDGE_PER_FILE_MAX));
    vec_reserve(&f->edges, n);
    f->edges.n += n;
    for (size_t at = f->edges.n; n > 0; at--) {
        if (from > 0 && f->edges.v[from - 1].name.start > v[n - 1].start)
            f->edges.v[at - 1] = f->edges.v[--from];
        else
            f->edges.v[at - 1] = (struct found_edge){.name = v[--n], .kind = kind};
    }
}

static struct found
found_of(const struct outline_item *item)
{
    return (struct found){
        .range = item->range,
        .name = item->name,
        .body = item->body,
        .kind = item->kind,
        .flat = item->is_flat,
    };
}

/* Those of the tree are in the order of their ends, so nearly in that of their names. */
static void
merge_items(struct finds *f, const struct outline_item *v, size_t n)
{
    size_t from = f->defs.n;
    if (from + n > FOUND_MAX) {
        n = FOUND_MAX - MIN(from, (size_t)FOUND_MAX);
        f->has_too_many = true;
    }
    vec_reserve(&f->defs, n);
    f->defs.n += n;
    for (size_t at = f->defs.n; n > 0; at--) {
        if (from > 0 && f->defs.v[from - 1].name.start > v[n - 1].name.start)
            f->defs.v[at - 1] = f->defs.v[--from];
        else
            f->defs.v[at - 1] = found_of(&v[--n]);
    }
}

void
collect_outline(struct finds *f)
{
    if (!f->outline)
        return;
    merge_items(f, f->outline->items, f->outline->n_items);
    merge_comments(f, f->outline->comments, f->outline->n_comments);
    merge_names(f, f->outline->calls, f->outline->n_calls, EDGE_CALLS);
    merge_names(f, f->outline->imports, f->outline->n_imports, EDGE_IMPORTS);
    for (size_t i = 0; i < f->outline->n_cuts; i++)
        *vec_push(&f->leadings) = f->outline->cuts[i];
}
