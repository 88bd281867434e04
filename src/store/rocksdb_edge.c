/* Edges as the contract shows them: into a name, out of an entity, all. Invariant: edges of one file
 * come in the order of their places where an order is promised. */
#include "base/err.h"
#include "store/rocksdb_store.h"

#define ANY_SLOT (-2)

struct edge_walk {
    struct rocks_conn *c;
    struct arena a;
    int64_t file_id;
    struct str path; // of the file
    int64_t slot;    // of the entity that `from` is; -1: file scope, and from is empty
    struct entity_row from;
    size_t left;
    store_edge_fn fn;
    void *ctx;
};

/* Edges of one entity come one after another: its key is made once for them. */
static int
find_from(struct edge_walk *walk, int64_t slot)
{
    if (walk->slot == slot)
        return 0;
    walk->slot = -1;
    walk->from = (struct entity_row){.id = 0};
    if (slot < 0)
        return 0;
    int r =
        rocks_row_by_id(walk->c, ENTITY_ID(walk->file_id, slot), &walk->a, &walk->from);
    walk->slot = r == 0 ? slot : -1;
    return r == -ENOENT ? err_trace(-EBADMSG) : r;
}

/* The file, and the text of its edges. */
static int
enter_file(struct edge_walk *walk, int64_t file_id, struct edges *ret_edges)
{
    struct file_stored f;
    struct str text = STR_NONE;
    arena_reset(&walk->a);
    int r = rocks_file_by_id(walk->c, file_id, &walk->a, &f);
    if (r < 0)
        return r == -ENOENT ? err_trace(-EBADMSG) : r;
    walk->file_id = file_id;
    walk->path = f.f.path;
    walk->slot = -1;
    walk->from = (struct entity_row){.id = 0};
    r = rocks_edges_get(&walk->c->t, file_id, &walk->a, &text);
    return r < 0 ? r : edges_open(text, ret_edges);
}

static int
show_edge(struct edge_walk *walk, enum edge_kind kind, struct str target, int64_t slot,
          struct position at)
{
    int r = find_from(walk, slot);
    if (r < 0)
        return r;
    struct edge_row row = {.kind = kind,
                           .from_key = walk->from.key,
                           .path = walk->path,
                           .target = target,
                           .line = at.line,
                           .at = at};
    walk->left--;
    return walk->fn(walk->ctx, &row);
}

static int
callers_in_group(struct edge_walk *walk, struct edge_group *group)
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
callers_in_file(struct edge_walk *walk, int64_t file_id, struct str name)
{
    struct edges edges;
    struct edge_group group;
    int r = enter_file(walk, file_id, &edges);
    while (r == 0 && walk->left > 0) {
        r = edges_next(&edges, &walk->a, &group);
        if (r <= 0)
            break;
        r = str_eq(group.target, name) ? callers_in_group(walk, &group) : 0;
    }
    return r;
}

int
rocks_each_caller(struct store_reader *reader, struct str name, size_t limit,
                  store_edge_fn fn, void *ctx)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    struct edge_walk walk = {.c = &r->c, .left = limit, .fn = fn, .ctx = ctx};
    struct rocks_ids_list ids = {0};
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = rocks_find_callers(&r->c, name, &ids);
    for (size_t i = 0; i < ids.n && e == 0 && walk.left > 0; i++)
        e = callers_in_file(&walk, ids.v[i], name);
    rocks_view_end(r);
    arena_finish(&walk.a);
    vec_finish(&ids);
    return e;
}

/* An edge of a file, to be put in order; the target lies in the walk's arena. */
struct edge_found {
    enum edge_kind kind;
    struct str target;
    int64_t slot;
    struct position at;
};

struct edge_list {
    struct edge_found *v;
    size_t n, cap;
};

static int
by_place(const void *a, const void *b)
{
    const struct edge_found *x = a, *y = b;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    return (x->at.col_byte > y->at.col_byte) - (x->at.col_byte < y->at.col_byte);
}

/* Of one entity of a file, or of all, in their order. */
static int
edges_of_file(struct edge_walk *walk, int64_t file_id, int64_t from_slot,
              struct edge_list *list)
{
    struct edges edges;
    struct edge_group group;
    list->n = 0;
    int r = enter_file(walk, file_id, &edges);
    while (r == 0 && (r = edges_next(&edges, &walk->a, &group)) > 0) {
        struct edge_found edge = {.kind = group.kind, .target = group.target};
        while ((r = edges_next_place(&group.places, &edge.slot, &edge.at)) > 0) {
            if (from_slot == ANY_SLOT || edge.slot == from_slot)
                *vec_push(list) = edge;
        }
    }
    if (list->n > 1)
        qsort(list->v, list->n, sizeof(*list->v), by_place);
    for (size_t i = 0; i < list->n && r == 0 && walk->left > 0; i++)
        r = show_edge(walk, list->v[i].kind, list->v[i].target, list->v[i].slot,
                      list->v[i].at);
    return r;
}

int
rocks_each_callee(struct store_reader *reader, struct str key, size_t limit,
                  store_edge_fn fn, void *ctx)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    struct edge_walk walk = {.c = &r->c, .left = limit, .fn = fn, .ctx = ctx};
    AUTO(arena_finish) struct arena a = {0};
    struct edge_list list = {0};
    struct entity_row row;
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = store_read_entity(reader, key, &a, &row);
    if (e == 0)
        e = edges_of_file(&walk, row.id >> SLOT_BITS, row.id & SLOT_MASK, &list);
    rocks_view_end(r);
    arena_finish(&walk.a);
    vec_finish(&list);
    return e;
}

int
rocks_each_edge(struct store_reader *reader, store_edge_fn fn, void *ctx)
{
    static const struct rocks_key paths = {.p = {'p'}, .n = 1};
    struct rocks_reader *r = rocks_reader_of(reader);
    struct edge_walk walk = {.c = &r->c, .left = SIZE_MAX, .fn = fn, .ctx = ctx};
    struct edge_list list = {0};
    struct rocks_walk files;
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    rocks_walk_open(&files, &r->c, ROCKS_LOOK, paths, STR_NONE);
    while ((e = rocks_walk_next(&files)) > 0) {
        e = edges_of_file(&walk, rocks_key_read(files.value, 0), ANY_SLOT, &list);
        if (e != 0)
            break;
    }
    rocks_walk_close(&files);
    rocks_view_end(r);
    arena_finish(&walk.a);
    vec_finish(&list);
    return e;
}
