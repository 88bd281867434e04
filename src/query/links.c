/* Callers, callees, bases and members of an entity. The index stores names; what they mean is found
 * here, when somebody asks (resolve.c). Invariant: one view of the index for all of it. */
#include "query/links.h"

#include "base/err.h"
#include "base/mem.h"
#include "query/internal.h"

/* ---- entities by name, each name looked up once ---- */

struct rows_of_name {
    struct arena *a;
    VEC(struct entity_row) all;
};

static int
on_candidate(void *ctx, const struct entity_row *row)
{
    struct rows_of_name *rows = ctx;
    struct entity_row copy;
    if (rows->all.n == LINKS_CANDIDATES_MAX)
        return 1;
    query_copy_row(rows->a, row, &copy);
    *vec_push(&rows->all) = copy;
    return 0;
}

static int
candidates_of(struct links_names *names, struct str name,
              const struct links_candidates **ret_all)
{
    struct links_candidates *all = map_get(names->by_name, name);
    struct rows_of_name rows = {.a = names->a};
    *ret_all = all;
    if (all || map_count(names->by_name) >= LINKS_NAMES_MAX)
        return 0;
    int r = store_each_named(names->r, name, on_candidate, &rows);
    if (r >= 0) {
        all = arena_new(names->a, struct links_candidates);
        all->n = rows.all.n;
        all->is_cut = r > 0;
        all->rows = arena_alloc(names->a, rows.all.n * sizeof(*all->rows) + 1);
        if (rows.all.n > 0)
            memcpy(all->rows, rows.all.v, rows.all.n * sizeof(*all->rows));
        map_put(names->by_name, name, all);
        *ret_all = all;
    }
    vec_finish(&rows.all);
    return MIN(r, 0);
}

/* ---- edges ---- */

struct edges {
    struct arena *a;
    VEC(struct edge_row) all;
};

static int
on_edge(void *ctx, const struct edge_row *edge)
{
    struct edges *edges = ctx;
    struct edge_row copy = *edge;
    copy.from_key = arena_str(edges->a, edge->from_key);
    copy.path = arena_str(edges->a, edge->path);
    copy.target = arena_str(edges->a, edge->target);
    copy.confidence = EDGE_CONFIDENCE_NAME;
    *vec_push(&edges->all) = copy;
    return 0;
}

static bool
is_base(const struct edge_row *edge)
{
    return edge->kind == EDGE_INHERITS || edge->kind == EDGE_IMPLEMENTS;
}

/* Those of one sort, sure ones first, otherwise as they came. */
static void
keep(const struct edges *edges, bool of_bases, struct edge_row **ret_edges, size_t *ret_n)
{
    struct edge_row *kept = arena_alloc(edges->a, edges->all.n * sizeof(*kept) + 1);
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < edges->all.n; i++) {
            const struct edge_row *edge = &edges->all.v[i];
            if (is_base(edge) == of_bases &&
                (edge->confidence == EDGE_CONFIDENCE_LEXICAL) == (pass == 0))
                kept[n++] = *edge;
        }
    }
    *ret_edges = kept;
    *ret_n = n;
}

/* ---- into it ---- */

/* Where an edge stands; at file scope its file tells the language. */
static int
place_of(struct links_names *names, const struct edge_row *edge,
         struct links_place *ret_place)
{
    struct entity_key_parts parts;
    struct file file;
    *ret_place = (struct links_place){.path = edge->path};
    if (entity_key_parse(edge->from_key, &parts) == 0) {
        ret_place->lang = parts.lang;
        ret_place->qualified_name = parts.qualified_name;
        return 0;
    }
    int r = store_read_file(names->r, edge->path, names->a, &file);
    if (r == 0)
        ret_place->lang = file.lang;
    return r == -ENOENT ? 0 : r;
}

/* An edge that certainly means another one is not ours. */
static int
resolve_into(struct links_names *names, const struct entity_row *self,
             struct edges *edges)
{
    const struct links_candidates *all = NULL;
    size_t n = 0;
    int r = edges->all.n > 0 ? candidates_of(names, self->e.name, &all) : 0;
    for (size_t i = 0; i < edges->all.n && r == 0 && all; i++) {
        struct edge_row *edge = &edges->all.v[i];
        struct links_place from;
        r = place_of(names, edge, &from);
        if (r < 0)
            break;
        const struct entity_row *meant = links_resolve(all, edge->kind, &from);
        const struct links_candidates alone = {(struct entity_row *)self, 1, false};
        if (meant ? !str_eq(meant->key, self->key)
                  : !links_resolve(&alone, edge->kind, &from))
            continue;
        if (meant) {
            edge->to_key = self->key;
            edge->confidence = EDGE_CONFIDENCE_LEXICAL;
        }
        edges->all.v[n++] = *edge;
    }
    edges->all.n = n;
    return err_trace(r);
}

