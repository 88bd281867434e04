/* Rows in and out: the one place that knows which column holds what. Values that come from the file
 * are checked here, since the file may have been written by something else: -EBADMSG. */
#include "store/sqlite.h"

#include "base/err.h"

static struct str
keep(struct arena *a, struct str s)
{
    return a && s.n > 0 ? arena_str(a, s) : s;
}

int
sqlite_file_read(sqlite3_stmt *stmt, struct arena *a, struct file_stored *ret_file)
{
    int state = sqlite3_column_int(stmt, 3);
    int reason = sqlite3_column_int(stmt, 4);
    if (state < 0 || state >= FILE_STATE_COUNT || reason < 0 ||
        reason >= FILE_REASON_COUNT)
        return err_trace(-EBADMSG);
    struct file_stored f = {
        .id = sqlite3_column_int64(stmt, 0),
        .f = {.path = keep(a, sqlite_column_str(stmt, 1)),
              .lang = keep(a, sqlite_column_str(stmt, 2)),
              .state = (enum file_state)state,
              .reason = (enum file_reason)reason,
              .size_bytes = (uint64_t)sqlite3_column_int64(stmt, 5),
              .mtime_ns = sqlite3_column_int64(stmt, 6),
              .inode = (uint64_t)sqlite3_column_int64(stmt, 7)},
        .content_gen = sqlite3_column_int64(stmt, 9),
        .text_gen = sqlite3_column_int64(stmt, 10),
        .n_entities = (uint64_t)sqlite3_column_int64(stmt, 11),
        .n_edges = (uint64_t)sqlite3_column_int64(stmt, 12),
    };
    if (sqlite3_column_type(stmt, 8) != SQLITE_NULL) {
        if (sqlite3_column_bytes(stmt, 8) != sizeof(f.f.content))
            return err_trace(-EBADMSG);
        memcpy(&f.f.content, sqlite3_column_blob(stmt, 8), sizeof(f.f.content));
    }
    *ret_file = f;
    return 0;
}

int
sqlite_file_find(struct sqlite_conn *c, struct str path, struct arena *a,
                 struct file_stored *ret_file)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_BY_PATH, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, path);
    r = sqlite_step(c, stmt);
    if (r > 0)
        r = sqlite_file_read(stmt, a, ret_file);
    else if (r == 0)
        r = -ENOENT;
    sqlite_put(c, SQL_FILE_BY_PATH, stmt);
    return r;
}

/* Three columns: the UTF-16 one is NULL where it is no other than the byte's. */
static void
bind_position(sqlite3_stmt *stmt, int i, const struct position *at)
{
    sqlite3_bind_int64(stmt, i, at->line);
    sqlite3_bind_int64(stmt, i + 1, at->col_byte);
    if (at->col_utf16 == at->col_byte)
        sqlite3_bind_null(stmt, i + 2);
    else
        sqlite3_bind_int64(stmt, i + 2, at->col_utf16);
}

static struct position
read_position(sqlite3_stmt *stmt, int i)
{
    struct position at = {.line = (uint32_t)sqlite3_column_int64(stmt, i),
                          .col_byte = (uint32_t)sqlite3_column_int64(stmt, i + 1)};
    at.col_utf16 = sqlite3_column_type(stmt, i + 2) == SQLITE_NULL
                       ? at.col_byte
                       : (uint32_t)sqlite3_column_int64(stmt, i + 2);
    return at;
}

static void
bind_span(sqlite3_stmt *stmt, int i, const struct span *s)
{
    bind_position(stmt, i, &s->start);
    bind_position(stmt, i + 3, &s->end);
    sqlite3_bind_int64(stmt, i + 6, s->start_byte);
    sqlite3_bind_int64(stmt, i + 7, s->end_byte);
}

