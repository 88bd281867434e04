/* The plain reads: by id, by key, by file, in order. Invariant: what one call hands out is of one view of
 * the index; a callback may start another read on the same handle, which is of the same view. */
#include "store/reader.h"

#include "base/err.h"
#include "store/shared.h"

/* What a backend lists, on its way to the caller. */
struct show {
    struct store_reader *r;
    store_file_fn file_fn;
    store_entity_fn entity_fn;
    store_event_fn event_fn;
    store_past_fn past_fn;
    void *ctx;
    struct arena a;
    struct file_stored f; // of the name shown last
};

/* ---- views ---- */

int
reader_begin(struct store_reader *r)
{
    int e = 0;
    if (r->n_reads == 0) {
        r->is_interrupted = 0;
        e = r->is_held ? 0 : r->ops->view_begin(r);
    }
    r->n_reads += e == 0;
    return e;
}

void
reader_end(struct store_reader *r, int e)
{
    assert(r->n_reads > 0);
    r->is_doubtful |= e == -EBADMSG;
    if (--r->n_reads == 0 && !r->is_held)
        r->ops->view_end(r);
}

int
store_reader_begin(struct store_reader *r)
{
    assert(!r->is_held && r->n_reads == 0);
    int e = r->ops->view_begin(r);
    r->is_held = e == 0;
    return e;
}

void
store_reader_end(struct store_reader *r)
{
    if (r->is_held)
        r->ops->view_end(r);
    r->is_held = false;
}

void
store_reader_interrupt(struct store_reader *r)
{
    r->ops->interrupt(r);
}

void
store_reader_close(struct store_reader *r)
{
    if (!r)
        return;
    store_reader_end(r);
    r->ops->close(r);
}

/* ---- what others commit ---- */

int
store_reader_listen(struct store_reader *r, int *ret_fd)
{
    return r->ops->listen ? r->ops->listen(r, ret_fd) : -ENOTSUP;
}

int
store_reader_news(struct store_reader *r)
{
    return r->ops->news ? r->ops->news(r) : -ENOTSUP;
}

/* ---- numbers ---- */

int
store_read_info(struct store_reader *r, struct store_info *ret_info)
{
    int e = reader_begin(r);
    if (e < 0)
        return err_trace(e);
    e = table_info(r->t, ret_info);
    reader_end(r, e);
    return err_trace(e);
}

static int
count_past(struct tables *t, struct store_counts *counts)
{
    int64_t reused = 0, rows = 0, bytes = 0;
    int r = table_meta_int(t, "reused", &reused);
    if (r == 0)
        r = table_meta_int(t, "past_rows", &rows);
    if (r == 0)
        r = table_meta_int(t, "past_bytes", &bytes);
    counts->reused = (uint64_t)reused;
    counts->past_contents = (uint64_t)rows;
    counts->past_bytes = (uint64_t)bytes;
    return r;
}

int
store_read_counts(struct store_reader *r, struct store_counts *ret_counts)
{
    struct store_counts counts = {0};
    int e = reader_begin(r);
    if (e < 0)
        return err_trace(e);
    e = r->ops->counts(r, &counts);
    if (e == 0)
        e = count_past(r->t, &counts);
    reader_end(r, e);
    if (e == 0)
        *ret_counts = counts;
    return err_trace(e);
}

int
store_read_fact(struct store_reader *r, const char *key, struct arena *a,
                struct str *ret_value)
{
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = r->t->reads->meta_get(r->t, key, a, ret_value);
    reader_end(r, e);
    return e;
}

/* ---- files ---- */

static int
show_file(void *ctx, const struct file_stored *f)
{
    struct show *show = ctx;
    return reader_shown(show->r, show->file_fn(show->ctx, &f->f));
}

static int
each_file(struct store_reader *r, enum reader_files which, store_file_fn fn, void *ctx)
{
    struct show show = {.r = r, .file_fn = fn, .ctx = ctx};
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = r->ops->each_file(r, which, show_file, &show);
    reader_end(r, e);
    return e;
}

