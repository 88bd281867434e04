/* The plain reads: by id, by key, by file, in order. Invariant: what one call hands out is of one view
 * of the database; a callback may start another read on the same handle. */
#include <sys/eventfd.h>

#include "base/err.h"
#include "store/rocksdb_rows.h"
#include "store/rocksdb_store.h"

static const struct rocks_key any;

static int
reader_begin(struct store_reader *reader)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    assert(r->depth == 0);
    return rocks_view_begin(r);
}

static void
reader_end(struct store_reader *reader)
{
    rocks_view_end(rocks_reader_of(reader));
}

/* ---- numbers ---- */

static int
reader_info(struct store_reader *reader, struct store_info *ret_info)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = table_info(&r->c.t, ret_info);
    rocks_view_end(r);
    return e;
}

static int
count_files(struct rocks_conn *c, struct store_counts *counts)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_FILE, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_stored f;
        r = rocks_file_read(walk.value, rocks_key_read(walk.key, 0), &f);
        if (r < 0)
            break;
        counts->files[f.f.state]++;
        counts->entities += f.n_entities;
        counts->edges += f.n_edges;
    }
    rocks_walk_close(&walk);
    return r;
}

static int
count_hovers(struct rocks_conn *c, struct store_counts *counts)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_COUNT, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_counts of;
        r = rocks_counts_read(walk.value, &of);
        if (r < 0)
            break;
        counts->hovers[HOVER_KNOWN] += (uint64_t)of.n_state[HOVER_KNOWN];
        counts->hovers[HOVER_EMPTY] += (uint64_t)of.n_state[HOVER_EMPTY];
        counts->stale += (uint64_t)of.n_stale;
        for (int i = 0; i < HOVER_REASON_COUNT; i++) {
            counts->reasons[i] += (uint64_t)of.n_reason[i];
            counts->hovers[HOVER_UNKNOWN] += (uint64_t)of.n_reason[i];
        }
    }
    rocks_walk_close(&walk);
    return r;
}

static int
count_past(struct rocks_conn *c, struct store_counts *counts)
{
    int64_t reused = 0, rows = 0, bytes = 0;
    int r = table_meta_int(&c->t, "reused", &reused);
    if (r == 0)
        r = table_meta_int(&c->t, "past_rows", &rows);
    if (r == 0)
        r = table_meta_int(&c->t, "past_bytes", &bytes);
    counts->reused = (uint64_t)reused;
    counts->past_contents = (uint64_t)rows;
    counts->past_bytes = (uint64_t)bytes;
    return r;
}

static int
reader_counts(struct store_reader *reader, struct store_counts *ret_counts)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    struct store_counts counts = {0};
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = count_files(&r->c, &counts);
    if (e == 0)
        e = count_hovers(&r->c, &counts);
    if (e == 0)
        e = count_past(&r->c, &counts);
    rocks_view_end(r);
    if (e == 0)
        e = rocks_db_size(r->real, &counts.size_bytes);
    if (e < 0)
        return err_trace(e);
    *ret_counts = counts;
    return 0;
}

/* ---- files ---- */

static int
each_file(struct rocks_conn *c, store_file_fn fn, void *ctx)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_FILE, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_stored f;
        r = rocks_file_read(walk.value, rocks_key_read(walk.key, 0), &f);
        if (r == 0)
            r = fn(ctx, &f.f);
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

static int
reader_each_file(struct store_reader *reader, store_file_fn fn, void *ctx)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = each_file(&r->c, fn, ctx);
    rocks_view_end(r);
    return e;
}

struct unasked {
    struct str path;
    int64_t id;
    bool is_stale_only;
};

static int
unasked_first(const void *a, const void *b)
{
    const struct unasked *x = a, *y = b;
    if (x->is_stale_only != y->is_stale_only)
        return x->is_stale_only ? 1 : -1;
    return str_cmp(x->path, y->path);
}

struct unasked_list {
    struct unasked *v;
    size_t n, cap;
};

