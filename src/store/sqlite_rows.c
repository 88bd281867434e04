/* Rows in and out: the one place that knows which column holds what. Values that come from the file
 * are checked here, since the file may have been written by something else: -EBADMSG. */
#include "store/sqlite.h"

#include "base/err.h"

/* Numbers in the column odd: what does not follow from the others, or, of an entity whose places do not
 * fit into them, also its places. */
#define ODD_NUMBERS 7
#define WIDE_NUMBERS 16

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
              .inode = (uint64_t)sqlite3_column_int64(stmt, 7),
              .server_key = (uint64_t)sqlite3_column_int64(stmt, 14)},
        .content_gen = sqlite3_column_int64(stmt, 9),
        .text_gen = sqlite3_column_int64(stmt, 10),
        .n_entities = (uint64_t)sqlite3_column_int64(stmt, 11),
        .n_edges = (uint64_t)sqlite3_column_int64(stmt, 12),
        .log_seq = sqlite3_column_int64(stmt, 13),
    };
    if (sqlite3_column_type(stmt, 8) != SQLITE_NULL) {
        if (sqlite3_column_bytes(stmt, 8) != sizeof(f.f.content))
            return err_trace(-EBADMSG);
        memcpy(&f.f.content, sqlite3_column_blob(stmt, 8), sizeof(f.f.content));
    }
    *ret_file = f;
    return 0;
}

/* ---- places ---- */

/* What follows from the rest of the row when there is nothing odd about the entity: UTF-16 columns
 * as bytes, the name at its place in the source as it is. */
static void
derive(struct span *range, struct span *name_range, size_t name_n)
{
    range->start.col_utf16 = range->start.col_byte;
    range->end.col_utf16 = range->end.col_byte;
    name_range->start.col_utf16 = name_range->start.col_byte;
    name_range->end = name_range->start;
    name_range->end.col_byte += (uint32_t)name_n;
    name_range->end.col_utf16 = name_range->end.col_byte;
    name_range->end_byte = name_range->start_byte + (uint32_t)name_n;
}

static bool
is_odd(const struct entity *e)
{
    struct span range = e->range, name_range = e->name_range;
    derive(&range, &name_range, e->name.n);
    return !span_eq(&range, &e->range) || !span_eq(&name_range, &e->name_range);
}

/* Where the name's first byte is when it stands in the definition's first line. */
static uint32_t
name_byte_of(const struct span *range, const struct span *name_range)
{
    return range->start_byte + (name_range->start.col_byte - range->start.col_byte);
}

/* Are the parts of start, extent and tail as small as their place there? */
static bool
is_wide(const struct entity *e)
{
    const struct span *range = &e->range, *name = &e->name_range;
    return range->start.line > INT32_MAX || range->start.col_byte > UINT16_MAX ||
           name->start.col_byte > UINT16_MAX || range->start_byte > INT32_MAX ||
           range->end.line < range->start.line || range->end_byte < range->start_byte ||
           range->end.line - range->start.line > INT32_MAX ||
           name->start.line < range->start.line ||
           name->start.line - range->start.line > UINT16_MAX ||
           range->end.col_byte > UINT16_MAX;
}

/* In their order, first those that every odd one has. */
static void
list_odd(struct entity *e, uint32_t *ret_numbers[WIDE_NUMBERS])
{
    struct span *range = &e->range, *name = &e->name_range;
    uint32_t *const numbers[WIDE_NUMBERS] = {
        &range->start.col_utf16, &range->end.col_utf16, &name->start.col_utf16,
        &name->end.line,         &name->end.col_byte,   &name->end.col_utf16,
        &name->end_byte,         &range->start.line,    &range->start.col_byte,
        &range->start_byte,      &range->end.line,      &range->end.col_byte,
        &range->end_byte,        &name->start.line,     &name->start.col_byte,
        &name->start_byte,
    };
    memcpy(ret_numbers, numbers, sizeof(numbers));
}

static void
bind_odd(sqlite3_stmt *stmt, int i, const struct entity *e, size_t n)
{
    char odd[WIDE_NUMBERS * 11 + 2];
    uint32_t *numbers[WIDE_NUMBERS];
    struct entity copy = *e;
    int at = 0;
    list_odd(&copy, numbers);
    for (size_t k = 0; k < n; k++)
        at += snprintf(odd + at, sizeof(odd) - (size_t)at, "%c%" PRIu32,
                       k == 0 ? '[' : ',', *numbers[k]);
    odd[at++] = ']';
    sqlite3_bind_text(stmt, i, odd, at, SQLITE_TRANSIENT);
}