int
store_each_file(struct store_reader *r, store_file_fn fn, void *ctx)
{
    return each_file(r, FILES_ALL, fn, ctx);
}

int
store_each_unasked_file(struct store_reader *r, store_file_fn fn, void *ctx)
{
    return each_file(r, FILES_UNASKED, fn, ctx);
}

int
store_read_file(struct store_reader *r, struct str path, struct arena *a,
                struct file *ret_file)
{
    struct file_stored f;
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = r->t->reads->file_find(r->t, path, a, &f);
    reader_end(r, e);
    if (e == 0)
        *ret_file = f.f;
    return e;
}

/* ---- entities ---- */

static int
show_entities(void *ctx, const struct file_stored *f)
{
    struct show *show = ctx;
    struct entity_list list = {0};
    if (f->n_entities == 0)
        return 0;
    arena_reset(&show->a);
    int e = rows_of_file(show->r->t, f, &show->a, &list);
    for (size_t i = 0; i < list.n && e == 0; i++)
        e = reader_shown(show->r, show->entity_fn(show->ctx, &list.rows[i]));
    return e;
}

int
store_each_entity(struct store_reader *r, struct str path, store_entity_fn fn, void *ctx)
{
    AUTO(arena_finish) struct arena a = {0};
    struct show show = {.r = r, .entity_fn = fn, .ctx = ctx};
    struct file_stored f;
    int e = reader_begin(r);
    if (e < 0)
        return e;
    if (path.n == 0) {
        e = r->ops->each_file(r, FILES_BY_PATH, show_entities, &show);
    } else {
        e = r->t->reads->file_find(r->t, path, &a, &f);
        if (e == 0)
            e = show_entities(&show, &f);
        else if (e == -ENOENT)
            e = 0;
    }
    reader_end(r, e);
    arena_finish(&show.a);
    return e;
}

static int
show_name(void *ctx, struct entity_row *row)
{
    struct show *show = ctx;
    struct tables *t = show->r->t;
    if (row->path.n == 0) {
        int64_t file_id = row->id >> SLOT_BITS;
        int e = 0;
        if (show->f.id != file_id) {
            arena_reset(&show->a);
            e = t->reads->file_by_id(t, file_id, &show->a, &show->f);
        }
        if (e < 0)
            return e == -ENOENT ? err_trace(-EBADMSG) : e;
        row->path = show->f.f.path;
        row->lang = show->f.f.lang;
    }
    return reader_shown(show->r, show->entity_fn(show->ctx, row));
}

int
store_each_name(struct store_reader *r, store_entity_fn fn, void *ctx)
{
    struct show show = {.r = r, .entity_fn = fn, .ctx = ctx};
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = r->ops->each_name(r, show_name, &show);
    reader_end(r, e);
    arena_finish(&show.a);
    return e;
}

/* Its parent is looked up for its key. */
static int
finish_row(struct tables *t, const struct entity_stored *s, const struct file_stored *f,
           struct arena *a, struct entity_row *ret_row)
{
    struct entity_stored parent;
    rows_show(s, f, a, ret_row);
    if (s->e.parent == ENTITY_NONE)
        return 0;
    int r = t->reads->entity_by_id(t, ENTITY_ID(f->id, s->e.parent), a, &parent);
    if (r < 0)
        return r == -ENOENT ? err_trace(-EBADMSG) : r;
    ret_row->parent_key = entity_key(a, f->f.lang, parent.e.kind, f->f.path,
                                     parent.e.qualified_name, parent.e.ordinal);
    return 0;
}

int
reader_row(struct tables *t, int64_t id, struct arena *a, struct entity_row *ret_row)
{
    struct file_stored f;
    struct entity_stored s;
    int r = t->reads->file_by_id(t, id >> SLOT_BITS, a, &f);
    if (r == 0)
        r = t->reads->entity_by_id(t, id, a, &s);
    return r < 0 ? r : finish_row(t, &s, &f, a, ret_row);
}

