/* The plain reads: by id, by key, by file, in order. Invariant: what one call hands out is of one view
 * of the database (REPEATABLE READ); an answer is whole before the first callback, which may start
 * another read on the same handle, and long ones are read page by page, each from where the last ended. */
#include "store/postgres_reader.h"

#include "base/err.h"

/* ---- views ---- */

int
postgres_view_begin(struct postgres_tables *p, bool *ret_mine)
{
    *ret_mine = false;
    if (p->n_reads++ == 0)
        p->is_interrupted = 0;
    if (p->is_view)
        return 0;
    int r = postgres_send(&p->c, PG_BEGIN_READ, NULL);
    p->is_view = *ret_mine = r == 0;
    return r;
}

void
postgres_view_end(struct postgres_tables *p, bool is_mine)
{
    p->n_reads--;
    if (!is_mine)
        return;
    p->is_view = false;
    if (!p->c.is_cut)
        (void)postgres_wait(&p->c); // what failed was told by then
    if (!p->c.is_cut && postgres_exec(&p->c, "ROLLBACK") < 0)
        p->c.is_cut = true;
}

static int
reader_begin(struct store_reader *r)
{
    bool is_mine = false;
    struct postgres_tables *p = &postgres_reader_of(r)->p;
    int e = postgres_view_begin(p, &is_mine);
    assert(e < 0 || is_mine);
    p->n_reads--; // it is none
    return e;
}

static void
reader_end(struct store_reader *r)
{
    struct postgres_tables *p = &postgres_reader_of(r)->p;
    p->n_reads++;
    postgres_view_end(p, true);
}

/* ---- numbers ---- */

static int
reader_info(struct store_reader *reader, struct store_info *ret_info)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = table_info(&p->base, ret_info);
    postgres_view_end(p, is_mine);
    return err_trace(r);
}

static int
count_files(struct postgres_tables *p, struct store_counts *counts)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_COUNT_FILES, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows); i++) {
        int64_t state = postgres_int(rows, i, 0);
        if (state < 0 || state >= FILE_STATE_COUNT)
            return err_trace(-EBADMSG);
        counts->files[state] = (uint64_t)postgres_int(rows, i, 1);
        counts->entities += (uint64_t)postgres_int(rows, i, 2);
        counts->edges += (uint64_t)postgres_int(rows, i, 3);
        counts->hovers[HOVER_KNOWN] += (uint64_t)postgres_int(rows, i, 4);
        counts->hovers[HOVER_EMPTY] += (uint64_t)postgres_int(rows, i, 5);
        counts->stale += (uint64_t)postgres_int(rows, i, 6);
    }
    return r;
}

static int
count_unknown(struct postgres_tables *p, struct store_counts *counts)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_COUNT_UNKNOWN, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows); i++) {
        int64_t reason = postgres_int(rows, i, 0);
        if (reason < 0 || reason >= HOVER_REASON_COUNT)
            return err_trace(-EBADMSG);
        counts->reasons[reason] = (uint64_t)postgres_int(rows, i, 1);
        counts->hovers[HOVER_UNKNOWN] += counts->reasons[reason];
    }
    return r;
}

static int
count_past(struct postgres_tables *p, struct store_counts *counts)
{
    int64_t reused = 0, n = 0, bytes = 0;
    int r = table_meta_int(&p->base, "reused", &reused);
    if (r == 0)
        r = table_meta_int(&p->base, "past_rows", &n);
    if (r == 0)
        r = table_meta_int(&p->base, "past_bytes", &bytes);
    counts->reused = (uint64_t)reused;
    counts->past_contents = (uint64_t)n;
    counts->past_bytes = (uint64_t)bytes;
    return r;
}

/* Of the database as a whole: it is not known which pages are whose. */
static int
count_bytes(struct postgres_tables *p, struct store_counts *counts)
{
    AUTO_ROWS(rows);
    int r = postgres_query(&p->c, PG_SIZE, NULL, rows);
    if (r == 0)
        counts->size_bytes = (uint64_t)postgres_int(rows, 0, 0);
    return r;
}

static int
reader_counts(struct store_reader *reader, struct store_counts *ret_counts)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    struct store_counts counts = {0};
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = count_files(p, &counts);
    if (r == 0)
        r = count_unknown(p, &counts);
    if (r == 0)
        r = count_past(p, &counts);
    if (r == 0)
        r = count_bytes(p, &counts);
    postgres_view_end(p, is_mine);
    if (r == 0)
        *ret_counts = counts;
    return err_trace(r);
}

/* ---- files ---- */

