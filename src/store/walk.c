/* Edges as the contract shows them: into a name, out of an entity, all. Invariant: edges of one file
 * come in the order of their places where an order is promised. */
#include "base/err.h"
#include "store/reader.h"

#define ANY_SLOT (-2)

/* An edge of a file, to be put in order; the target lies in the walk's arena. */
struct edge_found {
    enum edge_kind kind;
    struct str target;
    int64_t slot;
    struct position at;
};

struct walk {
    struct store_reader *r;
    struct arena a; // of the file
    struct file_stored f;
    int64_t slot; // of the entity that the edges shown last are from; -1: file scope
    struct str from_key; // its key; empty
    VEC(struct edge_found) found;
    size_t left;
    store_edge_fn fn;
    void *ctx;
};

static void
walk_init(struct walk *walk, struct store_reader *r, size_t limit, store_edge_fn fn,
          void *ctx)
{
    *walk = (struct walk){.r = r, .slot = -1, .left = limit, .fn = fn, .ctx = ctx};
}

static void
walk_finish(struct walk *walk)
{
    arena_finish(&walk->a);
    vec_finish(&walk->found);
}

static void
leave_file(struct walk *walk)
{
    arena_reset(&walk->a);
    walk->slot = -1;
    walk->from_key = STR_NONE;
}

/* Edges of one entity come one after another: its key is made once for them. */
static int
find_from(struct walk *walk, int64_t slot)
{
    struct tables *t = walk->r->t;
    struct entity_stored s;
    if (walk->slot == slot)
        return 0;
    walk->slot = -1;
    walk->from_key = STR_NONE;
    if (slot < 0)
        return 0;
    int r = t->reads->entity_by_id(t, ENTITY_ID(walk->f.id, slot), &walk->a, &s);
    if (r < 0)
        return r == -ENOENT ? err_trace(-EBADMSG) : r;
    walk->slot = slot;
    walk->from_key = entity_key(&walk->a, walk->f.f.lang, s.e.kind, walk->f.f.path,
                                s.e.qualified_name, s.e.ordinal);
    return 0;
}

static int
show_edge(struct walk *walk, enum edge_kind kind, struct str target, int64_t slot,
          struct position at)
{
    int r = find_from(walk, slot);
    if (r < 0)
        return r;
    struct edge_row row = {.kind = kind,
                           .from_key = walk->from_key,
                           .path = walk->f.f.path,
                           .target = target,
                           .line = at.line,
                           .at = at};
    walk->left--;
    return reader_shown(walk->r, walk->fn(walk->ctx, &row));
}

static int
open_edges(struct walk *walk, struct edges *ret_edges)
{
    struct tables *t = walk->r->t;
    struct str text = STR_NONE;
    int r = t->reads->edges_get(t, walk->f.id, &walk->a, &text);
    if (r > 0 && text.n == 0)
        return err_trace(-EBADMSG); // a file without edges has no row
    return r < 0 ? r : edges_open(text, ret_edges);
}

/* ---- into a name ---- */

static int
callers_in_group(struct walk *walk, struct edge_group *group)
{
    struct position at;
    int64_t slot = -1;
    int r = 0;
    while (walk->left > 0 && (r = edges_next_place(&group->places, &slot, &at)) > 0) {
        r = show_edge(walk, group->kind, group->target, slot, at);
        if (r != 0)
            break;
    }
    return r;
}

static int
enter_file(struct walk *walk)
{
    struct tables *t = walk->r->t;
    int r = t->reads->file_by_id(t, walk->f.id, &walk->a, &walk->f);
    return r == -ENOENT ? err_trace(-EBADMSG) : r;
}