static struct span
read_span(sqlite3_stmt *stmt, int i)
{
    return (struct span){.start = read_position(stmt, i),
                         .end = read_position(stmt, i + 3),
                         .start_byte = (uint32_t)sqlite3_column_int64(stmt, i + 6),
                         .end_byte = (uint32_t)sqlite3_column_int64(stmt, i + 7)};
}

void
sqlite_entity_bind(sqlite3_stmt *stmt, const struct entity *e, int64_t rev)
{
    sqlite3_bind_int(stmt, 2, (int)e->kind);
    sqlite3_bind_int64(stmt, 3, e->ordinal);
    sqlite_bind_str(stmt, 4, e->name);
    sqlite_bind_str_opt(
        stmt, 5, str_eq(e->name, e->qualified_name) ? STR_NONE : e->qualified_name);
    sqlite_bind_str_opt(stmt, 6, e->signature);
    sqlite_bind_str_opt(stmt, 7, e->doc);
    if (e->parent == ENTITY_NONE)
        sqlite3_bind_null(stmt, 8);
    else
        sqlite3_bind_int64(stmt, 8, e->parent);
    sqlite3_bind_int64(stmt, 9, (int64_t)e->hash);
    sqlite3_bind_int64(stmt, 10, rev);
    bind_span(stmt, 11, &e->range);
    bind_span(stmt, 19, &e->name_range);
}

void
sqlite_hover_bind(sqlite3_stmt *stmt, int first, const struct entity_stored *s)
{
    sqlite3_bind_int(stmt, first, (int)s->hover_state);
    sqlite3_bind_int(stmt, first + 1, (int)s->hover_reason);
    sqlite3_bind_int64(stmt, first + 2, s->hover_gen);
    if (s->hover_id == 0)
        sqlite3_bind_null(stmt, first + 3);
    else
        sqlite3_bind_int64(stmt, first + 3, s->hover_id);
}

int
sqlite_entity_read(sqlite3_stmt *stmt, struct arena *a, struct entity_stored *ret_entity)
{
    int kind = sqlite3_column_int(stmt, 1);
    int state = sqlite3_column_int(stmt, 26);
    int reason = sqlite3_column_int(stmt, 27);
    if (kind < 0 || kind >= ENTITY_KIND_COUNT || state < 0 ||
        state >= HOVER_STATE_COUNT || reason < 0 || reason >= HOVER_REASON_COUNT)
        return err_trace(-EBADMSG);
    struct entity_stored s = {
        .id = sqlite3_column_int64(stmt, 0),
        .e = {.kind = (enum entity_kind)kind,
              .ordinal = (uint32_t)sqlite3_column_int64(stmt, 2),
              .name = keep(a, sqlite_column_str(stmt, 3)),
              .signature = keep(a, sqlite_column_str(stmt, 5)),
              .doc = keep(a, sqlite_column_str(stmt, 6)),
              .parent = ENTITY_NONE,
              .hash = (uint64_t)sqlite3_column_int64(stmt, 8),
              .range = read_span(stmt, 10),
              .name_range = read_span(stmt, 18)},
        .rev = sqlite3_column_int64(stmt, 9),
        .hover_state = (enum hover_state)state,
        .hover_reason = (enum hover_reason)reason,
        .hover_gen = sqlite3_column_int64(stmt, 28),
        .hover_id = sqlite3_column_int64(stmt, 29),
        .markdown = keep(a, sqlite_column_str(stmt, 30)),
        .server = keep(a, sqlite_column_str(stmt, 31)),
    };
    s.e.qualified_name = sqlite3_column_type(stmt, 4) == SQLITE_NULL
                             ? s.e.name
                             : keep(a, sqlite_column_str(stmt, 4));
    if (sqlite3_column_type(stmt, 7) != SQLITE_NULL)
        s.e.parent = (uint32_t)sqlite3_column_int64(stmt, 7);
    *ret_entity = s;
    return 0;
}

