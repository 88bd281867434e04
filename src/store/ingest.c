/* What was sent becomes a file's batch: its rows as they are, changed item by item, given to
 * store_put_file(). Invariant: the end state does not depend on where the sender's lines were cut into
 * batches, so that sending them again from any place leads to the same; an item with a fault leaves
 * no trace, its idempotency key neither. */
#include "store/ingest.h"

#include "base/err.h"
#include "base/map.h"
#include "base/vec.h"
#include "store/logic.h"
#include "store/once.h"

#define PRUNE_ONCE 5000

/* ---- a file as it will be ---- */

struct merged {
    struct entity e; // parent: an index here
    struct hover hover;
    const struct edge *edges;
    size_t n_edges;
    bool has_own_edges; // those; else the file's that are from here
    bool is_gone;
};

struct merge {
    struct table_writer *w;
    struct batch *b; // its arena has everything
    struct str lang;
    bool is_there;   // the file; else it has nothing
    uint64_t sender; // file.inode
    size_t n_live;
    VEC(struct merged) all;
    struct map *by_key;       // key → index + 1
    const struct edge *edges; // from: an index here
    size_t n_edges;
};

static void
merge_init(struct merge *m, struct table_writer *w, struct batch *b)
{
    *m = (struct merge){.w = w, .b = b, .by_key = map_create()};
}

static void
merge_finish(struct merge *m)
{
    vec_finish(&m->all);
    map_destroy(steal(m->by_key));
}

/* ENTITY_NONE: it is not there. */
static uint32_t
find(const struct merge *m, struct str key)
{
    uintptr_t at = (uintptr_t)map_get(m->by_key, key);
    return at == 0 || m->all.v[at - 1].is_gone ? ENTITY_NONE : (uint32_t)(at - 1);
}

/* Of a key that was here before, its place. */
static uint32_t
add(struct merge *m, struct str key)
{
    uintptr_t at = (uintptr_t)map_get(m->by_key, key);
    if (at == 0) {
        *vec_push(&m->all) = (struct merged){.is_gone = true};
        at = m->all.n;
        map_put(m->by_key, key, (void *)at);
    }
    m->n_live += m->all.v[at - 1].is_gone;
    return (uint32_t)(at - 1);
}

/* ---- as it is ---- */

static int
read_edges(struct merge *m, struct str text, const uint32_t *at_slot, size_t n_slots,
           size_t n_max)
{
    struct arena *a = &m->b->arena;
    struct edge *v = arena_alloc(a, (n_max + 1) * sizeof(*v));
    struct edges edges;
    struct edge_group g;
    int r = edges_open(text, &edges);
    m->edges = v;
    while (r == 0 && (r = edges_next(&edges, a, &g)) > 0) {
        int64_t slot;
        struct position at;
        while ((r = edges_next_place(&g.places, &slot, &at)) > 0) {
            if (m->n_edges >= n_max || (slot >= 0 && (size_t)slot >= n_slots))
                return err_trace(-EBADMSG);
            v[m->n_edges++] =
                (struct edge){.kind = g.kind,
                              .from = slot < 0 ? ENTITY_NONE : at_slot[slot],
                              .target = g.target,
                              .at = at};
        }
        if (r < 0)
            return r;
    }
    return r;
}

static int
load_edges(struct merge *m, const struct file_stored *f, const struct entity_list *list)
{
    struct arena *a = &m->b->arena;
    struct str text = STR_NONE;
    size_t n_slots = 0;
    int r = f->n_edges > 0 ? m->w->t->reads->edges_get(m->w->t, f->id, a, &text) : 0;
    if (r <= 0)
        return err_trace(r);
    for (size_t i = 0; i < list->n; i++)
        n_slots = MAX(n_slots, (size_t)(list->v[i].id & SLOT_MASK) + 1);
    uint32_t *at_slot = arena_alloc(a, (n_slots + 1) * sizeof(*at_slot));
    for (size_t i = 0; i < n_slots; i++)
        at_slot[i] = ENTITY_NONE;
    for (size_t i = 0; i < list->n; i++)
        at_slot[list->v[i].id & SLOT_MASK] = (uint32_t)i;
    return read_edges(m, text, at_slot, n_slots, (size_t)f->n_edges);
}