static void
bind_places(sqlite3_stmt *stmt, int i, const struct entity *e)
{
    const struct span *range = &e->range, *name = &e->name_range;
    uint32_t n_lines = range->end.line - range->start.line;
    uint32_t n_bytes = range->end_byte - range->start_byte;
    uint32_t name_down = name->start.line - range->start.line;
    /* What rows are sorted by is there in any case. */
    sqlite3_bind_int64(stmt, i + 1,
                       (int64_t)MIN(range->start_byte, (uint32_t)INT32_MAX) << 32 |
                           n_bytes);
    if (is_wide(e)) {
        sqlite3_bind_int(stmt, i, 0);
        sqlite3_bind_int(stmt, i + 2, 0);
        bind_odd(stmt, i + 4, e, WIDE_NUMBERS);
        return;
    }
    sqlite3_bind_int64(stmt, i,
                       (int64_t)range->start.line << 32 | range->start.col_byte << 16 |
                           name->start.col_byte);
    sqlite3_bind_int64(stmt, i + 2,
                       (int64_t)n_lines << 32 | name_down << 16 | range->end.col_byte);
    if (name_down != 0 || name->start_byte != name_byte_of(range, name))
        sqlite3_bind_int64(stmt, i + 3, (int64_t)name->start_byte - range->start_byte);
    if (is_odd(e))
        bind_odd(stmt, i + 4, e, ODD_NUMBERS);
}

static int
read_odd(struct str odd, struct entity *e)
{
    uint32_t *into[WIDE_NUMBERS];
    size_t n = 0;
    struct str part;
    list_odd(e, into);
    if (odd.n < 2 || odd.p[0] != '[' || odd.p[odd.n - 1] != ']')
        return err_trace(-EBADMSG);
    odd = str_slice(odd.p + 1, odd.n - 2);
    while (n < WIDE_NUMBERS && str_split(&odd, ',', &part)) {
        uint64_t value = 0;
        if (str_to_u64(part, &value) < 0 || value > UINT32_MAX)
            return err_trace(-EBADMSG);
        *into[n++] = (uint32_t)value;
    }
    return n == ODD_NUMBERS || n == WIDE_NUMBERS ? 0 : err_trace(-EBADMSG);
}

static int
read_places(sqlite3_stmt *stmt, int i, struct entity *e)
{
    uint64_t start = (uint64_t)sqlite3_column_int64(stmt, i);
    uint64_t extent = (uint64_t)sqlite3_column_int64(stmt, i + 1);
    uint64_t tail = (uint64_t)sqlite3_column_int64(stmt, i + 2);
    uint32_t line = (uint32_t)(start >> 32), byte = (uint32_t)(extent >> 32);
    e->range = (struct span){
        .start = {.line = line, .col_byte = (start >> 16) & UINT16_MAX},
        .end = {.line = line + (uint32_t)(tail >> 32), .col_byte = tail & UINT16_MAX},
        .start_byte = byte,
        .end_byte = byte + (uint32_t)extent,
    };
    e->name_range = (struct span){
        .start = {.line = line + ((tail >> 16) & UINT16_MAX),
                  .col_byte = start & UINT16_MAX},
    };
    e->name_range.start_byte = sqlite3_column_type(stmt, i + 3) == SQLITE_NULL
                                   ? name_byte_of(&e->range, &e->name_range)
                                   : byte + (uint32_t)sqlite3_column_int64(stmt, i + 3);
    derive(&e->range, &e->name_range, e->name.n);
    return sqlite3_column_type(stmt, i + 4) == SQLITE_NULL
               ? 0
               : read_odd(sqlite_column_str(stmt, i + 4), e);
}

/* ---- entities: a parameter is NULL as long as it is not bound, see sqlite_put() ---- */

/* See QUALIFIED in sqlite_sql.c. */
static void
bind_scope(sqlite3_stmt *stmt, int i, const struct entity *e)
{
    struct str q = e->qualified_name;
    if (str_eq(e->name, q))
        return;
    if (q.n > e->name.n + 1 && q.p[q.n - e->name.n - 1] == '.' &&
        str_ends_with(q, e->name))
        sqlite_bind_str(stmt, i, str_slice(q.p, q.n - e->name.n - 1));
    else
        sqlite3_bind_blob64(stmt, i, q.p ? q.p : "", q.n, SQLITE_STATIC);
}

void
sqlite_entity_bind(sqlite3_stmt *stmt, int i, const struct entity_stored *s)
{
    const struct entity *e = &s->e;
    sqlite3_bind_int64(stmt, i, ENTITY_WHAT(e->kind, e->ordinal));
    sqlite_bind_str(stmt, i + 1, e->name);
    bind_scope(stmt, i + 2, e);
    if (e->signature.n > 0)
        sqlite_bind_str(stmt, i + 3, e->signature);
    if (e->doc.n > 0)
        sqlite_bind_str(stmt, i + 4, e->doc);
    if (e->parent != ENTITY_NONE)
        sqlite3_bind_int64(stmt, i + 5, e->parent);
    sqlite3_bind_int64(stmt, i + 6, (int64_t)e->hash);
    sqlite3_bind_int64(stmt, i + 7, s->rev);
    bind_places(stmt, i + 8, e);
    sqlite_hover_bind(stmt, i + 13, s);
}