/* Most files that wait have none: the file is looked up when one is found. */
static int
callers_in_file(struct walk *walk, int64_t file_id, struct str name)
{
    struct edges edges;
    struct edge_group group;
    bool is_in = false;
    leave_file(walk);
    walk->f = (struct file_stored){.id = file_id};
    int r = open_edges(walk, &edges);
    while (r == 0 && walk->left > 0) {
        r = edges_next(&edges, &walk->a, &group);
        if (r <= 0)
            break;
        r = 0;
        if (!str_eq(group.target, name))
            continue;
        if (!is_in)
            r = enter_file(walk);
        is_in = true;
        if (r == 0)
            r = callers_in_group(walk, &group);
    }
    return r;
}

static int
add_file(void *ctx, const struct file_stored *f)
{
    struct found_list *list = ctx;
    *vec_push(list) = (struct found){.id = ENTITY_ID(f->id, 0)};
    return 0;
}

int
store_each_caller(struct store_reader *r, struct str name, size_t limit, store_edge_fn fn,
                  void *ctx)
{
    struct walk walk;
    struct found_list files = {0};
    int e = reader_begin(r);
    if (e < 0)
        return e;
    walk_init(&walk, r, limit, fn, ctx);
    e = r->ops->find_callers(r, name, &files);
    if (e == 0)
        e = r->ops->each_file(r, FILES_WAITING, add_file, &files);
    found_sort(&files);
    for (size_t i = 0; i < files.n && e == 0 && walk.left > 0; i++)
        e = callers_in_file(&walk, files.v[i].id >> SLOT_BITS, name);
    reader_end(r, e);
    walk_finish(&walk);
    vec_finish(&files);
    return e;
}

/* ---- out of an entity, or of all ---- */

static int
by_place(const void *a, const void *b)
{
    const struct edge_found *x = a, *y = b;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    return (x->at.col_byte > y->at.col_byte) - (x->at.col_byte < y->at.col_byte);
}

/* Of one entity of the file, or of all, in their order. */
static int
edges_of_file(struct walk *walk, int64_t from_slot)
{
    struct edges edges;
    struct edge_group group;
    walk->found.n = 0;
    int r = open_edges(walk, &edges);
    while (r == 0 && (r = edges_next(&edges, &walk->a, &group)) > 0) {
        struct edge_found edge = {.kind = group.kind, .target = group.target};
        while ((r = edges_next_place(&group.places, &edge.slot, &edge.at)) > 0)
            if (from_slot == ANY_SLOT || edge.slot == from_slot)
                *vec_push(&walk->found) = edge;
    }
    if (walk->found.n > 1)
        qsort(walk->found.v, walk->found.n, sizeof(*walk->found.v), by_place);
    for (size_t i = 0; i < walk->found.n && r == 0 && walk->left > 0; i++) {
        const struct edge_found *e = &walk->found.v[i];
        r = show_edge(walk, e->kind, e->target, e->slot, e->at);
    }
    return r;
}

int
store_each_callee(struct store_reader *r, struct str key, size_t limit, store_edge_fn fn,
                  void *ctx)
{
    struct walk walk;
    struct entity_stored from;
    int e = reader_begin(r);
    if (e < 0)
        return e;
    walk_init(&walk, r, limit, fn, ctx);
    e = reader_find(r->t, key, &walk.a, &walk.f, &from);
    if (e == 0)
        e = edges_of_file(&walk, from.id & SLOT_MASK);
    reader_end(r, e);
    walk_finish(&walk);
    return e;
}

static int
walk_file(void *ctx, const struct file_stored *f)
{
    struct walk *walk = ctx;
    leave_file(walk);
    walk->f = *f;
    return edges_of_file(walk, ANY_SLOT);
}

int
store_each_edge(struct store_reader *r, store_edge_fn fn, void *ctx)
{
    struct walk walk;
    int e = reader_begin(r);
    if (e < 0)
        return e;
    walk_init(&walk, r, SIZE_MAX, fn, ctx);
    e = r->ops->each_file(r, FILES_BY_PATH, walk_file, &walk);
    reader_end(r, e);
    walk_finish(&walk);
    return e;
}
