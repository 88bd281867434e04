/* Rows in and out, and what both the writer's logic and a reader look up: the one place that knows
 * which column holds what. The database is others' as well: values are checked, -EBADMSG. */
#include "store/postgres.h"

#include <endian.h>

#include "base/err.h"

#define PLACES 16
static_assert(PLACES * sizeof(uint32_t) == POSTGRES_PLACES_BYTES, "numbers of 4 bytes");

static struct str
keep(struct arena *a, struct str s)
{
    return s.n == 0 ? STR_NONE : a ? arena_str(a, s) : s;
}

/* ---- files ---- */

int
postgres_file_read(const struct postgres_rows *rows, int row, struct arena *a,
                   struct file_stored *ret_file)
{
    int64_t state = postgres_int(rows, row, 3), reason = postgres_int(rows, row, 4);
    struct str content = postgres_str(rows, row, 8);
    if (state < 0 || state >= FILE_STATE_COUNT || reason < 0 ||
        reason >= FILE_REASON_COUNT ||
        (content.n != 0 && content.n != sizeof(struct hash128)))
        return err_trace(-EBADMSG);
    *ret_file = (struct file_stored){
        .id = postgres_int(rows, row, 0),
        .f = {.path = keep(a, postgres_str(rows, row, 1)),
              .lang = keep(a, postgres_str(rows, row, 2)),
              .state = (enum file_state)state,
              .reason = (enum file_reason)reason,
              .size_bytes = (uint64_t)postgres_int(rows, row, 5),
              .mtime_ns = postgres_int(rows, row, 6),
              .inode = (uint64_t)postgres_int(rows, row, 7),
              .server_key = (uint64_t)postgres_int(rows, row, 14)},
        .content_gen = postgres_int(rows, row, 9),
        .text_gen = postgres_int(rows, row, 10),
        .n_entities = (uint64_t)postgres_int(rows, row, 11),
        .n_edges = (uint64_t)postgres_int(rows, row, 12),
        .log_seq = postgres_int(rows, row, 13),
    };
    if (content.n > 0)
        memcpy(&ret_file->f.content, content.p, content.n);
    return 0;
}

/* The first row of an answer. */
static int
one_file(const struct postgres_rows *rows, struct arena *a, struct file_stored *ret_file)
{
    return postgres_count(rows) > 0 ? postgres_file_read(rows, 0, a, ret_file) : -ENOENT;
}

static int
file_find(struct tables *t, struct str path, struct arena *a,
          struct file_stored *ret_file)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    uint64_t hash = hash64(path);
    AUTO_ROWS(rows);
    if (p->is_writer && !postgres_known_has(&p->paths, hash))
        return -ENOENT;
    int r = postgres_late_flush(p);
    if (r < 0)
        return r;
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, (int64_t)hash);
    postgres_arg_str(&args, path);
    r = postgres_query(&p->c, PG_FILE_BY_PATH, &args, rows);
    return r < 0 ? r : one_file(rows, a, ret_file);
}

static int
file_by_id(struct tables *t, int64_t id, struct arena *a, struct file_stored *ret_file)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    if (id >> POSTGRES_WORKSPACE_SHIFT != p->ws)
        return -ENOENT;
    postgres_arg_int(&args, id);
    int r = postgres_query(&p->c, PG_FILE_BY_ID, &args, rows);
    return r < 0 ? r : one_file(rows, a, ret_file);
}

static int
file_twin(struct tables *t, const struct file *file, int64_t own_id, struct arena *a,
          struct file_stored *ret_twin, int64_t *ret_n_fresh)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    if (p->is_writer &&
        !postgres_known_has(&p->told, file->content.hi ^ file->content.lo))
        return 0;
    int r = postgres_late_flush(p);
    if (r < 0)
        return r;
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args,
                     str_slice((const char *)&file->content, sizeof(file->content)));
    postgres_arg_int(&args, own_id);
    postgres_arg_str(&args, file->lang);
    r = postgres_query(&p->c, PG_FILE_TWIN, &args, rows);
    if (r < 0 || postgres_count(rows) == 0)
        return r;
    *ret_n_fresh = postgres_int(rows, 0, 15);
    r = postgres_file_read(rows, 0, a, ret_twin);
    return r < 0 ? r : 1;
}

/* ---- entities ---- */

/* In the order of the column places. */
static void
list_places(struct entity *e, uint32_t *ret_numbers[PLACES])
{
    struct span *range = &e->range, *name = &e->name_range;
    uint32_t *const numbers[PLACES] = {
        &range->start.line,    &range->start.col_byte, &range->start.col_utf16,
        &range->end.line,      &range->end.col_byte,   &range->end.col_utf16,
        &range->start_byte,    &range->end_byte,       &name->start.line,
        &name->start.col_byte, &name->start.col_utf16, &name->end.line,
        &name->end.col_byte,   &name->end.col_utf16,   &name->start_byte,
        &name->end_byte,
    };
    memcpy(ret_numbers, numbers, sizeof(numbers));
}