static int
show_files(struct postgres_tables *p, const struct postgres_rows *rows, store_file_fn fn,
           void *ctx)
{
    int r = 0;
    for (int i = 0; i < postgres_count(rows) && r == 0; i++) {
        struct file_stored f;
        r = postgres_file_read(rows, i, NULL, &f);
        if (r == 0)
            r = postgres_told(p, fn(ctx, &f.f));
    }
    return r;
}

static int
each_file(struct postgres_tables *p, store_file_fn fn, void *ctx)
{
    int64_t id = p->ws << POSTGRES_WORKSPACE_SHIFT;
    int64_t last = ((p->ws + 1) << POSTGRES_WORKSPACE_SHIFT) - 1;
    int n = POSTGRES_PAGE, r = 0;
    while (n == POSTGRES_PAGE && r == 0) {
        struct postgres_args args = {.n = 0};
        AUTO_ROWS(rows);
        postgres_arg_int(&args, id);
        postgres_arg_int(&args, last);
        postgres_arg_int(&args, POSTGRES_PAGE);
        r = postgres_query(&p->c, PG_FILE_PAGE, &args, rows);
        if (r < 0)
            break;
        n = postgres_count(rows);
        if (n > 0)
            id = postgres_int(rows, n - 1, 0);
        r = show_files(p, rows, fn, ctx);
    }
    return r;
}

static int
reader_each_file(struct store_reader *reader, store_file_fn fn, void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = each_file(p, fn, ctx);
    postgres_view_end(p, is_mine);
    return r;
}

static int
reader_each_unasked_file(struct store_reader *reader, store_file_fn fn, void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    postgres_arg_int(&args, p->ws);
    if (r == 0)
        r = postgres_query(&p->c, PG_FILE_UNASKED, &args, rows);
    if (r == 0)
        r = show_files(p, rows, fn, ctx);
    postgres_view_end(p, is_mine);
    return r;
}

static int
reader_file(struct store_reader *reader, struct str path, struct arena *a,
            struct file *ret_file)
{
    struct tables *t = &postgres_reader_of(reader)->p.base;
    struct file_stored f;
    int r = t->reads->file_find(t, path, a, &f);
    if (r == 0)
        *ret_file = f.f;
    return r;
}

/* ---- entities ---- */

static int
each_row_of_file(struct postgres_tables *p, const struct file_stored *f, struct arena *a,
                 store_entity_fn fn, void *ctx)
{
    struct entity_list list = {0};
    if (f->n_entities == 0)
        return 0;
    int r = rows_of_file(&p->base, f, a, &list);
    for (size_t i = 0; i < list.n && r == 0; i++)
        r = postgres_told(p, fn(ctx, &list.rows[i]));
    return r;
}

int
postgres_files_by_path(struct postgres_tables *p, struct postgres_rows *ret_ids)
{
    struct postgres_args args = {.n = 0};
    postgres_arg_int(&args, p->ws);
    return postgres_query(&p->c, PG_FILE_IDS, &args, ret_ids);
}

static int
each_row(struct postgres_tables *p, struct arena *a, store_entity_fn fn, void *ctx)
{
    AUTO_ROWS(ids);
    int r = postgres_files_by_path(p, ids);
    for (int i = 0; r == 0 && i < postgres_count(ids); i++) {
        struct file_stored f;
        arena_reset(a);
        r = postgres_file_by_id(p, postgres_int(ids, i, 0), a, &f);
        if (r == 0)
            r = each_row_of_file(p, &f, a, fn, ctx);
    }
    return r;
}

static int
reader_each_entity(struct store_reader *reader, struct str path, store_entity_fn fn,
                   void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    AUTO(arena_finish) struct arena a = {0};
    struct file_stored f;
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r < 0) {
        postgres_view_end(p, is_mine);
        return r;
    }
    if (path.n == 0) {
        r = each_row(p, &a, fn, ctx);
    } else {
        r = p->base.reads->file_find(&p->base, path, &a, &f);
        if (r == 0)
            r = each_row_of_file(p, &f, &a, fn, ctx);
        else if (r == -ENOENT)
            r = 0;
    }
    postgres_view_end(p, is_mine);
    return r;
}

static int
show_names(struct postgres_tables *p, const struct postgres_rows *rows,
           store_entity_fn fn, void *ctx)
{
    int r = 0;
    for (int i = 0; i < postgres_count(rows) && r == 0; i++) {
        int64_t kind = postgres_int(rows, i, 1) & 255;
        struct entity_row row = {.id = postgres_int(rows, i, 0)};
        if (kind >= ENTITY_KIND_COUNT)
            return err_trace(-EBADMSG);
        row.e.kind = (enum entity_kind)kind;
        row.e.parent = ENTITY_NONE;
        row.e.name = postgres_str(rows, i, 2);
        row.e.qualified_name = postgres_str(rows, i, 3);
        row.path = postgres_str(rows, i, 4);
        row.lang = postgres_str(rows, i, 5);
        r = postgres_told(p, fn(ctx, &row));
    }
    return r;
}

