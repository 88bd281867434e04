/* Edges of a file: one row for each name they point to, with all places that do, in the order in
 * which the names come first. Rows are compared one by one with what is there, so that an edit
 * rewrites those that moved and no others. Edges have no events of their own. */
#include "store/sqlite.h"

#include "base/err.h"
#include "base/map.h"

#define PLACE_BYTES_MAX 36 // "slot,line,col,"

/* As stored: the texts are JSON arrays. */
struct edge_stored {
    enum edge_kind kind;
    struct str target;
    struct str places, utf16; // utf16 empty: as the places say
};

/* Edges of one kind to one name, while they are put together. */
struct group {
    struct edge_stored row;
    uint32_t first, last; // of the file's edges
};

/* ---- places as text ---- */

static size_t
add_number(char *p, uint32_t value)
{
    char digits[10];
    size_t at = sizeof(digits), n;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    n = sizeof(digits) - at;
    memcpy(p, digits + at, n);
    return n;
}

static bool
has_odd_column(const struct edge *edges, const uint32_t *next, uint32_t i)
{
    for (; i != ENTITY_NONE; i = next[i]) {
        if (edges[i].at.col_utf16 != edges[i].at.col_byte)
            return true;
    }
    return false;
}

static struct str
write_places(struct arena *a, const struct edge *edges, const uint32_t *next,
             const uint32_t *slots, size_t n, uint32_t i)
{
    char *p = arena_alloc(a, n * PLACE_BYTES_MAX + 2), *at = p;
    for (char c = '['; i != ENTITY_NONE; i = next[i], c = ',') {
        *at++ = c;
        if (edges[i].from == ENTITY_NONE) {
            *at++ = '-';
            *at++ = '1';
        } else {
            at += add_number(at, slots[edges[i].from]);
        }
        *at++ = ',';
        at += add_number(at, edges[i].at.line);
        *at++ = ',';
        at += add_number(at, edges[i].at.col_byte);
    }
    *at++ = ']';
    return str_slice(p, (size_t)(at - p));
}

static struct str
write_columns(struct arena *a, const struct edge *edges, const uint32_t *next, size_t n,
              uint32_t i)
{
    char *p = arena_alloc(a, n * PLACE_BYTES_MAX + 2), *at = p;
    for (char c = '['; i != ENTITY_NONE; i = next[i], c = ',') {
        *at++ = c;
        at += add_number(at, edges[i].at.col_utf16);
    }
    *at++ = ']';
    return str_slice(p, (size_t)(at - p));
}

static bool
next_number(struct str *s, int64_t *ret_value)
{
    struct str part;
    return str_split(s, ',', &part) && str_to_i64(part, ret_value) == 0;
}

static bool
open_array(struct str *s)
{
    if (s->n < 2 || s->p[0] != '[' || s->p[s->n - 1] != ']')
        return false;
    *s = str_slice(s->p + 1, s->n - 2);
    return true;
}

int
sqlite_places_open(struct sqlite_places *p, struct str places, struct str utf16)
{
    p->places = places;
    p->utf16 = utf16;
    if (!open_array(&p->places) || (utf16.n > 0 && !open_array(&p->utf16)))
        return err_trace(-EBADMSG);
    p->has_utf16 = utf16.n > 0;
    return 0;
}

int
sqlite_places_next(struct sqlite_places *p, int64_t *ret_slot, struct position *ret_at)
{
    int64_t line = 0, col = 0, utf16 = 0;
    if (p->places.n == 0)
        return 0;
    if (!next_number(&p->places, ret_slot) || !next_number(&p->places, &line) ||
        !next_number(&p->places, &col))
        return err_trace(-EBADMSG);
    utf16 = col;
    if (p->has_utf16 && !next_number(&p->utf16, &utf16))
        return err_trace(-EBADMSG);
    if (*ret_slot < -1 || *ret_slot > SLOT_MASK || line < 0 || line > UINT32_MAX ||
        col < 0 || col > UINT32_MAX || utf16 < 0 || utf16 > UINT32_MAX)
        return err_trace(-EBADMSG);
    *ret_at = (struct position){(uint32_t)line, (uint32_t)col, (uint32_t)utf16};
    return 1;
}

/* ---- rows ---- */

struct edge_list {
    struct edge_stored *v;
    size_t n, cap;
};