static void
write_places(const struct entity *e, char places[])
{
    struct entity copy = *e;
    uint32_t *numbers[PLACES];
    list_places(&copy, numbers);
    for (size_t i = 0; i < PLACES; i++) {
        uint32_t n = htobe32(*numbers[i]);
        memcpy(places + i * sizeof(n), &n, sizeof(n));
    }
}

static int
read_places(struct str places, struct entity *e)
{
    uint32_t *numbers[PLACES];
    if (places.n != POSTGRES_PLACES_BYTES)
        return err_trace(-EBADMSG);
    list_places(e, numbers);
    for (size_t i = 0; i < PLACES; i++) {
        uint32_t n;
        memcpy(&n, places.p + i * sizeof(n), sizeof(n));
        *numbers[i] = be32toh(n);
    }
    return 0;
}

static void
str_or_null(struct postgres_args *a, struct str s)
{
    if (s.n > 0)
        postgres_arg_str(a, s);
    else
        postgres_arg_null(a);
}

void
postgres_hover_args(const struct entity_stored *s, struct postgres_args *a)
{
    int64_t hover = rows_hover(s);
    if (hover != HOVER_NOT_ASKED)
        postgres_arg_int(a, hover);
    else
        postgres_arg_null(a);
    if (s->hover_id != 0)
        postgres_arg_int(a, s->hover_id);
    else
        postgres_arg_null(a);
}

void
postgres_entity_args(const struct entity_stored *s, char places[],
                     struct postgres_args *a)
{
    const struct entity *e = &s->e;
    write_places(e, places);
    postgres_arg_int(a, s->id);
    postgres_arg_int(a, ENTITY_WHAT(e->kind, e->ordinal));
    postgres_arg_str(a, e->name);
    if (str_eq(e->name, e->qualified_name))
        postgres_arg_null(a);
    else
        postgres_arg_str(a, e->qualified_name);
    str_or_null(a, e->signature);
    str_or_null(a, e->doc);
    if (e->parent != ENTITY_NONE)
        postgres_arg_int(a, e->parent);
    else
        postgres_arg_null(a);
    postgres_arg_int(a, (int64_t)e->hash);
    postgres_arg_int(a, s->rev);
    postgres_arg_str(a, str_slice(places, POSTGRES_PLACES_BYTES));
    postgres_hover_args(s, a);
}

int
postgres_entity_read(const struct postgres_rows *rows, int row, struct arena *a,
                     struct entity_stored *ret_entity)
{
    int64_t what = postgres_int(rows, row, 1);
    if (what < 0 || (what & 255) >= ENTITY_KIND_COUNT)
        return err_trace(-EBADMSG);
    struct entity_stored s = {
        .id = postgres_int(rows, row, 0),
        .e = {.kind = (enum entity_kind)(what & 255),
              .ordinal = (uint32_t)(what >> 8),
              .name = keep(a, postgres_str(rows, row, 2)),
              .signature = keep(a, postgres_str(rows, row, 4)),
              .doc = keep(a, postgres_str(rows, row, 5)),
              .parent = ENTITY_NONE,
              .hash = (uint64_t)postgres_int(rows, row, 7)},
        .rev = postgres_int(rows, row, 8),
        .hover_id = postgres_int(rows, row, 11),
        .markdown = keep(a, postgres_str(rows, row, 12)),
        .server = keep(a, postgres_str(rows, row, 13)),
    };
    s.e.qualified_name =
        postgres_is_null(rows, row, 3) ? s.e.name : keep(a, postgres_str(rows, row, 3));
    if (!postgres_is_null(rows, row, 6))
        s.e.parent = (uint32_t)postgres_int(rows, row, 6);
    int r = read_places(postgres_str(rows, row, 9), &s.e);
    if (r == 0)
        r = rows_set_hover(&s, postgres_is_null(rows, row, 10)
                                   ? HOVER_NOT_ASKED
                                   : postgres_int(rows, row, 10));
    *ret_entity = s;
    return r;
}

static int
entities(struct tables *t, const struct file_stored *f, struct arena *a,
         struct entity_list *ret_list)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    int r = postgres_late_flush(p);
    if (r < 0)
        return r;
    postgres_arg_int(&args, f->id);
    r = postgres_query(&p->c, PG_ENTITY_OF_FILE, &args, rows);
    if (r < 0)
        return r;
    size_t n = (size_t)postgres_count(rows);
    ret_list->n = 0;
    if (n > ENTITY_PER_FILE_MAX)
        return err_trace(-EBADMSG);
    ret_list->v = arena_alloc(a, (n + 1) * sizeof(*ret_list->v));
    for (; ret_list->n < n && r == 0; ret_list->n++)
        r = postgres_entity_read(rows, (int)ret_list->n, a, &ret_list->v[ret_list->n]);
    if (r == 0)
        rows_sort(ret_list);
    return r;
}

/* The first row of an answer. */
static int
one_entity(const struct postgres_rows *rows, struct arena *a,
           struct entity_stored *ret_entity)
{
    return postgres_count(rows) > 0 ? postgres_entity_read(rows, 0, a, ret_entity)
                                    : -ENOENT;
}