/* ---- out of it ---- */

static int
resolve_out(struct links_names *names, const struct entity_row *self, struct edges *edges)
{
    struct links_place from = {self->path, self->lang, self->e.qualified_name};
    int r = 0;
    for (size_t i = 0; i < edges->all.n && r == 0; i++) {
        struct edge_row *edge = &edges->all.v[i];
        const struct links_candidates *all = NULL;
        const struct entity_row *meant = NULL;
        r = candidates_of(names, links_last_part(edge->target), &all);
        if (r == 0 && all)
            meant = links_resolve(all, edge->kind, &from);
        if (!meant)
            continue;
        edge->to_key = meant->key;
        edge->confidence = EDGE_CONFIDENCE_LEXICAL;
    }
    return err_trace(r);
}

/* ---- members ---- */

struct members {
    struct str parent;
    struct rows_of_name rows;
};

static int
on_sibling(void *ctx, const struct entity_row *row)
{
    struct members *m = ctx;
    struct entity_row copy;
    if (!str_eq(row->parent_key, m->parent) || m->rows.all.n == QUERY_LIMIT_MAX)
        return 0;
    query_copy_row(m->rows.a, row, &copy);
    *vec_push(&m->rows.all) = copy;
    return 0;
}

static int
read_members(struct store_reader *r, const struct entity_row *row, struct arena *a,
             struct query_links *links)
{
    struct members m = {.parent = row->key, .rows = {.a = a}};
    int e = store_each_entity(r, row->path, on_sibling, &m);
    links->members = arena_alloc(a, m.rows.all.n * sizeof(*links->members) + 1);
    links->n_members = m.rows.all.n;
    if (m.rows.all.n > 0)
        memcpy(links->members, m.rows.all.v, m.rows.all.n * sizeof(*links->members));
    vec_finish(&m.rows.all);
    return err_trace(e);
}

int
query_links_now(struct store_reader *r, const struct entity_row *row, struct arena *a,
                struct query_links *ret_links)
{
    AUTO(map_destroy) struct map *by_name = map_create();
    struct links_names names = {.r = r, .a = a, .by_name = by_name};
    struct edges into = {.a = a}, out = {.a = a};
    struct query_links links = {.n_callers = 0};
    int e = store_each_caller(r, row->e.name, QUERY_LIMIT_MAX, on_edge, &into);
    if (e == 0)
        e = store_each_callee(r, row->key, QUERY_LIMIT_MAX, on_edge, &out);
    if (e == 0)
        e = resolve_into(&names, row, &into);
    if (e == 0)
        e = resolve_out(&names, row, &out);
    if (e == 0)
        e = read_members(r, row, a, &links);
    if (e == 0) {
        keep(&into, false, &links.callers, &links.n_callers);
        keep(&into, true, &links.derived, &links.n_derived);
        keep(&out, false, &links.callees, &links.n_callees);
        keep(&out, true, &links.bases, &links.n_bases);
        *ret_links = links;
    }
    vec_finish(&into.all);
    vec_finish(&out.all);
    return err_trace(e);
}

/* ---- the entities at the other ends ---- */

struct ends {
    struct store_reader *r;
    struct arena *a;
    struct map *seen;
    VEC(struct entity_row) all;
};

static int
add_ends(struct ends *ends, const struct edge_row *edges, size_t n, bool is_into)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        struct str key = is_into ? edges[i].from_key : edges[i].to_key;
        struct entity_row row;
        if (key.n == 0 || map_put(ends->seen, key, ends))
            continue;
        r = store_read_entity(ends->r, key, ends->a, &row);
        if (r == 0)
            *vec_push(&ends->all) = row;
        r = r == -ENOENT ? 0 : r;
    }
    return r;
}

int
query_read_ends(struct store_reader *r, const struct query_links *links, struct arena *a,
                struct entity_row **ret_ends, size_t *ret_n)
{
    AUTO(map_destroy) struct map *seen = map_create();
    struct ends ends = {.r = r, .a = a, .seen = seen};
    int e = add_ends(&ends, links->callers, links->n_callers, true);
    if (e == 0)
        e = add_ends(&ends, links->derived, links->n_derived, true);
    if (e == 0)
        e = add_ends(&ends, links->callees, links->n_callees, false);
    if (e == 0)
        e = add_ends(&ends, links->bases, links->n_bases, false);
    if (e == 0) {
        *ret_n = ends.all.n;
        *ret_ends = arena_alloc(a, ends.all.n * sizeof(**ret_ends) + 1);
        if (ends.all.n > 0)
            memcpy(*ret_ends, ends.all.v, ends.all.n * sizeof(**ret_ends));
    }
    vec_finish(&ends.all);
    return err_trace(e);
}