int
store_read_entity_id(struct store_reader *r, int64_t id, struct arena *a,
                     struct entity_row *ret_row)
{
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = reader_row(r->t, id, a, ret_row);
    reader_end(r, e);
    return e;
}

int
reader_find(struct tables *t, struct str key, struct arena *a,
            struct file_stored *ret_file, struct entity_stored *ret_entity)
{
    struct entity_key_parts parts;
    if (entity_key_parse(key, &parts) < 0)
        return -ENOENT;
    int r = t->reads->file_find(t, parts.path, a, ret_file);
    if (r < 0)
        return r;
    if (!str_eq(ret_file->f.lang, parts.lang))
        return -ENOENT;
    return t->reads->entity_find(t, ret_file, &parts, a, ret_entity);
}

int
store_read_entity(struct store_reader *r, struct str key, struct arena *a,
                  struct entity_row *ret_row)
{
    struct file_stored f;
    struct entity_stored s;
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = reader_find(r->t, key, a, &f, &s);
    if (e == 0)
        e = finish_row(r->t, &s, &f, a, ret_row);
    reader_end(r, e);
    return e;
}

int
store_read_told(struct store_reader *r, struct hash128 content, struct str lang,
                struct arena *a, struct store_told *ret_told)
{
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = recall_told(r->t, content, lang, a, ret_told);
    reader_end(r, e);
    return e;
}

static int
show_past(void *ctx, struct hash128 content, struct str lang)
{
    struct show *show = ctx;
    return reader_shown(show->r, show->past_fn(show->ctx, content, lang));
}

int
store_each_past(struct store_reader *r, store_past_fn fn, void *ctx)
{
    struct show show = {.r = r, .past_fn = fn, .ctx = ctx};
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = r->ops->each_past(r, show_past, &show);
    reader_end(r, e);
    return e;
}

int
store_read_letters(struct store_reader *r, store_letter_fn fn, void *ctx)
{
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = r->ops->each_letter(r, fn, ctx);
    reader_end(r, e);
    return e;
}

int
store_read_jobs(struct store_reader *r, store_job_fn fn, void *ctx)
{
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = r->ops->each_job(r, fn, ctx);
    reader_end(r, e);
    return e;
}

/* ---- events ---- */

int
reader_event_type(int64_t number, enum event_type *ret_type)
{
    if (number < 0 || number >= EVENT_TYPE_COUNT ||
        !event_type_is_durable((enum event_type)number))
        return err_trace(-EBADMSG);
    *ret_type = (enum event_type)number;
    return 0;
}

/* What is left to the rows of its file, which are of the same view. */
static int
fill(struct tables *t, const struct table_event *event, struct arena *a, struct buf *b)
{
    struct file_stored f;
    struct entity_list list = {0};
    int r = t->reads->file_find(t, event->subject, a, &f);
    if (r == -ENOENT || (r == 0 && f.log_seq != event->seq))
        r = -EBADMSG;
    if (r == 0)
        r = rows_of_file(t, &f, a, &list);
    if (r == 0)
        rows_first_data(&f, &list, b);
    return err_trace(r);
}

static int
show_event(void *ctx, const struct table_event *row)
{
    struct show *show = ctx;
    AUTO(buf_finish) struct buf filled = {0};
    struct str data = row->data;
    if (data.n == 0) {
        arena_reset(&show->a);
        int e = fill(show->r->t, row, &show->a, &filled);
        if (e < 0)
            return e;
        data = buf_str(&filled);
    }
    struct event *event =
        event_create(row->type, row->seq, row->ts_ms, row->subject, data);
    int e = reader_shown(show->r, show->event_fn(show->ctx, event));
    event_unref(event);
    return e;
}

int
store_each_event(struct store_reader *r, int64_t since, size_t limit, store_event_fn fn,
                 void *ctx)
{
    struct show show = {.r = r, .event_fn = fn, .ctx = ctx};
    int e = reader_begin(r);
    if (e < 0)
        return e;
    e = r->ops->each_event(r, since, limit, show_event, &show);
    reader_end(r, e);
    arena_finish(&show.a);
    return e;
}