static int
entity_by_id(struct tables *t, int64_t id, struct arena *a,
             struct entity_stored *ret_entity)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, id);
    int r = postgres_query(&postgres_tables_of(t)->c, PG_ENTITY_BY_ID, &args, rows);
    return r < 0 ? r : one_entity(rows, a, ret_entity);
}

static int
entity_find(struct tables *t, const struct file_stored *f,
            const struct entity_key_parts *parts, struct arena *a,
            struct entity_stored *ret_entity)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, f->id);
    postgres_arg_int(&args, ENTITY_WHAT(parts->kind, parts->ordinal));
    postgres_arg_str(&args, parts->qualified_name);
    int r = postgres_query(&postgres_tables_of(t)->c, PG_ENTITY_BY_NAME, &args, rows);
    return r < 0 ? r : one_entity(rows, a, ret_entity);
}

/* ---- the rest of what the writer's logic reads ---- */

static int
meta_get(struct tables *t, const char *key, struct arena *a, struct str *ret_value)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, str_of(key));
    int r = postgres_query(&p->c, PG_META_GET, &args, rows);
    if (r < 0)
        return r;
    if (postgres_count(rows) == 0)
        return -ENOENT;
    *ret_value = keep(a, postgres_str(rows, 0, 0));
    return 0;
}

static int
log_ends(struct tables *t, int64_t *ret_first, int64_t *ret_head)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    int r = postgres_late_flush(p);
    if (r < 0)
        return r;
    postgres_arg_int(&args, p->ws);
    r = postgres_query(&p->c, PG_EVENT_ENDS, &args, rows);
    if (r < 0)
        return r;
    if (postgres_count(rows) == 0)
        return err_trace(-EBADMSG);
    *ret_head = p->is_writer ? p->head : postgres_int(rows, 0, 1);
    *ret_first = postgres_is_null(rows, 0, 0) ? *ret_head + 1 : postgres_int(rows, 0, 0);
    return 0;
}

static int
hover_get(struct tables *t, int64_t id, struct arena *a, struct str *ret_markdown,
          struct str *ret_server)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    postgres_arg_int(&args, id);
    int r = postgres_query(&p->c, PG_HOVER_GET, &args, rows);
    if (r < 0 || postgres_count(rows) == 0)
        return r;
    *ret_markdown = keep(a, postgres_str(rows, 0, 0));
    *ret_server = keep(a, postgres_str(rows, 0, 1));
    return 1;
}

int
postgres_past_read(const struct postgres_rows *rows, struct arena *a,
                   struct past_row *ret_row)
{
    struct str content = postgres_str(rows, 0, 1);
    if (content.n != sizeof(ret_row->content))
        return err_trace(-EBADMSG);
    *ret_row = (struct past_row){
        .id = postgres_int(rows, 0, 0),
        .lang = keep(a, postgres_str(rows, 0, 2)),
        .server_key = (uint64_t)postgres_int(rows, 0, 3),
        .bytes = postgres_int(rows, 0, 4),
        .used_ms = postgres_int(rows, 0, 5),
        .hovers = keep(a, postgres_str(rows, 0, 6)),
    };
    memcpy(&ret_row->content, content.p, content.n);
    return 1;
}

static int
past_get(struct tables *t, struct hash128 content, struct str lang, struct arena *a,
         struct past_row *ret_row)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, str_slice((const char *)&content, sizeof(content)));
    postgres_arg_str(&args, lang);
    int r = postgres_query(&p->c, PG_PAST_GET, &args, rows);
    return r < 0 || postgres_count(rows) == 0 ? r : postgres_past_read(rows, a, ret_row);
}

static int
edges_get(struct tables *t, int64_t file_id, struct arena *a, struct str *ret_text)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    int r = postgres_late_flush(p);
    if (r < 0)
        return r;
    postgres_arg_int(&args, file_id);
    r = postgres_query(&p->c, PG_EDGE_OF_FILE, &args, rows);
    if (r < 0 || postgres_count(rows) == 0)
        return r;
    *ret_text = keep(a, postgres_str(rows, 0, 0));
    return 1;
}

static int
once_get(struct tables *t, struct str key, int64_t *ret_seq)
{
    struct postgres_tables *p = postgres_tables_of(t);
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    postgres_arg_str(&args, key);
    int r = postgres_query(&p->c, PG_ONCE_GET, &args, rows);
    if (r < 0 || postgres_count(rows) == 0)
        return r;
    *ret_seq = postgres_int(rows, 0, 0);
    return 1;
}

const struct table_reads postgres_reads = {
    .meta_get = meta_get,
    .log_ends = log_ends,
    .file_find = file_find,
    .file_by_id = file_by_id,
    .file_twin = file_twin,
    .entities = entities,
    .entity_by_id = entity_by_id,
    .entity_find = entity_find,
    .hover_get = hover_get,
    .past_get = past_get,
    .edges_get = edges_get,
    .once_get = once_get,
};
