/* What each question does on its worker, with the connection that was given to it. Invariant: it sees
 * nothing but its ticket and the reader; what it finds is copied into the result's arena. */
#include "base/err.h"
#include "query/internal.h"

void
query_copy_row(struct arena *a, const struct entity_row *row, struct entity_row *ret_row)
{
    struct entity_row copy = *row;
    copy.e.name = arena_str(a, row->e.name);
    copy.e.qualified_name = arena_str(a, row->e.qualified_name);
    copy.e.signature = arena_str(a, row->e.signature);
    copy.e.doc = arena_str(a, row->e.doc);
    copy.key = arena_str(a, row->key);
    copy.parent_key = arena_str(a, row->parent_key);
    copy.path = arena_str(a, row->path);
    copy.lang = arena_str(a, row->lang);
    copy.hover.markdown = arena_str(a, row->hover.markdown);
    copy.hover.server = arena_str(a, row->hover.server);
    *ret_row = copy;
}

/* Growing arrays that end up in the arena. */
struct rows {
    struct arena *a;
    VEC(struct entity_row) all;
};

static int
on_row(void *ctx, const struct entity_row *row)
{
    struct rows *rows = ctx;
    struct entity_row copy;
    query_copy_row(rows->a, row, &copy);
    *vec_push(&rows->all) = copy;
    return 0;
}

static void *
into_arena(struct arena *a, const void *v, size_t size_bytes)
{
    if (size_bytes == 0)
        return NULL;
    void *copy = arena_alloc(a, size_bytes);
    memcpy(copy, v, size_bytes);
    return copy;
}

static void
keep_rows(struct query_result *result, struct rows *rows)
{
    result->rows =
        into_arena(&result->arena, rows->all.v, rows->all.n * sizeof(*rows->all.v));
    result->n_rows = rows->all.n;
    vec_finish(&rows->all);
}

void
query_run_entity(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    int e = store_reader_begin(r);
    if (e < 0) {
        result->r = e;
        return;
    }
    result->rows = arena_new(&result->arena, struct entity_row);
    e = store_read_entity(r, t->subject, &result->arena, &result->rows[0]);
    if (e == 0) {
        result->n_rows = 1;
        if (t->with_edges)
            e = query_links_now(r, &result->rows[0], &result->arena, &result->links);
        if (e == 0 && t->with_ends)
            e = query_read_ends(r, &result->links, &result->arena, &result->ends,
                                &result->n_ends);
    }
    store_reader_end(r);
    result->r = e;
}

void
query_run_file(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    struct rows rows = {.a = &result->arena};
    int e = store_reader_begin(r);
    if (e < 0) {
        result->r = e;
        return;
    }
    e = store_read_file(r, t->subject, &result->arena, &result->file);
    if (e == 0)
        e = store_each_entity(r, t->subject, on_row, &rows);
    store_reader_end(r);
    keep_rows(result, &rows);
    result->r = e;
}

struct paths {
    struct arena *a;
    VEC(struct str) all;
};

static int
on_path(void *ctx, const struct file *file)
{
    struct paths *paths = ctx;
    *vec_push(&paths->all) = arena_str(paths->a, file->path);
    return 0;
}

void
query_run_files(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    struct paths paths = {.a = &result->arena};
    result->r = store_each_file(r, on_path, &paths);
    result->paths =
        into_arena(&result->arena, paths.all.v, paths.all.n * sizeof(*paths.all.v));
    result->n_paths = paths.all.n;
    vec_finish(&paths.all);
}

void
query_run_entities(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    struct rows rows = {.a = &result->arena};
    int e = store_reader_begin(r);
    if (e < 0) {
        result->r = e;
        return;
    }
    while (e == 0 && result->n_paths < t->n_paths && rows.all.n < t->limit)
        e = store_each_entity(r, t->paths[result->n_paths++], on_row, &rows);
    store_reader_end(r);
    keep_rows(result, &rows);
    result->r = e;
}

void
query_run_named(struct query_ticket *t, struct store_reader *r)
{
    struct rows rows = {.a = &t->result->arena};
    t->result->r = store_each_named(r, t->subject, on_row, &rows);
    keep_rows(t->result, &rows);
}

struct events {
    VEC(struct event *) all;
};

/* A copy of its own: the row's references are the store's. */
static int
on_event(void *ctx, const struct event *event)
{
    struct events *events = ctx;
    *vec_push(&events->all) = event_create(event->type, event->seq, event->time_ms,
                                           event->subject, event->data);
    return 0;
}

void
query_run_events(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    struct events events = {0};
    int e = store_reader_begin(r);
    if (e == 0) {
        e = store_read_info(r, &result->info);
        if (e == 0)
            e = store_each_event(r, t->since, t->limit, on_event, &events);
        store_reader_end(r);
    }
    result->r = e;
    result->events =
        into_arena(&result->arena, events.all.v, events.all.n * sizeof(*events.all.v));
    result->n_events = events.all.n;
    vec_finish(&events.all);
}

void
query_run_counts(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    int e = store_reader_begin(r);
    if (e == 0) {
        e = store_read_counts(r, &result->counts);
        if (e == 0)
            e = store_read_info(r, &result->info);
        store_reader_end(r);
    }
    result->r = e;
}

static int
on_unasked(void *ctx, const struct file *file)
{
    struct rows *rows = ctx;
    *vec_push(&rows->all) = (struct entity_row){.path = arena_str(rows->a, file->path),
                                                .lang = arena_str(rows->a, file->lang)};
    return 0;
}

void
query_run_unasked(struct query_ticket *t, struct store_reader *r)
{
    struct rows rows = {.a = &t->result->arena};
    t->result->r = store_each_unasked_file(r, on_unasked, &rows);
    keep_rows(t->result, &rows);
}