void
sqlite_hover_bind(sqlite3_stmt *stmt, int first, const struct entity_stored *s)
{
    int64_t hover = rows_hover(s);
    if (hover != HOVER_NOT_ASKED)
        sqlite3_bind_int64(stmt, first, hover);
    if (s->hover_id != 0)
        sqlite3_bind_int64(stmt, first + 1, s->hover_id);
}

int
sqlite_entity_read(sqlite3_stmt *stmt, struct arena *a, struct entity_stored *ret_entity)
{
    int64_t what = sqlite3_column_int64(stmt, 1);
    if (what < 0 || (what & 255) >= ENTITY_KIND_COUNT)
        return err_trace(-EBADMSG);
    struct entity_stored s = {
        .id = sqlite3_column_int64(stmt, 0),
        .e = {.kind = (enum entity_kind)(what & 255),
              .ordinal = (uint32_t)(what >> 8),
              .name = keep(a, sqlite_column_str(stmt, 2)),
              .qualified_name = keep(a, sqlite_column_str(stmt, 3)),
              .signature = keep(a, sqlite_column_str(stmt, 4)),
              .doc = keep(a, sqlite_column_str(stmt, 5)),
              .parent = ENTITY_NONE,
              .hash = (uint64_t)sqlite3_column_int64(stmt, 7)},
        .rev = sqlite3_column_int64(stmt, 8),
        .hover_id = sqlite3_column_int64(stmt, 15),
        .markdown = keep(a, sqlite_column_str(stmt, 16)),
        .server = keep(a, sqlite_column_str(stmt, 17)),
    };
    if (sqlite3_column_type(stmt, 6) != SQLITE_NULL)
        s.e.parent = (uint32_t)sqlite3_column_int64(stmt, 6);
    int r = read_places(stmt, 9, &s.e);
    if (r == 0)
        r = rows_set_hover(&s, sqlite3_column_type(stmt, 14) == SQLITE_NULL
                                   ? HOVER_NOT_ASKED
                                   : sqlite3_column_int64(stmt, 14));
    *ret_entity = s;
    return r;
}

void
sqlite_past_read(sqlite3_stmt *stmt, struct arena *a, struct past_row *ret_row)
{
    const char *bytes = sqlite3_column_blob(stmt, 3);
    *ret_row = (struct past_row){
        .id = sqlite3_column_int64(stmt, 0),
        .server_key = (uint64_t)sqlite3_column_int64(stmt, 1),
        .bytes = sqlite3_column_int64(stmt, 2),
        .hovers = keep(a, str_slice(bytes, (size_t)sqlite3_column_bytes(stmt, 3))),
    };
}

/* ---- what the shared logic reads ---- */

static int
read_meta(struct tables *t, const char *key, struct arena *a, struct str *ret_value)
{
    return sqlite_meta_get(sqlite_conn_of(t), key, a, ret_value);
}

static int
one_int(struct sqlite_conn *c, enum sql which, int64_t none, int64_t *ret_value)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, which, &stmt);
    if (r < 0)
        return r;
    r = sqlite_step(c, stmt);
    if (r >= 0)
        *ret_value = r > 0 && sqlite3_column_type(stmt, 0) != SQLITE_NULL
                         ? sqlite3_column_int64(stmt, 0)
                         : none;
    sqlite_put(c, which, stmt);
    return MIN(r, 0);
}

static int
read_log_ends(struct tables *t, int64_t *ret_first, int64_t *ret_head)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    int r = one_int(c, SQL_EVENT_HEAD, 0, ret_head);
    return r < 0 ? r : one_int(c, SQL_EVENT_FIRST, *ret_head + 1, ret_first);
}

/* The one row that it finds, and the statement goes back; -ENOENT. */
static int
take_file(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt, struct arena *a,
          struct file_stored *ret_file)
{
    int r = sqlite_step(c, stmt);
    if (r > 0)
        r = sqlite_file_read(stmt, a, ret_file);
    else if (r == 0)
        r = -ENOENT;
    sqlite_put(c, which, stmt);
    return r;
}

static int
take_entity(struct sqlite_conn *c, enum sql which, sqlite3_stmt *stmt, struct arena *a,
            struct entity_stored *ret_entity)
{
    int r = sqlite_step(c, stmt);
    if (r > 0)
        r = sqlite_entity_read(stmt, a, ret_entity);
    else if (r == 0)
        r = -ENOENT;
    sqlite_put(c, which, stmt);
    return r;
}