static int
each_name(struct postgres_tables *p, store_entity_fn fn, void *ctx)
{
    int64_t id = ENTITY_ID(p->ws << POSTGRES_WORKSPACE_SHIFT, 0);
    int64_t last = ENTITY_ID(((p->ws + 1) << POSTGRES_WORKSPACE_SHIFT) - 1, SLOT_MASK);
    int n = POSTGRES_PAGE, r = 0;
    while (n == POSTGRES_PAGE && r == 0) {
        struct postgres_args args = {.n = 0};
        AUTO_ROWS(rows);
        postgres_arg_int(&args, id);
        postgres_arg_int(&args, last);
        postgres_arg_int(&args, POSTGRES_PAGE);
        r = postgres_query(&p->c, PG_ENTITY_NAMES, &args, rows);
        if (r < 0)
            break;
        n = postgres_count(rows);
        if (n > 0)
            id = postgres_int(rows, n - 1, 0);
        r = show_names(p, rows, fn, ctx);
    }
    return r;
}

static int
reader_each_name(struct store_reader *reader, store_entity_fn fn, void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = each_name(p, fn, ctx);
    postgres_view_end(p, is_mine);
    return r;
}

/* Its parent is looked up for its key. */
static int
finish_row(struct postgres_tables *p, const struct entity_stored *s,
           const struct file_stored *f, struct arena *a, struct entity_row *ret_row)
{
    struct entity_stored parent;
    rows_show(s, f, a, ret_row);
    if (s->e.parent == ENTITY_NONE)
        return 0;
    int r = postgres_entity_by_id(p, ENTITY_ID(f->id, s->e.parent), a, &parent);
    if (r < 0)
        return r == -ENOENT ? err_trace(-EBADMSG) : r;
    ret_row->parent_key = entity_key(a, f->f.lang, parent.e.kind, f->f.path,
                                     parent.e.qualified_name, parent.e.ordinal);
    return 0;
}

int
postgres_row_by_id(struct postgres_tables *p, int64_t id, struct arena *a,
                   struct entity_row *ret_row)
{
    struct file_stored f;
    struct entity_stored s;
    int r = postgres_file_by_id(p, id >> SLOT_BITS, a, &f);
    if (r == 0)
        r = postgres_entity_by_id(p, id, a, &s);
    return r < 0 ? r : finish_row(p, &s, &f, a, ret_row);
}

static int
reader_entity_id(struct store_reader *reader, int64_t id, struct arena *a,
                 struct entity_row *ret_row)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = postgres_row_by_id(p, id, a, ret_row);
    postgres_view_end(p, is_mine);
    return r;
}

static int
row_by_key(struct postgres_tables *p, struct str key, struct arena *a,
           struct entity_row *ret_row)
{
    struct entity_key_parts parts;
    struct file_stored f;
    struct entity_stored s;
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    if (entity_key_parse(key, &parts) < 0)
        return -ENOENT;
    int r = p->base.reads->file_find(&p->base, parts.path, a, &f);
    if (r < 0)
        return r;
    if (!str_eq(f.f.lang, parts.lang))
        return -ENOENT;
    postgres_arg_int(&args, f.id);
    postgres_arg_int(&args, (int64_t)parts.ordinal << 8 | (int64_t)parts.kind);
    postgres_arg_str(&args, parts.qualified_name);
    r = postgres_query(&p->c, PG_ENTITY_BY_NAME, &args, rows);
    if (r < 0)
        return r;
    if (postgres_count(rows) == 0)
        return -ENOENT;
    r = postgres_entity_read(rows, 0, a, &s);
    return r < 0 ? r : finish_row(p, &s, &f, a, ret_row);
}

static int
reader_entity(struct store_reader *reader, struct str key, struct arena *a,
              struct entity_row *ret_row)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = row_by_key(p, key, a, ret_row);
    postgres_view_end(p, is_mine);
    return r;
}

static int
reader_told(struct store_reader *reader, struct hash128 content, struct str lang,
            struct arena *a, struct store_told *ret_told)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = recall_told(&p->base, content, lang, a, ret_told);
    postgres_view_end(p, is_mine);
    return r;
}

/* ---- events ---- */