static bool
same_span(const struct span *a, const struct span *b)
{
    return a->start.line == b->start.line && a->start.col_byte == b->start.col_byte &&
           a->start.col_utf16 == b->start.col_utf16 && a->end.line == b->end.line &&
           a->end.col_byte == b->end.col_byte && a->end.col_utf16 == b->end.col_utf16 &&
           a->start_byte == b->start_byte && a->end_byte == b->end_byte;
}

bool
sqlite_entity_same_place(const struct entity *a, const struct entity *b)
{
    return a->parent == b->parent && same_span(&a->range, &b->range) &&
           same_span(&a->name_range, &b->name_range);
}

void
sqlite_entity_row(const struct entity_stored *s, const struct file_stored *f,
                  struct arena *a, struct entity_row *ret_row)
{
    *ret_row = (struct entity_row){
        .e = s->e,
        .id = s->id,
        .key = entity_key(a, f->f.lang, s->e.kind, f->f.path, s->e.qualified_name,
                          s->e.ordinal),
        .path = f->f.path,
        .lang = f->f.lang,
        .hover = {.state = s->hover_state,
                  .reason = s->hover_reason,
                  .stale =
                      s->hover_state != HOVER_UNKNOWN && s->hover_gen != f->content_gen,
                  .markdown = s->markdown,
                  .server = s->server},
        .rev = s->rev,
    };
    ret_row->e.parent = ENTITY_NONE;
}

int
sqlite_entities_of_file(struct sqlite_conn *c, const struct file_stored *f,
                        struct arena *a, struct entity_list *ret_list)
{
    VEC(struct entity_stored) all = {0};
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_ENTITY_OF_FILE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, f->id);
    while ((r = sqlite_step(c, stmt)) > 0) {
        struct entity_stored s;
        r = sqlite_entity_read(stmt, a, &s);
        if (r < 0)
            break;
        *vec_push(&all) = s;
    }
    sqlite_put(c, SQL_ENTITY_OF_FILE, stmt);
    if (r == 0 && all.n > 0) {
        ret_list->v = arena_alloc(a, all.n * sizeof(*all.v));
        memcpy(ret_list->v, all.v, all.n * sizeof(*all.v));
    }
    ret_list->n = r == 0 ? all.n : 0;
    vec_finish(&all);
    return r;
}

struct slot_index {
    uint32_t slot, index;
};

static int
by_slot(const void *a, const void *b)
{
    uint32_t x = ((const struct slot_index *)a)->slot;
    uint32_t y = ((const struct slot_index *)b)->slot;
    return (x > y) - (x < y);
}

int
sqlite_rows_of_file(struct sqlite_conn *c, const struct file_stored *f, struct arena *a,
                    struct entity_list *ret_list)
{
    int r = sqlite_entities_of_file(c, f, a, ret_list);
    if (r < 0 || ret_list->n == 0)
        return r;
    size_t n = ret_list->n;
    ret_list->rows = arena_alloc(a, n * sizeof(*ret_list->rows));
    struct slot_index *slots = arena_alloc(a, n * sizeof(*slots));
    for (size_t i = 0; i < n; i++) {
        slots[i] =
            (struct slot_index){(uint32_t)(ret_list->v[i].id & SLOT_MASK), (uint32_t)i};
        sqlite_entity_row(&ret_list->v[i], f, a, &ret_list->rows[i]);
    }
    qsort(slots, n, sizeof(*slots), by_slot);
    for (size_t i = 0; i < n; i++) {
        if (ret_list->v[i].e.parent == ENTITY_NONE)
            continue;
        struct slot_index wanted = {ret_list->v[i].e.parent, 0};
        const struct slot_index *at = bsearch(&wanted, slots, n, sizeof(*slots), by_slot);
        if (!at)
            return err_trace(-EBADMSG);
        ret_list->rows[i].e.parent = at->index;
        ret_list->rows[i].parent_key = ret_list->rows[at->index].key;
    }
    return 0;
}
