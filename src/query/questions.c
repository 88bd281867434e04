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

/* The least paths so far, as a heap with the greatest on top: of all paths of a large index only a few are copied. */
struct paths {
    struct arena *a;
    struct str after, *heap;
    uint64_t sender; // 0: all
    size_t n, limit;
};

static int
compare_paths(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void
sift_up(struct str *heap, size_t i)
{
    for (size_t up; i > 0 && str_cmp(heap[up = (i - 1) / 2], heap[i]) < 0; i = up) {
        struct str moved = heap[up];
        heap[up] = heap[i];
        heap[i] = moved;
    }
}

static void
sift_down(struct str *heap, size_t n)
{
    for (size_t i = 0, down; (down = 2 * i + 1) < n; i = down) {
        if (down + 1 < n && str_cmp(heap[down], heap[down + 1]) < 0)
            down++;
        if (str_cmp(heap[i], heap[down]) >= 0)
            return;
        struct str moved = heap[i];
        heap[i] = heap[down];
        heap[down] = moved;
    }
}

static int
on_path(void *ctx, const struct file *file)
{
    struct paths *paths = ctx;
    if (str_cmp(file->path, paths->after) <= 0 ||
        (paths->sender != 0 && file->inode != paths->sender))
        return 0;
    if (paths->n < paths->limit) {
        paths->heap[paths->n] = arena_str(paths->a, file->path);
        sift_up(paths->heap, paths->n++);
    } else if (str_cmp(file->path, paths->heap[0]) < 0) {
        paths->heap[0] = arena_str(paths->a, file->path);
        sift_down(paths->heap, paths->n);
    }
    return 0;
}

void
query_run_files(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    struct paths paths = {.a = &result->arena,
                          .after = t->subject,
                          .sender = t->sender,
                          .limit = MAX(t->limit, (size_t)1)};
    paths.heap = arena_calloc(paths.a, paths.limit, sizeof(*paths.heap));
    result->r = store_each_file(r, on_path, &paths);
    qsort(paths.heap, paths.n, sizeof(*paths.heap), compare_paths);
    result->paths = paths.heap;
    result->n_paths = paths.n;
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
    while (e == 0 && result->n_paths < t->n_paths && rows.all.n < t->limit &&
           result->arena.total_bytes < QUERY_ROWS_BYTES)
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

void
query_run_near(struct query_ticket *t, struct store_reader *r)
{
    struct query_result *result = t->result;
    size_t n = 0;
    query_run_named(t, r);
    for (size_t i = 0; i < result->n_rows; i++) {
        if (!str_eq(result->rows[i].path, t->paths[0]))
            continue;
        struct entity_row row = result->rows[n];
        result->rows[n++] = result->rows[i];
        result->rows[i] = row;
    }
    result->n_rows = n > 0 ? n : result->n_rows;
}

struct events {
    VEC(struct event *) all;
    size_t bytes;
};

#define ENOUGH 1

/* A copy of its own: the row's references are the store's. */
static int
on_event(void *ctx, const struct event *event)
{
    struct events *events = ctx;
    *vec_push(&events->all) = event_create(event->type, event->seq, event->time_ms,
                                           event->subject, event->data);
    events->bytes += event->data.n;
    return events->bytes >= QUERY_EVENTS_BYTES ? ENOUGH : 0;
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
    result->r = e == ENOUGH ? 0 : e;
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