/* The rows of an event's file are of the same view. */
static int
show_event(struct postgres_tables *p, const struct postgres_rows *rows, int i,
           struct arena *a, store_event_fn fn, void *ctx)
{
    AUTO(buf_finish) struct buf filled = {0};
    int64_t seq = postgres_int(rows, i, 0), type = postgres_int(rows, i, 1);
    struct str subject = postgres_str(rows, i, 3), data = postgres_str(rows, i, 4);
    if (type < 0 || type >= EVENT_TYPE_COUNT ||
        !event_type_is_durable((enum event_type)type))
        return err_trace(-EBADMSG);
    if (data.n == 0) {
        struct file_stored f;
        struct entity_list list = {0};
        int r = p->base.reads->file_find(&p->base, subject, a, &f);
        if (r == -ENOENT || (r == 0 && f.log_seq != seq))
            r = -EBADMSG;
        if (r == 0)
            r = rows_of_file(&p->base, &f, a, &list);
        if (r < 0)
            return err_trace(r);
        rows_first_data(&f, &list, &filled);
        data = buf_str(&filled);
    }
    struct event *event =
        event_create((enum event_type)type, seq, postgres_int(rows, i, 2), subject, data);
    int r = postgres_told(p, fn(ctx, event));
    event_unref(event);
    return r;
}

static int
each_event(struct postgres_tables *p, int64_t since, size_t limit, store_event_fn fn,
           void *ctx)
{
    AUTO(arena_finish) struct arena a = {0};
    size_t n_wanted = MIN(limit, (size_t)POSTGRES_EVENTS), n = n_wanted;
    int r = 0;
    while (r == 0 && n == n_wanted && limit > 0) {
        struct postgres_args args = {.n = 0};
        AUTO_ROWS(rows);
        n_wanted = MIN(limit, (size_t)POSTGRES_EVENTS);
        postgres_arg_int(&args, p->ws);
        postgres_arg_int(&args, since);
        postgres_arg_int(&args, (int64_t)n_wanted);
        r = postgres_query(&p->c, PG_EVENT_SINCE, &args, rows);
        if (r < 0)
            break;
        n = (size_t)postgres_count(rows);
        for (int i = 0; i < (int)n && r == 0; i++) {
            arena_reset(&a);
            since = postgres_int(rows, i, 0);
            r = show_event(p, rows, i, &a, fn, ctx);
        }
        limit -= n;
    }
    return r;
}

static int
reader_each_event(struct store_reader *reader, int64_t since, size_t limit,
                  store_event_fn fn, void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = each_event(p, since, limit, fn, ctx);
    postgres_view_end(p, is_mine);
    return r;
}

/* ---- what only a copy asks for ---- */

static int
reader_fact(struct store_reader *reader, const char *key, struct arena *a,
            struct str *ret_value)
{
    struct tables *t = &postgres_reader_of(reader)->p.base;
    return t->reads->meta_get(t, key, a, ret_value);
}

static int
each_past(struct postgres_tables *p, store_past_fn fn, void *ctx)
{
    struct postgres_args args = {.n = 0};
    AUTO_ROWS(rows);
    postgres_arg_int(&args, p->ws);
    int r = postgres_query(&p->c, PG_PAST_EACH, &args, rows);
    for (int i = 0; r == 0 && i < postgres_count(rows); i++) {
        struct hash128 content;
        struct str bytes = postgres_str(rows, i, 0);
        if (bytes.n != sizeof(content))
            return err_trace(-EBADMSG);
        memcpy(&content, bytes.p, sizeof(content));
        r = postgres_told(p, fn(ctx, content, postgres_str(rows, i, 1)));
    }
    return r;
}

static int
reader_each_past(struct store_reader *reader, store_past_fn fn, void *ctx)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    bool is_mine = false;
    int r = postgres_view_begin(p, &is_mine);
    if (r == 0)
        r = each_past(p, fn, ctx);
    postgres_view_end(p, is_mine);
    return r;
}

/* ---- the table ---- */

static void
reader_close(struct store_reader *reader)
{
    struct postgres_reader *r = postgres_reader_of(reader);
    postgres_tables_finish(&r->p);
    free(r);
}

/* Over a connection of its own, which the server closes when it was heard. */
static void
reader_interrupt(struct store_reader *reader)
{
    struct postgres_tables *p = &postgres_reader_of(reader)->p;
    p->is_interrupted = 1;
    postgres_cancel(&p->c);
}

const struct store_reader_ops postgres_reader_ops = {
    .close = reader_close,
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
    .each_named = postgres_each_named,
    .search_text = postgres_search_text,
    .each_edge = postgres_each_edge,
    .each_caller = postgres_each_caller,
    .each_callee = postgres_each_callee,
    .each_unasked_file = reader_each_unasked_file,
    .told = reader_told,
    .each_event = reader_each_event,
    .fact = reader_fact,
    .each_past = reader_each_past,
};