static int
list_unasked(struct rocks_conn *c, struct arena *a, struct unasked_list *list)
{
    static const enum hover_reason reasons[] = {
        HOVER_REASON_NOT_ASKED, HOVER_REASON_STARTING, HOVER_REASON_TIMED_OUT,
        HOVER_REASON_CRASHED,   HOVER_REASON_BUSY,     HOVER_REASON_CANCELLED,
    };
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_COUNT, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_counts counts;
        struct file_stored f;
        int64_t n_unasked = 0, id = rocks_key_read(walk.key, 0);
        r = rocks_counts_read(walk.value, &counts);
        for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
            n_unasked += counts.n_reason[reasons[i]];
        if (r == 0 && (n_unasked > 0 || counts.n_stale > 0)) {
            r = rocks_file_by_id(c, id, a, &f);
            if (r == 0)
                *vec_push(list) = (struct unasked){f.f.path, id, n_unasked == 0};
        }
        if (r < 0)
            break;
    }
    rocks_walk_close(&walk);
    return r == -ENOENT ? err_trace(-EBADMSG) : r;
}

static int
reader_each_unasked_file(struct store_reader *reader, store_file_fn fn, void *ctx)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    AUTO(arena_finish) struct arena names = {0};
    AUTO(arena_finish) struct arena a = {0};
    struct unasked_list list = {0};
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = list_unasked(&r->c, &names, &list);
    if (list.n > 1)
        qsort(list.v, list.n, sizeof(*list.v), unasked_first);
    for (size_t i = 0; i < list.n && e == 0; i++) {
        struct file_stored f;
        arena_reset(&a);
        e = rocks_file_by_id(&r->c, list.v[i].id, &a, &f);
        if (e == 0)
            e = fn(ctx, &f.f);
    }
    rocks_view_end(r);
    vec_finish(&list);
    return e;
}

static int
reader_file(struct store_reader *reader, struct str path, struct arena *a,
            struct file *ret_file)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    struct file_stored f;
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = rocks_file_find(&r->c.t, path, a, &f);
    rocks_view_end(r);
    if (e == 0)
        *ret_file = f.f;
    return e;
}

/* ---- entities ---- */

static int
each_row_of_file(struct rocks_conn *c, const struct file_stored *f, struct arena *a,
                 store_entity_fn fn, void *ctx)
{
    struct entity_list list = {0};
    if (f->n_entities == 0)
        return 0;
    int r = rows_of_file(&c->t, f, a, &list);
    for (size_t i = 0; i < list.n && r == 0; i++)
        r = fn(ctx, &list.rows[i]);
    return r;
}

/* By path. */
static int
each_row(struct rocks_conn *c, struct arena *a, store_entity_fn fn, void *ctx)
{
    static const struct rocks_key paths = {.p = {'p'}, .n = 1};
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_LOOK, paths, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct file_stored f;
        arena_reset(a);
        r = rocks_file_by_id(c, rocks_key_read(walk.value, 0), a, &f);
        r = r == -ENOENT ? -EBADMSG : r;
        if (r == 0)
            r = each_row_of_file(c, &f, a, fn, ctx);
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

static int
reader_each_entity(struct store_reader *reader, struct str path, store_entity_fn fn,
                   void *ctx)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    AUTO(arena_finish) struct arena a = {0};
    struct file_stored f;
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    if (path.n == 0) {
        e = each_row(&r->c, &a, fn, ctx);
    } else {
        e = rocks_file_find(&r->c.t, path, &a, &f);
        if (e == 0)
            e = each_row_of_file(&r->c, &f, &a, fn, ctx);
        else if (e == -ENOENT)
            e = 0;
    }
    rocks_view_end(r);
    return e;
}

