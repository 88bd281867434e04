/* Edges of a file, compared place by place with what is there: an edit in one function rewrites the
 * edges that moved, not those before it. They have no events of their own. */
#include "store/sqlite.h"

#include "base/err.h"

struct edge_stored {
    enum edge_kind kind;
    int64_t from_slot; // -1: file scope
    struct str target;
    struct position at;
};

static int
load(struct sqlite_writer *w, const struct file_stored *f, uint64_t n,
     struct edge_stored *edges, size_t *ret_n)
{
    sqlite3_stmt *stmt = NULL;
    size_t k = 0;
    int r = sqlite_get(&w->c, SQL_EDGE_OF_FILE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, f->id);
    while (k < n && (r = sqlite_step(&w->c, stmt)) > 0) {
        struct edge_stored *e = &edges[k];
        /* A gap cannot be: then all behind it is written anew. */
        if (sqlite3_column_int64(stmt, 0) != ENTITY_ID(f->id, k))
            break;
        e->kind = (enum edge_kind)sqlite3_column_int(stmt, 1);
        e->from_slot = sqlite3_column_type(stmt, 2) == SQLITE_NULL
                           ? -1
                           : sqlite3_column_int64(stmt, 2);
        e->target = arena_str(&w->scratch, sqlite_column_str(stmt, 3));
        e->at.line = (uint32_t)sqlite3_column_int64(stmt, 4);
        e->at.col_byte = (uint32_t)sqlite3_column_int64(stmt, 5);
        e->at.col_utf16 = sqlite3_column_type(stmt, 6) == SQLITE_NULL
                              ? e->at.col_byte
                              : (uint32_t)sqlite3_column_int64(stmt, 6);
        k++;
    }
    sqlite_put(&w->c, SQL_EDGE_OF_FILE, stmt);
    *ret_n = k;
    return MIN(r, 0);
}

static bool
is_same(const struct edge_stored *a, const struct edge_stored *b)
{
    return a->kind == b->kind && a->from_slot == b->from_slot &&
           a->at.line == b->at.line && a->at.col_byte == b->at.col_byte &&
           a->at.col_utf16 == b->at.col_utf16 && str_eq(a->target, b->target);
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
    if (e->from_slot < 0)
        sqlite3_bind_null(stmt, 3);
    else
        sqlite3_bind_int64(stmt, 3, e->from_slot);
    sqlite_bind_str(stmt, 4, e->target);
    sqlite3_bind_int64(stmt, 5, e->at.line);
    sqlite3_bind_int64(stmt, 6, e->at.col_byte);
    if (e->at.col_utf16 == e->at.col_byte)
        sqlite3_bind_null(stmt, 7);
    else
        sqlite3_bind_int64(stmt, 7, e->at.col_utf16);
    return sqlite_run(&w->c, SQL_EDGE_PUT, stmt);
}

int
sqlite_put_edges(struct sqlite_writer *w, const struct file_stored *f,
                 const struct batch *b, const uint32_t *slots, uint64_t n_was)
{
    size_t n = b->file.state == FILE_INDEXED ? b->n_edges : 0;
    size_t n_old = 0;
    struct edge_stored *old = NULL;
    int r = 0;
    if (n_was > 0 && n > 0) {
        old = arena_alloc(&w->scratch, n_was * sizeof(*old));
        r = load(w, f, n_was, old, &n_old);
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        const struct edge *edge = &b->edges[i];
        assert(edge->from == ENTITY_NONE || edge->from < b->n_entities);
        struct edge_stored e = {
            .kind = edge->kind,
            .from_slot = edge->from == ENTITY_NONE ? -1 : (int64_t)slots[edge->from],
            .target = edge->target,
            .at = edge->at};
        if (i >= n_old || !is_same(&e, &old[i]))
            r = write_edge(w, ENTITY_ID(f->id, i), &e);
    }
    if (r < 0 || n_was <= n)
        return err_trace(r);
    sqlite3_stmt *stmt = NULL;
    r = sqlite_get(&w->c, SQL_EDGE_DELETE_FROM, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, ENTITY_ID(f->id, n));
    sqlite3_bind_int64(stmt, 2, ENTITY_ID(f->id, SLOT_MASK));
    return sqlite_run(&w->c, SQL_EDGE_DELETE_FROM, stmt);
}