static int
load(struct merge *m)
{
    struct tables *t = m->w->t;
    struct file_stored f;
    struct entity_list list = {0};
    int r = t->reads->file_find(t, m->b->file.path, &m->b->arena, &f);
    if (r == -ENOENT)
        return 0;
    if (r == 0)
        r = rows_of_file(t, &f, &m->b->arena, &list);
    if (r == 0)
        r = load_edges(m, &f, &list);
    if (r < 0)
        return err_trace(r);
    m->is_there = true;
    m->lang = f.f.lang;
    m->sender = f.f.inode;
    for (size_t i = 0; i < list.n; i++) {
        *vec_push(&m->all) = (struct merged){.e = list.rows[i].e};
        map_put(m->by_key, list.rows[i].key, (void *)m->all.n);
    }
    m->n_live = list.n;
    return 0;
}

/* ---- items ---- */

/* NULL, or why `at` cannot be below `parent`. */
static const char *
check_parent(const struct merge *m, uint32_t parent, uint32_t at)
{
    unsigned depth = 0;
    for (; parent != ENTITY_NONE; parent = m->all.v[parent].e.parent) {
        if (parent == at)
            return once_fault_text(ONCE_WITHIN_ITSELF);
        if (++depth > INGEST_DEPTH_MAX)
            return once_fault_text(ONCE_TOO_DEEP);
    }
    return NULL;
}

static const char *
put_entity(struct merge *m, const struct ingest_entity *in, struct str source)
{
    struct arena *a = &m->b->arena;
    struct str key = entity_key(a, m->lang, in->e.kind, m->b->file.path,
                                in->e.qualified_name, in->e.ordinal);
    uint32_t parent = ENTITY_NONE, at = find(m, key);
    if (in->parent_key.n > 0 && (parent = find(m, in->parent_key)) == ENTITY_NONE)
        return once_fault_text(ONCE_NO_PARENT);
    const char *fault = check_parent(m, parent, at);
    if (fault)
        return fault;
    if (at == ENTITY_NONE && m->n_live >= ENTITY_PER_FILE_MAX)
        return once_fault_text(ONCE_TOO_MANY_ENTITIES);
    if (at == ENTITY_NONE)
        at = add(m, key);
    struct merged *to = &m->all.v[at];
    *to = (struct merged){.e = in->e,
                          .hover = in->hover,
                          .edges = in->edges,
                          .n_edges = in->n_edges,
                          .has_own_edges = true};
    to->e.parent = parent;
    if (to->hover.state == HOVER_KNOWN)
        to->hover.server = source;
    if (to->hover.state == HOVER_UNKNOWN)
        to->hover.reason = HOVER_REASON_NO_SERVER;
    return NULL;
}

static const char *
put_one(struct merge *m, const struct ingest_item *item, const struct ingest_batch *batch)
{
    struct str was = m->lang;
    if (m->n_live > 0 && !str_eq(m->lang, item->lang))
        return once_fault_text(ONCE_OTHER_LANGUAGE);
    m->lang = item->lang;
    const char *fault = put_entity(m, item->entities, batch->source);
    if (fault) {
        m->lang = was;
        return fault;
    }
    if (!m->is_there)
        m->sender = batch->sender;
    else if (m->sender != batch->sender)
        m->sender = 0;
    m->is_there = true;
    return NULL;
}

/* What was within it is at the file's scope from now on. */
static void
delete_one(struct merge *m, struct ingest_item *item, uint64_t sender)
{
    uint32_t at = find(m, item->key);
    item->is_found = at != ENTITY_NONE;
    if (at == ENTITY_NONE)
        return;
    if (m->sender != sender)
        m->sender = 0;
    m->all.v[at].is_gone = true;
    m->n_live--;
    for (size_t i = 0; i < m->all.n; i++)
        if (m->all.v[i].e.parent == at)
            m->all.v[i].e.parent = ENTITY_NONE;
}