static int
each_name(struct rocks_conn *c, store_entity_fn fn, void *ctx)
{
    AUTO(arena_finish) struct arena a = {0};
    struct file_stored f = {0};
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_ENTITY, any, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct entity_stored s;
        r = rocks_entity_read(walk.value, rocks_entity_id(walk.key), &s);
        if (r == 0 && f.id != s.id >> SLOT_BITS) {
            arena_reset(&a);
            r = rocks_file_by_id(c, s.id >> SLOT_BITS, &a, &f);
            r = r == -ENOENT ? err_trace(-EBADMSG) : r;
        }
        if (r == 0) {
            struct entity_row row = {.id = s.id, .path = f.f.path, .lang = f.f.lang};
            row.e.kind = s.e.kind;
            row.e.parent = ENTITY_NONE;
            row.e.name = s.e.name;
            row.e.qualified_name = s.e.qualified_name;
            r = fn(ctx, &row);
        }
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

static int
reader_each_name(struct store_reader *reader, store_entity_fn fn, void *ctx)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = each_name(&r->c, fn, ctx);
    rocks_view_end(r);
    return e;
}

/* Its parent is looked up for its key. */
static int
finish_row(struct rocks_conn *c, const struct entity_stored *s,
           const struct file_stored *f, struct arena *a, struct entity_row *ret_row)
{
    struct entity_stored parent;
    rows_show(s, f, a, ret_row);
    if (s->e.parent == ENTITY_NONE)
        return 0;
    int r = rocks_entity_by_id(c, ENTITY_ID(f->id, s->e.parent), a, &parent);
    if (r < 0)
        return r == -ENOENT ? err_trace(-EBADMSG) : r;
    ret_row->parent_key = entity_key(a, f->f.lang, parent.e.kind, f->f.path,
                                     parent.e.qualified_name, parent.e.ordinal);
    return 0;
}

int
rocks_row_by_id(struct rocks_conn *c, int64_t id, struct arena *a,
                struct entity_row *ret_row)
{
    struct file_stored f;
    struct entity_stored s;
    int r = rocks_file_by_id(c, id >> SLOT_BITS, a, &f);
    if (r == 0)
        r = rocks_entity_by_id(c, id, a, &s);
    return r < 0 ? r : finish_row(c, &s, &f, a, ret_row);
}

static int
reader_entity_id(struct store_reader *reader, int64_t id, struct arena *a,
                 struct entity_row *ret_row)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = rocks_row_by_id(&r->c, id, a, ret_row);
    rocks_view_end(r);
    return e;
}

/* Which of the file's rows it is; -ENOENT. */
static int
find_in_file(struct rocks_conn *c, int64_t file_id, const struct entity_key_parts *parts,
             int64_t *ret_id)
{
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_ENTITY, rocks_key_id(file_id), STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct entity_stored s;
        r = rocks_entity_read(walk.value, rocks_entity_id(walk.key), &s);
        if (r < 0)
            break;
        r = 1;
        *ret_id = s.id;
        if (s.e.kind == parts->kind && s.e.ordinal == parts->ordinal &&
            str_eq(s.e.qualified_name, parts->qualified_name))
            break;
    }
    rocks_walk_close(&walk);
    return r == 0 ? -ENOENT : MIN(r, 0);
}

static int
row_by_key(struct rocks_conn *c, struct str key, struct arena *a,
           struct entity_row *ret_row)
{
    struct entity_key_parts parts;
    struct entity_stored s;
    struct file_stored f;
    int64_t id = 0;
    if (entity_key_parse(key, &parts) < 0)
        return -ENOENT;
    int r = rocks_file_find(&c->t, parts.path, a, &f);
    if (r < 0)
        return r;
    if (!str_eq(f.f.lang, parts.lang))
        return -ENOENT;
    r = find_in_file(c, f.id, &parts, &id);
    if (r == 0)
        r = rocks_entity_by_id(c, id, a, &s);
    return r < 0 ? r : finish_row(c, &s, &f, a, ret_row);
}

static int
reader_entity(struct store_reader *reader, struct str key, struct arena *a,
              struct entity_row *ret_row)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = row_by_key(&r->c, key, a, ret_row);
    rocks_view_end(r);
    return e;
}

static int
reader_told(struct store_reader *reader, struct hash128 content, struct str lang,
            struct arena *a, struct store_told *ret_told)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = recall_told(&r->c.t, content, lang, a, ret_told);
    rocks_view_end(r);
    return e;
}