static int
load(struct sqlite_writer *w, const struct file_stored *f, struct edge_list *list)
{
    struct arena *a = &w->scratch;
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_EDGE_OF_FILE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, f->id);
    while ((r = sqlite_step(&w->c, stmt)) > 0) {
        /* A gap cannot be: then all behind it is written anew. */
        if (sqlite3_column_int64(stmt, 0) != ENTITY_ID(f->id, list->n))
            break;
        *vec_push(list) = (struct edge_stored){
            .kind = (enum edge_kind)sqlite3_column_int(stmt, 1),
            .target = arena_str(a, sqlite_column_str(stmt, 2)),
            .places = arena_str(a, sqlite_column_str(stmt, 3)),
            .utf16 = arena_str(a, sqlite_column_str(stmt, 4)),
        };
    }
    sqlite_put(&w->c, SQL_EDGE_OF_FILE, stmt);
    return MIN(r, 0);
}

static bool
is_same(const struct edge_stored *a, const struct edge_stored *b)
{
    return a->kind == b->kind && str_eq(a->target, b->target) &&
           str_eq(a->places, b->places) && str_eq(a->utf16, b->utf16);
}

static int
write_edge(struct sqlite_writer *w, int64_t id, const struct edge_stored *e)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_EDGE_PUT, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int(stmt, 2, (int)e->kind);
    sqlite_bind_str(stmt, 3, e->target);
    sqlite_bind_str(stmt, 4, e->places);
    sqlite_bind_str_opt(stmt, 5, e->utf16);
    return sqlite_run(&w->c, SQL_EDGE_PUT, stmt);
}

/* ---- a file's edges by name ---- */

struct grouping {
    struct group *v;
    size_t n;
    uint32_t *next; // by edge: the following one of its group
};

static void
group_edges(struct arena *a, const struct batch *b, size_t n, struct grouping *g)
{
    struct map *by_target[EDGE_KIND_COUNT] = {NULL};
    g->v = arena_alloc(a, (n + 1) * sizeof(*g->v));
    g->next = arena_alloc(a, (n + 1) * sizeof(*g->next));
    for (uint32_t i = 0; i < n; i++) {
        const struct edge *e = &b->edges[i];
        assert(e->from == ENTITY_NONE || e->from < b->n_entities);
        if (!by_target[e->kind])
            by_target[e->kind] = map_create();
        struct group *group = map_get(by_target[e->kind], e->target);
        g->next[i] = ENTITY_NONE;
        if (group) {
            g->next[group->last] = i;
        } else {
            group = &g->v[g->n++];
            *group =
                (struct group){.row = {.kind = e->kind, .target = e->target}, .first = i};
            map_put(by_target[e->kind], e->target, group);
        }
        group->last = i;
    }
    for (size_t k = 0; k < ARRAY_LEN(by_target); k++)
        map_destroy(by_target[k]);
}

static void
fill_row(struct arena *a, const struct batch *b, const uint32_t *slots,
         const struct grouping *g, struct group *group)
{
    size_t n = 0;
    for (uint32_t i = group->first; i != ENTITY_NONE; i = g->next[i])
        n++;
    group->row.places = write_places(a, b->edges, g->next, slots, n, group->first);
    if (has_odd_column(b->edges, g->next, group->first))
        group->row.utf16 = write_columns(a, b->edges, g->next, n, group->first);
}

static int
delete_from(struct sqlite_writer *w, const struct file_stored *f, size_t first)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(&w->c, SQL_EDGE_DELETE_FROM, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, ENTITY_ID(f->id, first));
    sqlite3_bind_int64(stmt, 2, ENTITY_ID(f->id, SLOT_MASK));
    return sqlite_run(&w->c, SQL_EDGE_DELETE_FROM, stmt);
}

int
sqlite_put_edges(struct sqlite_writer *w, const struct file_stored *f,
                 const struct batch *b, const uint32_t *slots, uint64_t n_was)
{
    size_t n = b->file.state == FILE_INDEXED ? b->n_edges : 0;
    struct edge_list old = {0};
    struct grouping g = {0};
    int r = 0;
    if (n_was > 0 && n > 0)
        r = load(w, f, &old);
    if (n > 0)
        group_edges(&w->scratch, b, n, &g);
    for (size_t i = 0; i < g.n && r == 0; i++) {
        fill_row(&w->scratch, b, slots, &g, &g.v[i]);
        if (i >= old.n || !is_same(&g.v[i].row, &old.v[i]))
            r = write_edge(w, ENTITY_ID(f->id, i), &g.v[i].row);
    }
    if (r == 0 && n_was > 0)
        r = delete_from(w, f, g.n);
    vec_finish(&old);
    return err_trace(r);
}