/* All of it or nothing. */
static const char *
put_all(struct merge *m, const struct ingest_item *item, const struct ingest_batch *batch)
{
    struct merge fresh;
    const char *fault = NULL;
    merge_init(&fresh, m->w, m->b);
    fresh.is_there = true;
    fresh.sender = batch->sender;
    fresh.lang = item->lang;
    fresh.edges = item->edges;
    fresh.n_edges = item->n_edges;
    for (size_t i = 0; i < item->n_entities && !fault; i++)
        fault = put_entity(&fresh, &item->entities[i], batch->source);
    if (fault) {
        merge_finish(&fresh);
        return fault;
    }
    merge_finish(m);
    *m = fresh;
    return NULL;
}

static void
delete_all(struct merge *m, struct ingest_item *item)
{
    item->is_found = m->is_there;
    merge_finish(m);
    merge_init(m, m->w, m->b);
}

static void
apply(struct merge *m, struct ingest_item *item, const struct ingest_batch *batch)
{
    switch (item->op) {
    case INGEST_PUT_ENTITY: item->fault = put_one(m, item, batch); break;
    case INGEST_DELETE_ENTITY: delete_one(m, item, batch->sender); break;
    case INGEST_PUT_FILE: item->fault = put_all(m, item, batch); break;
    case INGEST_DELETE_FILE: delete_all(m, item); break;
    case INGEST_BAD: break;
    }
}

/* ---- the batch ---- */

struct place {
    uint32_t start, end, index;
};

static int
by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->end != y->end)
        return x->end > y->end ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static int
by_position(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    if (x->at.col_byte != y->at.col_byte)
        return x->at.col_byte < y->at.col_byte ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return str_cmp(x->target, y->target);
}

/* With the parents that are not there yet before it. */
static void
place_entity(struct merge *m, uint32_t i, uint32_t *placed, struct hover *hovers)
{
    uint32_t chain[INGEST_DEPTH_MAX + 2];
    struct batch *b = m->b;
    size_t n = 0;
    for (; i != ENTITY_NONE && placed[i] == ENTITY_NONE && n < ARRAY_LEN(chain);
         i = m->all.v[i].e.parent)
        chain[n++] = i;
    while (n > 0) {
        const struct merged *from = &m->all.v[chain[--n]];
        struct entity *e = &b->entities[b->n_entities];
        *e = from->e;
        if (e->parent != ENTITY_NONE)
            e->parent = placed[e->parent];
        hovers[b->n_entities] = from->hover;
        placed[chain[n]] = (uint32_t)b->n_entities++;
    }
}

static void
place_entities(struct merge *m, uint32_t *placed)
{
    struct arena *a = &m->b->arena;
    struct place *order = arena_alloc(a, (m->n_live + 1) * sizeof(*order));
    struct hover *hovers = arena_calloc(a, m->n_live + 1, sizeof(*hovers));
    size_t n = 0;
    for (size_t i = 0; i < m->all.n; i++) {
        const struct span *range = &m->all.v[i].e.range;
        placed[i] = ENTITY_NONE;
        if (!m->all.v[i].is_gone)
            order[n++] = (struct place){range->start_byte, range->end_byte, (uint32_t)i};
    }
    assert(n == m->n_live);
    qsort(order, n, sizeof(*order), by_place);
    m->b->entities = arena_alloc(a, (n + 1) * sizeof(*m->b->entities));
    m->b->hovers = hovers;
    for (size_t i = 0; i < n; i++)
        place_entity(m, order[i].index, placed, hovers);
}