static int
reader_fact(struct store_reader *reader, const char *key, struct arena *a,
            struct str *ret_value)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = rocks_reads.meta_get(&r->c.t, key, a, ret_value);
    rocks_view_end(r);
    return e;
}

static int
each_past(struct rocks_conn *c, store_past_fn fn, void *ctx)
{
    static const struct rocks_key rows = {.p = {'r'}, .n = 1};
    struct rocks_walk walk;
    int r;
    rocks_walk_open(&walk, c, ROCKS_PAST, rows, STR_NONE);
    while ((r = rocks_walk_next(&walk)) > 0) {
        struct past_row row;
        r = rocks_past_read(walk.value, rocks_key_read(walk.key, 1), &row);
        if (r == 0)
            r = fn(ctx, row.content, row.lang);
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

static int
reader_each_past(struct store_reader *reader, store_past_fn fn, void *ctx)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = each_past(&r->c, fn, ctx);
    rocks_view_end(r);
    return e;
}

/* ---- events ---- */

static int
show_event(struct rocks_conn *c, struct table_event *row, struct arena *a,
           store_event_fn fn, void *ctx)
{
    AUTO(buf_finish) struct buf filled = {0};
    if (row->data.n == 0) {
        struct file_stored f;
        struct entity_list list = {0};
        int r = rocks_file_find(&c->t, row->subject, a, &f);
        if (r == -ENOENT || (r == 0 && f.log_seq != row->seq))
            r = -EBADMSG;
        if (r == 0)
            r = rows_of_file(&c->t, &f, a, &list);
        if (r < 0)
            return err_trace(r);
        rows_first_data(&f, &list, &filled);
        row->data = buf_str(&filled);
    }
    struct event *event =
        event_create(row->type, row->seq, row->ts_ms, row->subject, row->data);
    int r = fn(ctx, event);
    event_unref(event);
    return r;
}

static int
each_event(struct rocks_conn *c, int64_t since, size_t limit, store_event_fn fn,
           void *ctx)
{
    AUTO(arena_finish) struct arena a = {0};
    struct rocks_walk walk;
    struct rocks_ids ids;
    int r = rocks_ids_get(c, &ids);
    if (r < 0 || since >= ids.head)
        return r;
    struct rocks_key from = rocks_key_id(MAX(since + 1, ids.first));
    rocks_walk_open(&walk, c, ROCKS_EVENT, any, rocks_key_str(&from));
    for (; limit > 0 && (r = rocks_walk_next(&walk)) > 0; limit--) {
        struct table_event row;
        arena_reset(&a);
        r = rocks_event_read(walk.value, rocks_key_read(walk.key, 0), &row);
        if (r == 0)
            r = show_event(c, &row, &a, fn, ctx);
        if (r != 0)
            break;
    }
    rocks_walk_close(&walk);
    return r;
}

static int
reader_each_event(struct store_reader *reader, int64_t since, size_t limit,
                  store_event_fn fn, void *ctx)
{
    struct rocks_reader *r = rocks_reader_of(reader);
    int e = rocks_view_begin(r);
    if (e < 0)
        return e;
    e = each_event(&r->c, since, limit, fn, ctx);
    rocks_view_end(r);
    return e;
}

static void
reader_interrupt(struct store_reader *reader)
{
    eventfd_write(rocks_reader_of(reader)->c.stop_fd, 1);
}

const struct store_reader_ops rocks_reader_ops = {
    .close = rocks_reader_close,
    .interrupt = reader_interrupt,
    .begin = reader_begin,
    .end = reader_end,
    .info = reader_info,
    .counts = reader_counts,
    .each_file = reader_each_file,
    .file = reader_file,
    .each_entity = reader_each_entity,
    .each_name = reader_each_name,
    .entity = reader_entity,
    .entity_id = reader_entity_id,
    .each_named = rocks_each_named,
    .search_text = rocks_search_text,
    .each_edge = rocks_each_edge,
    .each_caller = rocks_each_caller,
    .each_callee = rocks_each_callee,
    .each_unasked_file = reader_each_unasked_file,
    .told = reader_told,
    .each_event = reader_each_event,
    .fact = reader_fact,
    .each_past = reader_each_past,
};