static int
find_file(struct tables *t, struct str path, struct arena *a,
          struct file_stored *ret_file)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_BY_PATH, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, path);
    return take_file(c, SQL_FILE_BY_PATH, stmt, a, ret_file);
}

static int
file_by_id(struct tables *t, int64_t id, struct arena *a, struct file_stored *ret_file)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_BY_ID, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    return take_file(c, SQL_FILE_BY_ID, stmt, a, ret_file);
}

/* The freshest is chosen here: a statement that sorts makes a table for it, before there is a row, and nearly
 * every new file has no twin. */
static int
find_twin(struct tables *t, const struct file *file, int64_t own_id, struct arena *a,
          struct file_stored *ret_twin, int64_t *ret_n_fresh)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_FILE_TWIN, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_blob(stmt, 1, &file->content, sizeof(file->content), SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, own_id);
    sqlite_bind_str(stmt, 3, file->lang);
    bool is_found = false;
    while ((r = sqlite_step(c, stmt)) > 0) {
        int64_t n_fresh = sqlite3_column_int64(stmt, FILE_COLUMN_COUNT);
        if (is_found && n_fresh <= *ret_n_fresh)
            continue;
        is_found = true;
        *ret_n_fresh = n_fresh;
        r = sqlite_file_read(stmt, a, ret_twin);
        if (r < 0)
            break;
    }
    sqlite_put(c, SQL_FILE_TWIN, stmt);
    return r < 0 ? r : is_found;
}

static int
read_entities(struct tables *t, const struct file_stored *f, struct arena *a,
              struct entity_list *ret_list)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
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

static int
entity_by_id(struct tables *t, int64_t id, struct arena *a,
             struct entity_stored *ret_entity)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_ENTITY_BY_ID, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    return take_entity(c, SQL_ENTITY_BY_ID, stmt, a, ret_entity);
}

static int
find_entity(struct tables *t, const struct file_stored *f,
            const struct entity_key_parts *parts, struct arena *a,
            struct entity_stored *ret_entity)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_ENTITY_BY_NAME, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, f->id);
    sqlite3_bind_int64(stmt, 2, ENTITY_WHAT(parts->kind, parts->ordinal));
    sqlite_bind_str(stmt, 3, parts->qualified_name);
    return take_entity(c, SQL_ENTITY_BY_NAME, stmt, a, ret_entity);
}

static int
read_hover_text(struct tables *t, int64_t id, struct arena *a, struct str *ret_markdown,
                struct str *ret_server)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_HOVER_GET, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, id);
    r = sqlite_step(c, stmt);
    if (r > 0) {
        *ret_server = arena_str(a, sqlite_column_str(stmt, 0));
        *ret_markdown = arena_str(a, sqlite_column_str(stmt, 1));
    }
    sqlite_put(c, SQL_HOVER_GET, stmt);
    return r;
}

static int
read_past(struct tables *t, struct hash128 content, struct str lang, struct arena *a,
          struct past_row *ret_row)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_PAST_GET, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_blob(stmt, 1, &content, sizeof(content), SQLITE_STATIC);
    sqlite_bind_str(stmt, 2, lang);
    r = sqlite_step(c, stmt);
    if (r > 0)
        sqlite_past_read(stmt, a, ret_row);
    sqlite_put(c, SQL_PAST_GET, stmt);
    return r;
}

static int
read_edges(struct tables *t, int64_t file_id, struct arena *a, struct str *ret_text)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_EDGE_OF_FILE, &stmt);
    if (r < 0)
        return r;
    sqlite3_bind_int64(stmt, 1, file_id);
    r = sqlite_step(c, stmt);
    if (r > 0)
        *ret_text = arena_str(a, sqlite_column_str(stmt, 0));
    sqlite_put(c, SQL_EDGE_OF_FILE, stmt);
    return r;
}

static int
find_once(struct tables *t, struct str key, int64_t *ret_seq)
{
    struct sqlite_conn *c = sqlite_conn_of(t);
    sqlite3_stmt *stmt = NULL;
    int r = sqlite_get(c, SQL_ONCE_GET, &stmt);
    if (r < 0)
        return r;
    sqlite_bind_str(stmt, 1, key);
    return sqlite_one(c, SQL_ONCE_GET, stmt, ret_seq);
}

const struct table_reads sqlite_table_reads = {
    .meta_get = read_meta,
    .log_ends = read_log_ends,
    .file_find = find_file,
    .file_by_id = file_by_id,
    .file_twin = find_twin,
    .entities = read_entities,
    .entity_by_id = entity_by_id,
    .entity_find = find_entity,
    .hover_get = read_hover_text,
    .past_get = read_past,
    .edges_get = read_edges,
    .once_get = find_once,
};