/* 1 they are placed, 0 there are too many. */
static int
place_edges(struct merge *m, const uint32_t *placed)
{
    size_t n = m->n_edges;
    for (size_t i = 0; i < m->all.n; i++)
        n += m->all.v[i].is_gone ? 0 : m->all.v[i].n_edges;
    struct edge *v = arena_alloc(&m->b->arena, (n + 1) * sizeof(*v));
    m->b->edges = v;
    n = 0;
    for (size_t i = 0; i < m->n_edges; i++) {
        uint32_t from = m->edges[i].from;
        if (from != ENTITY_NONE &&
            (m->all.v[from].is_gone || m->all.v[from].has_own_edges))
            continue;
        v[n] = m->edges[i];
        v[n++].from = from == ENTITY_NONE ? ENTITY_NONE : placed[from];
    }
    for (size_t i = 0; i < m->all.n; i++) {
        const struct merged *e = &m->all.v[i];
        for (size_t k = 0; k < e->n_edges && !e->is_gone; k++) {
            v[n] = e->edges[k];
            v[n++].from = placed[i];
        }
    }
    if (n > 1)
        qsort(v, n, sizeof(*v), by_position);
    m->b->n_edges = n;
    return n <= EDGE_PER_FILE_MAX;
}

/* ---- the items of a file ---- */

struct group {
    struct str path;
    uint32_t first, last; // of the items
};

struct run {
    struct table_writer *w;
    struct ingest_batch *batch;
    struct arena arena;
    VEC(struct group) groups;
    uint32_t *next;     // by item: the following one of its group
    uint32_t *first_of; // by item: the one of the same key before it
};

static bool
is_done_now(const struct ingest_item *item)
{
    return !item->fault && !item->is_again;
}

static int
write_file(struct run *run, struct merge *m, struct event **ret_event)
{
    struct store_writer *base = &run->w->base;
    uint32_t *placed = arena_alloc(&m->b->arena, (m->all.n + 1) * sizeof(*placed));
    if (!m->is_there)
        return store_delete_file(base, m->b->file.path, ret_event);
    m->b->file.lang = m->lang;
    m->b->file.inode = m->sender;
    place_entities(m, placed);
    if (!place_edges(m, placed))
        return -E2BIG;
    return store_put_file(base, m->b, ret_event);
}

static void
end_group(struct run *run, const struct group *g, const char *fault, int64_t seq)
{
    for (uint32_t i = g->first; i != UINT32_MAX; i = run->next[i]) {
        struct ingest_item *item = &run->batch->v[i];
        if (fault && !item->fault)
            item->fault = fault;
        if (!item->fault)
            item->seq = seq;
    }
}

static int
do_group(struct run *run, const struct group *g)
{
    AUTO(batch_destroy) struct batch *b = batch_create(g->path);
    struct event *event = NULL;
    struct merge m;
    size_t n_done = 0;
    merge_init(&m, run->w, b);
    int r = load(&m);
    for (uint32_t i = g->first; i != UINT32_MAX && r == 0; i = run->next[i]) {
        apply(&m, &run->batch->v[i], run->batch);
        n_done += !run->batch->v[i].fault;
    }
    if (r == 0 && n_done > 0)
        r = write_file(run, &m, &event);
    merge_finish(&m);
    if (r == -E2BIG) {
        end_group(run, g, once_fault_text(ONCE_TOO_MANY_EDGES), 0);
        return 0;
    }
    if (r < 0)
        return err_trace(r);
    if (event)
        ingest_batch_add_event(run->batch, event);
    end_group(run, g, NULL, event ? event->seq : run->w->now.head);
    return 0;
}

/* ---- all of them ---- */

/* 1 it was done before, now or earlier. */
static int
look_for_key(struct run *run, struct map *keys, uint32_t i)
{
    struct ingest_item *item = &run->batch->v[i];
    if (item->once.n == 0)
        return 0;
    uintptr_t first = (uintptr_t)map_get(keys, item->once);
    if (first > 0) {
        run->first_of[i] = (uint32_t)(first - 1);
        item->is_again = true;
        return 1;
    }
    map_put(keys, item->once, (void *)((uintptr_t)i + 1));
    int r = run->w->t->reads->once_get(run->w->t, item->once, &item->seq);
    item->is_again = r > 0;
    return r;
}

static void
add_to_group(struct run *run, struct map *paths, uint32_t i)
{
    const struct ingest_item *item = &run->batch->v[i];
    uintptr_t at = (uintptr_t)map_get(paths, item->path);
    run->next[i] = UINT32_MAX;
    if (at == 0) {
        *vec_push(&run->groups) = (struct group){item->path, i, i};
        map_put(paths, item->path, (void *)run->groups.n);
        return;
    }
    struct group *g = &run->groups.v[at - 1];
    run->next[g->last] = i;
    g->last = i;
}

static int
make_groups(struct run *run)
{
    AUTO(map_destroy) struct map *paths = map_create(), *keys = map_create();
    size_t n = run->batch->n;
    run->next = arena_alloc(&run->arena, (n + 1) * sizeof(*run->next));
    run->first_of = arena_alloc(&run->arena, (n + 1) * sizeof(*run->first_of));
    for (uint32_t i = 0; i < n; i++) {
        run->first_of[i] = i;
        if (run->batch->v[i].op == INGEST_BAD)
            continue;
        int r = look_for_key(run, keys, i);
        if (r < 0)
            return err_trace(r);
        if (r == 0)
            add_to_group(run, paths, i);
    }
    return 0;
}

static int
put_keys(struct run *run)
{
    struct ingest_batch *batch = run->batch;
    int r = 0;
    for (uint32_t i = 0; i < batch->n && r == 0; i++) {
        struct ingest_item *item = &batch->v[i];
        const struct ingest_item *first = &batch->v[run->first_of[i]];
        if (first != item) {
            item->fault = first->fault;
            item->seq = first->seq;
        } else if (item->once.n > 0 && is_done_now(item) &&
                   !str_eq(item->once, batch->once)) { // that one comes below
            r = once_put(run->w, item->once, item->seq);
        }
        batch->seq = MAX(batch->seq, item->seq);
    }
    return r == 0 && batch->once.n > 0 ? once_put_batch(run->w, batch) : r;
}

int
store_put_entities(struct store_writer *base, struct ingest_batch *batch)
{
    struct run run = {.w = table_writer_of(base), .batch = batch};
    int r = 0;
    assert(run.w->is_open);
    ingest_batch_reset(batch);
    if (batch->once.n > 0)
        r = run.w->t->reads->once_get(run.w->t, batch->once, &batch->seq);
    batch->is_again = r > 0;
    if (r > 0)
        return once_get_outcomes(run.w, batch);
    if (r < 0)
        return err_trace(r);
    r = make_groups(&run);
    for (size_t i = 0; i < run.groups.n && r == 0; i++)
        r = do_group(&run, &run.groups.v[i]);
    if (r == 0)
        r = put_keys(&run);
    vec_finish(&run.groups);
    arena_finish(&run.arena);
    return r;
}

int
table_once_prune(struct table_writer *w, int64_t now_ms, bool *ret_more)
{
    size_t n = 0, n_beyond = 0;
    int r = 0;
    *ret_more = false;
    if (w->now.once_rows <= 0)
        return 0;
    r = w->writes->once_prune(w->t, now_ms - STORE_ONCE_AGE_MS, PRUNE_ONCE, &n);
    w->now.once_rows -= (int64_t)n;
    int64_t beyond = w->now.once_rows - STORE_ONCE_ROWS;
    if (r == 0 && beyond > 0)
        r = w->writes->once_prune(w->t, INT64_MAX, (size_t)MIN(beyond, PRUNE_ONCE),
                                  &n_beyond);
    w->now.once_rows -= (int64_t)n_beyond;
    *ret_more = n >= PRUNE_ONCE || n_beyond >= PRUNE_ONCE;
    return err_trace(r);
}
